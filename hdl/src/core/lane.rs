//! One lane: the margin of the neuron that it serves at the moment, and the memory of all the
//! neurons that it serves in turn.

use crate::comment;
use crate::ram::SyncRam;
use firmware_model::board::Family;
use rust_hdl::prelude::*;

/// A lane keeps margins, V - threshold, so the sign bit says whether a neuron is below threshold.
///
/// The memory has two halves: the starting margins (minus the threshold), which only loading
/// writes, and the margins now. At the first word of a fold the lane starts from what the memory
/// gives; after the last word it writes back. A neuron that has fired is written back with its sign
/// cleared, and a margin that comes in without sign is a neuron that has fired before: so firing
/// once needs no memory of its own.
#[derive(LogicBlock)]
pub struct Lane<const S: usize> {
    pub clock: Signal<In, Clock>,
    /// Which banks have a spike in this word.
    pub valid: [Signal<In, Bit>; S],
    /// This lane's weight in each bank's row: 1 for +1, 0 for -1.
    pub weight: [Signal<In, Bit>; S],
    /// How many banks had a spike in the word of the cycle before.
    pub spikes: Signal<In, Bits<5>>,
    /// The word of the cycle before was the first of a fold: start from the memory.
    pub first: Signal<In, Bit>,
    /// The margins are final: fire, and write back.
    pub finish: Signal<In, Bit>,
    pub read_half: Signal<In, Bit>,
    pub read_slot: Signal<In, Bits<7>>,
    pub write_slot: Signal<In, Bits<7>>,
    /// Write `load_margin` as the starting margin of `write_slot`.
    pub load: Signal<In, Bit>,
    pub load_margin: Signal<In, Bits<16>>,
    /// The neuron fires, valid with `finish`.
    pub fire: Signal<Out, Bit>,
    /// What the memory gave.
    pub stored: Signal<Out, Bits<16>>,
    /// This bank's spike comes over a weight of +1.
    positive: [Signal<Local, Bit>; S],
    // How many do so in the banks up to this one, as binary digits.
    ones: [Signal<Local, Bit>; S],
    twos: [Signal<Local, Bit>; S],
    fours: [Signal<Local, Bit>; S],
    eights: [Signal<Local, Bit>; S],
    has_one: DFF<Bit>,
    has_two: DFF<Bit>,
    has_four: DFF<Bit>,
    has_eight: DFF<Bit>,
    twice: [Signal<Local, Bits<5>>; 4],
    change: Signal<Local, Bits<5>>,
    change_wide: Signal<Local, Bits<16>>,
    start: Signal<Local, Bits<16>>,
    margin: DFF<Bits<16>>,
    has_fired: DFF<Bit>,
    store: SyncRam<16, 8>,
    sign_bit: Constant<Bits<16>>,
    sign_extension: Constant<Bits<16>>,
    current_half: Constant<Bits<8>>,
}

impl<const S: usize> Lane<S> {
    const LAST: usize = S - 1;

    /// A lane for `slots` folds. Its memory is block RAM where the family has no other, else what
    /// synthesis finds best for its size.
    pub fn new(slots: usize, family: Family) -> Self {
        let store = SyncRam::new(2 * slots, 16);
        let store = match family {
            // No word is read in the cycle in which it is written: the pipeline is empty between steps.
            Family::Ice40 => store.without_collisions(),
            Family::Ecp5 => store,
        };
        Lane {
            clock: Default::default(),
            valid: std::array::from_fn(|_| Default::default()),
            weight: std::array::from_fn(|_| Default::default()),
            spikes: Default::default(),
            first: Default::default(),
            finish: Default::default(),
            read_half: Default::default(),
            read_slot: Default::default(),
            write_slot: Default::default(),
            load: Default::default(),
            load_margin: Default::default(),
            fire: Default::default(),
            stored: Default::default(),
            positive: std::array::from_fn(|_| Default::default()),
            ones: std::array::from_fn(|_| Default::default()),
            twos: std::array::from_fn(|_| Default::default()),
            fours: std::array::from_fn(|_| Default::default()),
            eights: std::array::from_fn(|_| Default::default()),
            has_one: Default::default(),
            has_two: Default::default(),
            has_four: Default::default(),
            has_eight: Default::default(),
            twice: Default::default(),
            change: Default::default(),
            change_wide: Default::default(),
            start: Default::default(),
            margin: Default::default(),
            has_fired: Default::default(),
            store,
            sign_bit: Constant::new(0x8000.into()),
            sign_extension: Constant::new(0xFFE0.into()),
            current_half: Constant::new((slots as u64).into()),
        }
    }
}

impl<const S: usize> Logic for Lane<S> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module lane");
        comment!(
            "One lane: the margin (potential minus threshold) of the neuron that it serves now,"
        );
        comment!("and the margins of all the neurons that it serves in turn.");
        dff_setup!(self, clock, has_one, has_two, has_four, has_eight, margin, has_fired);
        self.store.clock.next = self.clock.val();

        comment!("How many spikes come over weights of +1, added digit by digit.");
        self.positive[0].next = self.valid[0].val() & self.weight[0].val();
        self.ones[0].next = self.positive[0].val();
        self.twos[0].next = false;
        self.fours[0].next = false;
        self.eights[0].next = false;
        for i in 1..S {
            self.positive[i].next = self.valid[i].val() & self.weight[i].val();
            self.ones[i].next = self.ones[i - 1].val() ^ self.positive[i].val();
            self.twos[i].next =
                self.twos[i - 1].val() ^ (self.ones[i - 1].val() & self.positive[i].val());
            self.fours[i].next = self.fours[i - 1].val()
                ^ (self.twos[i - 1].val() & self.ones[i - 1].val() & self.positive[i].val());
            self.eights[i].next = self.eights[i - 1].val()
                ^ (self.fours[i - 1].val()
                    & self.twos[i - 1].val()
                    & self.ones[i - 1].val()
                    & self.positive[i].val());
        }
        for last in Self::LAST..S {
            self.has_one.d.next = self.ones[last].val();
            self.has_two.d.next = self.twos[last].val();
            self.has_four.d.next = self.fours[last].val();
            self.has_eight.d.next = self.eights[last].val();
        }

        comment!("A weight of +1 adds 1 and one of -1 takes 1: 2 * (spikes over +1) - (spikes).");
        self.twice[0].next = 0.into();
        if self.has_one.q.val() {
            self.twice[0].next = 2.into();
        }
        self.twice[1].next = self.twice[0].val();
        if self.has_two.q.val() {
            self.twice[1].next = self.twice[0].val() | 4;
        }
        self.twice[2].next = self.twice[1].val();
        if self.has_four.q.val() {
            self.twice[2].next = self.twice[1].val() | 8;
        }
        self.twice[3].next = self.twice[2].val();
        if self.has_eight.q.val() {
            self.twice[3].next = self.twice[2].val() | 16;
        }
        self.change.next = self.twice[3].val() - self.spikes.val();
        self.change_wide.next = bit_cast::<16, 5>(self.change.val());
        if self.change.val().get_bit(4) {
            self.change_wide.next =
                bit_cast::<16, 5>(self.change.val()) | self.sign_extension.val();
        }

        comment!(
            "A margin that comes from the memory without sign is that of a neuron that has fired."
        );
        self.start.next = self.margin.q.val();
        if self.first.val() {
            self.start.next = self.store.read_data.val();
            self.has_fired.d.next = !self.store.read_data.val().get_bit(15);
        }
        self.margin.d.next = self.start.val() + self.change_wide.val();
        self.fire.next = !self.margin.q.val().get_bit(15) & !self.has_fired.q.val();

        comment!(
            "The lower half of the memory has the starting margins, the upper half those of now."
        );
        self.store.read_address.next = bit_cast::<8, 7>(self.read_slot.val());
        if self.read_half.val() {
            self.store.read_address.next =
                bit_cast::<8, 7>(self.read_slot.val()) | self.current_half.val();
        }
        self.store.write_address.next = bit_cast::<8, 7>(self.write_slot.val());
        self.store.write_data.next = self.load_margin.val();
        self.store.write_enable.next = self.load.val();
        if self.finish.val() {
            self.store.write_address.next =
                bit_cast::<8, 7>(self.write_slot.val()) | self.current_half.val();
            self.store.write_data.next = self.margin.q.val();
            if self.has_fired.q.val() {
                self.store.write_data.next = self.margin.q.val() & !self.sign_bit.val();
            }
            self.store.write_enable.next = true;
        }
        self.stored.next = self.store.read_data.val();
    }
}
