//! The margins of every G-th lane, and the adder that changes them.

use crate::comment;
use crate::ram::SyncRam;
use firmware_model::board::Family;
use firmware_model::config::CoreConfig;
use rust_hdl::prelude::*;

/// Changes one margin a clock cycle: read, add, and, a cycle later, fire and write back.
///
/// A margin is V - threshold, so the sign bit says whether a neuron is below threshold. A neuron that fires is
/// written back with 01 as its two highest bits, and stays so: no margin of another neuron is that great, so firing
/// once needs no memory of its own. The lower 14 bits of an output that has just fired are its overshoot.
///
/// The memory has two halves: the starting margins (minus the threshold), which only loading writes, and those now.
///
/// - `A`: bits of a count.
/// - `C`: A + 1, bits of a change.
#[derive(LogicBlock)]
pub struct MarginAdder<const A: usize, const C: usize> {
    pub clock: Signal<In, Clock>,
    /// How many of the chunk's spikes came over weights of +1.
    pub count: Signal<In, Bits<A>>,
    /// How many spikes the chunk had.
    pub events: Signal<In, Bits<A>>,
    /// Which margin they are for: read in this cycle, written three cycles later.
    pub read_address: Signal<In, Bits<10>>,
    pub write_address: Signal<In, Bits<10>>,
    /// Write back the margin whose count came two cycles before.
    pub finish: Signal<In, Bit>,
    /// It is the last chunk of the step: fire.
    pub may_fire: Signal<In, Bit>,
    // Loading: a margin is set to 0, then read, and changed to what was loaded. So its bits go through the adder's own
    // logic, and need none in front of the memory.
    /// Take nothing to be added, and nothing as the sum.
    pub reset: Signal<In, Bit>,
    /// Write back what the sum is, in this adder alone.
    pub write: Signal<In, Bit>,
    /// The bits of a sum that are turned.
    pub turn: Signal<In, Bits<16>>,
    /// The neuron fires, valid with `finish`.
    pub fire: Signal<Out, Bit>,
    /// What the memory gave.
    pub stored: Signal<Out, Bits<16>>,
    change: DFF<Bits<C>>,
    change_wide: Signal<Local, Bits<16>>,
    sum: DFF<Bits<16>>,
    had_fired: DFF<Bit>,
    store: SyncRam<16, 10>,
    sign_extension: Constant<Bits<16>>,
    low_bits: Constant<Bits<16>>,
    fired_bits: Constant<Bits<16>>,
}

impl<const A: usize, const C: usize> MarginAdder<A, C> {
    const TOP: usize = C - 1;

    /// An adder for the core's folds. Its memory is block RAM where the family has no other, else what synthesis
    /// finds best for its size.
    pub fn new(config: &CoreConfig, family: Family) -> Self {
        let words = 2 * usize::from(config.fold_slots) * usize::from(config.beats);
        let store = SyncRam::new(words, 16);
        let store = match family {
            // Chunks of the same fold keep apart: no word is read in the cycle in which it is written.
            Family::Ice40 => store.without_collisions(),
            Family::Ecp5 => store,
        };
        MarginAdder {
            clock: Default::default(),
            count: Default::default(),
            events: Default::default(),
            read_address: Default::default(),
            write_address: Default::default(),
            finish: Default::default(),
            may_fire: Default::default(),
            reset: Default::default(),
            write: Default::default(),
            turn: Default::default(),
            fire: Default::default(),
            stored: Default::default(),
            change: Default::default(),
            change_wide: Default::default(),
            sum: Default::default(),
            had_fired: Default::default(),
            store,
            sign_extension: Constant::new((0xFFFF & !((1u64 << C) - 1)).into()),
            low_bits: Constant::new(0x3FFF.into()),
            fired_bits: Constant::new(0x4000.into()),
        }
    }
}

impl<const A: usize, const C: usize> Logic for MarginAdder<A, C> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module margin_adder");
        comment!("Margins (potential minus threshold), and the adder that changes them.");
        dff_setup!(self, clock, change, sum, had_fired);
        self.store.clock.next = self.clock.val();
        self.store.read_address.next = self.read_address.val();

        comment!("A weight of +1 adds 1 and one of -1 takes 1: 2 * (spikes over +1) - (spikes).");
        self.change.d.next =
            (bit_cast::<C, A>(self.count.val()) << 1) - bit_cast::<C, A>(self.events.val());
        self.change_wide.next = bit_cast::<16, C>(self.change.q.val());
        for top in Self::TOP..C {
            if self.change.q.val().get_bit(top) {
                self.change_wide.next =
                    bit_cast::<16, C>(self.change.q.val()) | self.sign_extension.val();
            }
        }
        self.sum.d.next = (self.store.read_data.val() + self.change_wide.val()) ^ self.turn.val();

        comment!("Margins that begin with 01 are those of neurons that have fired.");
        self.had_fired.d.next =
            !self.store.read_data.val().get_bit(15) & self.store.read_data.val().get_bit(14);
        self.fire.next =
            self.may_fire.val() & !self.sum.q.val().get_bit(15) & !self.had_fired.q.val();
        self.store.write_address.next = self.write_address.val();
        self.store.write_enable.next = self.finish.val() | self.write.val();
        self.store.write_data.next = self.sum.q.val();
        if self.fire.val() | self.had_fired.q.val() {
            self.store.write_data.next =
                (self.sum.q.val() & self.low_bits.val()) | self.fired_bits.val();
        }
        if self.reset.val() {
            self.change.d.next = 0.into();
            self.sum.d.next = 0.into();
            self.had_fired.d.next = false;
        }
        self.stored.next = self.store.read_data.val();
    }
}
