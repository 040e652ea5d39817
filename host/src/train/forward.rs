//! The network run fast: event by event, all neurons of a layer at once.
//!
//! This is for training and for validation while training. It shares nothing with the golden
//! reference, and a test holds the two against each other.

use super::kernels::{advance, padded, Firing};
use super::samples::Spikes;

/// One layer as the loops want it.
#[derive(Debug, Clone)]
pub struct Weights {
    pub inputs: usize,
    pub neurons: usize,
    /// Lanes in a row of `signs`: the neurons, padded.
    pub width: usize,
    /// One row of +1 and −1 for each input.
    pub signs: Vec<i8>,
    /// What errors go back along: one row for each neuron, padded too. Only the trainer has it, and
    /// only of layers that have one before them.
    pub by_neuron: Vec<f32>,
    /// One threshold a neuron; the padding can never reach its own.
    pub thresholds: Vec<i16>,
}

impl Weights {
    /// A layer whose weights are all −1 and whose thresholds are out of reach.
    pub fn new(inputs: usize, neurons: usize) -> Self {
        let width = padded(neurons);
        Weights {
            inputs,
            neurons,
            width,
            signs: vec![-1; inputs * width],
            by_neuron: Vec::new(),
            thresholds: vec![i16::MAX; width],
        }
    }
}

/// The state of one image on its way through the network.
#[derive(Debug, Clone)]
pub struct Pass {
    /// What goes into each layer, first the image: as far as time has come.
    pub spikes: Vec<Spikes>,
    /// One a layer.
    pub layers: Vec<LayerState>,
    /// The step of the decision: that of the first output spike, or the last step.
    pub step: usize,
    /// The last step that was run: that of the decision, unless all were asked for.
    pub last_step: usize,
    /// Whether no output fired.
    pub silent: bool,
    /// The output that wins.
    pub class: usize,
    /// The winner's potential minus its threshold.
    pub overshoot: i32,
    outputs: Vec<u16>,
}

/// The neurons of one layer, one lane each.
#[derive(Debug, Clone)]
pub struct LayerState {
    pub potentials: Vec<i16>,
    pub firing: Firing,
}

impl Pass {
    /// Room for a pass through layers like these that keeps the peaks of the neurons, for training.
    pub fn new(network: &[Weights]) -> Self {
        Self::with(network, true)
    }

    /// Room for a pass that does not.
    pub fn without_peaks(network: &[Weights]) -> Self {
        Self::with(network, false)
    }

    fn with(network: &[Weights], keeps_peaks: bool) -> Self {
        let layers: Vec<LayerState> = (network.iter())
            .map(|weights| LayerState {
                potentials: vec![0; weights.width],
                firing: Firing::new(weights.width, keeps_peaks),
            })
            .collect();
        Pass {
            spikes: vec![Spikes::default(); layers.len()],
            layers,
            step: 0,
            last_step: 0,
            silent: true,
            class: 0,
            overshoot: 0,
            outputs: Vec::new(),
        }
    }

    /// Runs the image in `self.spikes[0]` until the first output spike, or through all `steps` where
    /// `to_the_end` is set or no output spikes.
    pub fn run(&mut self, network: &[Weights], steps: usize, to_the_end: bool) {
        for (state, weights) in self.layers.iter_mut().zip(network) {
            state.potentials.fill(0);
            state.firing.reset(&weights.thresholds);
        }
        for spikes in &mut self.spikes[1..] {
            spikes.clear();
        }
        self.outputs.clear();
        self.silent = true;
        let output = &network[network.len() - 1];
        for step in 0..steps {
            self.run_step(network, step);
            self.last_step = step;
            if self.silent && !self.outputs.is_empty() {
                self.silent = false;
                self.decide(output, step);
                if !to_the_end {
                    break;
                }
            }
        }
        if self.silent {
            self.decide(output, steps - 1);
        }
        for state in &mut self.layers {
            state.firing.settle();
        }
    }

    /// All layers at one step.
    fn run_step(&mut self, network: &[Weights], step: usize) {
        let last = network.len() - 1;
        for (index, weights) in network.iter().enumerate() {
            let (before, after) = self.spikes.split_at_mut(index + 1);
            let spikes = before[index].at(step);
            let state = &mut self.layers[index];
            let fired = match after.first_mut() {
                Some(next) => &mut next.inputs,
                None => &mut self.outputs,
            };
            // Without a new spike no potential moves, so nobody can fire who has not.
            if !spikes.is_empty() {
                let LayerState { potentials, firing } = state;
                advance(potentials, firing, &weights.signs, spikes, step, fired);
            }
            if index < last {
                after[0].end_step();
            }
        }
    }

    /// The greatest overshoot wins, then the lower index: who has just fired is at or above its
    /// threshold, everybody else is below, so this picks among those who fired when there are any.
    fn decide(&mut self, output: &Weights, step: usize) {
        self.step = step;
        let potentials = &self.layers[self.layers.len() - 1].potentials[..output.neurons];
        let mut best = (i32::MIN, 0);
        for (class, (&potential, &threshold)) in
            (potentials.iter().zip(&output.thresholds)).enumerate()
        {
            let overshoot = i32::from(potential) - i32::from(threshold);
            if overshoot > best.0 {
                best = (overshoot, class);
            }
        }
        (self.overshoot, self.class) = best;
    }
}
