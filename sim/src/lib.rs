//! The virtual board: generated Verilog under Verilator, or the device model, behind a pseudo-terminal.
//!
//! - [`verilator`]: from Verilog text to a shared library, once for each text
//! - [`library`]: that library, loaded
//! - [`device`]: what can stand behind a serial port: [`device::VirtualDevice`]
//! - [`rtl`]: the Verilated board, its UART pins driven bit for bit
//! - [`model`]: the software device
//! - [`terminal`]: the pseudo-terminal
//! - [`server`]: copies bytes between the two
//! - [`board`]: a virtual board on a thread of its own, with a port to open
//!
//! Time on a virtual board is counted in its own clocks. It runs while there is something to do and stands still
//! while the board is idle, so that an idle board costs nothing.

pub mod board;
pub mod device;
pub mod error;
pub mod library;
pub mod model;
pub mod rtl;
pub mod server;
pub mod terminal;
pub mod verilator;

pub use board::VirtualBoard;
pub use device::VirtualDevice;
pub use error::SimError;
pub use model::ModelBoard;
pub use rtl::RtlBoard;
