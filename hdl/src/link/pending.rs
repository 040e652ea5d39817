//! The inferences that were started and have not been answered.

use crate::comment;
use rust_hdl::prelude::*;

/// The sequence numbers of up to two SPIKES requests whose results are still to come, oldest first.
///
/// Two is as many as a core has input buffers, so a third would have to wait for one in any case.
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
    has_first: DFF<Bit>,
    has_second: DFF<Bit>,
    first: DFF<Bits<8>>,
    second: DFF<Bits<8>>,
}

impl Logic for PendingResults {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module pending_results");
        comment!("A queue of the sequence numbers whose results are still to come.");
        dff_setup!(self, clock, has_first, has_second, first, second);
        if self.pop.val() {
            self.has_first.d.next = self.has_second.q.val();
            self.has_second.d.next = false;
            self.first.d.next = self.second.q.val();
        } else if self.push.val() {
            self.has_first.d.next = true;
            self.has_second.d.next = self.has_first.q.val();
            self.second.d.next = self.number.val();
            if !self.has_first.q.val() {
                self.first.d.next = self.number.val();
            }
        }
        self.oldest.next = self.first.q.val();
        self.any.next = self.has_first.q.val();
        self.full.next = self.has_second.q.val();
    }
}
