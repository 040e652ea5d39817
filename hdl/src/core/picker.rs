//! Turns a mask of fired neurons into one event a clock cycle.

use crate::comment;
use rust_hdl::prelude::*;

/// Gives up the set bits of a mask, lowest first, one a clock cycle.
#[derive(LogicBlock)]
pub struct SpikePicker<const Q: usize> {
    pub clock: Signal<In, Clock>,
    /// Take `mask` for what remains.
    pub load: Signal<In, Bit>,
    pub mask: Signal<In, Bits<Q>>,
    /// A bit is given up in this cycle: `index` says which.
    pub picked: Signal<Out, Bit>,
    pub index: Signal<Out, Bits<16>>,
    /// Nothing remains after this cycle.
    pub done: Signal<Out, Bit>,
    remaining: DFF<Bits<Q>>,
    lowest: Signal<Local, Bits<Q>>,
    after: Signal<Local, Bits<Q>>,
}

impl<const Q: usize> Default for SpikePicker<Q> {
    fn default() -> Self {
        SpikePicker {
            clock: Default::default(),
            load: Default::default(),
            mask: Default::default(),
            picked: Default::default(),
            index: Default::default(),
            done: Default::default(),
            remaining: Default::default(),
            lowest: Default::default(),
            after: Default::default(),
        }
    }
}

impl<const Q: usize> Logic for SpikePicker<Q> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module spike_picker");
        comment!("Gives up the set bits of a mask, lowest first, one a clock cycle.");
        dff_setup!(self, clock, remaining);
        self.after.next = self.remaining.q.val() & (self.remaining.q.val() - 1);
        self.lowest.next = self.remaining.q.val() & !self.after.val();
        self.picked.next = self.remaining.q.val().any();
        self.done.next = !self.after.val().any();
        self.index.next = 0.into();
        for i in 0..Q {
            if self.lowest.val().get_bit(i) {
                self.index.next = i.to_bits();
            }
        }
        self.remaining.d.next = self.after.val();
        if self.load.val() {
            self.remaining.d.next = self.mask.val();
        }
    }
}
