//! Distillation: a real-valued perceptron learns the images first, and then has a say in what the
//! network is to answer.
//!
//! Its probabilities tell more of an image than the label does: which other classes it is a little
//! like. docs/training.md has the equation.

use super::backward::Advice;
use super::batch::{draw_moves, Move};
use super::perceptron::{Intensities, Learner, Perceptron};
use super::samples::{Scratch, TrainingImages};
use super::softmax::softmax;
use super::{Event, Options, Progress, Schedule, TrainError};
use crate::dataset::Split;
use rand::seq::SliceRandom;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, Ordering};

/// Images an update.
const BATCH: usize = 100;
/// Adam's rate at the start; it falls to zero along a cosine.
const RATE: f32 = 0.001;
/// It learns for half the epochs of the network, and for no more than about so many images: 20 epochs
/// of MNIST.
const IMAGES_SEEN: usize = 1_100_000;
/// The random numbers that are its own: the network's stay the same with and without it.
const STREAM: u64 = 1;

/// How a network is taught by a perceptron.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Teaching {
    /// The perceptron's hidden neurons.
    pub hidden: usize,
    /// How much of the loss is about its answer; the rest is about the label.
    pub share: f32,
    /// What its logits, and those of the network beside them, are divided by before they become
    /// probabilities: the higher, the more the classes count that it does not choose.
    pub temperature: f32,
}

impl Teaching {
    /// The usual way to be taught by so many hidden neurons.
    pub fn by(hidden: usize) -> Self {
        Teaching {
            hidden,
            share: 0.5,
            temperature: 1.0,
        }
    }

    /// For how many epochs the perceptron learns, of `images`, before a network does for `epochs`.
    pub fn epochs(images: usize, epochs: usize) -> usize {
        (IMAGES_SEEN / images.max(1)).clamp(1, epochs.div_ceil(2).max(1))
    }
}

/// The sizes of the images and the classes.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub features: usize,
    pub classes: usize,
    /// The highest value of a pixel.
    pub maximum: u8,
}

/// A perceptron that has learned.
#[derive(Debug)]
pub struct Teacher {
    pub perceptron: Perceptron,
    teaching: Teaching,
    shape: Shape,
}

impl Teacher {
    /// One that has learned already; `None` when it has not the sizes that are asked for.
    pub fn of(perceptron: Perceptron, teaching: Teaching, shape: Shape) -> Option<Self> {
        let fits = perceptron.fits(shape.features, teaching.hidden, shape.classes);
        fits.then_some(Teacher {
            perceptron,
            teaching,
            shape,
        })
    }

    /// Lets a new one learn `train`, moved as the options say, and measures it on `held_out`.
    ///
    /// # Errors
    /// When `stop` becomes true: [`TrainError::Stopped`].
    pub fn learn(
        (teaching, options): (Teaching, &Options),
        (train, held_out): (&TrainingImages, &Split),
        shape: Shape,
        stop: &AtomicBool,
        watch: &mut dyn FnMut(Event),
    ) -> Result<Self, TrainError> {
        let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
        rng.set_stream(STREAM);
        let Shape {
            features, classes, ..
        } = shape;
        let drawn = Perceptron::new(features, teaching.hidden, classes, &mut rng);
        let mut learner = Learner::new(drawn);
        let mut order: Vec<usize> = (0..train.len()).collect();
        let epochs = Teaching::epochs(train.len(), options.epochs);
        let total = epochs * order.len();
        let mut images = 0;
        for epoch in 1..=epochs {
            order.shuffle(&mut rng);
            let mut progress = Progress::default();
            for batch in order.chunks(BATCH) {
                if stop.load(Ordering::Relaxed) {
                    return Err(TrainError::Stopped);
                }
                let moves = draw_moves(batch, options.augment, &mut rng);
                let seen = intensities(train, &moves, shape.maximum);
                let labels: Vec<usize> = batch.iter().map(|&image| train.label(image)).collect();
                let sums =
                    learner.learn(&seen, &labels, Schedule::Cosine.rate(RATE, images, total));
                progress.add(batch.len(), sums.loss, sums.right);
                images += batch.len();
                watch(Event::TeacherBatch {
                    epoch,
                    epochs,
                    images,
                    total,
                    loss: progress.loss(),
                    accuracy: progress.accuracy(),
                });
            }
        }
        let perceptron = learner.into_perceptron();
        watch(Event::Teacher {
            epochs,
            accuracy: accuracy(&perceptron, held_out, shape.maximum),
        });
        Ok(Teacher {
            perceptron,
            teaching,
            shape,
        })
    }

    /// What it says of these images.
    pub fn answers(&self, images: &TrainingImages, moves: &[Move]) -> Answers {
        let seen = intensities(images, moves, self.shape.maximum);
        let mut probabilities = self.perceptron.logits(&seen);
        let Teaching { temperature, .. } = self.teaching;
        for row in probabilities.chunks_exact_mut(self.shape.classes) {
            row.iter_mut().for_each(|logit| *logit /= temperature);
            softmax(row);
        }
        Answers {
            teaching: self.teaching,
            classes: self.shape.classes,
            probabilities,
        }
    }
}

/// What a teacher says of a batch.
#[derive(Debug)]
pub struct Answers {
    teaching: Teaching,
    classes: usize,
    /// At the temperature: a row of classes for each image.
    probabilities: Vec<f32>,
}

impl Answers {
    /// What it says of image `index` of the batch.
    pub fn to(&self, index: usize) -> Advice<'_> {
        Advice {
            teaching: self.teaching,
            probabilities: &self.probabilities[index * self.classes..][..self.classes],
        }
    }
}

/// The share of `images` that a perceptron has right, where there are any.
fn accuracy(perceptron: &Perceptron, images: &Split, maximum: u8) -> Option<f64> {
    // A batch at a time: all that all hidden neurons say of all images is a lot.
    let batches = images.images.chunks(BATCH * images.features.max(1));
    let right: usize = (batches.zip(images.labels.chunks(BATCH)))
        .map(|(batch, labels)| {
            let mut seen = Intensities::default();
            for image in batch.chunks_exact(images.features) {
                seen.push_image(image, maximum);
            }
            perceptron.right(&seen, labels)
        })
        .sum();
    (!images.labels.is_empty()).then(|| right as f64 / images.len() as f64)
}

/// The images as a perceptron takes them, each moved.
fn intensities(images: &TrainingImages, moves: &[Move], maximum: u8) -> Intensities {
    let one = |scratch: &mut Scratch, (image, warp): &Move| {
        let mut one = Intensities::default();
        one.push_image(images.pixels(*image, warp.as_ref(), scratch), maximum);
        one
    };
    let each: Vec<Intensities> = (moves.par_iter()).map_init(Scratch::default, one).collect();
    let mut all = Intensities::default();
    all.extend(each);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset;
    use crate::encoding::Latency;

    #[test]
    fn digits_are_learned_and_the_accuracy_is_that_of_the_held_out_images() {
        let data = dataset::load("digits").unwrap();
        let parts = data.hold_out(0.1).unwrap();
        let options = Options::for_dataset(&data);
        let train = TrainingImages::new(&data, &parts.stay, Latency { steps: 16 });
        let held_out = data.train.select(&parts.held_out);
        let shape = Shape {
            features: 64,
            classes: 10,
            maximum: data.maximum,
        };
        let (mut told, mut seen) = (None, 0);
        let mut watch = |event: Event| match event {
            Event::TeacherBatch { images, total, .. } => {
                assert!(seen < images && images <= total);
                seen = images;
            }
            Event::Teacher { epochs, accuracy } => told = Some((epochs, accuracy.unwrap())),
            _ => panic!("the network has its turn later"),
        };
        let stop = AtomicBool::new(false);
        let teaching = Teaching::by(64);
        let images = (&train, &held_out);
        let teacher =
            Teacher::learn((teaching, &options), images, shape, &stop, &mut watch).unwrap();
        assert_eq!(seen, 139 * parts.stay.len());
        let (epochs, accuracy) = told.unwrap();
        assert_eq!(epochs, 139);
        assert!(accuracy > 0.95, "{accuracy}");
        // Of images that are not moved it is sure, and less so the warmer it is.
        let all: Vec<Move> = (0..parts.stay.len()).map(|image| (image, None)).collect();
        let sure = |teacher: &Teacher| -> f32 {
            let answers = teacher.answers(&train, &all);
            let of_label = |image: usize| {
                let row = answers.to(image).probabilities;
                assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-5);
                row[train.label(image)]
            };
            (0..parts.stay.len()).map(of_label).sum::<f32>() / parts.stay.len() as f32
        };
        let at = |temperature: f32| {
            let teaching = Teaching {
                temperature,
                ..teaching
            };
            Teacher::of(teacher.perceptron.clone(), teaching, shape).unwrap()
        };
        assert!(sure(&at(1.0)) > 0.9, "{}", sure(&at(1.0)));
        assert!((0.1..0.5).contains(&sure(&at(10.0))), "{}", sure(&at(10.0)));
    }

    #[test]
    fn it_learns_for_half_the_epochs_and_no_more_than_its_images() {
        assert_eq!(Teaching::epochs(54_000, 40), 20);
        assert_eq!(Teaching::epochs(54_000, 400), 20);
        assert_eq!(Teaching::epochs(54_000, 3), 2);
        assert_eq!(Teaching::epochs(1_295, 277), 139);
        assert_eq!(Teaching::epochs(5_000_000, 10), 1);
    }
}
