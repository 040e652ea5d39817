//! The P lanes side by side, and the G adders that they share.

use super::lane::Lane;
use super::lane_mux::LaneMux;
use super::margin_adder::MarginAdder;
use super::wiring::Join;
use crate::comment;
use firmware_model::board::Family;
use firmware_model::config::CoreConfig;
use rust_hdl::prelude::*;

/// All lanes take the same word of events, each with its own weights. After a chunk their counts go to a row of
/// registers, which hands them to the adders, G lanes a beat, while the lanes count the next chunk.
///
/// - `P`: lanes; `S`: banks.
/// - `G`: adders, P divided by the beats: lane p is served by adder p % G in beat p / G.
/// - `A`: bits of a count; `C`: A + 1.
#[derive(LogicBlock)]
pub struct NeuronArray<
    const P: usize,
    const S: usize,
    const G: usize,
    const A: usize,
    const C: usize,
> {
    pub clock: Signal<In, Clock>,
    // The word of events
    pub valid: [Signal<In, Bit>; S],
    pub weights: [Signal<In, Bits<P>>; S],
    /// The word of the cycle before was the first of its chunk.
    pub first: Signal<In, Bit>,
    /// The counts are those of a whole chunk: in the next cycle its first beat begins.
    pub hand_over: Signal<In, Bit>,
    // A beat: which margins it is for
    pub slot: Signal<In, Bits<7>>,
    pub beat: Signal<In, Bits<2>>,
    /// Read the starting margins, not those now.
    pub starting: Signal<In, Bit>,
    /// The beat of two cycles before: write its margins back.
    pub finish: Signal<In, Bit>,
    pub may_fire: Signal<In, Bit>,
    /// Bit g: adder g's neuron fires, valid with `finish`.
    pub fire: Signal<Out, Bits<G>>,
    // Loading the starting margin of a lane and slot: see `MarginAdder`
    pub load_reset: Signal<In, Bit>,
    pub load_write: Signal<In, Bit>,
    pub load_turn: Signal<In, Bits<16>>,
    pub load_lane: Signal<In, Bits<10>>,
    pub load_slot: Signal<In, Bits<7>>,
    // Reading adder by adder: the margin of `select`, a clock cycle later
    pub select: Signal<In, Bits<10>>,
    pub margin: Signal<Out, Bits<16>>,
    lanes: [Lane<S, A>; P],
    events: Lane<S, A>,
    handed: [DFF<Bits<A>>; P],
    events_handed: DFF<Bits<A>>,
    adders: [MarginAdder<A, C>; G],
    join: Join<G>,
    mux: LaneMux<G>,
    row: Signal<Local, Bits<10>>,
    load_row: Signal<Local, Bits<10>>,
    sum_row: DFF<Bits<10>>,
    write_row: DFF<Bits<10>>,
    load_adder: Signal<Local, Bits<10>>,
    beat_bits: Constant<Bits<2>>,
    lane_bits: Constant<Bits<4>>,
    lane_mask: Constant<Bits<10>>,
    current_half: Constant<Bits<10>>,
}

impl<const P: usize, const S: usize, const G: usize, const A: usize, const C: usize>
    NeuronArray<P, S, G, A, C>
{
    /// The lanes beyond the first beat.
    const LATER: usize = P - G;
    /// A loop from G to here is how a kernel can use G in an index.
    const GROUP_END: usize = G + 1;

    pub fn new(config: &CoreConfig, family: Family) -> Self {
        let rows = u64::from(config.fold_slots) * u64::from(config.beats);
        NeuronArray {
            clock: Default::default(),
            valid: std::array::from_fn(|_| Default::default()),
            weights: std::array::from_fn(|_| Default::default()),
            first: Default::default(),
            hand_over: Default::default(),
            slot: Default::default(),
            beat: Default::default(),
            starting: Default::default(),
            finish: Default::default(),
            may_fire: Default::default(),
            fire: Default::default(),
            load_reset: Default::default(),
            load_write: Default::default(),
            load_turn: Default::default(),
            load_lane: Default::default(),
            load_slot: Default::default(),
            select: Default::default(),
            margin: Default::default(),
            lanes: std::array::from_fn(|_| Default::default()),
            events: Default::default(),
            handed: std::array::from_fn(|_| Default::default()),
            events_handed: Default::default(),
            adders: std::array::from_fn(|_| MarginAdder::new(config, family)),
            join: Default::default(),
            mux: LaneMux::new(config.late_margins()),
            row: Default::default(),
            load_row: Default::default(),
            sum_row: Default::default(),
            write_row: Default::default(),
            load_adder: Default::default(),
            beat_bits: Constant::new(u64::from(config.beats.ilog2()).into()),
            lane_bits: Constant::new(u64::from(G.ilog2()).into()),
            lane_mask: Constant::new((G as u64 - 1).into()),
            current_half: Constant::new(rows.into()),
        }
    }
}

impl<const P: usize, const S: usize, const G: usize, const A: usize, const C: usize> Logic
    for NeuronArray<P, S, G, A, C>
{
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module neuron_array");
        comment!(
            "The lanes side by side: all take the same word of events, each with its own weights."
        );
        comment!("Their adders serve them in turn.");
        dff_setup!(self, clock, events_handed, sum_row, write_row);

        comment!("The lanes count, and one more counts all spikes.");
        self.events.clock.next = self.clock.val();
        self.events.first.next = self.first.val();
        for s in 0..S {
            self.events.valid[s].next = self.valid[s].val();
            self.events.weight[s].next = true;
        }
        for p in 0..P {
            self.lanes[p].clock.next = self.clock.val();
            self.lanes[p].first.next = self.first.val();
            for s in 0..S {
                self.lanes[p].valid[s].next = self.valid[s].val();
                self.lanes[p].weight[s].next = self.weights[s].val().get_bit(p);
            }
        }

        comment!("The counts of a chunk move on, beat by beat, to the adders.");
        if self.hand_over.val() {
            self.events_handed.d.next = self.events.count.val();
        }
        for p in 0..P {
            self.handed[p].clock.next = self.clock.val();
            self.handed[p].d.next = self.lanes[p].count.val();
        }
        for group in G..Self::GROUP_END {
            for p in 0..Self::LATER {
                if !self.hand_over.val() {
                    self.handed[p].d.next = self.handed[p + group].q.val();
                }
            }
        }

        comment!(
            "The lower half of the memories has the starting margins, the upper half those of now."
        );
        self.row.next = (bit_cast::<10, 7>(self.slot.val()) << self.beat_bits.val())
            | bit_cast::<10, 2>(self.beat.val());
        self.load_row.next = (bit_cast::<10, 7>(self.load_slot.val()) << self.beat_bits.val())
            | (self.load_lane.val() >> self.lane_bits.val());
        self.load_adder.next = self.load_lane.val() & self.lane_mask.val();
        self.sum_row.d.next = self.row.val() | self.current_half.val();
        self.write_row.d.next = self.sum_row.q.val();
        for g in 0..G {
            self.adders[g].clock.next = self.clock.val();
            self.adders[g].count.next = self.handed[g].q.val();
            self.adders[g].events.next = self.events_handed.q.val();
            self.adders[g].read_address.next = self.row.val() | self.current_half.val();
            if self.starting.val() {
                self.adders[g].read_address.next = self.row.val();
            }
            if self.load_reset.val() {
                self.adders[g].read_address.next = self.load_row.val();
            }
            self.adders[g].write_address.next = self.write_row.q.val();
            if self.load_write.val() {
                self.adders[g].write_address.next = self.load_row.val();
            }
            self.adders[g].finish.next = self.finish.val();
            self.adders[g].may_fire.next = self.may_fire.val();
            self.adders[g].reset.next = self.load_reset.val();
            self.adders[g].turn.next = self.load_turn.val();
            self.adders[g].write.next =
                self.load_write.val() & (self.load_adder.val() == g.to_bits::<10>());
            self.join.wires[g].next = self.adders[g].fire.val();
            self.mux.words[g].next = self.adders[g].stored.val();
        }
        self.fire.next = self.join.word.val();
        self.mux.clock.next = self.clock.val();
        self.mux.select.next = self.select.val() & self.lane_mask.val();
        self.margin.next = self.mux.word.val();
    }
}
