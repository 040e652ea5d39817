//! What a network does on all images of a test set.

use super::confusion::Confusion;
use firmware_model::golden::Trace;
use firmware_model::network::{Network, SpikeTrain};
use serde::Serialize;

/// The figures of a test set. Steps run from 0 to T − 1, layers from the inputs to the outputs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Statistics {
    /// How many images were classified.
    pub images: usize,
    /// The share that was classified right, by the strict rule.
    pub accuracy: f64,
    /// The same, where a tie for the first output spike counts as right.
    pub accuracy_tie_tolerant: f64,
    /// Images for which no output fired.
    pub silent: usize,
    /// The step of the decision; that of silent images is T − 1.
    pub decision_step_mean: f64,
    /// Half of the images are decided at this step or before it.
    pub decision_step_median: usize,
    /// The step by which every image is decided.
    pub decision_step_max: usize,
    /// Hidden spikes an image, if every image ran to the last step.
    pub hidden_spikes_mean: f64,
    /// Hidden spikes an image at or before the decision.
    pub hidden_spikes_before_decision_mean: f64,
    /// When decisions fell.
    pub decisions: Decisions,
    /// When neurons spiked, a layer each, the inputs first.
    pub spike_times: Vec<SpikeTimes>,
    /// For each step, the share that would be right if every image had to be decided by then.
    pub accuracy_by_step: Vec<f64>,
    /// `[label][answer]`, in images.
    pub confusion: Confusion,
}

/// How many images were decided at each step, right and wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decisions {
    /// By an output spike at this step.
    pub right: Vec<usize>,
    pub wrong: Vec<usize>,
    /// Without one, by the greatest margin at the end.
    pub silent_right: usize,
    pub silent_wrong: usize,
}

/// When the neurons of a layer spike.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SpikeTimes {
    pub neurons: usize,
    /// Neurons that spike at each step, the mean of the images. All steps, those after the decision too.
    pub spikes_mean: Vec<f64>,
    /// Neurons that never spike, the mean of the images.
    pub never_mean: f64,
    /// For each neuron, in how many images it spikes.
    #[serde(skip)]
    pub images_of: Vec<usize>,
}

/// Counts over images.
pub struct Tally {
    images: usize,
    right_tie_tolerant: usize,
    hidden_spikes: usize,
    hidden_spikes_before_decision: usize,
    decisions: Decisions,
    layers: Vec<LayerTally>,
    right_by_step: Vec<usize>,
    confusion: Confusion,
}

/// Counts over the neurons of a layer.
struct LayerTally {
    spikes: Vec<usize>,
    images_of: Vec<usize>,
}

impl LayerTally {
    fn new(neurons: usize, steps: usize) -> Self {
        LayerTally {
            spikes: vec![0; steps],
            images_of: vec![0; neurons],
        }
    }

    fn add(&mut self, fire_steps: impl Iterator<Item = Option<usize>>) {
        for (neuron, step) in fire_steps.enumerate() {
            if let Some(step) = step {
                self.spikes[step] += 1;
                self.images_of[neuron] += 1;
            }
        }
    }

    fn finish(self, images: usize) -> SpikeTimes {
        let mean = |count: usize| count as f64 / images as f64;
        let neurons = self.images_of.len();
        let all: usize = self.spikes.iter().sum();
        SpikeTimes {
            neurons,
            spikes_mean: self.spikes.iter().map(|&count| mean(count)).collect(),
            never_mean: mean(neurons * images - all),
            images_of: self.images_of,
        }
    }
}

impl Tally {
    /// No images yet, for `network`.
    pub fn new(network: &Network) -> Self {
        let steps = network.steps();
        Tally {
            images: 0,
            right_tie_tolerant: 0,
            hidden_spikes: 0,
            hidden_spikes_before_decision: 0,
            decisions: Decisions {
                right: vec![0; steps],
                wrong: vec![0; steps],
                silent_right: 0,
                silent_wrong: 0,
            },
            layers: (network.sizes().into_iter())
                .map(|neurons| LayerTally::new(neurons, steps))
                .collect(),
            right_by_step: vec![0; steps],
            confusion: Confusion::new(network.outputs()),
        }
    }

    /// Counts an image: its label, its spikes, what the network did, and the class by each step.
    pub fn add(&mut self, label: usize, spikes: &SpikeTrain, trace: &Trace, by_step: &[usize]) {
        let decision = trace.decision;
        let right = decision.class == label;
        let decisions = &mut self.decisions;
        let place = match (decision.silent, right) {
            (false, true) => &mut decisions.right[decision.step],
            (false, false) => &mut decisions.wrong[decision.step],
            (true, true) => &mut decisions.silent_right,
            (true, false) => &mut decisions.silent_wrong,
        };
        *place += 1;
        self.images += 1;
        self.right_tie_tolerant += usize::from(trace.is_right_tie_tolerant(label));
        self.hidden_spikes += trace.hidden_spikes();
        self.hidden_spikes_before_decision += trace.hidden_spikes_before_decision();
        self.confusion.add(label, decision.class);
        for (right, &class) in self.right_by_step.iter_mut().zip(by_step) {
            *right += usize::from(class == label);
        }
        let (inputs, neurons) = self.layers.split_at_mut(1);
        inputs[0].add((0..spikes.inputs()).map(|input| spikes.step(input)));
        for (tally, fire_steps) in neurons.iter_mut().zip(&trace.fire_steps) {
            tally.add(fire_steps.iter().copied());
        }
    }

    /// The figures of the images so far, of which there is at least one.
    pub fn finish(self) -> Statistics {
        let images = self.images;
        let mean = |count: usize| count as f64 / images as f64;
        let decisions = self.decisions;
        let silent = decisions.silent_right + decisions.silent_wrong;
        let mut decided: Vec<usize> = (decisions.right.iter().zip(&decisions.wrong))
            .map(|(right, wrong)| right + wrong)
            .collect();
        let last = decided.len() - 1;
        decided[last] += silent;
        let right = decisions.right.iter().sum::<usize>() + decisions.silent_right;
        let steps = decided.iter().enumerate().map(|(step, count)| step * count);
        Statistics {
            images,
            accuracy: mean(right),
            accuracy_tie_tolerant: mean(self.right_tie_tolerant),
            silent,
            decision_step_mean: mean(steps.sum()),
            decision_step_median: step_by(&decided, images.div_ceil(2)),
            decision_step_max: step_by(&decided, images),
            hidden_spikes_mean: mean(self.hidden_spikes),
            hidden_spikes_before_decision_mean: mean(self.hidden_spikes_before_decision),
            decisions,
            spike_times: (self.layers.into_iter())
                .map(|layer| layer.finish(images))
                .collect(),
            accuracy_by_step: self.right_by_step.into_iter().map(mean).collect(),
            confusion: self.confusion,
        }
    }
}

/// The step by which so many images are decided.
fn step_by(decided: &[usize], images: usize) -> usize {
    let mut so_far = 0;
    let step = decided.iter().position(|count| {
        so_far += count;
        so_far >= images
    });
    step.unwrap_or(decided.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use firmware_model::network::{Decision, Layer};

    #[test]
    fn the_figures_are_those_counted_by_hand() {
        let layer =
            |inputs, neurons| Layer::from_fn(inputs, vec![1; neurons], |_, _| true).unwrap();
        let network = Network::new(4, vec![layer(2, 3), layer(3, 2)]).unwrap();
        let mut tally = Tally::new(&network);
        let silent = SpikeTrain::SILENT;
        let image = |class, step, silent, fire_steps: [Vec<Option<usize>>; 2]| Trace {
            decision: Decision {
                class,
                step,
                silent,
                overshoot: 0,
            },
            fire_steps: fire_steps.to_vec(),
        };
        // Both outputs fire at step 1: right only by the tie-tolerant rule. One hidden spike comes later.
        tally.add(
            1,
            &SpikeTrain::from_raw(vec![0, 1]),
            &image(
                0,
                1,
                false,
                [vec![Some(1), Some(3), None], vec![Some(1); 2]],
            ),
            &[1, 0, 0, 0],
        );
        tally.add(
            0,
            &SpikeTrain::from_raw(vec![0, silent]),
            &image(0, 0, false, [vec![Some(0); 3], vec![Some(0), None]]),
            &[0; 4],
        );
        tally.add(
            1,
            &SpikeTrain::from_raw(vec![silent; 2]),
            &image(1, 3, true, [vec![None; 3], vec![None; 2]]),
            &[0, 0, 0, 1],
        );
        let found = tally.finish();
        assert_eq!((found.images, found.silent), (3, 1));
        assert_eq!(found.accuracy, 2.0 / 3.0);
        assert_eq!(found.accuracy_tie_tolerant, 1.0);
        assert_eq!(found.decision_step_mean, (1 + 3) as f64 / 3.0);
        assert_eq!(found.decision_step_median, 1);
        assert_eq!(found.decision_step_max, 3);
        assert_eq!(found.hidden_spikes_mean, 5.0 / 3.0);
        assert_eq!(found.hidden_spikes_before_decision_mean, 4.0 / 3.0);
        assert_eq!(found.decisions.right, [1, 0, 0, 0]);
        assert_eq!(found.decisions.wrong, [0, 1, 0, 0]);
        assert_eq!(found.decisions.silent_right, 1);
        assert_eq!(found.decisions.silent_wrong, 0);
        let inputs = &found.spike_times[0];
        assert_eq!(inputs.spikes_mean, [2.0 / 3.0, 1.0 / 3.0, 0.0, 0.0]);
        assert_eq!((inputs.never_mean, &inputs.images_of), (1.0, &vec![2, 1]));
        assert_eq!(found.spike_times[1].images_of, [2, 2, 1]);
        assert_eq!(found.spike_times[1].never_mean, 4.0 / 3.0);
        assert_eq!(found.spike_times[2].never_mean, 1.0);
        let share = |images: usize| images as f64 / 3.0;
        assert_eq!(found.accuracy_by_step, [2, 1, 1, 2].map(share));
        assert_eq!(found.confusion.count(1, 0), 1);
    }

    #[test]
    fn the_median_is_the_lower_one_of_an_even_count() {
        assert_eq!(step_by(&[1, 0, 1, 2], 2), 2);
        assert_eq!(step_by(&[2, 0, 0, 2], 2), 0);
    }
}
