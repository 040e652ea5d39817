//! The cycle-accurate model of the core: the same result as the hardware, after the same clock cycles.
//!
//! It works on the memory image, so it takes part in the layout's mistakes, if there are any, and it
//! adds whole weight rows at a time, so it is fast. It shares nothing with the golden reference.
//! How the core spends its cycles is told in docs/core.md; the names here are those of its states.

use crate::config::{CHUNK_WORDS, SAME_FOLD, STEPS_UNDER_WAY};
use crate::image::MemoryImage;
use crate::network::{Decision, Spike};
use std::collections::VecDeque;

/// A decision, and the clock cycles that it took the core from its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inference {
    pub decision: Decision,
    pub cycles: u32,
}

/// What the core does to save cycles. It does all of it; the model can tell what each is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Savings {
    /// The first output spike ends the inference.
    pub exit: bool,
    /// Steps without spikes take no run. Otherwise each layer runs at each step, with one empty word a fold at least.
    pub skip: bool,
    /// The steps that are under way together, [`STEPS_UNDER_WAY`] at most.
    pub steps_under_way: usize,
}

impl Savings {
    /// All of them: the core as it is.
    pub const ALL: Savings = Savings {
        exit: true,
        skip: true,
        steps_under_way: STEPS_UNDER_WAY,
    };
    /// All but the exit: the steps after the decision are run as well.
    pub const NO_EXIT: Savings = Savings {
        exit: false,
        ..Savings::ALL
    };
}

/// From the cycle in which a word is issued to the one in which the first beat of its chunk has fired. Late weights
/// take one more.
const TO_FIRE: usize = 8;

/// The core with one network loaded.
#[derive(Debug, Clone)]
pub struct CycleModel {
    lanes: usize,
    banks: usize,
    beats: usize,
    /// From the cycle in which a word is issued to the one in which the first beat of its chunk has fired.
    to_fire: usize,
    /// Whether a margin that is scanned comes a cycle later.
    late_margins: bool,
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
        let beats = usize::from(image.core.beats);
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
            beats,
            to_fire: TO_FIRE + usize::from(image.core.late_weights()),
            late_margins: image.core.late_margins(),
            last_step: usize::from(image.geometry.last_step),
            outputs: usize::from(image.geometry.outputs),
            layers,
        }
    }

    /// Runs one inference. `spikes` are in order of time, as [`crate::network::SpikeTrain::events`]
    /// gives them, and fit the geometry.
    pub fn infer(&mut self, spikes: &[Spike]) -> Inference {
        self.infer_with(spikes, Savings::ALL)
    }

    /// The same decision, in the cycles of a core that saves no more than `savings`.
    pub fn infer_with(&mut self, spikes: &[Spike], savings: Savings) -> Inference {
        for layer in &mut self.layers {
            layer.margins.copy_from_slice(&layer.start_margins);
            layer.fired.fill(false);
        }
        let last = self.layers.len() - 1;
        let mut steps = self.steps(spikes, savings.skip).peekable();
        let mut schedule = Schedule::new(self, savings);
        let mut decision = None;
        loop {
            let run = match schedule.choose(steps.peek().is_some(), last) {
                Choice::Inputs => steps.next().expect("there is one"),
                Choice::Hidden(run) => run,
                Choice::Wait => continue,
                Choice::End => break,
            };
            let layer = &mut self.layers[run.layer];
            layer.add(&run.events);
            let spikes = layer.fire();
            let words = fullest_bank(&run.events, self.banks).max(1);
            let fold_ends = schedule.issue(run.layer, layer.folds, words);
            if run.layer < last {
                schedule.extract(run.layer, run.step, &fold_ends, spikes);
                continue;
            }
            let settled = schedule.settle(&fold_ends);
            if decision.is_none() && !spikes.is_empty() {
                decision = Some(self.decide(Some(run.step)));
                if savings.exit {
                    schedule.now = settled + 1;
                    break;
                }
            }
        }
        Inference {
            decision: decision.unwrap_or_else(|| self.decide(None)),
            cycles: self.scanned(schedule.now) as u32,
        }
    }

    /// The runs of layer 1, made when they are asked for: one for each step with spikes, or for each step.
    fn steps<'a>(&self, spikes: &'a [Spike], skip: bool) -> Box<dyn Iterator<Item = Run> + 'a> {
        let with_spikes = spikes.chunk_by(|a, b| a.step == b.step).map(|spikes| Run {
            layer: 0,
            step: usize::from(spikes[0].step),
            events: spikes.iter().map(|s| usize::from(s.input)).collect(),
        });
        if skip {
            return Box::new(with_spikes);
        }
        let mut with_spikes = with_spikes.peekable();
        Box::new((0..=self.last_step).map(move |step| {
            with_spikes.next_if(|run| run.step == step).unwrap_or(Run {
                layer: 0,
                step,
                events: Vec::new(),
            })
        }))
    }

    /// The greatest margin of the outputs wins, of equal ones the first.
    fn decide(&self, decided_at: Option<usize>) -> Decision {
        let margins = &self.layers[self.layers.len() - 1].margins[..self.outputs];
        let mut class = 0;
        for (index, &margin) in margins.iter().enumerate() {
            if margin > margins[class] {
                class = index;
            }
        }
        Decision {
            class,
            step: decided_at.unwrap_or(self.last_step),
            silent: margins[class] < 0,
            overshoot: i32::from(margins[class]),
        }
    }

    /// The cycles of an inference whose state SCAN is in cycle `now`: then come one cycle a row of
    /// outputs, one an output, and a last one to compare, or two.
    fn scanned(&self, now: usize) -> usize {
        let rows = self.outputs.div_ceil(self.lanes / self.beats);
        now + 1 + rows + self.outputs + usize::from(self.late_margins)
    }
}

/// One layer at one step, ready to run.
struct Run {
    layer: usize,
    step: usize,
    events: Vec<usize>,
}

/// What the sequencer does next.
enum Choice {
    /// Layer 1 at the next step that has input spikes.
    Inputs,
    /// A deeper layer.
    Hidden(Run),
    /// Nothing in this cycle.
    Wait,
    /// The input is over and everything is done.
    End,
}

/// When the core does what. All times are clock cycles from the start of the inference.
struct Schedule {
    beats: usize,
    banks: usize,
    lanes: usize,
    to_fire: usize,
    savings: Savings,
    /// The state CHOOSE.
    now: usize,
    /// The last chunk's last word was issued.
    chunk_end: Option<usize>,
    /// The layer that ran last.
    layer: Option<usize>,
    /// Steps that were begun and have neither come to the output layer nor ended on the way.
    under_way: usize,
    /// Some of them will have ended on the way from these cycles on.
    dead_ends: VecDeque<usize>,
    /// The output layer's last run has been looked at for spikes.
    settled: usize,
    /// From this cycle on the pickers take another mask.
    pickers_free: usize,
    /// The last mask went to the pickers.
    taken: usize,
    /// Deeper layers that can be run, from the given cycle on, in the order in which their events came.
    ready: VecDeque<(usize, Run)>,
}

impl Schedule {
    /// An inference begins with the state CHOOSE.
    fn new(core: &CycleModel, savings: Savings) -> Self {
        Schedule {
            beats: core.beats,
            banks: core.banks,
            lanes: core.lanes,
            to_fire: core.to_fire,
            savings,
            now: 1,
            chunk_end: None,
            layer: None,
            under_way: 0,
            dead_ends: VecDeque::new(),
            settled: 0,
            pickers_free: 0,
            taken: 0,
            ready: VecDeque::new(),
        }
    }

    /// The state CHOOSE: a deeper layer first, else the next step, if not too many are under way. The output
    /// layer waits until its last run has settled: its margins are the result if that run decides.
    fn choose(&mut self, inputs: bool, last: usize) -> Choice {
        while self
            .dead_ends
            .front()
            .is_some_and(|&cycle| cycle <= self.now)
        {
            self.dead_ends.pop_front();
            self.under_way -= 1;
        }
        let settled = self.settled < self.now;
        let is_output = |layer| layer == last;
        if let Some((from, run)) = self.ready.front() {
            if *from <= self.now && (settled || !is_output(run.layer)) {
                let (_, run) = self.ready.pop_front().expect("there is one");
                self.under_way -= usize::from(is_output(run.layer));
                return Choice::Hidden(run);
            }
        }
        if inputs && self.under_way < self.savings.steps_under_way && (settled || !is_output(0)) {
            self.under_way += usize::from(!is_output(0));
            return Choice::Inputs;
        }
        if !inputs && self.under_way == 0 && settled {
            self.now += 1;
            return Choice::End;
        }
        self.now += 1;
        Choice::Wait
    }

    /// Issues all words of a layer after CHOOSE, one a cycle, and returns the cycle of each fold's last one. Words
    /// wait where a chunk would end too early after the one before: its beats need the adders, or the margins.
    fn issue(&mut self, layer: usize, folds: usize, words: usize) -> Vec<usize> {
        let (other_fold, same_fold) = (self.beats, self.beats.max(SAME_FOLD));
        let mut next = self.now + 1;
        let mut ends = Vec::with_capacity(folds);
        for fold in 0..folds {
            for first in (0..words).step_by(CHUNK_WORDS) {
                let again = fold == 0 && folds == 1 && self.layer == Some(layer);
                let apart = if first > 0 || again {
                    same_fold
                } else {
                    other_fold
                };
                let words_here = (words - first).min(CHUNK_WORDS);
                let free = self.chunk_end.map_or(0, |end| end + apart);
                let end = (next + words_here - 1).max(free);
                self.chunk_end = Some(end);
                next = end + 1;
            }
            ends.push(next - 1);
        }
        self.layer = Some(layer);
        self.now = next;
        ends
    }

    /// The fire masks of a hidden layer become events of the next one.
    ///
    /// A mask comes with each beat; it is fetched a cycle later at the earliest, and waits until the mask before it
    /// has given up its last spike, at one spike a bank and cycle.
    fn extract(&mut self, layer: usize, step: usize, fold_ends: &[usize], spikes: Vec<usize>) {
        let group = self.lanes / self.beats;
        let mut rest = spikes.as_slice();
        for (fold, end) in fold_ends.iter().enumerate() {
            for beat in 0..self.beats {
                let beyond = fold * self.lanes + (beat + 1) * group;
                let (here, later) = rest.split_at(rest.partition_point(|&neuron| neuron < beyond));
                rest = later;
                let fetched = self.taken.max(end + self.to_fire + beat + 1);
                self.taken = self.pickers_free.max(fetched + 1);
                self.pickers_free = self.taken + fullest_bank(here, self.banks).max(1);
            }
        }
        self.pickers_free += 2;
        if spikes.is_empty() && self.savings.skip {
            self.dead_ends.push_back(self.pickers_free);
        } else {
            let run = Run {
                layer: layer + 1,
                step,
                events: spikes,
            };
            self.ready.push_back((self.pickers_free, run));
        }
    }

    /// The output layer was run: the cycle in which the sequencer learns whether an output fired.
    fn settle(&mut self, fold_ends: &[usize]) -> usize {
        self.settled = fold_ends[fold_ends.len() - 1] + self.to_fire + self.beats;
        self.settled
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
