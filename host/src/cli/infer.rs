use super::port::{board_name, check_loaded, shape, PortArgs};
use super::{load_for_model, say_what_is_lacking, Ui};
use crate::dataset::{self, class_name, planes, NAMES};
use crate::driver::{self, Board};
use crate::evaluate::check_fit;
use crate::model_file::{self, ModelFile};
use anyhow::{ensure, Context, Result};
use firmware_model::network::SpikeTrain;
use indicatif::ProgressBar;
use serde_json::{json, Value};
use std::fmt::Write;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Up to so many samples go one at a time, each with its round trip.
const FEW: usize = 20;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The model file that the board was loaded with
    model: PathBuf,
    #[command(flatten)]
    port: PortArgs,
    #[command(flatten)]
    samples: SampleArgs,
    /// Print what the network sees of each image: the earlier a pixel spikes, the darker its mark
    #[arg(long)]
    show: bool,
}

/// What is to be classified.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
struct Source {
    /// PNG or JPEG pictures of any size, or folders of them: brought to the model's shape and polarity [default: none]
    #[arg(value_name = "PICTURE")]
    pictures: Vec<PathBuf>,
    #[arg(long, help = format!(
        "The test images of a data set, given by its name ({}) or path, as to train [default: none]",
        NAMES.join(", ")
    ))]
    dataset: Option<String>,
    /// The images `x` (or `x_test`) of NumPy archives, without labels [default: none]
    #[arg(long, value_name = "FILE", num_args = 1..)]
    npz: Vec<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct SampleArgs {
    #[command(flatten)]
    source: Source,
    /// Classify only the first N images [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
}

/// Spikes to classify, with what is known of them.
struct Samples {
    trains: Vec<SpikeTrain>,
    /// The files that they are from, where each is from its own.
    files: Option<Vec<PathBuf>>,
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
    let grid = match args.show {
        true => Some(planes(&model.input_shape).context(
            "--show wants images of rows and columns, and the model takes none; leave it out",
        )?),
        false => None,
    };
    let samples = args.samples.load(&args.model, &model, ui)?;
    ensure!(
        !samples.trains.is_empty(),
        "there are no images to classify; give a file that has some"
    );
    let mut board = args.port.open()?;
    let context = || args.port.port.clone();
    check_loaded(&mut board, &model.network).with_context(context)?;
    let clock_hz = board.info().device.clock_hz;
    let table = Table::of(&samples, clock_hz);
    if !ui.is_json() {
        ui.note(format!(
            "{} ({}, T = {}) on {}\n{}",
            args.model.display(),
            shape(&model.network),
            model.network.steps(),
            board_name(&board),
            table.head()
        ));
    }
    let start = Instant::now();
    let mut answers = Vec::with_capacity(samples.trains.len());
    classify(&mut board, &samples.trains, ui, |answer| {
        let index = answers.len();
        if let Some(grid) = grid {
            ui.note(drawing(&samples.trains[index], grid, model.network.steps()));
        }
        ui.row(&samples.row(index, &answer), table.row(index, &answer));
        answers.push(answer);
    })
    .with_context(context)?;
    let seconds = start.elapsed().as_secs_f64();
    let value = json!({ "summary": {
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
    }});
    let classes = model.network.outputs();
    let text = summary(&samples, &answers, clock_hz, seconds, classes)?;
    ui.result(&value, format!("\n{text}"));
    Ok(())
}

impl SampleArgs {
    fn load(&self, path: &Path, model: &ModelFile, ui: &Ui) -> Result<Samples> {
        let limit = self.limit.map_or(usize::MAX, |limit| limit as usize);
        if let Some(name) = &self.source.dataset {
            return of_dataset(name, path, model, limit, ui);
        }
        say_what_is_lacking(path, model, ui);
        match self.source.npz.is_empty() {
            true => of_pictures(&self.source.pictures, model, limit, ui),
            false => of_archives(&self.source.npz, model, limit, ui),
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
        files: None,
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
        files: None,
        labels: None,
        class_names: spec.class_names,
    })
}

fn of_pictures(paths: &[PathBuf], model: &ModelFile, limit: usize, ui: &Ui) -> Result<Samples> {
    let spec = model.input_spec();
    let (mut files, left_out) = dataset::find_pictures(paths)?;
    files.truncate(limit);
    let bar = ui.bar(files.len() as u64, "reading");
    let images = dataset::load_pictures_for(&files, &spec, &mut || bar.inc(1));
    bar.finish_and_clear();
    let images = images?;
    for note in left_out.iter().chain(&images.notes) {
        ui.warn(note);
    }
    let each = images.images.chunks(images.features);
    Ok(Samples {
        trains: each.map(|image| model.encoding.encode(image)).collect(),
        files: Some(files),
        labels: None,
        class_names: spec.class_names,
    })
}

/// Few samples one at a time, many as fast as they go; each answer is handed out as it comes, in order.
fn classify(
    board: &mut Board,
    trains: &[SpikeTrain],
    ui: &Ui,
    mut each: impl FnMut(Answer),
) -> Result<()> {
    if trains.len() <= FEW {
        for train in trains {
            let start = Instant::now();
            let found = board.infer(train)?;
            let round_trip = Some(start.elapsed());
            each(Answer { found, round_trip });
        }
        return Ok(());
    }
    // At a terminal the answers themselves show how far it is.
    let bar = match std::io::stdout().is_terminal() {
        true => ProgressBar::hidden(),
        false => ui.bar(trains.len() as u64, "classifying"),
    };
    let done = board.infer_each(trains, |_, found| {
        each(Answer {
            found,
            round_trip: None,
        });
        bar.inc(1);
    });
    bar.finish_and_clear();
    Ok(done?)
}

impl Samples {
    fn class_name(&self, class: usize) -> String {
        class_name(self.class_names.as_deref(), class)
    }

    fn label(&self, index: usize) -> Option<usize> {
        let labels = self.labels.as_ref()?;
        labels.get(index).map(|&label| usize::from(label))
    }

    /// What a sample is called: its file, or its number.
    fn name(&self, index: usize) -> String {
        match &self.files {
            Some(files) => files[index].display().to_string(),
            None => index.to_string(),
        }
    }

    /// The share that is right by the strict rule, where there are labels.
    fn accuracy(&self, answers: &[Answer]) -> Option<f64> {
        self.labels.as_ref()?;
        let right = (answers.iter().enumerate())
            .filter(|(i, a)| Some(a.found.decision.class) == self.label(*i))
            .count();
        Some(right as f64 / answers.len() as f64)
    }

    fn row(&self, index: usize, answer: &Answer) -> Value {
        let decision = &answer.found.decision;
        json!({
            "image": index,
            "file": self.files.as_ref().map(|files| &files[index]),
            "class": decision.class,
            "class_name": self.class_name(decision.class),
            "label": self.label(index),
            "label_name": self.label(index).map(|label| self.class_name(label)),
            "step": decision.step,
            "silent": decision.silent,
            "overshoot": decision.overshoot,
            "cycles": answer.found.cycles,
            "round_trip_ms": answer.round_trip.map(|time| 1e3 * time.as_secs_f64()),
        })
    }
}

/// Answers for people, one a line.
struct Table<'a> {
    samples: &'a Samples,
    clock_hz: u32,
    /// The widths of what a sample is called, and of the class.
    name: usize,
    class: usize,
    /// Whether there is a round trip to tell.
    alone: bool,
}

impl<'a> Table<'a> {
    fn of(samples: &'a Samples, clock_hz: u32) -> Self {
        let width = |text: String| text.chars().count();
        let count = samples.trains.len();
        let names = (0..count).map(|index| width(samples.name(index)));
        let classes = samples.class_names.iter().flatten();
        Table {
            samples,
            clock_hz,
            name: names.max().unwrap_or(0).max("image".len()),
            // With room for the mark of a wrong answer.
            class: classes
                .map(|name| width(name.clone()))
                .max()
                .unwrap_or(0)
                .max(3)
                + 2,
            alone: count <= FEW,
        }
    }

    fn head(&self) -> String {
        let (name, class) = (self.name, self.class);
        let mut line = format!("{:name$}  {:>class$}", "image", "class");
        if self.samples.labels.is_some() {
            line += &format!("  {:>class$}", "label");
        }
        line += "  step  overshoot    cycles   core µs";
        if self.alone {
            line += "   round trip ms";
        }
        line
    }

    fn row(&self, index: usize, answer: &Answer) -> String {
        let (name, class) = (self.name, self.class);
        let decision = &answer.found.decision;
        let mut line = format!(
            "{:name$}  {:>class$}",
            self.samples.name(index),
            self.samples.class_name(decision.class)
        );
        if let Some(label) = self.samples.label(index) {
            let wrong = if label == decision.class { "" } else { " !" };
            let label = self.samples.class_name(label) + wrong;
            line += &format!("  {label:>class$}");
        }
        line += &format!(
            "  {:>4}  {:>9}  {:>8}  {:>8.1}",
            decision.step,
            decision.overshoot,
            answer.found.cycles,
            1e6 * f64::from(answer.found.cycles) / f64::from(self.clock_hz),
        );
        if let Some(time) = answer.round_trip {
            line += &format!("   {:>13.2}", 1e3 * time.as_secs_f64());
        }
        if decision.silent {
            line += "  no output spike";
        }
        line
    }
}

/// From a pixel that spikes last to one that spikes first.
const SHADES: &[u8] = b".:-=+*#%@";

/// The spikes of one image in its planes, rows and columns: a mark for each pixel that spikes, within a frame.
fn drawing(
    train: &SpikeTrain,
    (planes, rows, columns): (usize, usize, usize),
    steps: usize,
) -> String {
    // Letters are about twice as high as they are wide.
    let wide = if columns <= 40 { 2 } else { 1 };
    let frame = format!("+{}+\n", "-".repeat(wide * columns));
    let mut text = frame.clone();
    for plane in 0..planes {
        for row in 0..rows {
            let first = (plane * rows + row) * columns;
            text.push('|');
            for input in first..first + columns {
                let mark = match train.step(input) {
                    Some(step) => {
                        let last = SHADES.len() - 1;
                        char::from(SHADES[last - step * last / (steps - 1).max(1)])
                    }
                    None => ' ',
                };
                text.extend(std::iter::repeat_n(mark, wide));
            }
            text.push_str("|\n");
        }
        text.push_str(&frame);
    }
    text
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_drawn_darker_where_it_spikes_earlier() {
        let silent = SpikeTrain::SILENT;
        let train = SpikeTrain::from_raw(vec![0, 15, silent, 8, silent, silent, 1, 14]);
        let drawn = drawing(&train, (2, 2, 2), 16);
        let lines: Vec<&str> = drawn.lines().collect();
        let expected = [
            "+----+", "|@@..|", "|  ++|", "+----+", "|    |", "|@@::|", "+----+",
        ];
        assert_eq!(lines, expected);
        // Of a single step there is no later one.
        let drawn = drawing(&SpikeTrain::from_raw(vec![0, silent]), (1, 1, 2), 1);
        assert!(drawn.contains("|@@  |"), "{drawn}");
    }
}
