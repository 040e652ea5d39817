//! A real-valued perceptron with one hidden layer: ReLU, softmax cross-entropy, Adam.
//!
//! It is what a network of one-bit weights is measured against, and what can teach one. Most pixels are
//! black and many hidden neurons silent, so whatever is zero is left out. As everywhere in the trainer
//! each sum is the work of one thread and nothing is fused: the same bits on every machine.

use super::by_input::ByInput;
use super::kernels::{for_each_cpu, padded, AdamStep, Lanes, LANES};
use super::softmax::softmax;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// The inputs of a layer for a batch of images: those that are not zero.
#[derive(Debug, Clone, Default)]
pub struct Intensities {
    values: Vec<(u16, f32)>,
    /// Where each image ends in `values`.
    ends: Vec<usize>,
}

impl Intensities {
    /// Appends an image whose values, from 0 to `maximum`, become intensities from 0 to 1.
    pub fn push_image(&mut self, image: &[u8], maximum: u8) {
        let maximum = f32::from(maximum);
        self.push(image.iter().map(|&value| f32::from(value) / maximum));
    }

    fn push(&mut self, values: impl Iterator<Item = f32>) {
        let bright = values.enumerate().filter(|&(_, value)| value != 0.0);
        (self.values).extend(bright.map(|(input, value)| (input as u16, value)));
        self.ends.push(self.values.len());
    }

    /// The number of images.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The images one after another.
    fn iter(&self) -> impl ExactSizeIterator<Item = &[(u16, f32)]> + Clone {
        (0..self.len()).map(|image| {
            let start = if image == 0 { 0 } else { self.ends[image - 1] };
            &self.values[start..self.ends[image]]
        })
    }
}

impl Extend<Intensities> for Intensities {
    fn extend<I: IntoIterator<Item = Intensities>>(&mut self, more: I) {
        for more in more {
            let before = self.values.len();
            self.values.extend(more.values);
            self.ends.extend(more.ends.iter().map(|end| before + end));
        }
    }
}

/// A value for each lane of a block of neurons, for each image, for each block.
type OfBlocks = Vec<Vec<Lanes>>;

/// A fully connected layer with biases.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Layer {
    inputs: usize,
    neurons: usize,
    /// For each block of neurons their weights, input by input, then their biases.
    blocks: Vec<Vec<Lanes>>,
}

/// The two layers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Perceptron {
    hidden: Layer,
    output: Layer,
}

/// A perceptron that learns: Adam's moments beside the weights.
#[derive(Debug, Clone)]
pub struct Learner {
    perceptron: Perceptron,
    hidden: Moments,
    output: Moments,
    updates: u64,
}

/// Adam's two moments of each weight of a layer, in its shape.
#[derive(Debug, Clone)]
struct Moments {
    first: Vec<Vec<Lanes>>,
    second: Vec<Vec<Lanes>>,
}

/// What a batch came to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sums {
    /// The losses of its images together.
    pub loss: f64,
    /// How many of them were right.
    pub right: usize,
}

/// An input of an image, beside others of the same input.
#[derive(Debug, Clone, Copy, Default)]
struct Value {
    image: u32,
    value: f32,
}

impl Perceptron {
    /// Random weights and biases: uniform, in Glorot's limits.
    pub fn new(inputs: usize, hidden: usize, classes: usize, rng: &mut ChaCha8Rng) -> Self {
        Perceptron {
            hidden: Layer::new(inputs, hidden, rng),
            output: Layer::new(hidden, classes, rng),
        }
    }

    /// Whether it has these sizes, and all the weights that they need.
    pub(super) fn fits(&self, inputs: usize, hidden: usize, classes: usize) -> bool {
        self.hidden.fits(inputs, hidden) && self.output.fits(hidden, classes)
    }

    /// The logits of the classes, image after image.
    pub fn logits(&self, images: &Intensities) -> Vec<f32> {
        let hidden = rectified(self.hidden.forward(images));
        let outputs = self.output.forward(&self.active(&hidden));
        self.rows(&outputs, images.len())
    }

    /// How many of `images` have their highest logit at their label.
    pub fn right(&self, images: &Intensities, labels: &[u8]) -> usize {
        let logits = self.logits(images);
        let rows = logits.chunks_exact(self.output.neurons);
        (rows.zip(labels))
            .filter(|(row, &label)| highest(row) == usize::from(label))
            .count()
    }

    /// The outputs of the hidden layer as inputs of the next.
    fn active(&self, hidden: &OfBlocks) -> Intensities {
        let images = hidden.first().map_or(0, Vec::len);
        let mut active = Intensities::default();
        for image in 0..images {
            let lanes = hidden.iter().flat_map(|block| block[image]);
            active.push(lanes.take(self.hidden.neurons));
        }
        active
    }

    /// From blocks of lanes to a row of classes for each image.
    fn rows(&self, outputs: &OfBlocks, images: usize) -> Vec<f32> {
        let row = |image: usize| {
            let lanes = outputs.iter().flat_map(move |block| block[image]);
            lanes.take(self.output.neurons)
        };
        (0..images).flat_map(row).collect()
    }

    /// The errors of hidden neurons from those of the outputs, a row of classes for each image.
    fn hidden_errors(&self, hidden: &OfBlocks, errors: &[f32]) -> OfBlocks {
        let classes = self.output.neurons;
        let of_block = |(number, values): (usize, &Vec<Lanes>)| -> Vec<Lanes> {
            // The weights from this block's neurons to each class.
            let weight = |class: usize, neuron: usize| match neuron < self.hidden.neurons {
                true => self.output.blocks[class / LANES][neuron][class % LANES],
                false => 0.0,
            };
            let weights: Vec<Lanes> = (0..classes)
                .map(|class| std::array::from_fn(|lane| weight(class, number * LANES + lane)))
                .collect();
            let mut of_block = vec![[0.0; LANES]; values.len()];
            let rows = errors.chunks_exact(classes).zip(values);
            for (to, (errors, values)) in of_block.iter_mut().zip(rows) {
                hand_back(to, &weights, errors, values);
            }
            of_block
        };
        hidden.par_iter().enumerate().map(of_block).collect()
    }
}

impl Learner {
    pub fn new(perceptron: Perceptron) -> Self {
        Learner {
            hidden: Moments::of(&perceptron.hidden),
            output: Moments::of(&perceptron.output),
            perceptron,
            updates: 0,
        }
    }

    /// The perceptron as it is now.
    pub fn perceptron(&self) -> &Perceptron {
        &self.perceptron
    }

    /// What it has learned.
    pub fn into_perceptron(self) -> Perceptron {
        self.perceptron
    }

    /// One update by a batch of images and their labels.
    pub fn learn(&mut self, images: &Intensities, labels: &[usize], rate: f32) -> Sums {
        let network = &self.perceptron;
        let hidden = rectified(network.hidden.forward(images));
        let active = network.active(&hidden);
        let mut errors = network.rows(&network.output.forward(&active), images.len());
        let mut sums = Sums::default();
        let share = 1.0 / images.len() as f32;
        let rows = errors.chunks_exact_mut(network.output.neurons);
        for (row, &label) in rows.zip(labels) {
            sums.right += usize::from(highest(row) == label);
            softmax(row);
            sums.loss -= f64::from(libm::logf(row[label].max(f32::MIN_POSITIVE)));
            row[label] -= 1.0;
            row.iter_mut().for_each(|error| *error *= share);
        }
        let of_hidden = network.hidden_errors(&hidden, &errors);
        let of_output = network.output.blocks_of(&errors);
        self.updates += 1;
        let step = AdamStep::new(rate, self.updates);
        let Perceptron { hidden, output } = &mut self.perceptron;
        hidden.update(&mut self.hidden, step, images, &of_hidden);
        output.update(&mut self.output, step, &active, &of_output);
        sums
    }
}

impl Layer {
    fn new(inputs: usize, neurons: usize, rng: &mut ChaCha8Rng) -> Self {
        let limit = (6.0 / (inputs + neurons) as f32).sqrt();
        // Lanes without a neuron have weights of zero, and no error ever moves them.
        let mut blocks = vec![vec![[0.0; LANES]; inputs + 1]; padded(neurons) / LANES];
        for (neuron, input) in (0..neurons).flat_map(|j| (0..=inputs).map(move |i| (j, i))) {
            blocks[neuron / LANES][input][neuron % LANES] = rng.random_range(-limit..limit);
        }
        Layer {
            inputs,
            neurons,
            blocks,
        }
    }

    fn fits(&self, inputs: usize, neurons: usize) -> bool {
        (self.inputs, self.neurons) == (inputs, neurons)
            && self.blocks.len() == padded(neurons) / LANES
            && self.blocks.iter().all(|block| block.len() == inputs + 1)
    }

    /// The weighted sums and biases.
    fn forward(&self, images: &Intensities) -> OfBlocks {
        let of_block = |weights: &Vec<Lanes>| -> Vec<Lanes> {
            let images = images.iter();
            images.map(|image| weighted_sum(weights, image)).collect()
        };
        self.blocks.par_iter().map(of_block).collect()
    }

    /// From a row of neurons for each image to blocks of lanes.
    fn blocks_of(&self, rows: &[f32]) -> OfBlocks {
        let of_block = |block: usize| -> Vec<Lanes> {
            let rows = rows.chunks_exact(self.neurons);
            rows.map(|row| {
                let lane = |lane: usize| row.get(block * LANES + lane).copied();
                std::array::from_fn(|index| lane(index).unwrap_or(0.0))
            })
            .collect()
        };
        (0..self.blocks.len()).map(of_block).collect()
    }

    /// One update: the gradient of a weight is the sum of its input times its neuron's error.
    fn update(
        &mut self,
        moments: &mut Moments,
        step: AdamStep,
        images: &Intensities,
        errors: &OfBlocks,
    ) {
        let bias = self.inputs as u16;
        let mut inputs = ByInput::default();
        let values = images.iter().enumerate().flat_map(|(image, values)| {
            let image = image as u32;
            // A bias is the weight of an input that is always 1.
            let values = values.iter().copied().chain([(bias, 1.0)]);
            values.map(move |(input, value)| (input, Value { image, value }))
        });
        inputs.sort(self.inputs + 1, values);
        let moments = (moments.first.par_iter_mut()).zip(moments.second.par_iter_mut());
        // Each block is the work of one thread, so the sums do not depend on how many there are.
        (self.blocks.par_iter_mut().zip(moments).zip(errors)).for_each(
            |((weights, (first, second)), errors)| {
                update_block(weights, first, second, step, &inputs, errors);
            },
        );
    }
}

impl Moments {
    fn of(layer: &Layer) -> Self {
        let zeros: Vec<Vec<Lanes>> = (layer.blocks.iter())
            .map(|block| vec![[0.0; LANES]; block.len()])
            .collect();
        Moments {
            first: zeros.clone(),
            second: zeros,
        }
    }
}

fn rectified(mut values: OfBlocks) -> OfBlocks {
    for value in values.iter_mut().flatten().flatten() {
        *value = value.max(0.0);
    }
    values
}

/// The place of the highest value, the last of equals.
fn highest(values: &[f32]) -> usize {
    let better = |&a: &usize, &b: &usize| values[a].total_cmp(&values[b]);
    (0..values.len()).max_by(better).unwrap_or(0)
}

for_each_cpu! {
    /// What a block of neurons comes to for an image: the biases, the last row, and the weighted inputs.
    fn weighted_sum(weights: &[Lanes], image: &[(u16, f32)]) -> Lanes {
        let mut sums = weights[weights.len() - 1];
        for &(input, value) in image {
            let weights = &weights[usize::from(input)];
            for lane in 0..LANES {
                sums[lane] += value * weights[lane];
            }
        }
        sums
    }
}

for_each_cpu! {
    /// The errors of a block of hidden neurons for an image: those of the outputs along the weights to
    /// them, where a neuron is not silent.
    fn hand_back(to: &mut Lanes, weights: &[Lanes], errors: &[f32], values: &Lanes) {
        let mut sums = [0f32; LANES];
        for (weights, &error) in weights.iter().zip(errors) {
            for lane in 0..LANES {
                sums[lane] += error * weights[lane];
            }
        }
        for lane in 0..LANES {
            to[lane] = if values[lane] > 0.0 { sums[lane] } else { 0.0 };
        }
    }
}

for_each_cpu! {
    /// One Adam update of the weights from all inputs to a block of neurons.
    fn update_block(
        weights: &mut [Lanes],
        first: &mut [Lanes],
        second: &mut [Lanes],
        step: AdamStep,
        inputs: &ByInput<Value>,
        errors: &[Lanes],
    ) {
        let moments = first.iter_mut().zip(second);
        for (input, (weights, (first, second))) in weights.iter_mut().zip(moments).enumerate() {
            let mut gradient = [0f32; LANES];
            for &Value { image, value } in inputs.of(input) {
                let errors = &errors[image as usize];
                for lane in 0..LANES {
                    gradient[lane] += value * errors[lane];
                }
            }
            for lane in 0..LANES {
                weights[lane] += step.change(gradient[lane], &mut first[lane], &mut second[lane]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    /// More hidden neurons than a block has lanes, and not a whole number of blocks.
    const SIZES: [usize; 3] = [7, 45, 3];

    /// All weights and biases in double precision, neuron after neuron, and where each is in the blocks.
    fn plain(layer: &Layer) -> Vec<f64> {
        places(layer)
            .map(|(block, input, lane)| f64::from(layer.blocks[block][input][lane]))
            .collect()
    }

    fn places(layer: &Layer) -> impl Iterator<Item = (usize, usize, usize)> {
        let rows = layer.inputs + 1;
        (0..layer.neurons * rows).map(move |at| {
            let (neuron, input) = (at / rows, at % rows);
            (neuron / LANES, input, neuron % LANES)
        })
    }

    fn sums(weights: &[f64], inputs: &[f64]) -> Vec<f64> {
        let rows = weights.chunks_exact(inputs.len() + 1);
        rows.map(|row| {
            let products = row.iter().zip(inputs).map(|(w, x)| w * x);
            products.sum::<f64>() + row[inputs.len()]
        })
        .collect()
    }

    /// The mean cross-entropy, written down with nothing clever.
    fn slow_loss(weights: &[Vec<f64>; 2], images: &[Vec<f64>], labels: &[usize]) -> f64 {
        let of_image = |(image, &label): (&Vec<f64>, &usize)| {
            let mut hidden = sums(&weights[0], image);
            hidden.iter_mut().for_each(|value| *value = value.max(0.0));
            let logits = sums(&weights[1], &hidden);
            logits.iter().map(|logit| logit.exp()).sum::<f64>().ln() - logits[label]
        };
        let losses = images.iter().zip(labels).map(of_image);
        losses.sum::<f64>() / images.len() as f64
    }

    #[test]
    fn gradients_are_the_slopes_of_the_loss() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let drawn = Perceptron::new(SIZES[0], SIZES[1], SIZES[2], &mut rng);
        let (mut seen, mut images) = (Intensities::default(), Vec::new());
        for _ in 0..9 {
            let image: Vec<u8> = (0..SIZES[0]).map(|_| rng.random_range(0..=16)).collect();
            seen.push_image(&image, 16);
            images.push(image.iter().map(|&v| f64::from(v) / 16.0).collect());
        }
        let labels: Vec<usize> = (0..9).map(|image| image % 3).collect();
        let mut learner = Learner::new(drawn.clone());
        let told = learner.learn(&seen, &labels, 0.001);
        let weights = [plain(&drawn.hidden), plain(&drawn.output)];
        let loss = slow_loss(&weights, &images, &labels);
        assert!((told.loss / 9.0 - loss).abs() < 1e-5);
        let layers = [
            (&drawn.hidden, &learner.hidden),
            (&drawn.output, &learner.output),
        ];
        for (index, (layer, moments)) in layers.into_iter().enumerate() {
            for (at, (block, input, lane)) in places(layer).enumerate() {
                let nudged = |by: f64| {
                    let mut nudged = weights.clone();
                    nudged[index][at] += by;
                    slow_loss(&nudged, &images, &labels)
                };
                let slope = (nudged(1e-5) - nudged(-1e-5)) / 2e-5;
                // After one update the first moment is a tenth of the gradient.
                let gradient = f64::from(moments.first[block][input][lane]) / 0.1;
                assert!((gradient - slope).abs() < 1e-5, "{gradient} {slope}");
            }
        }
    }

    #[test]
    fn logits_and_who_is_right_are_those_of_plain_sums() {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let network = Perceptron::new(SIZES[0], SIZES[1], SIZES[2], &mut rng);
        let mut seen = Intensities::default();
        let (mut expected, mut best) = (Vec::new(), Vec::new());
        for _ in 0..20 {
            let image: Vec<u8> = (0..SIZES[0]).map(|_| rng.random_range(0..=4)).collect();
            seen.push_image(&image, 4);
            let inputs: Vec<f64> = image.iter().map(|&v| f64::from(v) / 4.0).collect();
            let hidden = sums(&plain(&network.hidden), &inputs);
            let hidden: Vec<f64> = hidden.iter().map(|value| value.max(0.0)).collect();
            let logits = sums(&plain(&network.output), &hidden);
            best.push((0..3).max_by(|&a, &b| logits[a].total_cmp(&logits[b])));
            expected.extend(logits);
        }
        let logits = network.logits(&seen);
        assert_eq!(logits.len(), expected.len());
        for (logit, expected) in logits.iter().zip(expected) {
            assert!((f64::from(*logit) - expected).abs() < 1e-5);
        }
        let mut labels: Vec<u8> = best.iter().map(|best| best.unwrap() as u8).collect();
        assert_eq!(network.right(&seen, &labels), 20);
        labels[7] = (labels[7] + 1) % 3;
        assert_eq!(network.right(&seen, &labels), 19);
    }

    #[test]
    fn a_perceptron_of_other_sizes_does_not_fit() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let good = Perceptron::new(7, 45, 3, &mut rng);
        assert!(good.fits(7, 45, 3));
        assert!(!good.fits(7, 46, 3) && !good.fits(8, 45, 3) && !good.fits(7, 45, 4));
        let mut short = good.clone();
        short.output.blocks[0].pop();
        assert!(!short.fits(7, 45, 3));
        let mut few = good;
        few.hidden.blocks.pop();
        assert!(!few.fits(7, 45, 3));
    }
}
