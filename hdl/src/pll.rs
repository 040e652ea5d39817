//! The clock of the core from that of the board, and when it can be trusted: the vendors' PLLs, wrapped once.

use firmware_model::board::{Clock as BoardClock, Ecp5Pll, Ice40Pll, Pll};
use rust_hdl::core::ast::{Verilog, Wrapper};
use rust_hdl::prelude::*;

/// A board's PLL, or a wire where it has none. In simulation always a wire, so that the virtual board
/// is clocked at the core's rate.
#[derive(LogicBlock)]
pub struct ClockSource {
    pub oscillator: Signal<In, Clock>,
    pub clock: Signal<Out, Clock>,
    /// The clock is what it should be: false from power-up until the PLL has locked, and while it has lost its lock.
    /// In step with `clock`.
    pub locked: Signal<Out, Bit>,
    _settings: BoardClock,
}

impl ClockSource {
    pub fn new(settings: &BoardClock) -> Self {
        ClockSource {
            oscillator: Default::default(),
            clock: Default::default(),
            locked: Default::default(),
            _settings: settings.clone(),
        }
    }
}

/// The vendors' LOCK knows no clock: two flip-flops against metastability, and two more so that a lock that comes and
/// goes is none. They start at 0.
const LOCKED: &str = "wire lock;
reg [3:0] lock_seen = 4'd0;

always @(posedge clock) lock_seen <= {lock_seen[2:0], lock};
assign locked = &lock_seen[3:1];
";

/// `cell` is SB_PLL40_PAD or SB_PLL40_CORE, which differ in the name of their input.
fn ice40(cell: &str, input: &str, settings: Ice40Pll) -> String {
    let Ice40Pll {
        divr,
        divf,
        divq,
        filter_range,
    } = settings;
    format!(
        "{LOCKED}
{cell} #(
    .FEEDBACK_PATH(\"SIMPLE\"),
    .DIVR(4'd{divr}),
    .DIVF(7'd{divf}),
    .DIVQ(3'd{divq}),
    .FILTER_RANGE(3'd{filter_range})
) pll (
    .{input}(oscillator),
    .RESETB(1'b1),
    .BYPASS(1'b0),
    .PLLOUTCORE(),
    .PLLOUTGLOBAL(clock),
    .LOCK(lock)
);
"
    )
}

/// The core's clock is CLKOP, or CLKOS where that has a divider of its own: CLKOP then is the feedback alone.
fn ecp5(settings: Ecp5Pll) -> String {
    let Ecp5Pll {
        clki_div,
        clkfb_div,
        clkop_div,
        clkop_cphase,
        clkos_div,
    } = settings;
    let (feedback, parameters, output) = match clkos_div {
        None => ("clock", String::new(), ""),
        Some(divider) => (
            "feedback",
            format!(
                "\n    .CLKOS_ENABLE(\"ENABLED\"),\n    .CLKOS_DIV({divider}),\n    .CLKOS_CPHASE({clkop_cphase}),\n    .CLKOS_FPHASE(0),"
            ),
            "\n    .CLKOS(clock),",
        ),
    };
    let wire = if clkos_div.is_some() {
        "wire feedback;\n"
    } else {
        ""
    };
    format!(
        "{LOCKED}
{wire}(* ICP_CURRENT = \"12\", LPF_RESISTOR = \"8\", MFG_ENABLE_FILTEROPAMP = \"1\", MFG_GMCREF_SEL = \"2\" *)
EHXPLLL #(
    .PLLRST_ENA(\"DISABLED\"),
    .INTFB_WAKE(\"DISABLED\"),
    .STDBY_ENABLE(\"DISABLED\"),
    .DPHASE_SOURCE(\"DISABLED\"),
    .OUTDIVIDER_MUXA(\"DIVA\"),
    .OUTDIVIDER_MUXB(\"DIVB\"),
    .OUTDIVIDER_MUXC(\"DIVC\"),
    .OUTDIVIDER_MUXD(\"DIVD\"),
    .CLKI_DIV({clki_div}),
    .CLKOP_ENABLE(\"ENABLED\"),
    .CLKOP_DIV({clkop_div}),
    .CLKOP_CPHASE({clkop_cphase}),
    .CLKOP_FPHASE(0),{parameters}
    .FEEDBK_PATH(\"CLKOP\"),
    .CLKFB_DIV({clkfb_div})
) pll (
    .CLKI(oscillator),
    .CLKFB({feedback}),
    .CLKOP({feedback}),{output}
    .RST(1'b0),
    .STDBY(1'b0),
    .PHASESEL0(1'b0),
    .PHASESEL1(1'b0),
    .PHASEDIR(1'b1),
    .PHASESTEP(1'b1),
    .PHASELOADREG(1'b1),
    .PLLWAKESYNC(1'b0),
    .ENCLKOP(1'b0),
    .LOCK(lock)
);
"
    )
}

impl Logic for ClockSource {
    fn update(&mut self) {
        self.clock.next = self.oscillator.val();
        self.locked.next = true;
    }

    fn connect(&mut self) {
        self.clock.connect();
        self.locked.connect();
    }

    fn hdl(&self) -> Verilog {
        let clock = &self._settings;
        let (vendor, about) = match clock.pll {
            None => (String::new(), "The core runs at the board's clock.".to_owned()),
            Some(pll) => (
                match pll {
                    Pll::Ice40Pad(settings) => ice40("SB_PLL40_PAD", "PACKAGEPIN", settings),
                    Pll::Ice40Core(settings) => ice40("SB_PLL40_CORE", "REFERENCECLK", settings),
                    Pll::Ecp5(settings) => ecp5(settings),
                },
                format!(
                    "{:.3} MHz from the board's {:.3} MHz. In simulation a wire: simulate at the core's rate.",
                    f64::from(clock.core_hz) / 1e6,
                    f64::from(clock.input_hz) / 1e6,
                ),
            ),
        };
        let wire = "assign clock = oscillator;\nassign locked = 1'b1;\n";
        let body = if vendor.is_empty() {
            wire.to_owned()
        } else {
            format!("`ifdef SYNTHESIS\n{vendor}`else\n{wire}`endif\n")
        };
        Verilog::Wrapper(Wrapper {
            code: format!("// module clock_source\n// {about}\n{body}"),
            cores: String::new(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use firmware_model::board::Board;

    fn verilog(board: &str) -> String {
        let source = ClockSource::new(&Board::find(board).unwrap().clock);
        match source.hdl() {
            Verilog::Wrapper(wrapper) => wrapper.code,
            _ => panic!("not a wrapper"),
        }
    }

    #[test]
    fn each_kind_of_pll_gets_the_oscillator() {
        let cases = [
            (
                "icebreaker",
                "SB_PLL40_PAD",
                ".PACKAGEPIN(oscillator)",
                ".DIVF(7'd71)",
            ),
            (
                "upduino3",
                "SB_PLL40_CORE",
                ".REFERENCECLK(oscillator)",
                ".DIVF(7'd71)",
            ),
            ("ecp5-evn", "EHXPLLL", ".CLKI(oscillator)", ".CLKFB_DIV(5)"),
            ("ecp5-evn", ".CLKFB(clock)", ".CLKOP(clock)", ".LOCK(lock)"),
            ("ulx3s-25f", "EHXPLLL", ".CLKOP(feedback)", ".CLKFB_DIV(7)"),
            (
                "ulx3s-25f",
                ".CLKFB(feedback)",
                ".CLKOS(clock)",
                ".CLKOS_DIV(8)",
            ),
        ];
        for (board, cell, input, setting) in cases {
            let code = verilog(board);
            for expected in [cell, input, setting] {
                assert!(code.contains(expected), "{board}: {expected} in {code}");
            }
        }
    }

    /// Who holds the device back until the clock is right is the vendor's LOCK; where there is no PLL, nobody.
    #[test]
    fn the_clock_counts_as_locked_when_the_pll_says_so() {
        for board in Board::built_in() {
            let code = verilog(&board.name);
            let (real, simulated) = match code.split_once("`else") {
                Some(halves) => halves,
                None => ("", code.as_str()),
            };
            assert!(simulated.contains("assign locked = 1'b1;"), "{code}");
            assert_eq!(real.is_empty(), board.clock.pll.is_none(), "{code}");
            if !real.is_empty() {
                assert!(real.contains(".LOCK(lock)"), "{code}");
                assert!(real.contains("assign locked = &lock_seen"), "{code}");
            }
        }
    }
}
