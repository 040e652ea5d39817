//! How many spikes of a step are one bank's.

use crate::comment;
use rust_hdl::prelude::*;

/// Counts a bank's spikes while they come in, for the [`super::step_list::StepList`].
#[derive(LogicBlock, Default)]
pub struct StepCounter {
    pub clock: Signal<In, Clock>,
    /// A spike comes in: the first of a new step.
    pub new_step: Signal<In, Bit>,
    /// A spike comes in, and it is this bank's.
    pub spike: Signal<In, Bit>,
    /// The most spikes that any bank has.
    pub most: Signal<In, Bits<12>>,
    /// This bank has as many.
    pub has_most: Signal<Out, Bit>,
    /// The count, wide enough to be packed with those of the other banks.
    pub count: Signal<Out, Bits<128>>,
    counted: DFF<Bits<12>>,
}

impl Logic for StepCounter {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module step_counter");
        comment!("How many spikes of a step are one bank's.");
        dff_setup!(self, clock, counted);
        if self.new_step.val() {
            self.counted.d.next = 0.into();
        }
        if self.spike.val() {
            self.counted.d.next = self.counted.q.val() + 1;
            if self.new_step.val() {
                self.counted.d.next = 1.into();
            }
        }
        self.has_most.next = self.counted.q.val() == self.most.val();
        self.count.next = bit_cast::<128, 12>(self.counted.q.val());
    }
}
