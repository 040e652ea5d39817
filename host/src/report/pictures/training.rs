//! How accuracy and loss went, epoch by epoch.

use super::DrawError;
use crate::report::chart::{Line, LineChart};
use crate::report::palette::{Colour, RIGHT, WRONG};
use crate::report::record::{Curves, Point};

/// Accuracy of the training images and, where some were `held_out`, of those; the epoch that was kept is marked.
pub fn accuracy(curves: &Curves, best_epoch: usize, held_out: bool) -> Result<String, DrawError> {
    let train = |point: &Point| 100.0 * point.train_accuracy;
    let validation = |point: &Point| 100.0 * point.validation_accuracy;
    let mut lines = vec![line(curves, train, RIGHT)];
    if held_out {
        lines.push(line(curves, validation, WRONG));
    }
    let values = lines.iter().flat_map(|line| &line.points);
    let lowest = values.map(|&(_, y)| y).fold(100.0, f64::min);
    let chart = LineChart {
        height: 230,
        title: "accuracy (%)".to_owned(),
        y: (lowest - 1.0).floor().max(0.0)..100.0,
        lines,
        ..over_epochs(curves, best_epoch)
    };
    chart.to_svg("Accuracy over the epochs of the training")
}

/// The loss of the training images.
pub fn loss(curves: &Curves, best_epoch: usize) -> Result<String, DrawError> {
    let line = line(curves, |point| point.loss, RIGHT);
    let highest = line.points.iter().map(|&(_, y)| y).fold(1e-6, f64::max);
    let chart = LineChart {
        height: 190,
        title: "loss".to_owned(),
        y: 0.0..1.05 * highest,
        lines: vec![line],
        ..over_epochs(curves, best_epoch)
    };
    chart.to_svg("Loss over the epochs of the training")
}

fn over_epochs(curves: &Curves, best_epoch: usize) -> LineChart {
    let last = curves.epochs.last().map_or(1.0, |point| point.epoch);
    LineChart {
        height: 0,
        title: String::new(),
        x_title: "epoch",
        x: 1.0..last.max(2.0),
        y: 0.0..1.0,
        lines: Vec::new(),
        moment: Some((best_epoch as f64, "kept")),
        level: None,
        shaded_from: None,
    }
}

fn line(curves: &Curves, value: fn(&Point) -> f64, colour: Colour) -> Line {
    let points = curves.epochs.iter();
    Line {
        points: points.map(|point| (point.epoch, value(point))).collect(),
        colour,
        width: 2,
        name: None,
    }
}
