use super::sizes::{sizes, Sizes};
use super::{
    check_outputs, class_names_of, dataset_help, interrupt, load_dataset, notes_of,
    warn_of_concerns, Ui,
};
use crate::dataset::{self, Dataset};
use crate::encoding::Latency;
use crate::files::write_whole;
use crate::model_file::{self, ModelFile};
use crate::text::joined;
use crate::train::{
    check_sizes, steps_for, to_csv, to_svg, train_from, Choices, Epoch, Event, FastNetwork,
    KeptRun, Options, Samples,
};
use anyhow::{Context, Result};
use firmware_model::network::MAX_STEPS;
use indicatif::ProgressBar;
use rayon::ThreadPoolBuilder;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Instant;

#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(long, default_value = "digits", help = dataset_help())]
    dataset: String,
    /// The sizes of the layers, inputs first and classes last, as in 784,600,10
    #[arg(long, value_name = "SIZES", value_parser = sizes)]
    layers: Option<Sizes>,
    /// The time steps of an inference, T [default: 16; shd and shd-first have their own 20]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=MAX_STEPS as i64))]
    steps: Option<u16>,
    /// The same seed gives the same file, byte for byte
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The model file to write [default: the data set's name with .fsp]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write the curves as CSV
    #[arg(long, value_name = "FILE")]
    curves: Option<PathBuf>,
    /// Draw the curves as SVG
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Go on where a run that was stopped, or was cut off, has got to. The same options have to be given
    #[arg(long)]
    resume: bool,
    /// Threads to use; the result does not depend on it [default: one a core]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
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
    let steps = steps_for(&data, args.steps.map(usize::from))?;
    let options = args.choices.options(&data, steps, args.seed);
    options.check(&data)?;
    let out = match &args.out {
        Some(out) => out.clone(),
        None => PathBuf::from(dataset::stem(&data.name)).with_extension("fsp"),
    };
    let outputs = [Some(&out), args.curves.as_ref(), args.plot.as_ref()];
    check_outputs(outputs.into_iter().flatten().map(PathBuf::as_path))?;

    let stop = interrupt::flag()?;
    let pool = ThreadPoolBuilder::new()
        .num_threads(args.threads.unwrap_or(0))
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
    let kept = KeptRun::beside(&out);
    let checkpoint = match args.resume {
        true => kept.read()?,
        false => None,
    };
    match &checkpoint {
        Some(checkpoint) => ui.note(format!("going on after epoch {}", checkpoint.epochs())),
        None if args.resume => ui.note(format!(
            "there is no {}, so the run starts from the beginning",
            kept.path().display()
        )),
        None => (),
    }
    let started = Instant::now();
    let mut watched = Watched {
        teacher: None,
        bar: ui.bar((parts.stay.len() * options.epochs) as u64, "training"),
        kept: &kept,
        options: &options,
        ui,
    };
    let trained = pool.install(|| {
        let mut watch = |event: Event| watched.see(event);
        train_from(
            checkpoint.as_ref(),
            &data,
            &sizes,
            steps,
            &options,
            stop,
            &mut watch,
        )
    });
    watched.bar.finish_and_clear();
    let trained = trained?;
    let seconds = started.elapsed().as_secs_f64();
    let test = pool.install(|| {
        let samples = Samples::encode(&data.test, data.maximum, Latency { steps });
        FastNetwork::new(&trained.network).measure(&samples)
    });

    let model = ModelFile::of_training(&data, &options, &trained, test.accuracy);
    model_file::save(&model, &out)?;
    if !trained.stopped {
        kept.remove();
    }
    if let Some(path) = &args.curves {
        write_file(path, to_csv(&trained.epochs).as_bytes())?;
    }
    if let Some(path) = &args.plot {
        write_file(path, to_svg(&trained.epochs)?.as_bytes())?;
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
    Ok(())
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

/// Who looks on while a run trains: a progress bar, a line an epoch, a checkpoint an epoch.
struct Watched<'a> {
    /// While the teacher learns.
    teacher: Option<ProgressBar>,
    bar: ProgressBar,
    kept: &'a KeptRun,
    options: &'a Options,
    ui: &'a Ui,
}

impl Watched<'_> {
    fn note_epoch(&self, epoch: &Epoch, best: bool) {
        let held_out = match self.options.holds_out() {
            true => format!(
                "  held out {:6.2} % at step {:5.2}{}",
                100.0 * epoch.validation.accuracy,
                epoch.validation.decision_step,
                if best { "  best" } else { "" }
            ),
            false => String::new(),
        };
        let line = format!(
            "epoch {:>3}  loss {:.4}  accuracy {:6.2} %{held_out}",
            epoch.epoch,
            epoch.loss,
            100.0 * epoch.train_accuracy
        );
        self.bar.suspend(|| self.ui.note(line));
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
                show_batch(bar, images, (epoch, epochs), loss, accuracy);
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
                let epochs = (epoch, self.options.epochs);
                show_batch(&self.bar, images, epochs, loss, accuracy);
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
                    if let Err(error) = self.kept.write(&checkpoint()) {
                        let path = self.kept.path().display();
                        let text =
                            format!("cannot write {path} ({error}): the run goes on without");
                        self.bar.suspend(|| self.ui.note(text));
                    }
                }
            }
        }
    }
}

fn show_batch(
    bar: &ProgressBar,
    images: usize,
    (epoch, epochs): (usize, usize),
    loss: f64,
    accuracy: f64,
) {
    bar.set_position(images as u64);
    bar.set_message(format!(
        "epoch {epoch}/{epochs} loss {loss:.4} accuracy {:.2} %",
        100.0 * accuracy
    ));
}

/// Twice the inputs for small images; 600, the size that papers use, for larger ones.
fn default_hidden(data: &Dataset) -> usize {
    (2 * data.features()).min(600)
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    write_whole(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}
