//! Lines and bars over time, drawn by plotters.

mod bars;
mod lines;

pub use bars::BarChart;
pub use lines::{Line, LineChart};

use super::palette::{Colour, GRID, INK, MUTED};
use super::pictures::DrawError;
use super::svg::{element, TEXT, WIDTH};
use plotters::coord::types::RangedCoordf64;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::ops::Range;

type Failure = Box<dyn std::error::Error>;
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Plane = Cartesian2d<RangedCoordf64, RangedCoordf64>;

/// Room for the numbers of an axis, and for a title above a plot, in units of the picture.
const LEFT: u32 = 46;
const BELOW: u32 = 38;
const ABOVE: u32 = 24;

/// Axes with their numbers, and lines to read heights by.
fn draw_axes(
    chart: &mut ChartContext<SVGBackend, Plane>,
    x_title: &str,
    y_labels: usize,
) -> Result<(), Failure> {
    chart
        .configure_mesh()
        .disable_x_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID.rgb())
        .axis_style(MUTED.rgb())
        .label_style(text(INK))
        .x_labels(9)
        .y_labels(y_labels)
        .x_label_formatter(&whole)
        .y_label_formatter(&plain)
        .x_desc(x_title)
        .draw()?;
    Ok(())
}

/// Values of steps as a line: each holds for its step, as a potential does.
pub fn stairs(values: impl IntoIterator<Item = f64>) -> Vec<(f64, f64)> {
    let steps = values.into_iter().enumerate();
    steps
        .flat_map(|(step, value)| [(step as f64 - 0.5, value), (step as f64 + 0.5, value)])
        .collect()
}

/// The x of so many steps.
pub fn over_steps(steps: usize) -> Range<f64> {
    -0.5..steps as f64 - 0.5
}

/// Draws onto an empty area, as wide as every picture.
fn picture(
    height: u32,
    label: &str,
    draw: impl Fn(&Area) -> Result<(), Failure>,
) -> Result<String, DrawError> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        draw(&area).map_err(|error| DrawError(error.to_string()))?;
        area.present()
            .map_err(|error| DrawError(error.to_string()))?;
    }
    // The page wants a size that follows the reader's, so the element around it is ours.
    let body = svg
        .split_once(">\n")
        .and_then(|(_, rest)| rest.rsplit_once("</svg>"))
        .map_or("", |(body, _)| body);
    Ok(element(f64::from(WIDTH), f64::from(height), label, body))
}

/// Text of the usual size, at its place's upper left. (plotters divides sizes by 1.24.)
fn text(colour: Colour) -> TextStyle<'static> {
    let mut style = TextStyle::from(("sans-serif", 1.24 * TEXT).into_font());
    style.color = colour.rgb().to_backend_color();
    style.pos(Pos::new(HPos::Left, VPos::Top))
}

/// The number of a step or an epoch; nothing between them.
fn whole(value: &f64) -> String {
    match (value - value.round()).abs() < 1e-6 {
        true => plain(&value.round()),
        false => String::new(),
    }
}

/// A number with no more decimals than it needs.
fn plain(value: &f64) -> String {
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0" } else { text }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_axes_are_plain() {
        let texts = [0.0, -0.0, 2.0, 0.5, 12.3456, -7.0].map(|value| plain(&value));
        assert_eq!(texts, ["0", "0", "2", "0.5", "12.3456", "-7"]);
        assert_eq!([3.0, 3.5, -0.0].map(|value| whole(&value)), ["3", "", "0"]);
    }

    #[test]
    fn each_value_holds_for_its_step() {
        let expected = [(-0.5, 7.0), (0.5, 7.0), (0.5, 8.0), (1.5, 8.0)];
        assert_eq!(stairs([7.0, 8.0]), expected);
    }
}
