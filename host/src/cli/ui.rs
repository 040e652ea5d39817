//! How a command speaks: text for people, or one JSON object.

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use std::io::{ErrorKind, Write};
use std::time::Duration;

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
        let bar = ProgressBar::new(length);
        let template = "{prefix:>12} [{bar:32}] {pos}/{len} {msg} {eta} left";
        bar.set_style(
            ProgressStyle::with_template(template)
                .expect("the template is well formed")
                .progress_chars("=> "),
        );
        bar.set_prefix(what.to_owned());
        bar
    }

    /// A spinner on standard error for work of unknown length, hidden where that is not a terminal.
    pub fn spinner(&self, what: &str) -> ProgressBar {
        let bar = ProgressBar::new_spinner();
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }
}
