//! How the training options of the digits were chosen: five-fold cross-validation on the training images.
//!
//! `cargo run --release -p firstspike --example choose_options` prints one line a variant: the
//! accuracy on the held-out fifth after the last epoch, mean and standard error over the folds with
//! four seeds each. The test images are not looked at.

use firstspike::dataset::{self, Dataset};
use firstspike::train::{train, Augment, Options, TrainError};
use std::error::Error;
use std::sync::atomic::AtomicBool;

const FOLDS: usize = 5;
const SEEDS: u64 = 4;
const SIZES: [usize; 3] = [64, 128, 10];
const STEPS: usize = 16;

fn main() -> Result<(), Box<dyn Error>> {
    let data = dataset::load("digits")?;
    let base = Options {
        epochs: 250,
        validation: 1.0 / FOLDS as f64,
        ..Options::for_dataset(&data)
    };
    for (name, options) in variants(&base) {
        let mut accuracies = Vec::new();
        for fold in 0..FOLDS {
            let data = hold_out(&data, fold);
            for seed in 1..=SEEDS {
                accuracies.push(100.0 * accuracy(&data, &options, seed)?);
            }
        }
        let runs = accuracies.len() as f64;
        let mean = accuracies.iter().sum::<f64>() / runs;
        let squares: f64 = accuracies.iter().map(|a| (a - mean).powi(2)).sum();
        let error = (squares / (runs - 1.0) / runs).sqrt();
        println!("{name:<34} {mean:.1} ± {error:.1} %");
    }
    Ok(())
}

fn variants(base: &Options) -> Vec<(&'static str, Options)> {
    let moved = |augment: Augment| Options {
        augment,
        ..base.clone()
    };
    let still = Augment::NONE;
    vec![
        ("default", base.clone()),
        ("--shift 0", moved(still)),
        (
            "--shift 0.25",
            moved(Augment {
                shift: 0.25,
                ..still
            }),
        ),
        (
            "--shift 0.75",
            moved(Augment {
                shift: 0.75,
                ..still
            }),
        ),
        (
            "--shift 0.25 --zoom 0.1",
            moved(Augment {
                shift: 0.25,
                zoom: 0.1,
                ..still
            }),
        ),
        (
            "--shift 0 --rotate 8",
            moved(Augment {
                rotate: 8.0,
                ..still
            }),
        ),
        (
            "--shift 0 --zoom 0.1",
            moved(Augment { zoom: 0.1, ..still }),
        ),
        (
            "--shift 0 --shear 0.15",
            moved(Augment {
                shear: 0.15,
                ..still
            }),
        ),
        (
            "--patience 0.75",
            Options {
                patience: 0.75,
                ..base.clone()
            },
        ),
        (
            "--patience 1.5",
            Options {
                patience: 1.5,
                ..base.clone()
            },
        ),
        (
            "--sharpness 5",
            Options {
                sharpness: 5.0,
                ..base.clone()
            },
        ),
        (
            "--sharpness 12",
            Options {
                sharpness: 12.0,
                ..base.clone()
            },
        ),
        (
            "--window 6",
            Options {
                window: 6.0,
                ..base.clone()
            },
        ),
        (
            "--window 15",
            Options {
                window: 15.0,
                ..base.clone()
            },
        ),
    ]
}

/// The same data with the images of one fold, a consecutive fifth of each class, put last: what is
/// last is what [`train`] holds out.
fn hold_out(data: &Dataset, fold: usize) -> Dataset {
    let mut order = Vec::new();
    let mut held_out = Vec::new();
    for class in 0..data.classes {
        let of_class: Vec<usize> = (0..data.train.len())
            .filter(|&index| usize::from(data.train.labels[index]) == class)
            .collect();
        let size = of_class.len() / FOLDS;
        let range = fold * size..(fold + 1) * size;
        held_out.extend_from_slice(&of_class[range.clone()]);
        order.extend_from_slice(&of_class[..range.start]);
        order.extend_from_slice(&of_class[range.end..]);
    }
    order.extend_from_slice(&held_out);
    Dataset {
        train: data.train.select(&order),
        // Their order tells what is held out.
        groups: None,
        ..data.clone()
    }
}

fn accuracy(data: &Dataset, options: &Options, seed: u64) -> Result<f64, TrainError> {
    let options = Options {
        seed,
        ..options.clone()
    };
    let stop = AtomicBool::new(false);
    let trained = train(data, &SIZES, STEPS, &options, &stop, &mut |_| ())?;
    let last = trained.epochs.last().expect("there is at least one epoch");
    Ok(last.validation.accuracy)
}
