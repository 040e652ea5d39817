//! The learning rule: which of the family's ingredients a run uses. docs/training.md has the equations.

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

/// A learning rule.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    pub objective: Objective,
    pub chain: Chain,
    pub thresholds: ThresholdTraining,
    /// Whether the errors of each image and layer are scaled to a Euclidean norm of 1.
    pub normalise: bool,
    /// The time constant, in steps, of κ: a spike counts by e^(−(τ_j − s_i) / kappa) for a neuron that is
    /// judged at τ_j. 0: all count alike.
    pub kappa: f32,
    /// γ, in steps: how much later than the first output spike the others should come. Only for
    /// [`Objective::SpikeTimes`].
    pub gap: f32,
}

impl Rule {
    /// The name of the rule that it is, or that it is a variant of.
    pub fn name(&self) -> &'static str {
        match (self.objective, self.chain) {
            (Objective::Margins, _) => "margins",
            (Objective::SpikeTimes, Chain::Signs) => "bstdg",
            (Objective::SpikeTimes, Chain::Latent) => "bs4nn",
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
    /// BSTDG, as reconstructed.
    Bstdg,
    /// BS4NN's targets, its real weights in the backward chain, and a threshold a layer for its α.
    Bs4nn,
}

impl Named {
    pub const ALL: [(&'static str, Named); 3] = [
        ("margins", Named::Margins),
        ("bstdg", Named::Bstdg),
        ("bs4nn", Named::Bs4nn),
    ];

    /// The rule, over `steps` time steps.
    pub fn rule(self, steps: usize) -> Rule {
        let spike_times = Rule {
            objective: Objective::SpikeTimes,
            chain: Chain::Signs,
            thresholds: ThresholdTraining::Neuron,
            normalise: true,
            kappa: (steps as f32 / 4.0).max(4.0),
            gap: (steps as f32 * S4NN_GAP).max(1.0),
        };
        match self {
            Named::Margins => Rule::default(),
            Named::Bstdg => spike_times,
            Named::Bs4nn => Rule {
                chain: Chain::Latent,
                thresholds: ThresholdTraining::Layer,
                kappa: 0.0,
                ..spike_times
            },
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
        }
    }
}

impl FromStr for Named {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        (Named::ALL.iter())
            .find(|(known, _)| *known == name)
            .map(|&(_, rule)| rule)
            .ok_or_else(|| "give margins, bstdg or bs4nn".to_owned())
    }
}

impl ThresholdTraining {
    const ALL: [ThresholdTraining; 3] = [
        ThresholdTraining::Fixed,
        ThresholdTraining::Layer,
        ThresholdTraining::Neuron,
    ];

    /// Its name, as the command line takes it.
    pub fn name(self) -> &'static str {
        match self {
            ThresholdTraining::Fixed => "fixed",
            ThresholdTraining::Layer => "layer",
            ThresholdTraining::Neuron => "neuron",
        }
    }
}

impl FromStr for ThresholdTraining {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        (ThresholdTraining::ALL.into_iter())
            .find(|which| which.name() == name)
            .ok_or_else(|| "give fixed, layer or neuron".to_owned())
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
        for which in ThresholdTraining::ALL {
            assert_eq!(which.name().parse(), Ok(which));
        }
        assert!("bstgd".parse::<Named>().unwrap_err().contains("bstdg"));
        assert!("neurons".parse::<ThresholdTraining>().is_err());
    }
}
