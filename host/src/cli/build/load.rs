//! `firstspike build --flash`.

use crate::toolchain::{flash, BuildReport, Toolbox};
use anyhow::{Context, Result};
use firmware_model::board::Board;
use serde_json::{json, Value};

/// Loads the bitstream; adds to `value` how, and gives the text for people.
pub fn run(
    board: &Board,
    report: &BuildReport,
    permanent: bool,
    toolbox: &Toolbox,
    value: &mut Value,
) -> Result<String> {
    let bitstream = report.files.bitstream.as_deref();
    let bitstream = bitstream.context("there is no bitstream to load")?;
    let way = flash(board, bitstream, permanent, toolbox)?;
    value["flash"] = json!({
        "tool": way.tool,
        "command": way.command_line(&bitstream.display().to_string()),
        "writes": way.writes,
    });
    let mut text = format!("Loaded into {} by {}.\n", way.writes, way.tool);
    for note in &board.notes {
        text.push_str(&format!("{note}\n"));
    }
    text.push_str(&format!(
        "Link: {}, at {} baud (the commands with --port know it when they are given --board).\n",
        board.uart.connection(),
        board.uart.baud
    ));
    Ok(text)
}
