//! The curve as a picture.

use super::Point;
use crate::labels::Labels;
use plotters::coord::Shift;
use plotters::prelude::*;
use std::ops::Range;
use thiserror::Error;

/// The picture could not be drawn.
#[derive(Debug, Error)]
#[error("cannot draw the curve: {0}")]
pub struct PictureError(String);

type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

const SIZE: (u32, u32) = (1200, 460);
const MARK: i32 = 4;

/// What accuracy is drawn against.
struct Panel {
    label: &'static str,
    lines: &'static [Line],
}

struct Line {
    name: &'static str,
    colour: RGBColor,
    of: fn(&Point) -> f64,
}

/// The first line of each has the patience beside its marks.
const PANELS: [Panel; 3] = [
    Panel {
        label: "step of the decision, mean",
        lines: &[Line {
            name: "by patience",
            colour: BLUE,
            of: |point| point.report.decision_step_mean,
        }],
    },
    Panel {
        label: "hidden spikes an inference, mean",
        lines: &[
            Line {
                name: "before the decision",
                colour: BLUE,
                of: |point| point.report.hidden_spikes_before_decision_mean,
            },
            Line {
                name: "without the exit",
                colour: RED,
                of: |point| point.report.hidden_spikes_mean,
            },
        ],
    },
    Panel {
        label: "clock cycles an inference, mean",
        lines: &[
            Line {
                name: "with the exit",
                colour: BLUE,
                of: |point| point.report.cycles_mean.unwrap_or(0.0),
            },
            Line {
                name: "without the exit",
                colour: RED,
                of: |point| point.cycles_mean_no_exit,
            },
        ],
    },
];

/// The points as an SVG picture: accuracy upwards; to the right the step of the decision, hidden spikes and
/// clock cycles, in three panels, each mark with its patience.
///
/// # Errors
/// When the library that draws fails.
pub fn to_svg(points: &[Point], title: &str) -> Result<String, PictureError> {
    let mut svg = String::new();
    draw(points, title, &mut svg).map_err(|error| PictureError(error.to_string()))?;
    Ok(svg)
}

fn draw(points: &[Point], title: &str, svg: &mut String) -> Result<()> {
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let below = area.titled(title, ("sans-serif", 17))?;
    let accuracies = accuracies(points);
    for (panel, part) in PANELS.iter().zip(below.split_evenly((1, PANELS.len()))) {
        panel.draw(points, accuracies.clone(), &part, &area)?;
    }
    area.present()?;
    Ok(())
}

/// In percent.
fn accuracy(point: &Point) -> f64 {
    100.0 * point.report.accuracy
}

/// From the lowest to the highest, at least a point of it, with some room above and room for the legend below.
fn accuracies(points: &[Point]) -> Range<f64> {
    let lowest = points.iter().map(accuracy).fold(99.0, f64::min);
    let highest = points.iter().map(accuracy).fold(lowest + 1.0, f64::max);
    let span = highest - lowest;
    lowest - 0.3 * span..(highest + span / 12.0).min(100.0)
}

impl Panel {
    fn draw<DB: DrawingBackend>(
        &self,
        points: &[Point],
        accuracies: Range<f64>,
        area: &DrawingArea<DB, Shift>,
        whole: &DrawingArea<DB, Shift>,
    ) -> Result<()>
    where
        DB::ErrorType: 'static,
    {
        let all = points
            .iter()
            .flat_map(|point| self.lines.iter().map(|line| (line.of)(point)));
        let most = all.fold(1.0, f64::max);
        let mut chart = ChartBuilder::on(area)
            .margin(14)
            .x_label_area_size(44)
            .y_label_area_size(60)
            .build_cartesian_2d(0.0..most * 1.08, accuracies)?;
        chart
            .configure_mesh()
            .light_line_style(WHITE)
            .x_labels(6)
            .x_label_formatter(&|value| format!("{value:.0}"))
            .y_label_formatter(&|value| format!("{value:.1}"))
            .x_desc(self.label)
            .y_desc("test accuracy (%)")
            .draw()?;
        for line in self.lines {
            let place = |point: &Point| ((line.of)(point), accuracy(point));
            let stroke = line.colour.stroke_width(2);
            chart
                .draw_series(LineSeries::new(points.iter().map(place), stroke))?
                .label(line.name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], stroke));
            let mark = |point| Circle::new(place(point), MARK, line.colour.filled());
            chart.draw_series(points.iter().map(mark))?;
        }
        let (columns, rows) = chart.plotting_area().get_pixel_range();
        let mut names = Labels::new(columns, rows);
        for line in self.lines {
            let places = points
                .iter()
                .map(|point| ((line.of)(point), accuracy(point)));
            let marks: Vec<_> = places.map(|place| chart.backend_coord(&place)).collect();
            names.keep_off_line(&marks);
            marks
                .iter()
                .for_each(|&mark| names.keep_off_mark(mark, MARK));
        }
        for point in points {
            let mark = chart.backend_coord(&((self.lines[0].of)(point), accuracy(point)));
            names.place(whole, &point.patience.to_string(), mark, MARK)?;
        }
        names.draw(whole)?;
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerMiddle)
            .background_style(WHITE)
            .border_style(BLACK)
            .draw()?;
        Ok(())
    }
}
