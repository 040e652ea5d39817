//! The inferences that were started and have not been answered.

use crate::comment;
use rust_hdl::prelude::*;

/// The sequence numbers of up to four SPIKES requests whose results are still to come, oldest first.
#[derive(LogicBlock, Default)]
pub struct PendingResults {
    pub clock: Signal<In, Clock>,
    /// Append `number`; only while not `full`.
    pub push: Signal<In, Bit>,
    pub number: Signal<In, Bits<8>>,
    /// Remove the oldest; never together with `push`.
    pub pop: Signal<In, Bit>,
    pub oldest: Signal<Out, Bits<8>>,
    pub any: Signal<Out, Bit>,
    pub full: Signal<Out, Bit>,
    count: DFF<Bits<3>>,
    first: DFF<Bits<8>>,
    second: DFF<Bits<8>>,
    third: DFF<Bits<8>>,
    fourth: DFF<Bits<8>>,
}

impl Logic for PendingResults {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module pending_results");
        comment!("A queue of the sequence numbers whose results are still to come.");
        dff_setup!(self, clock, count, first, second, third, fourth);
        if self.pop.val() {
            self.count.d.next = self.count.q.val() - 1;
            self.first.d.next = self.second.q.val();
            self.second.d.next = self.third.q.val();
            self.third.d.next = self.fourth.q.val();
        }
        if self.push.val() {
            self.count.d.next = self.count.q.val() + 1;
            if self.count.q.val() == 0 {
                self.first.d.next = self.number.val();
            } else if self.count.q.val() == 1 {
                self.second.d.next = self.number.val();
            } else if self.count.q.val() == 2 {
                self.third.d.next = self.number.val();
            } else {
                self.fourth.d.next = self.number.val();
            }
        }
        self.oldest.next = self.first.q.val();
        self.any.next = self.count.q.val() != 0;
        self.full.next = self.count.q.val() == 4;
    }
}
