//! The driver over a line without faults; tests/tests/protocol_faults.rs has the others.

use super::*;
use firmware_model::config::CoreConfig;
use firmware_model::cycle::CycleModel;
use firmware_model::device::{Device, DeviceConfig};
use firmware_model::golden;
use firmware_model::network::{Layer, Network, SpikeTrain};
use firmware_model::protocol::{kind, reply, FrameReader, REPLY};
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const CONFIG: DeviceConfig = DeviceConfig {
    core: CoreConfig {
        lanes: 128,
        banks: 2,
        beats: 1,
        weight_rows: 1024,
        fold_slots: 4,
        input_rows: 256,
        hidden_rows: 128,
        frame_slots: 4,
        input_buffers: 2,
    },
    board_number: 1,
    clock_hz: 24_000_000,
    baud: 3_000_000,
};

/// A network of 500-`hidden`-7 over 16 steps.
fn network(hidden: usize) -> Network {
    let layer = |inputs: usize, neurons: usize, threshold: i32| {
        Layer::from_fn(inputs, vec![threshold; neurons], |j, i| {
            (j * 31 + i * 17 + j * i) % 7 < 4
        })
        .unwrap()
    };
    Network::new(16, vec![layer(500, hidden, 9), layer(hidden, 7, 4)]).unwrap()
}

/// Most of 500 inputs spike: two chunks.
fn train(seed: usize) -> SpikeTrain {
    let raw = (0..500).map(|i| match (i * 7 + seed * 13 + i * i * seed) % 23 {
        step @ 0..=15 => step as u16,
        _ => SpikeTrain::SILENT,
    });
    SpikeTrain::from_raw(raw.collect())
}

fn board() -> Board {
    Board::connect(Box::new(DeviceTransport::new(Device::new(CONFIG))), 0xA55A).unwrap()
}

#[test]
fn what_is_deployed_is_inferred() {
    let network = network(200);
    let mut board = board();
    assert!(!board.deployed_model_matches(&network).unwrap());
    let mut steps = Vec::new();
    let done = board
        .deploy(&network, |loaded, all| steps.push((loaded, all)))
        .unwrap();
    assert_eq!(steps.last(), Some(&(done.bytes, done.bytes)));
    assert!(steps.windows(2).all(|pair| pair[0].0 < pair[1].0));
    // 59,000 bytes take 0.2 s at 3 Mbaud, if the line is never idle.
    let line_time = Duration::from_nanos(done.bytes * 10_000_000_000 / 3_000_000);
    assert!(done.time > line_time && done.time < line_time * 11 / 10);

    assert!(board.deployed_model_matches(&network).unwrap());
    assert_eq!(board.info().memory_crc, done.checksum);
    let trains: Vec<SpikeTrain> = (0..50).map(train).collect();
    let answers = board.infer_batch(&trains).unwrap();
    assert_eq!(answers.len(), trains.len());
    for (answer, train) in answers.iter().zip(&trains) {
        assert_eq!(
            answer.decision,
            golden::run(&network, train).unwrap().decision
        );
        let again = board.infer(train).unwrap();
        assert_eq!(
            (again.decision, again.cycles),
            (answer.decision, answer.cycles)
        );
    }
    let counters = board.counters().unwrap();
    let cycles: u32 = answers.iter().map(|a| a.cycles).sum();
    assert_eq!(counters.busy, 2 * cycles);
    assert_eq!((counters.bad_frames, counters.overruns), (0, 0));
    assert_eq!(board.traffic().recoveries, 0);
}

#[test]
fn another_model_is_told_from_this_one() {
    let mut board = board();
    board.deploy(&network(200), |_, _| {}).unwrap();
    assert!(!board.deployed_model_matches(&network(199)).unwrap());
    // What is not known to be there is not asked.
    assert!(matches!(board.infer(&train(0)), Err(DriverError::NotArmed)));
    assert!(board.deployed_model_matches(&network(200)).unwrap());
    assert!(board.infer(&train(0)).is_ok());
}

#[test]
fn a_network_that_does_not_fit_is_refused_with_what_would() {
    let mut board = board();
    let error = board.deploy(&network(300), |_, _| {}).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the network does not fit this core: the hidden layers take 150 rows of spikes in a bank, the core has 128, \
         so up to 256 neurons; instead of 500,300,7, 500,256,7 would fit, and `firstspike explore` with --model and \
         --save looks for a core of the board that it fits"
    );
    assert!(board.deploy(&network(256), |_, _| {}).is_ok());
}

#[test]
fn spikes_that_do_not_fit_the_network_are_refused() {
    let mut board = board();
    board.deploy(&network(10), |_, _| {}).unwrap();
    let short = SpikeTrain::silent(499);
    let trains = [train(0), short, train(1)];
    let mut got = 0;
    let error = board.infer_each(&trains, |_, _| got += 1).unwrap_err();
    assert!(matches!(error, DriverError::Spikes(_)), "{error}");
    // The board is usable as before.
    assert!(board.infer(&train(1)).is_ok());
}

#[test]
fn other_gateware_is_told_from_the_expected_one() {
    let board = board();
    board.check_gateware(&CONFIG).unwrap();
    let mut other = CONFIG;
    other.core.lanes = 64;
    other.clock_hz = 12_000_000;
    let error = board.check_gateware(&other).unwrap_err().to_string();
    assert!(error.contains("lanes 128 instead of 64"), "{error}");
    assert!(
        error.contains("core clock 24000000 instead of 12000000"),
        "{error}"
    );
}

/// Counts the requests that are on the line at once.
struct Counting {
    line: DeviceTransport,
    requests: FrameReader,
    replies: FrameReader,
    open: usize,
    most: Arc<Mutex<usize>>,
}

impl Transport for Counting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        for &byte in bytes {
            if let Some(Ok(_)) = self.requests.push(byte) {
                self.open += 1;
            }
        }
        let mut most = self.most.lock().unwrap();
        *most = self.open.max(*most);
        self.line.write(bytes)
    }

    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> io::Result<usize> {
        let count = self.line.read(buffer, limit)?;
        for &byte in &buffer[..count] {
            if let Some(Ok(frame)) = self.replies.push(byte) {
                assert!(frame.kind != kind::NAK && frame.kind & REPLY != 0);
                self.open -= 1;
            }
        }
        Ok(count)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.line.clear()
    }

    fn now(&self) -> Duration {
        self.line.now()
    }
}

#[test]
fn the_credits_are_used_and_kept() {
    let most = Arc::new(Mutex::new(0));
    let line = Counting {
        line: DeviceTransport::new(Device::new(CONFIG)),
        requests: FrameReader::default(),
        replies: FrameReader::default(),
        open: 0,
        most: most.clone(),
    };
    let mut board = Board::connect(Box::new(line), 7).unwrap();
    assert_eq!(*most.lock().unwrap(), 1);
    board.deploy(&network(200), |_, _| {}).unwrap();
    board.infer_batch((0..50).map(train)).unwrap();
    assert_eq!(*most.lock().unwrap(), usize::from(CONFIG.core.frame_slots));
}

/// A core of few lanes, with which an image takes long.
const SMALL: DeviceConfig = DeviceConfig {
    core: CoreConfig {
        lanes: 8,
        banks: 1,
        beats: 1,
        weight_rows: 32_768,
        fold_slots: 64,
        input_rows: 1024,
        hidden_rows: 512,
        frame_slots: 4,
        input_buffers: 2,
    },
    ..CONFIG
};

/// The line to a board that is simulated: all that it does takes so many times longer than its clock says.
struct Simulated {
    line: DeviceTransport,
    slowness: u32,
    now: Arc<Mutex<Duration>>,
    /// When it has done all that it was asked.
    done: Duration,
    reply: Vec<u8>,
    /// Replies, and when they are there.
    replies: VecDeque<(Duration, Vec<u8>)>,
    /// The kind of replies that never come.
    swallowed: Option<u8>,
}

impl Simulated {
    fn new(config: DeviceConfig, slowness: u32) -> Self {
        Simulated {
            line: DeviceTransport::new(Device::new(config)),
            slowness,
            now: Arc::default(),
            done: Duration::ZERO,
            reply: Vec::new(),
            replies: VecDeque::new(),
            swallowed: None,
        }
    }

    fn work(&mut self, amount: u64, a_second: u32) {
        let time = Duration::from_secs(amount) / a_second;
        self.done = self.done.max(self.now()) + time * self.slowness;
    }
}

impl Transport for Simulated {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.line.write(bytes)?;
        self.work(10 * bytes.len() as u64, CONFIG.baud);
        let mut buffer = [0];
        while self.line.read(&mut buffer, Duration::ZERO)? > 0 {
            self.reply.push(buffer[0]);
            self.work(10, CONFIG.baud);
            if buffer[0] != 0 {
                continue;
            }
            let bytes = std::mem::take(&mut self.reply);
            let mut reader = FrameReader::default();
            let frame = bytes.iter().find_map(|&byte| reader.push(byte));
            let frame = frame.unwrap().unwrap();
            if let Some(answer) = reply::parse_answer(&frame.payload) {
                self.work(answer.cycles.into(), CONFIG.clock_hz);
            }
            if frame.kind == kind::ARM | REPLY {
                // A cycle for each bit of some 100,000 bytes.
                self.work(800_000, CONFIG.clock_hz);
            }
            if self.swallowed != Some(frame.kind) {
                self.replies.push_back((self.done, bytes));
            }
        }
        Ok(())
    }

    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> io::Result<usize> {
        let until = self.now() + limit;
        let is_there = self.replies.front().is_some_and(|(at, _)| *at <= until);
        if !is_there {
            *self.now.lock().unwrap() = until;
            return Ok(0);
        }
        let (at, bytes) = self.replies.pop_front().unwrap();
        let mut now = self.now.lock().unwrap();
        *now = at.max(*now);
        buffer[..bytes.len()].copy_from_slice(&bytes);
        Ok(bytes.len())
    }

    fn clear(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn now(&self) -> Duration {
        *self.now.lock().unwrap()
    }
}

/// An image takes seconds, and so does a chunk on the line: right answers, and nothing is taken for a fault.
#[test]
fn a_slow_simulation_is_waited_for() {
    let network = network(400);
    for (slowness, frame_slots) in [
        (1, 4),
        (30, 4),
        (500, 4),
        (2_000, 2),
        (5_000, 2),
        (5_000, 4),
    ] {
        let mut config = SMALL;
        config.core.frame_slots = frame_slots;
        let line = Simulated::new(config, slowness);
        let clock = line.now.clone();
        let mut board = Board::connect(Box::new(line), 5).unwrap();
        let deployed = board.deploy(&network, |_, _| {}).unwrap();
        let trains: Vec<SpikeTrain> = (0..12).map(train).collect();
        let start = *clock.lock().unwrap();
        let answers = board.infer_batch(&trains).unwrap();
        assert_eq!(answers.len(), 12);
        let an_image = (*clock.lock().unwrap() - start) / 12;
        println!(
            "{slowness}: {:?} to deploy, {an_image:?} an image",
            deployed.time
        );
        assert!(slowness < 5_000 || an_image > Duration::from_secs(5));
        for (answer, train) in answers.iter().zip(&trains) {
            let expected = golden::run(&network, train).unwrap().decision;
            assert_eq!(answer.decision, expected);
        }
        assert_eq!(board.traffic().recoveries, 0);
    }
}

/// A board that says who it is and never more than that: slow is what it is called, and not a bad line.
#[test]
fn a_board_that_only_says_who_it_is_is_called_slow() {
    let mut line = Simulated::new(SMALL, 1);
    line.swallowed = Some(kind::ARM | REPLY);
    let mut board = Board::connect(Box::new(line), 5).unwrap();
    let error = board.deploy(&network(10), |_, _| {}).unwrap_err();
    assert!(matches!(error, DriverError::NoReply { .. }), "{error}");
    let text = error.to_string();
    assert!(text.starts_with("the board is too slow"), "{text}");
    assert!(text.contains("to ARM came within 10.0 s"), "{text}");
}

/// No image takes longer than it is given.
#[test]
fn most_cycles_are_never_exceeded() {
    for (lanes, banks, beats) in [(8, 1, 1), (16, 4, 1), (64, 1, 4), (64, 8, 2), (256, 8, 1)] {
        let core = CoreConfig {
            lanes,
            banks,
            beats,
            ..SMALL.core
        };
        for (sizes, steps) in [
            (vec![1, 1], 1),
            (vec![300, 1], 256),
            (vec![500, 200, 7], 256),
            (vec![9, 100, 8, 90], 256),
            (vec![256, 60, 50, 40, 300], 7),
        ] {
            for threshold in [1, 2, 1000] {
                let layers = (sizes.windows(2))
                    .map(|pair| {
                        Layer::from_fn(pair[0], vec![threshold; pair[1]], |_, _| true).unwrap()
                    })
                    .collect();
                let network = Network::new(steps, layers).unwrap();
                let image = fit(&network, &core).unwrap();
                let most = load::most_cycles(&image);
                let mut model = CycleModel::new(&image);
                for spread in [1, 3, steps] {
                    let raw = (0..sizes[0]).map(|i| (i % spread) as u16 % steps as u16);
                    let train = SpikeTrain::from_raw(raw.collect());
                    let cycles = u64::from(model.infer(&train.events()).cycles);
                    assert!(cycles <= most, "{cycles} of {most}: {core:?}, {sizes:?}");
                }
            }
        }
    }
}
