//! The frames' check.

use crate::comment;
use rust_hdl::prelude::*;

/// CRC-16/GENIBUS (poly 0x1021, start 0xFFFF, inverted at the end), one byte a clock.
#[derive(LogicBlock, Default)]
pub struct Crc16 {
    pub clock: Signal<In, Clock>,
    /// Start again; goes before `strobe`.
    pub clear: Signal<In, Bit>,
    /// Take `data` in.
    pub strobe: Signal<In, Bit>,
    pub data: Signal<In, Bits<8>>,
    /// The check of what was taken in.
    pub value: Signal<Out, Bits<16>>,
    /// What was taken in ended with its own check, high byte first.
    pub is_right: Signal<Out, Bit>,
    state: DFF<Bits<16>>,
    high: Signal<Local, Bits<8>>,
    folded: Signal<Local, Bits<8>>,
    wide: Signal<Local, Bits<16>>,
}

impl Logic for Crc16 {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module crc16");
        comment!("CRC-16/GENIBUS, eight steps of x^16 + x^12 + x^5 + 1 at once.");
        dff_setup!(self, clock, state);
        self.high.next = self.state.q.val().get_bits::<8>(8) ^ self.data.val();
        self.folded.next = self.high.val() ^ (self.high.val() >> 4);
        self.wide.next = bit_cast::<16, 8>(self.folded.val());
        if self.strobe.val() {
            self.state.d.next = (self.state.q.val() << 8)
                ^ (self.wide.val() << 12)
                ^ (self.wide.val() << 5)
                ^ self.wide.val();
        }
        if self.clear.val() {
            self.state.d.next = 0xFFFF.into();
        }
        self.value.next = !self.state.q.val();
        comment!("Of all bytes and their inverted check this is what remains.");
        self.is_right.next = self.state.q.val() == 0x1D0F;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crc::{Crc, CRC_16_GENIBUS};

    fn clock(uut: &mut Crc16, clear: bool, byte: Option<u8>) {
        uut.clear.next = clear;
        uut.strobe.next = byte.is_some();
        uut.data.next = u64::from(byte.unwrap_or(0x5A)).into();
        for _ in 0..2 {
            uut.clock.next = !uut.clock.val();
            assert!(simulate(uut, 10));
        }
    }

    #[test]
    fn equals_the_crate_and_knows_its_own_check() {
        let mut uut = Crc16::default();
        uut.connect_all();
        for length in 0..300usize {
            let bytes: Vec<u8> = (0..length).map(|at| (at * at + length) as u8).collect();
            clock(&mut uut, true, Some(9));
            for &byte in &bytes {
                clock(&mut uut, false, Some(byte));
                clock(&mut uut, false, None);
            }
            let check = Crc::<u16>::new(&CRC_16_GENIBUS).checksum(&bytes);
            assert_eq!(uut.value.val(), u64::from(check));
            for byte in check.to_be_bytes() {
                assert!(!uut.is_right.val());
                clock(&mut uut, false, Some(byte));
            }
            assert!(uut.is_right.val());
            // A zero more is wrong.
            clock(&mut uut, false, Some(0));
            assert!(!uut.is_right.val());
        }
    }
}
