//! How near each output is to its threshold, step by step.

use super::DrawError;
use crate::report::chart::{over_steps, stairs, Line, LineChart};
use crate::report::example::Example;
use crate::report::names::Names;
use crate::report::palette::{MUTED, RIGHT, WRONG};

/// With more classes than this only the two that matter are named.
const MOST_NAMES: usize = 12;
/// The most characters of a name.
const LONGEST_NAME: usize = 14;

/// Potential minus threshold of each output: the answer and, where it is another, the true class stand out.
pub fn draw(example: &Example, names: &Names) -> Result<String, DrawError> {
    let decision = example.trace.decision;
    let steps = example.margins[0].len();
    let margins_of = |class: usize| example.margins[class].iter().map(|&m| f64::from(m));
    let classes = 0..example.margins.len();
    let values = classes.clone().flat_map(margins_of);
    let (lowest, highest) = values.fold((-1.0f64, 1.0f64), |(low, high), value| {
        (low.min(value), high.max(value))
    });
    let room = 0.05 * (highest - lowest);
    let few = classes.len() <= MOST_NAMES;
    let line = |class: usize| {
        let (colour, width) = match class {
            class if class == decision.class => match example.is_right() {
                true => (RIGHT, 3),
                false => (WRONG, 3),
            },
            class if class == example.label => (RIGHT, 3),
            _ => (MUTED, 1),
        };
        Line {
            points: stairs(margins_of(class)),
            colour,
            width,
            name: (few || width > 1).then(|| names.numbered(LONGEST_NAME, class)),
        }
    };
    // The ones that stand out come last and lie above the others.
    let mut classes: Vec<usize> = classes.collect();
    classes.sort_by_key(|&class| (class == decision.class, class == example.label));
    let decided = decision.step as f64 + 0.5;
    let chart = LineChart {
        height: 300,
        title: "potential − threshold".to_owned(),
        x_title: "step",
        x: over_steps(steps),
        y: lowest - room..highest + room,
        lines: classes.into_iter().map(line).collect(),
        moment: Some((decided, if decision.silent { "end" } else { "decision" })),
        level: Some(0.0),
        shaded_from: (decision.step < steps - 1).then_some(decided),
    };
    chart.to_svg("Potential minus threshold of each output over the steps")
}
