//! The Verilated board without a terminal: its UART pins, clock for clock.

mod common;

use common::{echo_board, library, options, random_bytes, BAUD, CLOCK_HZ, ECHO};
use firmware_model::protocol::WATCHDOG_BITS;
use firstspike_sim::device::{Next, VirtualDevice};
use firstspike_sim::rtl::{RtlBoard, RtlOptions, Trace};
use firstspike_sim::verilator::Waveform;
use firstspike_sim::SimError;
use std::path::Path;

/// Gives the board all of `input` and lets it work until it is idle; returns what it sent.
fn run(board: &mut RtlBoard, mut input: &[u8]) -> Result<Vec<u8>, SimError> {
    let mut output = Vec::new();
    loop {
        let progress = board.exchange(input, &mut output)?;
        input = &input[progress.consumed..];
        if input.is_empty() && progress.next == Next::Input {
            return Ok(output);
        }
    }
}

#[test]
fn bytes_back_to_back() {
    let mut board = echo_board(1);
    let bytes = random_bytes(2_000, 1);
    assert!(run(&mut board, &bytes).expect("it runs") == bytes);
    assert_eq!(board.framing_errors(), 0);
    // Ten bits of eight clocks each, and the same queue on the way back: no pause between bytes.
    let least = 2_000 * 80;
    assert!(
        board.clocks() > least
            && board.clocks() < least + 4 * u64::from(WATCHDOG_BITS) * 8 + 10_000
    );
}

#[test]
fn rates_that_differ_a_little_understand_each_other() {
    for percent in [97, 99, 101, 103] {
        let mut board = echo_board(1);
        board.set_host_rate(BAUD / 100 * percent);
        let bytes = random_bytes(1_000, u64::from(percent));
        assert!(
            run(&mut board, &bytes).expect("it runs") == bytes,
            "{percent} %"
        );
        assert_eq!(board.framing_errors(), 0, "{percent} %");
    }
}

#[test]
fn a_bit_lasts_a_part_of_a_clock_more_or_less_where_it_must() {
    let mut board = echo_board(1);
    board.set_host_rate(3_030_303); // 7.92 clocks a bit
    let bytes = random_bytes(2_000, 6);
    let before = board.clocks();
    let mut sent = 0;
    while sent < bytes.len() {
        let progress = board.exchange(&bytes[sent..], &mut Vec::new());
        sent += progress.expect("it runs").consumed;
    }
    let clocks = board.clocks() - before;
    assert!(clocks.abs_diff(2_000 * 792 / 10) < 100, "{clocks} clocks");
}

#[test]
fn rates_that_differ_much_give_framing_errors() {
    // The divisor in the Verilog is 8; these options ask for 12.
    let options = RtlOptions {
        baud: CLOCK_HZ / 12,
        ..options(1)
    };
    let mut board = RtlBoard::new(&library(ECHO, None), &options).expect("it starts");
    let bytes = random_bytes(200, 4);
    assert!(run(&mut board, &bytes).expect("it runs") != bytes);
    assert!(board.framing_errors() > 0);
}

#[test]
fn an_idle_board_says_so_after_the_watchdog_has_had_its_time() {
    let mut board = echo_board(1);
    let before = board.clocks();
    assert_eq!(run(&mut board, &[]).expect("it runs"), []);
    let watchdog = u64::from(WATCHDOG_BITS) * 8;
    let waited = board.clocks() - before;
    assert!(
        waited > watchdog && waited < 5 * watchdog,
        "{waited} clocks"
    );
    assert_eq!(run(&mut board, b"awake").expect("it runs"), b"awake");
}

#[test]
fn unwritten_memories_hold_what_the_seed_says() {
    // In place of each byte, send back what is at that address of a memory that nobody wrote.
    let verilog = ECHO
        .replace("tx_shift <= queue[head];", "tx_shift <= junk[queue[head]];")
        .replace(
            "reg [7:0] queue [0:255];",
            "reg [7:0] queue [0:255]; reg [7:0] junk [0:255];",
        );
    let library = library(&verilog, None);
    let junk = |seed: u64| {
        let mut board = RtlBoard::new(&library, &options(seed)).expect("it starts");
        run(&mut board, &random_bytes(64, 5)).expect("it runs")
    };
    assert_eq!(junk(1), junk(1));
    assert_ne!(junk(1), junk(2));
    assert_ne!(junk(1), [0; 64]);
    assert_ne!(junk(1), junk(1 << 40));
}

/// A waveform in the file `name` of a folder.
fn trace(path: &Path, from: u64, clocks: u64) -> RtlOptions {
    RtlOptions {
        trace: Some(Trace {
            path: path.to_owned(),
            from,
            clocks,
        }),
        ..options(1)
    }
}

#[test]
fn a_waveform_is_written_on_demand() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, begins_with) in [("wave.vcd", &b"$version"[..]), ("wave.fst", &[0][..])] {
        let path = folder.path().join(name);
        let library = library(ECHO, Some(Waveform::of(Path::new(name))));
        let mut board = RtlBoard::new(&library, &trace(&path, 0, u64::MAX)).expect("it starts");
        board.exchange(b"trace", &mut Vec::new()).expect("it runs");
        drop(board);
        let wave = std::fs::read(&path).expect("the waveform is there");
        assert!(wave.starts_with(begins_with), "{name}");
        assert!(wave.len() > 1_000, "{name}");
    }
}

/// The clocks asked for and no others, both halves of each; and the file is whole while the board goes on.
#[test]
fn a_waveform_has_the_clocks_that_it_was_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("wave.vcd");
    let library = library(ECHO, Some(Waveform::Vcd));
    for (from, clocks) in [(0, 1), (0, 50), (4_200, 1), (4_200, 300), (5_000, u64::MAX)] {
        let mut board = RtlBoard::new(&library, &trace(&path, from, clocks)).expect("it starts");
        let mut sent = Vec::new();
        while board.clocks() < 10_000 {
            board.exchange(b"trace", &mut sent).expect("it runs");
        }
        assert!(!sent.is_empty());
        let until = from.saturating_add(clocks).min(board.clocks());
        if clocks == u64::MAX {
            drop(board);
        }
        let wave = std::fs::read_to_string(&path).expect("the waveform is there");
        let times: Vec<u64> = (wave.lines())
            .filter_map(|line| line.strip_prefix('#'))
            .map(|time| time.parse().expect("a time"))
            .collect();
        assert_eq!(times, (2 * from..2 * until).collect::<Vec<u64>>());
    }
}

#[test]
fn a_waveform_that_cannot_be_written_is_named() {
    let options = trace(Path::new("/no/such/folder/wave.vcd"), 0, 10);
    let error = RtlBoard::new(&library(ECHO, Some(Waveform::Vcd)), &options).err();
    let text = error.expect("it does not start").to_string();
    assert!(text.contains("/no/such/folder/wave.vcd"), "{text}");
}

#[test]
fn a_design_that_stops_is_an_error_and_not_the_end_of_the_process() {
    let library = library(
        &ECHO.replace(
            "assign led = full;",
            "assign led = full; always @(posedge clock) if (rx_done) $stop;",
        ),
        None,
    );
    let mut board = RtlBoard::new(&library, &options(1)).expect("it starts");
    let error = run(&mut board, b"x").expect_err("it stops");
    assert!(matches!(error, SimError::Stopped(_)), "{error}");
}

#[test]
fn a_bit_of_less_than_two_clocks_is_refused() {
    let options = RtlOptions {
        baud: CLOCK_HZ,
        ..options(1)
    };
    let error = RtlBoard::new(&library(ECHO, None), &options).err();
    assert!(matches!(error, Some(SimError::LineRate { .. })));
}
