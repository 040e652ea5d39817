//! Synthesis runs as rows of a CSV file: what the cost model is fitted to.

use firmware_model::board::Board;
use firmware_model::config::CoreConfig;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt::Write;
use thiserror::Error;

/// The runs in the repository. Made by `cargo run --release -p firstspike --example cost_model -- collect`.
pub const RUNS: &str = include_str!("../../data/cost/runs.csv");

/// One synthesis run.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// The name of a built-in board.
    pub board: String,
    pub core: CoreConfig,
    pub luts: u64,
    pub flip_flops: u64,
    pub carries: u64,
    pub lut_rams: u64,
    /// After packing.
    pub logic_cells: u64,
    pub block_rams: u64,
    pub sprams: u64,
    /// The median over some seeds; `None` where it was not placed and routed.
    pub clock_mhz: Option<f64>,
    pub yosys: String,
    pub nextpnr: String,
}

/// Why a file of runs cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RunsError {
    #[error(
        "line {line} of the synthesis runs has no `{column}` that can be read; collect them anew"
    )]
    Field { line: usize, column: String },
    #[error("line {line} of the synthesis runs is for `{board}`, which is no built-in board; collect them anew")]
    Board { line: usize, board: String },
}

const RESULTS: [&str; 10] = [
    "luts",
    "flip_flops",
    "carries",
    "lut_rams",
    "logic_cells",
    "block_rams",
    "sprams",
    "clock_mhz",
    "yosys",
    "nextpnr",
];

/// The sizes of a core by their names, in the order of the alphabet.
fn sizes(core: &CoreConfig) -> Map<String, Value> {
    match serde_json::to_value(core) {
        Ok(Value::Object(sizes)) => sizes,
        _ => unreachable!("a core is a table of numbers"),
    }
}

/// The runs as CSV, a header first.
pub fn to_csv(runs: &[Run]) -> String {
    let mut text = String::from("board");
    if let Some(run) = runs.first() {
        for name in sizes(&run.core).keys() {
            text += &format!(",{name}");
        }
    }
    for name in RESULTS {
        text += &format!(",{name}");
    }
    text.push('\n');
    for run in runs {
        text += &run.board;
        for size in sizes(&run.core).values() {
            text += &format!(",{size}");
        }
        let clock = run
            .clock_mhz
            .map_or(String::new(), |mhz| format!("{mhz:.2}"));
        writeln!(
            text,
            ",{},{},{},{},{},{},{},{clock},{},{}",
            run.luts,
            run.flip_flops,
            run.carries,
            run.lut_rams,
            run.logic_cells,
            run.block_rams,
            run.sprams,
            run.yosys,
            run.nextpnr
        )
        .expect("a string takes everything");
    }
    text
}

/// The runs of a CSV file that [`to_csv`] wrote.
pub fn from_csv(text: &str) -> Result<Vec<Run>, RunsError> {
    let mut lines = text.lines().enumerate();
    let Some((_, header)) = lines.next() else {
        return Ok(Vec::new());
    };
    let header: Vec<&str> = header.split(',').collect();
    let boards: Vec<String> = Board::built_in().into_iter().map(|b| b.name).collect();
    lines
        .map(|(index, line)| {
            let row = Row {
                line: index + 1,
                fields: header.iter().copied().zip(line.split(',')).collect(),
            };
            let run = row.run()?;
            if boards.contains(&run.board) {
                return Ok(run);
            }
            Err(RunsError::Board {
                line: row.line,
                board: run.board,
            })
        })
        .collect()
}

struct Row<'a> {
    line: usize,
    fields: BTreeMap<&'a str, &'a str>,
}

impl Row<'_> {
    fn run(&self) -> Result<Run, RunsError> {
        Ok(Run {
            board: self.text("board")?,
            core: self.core()?,
            luts: self.number("luts")?,
            flip_flops: self.number("flip_flops")?,
            carries: self.number("carries")?,
            lut_rams: self.number("lut_rams")?,
            logic_cells: self.number("logic_cells")?,
            block_rams: self.number("block_rams")?,
            sprams: self.number("sprams")?,
            clock_mhz: match self.text("clock_mhz")?.as_str() {
                "" => None,
                text => Some(text.parse().map_err(|_| self.error("clock_mhz"))?),
            },
            yosys: self.text("yosys")?,
            nextpnr: self.text("nextpnr")?,
        })
    }

    /// Every column that is neither the board nor a result is a size of the core.
    fn core(&self) -> Result<CoreConfig, RunsError> {
        let names = self.fields.keys();
        let sizes: Result<Map<String, Value>, RunsError> = names
            .filter(|name| **name != "board" && !RESULTS.contains(name))
            .map(|name| Ok(((*name).to_owned(), self.number(name)?.into())))
            .collect();
        serde_json::from_value(Value::Object(sizes?)).map_err(|_| self.error("core"))
    }

    fn text(&self, column: &str) -> Result<String, RunsError> {
        let field = self.fields.get(column).ok_or_else(|| self.error(column))?;
        Ok((*field).to_owned())
    }

    fn number(&self, column: &str) -> Result<u64, RunsError> {
        let text = self.text(column)?;
        text.parse().map_err(|_| self.error(column))
    }

    fn error(&self, column: &str) -> RunsError {
        RunsError::Field {
            line: self.line,
            column: column.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::memories::memory_use;

    #[test]
    fn the_runs_of_the_repository_are_read_and_written_as_they_are() {
        let runs = from_csv(RUNS).unwrap();
        assert!(!runs.is_empty());
        assert_eq!(to_csv(&runs), RUNS);
    }

    #[test]
    fn memories_are_counted_as_every_run_found_them() {
        for run in from_csv(RUNS).unwrap() {
            let board = Board::find(&run.board).unwrap();
            let counted = memory_use(&board, &run.core);
            let counted = [counted.block_rams, counted.sprams, counted.lut_rams];
            let found = [run.block_rams, run.sprams, run.lut_rams];
            assert_eq!(counted.map(u64::from), found, "{run:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let broken = RUNS.replacen("\nicebreaker,", "\nicebreaker,x", 1);
        assert!(matches!(
            from_csv(&broken),
            Err(RunsError::Field { line: 2, .. })
        ));
        let broken = RUNS.replacen("\nicebreaker,", "\nnowhere,", 1);
        assert!(matches!(
            from_csv(&broken),
            Err(RunsError::Board { line: 2, .. })
        ));
        assert_eq!(from_csv(""), Ok(vec![]));
    }
}
