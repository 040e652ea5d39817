//! Words as bytes.

use crate::comment;
use rust_hdl::prelude::*;

/// Gives one byte of a word, the lowest first.
#[derive(LogicBlock, Default)]
pub struct BytePick {
    pub word: Signal<In, Bits<32>>,
    pub place: Signal<In, Bits<2>>,
    pub data: Signal<Out, Bits<8>>,
}

impl Logic for BytePick {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module byte_pick");
        comment!("One byte of a word, the lowest first.");
        if self.place.val().get_bit(1) {
            self.data.next = self.word.val().get_bits::<8>(16);
            if self.place.val().get_bit(0) {
                self.data.next = self.word.val().get_bits::<8>(24);
            }
        } else {
            self.data.next = self.word.val().get_bits::<8>(0);
            if self.place.val().get_bit(0) {
                self.data.next = self.word.val().get_bits::<8>(8);
            }
        }
    }
}
