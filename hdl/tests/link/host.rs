//! The host's end of the wire, and the bench that joins all.

use crate::core::FakeCore;
use crate::setup::{compiled, Setup};
use crate::verilated::{ClockFunction, Inputs, Outputs, Pins};
use firmware_model::protocol::{kind, status, Frame, FrameReader};
use std::collections::VecDeque;

/// A host at one end of the wire, the link at the other, a core behind it.
pub struct Bench {
    pub setup: Setup,
    pub core: FakeCore,
    pub outputs: Outputs,
    /// Clocks since power-up.
    pub now: u64,
    /// Clocks of a bit as the host's clock has it.
    pub host_bit: f64,
    pins: Pins,
    clock_function: ClockFunction,
    inputs: Inputs,
    /// Levels still to send, and for how many clocks.
    levels: VecDeque<(bool, f64)>,
    /// When the present level ends.
    level_ends: f64,
    receiver: Receiver,
}

/// Samples the link's pin in the middle of each bit.
struct Receiver {
    sample_at: Option<f64>,
    bit: u32,
    shift: u16,
    bytes: Vec<u8>,
}

impl Bench {
    pub fn new(setup: Setup) -> Self {
        let pins = Pins::new(compiled(&setup));
        Bench {
            core: FakeCore::new(setup.core.input_buffers),
            outputs: Outputs::default(),
            now: 0,
            host_bit: setup.divisor.into(),
            clock_function: pins.clock_function(),
            pins,
            inputs: Inputs {
                uart_rx: 1,
                spikes_ready: 1,
                ..Inputs::default()
            },
            levels: VecDeque::new(),
            level_ends: 0.0,
            receiver: Receiver {
                sample_at: None,
                bit: 0,
                shift: 0,
                bytes: vec![],
            },
            setup,
        }
    }

    /// A bench whose link is armed, with the replies read.
    pub fn armed(setup: Setup) -> Self {
        let mut bench = Bench::new(setup);
        bench.core.crc = 0x1234_0078;
        bench.arm();
        bench
    }

    pub fn arm(&mut self) {
        let geometry = crate::geometry(&self.setup.core);
        self.ask(frame(kind::GEOMETRY, 1, &geometry), &[status::OK]);
        let crc = self.core.crc.to_le_bytes();
        let expected = [&[status::OK], crc.as_slice()].concat();
        self.ask(frame(kind::ARM, 2, &crc), &expected);
        assert_eq!(self.outputs.armed, 1);
    }

    /// Sends bytes one behind the other.
    pub fn send(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.send_bits((u16::from(byte) << 1) | 0x200, 10);
        }
    }

    /// Sends `count` bits, the lowest first.
    pub fn send_bits(&mut self, bits: u16, count: u32) {
        for bit in 0..count {
            self.level(bits >> bit & 1 == 1, self.host_bit);
        }
    }

    /// Holds the line for some clocks, after what is still to be sent.
    pub fn level(&mut self, level: bool, clocks: f64) {
        self.levels.push_back((level, clocks));
    }

    pub fn is_sending(&self) -> bool {
        !self.levels.is_empty() || self.level_ends > self.now as f64
    }

    pub fn clock(&mut self) {
        let now = self.now as f64;
        while self.level_ends <= now {
            match self.levels.pop_front() {
                Some((level, clocks)) => {
                    // A line that was idle starts at this clock, one that was not goes on.
                    let start = match now - self.level_ends < 1.0 {
                        true => self.level_ends,
                        false => now,
                    };
                    self.level_ends = start + clocks;
                    self.inputs.uart_rx = level.into();
                }
                None => {
                    self.inputs.uart_rx = 1;
                    break;
                }
            }
        }
        self.outputs = self.pins.clock(self.clock_function, &self.inputs);
        self.core.clock(&self.outputs, &mut self.inputs);
        self.receiver
            .clock(self.outputs.uart_tx != 0, now, self.host_bit);
        self.now += 1;
    }

    pub fn run(&mut self, clocks: u64) {
        (0..clocks).for_each(|_| self.clock());
    }

    /// Bit times to clocks.
    pub fn bits(&self, bits: u64) -> u64 {
        bits * u64::from(self.setup.divisor)
    }

    /// Runs until all is sent and nothing has come for a while.
    pub fn settle(&mut self) {
        let mut quiet = 0;
        let limit = self.core.infer_clocks + self.core.verify_clocks + self.bits(100) + 2000;
        let mut seen = 0;
        while quiet < limit {
            self.clock();
            let active = self.is_sending() || self.receiver.bytes.len() != seen;
            seen = self.receiver.bytes.len();
            quiet = if active { 0 } else { quiet + 1 };
        }
    }

    /// How many bytes wait to be asked for.
    pub fn received_count(&self) -> usize {
        self.receiver.bytes.len()
    }

    /// The bytes that came since this was asked last.
    pub fn received(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.receiver.bytes)
    }

    /// The frames that came since this was asked last; all bytes must be of good frames.
    pub fn received_frames(&mut self) -> Vec<Frame> {
        let bytes = self.received();
        let mut reader = FrameReader::default();
        let frames = (bytes.iter().filter_map(|&byte| reader.push(byte)))
            .map(|found| found.expect("the link sends good frames"))
            .collect();
        assert!(!reader.is_within_frame(), "the link closes its frames");
        frames
    }

    /// Runs until so many frames have come; at most `limit` clocks.
    pub fn wait_frames(&mut self, count: usize, limit: u64) {
        let end = self.now + limit;
        while self
            .receiver
            .bytes
            .iter()
            .filter(|&&byte| byte == 0)
            .count()
            < count
        {
            assert!(self.now < end, "{count} frames within {limit} clocks");
            self.clock();
        }
    }

    /// Sends a request and expects one reply with this payload, byte for byte.
    pub fn ask(&mut self, request: Frame, payload: &[u8]) {
        self.send(&request.to_wire());
        self.settle();
        let expected = reply(&request, payload).to_wire();
        assert_eq!(self.received(), expected, "the reply to {request:?}");
    }

    /// Expects these frames and nothing else, byte for byte.
    pub fn expect(&mut self, frames: &[Frame]) {
        self.settle();
        let expected: Vec<u8> = frames.iter().flat_map(Frame::to_wire).collect();
        let found = self.received();
        assert_eq!(found, expected, "expected {frames:?}");
    }

    /// The payload of INFO's reply.
    pub fn info(&self, armed: bool, crc: u32) -> Vec<u8> {
        let mut bytes = vec![status::OK];
        bytes.extend(self.setup.info());
        bytes.push(armed.into());
        bytes.extend(crc.to_le_bytes());
        bytes
    }
}

impl Receiver {
    fn clock(&mut self, level: bool, now: f64, bit: f64) {
        match self.sample_at {
            None if !level => {
                (self.bit, self.shift) = (0, 0);
                self.sample_at = Some(now + bit / 2.0);
            }
            Some(at) if now >= at => {
                self.shift |= u16::from(level) << self.bit;
                self.bit += 1;
                self.sample_at = Some(at + bit);
                if self.bit == 10 {
                    assert_eq!(self.shift & 0x201, 0x200, "start and stop bit");
                    self.bytes.push((self.shift >> 1) as u8);
                    self.sample_at = None;
                }
            }
            _ => {}
        }
    }
}

pub fn frame(kind: u8, sequence: u8, payload: &[u8]) -> Frame {
    Frame {
        kind,
        sequence,
        payload: payload.to_vec(),
    }
}

/// The reply to a request.
pub fn reply(request: &Frame, payload: &[u8]) -> Frame {
    frame(
        request.kind | firmware_model::protocol::REPLY,
        request.sequence,
        payload,
    )
}

pub fn nak(status: u8) -> Frame {
    frame(kind::NAK, 0, &[status])
}
