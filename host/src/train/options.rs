//! What can be chosen about a training run, and what is chosen when nobody does.

use super::TrainError;
use crate::dataset::Dataset;
use firmware_model::network::{MAX_THRESHOLD, MAX_WIDTH};
use serde::{Deserialize, Serialize};

/// The choices of a training run. docs/training.md says what each does and what it was measured to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// Fixes the initial weights, the order of the images and their shifts.
    pub seed: u64,
    /// How many times all training images are seen.
    pub epochs: usize,
    /// Images an update.
    pub batch: usize,
    /// Adam's learning rate for the weights at the start; it falls to zero along a cosine.
    pub learning_rate: f32,
    /// The learning rate of the thresholds, in multiples of that of the weights.
    pub threshold_rate: f32,
    /// β: how much one unit of margin counts in the softmax. Small values train all images, great
    /// ones only those that are decided by little.
    pub margin_scale: f32,
    /// Hidden neurons further than this from their threshold are left alone by an image.
    pub window: f32,
    /// The thresholds of hidden neurons at the start.
    pub hidden_threshold: f32,
    /// The thresholds of output neurons at the start: low decides early, high decides late.
    pub output_threshold: f32,
    /// Training images are moved at random by up to this many pixels in both directions.
    pub shift: usize,
    /// The share of each class of the training images that is held out to measure each epoch on.
    pub validation: f64,
}

impl Options {
    /// The options for a data set, chosen on the validation part of the training images.
    pub fn for_dataset(data: &Dataset) -> Self {
        let large = Options {
            seed: 1,
            epochs: 40,
            batch: 100,
            learning_rate: 0.003,
            threshold_rate: 1.0,
            margin_scale: 0.2,
            window: 10.0,
            hidden_threshold: 10.0,
            output_threshold: 40.0,
            shift: 0,
            validation: 0.1,
        };
        match data.name.as_str() {
            "mnist" => Options { shift: 1, ..large },
            _ => large,
        }
    }

    /// Checks that a run with these options on `data` makes sense.
    pub fn check(&self, data: &Dataset) -> Result<(), TrainError> {
        let positive = |value: f32| value.is_finite() && value > 0.0;
        let threshold = |value: f32| (1.0..=MAX_THRESHOLD as f32).contains(&value);
        let limits = [
            ("epochs", self.epochs >= 1, "at least 1"),
            ("batch", self.batch >= 1, "at least 1"),
            ("learning rate", positive(self.learning_rate), "above 0"),
            (
                "threshold rate",
                self.threshold_rate.is_finite() && self.threshold_rate >= 0.0,
                "0 or more",
            ),
            ("margin scale", positive(self.margin_scale), "above 0"),
            ("window", positive(self.window), "above 0"),
            (
                "hidden threshold",
                threshold(self.hidden_threshold),
                "from 1 to 32767",
            ),
            (
                "output threshold",
                threshold(self.output_threshold),
                "from 1 to 32767",
            ),
            ("shift", self.shift <= MAX_WIDTH, "at most 16384 pixels"),
            (
                "validation share",
                (0.0..=0.9).contains(&self.validation),
                "from 0 to 0.9",
            ),
        ];
        for (option, holds, expected) in limits {
            if !holds {
                return Err(TrainError::Option { option, expected });
            }
        }
        if self.shift > 0 && data.plane().is_none() {
            return Err(TrainError::ShiftWithoutPlane {
                name: data.name.clone(),
            });
        }
        Ok(())
    }
}
