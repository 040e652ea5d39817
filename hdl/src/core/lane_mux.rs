//! One of the adders' words, for the readers that take one after another.

use crate::comment;
use rust_hdl::prelude::*;

/// The selected word, a clock cycle later.
#[derive(LogicBlock)]
pub struct LaneMux<const P: usize> {
    pub clock: Signal<In, Clock>,
    pub words: [Signal<In, Bits<16>>; P],
    pub select: Signal<In, Bits<10>>,
    pub word: Signal<Out, Bits<16>>,
    chosen: DFF<Bits<16>>,
}

impl<const P: usize> Default for LaneMux<P> {
    fn default() -> Self {
        LaneMux {
            clock: Default::default(),
            words: std::array::from_fn(|_| Default::default()),
            select: Default::default(),
            word: Default::default(),
            chosen: Default::default(),
        }
    }
}

impl<const P: usize> Logic for LaneMux<P> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module lane_mux");
        comment!("The selected word, a clock cycle later.");
        self.chosen.clock.next = self.clock.val();
        self.chosen.d.next = 0.into();
        for i in 0..P {
            if self.select.val() == i.to_bits::<10>() {
                self.chosen.d.next = self.words[i].val();
            }
        }
        self.word.next = self.chosen.q.val();
    }
}
