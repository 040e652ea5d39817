//! When the neurons of each layer spike.

use crate::report::html::section;
use crate::report::page::Subject;
use crate::report::pictures::{spike_times, DrawError};
use crate::report::text::count;

pub fn write(subject: &Subject) -> Result<String, DrawError> {
    let layers = &subject.report.statistics.spike_times;
    let last = layers.len() - 1;
    let pictures: Result<String, DrawError> = (layers.iter().enumerate())
        .map(|(index, times)| {
            let neurons = count(times.neurons);
            let name = match index {
                0 => format!("{neurons} inputs"),
                index if index == last => format!("{neurons} outputs"),
                index => format!("layer {index}, {neurons} neurons"),
            };
            spike_times::draw(times, &name)
        })
        .collect();
    let how = "How many neurons spike at each step, on average over the test images, the steps after the \
               decision included. The bar that stands apart is the share that never spikes in an image. \
               Few spikes are little work: for each the hardware reads its weights once.";
    Ok(section("When neurons spike", how, &pictures?))
}
