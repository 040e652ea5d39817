//! The driver of a board: docs/protocol.md from the host's side.
//!
//! - [`Board`]: what can be done with a board
//! - [`Transport`]: bytes to and from one, over a serial port ([`SerialTransport`]) or to a device that
//!   runs in this process ([`DeviceTransport`])
//! - `wire`: frames over a transport
//! - `link`: requests, credits and recovery
//! - `load`: a network as requests
//!
//! Whatever happens on the line, a call ends within a bounded time, with right answers or an error
//! that says what to do.

mod board;
mod error;
mod link;
mod load;
mod memory;
mod serial;
mod transport;
mod wire;

pub use board::{fit, Board, Deployment};
pub use error::{DriverError, Fault};
pub use firmware_model::protocol::reply::Answer;
pub use link::{INFO_ATTEMPTS, MAX_RECOVERIES};
pub use memory::DeviceTransport;
pub use serial::{available_ports, SerialTransport};
pub use transport::Transport;
pub use wire::Traffic;

/// The baud rate of the boards that come with firstspike.
pub const DEFAULT_BAUD: u32 = 3_000_000;

#[cfg(test)]
mod tests;
