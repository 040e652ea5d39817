//! The generated Verilog as text: clean for every choice of lanes, banks and beats, and the same every time.

use firmware_model::board::{Board, WeightMemory};
use firmware_model::config::{CoreConfig, BANK_CHOICES, BEAT_CHOICES, LANE_CHOICES};
use std::path::Path;
use std::process::Command;

/// Every board's own core, and every choice of lanes, banks and beats.
fn cores() -> Vec<(Board, CoreConfig)> {
    let mut cores: Vec<_> = Board::built_in().into_iter().map(|b| (b.core, b)).collect();
    let board = Board::find("ulx3s-25f").unwrap();
    assert_eq!(board.memories.weights, WeightMemory::Bram);
    for lanes in LANE_CHOICES {
        for banks in BANK_CHOICES {
            for beats in BEAT_CHOICES {
                let core = CoreConfig {
                    lanes,
                    banks,
                    beats,
                    ..board.core
                };
                if core.check().is_ok() {
                    cores.push((core, board.clone()));
                }
            }
        }
    }
    // The tiles of SPRAM in every arrangement, down to half a tile.
    let board = Board::find("icebreaker").unwrap();
    for (lanes, banks, weight_rows) in [
        (64, 1, 16_384),
        (32, 1, 32_768),
        (16, 1, 65_536),
        (8, 2, 16_384),
    ] {
        let core = CoreConfig {
            lanes,
            banks,
            beats: 1,
            weight_rows,
            ..board.core
        };
        cores.push((core, board.clone()));
    }
    cores
        .into_iter()
        .map(|(core, board)| (board, core))
        .collect()
}

#[test]
fn verilator_has_nothing_to_say_about_any_core() {
    let folder = tempfile::tempdir().unwrap();
    let waivers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../hdl/waivers.vlt");
    for (board, core) in cores() {
        let verilog = firstspike_hdl::generate(&board, &core).unwrap();
        // Verilator wants the file to be called like the module.
        let file = folder
            .path()
            .join(format!("{}.v", firstspike_hdl::top_name(&board)));
        std::fs::write(&file, verilog).unwrap();
        let lint = Command::new("verilator")
            .args(["--lint-only", "-Wall"])
            .args([&waivers, &file])
            .output()
            .expect("Verilator is installed: make tools");
        let said = String::from_utf8_lossy(&lint.stderr);
        assert!(
            lint.status.success() && said.is_empty(),
            "{} with {} lanes and {} banks:\n{said}",
            board.name,
            core.lanes,
            core.banks
        );
    }
}

#[test]
fn the_waivers_do_not_touch_what_must_never_be_waived() {
    let waivers = include_str!("../../hdl/waivers.vlt");
    let rules: Vec<&str> = (waivers.lines())
        .filter_map(|line| line.split_once("-rule "))
        .filter_map(|(_, rest)| rest.split_whitespace().next())
        .collect();
    for rule in rules {
        for never in ["UNDRIVEN", "IMPLICIT", "WIDTH", "LATCH"] {
            assert!(!rule.contains(never), "{rule} is waived");
        }
    }
}

#[test]
fn the_same_core_is_the_same_text() {
    for board in Board::built_in() {
        let once = firstspike_hdl::generate(&board, &board.core).unwrap();
        let again = firstspike_hdl::generate(&board, &board.core).unwrap();
        assert!(once == again, "{}", board.name);
    }
}

#[test]
fn equal_blocks_are_one_module() {
    let board = Board::find("ulx3s-25f").unwrap();
    let verilog = firstspike_hdl::generate(&board, &board.core).unwrap();
    let modules = verilog
        .lines()
        .filter(|line| line.starts_with("module lane "))
        .count();
    let instances = (verilog.lines())
        .filter(|line| line.trim_start().starts_with("lane lanes_"))
        .count();
    assert_eq!((modules, instances), (1, usize::from(board.core.lanes)));
}
