//! One of the adders' words, for the readers that take one after another.

use rust_hdl::core::ast::Verilog;
use rust_hdl::prelude::*;

/// The selected word, a clock cycle later.
///
/// Written by hand, because Yosys makes a tree of multiplexers of a part of a long word, and twice as many LUTs of a
/// chain of comparisons.
#[derive(LogicBlock)]
pub struct LaneMux<const G: usize> {
    pub clock: Signal<In, Clock>,
    pub words: [Signal<In, Bits<16>>; G],
    pub select: Signal<In, Bits<10>>,
    pub word: Signal<Out, Bits<16>>,
}

impl<const G: usize> Default for LaneMux<G> {
    fn default() -> Self {
        LaneMux {
            clock: Default::default(),
            words: std::array::from_fn(|_| Default::default()),
            select: Default::default(),
            word: Default::default(),
        }
    }
}

impl<const G: usize> Logic for LaneMux<G> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            let select = self.select.val().index() % G;
            self.word.next = self.words[select].val();
        }
    }

    fn connect(&mut self) {
        self.word.connect();
    }

    fn hdl(&self) -> Verilog {
        let words: Vec<String> = (0..G).rev().map(|i| format!("words_{i}")).collect();
        let top = G.ilog2() - 1;
        Verilog::Custom(format!(
            "// module lane_mux
// The selected word, a clock cycle later.
wire [{last}:0] all = {{{words}}};
wire unused_select = &{{1'b0, select[9:{bits}]}};
always @(posedge clock)
    word <= all[{{select[{top}:0], 4'd0}} +: 16];
",
            last = 16 * G - 1,
            words = words.join(", "),
            bits = top + 1,
        ))
    }
}
