//! The learning rule: which of the family's ingredients a run uses. docs/training.md has the equations.

use super::USUAL_STEPS;
use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// What the loss is taken of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Objective {
    /// The outputs' potentials minus their thresholds at the step of the decision: softmax and
    /// cross-entropy.
    Margins,
    /// The steps at which the outputs fire: squared distances from S4NN's targets.
    SpikeTimes,
    /// The times at which the outputs fire, finer than a step: softmax and cross-entropy.
    Latencies(Latencies),
}

/// How [`Objective::Latencies`] reads time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Latencies {
    pub clock: Clock,
    pub slope: Slope,
    /// Whether an input spike takes its step to come in: for a neuron that fires within the step, it counts by
    /// the part of the step that is over. Else it counts wholly.
    pub ramp: bool,
    /// Whether a time soon after the end of the window is one of the softmax's classes, which the label is to come
    /// before.
    pub deadline: bool,
}

impl Default for Latencies {
    fn default() -> Self {
        Latencies {
            clock: Clock::Spikes,
            slope: Slope::Secant,
            ramp: true,
            deadline: true,
        }
    }
}

/// What the time of the loss is measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Clock {
    /// All steps are equally long.
    Steps,
    /// A step is as long as the share of the input spikes that come at it, over all training images.
    Spikes,
}

/// How steeply the potential of an output rises where it crosses its threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Slope {
    /// As it rises within that step.
    Local,
    /// As it has risen from the beginning, on the whole.
    Secant,
}

/// Which weights errors go back along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Chain {
    /// The signs, which the network computes with.
    Signs,
    /// The latent weights.
    Latent,
}

/// Which thresholds learn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThresholdTraining {
    /// None.
    Fixed,
    /// One a layer.
    Layer,
    /// One a neuron.
    Neuron,
}

/// How the learning rate goes on from its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// It falls to zero along half a cosine.
    #[default]
    Cosine,
    /// It stays.
    Constant,
}

/// How errors become changes of the weights.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Descent {
    /// Adam, by the mean gradient of a batch. Weights start around zero and stay in [−1, 1].
    #[default]
    Adam,
    /// BS4NN's: plain gradient descent, an update an image, images drawn with replacement, and
    /// positive weights at the start, which may grow without bound.
    ImageByImage(Start),
}

/// Where the weights of a run that descends image by image start: uniformly from 0 up to these.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// Of the weights into hidden layers.
    pub hidden: f32,
    /// Of those into the output layer.
    pub output: f32,
}

/// A learning rule.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    pub objective: Objective,
    pub chain: Chain,
    pub thresholds: ThresholdTraining,
    /// Whether the errors of each image and layer are scaled to a Euclidean norm of 1.
    pub normalise: bool,
    /// The time constant, in steps, of κ: a spike counts by e^(−(τ_j − s_i) / kappa) for a neuron that is
    /// judged at τ_j. 0: all count alike. Of [`Objective::Latencies`], in ticks (sixteenths of the window), that
    /// of spikes that come too late: e^(−(t̃_j − t̃_k) / kappa). 0: they count for nothing.
    pub kappa: f32,
    /// γ, in steps: how much later than the first output spike the others should come. Only for
    /// [`Objective::SpikeTimes`].
    pub gap: f32,
    /// Adam is not written down, so that files of rules that use it are what they were before there was
    /// another.
    #[serde(default, skip_serializing_if = "Descent::is_adam")]
    pub descent: Descent,
}

impl Descent {
    fn is_adam(&self) -> bool {
        *self == Descent::Adam
    }
}

impl Rule {
    /// Whether it trains by times finer than a step.
    pub(super) fn is_timed(&self) -> bool {
        matches!(self.objective, Objective::Latencies(_))
    }

    /// The name of the rule that it is, or that it is a variant of.
    pub fn name(&self) -> &'static str {
        match (self.objective, self.chain, self.descent) {
            (Objective::Margins, _, _) => "margins",
            (Objective::Latencies(_), _, _) => "bstdg",
            (Objective::SpikeTimes, Chain::Signs, _) => "bstdg-steps",
            (Objective::SpikeTimes, Chain::Latent, Descent::Adam) => "bs4nn-adam",
            (Objective::SpikeTimes, Chain::Latent, Descent::ImageByImage(_)) => "bs4nn",
        }
    }
}

/// S4NN's γ in windows: 3 of 256 steps, in the code that its authors published.
const S4NN_GAP: f32 = 3.0 / 256.0;

/// A rule by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Named {
    /// This project's: margins.
    Margins,
    /// BSTDG, as reconstructed: spike times finer than a step.
    Bstdg,
    /// An older reconstruction: whole steps, and S4NN's targets.
    BstdgSteps,
    /// BS4NN, as its authors train it.
    Bs4nn,
    /// BS4NN's targets, its real weights in the backward chain, and a threshold a layer for its α, with
    /// this project's descent and starting weights.
    Bs4nnAdam,
}

/// BS4NN's T.
const BS4NN_STEPS: usize = 256;

/// The largest starting weights of BS4NN's published program.
const BS4NN_START: Start = Start {
    hidden: 5.0,
    output: 48.0,
};

impl Named {
    pub const ALL: [(&'static str, Named); 5] = [
        ("margins", Named::Margins),
        ("bstdg", Named::Bstdg),
        ("bstdg-steps", Named::BstdgSteps),
        ("bs4nn", Named::Bs4nn),
        ("bs4nn-adam", Named::Bs4nnAdam),
    ];

    /// The time steps of the rule where nobody asks for others.
    pub fn usual_steps(self) -> usize {
        match self {
            Named::Bs4nn => BS4NN_STEPS,
            Named::Margins | Named::Bstdg | Named::BstdgSteps | Named::Bs4nnAdam => USUAL_STEPS,
        }
    }

    /// The rule, over `steps` time steps.
    pub fn rule(self, steps: usize) -> Rule {
        let spike_times = Rule {
            objective: Objective::SpikeTimes,
            chain: Chain::Signs,
            thresholds: ThresholdTraining::Neuron,
            normalise: true,
            kappa: (steps as f32 / 4.0).max(4.0),
            gap: (steps as f32 * S4NN_GAP).max(1.0),
            descent: Descent::Adam,
        };
        let bs4nn = Rule {
            chain: Chain::Latent,
            thresholds: ThresholdTraining::Layer,
            kappa: 0.0,
            ..spike_times
        };
        match self {
            Named::Margins => Rule::default(),
            Named::Bstdg => Rule {
                objective: Objective::Latencies(Latencies::default()),
                kappa: 0.5,
                ..Rule::default()
            },
            Named::BstdgSteps => spike_times,
            Named::Bs4nn => Rule {
                // Unlike S4NN's, only who fires together with the first is to fire later.
                gap: 1.0,
                descent: Descent::ImageByImage(BS4NN_START),
                ..bs4nn
            },
            Named::Bs4nnAdam => bs4nn,
        }
    }
}

impl Default for Rule {
    /// This project's rule.
    fn default() -> Self {
        Rule {
            objective: Objective::Margins,
            chain: Chain::Signs,
            thresholds: ThresholdTraining::Neuron,
            normalise: false,
            kappa: 0.0,
            gap: 0.0,
            descent: Descent::Adam,
        }
    }
}

/// The one of `all` that has this name, or else what to give instead.
fn by_name<T: Copy, const N: usize>(all: [(&'static str, T); N], name: &str) -> Result<T, String> {
    if let Some((_, which)) = all.into_iter().find(|(known, _)| *known == name) {
        return Ok(which);
    }
    let names = all.map(|(known, _)| known);
    let (last, others) = names.split_last().expect("there are some");
    Err(format!("give {} or {last}", others.join(", ")))
}

/// What the one among `all` is called.
fn name_of<T: PartialEq, const N: usize>(all: [(&'static str, T); N], which: T) -> &'static str {
    let mut all = all.into_iter();
    let (name, _) = all
        .find(|(_, known)| *known == which)
        .expect("all are there");
    name
}

impl Clock {
    const ALL: [(&'static str, Clock); 2] = [("steps", Clock::Steps), ("spikes", Clock::Spikes)];

    /// Its name, as the command line takes it.
    pub fn name(self) -> &'static str {
        name_of(Clock::ALL, self)
    }
}

impl FromStr for Clock {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        by_name(Clock::ALL, name)
    }
}

impl Slope {
    const ALL: [(&'static str, Slope); 2] = [("local", Slope::Local), ("secant", Slope::Secant)];

    /// Its name, as the command line takes it.
    pub fn name(self) -> &'static str {
        name_of(Slope::ALL, self)
    }
}

impl FromStr for Slope {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        by_name(Slope::ALL, name)
    }
}

impl FromStr for Named {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        by_name(Named::ALL, name)
    }
}

impl Schedule {
    const ALL: [(&'static str, Schedule); 2] = [
        ("cosine", Schedule::Cosine),
        ("constant", Schedule::Constant),
    ];

    /// Its name, as the command line takes it.
    pub fn name(self) -> &'static str {
        name_of(Schedule::ALL, self)
    }

    /// The learning rate when so many updates of all are done, from that at the start.
    pub(super) fn rate(self, start: f32, done: usize, total: usize) -> f32 {
        match self {
            Schedule::Cosine => {
                let angle = std::f32::consts::PI * done as f32 / total as f32;
                start * 0.5 * (1.0 + libm::cosf(angle))
            }
            Schedule::Constant => start,
        }
    }

    pub(super) fn is_cosine(&self) -> bool {
        *self == Schedule::Cosine
    }
}

impl FromStr for Schedule {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        by_name(Schedule::ALL, name)
    }
}

impl ThresholdTraining {
    const ALL: [(&'static str, ThresholdTraining); 3] = [
        ("fixed", ThresholdTraining::Fixed),
        ("layer", ThresholdTraining::Layer),
        ("neuron", ThresholdTraining::Neuron),
    ];

    /// Its name, as the command line takes it.
    pub fn name(self) -> &'static str {
        name_of(ThresholdTraining::ALL, self)
    }
}

impl FromStr for ThresholdTraining {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        by_name(ThresholdTraining::ALL, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for (name, rule) in Named::ALL {
            assert_eq!(name.parse(), Ok(rule));
            assert_eq!(rule.rule(16).name(), name);
        }
        for (name, which) in ThresholdTraining::ALL {
            assert_eq!((which.name(), name.parse()), (name, Ok(which)));
        }
        // What the name meant before there was another descent, as files have it.
        assert_eq!(Named::Bs4nnAdam.rule(256).gap, 3.0);
        for (name, which) in Clock::ALL {
            assert_eq!((which.name(), name.parse()), (name, Ok(which)));
        }
        for (name, which) in Slope::ALL {
            assert_eq!((which.name(), name.parse()), (name, Ok(which)));
        }
        for (name, which) in Schedule::ALL {
            assert_eq!((which.name(), name.parse()), (name, Ok(which)));
        }
        assert!("bstgd".parse::<Named>().unwrap_err().contains("bstdg"));
        assert!("neurons".parse::<ThresholdTraining>().is_err());
        assert_eq!(
            "bstgd".parse::<Named>().unwrap_err(),
            "give margins, bstdg, bstdg-steps, bs4nn or bs4nn-adam"
        );
        assert_eq!("".parse::<Clock>().unwrap_err(), "give steps or spikes");
    }

    #[test]
    fn rules_of_before_there_was_another_descent_are_read_and_written_as_they_were() {
        let before = r#"{"objective":"spike-times","chain":"latent","thresholds":"layer","normalise":true,"kappa":0.0,"gap":1.0}"#;
        let rule: Rule = serde_json::from_str(before).unwrap();
        assert_eq!(rule, Named::Bs4nnAdam.rule(16));
        assert_eq!(serde_json::to_string(&rule).unwrap(), before);
        for (_, named) in Named::ALL {
            let text = serde_json::to_string(&named.rule(16)).unwrap();
            assert_eq!(serde_json::from_str::<Rule>(&text).unwrap(), named.rule(16));
        }
    }
}
