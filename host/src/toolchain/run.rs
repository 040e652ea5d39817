//! Running a tool, with all that it says in a log.

use super::{Found, ToolchainError};
use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How often a running tool is looked at.
const POLL: Duration = Duration::from_millis(20);
/// What the packaged tools exit with when Ctrl-C reaches them.
const INTERRUPTED: i32 = 130;
const SIGINT: i32 = 2;

/// Runs the tool in `folder` until it ends or `stop` is set; then it is ended.
///
/// Arguments should name files relative to `folder`: the packaged tools see a `/tmp` of their own.
/// A failure is told by the first line of the log that says "error".
pub fn run(
    found: &Found,
    arguments: &[String],
    folder: &Path,
    log: &Path,
    stop: &AtomicBool,
) -> Result<(), ToolchainError> {
    let output = File::create(log).map_err(ToolchainError::write(log))?;
    let errors = output.try_clone().map_err(ToolchainError::write(log))?;
    let mut child = found
        .command()
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .spawn()
        .map_err(|source| ToolchainError::Start {
            path: found.program.clone(),
            source,
        })?;
    let status = wait(&mut child, stop).map_err(|source| ToolchainError::Start {
        path: found.program.clone(),
        source,
    })?;
    match status {
        Some(status) if status.success() => Ok(()),
        Some(status) if !was_interrupted(status) => Err(ToolchainError::Failed {
            tool: found.tool.name(),
            line: first_error(log, status),
            log: log.to_owned(),
        }),
        _ => Err(ToolchainError::Interrupted),
    }
}

/// How the child ended; None when it was ended because `stop` was set.
fn wait(child: &mut Child, stop: &AtomicBool) -> std::io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if stop.load(Ordering::SeqCst) {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        std::thread::sleep(POLL);
    }
}

fn was_interrupted(status: ExitStatus) -> bool {
    status.code() == Some(INTERRUPTED) || status.signal() == Some(SIGINT)
}

/// The line of the log that tells what went wrong: the first that says "error", else the last one.
fn first_error(log: &Path, status: ExitStatus) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = lines
        .clone()
        .find(|line| line.to_lowercase().contains("error:"))
        .or_else(|| lines.next_back());
    match line {
        Some(line) => line.trim_end_matches('.').to_owned(),
        None => format!("it said nothing and ended with {status}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Origin, Tool};
    use super::*;

    /// Runs a shell script as if it were a tool.
    fn run_script(script: &str, stop: bool) -> (tempfile::TempDir, Result<(), ToolchainError>) {
        let folder = tempfile::tempdir().unwrap();
        let found = Found::for_test(Tool::Yosys, Path::new("/bin/sh"), Origin::Path);
        let arguments = ["-c".to_owned(), script.to_owned()];
        let log = folder.path().join("log");
        let stop = AtomicBool::new(stop);
        let result = run(&found, &arguments, folder.path(), &log, &stop);
        (folder, result)
    }

    #[test]
    fn both_streams_go_to_the_log() {
        let (folder, result) = run_script("echo out; echo err >&2; pwd", false);
        result.unwrap();
        let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
        let here = folder.path().canonicalize().unwrap();
        assert_eq!(log, format!("out\nerr\n{}\n", here.display()));
    }

    #[test]
    fn a_failure_quotes_the_first_error() {
        let script = "echo fine; echo 'x.v:3: ERROR: no such wire'; echo ERROR: later; exit 1";
        let (folder, result) = run_script(script, false);
        let message = result.unwrap_err().to_string();
        assert!(
            message.starts_with("yosys failed: x.v:3: ERROR: no such wire; "),
            "{message}"
        );
        let log = folder.path().join("log");
        assert!(message.contains(&log.display().to_string()), "{message}");
    }

    #[test]
    fn a_failure_without_an_error_quotes_the_last_line() {
        let (_folder, result) = run_script("echo one; echo two; echo; exit 3", false);
        let message = result.unwrap_err().to_string();
        assert!(message.starts_with("yosys failed: two; "), "{message}");
        let (_folder, result) = run_script("exit 3", false);
        let message = result.unwrap_err().to_string();
        assert!(message.contains("said nothing"), "{message}");
    }

    #[test]
    fn stopping_ends_the_tool() {
        let (_folder, result) = run_script("sleep 1000", true);
        assert!(matches!(result, Err(ToolchainError::Interrupted)));
        // Whoever runs the tests may have signals ignored, and then every child has.
        let script = "exec env --default-signal=INT sh -c 'kill -INT $$'";
        let (_folder, result) = run_script(script, false);
        assert!(matches!(result, Err(ToolchainError::Interrupted)));
    }
}
