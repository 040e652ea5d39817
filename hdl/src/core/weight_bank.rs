//! One bank of weights: rows of P bits, one row read or written a clock cycle.

use crate::ram::SPRAM_MODEL;
use firmware_model::board::{self, WeightMemory};
use rust_hdl::core::ast::{Verilog, Wrapper};
use rust_hdl::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The words and bits of an SB_SPRAM256KA.
const WORDS: usize = board::SPRAM_WORDS as usize;
const BITS: usize = board::SPRAM_WIDTH as usize;

/// The rows of the two memories that make a bank in block RAM: a power of two, and what is left.
///
/// # Panics
/// If `rows` is 0.
pub fn block_ram_parts(rows: usize) -> (usize, usize) {
    let low = 1 << rows.ilog2();
    (low, rows - low)
}

/// A single-port memory: a row written or, a clock cycle after its address, read; two cycles with a register behind it.
#[derive(LogicBlock)]
pub struct WeightBank<const P: usize> {
    pub clock: Signal<In, Clock>,
    pub address: Signal<In, Bits<16>>,
    pub write_enable: Signal<In, Bit>,
    pub write_data: Signal<In, Bits<P>>,
    pub read_data: Signal<Out, Bits<P>>,
    _rows: usize,
    _memory: WeightMemory,
    _late: bool,
    _read: Bits<P>,
    _contents: BTreeMap<Bits<16>, Bits<P>>,
}

impl<const P: usize> WeightBank<P> {
    /// `late`: with a register behind the memory.
    pub fn new(rows: usize, memory: WeightMemory, late: bool) -> Self {
        WeightBank {
            clock: Default::default(),
            address: Default::default(),
            write_enable: Default::default(),
            write_data: Default::default(),
            read_data: Default::default(),
            _rows: rows,
            _memory: memory,
            _late: late,
            _read: Bits::default(),
            _contents: BTreeMap::new(),
        }
    }

    fn block_ram(&self) -> Verilog {
        let rows = self._rows;
        let mut code = format!(
            "// module weight_bank
// One bank of weights: {rows} rows of {P} bits, one row written or read a clock cycle.
"
        );
        let (low, high) = block_ram_parts(rows);
        let address_bits = rows.next_power_of_two().ilog2();
        if address_bits < 16 {
            let _ = writeln!(
                code,
                "wire unused_address = &{{1'b0, address[15:{address_bits}]}};"
            );
        }
        let part = |name: &str, rows: usize, enable: &str| {
            let address = format!("address[{}:0]", rows.next_power_of_two().ilog2() - 1);
            format!(
                "reg [{bit}:0] {name} [0:{last}];
reg [{bit}:0] {name}_data;
always @(posedge clock) begin
    if ({enable})
        {name}[{address}] <= write_data;
    {name}_data <= {name}[{address}];
end
",
                bit = P - 1,
                last = rows - 1,
            )
        };
        if high == 0 {
            code += &part("memory", low, "write_enable");
            code += &self.behind("memory_data");
        } else {
            // Two memories, each as deep as block RAMs can be, so that no more than one multiplexer follows.
            let is_high = format!("address[{}]", address_bits - 1);
            code += &part("low", low, &format!("write_enable && !{is_high}"));
            code += &part("high", high, &format!("write_enable && {is_high}"));
            code += &format!(
                "reg read_high;
always @(posedge clock) read_high <= {is_high};
"
            );
            code += &self.behind("read_high ? high_data : low_data");
        }
        Verilog::Wrapper(Wrapper {
            code,
            cores: String::new(),
        })
    }

    /// What comes behind the memory.
    fn behind(&self, row: &str) -> String {
        if self._late {
            let last = P - 1;
            format!(
                "reg [{last}:0] late;
always @(posedge clock) late <= {row};
assign read_data = late;
"
            )
        } else {
            format!("assign read_data = {row};\n")
        }
    }

    fn spram(&self) -> Verilog {
        let (deep, wide) = (self._rows.div_ceil(WORDS), P.div_ceil(BITS));
        let mut code = format!(
            "// module weight_bank
// One bank of weights: {} rows of {P} bits in {} single-port RAM tiles, {wide} wide and {deep} deep.
",
            self._rows,
            deep * wide
        );
        let high_bits = deep.ilog2();
        if high_bits == 0 {
            code += "wire unused_address = &{1'b0, address[15:14]};\n";
        } else {
            let high = format!("address[{}:14]", 13 + high_bits);
            if high_bits < 2 {
                let _ = writeln!(code, "wire unused_address = address[15];");
            }
            let _ = writeln!(code, "reg [{}:0] read_tile;", high_bits - 1);
            let _ = writeln!(code, "always @(posedge clock) read_tile <= {high};");
        }
        for d in 0..deep {
            let enable = if high_bits == 0 {
                "1'b1".into()
            } else {
                format!("address[{}:14] == {high_bits}'d{d}", 13 + high_bits)
            };
            let _ = writeln!(code, "wire [{}:0] data_{d};", wide * BITS - 1);
            for w in 0..wide {
                let (low, bits) = (w * BITS, (P - w * BITS).min(BITS));
                let padding = BITS - bits;
                let data = if padding == 0 {
                    format!("write_data[{}:{low}]", low + bits - 1)
                } else {
                    format!("{{{padding}'d0, write_data[{}:{low}]}}", low + bits - 1)
                };
                let _ = write!(
                    code,
                    "SB_SPRAM256KA tile_{d}_{w} (
    .ADDRESS(address[13:0]),
    .DATAIN({data}),
    .MASKWREN(4'b1111),
    .WREN(write_enable),
    .CHIPSELECT({enable}),
    .CLOCK(clock),
    .STANDBY(1'b0),
    .SLEEP(1'b0),
    .POWEROFF(1'b1),
    .DATAOUT(data_{d}[{}:{low}])
);
",
                    low + BITS - 1
                );
            }
            if P < wide * BITS {
                let _ = writeln!(
                    code,
                    "wire unused_data_{d} = &{{1'b0, data_{d}[{}:{P}]}};",
                    wide * BITS - 1
                );
            }
        }
        let mut chosen = format!("data_{}[{}:0]", deep - 1, P - 1);
        for d in (0..deep - 1).rev() {
            chosen = format!(
                "read_tile == {high_bits}'d{d} ? data_{d}[{}:0] : {chosen}",
                P - 1
            );
        }
        if self._late {
            let _ = writeln!(code, "reg [{}:0] late;", P - 1);
            let _ = writeln!(code, "always @(posedge clock) late <= {chosen};");
            chosen = "late".to_owned();
        }
        let _ = writeln!(code, "assign read_data = {chosen};");
        Verilog::Wrapper(Wrapper {
            code,
            cores: SPRAM_MODEL.into(),
        })
    }
}

impl<const P: usize> Logic for WeightBank<P> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            let address = self.address.val();
            if self.write_enable.val() {
                self._contents.insert(address, self.write_data.val());
            }
            let read = self._contents.get(&address).copied().unwrap_or_default();
            self.read_data.next = if self._late { self._read } else { read };
            self._read = read;
        }
    }

    fn connect(&mut self) {
        self.read_data.connect();
    }

    fn hdl(&self) -> Verilog {
        match self._memory {
            WeightMemory::Bram => self.block_ram(),
            WeightMemory::Spram => self.spram(),
        }
    }
}
