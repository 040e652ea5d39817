//! The curve as a picture.

use super::Point;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use thiserror::Error;

/// The picture could not be drawn.
#[derive(Debug, Error)]
#[error("cannot draw the curve: {0}")]
pub struct PictureError(String);

const SIZE: (u32, u32) = (800, 520);
const MARK: i32 = 4;

/// The points as an SVG picture: mean clock cycles to the right, accuracy upwards; one line with the exit,
/// each mark with its patience, and one without.
pub fn to_svg(points: &[Point], title: &str) -> Result<String, PictureError> {
    let mut svg = String::new();
    draw(points, title, &mut svg).map_err(|error| PictureError(error.to_string()))?;
    Ok(svg)
}

fn draw(points: &[Point], title: &str, svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let accuracy = |point: &Point| 100.0 * point.report.accuracy;
    let exits = |point: &Point| (point.report.cycles_mean.unwrap_or(0.0), accuracy(point));
    let goes_on = |point: &Point| (point.cycles_mean_no_exit, accuracy(point));
    let most = |of: fn(&Point) -> f64| points.iter().map(of).fold(1.0, f64::max);
    let cycles = most(|p| {
        p.cycles_mean_no_exit
            .max(p.report.cycles_mean.unwrap_or(0.0))
    });
    let lowest = points.iter().map(accuracy).fold(99.0, f64::min);
    let highest = most(|p| 100.0 * p.report.accuracy).max(lowest + 1.0);
    let room = (highest - lowest) / 12.0;
    let (lowest, highest) = (lowest - room, (highest + room).min(100.0));
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 17))
        .margin(14)
        .x_label_area_size(44)
        .y_label_area_size(60)
        .build_cartesian_2d(0.0..cycles * 1.08, lowest..highest)?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_label_formatter(&|value| format!("{value:.0}"))
        .y_label_formatter(&|value| format!("{value:.1}"))
        .x_desc("clock cycles an inference, mean")
        .y_desc("test accuracy (%)")
        .draw()?;
    type Place<'a> = &'a dyn Fn(&Point) -> (f64, f64);
    for (name, colour, place) in [
        ("with the exit, by patience", BLUE, &exits as Place),
        ("without the exit", RED, &goes_on),
    ] {
        chart
            .draw_series(LineSeries::new(
                points.iter().map(place),
                colour.stroke_width(2),
            ))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], colour.stroke_width(2)));
        let marks = points.iter();
        chart.draw_series(marks.map(|p| Circle::new(place(p), MARK, colour.filled())))?;
    }
    let beside =
        TextStyle::from(("sans-serif", 12).into_font()).pos(Pos::new(HPos::Right, VPos::Bottom));
    chart.draw_series(points.iter().map(|point| {
        let patience = point.patience.to_string();
        EmptyElement::at(exits(point)) + Text::new(patience, (-MARK, -MARK), beside.clone())
    }))?;
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerMiddle)
        .background_style(WHITE)
        .border_style(BLACK)
        .draw()?;
    area.present()?;
    Ok(())
}
