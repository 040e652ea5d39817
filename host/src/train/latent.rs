//! The real-valued network behind the binary one, and its optimiser.

use super::forward::Weights;
use super::kernels::{gradient_of_row, padded, update_row, AdamStep};
use firmware_model::network::{Layer, Network, NetworkError, MAX_THRESHOLD};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// Latent weights start uniformly in ± this: close enough to zero to change sign early.
const INITIAL_WEIGHT: f32 = 0.1;

/// Latent weights and thresholds, and the binary network that they make: the signs of the weights,
/// the thresholds rounded.
#[derive(Debug, Clone)]
pub struct LatentNetwork {
    layers: Vec<LatentLayer>,
    weights: Vec<Weights>,
}

/// One layer's real numbers.
#[derive(Debug, Clone)]
struct LatentLayer {
    inputs: usize,
    /// One row of lanes an input.
    rows: Parameters,
    /// One a neuron.
    thresholds: Parameters,
}

/// Parameters and Adam's two moments of each.
#[derive(Debug, Clone)]
struct Parameters {
    value: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
}

impl Parameters {
    fn new(value: Vec<f32>) -> Self {
        let zeros = vec![0.0; value.len()];
        Parameters {
            value,
            first: zeros.clone(),
            second: zeros,
        }
    }
}

/// The spikes of a batch that go into one layer, input by input.
#[derive(Debug, Default)]
pub struct SpikesByInput {
    /// For each input, where its spikes begin in `spikes`; one more at the end.
    starts: Vec<u32>,
    /// (image, step).
    spikes: Vec<(u32, f32)>,
}

impl SpikesByInput {
    /// Sorts `spikes`, each (image, step, input), by input; within an input their order stays.
    pub fn sort(&mut self, inputs: usize, spikes: impl Iterator<Item = (u32, f32, u16)> + Clone) {
        self.starts.clear();
        self.starts.resize(inputs + 1, 0);
        for (_, _, input) in spikes.clone() {
            self.starts[usize::from(input) + 1] += 1;
        }
        for input in 0..inputs {
            self.starts[input + 1] += self.starts[input];
        }
        self.spikes.clear();
        self.spikes.resize(self.starts[inputs] as usize, (0, 0.0));
        let mut next = self.starts.clone();
        for (image, step, input) in spikes {
            let at = &mut next[usize::from(input)];
            self.spikes[*at as usize] = (image, step);
            *at += 1;
        }
    }

    fn of(&self, input: usize) -> &[(u32, f32)] {
        &self.spikes[self.starts[input] as usize..self.starts[input + 1] as usize]
    }
}

impl LatentNetwork {
    /// Random weights, and the given thresholds for the hidden layers and the output layer.
    pub fn new(sizes: &[usize], hidden: f32, output: f32, rng: &mut ChaCha8Rng) -> Self {
        let mut network = LatentNetwork {
            layers: Vec::new(),
            weights: Vec::new(),
        };
        for (index, pair) in sizes.windows(2).enumerate() {
            let (inputs, neurons) = (pair[0], pair[1]);
            let is_output = index + 2 == sizes.len();
            let threshold = if is_output { output } else { hidden };
            network.add_layer(inputs, neurons, threshold, rng);
        }
        network
    }

    fn add_layer(&mut self, inputs: usize, neurons: usize, threshold: f32, rng: &mut ChaCha8Rng) {
        let width = padded(neurons);
        let mut rows = vec![-1.0; inputs * width];
        for row in rows.chunks_exact_mut(width) {
            for weight in &mut row[..neurons] {
                *weight = rng.random_range(-INITIAL_WEIGHT..INITIAL_WEIGHT);
            }
        }
        self.weights.push(Weights {
            width,
            neurons,
            signs: (rows.iter())
                .map(|&weight| if weight >= 0.0 { 1 } else { -1 })
                .collect(),
            thresholds: vec![i16::MAX; width],
        });
        self.layers.push(LatentLayer {
            inputs,
            rows: Parameters::new(rows),
            thresholds: Parameters::new(vec![threshold; neurons]),
        });
        self.round_thresholds(self.layers.len() - 1);
    }

    /// The binary network, as the fast loops want it.
    pub fn weights(&self) -> &[Weights] {
        &self.weights
    }

    /// The inputs of layer `index`.
    pub fn inputs(&self, index: usize) -> usize {
        self.layers[index].inputs
    }

    /// One update of the weights of layer `index`, from the spikes into it and the errors of its
    /// neurons (see [`gradient_of_row`]).
    pub fn update_weights(
        &mut self,
        index: usize,
        step: AdamStep,
        spikes: &SpikesByInput,
        errors: &[f32],
        counted_until: &[f32],
    ) {
        let rows = &mut self.layers[index].rows;
        let Weights { width, signs, .. } = &mut self.weights[index];
        let width = *width;
        // Each row is the work of one thread, so the sums do not depend on how many there are.
        (rows.value.par_chunks_exact_mut(width))
            .zip(rows.first.par_chunks_exact_mut(width))
            .zip(rows.second.par_chunks_exact_mut(width))
            .zip(signs.par_chunks_exact_mut(width))
            .enumerate()
            .with_min_len(16)
            .for_each_init(
                || vec![0.0; width],
                |gradient, (input, (((latent, first), second), signs))| {
                    gradient_of_row(gradient, spikes.of(input), errors, counted_until);
                    update_row(step, gradient, latent, first, second, signs);
                },
            );
    }

    /// One update of the thresholds of layer `index`: ∂L/∂θ_j is minus the sum of ∂L/∂V_j.
    pub fn update_thresholds(&mut self, index: usize, step: AdamStep, errors: &[f32]) {
        let Weights { width, neurons, .. } = self.weights[index];
        let mut gradient = vec![0.0; neurons];
        for row in errors.chunks_exact(width) {
            for (sum, error) in gradient.iter_mut().zip(row) {
                *sum -= error;
            }
        }
        let Parameters {
            value,
            first,
            second,
        } = &mut self.layers[index].thresholds;
        for neuron in 0..neurons {
            let change = step.change(gradient[neuron], &mut first[neuron], &mut second[neuron]);
            value[neuron] = (value[neuron] + change).clamp(1.0, MAX_THRESHOLD as f32);
        }
        self.round_thresholds(index);
    }

    fn round_thresholds(&mut self, index: usize) {
        let thresholds = &mut self.weights[index].thresholds;
        for (rounded, value) in thresholds
            .iter_mut()
            .zip(&self.layers[index].thresholds.value)
        {
            *rounded = value.round() as i16;
        }
    }

    /// The binary network over `steps` time steps.
    pub fn to_network(&self, steps: usize) -> Result<Network, NetworkError> {
        let layers: Result<Vec<Layer>, NetworkError> = self.weights.iter().map(to_layer).collect();
        Network::new(steps, layers?)
    }
}

fn to_layer(weights: &Weights) -> Result<Layer, NetworkError> {
    let Weights {
        width,
        neurons,
        signs,
        thresholds,
    } = weights;
    let thresholds = thresholds[..*neurons].iter().map(|&t| i32::from(t));
    Layer::from_fn(
        signs.len() / width,
        thresholds.collect(),
        |neuron, input| signs[input * width + neuron] > 0,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spikes_sorted_by_input_keep_their_order() {
        let spikes = [(0u32, 0.0f32, 2u16), (0, 1.0, 0), (1, 0.0, 2), (2, 3.0, 2)];
        let mut sorted = SpikesByInput::default();
        sorted.sort(3, spikes.iter().copied());
        assert_eq!(sorted.of(0), [(0, 1.0)]);
        assert_eq!(sorted.of(1), []);
        assert_eq!(sorted.of(2), [(0, 0.0), (1, 0.0), (2, 3.0)]);
    }
}
