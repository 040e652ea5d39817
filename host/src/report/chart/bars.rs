//! Bars, one a step.

use super::{draw_axes, over_steps, picture, text, Area, Failure, ABOVE, BELOW, LEFT};
use crate::report::palette::{Colour, INK, MUTED};
use crate::report::pictures::DrawError;
use crate::report::svg::WIDTH;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// Room for the bar that stands apart.
const APART: u32 = 92;

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
        draw_axes(&mut chart, self.x_title, 4)?;
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

/// A percentage, with a decimal where it is near nothing or near everything.
fn percentage(percent: f64) -> String {
    match (10.0..=90.0).contains(&percent) || percent == 0.0 || percent == 100.0 {
        true => format!("{percent:.0} %"),
        false => format!("{percent:.1} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::palette::RIGHT;

    #[test]
    fn percentages_near_an_end_have_a_decimal() {
        let texts = [0.0, 0.4, 55.5, 99.7, 100.0].map(percentage);
        assert_eq!(texts, ["0 %", "0.4 %", "56 %", "99.7 %", "100 %"]);
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
