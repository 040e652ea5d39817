//! The host side of firstspike: data sets, encoding, training, model files, the driver of a board.
//! The command `firstspike` is built from it.

pub mod cli;
pub mod dataset;
pub mod driver;
pub mod encoding;
pub mod evaluate;
pub mod explore;
pub mod files;
mod labels;
pub mod model_file;
pub mod origin;
pub mod report;
pub mod sweep;
mod text;
pub mod toolchain;
pub mod tradeoff;
pub mod train;
