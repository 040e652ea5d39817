//! When the neurons of a layer spike.

use super::DrawError;
use crate::report::chart::BarChart;
use crate::report::palette::RIGHT;
use crate::report::statistics::SpikeTimes;

/// Spikes an image at each step, and the share of neurons that never spike. `name` is that of the layer.
pub fn draw(times: &SpikeTimes, name: &str) -> Result<String, DrawError> {
    let never = 100.0 * times.never_mean / times.neurons as f64;
    let chart = BarChart {
        height: 170,
        title: format!("{name}: spikes an image at each step"),
        x_title: "step",
        bars: times.spikes_mean.clone(),
        colour: RIGHT,
        apart: ("never", never),
    };
    chart.to_svg(&format!("Histogram of spike times: {name}"))
}
