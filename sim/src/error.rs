//! What can go wrong with a virtual board.

use nix::errno::Errno;
use std::path::PathBuf;
use thiserror::Error;

#[derive(Debug, Error)]
pub enum SimError {
    #[error("`{tool}` is not on the PATH, and the RTL virtual board is compiled with it: install the package {package}, or run `make tools`")]
    ToolMissing { tool: String, package: &'static str },

    #[error(
        "`{path}` says that it is \"{found}\", but Verilator 5.0 or newer is needed: put one first on the PATH, or run `make tools`"
    )]
    ToolTooOld { path: PathBuf, found: String },

    #[error("{step} failed with: {first}; the whole log is in {log}")]
    Compile {
        step: &'static str,
        first: String,
        log: PathBuf,
    },

    #[error("stopped while compiling the virtual board; nothing was kept, so start it again when you like")]
    Interrupted,

    #[error("the folder {} has a space in its name, and make compiles nothing there: set XDG_CACHE_HOME to a folder without one", .0.display())]
    SpaceInName(PathBuf),

    #[error(
        "cannot {action} {path}: {source}; check that it is there and that you may write to it"
    )]
    Io {
        action: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },

    #[error("the compiled virtual board {path} does not load ({reason}): delete that folder and try again")]
    Load { path: PathBuf, reason: String },

    #[error("the virtual board cannot start: {0}")]
    Start(String),

    #[error("the simulation stopped: {0}; this is a fault of the Verilog, so start again with --trace to look at it")]
    Stopped(String),

    #[error(
        "{baud} baud from a {clock_hz} Hz clock leaves less than {least} clocks for a bit: choose a lower baud rate"
    )]
    LineRate {
        baud: u32,
        clock_hz: u32,
        least: u32,
    },

    #[error("cannot {action} the pseudo-terminal: {source}; check that /dev/ptmx is there and that /dev/pts is mounted")]
    Terminal { action: &'static str, source: Errno },

    #[error(
        "{path} {}: name another path with --link, or move that away first",
        what_is_there(.target)
    )]
    LinkTaken {
        path: PathBuf,
        /// Where the link goes that is there, if it is one.
        target: Option<PathBuf>,
    },
}

fn what_is_there(target: &Option<PathBuf>) -> String {
    match target {
        Some(target) => format!(
            "is a link to {} already, which a board that runs may have made",
            target.display()
        ),
        None => "is there already and is not a link".to_owned(),
    }
}

impl SimError {
    /// For `map_err`: a file operation that failed.
    pub(crate) fn io<P: Into<PathBuf>>(
        action: &'static str,
        path: P,
    ) -> impl FnOnce(std::io::Error) -> SimError {
        let path = path.into();
        move |source| SimError::Io {
            action,
            path,
            source,
        }
    }

    /// For `map_err`: a call on the pseudo-terminal that failed.
    pub(crate) fn terminal(action: &'static str) -> impl FnOnce(Errno) -> SimError {
        move |source| SimError::Terminal { action, source }
    }
}
