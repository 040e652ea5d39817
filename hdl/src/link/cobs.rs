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

#[cfg(test)]
mod tests {
    use super::*;

    /// What the decoder makes of the wire's bytes: the frames, and whether each was cut.
    fn decode(uut: &mut CobsDecoder, wire: &[u8]) -> Vec<(Vec<u8>, bool)> {
        let mut frames = vec![];
        let mut plain = vec![];
        for &byte in wire {
            uut.strobe.next = true;
            uut.data.next = u64::from(byte).into();
            assert!(simulate(uut, 10));
            if uut.begins.val() {
                plain.clear();
            }
            if uut.plain_strobe.val() {
                plain.push(uut.plain.val().to_u8());
            }
            if uut.ends.val() {
                frames.push((plain.clone(), uut.cut.val()));
            }
            for strobe in [false, false] {
                uut.clock.next = !uut.clock.val();
                assert!(simulate(uut, 10));
                uut.strobe.next = strobe;
            }
        }
        frames
    }

    #[test]
    fn undoes_what_the_crate_does() {
        let mut uut = CobsDecoder::default();
        uut.connect_all();
        for length in 0..520usize {
            for every in [1, 2, 3, 100, 254, 255, 600] {
                let bytes: Vec<u8> = (1..=length)
                    .map(|at| if at % every == 0 { 0 } else { at as u8 | 1 })
                    .collect();
                let mut wire = vec![0];
                wire.extend(cobs::encode_vec(&bytes));
                wire.push(0);
                let expected = if wire.len() == 2 {
                    vec![]
                } else {
                    vec![(bytes, false)]
                };
                assert_eq!(decode(&mut uut, &wire), expected);
            }
        }
    }

    #[test]
    fn a_block_that_is_cut_is_told_and_a_restart_forgets() {
        let mut uut = CobsDecoder::default();
        uut.connect_all();
        assert_eq!(decode(&mut uut, &[4, 1, 2, 0]), [(vec![1, 2], true)]);
        assert_eq!(decode(&mut uut, &[3, 1, 2, 0]), [(vec![1, 2], false)]);
        assert_eq!(decode(&mut uut, &[2, 1, 9, 8]), []);
        assert!(uut.receiving.val());
        uut.restart.next = true;
        for _ in 0..2 {
            uut.clock.next = !uut.clock.val();
            assert!(simulate(&mut uut, 10));
        }
        uut.restart.next = false;
        assert!(!uut.receiving.val());
        assert_eq!(decode(&mut uut, &[3, 1, 2, 0]), [(vec![1, 2], false)]);
    }
}
