use super::{
    class_names_of, dataset_help, examples, interrupt, load_dataset, notes_of, warn_of_concerns, Ui,
};
use crate::dataset::bring::{bring, Brought};
use crate::dataset::fetch::{fetch, Outcome, Source, SOURCES};
use crate::dataset::{self, Axis, Dataset, DatasetError, Split};
use crate::encoding::Latency;
use crate::text::joined;
use crate::train::steps_for;
use anyhow::{ensure, Result};
use firmware_model::network::MAX_STEPS;
use serde_json::json;
use std::fmt::Write;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Put a data set into the cache folder ($FIRSTSPIKE_DATA, else ~/.cache/firstspike)
    #[command(after_help = examples::DATA_FETCH)]
    Fetch {
        /// What to fetch; shd is for shd-first too, and all is what comes without --from
        #[arg(value_parser = ["mnist", "fashion-mnist", "all", "shd", "caltech101"])]
        name: String,
        /// The folder that has the files of shd or caltech101, which cannot be fetched: they are checked and copied [default: none]
        #[arg(long, value_name = "FOLDER")]
        from: Option<PathBuf>,
    },
    /// Say what is in a data set: shapes, classes, and spikes under the latency code
    #[command(after_help = examples::DATA_INFO)]
    Info {
        #[arg(default_value = "digits", help = dataset_help())]
        dataset: String,
        /// The time steps of the latency code, T [default: 16; shd and shd-first have their own 20]
        #[arg(long, value_parser = clap::value_parser!(u16).range(1..=MAX_STEPS as i64))]
        steps: Option<u16>,
    },
}

pub fn run(args: Args, ui: &Ui) -> Result<()> {
    match args.action {
        Action::Fetch { name, from } => match Brought::of(&name) {
            Some(set) => run_bring(set, from.as_deref(), ui),
            None => {
                ensure!(
                    from.is_none(),
                    "--from is for shd and caltech101: leave it out to fetch {name}"
                );
                run_fetch(&name, ui)
            }
        },
        Action::Info { dataset, steps } => run_info(&dataset, steps.map(usize::from), ui),
    }
}

fn run_fetch(name: &str, ui: &Ui) -> Result<()> {
    let stop = interrupt::flag();
    let cache = dataset::cache_folder()?;
    let sources: Vec<&Source> = match name {
        "all" => SOURCES.iter().collect(),
        name => Source::of(name).into_iter().collect(),
    };
    let (mut text, mut entries) = (String::new(), Vec::new());
    for source in sources {
        let spinner = ui.spinner(source.name);
        let show = |stage: &str| spinner.set_message(stage.to_owned());
        let outcome = fetch(source, &cache, &show, stop);
        spinner.finish_and_clear();
        let folder = cache.join(source.name);
        let fetched = outcome? == Outcome::Fetched;
        let how = match fetched {
            true => "fetched and checked",
            false => "was there already, and is whole",
        };
        writeln!(text, "{} {how}: {}", source.name, folder.display())?;
        entries.push(json!({
            "name": source.name,
            "folder": folder,
            "fetched": fetched,
        }));
    }
    ui.result(&json!({ "datasets": entries }), text);
    Ok(())
}

fn run_bring(set: &Brought, from: Option<&Path>, ui: &Ui) -> Result<()> {
    let from = from.ok_or(DatasetError::NotFetchable {
        name: set.name,
        what: set.source,
    })?;
    let stop = interrupt::flag();
    let cache = dataset::cache_folder()?;
    let spinner = ui.spinner(set.name);
    let show = |stage: &str| spinner.set_message(stage.to_owned());
    let outcome = bring(set, from, &cache, &show, stop);
    spinner.finish_and_clear();
    let (folder, copied) = (cache.join(set.name), outcome? == Outcome::Fetched);
    let how = match copied {
        true => "checked and copied",
        false => "is there already, and is whole",
    };
    let entry = json!({ "name": set.name, "folder": folder, "fetched": copied });
    let text = format!("{} {how}: {}", set.name, folder.display());
    ui.result(&json!({ "datasets": [entry] }), text);
    Ok(())
}

fn run_info(name: &str, steps: Option<usize>, ui: &Ui) -> Result<()> {
    let mut data = load_dataset(name, ui)?;
    let steps = steps_for(&data, steps)?;
    warn_of_concerns(&mut data, steps, ui);
    let spikes = SpikeCount::of(&data, Latency { steps });
    let value = json!({
        "name": data.name,
        "shape": data.shape,
        "maximum": data.maximum,
        "axes": Axis::of(&data.shape, &data.source),
        "classes": data.classes,
        "class_names": class_names_of(&data),
        "inverted": data.source.is_inverted(),
        "train": data.train.len(),
        "test": data.test.len(),
        "train_class_counts": data.train.class_counts(data.classes),
        "test_class_counts": data.test.class_counts(data.classes),
        "steps": steps,
        "own_steps": data.steps,
        "train_events": events_of(&data),
        "spikes_mean": spikes.mean,
        "spikes_min": spikes.least,
        "spikes_max": spikes.most,
        "spikes_per_step": spikes.per_step,
        "notes": notes_of(&data),
    });
    ui.result(&value, info_text(&data, steps, &spikes)?);
    Ok(())
}

fn info_text(data: &Dataset, steps: usize, spikes: &SpikeCount) -> Result<String> {
    let shape = joined(&data.shape, "×");
    let mut text = String::new();
    match events_of(data) {
        Some(events) => writeln!(
            text,
            "{}: recordings as {shape} inputs, {} classes; {events} events in those to train on",
            data.name, data.classes
        )?,
        None => writeln!(
            text,
            "{}: images of {shape} pixels, intensities 0 to {}, {} classes",
            data.name, data.maximum, data.classes
        )?,
    }
    if has_names(data) {
        let named: Vec<String> = (0..data.classes)
            .map(|class| format!("{class} {}", data.class_name(class)))
            .collect();
        writeln!(text, "classes: {}", named.join(", "))?;
    }
    if data.source.is_inverted() {
        writeln!(
            text,
            "inverted, for the borders of the training images are bright"
        )?;
    }
    let counts = |split: &Split| counts_text(data, &split.class_counts(data.classes));
    for (part, split) in [("train", &data.train), ("test", &data.test)] {
        let (count, each) = (split.len(), counts(split));
        writeln!(text, "{part:>5}: {count} images, by class: {each}")?;
    }
    writeln!(
        text,
        "latency code with T = {steps}: {:.1} spikes an image (least {}, most {}), by step:",
        spikes.mean, spikes.least, spikes.most
    )?;
    let highest = spikes
        .per_step
        .iter()
        .copied()
        .fold(f64::MIN_POSITIVE, f64::max);
    for (step, &count) in spikes.per_step.iter().enumerate() {
        let bar = "█".repeat((count / highest * 40.0).round() as usize);
        writeln!(text, "{step:>5}  {count:>7.2} {bar}")?;
    }
    Ok(text)
}

/// Whether the names of the classes say more than their numbers.
fn has_names(data: &Dataset) -> bool {
    (0..data.classes).any(|class| data.class_name(class) != class.to_string())
}

/// How many images there are of each class: with its name, where that says more than its place.
fn counts_text(data: &Dataset, counts: &[usize]) -> String {
    if !has_names(data) {
        return joined(counts, " ");
    }
    let words = counts.iter().enumerate();
    let words: Vec<String> = words
        .map(|(class, count)| format!("{} {count}", data.class_name(class)))
        .collect();
    words.join(", ")
}

/// The events in the recordings that the training images were encoded from.
fn events_of(data: &Dataset) -> Option<usize> {
    data.recordings.as_ref().map(|all| all.event_count())
}

/// How the training images of a data set spike.
struct SpikeCount {
    mean: f64,
    least: usize,
    most: usize,
    /// The mean number of spikes an image at each step.
    per_step: Vec<f64>,
}

impl SpikeCount {
    fn of(data: &Dataset, code: Latency) -> Self {
        let mut step_of = vec![None; usize::from(data.maximum) + 1];
        for (value, step) in step_of.iter_mut().enumerate() {
            *step = code.step(value as u8, data.maximum);
        }
        let mut totals = vec![0u64; code.steps];
        let (mut least, mut most) = (usize::MAX, 0);
        for image in data.train.iter() {
            let mut count = 0;
            for &value in image {
                if let Some(step) = step_of[usize::from(value)] {
                    totals[step] += 1;
                    count += 1;
                }
            }
            least = least.min(count);
            most = most.max(count);
        }
        let images = data.train.len() as f64;
        SpikeCount {
            mean: totals.iter().sum::<u64>() as f64 / images,
            least,
            most,
            per_step: totals.iter().map(|&total| total as f64 / images).collect(),
        }
    }
}
