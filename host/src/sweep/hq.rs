//! The engine of a cluster: each task is a job of HyperQueue, whose workers run `firstspike sweep` for it.
//!
//! What passes between here and there is files in the sweep's folder, which all machines must see, and the
//! program `hq`.

use super::engine::{no_result, EngineError, Tell, Update};
use super::{Begun, Task};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// How often it is looked whether results are there.
const POLL: Duration = Duration::from_millis(250);
/// What the jobs get of this program's environment: where data sets are.
const VARIABLES: [&str; 1] = ["FIRSTSPIKE_DATA"];

/// A HyperQueue, and the sweep that it is to run.
pub struct HyperQueue {
    /// The program.
    pub hq: PathBuf,
    /// This program, as the workers find it.
    pub firstspike: PathBuf,
    /// The file of the sweep and its folder: absolute paths.
    pub spec: PathBuf,
    pub folder: PathBuf,
    /// Whether the tasks may replace files that this program did not write.
    pub force: bool,
}

impl HyperQueue {
    /// Submits `tasks`, each as a job, and waits for all. When `stop` becomes true the jobs are cancelled.
    pub fn run(&self, tasks: &[Task], stop: &AtomicBool, tell: Tell) -> Result<(), EngineError> {
        let server = self.hq(&["server", "info"])?;
        if !server.status.success() {
            return Err(EngineError::NoServer {
                said: said(&server),
            });
        }
        let mut jobs = Vec::new();
        let submitted = self.submit(tasks, stop, &mut jobs, tell);
        let waited = submitted.and_then(|()| self.wait(tasks, &jobs, stop, tell));
        if waited.is_err() || stop.load(Ordering::Relaxed) {
            self.cancel(&jobs)?;
        }
        waited
    }

    /// A job a task; `jobs` gets their numbers, as far as it gets.
    fn submit(
        &self,
        tasks: &[Task],
        stop: &AtomicBool,
        jobs: &mut Vec<String>,
        tell: Tell,
    ) -> Result<(), EngineError> {
        for (index, task) in tasks.iter().enumerate() {
            if stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            // What an earlier job said is not this one's.
            fs::remove_file(task.log_path()).ok();
            let output = self.hq(&self.submission(task))?;
            if !output.status.success() {
                // Ctrl-C reaches hq too: its failure is not the news then.
                if stop.load(Ordering::Relaxed) {
                    return Ok(());
                }
                let (command, said) = ("submit", said(&output));
                return Err(EngineError::Hq { command, said });
            }
            let job = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            let text = format!("is job {job}");
            tell(Update::Note { task: index, text });
            jobs.push(job);
        }
        let workers = self.hq(&["worker", "list"])?;
        if workers.status.success() && workers.stdout.trim_ascii().is_empty() {
            let text = "waits: HyperQueue has no worker yet, `hq worker start` or `hq alloc add` starts some";
            let text = text.to_owned();
            tell(Update::Note { task: 0, text });
        }
        Ok(())
    }

    /// The arguments of `hq` that submit `task`.
    fn submission(&self, task: &Task) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = vec!["submit".into(), "--name".into()];
        arguments.push(task.name().into());
        arguments.extend(["--cpus", "1", "--stdout", "none", "--stderr"].map(OsString::from));
        arguments.push(self.folder.join(file_name(&task.log_path())).into());
        if let Ok(here) = std::env::current_dir() {
            arguments.extend(["--cwd".into(), here.into()]);
        }
        for name in VARIABLES {
            if let Some(value) = std::env::var_os(name) {
                let mut pair = OsString::from(format!("{name}="));
                pair.push(value);
                arguments.extend(["--env".into(), pair]);
            }
        }
        arguments.extend(["--".into(), self.firstspike.clone().into(), "sweep".into()]);
        arguments.extend([self.spec.clone().into(), "--out".into()]);
        arguments.push(self.folder.clone().into());
        arguments.extend(["--only".into(), task.row.name.clone().into()]);
        arguments.extend(["--seed".into(), task.seed().to_string().into()]);
        arguments.extend(["--jobs", "1", "--no-table"].map(OsString::from));
        arguments.extend(self.force.then(|| "--force".into()));
        arguments
    }

    /// Waits for `jobs`, those of `tasks` in their order, and tells of each result that comes.
    fn wait(
        &self,
        tasks: &[Task],
        jobs: &[String],
        stop: &AtomicBool,
        tell: Tell,
    ) -> Result<(), EngineError> {
        let mut left: BTreeSet<usize> = (0..jobs.len()).collect();
        let list = jobs.join(",");
        let mut waiting = (self.command().args(["job", "wait", &list]))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| self.start_error(source))?;
        loop {
            if stop.load(Ordering::Relaxed) {
                waiting.kill().ok();
                waiting.wait().ok();
                return Ok(());
            }
            // First whether all are over, then what they left: so none is missed.
            let ended = (waiting.try_wait()).map_err(|source| self.start_error(source))?;
            for index in left.clone() {
                if let Begun::Done(record) = tasks[index].begun() {
                    left.remove(&index);
                    remove_if_empty(&tasks[index].log_path());
                    tell(Update::Ended {
                        task: index,
                        result: Ok(record),
                    });
                }
            }
            let Some(status) = ended else {
                thread::sleep(POLL);
                continue;
            };
            let output = (waiting.wait_with_output()).map_err(|source| self.start_error(source))?;
            // Old versions of hq also say so when a job failed, and then the loop below names it.
            if !status.success() && left.is_empty() {
                return Ok(());
            }
            if !status.success() && tasks_said_nothing(tasks, &left) {
                let (command, said) = ("job wait", said(&output));
                return Err(EngineError::Hq { command, said });
            }
            for index in left {
                let result = Err(failure(&tasks[index]));
                tell(Update::Ended {
                    task: index,
                    result,
                });
            }
            return Ok(());
        }
    }

    fn cancel(&self, jobs: &[String]) -> Result<(), EngineError> {
        if jobs.is_empty() {
            return Ok(());
        }
        let output = self.hq(&["job", "cancel", &jobs.join(",")])?;
        match output.status.success() {
            true => Ok(()),
            false => Err(EngineError::Hq {
                command: "job cancel",
                said: said(&output),
            }),
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.hq);
        command
            .args(["--output-mode", "quiet"])
            .stdin(Stdio::null());
        command
    }

    fn hq<S: AsRef<std::ffi::OsStr>>(&self, arguments: &[S]) -> Result<Output, EngineError> {
        (self.command().args(arguments).output()).map_err(|source| self.start_error(source))
    }

    fn start_error(&self, source: std::io::Error) -> EngineError {
        EngineError::Start {
            program: self.hq.clone(),
            source,
        }
    }
}

/// Whether none of the tasks that are `left` has a log: they never ran.
fn tasks_said_nothing(tasks: &[Task], left: &BTreeSet<usize>) -> bool {
    left.iter().all(|&index| !tasks[index].log_path().exists())
}

/// Why a task whose job is over has no result: what it said last, and where all of that is.
fn failure(task: &Task) -> String {
    let log = task.log_path();
    let text = fs::read(&log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let last = lines(&text).next_back();
    match last {
        Some(line) => {
            // The job is a sweep of one task: what comes after the task's name is the reason.
            let name = format!("{} seed {}: ", task.row.name, task.seed());
            let reason = line.split_once(&name).map_or(line, |(_, reason)| reason);
            format!("{reason}; all that it said is in {}", log.display())
        }
        None => no_result(task),
    }
}

/// What hq complains of: its first line, for a trace may follow.
fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let first = lines(&text).next();
    first.unwrap_or("it said nothing").to_owned()
}

/// The lines that have something in them.
fn lines(text: &str) -> impl DoubleEndedIterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// A log that says nothing need not stay.
fn remove_if_empty(log: &Path) {
    if fs::metadata(log).is_ok_and(|data| data.len() == 0) {
        fs::remove_file(log).ok();
    }
}

fn file_name(path: &Path) -> &std::ffi::OsStr {
    path.file_name().unwrap_or(path.as_os_str())
}
