//! A binarized single-spike network, the spikes that go into it and the decision that comes out.

use thiserror::Error;

/// The most time steps that a network can have: a step fits in a byte.
pub const MAX_STEPS: usize = 256;
/// The most layers of neurons that a network can have (the inputs are not a layer).
pub const MAX_LAYERS: usize = 4;
/// The most inputs of a layer, and the most neurons in one.
pub const MAX_WIDTH: usize = 16_384;
/// The largest threshold.
pub const MAX_THRESHOLD: i32 = 32_767;

/// Why a network, or the spikes for one, cannot be what its parts say.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NetworkError {
    #[error("a network needs between 1 and {MAX_LAYERS} layers, this one has {0}")]
    LayerCount(usize),
    #[error("a network runs for 1 to {MAX_STEPS} time steps, this one for {0}")]
    StepCount(usize),
    #[error("layer {layer} has {found} {what}, which must be between 1 and {MAX_WIDTH}")]
    Width {
        layer: usize,
        what: &'static str,
        found: usize,
    },
    #[error("layer {layer} takes {found} inputs, but {expected} come out of the layer before it")]
    LayerMismatch {
        layer: usize,
        expected: usize,
        found: usize,
    },
    #[error("layer {layer} needs {expected} words of packed signs, {found} were given")]
    SignCount {
        layer: usize,
        expected: usize,
        found: usize,
    },
    #[error("layer {layer}, neuron {neuron}: sign bits beyond the fan-in are set")]
    StraySigns { layer: usize, neuron: usize },
    #[error("layer {layer} needs {expected} thresholds, one a neuron; {found} were given")]
    ThresholdCount {
        layer: usize,
        expected: usize,
        found: usize,
    },
    #[error(
        "layer {layer}, neuron {neuron}: threshold {found} is not between 1 and {MAX_THRESHOLD}"
    )]
    Threshold {
        layer: usize,
        neuron: usize,
        found: i32,
    },
    #[error("the spikes are for {found} inputs, the network has {expected}")]
    InputCount { expected: usize, found: usize },
    #[error("input {input} spikes at step {found}, but the network runs for {steps} steps")]
    SpikeStep {
        input: usize,
        found: usize,
        steps: usize,
    },
}

/// A fully connected layer with weights of -1 and +1 and one integer threshold a neuron.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    inputs: usize,
    neurons: usize,
    signs: Vec<u64>,
    thresholds: Vec<i32>,
}

impl Layer {
    /// A layer from its packed signs and thresholds.
    ///
    /// `signs` holds [`Layer::words_per_neuron`] words a neuron, neuron after neuron; bit `i % 64` of
    /// a neuron's word `i / 64` is 1 where the weight of input `i` is +1. Bits beyond the last input
    /// are 0. The errors name layer 0; [`Network::new`] names the right one.
    pub fn new(
        inputs: usize,
        neurons: usize,
        signs: Vec<u64>,
        thresholds: Vec<i32>,
    ) -> Result<Self, NetworkError> {
        let layer = Layer {
            inputs,
            neurons,
            signs,
            thresholds,
        };
        layer.check(0)?;
        Ok(layer)
    }

    /// A layer from a function that tells whether the weight of (neuron, input) is +1.
    pub fn from_fn(
        inputs: usize,
        thresholds: Vec<i32>,
        mut positive: impl FnMut(usize, usize) -> bool,
    ) -> Result<Self, NetworkError> {
        let neurons = thresholds.len();
        let words = inputs.div_ceil(64);
        let mut signs = vec![0u64; neurons * words];
        for neuron in 0..neurons {
            for input in 0..inputs {
                if positive(neuron, input) {
                    signs[neuron * words + input / 64] |= 1 << (input % 64);
                }
            }
        }
        Layer::new(inputs, neurons, signs, thresholds)
    }

    fn check(&self, layer: usize) -> Result<(), NetworkError> {
        for (what, found) in [("inputs", self.inputs), ("neurons", self.neurons)] {
            if !(1..=MAX_WIDTH).contains(&found) {
                return Err(NetworkError::Width { layer, what, found });
            }
        }
        let words = self.words_per_neuron();
        if self.signs.len() != self.neurons * words {
            return Err(NetworkError::SignCount {
                layer,
                expected: self.neurons * words,
                found: self.signs.len(),
            });
        }
        if self.thresholds.len() != self.neurons {
            return Err(NetworkError::ThresholdCount {
                layer,
                expected: self.neurons,
                found: self.thresholds.len(),
            });
        }
        for (neuron, &found) in self.thresholds.iter().enumerate() {
            if !(1..=MAX_THRESHOLD).contains(&found) {
                return Err(NetworkError::Threshold {
                    layer,
                    neuron,
                    found,
                });
            }
        }
        let used_in_last = self.inputs - (words - 1) * 64;
        if used_in_last < 64 {
            for neuron in 0..self.neurons {
                if self.signs[neuron * words + words - 1] >> used_in_last != 0 {
                    return Err(NetworkError::StraySigns { layer, neuron });
                }
            }
        }
        Ok(())
    }

    /// The fan-in of each neuron.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// The number of neurons.
    pub fn neurons(&self) -> usize {
        self.neurons
    }

    /// How many 64-bit words the packed signs of one neuron take.
    pub fn words_per_neuron(&self) -> usize {
        self.inputs.div_ceil(64)
    }

    /// The packed signs, neuron after neuron: see [`Layer::new`].
    pub fn signs(&self) -> &[u64] {
        &self.signs
    }

    /// The thresholds, one a neuron.
    pub fn thresholds(&self) -> &[i32] {
        &self.thresholds
    }

    /// Whether the weight from `input` to `neuron` is +1.
    pub fn is_positive(&self, neuron: usize, input: usize) -> bool {
        assert!(input < self.inputs);
        let word = self.signs[neuron * self.words_per_neuron() + input / 64];
        word >> (input % 64) & 1 == 1
    }

    /// The weight from `input` to `neuron`: +1 or -1.
    pub fn weight(&self, neuron: usize, input: usize) -> i32 {
        if self.is_positive(neuron, input) {
            1
        } else {
            -1
        }
    }

    /// How many of the weights of `neuron` are +1.
    pub fn positive_weights(&self, neuron: usize) -> usize {
        let words = self.words_per_neuron();
        self.signs[neuron * words..(neuron + 1) * words]
            .iter()
            .map(|word| word.count_ones() as usize)
            .sum()
    }
}

/// A network: layers of neurons that each fire at most once within a number of time steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    steps: usize,
    layers: Vec<Layer>,
}

impl Network {
    /// A network of `layers` over `steps` time steps (T, 1 to 256).
    pub fn new(steps: usize, layers: Vec<Layer>) -> Result<Self, NetworkError> {
        if !(1..=MAX_LAYERS).contains(&layers.len()) {
            return Err(NetworkError::LayerCount(layers.len()));
        }
        if !(1..=MAX_STEPS).contains(&steps) {
            return Err(NetworkError::StepCount(steps));
        }
        for (index, layer) in layers.iter().enumerate() {
            layer.check(index + 1)?;
            if index > 0 && layer.inputs != layers[index - 1].neurons {
                return Err(NetworkError::LayerMismatch {
                    layer: index + 1,
                    expected: layers[index - 1].neurons,
                    found: layer.inputs,
                });
            }
        }
        Ok(Network { steps, layers })
    }

    /// The number of time steps, T.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// The layers, from the one that the inputs reach to the output layer.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The number of inputs, N_0.
    pub fn inputs(&self) -> usize {
        self.layers[0].inputs
    }

    /// The number of output neurons, which is the number of classes.
    pub fn outputs(&self) -> usize {
        self.layers[self.layers.len() - 1].neurons
    }

    /// The sizes N_0, N_1, ..., N_L as the command line writes them: `784,600,10`.
    pub fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![self.inputs()];
        sizes.extend(self.layers.iter().map(Layer::neurons));
        sizes
    }

    /// The number of weights of all layers.
    pub fn weights(&self) -> usize {
        self.layers.iter().map(|l| l.inputs * l.neurons).sum()
    }

    /// Checks that `spikes` can go into this network.
    pub fn check_spikes(&self, spikes: &SpikeTrain) -> Result<(), NetworkError> {
        if spikes.inputs() != self.inputs() {
            return Err(NetworkError::InputCount {
                expected: self.inputs(),
                found: spikes.inputs(),
            });
        }
        for input in 0..spikes.inputs() {
            if let Some(found) = spikes.step(input).filter(|&step| step >= self.steps) {
                return Err(NetworkError::SpikeStep {
                    input,
                    found,
                    steps: self.steps,
                });
            }
        }
        Ok(())
    }
}

/// One spike: at `step`, from `input`. The order is that of time, then of the inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spike {
    pub step: u8,
    pub input: u16,
}

/// What goes into a network: for each input the one step at which it spikes, or silence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpikeTrain {
    steps: Vec<u16>,
}

impl SpikeTrain {
    /// The value of a silent input in [`SpikeTrain::from_raw`] and [`SpikeTrain::raw`].
    pub const SILENT: u16 = u16::MAX;

    /// All of `inputs` silent.
    pub fn silent(inputs: usize) -> Self {
        SpikeTrain {
            steps: vec![Self::SILENT; inputs],
        }
    }

    /// From one value an input: the step of its spike, or [`SpikeTrain::SILENT`].
    pub fn from_raw(steps: Vec<u16>) -> Self {
        SpikeTrain { steps }
    }

    /// One value an input: the step of its spike, or [`SpikeTrain::SILENT`].
    pub fn raw(&self) -> &[u16] {
        &self.steps
    }

    /// The number of inputs, silent ones included.
    pub fn inputs(&self) -> usize {
        self.steps.len()
    }

    /// When `input` spikes, or `None` when it is silent.
    pub fn step(&self, input: usize) -> Option<usize> {
        match self.steps[input] {
            Self::SILENT => None,
            step => Some(step as usize),
        }
    }

    /// The spikes in order of time, those of one step in order of their inputs.
    ///
    /// Only spikes that a network can take are events: [`Network::check_spikes`] comes first.
    pub fn events(&self) -> Vec<Spike> {
        let mut events: Vec<Spike> = (self.steps.iter().enumerate())
            .filter(|(_, &step)| step != Self::SILENT)
            .map(|(input, &step)| Spike {
                step: step as u8,
                input: input as u16,
            })
            .collect();
        events.sort_unstable();
        events
    }
}

/// What a network answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// The index of the output neuron that won.
    pub class: usize,
    /// The step of the first output spike; T-1 when no output fired.
    pub step: usize,
    /// Whether no output fired: the class is then the output that came nearest to its threshold.
    pub silent: bool,
    /// The winner's potential minus its threshold at `step`: negative exactly when `silent`.
    pub overshoot: i32,
}
