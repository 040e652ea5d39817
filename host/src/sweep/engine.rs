//! What engines, which run tasks, have in common.

use super::{Record, Task};
use std::path::PathBuf;
use thiserror::Error;

/// What an engine tells while it goes on. Tasks are told by their index among those that it was given.
pub enum Update {
    /// A task has done so much of its [`Task::work`].
    Work { task: usize, done: u64 },
    /// A line for people.
    Note { task: usize, text: String },
    /// A task is over; an error as its one sentence. Told once a task, of those that began.
    Ended {
        task: usize,
        result: Result<Box<Record>, String>,
    },
}

/// Why an engine cannot run tasks.
#[derive(Debug, Error)]
pub enum EngineError {
    #[error("cannot start {threads} threads: give a smaller --jobs")]
    Threads { threads: usize },
    #[error("hq was not found on the PATH: load your cluster's module of HyperQueue, or put the program hq of its release (0.20 or newer) there; the Python package hyperqueue does not have it")]
    NoHq,
    #[error("no HyperQueue server answers ({said}): start one with `hq server start`, and workers with `hq worker start` or `hq alloc add`")]
    NoServer { said: String },
    #[error("`hq {command}` failed: {said}")]
    Hq { command: &'static str, said: String },
    #[error("cannot run {}", program.display())]
    Start {
        program: PathBuf,
        source: std::io::Error,
    },
}

/// What engines take to be told what happens.
pub type Tell<'a> = &'a mut dyn FnMut(Update);

/// The sentence for a task that left no result and said nothing.
pub(super) fn no_result(task: &Task) -> String {
    format!("it ended without writing {}", task.record_path().display())
}
