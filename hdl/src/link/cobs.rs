//! The inner of the wire's framing: Consistent Overhead Byte Stuffing, undone byte by byte.

use crate::comment;
use rust_hdl::prelude::*;

/// Undoes COBS: takes the wire's bytes, gives those of the frame and its end.
///
/// Every wire byte gives at most one frame byte: a code byte gives the zero that its predecessor
/// stood for, any other byte itself.
#[derive(LogicBlock, Default)]
pub struct CobsDecoder {
    pub clock: Signal<In, Clock>,
    pub strobe: Signal<In, Bit>,
    pub data: Signal<In, Bits<8>>,
    /// Forget the frame that has begun.
    pub restart: Signal<In, Bit>,
    /// A frame has begun and not ended.
    pub receiving: Signal<Out, Bit>,
    /// With `strobe`: the first byte of a frame.
    pub begins: Signal<Out, Bit>,
    /// With `strobe`: a frame that had begun ends.
    pub ends: Signal<Out, Bit>,
    /// With `ends`: in the middle of a block.
    pub cut: Signal<Out, Bit>,
    /// With `strobe`: `plain` is a byte of the frame.
    pub plain_strobe: Signal<Out, Bit>,
    pub plain: Signal<Out, Bits<8>>,
    started: DFF<Bit>,
    /// Bytes until the next code.
    left: DFF<Bits<8>>,
    /// The block stands for a zero after it, unless the frame ends there.
    owes_zero: DFF<Bit>,
}

impl Logic for CobsDecoder {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module cobs_decoder");
        comment!("Undoes COBS: at most one byte of the frame for each byte of the wire.");
        dff_setup!(self, clock, started, left, owes_zero);
        self.receiving.next = self.started.q.val();
        self.begins.next = false;
        self.ends.next = false;
        self.cut.next = self.left.q.val() != 0;
        self.plain_strobe.next = false;
        self.plain.next = self.data.val();
        if self.left.q.val() == 0 {
            self.plain.next = 0.into();
        }
        if self.strobe.val() {
            if self.data.val() == 0 {
                self.ends.next = self.started.q.val();
            } else {
                self.begins.next = !self.started.q.val();
                self.started.d.next = true;
                if self.left.q.val() == 0 {
                    comment!("A code: so many bytes less one follow, then a zero is owed.");
                    self.plain_strobe.next = self.owes_zero.q.val();
                    self.left.d.next = self.data.val() - 1;
                    self.owes_zero.d.next = self.data.val() != 0xFF;
                } else {
                    self.plain_strobe.next = true;
                    self.left.d.next = self.left.q.val() - 1;
                }
            }
        }
        if self.restart.val() | (self.strobe.val() & (self.data.val() == 0)) {
            self.started.d.next = false;
            self.left.d.next = 0.into();
            self.owes_zero.d.next = false;
        }
    }
}
