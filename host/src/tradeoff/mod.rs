//! Accuracy against clock cycles, over models that were trained from fast to accurate.
//!
//! The dial is [`Options::patience`]: how much evidence an output waits for before it fires. The example
//! `fast_to_accurate` makes the curve.

mod picture;
mod table;

pub use picture::{to_svg, PictureError};
pub use table::{to_csv, to_markdown, About};

use crate::dataset::Dataset;
use crate::encoding::Latency;
use crate::evaluate::{
    evaluate_until, Backend, BackendError, CoreModel, Disagreement, EvaluateError, Inference,
    Report,
};
use crate::model_file::{self, ModelFile, ModelFileError};
use crate::train::{train, Event, FastNetwork, Options, Samples, TrainError};
use firmware_model::config::CoreConfig;
use firmware_model::cycle::{CycleModel, Savings};
use firmware_model::image::{FitError, MemoryImage};
use firmware_model::network::SpikeTrain;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use thiserror::Error;

/// Why a curve cannot be made.
#[derive(Debug, Error)]
pub enum TradeoffError {
    #[error("{} holds a model that was trained in another way: remove it, or give another folder for the models", .0.display())]
    OtherModel(PathBuf),
    #[error(transparent)]
    Train(#[from] TrainError),
    #[error(transparent)]
    ModelFile(#[from] ModelFileError),
    #[error("the network does not fit the core: {0}; give another --board, or smaller --layers")]
    Fit(#[from] FitError),
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    #[error(transparent)]
    Disagreement(#[from] Disagreement),
}

/// What is the same for all models of a curve.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The sizes of the layers, inputs first and classes last.
    pub sizes: Vec<usize>,
    pub steps: usize,
    /// All options but the patience.
    pub options: Options,
}

/// A model on the curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Point {
    pub patience: f32,
    #[serde(flatten)]
    pub report: Report,
    /// The mean clock cycles of the same decisions if no inference stopped before its last step.
    pub cycles_mean_no_exit: f64,
}

/// The model of one patience: from the file at `path`, or trained, and then written there. `None` when
/// `stop` became true before the training was over; nothing is written then.
///
/// # Errors
/// Also when the file at `path` is of another training.
pub fn train_or_load(
    plan: &Plan,
    patience: f32,
    data: &Dataset,
    path: &Path,
    stop: &AtomicBool,
    watch: &mut dyn FnMut(Event),
) -> Result<Option<ModelFile>, TradeoffError> {
    let options = Options {
        patience,
        ..plan.options.clone()
    };
    if path.exists() {
        let model = model_file::load(path)?;
        let network = &model.network;
        let as_planned = model.dataset == data.name
            && (network.sizes(), network.steps()) == (plan.sizes.clone(), plan.steps)
            && (model.training.as_ref()).is_some_and(|t| t.options == options && !t.stopped);
        return match as_planned {
            true => Ok(Some(model)),
            false => Err(TradeoffError::OtherModel(path.to_owned())),
        };
    }
    let trained = match train(data, &plan.sizes, plan.steps, &options, stop, watch) {
        Err(TrainError::Stopped) => return Ok(None),
        trained => trained?,
    };
    if trained.stopped {
        return Ok(None);
    }
    let code = Latency { steps: plan.steps };
    let samples = Samples::encode(&data.test, data.maximum, code);
    let test = FastNetwork::new(&trained.network).measure(&samples);
    let model = ModelFile::of_training(data, &options, &trained, test.accuracy);
    model_file::save(&model, path)?;
    Ok(Some(model))
}

/// Runs the first `limit` test images through the cycle model of `core`, with and without the exit.
/// `progress` is told how many images are done.
///
/// # Errors
/// Also when the cycle model and the golden reference do not agree for every image, and when `stop` became true.
pub fn measure(
    model: &ModelFile,
    patience: f32,
    data: &Dataset,
    core: &CoreConfig,
    limit: Option<usize>,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(usize),
) -> Result<Point, TradeoffError> {
    let cycle_model = CycleModel::new(&MemoryImage::new(&model.network, core)?);
    let mut both = Both {
        exits: CoreModel::new(cycle_model.clone(), core, Savings::ALL),
        goes_on: CoreModel::new(cycle_model, core, Savings::NO_EXIT),
        cycles_no_exit: 0,
    };
    let report = evaluate_until(stop, model, data, limit, Some(&mut both), progress)?;
    report.agreed()?;
    Ok(Point {
        patience,
        cycles_mean_no_exit: both.cycles_no_exit as f64 / report.images as f64,
        report,
    })
}

/// A core that exits, and one beside it that does not, of which the cycles are added up.
struct Both {
    exits: CoreModel,
    goes_on: CoreModel,
    cycles_no_exit: u64,
}

impl Backend for Both {
    fn infer(&mut self, spikes: &[SpikeTrain]) -> Result<Vec<Inference>, BackendError> {
        let cycles = self.goes_on.infer(spikes)?;
        let cycles = cycles.iter().filter_map(|found| found.cycles);
        self.cycles_no_exit += cycles.map(u64::from).sum::<u64>();
        self.exits.infer(spikes)
    }

    fn weight_bits(&self) -> usize {
        self.exits.weight_bits()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset;
    use firmware_model::board::Board;

    fn plan(data: &Dataset) -> Plan {
        Plan {
            sizes: vec![64, 32, 10],
            steps: 16,
            options: Options {
                epochs: 6,
                ..Options::for_dataset(data)
            },
        }
    }

    fn get(plan: &Plan, patience: f32, path: &Path, stop: bool) -> Option<ModelFile> {
        let data = dataset::load("digits").unwrap();
        let stop = AtomicBool::new(stop);
        train_or_load(plan, patience, &data, path, &stop, &mut |_| ()).unwrap()
    }

    #[test]
    fn more_patience_decides_later() {
        let data = dataset::load("digits").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let core = Board::find("icebreaker").unwrap().core;
        let stop = AtomicBool::new(false);
        let points: Vec<Point> = [0.1, 2.0]
            .into_iter()
            .map(|patience| {
                let path = folder.path().join(format!("{patience}.fsp"));
                let model = get(&plan(&data), patience, &path, false).unwrap();
                measure(
                    &model,
                    patience,
                    &data,
                    &core,
                    Some(100),
                    &stop,
                    &mut |_| (),
                )
                .unwrap()
            })
            .collect();
        let [fast, patient] = points.as_slice() else {
            panic!("two points");
        };
        assert_eq!((fast.report.mismatches, patient.report.mismatches), (0, 0));
        assert!(fast.report.decision_step_mean < patient.report.decision_step_mean);
        assert!(fast.report.cycles_mean < patient.report.cycles_mean);
        assert!(fast.report.cycles_mean < Some(fast.cycles_mean_no_exit));

        let model = get(&plan(&data), 0.1, &folder.path().join("0.1.fsp"), false).unwrap();
        let stop = AtomicBool::new(true);
        let stopped = measure(&model, 0.1, &data, &core, None, &stop, &mut |_| ());
        let stopped = stopped.map_err(|error| error.to_string());
        assert_eq!(stopped, Err(EvaluateError::Stopped.to_string()));

        let csv = to_csv(&points);
        let lines: Vec<Vec<&str>> = csv.lines().map(|line| line.split(',').collect()).collect();
        assert_eq!(lines.len(), 3);
        assert!(lines.iter().all(|fields| fields.len() == 13));
        assert_eq!((lines[1][0], lines[1][1]), ("0.1", "100"));
        let about = About {
            title: "a title".into(),
            plan: &plan(&data),
            board: "icebreaker",
            picture: "curve.svg".into(),
            date: "2026-11-26".into(),
            commit: Some("0123456789abcdef".into()),
            command: "a command".into(),
        };
        let page = to_markdown(&points, &about);
        let cells = |line: &str| line.split(" | ").count();
        let table: Vec<&str> = page.lines().filter(|line| line.starts_with("| ")).collect();
        assert_eq!(
            table.iter().map(|line| cells(line)).collect::<Vec<_>>(),
            [10; 3]
        );
        assert!(table[2].starts_with("| 2 | "), "{page}");
        for said in [
            "# a title\n\nA model for each",
            "6 epochs, seed 1, the best epoch on a share of 0.1 ",
            "100 test images",
            "](curve.svg)",
            "2026-11-26, commit 0123456789ab, by\n\n    a command\n",
        ] {
            assert!(page.contains(said), "{said}: {page}");
        }
        let svg = to_svg(&points, "a title").unwrap();
        for said in [
            "a title",
            "0.1",
            "2",
            "step of the decision",
            "hidden spikes",
            "clock cycles",
            "without the exit",
        ] {
            assert!(svg.contains(said), "{said}");
        }
    }

    #[test]
    fn a_model_that_is_there_is_not_trained_again() {
        let data = dataset::load("digits").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.fsp");
        let plan = plan(&data);
        // A training that was stopped leaves nothing.
        assert!(get(&plan, 1.0, &path, true).is_none());
        assert!(!path.exists());
        let trained = get(&plan, 1.0, &path, false).unwrap();
        // With the flag set no training would come to an end.
        assert_eq!(get(&plan, 1.0, &path, true), Some(trained));

        let stop = AtomicBool::new(false);
        let error = train_or_load(&plan, 2.0, &data, &path, &stop, &mut |_| ()).unwrap_err();
        assert!(matches!(error, TradeoffError::OtherModel(_)), "{error}");
    }
}
