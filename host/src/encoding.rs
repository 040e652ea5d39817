//! From intensities to spikes.

use firmware_model::network::SpikeTrain;
use serde::{Deserialize, Serialize};

/// The latency code: the brighter a pixel, the earlier it spikes; a black pixel never does.
///
/// An intensity x in (0, 1] spikes at step ⌊(1 − x)·T⌋. With x = value / maximum that is
/// ⌊(maximum − value)·T / maximum⌋ in whole numbers, so every machine agrees on it. The largest
/// step, that of value 1, is ⌊T − T / maximum⌋, which is below T.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latency {
    /// The number of time steps, T.
    pub steps: usize,
}

impl Latency {
    /// The step at which a pixel of this value spikes; `None` for the value 0.
    ///
    /// `maximum` is the value that counts as 1.0 (at least 1); greater values count as 1.0 too.
    pub fn step(&self, value: u8, maximum: u8) -> Option<usize> {
        let (value, maximum) = (usize::from(value.min(maximum)), usize::from(maximum));
        (value > 0).then(|| (maximum - value) * self.steps / maximum)
    }

    /// The spikes of one image, one input a pixel.
    pub fn encode(&self, image: &[u8], maximum: u8) -> SpikeTrain {
        let steps = image.iter().map(|&value| match self.step(value, maximum) {
            Some(step) => step as u16,
            None => SpikeTrain::SILENT,
        });
        SpikeTrain::from_raw(steps.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bright_pixels_spike_first_and_black_ones_never() {
        let code = Latency { steps: 16 };
        assert_eq!(code.step(0, 255), None);
        assert_eq!(code.step(255, 255), Some(0));
        assert_eq!(code.step(1, 255), Some(15));
        assert_eq!(code.step(8, 16), Some(8));
        let spikes = code.encode(&[0, 16, 1], 16);
        assert_eq!(spikes.raw(), &[SpikeTrain::SILENT, 0, 15]);
    }

    #[test]
    fn every_spike_is_within_the_window_and_equals_the_definition() {
        for steps in 1..=256usize {
            let code = Latency { steps };
            for maximum in [1u8, 2, 15, 16, 100, 254, 255] {
                for value in 1..=maximum {
                    let step = code.step(value, maximum).unwrap();
                    assert!(step < steps);
                    // s = floor((1 - v/m)·T)  <=>  s·m <= (m - v)·T < (s + 1)·m
                    let exact = usize::from(maximum - value) * steps;
                    let maximum = usize::from(maximum);
                    assert!(step * maximum <= exact && exact < (step + 1) * maximum);
                }
            }
        }
    }
}
