//! Potentials minus thresholds, step by step, and what they would decide.

use firmware_model::network::Layer;

/// V_j(t) − θ_j of each neuron of `layer`: one row a neuron, one value for each of `steps`.
///
/// `source` is what goes into the layer: for each of its inputs the step at which it spikes.
pub fn margins(layer: &Layer, source: &[Option<usize>], steps: usize) -> Vec<Vec<i32>> {
    let spikes: Vec<(usize, usize)> = (source.iter().enumerate())
        .filter_map(|(input, step)| step.map(|step| (input, step)))
        .collect();
    (layer.thresholds().iter().enumerate())
        .map(|(neuron, threshold)| {
            let mut row = vec![0; steps];
            for &(input, step) in &spikes {
                row[step] += layer.weight(neuron, input);
            }
            let mut margin = -threshold;
            for value in &mut row {
                margin += *value;
                *value = margin;
            }
            row
        })
        .collect()
}

/// For each step, the class that the outputs would name if that were the last one.
///
/// `margins` are those of the output layer, as [`margins()`] gives them.
pub fn class_by_step(margins: &[Vec<i32>]) -> Vec<usize> {
    let steps = margins.first().map_or(0, Vec::len);
    let mut decided = None;
    (0..steps)
        .map(|step| {
            decided.unwrap_or_else(|| {
                // Where somebody is at its threshold, the greatest margin is that of one who fires now.
                let mut best = (i32::MIN, 0);
                for (class, row) in margins.iter().enumerate() {
                    if row[step] > best.0 {
                        best = (row[step], class);
                    }
                }
                if best.0 >= 0 {
                    decided = Some(best.1);
                }
                best.1
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset;
    use crate::encoding::Latency;
    use crate::report::example::into_outputs;
    use crate::report::tests::trained;
    use firmware_model::golden;
    use firmware_model::network::{Network, SpikeTrain};

    #[test]
    fn margins_are_those_counted_by_hand() {
        let layer = Layer::from_fn(3, vec![1, 2], |j, i| i == j || i == 2).unwrap();
        let found = margins(&layer, &[Some(0), Some(2), None], 4);
        assert_eq!(found, [[0, 0, -1, -1], [-3, -3, -2, -2]]);
    }

    #[test]
    fn they_tell_when_the_golden_reference_fires_and_by_how_much() {
        let data = dataset::load("digits").unwrap();
        for network in [trained(&[64, 10]), trained(&[64, 24, 10])] {
            let output = &network.layers()[network.layers().len() - 1];
            for image in data.test.iter().take(100) {
                let spikes = Latency { steps: 16 }.encode(image, data.maximum);
                let trace = golden::run(&network, &spikes).unwrap();
                let found = margins(output, &into_outputs(&spikes, &trace), 16);
                let fires: Vec<_> = (found.iter())
                    .map(|row| row.iter().position(|&margin| margin >= 0))
                    .collect();
                assert_eq!(&fires, trace.fire_steps.last().unwrap());
                let decision = trace.decision;
                assert_eq!(found[decision.class][decision.step], decision.overshoot);
            }
        }
    }

    #[test]
    fn the_class_at_a_step_is_that_of_a_network_whose_time_ends_there() {
        let data = dataset::load("digits").unwrap();
        let network = trained(&[64, 24, 10]);
        for image in data.test.iter().take(60) {
            let spikes = Latency { steps: 16 }.encode(image, data.maximum);
            let trace = golden::run(&network, &spikes).unwrap();
            let found = margins(&network.layers()[1], &trace.fire_steps[0], 16);
            for (last, class) in class_by_step(&found).into_iter().enumerate() {
                let cut = |&step: &u16| match usize::from(step) <= last {
                    true => step,
                    false => SpikeTrain::SILENT,
                };
                let spikes = SpikeTrain::from_raw(spikes.raw().iter().map(cut).collect());
                let shorter = Network::new(last + 1, network.layers().to_vec()).unwrap();
                let decision = golden::run(&shorter, &spikes).unwrap().decision;
                assert_eq!(class, decision.class, "at step {last}");
            }
        }
    }
}
