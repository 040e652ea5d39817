//! The virtual board: generated Verilog under Verilator, or the device model, behind a pseudo-terminal.
