//! From the decision back to every neuron: the error that each is trained with.
//!
//! docs/training.md has the equations. Time enters twice: a spike counts for a neuron only when it
//! came no later than the step at which that neuron is judged, and a hidden neuron hands back the
//! errors of those that are judged no earlier than itself.

use super::forward::{Pass, Weights};
use super::kernels::{hand_back, weigh};
use super::latencies::{LatencyLoss, Times};
use super::rule::{Objective, Rule};
use super::softmax::softmax;
use super::teacher::Teaching;

/// What the way back needs to know.
#[derive(Debug, Clone, Copy)]
pub struct Backward<'a> {
    pub rule: Rule,
    /// β: the softmax is taken over β times the margins.
    pub margin_scale: f32,
    /// Hidden neurons this far from their threshold, or further, are not trained by an image; 0: all
    /// are.
    pub window: f32,
    /// What a hidden spike costs, in units of the loss.
    pub spike_cost: f32,
    /// T.
    pub steps: usize,
    /// The loss of [`Objective::Latencies`], where that is the objective.
    pub latency: Option<&'a LatencyLoss>,
}

/// The errors of one layer of one image, one lane a neuron.
#[derive(Debug)]
pub struct Errors<'a> {
    /// ∂L/∂V_j at the step at which neuron j is judged.
    pub errors: &'a mut [f32],
    /// That step: τ_j.
    pub counted_until: &'a mut [f32],
}

/// What the outputs should come to for an image.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    pub label: usize,
    /// Who else has a say.
    pub advice: Option<Advice<'a>>,
}

/// What a teacher says of an image.
#[derive(Debug, Clone, Copy)]
pub struct Advice<'a> {
    pub teaching: Teaching,
    /// Its probability of each class, at the temperature.
    pub probabilities: &'a [f32],
}

impl Backward<'_> {
    /// Whether images must be run beyond their decision.
    pub fn needs_all_steps(&self) -> bool {
        self.rule.objective != Objective::Margins
    }

    /// Fills `layers` (one a layer), and `times` where the loss is one of them, after a pass. Returns the loss of the image.
    ///
    /// `share` scales the errors: one over the number of images of the batch.
    pub fn run(
        &self,
        network: &[Weights],
        pass: &Pass,
        wanted: Wanted,
        share: f32,
        layers: &mut [Errors],
        times: &mut [Times],
    ) -> f32 {
        if let Some(latency) = self.latency {
            let scales = (share, self.spike_cost * share);
            return latency.run(network, pass, wanted.label, scales, layers, times);
        }
        let last = network.len() - 1;
        let of_outputs = match self.rule.objective {
            Objective::Margins => Self::margins,
            _ => Self::spike_times,
        };
        let loss = of_outputs(self, &network[last], pass, wanted, share, &mut layers[last]);
        if self.rule.normalise {
            normalise(layers[last].errors, share);
        }
        for index in (0..last).rev() {
            let (before, after) = layers.split_at_mut(index + 1);
            self.hidden_errors(network, pass, index, share, &mut before[index], &after[0]);
        }
        loss
    }

    /// Softmax cross-entropy on β·(V_k − θ_k) at the step of the decision.
    fn margins(
        &self,
        output: &Weights,
        pass: &Pass,
        wanted: Wanted,
        share: f32,
        to: &mut Errors,
    ) -> f32 {
        let potentials = &pass.layers[pass.layers.len() - 1].potentials;
        let logit = |class: usize| {
            let margin = i32::from(potentials[class]) - i32::from(output.thresholds[class]);
            self.margin_scale * margin as f32
        };
        let classes = output.neurons;
        for (class, to) in to.errors[..classes].iter_mut().enumerate() {
            *to = logit(class);
        }
        let mut loss = softmax(&mut to.errors[..classes]) - logit(wanted.label);
        for (class, error) in to.errors[..classes].iter_mut().enumerate() {
            let target = if class == wanted.label { 1.0 } else { 0.0 };
            *error = self.margin_scale * share * (*error - target);
        }
        if let Some(advice) = wanted.advice {
            loss = self.advised(advice, loss, logit, share, &mut to.errors[..classes]);
        }
        to.errors[classes..].fill(0.0);
        to.counted_until.fill(pass.step as f32);
        loss
    }

    /// From the loss and the errors by the label to those by the label and a teacher: Hinton's, both
    /// sides at the temperature, and its square so that the errors keep their size.
    fn advised(
        &self,
        advice: Advice,
        loss: f32,
        logit: impl Fn(usize) -> f32,
        share: f32,
        errors: &mut [f32],
    ) -> f32 {
        let Teaching {
            share: of_teacher,
            temperature,
            ..
        } = advice.teaching;
        let mut soft: Vec<f32> = (0..errors.len())
            .map(|class| logit(class) / temperature)
            .collect();
        let of_logits = advice.probabilities.iter().zip(&soft);
        let wanted: f32 = of_logits.map(|(wanted, logit)| wanted * logit).sum();
        let surprise = softmax(&mut soft) - wanted;
        let scale = of_teacher * temperature * self.margin_scale * share;
        for (error, (probability, wanted)) in
            errors.iter_mut().zip(soft.iter().zip(advice.probabilities))
        {
            *error = (1.0 - of_teacher) * *error + scale * (probability - wanted);
        }
        (1.0 - of_teacher) * loss + of_teacher * temperature * temperature * surprise
    }

    /// Half the squared distance of the output spikes from their targets, in windows: S4NN's.
    fn spike_times(
        &self,
        output: &Weights,
        pass: &Pass,
        wanted: Wanted,
        share: f32,
        to: &mut Errors,
    ) -> f32 {
        let last_step = (self.steps - 1) as f32;
        let firing = &pass.layers[pass.layers.len() - 1].firing;
        firing.fire_steps(last_step, to.counted_until);
        let times = &to.counted_until[..output.neurons];
        let first = times.iter().copied().fold(last_step, f32::min);
        to.errors.fill(0.0);
        let mut loss = 0.0;
        for (class, (&time, error)) in times.iter().zip(&mut *to.errors).enumerate() {
            let target = match (class == wanted.label, pass.silent) {
                (true, true) => last_step - self.rule.gap,
                (true, false) => first,
                (false, true) => time,
                (false, false) => time.max((first + self.rule.gap).min(last_step)),
            };
            let distance = (time - target) / self.steps as f32;
            loss += 0.5 * distance * distance;
            // ∂L/∂V = ∂L/∂t · ∂t/∂V, and ∂t/∂V = −1.
            *error = -distance * share;
        }
        loss
    }

    fn hidden_errors(
        &self,
        network: &[Weights],
        pass: &Pass,
        index: usize,
        share: f32,
        to: &mut Errors,
        after: &Errors,
    ) {
        let firing = &pass.layers[index].firing;
        match self.rule.objective {
            // Where it fired, or came nearest to it.
            Objective::Margins => {
                for (until, &step) in to.counted_until.iter_mut().zip(&firing.peak_steps) {
                    *until = f32::from(step);
                }
            }
            _ => firing.fire_steps((self.steps - 1) as f32, to.counted_until),
        }
        to.errors.fill(self.spike_cost * share);
        let weights = network[index + 1].by_neuron.chunks_exact(to.errors.len());
        let neurons = weights.zip(&*after.errors).zip(&*after.counted_until);
        for ((weights, &error), &until) in neurons.filter(|((_, error), _)| **error != 0.0) {
            hand_back(to.errors, weights, to.counted_until, error, until);
        }
        if self.window > 0.0 {
            let thresholds = &network[index].thresholds;
            weigh(to.errors, &firing.peaks, thresholds, self.window);
        }
        to.errors[network[index].neurons..].fill(0.0);
        if self.rule.normalise {
            normalise(to.errors, share);
        }
    }
}

/// Scales the errors to a Euclidean norm of `norm`; errors of nothing stay nothing.
pub fn normalise(errors: &mut [f32], norm: f32) {
    let square: f32 = errors.iter().map(|error| error * error).sum();
    if square > 0.0 {
        let scale = norm / square.sqrt();
        errors.iter_mut().for_each(|error| *error *= scale);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::kernels::padded;
    use crate::train::latencies::BatchTimes;
    use crate::train::rule::{Chain, Clock, Latencies, Named, Slope};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    const SIZES: [usize; 4] = [20, 12, 40, 5];
    const STEPS: usize = 8;

    /// Layers of random signs. Errors go back along them or along latent weights of the same signs.
    fn network(chain: Chain, rng: &mut ChaCha8Rng) -> Vec<Weights> {
        (SIZES.windows(2))
            .map(|pair| {
                let mut layer = Weights::new(pair[0], pair[1]);
                for neuron in 0..layer.neurons {
                    layer.thresholds[neuron] = rng.random_range(1..4);
                    for input in 0..layer.inputs {
                        layer.signs[input * layer.width + neuron] =
                            if rng.random() { 1 } else { -1 };
                    }
                }
                let width = padded(layer.inputs);
                layer.by_neuron = vec![0.0; layer.neurons * width];
                for (neuron, row) in layer.by_neuron.chunks_exact_mut(width).enumerate() {
                    for (input, to) in row[..layer.inputs].iter_mut().enumerate() {
                        let sign = f32::from(layer.signs[input * layer.width + neuron]);
                        *to = match chain {
                            Chain::Signs => sign,
                            Chain::Latent => sign * rng.random_range(0.0..1.0),
                        };
                    }
                }
                layer
            })
            .collect()
    }

    /// Spikes and potentials of one image, written down step by step with nothing clever.
    struct Slow {
        /// For each layer, the inputs first: the step at which each fires.
        fires: Vec<Vec<Option<usize>>>,
        /// For each layer, step and neuron.
        potentials: Vec<Vec<Vec<i32>>>,
    }

    fn slow(network: &[Weights], inputs: Vec<Option<usize>>) -> Slow {
        let mut fires = vec![inputs];
        let mut potentials = Vec::new();
        for layer in network {
            let before = &fires[fires.len() - 1];
            let sign =
                |input: usize, neuron: usize| i32::from(layer.signs[input * layer.width + neuron]);
            let at = |step: usize, neuron: usize| -> i32 {
                let spiked = |input: &usize| before[*input].is_some_and(|at| at <= step);
                let inputs = (0..layer.inputs).filter(spiked);
                inputs.map(|input| sign(input, neuron)).sum()
            };
            let of_layer: Vec<Vec<i32>> = (0..STEPS)
                .map(|step| (0..layer.neurons).map(|neuron| at(step, neuron)).collect())
                .collect();
            let fire = |neuron: usize| {
                let threshold = i32::from(layer.thresholds[neuron]);
                of_layer.iter().position(|v| v[neuron] >= threshold)
            };
            fires.push((0..layer.neurons).map(fire).collect());
            potentials.push(of_layer);
        }
        Slow { fires, potentials }
    }

    const TEACHING: Teaching = Teaching {
        hidden: 1,
        share: 0.3,
        temperature: 2.5,
    };

    /// What an image is to come to, as the slow reference has it.
    struct Goal {
        label: usize,
        /// A teacher's probabilities.
        advice: Option<Vec<f64>>,
        /// What the fast way back made of it.
        loss: f32,
    }

    impl Goal {
        /// The loss of these logits, in its plainest form.
        fn loss_of(&self, logits: &[f64]) -> f64 {
            let surprise = |at: f64, wanted: &dyn Fn(usize) -> f64| -> f64 {
                let total: f64 = logits.iter().map(|logit| (logit / at).exp()).sum();
                let classes = 0..logits.len();
                -classes
                    .map(|k| wanted(k) * ((logits[k] / at).exp() / total).ln())
                    .sum::<f64>()
            };
            let by_label = surprise(1.0, &|k| f64::from(u8::from(k == self.label)));
            match &self.advice {
                Some(advice) => 0.7 * by_label + 0.3 * 2.5 * 2.5 * surprise(2.5, &|k| advice[k]),
                None => by_label,
            }
        }
    }

    /// Runs 200 images through random networks and hands each to `check`, with the errors of the fast
    /// way back. Every image has a label, and where `taught` a teacher.
    fn each(
        backward: Backward,
        taught: bool,
        check: impl Fn(&[Weights], &Slow, Goal, &[Vec<f32>], &[Vec<f32>]),
    ) {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for _ in 0..200 {
            let network = network(backward.rule.chain, &mut rng);
            let inputs: Vec<Option<usize>> = (0..SIZES[0])
                .map(|_| rng.random::<bool>().then(|| rng.random_range(0..STEPS)))
                .collect();
            let mut pass = Pass::new(&network);
            for step in 0..STEPS {
                let spikes = (0..SIZES[0] as u16).filter(|&i| inputs[usize::from(i)] == Some(step));
                pass.spikes[0].inputs.extend(spikes);
                pass.spikes[0].end_step();
            }
            pass.run(&network, STEPS, backward.needs_all_steps());
            let width = |layer: &Weights| vec![f32::NAN; layer.width];
            let mut errors: Vec<Vec<f32>> = network.iter().map(width).collect();
            let mut until = errors.clone();
            let mut layers: Vec<Errors> = (errors.iter_mut().zip(&mut until))
                .map(|(errors, counted_until)| Errors {
                    errors,
                    counted_until,
                })
                .collect();
            let room = |layer: &Weights| BatchTimes::new(layer.width);
            let mut times: Vec<BatchTimes> = network.iter().map(room).collect();
            let mut times: Vec<Times> = (times.iter_mut().zip(&network))
                .flat_map(|(times, layer)| times.rows(layer.width))
                .collect();
            let label = rng.random_range(0..SIZES[3]);
            let drawn: Vec<f32> = (0..SIZES[3]).map(|_| rng.random()).collect();
            let total: f32 = drawn.iter().sum();
            let probabilities: Vec<f32> = drawn.iter().map(|weight| weight / total).collect();
            let advice = Advice {
                teaching: TEACHING,
                probabilities: &probabilities,
            };
            let wanted = Wanted {
                label,
                advice: taught.then_some(advice),
            };
            let loss = backward.run(&network, &pass, wanted, 0.25, &mut layers, &mut times);
            for (layer, errors) in network.iter().zip(&errors) {
                assert_eq!(errors.len(), padded(layer.neurons));
                assert!(errors[layer.neurons..].iter().all(|&error| error == 0.0));
            }
            let advice = taught.then(|| probabilities.iter().map(|&p| f64::from(p)).collect());
            let goal = Goal {
                label,
                advice,
                loss,
            };
            check(&network, &slow(&network, inputs), goal, &errors, &until);
        }
    }

    fn close(found: f32, expected: f64) {
        let off = (f64::from(found) - expected).abs();
        assert!(off <= 1e-5 * expected.abs().max(1e-2), "{found} {expected}");
    }

    /// What hidden neuron `neuron` of layer `index` is handed back from the layer after it.
    fn handed_back(
        network: &[Weights],
        index: usize,
        neuron: usize,
        judged: usize,
        (errors, until): (&[Vec<f32>], &[Vec<f32>]),
    ) -> f64 {
        let next = &network[index + 1];
        (0..next.neurons)
            .filter(|&k| judged as f32 <= until[index + 1][k])
            .map(|k| {
                let at = k * padded(next.inputs) + neuron;
                f64::from(errors[index + 1][k]) * f64::from(next.by_neuron[at])
            })
            .sum()
    }

    #[test]
    fn margins_are_those_of_the_equations() {
        margins_are_right(false);
    }

    #[test]
    fn a_teacher_has_its_share_in_the_loss_and_in_every_error() {
        margins_are_right(true);
    }

    fn margins_are_right(taught: bool) {
        let backward = Backward {
            rule: Rule::default(),
            margin_scale: 0.3,
            window: 5.0,
            spike_cost: 0.01,
            steps: STEPS,
            latency: None,
        };
        each(backward, taught, |network, slow, goal, errors, until| {
            let decision = slow.fires[3].iter().flatten().min();
            let decision = decision.copied().unwrap_or(STEPS - 1);
            let margin = |k: usize| {
                let margin = slow.potentials[2][decision][k] - i32::from(network[2].thresholds[k]);
                f64::from(margin)
            };
            // With the margin of one output nudged.
            let loss = |output: usize, nudge: f64| {
                let logit = |k| 0.3 * (margin(k) + if k == output { nudge } else { 0.0 });
                let logits: Vec<f64> = (0..SIZES[3]).map(logit).collect();
                goal.loss_of(&logits)
            };
            let expected = loss(0, 0.0);
            assert!((f64::from(goal.loss) - expected).abs() < 1e-5 * expected.max(1.0));
            for (k, (&error, &until)) in errors[2].iter().zip(&until[2]).enumerate().take(SIZES[3])
            {
                let slope = (loss(k, 1e-4) - loss(k, -1e-4)) / 2e-4;
                close(error, 0.25 * slope);
                assert_eq!(until, decision as f32);
            }
            for index in [1, 0] {
                for j in 0..network[index].neurons {
                    let last = slow.fires[index + 1][j].map_or(decision, |at| at.min(decision));
                    let seen = (0..=last).map(|step| slow.potentials[index][step][j]);
                    // The first of the highest; before the first spike there is nothing to be near to.
                    let first = slow.fires[index].iter().flatten().min().copied();
                    let peak = seen.clone().skip(first.unwrap_or(STEPS)).max();
                    let Some(peak) = peak else {
                        assert_eq!(errors[index][j], 0.0);
                        continue;
                    };
                    let judged = (seen.enumerate())
                        .position(|(step, v)| v == peak && Some(step) >= first)
                        .expect("it is one of them");
                    let margin = f64::from(peak - i32::from(network[index].thresholds[j]));
                    let nearness = (1.0 - (margin + 0.5).abs() / 5.0).max(0.0);
                    let back = handed_back(network, index, j, judged, (errors, until));
                    close(errors[index][j], nearness * (0.01 * 0.25 + back));
                    if nearness > 0.0 {
                        assert_eq!(until[index][j], judged as f32);
                    }
                }
            }
        });
    }

    #[test]
    fn spike_times_are_those_of_the_equations() {
        let backward = Backward {
            rule: Rule {
                gap: 2.0,
                ..Named::Bs4nn.rule(STEPS)
            },
            margin_scale: 0.0,
            window: 0.0,
            spike_cost: 0.0,
            steps: STEPS,
            latency: None,
        };
        each(backward, false, |network, slow, goal, errors, until| {
            let last = STEPS - 1;
            let time = |layer: usize, j: usize| slow.fires[layer + 1][j].unwrap_or(last);
            let unit = |values: Vec<f64>| -> Vec<f64> {
                let norm = values.iter().map(|v| v * v).sum::<f64>().sqrt();
                let scale = if norm > 0.0 { 0.25 / norm } else { 0.0 };
                values.iter().map(|v| v * scale).collect()
            };
            let silent = slow.fires[3].iter().all(Option::is_none);
            let first = (0..SIZES[3])
                .map(|k| time(2, k))
                .min()
                .expect("there are outputs");
            let distances = (0..SIZES[3]).map(|k| {
                let t = time(2, k) as f64;
                let target = match (k == goal.label, silent) {
                    (true, true) => last as f64 - 2.0,
                    (true, false) => first as f64,
                    // Nothing can be later than the last step.
                    (false, false) if t < first as f64 + 2.0 => (first + 2).min(last) as f64,
                    (false, _) => t,
                };
                target - t
            });
            for (k, expected) in unit(distances.collect()).into_iter().enumerate() {
                close(errors[2][k], expected);
            }
            for index in [1, 0] {
                let back = (0..network[index].neurons)
                    .map(|j| handed_back(network, index, j, time(index, j), (errors, until)));
                for (j, expected) in unit(back.collect()).into_iter().enumerate() {
                    close(errors[index][j], expected);
                    assert_eq!(until[index][j], time(index, j) as f32);
                }
            }
        });
    }

    /// How many spikes the training images are taken to have at each step.
    const SPIKES_BY_STEP: [u64; STEPS] = [9, 1, 2, 0, 1, 3, 1, 3];

    #[test]
    fn times_finer_than_a_step_are_those_of_the_equations() {
        for (clock, slope, late) in [
            (Clock::Spikes, Slope::Secant, 0.5),
            (Clock::Steps, Slope::Local, 0.0),
        ] {
            for flag in [true, false] {
                latencies_are_right(
                    Latencies {
                        clock,
                        slope,
                        ramp: flag,
                        deadline: flag,
                    },
                    late,
                );
            }
        }
    }

    /// What a neuron comes to, by the equations.
    struct Moment {
        time: f64,
        moves: f64,
        /// Up to when inputs count, in steps and parts of them.
        until: f64,
    }

    /// `close`, for what is a difference of like numbers.
    fn near(found: f32, expected: f64) {
        let off = (f64::from(found) - expected).abs();
        assert!(off <= 2e-4 * expected.abs().max(1e-2), "{found} {expected}");
    }

    fn latencies_are_right(rule: Latencies, late: f32) {
        let (scale, slopes) = (0.7, (3.0, 2.0));
        let latency = LatencyLoss::new(rule, scale, late, slopes, &SPIKES_BY_STEP);
        let backward = Backward {
            rule: Named::Bstdg.rule(STEPS),
            margin_scale: 0.0,
            window: 0.0,
            spike_cost: 0.01,
            steps: STEPS,
            latency: Some(&latency),
        };
        // The clock: where step t begins, in sixteenths of the window.
        let total = SPIKES_BY_STEP.iter().sum::<u64>() as f64;
        let length = |step: usize| match rule.clock {
            Clock::Steps => 16.0 / STEPS as f64,
            Clock::Spikes => 16.0 * (SPIKES_BY_STEP[step] as f64 / total).max(0.001 / STEPS as f64),
        };
        let start = |step: usize| (0..step).map(length).sum::<f64>();
        let end = start(STEPS);
        each(backward, false, |network, slow, goal, errors, until| {
            let moment = |layer: usize, j: usize| {
                let is_output = layer == 2;
                let threshold = f64::from(network[layer].thresholds[j]);
                let v = |step: usize| f64::from(slow.potentials[layer][step][j]);
                match slow.fires[layer + 1][j] {
                    Some(step) => {
                        let before = if step == 0 { 0.0 } else { v(step - 1) };
                        let part = (threshold - before) / (v(step) - before);
                        let time = start(step) + part * length(step);
                        Moment {
                            time,
                            moves: match (rule.slope, is_output) {
                                (Slope::Secant, true) => time / threshold,
                                _ => length(step) / (v(step) - before),
                            },
                            until: step as f64 + if rule.ramp { part } else { 1.0 },
                        }
                    }
                    None if is_output => Moment {
                        time: end + (threshold - v(STEPS - 1)) / 2.0,
                        moves: 1.0 / 2.0,
                        until: f64::NAN,
                    },
                    None => {
                        // Before the first spike there is nothing to be near to.
                        let first = slow.fires[layer].iter().flatten().min();
                        let steps = first.map_or(STEPS, |&first| first)..STEPS;
                        let peak = steps.clone().map(v).fold(f64::MIN, f64::max);
                        let nearest = steps.clone().find(|&step| v(step) == peak);
                        Moment {
                            time: start(nearest.map_or(0, |step| step) + 1),
                            moves: (1.0 - (threshold - peak) / 6.0).max(0.0) / 3.0,
                            until: STEPS as f64,
                        }
                    }
                }
            };
            let scale = f64::from(scale);
            let outputs: Vec<Moment> = (0..SIZES[3]).map(|k| moment(2, k)).collect();
            let weight = |time: f64| (-scale * time).exp();
            let deadline = if rule.deadline {
                weight(end + 3.0)
            } else {
                0.0
            };
            let sum = outputs.iter().map(|k| weight(k.time)).sum::<f64>() + deadline;
            let loss = -(weight(outputs[goal.label].time) / sum).ln();
            assert!((f64::from(goal.loss) - loss).abs() < 1e-4 * loss.max(1.0));
            for (k, output) in outputs.iter().enumerate() {
                let target = f64::from(u8::from(k == goal.label));
                let error = 0.25 * scale * (weight(output.time) / sum - target) * output.moves;
                near(errors[2][k], error);
                near(until[2][k], output.time);
            }
            for index in [1, 0] {
                for j in 0..network[index].neurons {
                    let of = moment(index, j);
                    let next = &network[index + 1];
                    let back = (0..next.neurons).map(|k| {
                        let lateness = of.time - f64::from(until[index + 1][k]);
                        let counts = match (lateness <= 1e-6, late > 0.0) {
                            (true, _) => 1.0,
                            (false, true) => (-lateness / f64::from(late)).exp(),
                            (false, false) => 0.0,
                        };
                        let sign = next.by_neuron[k * padded(next.inputs) + j];
                        f64::from(errors[index + 1][k]) * f64::from(sign) * counts
                    });
                    let expected = (back.sum::<f64>() + 0.01 * 0.25) * of.moves * 3.0;
                    near(errors[index][j], expected);
                    let counted = if index == 0 { of.until } else { of.time };
                    near(until[index][j], counted);
                }
            }
        });
    }
}
