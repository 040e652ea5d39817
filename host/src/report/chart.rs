//! Lines and bars over time, drawn by plotters.

use super::palette::{Colour, GRID, INK, MOMENT, MUTED};
use super::pictures::DrawError;
use super::svg::{element, TEXT, WIDTH};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::ops::Range;

type Failure = Box<dyn std::error::Error>;
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Room for the numbers of an axis, and for a title above a plot, in units of the picture.
const LEFT: u32 = 46;
const BELOW: u32 = 38;
const ABOVE: u32 = 24;
/// Room for the name of a moment, between the title and the plot.
const NAME_ABOVE: u32 = 14;
/// Room for the names of lines.
const NAMES: u32 = 26;
/// Room for a bar that stands apart.
const APART: u32 = 92;

/// Lines over a common x.
pub struct LineChart {
    pub height: u32,
    /// What the values are, above the plot; and what x is, below it.
    pub title: String,
    pub x_title: &'static str,
    pub x: Range<f64>,
    pub y: Range<f64>,
    /// Drawn in this order.
    pub lines: Vec<Line>,
    /// A vertical line and its name.
    pub moment: Option<(f64, &'static str)>,
    /// A horizontal line to compare with.
    pub level: Option<f64>,
    /// Everything from this x on is shaded.
    pub shaded_from: Option<f64>,
}

/// One of them.
pub struct Line {
    pub points: Vec<(f64, f64)>,
    pub colour: Colour,
    pub width: u32,
    /// Written at its end.
    pub name: Option<String>,
}

/// Bars, one a step, and a percentage that stands apart, on a scale of its own.
pub struct BarChart {
    pub height: u32,
    pub title: String,
    pub x_title: &'static str,
    /// One a step.
    pub bars: Vec<f64>,
    pub colour: Colour,
    /// The name of the bar that stands apart, and its height: 0 to 100.
    pub apart: (&'static str, f64),
}

impl LineChart {
    /// The chart as an element of a page. `label` says what it shows to who cannot see it.
    pub fn to_svg(&self, label: &str) -> Result<String, DrawError> {
        picture(self.height, label, |area| self.draw(area))
    }

    fn draw(&self, area: &Area) -> Result<(), Failure> {
        area.draw(&Text::new(self.title.clone(), (2, 2), text(INK)))?;
        let moment_above = if self.moment.is_some() { NAME_ABOVE } else { 0 };
        let named = self.lines.iter().any(|line| line.name.is_some());
        let mut chart = ChartBuilder::on(area)
            .margin_top(ABOVE + moment_above)
            .margin_right(if named { NAMES } else { 10 })
            .x_label_area_size(BELOW)
            .y_label_area_size(LEFT)
            .build_cartesian_2d(self.x.clone(), self.y.clone())?;
        if let Some(from) = self.shaded_from {
            let corners = [(from, self.y.start), (self.x.end, self.y.end)];
            chart.draw_series([Rectangle::new(corners, GRID.rgb().mix(0.5).filled())])?;
        }
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID.rgb())
            .axis_style(MUTED.rgb())
            .label_style(text(INK))
            .x_labels(9)
            .y_labels(6)
            .x_label_formatter(&whole)
            .y_label_formatter(&plain)
            .x_desc(self.x_title)
            .draw()?;
        if let Some(level) = self.level {
            let ends = [(self.x.start, level), (self.x.end, level)];
            chart.draw_series(LineSeries::new(ends, INK.rgb().stroke_width(1)))?;
        }
        if let Some((at, name)) = self.moment {
            let ends = [(at, self.y.start), (at, self.y.end)];
            chart.draw_series(LineSeries::new(ends, MOMENT.rgb().stroke_width(2)))?;
            let (x, y) = chart.backend_coord(&(at, self.y.end));
            let beside = text(MOMENT).pos(Pos::new(HPos::Center, VPos::Bottom));
            // The name stays within the picture, however near the edge its line is.
            let half = 4 * name.len() as i32;
            let x = x.clamp(half, WIDTH as i32 - half);
            area.draw(&Text::new(name, (x, y - 3), beside))?;
        }
        for line in &self.lines {
            let (points, colour) = (&line.points, line.colour.rgb());
            let style = colour.stroke_width(line.width);
            chart.draw_series(LineSeries::new(points.iter().copied(), style))?;
            // One point alone makes no line.
            if let [point] = points[..] {
                chart.draw_series([Circle::new(point, 3, colour.filled())])?;
            }
        }
        let ends = self.lines.iter().filter_map(|line| {
            let (name, end) = (line.name.as_ref()?, line.points.last()?);
            Some((chart.backend_coord(end), name.clone(), line.colour))
        });
        for ((x, y), name, colour) in apart(ends.collect()) {
            let beside = text(colour).pos(Pos::new(HPos::Left, VPos::Center));
            area.draw(&Text::new(name, (x + 6, y), beside))?;
        }
        Ok(())
    }
}

impl BarChart {
    /// The chart as an element of a page. `label` says what it shows to who cannot see it.
    pub fn to_svg(&self, label: &str) -> Result<String, DrawError> {
        picture(self.height, label, |area| self.draw(area))
    }

    fn draw(&self, area: &Area) -> Result<(), Failure> {
        area.draw(&Text::new(self.title.clone(), (2, 2), text(INK)))?;
        let (steps, one) = area.split_horizontally(WIDTH - APART);
        let highest = self.bars.iter().copied().fold(0.0, f64::max);
        let top = if highest > 0.0 { 1.05 * highest } else { 1.0 };
        let mut chart = ChartBuilder::on(&steps)
            .margin_top(ABOVE)
            .x_label_area_size(BELOW)
            .y_label_area_size(LEFT)
            .build_cartesian_2d(over_steps(self.bars.len()), 0.0..top)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID.rgb())
            .axis_style(MUTED.rgb())
            .label_style(text(INK))
            .x_labels(9)
            .y_labels(4)
            .x_label_formatter(&whole)
            .y_label_formatter(&plain)
            .x_desc(self.x_title)
            .draw()?;
        let filled = self.colour.rgb().filled();
        let bars = self.bars.iter().enumerate().filter(|(_, &bar)| bar > 0.0);
        chart.draw_series(bars.map(|(step, &bar)| {
            let step = step as f64;
            Rectangle::new([(step - 0.4, 0.0), (step + 0.4, bar)], filled)
        }))?;

        let (name, percent) = self.apart;
        let mut chart = ChartBuilder::on(&one)
            .margin_top(ABOVE)
            .margin_right(10)
            .x_label_area_size(BELOW)
            .y_label_area_size(20)
            .build_cartesian_2d(-0.6..0.6, 0.0..100.0)?;
        chart
            .configure_mesh()
            .disable_mesh()
            .axis_style(MUTED.rgb())
            .x_labels(0)
            .y_labels(0)
            .draw()?;
        if percent > 0.0 {
            chart.draw_series([Rectangle::new([(-0.4, 0.0), (0.4, percent)], filled)])?;
        }
        let (x, y) = chart.backend_coord(&(0.0, 0.0));
        let below = text(INK).pos(Pos::new(HPos::Center, VPos::Top));
        area.draw(&Text::new(name, (x, y + 5), below))?;
        let (x, y) = chart.backend_coord(&(0.0, percent));
        let above = text(INK).pos(Pos::new(HPos::Center, VPos::Bottom));
        area.draw(&Text::new(percentage(percent), (x, y), above))?;
        Ok(())
    }
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
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0" } else { text }.to_owned()
}

/// A percentage, with a decimal where it is near nothing or near everything.
fn percentage(percent: f64) -> String {
    match (10.0..=90.0).contains(&percent) || percent == 0.0 || percent == 100.0 {
        true => format!("{percent:.0} %"),
        false => format!("{percent:.1} %"),
    }
}

type Named = ((i32, i32), String, Colour);

/// Names moved up and down until none lies on another.
fn apart(mut names: Vec<Named>) -> Vec<Named> {
    let height = TEXT as i32;
    names.sort_by_key(|((_, y), _, _)| *y);
    for index in 1..names.len() {
        let least = names[index - 1].0 .1 + height;
        names[index].0 .1 = names[index].0 .1.max(least);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::super::palette::RIGHT;
    use super::*;

    #[test]
    fn numbers_of_axes_are_plain() {
        let texts = [0.0, -0.0, 2.0, 0.5, 12.3456, -7.0].map(|value| plain(&value));
        assert_eq!(texts, ["0", "0", "2", "0.5", "12.346", "-7"]);
        assert_eq!([3.0, 3.5, -0.0].map(|value| whole(&value)), ["3", "", "0"]);
        let texts = [0.0, 0.4, 55.5, 99.7, 100.0].map(percentage);
        assert_eq!(texts, ["0 %", "0.4 %", "56 %", "99.7 %", "100 %"]);
    }

    #[test]
    fn names_do_not_lie_on_one_another() {
        let name = |y: i32| ((0, y), String::new(), RIGHT);
        let places = apart(vec![name(50), name(20), name(22), name(23)]);
        let heights: Vec<i32> = places.iter().map(|name| name.0 .1).collect();
        assert_eq!(heights, [20, 33, 46, 59]);
    }

    #[test]
    fn one_step_and_no_value_are_drawn_too() {
        let chart = BarChart {
            height: 120,
            title: "a < b".to_owned(),
            x_title: "step",
            bars: vec![0.0],
            colour: RIGHT,
            apart: ("never", 0.0),
        };
        let svg = chart.to_svg("a label").unwrap();
        assert!(svg.starts_with("<svg viewBox=\"0 0 420 120\""), "{svg}");
        assert!(svg.contains("a &lt; b") && svg.ends_with("</svg>\n"));
        assert!(!svg.contains("width=\"420\""));
    }
}
