//! One row with one seed: trained, measured, written down.

use super::clock::Clock;
use super::{Record, Row, TestFigures, TrainingFigures};
use crate::dataset::Dataset;
use crate::encoding::Latency;
use crate::evaluate::{evaluate_until, Backend, CoreModel, Disagreement, EvaluateError, Report};
use crate::files::read_whole;
use crate::model_file::{self, ModelFile, ModelFileError};
use crate::origin;
use crate::text::{command_line, hexadecimal, joined};
use crate::train::{
    train_from, Event, FastNetwork, KeptRun, Options, Samples, Teaching, TrainError, Trained,
};
use firmware_model::board::Board;
use firmware_model::cycle::{CycleModel, Savings};
use firmware_model::image::MemoryImage;
use sha2::{Digest, Sha256};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::Arc;
use thiserror::Error;

/// A test image takes the golden reference and the cycle model about as long as so many training images take
/// the trainer: for the time that is left to be about right.
const TEST_IMAGE_WORK: u64 = 40;

/// A data set, and the sum that says which it is.
#[derive(Debug)]
pub struct Data {
    pub set: Dataset,
    /// SHA-256 of all images and labels, and of the groups of those to train on where they are known.
    pub sha256: String,
}

impl Data {
    pub fn new(set: Dataset) -> Self {
        let mut hash = Sha256::new();
        for split in [&set.train, &set.test] {
            hash.update(&split.images);
            hash.update(&split.labels);
        }
        if let Some(groups) = &set.groups {
            hash.update(groups.bytes());
        }
        let sha256 = hexadecimal(&hash.finalize());
        Data { set, sha256 }
    }
}

/// One row with one seed.
#[derive(Debug, Clone)]
pub struct Task {
    pub row: Arc<Row>,
    pub data: Arc<Data>,
    pub steps: usize,
    /// The seed among them.
    pub options: Options,
    /// The training images that are not held out.
    pub images_an_epoch: usize,
    pub board: Arc<Board>,
    /// The folder of the sweep.
    pub folder: PathBuf,
}

/// Why there is no result of a task.
#[derive(Debug, Error)]
pub enum TaskError {
    #[error("it was stopped")]
    Stopped,
    #[error(transparent)]
    Train(#[from] TrainError),
    #[error(transparent)]
    Model(#[from] ModelFileError),
    #[error(transparent)]
    Evaluate(EvaluateError),
    #[error(transparent)]
    Disagreement(#[from] Disagreement),
    #[error("cannot write {}; check that the folder may be written to and the disk has room", path.display())]
    Write { path: PathBuf, source: io::Error },
}

impl From<EvaluateError> for TaskError {
    fn from(error: EvaluateError) -> Self {
        match error {
            EvaluateError::Stopped => TaskError::Stopped,
            error => TaskError::Evaluate(error),
        }
    }
}

/// What a task tells while it goes on.
pub enum Progress {
    /// So much of [`Task::work`] is done.
    Work(u64),
    /// A line for people.
    Note(String),
}

/// How far a task is.
#[derive(Debug, Clone, PartialEq)]
pub enum Begun {
    /// Its result is there, for these options and with its model.
    Done(Box<Record>),
    /// It is trained, but measured on another board's core.
    Trained(Box<Record>),
    /// There is a checkpoint.
    Begun,
    /// There is nothing.
    No,
}

impl Task {
    pub fn seed(&self) -> u64 {
        self.options.seed
    }

    /// What its files are called: the row's name and the seed.
    pub fn name(&self) -> String {
        format!("{}-seed{}", self.row.name, self.seed())
    }

    fn file(&self, suffix: &str) -> PathBuf {
        self.folder.join(format!("{}.{suffix}", self.name()))
    }

    pub fn record_path(&self) -> PathBuf {
        self.file("json")
    }

    pub fn model_path(&self) -> PathBuf {
        self.file("fsp")
    }

    /// Where the time of the training so far is.
    fn seconds_path(&self) -> PathBuf {
        self.file("seconds")
    }

    /// Where an engine may put what the task says to standard error.
    pub fn log_path(&self) -> PathBuf {
        self.file("log")
    }

    /// The work that it is at most, in training images.
    pub fn work(&self) -> u64 {
        self.training_work() + TEST_IMAGE_WORK * self.data.set.test.len() as u64
    }

    fn training_work(&self) -> u64 {
        (self.images_an_epoch * self.options.epochs) as u64 + self.teacher_work()
    }

    /// The images that the teacher sees.
    fn teacher_work(&self) -> u64 {
        let images = self.images_an_epoch;
        let epochs = |_| Teaching::epochs(images, self.options.epochs);
        (images * self.options.teacher.map_or(0, epochs)) as u64
    }

    /// The command that trains the same model.
    pub fn command(&self) -> String {
        let mut words = vec![
            "firstspike".to_owned(),
            "train".to_owned(),
            "--dataset".to_owned(),
            self.row.dataset.clone(),
            "--layers".to_owned(),
            joined(&self.row.layers, ","),
            "--steps".to_owned(),
            self.steps.to_string(),
            "--seed".to_owned(),
            self.seed().to_string(),
        ];
        words.extend(self.row.choices.arguments());
        words.extend(["--out".to_owned(), format!("{}.fsp", self.name())]);
        command_line(words)
    }

    /// How far it is, by its files.
    pub fn begun(&self) -> Begun {
        let record = Record::load(&self.record_path()).filter(|record| self.trained_as(record));
        match record {
            Some(record) if self.measured_as(&record) => Begun::Done(Box::new(record)),
            Some(record) => Begun::Trained(Box::new(record)),
            None if KeptRun::beside(&self.model_path()).path().exists() => Begun::Begun,
            None => Begun::No,
        }
    }

    /// Whether `record` is of this training, and of the model that is there.
    fn trained_as(&self, record: &Record) -> bool {
        record.dataset == self.row.dataset
            && record.data_sha256 == self.data.sha256
            && record.layers == self.row.layers
            && record.steps == self.steps
            && record.options == self.options
            && read_whole(&self.model_path())
                .is_ok_and(|bytes| hexadecimal(&Sha256::digest(bytes)) == record.model_sha256)
    }

    /// Whether the cycles in `record` are of this board.
    fn measured_as(&self, record: &Record) -> bool {
        record.board == self.board.name && record.core == self.board.core
    }

    /// Trains, from a checkpoint where there is one, measures, and writes the record. On the current rayon
    /// pool, of which the result does not depend.
    ///
    /// # Errors
    /// Also when `stop` became true: [`TaskError::Stopped`]. The same call then goes on.
    pub fn run(
        &self,
        stop: &AtomicBool,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<Record, TaskError> {
        let training = match self.begun() {
            Begun::Trained(record) | Begun::Done(record) => record.training,
            Begun::Begun | Begun::No => self.train(stop, tell)?,
        };
        let path = self.model_path();
        let bytes = read_whole(&path).map_err(|source| ModelFileError::Read {
            path: path.clone(),
            source,
        })?;
        let model = model_file::from_bytes(&bytes, &path)?;
        let report = self.measure(&model, stop, tell)?;
        let record = Record {
            row: self.row.name.clone(),
            seed: self.seed(),
            dataset: self.row.dataset.clone(),
            data_sha256: self.data.sha256.clone(),
            layers: self.row.layers.clone(),
            steps: self.steps,
            options: self.options.clone(),
            weights: model.network.weights(),
            command: self.command(),
            model: format!("{}.fsp", self.name()),
            model_sha256: hexadecimal(&Sha256::digest(bytes)),
            firstspike: env!("CARGO_PKG_VERSION").to_owned(),
            commit: origin::commit(),
            date: origin::today(),
            training,
            board: self.board.name.clone(),
            core: self.board.core,
            test: test_figures(&report)?,
        };
        let path = self.record_path();
        (record.save(&path)).map_err(|source| TaskError::Write { path, source })?;
        // Not before: who is stopped while the model is measured need not train it again.
        KeptRun::beside(&self.model_path()).remove();
        fs::remove_file(self.seconds_path()).ok();
        Ok(record)
    }

    /// Trains and writes the model.
    fn train(
        &self,
        stop: &AtomicBool,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<TrainingFigures, TaskError> {
        let kept = KeptRun::beside(&self.model_path());
        let mut checkpoint = kept.read().unwrap_or_else(|error| {
            let source = std::error::Error::source(&error);
            let reason = source.map(ToString::to_string).unwrap_or_default();
            tell(Progress::Note(format!("starts anew: {error}: {reason}")));
            None
        });
        loop {
            let epochs = checkpoint.as_ref().map_or(0, |c| c.epochs());
            if epochs > 0 {
                tell(Progress::Note(format!("goes on after epoch {epochs}")));
            }
            let mut clock = Clock::start(self.seconds_path(), epochs);
            let mut watch = |event: Event| self.watch(event, &kept, &mut clock, tell);
            let set = &self.data.set;
            let (layers, options) = (&self.row.layers, &self.options);
            let trained = train_from(
                checkpoint.as_ref(),
                set,
                layers,
                self.steps,
                options,
                stop,
                &mut watch,
            );
            match trained {
                Err(TrainError::Stopped) => return Err(TaskError::Stopped),
                // The sweep's file was changed since: what is kept is of no use.
                Err(TrainError::Checkpoint(reason)) if checkpoint.is_some() => {
                    tell(Progress::Note(format!("starts anew: {reason}")));
                    checkpoint = None;
                }
                trained => {
                    let trained = trained?;
                    if trained.stopped {
                        return Err(TaskError::Stopped);
                    }
                    let figures = self.training_figures(&trained, clock.seconds());
                    self.save(&trained)?;
                    return Ok(figures);
                }
            }
        }
    }

    fn watch(
        &self,
        event: Event,
        kept: &KeptRun,
        clock: &mut Clock,
        tell: &mut dyn FnMut(Progress),
    ) {
        match event {
            Event::TeacherBatch { images, .. } => tell(Progress::Work(images as u64)),
            Event::Teacher { .. } => (),
            Event::Batch { images, .. } => {
                tell(Progress::Work(self.teacher_work() + images as u64));
            }
            Event::Epoch { checkpoint, .. } => {
                let Some(checkpoint) = checkpoint else {
                    return;
                };
                let written = clock.lap().and_then(|()| kept.write(&checkpoint()));
                if let Err(error) = written {
                    let path = kept.path().display();
                    let text = format!("cannot write {path} ({error}): it goes on without");
                    tell(Progress::Note(text));
                }
            }
        }
    }

    /// Writes the model file: the very one that `firstspike train` writes.
    fn save(&self, trained: &Trained) -> Result<(), TaskError> {
        let set = &self.data.set;
        let samples = Samples::encode(&set.test, set.maximum, Latency { steps: self.steps });
        let test = FastNetwork::new(&trained.network).measure(&samples);
        let model = ModelFile::of_training(set, &self.options, trained, test.accuracy);
        Ok(model_file::save(&model, &self.model_path())?)
    }

    fn training_figures(&self, trained: &Trained, seconds: Option<f64>) -> TrainingFigures {
        let best = trained.best();
        let held_out = self.options.holds_out().then_some(&best.validation);
        let images = self.images_an_epoch * trained.epochs.len();
        TrainingFigures {
            epochs: trained.epochs.len(),
            best_epoch: trained.best_epoch,
            settled: trained.settled,
            train_accuracy: best.train_accuracy,
            validation_accuracy: held_out.map(|figures| figures.accuracy),
            validation_decision_step_mean: held_out.map(|figures| figures.decision_step),
            seconds,
            images_per_second: seconds.map(|seconds| images as f64 / seconds),
        }
    }

    /// Runs all test images through the cycle model of the board's core, or only through the golden reference
    /// where the network does not fit it.
    fn measure(
        &self,
        model: &ModelFile,
        stop: &AtomicBool,
        tell: &mut dyn FnMut(Progress),
    ) -> Result<Report, TaskError> {
        let core = &self.board.core;
        let image = MemoryImage::new(&model.network, core).ok();
        let mut backend =
            image.map(|image| CoreModel::new(CycleModel::new(&image), core, Savings::ALL));
        let backend = backend.as_mut().map(|model| model as &mut dyn Backend);
        let trained = self.training_work();
        let mut progress =
            |images: usize| tell(Progress::Work(trained + TEST_IMAGE_WORK * images as u64));
        progress(0);
        let set = &self.data.set;
        Ok(evaluate_until(
            stop,
            model,
            set,
            None,
            backend,
            &mut progress,
        )?)
    }
}

/// The figures of a measurement in which everything agreed.
fn test_figures(report: &Report) -> Result<TestFigures, TaskError> {
    report.agreed()?;
    Ok(TestFigures {
        images: report.images,
        accuracy: report.accuracy,
        accuracy_tie_tolerant: report.accuracy_tie_tolerant,
        decision_step_mean: report.decision_step_mean,
        decision_step_median: report.decision_step_median,
        decision_step_max: report.decision_step_max,
        hidden_spikes_before_decision_mean: report.hidden_spikes_before_decision_mean,
        hidden_spikes_mean: report.hidden_spikes_mean,
        silent_share: report.silent as f64 / report.images as f64,
        cycles_mean: report.cycles_mean,
        cycles_median: report.cycles_median,
        cycles_max: report.cycles_max,
        mismatches: report.mismatches,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{self, Groups};
    use crate::evaluate::{Inference, Mismatch};
    use firmware_model::network::Decision;

    #[test]
    fn figures_of_a_core_that_is_wrong_are_no_result() {
        let decision = Decision {
            class: 1,
            step: 2,
            silent: false,
            overshoot: 0,
        };
        let mut report = Report {
            images: 8,
            accuracy: 0.5,
            accuracy_tie_tolerant: 0.75,
            mismatches: 0,
            decision_step_mean: 2.5,
            decision_step_median: 2,
            decision_step_max: 5,
            hidden_spikes_mean: 6.0,
            hidden_spikes_before_decision_mean: 4.0,
            silent: 2,
            by_class: Vec::new(),
            cycles_mean: Some(100.0),
            cycles_median: Some(90),
            cycles_p99: Some(190),
            cycles_max: Some(200),
            bound_cycles_mean: Some(80.0),
            cycles_over_bound: Some(1.25),
            first_mismatch: None,
        };
        let figures = test_figures(&report).unwrap();
        assert_eq!((figures.silent_share, figures.mismatches), (0.25, 0));
        assert_eq!(
            (figures.cycles_max, figures.decision_step_max),
            (Some(200), 5)
        );
        report.mismatches = 3;
        report.first_mismatch = Some(Mismatch {
            image: 4,
            golden: decision,
            found: Inference {
                decision,
                cycles: None,
                expected_cycles: None,
            },
        });
        let error = test_figures(&report).unwrap_err().to_string();
        assert!(error.contains("for 3 of 8 test images"), "{error}");
        assert!(error.contains("number 4"), "{error}");
    }

    #[test]
    fn results_of_other_held_out_images_are_of_other_data() {
        let mut set = dataset::load("digits").unwrap();
        let before = Data::new(set.clone()).sha256;
        let of = vec![3; set.train.len()];
        set.groups = Some(Groups { kind: "writer", of });
        assert_ne!(Data::new(set).sha256, before);
    }
}
