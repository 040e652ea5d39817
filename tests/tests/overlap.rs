//! While an image is computed the next one is received, so either the link sets the rate or the core
//! does: seen in the counter of the cycles that the core of the generated Verilog waits for an image.

use firmware_model::board::Board as BoardData;
use firmware_model::config::CoreConfig;
use firmware_model::network::{Network, SpikeTrain};
use firmware_model::protocol::reply::{Answer, Counters};
use firstspike::driver::{Board, Traffic};
use firstspike_tests::rtl_line::RtlLine;
use firstspike_tests::{random_network, random_spikes, rtl_device};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

const IMAGES: usize = 60;
/// Bit times of a byte on the line.
const BYTE: f64 = 10.0;
/// Images back to back, by a host that takes no time: the board's clock stands still meanwhile.
struct Run {
    answers: Vec<Answer>,
    counted: Counters,
    traffic: Traffic,
    clocks_per_bit: f64,
}

fn run(board: &BoardData, core: &CoreConfig, network: &Network, images: &[SpikeTrain]) -> Run {
    let line = RtlLine::new(rtl_device(board, core, 1), board.clock.core_hz);
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

#[test]
fn while_the_link_sets_the_rate_the_core_waits() {
    let board = BoardData::find("icebreaker").unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let network = random_network(&[784, 100, 10], 16, &mut random);
    let images: Vec<_> = (0..IMAGES)
        .map(|_| random_spikes(784, 16, &mut random))
        .collect();
    let run = run(&board, &board.core, &network, &images);
    run.check_counters();
    let idle = run.idle() as f64 / f64::from(run.counted.clock);
    println!(
        "the core idle {idle:.3} of the time, the line in use {:.3}",
        run.line_use()
    );
    assert!(idle > 0.5);
    assert!(run.line_use() > 0.98);
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
        ..board.core_with(Some(8), Some(1)).unwrap()
    };
    let mut random = ChaCha8Rng::seed_from_u64(2);
    // An image is some 30 bytes, 1,200 cycles of the line; the core takes all 480 neurons 8 at a time.
    let network = random_network(&[24, 480, 10], 1, &mut random);
    let images = vec![SpikeTrain::from_raw(vec![0; 24]); IMAGES];
    let run = run(&board, &core, &network, &images);
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
