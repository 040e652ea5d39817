//! Lines over a common x.

use super::{draw_axes, picture, text, Area, Failure, ABOVE, BELOW, LEFT};
use crate::report::palette::{Colour, GRID, INK, MOMENT};
use crate::report::pictures::DrawError;
use crate::report::svg::{TEXT, WIDTH};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::ops::Range;

/// Room for the name of a moment, between the title and the plot.
const NAME_ABOVE: u32 = 14;
/// Room for the names of lines: for none, and a character more.
const NAMES: u32 = 19;
const CHARACTER: u32 = 7;

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

impl LineChart {
    /// The chart as an element of a page. `label` says what it shows to who cannot see it.
    pub fn to_svg(&self, label: &str) -> Result<String, DrawError> {
        picture(self.height, label, |area| self.draw(area))
    }

    fn draw(&self, area: &Area) -> Result<(), Failure> {
        area.draw(&Text::new(self.title.clone(), (2, 2), text(INK)))?;
        let moment_above = if self.moment.is_some() { NAME_ABOVE } else { 0 };
        let names = self.lines.iter().filter_map(|line| line.name.as_ref());
        let longest = names.map(|name| name.chars().count() as u32).max();
        let mut chart = ChartBuilder::on(area)
            .margin_top(ABOVE + moment_above)
            .margin_right(longest.map_or(10, |longest| NAMES + CHARACTER * longest))
            .x_label_area_size(BELOW)
            .y_label_area_size(LEFT)
            .build_cartesian_2d(self.x.clone(), self.y.clone())?;
        if let Some(from) = self.shaded_from {
            let corners = [(from, self.y.start), (self.x.end, self.y.end)];
            chart.draw_series([Rectangle::new(corners, GRID.rgb().mix(0.5).filled())])?;
        }
        draw_axes(&mut chart, self.x_title, 6)?;
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
    use super::*;
    use crate::report::palette::RIGHT;

    #[test]
    fn names_do_not_lie_on_one_another() {
        let name = |y: i32| ((0, y), String::new(), RIGHT);
        let places = apart(vec![name(50), name(20), name(22), name(23)]);
        let heights: Vec<i32> = places.iter().map(|name| name.0 .1).collect();
        assert_eq!(heights, [20, 33, 46, 59]);
    }
}
