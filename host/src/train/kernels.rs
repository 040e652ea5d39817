//! The inner loops, over rows of padded lanes.
//!
//! Each is plain Rust that the compiler vectorises, compiled three times: for every x86-64, for AVX2 and
//! for AVX-512. No lane's sum depends on how many lanes go together and nothing is fused, so all give the
//! same bits, as does every other architecture.

use super::by_input::ByInput;
use super::latent::{Block, Counting, Learned, Parameters};

/// Rows are padded to a multiple of this many lanes.
pub const LANES: usize = 32;

/// A number for each neuron of a block of them.
pub type Lanes = [f32; LANES];

/// How many lanes a row of `neurons` takes.
pub fn padded(neurons: usize) -> usize {
    neurons.next_multiple_of(LANES)
}

/// What is known of the neurons of a layer about firing, one lane each.
///
/// While an image runs, a neuron that has fired has a limit and a peak that no potential reaches, so
/// that it neither fires nor peaks again; [`Firing::settle`] puts its true peak back.
#[derive(Debug, Clone)]
pub struct Firing {
    /// The potential at which each fires.
    limits: Vec<i16>,
    /// Whether peaks are kept: only training looks at them.
    keeps_peaks: bool,
    /// The highest potential so far, that at which it fired included and none after it.
    pub peaks: Vec<i16>,
    /// The step at which that was first reached.
    pub peak_steps: Vec<i16>,
    fired: Vec<Fired>,
    /// Room to work in: 1 for whoever reaches its limit.
    reach: Vec<u8>,
}

/// A neuron that has fired.
#[derive(Debug, Clone, Copy)]
struct Fired {
    neuron: u16,
    step: i16,
    /// What it fired at.
    potential: i16,
}

/// A potential that no neuron has: fan-ins end at 16,384.
const OUT_OF_REACH: i16 = i16::MAX;

impl Firing {
    pub fn new(width: usize, keeps_peaks: bool) -> Self {
        Firing {
            limits: vec![OUT_OF_REACH; width],
            keeps_peaks,
            peaks: vec![i16::MIN; width],
            peak_steps: vec![0; width],
            fired: Vec::new(),
            reach: vec![0; width],
        }
    }

    /// Nobody has fired, and no potential has been seen.
    pub fn reset(&mut self, thresholds: &[i16]) {
        self.limits.copy_from_slice(thresholds);
        if self.keeps_peaks {
            self.peaks.fill(i16::MIN);
            self.peak_steps.fill(0);
        }
        self.fired.clear();
    }

    /// The image is over: the peaks of those that fired are what they were at.
    pub fn settle(&mut self) {
        for fired in &self.fired {
            self.peaks[usize::from(fired.neuron)] = fired.potential;
        }
    }

    /// Who has fired, and at which step.
    pub fn fired(&self) -> impl Iterator<Item = (usize, usize)> + Clone + '_ {
        let fired = self.fired.iter();
        fired.map(|fired| (usize::from(fired.neuron), fired.step as usize))
    }

    /// The step at which each neuron fired, or `never`.
    pub fn fire_steps(&self, never: f32, steps: &mut [f32]) {
        steps.fill(never);
        for (neuron, step) in self.fired() {
            steps[neuron] = step as f32;
        }
    }
}

macro_rules! for_each_cpu {
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $kind:ty),* $(,)?) $(-> $result:ty)? $body:block) => {
        $(#[$doc])*
        $vis fn $name($($arg: $kind),*) $(-> $result)? {
            #[inline(always)]
            fn portable($($arg: $kind),*) $(-> $result)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
                unsafe fn with_avx512($($arg: $kind),*) $(-> $result)? {
                    portable($($arg),*)
                }
                #[target_feature(enable = "avx2")]
                unsafe fn with_avx2($($arg: $kind),*) $(-> $result)? {
                    portable($($arg),*)
                }
                match $crate::train::Simd::in_use() {
                    // SAFETY: what is in use is what the processor has said that it has.
                    $crate::train::Simd::Avx512 => return unsafe { with_avx512($($arg),*) },
                    // SAFETY: the same.
                    $crate::train::Simd::Avx2 => return unsafe { with_avx2($($arg),*) },
                    $crate::train::Simd::Portable => (),
                }
            }
            portable($($arg),*)
        }
    };
}
pub(super) use for_each_cpu;

/// As many signs as a byte can count.
const SIGNS_A_BYTE: usize = 124;

for_each_cpu! {
    /// One step of a layer: adds the weight rows of `inputs` to the potentials, V_j += Σ_i w_ji, and
    /// lets the neurons fire that reach their limit. These are appended to `fired`, in order.
    ///
    /// `weights` has one row of `potentials.len()` signs for each input.
    pub fn advance(
        potentials: &mut [i16],
        firing: &mut Firing,
        weights: &[i8],
        inputs: &[u16],
        step: usize,
        fired: &mut Vec<u16>,
    ) {
        let width = potentials.len();
        let mut start = 0;
        // As many lanes at a time as have room in registers, over all inputs.
        while start + 4 * LANES <= width {
            accumulate::<4>(&mut potentials[start..], &weights[start..], width, inputs);
            start += 4 * LANES;
        }
        while start < width {
            accumulate::<1>(&mut potentials[start..], &weights[start..], width, inputs);
            start += LANES;
        }
        if firing.keeps_peaks {
            let (peaks, steps) = (&mut firing.peaks[..width], &mut firing.peak_steps[..width]);
            // Masks and not conditions: what is always stored is stored many lanes at a time.
            for lane in 0..width {
                let rises = -i16::from(potentials[lane] > peaks[lane]);
                peaks[lane] = peaks[lane].max(potentials[lane]);
                steps[lane] = (step as i16 & rises) | (steps[lane] & !rises);
            }
        }
        let (limits, reach) = (&mut firing.limits[..width], &mut firing.reach[..width]);
        for lane in 0..width {
            reach[lane] = u8::from(potentials[lane] >= limits[lane]);
        }
        // Few do, so they are looked for many at a time.
        for (block, reach) in reach.chunks_exact(LANES).enumerate() {
            if reach.iter().fold(0, |any, reach| any | reach) == 0 {
                continue;
            }
            for (eight, reach) in reach.chunks_exact(8).enumerate() {
                let mut reach = u64::from_le_bytes(reach.try_into().expect("there are eight"));
                while reach != 0 {
                    let neuron = block * LANES + 8 * eight + reach.trailing_zeros() as usize / 8;
                    reach &= reach - 1;
                    fired.push(neuron as u16);
                    firing.fired.push(Fired {
                        neuron: neuron as u16,
                        step: step as i16,
                        potential: potentials[neuron],
                    });
                    limits[neuron] = OUT_OF_REACH;
                    firing.peaks[neuron] = OUT_OF_REACH;
                }
            }
        }
    }
}

/// Adds the sums of the rows of `inputs` to the potentials of the first blocks of lanes.
#[inline(always)]
fn accumulate<const BLOCKS: usize>(
    potentials: &mut [i16],
    rows: &[i8],
    width: usize,
    inputs: &[u16],
) {
    for inputs in inputs.chunks(SIGNS_A_BYTE) {
        let counts = count::<BLOCKS>(rows, width, inputs);
        for (counts, potentials) in counts.iter().zip(potentials.chunks_exact_mut(LANES)) {
            for lane in 0..LANES {
                potentials[lane] = potentials[lane].wrapping_add(i16::from(counts[lane]));
            }
        }
    }
}

/// The sums of the signs of the first lanes of the rows of `inputs`, of which a byte can count no more.
#[inline(always)]
fn count<const BLOCKS: usize>(rows: &[i8], width: usize, inputs: &[u16]) -> [[i8; LANES]; BLOCKS] {
    let mut counts = [[0i8; LANES]; BLOCKS];
    for &input in inputs {
        let row = &rows[usize::from(input) * width..][..BLOCKS * LANES];
        for (counts, signs) in counts.iter_mut().zip(row.chunks_exact(LANES)) {
            for lane in 0..LANES {
                counts[lane] = counts[lane].wrapping_add(signs[lane]);
            }
        }
    }
    counts
}

for_each_cpu! {
    /// What one neuron of the next layer hands back: to each error, `error`·w_j of those that are
    /// judged no later than it.
    ///
    /// `weights` (w) are those of its synapses; `judged` are the steps τ_j at which the neurons before
    /// it are judged, and `until` its own.
    pub fn hand_back(errors: &mut [f32], weights: &[f32], judged: &[f32], error: f32, until: f32) {
        let lanes = errors.len();
        let (weights, judged) = (&weights[..lanes], &judged[..lanes]);
        for lane in 0..lanes {
            let product = error * weights[lane];
            errors[lane] += if judged[lane] <= until { product } else { 0.0 };
        }
    }
}

for_each_cpu! {
    /// What one neuron of the next layer hands back where times have two sides: to each error, `error`·w_j of
    /// those that fire no later than it, and `late_error`·`late_shares`_j·w_j of the others.
    ///
    /// `times` are those at which the neurons before it fire, and `until` its own.
    pub fn hand_back_two_sided(
        errors: &mut [f32],
        weights: &[f32],
        times: &[f32],
        late_shares: &[f32],
        error: f32,
        until: f32,
        late_error: f32,
    ) {
        let lanes = errors.len();
        let (weights, times, shares) = (&weights[..lanes], &times[..lanes], &late_shares[..lanes]);
        for lane in 0..lanes {
            let late = late_error * shares[lane];
            let counts = if times[lane] <= until { error } else { late };
            errors[lane] += counts * weights[lane];
        }
    }
}

for_each_cpu! {
    /// e^x of each value, to six digits, of values held to ±60.
    ///
    /// Sums and products alone, so that every processor gives the same bits, many at a time.
    pub fn exponentials(values: &mut [f32]) {
        // Adding this rounds to a whole number.
        const WHOLE: f32 = 12_582_912.0;
        for value in values.iter_mut() {
            let exponent = value.clamp(-60.0, 60.0) * std::f32::consts::LOG2_E;
            let whole = (exponent + WHOLE) - WHOLE;
            let rest = (exponent - whole) * std::f32::consts::LN_2;
            let mut sum = 1.0 / 720.0;
            for coefficient in [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
                sum = coefficient + rest * sum;
            }
            *value = sum * f32::from_bits(((whole as i32 + 127) << 23) as u32);
        }
    }
}

for_each_cpu! {
    /// Weighs each error by how near its neuron came to its threshold: by the triangle of half width
    /// `window` over the margin.
    pub fn weigh(errors: &mut [f32], peaks: &[i16], thresholds: &[i16], window: f32) {
        let lanes = errors.len();
        let (peaks, thresholds) = (&peaks[..lanes], &thresholds[..lanes]);
        for lane in 0..lanes {
            let margin = i32::from(peaks[lane]) - i32::from(thresholds[lane]);
            // A margin of 0 fires and one of -1 does not: the border is between them.
            let nearness = 1.0 - (margin as f32 + 0.5).abs() / window;
            errors[lane] = if nearness > 0.0 { nearness * errors[lane] } else { 0.0 };
        }
    }
}

/// What Adam needs to know beyond one parameter.
#[derive(Debug, Clone, Copy)]
pub struct AdamStep {
    /// Learning rate / (1 − β₁ᵗ).
    pub rate: f32,
    /// 1 / (1 − β₂ᵗ).
    pub second_correction: f32,
}

const BETA1: f32 = 0.9;
const BETA2: f32 = 0.999;
const EPSILON: f32 = 1e-8;

impl AdamStep {
    /// The constants of update number `update` (from 1) at `learning_rate`.
    pub fn new(learning_rate: f32, update: u64) -> Self {
        // Beyond this many updates both corrections are 1 in single precision.
        let power = update.min(100_000) as i32;
        let decay = |beta: f32| 1.0 - libm::pow(f64::from(beta), f64::from(power));
        AdamStep {
            rate: (f64::from(learning_rate) / decay(BETA1)) as f32,
            second_correction: (1.0 / decay(BETA2)) as f32,
        }
    }

    /// One update: returns the change of the parameter.
    #[inline(always)]
    pub fn change(&self, gradient: f32, first: &mut f32, second: &mut f32) -> f32 {
        *first = BETA1 * *first + (1.0 - BETA1) * gradient;
        *second = BETA2 * *second + (1.0 - BETA2) * gradient * gradient;
        -self.rate * *first / ((*second * self.second_correction).sqrt() + EPSILON)
    }
}

for_each_cpu! {
    /// What each spike of a volley adds to the gradients of a layer's weights to the block of neurons that begins
    /// at `start`: see [`Counting`].
    pub fn shares(learned: &Learned, start: usize, to: &mut Vec<Lanes>) {
        let volleys = &learned.spikes.volleys;
        to.resize(volleys.len(), [0.0; LANES]);
        for (volley, share) in volleys.iter().zip(to) {
            let at = volley.image * learned.width + start;
            let errors = &learned.errors[at..][..LANES];
            let until = &learned.counted_until[at..][..LANES];
            match learned.counting {
                Counting::Causal => {
                    for lane in 0..LANES {
                        let product = volley.weight * errors[lane];
                        share[lane] = if volley.step <= until[lane] { product } else { 0.0 };
                    }
                }
                Counting::Ramp => {
                    for lane in 0..LANES {
                        share[lane] = (until[lane] - volley.step).clamp(0.0, 1.0) * errors[lane];
                    }
                }
                Counting::TwoSided { late_errors } => {
                    let late = &late_errors[at..][..LANES];
                    for lane in 0..LANES {
                        let late = volley.weight * late[lane];
                        share[lane] = if volley.step <= until[lane] { errors[lane] } else { late };
                    }
                }
            }
        }
    }
}

for_each_cpu! {
    /// One Adam update of the weights from all inputs to a block of neurons, clipped to [−1, 1], and
    /// their new signs.
    ///
    /// The gradient of the weight from an input is the sum of the shares ([`shares`]) of the volleys
    /// that it spikes in, `spikes`.
    pub fn update_block(
        block: &mut Block,
        step: AdamStep,
        spikes: &ByInput<u32>,
        shares: &[Lanes],
    ) {
        let Parameters { value, first, second } = &mut block.weights;
        for (input, latent) in value.iter_mut().enumerate() {
            let mut gradient = [0f32; LANES];
            for &volley in spikes.of(input) {
                let share = &shares[volley as usize];
                for lane in 0..LANES {
                    gradient[lane] += share[lane];
                }
            }
            let (first, second) = (&mut first[input], &mut second[input]);
            let signs = &mut block.signs[input];
            for lane in 0..LANES {
                let change = step.change(gradient[lane], &mut first[lane], &mut second[lane]);
                let weight = (latent[lane] + change).clamp(-1.0, 1.0);
                latent[lane] = weight;
                signs[lane] = if weight >= 0.0 { 1 } else { -1 };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::by_input::{BatchSpikes, Volley};
    use crate::train::simd::assert_same_with_each;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Blocks that go together, and some that do not.
    const WIDTH: usize = 6 * LANES;

    fn signs(count: usize, rng: &mut ChaCha8Rng) -> Vec<i8> {
        (0..count)
            .map(|_| if rng.random() { 1 } else { -1 })
            .collect()
    }

    #[test]
    fn potentials_are_sums_of_signs_however_many_spike() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        // More than a byte can count, and all alike, so that a byte would overflow.
        for count in [0, 1, 3, 4, 5, 123, 124, 125, 700] {
            let inputs: Vec<u16> = (0..count).map(|_| rng.random_range(0..50)).collect();
            let mut weights = signs(50 * WIDTH, &mut rng);
            weights.iter_mut().step_by(WIDTH).for_each(|sign| *sign = 1);
            let mut potentials = vec![7; WIDTH];
            let (mut firing, mut fired) = (Firing::new(WIDTH, true), Vec::new());
            advance(
                &mut potentials,
                &mut firing,
                &weights,
                &inputs,
                0,
                &mut fired,
            );
            assert!(fired.is_empty());
            for lane in 0..WIDTH {
                let of_lane = |&input: &u16| i16::from(weights[usize::from(input) * WIDTH + lane]);
                assert_eq!(
                    potentials[lane],
                    7 + inputs.iter().map(of_lane).sum::<i16>()
                );
            }
        }
    }

    #[test]
    fn who_fires_fires_once_and_keeps_the_peak_of_that_step() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let thresholds: Vec<i16> = (0..WIDTH).map(|_| rng.random_range(1..20)).collect();
        let mut firing = Firing::new(WIDTH, true);
        for _ in 0..20 {
            firing.reset(&thresholds);
            let steps: Vec<Vec<i16>> = (0..12)
                .map(|_| (0..WIDTH).map(|_| rng.random_range(-20..20)).collect())
                .collect();
            let mut fired = Vec::new();
            for (step, potentials) in steps.iter().enumerate() {
                let before = fired.len();
                let mut potentials = potentials.clone();
                advance(
                    &mut potentials,
                    &mut firing,
                    &[0; WIDTH],
                    &[],
                    step,
                    &mut fired,
                );
                let expected = (0..WIDTH).filter(|&j| {
                    let reaches = |potentials: &Vec<i16>| potentials[j] >= thresholds[j];
                    steps.iter().position(reaches) == Some(step)
                });
                let now = fired[before..].iter().map(|&j| usize::from(j));
                assert!(now.eq(expected));
            }
            firing.settle();
            for j in 0..WIDTH {
                let mut seen: Vec<i16> = steps.iter().map(|potentials| potentials[j]).collect();
                if let Some(step) = seen.iter().position(|&v| v >= thresholds[j]) {
                    seen.truncate(step + 1);
                }
                let peak = seen.iter().copied().max().expect("there are steps");
                let first = seen
                    .iter()
                    .position(|&v| v == peak)
                    .expect("it is one of them");
                assert_eq!(
                    (firing.peaks[j], firing.peak_steps[j]),
                    (peak, first as i16)
                );
            }
        }
    }

    #[test]
    fn errors_go_back_along_the_weights_to_who_was_judged_no_later() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let weights: Vec<f32> = (0..WIDTH).map(|_| rng.random_range(-1.0..1.0)).collect();
        let judged: Vec<f32> = (0..WIDTH).map(|_| rng.random_range(0..8) as f32).collect();
        let mut errors = vec![0.25; WIDTH];
        hand_back(&mut errors, &weights, &judged, 0.5, 3.0);
        for lane in 0..WIDTH {
            let counts = if judged[lane] <= 3.0 { 0.5 } else { 0.0 };
            assert_eq!(errors[lane], 0.25 + counts * weights[lane]);
        }
    }

    #[test]
    fn every_kernel_gives_the_same_bits_with_any_instructions() {
        assert_same_with_each(|| {
            let mut rng = ChaCha8Rng::seed_from_u64(6);
            let mut bits = Vec::new();
            let mut keep = |values: &[f32]| bits.extend(values.iter().map(|value| value.to_bits()));
            let (inputs, images) = (40, 30);
            let mut draw = |count: usize, low: f32, high: f32| -> Vec<f32> {
                (0..count).map(|_| rng.random_range(low..high)).collect()
            };
            let mut errors = draw(images * WIDTH, -1.0, 1.0);
            let until: Vec<f32> = draw(images * WIDTH, 0.0, 8.0);
            let judged: Vec<f32> = until[..WIDTH].iter().map(|until| until.floor()).collect();
            let weights = draw(WIDTH, -1.0, 1.0);
            let value: Vec<Lanes> = (0..inputs)
                .map(|_| draw(LANES, -1.0, 1.0).try_into().expect("as many as lanes"))
                .collect();

            let signs = signs(inputs * WIDTH, &mut rng);
            let thresholds: Vec<i16> = (0..WIDTH).map(|_| rng.random_range(1..9)).collect();
            let (mut potentials, mut fired) = (vec![0; WIDTH], Vec::new());
            let mut firing = Firing::new(WIDTH, true);
            firing.reset(&thresholds);
            for step in 0..8 {
                let spikes: Vec<u16> = (0..9).map(|_| rng.random_range(0..inputs as u16)).collect();
                advance(
                    &mut potentials,
                    &mut firing,
                    &signs,
                    &spikes,
                    step,
                    &mut fired,
                );
            }
            firing.settle();

            hand_back(&mut errors[..WIDTH], &weights, &judged, 0.3, 4.0);
            weigh(&mut errors[..WIDTH], &firing.peaks, &thresholds, 7.0);
            let mut late: Vec<f32> = until.iter().map(|until| 3.0 - until).collect();
            exponentials(&mut late);
            hand_back_two_sided(
                &mut errors[WIDTH..][..WIDTH],
                &weights,
                &judged,
                &late[..WIDTH],
                0.3,
                4.0,
                0.2,
            );
            keep(&errors);
            keep(&late);
            let volleys: Vec<(Volley, Vec<u16>)> = (0..images * 8)
                .map(|n| {
                    let volley = Volley {
                        image: n / 8,
                        step: (n % 8) as f32,
                        weight: rng.random_range(0.5..1.5),
                    };
                    let spikes = (0..inputs as u16).filter(|_| rng.random_bool(0.2));
                    (volley, spikes.collect())
                })
                .collect();
            let mut spikes = BatchSpikes::default();
            let of_volleys = volleys
                .iter()
                .map(|(volley, inputs)| (*volley, &inputs[..]));
            spikes.sort(inputs, of_volleys);
            let learned = |counting| Learned {
                spikes: &spikes,
                width: WIDTH,
                errors: &errors,
                counted_until: &until,
                counting,
            };
            let mut block = Block::new(value);
            let mut of_volleys = Vec::new();
            let two_sided = Counting::TwoSided { late_errors: &late };
            for counting in [Counting::Ramp, two_sided] {
                shares(&learned(counting), LANES, &mut of_volleys);
                of_volleys.iter().for_each(|lanes| keep(lanes));
            }
            for update in 1..4 {
                shares(&learned(Counting::Causal), 2 * LANES, &mut of_volleys);
                let step = AdamStep::new(0.01, update);
                update_block(&mut block, step, &spikes.of_input, &of_volleys);
            }
            let Parameters {
                value,
                first,
                second,
            } = &block.weights;
            for lanes in of_volleys.iter().chain(value).chain(first).chain(second) {
                keep(lanes);
            }
            let Firing {
                peaks, peak_steps, ..
            } = firing;
            (bits, block.signs, potentials, fired, peaks, peak_steps)
        });
    }

    #[test]
    fn the_triangle_is_highest_at_the_border() {
        let mut errors = [2.0; LANES];
        let mut peaks = [i16::MIN; LANES];
        let mut thresholds = [i16::MAX; LANES];
        for (lane, margin) in (-5..5).enumerate() {
            thresholds[lane] = 12;
            peaks[lane] = 12 + margin;
        }
        weigh(&mut errors, &peaks, &thresholds, 4.0);
        let expected = [0.0, 0.25, 0.75, 1.25, 1.75, 1.75, 1.25, 0.75, 0.25, 0.0];
        assert_eq!(errors[..10], expected);
        assert!(errors[10..].iter().all(|&error| error == 0.0));
    }

    #[test]
    fn a_weight_learns_from_the_spikes_that_counted() {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let (inputs, images) = (5, 6);
        let mut draw =
            |low: f32, high: f32| -> Lanes { [0.0; LANES].map(|_| rng.random_range(low..high)) };
        let errors: Vec<Lanes> = (0..images).map(|_| draw(-1.0, 1.0)).collect();
        let until: Vec<Lanes> = (0..images).map(|_| draw(0.0, 8.0)).collect();
        let value: Vec<Lanes> = (0..inputs).map(|_| draw(-1.0, 1.0)).collect();
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let volleys: Vec<(Volley, Vec<u16>)> = (0..images * 3)
            .map(|n| {
                let volley = Volley {
                    image: n / 3,
                    step: rng.random_range(0..8) as f32,
                    weight: rng.random_range(0.5..1.5),
                };
                let spikes = (0..inputs as u16).filter(|_| rng.random_bool(0.4));
                (volley, spikes.collect())
            })
            .collect();
        let mut spikes = BatchSpikes::default();
        spikes.sort(
            inputs,
            volleys
                .iter()
                .map(|(volley, inputs)| (*volley, &inputs[..])),
        );
        let mut of_volleys = Vec::new();
        // The block is the second of two.
        let rows = |lanes: &[Lanes]| -> Vec<f32> {
            lanes
                .iter()
                .flat_map(|lanes| [[f32::NAN; LANES], *lanes])
                .flatten()
                .collect()
        };
        let learned = Learned {
            spikes: &spikes,
            width: 2 * LANES,
            errors: &rows(&errors),
            counted_until: &rows(&until),
            counting: Counting::Causal,
        };
        shares(&learned, LANES, &mut of_volleys);
        let mut block = Block::new(value.clone());
        let step = AdamStep::new(0.1, 1);
        update_block(&mut block, step, &spikes.of_input, &of_volleys);
        for (input, before) in value.iter().enumerate() {
            for lane in 0..LANES {
                let counted = volleys.iter().filter(|(volley, inputs)| {
                    inputs.contains(&(input as u16)) && volley.step <= until[volley.image][lane]
                });
                let gradient: f32 = counted
                    .map(|(volley, _)| volley.weight * errors[volley.image][lane])
                    .sum();
                let change = step.change(gradient, &mut 0.0, &mut 0.0);
                let weight = (before[lane] + change).clamp(-1.0, 1.0);
                assert_eq!(block.weights.value[input][lane], weight);
                assert_eq!(block.signs[input][lane] > 0, weight >= 0.0);
            }
        }
    }

    /// Volleys without inputs: the kernels that share out errors do not look at these.
    fn of(volleys: Vec<Volley>) -> BatchSpikes {
        BatchSpikes {
            volleys,
            ..BatchSpikes::default()
        }
    }

    #[test]
    fn a_spike_counts_by_the_part_of_its_step_that_is_over() {
        let volleys = [1.0, 2.0, 3.0].map(|step| Volley {
            image: 0,
            step,
            weight: 9.0,
        });
        let mut until = [0.0; LANES];
        // Fires within step 2, at its end, before it, and never in five steps.
        until[..4].copy_from_slice(&[2.25, 3.0, 1.5, 5.0]);
        let learned = Learned {
            spikes: &of(volleys.to_vec()),
            width: LANES,
            errors: &[8.0; LANES],
            counted_until: &until,
            counting: Counting::Ramp,
        };
        let mut to = Vec::new();
        shares(&learned, 0, &mut to);
        assert_eq!(to[0][..4], [8.0, 8.0, 4.0, 8.0]);
        assert_eq!(to[1][..4], [2.0, 8.0, 0.0, 8.0]);
        assert_eq!(to[2][..4], [0.0, 0.0, 0.0, 8.0]);
    }

    #[test]
    fn a_spike_that_comes_too_late_counts_by_its_weight() {
        let mut rng = ChaCha8Rng::seed_from_u64(6);
        let mut draw = || -> Vec<f32> {
            (0..3 * WIDTH)
                .map(|_| rng.random_range(-1.0..1.0))
                .collect()
        };
        let (errors, late_errors, until) = (draw(), draw(), draw());
        let volleys: Vec<Volley> = (0..6)
            .map(|n| Volley {
                image: n / 2,
                step: n as f32 / 4.0 - 0.75,
                weight: 0.5 + n as f32,
            })
            .collect();
        let learned = Learned {
            spikes: &of(volleys.clone()),
            width: WIDTH,
            errors: &errors,
            counted_until: &until,
            counting: Counting::TwoSided {
                late_errors: &late_errors,
            },
        };
        let mut to = Vec::new();
        shares(&learned, LANES, &mut to);
        for (volley, to) in volleys.iter().zip(&to) {
            for (lane, &share) in to.iter().enumerate() {
                let at = volley.image * WIDTH + LANES + lane;
                let expected = match volley.step <= until[at] {
                    true => errors[at],
                    false => volley.weight * late_errors[at],
                };
                assert_eq!(share, expected);
            }
        }
    }

    #[test]
    fn exponentials_are_right_to_six_digits() {
        let exponents: Vec<f32> = (-600..=600).map(|n| n as f32 / 10.0).collect();
        let mut values = exponents.clone();
        exponentials(&mut values);
        for (exponent, value) in exponents.iter().zip(values) {
            let expected = f64::from(*exponent).exp();
            let off = (f64::from(value) - expected).abs();
            assert!(off < 4e-6 * expected, "{exponent}: {value} {expected}");
        }
        let mut beyond = [-1e9, 1e9, 0.0];
        exponentials(&mut beyond);
        assert_eq!(beyond[2], 1.0);
        assert!(beyond[0] > 0.0 && beyond[1].is_finite());
    }
}
