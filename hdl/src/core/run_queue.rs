//! Which layers wait at which step: the runs that are under way.

use crate::comment;
use rust_hdl::prelude::*;

/// Two short queues. A run whose neurons may fire waits in the first until its masks have become events; then, if
/// there are any, the next layer's run waits in the second until the sequencer takes it. No more than two steps are
/// under way at a time, each with one run in one of the queues.
#[derive(LogicBlock, Default)]
pub struct RunQueue {
    pub clock: Signal<In, Clock>,
    /// Forget everything: a new inference begins.
    pub clear: Signal<In, Bit>,
    /// A run of a hidden layer begins.
    pub begin: Signal<In, Bit>,
    pub begin_layer: Signal<In, Bits<2>>,
    pub begin_step: Signal<In, Bits<8>>,
    /// The earliest run of the first queue has become `words` words of events.
    pub finished: Signal<In, Bit>,
    pub words: Signal<In, Bits<12>>,
    /// There are none: its step is over. A pulse.
    pub dead_end: Signal<Out, Bit>,
    /// A run can be taken, and which.
    pub ready: Signal<Out, Bit>,
    pub layer: Signal<Out, Bits<2>>,
    pub step: Signal<Out, Bits<8>>,
    pub ready_words: Signal<Out, Bits<12>>,
    pub take: Signal<In, Bit>,
    // The first queue: the earliest run, and the one behind it
    first_layer: DFF<Bits<2>>,
    first_step: DFF<Bits<8>>,
    behind_layer: DFF<Bits<2>>,
    behind_step: DFF<Bits<8>>,
    running: DFF<Bits<2>>,
    running_after: Signal<Local, Bits<2>>,
    // The second queue
    ready_layer: DFF<Bits<2>>,
    ready_step: DFF<Bits<8>>,
    ready_length: DFF<Bits<12>>,
    next_layer: DFF<Bits<2>>,
    next_step: DFF<Bits<8>>,
    next_length: DFF<Bits<12>>,
    waiting: DFF<Bits<2>>,
    waiting_after: Signal<Local, Bits<2>>,
    add: Signal<Local, Bit>,
}

impl Logic for RunQueue {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module run_queue");
        comment!("The runs under way: those whose masks become events, and those that wait for the lanes.");
        dff_setup!(
            self,
            clock,
            first_layer,
            first_step,
            behind_layer,
            behind_step,
            running,
            ready_layer,
            ready_step,
            ready_length,
            next_layer,
            next_step,
            next_length,
            waiting
        );
        comment!("A run that finishes makes room for the one behind it; one that begins goes to the end.");
        self.running_after.next = self.running.q.val();
        if self.finished.val() {
            self.running_after.next = self.running.q.val() - 1;
            self.first_layer.d.next = self.behind_layer.q.val();
            self.first_step.d.next = self.behind_step.q.val();
        }
        self.running.d.next = self.running_after.val();
        if self.begin.val() {
            self.running.d.next = self.running_after.val() + 1;
            if self.running_after.val().any() {
                self.behind_layer.d.next = self.begin_layer.val();
                self.behind_step.d.next = self.begin_step.val();
            } else {
                self.first_layer.d.next = self.begin_layer.val();
                self.first_step.d.next = self.begin_step.val();
            }
        }

        comment!("If it has events, the next layer can run.");
        self.add.next = self.finished.val() & self.words.val().any();
        self.dead_end.next = self.finished.val() & !self.words.val().any();
        self.waiting_after.next = self.waiting.q.val();
        if self.take.val() {
            self.waiting_after.next = self.waiting.q.val() - 1;
            self.ready_layer.d.next = self.next_layer.q.val();
            self.ready_step.d.next = self.next_step.q.val();
            self.ready_length.d.next = self.next_length.q.val();
        }
        self.waiting.d.next = self.waiting_after.val();
        if self.add.val() {
            self.waiting.d.next = self.waiting_after.val() + 1;
            if self.waiting_after.val().any() {
                self.next_layer.d.next = self.first_layer.q.val() + 1;
                self.next_step.d.next = self.first_step.q.val();
                self.next_length.d.next = self.words.val();
            } else {
                self.ready_layer.d.next = self.first_layer.q.val() + 1;
                self.ready_step.d.next = self.first_step.q.val();
                self.ready_length.d.next = self.words.val();
            }
        }
        if self.clear.val() {
            self.running.d.next = 0.into();
            self.waiting.d.next = 0.into();
        }
        self.ready.next = self.waiting.q.val().any();
        self.layer.next = self.ready_layer.q.val();
        self.step.next = self.ready_step.q.val();
        self.ready_words.next = self.ready_length.q.val();
    }
}
