//! One of the adders' words, for the readers that take one after another.

use rust_hdl::core::ast::Verilog;
use rust_hdl::prelude::*;

/// The words among which a first stage chooses.
const PART: usize = 16;

/// The selected word, a clock cycle later; or two cycles, with a register in each of two stages, where the words come from
/// far apart.
///
/// Written by hand, because Yosys makes a tree of multiplexers of a part of a long word, and twice as many LUTs of a
/// chain of comparisons.
#[derive(LogicBlock)]
pub struct LaneMux<const G: usize> {
    pub clock: Signal<In, Clock>,
    pub words: [Signal<In, Bits<16>>; G],
    pub select: Signal<In, Bits<10>>,
    pub word: Signal<Out, Bits<16>>,
    _two_stages: bool,
    /// The word of the first stage.
    _chosen: Bits<16>,
}

impl<const G: usize> LaneMux<G> {
    /// With `in_two_stages` there must be more than 16 words.
    pub fn new(in_two_stages: bool) -> Self {
        assert!(!in_two_stages || G > PART);
        LaneMux {
            clock: Default::default(),
            words: std::array::from_fn(|_| Default::default()),
            select: Default::default(),
            word: Default::default(),
            _two_stages: in_two_stages,
            _chosen: Default::default(),
        }
    }

    /// The words `from` to `to`, the last one first.
    fn list(from: usize, to: usize) -> String {
        let words: Vec<String> = (from..to).rev().map(|i| format!("words_{i}")).collect();
        words.join(", ")
    }

    fn one_stage(&self) -> String {
        format!(
            "wire [{last}:0] all = {{{words}}};
always @(posedge clock)
    word <= all[{{select[{top}:0], 4'd0}} +: 16];
",
            last = 16 * G - 1,
            words = Self::list(0, G),
            top = G.ilog2() - 1,
        )
    }

    fn two_stages(&self) -> String {
        let parts = 0..G / PART;
        let wires: String = (parts.clone())
            .map(|part| {
                let words = Self::list(part * PART, (part + 1) * PART);
                format!("wire [{}:0] part_{part} = {{{words}}};\n", 16 * PART - 1)
            })
            .collect();
        let chosen: String = parts
            .map(|part| {
                let (high, low) = (16 * part + 15, 16 * part);
                format!("    chosen[{high}:{low}] <= part_{part}[{{select[3:0], 4'd0}} +: 16];\n")
            })
            .collect();
        format!(
            "{wires}reg [{last}:0] chosen;
reg [{top}:0] part;
always @(posedge clock) begin
{chosen}    part <= select[{high}:4];
    word <= chosen[{{part, 4'd0}} +: 16];
end
",
            last = G - 1,
            top = G.ilog2() - 5,
            high = G.ilog2() - 1,
        )
    }
}

impl<const G: usize> Logic for LaneMux<G> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            let select = self.select.val().index() % G;
            let selected = self.words[select].val();
            self.word.next = if self._two_stages {
                self._chosen
            } else {
                selected
            };
            self._chosen = selected;
        }
    }

    fn connect(&mut self) {
        self.word.connect();
    }

    fn timing(&self) -> Vec<TimingInfo> {
        crate::ram::registered("lane_mux", &["words", "select"], &["word"])
    }

    fn hdl(&self) -> Verilog {
        Verilog::Custom(format!(
            "// module lane_mux
// The selected word.
wire unused_select = &{{1'b0, select[9:{bits}]}};
{stages}",
            bits = G.ilog2(),
            stages = if self._two_stages {
                self.two_stages()
            } else {
                self.one_stage()
            },
        ))
    }
}
