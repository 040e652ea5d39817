//! What waiting is worth: accuracy if every image had to be decided by a step.

use super::DrawError;
use crate::report::chart::{over_steps, stairs, Line, LineChart};
use crate::report::palette::{MUTED, RIGHT};
use crate::report::statistics::Statistics;

/// Accuracy at each step, and the share of images that an output has decided by then.
pub fn draw(statistics: &Statistics) -> Result<String, DrawError> {
    let line = |shares: Vec<f64>, colour, width| Line {
        points: stairs(shares.into_iter().map(|share| 100.0 * share)),
        colour,
        width,
        name: None,
    };
    let decisions = &statistics.decisions;
    let mut so_far = 0;
    let decided = (decisions.right.iter().zip(&decisions.wrong)).map(|(right, wrong)| {
        so_far += right + wrong;
        so_far as f64 / statistics.images as f64
    });
    let chart = LineChart {
        height: 240,
        title: "% of the test images".to_owned(),
        x_title: "step",
        x: over_steps(statistics.accuracy_by_step.len()),
        y: 0.0..100.0,
        lines: vec![
            line(decided.collect(), MUTED, 2),
            line(statistics.accuracy_by_step.clone(), RIGHT, 3),
        ],
        moment: None,
        level: None,
        shaded_from: None,
    };
    chart.to_svg("Accuracy if every image had to be decided by a step")
}
