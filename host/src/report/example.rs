//! One test image, in every detail: what the golden reference tells of it.

use super::margins::margins;
use crate::dataset::Dataset;
use crate::encoding::Latency;
use firmware_model::golden::{self, Trace};
use firmware_model::network::{Network, NetworkError, SpikeTrain};

/// One image on its way through a network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// Its index in the test set.
    pub image: usize,
    pub label: usize,
    pub spikes: SpikeTrain,
    /// By the golden reference, run to the last step.
    pub trace: Trace,
    /// V_k(t) − θ_k of the outputs: one row a class, one value a step.
    pub margins: Vec<Vec<i32>>,
}

impl Example {
    /// Test image `image` of `data`, which fits `network`.
    pub fn of(network: &Network, data: &Dataset, image: usize) -> Result<Self, NetworkError> {
        let code = Latency {
            steps: network.steps(),
        };
        let spikes = code.encode(data.test.image(image), data.maximum);
        let trace = golden::run(network, &spikes)?;
        let source = into_outputs(&spikes, &trace);
        let output = &network.layers()[network.layers().len() - 1];
        Ok(Example {
            image,
            label: usize::from(data.test.labels[image]),
            margins: margins(output, &source, network.steps()),
            spikes,
            trace,
        })
    }

    /// Whether the answer is the label.
    pub fn is_right(&self) -> bool {
        self.trace.decision.class == self.label
    }
}

/// What goes into the output layer: the steps of the last hidden layer, or of the inputs where there is none.
pub fn into_outputs(spikes: &SpikeTrain, trace: &Trace) -> Vec<Option<usize>> {
    match trace.fire_steps.len() {
        0 | 1 => (0..spikes.inputs())
            .map(|input| spikes.step(input))
            .collect(),
        layers => trace.fire_steps[layers - 2].clone(),
    }
}
