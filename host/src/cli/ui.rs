//! How a command speaks: text for people, or one JSON object.

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

/// How long work may take before a spinner says what it is.
const PATIENCE: Duration = Duration::from_secs(2);

/// A line on standard error. Where that is closed there is nobody to tell, and no reason to end.
pub fn say(line: impl AsRef<str>) {
    writeln!(io::stderr(), "{}", line.as_ref()).ok();
}

/// The one place that decides what goes to standard output and what to standard error.
pub struct Ui {
    json: bool,
    /// Standard output is for a file.
    is_taken: AtomicBool,
    has_result: AtomicBool,
    /// The first error of standard output.
    failure: Mutex<Option<io::Error>>,
}

impl Ui {
    pub fn new(json: bool) -> Self {
        Ui {
            json,
            is_taken: AtomicBool::new(false),
            has_result: AtomicBool::new(false),
            failure: Mutex::new(None),
        }
    }

    /// Whether the result is asked for as JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Leaves standard output to a file: what is for people goes to standard error.
    ///
    /// # Errors
    /// Where standard output is for JSON.
    pub fn leave_standard_output(&self) -> Result<()> {
        anyhow::ensure!(
            !self.json,
            "with --json standard output is for the JSON object: give the name of a file"
        );
        self.is_taken.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Writes a line to standard output. Whoever has closed it, as `head` does, has read enough; what else goes wrong
    /// is told at the end, when all work is done.
    fn print(&self, line: &str) {
        if self.is_taken.load(Ordering::Relaxed) {
            return say(line);
        }
        match writeln!(io::stdout(), "{line}") {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                let mut failure = self.failure.lock().unwrap_or_else(|e| e.into_inner());
                failure.get_or_insert(error);
            }
            _ => {}
        }
    }

    /// Whether all that was written to standard output has got there.
    ///
    /// # Errors
    /// Where it has not, unless nobody wanted to read it.
    pub fn check(&self) -> Result<()> {
        let mut failure = self.failure.lock().unwrap_or_else(|e| e.into_inner());
        match failure.take() {
            Some(error) => Err(error).context("cannot write to standard output"),
            None => Ok(()),
        }
    }

    /// Whether what is noted is seen at a terminal, beside the bars.
    pub fn notes_are_seen(&self) -> bool {
        match self.json || self.is_taken.load(Ordering::Relaxed) {
            true => io::stderr().is_terminal(),
            false => io::stdout().is_terminal(),
        }
    }

    /// A line for people while work goes on; with `--json` it goes to standard error.
    pub fn note(&self, line: impl AsRef<str>) {
        match self.json {
            true => say(line),
            false => self.print(line.as_ref()),
        }
    }

    /// A line on standard error about what the user may not have meant, whatever the command prints.
    pub fn warn(&self, line: impl std::fmt::Display) {
        say(format!("warning: {line}"));
    }

    /// A line on standard error about what is as it should be, but may be forgotten.
    pub fn remark(&self, line: impl std::fmt::Display) {
        say(format!("note: {line}"));
    }

    /// One of many results, as it comes: a line for people, or a JSON object on a line with `--json`.
    pub fn row(&self, value: &Value, text: impl AsRef<str>) {
        match self.json {
            true => self.print(&value.to_string()),
            false => self.print(text.as_ref()),
        }
    }

    /// The result of the command: `text` for people, or `value` with `--json`. Called once.
    pub fn result(&self, value: &Value, text: impl AsRef<str>) {
        self.has_result.store(true, Ordering::Relaxed);
        if self.json {
            self.print(&value.to_string());
        } else {
            self.print(text.as_ref().trim_end());
        }
    }

    /// Why the command failed: on standard error, and as JSON where that is asked for and no result was told before.
    pub fn error(&self, error: &anyhow::Error) {
        let text = format!("{error:#}");
        if self.json && !self.has_result.load(Ordering::Relaxed) {
            self.result(&serde_json::json!({ "error": text }), "");
        }
        say(format!("error: {text}"));
    }

    /// A progress bar on standard error, hidden where that is not a terminal.
    ///
    /// `{msg}` in the bar is what [`ProgressBar::set_message`] sets: loss, accuracy, rate.
    pub fn bar(&self, length: u64, what: &str) -> ProgressBar {
        bar_like(
            "{prefix:>12} [{bar:32}] {pos}/{len} {msg} {eta} left",
            length,
            what,
        )
    }

    /// The same for what has no unit that people would count: it shows the share that is done.
    pub fn share_bar(&self, length: u64, what: &str) -> ProgressBar {
        bar_like(
            "{prefix:>12} [{bar:32}] {percent} % {msg} {eta} left",
            length,
            what,
        )
    }

    /// Does `work`, and shows a spinner when it takes longer than two seconds.
    pub fn waiting<T>(&self, what: &str, work: impl FnOnce() -> T) -> T {
        let (done, wait) = mpsc::channel::<()>();
        thread::scope(|scope| {
            scope.spawn(move || {
                if wait.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                    let spinner = self.spinner(what);
                    // Until the other end is dropped.
                    let _ = wait.recv();
                    spinner.finish_and_clear();
                }
            });
            // Dropped when the work is over, and also when it panics.
            let _done = done;
            work()
        })
    }

    /// A spinner on standard error for work of unknown length, hidden where that is not a terminal.
    pub fn spinner(&self, what: &str) -> ProgressBar {
        let bar = ProgressBar::new_spinner();
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }
}

fn bar_like(template: &str, length: u64, what: &str) -> ProgressBar {
    let bar = ProgressBar::new(length);
    bar.set_style(
        ProgressStyle::with_template(template)
            .expect("the template is well formed")
            .progress_chars("=> "),
    );
    bar.set_prefix(what.to_owned());
    bar
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn waiting_takes_no_longer_than_the_work() {
        let started = Instant::now();
        assert_eq!(Ui::new(false).waiting("counting", || 3), 3);
        assert!(started.elapsed() < PATIENCE);
        let slow = || thread::sleep(PATIENCE + Duration::from_millis(50));
        Ui::new(true).waiting("sleeping", slow);
        assert!(started.elapsed() < 2 * PATIENCE);
    }

    #[test]
    #[should_panic(expected = "no luck")]
    fn work_that_panics_does_not_leave_the_wait_behind() {
        Ui::new(false).waiting("failing", || panic!("no luck"))
    }
}
