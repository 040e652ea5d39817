//! The engine of this machine: some tasks at a time, each on one thread.

use super::engine::{EngineError, Tell, Update};
use super::task::{Progress, Task, TaskError};
use super::Record;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::any::Any;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{channel, Sender};
use std::thread;

/// Runs `tasks`, so many `jobs` at a time. A task that fails, or even panics, does not stop the others; when
/// `stop` becomes true all end after what they are at, and no more begin.
///
/// The tasks run in this process, not in ones of their own: whatever ends it ends all of them.
pub fn run(tasks: &[Task], jobs: usize, stop: &AtomicBool, tell: Tell) -> Result<(), EngineError> {
    let threads = jobs.min(tasks.len());
    let pools: Result<Vec<ThreadPool>, _> = (0..threads)
        .map(|_| ThreadPoolBuilder::new().num_threads(1).build())
        .collect();
    let pools = pools.map_err(|_| EngineError::Threads { threads })?;
    let next = AtomicUsize::new(0);
    let (sender, updates) = channel();
    thread::scope(|scope| {
        for pool in &pools {
            let (sender, next) = (sender.clone(), &next);
            scope.spawn(move || {
                while let Some((task, index)) = take(tasks, next, stop) {
                    pool.install(|| one(task, index, stop, &sender));
                }
            });
        }
        drop(sender);
        for update in updates {
            tell(update);
        }
    });
    Ok(())
}

/// The next task and its index.
fn take<'a>(tasks: &'a [Task], next: &AtomicUsize, stop: &AtomicBool) -> Option<(&'a Task, usize)> {
    if stop.load(Ordering::Relaxed) {
        return None;
    }
    let index = next.fetch_add(1, Ordering::Relaxed);
    Some((tasks.get(index)?, index))
}

/// Runs a task and tells of it. One that was stopped has not ended, and says nothing.
fn one(task: &Task, index: usize, stop: &AtomicBool, sender: &Sender<Update>) {
    // The receiver lives as long as the threads.
    let send = |update| sender.send(update).unwrap_or_default();
    let mut tell = |progress| {
        send(match progress {
            Progress::Work(done) => Update::Work { task: index, done },
            Progress::Note(text) => Update::Note { task: index, text },
        })
    };
    let run = || task.run(stop, &mut tell);
    let result: Result<Record, String> = match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Err(TaskError::Stopped)) => return,
        // With what is behind it: a disk that is full is not named otherwise.
        Ok(result) => result.map_err(|error| format!("{:#}", anyhow::Error::new(error))),
        Err(panic) => Err(format!("please report this: {}", message(&*panic))),
    };
    let result = result.map(Box::new);
    send(Update::Ended {
        task: index,
        result,
    });
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let fixed = || panic.downcast_ref::<&str>().map(|text| text.to_string());
    text.or_else(fixed).unwrap_or_default()
}
