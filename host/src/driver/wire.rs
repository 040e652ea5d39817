//! Frames over a transport.

use super::Transport;
use firmware_model::protocol::{Frame, FrameReader};
use std::collections::VecDeque;
use std::io;
use std::time::Duration;

/// What has gone over the line since it was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes from the host to the board.
    pub sent: u64,
    /// Bytes from the board to the host.
    pub received: u64,
    /// Recoveries; the opening is none.
    pub recoveries: u64,
}

/// What comes from the board.
pub(super) enum Event {
    Frame(Frame),
    /// Bytes that are no frame.
    Damaged,
    /// Nothing, until the deadline.
    Silence,
}

pub(super) struct Wire {
    transport: Box<dyn Transport>,
    reader: FrameReader,
    received: VecDeque<u8>,
    pub traffic: Traffic,
}

impl Wire {
    /// Over `transport`, without what had come before.
    pub fn new(mut transport: Box<dyn Transport>) -> io::Result<Self> {
        transport.clear()?;
        Ok(Wire {
            transport,
            reader: FrameReader::default(),
            received: VecDeque::new(),
            traffic: Traffic::default(),
        })
    }

    pub fn now(&self) -> Duration {
        self.transport.now()
    }

    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.traffic.sent += bytes.len() as u64;
        self.transport.write(bytes)
    }

    /// Waits for the next event, at most until `deadline`. What has come is looked at even when the
    /// deadline is over.
    pub fn event(&mut self, deadline: Duration) -> io::Result<Event> {
        loop {
            while let Some(byte) = self.received.pop_front() {
                match self.reader.push(byte) {
                    Some(Ok(frame)) => return Ok(Event::Frame(frame)),
                    Some(Err(_)) => return Ok(Event::Damaged),
                    None => {}
                }
            }
            let now = self.now();
            if now >= deadline {
                return Ok(Event::Silence);
            }
            let mut buffer = [0; 1024];
            let count = self.transport.read(&mut buffer, deadline - now)?;
            self.traffic.received += count as u64;
            self.received.extend(&buffer[..count]);
        }
    }

    /// Forgets a frame that has begun: the rest of it did not come.
    pub fn drop_partial(&mut self) {
        self.reader.drop_partial();
    }
}
