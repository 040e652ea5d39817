//! What a design takes and reaches, with the real tools, on one that is small enough to take seconds.
//! `make test` installs the tools first.

use firmware_model::board::Board;
use firstspike::toolchain::{BuildJob, Netlist, Toolbox, ToolchainError};
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// 4,096 words of 4 bits, which are read out as they were heard; all of it in a PLL's clock.
const RECORDER: &str = r#"
module recorder(input clk, input uart_rx, output reg uart_tx, output led_armed, output led_busy);
    wire clock;
    SB_PLL40_PAD #(.FEEDBACK_PATH("SIMPLE"), .DIVR(0), .DIVF(63), .DIVQ(5), .FILTER_RANGE(1))
        pll (.PACKAGEPIN(clk), .PLLOUTGLOBAL(clock), .RESETB(1'b1), .BYPASS(1'b0));
    (* no_rw_check *)
    reg [3:0] memory [0:4095];
    reg [11:0] place = 0;
    reg [3:0] heard = 0;
    reg [3:0] read = 0;
    always @(posedge clock) begin
        place <= place + 1;
        heard <= {heard[2:0], uart_rx};
        memory[place] <= heard;
        read <= memory[place + 12'd7];
        uart_tx <= ^read;
    end
    assign led_armed = place[11];
    assign led_busy = !place[11];
endmodule
"#;

fn job<'a>(board: &'a Board, out: &'a Path, stop: &'a AtomicBool) -> BuildJob<'a> {
    BuildJob {
        board,
        verilog: RECORDER,
        top: "recorder",
        core: None,
        seed: 1,
        synthesis: None,
        out,
        progress: &|_| {},
        stop,
    }
}

#[test]
fn a_trial_finds_what_a_build_finds() {
    let board = Board::find("icebreaker").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (trial, built) = (folder.path().join("trial"), folder.path().join("built"));
    let stop = AtomicBool::new(false);
    let toolbox = Toolbox::discover().unwrap();
    let report = job(&board, &built, &stop).run(&toolbox).unwrap();

    let netlist = Netlist::new(job(&board, &trial, &stop), &toolbox).unwrap();
    let made = netlist.synthesised;
    assert_eq!(made.block_rams.used, 4);
    assert_eq!(made.luts, report.luts);
    assert_eq!(made.flip_flops, report.flip_flops);
    assert_eq!(made.carries, report.carries);
    assert_eq!(made.logic_cells, report.logic_cells);
    assert_eq!(made.block_rams, report.block_rams);
    assert_eq!(netlist.tools.yosys, report.tools.yosys);
    let placed = netlist.place(1).unwrap();
    assert_eq!(placed.clock_mhz, report.clock_reached_mhz);
    assert!(placed.timing_met);
    assert_ne!(netlist.place(2).unwrap().clock_mhz, placed.clock_mhz);

    drop(netlist);
    for entry in std::fs::read_dir(&trial).unwrap() {
        let name = entry.unwrap().file_name();
        assert!(name.to_string_lossy().ends_with(".log"), "{name:?}");
    }
}

#[test]
fn a_trial_can_be_stopped() {
    let board = Board::find("icebreaker").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let stop = AtomicBool::new(true);
    let toolbox = Toolbox::discover().unwrap();
    let trial = Netlist::new(job(&board, folder.path(), &stop), &toolbox);
    assert!(matches!(trial.err(), Some(ToolchainError::Interrupted)));
}
