//! One batch: all its images through the network and back, then one update.

use super::augment::Warp;
use super::backward::{Errors, Loss};
use super::by_input::SpikesByInput;
use super::forward::{Pass, Weights};
use super::kernels::AdamStep;
use super::latent::LatentNetwork;
use super::samples::TrainingImages;
use rayon::prelude::*;

/// Room for a batch, used again for each.
pub struct Batch {
    passes: Vec<Pass>,
    layers: Vec<LayerBatch>,
    /// The images of the batch that is in it.
    images: usize,
}

/// What one layer keeps of a batch.
struct LayerBatch {
    width: usize,
    /// ∂L/∂V_j, one row of `width` lanes an image.
    errors: Vec<f32>,
    /// The step τ_j up to which spikes count for neuron j, in the same shape.
    counted_until: Vec<f32>,
    spikes: SpikesByInput,
}

/// What an image of the batch came to.
pub struct Outcome {
    pub loss: f32,
    pub right: bool,
}

impl Batch {
    /// Room for `size` images through layers like these.
    pub fn new(network: &[Weights], size: usize) -> Self {
        let layers = network.iter().map(|weights| LayerBatch {
            width: weights.width,
            errors: vec![0.0; weights.width * size],
            counted_until: vec![0.0; weights.width * size],
            spikes: SpikesByInput::default(),
        });
        Batch {
            passes: vec![Pass::new(network); size],
            layers: layers.collect(),
            images: 0,
        }
    }

    /// Runs the images `jobs`, each moved by its warp, forward and backward.
    ///
    /// The outcomes are in the order of the jobs.
    pub fn run(
        &mut self,
        images: &TrainingImages,
        jobs: &[(usize, Option<Warp>)],
        network: &[Weights],
        steps: usize,
        loss: Loss,
    ) -> Vec<Outcome> {
        self.images = jobs.len();
        let share = 1.0 / jobs.len() as f32;
        let mut errors: Vec<Vec<Errors>> = jobs.iter().map(|_| Vec::new()).collect();
        for layer in &mut self.layers {
            let rows = (layer.errors.chunks_exact_mut(layer.width))
                .zip(layer.counted_until.chunks_exact_mut(layer.width));
            for (of_image, (errors, counted_until)) in errors.iter_mut().zip(rows) {
                of_image.push(Errors {
                    errors,
                    counted_until,
                });
            }
        }
        (self.passes.par_iter_mut())
            .zip(errors.par_iter_mut())
            .zip(jobs.par_iter())
            .map_init(Vec::new, |pixels, ((pass, errors), (image, warp))| {
                images.spikes(*image, warp.as_ref(), pixels, &mut pass.spikes[0]);
                pass.run(network, steps);
                let label = images.label(*image);
                Outcome {
                    loss: loss.backward(network, pass, label, share, errors),
                    right: pass.class == label,
                }
            })
            .collect()
    }

    /// Updates the network by the errors of the last run.
    pub fn update(&mut self, network: &mut LatentNetwork, weights: AdamStep, thresholds: AdamStep) {
        for (index, layer) in self.layers.iter_mut().enumerate() {
            let passes = self.passes[..self.images].iter().enumerate();
            // Spikes after the decision count for nobody.
            let spikes = passes.flat_map(|(image, pass)| {
                (0..=pass.step).flat_map(move |step| {
                    let inputs = pass.spikes[index].at(step).iter();
                    inputs.map(move |&input| (image as u32, step as f32, input))
                })
            });
            layer.spikes.sort(network.inputs(index), spikes);
            let lanes = self.images * layer.width;
            let errors = &layer.errors[..lanes];
            let until = &layer.counted_until[..lanes];
            network.update_weights(index, weights, &layer.spikes, errors, until);
            network.update_thresholds(index, thresholds, errors);
        }
    }
}
