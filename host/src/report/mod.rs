//! A trained network as one page: its figures, and pictures of what it does.
//!
//! [`collect`] runs the test set, [`to_html`] draws. The page is one file that needs no other: it opens
//! without a network, runs no script and loads nothing.

mod chart;
mod confusion;
mod example;
mod grid;
mod html;
mod margins;
mod names;
mod page;
mod palette;
mod pictures;
mod record;
mod sections;
mod statistics;
mod svg;
mod text;

pub use confusion::{Confusion, Pair};
pub use example::Example;
pub use page::{is_about, to_html, PAGE};
pub use pictures::DrawError;
pub use statistics::{Decisions, SpikeTimes, Statistics};

use crate::dataset::Dataset;
use crate::encoding::Latency;
use crate::evaluate::{check_fit, EvaluateError};
use crate::model_file::ModelFile;
use crate::train::{FastNetwork, Samples};
use example::into_outputs;
use firmware_model::golden;
use firmware_model::network::{NetworkError, SpikeTrain};
use margins::{class_by_step, margins};
use rayon::prelude::*;
use statistics::Tally;
use std::sync::atomic::{AtomicBool, Ordering};
use thiserror::Error;

/// Why a model cannot be reported on.
#[derive(Debug, Error)]
pub enum ReportError {
    #[error(transparent)]
    Evaluate(#[from] EvaluateError),
    #[error("there is no test image {image}: {name} has {images}, so give --image 0 to {}", images.saturating_sub(1))]
    NoSuchImage {
        image: usize,
        name: String,
        images: usize,
    },
    #[error("the fast path and the golden reference differ on test image {0}: please report this")]
    Differs(usize),
    #[error("stopped; nothing was written")]
    Stopped,
    #[error(transparent)]
    Network(#[from] NetworkError),
}

/// What a page is drawn from.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    pub statistics: Statistics,
    /// How many of the images were also run by the golden reference, which agreed in every spike.
    pub compared: usize,
    pub example: Example,
}

/// How many images are run at a time.
const CHUNK: usize = 256;

/// How many images, spread over the test set, the golden reference runs too, at most.
const COMPARED: usize = 50;

/// How many weights it may look at for that: some seconds' worth.
const COMPARED_WEIGHTS: usize = 4_000_000_000;

/// Runs all test images of `data` through `model`, and test image `image` in every detail.
///
/// The figures are those of the trainer's fast path, which runs to the last step here; the golden reference
/// runs some images too and must agree. Both run on the current rayon pool. `progress` is told how many
/// images are done; when `stop` becomes true, it ends.
pub fn collect(
    model: &ModelFile,
    data: &Dataset,
    image: usize,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(usize),
) -> Result<Report, ReportError> {
    check_fit(model, data)?;
    let images = data.test.len();
    if image >= images {
        return Err(ReportError::NoSuchImage {
            image,
            name: data.name.clone(),
            images,
        });
    }
    let network = &model.network;
    let example = Example::of(network, data, image)?;
    let code = Latency {
        steps: network.steps(),
    };
    let fast = FastNetwork::new(network);
    let output = &network.layers()[network.layers().len() - 1];
    // The golden reference looks at every weight at every step.
    let affordable = COMPARED_WEIGHTS / (network.weights() * network.steps());
    let every = images.div_ceil(affordable.clamp(1, COMPARED));
    let mut tally = Tally::new(network);
    let mut compared = 0;
    for start in (0..images).step_by(CHUNK) {
        if stop.load(Ordering::Relaxed) {
            return Err(ReportError::Stopped);
        }
        let chunk: Vec<usize> = (start..images.min(start + CHUNK)).collect();
        let split = data.test.select(&chunk);
        let spikes: Vec<SpikeTrain> = (split.iter())
            .map(|image| code.encode(image, data.maximum))
            .collect();
        let traces = fast.trace(&Samples::encode(&split, data.maximum, code));
        let by_step: Vec<Vec<usize>> = (spikes.par_iter().zip(&traces))
            .map(|(spikes, trace)| {
                let source = into_outputs(spikes, trace);
                class_by_step(&margins(output, &source, network.steps()))
            })
            .collect();
        for (index, &image) in chunk.iter().enumerate() {
            let (spikes, trace) = (&spikes[index], &traces[index]);
            let label = usize::from(split.labels[index]);
            if image % every == 0 {
                if golden::run(network, spikes)? != *trace {
                    return Err(ReportError::Differs(image));
                }
                compared += 1;
            }
            tally.add(label, spikes, trace, &by_step[index]);
        }
        progress(start + chunk.len());
    }
    Ok(Report {
        statistics: tally.finish(),
        compared,
        example,
    })
}

#[cfg(test)]
mod tests;
