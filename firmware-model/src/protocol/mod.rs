//! The link between host and device: see docs/protocol.md, which explains all of it.
//!
//! - [`frame`]: bytes on the wire to frames and back
//! - [`request`], [`reply`]: the payloads, written and read
//! - [`info`]: what a device says of itself
//! - [`spikes`]: the spike codes

pub mod frame;
pub mod info;
pub mod reply;
pub mod request;
pub mod spikes;

pub use frame::{Frame, FrameError, FrameReader};
pub use info::{DeviceConfig, InfoPayload};
pub use request::Request;

/// The protocol's version.
pub const VERSION: u8 = 2;
/// The letters with which the payload of INFO's reply begins.
pub const MAGIC: [u8; 4] = *b"FSPK";
/// The longest decoded frame, in bytes.
pub const MAX_FRAME: usize = 256;
/// The shortest decoded frame: kind, sequence, check.
pub const MIN_FRAME: usize = 4;
/// The longest payload.
pub const MAX_PAYLOAD: usize = MAX_FRAME - MIN_FRAME;
/// What is added to a request's kind in its reply.
pub const REPLY: u8 = 0x80;
/// The time that may pass between two bytes of a frame, in bit times.
pub const WATCHDOG_BITS: u32 = 65_536;
/// Bit 7 of a SPIKES chunk number: the last chunk of its image.
pub const LAST_CHUNK: u8 = 0x80;

/// The kinds of frames.
pub mod kind {
    pub const INFO: u8 = 0x01;
    pub const GEOMETRY: u8 = 0x10;
    pub const WEIGHTS: u8 = 0x11;
    pub const MARGINS: u8 = 0x12;
    pub const ARM: u8 = 0x13;
    pub const SPIKES: u8 = 0x20;
    pub const STATUS: u8 = 0x30;
    /// Sent by the device alone, about a frame that it could not take.
    pub const NAK: u8 = 0xFF;
}

/// The first byte of a reply's payload.
pub mod status {
    pub const OK: u8 = 0;
    pub const BAD_FRAME: u8 = 1;
    pub const UNKNOWN_KIND: u8 = 2;
    pub const BAD_LENGTH: u8 = 3;
    pub const NOT_ARMED: u8 = 4;
    pub const MEMORY_CHECK: u8 = 5;
    pub const BAD_SPIKE: u8 = 6;
    pub const OUT_OF_ORDER: u8 = 7;
    pub const OUT_OF_RANGE: u8 = 8;
    pub const OVERRUN: u8 = 9;
    pub const TIMEOUT: u8 = 10;
}

/// The leading bits of a spike code, and what the rest of the byte counts.
pub mod spike_code {
    /// `0ddddddd`: a spike.
    pub const SPIKE_MAX: u8 = 0x7F;
    /// `10dddddd`: skip inputs.
    pub const SKIP: u8 = 0x80;
    /// The inputs that one count of a skip passes over.
    pub const SKIP_UNIT: usize = 128;
    /// `11dddddd`: go on to a later step.
    pub const STEP: u8 = 0xC0;
    /// The largest count minus one of a skip or a step.
    pub const COUNT_MAX: u8 = 0x3F;
}

/// The name of a status in docs/protocol.md; `None` for a number that has none.
pub fn status_name(status: u8) -> Option<&'static str> {
    const NAMES: [&str; 11] = [
        "OK",
        "BAD_FRAME",
        "UNKNOWN_KIND",
        "BAD_LENGTH",
        "NOT_ARMED",
        "MEMORY_CHECK",
        "BAD_SPIKE",
        "OUT_OF_ORDER",
        "OUT_OF_RANGE",
        "OVERRUN",
        "TIMEOUT",
    ];
    NAMES.get(usize::from(status)).copied()
}
