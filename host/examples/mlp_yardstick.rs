//! A real-valued network of the same sizes as the digits network, as the yardstick for it.
//!
//! `cargo run --release --example mlp_yardstick` trains a 64-128-10 perceptron (ReLU, softmax
//! cross-entropy, Adam) on the same split, with five seeds, and prints its test accuracy.

use firstspike::dataset::{self, Dataset};
use firstspike::train::{Intensities, Learner, Perceptron};
use rand::seq::SliceRandom;
use rand::SeedableRng;
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
    let drawn = Perceptron::new(data.features(), HIDDEN, data.classes, &mut rng);
    let mut learner = Learner::new(drawn);
    let mut order: Vec<usize> = (0..data.train.len()).collect();
    for _ in 0..EPOCHS {
        order.shuffle(&mut rng);
        for batch in order.chunks(BATCH) {
            let images = batch.iter().map(|&index| data.train.image(index));
            let labels: Vec<usize> = (batch.iter())
                .map(|&index| usize::from(data.train.labels[index]))
                .collect();
            learner.learn(&intensities(images, data), &labels, RATE);
        }
    }
    let test = intensities(data.test.iter(), data);
    let right = learner.perceptron().right(&test, &data.test.labels);
    right as f64 / data.test.len() as f64
}

fn intensities<'a>(images: impl Iterator<Item = &'a [u8]>, data: &Dataset) -> Intensities {
    let mut intensities = Intensities::default();
    for image in images {
        intensities.push_image(image, data.maximum);
    }
    intensities
}
