//! A real-valued network of the same sizes as the digits network, as the yardstick for it.
//!
//! `cargo run --release --example mlp_yardstick` trains a 64-128-10 perceptron (ReLU, softmax
//! cross-entropy, Adam) on the same split, with five seeds, and prints its test accuracy.

use firstspike::dataset::{self, Dataset, Split};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const HIDDEN: usize = 128;
const EPOCHS: usize = 200;
const BATCH: usize = 32;
const RATE: f32 = 0.001;

fn main() -> Result<(), dataset::DatasetError> {
    let data = dataset::load("digits")?;
    let sizes = [data.features(), HIDDEN, data.classes];
    println!("{sizes:?}, real-valued, {EPOCHS} epochs");
    let accuracies: Vec<f64> = (1..=5)
        .map(|seed| {
            let accuracy = train_and_test(&data, seed);
            println!("seed {seed}: test accuracy {:.2} %", 100.0 * accuracy);
            accuracy
        })
        .collect();
    let mean = accuracies.iter().sum::<f64>() / accuracies.len() as f64;
    println!("mean: {:.2} %", 100.0 * mean);
    Ok(())
}

fn train_and_test(data: &Dataset, seed: u64) -> f64 {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut first = Dense::new(data.features(), HIDDEN, &mut rng);
    let mut second = Dense::new(HIDDEN, data.classes, &mut rng);
    let mut order: Vec<usize> = (0..data.train.len()).collect();
    for _ in 0..EPOCHS {
        order.shuffle(&mut rng);
        for batch in order.chunks(BATCH) {
            for &index in batch {
                let input = intensities(&data.train, index, data.maximum);
                let hidden = relu(first.forward(&input));
                let mut errors = softmax(second.forward(&hidden));
                errors[usize::from(data.train.labels[index])] -= 1.0;
                let mut back = second.backward(&hidden, &errors, batch.len());
                for (error, &value) in back.iter_mut().zip(&hidden) {
                    *error = if value > 0.0 { *error } else { 0.0 };
                }
                first.backward(&input, &back, batch.len());
            }
            first.update();
            second.update();
        }
    }
    let right = (0..data.test.len()).filter(|&index| {
        let input = intensities(&data.test, index, data.maximum);
        let outputs = second.forward(&relu(first.forward(&input)));
        let best = (0..outputs.len()).max_by(|&a, &b| outputs[a].total_cmp(&outputs[b]));
        best == Some(usize::from(data.test.labels[index]))
    });
    right.count() as f64 / data.test.len() as f64
}

fn intensities(split: &Split, index: usize, maximum: u8) -> Vec<f32> {
    let maximum = f32::from(maximum);
    (split.image(index).iter())
        .map(|&value| f32::from(value) / maximum)
        .collect()
}

fn relu(mut values: Vec<f32>) -> Vec<f32> {
    for value in &mut values {
        *value = value.max(0.0);
    }
    values
}

fn softmax(mut values: Vec<f32>) -> Vec<f32> {
    let highest = values.iter().copied().fold(f32::MIN, f32::max);
    for value in &mut values {
        *value = (*value - highest).exp();
    }
    let total: f32 = values.iter().sum();
    for value in &mut values {
        *value /= total;
    }
    values
}

/// A fully connected layer with biases, its gradient and Adam's moments.
struct Dense {
    inputs: usize,
    /// For each neuron its weights, then its bias.
    weights: Vec<f32>,
    gradient: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
    updates: i32,
}

impl Dense {
    fn new(inputs: usize, neurons: usize, rng: &mut ChaCha8Rng) -> Self {
        let count = neurons * (inputs + 1);
        let limit = (6.0 / (inputs + neurons) as f32).sqrt();
        Dense {
            inputs,
            weights: (0..count)
                .map(|_| rng.random_range(-limit..limit))
                .collect(),
            gradient: vec![0.0; count],
            first: vec![0.0; count],
            second: vec![0.0; count],
            updates: 0,
        }
    }

    fn forward(&self, input: &[f32]) -> Vec<f32> {
        let neurons = self.weights.chunks_exact(self.inputs + 1);
        neurons
            .map(|weights| {
                let products = weights
                    .iter()
                    .zip(input)
                    .map(|(weight, value)| weight * value);
                products.sum::<f32>() + weights[self.inputs]
            })
            .collect()
    }

    /// Adds to the gradient and returns the errors of the inputs.
    fn backward(&mut self, input: &[f32], errors: &[f32], batch: usize) -> Vec<f32> {
        let mut back = vec![0.0; self.inputs];
        let row = self.inputs + 1;
        for (neuron, &error) in errors.iter().enumerate() {
            let weights = &self.weights[neuron * row..(neuron + 1) * row];
            let gradient = &mut self.gradient[neuron * row..(neuron + 1) * row];
            let share = error / batch as f32;
            for index in 0..self.inputs {
                back[index] += error * weights[index];
                gradient[index] += share * input[index];
            }
            gradient[self.inputs] += share;
        }
        back
    }

    fn update(&mut self) {
        self.updates += 1;
        let first_scale = 1.0 / (1.0 - 0.9f32.powi(self.updates));
        let second_scale = 1.0 / (1.0 - 0.999f32.powi(self.updates));
        for index in 0..self.weights.len() {
            let gradient = std::mem::take(&mut self.gradient[index]);
            self.first[index] = 0.9 * self.first[index] + 0.1 * gradient;
            self.second[index] = 0.999 * self.second[index] + 0.001 * gradient * gradient;
            let spread = (self.second[index] * second_scale).sqrt() + 1e-8;
            self.weights[index] -= RATE * self.first[index] * first_scale / spread;
        }
    }
}
