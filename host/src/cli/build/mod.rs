//! `firstspike build`: one board, or all of them; and loading the bitstream into the board.

mod all;
mod folder;
mod load;

use super::generate::{verilog_for, CoreArgs};
use super::outputs::{Force, Outputs};
use super::{interrupt, Ui};
use crate::toolchain::{BuildJob, BuildReport, Toolbox};
use anyhow::{Context, Result};
use firmware_model::board::Board;
use firmware_model::config::CoreConfig;
use indicatif::ProgressBar;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

/// What `--board` takes for every built-in board.
const ALL: &str = "all";

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    core: CoreArgs,
    /// The seed of placement and routing: the same seed gives the same bitstream
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// The folder for everything that is made [default: build/BOARD, or for a file of yours build/ and the file's name]
    #[arg(long)]
    out: Option<PathBuf>,
    /// Build this Verilog file instead of the generated core [default: none]
    #[arg(long, value_name = "FILE", conflicts_with_all = ["lanes", "banks", "beats"])]
    verilog: Option<PathBuf>,
    /// The top module of the file given with --verilog
    #[arg(long, value_name = "NAME", default_value = "top", requires = "verilog")]
    top: String,
    /// Then load the bitstream into the connected board: where the board can do that, into the FPGA until the
    /// power goes, which overwrites nothing; else into its configuration flash
    #[arg(long)]
    flash: bool,
    /// With --flash: into the configuration flash in any case, so that the board has it at every power-up
    #[arg(long, requires = "flash")]
    permanent: bool,
    #[command(flatten)]
    force: Force,
}

pub fn run(args: Args, ui: &Ui) -> Result<()> {
    let stop = interrupt::flag();
    if args.core.board == ALL {
        return all::run(&args, stop, ui);
    }
    let design = Design::of(&args.core, &args)?;
    let toolbox = Toolbox::discover()?;
    let spinner = ui.spinner("looking for the tools");
    let built = design.build(&args, &toolbox, &spinner, stop, ui);
    spinner.finish_and_clear();
    let Built { report, is_new } = built?;
    let mut value = report.to_json();
    let mut text = report.to_string();
    if !is_new {
        text.push_str("\nNothing had changed since this was built.\n");
    }
    if args.flash {
        // Said before the tool speaks; with --json it goes to standard error.
        ui.note(text.trim_end());
        text = load::run(&design.board, &report, args.permanent, &toolbox, &mut value)?;
    }
    ui.result(&value, text);
    Ok(())
}

/// What is built, and where.
struct Design {
    board: Board,
    core: Option<CoreConfig>,
    verilog: String,
    top: String,
    out: PathBuf,
    /// The files of the user's that it is made from, and whether the folder is called after them.
    made_from: Vec<PathBuf>,
    is_default: bool,
}

/// A build, and whether it was made just now or had been before.
struct Built {
    report: BuildReport,
    is_new: bool,
}

impl Design {
    /// The design for the board that `core` names; `out` of the arguments is its folder.
    fn of(core: &CoreArgs, args: &Args) -> Result<Design> {
        let board_name = core.board.clone();
        let (board, core) = match &args.verilog {
            // What is in the file, its tools find out.
            Some(_) => core.resolve()?,
            None => core.resolve_to_build()?,
        };
        let (verilog, top, core) = match &args.verilog {
            Some(path) => (read(path)?, args.top.clone(), None),
            None => (
                verilog_for(&board, &core)?,
                firstspike_hdl::top_name(&board),
                Some(core),
            ),
        };
        let made_from = folder::made_from(&board_name, args.verilog.as_deref())?;
        let out = match &args.out {
            Some(out) => out.clone(),
            None => folder::default(&board_name, args.verilog.as_deref()),
        };
        Ok(Design {
            board,
            core,
            verilog,
            top,
            out,
            made_from,
            is_default: args.out.is_none(),
        })
    }

    /// Builds, unless the folder holds a build of exactly this.
    fn build(
        &self,
        args: &Args,
        toolbox: &Toolbox,
        progress: &ProgressBar,
        stop: &AtomicBool,
        ui: &Ui,
    ) -> Result<Built> {
        let job = BuildJob {
            board: &self.board,
            verilog: &self.verilog,
            top: &self.top,
            core: self.core,
            seed: args.seed,
            synthesis: None,
            out: &self.out,
            progress: &|stage| progress.set_message(stage.to_owned()),
            stop,
        };
        let mut outputs = Outputs::new(args.force, ui);
        self.made_from.iter().for_each(|path| outputs.reads(path));
        for path in &self.made_from {
            // The pin file of a board's file.
            outputs.reads(path.with_file_name(&self.board.constraints));
        }
        let made_from = self.is_default.then_some(&self.made_from[..]);
        folder::check(
            &self.out,
            &job.file_names(),
            made_from,
            args.force,
            &mut outputs,
        )?;
        if let Some(report) = job.finished(toolbox)? {
            return Ok(Built {
                report,
                is_new: false,
            });
        }
        let report = job.run(toolbox)?;
        folder::note(&self.out, &self.made_from, self.is_default)?;
        Ok(Built {
            report,
            is_new: true,
        })
    }
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path)
        .with_context(|| format!("cannot read {}; check the path", path.display()))
}
