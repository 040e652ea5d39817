//! The outside tools: which ones there are, where, and the way from Verilog to a bitstream.
//!
//! - [`Toolbox`] finds a tool: on the PATH when it is new enough there, else among the packages that
//!   `make tools` puts into `.tools/`.
//! - [`BuildJob`] runs Yosys, nextpnr and the packer on a board's Verilog and makes a [`BuildReport`].
//! - [`flash`] loads the bitstream into a board.
//! - [`Netlist`] is the same way as far as an estimate needs it: synthesis, and then placement with any number of seeds.

mod build;
mod error;
mod find;
mod finished;
mod flash;
mod report;
mod run;
mod trial;

pub use build::BuildJob;
pub use error::ToolchainError;
pub use find::{Found, Origin, Tool, Toolbox};
pub use flash::{flash, flash_tool_install, FlashError};
pub use report::{BuildReport, BuiltFiles, Seconds, ToolVersions, Usage};
pub use trial::{Netlist, Placed, Synthesised};
