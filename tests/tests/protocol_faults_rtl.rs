//! The property of the link, held by the gateware: the generated Verilog behind a line that damages what
//! it carries gives right answers or named errors, and never stops answering.

use firmware_model::board::Board as BoardData;
use firmware_model::config::CoreConfig;
use firmware_model::protocol::WATCHDOG_BITS;
use firstspike_tests::faults::{images, session, Rates, Tally};
use firstspike_tests::rtl_device;
use firstspike_tests::rtl_line::RtlLine;
use std::time::Duration;

const IMAGES: usize = 40;

fn device(seed: u64) -> RtlLine {
    let mut board = BoardData::find("icebreaker").unwrap();
    // Four clocks a bit: the least work for Verilator.
    board.uart.baud = board.clock.core_hz / 4;
    let core = CoreConfig {
        weight_rows: 1024,
        fold_slots: 4,
        input_rows: 512,
        hidden_rows: 64,
        ..board.core_with(Some(16), Some(2), None).unwrap()
    };
    // The delays of a bad line must be longer than the watchdog's time.
    let watchdog = Duration::from_secs(WATCHDOG_BITS.into()) / board.uart.baud;
    assert!(watchdog < Duration::from_millis(30));
    RtlLine::new(rtl_device(&board, &core, seed), board.clock.core_hz)
}

/// A session with these faults: most images come out right for all that, and faults do come.
fn survive(rates: Rates, seed: u64) {
    let mut tally = Tally::default();
    session(device(seed), rates, seed, &images(IMAGES, seed), &mut tally);
    println!("{rates:?}: {tally:?}");
    assert!(tally.faults > 5, "{tally:?}");
    assert!(tally.recoveries > 3, "{tally:?}");
    assert!(tally.right >= IMAGES * 9 / 10, "{tally:?}");
}

#[test]
fn a_good_line_needs_no_recovery() {
    let mut tally = Tally::default();
    let images = images(IMAGES, 1);
    session(device(1), Rates::default(), 1, &images, &mut tally);
    let counts = (tally.right, tally.recoveries, tally.named_errors);
    assert_eq!(counts, (IMAGES, 0, 0));
}

#[test]
fn damaged_bytes() {
    let rates = Rates {
        flip: 0.0004,
        lose: 0.0003,
        zero: 0.0003,
        insert: 0.0003,
        ..Rates::default()
    };
    survive(rates, 100);
}

#[test]
fn doubled_pieces() {
    let double = 0.15;
    survive(
        Rates {
            double,
            ..Rates::default()
        },
        200,
    );
}

#[test]
fn cut_and_dropped_pieces_and_delays() {
    let rates = Rates {
        cut: 0.05,
        drop: 0.05,
        delay: 0.05,
        ..Rates::default()
    };
    survive(rates, 300);
}
