//! One batch: all its images through the network and back, then one update.

use super::augment::{Augment, Warp};
use super::backward::{Backward, Errors, Wanted};
use super::by_input::{BatchSpikes, Volley};
use super::forward::{Pass, Weights};
use super::kernels::AdamStep;
use super::latencies::{BatchTimes, Times};
use super::latent::{Counting, LatentNetwork, Learned};
use super::rule::Rule;
use super::samples::{Scratch, TrainingImages};
use super::teacher::Answers;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// An image, and how it is moved before it is looked at.
pub type Move = (usize, Option<Warp>);

/// The next moves for these images.
pub fn draw_moves(images: &[usize], augment: Augment, rng: &mut ChaCha8Rng) -> Vec<Move> {
    let is_moved = augment != Augment::NONE;
    let one = |&image: &usize| (image, is_moved.then(|| augment.draw(rng)));
    images.iter().map(one).collect()
}

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
    /// Empty where the rule takes whole steps.
    times: BatchTimes,
    spikes: BatchSpikes,
}

/// What an image of the batch came to.
pub struct Outcome {
    pub loss: f32,
    pub right: bool,
}

impl Batch {
    /// Room for `size` images through layers like these, by this rule.
    pub fn new(network: &[Weights], size: usize, rule: Rule) -> Self {
        let times = |lanes: usize| match rule.is_timed() {
            true => BatchTimes::new(lanes),
            false => BatchTimes::default(),
        };
        let layers = network.iter().map(|weights| LayerBatch {
            width: weights.width,
            errors: vec![0.0; weights.width * size],
            counted_until: vec![0.0; weights.width * size],
            times: times(weights.width * size),
            spikes: BatchSpikes::default(),
        });
        Batch {
            passes: vec![Pass::new(network); size],
            layers: layers.collect(),
            images: 0,
        }
    }

    /// Runs the images `jobs`, each moved by its warp, forward and backward.
    ///
    /// `answers` are a teacher's to the same images. The outcomes are in the order of the jobs.
    pub fn run(
        &mut self,
        images: &TrainingImages,
        jobs: &[Move],
        answers: Option<&Answers>,
        network: &[Weights],
        steps: usize,
        backward: Backward,
    ) -> Vec<Outcome> {
        self.images = jobs.len();
        let share = 1.0 / jobs.len() as f32;
        let mut errors: Vec<Vec<Errors>> = jobs.iter().map(|_| Vec::new()).collect();
        let mut times: Vec<Vec<Times>> = jobs.iter().map(|_| Vec::new()).collect();
        for layer in &mut self.layers {
            let rows = (layer.errors.chunks_exact_mut(layer.width))
                .zip(layer.counted_until.chunks_exact_mut(layer.width));
            for (of_image, (errors, counted_until)) in errors.iter_mut().zip(rows) {
                of_image.push(Errors {
                    errors,
                    counted_until,
                });
            }
            for (of_image, row) in times.iter_mut().zip(layer.times.rows(layer.width)) {
                of_image.push(row);
            }
        }
        (self.passes.par_iter_mut())
            .zip(errors.par_iter_mut().zip(times.par_iter_mut()))
            .zip(jobs.par_iter().enumerate())
            .map_init(
                Scratch::default,
                |scratch, ((pass, (errors, times)), (index, (image, warp)))| {
                    images.spikes(*image, warp.as_ref(), scratch, &mut pass.spikes[0]);
                    pass.run(network, steps, backward.needs_all_steps());
                    let label = images.label(*image);
                    let wanted = Wanted {
                        label,
                        advice: answers.map(|answers| answers.to(index)),
                    };
                    Outcome {
                        loss: backward.run(network, pass, wanted, share, errors, times),
                        right: pass.class == label,
                    }
                },
            )
            .collect()
    }

    /// Updates the network by the errors of the last run.
    pub fn update(&mut self, network: &mut LatentNetwork, update: Update) {
        let kappa = Kappa::new(update.rule, update.steps);
        let timed = update.rule.is_timed();
        // Inputs spike at steps. Of what the layers between fire, a rule that is timed takes the times.
        let by_step = if timed { 1 } else { self.layers.len() };
        self.sort_by_step(by_step, network, &kappa);
        self.sort_by_time(by_step, network);
        for (index, layer) in self.layers.iter_mut().enumerate() {
            let lanes = self.images * layer.width;
            let errors = &mut layer.errors[..lanes];
            network.update_thresholds(index, update.thresholds, update.rule.thresholds, errors);
            kappa.decay(errors, &layer.counted_until[..lanes]);
        }
        let layers: Vec<Learned> = (self.layers.iter().enumerate())
            .map(|(index, layer)| {
                let lanes = self.images * layer.width;
                Learned {
                    spikes: &layer.spikes,
                    width: layer.width,
                    errors: &layer.errors[..lanes],
                    counted_until: &layer.counted_until[..lanes],
                    counting: match (timed, index) {
                        (false, _) => Counting::Causal,
                        (true, 0) => Counting::Ramp,
                        (true, _) => Counting::TwoSided {
                            late_errors: &layer.times.late_errors,
                        },
                    },
                }
            })
            .collect();
        network.update_weights(update.weights, &layers);
    }

    /// Sorts the spikes into the layers before layer `end` by the step at which they come.
    fn sort_by_step(&mut self, end: usize, network: &LatentNetwork, kappa: &Kappa) {
        let passes = &self.passes[..self.images];
        (self.layers[..end].par_iter_mut().enumerate()).for_each(|(index, layer)| {
            let volleys = passes.iter().enumerate().flat_map(|(image, pass)| {
                // Spikes after the last step that was run count for nobody.
                (0..=pass.last_step).map(move |step| {
                    let volley = Volley {
                        image,
                        step: step as f32,
                        weight: kappa.of_spike(step),
                    };
                    (volley, pass.spikes[index].at(step))
                })
            });
            let volleys = volleys.filter(|(_, inputs)| !inputs.is_empty());
            layer.spikes.sort(network.inputs(index), volleys);
        });
    }

    /// Sorts the spikes into the layers from layer `start` on by their times: each is a volley of its own.
    fn sort_by_time(&mut self, start: usize, network: &LatentNetwork) {
        let passes = &self.passes[..self.images];
        for index in start..self.layers.len() {
            let (before, from) = self.layers.split_at_mut(index);
            let (before, layer) = (&before[index - 1], &mut from[0]);
            let BatchTimes {
                times, late_shares, ..
            } = &before.times;
            let inputs: Vec<u16> = (0..network.inputs(index) as u16).collect();
            let volleys = passes.iter().enumerate().flat_map(|(image, pass)| {
                let (width, inputs) = (before.width, &inputs);
                pass.layers[index - 1]
                    .firing
                    .fired()
                    .map(move |(neuron, _)| {
                        let volley = Volley {
                            image,
                            step: times[image * width + neuron],
                            weight: late_shares[image * width + neuron],
                        };
                        (volley, &inputs[neuron..][..1])
                    })
            });
            layer.spikes.sort(inputs.len(), volleys);
        }
    }
}

/// What an update needs to know.
#[derive(Debug, Clone, Copy)]
pub struct Update {
    pub weights: AdamStep,
    pub thresholds: AdamStep,
    pub rule: Rule,
    /// T.
    pub steps: usize,
}

/// κ(τ − s) = e^(−(τ − s) / kappa), taken apart into a factor for the spike's step s and one for the
/// step τ at which the neuron is judged.
struct Kappa {
    /// Empty when all spikes count alike.
    of_spike: Vec<f32>,
    of_error: Vec<f32>,
}

impl Kappa {
    fn new(rule: Rule, steps: usize) -> Self {
        // That of a rule that is timed is for the other side of time.
        let kappa = if rule.is_timed() { 0.0 } else { rule.kappa };
        let factors = |sign: f32| -> Vec<f32> {
            match kappa > 0.0 {
                // Around the middle of the window, so that neither factor leaves the range of a float.
                true => (0..steps)
                    .map(|step| step as f32 - steps as f32 / 2.0)
                    .map(|step| libm::expf(sign * step / kappa))
                    .collect(),
                false => Vec::new(),
            }
        };
        Kappa {
            of_spike: factors(1.0),
            of_error: factors(-1.0),
        }
    }

    /// The errors times their own factors.
    fn decay(&self, errors: &mut [f32], counted_until: &[f32]) {
        if !self.of_error.is_empty() {
            (errors.par_iter_mut().zip(counted_until))
                .for_each(|(error, &until)| *error *= self.of_error[until as usize]);
        }
    }

    fn of_spike(&self, step: usize) -> f32 {
        self.of_spike.get(step).copied().unwrap_or(1.0)
    }
}
