//! The trainer's own inference: for validation while training, and for whoever wants many
//! decisions quickly. It stops at the first output spike.

use super::curve::Measured;
use super::forward::{Pass, Weights};
use super::kernels::{padded, NEVER};
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
        for_each_sample(&self.weights, self.steps, samples, |pass, _| decision(pass))
    }

    /// The decisions for all `samples`, in order, and when each neuron fires, the steps after the decision
    /// included: what the golden reference tells, many times faster.
    pub fn trace(&self, samples: &Samples) -> Vec<Trace> {
        for_each_sample(&self.weights, self.steps, samples, |pass, _| {
            let decision = decision(pass);
            pass.run_on(&self.weights, self.steps);
            let layers = pass.layers.iter().zip(&self.weights);
            let fire_steps = layers.map(|(state, weights)| {
                let steps = state.firing.fire_steps[..weights.neurons].iter();
                steps
                    .map(|&step| (step != NEVER).then_some(step as usize))
                    .collect()
            });
            Trace {
                decision,
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
    let (neurons, width) = (layer.neurons(), padded(layer.neurons()));
    let mut signs = vec![-1; layer.inputs() * width];
    let mut thresholds = vec![i16::MAX; width];
    for neuron in 0..neurons {
        thresholds[neuron] = layer.thresholds()[neuron] as i16;
        for input in 0..layer.inputs() {
            signs[input * width + neuron] = layer.weight(neuron, input) as i16;
        }
    }
    Weights {
        width,
        neurons,
        signs,
        thresholds,
    }
}

/// See [`FastNetwork::measure`]. Of no samples everything is 0.
pub fn measure(network: &[Weights], steps: usize, samples: &Samples) -> Measured {
    let of_each = for_each_sample(network, steps, samples, |pass, label| {
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
    samples: &Samples,
    keep: impl Fn(&mut Pass, usize) -> T + Sync,
) -> Vec<T> {
    (0..samples.len())
        .into_par_iter()
        .map_init(
            || Pass::new(network),
            |pass, index| {
                samples.copy(index, &mut pass.spikes[0]);
                pass.run(network, steps);
                keep(pass, samples.label(index))
            },
        )
        .collect()
}
