use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why a tool could not be found, or a build did not end in a bitstream.
#[derive(Debug, Error)]
pub enum ToolchainError {
    #[error("FIRSTSPIKE_TOOLS is `{}`, which has no folder `venv`; run `make tools`, or unset it", .0.display())]
    ToolsFolder(PathBuf),
    #[error("{tool} was not found{detail}; run `make tools` in the repository")]
    Missing { tool: &'static str, detail: String },
    #[error("{tool} failed: {line}; all that it said is in {}", .log.display())]
    Failed {
        tool: &'static str,
        line: String,
        log: PathBuf,
    },
    #[error(
        "the design does not fit the device: it needs {needs}; choose another core (`firstspike explore` \
         lists those that fit), smaller sizes in the board's [core], or a larger board (all that {tool} said is in {})",
        .log.display()
    )]
    TooLarge {
        tool: &'static str,
        needs: String,
        log: PathBuf,
    },
    #[error("interrupted; nothing was changed in the output folder but the logs")]
    Interrupted,
    #[error("`{0}` is not a name of a Verilog module; give the top module's name with --top")]
    TopName(String),
    #[error("{tool} wrote a report that is not understood ({problem}); run `firstspike doctor` and use a version that `make tools` installs")]
    ToolReport { tool: &'static str, problem: String },
    #[error(
        "`{top}` has no register that nextpnr could time; check that its clock input is `{signal}`"
    )]
    NoClock { top: String, signal: String },
    #[error(
        "nextpnr timed the core for {found:.2} MHz, core_hz of the board is {wanted:.2} MHz; \
         make the FREQUENCY in the pin file equal to the board's input_hz"
    )]
    ClockConstraint { found: f64, wanted: f64 },
    #[error(
        "timing is not met: {reached:.2} MHz of {wanted:.2} MHz (see {}), so no bitstream was written; \
         try another --seed, fewer --lanes, or a board with a lower core_hz", .report.display()
    )]
    Timing {
        reached: f64,
        wanted: f64,
        report: PathBuf,
    },
    #[error("cannot write {}; check that the folder may be written to and the disk has room", .path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot read {}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot start {}; run `make tools` to install it anew", .path.display())]
    Start { path: PathBuf, source: io::Error },
}

impl ToolchainError {
    pub(super) fn write(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        |source| ToolchainError::Write {
            path: path.to_owned(),
            source,
        }
    }

    pub(super) fn read(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        |source| ToolchainError::Read {
            path: path.to_owned(),
            source,
        }
    }
}
