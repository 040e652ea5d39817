use super::generate::{verilog_for, CoreArgs};
use super::{interrupt, Ui};
use crate::toolchain::{BuildJob, Toolbox};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    core: CoreArgs,
    /// The seed of placement and routing: the same seed gives the same bitstream
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// The folder for everything that is made [default: build/BOARD]
    #[arg(long)]
    out: Option<PathBuf>,
    /// Build this Verilog file instead of the generated core
    #[arg(long, value_name = "FILE", conflicts_with_all = ["lanes", "banks"])]
    verilog: Option<PathBuf>,
    /// The top module of the file given with --verilog
    #[arg(long, value_name = "NAME", default_value = "top", requires = "verilog")]
    top: String,
}

pub fn run(args: Args, ui: &Ui) -> Result<()> {
    let stop = interrupt::flag()?;
    let (board, core) = args.core.resolve()?;
    let (verilog, top, core) = match &args.verilog {
        Some(path) => (read(path)?, args.top, None),
        None => (
            verilog_for(&board, &core)?,
            firstspike_hdl::top_name(&board),
            Some(core),
        ),
    };
    let out = args
        .out
        .unwrap_or_else(|| Path::new("build").join(&board.name));
    let toolbox = Toolbox::discover()?;
    let spinner = ui.spinner("looking for the tools");
    let result = BuildJob {
        board: &board,
        verilog: &verilog,
        top: &top,
        core,
        seed: args.seed,
        out: &out,
        progress: &|stage| spinner.set_message(stage.to_owned()),
        stop,
    }
    .run(&toolbox);
    spinner.finish_and_clear();
    let report = result?;
    ui.result(&report.to_json(), report.to_string());
    Ok(())
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path)
        .with_context(|| format!("cannot read {}; check the path", path.display()))
}
