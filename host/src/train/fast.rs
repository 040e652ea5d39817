//! The trainer's own inference: for validation while training, and for whoever wants many
//! decisions quickly. It stops at the first output spike.

use super::curve::Measured;
use super::forward::{Pass, Weights};
use super::samples::Samples;
use firmware_model::golden::Trace;
use firmware_model::network::{Decision, Layer, Network};
use rayon::prelude::*;

/// A network laid out for speed.
#[derive(Debug, Clone)]
pub struct FastNetwork {
    steps: usize,
    weights: Vec<Weights>,
}

impl FastNetwork {
    pub fn new(network: &Network) -> Self {
        FastNetwork {
            steps: network.steps(),
            weights: network.layers().iter().map(lay_out).collect(),
        }
    }

    /// The decisions for all `samples`, in order. The samples must have the network's inputs and steps.
    pub fn infer(&self, samples: &Samples) -> Vec<Decision> {
        let FastNetwork { steps, weights } = self;
        for_each_sample(weights, *steps, false, samples, |pass, _| decision(pass))
    }

    /// The decisions for all `samples`, in order, and when each neuron fires, the steps after the decision
    /// included: what the golden reference tells, many times faster.
    pub fn trace(&self, samples: &Samples) -> Vec<Trace> {
        for_each_sample(&self.weights, self.steps, true, samples, |pass, _| {
            let layers = pass.layers.iter().zip(&self.weights);
            let fire_steps = layers.map(|(state, weights)| {
                let mut steps = vec![None; weights.neurons];
                for (neuron, step) in state.firing.fired() {
                    steps[neuron] = Some(step);
                }
                steps
            });
            Trace {
                decision: decision(pass),
                fire_steps: fire_steps.collect(),
            }
        })
    }

    /// Accuracy, steps and spikes on `samples`.
    pub fn measure(&self, samples: &Samples) -> Measured {
        measure(&self.weights, self.steps, samples)
    }
}

fn decision(pass: &Pass) -> Decision {
    Decision {
        class: pass.class,
        step: pass.step,
        silent: pass.silent,
        overshoot: pass.overshoot,
    }
}

fn lay_out(layer: &Layer) -> Weights {
    let mut weights = Weights::new(layer.inputs(), layer.neurons());
    for neuron in 0..layer.neurons() {
        weights.thresholds[neuron] = layer.thresholds()[neuron] as i16;
        for input in 0..layer.inputs() {
            weights.signs[input * weights.width + neuron] = layer.weight(neuron, input) as i8;
        }
    }
    weights
}

/// See [`FastNetwork::measure`]. Of no samples everything is 0.
pub fn measure(network: &[Weights], steps: usize, samples: &Samples) -> Measured {
    let of_each = for_each_sample(network, steps, false, samples, |pass, label| {
        let hidden: usize = pass.spikes[1..].iter().map(|s| s.inputs.len()).sum();
        [
            usize::from(pass.class == label),
            pass.step,
            hidden,
            usize::from(pass.silent),
        ]
    });
    let images = of_each.len().max(1) as f64;
    let mean = |what: usize| of_each.iter().map(|of| of[what]).sum::<usize>() as f64 / images;
    Measured {
        accuracy: mean(0),
        decision_step: mean(1),
        hidden_spikes: mean(2),
        silent: mean(3),
    }
}

/// Runs all samples and keeps of each what `keep` makes of the pass and the label.
fn for_each_sample<T: Send>(
    network: &[Weights],
    steps: usize,
    to_the_end: bool,
    samples: &Samples,
    keep: impl Fn(&Pass, usize) -> T + Sync,
) -> Vec<T> {
    (0..samples.len())
        .into_par_iter()
        .with_min_len(16)
        .map_init(
            || Pass::without_peaks(network),
            |pass, index| {
                samples.copy(index, &mut pass.spikes[0]);
                pass.run(network, steps, to_the_end);
                keep(pass, samples.label(index))
            },
        )
        .collect()
}
