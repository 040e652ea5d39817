//! What a typical data set makes a network do: for estimates where there is no model yet.
//!
//! A profile holds typical images. Of each it tells which share of the inputs has spiked by each step,
//! which share of the hidden neurons, and when the output decides. For a network of any size a profile
//! gives stand-ins: networks and spikes that behave so, exactly, and that the cycle model can run.
//!
//! In a stand-in all weights are +1, so a neuron fires once so many inputs have spiked: its threshold
//! is the time at which it fires. Which inputs and which neurons these are is drawn at random.

use crate::dataset::Dataset;
use crate::evaluate::{check_fit, EvaluateError};
use crate::model_file::ModelFile;
use crate::text::joined;
use firmware_model::golden::{self, Trace};
use firmware_model::network::{Layer, Network, NetworkError, SpikeTrain, MAX_THRESHOLD};
use rand::seq::SliceRandom;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use thiserror::Error;

const DEFAULT: &str = include_str!("../../data/cost/activity.toml");
/// Where the random choice of inputs and neurons begins.
const SEED: u64 = 1;

/// The activity of a network on a data set, as some typical images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// What was measured.
    pub source: String,
    /// Time steps, T.
    pub steps: usize,
    /// Each stands for the same number of images.
    pub typical: Vec<Typical>,
}

/// The mean of some images that decide at about the same time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Typical {
    /// The step of the decision; none where no output fires.
    pub decision_step: Option<usize>,
    /// By each step, the share of the inputs that have spiked.
    pub inputs: Vec<f64>,
    /// By each step, the share of the hidden neurons that have fired.
    pub hidden: Vec<f64>,
}

/// A network and an image that stand for a part of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandIn {
    pub network: Network,
    pub spikes: SpikeTrain,
}

/// Why a profile cannot be measured.
#[derive(Debug, Error)]
pub enum ProfileError {
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    #[error(transparent)]
    Network(#[from] NetworkError),
    #[error("{images} images cannot be put into {groups} groups; take more images")]
    TooFew { images: usize, groups: usize },
}

impl Default for Profile {
    /// The profile of the repository.
    fn default() -> Self {
        toml::from_str(DEFAULT).expect("a test reads the profile")
    }
}

impl Profile {
    /// Measures the first `images` test images of `data`, as `groups` typical images.
    pub fn measure(
        model: &ModelFile,
        data: &Dataset,
        images: usize,
        groups: usize,
    ) -> Result<Profile, ProfileError> {
        check_fit(model, data)?;
        let images = images.min(data.test.len());
        if groups == 0 || images < groups {
            return Err(ProfileError::TooFew { images, groups });
        }
        let network = &model.network;
        let mut runs: Vec<(SpikeTrain, Trace)> = (0..images)
            .into_par_iter()
            .map(|image| {
                let spikes = model.encoding.encode(data.test.image(image));
                let trace = golden::run(network, &spikes)?;
                Ok((spikes, trace))
            })
            .collect::<Result<_, NetworkError>>()?;
        // By decision, then by what it takes until then, so that the images of a group are alike.
        runs.sort_by_cached_key(|(spikes, trace)| {
            let decision = trace.decision;
            let until = spikes
                .events()
                .iter()
                .filter(|s| usize::from(s.step) <= decision.step)
                .count();
            (decision.silent, decision.step, until)
        });
        let typical = (0..groups)
            .map(|group| {
                let part = &runs[group * images / groups..(group + 1) * images / groups];
                typical(part, network)
            })
            .collect();
        Ok(Profile {
            source: format!(
                "a network {} over {} steps on the first {images} test images of {}",
                joined(&network.sizes(), "-"),
                network.steps(),
                data.name
            ),
            steps: network.steps(),
            typical,
        })
    }

    /// Networks of layers of `sizes` over `steps`, each with the image that it stands in for.
    ///
    /// # Errors
    /// When there is no network of these sizes.
    pub fn stand_ins(&self, sizes: &[usize], steps: usize) -> Result<Vec<StandIn>, NetworkError> {
        let mut rng = ChaCha8Rng::seed_from_u64(SEED);
        let typical = self.typical.iter();
        typical
            .map(|typical| typical.stand_in(sizes, steps, &mut rng))
            .collect()
    }
}

fn typical(runs: &[(SpikeTrain, Trace)], network: &Network) -> Typical {
    let hidden: usize = network.sizes()[1..network.layers().len()].iter().sum();
    let share_by = |count: &dyn Fn(&(SpikeTrain, Trace), usize) -> usize, of: usize| {
        let by_step = (0..network.steps()).map(|step| {
            let sum: usize = runs.iter().map(|run| count(run, step)).sum();
            let share = sum as f64 / (runs.len() * of.max(1)) as f64;
            (share * 1e5).round() / 1e5
        });
        by_step.collect()
    };
    let spiked = |(spikes, _): &(SpikeTrain, Trace), step: usize| {
        let raw = spikes.raw().iter();
        raw.filter(|&&s| usize::from(s) <= step).count()
    };
    let fired = |(_, trace): &(SpikeTrain, Trace), step: usize| {
        let layers = &trace.fire_steps[..trace.fire_steps.len() - 1];
        let steps = layers.iter().flatten().flatten();
        steps.filter(|&&s| s <= step).count()
    };
    let middle = &runs[runs.len() / 2].1.decision;
    Typical {
        decision_step: (!middle.silent).then_some(middle.step),
        inputs: share_by(&spiked, network.inputs()),
        hidden: share_by(&fired, hidden),
    }
}

impl Typical {
    fn stand_in(
        &self,
        sizes: &[usize],
        steps: usize,
        rng: &mut ChaCha8Rng,
    ) -> Result<StandIn, NetworkError> {
        let inputs = counts(&self.inputs, sizes[0], steps);
        let mut raw: Vec<u16> = times(&inputs, sizes[0])
            .map(|step| step.map_or(SpikeTrain::SILENT, |step| step as u16))
            .collect();
        raw.shuffle(rng);

        let outputs = sizes.len() - 1;
        let mut events = inputs;
        let mut layers = Vec::new();
        for layer in 1..outputs {
            let fired = counts(&self.hidden, sizes[layer], steps);
            let mut thresholds: Vec<i32> = times(&fired, sizes[layer])
                .map(|step| threshold(&events, step))
                .collect();
            thresholds.shuffle(rng);
            layers.push(all_positive(sizes[layer - 1], thresholds)?);
            events = fired;
        }
        let decision =
            (self.decision_step).map(|step| ((step + 1) * steps).div_ceil(self.inputs.len()) - 1);
        let mut thresholds = vec![MAX_THRESHOLD; sizes[outputs]];
        thresholds[0] = threshold(&events, decision);
        layers.push(all_positive(sizes[outputs - 1], thresholds)?);
        Ok(StandIn {
            network: Network::new(steps, layers)?,
            spikes: SpikeTrain::from_raw(raw),
        })
    }
}

/// By each of `steps`, how many of `all` have spiked, from shares by each step of the profile.
fn counts(shares: &[f64], all: usize, steps: usize) -> Vec<usize> {
    let by = |step: usize| {
        let time = (step + 1) as f64 * shares.len() as f64 / steps as f64;
        let (before, part) = (time.floor() as usize, time.fract());
        let at = |steps: usize| match steps {
            0 => 0.0,
            steps => shares[steps.min(shares.len()) - 1],
        };
        at(before) + part * (at(before + 1) - at(before))
    };
    (0..steps)
        .map(|step| (by(step) * all as f64).round() as usize)
        .collect()
}

/// When each of `all` spikes, the first ones first, from how many have by each step.
fn times(counts: &[usize], all: usize) -> impl Iterator<Item = Option<usize>> + '_ {
    (0..all).map(|index| counts.iter().position(|&count| index < count))
}

/// The threshold of a neuron that fires at `step` if anything comes then, from how many events there
/// have been by each step.
fn threshold(events: &[usize], step: Option<usize>) -> i32 {
    match step.map(|step| events[step]) {
        Some(count @ 1..) => count as i32,
        _ => MAX_THRESHOLD,
    }
}

fn all_positive(inputs: usize, thresholds: Vec<i32>) -> Result<Layer, NetworkError> {
    Layer::from_fn(inputs, thresholds, |_, _| true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profile() -> Profile {
        Profile {
            source: "made up".to_owned(),
            steps: 4,
            typical: vec![Typical {
                decision_step: Some(2),
                inputs: vec![0.25, 0.25, 0.5, 0.75],
                hidden: vec![0.1, 0.1, 0.3, 0.5],
            }],
        }
    }

    #[test]
    fn stand_ins_do_what_the_profile_says() {
        let stand_ins = profile().stand_ins(&[100, 50, 10], 4).unwrap();
        let StandIn { network, spikes } = &stand_ins[0];
        let by = |step| spikes.events().iter().filter(|s| s.step <= step).count();
        assert_eq!([by(0), by(1), by(2), by(3)], [25, 25, 50, 75]);
        let trace = golden::run(network, spikes).unwrap();
        let fired = |step| {
            let steps = trace.fire_steps[0].iter().flatten();
            steps.filter(|&&s| s <= step).count()
        };
        assert_eq!([fired(0), fired(1), fired(2), fired(3)], [5, 5, 15, 25]);
        assert_eq!((trace.decision.step, trace.decision.silent), (2, false));
    }

    #[test]
    fn stand_ins_are_for_any_number_of_layers_and_steps() {
        let profile = profile();
        for sizes in [&[64, 10][..], &[64, 40, 40, 10]] {
            for steps in [1, 2, 8, 100] {
                let stand_in = &profile.stand_ins(sizes, steps).unwrap()[0];
                let trace = golden::run(&stand_in.network, &stand_in.spikes).unwrap();
                assert!(!trace.decision.silent, "{sizes:?}, {steps} steps");
                // At the end of three quarters of the time, or before.
                assert!(
                    trace.decision.step < (3 * steps).div_ceil(4),
                    "{sizes:?}, {steps} steps"
                );
            }
        }
        let again = profile.stand_ins(&[64, 40, 10], 8).unwrap();
        assert_eq!(profile.stand_ins(&[64, 40, 10], 8).unwrap(), again);
    }

    #[test]
    fn a_silent_image_stays_silent() {
        let mut profile = profile();
        profile.typical[0].decision_step = None;
        let stand_in = &profile.stand_ins(&[100, 50, 10], 4).unwrap()[0];
        let trace = golden::run(&stand_in.network, &stand_in.spikes).unwrap();
        assert!(trace.decision.silent);
    }

    #[test]
    fn the_profile_of_the_repository_says_where_it_is_from() {
        let profile = Profile::default();
        assert!(profile.source.contains("784-600-10"));
        for typical in &profile.typical {
            assert_eq!(typical.inputs.len(), profile.steps);
            assert_eq!(typical.hidden.len(), profile.steps);
        }
    }
}
