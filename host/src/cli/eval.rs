use super::generate::CoreArgs;
use super::outputs::{Force, Outputs};
use super::port::shape;
use super::{backend, dataset_help, interrupt, load_for_model, Ui};
use crate::dataset::Dataset;
use crate::evaluate::{check_fit, evaluate_each, Backend, Report, Results, RESULTS};
use crate::model_file::{self, ModelFile};
use anyhow::{ensure, Context, Result};
use std::fmt::Write;
use std::path::PathBuf;

/// The board whose core `model` and `rtl` are; a port's board tells its own.
#[derive(Debug, clap::Args)]
struct BoardArgs {
    /// For model and rtl, and for the baud rate of a port: a board's name, or the path of a board's .toml file
    #[arg(long, default_value = "icebreaker")]
    board: String,
    /// For model and rtl: P, the neurons updated together [default: the board's]
    #[arg(long)]
    lanes: Option<u16>,
    /// For model and rtl: S, the input spikes taken together [default: the board's]
    #[arg(long)]
    banks: Option<u8>,
    /// B, the beats in which the lanes share their adders [default: what suits the lanes]
    #[arg(long)]
    beats: Option<u8>,
}

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The model file
    model: PathBuf,
    #[arg(long, help = format!("{} [default: the model's own]", dataset_help()))]
    dataset: Option<String>,
    /// What runs the network: golden (the reference), model (the cycle model), rtl (the generated
    /// Verilog as a virtual board), or the port of a board
    #[arg(long, default_value = "golden")]
    on: String,
    #[command(flatten)]
    core: BoardArgs,
    /// Classify only the first N test images [default: all]
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// For model: go on after the decision to the end of the image, to see what stopping there saves. The
    /// decisions are the same; cycles and their bound are those of all steps
    #[arg(long)]
    no_exit: bool,
    /// Write the answer to each image into this NumPy archive (.npz): label, class, step, silent, overshoot and, where
    /// there is a clock, cycles [default: none]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Also write when each neuron fires, as the golden reference has it: layer1, layer2, ..., -1 for never
    #[arg(long, requires = "out")]
    spikes: bool,
    #[command(flatten)]
    force: Force,
}

/// With more classes than this, or without names, they are only in the JSON.
const MOST_CLASSES: usize = 20;

pub fn run(args: Args, ui: &Ui) -> Result<()> {
    if let Some(out) = &args.out {
        ensure!(
            out.extension().is_some_and(|extension| extension == "npz"),
            "{} is to be a NumPy archive: give it a name that ends in .npz",
            out.display()
        );
    }
    let model = model_file::load(&args.model)?;
    let mut outputs = Outputs::new(args.force, ui);
    outputs.reads(&args.model);
    outputs.reads(args.dataset.as_deref().unwrap_or(&model.dataset));
    let out = (args.out.as_ref())
        .map(|path| outputs.writes(path, RESULTS, 0))
        .transpose()?;
    let data = load_for_model(&args.model, &model, args.dataset.as_deref(), ui)?;
    check_fit(&model, &data)?;
    let core = CoreArgs {
        board: args.core.board,
        lanes: args.core.lanes,
        banks: args.core.banks,
        beats: args.core.beats,
    };
    let (board, core) = core.resolve()?;
    let mut backend = backend::open(&args.on, !args.no_exit, &model.network, &board, &core, ui)?;
    let images = args.limit.unwrap_or(usize::MAX).min(data.test.len());
    let bar = ui.bar(images as u64, "classifying");
    let mut results = match args.spikes {
        true => Results::with_spikes(),
        false => Results::new(),
    };
    let report = evaluate_each(
        interrupt::flag(),
        &model,
        &data,
        args.limit,
        backend
            .as_mut()
            .map(|backend| &mut **backend as &mut dyn Backend),
        &mut |image, trace, answer| {
            if out.is_some() {
                results.add(data.test.labels[image], trace, answer);
            }
            bar.inc(1);
        },
    );
    bar.finish_and_clear();
    let report = report?;
    if let Some(out) = &out {
        out.write(&results.to_npz().context("the answers are no archive")?)?;
    }
    let value = serde_json::to_value(&report).context("the report is not JSON")?;
    let mut text = text(&model, &data, &args.on, &report)?;
    if let Some(out) = &args.out {
        writeln!(text, "  written to            {}", out.display())?;
    }
    ui.result(&value, text);
    Ok(())
}

fn text(model: &ModelFile, data: &Dataset, on: &str, report: &Report) -> Result<String> {
    let percent = |share: f64| 100.0 * share;
    let mut text = String::new();
    writeln!(
        text,
        "{} (T = {}) on {}, {} test images, run by: {on}",
        shape(&model.network),
        model.network.steps(),
        data.name,
        report.images
    )?;
    writeln!(
        text,
        "  accuracy              {:8.2} % strict",
        percent(report.accuracy)
    )?;
    writeln!(
        text,
        "                        {:8.2} % tie-tolerant",
        percent(report.accuracy_tie_tolerant)
    )?;
    writeln!(
        text,
        "  decision at step      {:8.2} on average of {} steps",
        report.decision_step_mean,
        model.network.steps()
    )?;
    writeln!(
        text,
        "  hidden spikes         {:8.2} an image before the decision, {:.2} in all",
        report.hidden_spikes_before_decision_mean, report.hidden_spikes_mean
    )?;
    writeln!(
        text,
        "  silent                {:8} images without an output spike",
        report.silent
    )?;
    let by_class = report.by_class.iter().filter(|class| class.images > 0);
    let by_class: Vec<String> = by_class
        .take(MOST_CLASSES + 1)
        .map(|class| {
            let share = class.right as f64 / class.images as f64;
            format!("{} {:.1} %", class.class_name, percent(share))
        })
        .collect();
    let has_names = (report.by_class.iter()).any(|of| of.class_name != of.class.to_string());
    if has_names && by_class.len() <= MOST_CLASSES {
        writeln!(text, "  right by class        {}", by_class.join(", "))?;
    }
    if let (Some(mean), Some(median), Some(p99), Some(most)) = (
        report.cycles_mean,
        report.cycles_median,
        report.cycles_p99,
        report.cycles_max,
    ) {
        writeln!(
            text,
            "  clock cycles          {mean:8.1} an image on average, {median} at the median, {p99} at 99 %, {most} at most"
        )?;
    }
    if let (Some(bound), Some(over)) = (report.bound_cycles_mean, report.cycles_over_bound) {
        writeln!(
            text,
            "  the memories' bound   {bound:8.1} cycles an image; the core takes {over:.3} times that"
        )?;
    }
    if on != "golden" {
        writeln!(
            text,
            "  mismatches            {:8} images differ from the golden reference or the cycle model",
            report.mismatches
        )?;
    }
    if let Some(first) = report.first_mismatch {
        writeln!(
            text,
            "  the first is image {}: golden {} ({:?}), found {} ({:?})",
            first.image,
            data.class_name(first.golden.class),
            first.golden,
            data.class_name(first.found.decision.class),
            first.found
        )?;
    }
    Ok(text)
}
