//! Bytes to and from a device.

use std::io;
use std::time::Duration;

/// A two-way stream of bytes with a sense of time.
pub trait Transport: Send {
    /// Sends all of `bytes`.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Waits for bytes, at most for `limit`, and returns how many of them are in `buffer`: 0 when none
    /// came in time. An end of the stream is an error.
    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> io::Result<usize>;

    /// Throws away what has come and was not read.
    fn clear(&mut self) -> io::Result<()>;

    /// The time since some moment that stays the same.
    fn now(&self) -> Duration;
}
