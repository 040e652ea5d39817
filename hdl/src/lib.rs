//! The rust-hdl core, UART and board tops, and the Verilog generator.
