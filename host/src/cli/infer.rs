use super::port::{board_name, check_loaded, shape, PortArgs};
use super::{load_for_model, say_what_is_lacking, Ui};
use crate::dataset::{self, class_name, NAMES};
use crate::driver::{self, Board};
use crate::evaluate::check_fit;
use crate::model_file::{self, ModelFile};
use anyhow::{ensure, Context, Result};
use firmware_model::network::SpikeTrain;
use serde_json::{json, Value};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Up to so many samples go one at a time, each with its round trip, and are shown one a line.
const FEW: usize = 20;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The model file that the board was loaded with
    model: PathBuf,
    #[command(flatten)]
    port: PortArgs,
    #[command(flatten)]
    samples: SampleArgs,
}

/// What is to be classified.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Source {
    #[arg(long, help = format!(
        "The test images of a data set, given by its name ({}) or path, as to train",
        NAMES.join(", ")
    ))]
    dataset: Option<String>,
    /// The images `x` (or `x_test`) of NumPy archives, without labels
    #[arg(long, value_name = "FILE", num_args = 1..)]
    npz: Vec<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct SampleArgs {
    #[command(flatten)]
    source: Source,
    /// Classify only the first N images
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
}

/// Spikes to classify, with their labels where they have some.
struct Samples {
    trains: Vec<SpikeTrain>,
    labels: Option<Vec<u8>>,
    /// What the classes are called, where they have names.
    class_names: Option<Vec<String>>,
}

/// The answer to one sample.
struct Answer {
    found: driver::Answer,
    /// Where the sample went alone: the time from its first byte to its answer.
    round_trip: Option<Duration>,
}

pub fn run(args: Args, ui: &Ui) -> Result<()> {
    let model = model_file::load(&args.model)?;
    let samples = args.samples.load(&args.model, &model, ui)?;
    ensure!(
        !samples.trains.is_empty(),
        "there are no images to classify; give a file that has some"
    );
    let mut board = args.port.open()?;
    let context = || args.port.port.clone();
    check_loaded(&mut board, &model.network).with_context(context)?;
    let start = Instant::now();
    let answers = classify(&mut board, &samples.trains, ui).with_context(context)?;
    let seconds = start.elapsed().as_secs_f64();
    let clock_hz = board.info().device.clock_hz;
    let value = json!({
        "model": args.model,
        "port": args.port.port,
        "board": board_name(&board),
        "images": answers.len(),
        "accuracy": samples.accuracy(&answers),
        "silent": answers.iter().filter(|a| a.found.decision.silent).count(),
        "cycles_mean": mean(answers.iter().map(|a| f64::from(a.found.cycles))),
        "clock_hz": clock_hz,
        "seconds": seconds,
        "recoveries": board.traffic().recoveries,
        "results": results(&samples, &answers),
    });
    let head = format!(
        "{} ({}, T = {}) on {}",
        args.model.display(),
        shape(&model.network),
        model.network.steps(),
        board_name(&board)
    );
    let body = match answers.len() <= FEW {
        true => table(&samples, &answers, clock_hz)?,
        false => summary(
            &samples,
            &answers,
            clock_hz,
            seconds,
            model.network.outputs(),
        )?,
    };
    ui.result(&value, format!("{head}\n{body}"));
    Ok(())
}

impl SampleArgs {
    fn load(&self, path: &Path, model: &ModelFile, ui: &Ui) -> Result<Samples> {
        let limit = self.limit.map_or(usize::MAX, |limit| limit as usize);
        match &self.source.dataset {
            Some(name) => of_dataset(name, path, model, limit, ui),
            None => {
                say_what_is_lacking(path, model, ui);
                of_archives(&self.source.npz, model, limit, ui)
            }
        }
    }
}

fn of_dataset(
    name: &str,
    path: &Path,
    model: &ModelFile,
    limit: usize,
    ui: &Ui,
) -> Result<Samples> {
    let data = load_for_model(path, model, Some(name), ui)?;
    check_fit(model, &data)?;
    let count = limit.min(data.test.len());
    let trains = (data.test.iter().take(count))
        .map(|image| model.encoding.encode(image))
        .collect();
    Ok(Samples {
        trains,
        labels: Some(data.test.labels[..count].to_vec()),
        class_names: data.class_names,
    })
}

fn of_archives(paths: &[PathBuf], model: &ModelFile, limit: usize, ui: &Ui) -> Result<Samples> {
    let spec = model.input_spec();
    let mut trains = Vec::new();
    for path in paths {
        let images = dataset::load_images_for(path, &spec)?;
        for note in &images.notes {
            ui.warn(note);
        }
        let images = images.images.chunks(images.features);
        trains.extend(images.map(|image| model.encoding.encode(image)));
    }
    trains.truncate(limit);
    Ok(Samples {
        trains,
        labels: None,
        class_names: spec.class_names,
    })
}

/// Few samples one at a time, many as fast as they go.
fn classify(board: &mut Board, trains: &[SpikeTrain], ui: &Ui) -> Result<Vec<Answer>> {
    let mut answers = Vec::with_capacity(trains.len());
    if trains.len() <= FEW {
        for train in trains {
            let start = Instant::now();
            let found = board.infer(train)?;
            let round_trip = Some(start.elapsed());
            answers.push(Answer { found, round_trip });
        }
        return Ok(answers);
    }
    let bar = ui.bar(trains.len() as u64, "classifying");
    let done = board.infer_each(trains, |_, found| {
        answers.push(Answer {
            found,
            round_trip: None,
        });
        bar.inc(1);
    });
    bar.finish_and_clear();
    done?;
    Ok(answers)
}

impl Samples {
    fn class_name(&self, class: usize) -> String {
        class_name(self.class_names.as_deref(), class)
    }

    fn label(&self, index: usize) -> Option<usize> {
        let labels = self.labels.as_ref()?;
        labels.get(index).map(|&label| usize::from(label))
    }

    /// The share that is right by the strict rule, where there are labels.
    fn accuracy(&self, answers: &[Answer]) -> Option<f64> {
        self.labels.as_ref()?;
        let right = (answers.iter().enumerate())
            .filter(|(i, a)| Some(a.found.decision.class) == self.label(*i))
            .count();
        Some(right as f64 / answers.len() as f64)
    }
}

fn results(samples: &Samples, answers: &[Answer]) -> Vec<Value> {
    (answers.iter().enumerate())
        .map(|(index, answer)| {
            let decision = &answer.found.decision;
            json!({
                "class": decision.class,
                "class_name": samples.class_name(decision.class),
                "label": samples.label(index),
                "label_name": samples.label(index).map(|label| samples.class_name(label)),
                "step": decision.step,
                "silent": decision.silent,
                "overshoot": decision.overshoot,
                "cycles": answer.found.cycles,
                "round_trip_ms": answer.round_trip.map(|time| 1e3 * time.as_secs_f64()),
            })
        })
        .collect()
}

fn table(samples: &Samples, answers: &[Answer], clock_hz: u32) -> Result<String> {
    let mut text = String::new();
    let shown = |class: usize| {
        let name = samples.class_name(class);
        name.chars().count()
    };
    let classes = answers.iter().enumerate().flat_map(|(index, answer)| {
        let label = samples.label(index).unwrap_or_default();
        [answer.found.decision.class, label]
    });
    // Names, and the mark of a wrong answer behind them.
    let width = classes.map(shown).max().unwrap_or(0).max(3) + 2;
    writeln!(
        text,
        "image  {:>width$}  {:>width$}  step  overshoot    cycles   core µs   round trip ms",
        "class", "label"
    )?;
    for (index, answer) in answers.iter().enumerate() {
        let decision = &answer.found.decision;
        let label = match samples.label(index) {
            Some(label) if label == decision.class => samples.class_name(label),
            Some(label) => format!("{} !", samples.class_name(label)),
            None => "-".to_owned(),
        };
        writeln!(
            text,
            "{index:>5}  {:>width$}  {label:>width$}  {:>4}  {:>9}  {:>8}  {:>8.1}   {:>13.2}{}",
            samples.class_name(decision.class),
            decision.step,
            decision.overshoot,
            answer.found.cycles,
            1e6 * f64::from(answer.found.cycles) / f64::from(clock_hz),
            answer
                .round_trip
                .map_or(0.0, |time| 1e3 * time.as_secs_f64()),
            if decision.silent {
                "  no output spike"
            } else {
                ""
            },
        )?;
    }
    Ok(text)
}

fn summary(
    samples: &Samples,
    answers: &[Answer],
    clock_hz: u32,
    seconds: f64,
    classes: usize,
) -> Result<String> {
    let mut text = String::new();
    let count = answers.len();
    writeln!(
        text,
        "  images      {count:>8} in {seconds:.2} s, {:.0} a second",
        count as f64 / seconds
    )?;
    if let Some(accuracy) = samples.accuracy(answers) {
        writeln!(text, "  accuracy    {:>8.2} % strict", 100.0 * accuracy)?;
    }
    let cycles = mean(answers.iter().map(|a| f64::from(a.found.cycles)));
    let most = answers.iter().map(|a| a.found.cycles).max().unwrap_or(0);
    writeln!(
        text,
        "  core        {:>8.1} µs an image ({cycles:.0} cycles), {:.1} at most",
        1e6 * cycles / f64::from(clock_hz),
        1e6 * f64::from(most) / f64::from(clock_hz)
    )?;
    let step = mean(answers.iter().map(|a| a.found.decision.step as f64));
    writeln!(text, "  decided     {step:>8.2} at this step on average")?;
    let silent = answers.iter().filter(|a| a.found.decision.silent).count();
    writeln!(text, "  silent      {silent:>8} without an output spike")?;
    let mut each = vec![0; classes];
    for answer in answers {
        each[answer.found.decision.class] += 1;
    }
    let each: Vec<String> = (each.iter().enumerate())
        .map(|(class, count)| match samples.class_names {
            Some(_) => format!("{}: {count}", samples.class_name(class)),
            None => count.to_string(),
        })
        .collect();
    let between = if samples.class_names.is_some() {
        ", "
    } else {
        " "
    };
    writeln!(text, "  by class    {}", each.join(between))?;
    Ok(text)
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len();
    values.sum::<f64>() / count as f64
}
