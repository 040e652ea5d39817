use super::outputs::{Force, Output, Outputs};
use super::sizes::{sizes, Sizes};
use super::{
    class_names_of, dataset_help, interrupt, load_dataset, notes_of, threads_parser,
    warn_of_concerns, Ui,
};
use crate::dataset::{self, Dataset};
use crate::encoding::Latency;
use crate::files::{is_same_file, marked, PICTURE};
use crate::model_file::{self, ModelFile, MODEL};
use crate::text::joined;
use crate::train::{
    check_sizes, to_csv, to_svg, train_from, Checkpoint, Choices, Epoch, Event, FastNetwork,
    KeptRun, Options, Samples, CHECKPOINT, CURVES,
};
use anyhow::{bail, ensure, Context, Result};
use firmware_model::network::MAX_STEPS;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::ThreadPoolBuilder;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

/// How often a line is written where no bar shows how far the run is.
const PERIOD: Duration = Duration::from_secs(5);
/// How soon after another line that of an epoch that is the best so far may come.
const BEST_PERIOD: Duration = Duration::from_secs(1);

#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(long, default_value = "digits", help = dataset_help())]
    dataset: String,
    /// The sizes of the layers, inputs first and classes last, as in 784,600,10 [default: one hidden layer of twice
    /// the inputs, 600 at most]
    #[arg(long, value_name = "SIZES", value_parser = sizes)]
    layers: Option<Sizes>,
    /// The time steps of an inference, T [default: 16, for the rule bs4nn 256; shd and shd-first have their own
    /// 20]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=MAX_STEPS as i64))]
    steps: Option<u16>,
    /// The same seed gives the same file, byte for byte
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The model file to write [default: the data set's name with .fsp]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write the curves as CSV [default: to no file]
    #[arg(long, value_name = "FILE")]
    curves: Option<PathBuf>,
    /// Draw the curves as SVG [default: into no file]
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Go on where a run that was stopped, or was cut off, has got to. The same options have to be given
    #[arg(long)]
    resume: bool,
    /// Threads to use; the result does not depend on it [default: one a core]
    #[arg(long, value_name = "N", value_parser = threads_parser())]
    threads: Option<u16>,
    #[command(flatten)]
    force: Force,
    #[command(flatten)]
    choices: Choices,
}

pub fn run(args: Args, ui: &Ui) -> Result<()> {
    let mut data = load_dataset(&args.dataset, ui)?;
    let sizes = match &args.layers {
        Some(Sizes(sizes)) => sizes.clone(),
        None => vec![data.features(), default_hidden(&data), data.classes],
    };
    check_sizes(&data, &sizes)?;
    let steps = args.choices.steps(&data, args.steps.map(usize::from))?;
    let options = args.choices.options(&data, steps, args.seed)?;
    options.check(&data)?;
    let files = Files::check(&args, &data, (&sizes, options.epochs), ui)?;

    let stop = interrupt::flag();
    let cores = || available_parallelism().map_or(1, Into::into);
    let pool = ThreadPoolBuilder::new()
        .num_threads(args.threads.map_or_else(cores, usize::from))
        .build()
        .context("cannot start the threads: give a smaller --threads")?;
    let names = joined(&sizes, "-");
    let parts = data.hold_out(options.validation)?;
    warn_of_concerns(&mut data, steps, ui);
    ui.note(format!(
        "training {names}, T = {steps}, on {}: {} images, {} epochs, seed {}",
        data.name,
        data.train.len(),
        options.epochs,
        options.seed
    ));
    if let Some(whose) = &parts.whose {
        let images = parts.held_out.len();
        ui.note(format!("held out: {whose}, {images} images"));
    }
    if let Some(note) = files.note(args.resume) {
        ui.note(note);
    }
    let started = Instant::now();
    let mut watched = Watched {
        teacher: None,
        bar: training_bar((parts.stay.len() * options.epochs) as u64, ui)?,
        lines: Lines::default(),
        best: None,
        kept: files.kept.clone(),
        options: &options,
        ui,
    };
    let trained = pool.install(|| {
        let mut watch = |event: Event| watched.see(event);
        train_from(
            files.checkpoint.as_ref(),
            &data,
            &sizes,
            steps,
            &options,
            stop,
            &mut watch,
        )
    });
    watched.end();
    let trained = trained?;
    let seconds = started.elapsed().as_secs_f64();
    let test = pool.install(|| {
        let samples = Samples::encode(&data.test, data.maximum, Latency { steps });
        FastNetwork::new(&trained.network).measure(&samples)
    });

    let model = ModelFile::of_training(&data, &options, &trained, test.accuracy);
    let (out, error) = files.out.write_or_rescue(&model_file::to_bytes(&model)?)?;
    let mut errors: Vec<anyhow::Error> = error.into_iter().collect();
    if let Some(kept) = files.kept.filter(|_| !trained.stopped && errors.is_empty()) {
        kept.remove();
    }
    if let Some(curves) = &files.curves {
        errors.extend(curves.write(to_csv(&trained.epochs).as_bytes()).err());
    }
    if let Some(plot) = &files.plot {
        let picture = marked(&to_svg(&trained.epochs)?);
        errors.extend(plot.write(picture.as_bytes()).err());
    }

    let mut notes = notes_of(&data);
    let silence = silence(test.silent, &options);
    notes.extend(silence.clone());
    let best = trained.best();
    let value = json!({
        "model": out,
        "dataset": data.name,
        "layers": sizes,
        "steps": steps,
        "seed": options.seed,
        "epochs": trained.epochs.len(),
        "best_epoch": trained.best_epoch,
        "stopped": trained.stopped,
        "settled": trained.settled,
        "loss": best.loss,
        "train_accuracy": best.train_accuracy,
        "validation_accuracy": options.holds_out().then_some(best.validation.accuracy),
        "test_accuracy": test.accuracy,
        "decision_step_mean": test.decision_step,
        "hidden_spikes_before_decision_mean": test.hidden_spikes,
        "silent_share": test.silent,
        "class_names": class_names_of(&data),
        "notes": notes,
        "seconds": seconds,
        "seconds_per_epoch": seconds / trained.epochs.len() as f64,
    });
    let how = match (trained.stopped, trained.settled) {
        (true, _) => "stopped early, the best so far is kept (--resume goes on): ",
        (false, true) => "nothing better came for long: ",
        (false, false) => "",
    };
    let text = format!(
        "{how}{names} from epoch {} of {}, in {seconds:.1} s ({:.2} s an epoch)\n\
         test accuracy {:.2} % strict, decision at step {:.2} of {steps} on average, \
         {:.0} hidden spikes before it\nwritten to {}",
        trained.best_epoch,
        trained.epochs.len(),
        seconds / trained.epochs.len() as f64,
        100.0 * test.accuracy,
        test.decision_step,
        test.hidden_spikes,
        out.display()
    );
    ui.result(&value, text);
    if let Some(silence) = silence {
        ui.warn(silence);
    }
    if errors.is_empty() {
        return Ok(());
    }
    let errors: Vec<String> = errors.iter().map(|error| format!("{error:#}")).collect();
    bail!("{}", errors.join("; "))
}

/// From this share of the test images on, hardly any has an output spike.
const SILENT: f64 = 0.9;

/// What is to be said where hardly any test image has an output spike: what decides is then the end of time, which
/// takes longest on a board.
fn silence(share: f64, options: &Options) -> Option<String> {
    (share >= SILENT).then(|| {
        format!(
            "{:.0} % of the test images end without an output spike, so that the answer comes at the last step, from the \
             output nearest to its threshold: train with a lower --patience than {}, such as {}, or with more --epochs",
            100.0 * share,
            options.patience,
            lower(options.patience)
        )
    })
}

/// About half of a patience, in a digit or two.
fn lower(patience: f32) -> f32 {
    (patience * 50.0).round() / 100.0
}

/// The files of a run.
struct Files {
    out: Output,
    curves: Option<Output>,
    plot: Option<Output>,
    /// Where the run keeps itself, unless the model goes into a device or a pipe.
    kept: Option<KeptRun>,
    /// What was kept of it before.
    checkpoint: Option<Checkpoint>,
    /// Whether a checkpoint is there that is not gone on from.
    passed_over: bool,
}

impl Files {
    /// Looks whether all can be written, and reads what there is to go on from.
    fn check(args: &Args, data: &Dataset, run: (&[usize], usize), ui: &Ui) -> Result<Self> {
        let by_default = || PathBuf::from(dataset::stem(&data.name)).with_extension("fsp");
        let path = args.out.clone().unwrap_or_else(by_default);
        if args.out.is_none() && !args.force.force {
            check_default(&path, &data.name)?;
        }
        let mut outputs = Outputs::new(args.force, ui);
        outputs.reads(&data.name);
        let out = outputs.writes(&path, MODEL, model_length(run.0, run.1))?;
        let kept = out.is_file().then(|| KeptRun::beside(&path));
        let checkpoint = match &kept {
            Some(kept) if args.resume => kept.read()?,
            _ => None,
        };
        ensure!(
            kept.is_some() || !args.resume,
            "{} is a device or a pipe, which keeps no run to go on with: leave --resume out",
            path.display()
        );
        let passed_over = match &kept {
            Some(kept) => {
                outputs.writes(kept.path(), CHECKPOINT, 0)?;
                !args.resume && kept.path().exists()
            }
            None => false,
        };
        let mut writes = |path: &Option<PathBuf>, kind| {
            (path.as_ref())
                .map(|path| outputs.writes(path, kind, 0))
                .transpose()
        };
        Ok(Files {
            curves: writes(&args.curves, CURVES)?,
            plot: writes(&args.plot, PICTURE)?,
            out,
            kept,
            checkpoint,
            passed_over,
        })
    }

    /// What is to be said of the run that was kept.
    fn note(&self, resume: bool) -> Option<String> {
        let path = self.kept.as_ref()?.path().display();
        match &self.checkpoint {
            Some(checkpoint) => Some(format!("going on after epoch {}", checkpoint.epochs())),
            None if resume => Some(format!(
                "there is no {path}, so the run starts from the beginning"
            )),
            None if self.passed_over => Some(format!(
                "the run starts from the beginning; --resume would have gone on from {path}"
            )),
            None => None,
        }
    }
}

/// What is called like the data set must not be of another one with such a name.
fn check_default(path: &Path, dataset: &str) -> Result<()> {
    // What is no model at all is refused in any case.
    let Ok(model) = model_file::load(path) else {
        return Ok(());
    };
    let before = &model.dataset;
    ensure!(
        before == dataset || is_same_file(Path::new(before), Path::new(dataset)),
        "{} is of another data set, {before}: name the new model with --out, or give --force to replace it",
        path.display()
    );
    Ok(())
}

/// About the bytes of a model file: a bit a weight, a word a threshold, a line an epoch.
fn model_length(sizes: &[usize], epochs: usize) -> u64 {
    let weights: usize = sizes.windows(2).map(|pair| pair[0] * pair[1]).sum();
    let neurons: usize = sizes[1..].iter().sum();
    (weights / 8 + 8 * neurons + 100 * epochs + 4096) as u64
}

/// The bar of a training run. Its message is cut where the line ends.
fn training_bar(images: u64, ui: &Ui) -> Result<ProgressBar> {
    let bar = ui.bar(images, "");
    let template = "[{bar:12}] {wide_msg} {eta} left";
    bar.set_style(ProgressStyle::with_template(template)?.progress_chars("=> "));
    Ok(bar)
}

/// Which epochs get a line, where lines are all that there is: not hundreds of them, and always the best and the last.
#[derive(Debug, Default)]
struct Lines {
    last: Option<Instant>,
    /// What has no line yet: the best epoch, and the last one.
    best: Option<String>,
    newest: Option<String>,
}

impl Lines {
    /// The lines to be written when an epoch is over at the time `at`.
    fn see(&mut self, line: String, is_best: bool, at: Instant) -> Vec<String> {
        let since = self.last.map(|last| at - last);
        let period = if is_best { BEST_PERIOD } else { PERIOD };
        let is_due = since.is_none_or(|since| since >= period);
        if is_best {
            self.best = Some(line);
            self.newest = None;
        } else {
            self.newest = Some(line);
        }
        match is_due {
            true => {
                self.last = Some(at);
                self.rest()
            }
            false => Vec::new(),
        }
    }

    /// The lines that are left.
    fn rest(&mut self) -> Vec<String> {
        self.best
            .take()
            .into_iter()
            .chain(self.newest.take())
            .collect()
    }
}

/// Who looks on while a run trains: a progress bar or lines, a checkpoint an epoch.
struct Watched<'a> {
    /// While the teacher learns.
    teacher: Option<ProgressBar>,
    bar: ProgressBar,
    lines: Lines,
    /// The best epoch so far, for the bar.
    best: Option<String>,
    kept: Option<KeptRun>,
    options: &'a Options,
    ui: &'a Ui,
}

impl Watched<'_> {
    fn note_epoch(&mut self, epoch: &Epoch, best: bool) {
        // With nothing held out none is better than another.
        let is_best = best && self.options.holds_out();
        let held_out = match self.options.holds_out() {
            true => format!(
                "  held out {:6.2} % at step {:5.2}{}",
                100.0 * epoch.validation.accuracy,
                epoch.validation.decision_step,
                if is_best { "  best" } else { "" }
            ),
            false => String::new(),
        };
        if is_best {
            let accuracy = 100.0 * epoch.validation.accuracy;
            self.best = Some(format!("best {accuracy:.2} % held out ({})", epoch.epoch));
        }
        let line = format!(
            "epoch {:>3}  loss {:.4}  accuracy {:6.2} %{held_out}",
            epoch.epoch,
            epoch.loss,
            100.0 * epoch.train_accuracy
        );
        if self.bar.is_hidden() || !self.ui.notes_are_seen() {
            let lines = self.lines.see(line, is_best, Instant::now());
            self.write(lines);
        }
    }

    fn write(&self, lines: Vec<String>) {
        for line in lines {
            self.bar.suspend(|| self.ui.note(line));
        }
    }

    fn end(&mut self) {
        self.bar.finish_and_clear();
        let lines = self.lines.rest();
        self.write(lines);
    }

    fn keep(&mut self, checkpoint: &dyn Fn() -> Checkpoint) {
        let Some(kept) = &self.kept else {
            return;
        };
        if let Err(error) = kept.write(&checkpoint()) {
            let path = kept.path().display();
            let text = format!("cannot write {path} ({error}): the run goes on without");
            self.bar.suspend(|| self.ui.note(text));
            // Said once.
            self.kept = None;
        }
    }

    fn see(&mut self, event: Event) {
        match event {
            Event::TeacherBatch {
                epoch,
                epochs,
                images,
                total,
                loss,
                accuracy,
            } => {
                let new = || self.ui.bar(total as u64, "teacher");
                let bar = self.teacher.get_or_insert_with(new);
                bar.set_position(images as u64);
                bar.set_message(format!(
                    "epoch {epoch}/{epochs} loss {loss:.4} accuracy {:.2} %",
                    100.0 * accuracy
                ));
            }
            Event::Teacher { epochs, accuracy } => {
                if let Some(bar) = self.teacher.take() {
                    bar.finish_and_clear();
                }
                // Its time was not the network's.
                self.bar.reset();
                let accuracy = match accuracy {
                    Some(accuracy) => format!("held out {:.2} %", 100.0 * accuracy),
                    None => "nothing held out".to_owned(),
                };
                let hidden = self.options.teacher.map_or(0, |teacher| teacher.hidden);
                self.ui.note(format!(
                    "the teacher, {hidden} hidden neurons, after {epochs} epochs: {accuracy}"
                ));
            }
            Event::Batch {
                epoch,
                images,
                loss,
                accuracy,
            } => {
                self.bar.set_position(images as u64);
                self.bar.set_message(format!(
                    "epoch {epoch}/{} loss {loss:.4}, {:.1} % right {}",
                    self.options.epochs,
                    100.0 * accuracy,
                    self.best.as_deref().unwrap_or_default()
                ));
            }
            Event::Epoch {
                epoch,
                best,
                checkpoint,
            } => {
                self.note_epoch(epoch, best);
                // After the last epoch the model file says everything.
                let goes_on = epoch.epoch < self.options.epochs;
                if let Some(checkpoint) = checkpoint.filter(|_| goes_on) {
                    self.keep(checkpoint);
                }
            }
        }
    }
}

/// Twice the inputs for small images; 600, the size that papers use, for larger ones.
fn default_hidden(data: &Dataset) -> usize {
    (2 * data.features()).min(600)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_epochs_get_a_line_and_the_best_and_the_last_do() {
        let (start, mut lines) = (Instant::now(), Lines::default());
        let mut said = Vec::new();
        // 300 epochs in three seconds; every seventh up to 210 is the best so far.
        for epoch in 1..=300u64 {
            let is_best = epoch % 7 == 0 && epoch <= 210;
            let at = start + Duration::from_millis(10 * epoch);
            said.extend(lines.see(format!("{epoch}"), is_best, at));
        }
        said.extend(lines.rest());
        assert_eq!(said, ["1", "105", "210", "300"]);
    }

    #[test]
    fn slow_epochs_get_a_line_each_and_faster_ones_every_few_seconds() {
        let (start, mut lines) = (Instant::now(), Lines::default());
        let mut see = |second| {
            lines.see(
                format!("{second}"),
                false,
                start + Duration::from_secs(second),
            )
        };
        assert_eq!(see(0), ["0"]);
        assert!(see(2).is_empty() && see(4).is_empty());
        assert_eq!(see(6), ["6"]);
        assert_eq!(see(20), ["20"]);
    }
}
