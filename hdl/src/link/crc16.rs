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
