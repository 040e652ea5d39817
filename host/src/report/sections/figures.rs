//! What the network is and what it reaches, as a table.

use crate::report::html::{facts, section};
use crate::report::names::Names;
use crate::report::page::Subject;
use crate::report::text::{count, counted, percent};
use crate::text::joined;
use firmware_model::network::Layer;

pub fn write(subject: &Subject) -> String {
    let how = format!(
        "Measured for this page on all test images, which are images that training leaves out. They \
         were run by the trainer's fast path; the golden reference, which is the network's rules in \
         their plainest form, ran {} of them too and agreed in every spike. <em>Strict</em>: the class \
         that wins must be the label. <em>Tie-tolerant</em>: a label that ties for the first output \
         spike counts as well, only to compare with published work that counts so. <em>Silent</em> \
         images end without an output spike, and the output nearest to its threshold is the answer.",
        subject.report.compared
    );
    section("In figures", &how, &facts(&rows(subject)))
}

fn rows(subject: &Subject) -> Vec<(&'static str, String)> {
    let (model, data) = (subject.model, subject.data);
    let (network, found) = (&model.network, &subject.report.statistics);
    let made_for = match model.dataset == data.name {
        true => String::new(),
        false => format!(" (the model was made for {})", model.dataset),
    };
    let thresholds = network.layers().iter().map(Layer::neurons).sum();
    let images = counted(found.images, "test image");
    let silent = found.silent as f64 / found.images as f64;
    let input_spikes: f64 = found.spike_times[0].spikes_mean.iter().sum();
    let mut rows = vec![
        ("data set", format!("{}{made_for}", data.name)),
        (
            "input",
            format!("{} intensities", joined(&model.input_shape, "×")),
        ),
        ("layers, inputs first", joined(&network.sizes(), "-")),
        ("time steps, T", network.steps().to_string()),
        (
            "weights",
            format!("{} of one bit", count(network.weights())),
        ),
        ("thresholds", format!("{}, one a neuron", count(thresholds))),
        (
            "accuracy, strict",
            format!("{} of {images}", percent(found.accuracy)),
        ),
        (
            "accuracy, tie-tolerant",
            percent(found.accuracy_tie_tolerant),
        ),
        (
            "step of the decision, mean",
            format!("{:.2}", found.decision_step_mean),
        ),
        (
            "step of the decision, median",
            found.decision_step_median.to_string(),
        ),
        (
            "step of the decision, worst",
            found.decision_step_max.to_string(),
        ),
        (
            "silent",
            format!("{} ({})", counted(found.silent, "image"), percent(silent)),
        ),
        ("input spikes an image", format!("{input_spikes:.1}")),
        (
            "hidden spikes an image, by the decision",
            format!("{:.1}", found.hidden_spikes_before_decision_mean),
        ),
        (
            "hidden spikes an image, in all",
            format!("{:.1}", found.hidden_spikes_mean),
        ),
        (
            "page written by",
            format!("firstspike {}", env!("CARGO_PKG_VERSION")),
        ),
    ];
    if let Some(key) = Names(data).key() {
        rows.insert(2, ("classes", key));
    }
    rows
}
