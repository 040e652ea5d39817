//! What the busiest neurons of the first layer look for.

use crate::report::grid::Grid;
use crate::report::html::{layout_note, legend, section};
use crate::report::page::Subject;
use crate::report::palette::{GRID, RIGHT, WRONG};
use crate::report::pictures::weights;

pub fn write(subject: &Subject) -> String {
    let found = &subject.report.statistics;
    let (inputs, times) = (&found.spike_times[0], &found.spike_times[1]);
    let layers = subject.model.network.layers();
    let grid = Grid::of(&subject.model.input_shape);
    let busiest = weights::busiest(times);
    let which = match layers.len() {
        1 => "outputs (there are no hidden neurons)",
        _ => "hidden neurons of the first layer",
    };
    let how = format!(
        "The {} {which} that spike in the most test images. A neuron spikes as soon as the spikes under \
         its blue weights (+1) outnumber those under its orange ones (−1) by its threshold θ: it looks for \
         what is bright where it is blue, and dark where it is orange. Inputs that spike in no test image \
         are grey.",
        busiest.len()
    );
    let pictures: Vec<String> = (busiest.iter())
        .map(|&neuron| weights::draw(&layers[0], neuron, grid, inputs, times, found.images))
        .collect();
    let key = [(RIGHT, "+1"), (WRONG, "−1"), (GRID, "never spikes")];
    let body = format!(
        "{}<div class=\"many\">\n{}</div>\n{}",
        legend(&key),
        pictures.concat(),
        layout_note(grid)
    );
    section("What neurons look for", &how, &body)
}
