//! What STATUS tells.

use crate::comment;
use rust_hdl::prelude::*;

/// Counts clocks, busy clocks and NAKs, and holds the numbers still for a reply.
///
/// STATUS is answered only while no inference is pending and no NAK is being sent, so all but the
/// clocks stand still by themselves; of the clocks a copy is taken.
#[derive(LogicBlock, Default)]
pub struct Counters {
    pub clock: Signal<In, Clock>,
    /// The core computes.
    pub busy: Signal<In, Bit>,
    /// A NAK is sent for a bad frame, or for an overrun.
    pub bad_frame: Signal<In, Bit>,
    pub overrun: Signal<In, Bit>,
    /// Copy the clocks.
    pub snapshot: Signal<In, Bit>,
    pub clocks: Signal<Out, Bits<32>>,
    pub busy_clocks: Signal<Out, Bits<32>>,
    pub bad_frames: Signal<Out, Bits<16>>,
    pub overruns: Signal<Out, Bits<16>>,
    clocks_now: DFF<Bits<32>>,
    clocks_copy: DFF<Bits<32>>,
    busy_now: DFF<Bits<32>>,
    bad_now: DFF<Bits<8>>,
    overruns_now: DFF<Bits<8>>,
}

impl Logic for Counters {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module counters");
        comment!("The numbers that STATUS tells.");
        dff_setup!(
            self,
            clock,
            clocks_now,
            clocks_copy,
            busy_now,
            bad_now,
            overruns_now
        );
        self.clocks_now.d.next = self.clocks_now.q.val() + 1;
        if self.snapshot.val() {
            self.clocks_copy.d.next = self.clocks_now.q.val();
        }
        if self.busy.val() {
            self.busy_now.d.next = self.busy_now.q.val() + 1;
        }
        comment!("Counts of NAKs stop at their greatest.");
        if self.bad_frame.val() & !self.bad_now.q.val().all() {
            self.bad_now.d.next = self.bad_now.q.val() + 1;
        }
        if self.overrun.val() & !self.overruns_now.q.val().all() {
            self.overruns_now.d.next = self.overruns_now.q.val() + 1;
        }
        self.clocks.next = self.clocks_copy.q.val();
        self.busy_clocks.next = self.busy_now.q.val();
        self.bad_frames.next = bit_cast::<16, 8>(self.bad_now.q.val());
        self.overruns.next = bit_cast::<16, 8>(self.overruns_now.q.val());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(uut: &mut Counters, clocks: usize) {
        for _ in 0..2 * clocks {
            uut.clock.next = !uut.clock.val();
            assert!(simulate(uut, 10));
        }
    }

    #[test]
    fn counts_of_naks_stop_and_the_clocks_are_copied() {
        let mut uut = Counters::default();
        uut.connect_all();
        uut.bad_frame.next = true;
        run(&mut uut, 254);
        assert_eq!(uut.bad_frames.val(), 254);
        run(&mut uut, 3);
        assert_eq!(uut.bad_frames.val(), 255);
        assert_eq!(uut.overruns.val(), 0);
        uut.bad_frame.next = false;
        uut.overrun.next = true;
        uut.busy.next = true;
        run(&mut uut, 7);
        assert_eq!(uut.clocks.val(), 0);
        uut.snapshot.next = true;
        uut.busy.next = false;
        run(&mut uut, 1);
        uut.snapshot.next = false;
        run(&mut uut, 300);
        assert_eq!(uut.clocks.val(), 264);
        assert_eq!(uut.busy_clocks.val(), 7);
        assert_eq!(uut.overruns.val(), 255);
    }
}
