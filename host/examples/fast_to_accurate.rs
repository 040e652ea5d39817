//! Accuracy against clock cycles, over models that were trained from fast to accurate.
//!
//! In the root of the repository:
//!
//! ```text
//! cargo run --release -p firstspike --example fast_to_accurate -- --dataset mnist --layers 784,600,10
//! ```
//!
//! trains a model for each patience, runs the test images through the cycle model of a board's core, and
//! writes docs/results/fast-to-accurate.md, .csv, .json and .svg. The models stay in build/fast-to-accurate/: one
//! that is there is not trained again, so a run that was stopped goes on where it was.

use anyhow::{bail, ensure, Context, Result};
use clap::Parser;
use firmware_model::board::Board;
use firstspike::cli::{dataset_help, Ui};
use firstspike::dataset;
use firstspike::evaluate::EvaluateError;
use firstspike::files::write_whole;
use firstspike::origin;
use firstspike::tradeoff::{
    measure, to_csv, to_markdown, to_svg, train_or_load, About, Plan, Point, TradeoffError,
};
use firstspike::train::{check_sizes, Choices, Event};
use serde::Deserialize;
use serde_json::json;
use signal_hook::consts::SIGINT;
use signal_hook::flag;
use std::fs::{create_dir_all, read_to_string};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock};

static STOP: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Train models from fast to accurate, and draw their accuracy against their clock cycles.
#[derive(Debug, Parser)]
struct Args {
    #[arg(long, default_value = "mnist", help = dataset_help())]
    dataset: String,
    /// The sizes of the layers, inputs first and classes last
    #[arg(long, value_delimiter = ',', default_value = "784,600,10")]
    layers: Vec<usize>,
    /// The time steps of an inference, T [default: as `firstspike train`]
    #[arg(long)]
    steps: Option<usize>,
    /// The seed of all trainings
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The patience of each model: what `firstspike train --patience` takes
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "0.1,0.2,0.3,0.4,0.5,0.7,1,1.5,2"
    )]
    patiences: Vec<f32>,
    #[command(flatten)]
    choices: Choices,
    /// The board whose core counts the cycles
    #[arg(long, default_value = "icebreaker")]
    board: String,
    /// Classify only the first N test images
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// The folder of the models
    #[arg(long, default_value = "build/fast-to-accurate")]
    models: PathBuf,
    /// The files to write, without .md, .csv, .json and .svg
    #[arg(long, default_value = "docs/results/fast-to-accurate")]
    out: PathBuf,
    /// Only draw the picture again, from the points in the .json file
    #[arg(long)]
    redraw: bool,
    /// Print the curve as JSON
    #[arg(long)]
    json: bool,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let ui = Ui::new(args.json);
    if args.redraw {
        return redraw(&args, &ui);
    }
    // A second Ctrl-C ends it at once.
    flag::register_conditional_shutdown(SIGINT, 130, STOP.clone())?;
    flag::register(SIGINT, STOP.clone())?;
    let data = dataset::load(&args.dataset)?;
    check_sizes(&data, &args.layers)?;
    let board = Board::find(&args.board)?;
    for folder in [Some(args.models.as_path()), args.out.parent()] {
        let folder = folder.unwrap_or(Path::new("."));
        create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    ensure!(
        args.choices.patience.is_none() && !args.patiences.is_empty(),
        "give the patience of each model by --patiences"
    );
    let steps = args.choices.steps(&data, args.steps)?;
    let plan = Plan {
        sizes: args.layers.clone(),
        steps,
        options: args.choices.options(&data, steps, args.seed)?,
    };
    let sizes: Vec<String> = args.layers.iter().map(ToString::to_string).collect();
    let sizes = sizes.join("-");

    let seen = data.hold_out(plan.options.validation)?.stay.len();
    let mut points = Vec::new();
    for &patience in &args.patiences {
        let name = format!(
            "{}-{sizes}-t{}-e{}-seed{}-patience{patience}.fsp",
            dataset::stem(&data.name),
            plan.steps,
            plan.options.epochs,
            args.seed
        );
        let bar = ui.bar((seen * plan.options.epochs) as u64, "training");
        let mut watch = |event: Event| {
            if let Event::Batch { images, loss, .. } = event {
                bar.set_position(images as u64);
                bar.set_message(format!("patience {patience} loss {loss:.4}"));
            }
        };
        let path = args.models.join(name);
        let model = train_or_load(&plan, patience, &data, &path, &STOP, &mut watch)?;
        bar.finish_and_clear();
        let model = model.map_or_else(|| stopped(patience), Ok)?;
        let images = args.limit.unwrap_or(usize::MAX).min(data.test.len());
        let bar = ui.bar(images as u64, "measuring");
        let mut progress = |done: usize| bar.set_position(done as u64);
        let point = measure(
            &model,
            patience,
            &data,
            &board.core,
            args.limit,
            &STOP,
            &mut progress,
        );
        let point = match point {
            Err(TradeoffError::Evaluate(EvaluateError::Stopped)) => stopped(patience)?,
            point => point?,
        };
        bar.finish_and_clear();
        ui.note(line(&point));
        points.push(point);
    }

    let title = title(&args.layers, &data.name, plan.steps, &board);
    let about = About {
        plan: &plan,
        board: &args.board,
        picture: file_name(&file(&args.out, "svg")),
        date: origin::today(),
        commit: origin::commit(),
        command: origin::command("cargo run --release -p firstspike --example fast_to_accurate --"),
        title,
    };
    let value = json!({
        "dataset": data.name,
        "layers": args.layers,
        "steps": plan.steps,
        "seed": args.seed,
        "epochs": plan.options.epochs,
        "board": board.name,
        "core": board.core,
        "clock_hz": board.clock.core_hz,
        "points": points,
        "date": about.date,
        "commit": about.commit,
        "command": about.command,
    });
    write(&args.out, "csv", &to_csv(&points))?;
    write(&args.out, "json", &format!("{value:#}\n"))?;
    write(&args.out, "svg", &to_svg(&points, &about.title)?)?;
    write(&args.out, "md", &to_markdown(&points, &about))?;
    let text = format!("written to {}.csv, .json, .svg and .md", args.out.display());
    ui.result(&value, text);
    Ok(())
}

fn title(layers: &[usize], dataset: &str, steps: usize, board: &Board) -> String {
    let sizes: Vec<String> = layers.iter().map(ToString::to_string).collect();
    let sizes = sizes.join("-");
    format!("{sizes} on {dataset}, T = {steps}, {}", board.title)
}

/// What the picture needs of the .json file.
#[derive(Deserialize)]
struct Curve {
    dataset: String,
    layers: Vec<usize>,
    steps: usize,
    board: String,
    points: Vec<Point>,
}

fn redraw(args: &Args, ui: &Ui) -> Result<()> {
    let path = file(&args.out, "json");
    let json = read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let curve: Curve = serde_json::from_str(&json)
        .with_context(|| format!("{} is not a curve of this example", path.display()))?;
    let board = Board::find(&args.board)?;
    ensure!(
        board.name == curve.board,
        "the curve is of the board {}: give that one by --board",
        curve.board
    );
    let title = title(&curve.layers, &curve.dataset, curve.steps, &board);
    write(&args.out, "svg", &to_svg(&curve.points, &title)?)?;
    let picture = file(&args.out, "svg");
    let text = format!("drawn again: {}", picture.display());
    ui.result(&json!({ "picture": picture }), text);
    Ok(())
}

fn stopped<T>(patience: f32) -> Result<T> {
    bail!("stopped: the same command goes on with patience {patience}")
}

fn line(point: &Point) -> String {
    let report = &point.report;
    format!(
        "patience {:<5} {:6.2} %  decided at step {:5.2}  {:8.1} cycles, {:8.1} without the exit",
        point.patience,
        100.0 * report.accuracy,
        report.decision_step_mean,
        report.cycles_mean.unwrap_or(0.0),
        point.cycles_mean_no_exit
    )
}

/// `some/folder/curve.svg` of `some/folder/curve`.
fn file(out: &Path, extension: &str) -> PathBuf {
    PathBuf::from(format!("{}.{extension}", out.display()))
}

/// `curve.svg` of `some/folder/curve.svg`.
fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn write(out: &Path, extension: &str, text: &str) -> Result<()> {
    let path = file(out, extension);
    write_whole(&path, text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))
}
