//! From the decision back to every neuron: the error that each is trained with.
//!
//! docs/training.md has the equations. Time enters twice: a spike counts for a neuron only when it
//! came no later than the step at which that neuron is judged, and a hidden neuron is judged at the
//! step at which it fired, or came nearest to firing, up to the decision.

use super::forward::{Pass, Weights};
use super::kernels::{hand_back, weigh};

/// What the loss needs to know.
#[derive(Debug, Clone, Copy)]
pub struct Loss {
    /// β: the softmax is taken over β times the margins.
    pub margin_scale: f32,
    /// Hidden neurons this far from their threshold, or further, are not trained by an image.
    pub window: f32,
}

/// The errors of one layer of one image, one lane a neuron.
#[derive(Debug)]
pub struct Errors<'a> {
    /// ∂L/∂V_j at the step at which neuron j is judged.
    pub errors: &'a mut [f32],
    /// That step: τ_j.
    pub counted_until: &'a mut [f32],
}

impl Loss {
    /// Fills `layers` (one a layer) after a pass. Returns the cross-entropy of the image.
    ///
    /// `share` scales the errors: one over the number of images of the batch.
    pub fn backward(
        &self,
        network: &[Weights],
        pass: &Pass,
        label: usize,
        share: f32,
        layers: &mut [Errors],
    ) -> f32 {
        let last = network.len() - 1;
        let loss = self.output_errors(&network[last], pass, label, share, &mut layers[last]);
        for index in (0..last).rev() {
            let (before, after) = layers.split_at_mut(index + 1);
            self.hidden_errors(network, pass, index, &mut before[index], &after[0]);
        }
        loss
    }

    /// Softmax cross-entropy on β·(V_k − θ_k) at the step of the decision.
    fn output_errors(
        &self,
        output: &Weights,
        pass: &Pass,
        label: usize,
        share: f32,
        to: &mut Errors,
    ) -> f32 {
        let potentials = &pass.layers[pass.layers.len() - 1].potentials;
        let logit = |class: usize| {
            let margin = i32::from(potentials[class]) - i32::from(output.thresholds[class]);
            self.margin_scale * margin as f32
        };
        let classes = output.neurons;
        let highest = (0..classes).map(logit).fold(f32::MIN, f32::max);
        let mut total = 0.0;
        for class in 0..classes {
            let weight = libm::expf(logit(class) - highest);
            to.errors[class] = weight;
            total += weight;
        }
        for class in 0..classes {
            let target = if class == label { 1.0 } else { 0.0 };
            let probability = to.errors[class] / total;
            to.errors[class] = self.margin_scale * share * (probability - target);
        }
        to.errors[classes..].fill(0.0);
        to.counted_until.fill(pass.step as f32);
        libm::logf(total) + highest - logit(label)
    }

    /// The surrogate: a hidden neuron near its threshold passes on what its spike does after it, the
    /// more the nearer it is.
    fn hidden_errors(
        &self,
        network: &[Weights],
        pass: &Pass,
        index: usize,
        to: &mut Errors,
        after: &Errors,
    ) {
        let firing = &pass.layers[index].firing;
        for (until, &step) in to.counted_until.iter_mut().zip(&firing.peak_steps) {
            *until = f32::from(step);
        }
        to.errors.fill(0.0);
        let next = network[index + 1].by_neuron.chunks_exact(to.errors.len());
        for ((signs, &error), &until) in next.zip(&*after.errors).zip(&*after.counted_until) {
            if error != 0.0 {
                hand_back(to.errors, signs, to.counted_until, error, until);
            }
        }
        let thresholds = &network[index].thresholds;
        weigh(to.errors, &firing.peaks, thresholds, self.window);
    }
}
