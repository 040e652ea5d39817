//! `firstspike build --board all`.

use super::{Args, Built, Design};
use crate::cli::generate::CoreArgs;
use crate::cli::Ui;
use crate::toolchain::{BuildReport, Toolbox, Usage};
use anyhow::{bail, Result};
use firmware_model::board::Board;
use indicatif::ProgressBar;
use serde_json::{json, Value};
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};

/// A board, and what came of it; the error as its one sentence.
type Outcome = (Board, Result<BuildReport, String>);

/// Builds every built-in board, each in a folder of its name; one that fails does not stop the others.
///
/// A board whose build is there and of the same inputs is not built again, so the command goes on
/// where it was interrupted.
pub fn run(args: &Args, stop: &AtomicBool, ui: &Ui) -> Result<()> {
    if args.flash {
        bail!("--flash loads one board; name it with --board");
    }
    let toolbox = Toolbox::discover()?;
    let boards = Board::built_in();
    let count = boards.len();
    let bar = ui.bar(count as u64, "boards");
    let mut outcomes: Vec<Outcome> = vec![];
    for board in boards {
        let result = build(args, &board, &toolbox, &bar, stop, ui);
        if stop.load(Ordering::SeqCst) {
            bar.finish_and_clear();
            bail!(
                "interrupted after {} of {count} boards; the same command goes on with the rest",
                outcomes.len()
            );
        }
        outcomes.push((board, result));
        bar.inc(1);
    }
    bar.finish_and_clear();
    let values: Vec<Value> = outcomes.iter().map(describe).collect();
    ui.result(&json!({ "boards": values }), table(&outcomes)?);
    let failed: Vec<&str> = (outcomes.iter())
        .filter(|(_, result)| result.is_err())
        .map(|(board, _)| board.name.as_str())
        .collect();
    if !failed.is_empty() {
        bail!(
            "{} of {count} boards failed: {}; `firstspike build --board NAME` builds one",
            failed.len(),
            failed.join(", ")
        );
    }
    Ok(())
}

fn build(
    args: &Args,
    board: &Board,
    toolbox: &Toolbox,
    bar: &ProgressBar,
    stop: &AtomicBool,
    ui: &Ui,
) -> Result<BuildReport, String> {
    let core = CoreArgs {
        board: board.name.clone(),
        ..args.core.clone()
    };
    let built = Design::of(&core, args).and_then(|mut design| {
        if let Some(folder) = &args.out {
            design.out = folder.join(&board.name);
        }
        design.build(args, toolbox, bar, stop, ui)
    });
    match built {
        Ok(Built { report, .. }) => Ok(report),
        Err(error) => Err(format!("{error:#}")),
    }
}

fn describe((board, result): &Outcome) -> Value {
    match result {
        Ok(report) => report.to_json(),
        Err(error) => json!({ "board": board.name, "title": board.title, "error": error }),
    }
}

fn table(outcomes: &[Outcome]) -> Result<String> {
    let mut text = format!(
        "{:<16} {:<22} {:>13} {:>10} {:>7} {:>12} {:>12} {:>12} {:>8}\n",
        "board",
        "device",
        "cells",
        "block RAMs",
        "SPRAMs",
        "clock wanted",
        "reached",
        "icetime",
        "in hand"
    );
    for (board, result) in outcomes {
        let device = format!("{}-{}", board.device, board.package);
        write!(text, "{:<16} {device:<22} ", board.name)?;
        match result {
            Ok(report) => writeln!(
                text,
                "{:>13} {:>10} {:>7} {:>8.2} MHz {:>8.2} MHz {:>12} {:>6.1} %",
                of(report.logic_cells),
                of(report.block_rams),
                of(report.sprams),
                report.clock_wanted_mhz,
                report.clock_reached_mhz,
                (report.clock_icetime_mhz).map_or(String::new(), |mhz| format!("{mhz:.2} MHz")),
                report.clock_in_hand_percent,
            )?,
            Err(_) => writeln!(text, "failed")?,
        }
    }
    for (board, result) in outcomes {
        match result {
            Ok(report) => {
                for warning in &report.warnings {
                    write!(text, "\n{}: warning: {warning}", board.name)?;
                }
            }
            Err(error) => write!(text, "\n{}: {error}", board.name)?,
        }
    }
    Ok(text)
}

/// "30/32", or nothing where the device has none.
fn of(usage: Usage) -> String {
    match usage.available {
        0 => String::new(),
        available => format!("{}/{available}", usage.used),
    }
}
