//! BS4NN's own descent: plain gradient descent on spike times, image by image.
//!
//! The equations are those of Kheradpisheh, Mirsadeghi, Masquelier, *BS4NN: Binarized Spiking Neural
//! Networks with Temporal Coding and Learning*, Neural Processing Letters, 2021,
//! doi 10.1007/s11063-021-10680-x, with the details of the program that they published; docs/training.md
//! has them. Their weights are ±α and their threshold is 100, above which a neuron fires. Weights of ±1
//! make that a threshold of 100/α, and a whole one of ⌊100/α⌋ + 1, at which it fires.
//!
//! An image that only its own class decides teaches nothing, so most images cost no more than a forward
//! pass, and the others change only weights of inputs that spike. Images follow each other, so a run is
//! the work of one thread.

use super::backward::normalise;
use super::forward::{Pass, Weights};
use super::kernels::{for_each_cpu, LANES};
use super::rule::{Rule, Start, ThresholdTraining};
use firmware_model::network::MAX_THRESHOLD;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// The threshold over weights of ±α.
const SCALED_THRESHOLD: f64 = 100.0;

/// The latent network of a run that descends image by image, and room for one image.
#[derive(Debug, Clone)]
pub struct ImageByImage {
    parameters: Vec<LayerParameters>,
    weights: Vec<Weights>,
    /// The spikes of the next image go into its `spikes[0]`.
    pub pass: Pass,
    layers: Vec<LayerErrors>,
}

/// The real numbers of one layer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LayerParameters {
    /// Latent weights, in the shape of [`Weights::signs`]: a row of padded neurons for each input.
    weights: Vec<f32>,
    /// α. Its changes are too small for single precision.
    alpha: f64,
}

/// The real numbers of a network, layer by layer.
pub type Parameters = Vec<LayerParameters>;

/// What one layer is told by one image, one lane a neuron.
#[derive(Debug, Clone)]
struct LayerErrors {
    /// δ: how much later each neuron should fire, as a share of T or scaled to norm 1.
    errors: Vec<f32>,
    /// The step at which it fires; T where it does not.
    fire_steps: Vec<f32>,
    /// Σ_i δ_j·C_ji·sign(w_ji), over the inputs so far.
    pulls: Vec<f32>,
}

/// How far an update goes.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    /// Of the latent weights.
    pub weights: f32,
    /// Of α.
    pub alpha: f32,
}

impl ImageByImage {
    /// Random weights, uniform up to `start`, and the given whole thresholds (2 or more) for the hidden
    /// layers and the output layer.
    pub fn new(
        sizes: &[usize],
        hidden: f32,
        output: f32,
        start: Start,
        rng: &mut ChaCha8Rng,
    ) -> Self {
        let mut weights = Vec::new();
        let mut parameters = Vec::new();
        for (index, pair) in sizes.windows(2).enumerate() {
            let layer = Weights::new(pair[0], pair[1]);
            let (threshold, highest) = match index + 2 == sizes.len() {
                true => (output, start.output),
                false => (hidden, start.hidden),
            };
            // Lanes without a neuron keep a weight that no update moves.
            let mut latent = vec![-1.0; layer.signs.len()];
            for row in latent.chunks_exact_mut(layer.width) {
                row[..layer.neurons].fill_with(|| rng.random_range(0.0..highest));
            }
            weights.push(layer);
            parameters.push(LayerParameters {
                weights: latent,
                alpha: SCALED_THRESHOLD / (f64::from(threshold) - 1.0),
            });
        }
        let layers = weights.iter().map(|layer| LayerErrors {
            errors: vec![0.0; layer.width],
            fire_steps: vec![0.0; layer.width],
            pulls: vec![0.0; layer.width],
        });
        let mut network = ImageByImage {
            pass: Pass::new(&weights),
            layers: layers.collect(),
            weights,
            parameters,
        };
        network.binarize();
        network
    }

    /// The binary network, as the fast loops want it.
    pub fn weights(&self) -> &[Weights] {
        &self.weights
    }

    /// All parameters.
    pub fn state(&self) -> Parameters {
        self.parameters.clone()
    }

    /// Takes over the parameters of a network of the same sizes; of others, nothing and `None`.
    pub fn restore(&mut self, state: &Parameters) -> Option<()> {
        let fits = state.len() == self.parameters.len()
            && (self.parameters.iter().zip(state))
                .all(|(own, other)| own.weights.len() == other.weights.len());
        if !fits {
            return None;
        }
        self.parameters.clone_from(state);
        self.binarize();
        Some(())
    }

    /// Makes the binary network from all real numbers.
    fn binarize(&mut self) {
        for (weights, parameters) in self.weights.iter_mut().zip(&self.parameters) {
            for (sign, &latent) in weights.signs.iter_mut().zip(&parameters.weights) {
                *sign = if latent >= 0.0 { 1 } else { -1 };
            }
            set_threshold(weights, parameters.alpha);
        }
    }

    /// Runs the image in `pass` and learns from it. Returns its loss.
    pub fn learn(&mut self, label: usize, steps: usize, rule: Rule, rates: Rates) -> f32 {
        self.pass.run(&self.weights, steps, true);
        let last = self.weights.len() - 1;
        let loss = self.output_errors(label, steps, rule.gap);
        if loss == 0.0 {
            return loss;
        }
        for index in (0..=last).rev() {
            if rule.normalise {
                normalise(&mut self.layers[index].errors, 1.0);
            }
            self.update_weights(index, steps, rates.weights);
            // The α of a layer goes by its weights after the update, as its errors go back along them.
            if rule.thresholds == ThresholdTraining::Layer {
                self.update_alpha(index, rates.alpha);
            }
        }
        loss
    }

    /// δ of the outputs, (target − t) / T, and the loss ½ Σ δ².
    ///
    /// The label should fire when the first does, all others at least `gap` steps later. When nobody
    /// fires there is nothing to go by.
    fn output_errors(&mut self, label: usize, steps: usize, gap: f32) -> f32 {
        let index = self.weights.len() - 1;
        let LayerErrors {
            errors, fire_steps, ..
        } = &mut self.layers[index];
        let never = steps as f32;
        (self.pass.layers[index].firing).fire_steps(never, fire_steps);
        let times = &fire_steps[..self.weights[index].neurons];
        let first = times.iter().copied().fold(never, f32::min);
        errors.fill(0.0);
        let mut loss = 0.0;
        for (class, (&time, error)) in times.iter().zip(errors).enumerate() {
            let target = match class == label {
                true => first,
                false => time.max((first + gap).min(never)),
            };
            *error = (target - time) / never;
            loss += 0.5 * *error * *error;
        }
        loss
    }

    /// Moves the weights into layer `index` by its errors, and hands these back along the new weights to
    /// the layer before it, which they change only where that fires.
    fn update_weights(&mut self, index: usize, steps: usize, rate: f32) {
        let (before, layer) = self.layers.split_at_mut(index);
        let LayerErrors {
            errors,
            fire_steps,
            pulls,
        } = &mut layer[0];
        let mut handed_back = before.last_mut();
        if let Some(before) = &mut handed_back {
            let firing = &self.pass.layers[index - 1].firing;
            firing.fire_steps(steps as f32, &mut before.fire_steps);
            // Who does not fire has no spike that counts for anybody, so no error.
            before.errors.fill(0.0);
        }
        pulls.fill(0.0);
        let signs = &mut self.weights[index].signs;
        let latent = &mut self.parameters[index].weights;
        let width = errors.len();
        for step in 0..steps {
            for &input in self.pass.spikes[index].at(step) {
                let input = usize::from(input);
                let row = input * width..(input + 1) * width;
                let handed = descend(
                    &mut latent[row.clone()],
                    &mut signs[row],
                    errors,
                    fire_steps,
                    pulls,
                    step as f32,
                    rate,
                );
                if let Some(before) = &mut handed_back {
                    before.errors[input] = handed;
                }
            }
        }
    }

    /// α −= rate · mean over all synapses of δ_j·C_ji·sign(w_ji).
    fn update_alpha(&mut self, index: usize, rate: f32) {
        let weights = &mut self.weights[index];
        let parameters = &mut self.parameters[index];
        let pulls = self.layers[index].pulls.iter();
        let sum: f64 = pulls.map(|&pull| f64::from(pull)).sum();
        let synapses = (weights.inputs * weights.neurons) as f64;
        // Kept where its threshold is a whole number from 1.
        let least = SCALED_THRESHOLD / f64::from(MAX_THRESHOLD - 1);
        parameters.alpha = (parameters.alpha - f64::from(rate) * sum / synapses).max(least);
        set_threshold(weights, parameters.alpha);
    }
}

fn set_threshold(weights: &mut Weights, alpha: f64) {
    let threshold = (SCALED_THRESHOLD / alpha).floor() as i16 + 1;
    weights.thresholds[..weights.neurons].fill(threshold);
}

for_each_cpu! {
    /// One input that spikes at `step`: w_j −= rate·δ_j of the weights to all neurons that fire no
    /// earlier (C_j), and their signs. Adds δ_j·C_j·sign(w_j) to the pulls and returns Σ_j δ_j·C_j·w_j,
    /// both of the new weights.
    fn descend(
        weights: &mut [f32],
        signs: &mut [i8],
        errors: &[f32],
        fire_steps: &[f32],
        pulls: &mut [f32],
        step: f32,
        rate: f32,
    ) -> f32 {
        let mut handed = [0f32; LANES];
        let rows = (weights.chunks_exact_mut(LANES).zip(signs.chunks_exact_mut(LANES)))
            .zip(errors.chunks_exact(LANES).zip(fire_steps.chunks_exact(LANES)))
            .zip(pulls.chunks_exact_mut(LANES));
        for (((weights, signs), (errors, fire_steps)), pulls) in rows {
            for lane in 0..LANES {
                let error = if step <= fire_steps[lane] { errors[lane] } else { 0.0 };
                let weight = weights[lane] - rate * error;
                let is_positive = weight >= 0.0;
                weights[lane] = weight;
                signs[lane] = if is_positive { 1 } else { -1 };
                pulls[lane] += if is_positive { error } else { -error };
                handed[lane] += error * weight;
            }
        }
        handed.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::latent::to_network;
    use crate::train::rule::Named;
    use rand::SeedableRng;

    const SIZES: [usize; 4] = [30, 40, 12, 4];
    const STEPS: usize = 10;
    const START: Start = Start {
        hidden: 0.6,
        output: 1.5,
    };
    const RATES: Rates = Rates {
        weights: 0.1,
        alpha: 10.0,
    };

    /// One layer as the paper has it: real weights, of which the network sees α times the signs.
    #[derive(Debug)]
    struct SlowLayer {
        /// For each neuron, for each input.
        weights: Vec<Vec<f64>>,
        alpha: f64,
    }

    fn sign(weight: f64) -> f64 {
        if weight >= 0.0 {
            1.0
        } else {
            -1.0
        }
    }

    /// When each neuron first exceeds the threshold of 100.
    fn fire(layer: &SlowLayer, inputs: &[Option<usize>]) -> Vec<Option<usize>> {
        let potential = |weights: &[f64], step: usize| -> f64 {
            let spiked = weights
                .iter()
                .zip(inputs)
                .filter(|(_, at)| at.is_some_and(|at| at <= step));
            spiked.map(|(&weight, _)| layer.alpha * sign(weight)).sum()
        };
        let first = |weights: &Vec<f64>| (0..STEPS).find(|&step| potential(weights, step) > 100.0);
        layer.weights.iter().map(first).collect()
    }

    fn unit(values: Vec<f64>) -> Vec<f64> {
        let norm = values.iter().map(|value| value * value).sum::<f64>().sqrt();
        match norm > 0.0 {
            true => values.iter().map(|value| value / norm).collect(),
            false => values,
        }
    }

    /// One image, one update: the equations one by one.
    fn learn(layers: &mut [SlowLayer], inputs: Vec<Option<usize>>, label: usize, gap: f64) -> f64 {
        let mut times = vec![inputs];
        for layer in layers.iter() {
            let next = fire(layer, &times[times.len() - 1]);
            times.push(next);
        }
        let end = STEPS as f64;
        let time = |at: Option<usize>| at.map_or(end, |step| step as f64);
        let outputs: Vec<f64> = times[layers.len()].iter().map(|&at| time(at)).collect();
        let first = outputs.iter().copied().fold(f64::INFINITY, f64::min);
        if first == end {
            return 0.0;
        }
        let target = |class: usize| match class {
            _ if class == label => first,
            _ if outputs[class] - first < gap => (first + gap).min(end),
            _ => outputs[class],
        };
        let mut delta: Vec<f64> = (0..outputs.len())
            .map(|class| (target(class) - outputs[class]) / end)
            .collect();
        let loss = 0.5 * delta.iter().map(|delta| delta * delta).sum::<f64>();
        for (index, layer) in layers.iter_mut().enumerate().rev() {
            delta = unit(delta);
            let counts = |j: usize, i: usize| {
                times[index][i].is_some_and(|spike| spike as f64 <= time(times[index + 1][j]))
            };
            let mut handed = vec![0.0; layer.weights[0].len()];
            let mut pull = 0.0;
            for (j, weights) in layer.weights.iter_mut().enumerate() {
                for (i, weight) in weights.iter_mut().enumerate() {
                    if counts(j, i) {
                        *weight -= f64::from(RATES.weights) * delta[j];
                        pull += delta[j] * sign(*weight);
                        handed[i] += delta[j] * *weight;
                    }
                }
            }
            let synapses = (layer.weights.len() * layer.weights[0].len()) as f64;
            layer.alpha -= f64::from(RATES.alpha) * pull / synapses;
            delta = handed;
        }
        loss
    }

    /// The fast network's parameters.
    fn slow(network: &ImageByImage) -> Vec<SlowLayer> {
        let pairs = network.parameters.iter().zip(&network.weights);
        let layers = pairs.map(|(parameters, weights)| {
            let weight = |j: usize, i: usize| f64::from(parameters.weights[i * weights.width + j]);
            let row = |j: usize| (0..weights.inputs).map(|i| weight(j, i)).collect();
            SlowLayer {
                weights: (0..weights.neurons).map(row).collect(),
                alpha: parameters.alpha,
            }
        });
        layers.collect()
    }

    fn show(network: &mut ImageByImage, inputs: &[Option<usize>]) {
        let spikes = &mut network.pass.spikes[0];
        spikes.clear();
        for step in 0..STEPS {
            let now = (0..inputs.len()).filter(|&input| inputs[input] == Some(step));
            spikes.inputs.extend(now.map(|input| input as u16));
            spikes.end_step();
        }
    }

    #[test]
    fn updates_are_those_of_the_equations() {
        // It must meet every case: images that teach and that do not, nobody who fires, weights and
        // thresholds that become others.
        let (mut taught, mut silent, mut images) = (0, 0, 0);
        let mut changed = [(false, false); 3];
        for seed in 0..8 {
            let gap = if seed % 2 == 0 { 1.0 } else { 3.0 };
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let mut network = ImageByImage::new(&SIZES, 4.0, 3.0, START, &mut rng);
            let mut expected = slow(&network);
            let before = to_network(network.weights(), STEPS).unwrap();
            let rule = Rule {
                gap,
                ..Named::Bs4nn.rule(STEPS)
            };
            for _ in 0..60 {
                let inputs: Vec<Option<usize>> = (0..SIZES[0])
                    .map(|_| rng.random::<bool>().then(|| rng.random_range(0..STEPS)))
                    .collect();
                let label = rng.random_range(0..SIZES[3]);
                show(&mut network, &inputs);
                let loss = network.learn(label, STEPS, rule, RATES);
                let of_slow = learn(&mut expected, inputs, label, f64::from(gap));
                assert!((f64::from(loss) - of_slow).abs() < 1e-6, "{loss} {of_slow}");
                images += 1;
                taught += usize::from(loss > 0.0);
                silent += usize::from(network.pass.silent);
                for (found, expected) in slow(&network).iter().zip(&expected) {
                    assert!((found.alpha - expected.alpha).abs() < 1e-3);
                    let pairs =
                        (found.weights.iter().flatten()).zip(expected.weights.iter().flatten());
                    for (found, expected) in pairs {
                        assert!((found - expected).abs() < 1e-3, "{found} {expected}");
                    }
                }
            }
            let after = to_network(network.weights(), STEPS).unwrap();
            let layers = before.layers().iter().zip(after.layers());
            for ((before, after), changed) in layers.zip(&mut changed) {
                changed.0 |= before.signs() != after.signs();
                changed.1 |= before.thresholds() != after.thresholds();
            }
        }
        assert!(
            taught > 60 && silent > 20 && taught + silent < images,
            "{taught} {silent}"
        );
        assert_eq!(changed, [(true, true); 3]);
    }

    #[test]
    fn who_is_not_to_learn_thresholds_keeps_them() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut network = ImageByImage::new(&SIZES, 4.0, 3.0, START, &mut rng);
        let rule = Rule {
            thresholds: ThresholdTraining::Fixed,
            ..Named::Bs4nn.rule(STEPS)
        };
        let before = slow(&network);
        show(&mut network, &[Some(0); SIZES[0]]);
        // All weights are positive, so all outputs fire together.
        assert!(network.learn(1, STEPS, rule, RATES) > 0.0);
        for (before, after) in before.iter().zip(slow(&network)) {
            assert_eq!(before.alpha, after.alpha);
            assert_ne!(before.weights, after.weights);
        }
    }

    #[test]
    fn a_threshold_above_which_a_neuron_fires_is_the_next_whole_one() {
        let threshold = |alpha: f64| {
            let mut weights = Weights::new(2, 3);
            set_threshold(&mut weights, alpha);
            assert_eq!(weights.thresholds[3], i16::MAX);
            weights.thresholds[2]
        };
        // The last two are those of BS4NN's released weights.
        let found = [5.0, 5.01, 4.99, 1000.0, 4.037, 9.065].map(threshold);
        assert_eq!(found, [21, 20, 21, 1, 25, 12]);
        let least = SCALED_THRESHOLD / f64::from(MAX_THRESHOLD - 1);
        assert!(threshold(least) >= 32_766);
    }
}
