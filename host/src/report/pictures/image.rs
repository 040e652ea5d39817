//! A test image, and what of it had spiked by a step.

use crate::encoding::Latency;
use crate::report::grid::Grid;
use crate::report::palette::{BLACK, WHITE, WRONG};
use crate::report::svg::Picture;

/// How wide and high the picture is at most.
const SIDE: f64 = 200.0;

/// The image of `pixels` (0 to `maximum`), brightest white; orange are pixels that spike later than `until`.
pub fn draw(
    pixels: &[u8],
    maximum: u8,
    grid: Grid,
    code: Latency,
    until: Option<usize>,
    label: &str,
) -> String {
    let cell = SIDE / grid.rows.max(grid.columns) as f64;
    let (width, height) = (grid.columns as f64 * cell, grid.rows as f64 * cell);
    let mut picture = Picture::new(width, height);
    picture.rectangles(grid.places(pixels.len(), cell, |_| true), BLACK, 1.0);
    let shown = |value: u8| {
        let step = code.step(value, maximum);
        until.is_none_or(|until| step.is_some_and(|step| step <= until))
    };
    for value in 1..=maximum {
        let is_of_value = |input: usize| pixels[input].min(maximum) == value;
        let places = grid.places(pixels.len(), cell, is_of_value);
        match shown(value) {
            true => {
                let brightness = f64::from(value) / f64::from(maximum);
                picture.rectangles(places, WHITE, brightness);
            }
            false => picture.rectangles(places, WRONG, 0.7),
        }
    }
    picture.finish(label)
}
