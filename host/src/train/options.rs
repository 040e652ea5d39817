//! What can be chosen about a training run, and what is chosen when nobody does.

use super::latencies::LatencyLoss;
use super::{
    Augment, Descent, Named, Objective, Rule, Schedule, Teaching, ThresholdTraining, TrainError,
};
use crate::dataset::{Dataset, Split};
use firmware_model::network::{MAX_THRESHOLD, MAX_WIDTH};
use serde::{Deserialize, Serialize};

/// Small data sets are seen more often, until this many images have been.
const IMAGES_SEEN: usize = 400_000;

/// The choices of a training run. docs/training.md says what each does and what it was measured to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// Fixes the initial weights, the order of the images and their moves.
    pub seed: u64,
    /// How many times all training images are seen.
    pub epochs: usize,
    /// End when so many epochs in a row have brought nothing better on the held-out images; 0: never.
    #[serde(default)]
    pub stop_after: usize,
    /// Images an update.
    pub batch: usize,
    /// The learning rate for the weights at the start.
    pub learning_rate: f32,
    /// How it goes on. The usual way is not written down, so that files of it are what they were before
    /// there was another.
    #[serde(default, skip_serializing_if = "Schedule::is_cosine")]
    pub schedule: Schedule,
    /// The learning rate of the thresholds, in multiples of that of the weights.
    pub threshold_rate: f32,
    /// How sure the loss wants the network to be: β is this over the output threshold of patience 1.
    /// Small values train on all images, great ones only on those that are decided by little.
    pub sharpness: f32,
    /// Hidden neurons this far from their threshold, or further, are left alone by an image; 0: none is.
    pub window: f32,
    /// What a hidden spike costs, in units of the loss.
    #[serde(default)]
    pub spike_cost: f32,
    /// The thresholds of hidden neurons at the start.
    pub hidden_threshold: f32,
    /// How much evidence an output waits for: its threshold starts at this times five times the cube
    /// root of its fan-in, for BS4NN at this times its 21. Below 1 decides earlier; 3 waits for the last
    /// step.
    pub patience: f32,
    /// The learning rule.
    #[serde(default)]
    pub rule: Rule,
    /// How far training images are moved at random.
    pub augment: Augment,
    /// The share of the training images that is held out to measure each epoch on: see [`Dataset::hold_out`].
    pub validation: f64,
    /// Who teaches beside the labels. Nobody is not written down, so that files without a teacher are
    /// what they were before there were any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teacher: Option<Teaching>,
}

impl Options {
    /// The options for a data set, chosen on held-out parts of training images.
    pub fn for_dataset(data: &Dataset) -> Self {
        // What images can bear differs: known for some sets, and not assumed for others.
        let (shift, rotate, zoom, shear) = match data.name.as_str() {
            "digits" => (0.5, 0.0, 0.0, 0.0),
            "mnist" => (1.0, 10.0, 0.1, 0.1),
            "fashion-mnist" => (0.5, 0.0, 0.05, 0.0),
            "caltech101" => (1.0, 0.0, 0.1, 0.0),
            "caltech101-grey" => (2.0, 0.0, 0.0, 0.0),
            "shd" => (0.7, 0.0, 0.05, 0.0),
            _ => (0.0, 0.0, 0.0, 0.0),
        };
        let spread = spread(&data.train);
        // A word is known when it has been spoken.
        let patience = if data.recordings.is_some() { 3.0 } else { 1.0 };
        Options {
            seed: 1,
            epochs: (IMAGES_SEEN / data.train.len()).clamp(40, 400),
            stop_after: 0,
            batch: 100,
            learning_rate: 0.003,
            schedule: Schedule::Cosine,
            threshold_rate: 1.0,
            sharpness: 8.0,
            // Where many spikes come, potentials stray further, and with a narrow window most neurons are left alone.
            window: spread.max(10.0),
            spike_cost: 0.0,
            hidden_threshold: spread,
            patience,
            rule: Rule::default(),
            augment: Augment {
                shift,
                rotate,
                zoom,
                shear,
                ..Augment::NONE
            },
            validation: 0.1,
            teacher: None,
        }
    }

    /// The options for a learning rule over `steps` time steps on a data set.
    pub fn for_rule(data: &Dataset, named: Named, steps: usize) -> Self {
        let usual = Options::for_dataset(data);
        let rule = named.rule(steps);
        match named {
            Named::Margins => usual,
            // Spike times have no margin, so no window over it.
            Named::BstdgSteps | Named::Bs4nnAdam => Options {
                window: 0.0,
                rule,
                ..usual
            },
            Named::Bstdg => Options {
                learning_rate: 0.002,
                sharpness: 6.4,
                window: 0.0,
                hidden_threshold: (usual.hidden_threshold * 4.0 / 3.0).round(),
                patience: 1.6,
                rule,
                ..usual
            },
            // As in BS4NN's published program.
            Named::Bs4nn => Options {
                epochs: 200,
                batch: 1,
                learning_rate: 0.1,
                schedule: Schedule::Constant,
                threshold_rate: 0.1,
                window: 0.0,
                hidden_threshold: BS4NN_THRESHOLD,
                patience: 1.0,
                rule,
                augment: Augment::NONE,
                ..usual
            },
        }
    }

    /// Whether images are held out, and so whether there is an accuracy on such.
    pub fn holds_out(&self) -> bool {
        self.validation > 0.0
    }

    /// The threshold of the output neurons at the start, for their fan-in.
    pub fn output_threshold(&self, fan_in: usize) -> f32 {
        let usual = match self.rule.descent {
            Descent::Adam => usual_threshold(fan_in),
            Descent::ImageByImage(_) => BS4NN_THRESHOLD,
        };
        (self.patience * usual).clamp(1.0, MAX_THRESHOLD as f32)
    }

    /// β: the softmax is taken over β times the margins of the outputs.
    pub fn margin_scale(&self, fan_in: usize) -> f32 {
        self.sharpness / usual_threshold(fan_in)
    }

    /// The loss of [`Objective::Latencies`], where that is the objective, of a network whose outputs have this
    /// fan-in. `spikes_by_step` counts the spikes of the training images at each step.
    pub(super) fn latency_loss(
        &self,
        fan_in: usize,
        spikes_by_step: impl Fn() -> Vec<u64>,
    ) -> Option<LatencyLoss> {
        let Objective::Latencies(rule) = self.rule.objective else {
            return None;
        };
        // Those that never fire are taken to rise by a third of a hidden threshold, or a seventh of an output's, a
        // tick.
        let slopes = (self.hidden_threshold / 3.0, usual_threshold(fan_in) / 7.0);
        let scale = self.sharpness / 8.0;
        let late = self.rule.kappa;
        Some(LatencyLoss::new(
            rule,
            scale,
            late,
            slopes,
            &spikes_by_step(),
        ))
    }

    /// Checks that a run with these options on `data` makes sense.
    pub fn check(&self, data: &Dataset) -> Result<(), TrainError> {
        let positive = |value: f32| value.is_finite() && value > 0.0;
        let moves = |value: f32, most: f32| (0.0..=most).contains(&value);
        let augment = self.augment;
        // Nobody is a teacher that can be.
        let teacher = |holds: fn(Teaching) -> bool| self.teacher.is_none_or(holds);
        let kappas = match self.rule.objective {
            Objective::Latencies(_) => 0.25..=16.0,
            _ => 4.0..=1e6,
        };
        let limits = [
            ("number of epochs", self.epochs >= 1, "at least 1"),
            ("batch", self.batch >= 1, "at least 1"),
            ("learning rate", positive(self.learning_rate), "above 0"),
            (
                "threshold rate",
                self.threshold_rate == 0.0 || positive(self.threshold_rate),
                "0 or more",
            ),
            ("sharpness", positive(self.sharpness), "above 0"),
            (
                "window",
                self.window == 0.0 || positive(self.window),
                "0 or more",
            ),
            (
                "spike cost",
                self.spike_cost == 0.0 || positive(self.spike_cost),
                "0 or more",
            ),
            (
                "kappa",
                self.rule.kappa == 0.0 || kappas.contains(&self.rule.kappa),
                "of 0, or from 4 steps; for bstdg 0, or from 0.25 to 16 ticks",
            ),
            (
                "gap",
                (0.0..=256.0).contains(&self.rule.gap),
                "from 0 to 256 steps",
            ),
            (
                "hidden threshold",
                (1.0..=MAX_THRESHOLD as f32).contains(&self.hidden_threshold),
                "from 1 to 32767",
            ),
            ("patience", positive(self.patience), "above 0"),
            (
                "shift",
                moves(augment.shift, 1000.0),
                "from 0 to 1000 pixels",
            ),
            (
                "rotation",
                moves(augment.rotate, 180.0),
                "from 0 to 180 degrees",
            ),
            ("zoom", moves(augment.zoom, 0.9), "from 0 to 0.9"),
            ("shear", moves(augment.shear, 2.0), "from 0 to 2"),
            ("mirror", moves(augment.mirror, 1.0), "from 0 to 1"),
            (
                "validation share",
                (0.0..=0.9).contains(&self.validation),
                "from 0 to 0.9",
            ),
            (
                "teacher",
                teacher(|teacher| (1..=MAX_WIDTH).contains(&teacher.hidden)),
                "from 1 to 16384 hidden neurons, or 0 for none",
            ),
            (
                "teacher's share",
                teacher(|teacher| (0.0..=1.0).contains(&teacher.share)),
                "from 0 to 1",
            ),
            (
                "teacher's temperature",
                teacher(|teacher| (0.01..=1000.0).contains(&teacher.temperature)),
                "from 0.01 to 1000",
            ),
        ];
        first_unmet(limits)?;
        if self.rule.descent != Descent::Adam {
            self.check_image_by_image()?;
        }
        if self.teacher.is_some() && self.rule.objective != Objective::Margins {
            return Err(TrainError::TeacherOfSpikeTimes {
                rule: self.rule.name(),
            });
        }
        let can_move = data.plane().is_some() || data.recordings.is_some();
        if augment != Augment::NONE && !can_move {
            return Err(TrainError::AugmentWithoutPlane {
                name: data.name.clone(),
            });
        }
        Ok(())
    }

    /// Checks that nothing is asked for that a descent image by image does not know.
    fn check_image_by_image(&self) -> Result<(), TrainError> {
        let output = self.output_threshold(1);
        let limits = [
            (
                "batch",
                self.batch == 1,
                "of 1: bs4nn learns image by image",
            ),
            ("window", self.window == 0.0, "of 0: bs4nn knows none"),
            (
                "spike cost",
                self.spike_cost == 0.0,
                "of 0: bs4nn knows none",
            ),
            ("kappa", self.rule.kappa == 0.0, "of 0: bs4nn knows none"),
            (
                "choice of thresholds that learn",
                self.rule.thresholds != ThresholdTraining::Neuron,
                "of fixed or layer: bs4nn has one α a layer",
            ),
            (
                "hidden threshold",
                self.hidden_threshold >= 2.0,
                "from 2 to 32767: bs4nn fires above 100/α",
            ),
            (
                "patience",
                output >= 2.0,
                "above 0.1: bs4nn fires above 100/α",
            ),
        ];
        first_unmet(limits)
    }
}

/// The error of the first limit that does not hold, of (option, whether it holds, what is expected).
fn first_unmet<const N: usize>(
    limits: [(&'static str, bool, &'static str); N],
) -> Result<(), TrainError> {
    match limits.into_iter().find(|&(_, holds, _)| !holds) {
        Some((option, _, expected)) => Err(TrainError::Option { option, expected }),
        None => Ok(()),
    }
}

/// What BS4NN's thresholds start at: α is 5 then, and a neuron fires above 100/α.
const BS4NN_THRESHOLD: f32 = 21.0;

/// The output threshold of patience 1: 25 for 128 hidden neurons, 42 for 600. Measured, not derived:
/// of the neurons of a greater layer a smaller share fires before the decision.
fn usual_threshold(fan_in: usize) -> f32 {
    5.0 * libm::cbrtf(fan_in as f32)
}

/// How far the potential of a neuron with random signs strays from zero: the square root of the
/// number of spikes that reach it. A threshold of about that lets some neurons fire and some not.
fn spread(split: &Split) -> f32 {
    let spikes = split.images.iter().filter(|&&value| value > 0).count();
    (spikes as f32 / split.len() as f32).sqrt().round().max(1.0)
}
