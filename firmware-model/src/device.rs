//! The device as software: the same answers on the link as the gateware gives, by the cycle model.
//!
//! What it does not show is time: it answers at once, so its frame slots are never full, and its
//! clock advances with the bytes of the link and the cycles of its inferences, one after the other.
//! So the clock cycles that its core waits for an image are all those of the link since the image before;
//! the gateware receives while it computes, and waits less.

mod memories;

use crate::cycle::CycleModel;
use crate::network::Spike;
use crate::protocol::reply::{self, Answer, Counters};
use crate::protocol::spikes::{next_chunk, BadSpike, SpikeDecoder};
use crate::protocol::{kind, status, Frame, FrameReader, InfoPayload, Request};
use crate::protocol::{REPLY, WATCHDOG_BITS};
use memories::Memories;

pub use crate::protocol::DeviceConfig;

/// The bit times of one byte on the link: start, eight bits, stop.
pub const BITS_PER_BYTE: u64 = 10;

/// A device between two pieces of wire.
#[derive(Debug, Clone)]
pub struct Device {
    config: DeviceConfig,
    reader: FrameReader,
    /// Bit times since the last byte.
    quiet_bits: u64,
    memories: Memories,
    armed: Option<CycleModel>,
    memory_crc: u32,
    incoming: Option<Incoming>,
    link_bits: u64,
    busy_cycles: u64,
    /// `link_bits` when the last inference was done.
    idle_since: u64,
    bad_frames: u8,
}

/// An image whose last chunk has not come.
#[derive(Debug, Clone)]
struct Incoming {
    image: u8,
    next_chunk: u8,
    decoder: SpikeDecoder,
    spikes: Vec<Spike>,
    /// The spikes queued in each bank.
    queued: Vec<u16>,
}

impl Device {
    /// A device that was just switched on, its memories full of junk.
    ///
    /// # Panics
    /// When `config.core` is not one that [`crate::config::CoreConfig::check`] takes.
    pub fn new(config: DeviceConfig) -> Self {
        Device::with_junk(config, 0)
    }

    /// As [`Device::new`]; another seed is other junk.
    pub fn with_junk(config: DeviceConfig, seed: u64) -> Self {
        config.core.check().expect("the core's sizes are checked");
        Device {
            config,
            reader: FrameReader::default(),
            quiet_bits: 0,
            memories: Memories::with_junk(&config.core, seed),
            armed: None,
            memory_crc: 0,
            incoming: None,
            link_bits: 0,
            busy_cycles: 0,
            idle_since: 0,
            bad_frames: 0,
        }
    }

    /// What the device was made with.
    pub fn config(&self) -> &DeviceConfig {
        &self.config
    }

    /// Takes bytes from the host, one after the other without a pause; returns what it sends.
    pub fn receive(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut sent = Vec::new();
        for &byte in bytes {
            self.link_bits += BITS_PER_BYTE;
            self.quiet_bits = 0;
            match self.reader.push(byte) {
                Some(Ok(frame)) => sent.extend(self.answer(&frame).to_wire()),
                Some(Err(_)) => sent.extend(self.nak(status::BAD_FRAME)),
                None => {}
            }
        }
        sent
    }

    /// Lets time pass in which nothing comes; returns what the device sends.
    pub fn tick(&mut self, bit_times: u64) -> Vec<u8> {
        self.link_bits += bit_times;
        self.quiet_bits = self.quiet_bits.saturating_add(bit_times);
        if self.reader.is_within_frame() && self.quiet_bits >= u64::from(WATCHDOG_BITS) {
            self.reader.drop_partial();
            return self.nak(status::TIMEOUT);
        }
        Vec::new()
    }

    /// Flips one bit of the weight memory, as a fault of the hardware would.
    pub fn flip_weight_bit(&mut self, bank: usize, row: usize, lane: usize) {
        self.memories.flip_weight_bit(bank, row, lane);
    }

    fn nak(&mut self, status: u8) -> Vec<u8> {
        self.bad_frames = self.bad_frames.saturating_add(1);
        let nak = Frame {
            kind: kind::NAK,
            sequence: 0,
            payload: vec![status],
        };
        nak.to_wire()
    }

    fn answer(&mut self, frame: &Frame) -> Frame {
        if matches!(frame.kind, kind::GEOMETRY | kind::WEIGHTS | kind::MARGINS) {
            self.disarm();
        }
        let payload = match Request::parse(frame, &self.config.core) {
            Ok(request) => self.act(request).unwrap_or_else(|status| vec![status]),
            Err(status) => {
                // A refused chunk ends its image, whatever was wrong with it.
                if frame.kind == kind::SPIKES {
                    self.incoming = None;
                }
                vec![status]
            }
        };
        Frame {
            kind: frame.kind | REPLY,
            sequence: frame.sequence,
            payload,
        }
    }

    /// Does what is asked; an error is the status of a refusal.
    fn act(&mut self, request: Request) -> Result<Vec<u8>, u8> {
        match request {
            Request::Info => Ok(reply::info(&InfoPayload {
                device: self.config,
                armed: self.armed.is_some(),
                memory_crc: self.memory_crc,
            })),
            Request::Geometry(bytes) => {
                self.memories.set_geometry(bytes)?;
                Ok(vec![status::OK])
            }
            Request::Weights { bank, row, rows } => {
                self.memories.write_weights(bank, row, rows);
                Ok(vec![status::OK])
            }
            Request::Margins {
                slot,
                octet,
                margins,
            } => {
                self.memories.write_margins(slot, octet, margins);
                Ok(vec![status::OK])
            }
            Request::Arm(crc) => self.arm(crc),
            Request::Spikes {
                image,
                number,
                last,
                codes,
            } => self.spikes(image, number, last, codes),
            Request::Status => Ok(reply::counters(&self.counters())),
        }
    }

    fn disarm(&mut self) {
        self.armed = None;
        self.incoming = None;
    }

    fn arm(&mut self, expected: u32) -> Result<Vec<u8>, u8> {
        self.disarm();
        let image = self.memories.image();
        self.memory_crc = image.as_ref().map_or(0, |image| image.checksum());
        match image {
            Some(image) if self.memory_crc == expected => {
                memories::check_unused_lanes(&image)?;
                self.armed = Some(CycleModel::new(&image));
                Ok(reply::arm(status::OK, self.memory_crc))
            }
            _ => Ok(reply::arm(status::MEMORY_CHECK, self.memory_crc)),
        }
    }

    fn spikes(&mut self, image: u8, number: u8, last: bool, codes: &[u8]) -> Result<Vec<u8>, u8> {
        let (Some(core), Some(geometry)) = (&mut self.armed, self.memories.geometry()) else {
            return Err(status::NOT_ARMED);
        };
        // Whatever goes wrong below drops the image.
        let before = self.incoming.take();
        let mut incoming = match before {
            _ if number == 0 => Incoming {
                image,
                next_chunk: 0,
                decoder: SpikeDecoder::new(geometry.inputs, geometry.last_step),
                spikes: Vec::new(),
                queued: vec![0; usize::from(self.config.core.banks)],
            },
            Some(incoming) if (incoming.image, incoming.next_chunk) == (image, number) => incoming,
            _ => return Err(status::OUT_OF_ORDER),
        };
        let rows = self.config.core.input_rows;
        (incoming.take(codes, rows)).map_err(|BadSpike| status::BAD_SPIKE)?;
        if last {
            let found = core.infer(&incoming.spikes);
            let idle = self.clocks(self.link_bits - self.idle_since);
            self.busy_cycles += u64::from(found.cycles);
            self.idle_since = self.link_bits;
            return Ok(reply::answer(&Answer {
                decision: found.decision,
                cycles: found.cycles,
                idle: idle as u32,
            }));
        }
        incoming.next_chunk = next_chunk(number);
        self.incoming = Some(incoming);
        Ok(vec![status::OK])
    }

    /// Clock cycles in these bit times.
    fn clocks(&self, bits: u64) -> u64 {
        let DeviceConfig { clock_hz, baud, .. } = self.config;
        (u128::from(bits) * u128::from(clock_hz) / u128::from(baud.max(1))) as u64
    }

    fn counters(&self) -> Counters {
        let clocks = self.clocks(self.link_bits);
        Counters {
            clock: clocks.wrapping_add(self.busy_cycles) as u32,
            busy: self.busy_cycles as u32,
            bad_frames: self.bad_frames.into(),
            overruns: 0,
        }
    }
}

impl Incoming {
    fn take(&mut self, codes: &[u8], rows: u16) -> Result<(), BadSpike> {
        for &code in codes {
            let Some(spike) = self.decoder.push(code)? else {
                continue;
            };
            let banks = self.queued.len();
            let queued = &mut self.queued[usize::from(spike.input) % banks];
            if *queued == rows {
                return Err(BadSpike);
            }
            *queued += 1;
            self.spikes.push(spike);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
