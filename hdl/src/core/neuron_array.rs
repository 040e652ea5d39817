//! The P lanes side by side.

use super::lane::Lane;
use super::lane_mux::LaneMux;
use super::wiring::Join;
use crate::comment;
use firmware_model::board::Family;
use rust_hdl::prelude::*;

/// All lanes take the same word of events, each with its own weights, and fire together.
#[derive(LogicBlock)]
pub struct NeuronArray<const P: usize, const S: usize> {
    pub clock: Signal<In, Clock>,
    // The word of events
    pub valid: [Signal<In, Bit>; S],
    pub weights: [Signal<In, Bits<P>>; S],
    /// The word of the cycle before was the first of its fold.
    pub first: Signal<In, Bit>,
    /// The margins are final, and of `write_slot`.
    pub finish: Signal<In, Bit>,
    /// The margins to read: starting ones or those of now, one clock cycle before they are needed.
    pub read_current: Signal<In, Bit>,
    pub read_slot: Signal<In, Bits<7>>,
    pub write_slot: Signal<In, Bits<7>>,
    /// Bit p: lane p fires, valid with `finish`.
    pub fire: Signal<Out, Bits<P>>,
    // Loading
    pub load: Signal<In, Bit>,
    pub load_lane: Signal<In, Bits<8>>,
    pub load_margin: Signal<In, Bits<16>>,
    // Reading lane by lane: the margin of `select`, a clock cycle later
    pub select: Signal<In, Bits<8>>,
    pub margin: Signal<Out, Bits<16>>,
    lanes: [Lane<S>; P],
    join: Join<P>,
    mux: LaneMux<P>,
    counts: [Signal<Local, Bits<5>>; S],
    spikes: DFF<Bits<5>>,
}

impl<const P: usize, const S: usize> NeuronArray<P, S> {
    const LAST: usize = S - 1;

    /// Lanes for `slots` folds.
    pub fn new(slots: usize, family: Family) -> Self {
        NeuronArray {
            clock: Default::default(),
            valid: std::array::from_fn(|_| Default::default()),
            weights: std::array::from_fn(|_| Default::default()),
            first: Default::default(),
            finish: Default::default(),
            read_current: Default::default(),
            read_slot: Default::default(),
            write_slot: Default::default(),
            fire: Default::default(),
            load: Default::default(),
            load_lane: Default::default(),
            load_margin: Default::default(),
            select: Default::default(),
            margin: Default::default(),
            lanes: std::array::from_fn(|_| Lane::new(slots, family)),
            join: Default::default(),
            mux: Default::default(),
            counts: std::array::from_fn(|_| Default::default()),
            spikes: Default::default(),
        }
    }
}

impl<const P: usize, const S: usize> Logic for NeuronArray<P, S> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module neuron_array");
        comment!(
            "The lanes side by side: all take the same word of events, each with its own weights."
        );
        dff_setup!(self, clock, spikes);
        self.counts[0].next = 0.into();
        if self.valid[0].val() {
            self.counts[0].next = 1.into();
        }
        for i in 1..S {
            self.counts[i].next = self.counts[i - 1].val();
            if self.valid[i].val() {
                self.counts[i].next = self.counts[i - 1].val() + 1;
            }
        }
        for last in Self::LAST..S {
            self.spikes.d.next = self.counts[last].val();
        }
        self.mux.clock.next = self.clock.val();
        self.mux.select.next = self.select.val();
        self.margin.next = self.mux.word.val();
        self.fire.next = self.join.word.val();
        for p in 0..P {
            self.lanes[p].clock.next = self.clock.val();
            for s in 0..S {
                self.lanes[p].valid[s].next = self.valid[s].val();
                self.lanes[p].weight[s].next = self.weights[s].val().get_bit(p);
            }
            self.lanes[p].spikes.next = self.spikes.q.val();
            self.lanes[p].first.next = self.first.val();
            self.lanes[p].finish.next = self.finish.val();
            self.lanes[p].read_half.next = self.read_current.val();
            self.lanes[p].read_slot.next = self.read_slot.val();
            self.lanes[p].write_slot.next = self.write_slot.val();
            self.lanes[p].load.next = self.load.val() & (self.load_lane.val() == p.to_bits::<8>());
            self.lanes[p].load_margin.next = self.load_margin.val();
            self.join.wires[p].next = self.lanes[p].fire.val();
            self.mux.words[p].next = self.lanes[p].stored.val();
        }
    }
}
