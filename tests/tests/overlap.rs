//! While an image is computed the next one is received, so either the link sets the rate or the core
//! does: seen in the counter of the cycles that the core of the generated Verilog waits for an image.

use firmware_model::board::Board as BoardData;
use firmware_model::config::CoreConfig;
use firmware_model::network::{Network, SpikeTrain};
use firmware_model::protocol::reply::{Answer, Counters};
use firstspike::driver::{Board, Traffic, Transport};
use firstspike_sim::device::VirtualDevice;
use firstspike_sim::RtlBoard;
use firstspike_tests::{random_network, rtl_device};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;
use std::io;
use std::time::Duration;

const IMAGES: usize = 60;
/// Bit times of a byte on the line.
const BYTE: f64 = 10.0;
/// Images back to back, on the board's own time.
struct Run {
    answers: Vec<Answer>,
    counted: Counters,
    traffic: Traffic,
    clocks_per_bit: f64,
}

/// The line to a Verilated board, on the board's own time: writing takes none, and what comes in is told a
/// while later.
struct Line {
    board: RtlBoard,
    clock_hz: u32,
    late: Duration,
    to_board: VecDeque<u8>,
    to_host: VecDeque<u8>,
}

impl Line {
    /// Runs the board until `end`, or until something came from it and `until_sent` is true: a byte at a
    /// time, so that it is not run for much longer.
    fn run(&mut self, end: Duration, until_sent: bool) -> io::Result<()> {
        let mut sent = Vec::new();
        while self.now() < end && (!until_sent || self.to_host.is_empty()) {
            let next: Vec<u8> = self.to_board.front().copied().into_iter().collect();
            let ran = self.board.exchange(&next, &mut sent);
            self.to_board
                .drain(..ran.map_err(io::Error::other)?.consumed);
            self.to_host.extend(sent.drain(..));
        }
        Ok(())
    }
}

impl Transport for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.to_board.extend(bytes);
        Ok(())
    }

    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> io::Result<usize> {
        self.run(self.now() + limit, true)?;
        if !self.to_host.is_empty() {
            self.run(self.now() + self.late, false)?;
        }
        let count = buffer.len().min(self.to_host.len());
        for (place, byte) in buffer.iter_mut().zip(self.to_host.drain(..count)) {
            *place = byte;
        }
        Ok(count)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.to_host.clear();
        Ok(())
    }

    fn now(&self) -> Duration {
        let nanos = u128::from(self.board.clocks()) * 1_000_000_000 / u128::from(self.clock_hz);
        Duration::from_nanos(nanos as u64)
    }
}

fn run(
    board: &BoardData,
    core: &CoreConfig,
    late: Duration,
    network: &Network,
    images: &[SpikeTrain],
) -> Run {
    let line = Line {
        board: rtl_device(board, core, 1),
        clock_hz: board.clock.core_hz,
        late,
        to_board: VecDeque::new(),
        to_host: VecDeque::new(),
    };
    let mut driver = Board::connect(Box::new(line), 1).unwrap();
    driver.deploy(network, |_, _| {}).unwrap();
    let (counters, traffic) = (driver.counters().unwrap(), driver.traffic());
    let answers = driver.infer_batch(images).unwrap();
    let after = driver.traffic();
    let counted = driver.counters().unwrap();
    Run {
        answers,
        counted: Counters {
            clock: counted.clock - counters.clock,
            busy: counted.busy - counters.busy,
            ..counted
        },
        traffic: Traffic {
            sent: after.sent - traffic.sent,
            received: after.received - traffic.received,
            recoveries: after.recoveries,
        },
        clocks_per_bit: f64::from(board.clock.core_hz) / f64::from(board.uart.baud),
    }
}

impl Run {
    /// Cycles that the core waited for all images but the first, for which it waited since the board was
    /// loaded.
    fn idle(&self) -> u64 {
        self.answers[1..].iter().map(|a| u64::from(a.idle)).sum()
    }

    /// The share of the board's time in which the line to the board was in use.
    fn line_use(&self) -> f64 {
        self.traffic.sent as f64 * BYTE * self.clocks_per_bit / f64::from(self.counted.clock)
    }

    /// What the core says of its waiting, against what the device counts of its working.
    fn check_counters(&self) {
        assert_eq!(self.traffic.recoveries, 0);
        let cycles: u64 = self.answers.iter().map(|a| u64::from(a.cycles)).sum();
        let busy = u64::from(self.counted.busy);
        assert!(busy > cycles, "{busy} busy, {cycles} of them computing");
        // Not counted is the cycle in which the core sees its image, one an image; beyond that it
        // waits for the first image, and after the last one.
        let waited = u64::from(self.counted.clock) - busy;
        let between = self.idle() + self.answers.len() as u64 - 1;
        assert!(between <= waited, "{between} between images of {waited}");
        let ends = (waited - between) as f64 / self.clocks_per_bit / BYTE;
        let (images, replies) = (self.traffic.sent, self.traffic.received);
        let image_and_reply = (images + replies) as f64 / IMAGES as f64;
        assert!(ends < 2.0 * image_and_reply, "{ends} bytes at the ends");
    }
}

/// The board of the iCEBreaker, which has two credits, with images of 784 inputs.
fn two_credits(late: Duration) -> Run {
    let board = BoardData::find("icebreaker").unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let network = random_network(&[784, 100, 10], 16, &mut random);
    let spikes = |i: u16| match i % 6 {
        0 => i / 6 % 16,
        _ => SpikeTrain::SILENT,
    };
    let images = vec![SpikeTrain::from_raw((0..784).map(spikes).collect()); IMAGES];
    let run = run(&board, &board.core, late, &network, &images);
    let idle = run.idle() as f64 / f64::from(run.counted.clock);
    println!(
        "{late:?} late: the core idle {idle:.3} of the time, the line in use {:.3}",
        run.line_use()
    );
    assert!(idle > 0.5);
    run
}

#[test]
fn while_the_link_sets_the_rate_the_core_waits() {
    let run = two_credits(Duration::ZERO);
    run.check_counters();
    assert!(run.line_use() > 0.98);
}

/// With two credits one image is on the line while the other one is computed, answered and replaced.
#[test]
fn a_host_may_take_most_of_the_time_of_an_image() {
    // An image is 155 bytes, 517 µs. Core and reply take some 90 µs of them.
    assert!(two_credits(Duration::from_micros(300)).line_use() > 0.95);
    assert!(two_credits(Duration::from_micros(700)).line_use() < 0.85);
}

#[test]
fn while_the_core_sets_the_rate_it_does_not_wait() {
    let mut board = BoardData::find("icebreaker").unwrap();
    board.uart.baud = board.clock.core_hz / 4;
    let core = CoreConfig {
        weight_rows: 4_096,
        fold_slots: 64,
        input_rows: 128,
        hidden_rows: 512,
        frame_slots: 4,
        ..board.core_with(Some(8), Some(1), None).unwrap()
    };
    let mut random = ChaCha8Rng::seed_from_u64(2);
    // An image is some 30 bytes, 1,200 cycles of the line; the core takes all 480 neurons 8 at a time.
    let network = random_network(&[24, 480, 10], 1, &mut random);
    let images = vec![SpikeTrain::from_raw(vec![0; 24]); IMAGES];
    let run = run(&board, &core, Duration::ZERO, &network, &images);
    run.check_counters();
    let busy = f64::from(run.counted.busy) / f64::from(run.counted.clock);
    println!(
        "the core busy {busy:.3} of the time, the line in use {:.3}",
        run.line_use()
    );
    assert_eq!(run.idle(), 0);
    assert!(busy > 0.95);
    assert!(run.line_use() < 0.9);
}
