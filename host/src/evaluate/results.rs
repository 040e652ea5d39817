//! What an evaluation found for each image, as a NumPy archive.

use super::Inference;
use crate::files::{contains, Kind};
use firmware_model::golden::Trace;
use ndarray::{Array1, Array2};
use ndarray_npy::{NpzWriter, WriteNpzError};
use std::io::Cursor;

/// Archives of answers among other files.
pub const RESULTS: Kind = Kind {
    name: "an archive of answers",
    suffix: "npz",
    is_one: |bytes| bytes.starts_with(b"PK") && contains(bytes, "overshoot.npy"),
};

/// A step at which a neuron that never fires is said to fire.
const NEVER: i16 = -1;

/// The answers to the images of a test set, in its order; with [`Results::with_spikes`] also when each neuron fired.
#[derive(Debug, Clone, Default)]
pub struct Results {
    labels: Vec<i64>,
    classes: Vec<i64>,
    steps: Vec<i16>,
    silent: Vec<bool>,
    overshoots: Vec<i32>,
    cycles: Vec<i64>,
    /// For each layer its neurons and, image after image, the step of each. `None` where they are not wanted.
    spikes: Option<Vec<(usize, Vec<i16>)>>,
}

impl Results {
    /// Answers only.
    pub fn new() -> Self {
        Self::default()
    }

    /// The answers and the fire steps of all neurons.
    pub fn with_spikes() -> Self {
        Results {
            spikes: Some(Vec::new()),
            ..Self::default()
        }
    }

    /// Adds the answer to the next image. The spikes are those of the golden reference, run to the last step.
    pub fn add(&mut self, label: u8, trace: &Trace, answer: &Inference) {
        let decision = answer.decision;
        self.labels.push(i64::from(label));
        self.classes.push(decision.class as i64);
        self.steps.push(step(decision.step));
        self.silent.push(decision.silent);
        self.overshoots.push(decision.overshoot);
        self.cycles.extend(answer.cycles.map(i64::from));
        let Some(layers) = &mut self.spikes else {
            return;
        };
        layers.resize(trace.fire_steps.len(), (0, Vec::new()));
        for ((neurons, steps), fired) in layers.iter_mut().zip(&trace.fire_steps) {
            *neurons = fired.len();
            steps.extend(fired.iter().map(|fired| fired.map_or(NEVER, step)));
        }
    }

    /// The bytes of an `.npz` archive, the same for the same answers.
    ///
    /// Each array has one row an image: `label`, `class` (int64), `step` (int16), `silent` (bool), `overshoot` (int32),
    /// `cycles` (int64, where what ran the network has a clock) and, where they are wanted, `layer1`, `layer2`, ... with
    /// the step at which each neuron of the layer fires (int16, -1 where it never does).
    ///
    /// # Errors
    /// What the archive's writer says.
    pub fn to_npz(&self) -> Result<Vec<u8>, WriteNpzError> {
        let mut archive = NpzWriter::new_compressed(Cursor::new(Vec::new()));
        archive.add_array("label", &Array1::from_vec(self.labels.clone()))?;
        archive.add_array("class", &Array1::from_vec(self.classes.clone()))?;
        archive.add_array("step", &Array1::from_vec(self.steps.clone()))?;
        archive.add_array("silent", &Array1::from_vec(self.silent.clone()))?;
        archive.add_array("overshoot", &Array1::from_vec(self.overshoots.clone()))?;
        if !self.cycles.is_empty() {
            archive.add_array("cycles", &Array1::from_vec(self.cycles.clone()))?;
        }
        let layers = self.spikes.iter().flatten();
        for (index, (neurons, steps)) in layers.enumerate() {
            let shape = (self.labels.len(), *neurons);
            let steps = Array2::from_shape_vec(shape, steps.clone())
                .expect("each image added a step a neuron");
            archive.add_array(format!("layer{}", index + 1), &steps)?;
        }
        Ok(archive.finish()?.into_inner())
    }
}

fn step(step: usize) -> i16 {
    i16::try_from(step).expect("there are at most 256 steps")
}

#[cfg(test)]
mod tests {
    use super::*;
    use firmware_model::network::Decision;
    use ndarray_npy::NpzReader;

    fn results(mut results: Results, cycles: [Option<u32>; 2]) -> NpzReader<Cursor<Vec<u8>>> {
        for (image, cycles) in cycles.into_iter().enumerate() {
            let decision = Decision {
                class: image,
                step: 255 - image,
                silent: image == 1,
                overshoot: 3 - 10 * image as i32,
            };
            let trace = Trace {
                decision,
                fire_steps: vec![vec![Some(0), None, Some(255)], vec![Some(image), None]],
            };
            let answer = Inference {
                decision,
                cycles,
                expected_cycles: None,
            };
            results.add(7, &trace, &answer);
        }
        NpzReader::new(Cursor::new(results.to_npz().unwrap())).unwrap()
    }

    #[test]
    fn every_answer_is_a_row() {
        let mut archive = results(Results::new(), [Some(70_000), Some(5)]);
        assert_eq!(archive.len(), 6);
        let labels: Array1<i64> = archive.by_name("label").unwrap();
        let classes: Array1<i64> = archive.by_name("class").unwrap();
        let steps: Array1<i16> = archive.by_name("step").unwrap();
        let silent: Array1<bool> = archive.by_name("silent").unwrap();
        let overshoots: Array1<i32> = archive.by_name("overshoot").unwrap();
        let cycles: Array1<i64> = archive.by_name("cycles").unwrap();
        assert_eq!(labels.to_vec(), [7, 7]);
        assert_eq!(classes.to_vec(), [0, 1]);
        assert_eq!(steps.to_vec(), [255, 254]);
        assert_eq!(silent.to_vec(), [false, true]);
        assert_eq!(overshoots.to_vec(), [3, -7]);
        assert_eq!(cycles.to_vec(), [70_000, 5]);
    }

    #[test]
    fn spikes_are_a_table_a_layer_and_no_clock_is_no_array() {
        let mut archive = results(Results::with_spikes(), [None, None]);
        let names = archive.names().unwrap();
        assert!(
            !names.iter().any(|name| name.starts_with("cycles")),
            "{names:?}"
        );
        let hidden: Array2<i16> = archive.by_name("layer1").unwrap();
        let outputs: Array2<i16> = archive.by_name("layer2").unwrap();
        assert_eq!(hidden, ndarray::array![[0, -1, 255], [0, -1, 255]]);
        assert_eq!(outputs, ndarray::array![[0, -1], [1, -1]]);
    }
}
