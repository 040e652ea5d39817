//! The outside tools: which ones there are, where, and the way from Verilog to a bitstream.
//!
//! - [`Toolbox`] finds a tool: on the PATH when it is new enough there, else among the packages that
//!   `make tools` puts into `.tools/`.
//! - [`BuildJob`] runs Yosys, nextpnr and the packer on a board's Verilog and makes a [`BuildReport`].

mod build;
mod error;
mod find;
mod report;
mod run;

pub use build::BuildJob;
pub use error::ToolchainError;
pub use find::{Found, Origin, Tool, Toolbox};
pub use report::{BuildReport, BuiltFiles, Seconds, ToolVersions, Usage};
