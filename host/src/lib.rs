//! The host side of firstspike: data sets, encoding, training, model files, the driver of a board.
//! The command `firstspike` is built from it.

pub mod cli;
pub mod dataset;
pub mod encoding;
