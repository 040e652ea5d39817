//! The fewest clock cycles that the weight memories allow.

use firmware_model::golden::Trace;
use firmware_model::network::{Network, SpikeTrain};

/// The weights that an inference needs from its start to the step `until`, that one included: for each
/// layer, the events that reach it times its neurons.
///
/// The events are those of the golden reference: at a step, the spikes of the layer before at that step.
pub fn synaptic_events(network: &Network, spikes: &SpikeTrain, trace: &Trace, until: usize) -> u64 {
    let count = |steps: &mut dyn Iterator<Item = usize>| steps.filter(|&s| s <= until).count();
    let inputs = count(&mut (0..spikes.inputs()).filter_map(|i| spikes.step(i)));
    let outputs = trace.fire_steps.len() - 1;
    let hidden = trace.fire_steps[..outputs].iter();
    let hidden = hidden.map(|steps| count(&mut steps.iter().copied().flatten()));
    (std::iter::once(inputs).chain(hidden))
        .zip(network.layers())
        .map(|(events, layer)| (events * layer.neurons()) as u64)
        .sum()
}

/// The clock cycles in which memories of `weight_bits` a cycle give that many weights, one bit each.
pub fn cycles(synaptic_events: u64, weight_bits: usize) -> u64 {
    synaptic_events.div_ceil(weight_bits as u64)
}
