//! The real-valued network behind the binary one, and its optimiser.

use super::by_input::BatchSpikes;
use super::forward::Weights;
use super::kernels::{padded, shares, update_block, AdamStep, Lanes, LANES};
use super::rule::{Chain, ThresholdTraining};
use firmware_model::network::{Layer, Network, NetworkError, MAX_THRESHOLD};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Latent weights start uniformly in ± this: close enough to zero to change sign early.
const INITIAL_WEIGHT: f32 = 0.1;

/// Latent weights and thresholds, and the binary network that they make: the signs of the weights,
/// the thresholds rounded.
#[derive(Debug, Clone)]
pub struct LatentNetwork {
    /// Along what errors go back.
    chain: Chain,
    layers: Vec<LatentLayer>,
    weights: Vec<Weights>,
}

/// One layer's real numbers.
#[derive(Debug, Clone)]
struct LatentLayer {
    inputs: usize,
    blocks: Vec<Block>,
    /// One a neuron.
    thresholds: Parameters<f32>,
}

impl LatentLayer {
    /// What errors go back along, as the rule wants it.
    fn gather_by_neuron(&self, chain: Chain, by_neuron: &mut Vec<f32>) {
        let width = padded(self.inputs);
        by_neuron.resize(self.thresholds.value.len() * width, 0.0);
        for (neuron, row) in by_neuron.chunks_exact_mut(width).enumerate() {
            let (block, lane) = (&self.blocks[neuron / LANES], neuron % LANES);
            for (input, to) in row[..self.inputs].iter_mut().enumerate() {
                *to = match chain {
                    Chain::Signs => f32::from(block.signs[input][lane]),
                    Chain::Latent => block.weights.value[input][lane],
                };
            }
        }
    }
}

/// The weights of a block of neurons, input by input: what one thread updates.
#[derive(Debug, Clone)]
pub struct Block {
    pub weights: Parameters<Lanes>,
    /// The signs of the weights.
    pub signs: Vec<[i8; LANES]>,
}

impl Block {
    /// The block of these latent weights.
    pub fn new(value: Vec<Lanes>) -> Self {
        Block {
            signs: signs(&value),
            weights: Parameters::new(value, [0.0; LANES]),
        }
    }
}

/// Parameters and Adam's two moments of each.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Parameters<T> {
    pub value: Vec<T>,
    pub first: Vec<T>,
    pub second: Vec<T>,
}

fn signs(weights: &[Lanes]) -> Vec<[i8; LANES]> {
    (weights.iter())
        .map(|lanes| lanes.map(|weight| if weight >= 0.0 { 1 } else { -1 }))
        .collect()
}

impl<T: Copy> Parameters<T> {
    /// Whether `other` has as many.
    fn is_like(&self, other: &Self) -> bool {
        let sizes = |of: &Self| [of.value.len(), of.first.len(), of.second.len()];
        sizes(self) == sizes(other)
    }

    fn new(value: Vec<T>, zero: T) -> Self {
        let zeros = vec![zero; value.len()];
        Parameters {
            value,
            first: zeros.clone(),
            second: zeros,
        }
    }
}

/// What a layer learns from a batch.
pub struct Learned<'a> {
    /// The spikes into it.
    pub spikes: &'a BatchSpikes,
    /// Lanes in a row.
    pub width: usize,
    /// The errors of its neurons, one row of lanes an image.
    pub errors: &'a [f32],
    /// The steps τ_j up to which spikes count for each, in the same shape.
    pub counted_until: &'a [f32],
    pub counting: Counting<'a>,
}

/// How much a spike of a volley (image b, step or time s, weight k) counts for neuron j, with g_bj its error and τ_bj
/// what is in [`Learned::counted_until`].
#[derive(Debug, Clone, Copy)]
pub enum Counting<'a> {
    /// k·g_bj where s ≤ τ_bj, else 0.
    Causal,
    /// The spike takes its step to come in, and τ_bj is when the neuron fires, in steps and parts of them: κ·g_bj,
    /// with κ = 1 when that is after the step, the part of the step that is over when it is within, and 0 when it
    /// is before.
    Ramp,
    /// g_bj where s ≤ τ_bj, else k times the late error, of which there is one for each error.
    TwoSided { late_errors: &'a [f32] },
}

/// All parameters of a network, layer by layer: the weights of its blocks, and the thresholds.
pub type LatentState = Vec<(Vec<Parameters<Lanes>>, Parameters<f32>)>;

impl LatentNetwork {
    /// Random weights, and the given thresholds for the hidden layers and the output layer.
    pub fn new(
        sizes: &[usize],
        hidden: f32,
        output: f32,
        chain: Chain,
        rng: &mut ChaCha8Rng,
    ) -> Self {
        let mut network = LatentNetwork {
            chain,
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
        // Lanes without a neuron keep a weight that no update moves.
        let mut values = vec![vec![[-1.0; LANES]; inputs]; padded(neurons) / LANES];
        for (input, neuron) in (0..inputs).flat_map(|i| (0..neurons).map(move |j| (i, j))) {
            values[neuron / LANES][input][neuron % LANES] =
                rng.random_range(-INITIAL_WEIGHT..INITIAL_WEIGHT);
        }
        self.layers.push(LatentLayer {
            inputs,
            blocks: values.into_iter().map(Block::new).collect(),
            thresholds: Parameters::new(vec![threshold; neurons], 0.0),
        });
        self.weights.push(Weights::new(inputs, neurons));
        let index = self.layers.len() - 1;
        self.gather_signs(index);
        self.round_thresholds(index);
    }

    /// All parameters.
    pub fn state(&self) -> LatentState {
        (self.layers.iter())
            .map(|layer| {
                let blocks = layer.blocks.iter().map(|block| block.weights.clone());
                (blocks.collect(), layer.thresholds.clone())
            })
            .collect()
    }

    /// Takes over the parameters of a network of the same sizes; of others, nothing and `None`.
    pub fn restore(&mut self, state: &LatentState) -> Option<()> {
        let fits = state.len() == self.layers.len()
            && (self.layers.iter().zip(state)).all(|(layer, (blocks, thresholds))| {
                let pairs = layer.blocks.iter().zip(blocks);
                layer.blocks.len() == blocks.len()
                    && pairs
                        .clone()
                        .all(|(block, state)| block.weights.is_like(state))
                    && layer.thresholds.is_like(thresholds)
            });
        if !fits {
            return None;
        }
        for (index, (blocks, thresholds)) in state.iter().enumerate() {
            for (block, weights) in self.layers[index].blocks.iter_mut().zip(blocks) {
                block.signs = signs(&weights.value);
                block.weights = weights.clone();
            }
            self.layers[index].thresholds = thresholds.clone();
            self.gather_signs(index);
            self.round_thresholds(index);
        }
        Some(())
    }

    /// The binary network, as the fast loops want it.
    pub fn weights(&self) -> &[Weights] {
        &self.weights
    }

    /// The inputs of layer `index`.
    pub fn inputs(&self, index: usize) -> usize {
        self.layers[index].inputs
    }

    /// One update of the weights of all layers (see [`update_block`]), each from its part of `batch`.
    pub fn update_weights(&mut self, step: AdamStep, batch: &[Learned]) {
        let layers = self.layers.iter_mut().zip(batch);
        let blocks: Vec<(usize, &mut Block, &Learned)> = layers
            .flat_map(|(layer, learned)| {
                let blocks = layer.blocks.iter_mut().enumerate();
                blocks.map(move |(number, block)| (number, block, learned))
            })
            .collect();
        // Each block is the work of one thread, so the sums do not depend on how many there are.
        blocks.into_par_iter().for_each_init(
            Vec::new,
            |of_volleys: &mut Vec<Lanes>, (number, block, learned)| {
                shares(learned, number * LANES, of_volleys);
                update_block(block, step, &learned.spikes.of_input, of_volleys);
            },
        );
        (0..self.layers.len()).for_each(|index| self.gather_signs(index));
    }

    /// One update of the thresholds of layer `index`: ∂L/∂θ_j is minus the sum of ∂L/∂V_j.
    pub fn update_thresholds(
        &mut self,
        index: usize,
        step: AdamStep,
        training: ThresholdTraining,
        errors: &[f32],
    ) {
        let Weights { width, neurons, .. } = self.weights[index];
        let mut gradient = vec![0.0; neurons];
        for row in errors.chunks_exact(width) {
            for (sum, error) in gradient.iter_mut().zip(row) {
                *sum -= error;
            }
        }
        match training {
            ThresholdTraining::Fixed => return,
            // All start alike and move alike.
            ThresholdTraining::Layer => {
                let mean = gradient.iter().sum::<f32>() / neurons as f32;
                gradient.fill(mean);
            }
            ThresholdTraining::Neuron => (),
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

    /// Brings what the fast loops want of layer `index` up to date with its blocks.
    fn gather_signs(&mut self, index: usize) {
        let (layer, weights) = (&self.layers[index], &mut self.weights[index]);
        let (width, chain) = (weights.width, self.chain);
        let (signs, by_neuron) = (&mut weights.signs, &mut weights.by_neuron);
        let of_inputs = || {
            (signs.par_chunks_exact_mut(width))
                .enumerate()
                .with_min_len(64)
                .for_each(|(input, row)| {
                    for (lanes, block) in row.chunks_exact_mut(LANES).zip(&layer.blocks) {
                        // Of a size that the compiler knows, this is no call.
                        let lanes: &mut [i8; LANES] =
                            lanes.try_into().expect("rows are padded to whole blocks");
                        *lanes = block.signs[input];
                    }
                });
        };
        let of_neurons = || {
            if index > 0 {
                layer.gather_by_neuron(chain, by_neuron);
            }
        };
        rayon::join(of_inputs, of_neurons);
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
}

/// The binary network of these layers over `steps` time steps.
pub fn to_network(layers: &[Weights], steps: usize) -> Result<Network, NetworkError> {
    let layers: Result<Vec<Layer>, NetworkError> = layers.iter().map(to_layer).collect();
    Network::new(steps, layers?)
}

fn to_layer(weights: &Weights) -> Result<Layer, NetworkError> {
    let thresholds = weights.thresholds[..weights.neurons].iter();
    Layer::from_fn(
        weights.inputs,
        thresholds.map(|&threshold| i32::from(threshold)).collect(),
        |neuron, input| weights.signs[input * weights.width + neuron] > 0,
    )
}
