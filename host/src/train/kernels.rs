//! The inner loops, over rows of padded lanes.
//!
//! Each is plain Rust that the compiler vectorises, compiled twice: for every x86-64 and for AVX2.
//! No lane's sum depends on how many lanes go together and nothing is fused, so both give the same
//! bits, as does every other architecture.

/// Rows are padded to a multiple of this many lanes.
pub const LANES: usize = 32;

/// The fire step of a neuron that has not fired.
pub const NEVER: i16 = i16::MAX;

/// How many lanes a row of `neurons` takes.
pub fn padded(neurons: usize) -> usize {
    neurons.next_multiple_of(LANES)
}

/// What is known of the neurons of a layer about firing, one lane each.
#[derive(Debug, Clone)]
pub struct Firing {
    /// When each fired, or [`NEVER`].
    pub fire_steps: Vec<i16>,
    /// The highest potential so far, that at which it fired included and none after it.
    pub peaks: Vec<i16>,
    /// The step at which that was first reached.
    pub peak_steps: Vec<i16>,
}

impl Firing {
    pub fn new(width: usize) -> Self {
        Firing {
            fire_steps: vec![NEVER; width],
            peaks: vec![i16::MIN; width],
            peak_steps: vec![0; width],
        }
    }

    /// Nobody has fired, and no potential has been seen.
    pub fn reset(&mut self) {
        self.fire_steps.fill(NEVER);
        self.peaks.fill(i16::MIN);
        self.peak_steps.fill(0);
    }
}

/// A block of lanes as a value.
#[inline(always)]
fn whole(lanes: &[i16]) -> [i16; LANES] {
    lanes.try_into().expect("rows are padded to whole blocks")
}

macro_rules! for_each_cpu {
    ($(#[$doc:meta])* pub fn $name:ident($($arg:ident: $kind:ty),* $(,)?) $(-> $result:ty)? $body:block) => {
        $(#[$doc])*
        pub fn $name($($arg: $kind),*) $(-> $result)? {
            #[inline(always)]
            fn portable($($arg: $kind),*) $(-> $result)? $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2")]
                unsafe fn with_avx2($($arg: $kind),*) $(-> $result)? {
                    portable($($arg),*)
                }
                if std::arch::is_x86_feature_detected!("avx2") {
                    // SAFETY: the processor has just said that it has AVX2.
                    return unsafe { with_avx2($($arg),*) };
                }
            }
            portable($($arg),*)
        }
    };
}

for_each_cpu! {
    /// Adds the weight rows of `inputs` to the potentials: V_j += Σ_i w_ji.
    ///
    /// `weights` has one row of `potentials.len()` lanes for each input.
    pub fn accumulate(potentials: &mut [i16], weights: &[i16], inputs: &[u16]) {
        let width = potentials.len();
        for (block, lanes) in potentials.chunks_exact_mut(LANES).enumerate() {
            let mut sums = whole(lanes);
            for &input in inputs {
                let at = usize::from(input) * width + block * LANES;
                let row = &weights[at..at + LANES];
                for lane in 0..LANES {
                    sums[lane] = sums[lane].wrapping_add(row[lane]);
                }
            }
            lanes.copy_from_slice(&sums);
        }
    }
}

for_each_cpu! {
    /// Lets the neurons fire that have not and whose potential has reached their threshold.
    ///
    /// The indices of those that fire are appended to `fired`, in order.
    pub fn fire(
        potentials: &[i16],
        thresholds: &[i16],
        step: i16,
        neurons: &mut Firing,
        fired: &mut Vec<u16>,
    ) {
        let blocks = (potentials.chunks_exact(LANES))
            .zip(thresholds.chunks_exact(LANES))
            .zip(neurons.fire_steps.chunks_exact_mut(LANES))
            .zip(neurons.peaks.chunks_exact_mut(LANES))
            .zip(neurons.peak_steps.chunks_exact_mut(LANES));
        for (block, ((((potentials, thresholds), steps), peaks), peak_steps)) in blocks.enumerate() {
            // Values and not slices, so that the compiler knows that nothing overlaps.
            let (potentials, thresholds) = (whole(potentials), whole(thresholds));
            let (waiting, mut peak, mut peak_step) = (whole(steps), whole(peaks), whole(peak_steps));
            let mut fires = [0i16; LANES];
            for lane in 0..LANES {
                let waits = waiting[lane] == NEVER;
                let rises = waits & (potentials[lane] > peak[lane]);
                peak[lane] = if rises { potentials[lane] } else { peak[lane] };
                peak_step[lane] = if rises { step } else { peak_step[lane] };
                fires[lane] = -i16::from(waits & (potentials[lane] >= thresholds[lane]));
            }
            peaks.copy_from_slice(&peak);
            peak_steps.copy_from_slice(&peak_step);
            if fires.iter().fold(0, |any, fires| any | fires) == 0 {
                continue;
            }
            for lane in 0..LANES {
                if fires[lane] != 0 {
                    steps[lane] = step;
                    fired.push((block * LANES + lane) as u16);
                }
            }
        }
    }
}

for_each_cpu! {
    /// The gradient of one input's weight row: Σ over its spikes (sample b, step s) of g_bj where
    /// s ≤ τ_bj.
    ///
    /// `errors` (g) and `counted_until` (τ) have one row of `gradient.len()` lanes a sample.
    pub fn gradient_of_row(
        gradient: &mut [f32],
        spikes: &[(u32, f32)],
        errors: &[f32],
        counted_until: &[f32],
    ) {
        let width = gradient.len();
        for (block, lanes) in gradient.chunks_exact_mut(LANES).enumerate() {
            let mut sums = [0f32; LANES];
            for &(sample, step) in spikes {
                let at = sample as usize * width + block * LANES;
                let errors = &errors[at..at + LANES];
                let until = &counted_until[at..at + LANES];
                for lane in 0..LANES {
                    sums[lane] += if step <= until[lane] { errors[lane] } else { 0.0 };
                }
            }
            lanes.copy_from_slice(&sums);
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
    /// One Adam update of a row of latent weights, clipped to [−1, 1], and their new signs.
    pub fn update_row(
        step: AdamStep,
        gradient: &[f32],
        latent: &mut [f32],
        first: &mut [f32],
        second: &mut [f32],
        signs: &mut [i16],
    ) {
        let lanes = gradient.len();
        let (latent, first) = (&mut latent[..lanes], &mut first[..lanes]);
        let (second, signs) = (&mut second[..lanes], &mut signs[..lanes]);
        for lane in 0..lanes {
            let change = step.change(gradient[lane], &mut first[lane], &mut second[lane]);
            let weight = (latent[lane] + change).clamp(-1.0, 1.0);
            latent[lane] = weight;
            signs[lane] = if weight >= 0.0 { 1 } else { -1 };
        }
    }
}

for_each_cpu! {
    /// What one neuron does to the layer after it: Σ_j g_j·w_j over the j with `step` ≤ τ_j.
    ///
    /// The sum is taken in [`LANES`] parts, added in order at the end.
    pub fn error_through(
        signs: &[i16],
        errors: &[f32],
        counted_until: &[f32],
        step: f32,
    ) -> f32 {
        let mut sums = [0f32; LANES];
        for ((signs, errors), until) in (signs.chunks_exact(LANES))
            .zip(errors.chunks_exact(LANES))
            .zip(counted_until.chunks_exact(LANES))
        {
            for lane in 0..LANES {
                let product = errors[lane] * f32::from(signs[lane]);
                sums[lane] += if step <= until[lane] { product } else { 0.0 };
            }
        }
        sums.iter().sum()
    }
}
