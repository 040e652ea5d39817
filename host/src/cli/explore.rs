use super::outputs::{Force, Output, Outputs};
use super::sizes::{sizes, Sizes};
use super::ui::say;
use super::{interrupt, load_for_model, Ui};
use crate::evaluate::check_fit;
use crate::explore::activity::Profile;
use crate::explore::candidates::Shape;
use crate::explore::cost::CostModel;
use crate::explore::cycles::Workload;
use crate::explore::measure::{Bench, MeasureError};
use crate::explore::picture::to_svg;
use crate::explore::runs::{from_csv, RUNS};
use crate::explore::survey::{choose, fitting, Choice, Survey};
use crate::files::{marked, write_whole, Kind, PICTURE};
use crate::model_file::{self, ModelFile};
use crate::text::joined;
use crate::toolchain::{Toolbox, ToolchainError};
use anyhow::{bail, Context, Result};
use clap::ValueEnum;
use firmware_model::board::Board;
use firmware_model::config::CoreConfig;
use firmware_model::network::{SpikeTrain, MAX_LAYERS, MAX_STEPS, MAX_WIDTH};
use serde_json::{json, Value};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A board's name (see `firstspike boards`), or the path of a board's .toml file
    #[arg(long)]
    board: String,
    /// The sizes of the layers, inputs first, as 784,600,10. Either this or --model [default: those of --model]
    #[arg(
        long,
        value_name = "SIZES",
        value_parser = sizes,
        required_unless_present = "model",
        conflicts_with = "model"
    )]
    network: Option<Sizes>,
    /// Time steps of --network, T [default: 16]
    #[arg(long, conflicts_with = "model")]
    steps: Option<usize>,
    /// Count clock cycles of this model, exactly, instead of estimating them [default: none]
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// The data set whose test images the model is run on [default: the model's own]
    #[arg(long, conflicts_with = "network")]
    dataset: Option<String>,
    /// Run the model on the first N test images [default: 500]
    #[arg(long, value_name = "N", conflicts_with = "network")]
    limit: Option<usize>,
    /// List the choices that do not fit, too, and why
    #[arg(long)]
    all: bool,
    /// List no choice that another one beats in size and in speed
    #[arg(long, conflicts_with = "all")]
    efficient: bool,
    /// Draw the choices into this file: a picture with a name in .svg [default: none]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write a board file with the best core, to be given as --board to all other commands [default: none]
    #[arg(long, value_name = "FILE.toml")]
    save: Option<PathBuf>,
    /// Synthesise, place and route for real: the best choice, all efficient ones, or every one [default: none]
    #[arg(long, value_name = "WHICH", num_args = 0..=1, default_missing_value = "efficient")]
    measure: Option<Which>,
    /// Place and route with the seeds 1 to N
    #[arg(long, value_name = "N", default_value_t = 3, requires = "measure")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1000))]
    seeds: u32,
    #[command(flatten)]
    force: Force,
}

/// How the board files begin that this command writes.
const SAVED_MARK: &str = "# Saved by `firstspike explore`: a board with another core.\n";

/// Such board files among others.
const SAVED_BOARD: Kind = Kind {
    name: "a board file",
    suffix: "toml",
    is_one: |bytes| bytes.starts_with(SAVED_MARK.as_bytes()),
};

/// Which choices are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    Best,
    Efficient,
    All,
}

/// The network that is asked for, and what is run to count its cycles.
struct Task {
    sizes: Vec<usize>,
    steps: usize,
    workload: Workload,
    /// Where the cycles come from, for people.
    source: String,
    exact: bool,
}

pub fn run(args: Args, ui: &Ui) -> Result<()> {
    let stop = interrupt::flag();
    let board = Board::find(&args.board)?;
    // Before what may take hours.
    let mut outputs = Outputs::new(args.force, ui);
    outputs.reads_board(&args.board, &board);
    (args.model.iter().map(PathBuf::as_path))
        .chain(args.dataset.iter().map(Path::new))
        .for_each(|path| outputs.reads(path));
    let mut writes = |path: &Option<PathBuf>, kind| {
        (path.as_ref())
            .map(|path| outputs.writes(path, kind, 0))
            .transpose()
    };
    if let Some(path) = &args.out {
        check_suffix(path, "svg", "--out", "picture")?;
    }
    let picture = writes(&args.out, PICTURE)?;
    if let Some(path) = &args.save {
        check_suffix(path, "toml", "--save", "board file")?;
    }
    let save = writes(&args.save, SAVED_BOARD)?;
    if let Some(path) = &args.save {
        pin_file(&board, path)?;
    }
    let task = match (&args.model, &args.network) {
        (Some(path), _) => with_model(&args, path, ui)?,
        (None, sizes) => {
            let sizes = sizes.as_ref().map_or(&[][..], |sizes| &sizes.0);
            with_profile(sizes, args.steps.unwrap_or(16))?
        }
    };
    let mut survey = survey(&board, &task, stop, ui)?;
    if let Some(which) = args.measure {
        measure(&board, &mut survey, which, args.seeds, stop, ui)?;
    }
    let network = joined(&task.sizes, "-");
    let drawn = match &picture {
        Some(out) => {
            let title = format!("{network}, T = {}, on {}", task.steps, board.title);
            out.write(marked(&to_svg(&survey, &title)?).as_bytes())
        }
        None => Ok(()),
    };
    let saved = match &save {
        Some(out) => save_board(&board, &survey, out),
        None => Ok(()),
    };
    let mut value = value(&board, &args, &task, &survey);
    if drawn.is_err() {
        value["picture"] = Value::Null;
    }
    if saved.is_err() {
        if args.measure.is_none() {
            return saved;
        }
        // What took so long to find out is shown even where there is nothing to save.
        value["saved"] = Value::Null;
    }
    let text = text(&board, &args, &task, &survey)?;
    ui.result(&value, text);
    drawn.and(saved)
}

fn check_suffix(path: &Path, suffix: &str, option: &str, what: &str) -> Result<()> {
    if path.extension().is_none_or(|found| found != suffix) {
        bail!(
            "{} is not a name of a {what}: give {option} a name that ends in .{suffix}",
            path.display()
        );
    }
    Ok(())
}

/// The pin file beside a board file: it must not be there, or be the board's.
fn pin_file(board: &Board, path: &Path) -> Result<PathBuf> {
    let pins = path.with_file_name(&board.constraints);
    if is_there(&pins) && !is_pin_file(&pins, board) {
        bail!(
            "{} is another pin file than the board's: --save into another folder",
            pins.display()
        );
    }
    Ok(pins)
}

/// Whether there is anything called so, a link that leads nowhere too.
fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

fn is_pin_file(path: &Path, board: &Board) -> bool {
    path.is_file()
        && std::fs::read_to_string(path).is_ok_and(|text| text == board.constraint_text())
}

/// Writes the board with the best core as its own, and the pin file that it names beside it.
fn save_board(board: &Board, survey: &Survey, out: &Output) -> Result<()> {
    let path = out.path();
    let best = survey.best().with_context(|| {
        format!(
            "no core fits the board and meets its timing, so {} was not written; leave --save out",
            path.display()
        )
    })?;
    let mut board = board.clone();
    board.core = best.core;
    // One file, one pin file: `--board` says which of the variants it is.
    board.variants.clear();
    let pins = pin_file(&board, path)?;
    let text = toml::to_string(&board).context("the board is not TOML")?;
    if !is_there(&pins) {
        let context = || format!("cannot write {}", pins.display());
        write_whole(&pins, board.constraint_text().as_bytes()).with_context(context)?;
    }
    out.write(format!("{SAVED_MARK}{text}").as_bytes())
}

fn with_model(args: &Args, path: &Path, ui: &Ui) -> Result<Task> {
    let model: ModelFile = model_file::load(path)?;
    let data = load_for_model(path, &model, args.dataset.as_deref(), ui)?;
    check_fit(&model, &data)?;
    let images = args.limit.unwrap_or(500).min(data.test.len());
    if images == 0 {
        bail!("there are no images to run: give --limit 1 or more");
    }
    let spikes: Vec<SpikeTrain> = (0..images)
        .map(|image| model.encoding.encode(data.test.image(image)))
        .collect();
    Ok(Task {
        sizes: model.network.sizes(),
        steps: model.network.steps(),
        source: format!(
            "cycles: exact, {} on the first {images} test images of {}",
            path.display(),
            data.name
        ),
        workload: Workload::images(model.network, &spikes),
        exact: true,
    })
}

fn with_profile(sizes: &[usize], steps: usize) -> Result<Task> {
    if !(2..=MAX_LAYERS + 1).contains(&sizes.len()) {
        bail!(
            "--network {} is not a network: give the inputs and 1 to {MAX_LAYERS} layers, as 784,600,10",
            joined(sizes, ",")
        );
    }
    if let Some(size) = sizes.iter().find(|size| !(1..=MAX_WIDTH).contains(*size)) {
        bail!("a layer of {size} is not possible: choose sizes from 1 to {MAX_WIDTH}");
    }
    if !(1..=MAX_STEPS).contains(&steps) {
        bail!("{steps} time steps are not possible: give --steps 1 to {MAX_STEPS}");
    }
    let profile = Profile::default();
    Ok(Task {
        workload: Workload::StandIns(profile.stand_ins(sizes, steps)?),
        source: format!(
            "cycles: an estimate, as if it were as active as {}; with --model FILE they are exact",
            profile.source
        ),
        sizes: sizes.to_vec(),
        steps,
        exact: false,
    })
}

fn survey(board: &Board, task: &Task, stop: &AtomicBool, ui: &Ui) -> Result<Survey> {
    let (fitting, mut rejected) = fitting(board, &task.sizes, task.steps, &CostModel::default());
    let bar = ui.bar(fitting.len() as u64, "cycles");
    let mut choices = Vec::new();
    for fits in fitting {
        if stop.load(Ordering::SeqCst) {
            bar.finish_and_clear();
            bail!("interrupted; nothing was written");
        }
        match choose(board, fits, &task.workload) {
            Ok(choice) => choices.push(choice),
            Err(why) => rejected.push(why),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(Survey::new(choices, rejected))
}

fn measure(
    board: &Board,
    survey: &mut Survey,
    which: Which,
    seeds: u32,
    stop: &AtomicBool,
    ui: &Ui,
) -> Result<()> {
    let toolbox = Toolbox::discover()?;
    // The tools see a /tmp of their own, so they work beside what `build` makes.
    let folder = Path::new("build").join("explore").join(&board.name);
    let cores: Vec<CoreConfig> = (survey.choices.iter())
        .filter(|choice| match which {
            Which::Best => choice.best,
            Which::Efficient => choice.efficient || choice.best,
            Which::All => true,
        })
        .map(|choice| choice.core)
        .collect();
    let bar = ui.bar(cores.len() as u64, "measuring");
    for core in cores {
        let shape = Shape::of(&core);
        let bench = Bench {
            synthesis: None,
            board,
            toolbox: &toolbox,
            folder: &folder,
            progress: &|stage| bar.set_message(format!("{shape}, {stage}")),
            stop,
        };
        bar.tick();
        match bench.measure(&core, seeds) {
            Ok(measured) => survey.measured(&core, measured),
            Err(MeasureError::Toolchain(ToolchainError::Interrupted)) => {
                bar.finish_and_clear();
                bail!("interrupted; nothing was written");
            }
            // One that cannot be routed says nothing about the others.
            Err(MeasureError::Toolchain(error @ ToolchainError::Failed { .. })) => {
                bar.suspend(|| say(format!("{shape} was not measured: {error}")));
            }
            Err(error) => {
                bar.finish_and_clear();
                return Err(error).with_context(|| format!("{shape} was not measured"));
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

/// The command that builds a choice, where the board's file has such a core already.
fn command(args: &Args, board: &Board, core: &CoreConfig) -> Option<String> {
    let Shape {
        lanes,
        banks,
        beats,
    } = Shape::of(core);
    let built = board.core_with(Some(lanes), Some(banks), Some(beats));
    let options = format!("--lanes {lanes} --banks {banks} --beats {beats}");
    (built.as_ref() == Ok(core))
        .then(|| format!("firstspike build --board {} {options}", args.board))
}

/// The part of a board's file that makes a choice its core.
fn section(core: &CoreConfig) -> Result<String> {
    let table = toml::to_string(core).context("the core is not TOML")?;
    Ok(format!("[core]\n{table}"))
}

fn value(board: &Board, args: &Args, task: &Task, survey: &Survey) -> Value {
    let choices: Vec<Value> = (survey.choices.iter())
        .map(|choice| {
            let mut value = serde_json::to_value(choice).expect("a choice is plain data");
            value["command"] = json!(command(args, board, &choice.core));
            value
        })
        .collect();
    let best = survey.best().map(|best| Shape::of(&best.core));
    json!({
        "board": board.name,
        "network": task.sizes,
        "steps": task.steps,
        "core_hz": board.clock.core_hz,
        "inferences": task.workload.len(),
        "cycles_exact": task.exact,
        "cycles_source": task.source,
        "choices": choices,
        "rejected": survey.rejected,
        "best": best,
        "picture": args.out,
        "saved": args.save,
    })
}

fn text(board: &Board, args: &Args, task: &Task, survey: &Survey) -> Result<String> {
    let megahertz = f64::from(board.clock.core_hz) / 1e6;
    let judged = survey.choices.len() + survey.rejected.len();
    let mut text = format!(
        "{}, T = {}, on {} at {megahertz} MHz: {} of {judged} choices fit\n\n",
        joined(&task.sizes, "-"),
        task.steps,
        board.title,
        survey.choices.len()
    );
    if !survey.choices.is_empty() {
        table(&mut text, board, survey, args.efficient)?;
    }
    if args.all && !survey.rejected.is_empty() {
        text.push_str("\nwhat does not fit:\n");
        for rejected in &survey.rejected {
            writeln!(
                text,
                "  {:>12}  {}",
                rejected.shape.to_string(),
                rejected.reason
            )?;
        }
    }
    writeln!(text, "\n{}", task.source)?;
    if !survey.choices.is_empty() {
        let runs = from_csv(RUNS)?.len();
        writeln!(
            text,
            "LUTs, FFs, cells, MHz: estimated from {runs} synthesis runs; memories: exact. --measure asks the tools"
        )?;
    }
    if let Some(path) = &args.out {
        writeln!(text, "picture: {}", path.display())?;
    }
    advice(&mut text, board, args, survey)?;
    Ok(text)
}

fn table(text: &mut String, board: &Board, survey: &Survey, efficient: bool) -> Result<()> {
    let has_spram = board.resources.sprams > 0;
    let spram = |value: &dyn std::fmt::Display| match has_spram {
        true => format!(" {value:>6}"),
        false => String::new(),
    };
    let is_measured = survey
        .choices
        .iter()
        .any(|choice| choice.measured.is_some());
    write!(
        text,
        "     P x S / B    LUTs     FFs   cells   RAMs{}   MHz    cycles     most        us",
        spram(&"SPRAMs")
    )?;
    text.push_str(if is_measured {
        "   | LUTs     FFs   cells   RAMs   MHz: median  least   most  met\n"
    } else {
        "\n"
    });
    let listed = |choice: &&Choice| !efficient || choice.efficient || choice.best;
    for choice in survey.choices.iter().filter(listed) {
        let mark = match (choice.best, choice.efficient) {
            (true, _) => '*',
            (false, true) => '+',
            (false, false) => ' ',
        };
        let clock = match choice.cost.clock_mhz {
            Some(mhz) => format!("{mhz:.0}"),
            None => "?".to_owned(),
        };
        let slow = if choice.meets_timing { ' ' } else { '!' };
        write!(
            text,
            "{mark} {:>12} {:>7} {:>7} {:>7} {:>6}{} {clock:>5}{slow} {:>8.1} {:>8} {:>9.2}",
            Shape::of(&choice.core).to_string(),
            choice.cost.luts,
            choice.cost.flip_flops,
            choice.cost.logic_cells,
            choice.cost.memories.block_rams,
            spram(&choice.cost.memories.sprams),
            choice.cycles.mean,
            choice.cycles.most,
            choice.microseconds
        )?;
        measured_columns(text, choice)?;
        text.push('\n');
    }
    text.push_str(
        "\n* best: the fastest of those that meet timing   + efficient: nothing smaller is as fast",
    );
    if survey.choices.iter().any(|choice| !choice.meets_timing) {
        write!(text, "\n! slower than the board's clock")?;
    }
    if survey
        .choices
        .iter()
        .any(|choice| choice.cost.clock_mhz.is_none())
    {
        write!(
            text,
            "\n? no synthesis run tells the clock of such a device: the board's is taken for met"
        )?;
    }
    text.push('\n');
    Ok(())
}

fn measured_columns(text: &mut String, choice: &Choice) -> Result<()> {
    let Some(measured) = &choice.measured else {
        return Ok(());
    };
    write!(
        text,
        "   |{:>5} {:>7} {:>7} {:>6}",
        measured.luts, measured.flip_flops, measured.logic_cells, measured.block_rams
    )?;
    match (measured.clock_median_mhz(), measured.clock_range_mhz()) {
        (Some(median), Some((least, most))) => write!(
            text,
            "        {median:>6.1} {least:>6.1} {most:>6.1}  {}/{}",
            measured.seeds_met,
            measured.clocks_mhz.len()
        )?,
        _ => write!(text, "   does not fit")?,
    }
    Ok(())
}

fn advice(text: &mut String, board: &Board, args: &Args, survey: &Survey) -> Result<()> {
    let Some(best) = survey.best() else {
        let why = match survey.choices.is_empty() {
            true if args.all => "Nothing fits: take a smaller network or another board.",
            true => "Nothing fits: --all says why; take a smaller network or another board.",
            false => "Nothing that fits meets timing: take a board with a slower clock, or a smaller network.",
        };
        writeln!(text, "\n{why}")?;
        return Ok(());
    };
    if let Some(path) = &args.save {
        writeln!(
            text,
            "\nTo build the best:  firstspike build --board {}",
            path.display()
        )?;
        return Ok(());
    }
    match command(args, board, &best.core) {
        Some(command) => writeln!(text, "\nTo build the best:  {command}")?,
        None => writeln!(
            text,
            "\nTo build the best, add --save mine.toml, and then: firstspike build --board mine.toml\n\n{}",
            section(&best.core)?
        )?,
    }
    Ok(())
}
