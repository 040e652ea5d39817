//! The generated Verilog as text: clean for every tool and every choice of lanes, banks and beats, and the same every
//! time.

use firmware_model::board::{Board, Family, WeightMemory};
use firmware_model::config::{CoreConfig, BANK_CHOICES, BEAT_CHOICES, LANE_CHOICES};
use firstspike::toolchain::{Tool, Toolbox};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
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

/// Fails if the command does, or says anything.
fn says_nothing(command: &mut Command, about: &str) {
    let ran = command
        .output()
        .unwrap_or_else(|e| panic!("{command:?}: {e}; `make test` installs what it needs"));
    let said = [ran.stdout, ran.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(
        ran.status.success() && said.is_empty(),
        "{about}\n{command:?}\n{said}"
    );
}

/// What Yosys is to do with these files and their boards: warnings of a loop, of a signal without a driver or with two are
/// errors. The files are in the folder where it runs, because the packaged one has a `/tmp` of its own.
fn yosys_script(files: &[(String, &Board)]) -> String {
    let script = files.iter().map(|(file, board)| {
        let cells = match board.family {
            Family::Ice40 => "ice40/cells_sim.v",
            Family::Ecp5 => "ecp5/cells_bb.v",
        };
        format!(
            "read_verilog -lib +/{cells}; read_verilog {}; hierarchy -check -top {}; proc; flatten; opt_clean; check -assert; design -reset",
            file,
            firstspike_hdl::top_name(board)
        )
    });
    script.collect::<Vec<_>>().join("; ")
}

/// The Yosys of the distribution, years older than the one that builds, if there is one.
fn old_yosys() -> Option<PathBuf> {
    let unpacked = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tools/debian/usr/bin/yosys");
    [PathBuf::from("yosys"), unpacked]
        .into_iter()
        .find(|yosys| {
            Command::new(yosys)
                .arg("-V")
                .output()
                .is_ok_and(|ran| ran.status.success())
        })
}

#[test]
fn no_tool_has_anything_to_say_about_any_core() {
    let yosys = old_yosys();
    if yosys.is_none() {
        println!("there is no Yosys of the distribution: nothing is read by an old one");
    }
    cores().into_par_iter().for_each(|(board, core)| {
        no_tool_has_anything_to_say_about(&board, &core, yosys.as_deref())
    });
}

fn no_tool_has_anything_to_say_about(board: &Board, core: &CoreConfig, yosys: Option<&Path>) {
    let folder = tempfile::tempdir().unwrap();
    let waivers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../hdl/waivers.vlt");
    let about = format!(
        "{} with {} lanes, {} banks and {} beats",
        board.name, core.lanes, core.banks, core.beats
    );
    let verilog = firstspike_hdl::generate(board, core).unwrap();
    let top = firstspike_hdl::top_name(board);
    // Nothing waits for changes: see `firstspike_hdl::verilog`.
    for line in verilog.lines().filter(|line| line.contains("always")) {
        let edge = line.trim_start().starts_with("always @(posedge ");
        assert!(
            edge || line.trim_start().starts_with("//"),
            "{about}: {line}"
        );
    }
    // Verilator wants the file to be called like the module.
    let file = folder.path().join(format!("{top}.v"));
    std::fs::write(&file, verilog).unwrap();
    let mut verilator = Command::new("verilator");
    verilator.args(["--lint-only", "-Wall"]);
    says_nothing(verilator.args([&waivers, &file]), &about);
    for generation in ["-g2005", "-g2012"] {
        let mut iverilog = Command::new("iverilog");
        iverilog.args([generation, "-Wall", "-t", "null", "-s", &top]);
        says_nothing(iverilog.arg(&file), &about);
    }
    if let Some(yosys) = yosys {
        let script = yosys_script(&[(format!("{top}.v"), board)]);
        let mut yosys = Command::new(yosys);
        yosys.current_dir(&folder).args(["-q", "-p", &script]);
        says_nothing(&mut yosys, &about);
    }
}

#[test]
fn yosys_finds_no_loop_and_no_driver_missing_in_any_board() {
    let folder = tempfile::tempdir().unwrap();
    let boards = Board::built_in();
    let files: Vec<(String, &Board)> = (boards.iter())
        .map(|board| {
            let file = format!("{}.v", board.name);
            let verilog = firstspike_hdl::generate(board, &board.core).unwrap();
            std::fs::write(folder.path().join(&file), verilog).unwrap();
            (file, board)
        })
        .collect();
    let yosys = Toolbox::discover().unwrap().find(Tool::Yosys).unwrap();
    let mut yosys = yosys.command();
    yosys
        .current_dir(&folder)
        .args(["-q", "-p", &yosys_script(&files)]);
    says_nothing(&mut yosys, "every board");
}

/// The texts of the comments of a source.
fn comments_of(source: &str) -> Vec<String> {
    let calls = source.split("comment!(").skip(1);
    let texts = calls.filter_map(|call| {
        let mut characters = call.trim_start().strip_prefix('"')?.chars();
        let mut text = String::new();
        loop {
            match characters.next()? {
                '\\' => text.push(characters.next()?),
                '"' => return Some(text),
                other => text.push(other),
            }
        }
    });
    texts.collect()
}

#[test]
fn every_comment_of_the_source_is_in_the_verilog() {
    let board = Board::find("icebreaker").unwrap();
    let many_banks = board.core_with(Some(16), Some(4), None).unwrap();
    let one = firstspike_hdl::generate(&board, &board.core).unwrap();
    let other = firstspike_hdl::generate(&board, &many_banks).unwrap();
    let lines: BTreeSet<&str> = (one.lines().chain(other.lines()))
        .filter_map(|line| line.trim_start().strip_prefix("// "))
        .collect();
    let mut count = 0;
    for folder in ["core", "link"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../hdl/src")
            .join(folder);
        for entry in std::fs::read_dir(folder).unwrap() {
            let source = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            for text in comments_of(&source) {
                if !text.starts_with("module ") {
                    assert!(lines.contains(text.as_str()), "{text}");
                    count += 1;
                }
            }
        }
    }
    assert!(count > 100, "{count}");
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
