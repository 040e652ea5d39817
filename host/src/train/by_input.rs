//! The spikes of a batch sorted by input: the order in which the weights are updated.

/// The spikes of a batch that go into one layer, input by input.
#[derive(Debug, Default)]
pub struct SpikesByInput {
    /// For each input, where its spikes begin in `spikes`; one more at the end.
    starts: Vec<u32>,
    /// (image, step).
    spikes: Vec<(u32, f32)>,
}

impl SpikesByInput {
    /// Sorts `spikes`, each (image, step, input), by input; within an input their order stays.
    pub fn sort(&mut self, inputs: usize, spikes: impl Iterator<Item = (u32, f32, u16)> + Clone) {
        self.starts.clear();
        self.starts.resize(inputs + 1, 0);
        for (_, _, input) in spikes.clone() {
            self.starts[usize::from(input) + 1] += 1;
        }
        for input in 0..inputs {
            self.starts[input + 1] += self.starts[input];
        }
        self.spikes.clear();
        self.spikes.resize(self.starts[inputs] as usize, (0, 0.0));
        let mut next = self.starts.clone();
        for (image, step, input) in spikes {
            let at = &mut next[usize::from(input)];
            self.spikes[*at as usize] = (image, step);
            *at += 1;
        }
    }

    /// The spikes of `input`.
    pub fn of(&self, input: usize) -> &[(u32, f32)] {
        &self.spikes[self.starts[input] as usize..self.starts[input + 1] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spikes_sorted_by_input_keep_their_order() {
        let spikes = [(0u32, 0.0f32, 2u16), (0, 1.0, 0), (1, 0.0, 2), (2, 3.0, 2)];
        let mut sorted = SpikesByInput::default();
        sorted.sort(3, spikes.iter().copied());
        assert_eq!(sorted.of(0), [(0, 1.0)]);
        assert_eq!(sorted.of(1), []);
        assert_eq!(sorted.of(2), [(0, 0.0), (1, 0.0), (2, 3.0)]);
    }
}
