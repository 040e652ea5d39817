//! From spike codes, one byte each, to spikes: the other end of `firmware_model::protocol`'s encoder.

use crate::comment;
use rust_hdl::prelude::*;

/// Decodes a stream of spike codes, and checks each spike against the geometry.
#[derive(LogicBlock, Default)]
pub struct SpikeDecoder {
    pub clock: Signal<In, Clock>,
    /// A new image: forget step, input and error.
    pub begin: Signal<In, Bit>,
    /// `byte` is the next code. At most every second clock cycle.
    pub strobe: Signal<In, Bit>,
    pub byte: Signal<In, Bits<8>>,
    pub inputs: Signal<In, Bits<16>>,
    pub last_step: Signal<In, Bits<8>>,
    /// A spike: `step` and `source` say which. If the geometry has no such spike there is an error too: the image
    /// will not be used, and so it does no harm.
    pub spike: Signal<Out, Bit>,
    pub step: Signal<Out, Bits<8>>,
    pub source: Signal<Out, Bits<16>>,
    /// Since `begin` there was a spike, a skip or a step that the geometry does not have.
    pub error: Signal<Out, Bit>,
    /// One more than the step, so that 0 is "before any step".
    steps: DFF<Bits<10>>,
    next: DFF<Bits<17>>,
    is_spike: DFF<Bit>,
    is_skip: DFF<Bit>,
    is_step: DFF<Bit>,
    index: DFF<Bits<17>>,
    has_error: DFF<Bit>,
    amount: Signal<Local, Bits<7>>,
    steps_allowed: Signal<Local, Bits<10>>,
    in_range: Signal<Local, Bit>,
    late: Signal<Local, Bit>,
    skipped_to: Signal<Local, Bits<17>>,
    step_full: Signal<Local, Bits<10>>,
}

impl Logic for SpikeDecoder {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module spike_decoder");
        comment!(
            "Spike codes, one byte each: 0ddddddd is a spike, 10dddddd passes over 128 (d + 1)"
        );
        comment!("inputs, 11dddddd goes on by d + 1 steps and starts again at input 0.");
        dff_setup!(self, clock, steps, next, is_spike, is_skip, is_step, index, has_error);
        self.is_spike.d.next = false;
        self.is_skip.d.next = false;
        self.is_step.d.next = false;
        self.amount.next = bit_cast::<7, 6>(self.byte.val().get_bits::<6>(0)) + 1;
        self.skipped_to.next = self.next.q.val() + (bit_cast::<17, 7>(self.amount.val()) << 7);
        if self.strobe.val() {
            if !self.byte.val().get_bit(7) {
                self.is_spike.d.next = true;
                self.index.d.next = self.next.q.val() + bit_cast::<17, 8>(self.byte.val());
                self.next.d.next = self.next.q.val() + bit_cast::<17, 8>(self.byte.val()) + 1;
            } else if !self.byte.val().get_bit(6) {
                self.is_skip.d.next = true;
                self.index.d.next = self.skipped_to.val();
                self.next.d.next = self.skipped_to.val();
            } else {
                self.is_step.d.next = true;
                self.next.d.next = 0.into();
                self.steps.d.next = self.steps.q.val() + bit_cast::<10, 7>(self.amount.val());
            }
        }

        comment!("The cycle after checks it, before a counter can wrap.");
        self.steps_allowed.next = bit_cast::<10, 8>(self.last_step.val()) + 1;
        self.late.next = self.steps.q.val() > self.steps_allowed.val();
        self.in_range.next = (self.index.q.val() < bit_cast::<17, 16>(self.inputs.val()))
            & self.steps.q.val().any()
            & !self.late.val();
        if (self.is_spike.q.val() | self.is_skip.q.val()) & !self.in_range.val() {
            self.has_error.d.next = true;
        }
        if self.is_step.q.val() & self.late.val() {
            self.has_error.d.next = true;
        }
        if self.begin.val() {
            self.steps.d.next = 0.into();
            self.next.d.next = 0.into();
            self.has_error.d.next = false;
        }
        self.spike.next = self.is_spike.q.val();
        self.step_full.next = self.steps.q.val() - 1;
        self.step.next = self.step_full.val().get_bits::<8>(0);
        self.source.next = self.index.q.val().get_bits::<16>(0);
        self.error.next = self.has_error.q.val();
    }
}
