//! The golden reference: the rules of the network (docs/network.md, DESIGN section 1) as code.
//!
//! Dense and naive on purpose: each potential is summed anew at each step, straight from its
//! definition. Nothing here is shared with the trainer, the cycle model or the hardware, so that
//! agreement with it means something.

use crate::network::{Decision, Network, NetworkError, SpikeTrain};

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

/// Runs `spikes` through `network`, step by step, neuron by neuron.
pub fn run(network: &Network, spikes: &SpikeTrain) -> Result<Trace, NetworkError> {
    network.check_spikes(spikes)?;
    let last_step = network.steps() - 1;

    let mut source: Vec<Option<usize>> = (0..spikes.inputs()).map(|i| spikes.step(i)).collect();
    let mut fire_steps = Vec::new();
    for layer in network.layers() {
        let fired: Vec<Option<usize>> = (0..layer.neurons())
            .map(|j| {
                let threshold = layer.thresholds()[j];
                (0..=last_step).find(|&t| potential(layer, j, &source, t) >= threshold)
            })
            .collect();
        fire_steps.push(fired.clone());
        if fire_steps.len() < network.layers().len() {
            source = fired;
        }
    }

    // `source` is now what goes into the output layer.
    let output = &network.layers()[network.layers().len() - 1];
    let outputs = &fire_steps[fire_steps.len() - 1];
    let first = outputs.iter().flatten().min().copied();
    let step = first.unwrap_or(last_step);
    let mut best: Option<(usize, i32)> = None;
    for (j, fired) in outputs.iter().enumerate() {
        if first.is_some() && *fired != first {
            continue;
        }
        let overshoot = potential(output, j, &source, step) - output.thresholds()[j];
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

/// V_j(t): the sum of the weights of the inputs that have spiked at or before step t.
fn potential(
    layer: &crate::network::Layer,
    neuron: usize,
    source: &[Option<usize>],
    t: usize,
) -> i32 {
    let mut sum = 0;
    for (input, spike) in source.iter().enumerate() {
        if spike.is_some_and(|step| step <= t) {
            sum += layer.weight(neuron, input);
        }
    }
    sum
}
