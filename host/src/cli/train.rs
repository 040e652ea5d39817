use super::sizes::{sizes, Sizes};
use super::{check_folder, interrupt, load_dataset, Ui};
use crate::dataset::{self, Dataset};
use crate::encoding::Latency;
use crate::files::write_whole;
use crate::model_file::{self, ModelFile};
use crate::train::{
    check_sizes, steps_for, to_csv, to_svg, train_from, Augment, Checkpoint, Epoch, Event,
    FastNetwork, Named, Objective, Options, Rule, Samples, ThresholdTraining,
};
use anyhow::{Context, Result};
use firmware_model::network::MAX_STEPS;
use indicatif::ProgressBar;
use rayon::ThreadPoolBuilder;
use serde_json::json;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Instant;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// A name (digits, mnist, fashion-mnist, shd, shd-first, caltech101), a folder (of IDX files, SHD files or
    /// pictures) or an .npz file
    #[arg(long, default_value = "digits")]
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

/// What has a default that depends on the data set.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Training (defaults depend on the data set)")]
struct Choices {
    /// How many times all training images are seen
    #[arg(long)]
    epochs: Option<usize>,
    /// End when so many epochs in a row have brought nothing better on the held-out images; 0: never
    #[arg(long, value_name = "EPOCHS")]
    stop_after: Option<usize>,
    /// Images an update
    #[arg(long)]
    batch: Option<usize>,
    /// The learning rate of the weights at the start
    #[arg(long)]
    learning_rate: Option<f32>,
    /// The learning rate of the thresholds, in multiples of the weights'
    #[arg(long)]
    threshold_rate: Option<f32>,
    /// How sure the loss wants the network to be
    #[arg(long)]
    sharpness: Option<f32>,
    /// How near to its threshold a hidden neuron must be to be trained by an image
    #[arg(long)]
    window: Option<f32>,
    /// What a hidden spike costs, in units of the loss: more makes networks that spike less
    #[arg(long)]
    spike_cost: Option<f32>,
    /// The learning rule: margins (firstspike's own), bstdg (as reconstructed) or bs4nn
    #[arg(long, value_name = "RULE")]
    rule: Option<Named>,
    /// Its kappa: the steps in which a spike's share in the gradient falls to 37 %; 0: all count alike
    #[arg(long, value_name = "STEPS")]
    kappa: Option<f32>,
    /// Which thresholds learn: fixed, layer or neuron
    #[arg(long, value_name = "WHICH")]
    thresholds: Option<ThresholdTraining>,
    /// The thresholds of hidden neurons at the start
    #[arg(long)]
    hidden_threshold: Option<f32>,
    /// How much evidence to wait for: 0.5 decides early, 1 is balanced, 3 waits for the last step
    #[arg(long)]
    patience: Option<f32>,
    /// Move training images at random by up to this many pixels
    #[arg(long, value_name = "PIXELS")]
    shift: Option<f32>,
    /// Turn them by up to this many degrees
    #[arg(long, value_name = "DEGREES")]
    rotate: Option<f32>,
    /// Make them wider and taller, or narrower and lower, by up to this share
    #[arg(long, value_name = "SHARE")]
    zoom: Option<f32>,
    /// Slant them by up to this many columns a row
    #[arg(long, value_name = "COLUMNS")]
    shear: Option<f32>,
    /// The share of the training images that is held out to measure each epoch on
    #[arg(long)]
    validation: Option<f64>,
}

impl Choices {
    fn options(&self, data: &Dataset, steps: usize, seed: u64) -> Options {
        let default = Options::for_dataset(data);
        let rule = self.rule.map_or(default.rule, |rule| rule.rule(steps));
        // Spike times have no margin, so no window over it.
        let window = match rule.objective {
            Objective::Margins => default.window,
            Objective::SpikeTimes => 0.0,
        };
        Options {
            seed,
            epochs: self.epochs.unwrap_or(default.epochs),
            stop_after: self.stop_after.unwrap_or(default.stop_after),
            batch: self.batch.unwrap_or(default.batch),
            learning_rate: self.learning_rate.unwrap_or(default.learning_rate),
            threshold_rate: self.threshold_rate.unwrap_or(default.threshold_rate),
            sharpness: self.sharpness.unwrap_or(default.sharpness),
            window: self.window.unwrap_or(window),
            spike_cost: self.spike_cost.unwrap_or(default.spike_cost),
            rule: Rule {
                kappa: self.kappa.unwrap_or(rule.kappa),
                thresholds: self.thresholds.unwrap_or(rule.thresholds),
                ..rule
            },
            hidden_threshold: self.hidden_threshold.unwrap_or(default.hidden_threshold),
            patience: self.patience.unwrap_or(default.patience),
            augment: Augment {
                shift: self.shift.unwrap_or(default.augment.shift),
                rotate: self.rotate.unwrap_or(default.augment.rotate),
                zoom: self.zoom.unwrap_or(default.augment.zoom),
                shear: self.shear.unwrap_or(default.augment.shear),
            },
            validation: self.validation.unwrap_or(default.validation),
        }
    }
}

pub fn run(args: Args, ui: &Ui) -> Result<()> {
    let data = load_dataset(&args.dataset, ui)?;
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
        None => PathBuf::from(default_name(&data.name)).with_extension("fsp"),
    };
    for path in [Some(&out), args.curves.as_ref(), args.plot.as_ref()] {
        path.map_or(Ok(()), |path| check_folder(path))?;
    }

    let stop = interrupt::flag()?;
    let pool = ThreadPoolBuilder::new()
        .num_threads(args.threads.unwrap_or(0))
        .build()
        .context("cannot start the threads: give a smaller --threads")?;
    let names: Vec<String> = sizes.iter().map(ToString::to_string).collect();
    let names = names.join("-");
    let (stay, _) = dataset::hold_out_last(&data.train.labels, options.validation);
    ui.note(format!(
        "training {names}, T = {steps}, on {}: {} images, {} epochs, seed {}",
        data.name,
        data.train.len(),
        options.epochs,
        options.seed
    ));
    let kept = KeptRun::beside(&out);
    let checkpoint = match args.resume {
        true => kept.read(ui)?,
        false => None,
    };
    let started = Instant::now();
    let mut watched = Watched {
        bar: ui.bar((stay.len() * options.epochs) as u64, "training"),
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
        "validation_accuracy": best.validation.accuracy,
        "test_accuracy": test.accuracy,
        "decision_step_mean": test.decision_step,
        "hidden_spikes_before_decision_mean": test.hidden_spikes,
        "silent_share": test.silent,
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
    Ok(())
}

/// The checkpoint of a run, beside its model file.
struct KeptRun {
    path: PathBuf,
}

impl KeptRun {
    fn beside(model: &Path) -> Self {
        let mut path = model.as_os_str().to_owned();
        path.push(".checkpoint");
        KeptRun { path: path.into() }
    }

    /// The checkpoint, if there is one.
    fn read(&self, ui: &Ui) -> Result<Option<Checkpoint>> {
        let path = self.path.display();
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                ui.note(format!(
                    "there is no {path}, so the run starts from the beginning"
                ));
                return Ok(None);
            }
            Err(error) => return Err(error).with_context(|| format!("cannot read {path}")),
        };
        let checkpoint = Checkpoint::from_bytes(&bytes)
            .with_context(|| format!("cannot go on from {path}: start anew without --resume"))?;
        ui.note(format!("going on after epoch {}", checkpoint.epochs()));
        Ok(Some(checkpoint))
    }

    fn write(&self, checkpoint: &Checkpoint) -> std::io::Result<()> {
        write_whole(&self.path, &checkpoint.to_bytes())
    }

    /// The run is over. A file that cannot be removed does no harm.
    fn remove(&self) {
        fs::remove_file(&self.path).ok();
    }
}

/// Who looks on while a run trains: a progress bar, a line an epoch, a checkpoint an epoch.
struct Watched<'a> {
    bar: ProgressBar,
    kept: &'a KeptRun,
    options: &'a Options,
    ui: &'a Ui,
}

impl Watched<'_> {
    fn see(&mut self, event: Event) {
        match event {
            Event::Batch {
                epoch,
                images,
                loss,
                accuracy,
            } => {
                self.bar.set_position(images as u64);
                self.bar.set_message(format!(
                    "epoch {epoch}/{} loss {loss:.4} accuracy {:.2} %",
                    self.options.epochs,
                    100.0 * accuracy
                ));
            }
            Event::Epoch {
                epoch,
                best,
                checkpoint,
            } => {
                note_epoch(&self.bar, self.ui, epoch, best);
                // After the last epoch the model file says everything.
                let goes_on = epoch.epoch < self.options.epochs;
                if let Some(checkpoint) = checkpoint.filter(|_| goes_on) {
                    if let Err(error) = self.kept.write(&checkpoint()) {
                        let path = self.kept.path.display();
                        let text =
                            format!("cannot write {path} ({error}): the run goes on without");
                        self.bar.suspend(|| self.ui.note(text));
                    }
                }
            }
        }
    }
}

fn note_epoch(bar: &ProgressBar, ui: &Ui, epoch: &Epoch, best: bool) {
    let line = format!(
        "epoch {:>3}  loss {:.4}  accuracy {:6.2} %  held out {:6.2} % at step {:5.2}{}",
        epoch.epoch,
        epoch.loss,
        100.0 * epoch.train_accuracy,
        100.0 * epoch.validation.accuracy,
        epoch.validation.decision_step,
        if best { "  best" } else { "" }
    );
    bar.suspend(|| ui.note(line));
}

/// Twice the inputs for small images; 600, the size that papers use, for larger ones.
fn default_hidden(data: &Dataset) -> usize {
    (2 * data.features()).min(600)
}

/// `mnist` of `mnist`, `own` of `some/folder/own.npz`.
fn default_name(dataset: &str) -> String {
    let stem = Path::new(dataset).file_stem();
    stem.map_or("model".into(), |stem| stem.to_string_lossy().into_owned())
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    write_whole(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}
