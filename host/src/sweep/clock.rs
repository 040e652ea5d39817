//! How long a training has taken, over stops and restarts.

use crate::files::write_whole;
use std::io;
use std::path::PathBuf;
use std::time::Instant;

/// The seconds of a training that may be stopped and go on, in a file of one line an epoch.
///
/// What was trained after the last checkpoint before a stop is trained again; its time is not counted.
pub struct Clock {
    path: PathBuf,
    /// The seconds at the end of each epoch since the start of the training.
    laps: Vec<f64>,
    /// The seconds before this start; `None` where they are not known.
    before: Option<f64>,
    started: Instant,
}

impl Clock {
    /// Starts, or goes on after so many `epochs`. The file is at `path`, or will be.
    pub fn start(path: PathBuf, epochs: usize) -> Self {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let mut laps: Vec<f64> = text.lines().map_while(|line| line.parse().ok()).collect();
        laps.truncate(epochs);
        let before = match laps.last() {
            _ if laps.len() < epochs => None,
            last => Some(last.copied().unwrap_or(0.0)),
        };
        Clock {
            path,
            laps,
            before,
            started: Instant::now(),
        }
    }

    /// The seconds so far.
    pub fn seconds(&self) -> Option<f64> {
        Some(self.before? + self.started.elapsed().as_secs_f64())
    }

    /// An epoch is over. To be told before its checkpoint is written.
    pub fn lap(&mut self) -> io::Result<()> {
        let Some(seconds) = self.seconds() else {
            return Ok(());
        };
        self.laps.push(seconds);
        let lines = self.laps.iter().map(|seconds| format!("{seconds:.3}\n"));
        write_whole(&self.path, lines.collect::<String>().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_where_the_checkpoint_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seconds");
        let mut clock = Clock::start(path.clone(), 0);
        clock.before = Some(10.0);
        clock.lap().unwrap();
        clock.before = Some(20.0);
        clock.lap().unwrap();
        // After the first epoch, after both, and after one that nobody timed.
        let seconds = |epochs| Clock::start(path.clone(), epochs).seconds();
        assert!((10.0..20.0).contains(&seconds(1).unwrap()));
        assert!(seconds(2).unwrap() >= 20.0);
        assert_eq!(seconds(3), None);
        assert!(seconds(0).unwrap() < 10.0);
    }
}
