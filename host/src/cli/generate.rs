use super::Ui;
use crate::explore::memories::memory_use;
use crate::explore::room::{check_memories, nearest_that_fit};
use crate::files::write_whole;
use anyhow::{bail, Context, Result};
use firmware_model::board::{Board, Problem, WeightMemory};
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
    /// The board, and the sizes of its core, which may be of a kind that nobody can build: memories of the board's sizes
    /// in another shape can take more block RAMs than there are.
    pub fn resolve(&self) -> Result<(Board, CoreConfig)> {
        let board = Board::find(&self.board)?;
        let core = match board.core_with(self.lanes, self.banks, self.beats) {
            Ok(core) => core,
            // What no board takes has the choices in its message.
            Err(problem @ Problem::Core(_)) => {
                return Err(problem).with_context(|| {
                    format!(
                        "the {} takes no such core, choose other --lanes, --banks and --beats",
                        board.title
                    )
                })
            }
            Err(problem) => bail!("{problem}; {}", self.advice(&board)),
        };
        Ok((board, core))
    }

    /// As [`CoreArgs::resolve`], and the core has room in the board's memories.
    pub fn resolve_to_build(&self) -> Result<(Board, CoreConfig)> {
        let (board, core) = self.resolve()?;
        if let Err(needs) = check_memories(&board, &core) {
            bail!(
                "the {} has {} {}, and this core needs {}; {}",
                board.title,
                needs.available,
                needs.what,
                needs.needed,
                self.advice(&board)
            );
        }
        Ok((board, core))
    }

    /// What to choose instead of a core that does not fit.
    fn advice(&self, board: &Board) -> String {
        let lanes = self.lanes.unwrap_or(board.core.lanes);
        let banks = self.banks.unwrap_or(board.core.banks);
        let near = nearest_that_fit(board, lanes, banks, self.beats, 3);
        if near.is_empty() {
            return "no core fits this board with these memories: make those in the [core] of its .toml file smaller"
                .to_owned();
        }
        let flags = near.iter().map(|core| {
            let mut flags = format!("--lanes {} --banks {}", core.lanes, core.banks);
            if core.beats != board.family.beats_for(core.lanes) {
                flags.push_str(&format!(" --beats {}", core.beats));
            }
            let used = memory_use(board, core);
            match board.memories.weights {
                WeightMemory::Spram => format!("{flags} ({} SPRAMs)", used.sprams),
                WeightMemory::Bram => format!("{flags} ({} block RAMs)", used.block_rams),
            }
        });
        format!(
            "of those near it these fit: {}",
            flags.collect::<Vec<_>>().join(", ")
        )
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
    let (board, core) = args.core.resolve_to_build()?;
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
