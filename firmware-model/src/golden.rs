//! The golden reference: the rules of the network (docs/network.md, DESIGN section 1) as code.
//!
//! Dense and naive on purpose: each neuron looks at all of its inputs, and its potential at each step
//! is the one before and the weights of what spiked since. Nothing here is shared with the trainer, the
//! cycle model or the hardware, so that agreement with it means something.

use crate::network::{Decision, Layer, Network, NetworkError, SpikeTrain};

/// Everything that an inference shows when it is run to the last step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    pub decision: Decision,
    /// For each layer, for each neuron, the step at which it fired, if it did. Run to T-1, so the
    /// steps after the decision are here too.
    pub fire_steps: Vec<Vec<Option<usize>>>,
}

impl Trace {
    /// Spikes of all neurons but the outputs, over the whole window.
    pub fn hidden_spikes(&self) -> usize {
        self.count_hidden(|_| true)
    }

    /// Spikes of all neurons but the outputs at or before the step of the decision.
    pub fn hidden_spikes_before_decision(&self) -> usize {
        self.count_hidden(|step| step <= self.decision.step)
    }

    /// Whether a tie for the first output spike counts as right: the rule of some published code.
    ///
    /// Where no output fired, this is the strict rule.
    pub fn is_right_tie_tolerant(&self, label: usize) -> bool {
        if self.decision.silent {
            return self.decision.class == label;
        }
        let outputs = &self.fire_steps[self.fire_steps.len() - 1];
        outputs.get(label) == Some(&Some(self.decision.step))
    }

    fn count_hidden(&self, counts: impl Fn(usize) -> bool) -> usize {
        let hidden = &self.fire_steps[..self.fire_steps.len() - 1];
        (hidden.iter().flatten().flatten())
            .filter(|&&step| counts(step))
            .count()
    }
}

/// Runs `spikes` through `network`, layer by layer, neuron by neuron, step by step.
pub fn run(network: &Network, spikes: &SpikeTrain) -> Result<Trace, NetworkError> {
    network.check_spikes(spikes)?;
    let steps = network.steps();

    let mut source: Vec<Option<usize>> = (0..spikes.inputs()).map(|i| spikes.step(i)).collect();
    let mut fire_steps = Vec::new();
    // What the neurons of the layer at hand have above their thresholds: in the end those of the outputs.
    let mut margins: Vec<Vec<i32>> = Vec::new();
    for layer in network.layers() {
        margins = (0..layer.neurons())
            .map(|j| {
                let threshold = layer.thresholds()[j];
                let potentials = potentials(layer, j, &source, steps);
                potentials.iter().map(|v| v - threshold).collect()
            })
            .collect();
        source = (margins.iter())
            .map(|margins| margins.iter().position(|&margin| margin >= 0))
            .collect();
        fire_steps.push(source.clone());
    }

    // `source` tells when the outputs fired.
    let first = source.iter().flatten().min().copied();
    let step = first.unwrap_or(steps - 1);
    let mut best: Option<(usize, i32)> = None;
    for (j, fired) in source.iter().enumerate() {
        if first.is_some() && *fired != first {
            continue;
        }
        let overshoot = margins[j][step];
        if best.is_none_or(|(_, other)| overshoot > other) {
            best = Some((j, overshoot));
        }
    }
    let (class, overshoot) = best.expect("a layer has at least one neuron");
    Ok(Trace {
        decision: Decision {
            class,
            step,
            silent: first.is_none(),
            overshoot,
        },
        fire_steps,
    })
}

/// V_j(t) of one neuron for every step: the sum of the weights of the inputs that have spiked at or
/// before step t.
fn potentials(layer: &Layer, neuron: usize, source: &[Option<usize>], steps: usize) -> Vec<i32> {
    // First what each step adds, by the inputs that spike in it; then all that came before.
    let mut potentials = vec![0; steps];
    for (input, spike) in source.iter().enumerate() {
        if let Some(step) = *spike {
            potentials[step] += layer.weight(neuron, input);
        }
    }
    for t in 1..steps {
        potentials[t] += potentials[t - 1];
    }
    potentials
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// V_j(t) as docs/network.md has it, from the beginning.
    fn potential(layer: &Layer, neuron: usize, source: &[Option<usize>], t: usize) -> i32 {
        (source.iter().enumerate())
            .filter(|(_, spike)| spike.is_some_and(|step| step <= t))
            .map(|(input, _)| layer.weight(neuron, input))
            .sum()
    }

    /// A network of the given widths, its weights and thresholds from a list of numbers.
    fn network(widths: &[usize], steps: usize, numbers: &[u32]) -> Network {
        let mut numbers = numbers.iter().copied().cycle();
        let layers = (widths.windows(2))
            .map(|pair| {
                let most = (pair[0] / 2).max(1) as u32;
                let thresholds: Vec<i32> = (0..pair[1])
                    .map(|_| (1 + numbers.next().unwrap() % most) as i32)
                    .collect();
                // More weights of +1 than of -1, so that something fires.
                Layer::from_fn(pair[0], thresholds, |_, _| numbers.next().unwrap() % 8 < 5)
            })
            .collect::<Result<_, _>>();
        Network::new(steps, layers.unwrap()).unwrap()
    }

    proptest! {
        /// Every spike of every neuron and the decision, from potentials that are summed anew at each step.
        #[test]
        fn it_is_the_definition(
            widths in vec(1usize..12, 2..=5),
            steps in 1usize..20,
            numbers in vec(any::<u32>(), 97),
            raw in vec(0u16..30, 12),
        ) {
            let network = network(&widths, steps, &numbers);
            let raw = raw[..widths[0]].iter().map(|&step| match step {
                step if usize::from(step) < steps => step,
                _ => SpikeTrain::SILENT,
            });
            let spikes = SpikeTrain::from_raw(raw.collect());
            let found = run(&network, &spikes).unwrap();

            let mut source: Vec<Option<usize>> = (0..widths[0]).map(|i| spikes.step(i)).collect();
            let last = network.layers().len() - 1;
            for (at, layer) in network.layers().iter().enumerate() {
                let margin = |j: usize, t: usize| {
                    potential(layer, j, &source, t) - layer.thresholds()[j]
                };
                let fired: Vec<Option<usize>> = (0..layer.neurons())
                    .map(|j| (0..steps).find(|&t| margin(j, t) >= 0))
                    .collect();
                prop_assert_eq!(&found.fire_steps[at], &fired);
                if at == last {
                    let first = fired.iter().flatten().min().copied();
                    let step = first.unwrap_or(steps - 1);
                    let rivals = (0..layer.neurons()).filter(|&j| first.is_none() || fired[j] == first);
                    // The greatest; of equals the lowest index.
                    let class = rivals.min_by_key(|&j| (-margin(j, step), j)).unwrap();
                    let overshoot = margin(class, step);
                    let decision = Decision { class, step, silent: first.is_none(), overshoot };
                    prop_assert_eq!(found.decision, decision);
                }
                source = fired;
            }
        }
    }
}
