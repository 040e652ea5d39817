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
    /// Forget what remains.
    pub clear: Signal<In, Bit>,
    /// A bit is given up in this cycle: `index` says which.
    pub picked: Signal<Out, Bit>,
    pub index: Signal<Out, Bits<16>>,
    /// Nothing remains after this cycle.
    pub done: Signal<Out, Bit>,
    remaining: DFF<Bits<Q>>,
    lowest: Signal<Local, Bits<Q>>,
    after: Signal<Local, Bits<Q>>,
    // A binary tree over the bits, its root at 0, the children of node i at 2 i + 1 and 2 i + 2, bit j at Q - 1 + j:
    // whether any is set below a node, and whether several are. A subtraction would say the same, more slowly.
    any: Vec<Signal<Local, Bit>>,
    several: Vec<Signal<Local, Bit>>,
}

impl<const Q: usize> SpikePicker<Q> {
    /// A loop from Q to here is how a kernel can use Q in an index.
    const LEAVES_END: usize = Q + 1;
}

impl<const Q: usize> Default for SpikePicker<Q> {
    fn default() -> Self {
        SpikePicker {
            clock: Default::default(),
            load: Default::default(),
            mask: Default::default(),
            clear: Default::default(),
            picked: Default::default(),
            index: Default::default(),
            done: Default::default(),
            remaining: Default::default(),
            lowest: Default::default(),
            after: Default::default(),
            any: (0..2 * Q - 1).map(|_| Default::default()).collect(),
            several: (0..2 * Q - 1).map(|_| Default::default()).collect(),
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
        for leaves in Q..Self::LEAVES_END {
            for i in 0..Q {
                self.any[leaves - 1 + i].next = self.remaining.q.val().get_bit(i);
                self.several[leaves - 1 + i].next = false;
            }
            for i in 1..Q {
                self.any[leaves - 1 - i].next =
                    self.any[2 * (leaves - i) - 1].val() | self.any[2 * (leaves - i)].val();
                self.several[leaves - 1 - i].next = self.several[2 * (leaves - i) - 1].val()
                    | self.several[2 * (leaves - i)].val()
                    | (self.any[2 * (leaves - i) - 1].val() & self.any[2 * (leaves - i)].val());
            }
        }
        self.picked.next = self.any[0].val();
        self.done.next = !self.several[0].val();
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
        if self.clear.val() {
            self.remaining.d.next = 0.into();
        }
    }
}
