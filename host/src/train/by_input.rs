//! What goes into a layer in a batch, sorted by input: the order in which the weights are updated.

/// The spikes of one image at one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Volley {
    /// The image that they are of.
    pub image: usize,
    pub step: f32,
    /// How much each counts, where it counts.
    pub weight: f32,
}

/// The spikes of a batch that go into one layer.
#[derive(Debug, Default)]
pub struct BatchSpikes {
    pub volleys: Vec<Volley>,
    /// The volleys in which each input spikes.
    pub of_input: ByInput<u32>,
}

impl BatchSpikes {
    /// Takes in each volley with the inputs that spike in it, which are below `inputs`.
    pub fn sort<'a>(
        &mut self,
        inputs: usize,
        volleys: impl Iterator<Item = (Volley, &'a [u16])> + Clone,
    ) {
        self.volleys.clear();
        self.volleys
            .extend(volleys.clone().map(|(volley, _)| volley));
        let spikes = volleys.enumerate().flat_map(|(number, (_, inputs))| {
            inputs.iter().map(move |&input| (input, number as u32))
        });
        self.of_input.sort(inputs, spikes);
    }
}

/// The values of a batch that go into one layer, input by input.
#[derive(Debug, Default)]
pub struct ByInput<T> {
    /// For each input, where its values begin in `values`; one more at the end.
    starts: Vec<u32>,
    values: Vec<T>,
}

impl<T: Copy + Default> ByInput<T> {
    /// Sorts `values` by input; within an input their order stays.
    pub fn sort(&mut self, inputs: usize, values: impl Iterator<Item = (u16, T)> + Clone) {
        self.starts.clear();
        self.starts.resize(inputs + 1, 0);
        // `for_each` and not `for`: values of many sources come source by source, in tight loops.
        (values.clone()).for_each(|(input, _)| self.starts[usize::from(input) + 1] += 1);
        for input in 0..inputs {
            self.starts[input + 1] += self.starts[input];
        }
        self.values.clear();
        let count = self.starts[inputs] as usize;
        self.values.resize(count, T::default());
        let mut next = self.starts.clone();
        values.for_each(|(input, value)| {
            let at = &mut next[usize::from(input)];
            self.values[*at as usize] = value;
            *at += 1;
        });
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
        let volley = |image: usize, step: f32| Volley {
            image,
            step,
            weight: 1.0,
        };
        let volleys: [(Volley, &[u16]); 4] = [
            (volley(0, 0.0), &[2]),
            (volley(0, 1.0), &[0]),
            (volley(1, 0.0), &[2, 0]),
            (volley(2, 3.0), &[2]),
        ];
        let mut sorted = BatchSpikes::default();
        sorted.sort(3, volleys.into_iter());
        assert_eq!(sorted.volleys, volleys.map(|(volley, _)| volley));
        assert_eq!(sorted.of_input.of(0), [1, 2]);
        assert!(sorted.of_input.of(1).is_empty());
        assert_eq!(sorted.of_input.of(2), [0, 2, 3]);
    }
}
