//! Spike times finer than a step, and the loss that is taken of them alone.
//!
//! docs/training.md has the equations. A potential is read as a polyline through its values at the ends of the
//! steps, so a neuron fires where the line crosses its threshold, and that time has a derivative.

use super::backward::Errors;
use super::forward::{LayerState, Pass, Weights};
use super::kernels::{exponentials, hand_back_two_sided};
use super::rule::{Clock, Latencies, Slope};
use super::samples::Spikes;
use super::softmax::softmax;

/// The length of the window, in ticks of the clock that the loss reads, whatever T is.
const TICKS: f32 = 16.0;

/// The least length of a step, in steps of equal length: for those at which hardly any input spikes.
const LEAST_STEP: f32 = 1e-3;

/// A hidden neuron that misses its threshold by no more than it rises in so many ticks learns, the more the less it
/// misses.
const MISSED_BY: f32 = 2.0;

/// The deadline that the label is to come before, in ticks after the end of the window.
const GRACE: f32 = 3.0;

/// What the loss of spike times needs to know of a run.
#[derive(Debug, Clone)]
pub struct LatencyLoss {
    rule: Latencies,
    /// β: the softmax is taken over −β times the times, in ticks.
    scale: f32,
    /// The time constant, in ticks, of spikes that come too late; 0: they count for nothing.
    late: f32,
    /// How fast a neuron that never fires is taken to rise, in potential a tick: hidden ones, outputs.
    silent_slopes: (f32, f32),
    /// Where each step begins, in ticks, and last the end of the window.
    starts: Vec<f32>,
}

/// The times of one layer of one image, one lane a neuron.
#[derive(Debug)]
pub struct Times<'a> {
    /// t̃_j, in ticks: when neuron j fires; of hidden neurons that never fire, when they come nearest to it.
    pub times: &'a mut [f32],
    /// −∂t̃_j/∂V_j, in ticks. Of hidden neurons that never fire, times how little they miss.
    pub moves: &'a mut [f32],
    /// e^((t̃_j − m) / late) · ∂L/∂V_j, with m the middle of the window.
    pub late_errors: &'a mut [f32],
    /// e^(−(t̃_j − m) / late).
    pub late_shares: &'a mut [f32],
}

/// The [`Times`] of one layer of a batch, one row of lanes an image.
#[derive(Debug, Default)]
pub struct BatchTimes {
    pub times: Vec<f32>,
    pub moves: Vec<f32>,
    pub late_errors: Vec<f32>,
    pub late_shares: Vec<f32>,
}

impl BatchTimes {
    pub fn new(lanes: usize) -> Self {
        let room = || vec![0.0; lanes];
        BatchTimes {
            times: room(),
            moves: room(),
            late_errors: room(),
            late_shares: room(),
        }
    }

    /// Those of each image, in rows of `width` lanes.
    pub fn rows(&mut self, width: usize) -> impl Iterator<Item = Times<'_>> {
        let late = (self.late_errors.chunks_exact_mut(width))
            .zip(self.late_shares.chunks_exact_mut(width));
        (self
            .times
            .chunks_exact_mut(width)
            .zip(self.moves.chunks_exact_mut(width)))
        .zip(late)
        .map(|((times, moves), (late_errors, late_shares))| Times {
            times,
            moves,
            late_errors,
            late_shares,
        })
    }
}

impl LatencyLoss {
    /// `spikes_by_step` are the spikes of the training images at each step; `silent_slopes` is in potential a tick.
    pub fn new(
        rule: Latencies,
        scale: f32,
        late: f32,
        silent_slopes: (f32, f32),
        spikes_by_step: &[u64],
    ) -> Self {
        let steps = spikes_by_step.len() as f32;
        let total = spikes_by_step.iter().sum::<u64>().max(1) as f64;
        let shares = spikes_by_step.iter().map(|&spikes| match rule.clock {
            Clock::Steps => 1.0 / steps,
            Clock::Spikes => ((spikes as f64 / total) as f32).max(LEAST_STEP / steps),
        });
        let mut starts = vec![0.0];
        let mut end = 0.0;
        starts.extend(shares.map(|share| {
            end += TICKS * share;
            end
        }));
        LatencyLoss {
            rule,
            scale,
            late,
            silent_slopes,
            starts,
        }
    }

    /// The end of the window, in ticks.
    fn end(&self) -> f32 {
        self.starts[self.starts.len() - 1]
    }

    /// Whether spikes that come too late count at all.
    fn counts_late(&self) -> bool {
        self.late > 0.0
    }

    /// Fills `layers` and `times` (one a layer) after a pass through all steps. Returns the loss of the image.
    ///
    /// `share` scales the errors. `spike_cost` is the error that each hidden neuron has besides. Of the first
    /// layer `counted_until` is where its neurons fire, in steps and parts of them; of the others it is t̃.
    pub fn run(
        &self,
        network: &[Weights],
        pass: &Pass,
        label: usize,
        (share, spike_cost): (f32, f32),
        layers: &mut [Errors],
        times: &mut [Times],
    ) -> f32 {
        let last = network.len() - 1;
        for (index, weights) in network.iter().enumerate() {
            let until = &mut *layers[index].counted_until;
            let (state, spikes) = (&pass.layers[index], &pass.spikes[index]);
            self.read_times(
                (weights, index == last),
                state,
                spikes,
                &mut times[index],
                until,
            );
            if index > 0 {
                until.copy_from_slice(times[index].times);
            }
        }
        let classes = network[last].neurons;
        let loss = self.outputs(label, classes, share, &times[last], layers[last].errors);
        for index in (0..last).rev() {
            let (before, after) = layers.split_at_mut(index + 1);
            let (times_before, times_after) = times.split_at_mut(index + 1);
            self.hidden(
                (&network[index], &network[index + 1]),
                spike_cost,
                before[index].errors,
                &mut times_before[index],
                after[0].errors,
                &mut times_after[0],
            );
        }
        loss
    }

    /// When each neuron fires, and how far that moves.
    fn read_times(
        &self,
        (weights, is_output): (&Weights, bool),
        state: &LayerState,
        spikes: &Spikes,
        to: &mut Times,
        until: &mut [f32],
    ) {
        let (hidden, output) = self.silent_slopes;
        let end = self.end();
        to.times.fill(end);
        to.moves.fill(0.0);
        until.fill((self.starts.len() - 1) as f32);
        for neuron in 0..weights.neurons {
            let threshold = weights.thresholds[neuron];
            let (time, moves) = match is_output {
                // When it would fire if it rose on.
                true => {
                    let missing = f32::from(threshold) - f32::from(state.potentials[neuron]);
                    (end + missing / output, 1.0 / output)
                }
                // When it comes nearest to firing.
                false => {
                    let missing = f32::from(threshold) - f32::from(state.firing.peaks[neuron]);
                    let nearness = (1.0 - missing / (MISSED_BY * hidden)).max(0.0);
                    let step = state.firing.peak_steps[neuron] as usize;
                    (self.starts[step + 1], nearness / hidden)
                }
            };
            to.times[neuron] = time;
            to.moves[neuron] = moves;
        }
        for (neuron, step) in state.firing.fired() {
            let potential = state.firing.peaks[neuron];
            let threshold = weights.thresholds[neuron];
            let rise = match step {
                0 => potential,
                // Few neurons fire later, and few spikes come then.
                _ => (spikes.at(step).iter())
                    .map(|&input| {
                        i16::from(weights.signs[usize::from(input) * weights.width + neuron])
                    })
                    .sum(),
            };
            let missing = threshold - (potential - rise);
            let part = f32::from(missing) / f32::from(rise);
            let (start, end) = (self.starts[step], self.starts[step + 1]);
            let time = start + (end - start) * part;
            to.times[neuron] = time;
            to.moves[neuron] = match (self.rule.slope, is_output) {
                (Slope::Secant, true) => time / f32::from(threshold),
                _ => (end - start) / f32::from(rise),
            };
            until[neuron] = step as f32 + if self.rule.ramp { part } else { 1.0 };
        }
    }

    /// The cross-entropy of a softmax over −β·t̃_k and, where there is one, over −β times the deadline.
    fn outputs(
        &self,
        label: usize,
        classes: usize,
        share: f32,
        times: &Times,
        errors: &mut [f32],
    ) -> f32 {
        let mut shares: Vec<f32> = (times.times[..classes].iter())
            .map(|time| -self.scale * time)
            .collect();
        if self.rule.deadline {
            shares.push(-self.scale * (self.end() + GRACE));
        }
        let of_label = shares[label];
        let loss = softmax(&mut shares) - of_label;
        errors.fill(0.0);
        for class in 0..classes {
            let target = if class == label { 1.0 } else { 0.0 };
            let error = self.scale * share * (shares[class] - target);
            errors[class] = error * times.moves[class];
        }
        loss
    }

    /// What the next layer hands back to a hidden one.
    fn hidden(
        &self,
        (weights, next): (&Weights, &Weights),
        spike_cost: f32,
        errors: &mut [f32],
        times: &mut Times,
        next_errors: &[f32],
        next_times: &mut Times,
    ) {
        self.late_factors(1.0, next_times.times, next_times.late_errors);
        for (late, error) in next_times.late_errors.iter_mut().zip(next_errors) {
            *late *= error;
        }
        self.late_factors(-1.0, times.times, times.late_shares);
        errors.fill(spike_cost);
        let rows = next.by_neuron.chunks_exact(errors.len());
        let neurons = rows.zip(next_errors);
        let judged = next_times.times.iter().zip(&*next_times.late_errors);
        for ((row, &error), (&until, &late_error)) in neurons.zip(judged) {
            hand_back_two_sided(
                errors,
                row,
                times.times,
                times.late_shares,
                error,
                until,
                late_error,
            );
        }
        // In units of the slope of those that never fire: Adam makes nothing of the unit.
        for (error, moves) in errors.iter_mut().zip(&*times.moves) {
            *error *= moves * self.silent_slopes.0;
        }
        errors[weights.neurons..].fill(0.0);
    }

    /// e^(±(t̃ − m) / late), or nothing where late spikes do not count.
    fn late_factors(&self, sign: f32, times: &[f32], to: &mut [f32]) {
        if !self.counts_late() {
            to.fill(0.0);
            return;
        }
        let (middle, rate) = (TICKS / 2.0, sign / self.late);
        for (to, time) in to.iter_mut().zip(times) {
            *to = (time - middle) * rate;
        }
        exponentials(to);
    }
}
