//! The data of the cost model behind `firstspike explore`, from the synthesis runs to the coefficients.
//!
//! In the root of the repository:
//!
//! ```text
//! cargo run --release -p firstspike --example cost_model -- collect            hours; goes on where it stopped
//! cargo run --release -p firstspike --example cost_model -- fit                the errors, and the coefficients
//! cargo run --release -p firstspike --example cost_model -- activity M.fsp     the profile of a model
//! ```

use anyhow::{Context, Result};
use clap::Parser;
use firstspike::explore::activity::Profile;
use firstspike::explore::candidates::Shape;
use firstspike::explore::fit::{fit, table, to_toml};
use firstspike::explore::measure::{Bench, MeasureError};
use firstspike::explore::plan::{plan, Planned};
use firstspike::explore::runs::{from_csv, to_csv, Run};
use firstspike::files::write_whole;
use firstspike::toolchain::{Toolbox, ToolchainError};
use firstspike::{dataset, model_file};
use signal_hook::consts::SIGINT;
use signal_hook::flag;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock};

static STOP: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Collect synthesis runs, fit the cost model to them, measure a profile of activity.
#[derive(Parser)]
enum Command {
    /// Synthesise the planned cores that the file of runs does not have yet, and add them to it
    Collect {
        #[arg(long, default_value = "host/data/cost/runs.csv")]
        runs: PathBuf,
        /// A folder for the tools to work in
        #[arg(long, default_value = "build/cost-runs")]
        out: PathBuf,
        /// Stop after so many runs
        #[arg(long, default_value_t = usize::MAX)]
        most: usize,
    },
    /// Fit the coefficients, and say how far they are off on the runs that are left out
    Fit {
        #[arg(long, default_value = "host/data/cost/runs.csv")]
        runs: PathBuf,
        #[arg(long, default_value = "host/data/cost/coefficients.toml")]
        out: PathBuf,
    },
    /// Measure what a model does on the data set that it was trained for
    Activity {
        model: PathBuf,
        #[arg(long, default_value_t = 2_000)]
        images: usize,
        /// Typical images in the profile
        #[arg(long, default_value_t = 25)]
        groups: usize,
        #[arg(long, default_value = "host/data/cost/activity.toml")]
        out: PathBuf,
    },
}

fn main() -> Result<()> {
    match Command::parse() {
        Command::Collect { runs, out, most } => collect(&runs, &out, most),
        Command::Fit { runs, out } => {
            let runs = from_csv(&read(&runs)?)?;
            let fitted = fit(&runs)?;
            print!("{}", table(&fitted.errors));
            write(&out, &to_toml(&fitted, runs.len())?)
        }
        Command::Activity {
            model,
            images,
            groups,
            out,
        } => {
            let model = model_file::load(&model)?;
            let data = dataset::load(&model.dataset)?;
            let profile = Profile::measure(&model, &data, images, groups)?;
            let text = format!(
                "# What a network does on typical images, for the estimates of `firstspike explore`. Not made by hand:\n\
                 # cargo run --release -p firstspike --example cost_model -- activity MODEL\n\n{}",
                toml::to_string(&profile)?
            );
            write(&out, &text)
        }
    }
}

fn collect(path: &Path, out: &Path, most: usize) -> Result<()> {
    flag::register(SIGINT, STOP.clone())?;
    let mut runs = from_csv(&read(path)?)?;
    let planned_all = plan();
    let missing: Vec<&Planned> = (planned_all.iter())
        .filter(|planned| !runs.iter().any(|run| is_of(run, planned)))
        .collect();
    println!("{} of {} runs to do", missing.len(), planned_all.len());
    let toolbox = Toolbox::discover()?;
    for planned in missing.into_iter().take(most) {
        let name = format!("{} {}", planned.board.name, Shape::of(&planned.core));
        let bench = Bench {
            board: &planned.board,
            toolbox: &toolbox,
            synthesis: None,
            folder: out,
            progress: &|_| (),
            stop: &STOP,
        };
        let measured = match bench.measure(&planned.core, planned.seeds) {
            Ok(measured) => measured,
            Err(MeasureError::Toolchain(ToolchainError::Interrupted)) => break,
            // One that the tools cannot place is no reason to do without all others.
            Err(error) => {
                eprintln!("{name}: {error}");
                continue;
            }
        };
        println!(
            "{name}: {} LUTs, {:?} MHz",
            measured.luts, measured.clocks_mhz
        );
        let version = |version: &Option<String>| version.clone().unwrap_or_default();
        runs.push(Run {
            board: planned.board.name.clone(),
            core: planned.core,
            luts: measured.luts.into(),
            flip_flops: measured.flip_flops.into(),
            carries: measured.carries.into(),
            lut_rams: measured.lut_rams.into(),
            logic_cells: measured.logic_cells.into(),
            block_rams: measured.block_rams.into(),
            sprams: measured.sprams.into(),
            clock_mhz: measured.clock_median_mhz(),
            yosys: version(&measured.tools.yosys),
            nextpnr: version(&measured.tools.nextpnr),
        });
        // After each run, so that nothing is lost; and in the order of the plan, so that the file is the
        // same however often it was stopped.
        runs.sort_by_key(|run| planned_all.iter().position(|planned| is_of(run, planned)));
        write(path, &to_csv(&runs))?;
    }
    Ok(())
}

fn is_of(run: &Run, planned: &Planned) -> bool {
    run.board == planned.board.name && run.core == planned.core
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<()> {
    write_whole(path, text.as_bytes())
        .with_context(|| format!("cannot write {}", path.display()))?;
    println!("wrote {}", path.display());
    Ok(())
}
