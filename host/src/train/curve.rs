//! How training went, epoch by epoch: as numbers, as CSV, as a picture.

use crate::files::Kind;
use plotters::prelude::*;
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use thiserror::Error;

/// One epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// From 1.
    pub epoch: usize,
    /// The learning rate of the last update.
    pub learning_rate: f32,
    /// The mean cross-entropy of the training images, each at the time that it was trained on.
    pub loss: f64,
    /// The share of those images that were classified right, by the strict rule.
    pub train_accuracy: f64,
    /// On the held-out images, at the end of the epoch.
    pub validation: Measured,
}

/// What the fast path measures on a set of images.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Measured {
    /// The share of images that are classified right, by the strict rule.
    pub accuracy: f64,
    /// The mean step of the decision.
    pub decision_step: f64,
    /// Hidden spikes an image at or before the decision.
    pub hidden_spikes: f64,
    /// The share of images for which no output fired.
    pub silent: f64,
}

/// What [`to_csv`] writes, among other files.
pub const CURVES: Kind = Kind {
    name: "a table of curves",
    suffix: "csv",
    is_one: |bytes| bytes.starts_with(b"epoch,learning_rate,loss,train_accuracy,"),
};

/// The epochs of a run as CSV, a header first.
pub fn to_csv(epochs: &[Epoch]) -> String {
    let mut text = String::from(
        "epoch,learning_rate,loss,train_accuracy,validation_accuracy,decision_step_mean,\
         hidden_spikes_before_decision_mean,silent_share\n",
    );
    for e in epochs {
        let v = &e.validation;
        writeln!(
            text,
            "{},{:.6},{:.5},{:.5},{:.5},{:.3},{:.2},{:.4}",
            e.epoch,
            e.learning_rate,
            e.loss,
            e.train_accuracy,
            v.accuracy,
            v.decision_step,
            v.hidden_spikes,
            v.silent
        )
        .expect("a string takes everything");
    }
    text
}

/// The picture could not be drawn.
#[derive(Debug, Error)]
#[error("cannot draw the curves: {0}")]
pub struct PlotError(String);

/// The epochs of a run as an SVG picture: accuracy above, loss below.
pub fn to_svg(epochs: &[Epoch]) -> Result<String, PlotError> {
    let mut svg = String::new();
    draw(epochs, &mut svg).map_err(|e| PlotError(e.to_string()))?;
    Ok(svg)
}

fn draw(epochs: &[Epoch], svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
    let area = SVGBackend::with_string(svg, (720, 640)).into_drawing_area();
    area.fill(&WHITE)?;
    let (upper, lower) = area.split_vertically(340);
    let points = |value: fn(&Epoch) -> f64| epochs.iter().map(move |e| (e.epoch as f64, value(e)));
    let train = |e: &Epoch| 100.0 * e.train_accuracy;
    let held_out = |e: &Epoch| 100.0 * e.validation.accuracy;
    let whole = |x: &f64| format!("{x:.0}");
    let x = 1.0..(epochs.len().max(2) as f64);

    let lowest = (points(train).chain(points(held_out)))
        .map(|(_, y)| y)
        .fold(100.0, f64::min);
    let mut chart = ChartBuilder::on(&upper)
        .caption("accuracy (%)", ("sans-serif", 16))
        .margin(12)
        .x_label_area_size(24)
        .y_label_area_size(48)
        .build_cartesian_2d(x.clone(), lowest.floor()..100.0)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_label_formatter(&whole)
        .draw()?;
    for (name, colour, series) in [
        ("training", BLUE, train as fn(&Epoch) -> f64),
        ("held out", RED, held_out),
    ] {
        chart
            .draw_series(LineSeries::new(points(series), colour.stroke_width(2)))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], colour.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE)
        .border_style(BLACK)
        .draw()?;

    let highest = points(|e| e.loss).map(|(_, y)| y).fold(1e-6, f64::max);
    let mut chart = ChartBuilder::on(&lower)
        .caption("loss", ("sans-serif", 16))
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(48)
        .build_cartesian_2d(x, 0.0..highest * 1.05)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_label_formatter(&whole)
        .x_desc("epoch")
        .draw()?;
    chart.draw_series(LineSeries::new(points(|e| e.loss), BLUE.stroke_width(2)))?;
    area.present()?;
    Ok(())
}
