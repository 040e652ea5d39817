//! The driver over a line without faults; tests/tests/protocol_faults.rs has the others.

use super::*;
use firmware_model::config::CoreConfig;
use firmware_model::device::{Device, DeviceConfig};
use firmware_model::golden;
use firmware_model::network::{Layer, Network, SpikeTrain};
use firmware_model::protocol::{kind, FrameReader, REPLY};
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
