//! What can stand behind a serial port.

use crate::SimError;
use std::time::Duration;

/// A device with a UART: bytes go in, time passes, bytes come out.
pub trait VirtualDevice: Send {
    /// Lets the device take bytes from `input`, work for a while, and append what it sends to `output`.
    ///
    /// It takes as many bytes as it has time for and says how many. One call lasts some milliseconds at most, and
    /// ends early when there is something to hand over. With an empty `input` time passes.
    fn exchange(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<Progress, SimError>;

    /// The speed at which the host's end of the line sends and receives from now on, in baud.
    fn set_host_rate(&mut self, baud: u32);

    /// The baud rate of the device itself.
    fn rate(&self) -> u32;

    /// Bytes from the device, or to it where it can tell, that did not have a start and a stop bit where the other end
    /// looked for them. Not zero means that the ends do not agree about the baud rate.
    fn framing_errors(&self) -> u64;

    /// The clocks since power-up, where each of them is simulated.
    fn clocks(&self) -> Option<u64> {
        None
    }
}

/// How far [`VirtualDevice::exchange`] came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// How many bytes of the input were taken.
    pub consumed: usize,
    /// When the device wants to be called again.
    pub next: Next,
}

/// When a device wants to be called again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// At once: it is at work.
    Now,
    /// When there is input, or after this time at the latest.
    After(Duration),
    /// When there is input: it has nothing to do.
    Input,
}
