//! One lane: the margin of the neuron that it serves at the moment, and the memory of all the
//! neurons that it serves in turn.

use crate::comment;
use crate::ram::SyncRam;
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
    /// How many banks have a spike in this word.
    pub spikes: Signal<In, Bits<5>>,
    /// The first word of a fold: start from the memory.
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
    positives: [Signal<Local, Bits<5>>; S],
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

    /// A lane for `slots` folds.
    pub fn new(slots: usize) -> Self {
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
            positives: std::array::from_fn(|_| Default::default()),
            change: Default::default(),
            change_wide: Default::default(),
            start: Default::default(),
            margin: Default::default(),
            has_fired: Default::default(),
            store: SyncRam::new(2 * slots, 16),
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
        dff_setup!(self, clock, margin, has_fired);
        self.store.clock.next = self.clock.val();

        comment!("A weight of +1 adds 1 and one of -1 takes 1: 2 * (spikes over +1) - (spikes).");
        self.positives[0].next = 0.into();
        if self.valid[0].val() & self.weight[0].val() {
            self.positives[0].next = 1.into();
        }
        for i in 1..S {
            self.positives[i].next = self.positives[i - 1].val();
            if self.valid[i].val() & self.weight[i].val() {
                self.positives[i].next = self.positives[i - 1].val() + 1;
            }
        }
        for last in Self::LAST..S {
            self.change.next =
                self.positives[last].val() + self.positives[last].val() - self.spikes.val();
        }
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
