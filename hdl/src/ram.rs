//! Memories: [`SyncRam`], which synthesis maps to block RAM, and [`Spram`], the large memories of iCE40 UltraPlus.

use rust_hdl::prelude::*;

/// A memory with one write port and one read port on one clock.
///
/// `read_data` is the word at `read_address` of the cycle before. Reading the word that is written in the same cycle
/// gives its old value: there is no bypass. Block RAM does not promise that, so synthesis adds registers, a comparator
/// and a multiplexer (29 LUTs and 42 registers for 256 words of 16 bits on iCE40); [`SyncRam::without_collisions`] does
/// without. What it holds at power-up is 0 where the bitstream fills block RAM (iCE40
/// and ECP5) and in simulation. Words at or beyond the depth do not exist: writing there does nothing, and what is read
/// there is undefined (0 in the Rust simulation).
///
/// - `W`: width of the data ports. `stored_bits` of them are stored; the others read as 0.
/// - `A`: width of the addresses.
#[derive(LogicBlock)]
pub struct SyncRam<const W: usize, const A: usize> {
    /// Clock of both ports.
    pub clock: Signal<In, Clock>,
    /// Writes `write_data` at the clock edge.
    pub write_enable: Signal<In, Bit>,
    /// Word to write.
    pub write_address: Signal<In, Bits<A>>,
    /// What to write.
    pub write_data: Signal<In, Bits<W>>,
    /// Word to read.
    pub read_address: Signal<In, Bits<A>>,
    /// The word read at the last clock edge.
    pub read_data: Signal<Out, Bits<W>>,
    _words: Vec<Bits<W>>,
    _stored_bits: usize,
    _style: Option<String>,
    _collisions: bool,
}

impl<const W: usize, const A: usize> SyncRam<W, A> {
    /// A memory of `depth` words of `stored_bits` each.
    ///
    /// # Panics
    /// If `depth` is not 2 to 2^A, or `stored_bits` not 1 to W.
    pub fn new(depth: usize, stored_bits: usize) -> Self {
        assert!(
            (2..=1 << A).contains(&depth),
            "depth {depth} is not 2 to 2^{A}"
        );
        assert!(
            (1..=W).contains(&stored_bits),
            "{stored_bits} stored bits are not 1 to {W}"
        );
        Self {
            clock: Default::default(),
            write_enable: Default::default(),
            write_address: Default::default(),
            write_data: Default::default(),
            read_address: Default::default(),
            read_data: Default::default(),
            _words: vec![0.into(); depth],
            _stored_bits: stored_bits,
            _style: None,
            _collisions: true,
        }
    }

    /// Asks for a kind of memory, as Yosys names them in its `ram_style` attribute: "block" or "distributed".
    pub fn with_style(mut self, style: &str) -> Self {
        self._style = Some(style.to_string());
        self
    }

    /// For a circuit that never uses a word read in the cycle in which it was written: such a word is undefined, and
    /// the memory is block RAM and nothing else. The simulations, in Rust and of the Verilog, give the complement of its
    /// old value, so that a circuit that does use it fails its tests.
    pub fn without_collisions(mut self) -> Self {
        self._collisions = false;
        self
    }

    /// Words.
    pub fn depth(&self) -> usize {
        self._words.len()
    }
}

impl<const W: usize, const A: usize> Default for SyncRam<W, A> {
    /// All words that the address reaches, all bits stored.
    fn default() -> Self {
        Self::new(1 << A, W)
    }
}

impl<const W: usize, const A: usize> Logic for SyncRam<W, A> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            let read = self._words.get(self.read_address.val().index());
            let mut word = read.copied().unwrap_or_default();
            let unstored = (W - self._stored_bits) as LiteralType;
            if self.write_enable.val() {
                if !self._collisions && self.write_address.val() == self.read_address.val() {
                    word = (!word << unstored) >> unstored;
                }
                let stored = (self.write_data.val() << unstored) >> unstored;
                if let Some(word) = self._words.get_mut(self.write_address.val().index()) {
                    *word = stored;
                }
            }
            self.read_data.next = word;
        }
    }

    fn connect(&mut self) {
        self.read_data.connect();
    }

    fn timing(&self) -> Vec<TimingInfo> {
        registered(
            "ram",
            &[
                "write_enable",
                "write_address",
                "write_data",
                "read_address",
            ],
            &["read_data"],
        )
    }

    fn hdl(&self) -> Verilog {
        let (depth, stored) = (self.depth(), self._stored_bits);
        let address_bits = clog2(depth);
        let address = |name: &str| match address_bits {
            n if n == A => name.to_string(),
            1 => format!("{name}[0]"),
            n => format!("{name}[{}:0]", n - 1),
        };
        let (data, padding) = match W - stored {
            0 => ("write_data".to_string(), None),
            unstored if stored == 1 => ("write_data[0]".into(), Some(unstored)),
            unstored => (format!("write_data[{}:0]", stored - 1), Some(unstored)),
        };
        let range = match stored {
            1 => String::new(),
            _ => format!("[{}:0] ", stored - 1),
        };
        let mut attributes = vec![];
        if let Some(style) = &self._style {
            attributes.push(format!("ram_style = \"{style}\""));
        }
        if !self._collisions {
            attributes.push("no_rw_check".to_string());
        }
        let attributes = match attributes.as_slice() {
            [] => String::new(),
            all => format!("(* {} *)\n", all.join(", ")),
        };
        let (read_at, write_at) = (address("read_address"), address("write_address"));
        // Without the promise of the old value, simulation goes wrong where the hardware may.
        let (collision_doc, collision) = match self._collisions {
            true => ("gives its old value", String::new()),
            false => (
                "gives no defined value",
                format!(
                    "\
`ifndef SYNTHESIS
    if (write_enable && {write_at} == {read_at}) begin
        word <= ~memory[{read_at}];
    end
`endif
"
                ),
            ),
        };
        let read = match padding {
            Some(unstored) => format!("{{{unstored}'d0, word}}"),
            None => "word".to_string(),
        };
        let mut unused = vec![];
        if address_bits < A {
            unused.push(format!("write_address[{}:{address_bits}]", A - 1));
            unused.push(format!("read_address[{}:{address_bits}]", A - 1));
        }
        if padding.is_some() {
            unused.push(format!("write_data[{}:{stored}]", W - 1));
        }
        Verilog::Wrapper(Wrapper {
            code: format!(
                "\
// module ram_{depth}x{stored}
// {depth} words of {stored} bits: one write port, one read port that answers in the next cycle.
// Reading the word that is written in the same cycle {collision_doc}.
{attributes}reg {range}memory [0:{last}];
reg {range}word;

assign read_data = {read};

always @(posedge clock) begin
    word <= memory[{read_at}];
{collision}    if (write_enable) begin
        memory[{write_at}] <= {data};
    end
end
{unused}",
                last = depth - 1,
                unused = unused_wire(&unused),
            ),
            cores: String::new(),
        })
    }
}

/// What a block of hand-written Verilog says of outputs that only change with `clock`: nothing reaches them without a
/// register between.
pub(crate) fn registered(name: &str, inputs: &[&str], outputs: &[&str]) -> Vec<TimingInfo> {
    let names = |all: &[&str]| all.iter().map(|name| name.to_string()).collect();
    vec![TimingInfo {
        name: name.to_string(),
        clock: "clock".into(),
        inputs: names(inputs),
        outputs: names(outputs),
    }]
}

/// Takes the bits that a module does not read; nothing if there are none.
fn unused_wire(bits: &[String]) -> String {
    match bits {
        [] => String::new(),
        _ => format!(
            "\n// Nothing reads these.\nwire _unused = &{{1'b0, {}}};\n",
            bits.join(", ")
        ),
    }
}

/// Words of one iCE40 UltraPlus SPRAM.
pub const SPRAM_WORDS: usize = 1 << 14;

/// Bits of a word of one iCE40 UltraPlus SPRAM.
pub const SPRAM_BITS: usize = 16;

/// Single-port memory of iCE40 UltraPlus SPRAMs (`SB_SPRAM256KA`), `W / 16` side by side and several deep.
///
/// `read_data` is the word at `address` of the cycle before. In the cycle after a write it is undefined (the simulations
/// keep the value before). What the memory holds at power-up is unknown, and the bitstream cannot set it; simulations
/// begin with 0. Words beyond the depth do not exist.
///
/// - `W`: width of the data, a multiple of 16.
#[derive(LogicBlock)]
pub struct Spram<const W: usize> {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// Writes `write_data` at the clock edge, instead of reading.
    pub write_enable: Signal<In, Bit>,
    /// Word to read or write.
    pub address: Signal<In, Bits<16>>,
    /// What to write.
    pub write_data: Signal<In, Bits<W>>,
    /// The word read at the last clock edge.
    pub read_data: Signal<Out, Bits<W>>,
    _words: Vec<Bits<W>>,
}

impl<const W: usize> Spram<W> {
    /// A memory of `deep` times 16,384 words.
    ///
    /// # Panics
    /// If W is not a multiple of 16, or `deep` not 1 to 4.
    pub fn new(deep: usize) -> Self {
        assert!(
            W > 0 && W.is_multiple_of(SPRAM_BITS),
            "{W} bits are no multiple of {SPRAM_BITS}"
        );
        assert!((1..=4).contains(&deep), "{deep} SPRAMs deep is not 1 to 4");
        Self {
            clock: Default::default(),
            write_enable: Default::default(),
            address: Default::default(),
            write_data: Default::default(),
            read_data: Default::default(),
            _words: vec![0.into(); deep * SPRAM_WORDS],
        }
    }
}

impl<const W: usize> Default for Spram<W> {
    /// One SPRAM deep.
    fn default() -> Self {
        Self::new(1)
    }
}

impl<const W: usize> Logic for Spram<W> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            let data = self.write_data.val();
            match self._words.get_mut(self.address.val().index()) {
                Some(word) if self.write_enable.val() => *word = data,
                Some(word) => self.read_data.next = *word,
                None => {}
            }
        }
    }

    fn connect(&mut self) {
        self.read_data.connect();
    }

    fn timing(&self) -> Vec<TimingInfo> {
        registered(
            "spram",
            &["write_enable", "address", "write_data"],
            &["read_data"],
        )
    }

    fn hdl(&self) -> Verilog {
        let deep = self._words.len() / SPRAM_WORDS;
        let select_bits = clog2(deep);
        let (last, top) = (W - 1, 13 + select_bits);
        let mut code = format!(
            "\
// module spram_{words}x{W}
// {words} words of {W} bits in SPRAM: one port that answers in the next cycle. After a write, the data read is undefined.
",
            words = self._words.len(),
        );
        let select = match select_bits {
            0 => None,
            1 => Some("address[14]".to_string()),
            _ => Some(format!("address[{top}:14]")),
        };
        if let Some(select) = &select {
            let range = if select_bits == 1 { "" } else { "[1:0] " };
            code.push_str(&format!(
                "reg {range}read_bank;\n\nalways @(posedge clock) begin\n    read_bank <= {select};\nend\n\n"
            ));
        }
        for bank in 0..deep {
            code.push_str(&format!("wire [{last}:0] bank_{bank};\n"));
        }
        // The last bank takes the addresses that are left.
        let mut read = format!("bank_{}", deep - 1);
        for bank in (0..deep - 1).rev() {
            read = format!("read_bank == {select_bits}'d{bank} ? bank_{bank} : {read}");
        }
        code.push_str(&format!("\nassign read_data = {read};\n"));
        for bank in 0..deep {
            let selected = match &select {
                None => "1'b1".to_string(),
                Some(select) => format!("{select} == {select_bits}'d{bank}"),
            };
            for column in 0..W / SPRAM_BITS {
                let (high, low) = (column * SPRAM_BITS + 15, column * SPRAM_BITS);
                code.push_str(&format!(
                    "
SB_SPRAM256KA bank_{bank}_column_{column} (
    .ADDRESS(address[13:0]),
    .DATAIN(write_data[{high}:{low}]),
    .MASKWREN(4'b1111),
    .WREN(write_enable),
    .CHIPSELECT({selected}),
    .CLOCK(clock),
    .STANDBY(1'b0),
    .SLEEP(1'b0),
    .POWEROFF(1'b1),
    .DATAOUT(bank_{bank}[{high}:{low}])
);
"
                ));
            }
        }
        if top < 15 {
            let bits = match top {
                14 => "address[15]".to_string(),
                _ => format!("address[15:{}]", top + 1),
            };
            code.push_str(&unused_wire(&[bits]));
        }
        Verilog::Wrapper(Wrapper {
            code,
            cores: SPRAM_MODEL.to_string(),
        })
    }
}

/// What simulators take for the vendor's cell; synthesis has the real one.
pub(crate) const SPRAM_MODEL: &str = "\
`ifndef SYNTHESIS
// Simulation model of the single-port RAM of iCE40 UltraPlus.
module SB_SPRAM256KA (
    input  wire [13:0] ADDRESS,
    input  wire [15:0] DATAIN,
    input  wire  [3:0] MASKWREN,
    input  wire        WREN,
    input  wire        CHIPSELECT,
    input  wire        CLOCK,
    input  wire        STANDBY,
    input  wire        SLEEP,
    input  wire        POWEROFF,
    output reg  [15:0] DATAOUT
);
    reg [15:0] memory [0:16383];

    wire        active = CHIPSELECT && !STANDBY && !SLEEP && POWEROFF;
    wire [15:0] mask = {{4{MASKWREN[3]}}, {4{MASKWREN[2]}}, {4{MASKWREN[1]}}, {4{MASKWREN[0]}}};

    always @(posedge CLOCK) begin
        if (active && WREN) begin
            memory[ADDRESS] <= (memory[ADDRESS] & ~mask) | (DATAIN & mask);
        end else if (active) begin
            DATAOUT <= memory[ADDRESS];
        end
    end
endmodule
`endif
";
