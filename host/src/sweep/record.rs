//! What came of a task, as the file that says so.

use crate::files::{contains, read_whole, write_whole, Kind};
use crate::train::Options;
use firmware_model::config::CoreConfig;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Records among other files.
pub const RECORD: Kind = Kind {
    name: "a record",
    suffix: "json",
    is_one: |bytes| contains(bytes, "\"model_sha256\":"),
};

/// The result of a task: what it was, where it is from, and its figures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub row: String,
    pub seed: u64,
    pub dataset: String,
    /// SHA-256 of all images and labels.
    pub data_sha256: String,
    /// Inputs first, classes last.
    pub layers: Vec<usize>,
    /// The time steps, T.
    pub steps: usize,
    pub options: Options,
    /// Weights, which are bits.
    pub weights: usize,
    /// The command that trains the same model again.
    pub command: String,
    /// The model's file, in the folder of the sweep, and the SHA-256 of it.
    pub model: String,
    pub model_sha256: String,
    /// The version of firstspike.
    pub firstspike: String,
    /// What git calls the commit of the working directory, where it is a checkout; `-dirty` at its end when
    /// files differ from it.
    pub commit: Option<String>,
    /// The day of the result, UTC, as in 2026-11-26.
    pub date: String,
    pub training: TrainingFigures,
    /// The name of the board on whose core the cycles were counted.
    pub board: String,
    /// That core.
    pub core: CoreConfig,
    pub test: TestFigures,
}

/// How the training went.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingFigures {
    /// Those that were trained.
    pub epochs: usize,
    /// The epoch that the model is from, from 1.
    pub best_epoch: usize,
    /// Whether the run ended because nothing better came for long.
    pub settled: bool,
    /// Shares from 0 to 1, by the strict rule, of that epoch.
    pub train_accuracy: f64,
    /// `None` where no images were held out, as below.
    pub validation_accuracy: Option<f64>,
    /// The mean step of the decision on the held-out images.
    pub validation_decision_step_mean: Option<f64>,
    /// The time that the training took, that before a stop included; `None` where that is not known.
    pub seconds: Option<f64>,
    /// Training images seen in a second.
    pub images_per_second: Option<f64>,
}

/// What was measured on the whole test set, once.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestFigures {
    pub images: usize,
    /// Shares from 0 to 1: by the strict rule, and where a tie for the first output spike counts as right.
    pub accuracy: f64,
    pub accuracy_tie_tolerant: f64,
    pub decision_step_mean: f64,
    pub decision_step_median: u32,
    /// The worst: the step of the last decision.
    pub decision_step_max: u32,
    /// Hidden spikes an image, at or before the decision and in all.
    pub hidden_spikes_before_decision_mean: f64,
    pub hidden_spikes_mean: f64,
    /// The share of images for which no output fired.
    pub silent_share: f64,
    /// Clock cycles an image in the cycle model of the board's core; `None` where the network does not fit it.
    pub cycles_mean: Option<f64>,
    pub cycles_median: Option<u32>,
    pub cycles_max: Option<u32>,
    /// Images for which the cycle model differs from the golden reference: 0, or there is no result.
    pub mismatches: usize,
}

impl Record {
    /// The record in the file at `path`; `None` where there is none, or it cannot be read as one.
    pub fn load(path: &Path) -> Option<Self> {
        serde_json::from_slice(&read_whole(path).ok()?).ok()
    }

    /// Writes the file, whole or not at all.
    pub fn save(&self, path: &Path) -> std::io::Result<()> {
        let text = serde_json::to_string_pretty(self).expect("a record is plain data");
        write_whole(path, format!("{text}\n").as_bytes())
    }
}
