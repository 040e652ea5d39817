//! The rust-hdl core, UART and board tops, and the Verilog generator.

pub mod ram;
pub mod verilog;
