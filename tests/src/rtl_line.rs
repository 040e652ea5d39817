//! The generated Verilog as a transport in this process, on its own time.

use crate::faults::Line;
use firstspike::driver::Transport;
use firstspike_sim::device::{Next, VirtualDevice};
use firstspike_sim::RtlBoard;
use std::collections::VecDeque;
use std::io;
use std::time::Duration;

/// The line to a Verilated board. Its clock is the board's: what the host does takes no time.
pub struct RtlLine {
    board: RtlBoard,
    clock_hz: u32,
    to_host: VecDeque<u8>,
    /// Clocks that passed while the board had nothing to do, and was not run for that.
    skipped: u64,
}

impl RtlLine {
    pub fn new(board: RtlBoard, clock_hz: u32) -> Self {
        RtlLine {
            board,
            clock_hz,
            to_host: VecDeque::new(),
            skipped: 0,
        }
    }

    /// Runs the board for a while on `input`. Returns how many bytes of it were taken, and whether the
    /// board has nothing to do.
    fn run(&mut self, input: &[u8]) -> io::Result<(usize, bool)> {
        let mut sent = Vec::new();
        let ran = self.board.exchange(input, &mut sent);
        let ran = ran.map_err(io::Error::other)?;
        self.to_host.extend(sent);
        Ok((ran.consumed, matches!(ran.next, Next::Input)))
    }

    fn clocks(&self) -> u64 {
        self.board.clocks() + self.skipped
    }

    fn clocks_of(&self, time: Duration) -> u64 {
        (time.as_nanos() * u128::from(self.clock_hz)).div_ceil(1_000_000_000) as u64
    }

    /// Runs until `end`, or with `until_sent` until something comes.
    fn run_until(&mut self, end: u64, until_sent: bool) -> io::Result<()> {
        while self.clocks() < end && (!until_sent || self.to_host.is_empty()) {
            let (_, idle) = self.run(&[])?;
            if idle {
                self.skipped += end.saturating_sub(self.clocks());
            }
        }
        Ok(())
    }
}

impl Line for RtlLine {
    fn pass(&mut self, time: Duration) {
        let end = self.clocks() + self.clocks_of(time);
        self.run_until(end, false).expect("the Verilog runs on");
    }
}

impl Transport for RtlLine {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (taken, _) = self.run(rest)?;
            rest = &rest[taken..];
        }
        Ok(())
    }

    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> io::Result<usize> {
        let end = self.clocks() + self.clocks_of(limit);
        self.run_until(end, true)?;
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
        let nanos = u128::from(self.clocks()) * 1_000_000_000 / u128::from(self.clock_hz);
        Duration::from_nanos(nanos as u64)
    }
}
