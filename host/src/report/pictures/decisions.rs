//! At which step the decision falls, where it is right and where it is wrong.

use super::DrawError;
use crate::report::chart::BarChart;
use crate::report::palette::{Colour, RIGHT, WRONG};
use crate::report::statistics::Statistics;
use crate::report::text::counted;

/// The images that were answered right.
pub fn right(statistics: &Statistics) -> Result<String, DrawError> {
    let decisions = &statistics.decisions;
    draw("right", RIGHT, &decisions.right, decisions.silent_right)
}

/// Those that were answered wrong, on a scale of their own.
pub fn wrong(statistics: &Statistics) -> Result<String, DrawError> {
    let decisions = &statistics.decisions;
    draw("wrong", WRONG, &decisions.wrong, decisions.silent_wrong)
}

fn draw(what: &str, colour: Colour, steps: &[usize], silent: usize) -> Result<String, DrawError> {
    let images = steps.iter().sum::<usize>() + silent;
    let chart = BarChart {
        height: 180,
        title: format!(
            "{what}: {}, by the step of the decision",
            counted(images, "image")
        ),
        x_title: "step",
        bars: steps.iter().map(|&count| count as f64).collect(),
        colour,
        apart: ("silent", 100.0 * silent as f64 / images.max(1) as f64),
    };
    chart.to_svg(&format!(
        "Histogram of decision steps, answers that are {what}"
    ))
}
