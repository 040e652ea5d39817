//! From Verilog to a bitstream with the real tools, on a design that is small enough to take seconds.
//! `make test` installs the tools first.

use firmware_model::board::Board;
use firstspike::toolchain::{BuildJob, BuildReport, Toolbox, ToolchainError};
use std::path::Path;
use std::sync::atomic::AtomicBool;

const ICE40_PLL: &str = r#"
    SB_PLL40_PAD #(.FEEDBACK_PATH("SIMPLE"), .DIVR(0), .DIVF(71), .DIVQ(5), .FILTER_RANGE(1))
        pll (.PACKAGEPIN(clk), .PLLOUTGLOBAL(clock), .RESETB(1'b1), .BYPASS(1'b0));"#;

const ECP5_PLL: &str = r#"
    EHXPLLL #(.CLKI_DIV(2), .CLKFB_DIV(7), .CLKOP_DIV(8), .CLKOP_CPHASE(3),
              .CLKOP_ENABLE("ENABLED"), .FEEDBK_PATH("CLKOP"))
        pll (.CLKI(clk), .CLKOP(clock), .CLKFB(clock), .RST(1'b0), .STDBY(1'b0));"#;

/// A counter of `bits` bits that blinks and answers on the UART what it hears, a clock later.
fn blinky(pll: &str, bits: u32) -> String {
    format!(
        "module blinky(input clk, input uart_rx, output reg uart_tx,
                       output led_armed, output led_busy, output wifi_gpio0);
            wire clock;{pll}
            reg [{top}:0] count = 0;
            always @(posedge clock) begin
                count <= count + 1;
                uart_tx <= uart_rx;
            end
            assign led_armed = count[{top}];
            assign led_busy = !count[{top}];
            assign wifi_gpio0 = 1;
        endmodule\n",
        top = bits - 1
    )
}

/// The iCEBreaker has no pin for the ULX3S's constant output.
fn icebreaker_blinky(bits: u32) -> String {
    blinky(ICE40_PLL, bits)
        .replace(", output wifi_gpio0", "")
        .replace("assign wifi_gpio0 = 1;", "")
}

fn build(board: &str, verilog: &str, out: &Path) -> Result<BuildReport, ToolchainError> {
    build_with_seed(&Board::find(board).unwrap(), verilog, out, 1)
}

fn build_with_seed(
    board: &Board,
    verilog: &str,
    out: &Path,
    seed: u32,
) -> Result<BuildReport, ToolchainError> {
    BuildJob {
        board,
        verilog,
        top: "blinky",
        core: None,
        seed,
        synthesis: None,
        out,
        progress: &|_| {},
        stop: &AtomicBool::new(false),
    }
    .run(&Toolbox::discover()?)
}

/// No folder of an unfinished build is left behind.
fn assert_no_leftovers(out: &Path) {
    for entry in std::fs::read_dir(out).unwrap() {
        let name = entry.unwrap().file_name();
        assert!(!name.to_string_lossy().starts_with('.'), "{name:?}");
    }
}

#[test]
fn an_ice40_bitstream() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("new/folder");
    let report = build("icebreaker", &icebreaker_blinky(24), &out).unwrap();
    assert!(report.timing_met);
    assert_eq!(report.clock_wanted_mhz, 27.0);
    assert!(report.clock_reached_mhz > 27.0);
    assert_eq!(report.logic_cells.available, 5280);
    assert_eq!(report.flip_flops, 25);
    assert_eq!((report.plls.used, report.sprams.available), (1, 4));
    let bits = std::fs::read(report.files.bitstream.as_ref().unwrap()).unwrap();
    // iceprog and the device both look for this synchronisation word.
    assert!(bits.windows(4).any(|word| word == [0x7E, 0xAA, 0x99, 0x7E]));
    assert_eq!(report.bitstream_bytes, Some(bits.len() as u64));

    let written = std::fs::read_to_string(&report.files.report).unwrap();
    let read_back: BuildReport = serde_json::from_str(&written).unwrap();
    assert_eq!(read_back.bitstream_sha256, report.bitstream_sha256);
    assert_no_leftovers(&out);
}

#[test]
fn an_ecp5_bitstream() {
    let folder = tempfile::tempdir().unwrap();
    let report = build("ulx3s-25f", &blinky(ECP5_PLL, 24), folder.path()).unwrap();
    assert!(report.timing_met);
    assert_eq!(report.clock_wanted_mhz, 87.5);
    assert_eq!(report.logic_cells.available, 24_288);
    assert_eq!(report.block_rams.available, 56);
    let bits = std::fs::read(report.files.bitstream.as_ref().unwrap()).unwrap();
    // The preamble of an ECP5 bitstream.
    assert!(bits.windows(4).any(|word| word == [0xFF, 0xFF, 0xBD, 0xB3]));
    // The command that has the device compare its identity code with that of the 25F.
    let verify_id = [0xE2, 0, 0, 0, 0x41, 0x11, 0x10, 0x43];
    assert!(bits.windows(8).any(|word| word == verify_id));
}

#[test]
fn the_seed_decides_the_bitstream() {
    let folder = tempfile::tempdir().unwrap();
    let board = Board::find("icebreaker").unwrap();
    let verilog = icebreaker_blinky(24);
    let sum = |seed| {
        let report = build_with_seed(&board, &verilog, folder.path(), seed).unwrap();
        report.bitstream_sha256.unwrap()
    };
    let first = sum(1);
    assert_eq!(sum(1), first);
    assert_ne!(sum(2), first);
}

/// nextpnr times the ECP5's clock from the pin file: without the PLL that is not the core's clock.
#[test]
fn a_design_at_another_clock_than_the_boards_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let verilog = blinky("assign clock = clk;", 24);
    let error = build("ulx3s-25f", &verilog, folder.path()).unwrap_err();
    assert!(
        matches!(error, ToolchainError::ClockConstraint { .. }),
        "{error}"
    );
}

#[test]
fn what_yosys_finds_wrong_is_quoted() {
    let folder = tempfile::tempdir().unwrap();
    let undriven = icebreaker_blinky(24).replace("wire clock;", "wire clock; wire nothing;");
    let undriven = undriven.replace("!count[23]", "nothing");
    let message = build("icebreaker", &undriven, folder.path())
        .unwrap_err()
        .to_string();
    assert!(message.starts_with("yosys failed: "), "{message}");
    assert!(message.contains("check -assert"), "{message}");
    assert!(message.contains("synthesis.log"), "{message}");

    let broken = icebreaker_blinky(24).replace("endmodule", "");
    let message = build("icebreaker", &broken, folder.path())
        .unwrap_err()
        .to_string();
    assert!(message.contains("syntax error"), "{message}");
    assert!(!folder.path().join("report.json").exists());
    assert_no_leftovers(folder.path());
}

#[test]
fn a_port_without_a_pin_is_quoted() {
    let folder = tempfile::tempdir().unwrap();
    let verilog = icebreaker_blinky(24).replace("input uart_rx", "input uart_rx, input button");
    let verilog = verilog.replace("<= uart_rx", "<= uart_rx ^ button");
    let message = build("icebreaker", &verilog, folder.path())
        .unwrap_err()
        .to_string();
    assert!(message.starts_with("nextpnr-ice40 failed: "), "{message}");
    assert!(message.contains("button"), "{message}");
}

#[test]
fn a_design_that_does_not_fit_is_told_with_figures() {
    let folder = tempfile::tempdir().unwrap();
    let memories = "
        wire [79:0] words;
        genvar i;
        for (i = 0; i < 5; i = i + 1) begin : memory
            SB_SPRAM256KA memory(.ADDRESS(count[13:0]), .DATAIN({16{uart_rx}}),
                .MASKWREN(4'hf), .WREN(count[14]), .CHIPSELECT(1'b1), .CLOCK(clock),
                .STANDBY(1'b0), .SLEEP(1'b0), .POWEROFF(1'b1), .DATAOUT(words[16*i +: 16]));
        end
        assign led_busy = ^words;";
    let verilog = icebreaker_blinky(24).replace("assign led_busy = !count[23];", memories);
    let error = build("icebreaker", &verilog, folder.path()).unwrap_err();
    let message = error.to_string();
    assert!(
        matches!(error, ToolchainError::TooLarge { .. }),
        "{message}"
    );
    assert!(message.contains("5 of 4 ICESTORM_SPRAM"), "{message}");
}

/// A carry chain of 200 bits takes more than the 37 ns of the iCEBreaker's clock.
#[test]
fn a_missed_clock_is_an_error_with_a_report_and_no_bitstream() {
    let folder = tempfile::tempdir().unwrap();
    build("icebreaker", &icebreaker_blinky(24), folder.path()).unwrap();
    assert!(folder.path().join("firstspike.bin").exists());
    match build("icebreaker", &icebreaker_blinky(200), folder.path()) {
        Err(ToolchainError::Timing {
            reached,
            wanted,
            report,
        }) => {
            assert!(reached < wanted);
            let text = std::fs::read_to_string(report).unwrap();
            let report: BuildReport = serde_json::from_str(&text).unwrap();
            assert!(!report.timing_met);
            assert_eq!(report.files.bitstream, None);
        }
        other => panic!("{other:?}"),
    }
    assert!(!folder.path().join("firstspike.bin").exists());
}

#[test]
fn a_build_that_is_stopped_leaves_no_results() {
    let folder = tempfile::tempdir().unwrap();
    let result = BuildJob {
        board: &Board::find("icebreaker").unwrap(),
        verilog: &icebreaker_blinky(24),
        top: "blinky",
        core: None,
        seed: 1,
        synthesis: None,
        out: folder.path(),
        progress: &|_| {},
        stop: &AtomicBool::new(true),
    }
    .run(&Toolbox::discover().unwrap());
    assert!(matches!(result, Err(ToolchainError::Interrupted)));
    assert!(!folder.path().join("report.json").exists());
    assert_no_leftovers(folder.path());
}

#[test]
fn a_top_that_is_no_module_name_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let board = Board::find("icebreaker").unwrap();
    for top in ["", "a b", "1a", "a;shell", "a-b"] {
        let result = BuildJob {
            board: &board,
            verilog: "",
            top,
            core: None,
            seed: 1,
            synthesis: None,
            out: folder.path(),
            progress: &|_| {},
            stop: &AtomicBool::new(false),
        }
        .run(&Toolbox::discover().unwrap());
        assert!(matches!(result, Err(ToolchainError::TopName(_))), "{top}");
    }
}
