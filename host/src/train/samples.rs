//! Images as spikes in order of time: what the trainer's loops run over.

use super::augment::Warp;
use crate::dataset::{Dataset, Recordings, Split};
use crate::encoding::Latency;

/// Spikes of one image or one layer, in order of time.
#[derive(Debug, Clone, Default)]
pub struct Spikes {
    /// Who spikes.
    pub inputs: Vec<u16>,
    /// For each step so far, where its spikes end in `inputs`.
    ends: Vec<u16>,
}

impl Spikes {
    pub fn clear(&mut self) {
        self.inputs.clear();
        self.ends.clear();
    }

    /// Everything appended to `inputs` since the last call spikes at this step.
    pub fn end_step(&mut self) {
        self.ends.push(self.inputs.len() as u16);
    }

    /// Who spikes at `step`.
    pub fn at(&self, step: usize) -> &[u16] {
        let start = if step == 0 { 0 } else { self.ends[step - 1] };
        &self.inputs[usize::from(start)..usize::from(self.ends[step])]
    }
}

/// The latency code as a table, for intensities up to a maximum.
#[derive(Debug, Clone)]
pub struct Encoder {
    steps: usize,
    /// For each intensity its step, or [`NEVER`].
    step_of: Vec<u16>,
}

/// The step of an intensity that does not spike: later than any step that there can be.
const NEVER: u16 = u16::MAX;

impl Encoder {
    pub fn new(code: Latency, maximum: u8) -> Self {
        let step_of = (0..=u8::MAX).map(|value| code.step(value, maximum));
        Encoder {
            steps: code.steps,
            step_of: step_of
                .map(|step| step.map_or(NEVER, |step| step as u16))
                .collect(),
        }
    }

    /// The spikes of `image`: by step, within a step by input. `scratch` is room to work in.
    pub fn encode(&self, image: &[u8], scratch: &mut Vec<(u16, u16)>, to: &mut Spikes) {
        let spikes = self.in_order_of_inputs(image, scratch);
        to.clear();
        to.ends.resize(self.steps, 0);
        for &(_, step) in spikes {
            to.ends[usize::from(step)] += 1;
        }
        // From counts to where each step begins; placing the spikes moves that to where it ends.
        let mut total = 0;
        for end in &mut to.ends {
            total += *end;
            *end = total - *end;
        }
        to.inputs.resize(usize::from(total), 0);
        let Spikes { inputs, ends } = to;
        for &(input, step) in spikes {
            let at = &mut ends[usize::from(step)];
            inputs[usize::from(*at)] = input;
            *at += 1;
        }
    }

    /// The spikes at each step of so many intensities of each value.
    fn spikes_by_step(&self, of_value: &[u64; 256]) -> Vec<u64> {
        let mut spikes = vec![0; self.steps];
        for (&step, count) in self.step_of.iter().zip(of_value) {
            if step != NEVER {
                spikes[usize::from(step)] += count;
            }
        }
        spikes
    }

    /// The inputs that spike, each with its step.
    fn in_order_of_inputs<'s>(
        &self,
        image: &[u8],
        scratch: &'s mut Vec<(u16, u16)>,
    ) -> &'s [(u16, u16)] {
        scratch.resize(image.len().next_multiple_of(8), (0, 0));
        let mut count = 0;
        // Most of an image is black: what is black is passed over eight pixels at a time.
        for (eight, values) in image.chunks(8).enumerate() {
            if values.iter().fold(0, |any, value| any | value) == 0 {
                continue;
            }
            for (input, &value) in values.iter().enumerate() {
                let step = self.step_of[usize::from(value)];
                // What does not spike is written too, and then written over: nothing to guess wrong.
                scratch[count] = ((8 * eight + input) as u16, step);
                count += usize::from(step != NEVER);
            }
        }
        &scratch[..count]
    }
}

/// The spikes of many images under the latency code.
#[derive(Debug, Clone)]
pub struct Samples {
    steps: usize,
    /// The inputs that spike, image after image.
    inputs: Vec<u16>,
    /// Where each image begins in `inputs`.
    starts: Vec<usize>,
    /// For each image, for each step, how many of its spikes have come by the end of it.
    ends: Vec<u16>,
    labels: Vec<u8>,
}

impl Samples {
    /// Encodes all images of `split`, whose intensities go up to `maximum`.
    pub fn encode(split: &Split, maximum: u8, code: Latency) -> Self {
        let mut samples = Samples {
            steps: code.steps,
            inputs: Vec::new(),
            starts: Vec::with_capacity(split.len()),
            ends: Vec::with_capacity(split.len() * code.steps),
            labels: split.labels.clone(),
        };
        let encoder = Encoder::new(code, maximum);
        let (mut spikes, mut scratch) = (Spikes::default(), Vec::new());
        for image in split.iter() {
            encoder.encode(image, &mut scratch, &mut spikes);
            samples.starts.push(samples.inputs.len());
            samples.inputs.extend_from_slice(&spikes.inputs);
            samples.ends.extend_from_slice(&spikes.ends);
        }
        samples
    }

    /// The number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The label of image `index`.
    pub fn label(&self, index: usize) -> usize {
        usize::from(self.labels[index])
    }

    /// Writes the spikes of image `index` into `to`.
    pub fn copy(&self, index: usize, to: &mut Spikes) {
        to.clear();
        let ends = &self.ends[index * self.steps..(index + 1) * self.steps];
        let (start, count) = (self.starts[index], usize::from(ends[self.steps - 1]));
        to.ends.extend_from_slice(ends);
        to.inputs
            .extend_from_slice(&self.inputs[start..start + count]);
    }
}

/// Images to train on: each can be moved before it becomes spikes.
#[derive(Debug, Clone)]
pub struct TrainingImages<'a> {
    split: Split,
    /// Rows and columns of each plane, where images can be moved.
    plane: Option<(usize, usize)>,
    /// What the images were made from, where that is recordings: these are moved in their stead.
    recordings: Option<&'a Recordings>,
    /// Which recording each image is of.
    indices: Vec<usize>,
    encoder: Encoder,
}

/// Room to move an image in, and to encode it.
#[derive(Debug, Default)]
pub struct Scratch {
    pixels: Vec<u8>,
    events: (Vec<u16>, Vec<u16>),
    spikes: Vec<(u16, u16)>,
}

impl<'a> TrainingImages<'a> {
    /// The training images of `data` that `indices` name.
    pub fn new(data: &'a Dataset, indices: &[usize], code: Latency) -> Self {
        TrainingImages {
            encoder: Encoder::new(code, data.maximum),
            plane: data.plane(),
            recordings: data.recordings.as_ref(),
            indices: indices.to_vec(),
            split: data.train.select(indices),
        }
    }

    /// The number of images.
    pub fn len(&self) -> usize {
        self.split.len()
    }

    /// The label of image `index`.
    pub fn label(&self, index: usize) -> usize {
        usize::from(self.split.labels[index])
    }

    /// The spikes of all images at each step, as they are before they are moved.
    pub fn spikes_by_step(&self) -> Vec<u64> {
        let mut of_value = [0; 256];
        for &value in &self.split.images {
            of_value[usize::from(value)] += 1;
        }
        self.encoder.spikes_by_step(&of_value)
    }

    /// Image `index`, moved by `warp`.
    pub fn pixels<'s>(
        &'s self,
        index: usize,
        warp: Option<&Warp>,
        scratch: &'s mut Scratch,
    ) -> &'s [u8] {
        let Scratch { pixels, events, .. } = scratch;
        match (warp, self.recordings, self.plane) {
            (Some(warp), Some(recordings), _) => {
                let code = recordings.code;
                let original = recordings.events(self.indices[index]);
                warp.apply_to_events(original, code.grid(), events);
                code.encode(&events.0, &events.1, pixels);
                pixels
            }
            (Some(warp), None, Some(plane)) => {
                pixels.clear();
                for image in self.split.image(index).chunks_exact(plane.0 * plane.1) {
                    warp.apply(image, plane, pixels);
                }
                pixels
            }
            _ => self.split.image(index),
        }
    }

    /// Writes the spikes of image `index`, moved by `warp`, into `to`.
    pub fn spikes(
        &self,
        index: usize,
        warp: Option<&Warp>,
        scratch: &mut Scratch,
        to: &mut Spikes,
    ) {
        // Taken out while `scratch` lends the pixels.
        let mut spikes = std::mem::take(&mut scratch.spikes);
        let pixels = self.pixels(index, warp, scratch);
        self.encoder.encode(pixels, &mut spikes, to);
        scratch.spikes = spikes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Source;
    use crate::train::Augment;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn planes_are_moved_alike_and_each_for_itself() {
        let upper: Vec<u8> = (1..=12).collect();
        let lower: Vec<u8> = upper.iter().map(|value| 13 - value).collect();
        let data = |shape: &[usize], image: Vec<u8>| {
            let part = Split {
                features: image.len(),
                images: image,
                labels: vec![0],
            };
            Dataset {
                name: "planes".to_owned(),
                classes: 2,
                shape: shape.to_vec(),
                maximum: 12,
                train: part.clone(),
                test: part,
                steps: None,
                recordings: None,
                groups: None,
                class_names: None,
                notes: Vec::new(),
                source: Source::Values,
            }
        };
        let warp = Augment {
            shift: 1.5,
            ..Augment::NONE
        };
        let warp = warp.draw(&mut ChaCha8Rng::seed_from_u64(1));
        let spikes_of = |data: &Dataset| {
            let images = TrainingImages::new(data, &[0], Latency { steps: 12 });
            let mut spikes = Spikes::default();
            images.spikes(0, Some(&warp), &mut Scratch::default(), &mut spikes);
            (0..12)
                .map(|step| spikes.at(step).to_vec())
                .collect::<Vec<_>>()
        };
        let apart = [&upper, &lower].map(|plane| spikes_of(&data(&[3, 4], plane.clone())));
        let both = spikes_of(&data(&[2, 3, 4], [upper, lower].concat()));
        assert_ne!(apart[0], apart[1]);
        for (step, both) in both.iter().enumerate() {
            let lower = apart[1][step].iter().map(|input| input + 12);
            let expected: Vec<u16> = apart[0][step].iter().copied().chain(lower).collect();
            assert_eq!(both, &expected, "step {step}");
        }
    }

    #[test]
    fn spikes_come_in_order_of_time() {
        let split = Split {
            features: 4,
            images: vec![0, 4, 2, 4, 1, 0, 0, 0],
            labels: vec![3, 5],
        };
        let samples = Samples::encode(&split, 4, Latency { steps: 4 });
        assert_eq!((samples.len(), samples.label(1)), (2, 5));
        let mut spikes = Spikes::default();
        samples.copy(0, &mut spikes);
        assert_eq!((spikes.at(0), spikes.at(2)), (&[1, 3][..], &[2][..]));
        samples.copy(1, &mut spikes);
        assert_eq!((spikes.at(0), spikes.at(3)), (&[][..], &[0][..]));
    }
}
