//! What goes into a layer in a batch, sorted by input: the order in which the weights are updated.

/// A spike of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spike {
    /// The image that it is of.
    pub image: u32,
    pub step: f32,
    /// How much it counts, where it counts.
    pub weight: f32,
}

/// The values of a batch that go into one layer, input by input.
#[derive(Debug, Default)]
pub struct ByInput<T> {
    /// For each input, where its values begin in `values`; one more at the end.
    starts: Vec<u32>,
    values: Vec<T>,
}

/// The spikes of a batch that go into one layer, input by input.
pub type SpikesByInput = ByInput<Spike>;

impl<T: Copy + Default> ByInput<T> {
    /// Sorts `values` by input; within an input their order stays.
    pub fn sort(&mut self, inputs: usize, values: impl Iterator<Item = (u16, T)> + Clone) {
        self.starts.clear();
        self.starts.resize(inputs + 1, 0);
        for (input, _) in values.clone() {
            self.starts[usize::from(input) + 1] += 1;
        }
        for input in 0..inputs {
            self.starts[input + 1] += self.starts[input];
        }
        self.values.clear();
        let count = self.starts[inputs] as usize;
        self.values.resize(count, T::default());
        let mut next = self.starts.clone();
        for (input, value) in values {
            let at = &mut next[usize::from(input)];
            self.values[*at as usize] = value;
            *at += 1;
        }
    }

    /// The values of `input`.
    pub fn of(&self, input: usize) -> &[T] {
        &self.values[self.starts[input] as usize..self.starts[input + 1] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spikes_sorted_by_input_keep_their_order() {
        let spike = |image: u32, step: f32| Spike {
            image,
            step,
            weight: 1.0,
        };
        let spikes = [
            (2, spike(0, 0.0)),
            (0, spike(0, 1.0)),
            (2, spike(1, 0.0)),
            (2, spike(2, 3.0)),
        ];
        let mut sorted = SpikesByInput::default();
        sorted.sort(3, spikes.iter().copied());
        assert_eq!(sorted.of(0), [spike(0, 1.0)]);
        assert_eq!(sorted.of(1), []);
        assert_eq!(sorted.of(2), [spike(0, 0.0), spike(1, 0.0), spike(2, 3.0)]);
    }
}
