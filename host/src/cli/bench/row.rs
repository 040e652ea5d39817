//! Images in a row: how fast they go, and what sets that rate.

use crate::cli::Ui;
use crate::driver::{Answer, Board};
use anyhow::Result;
use firmware_model::network::SpikeTrain;
use firmware_model::protocol::DeviceConfig;
use serde::Serialize;
use std::time::Instant;

/// Images that went as fast as the credits allow.
pub struct Row {
    pub answers: Vec<Answer>,
    pub seconds: f64,
    /// Bytes to the board and back.
    pub sent: u64,
    pub received: u64,
    pub recoveries: u64,
    /// The board's clock cycles meanwhile.
    pub clocks: u64,
    /// Those in which its core computed, or had a result that could not be handed over yet.
    pub busy: u64,
    /// Those in which its core waited for an image, the wait for the first one not counted.
    pub idle: u64,
}

/// What sets the rate of images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Bound {
    /// The line in its fuller direction.
    Link,
    /// The core.
    Core,
    /// Neither is in use nearly all the time: the host answers late, or the board has too few credits.
    Host,
}

/// Below this share of the time nothing is in use "nearly all the time".
const FULL: f64 = 0.8;

impl Bound {
    pub fn words(self) -> &'static str {
        match self {
            Bound::Link => "as fast as the line",
            Bound::Core => "as fast as the core",
            Bound::Host => "held up by the host",
        }
    }
}

impl Row {
    /// The share of the board's time in which so many bytes were on the line, at ten bit times each.
    pub fn line_use(&self, bytes: u64, device: &DeviceConfig) -> f64 {
        let byte = 10.0 * f64::from(device.clock_hz) / f64::from(device.baud);
        byte * bytes as f64 / self.clocks as f64
    }

    /// The share of so many clock cycles in all of them.
    pub fn share(&self, clocks: u64) -> f64 {
        clocks as f64 / self.clocks as f64
    }

    pub fn bound_by(&self, device: &DeviceConfig) -> Bound {
        let link = self.line_use(self.sent.max(self.received), device);
        let core = self.share(self.busy);
        match link >= core {
            _ if link.max(core) < FULL => Bound::Host,
            true => Bound::Link,
            false => Bound::Core,
        }
    }
}

/// Has the board classify `images`, `count` of them, as fast as its credits allow.
pub fn in_a_row<'a>(
    board: &mut Board,
    images: impl Iterator<Item = &'a SpikeTrain>,
    count: u32,
    ui: &Ui,
) -> Result<Row> {
    let bar = ui.bar(count.into(), "in a row");
    let mut answers = Vec::new();
    let (counters, traffic, start) = (board.counters()?, board.traffic(), Instant::now());
    let done = board.infer_each(images, |_, found| {
        answers.push(found);
        bar.inc(1);
    });
    let seconds = start.elapsed().as_secs_f64();
    bar.finish_and_clear();
    done?;
    let after = board.traffic();
    let counted = board.counters()?;
    let sum = |of: fn(&Answer) -> u32| answers.iter().skip(1).map(|a| u64::from(of(a))).sum();
    let (cycles, idle): (u64, u64) = (sum(|a| a.cycles), sum(|a| a.idle));
    Ok(Row {
        seconds,
        clocks: passed(counters.clock, counted.clock, cycles + idle).max(1),
        busy: passed(counters.busy, counted.busy, cycles),
        idle,
        answers,
        sent: after.sent - traffic.sent,
        received: after.received - traffic.received,
        recoveries: after.recoveries - traffic.recoveries,
    })
}

/// How far a counter that wraps has come, if it was `least` or more.
fn passed(before: u32, after: u32, least: u64) -> u64 {
    let beyond = after.wrapping_sub(before).wrapping_sub(least as u32);
    least + u64::from(beyond)
}

#[cfg(test)]
mod tests {
    use super::*;
    use firmware_model::board::Board as BoardFile;

    fn row(clocks: u64, busy: u64, sent: u64, received: u64) -> Row {
        Row {
            answers: Vec::new(),
            seconds: 1.0,
            sent,
            received,
            recoveries: 0,
            clocks,
            busy,
            idle: clocks - busy,
        }
    }

    #[test]
    fn what_is_nearly_always_in_use_sets_the_rate() {
        let board = BoardFile::find("icebreaker").unwrap();
        let device = DeviceConfig {
            core: board.core,
            board_number: board.number,
            clock_hz: 24_000_000,
            baud: 3_000_000,
        };
        // A byte is ten bits of eight clocks.
        let line = row(80_000, 8_000, 990, 100);
        assert_eq!(line.line_use(line.sent, &device), 0.99);
        assert_eq!(line.bound_by(&device), Bound::Link);
        assert_eq!(row(80_000, 8_000, 100, 990).bound_by(&device), Bound::Link);
        assert_eq!(row(80_000, 79_900, 990, 100).bound_by(&device), Bound::Core);
        assert_eq!(row(80_000, 60_000, 700, 100).bound_by(&device), Bound::Host);
    }

    #[test]
    fn counters_may_wrap_more_than_once() {
        assert_eq!(passed(10, 25, 0), 15);
        assert_eq!(passed(u32::MAX - 4, 15, 0), 20);
        let clocks = (3 << 32) + 1_000;
        let after = 7u32.wrapping_add(clocks as u32);
        assert_eq!(passed(7, after, clocks - 500), clocks);
    }
}
