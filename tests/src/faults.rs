//! A line that damages what it carries, and sessions over it.

use firmware_model::golden;
use firmware_model::network::{Decision, Layer, Network, SpikeTrain};
use firstspike::driver::{
    Board, DeviceTransport, DriverError, Transport, INFO_ATTEMPTS, MAX_RECOVERIES,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The inputs of [`network`].
pub const INPUTS: usize = 700;
/// The most credits that a device of the tests gives.
const MAX_CREDITS: u32 = 8;
/// The steps of [`network`].
pub const STEPS: usize = 16;
/// The network of all sessions: 700-20-10, its weights random.
pub fn network() -> Network {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut layer = |inputs: usize, neurons: usize, threshold: i32| {
        Layer::from_fn(inputs, vec![threshold; neurons], |_, _| random.random()).unwrap()
    };
    Network::new(STEPS, vec![layer(INPUTS, 20, 6), layer(20, 10, 2)]).unwrap()
}

/// Images of one to three chunks, each with its right answer. Neighbours differ in class, so that a
/// reply put to the wrong image shows.
pub fn images(count: usize, seed: u64) -> Vec<(SpikeTrain, Decision)> {
    let network = network();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut images: Vec<(SpikeTrain, Decision)> = Vec::new();
    while images.len() < count {
        let density = random.random_range(0.02..0.95);
        let raw = (0..INPUTS).map(|_| match random.random_bool(density) {
            true => random.random_range(0..STEPS as u16),
            false => SpikeTrain::SILENT,
        });
        let train = SpikeTrain::from_raw(raw.collect());
        let decision = golden::run(&network, &train).unwrap().decision;
        let before = images.last().map(|(_, decision)| decision.class);
        if before != Some(decision.class) {
            images.push((train, decision));
        }
    }
    images
}

/// How often what happens: to each byte, and to each piece that is written or read at once.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rates {
    pub flip: f64,
    pub lose: f64,
    pub zero: f64,
    pub insert: f64,
    pub double: f64,
    pub cut: f64,
    pub drop: f64,
    pub delay: f64,
}

/// A transport on which time can be let pass.
pub trait Line: Transport {
    fn pass(&mut self, time: Duration);
}

impl Line for DeviceTransport {
    fn pass(&mut self, time: Duration) {
        DeviceTransport::pass(self, time);
    }
}

/// A line to a device that does damage in both directions.
pub struct BadLine<L> {
    line: L,
    rates: Rates,
    random: ChaCha8Rng,
    to_host: VecDeque<u8>,
    writes: u64,
    faults: u64,
}

impl<L: Line> BadLine<L> {
    pub fn new(line: L, rates: Rates, seed: u64) -> Self {
        BadLine {
            line,
            rates,
            random: ChaCha8Rng::seed_from_u64(seed),
            to_host: VecDeque::new(),
            writes: 0,
            faults: 0,
        }
    }

    fn happens(&mut self, rate: f64) -> bool {
        let happens = self.random.random_bool(rate);
        self.faults += u64::from(happens);
        happens
    }

    /// What is left of `bytes` on the other side.
    fn damage(&mut self, bytes: &[u8]) -> Vec<u8> {
        let rates = self.rates;
        if bytes.is_empty() || self.happens(rates.drop) {
            return Vec::new();
        }
        let mut out = Vec::new();
        for &byte in bytes {
            if self.happens(rates.lose) {
                continue;
            }
            if self.happens(rates.zero) {
                out.push(0);
            }
            if self.happens(rates.insert) {
                out.push(self.random.random());
            }
            let bit = self.random.random_range(0..8);
            out.push(byte ^ u8::from(self.happens(rates.flip)) << bit);
        }
        if self.happens(rates.double) {
            let from = self.random.random_range(0..=out.len());
            let to = self.random.random_range(from..=out.len());
            let again = out[from..to].to_vec();
            out.splice(to..to, again);
        }
        if self.happens(rates.cut) {
            let left = self.random.random_range(0..=out.len());
            out.truncate(left);
        }
        out
    }
}

impl<L: Line> Transport for BadLine<L> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.writes += 1;
        let bytes = self.damage(bytes);
        if !self.happens(self.rates.delay) {
            return self.line.write(&bytes);
        }
        let (head, tail) = bytes.split_at(self.random.random_range(0..=bytes.len()));
        self.line.write(head)?;
        self.line.pass(Duration::from_millis(30));
        self.line.write(tail)
    }

    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> io::Result<usize> {
        if self.to_host.is_empty() {
            let mut fresh = [0; 200];
            let count = self.line.read(&mut fresh, limit)?;
            let fresh = self.damage(&fresh[..count]);
            self.to_host.extend(fresh);
        }
        let count = buffer.len().min(self.to_host.len());
        for (place, byte) in buffer.iter_mut().zip(self.to_host.drain(..count)) {
            *place = byte;
        }
        Ok(count)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.to_host.clear();
        self.line.clear()
    }

    fn now(&self) -> Duration {
        self.line.now()
    }
}

/// A line that the test and the driver both hold.
pub struct Shared<T>(pub Arc<Mutex<T>>);

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Shared(self.0.clone())
    }
}

impl<T: Transport + 'static> Shared<T> {
    pub fn new(line: T) -> Self {
        Shared(Arc::new(Mutex::new(line)))
    }

    pub fn connect(&self, nonce: u16) -> Result<Board, DriverError> {
        Board::connect(Box::new(self.clone()), nonce)
    }
}

impl<T: Transport> Transport for Shared<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.lock().unwrap().write(bytes)
    }

    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> io::Result<usize> {
        self.0.lock().unwrap().read(buffer, limit)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.0.lock().unwrap().clear()
    }

    fn now(&self) -> Duration {
        self.0.lock().unwrap().now()
    }
}

/// What came of the images of one or more sessions.
#[derive(Debug, Default)]
pub struct Tally {
    pub right: usize,
    pub named_errors: usize,
    pub recoveries: u64,
    pub faults: u64,
}

/// A session: find the board, load it, classify. When something ends in an error, go on with the rest.
/// Each call must end within the bounds that the driver gives itself.
///
/// # Panics
/// When an answer is wrong, an error is not one that a bad line explains, or a bound is broken.
pub fn session(
    line: impl Line + 'static,
    rates: Rates,
    seed: u64,
    images: &[(SpikeTrain, Decision)],
    tally: &mut Tally,
) {
    let network = network();
    let line = Shared::new(BadLine::new(line, rates, seed));
    let mut board = None;
    let mut loaded = false;
    let mut next = 0;
    while next < images.len() {
        let writes = line.0.lock().unwrap().writes;
        let start = line.now();
        let recoveries = board.as_ref().map_or(0, |b: &Board| b.traffic().recoveries);
        let (result, jobs) = match &mut board {
            None => {
                let connected = line.connect(seed as u16 + 257 * next as u16);
                (connected.map(|found| board = Some(found)), 2)
            }
            Some(board) if !loaded => {
                let deployed = board.deploy(&network, |_, _| {});
                loaded = deployed.is_ok();
                next += usize::from(!loaded);
                (deployed.map(|_| ()), 100)
            }
            Some(board) => {
                let rest = &images[next..];
                let from = next;
                let result = board.infer_each(rest.iter().map(|(train, _)| train), |i, found| {
                    let (_, expected) = &images[from + i];
                    assert_eq!(
                        &found.decision,
                        expected,
                        "image {} of seed {seed}",
                        from + i
                    );
                    tally.right += 1;
                    next += 1;
                });
                if result.is_err() {
                    next += 1; // This image ended in an error.
                }
                (result, next - from + 4)
            }
        };
        if let Some(board) = &board {
            tally.recoveries += board.traffic().recoveries - recoveries;
        }
        if let Err(error) = result {
            tally.named_errors += 1;
            match error {
                DriverError::Unreliable { .. }
                | DriverError::NoReply { .. }
                | DriverError::Lost => {}
                DriverError::Silent | DriverError::Garbage if board.is_none() => next += 1,
                // Of frames with more than three wrong bits the check lets one in 65,536 pass: INFO has
                // a check of its own besides.
                DriverError::Info(_) if rates.flip > 0.01 => next += 1,
                // A doubled piece of the loading can disarm again: the error says to deploy anew.
                DriverError::NotArmed if rates.double > 0.0 => loaded = false,
                other => panic!("{other}, from a fault of the line alone ({rates:?}, seed {seed})"),
            }
        }
        let rounds = jobs as u64 * u64::from(MAX_RECOVERIES + 1);
        let writes = line.0.lock().unwrap().writes - writes;
        let most = rounds * u64::from(MAX_CREDITS + INFO_ATTEMPTS);
        assert!(writes <= most, "{writes} writes for {jobs} jobs");
        // A round is at most the time limit of a reply and of a recovery.
        let time = line.now() - start;
        assert!(time <= Duration::from_secs(27 * rounds), "{time:?}");
    }
    tally.faults += line.0.lock().unwrap().faults;
}
