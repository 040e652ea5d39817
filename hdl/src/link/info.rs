//! What INFO says that never changes.

use rust_hdl::prelude::*;

/// The constant bytes of INFO's reply, by their place in the reply.
#[derive(LogicBlock)]
pub struct InfoBytes {
    pub place: Signal<In, Bits<6>>,
    /// Zero where there is no constant.
    pub data: Signal<Out, Bits<8>>,
    _bytes: Vec<u8>,
}

impl InfoBytes {
    /// The place of the first byte.
    pub const FIRST: u64 = 4;

    pub fn new(bytes: Vec<u8>) -> Self {
        InfoBytes {
            place: Default::default(),
            data: Default::default(),
            _bytes: bytes,
        }
    }
}

impl Logic for InfoBytes {
    fn update(&mut self) {
        let byte = (self.place.val().to_u64().checked_sub(Self::FIRST))
            .and_then(|at| self._bytes.get(at as usize));
        self.data.next = u64::from(byte.copied().unwrap_or(0)).into();
    }

    fn connect(&mut self) {
        self.data.connect();
    }

    fn hdl(&self) -> Verilog {
        let cases: String = (self._bytes.iter().zip(Self::FIRST..))
            .map(|(byte, place)| format!("        6'd{place}: byte_at = 8'h{byte:02x};\n"))
            .collect();
        Verilog::Wrapper(Wrapper {
            code: format!(
                "\
// module info_bytes
// What INFO's reply says that never changes, by place in the reply.
function [7:0] byte_at;
    input [5:0] at;
    case (at)
{cases}        default: byte_at = 8'h00;
    endcase
endfunction

assign data = byte_at(place);
"
            ),
            cores: String::new(),
        })
    }
}
