//! The tools that a board is compiled with: where they are, and running them.

use super::{Stage, Watcher};
use crate::SimError;
use nix::sys::signal::{kill, Signal};
use nix::unistd::Pid;
use std::env;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

/// How often a running tool is looked after.
pub(super) const POLL: Duration = Duration::from_millis(30);

/// The file in a compilation's folder that holds all that the tools said.
pub(super) const LOG: &str = "build.log";

/// The tools that compiling needs, found and checked.
#[derive(Debug, Clone)]
pub struct Tools {
    pub(super) verilator: PathBuf,
    pub(super) version: String,
    pub(super) make: PathBuf,
}

impl Tools {
    /// Looks for the tools on the `PATH`.
    pub fn find() -> Result<Self, SimError> {
        Self::find_in(&env::var_os("PATH").unwrap_or_default())
    }

    /// Looks for the tools in the folders of `path`, which is written like the environment variable `PATH`.
    pub fn find_in(path: &OsStr) -> Result<Self, SimError> {
        let find = |tool: &str, package: &'static str| {
            env::split_paths(path)
                .map(|folder| folder.join(tool))
                .find(|file| file.is_file())
                .ok_or_else(|| SimError::ToolMissing {
                    tool: tool.to_owned(),
                    package,
                })
        };
        let verilator = find("verilator", "verilator")?;
        let make = find("make", "make")?;
        find("g++", "g++")?;
        let version = verilator_version(&verilator)?;
        Ok(Tools {
            verilator,
            version,
            make,
        })
    }
}

/// What `verilator --version` says, if that is a version that can be used.
fn verilator_version(verilator: &Path) -> Result<String, SimError> {
    let output = Command::new(verilator)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .map_err(SimError::io("run", verilator))?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let major = version
        .strip_prefix("Verilator ")
        .and_then(|rest| rest.split('.').next())
        .and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(major) if major >= 5 => Ok(version),
        _ => Err(SimError::ToolTooOld {
            path: verilator.to_owned(),
            found: version,
        }),
    }
}

/// Runs one tool in `folder` with its output appended to the log there.
pub(super) fn run_tool(
    command: &mut Command,
    folder: &Path,
    stage: Stage,
    watch: &mut Watcher,
) -> Result<(), SimError> {
    let log_path = folder.join(LOG);
    let log = File::options()
        .create(true)
        .append(true)
        .open(&log_path)
        .map_err(SimError::io("write", &log_path))?;
    let same_log = log.try_clone().map_err(SimError::io("write", &log_path))?;
    let program = PathBuf::from(command.get_program());
    let mut child = command
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(same_log)
        .spawn()
        .map_err(SimError::io("run", &program))?;
    let status = wait(&mut child, stage, watch).map_err(SimError::io("run", &program))?;
    // Ctrl-C in a terminal ends the tool as well: ask once more before calling that a failure.
    match status {
        Some(status) if status.success() => Ok(()),
        Some(_) if watch(stage).is_continue() => Err(SimError::Compile {
            step: match stage {
                Stage::Compiling => "compiling the virtual board",
                Stage::Translating | Stage::Waiting => "Verilator",
            },
            first: first_error(&log_path),
            log: log_path,
        }),
        _ => Err(SimError::Interrupted),
    }
}

/// Waits for a tool to end: its status, or none if the watcher stopped it.
fn wait(
    child: &mut Child,
    stage: Stage,
    watch: &mut Watcher,
) -> std::io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if watch(stage).is_break() {
            // SIGTERM, not SIGKILL: make takes its compilers with it.
            let pid = Pid::from_raw(child.id() as i32);
            kill(pid, Signal::SIGTERM)?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(POLL);
    }
}

/// The first line of the log that speaks of an error, else its last line.
fn first_error(log: &Path) -> String {
    let Ok(file) = File::open(log) else {
        return "no output".to_owned();
    };
    let mut last = "no output".to_owned();
    for line in BufReader::new(file).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).trim().to_owned();
        if line.starts_with("%Error") || line.contains("error: ") || line.contains("Error ") {
            return line;
        }
        if !line.is_empty() {
            last = line;
        }
    }
    last
}
