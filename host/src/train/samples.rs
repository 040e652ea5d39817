//! Images as spikes in order of time: what the trainer's loops run over.

use crate::dataset::Split;
use crate::encoding::Latency;

/// The spikes of many images under the latency code.
#[derive(Debug, Clone)]
pub struct Samples {
    steps: usize,
    /// The inputs that spike, image after image, each image in order of time, then of the inputs.
    inputs: Vec<u16>,
    /// Where each image begins in `inputs`.
    starts: Vec<usize>,
    /// For each image, for each step, how many of its spikes have come by the end of it.
    ends: Vec<u16>,
    labels: Vec<u8>,
}

impl Samples {
    /// Encodes all images of `split`.
    pub fn encode(split: &Split, maximum: u8, code: Latency) -> Self {
        let mut samples = Samples {
            steps: code.steps,
            inputs: Vec::new(),
            starts: Vec::with_capacity(split.len()),
            ends: Vec::with_capacity(split.len() * code.steps),
            labels: split.labels.clone(),
        };
        let step_of: Vec<Option<usize>> = (0..=u8::MAX)
            .map(|value| code.step(value, maximum))
            .collect();
        let mut by_step = vec![Vec::new(); code.steps];
        for image in split.iter() {
            for (input, &value) in image.iter().enumerate() {
                if let Some(step) = step_of[usize::from(value)] {
                    by_step[step].push(input as u16);
                }
            }
            let start = samples.inputs.len();
            samples.starts.push(start);
            for spikes in &mut by_step {
                samples.inputs.append(spikes);
                samples.ends.push((samples.inputs.len() - start) as u16);
            }
        }
        samples
    }

    /// The number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    pub fn label(&self, index: usize) -> usize {
        usize::from(self.labels[index])
    }

    /// Writes the spikes of image `index`, moved by `shift`, into `to`.
    pub fn copy(&self, index: usize, shift: Option<&Shift>, to: &mut Spikes) {
        to.clear();
        let image = &self.inputs[self.starts[index]..];
        let mut start = 0;
        for &end in &self.ends[index * self.steps..(index + 1) * self.steps] {
            let end = usize::from(end);
            let inputs = &image[start..end];
            match shift {
                None => to.inputs.extend_from_slice(inputs),
                Some(shift) => to.inputs.extend(
                    (inputs.iter())
                        .map(|&input| shift.to[usize::from(input)])
                        .filter(|&input| input != Shift::OUTSIDE),
                ),
            }
            to.end_step();
            start = end;
        }
    }
}

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

/// A move of all pixels by whole rows and columns; what leaves the image is gone.
#[derive(Debug, Clone)]
pub struct Shift {
    /// For each input the input that it becomes, or [`Shift::OUTSIDE`].
    to: Vec<u16>,
}

impl Shift {
    const OUTSIDE: u16 = u16::MAX;

    /// All moves by up to `distance` rows and columns, no move among them.
    pub fn all((rows, columns): (usize, usize), distance: usize) -> Vec<Shift> {
        let distance = distance as isize;
        let mut shifts = Vec::new();
        for down in -distance..=distance {
            for right in -distance..=distance {
                shifts.push(Shift::by((rows, columns), down, right));
            }
        }
        shifts
    }

    fn by((rows, columns): (usize, usize), down: isize, right: isize) -> Shift {
        let moved = |at: usize, by: isize, size: usize| {
            at.checked_add_signed(by).filter(|&moved| moved < size)
        };
        let to = (0..rows * columns).map(|input| {
            let row = moved(input / columns, down, rows);
            let column = moved(input % columns, right, columns);
            match (row, column) {
                (Some(row), Some(column)) => (row * columns + column) as u16,
                _ => Shift::OUTSIDE,
            }
        });
        Shift { to: to.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spikes_come_in_order_of_time_and_shift_with_the_image() {
        let split = Split {
            features: 4,
            images: vec![0, 4, 2, 4, 1, 0, 0, 0],
            labels: vec![3, 5],
        };
        let samples = Samples::encode(&split, 4, Latency { steps: 4 });
        assert_eq!((samples.len(), samples.label(1)), (2, 5));
        let mut spikes = Spikes::default();
        samples.copy(0, None, &mut spikes);
        assert_eq!((spikes.at(0), spikes.at(2)), (&[1, 3][..], &[2][..]));
        samples.copy(1, None, &mut spikes);
        assert_eq!((spikes.at(0), spikes.at(3)), (&[][..], &[0][..]));

        // A 2×2 image moved one to the left: column 1 becomes column 0, column 0 leaves.
        let left = Shift::by((2, 2), 0, -1);
        samples.copy(0, Some(&left), &mut spikes);
        assert_eq!((spikes.at(0), spikes.at(2)), (&[0, 2][..], &[][..]));
        assert_eq!(Shift::all((2, 2), 1).len(), 9);
    }
}
