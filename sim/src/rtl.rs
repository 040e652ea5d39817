//! The Verilated board as a virtual device.

use crate::device::{Next, Progress, VirtualDevice};
use crate::library::{Bench, Library, Slice};
use crate::SimError;
use firmware_model::protocol::WATCHDOG_BITS;
use std::path::PathBuf;

/// How a board is run.
#[derive(Debug, Clone)]
pub struct RtlOptions {
    /// The frequency of the clock on the port `clock`, in Hz.
    pub clock_hz: u32,
    /// The baud rate of the board's UART.
    pub baud: u32,
    /// What unwritten registers and memories hold at power-up follows from it.
    pub seed: u64,
    /// The waveform to write, if the library was compiled for one.
    pub trace: Option<Trace>,
}

/// A waveform of some of a board's clocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The file, replaced if it is there. It is whole when the last of its clocks has passed, or the board is dropped.
    pub path: PathBuf,
    /// The first clock, counted from power-up.
    pub from: u64,
    /// How many clocks.
    pub clocks: u64,
}

/// A bit must last at least so many clocks for a UART to find its middle.
const LEAST_CLOCKS_PER_BIT: u32 = 2;

/// The clocks between power-up and the first byte: resets are over by then, and a real board has always waited longer.
const POWER_UP_CLOCKS: u64 = 4096;

/// The clocks of one exchange at most: a few milliseconds.
const SLICE_CLOCKS: u64 = 16_384;

/// The clocks of one exchange without input: about a millisecond, so that input is not kept waiting.
const WAITING_CLOCKS: u64 = 2_048;

/// The bytes that one exchange hands over at most: at the least clocks per bit they take longer than a slice.
const BUFFER: usize = 1024;

/// The quiet bit times after which a board is taken to be idle. The longest that one works without a sign is reading
/// back its memories; and a frame that was cut short is given up after one watchdog time.
const IDLE_BITS: u64 = 4 * WATCHDOG_BITS as u64;

/// A board's top level under Verilator, its UART pins driven bit for bit.
pub struct RtlBoard {
    bench: Bench,
    slice: Slice,
    clock_hz: u32,
    baud: u32,
    clocks: u64,
    framing_errors: u64,
    buffer: Vec<u8>,
}

impl RtlBoard {
    /// Powers the board up and lets its resets pass.
    pub fn new(library: &Library, options: &RtlOptions) -> Result<Self, SimError> {
        if options.baud == 0 || options.clock_hz / options.baud < LEAST_CLOCKS_PER_BIT {
            return Err(SimError::LineRate {
                baud: options.baud,
                clock_hz: options.clock_hz,
                least: LEAST_CLOCKS_PER_BIT,
            });
        }
        let mut board = RtlBoard {
            bench: library.power_up(options.seed, options.trace.as_ref())?,
            slice: Slice {
                clocks: SLICE_CLOCKS,
                idle_clocks: IDLE_BITS * u64::from(options.clock_hz) / u64::from(options.baud),
                bit: bit_length(options.clock_hz, options.baud),
            },
            clock_hz: options.clock_hz,
            baud: options.baud,
            clocks: 0,
            framing_errors: 0,
            buffer: vec![0; BUFFER],
        };
        // Whatever the transmit pin did before it was set is nothing that anybody sent.
        while board.clocks < POWER_UP_CLOCKS {
            let clocks = POWER_UP_CLOCKS - board.clocks;
            board.run(
                Slice {
                    clocks,
                    ..board.slice
                },
                &[],
                &mut Vec::new(),
            )?;
        }
        board.framing_errors = 0;
        Ok(board)
    }

    /// The clocks since power-up.
    pub fn clocks(&self) -> u64 {
        self.clocks
    }

    fn run(
        &mut self,
        slice: Slice,
        input: &[u8],
        output: &mut Vec<u8>,
    ) -> Result<Progress, SimError> {
        let ran = self.bench.run(slice, input, &mut self.buffer)?;
        output.extend_from_slice(&self.buffer[..ran.produced]);
        self.clocks += ran.clocks;
        self.framing_errors += u64::from(ran.framing_errors);
        Ok(Progress {
            consumed: ran.consumed,
            next: if ran.idle { Next::Input } else { Next::Now },
        })
    }
}

impl VirtualDevice for RtlBoard {
    fn exchange(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<Progress, SimError> {
        let clocks = if input.is_empty() {
            WAITING_CLOCKS
        } else {
            SLICE_CLOCKS
        };
        self.run(
            Slice {
                clocks,
                ..self.slice
            },
            input,
            output,
        )
    }

    fn set_host_rate(&mut self, baud: u32) {
        self.slice.bit = bit_length(self.clock_hz, baud);
    }

    fn rate(&self) -> u32 {
        self.baud
    }

    fn framing_errors(&self) -> u64 {
        self.framing_errors
    }

    fn clocks(&self) -> Option<u64> {
        Some(self.clocks)
    }
}

/// The length of a bit in 1/256 of a clock, rounded, and at least one clock.
fn bit_length(clock_hz: u32, baud: u32) -> u32 {
    let clocks = u64::from(clock_hz) * 256;
    let bit = (clocks + u64::from(baud) / 2) / u64::from(baud.max(1));
    bit.clamp(256, u64::from(u32::MAX)) as u32
}
