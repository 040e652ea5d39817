//! The choices as a picture: area against clock cycles.

use super::candidates::Shape;
use super::survey::{Choice, Survey};
use crate::labels::Labels;
use plotters::prelude::*;
use std::ops::Range;
use thiserror::Error;

/// The picture could not be drawn.
#[derive(Debug, Error)]
#[error("cannot draw the choices: {0}")]
pub struct PictureError(String);

const SIZE: (u32, u32) = (800, 560);
const MARK: i32 = 5;

/// The choices as an SVG picture: logic cells to the right, mean cycles upwards by factors; the
/// efficient ones joined, the best one ringed.
pub fn to_svg(survey: &Survey, title: &str) -> Result<String, PictureError> {
    let mut svg = String::new();
    draw(survey, title, &mut svg).map_err(|error| PictureError(error.to_string()))?;
    Ok(svg)
}

fn draw(survey: &Survey, title: &str, svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let place = |choice: &Choice| (f64::from(choice.logic_cells()), choice.cycles.mean);
    let largest = |of: fn(&Choice) -> f64| survey.choices.iter().map(of).fold(1.0, f64::max);
    let least = survey.choices.iter().map(|choice| choice.cycles.mean);
    let most = largest(|choice| choice.cycles.mean);
    let cells = 0.0..1.1 * largest(|choice| f64::from(choice.logic_cells()));
    let cycles = least.fold(most, f64::min) / 1.25..1.25 * most;
    let ticks = ticks(&cycles);
    let whole = |value: &f64| format!("{value:.0}");
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 17))
        .margin(14)
        .x_label_area_size(44)
        .y_label_area_size(60)
        .build_cartesian_2d(cells, cycles.log_scale().with_key_points(ticks))?;
    chart
        .configure_mesh()
        .light_line_style(WHITE)
        .x_label_formatter(&whole)
        .y_label_formatter(&whole)
        .x_desc("logic cells")
        .y_desc("clock cycles an inference, mean")
        .draw()?;

    let efficient = survey.choices.iter().filter(|c| c.efficient).map(place);
    chart
        .draw_series(LineSeries::new(efficient, BLUE.stroke_width(2)))?
        .label("efficient")
        .legend(|(x, y)| PathElement::new([(x, y), (x + 20, y)], BLUE.stroke_width(2)));
    for (name, meets, colour) in [
        ("meets timing", true, BLUE),
        ("too slow a clock", false, RED),
    ] {
        let choices = survey.choices.iter().filter(|c| c.meets_timing == meets);
        let marks: Vec<_> = choices
            .map(|choice| Circle::new(place(choice), MARK, colour.filled()))
            .collect();
        if !marks.is_empty() {
            chart
                .draw_series(marks)?
                .label(name)
                .legend(move |(x, y)| Circle::new((x + 10, y), MARK, colour.filled()));
        }
    }
    if let Some(best) = survey.best() {
        chart
            .draw_series([Circle::new(place(best), 2 * MARK, BLACK.stroke_width(2))])?
            .label("best")
            .legend(|(x, y)| Circle::new((x + 10, y), 2 * MARK, BLACK.stroke_width(2)));
    }
    let (columns, rows) = chart.plotting_area().get_pixel_range();
    let mut names = Labels::new(columns, rows);
    let mark = |choice: &Choice| chart.backend_coord(&place(choice));
    let efficient = survey.choices.iter().filter(|c| c.efficient).map(mark);
    names.keep_off_line(&efficient.collect::<Vec<_>>());
    for choice in &survey.choices {
        names.keep_off_mark(mark(choice), MARK);
    }
    if let Some(best) = survey.best() {
        names.keep_off_mark(mark(best), 2 * MARK);
    }
    for choice in &survey.choices {
        names.place(
            &area,
            &Shape::of(&choice.core).to_string(),
            mark(choice),
            MARK,
        )?;
    }
    names.draw(&area)?;
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .background_style(WHITE)
        .border_style(BLACK)
        .draw()?;
    area.present()?;
    Ok(())
}

/// 1, 2 and 5 times the powers of ten within a range.
fn ticks(range: &Range<f64>) -> Vec<f64> {
    let powers = (0..12).map(|power| 10f64.powi(power));
    let all = powers.flat_map(|power| [power, 2.0 * power, 5.0 * power]);
    all.filter(|tick| range.contains(tick)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::activity::Profile;
    use crate::explore::cost::CostModel;
    use crate::explore::cycles::Workload;
    use crate::explore::survey::{choose, fitting};
    use firmware_model::board::Board;

    #[test]
    fn every_choice_is_a_mark_with_its_name() {
        let board = Board::find("ulx3s-25f").unwrap();
        let sizes = [64, 64, 10];
        let (fitting, rejected) = fitting(&board, &sizes, 16, &CostModel::default());
        let workload = Workload::StandIns(Profile::default().stand_ins(&sizes, 16).unwrap());
        let choices = fitting
            .into_iter()
            .map(|fits| choose(&board, fits, &workload).unwrap())
            .collect();
        let survey = Survey::new(choices, rejected);
        let svg = to_svg(&survey, "a title").unwrap();
        for choice in &survey.choices {
            assert!(svg.contains(&Shape::of(&choice.core).to_string()));
        }
        // The best one's ring and its legend are the only circles that are not filled.
        let rings = svg
            .lines()
            .filter(|line| line.contains("<circle") && line.contains("fill=\"none\""));
        assert_eq!(rings.count(), 2);
        assert!(svg.contains("a title"));
    }

    #[test]
    fn an_axis_of_less_than_ten_to_one_has_its_numbers() {
        assert_eq!(ticks(&(1_400.0..9_800.0)), [2_000.0, 5_000.0]);
        assert_eq!(ticks(&(80.0..500.0)), [100.0, 200.0]);
    }

    #[test]
    fn nothing_to_draw_is_an_empty_picture() {
        let svg = to_svg(&Survey::new(vec![], vec![]), "nothing").unwrap();
        assert!(svg.contains("nothing"));
    }
}
