use super::Ui;
use crate::files::write_whole;
use anyhow::{Context, Result};
use firmware_model::board::Board;
use firmware_model::config::CoreConfig;
use serde_json::json;
use std::path::PathBuf;

/// Which core, for which board.
#[derive(Debug, Clone, clap::Args)]
pub struct CoreArgs {
    /// A board's name (see `firstspike boards`), or the path of a board's .toml file
    #[arg(long)]
    pub board: String,
    /// P, the neurons updated together: 8, 16, 32, 64, 128, 256 or 512 [default: the board's]
    #[arg(long)]
    pub lanes: Option<u16>,
    /// S, the input spikes taken together: 1, 2, 4 or 8 [default: the board's]
    #[arg(long)]
    pub banks: Option<u8>,
    /// B, the beats in which the lanes share their adders: 1, 2 or 4 [default: what suits the lanes]
    #[arg(long)]
    pub beats: Option<u8>,
}

impl CoreArgs {
    /// The board, and the sizes of its core.
    pub fn resolve(&self) -> Result<(Board, CoreConfig)> {
        let board = Board::find(&self.board)?;
        let core = board
            .core_with(self.lanes, self.banks, self.beats)
            .with_context(|| {
                format!(
                    "the {} takes no such core, choose other --lanes, --banks and --beats",
                    board.title
                )
            })?;
        Ok((board, core))
    }
}

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    core: CoreArgs,
    /// The file to write [default: standard output]
    #[arg(long)]
    out: Option<PathBuf>,
}

pub fn run(args: Args, ui: &Ui) -> Result<()> {
    let (board, core) = args.core.resolve()?;
    let verilog = verilog_for(&board, &core)?;
    let lines = verilog.lines().count();
    match args.out {
        Some(path) => {
            write_whole(&path, verilog.as_bytes()).with_context(|| {
                format!(
                    "cannot write {}; check that its folder is there and may be written to",
                    path.display()
                )
            })?;
            let value = json!({
                "board": board.name,
                "core": core,
                "file": path,
                "lines": lines,
            });
            ui.result(&value, format!("wrote {} ({lines} lines)", path.display()));
        }
        None => {
            let value = json!({
                "board": board.name,
                "core": core,
                "verilog": verilog,
                "lines": lines,
            });
            ui.result(&value, &verilog);
        }
    }
    Ok(())
}

/// The Verilog of a board's top level.
pub fn verilog_for(board: &Board, core: &CoreConfig) -> Result<String> {
    Ok(firstspike_hdl::generate(board, core)?)
}
