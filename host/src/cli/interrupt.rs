//! Ctrl-C and what else asks the program to end, as a flag, so that a command ends in good order instead of half-way
//! through a file.

use anyhow::{Context, Result};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;
use std::fs;
use std::process::exit;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// Whether the command looks at the flag.
static HEEDED: AtomicBool = AtomicBool::new(false);
static STOP: AtomicBool = AtomicBool::new(false);
/// The first signal that came; 0: none.
static SIGNAL: AtomicI32 = AtomicI32::new(0);

/// Who sends a signal other than Ctrl-C has nobody to send a second one: after so long it ends the program anyhow.
const PATIENCE: Duration = Duration::from_secs(10);

/// From here on Ctrl-C (SIGINT), SIGTERM and SIGHUP end the program with 128 and the signal's number as its status:
/// at once, or, once [`flag`] was called, when the command has come to a good end. A second one ends it at once.
///
/// SIGHUP stays ignored where it is, under `nohup`. A file that becomes longer than the user's limit is an error of
/// writing.
pub fn listen() -> Result<()> {
    let all = [SIGINT, SIGTERM, SIGHUP].into_iter();
    let heard: Vec<i32> = all.filter(|&s| s != SIGHUP || !is_ignored(s)).collect();
    let context = "cannot listen for Ctrl-C";
    let mut signals = Signals::new(heard).context(context)?;
    signal_hook::flag::register(SIGXFSZ, Arc::default()).context(context)?;
    thread::spawn(move || signals.forever().for_each(hear));
    Ok(())
}

fn hear(signal: i32) {
    let order = Ordering::SeqCst;
    let is_first = SIGNAL.compare_exchange(0, signal, order, order).is_ok();
    if !is_first || !HEEDED.load(order) {
        exit(status(signal));
    }
    STOP.store(true, order);
    if signal != SIGINT {
        thread::spawn(move || {
            thread::sleep(PATIENCE);
            exit(status(signal));
        });
    }
}

/// Whether a signal was ignored when the program started. Where that cannot be told it was not.
fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

fn status(signal: i32) -> i32 {
    128 + signal
}

/// The flag that a signal sets; from here on the command looks at it.
pub fn flag() -> &'static AtomicBool {
    HEEDED.store(true, Ordering::SeqCst);
    &STOP
}

/// The exit status of a command that a signal ended; none where no signal came.
pub fn exit_status() -> Option<u8> {
    let signal = SIGNAL.load(Ordering::SeqCst);
    (signal != 0).then(|| status(signal) as u8)
}

/// The signal was how the command is meant to end.
pub fn was_wanted() {
    SIGNAL.store(0, Ordering::SeqCst);
}
