//! One byte of a row of weights, for reading back.

use rust_hdl::core::ast::Verilog;
use rust_hdl::prelude::*;

/// The selected byte, a clock cycle later.
///
/// Written by hand for the same reason as [`super::lane_mux::LaneMux`].
#[derive(LogicBlock)]
pub struct ByteMux<const P: usize> {
    pub clock: Signal<In, Clock>,
    pub row: Signal<In, Bits<P>>,
    pub select: Signal<In, Bits<6>>,
    pub chosen: Signal<Out, Bits<8>>,
}

impl<const P: usize> Default for ByteMux<P> {
    fn default() -> Self {
        ByteMux {
            clock: Default::default(),
            row: Default::default(),
            select: Default::default(),
            chosen: Default::default(),
        }
    }
}

impl<const P: usize> Logic for ByteMux<P> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            let select = self.select.val().index() % (P / 8);
            let mut byte = Bits::<8>::default();
            for i in 0..8 {
                byte = byte.replace_bit(i, self.row.val().get_bit(8 * select + i));
            }
            self.chosen.next = byte;
        }
    }

    fn connect(&mut self) {
        self.chosen.connect();
    }

    fn hdl(&self) -> Verilog {
        let bits = (P / 8).ilog2();
        let unused = match bits {
            6 => String::new(),
            _ => format!("wire unused_select = &{{1'b0, select[5:{bits}]}};\n"),
        };
        let part = match bits {
            0 => "row".to_owned(),
            _ => format!("row[{{select[{}:0], 3'd0}} +: 8]", bits - 1),
        };
        Verilog::Custom(format!(
            "// module byte_mux
// The selected byte of a row, a clock cycle later.
{unused}always @(posedge clock)
    chosen <= {part};
"
        ))
    }
}
