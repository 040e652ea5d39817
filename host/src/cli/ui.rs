//! How a command speaks: text for people, or one JSON object.

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use std::io::{ErrorKind, Write};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// How long work may take before a spinner says what it is.
const PATIENCE: Duration = Duration::from_secs(2);

/// Writes a line to standard output. Whoever has closed it, as `head` does, has read enough.
fn print(line: &str) {
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            eprintln!("error: cannot write to standard output: {error}");
            std::process::exit(1);
        }
        _ => {}
    }
}

/// The one place that decides what goes to standard output and what to standard error.
pub struct Ui {
    json: bool,
}

impl Ui {
    pub fn new(json: bool) -> Self {
        Ui { json }
    }

    /// Whether the result is asked for as JSON.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// A line for people while work goes on; with `--json` it goes to standard error.
    pub fn note(&self, line: impl AsRef<str>) {
        if self.json {
            eprintln!("{}", line.as_ref());
        } else {
            print(line.as_ref());
        }
    }

    /// A line on standard error about what the user may not have meant, whatever the command prints.
    pub fn warn(&self, line: impl std::fmt::Display) {
        // Who has closed standard error does not want to know.
        let _ = writeln!(std::io::stderr(), "warning: {line}");
    }

    /// A line on standard error about what is as it should be, but may be forgotten.
    pub fn remark(&self, line: impl std::fmt::Display) {
        let _ = writeln!(std::io::stderr(), "note: {line}");
    }

    /// One of many results, as it comes: a line for people, or a JSON object on a line with `--json`.
    pub fn row(&self, value: &Value, text: impl AsRef<str>) {
        match self.json {
            true => print(&value.to_string()),
            false => print(text.as_ref()),
        }
    }

    /// The result of the command: `text` for people, or `value` with `--json`. Called once.
    pub fn result(&self, value: &Value, text: impl AsRef<str>) {
        if self.json {
            print(&value.to_string());
        } else {
            print(text.as_ref().trim_end());
        }
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
