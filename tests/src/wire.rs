//! A host of few words at a Verilated board: it sends frames, as many as there are credits, and keeps what comes.

use firmware_model::protocol::{Frame, FrameReader};
use firstspike_sim::device::VirtualDevice;
use firstspike_sim::RtlBoard;

/// Clocks within which the slowest request of the tests is answered: ARM, over a whole small memory.
const LIMIT: u64 = 4_000_000;

/// The wire to a board.
pub struct Wire {
    board: RtlBoard,
    reader: FrameReader,
    /// The frames that have come, in order.
    pub received: Vec<Frame>,
}

impl Wire {
    pub fn new(board: RtlBoard) -> Self {
        Wire {
            board,
            reader: FrameReader::default(),
            received: Vec::new(),
        }
    }

    /// The clocks since power-up.
    pub fn clocks(&self) -> u64 {
        self.board.clocks()
    }

    /// Sends bytes one behind the other. Returns the clocks when the last one was on the line.
    pub fn send(&mut self, bytes: &[u8]) -> u64 {
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = self.exchange(rest);
            rest = &rest[taken..];
        }
        self.clocks()
    }

    /// Lets at least so many clocks pass.
    pub fn pass(&mut self, clocks: u64) {
        let end = self.clocks() + clocks;
        while self.clocks() < end {
            self.exchange(&[]);
        }
    }

    /// Runs until so many frames have come in all.
    ///
    /// # Panics
    /// When they do not come.
    pub fn wait(&mut self, frames: usize) {
        let end = self.clocks() + LIMIT;
        while self.received.len() < frames {
            let came = self.received.len();
            assert!(self.clocks() < end, "only {came} of {frames} frames came");
            self.exchange(&[]);
        }
    }

    fn exchange(&mut self, bytes: &[u8]) -> usize {
        let mut sent = Vec::new();
        let ran = self.board.exchange(bytes, &mut sent);
        for byte in sent {
            if let Some(found) = self.reader.push(byte) {
                self.received
                    .push(found.expect("the board sends good frames"));
            }
        }
        ran.expect("the Verilog runs on").consumed
    }
}
