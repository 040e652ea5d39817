//! The rust-hdl core, UART and board tops, and the Verilog generator.

pub mod core;
pub mod device;
mod generate;
pub mod link;
mod pll;
pub mod ram;
mod top;
pub mod verilog;

pub use generate::{generate, top_name, GenerateError};
