//! The cycle-accurate model of the core: the same result as the hardware, after the same clock cycles.
//!
//! It works on the memory image, so it takes part in the layout's mistakes, if there are any, and it
//! adds whole weight rows at a time, so it is fast. It shares nothing with the golden reference.
//! How the core spends its cycles is told in docs/core.md; the names here are those of its states.

use crate::image::MemoryImage;
use crate::network::{Decision, Spike};

/// A decision, and the clock cycles that it took the core from its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inference {
    pub decision: Decision,
    pub cycles: u32,
}

/// The core with one network loaded.
#[derive(Debug, Clone)]
pub struct CycleModel {
    lanes: usize,
    banks: usize,
    last_step: usize,
    outputs: usize,
    layers: Vec<Layer>,
}

/// A layer as the lanes see it: `folds * lanes` neurons, those beyond the last one never firing.
#[derive(Debug, Clone)]
struct Layer {
    neurons: usize,
    folds: usize,
    /// For each input one row of +1 and -1, a value a neuron.
    weights: Vec<i8>,
    start_margins: Vec<i16>,
    margins: Vec<i16>,
    fired: Vec<bool>,
}

impl CycleModel {
    /// The core after `image` was loaded into it.
    pub fn new(image: &MemoryImage) -> Self {
        let (lanes, banks) = (usize::from(image.core.lanes), usize::from(image.core.banks));
        let layers = (image.geometry.layers.iter())
            .map(|place| {
                let (rows, folds) = (usize::from(place.rows), usize::from(place.folds));
                let (inputs, neurons) = (rows * banks, folds * lanes);
                let mut weights = vec![-1; inputs * neurons];
                for bank in 0..banks {
                    for row in 0..rows * folds {
                        let (fold, input) = (row / rows, (row % rows) * banks + bank);
                        let bytes = image.weight_bytes(bank, usize::from(place.base) + row, 1);
                        let at = input * neurons + fold * lanes;
                        for lane in 0..lanes {
                            if bytes[lane / 8] >> (lane % 8) & 1 == 1 {
                                weights[at + lane] = 1;
                            }
                        }
                    }
                }
                let slot = usize::from(place.slot) * lanes;
                let start_margins = image.margins[slot..slot + neurons].to_vec();
                Layer {
                    neurons,
                    folds,
                    weights,
                    margins: start_margins.clone(),
                    start_margins,
                    fired: vec![false; neurons],
                }
            })
            .collect();
        CycleModel {
            lanes,
            banks,
            last_step: usize::from(image.geometry.last_step),
            outputs: usize::from(image.geometry.outputs),
            layers,
        }
    }

    /// Runs one inference. `spikes` are in order of time, as [`crate::network::SpikeTrain::events`]
    /// gives them, and fit the geometry.
    pub fn infer(&mut self, spikes: &[Spike]) -> Inference {
        self.run(spikes, true)
    }

    /// The same without the early exit: the steps after the decision are run as well. The decision is
    /// that of [`CycleModel::infer`]; the cycles are what it saves.
    pub fn infer_to_the_end(&mut self, spikes: &[Spike]) -> Inference {
        self.run(spikes, false)
    }

    fn run(&mut self, spikes: &[Spike], exit: bool) -> Inference {
        for layer in &mut self.layers {
            layer.margins.copy_from_slice(&layer.start_margins);
            layer.fired.fill(false);
        }
        // PROBE and its answer take cycles 1 and 2; `now` is the cycle of the state STEP.
        let mut now = 3;
        let mut first = None;
        for spikes in spikes.chunk_by(|a, b| a.step == b.step) {
            let events: Vec<usize> = spikes.iter().map(|s| usize::from(s.input)).collect();
            let (next, decided) = self.run_step(now + 1, events);
            now = next;
            if decided && first.is_none() {
                let found = self.scan(now, usize::from(spikes[0].step));
                if exit {
                    return found;
                }
                first = Some(found.decision);
            }
        }
        // One more STEP finds no more spikes.
        let end = self.scan(now + 1, self.last_step);
        Inference {
            decision: first.unwrap_or(end.decision),
            ..end
        }
    }

    /// All layers at one step, the first one's state LAYER at cycle `now`. Returns the cycle of the
    /// state that follows, and whether an output fired.
    fn run_step(&mut self, mut now: usize, mut events: Vec<usize>) -> (usize, bool) {
        let last = self.layers.len() - 1;
        for index in 0..=last {
            let layer = &mut self.layers[index];
            layer.add(&events);
            let spikes = layer.fire();
            let words = fullest_bank(&events, self.banks);
            // The first layer learns while it runs its first fold how many words the step has.
            let first_fold_end = if index == 0 {
                now + 1 + words
            } else {
                now + words
            };
            let fold_end = |fold: usize| match index {
                0 if fold == 0 => first_fold_end,
                0 => first_fold_end + 2 + fold * words,
                _ => first_fold_end + fold * words,
            };
            if index == last {
                return (fold_end(layer.folds - 1) + 7, !spikes.is_empty());
            }
            let quiet = extract(layer.folds, self.lanes, self.banks, &spikes, fold_end);
            now = quiet + 1;
            if spikes.is_empty() {
                break;
            }
            events = spikes;
        }
        (now, false)
    }

    /// The greatest margin of the outputs: the state SCAN at cycle `now`, then one cycle a fold and one
    /// an output, and a last one to compare.
    fn scan(&self, now: usize, step: usize) -> Inference {
        let margins = &self.layers[self.layers.len() - 1].margins[..self.outputs];
        let mut class = 0;
        for (index, &margin) in margins.iter().enumerate() {
            if margin > margins[class] {
                class = index;
            }
        }
        let folds = self.outputs.div_ceil(self.lanes);
        Inference {
            decision: Decision {
                class,
                step,
                silent: margins[class] < 0,
                overshoot: i32::from(margins[class]),
            },
            cycles: (now + 1 + folds + self.outputs) as u32,
        }
    }
}

impl Layer {
    fn add(&mut self, events: &[usize]) {
        for &input in events {
            let row = &self.weights[input * self.neurons..(input + 1) * self.neurons];
            for (margin, &weight) in self.margins.iter_mut().zip(row) {
                *margin = margin.wrapping_add(i16::from(weight));
            }
        }
    }

    /// Marks the neurons that fire now, and returns them in order.
    fn fire(&mut self) -> Vec<usize> {
        let mut spikes = Vec::new();
        for (neuron, (&margin, fired)) in self.margins.iter().zip(&mut self.fired).enumerate() {
            if margin >= 0 && !*fired {
                *fired = true;
                spikes.push(neuron);
            }
        }
        spikes
    }
}

/// How many words hold the events of one step: as many as the fullest bank has events.
fn fullest_bank(events: &[usize], banks: usize) -> usize {
    let mut counts = [0; 8];
    for event in events {
        counts[event % banks] += 1;
    }
    counts[..banks].iter().copied().max().unwrap_or(0)
}

/// The cycle in which the pickers have turned the fire masks of all folds into events.
///
/// `fold_end` is the cycle in which the last word of a fold is issued. Its mask can be fetched six
/// cycles later; a fetched mask waits until the mask before it has given up its last spike, at one
/// spike a bank and cycle.
fn extract(
    folds: usize,
    lanes: usize,
    banks: usize,
    spikes: &[usize],
    fold_end: impl Fn(usize) -> usize,
) -> usize {
    let mut spikes = spikes;
    let (mut taken, mut free, mut quiet) = (0, 0, 0);
    for fold in 0..folds {
        let count = spikes.partition_point(|&neuron| neuron < (fold + 1) * lanes);
        let (here, rest) = spikes.split_at(count);
        spikes = rest;
        let picks = fullest_bank(here, banks);
        let fetched = taken.max(fold_end(fold) + 6);
        taken = free.max(fetched + 1);
        free = taken + picks.max(1);
        quiet = taken + picks + 1;
    }
    quiet
}
