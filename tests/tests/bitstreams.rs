//! The core of a board of each family, through the real tools, meets the board's clock with something in hand, and takes the
//! memories that were counted before. `make boards` builds all boards.

use firmware_model::board::Board;
use firstspike::explore::memories::memory_use;
use firstspike::toolchain::{BuildJob, Toolbox};
use std::sync::atomic::AtomicBool;

fn meets_its_clock(name: &str) {
    let board = Board::find(name).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let report = BuildJob {
        board: &board,
        verilog: &firstspike_hdl::generate(&board, &board.core).unwrap(),
        top: &firstspike_hdl::top_name(&board),
        core: Some(board.core),
        seed: 1,
        synthesis: None,
        out: folder.path(),
        progress: &|_| {},
        stop: &AtomicBool::new(false),
    }
    .run(&Toolbox::discover().unwrap())
    .unwrap();
    assert!(report.timing_met);
    assert_eq!(report.clock_wanted_mhz, board.clock.core_hz as f64 / 1e6);
    assert!(report.clock_reached_mhz >= report.clock_wanted_mhz);
    // By nextpnr and, on iCE40, icetime: the slower of them leaves 3 %.
    assert_eq!(report.warnings, [] as [&str; 0], "{report}");
    assert!(report.clock_in_hand_percent >= 3.0, "{report}");
    let counted = memory_use(&board, &board.core);
    assert_eq!(report.block_rams.used, u64::from(counted.block_rams));
    assert_eq!(report.sprams.used, u64::from(counted.sprams));
    assert!(report.files.bitstream.unwrap().exists());
}

#[test]
fn the_core_of_an_ice40_board_meets_its_clock() {
    meets_its_clock("icebreaker");
}

/// Of the ECP5 boards that with the smallest core.
#[test]
fn the_core_of_an_ecp5_board_meets_its_clock() {
    meets_its_clock("colorlight-i5");
}
