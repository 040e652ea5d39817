//! The firstspike device as software.
//!
//! One concept has one home, and for everything that host, hardware and simulation must agree on,
//! the home is here:
//!
//! - [`network`]: a binarized single-spike network and the spikes that go into it
//! - [`golden`]: the rules of the network as naive code, the reference for everything else

pub mod board;
pub mod config;
pub mod cycle;
pub mod device;
pub mod golden;
pub mod image;
pub mod network;
pub mod protocol;
