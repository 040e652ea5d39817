//! The spikes of an image as a stream of one-byte codes, and as chunks that fit a frame.

use super::spike_code::{COUNT_MAX, SKIP, SKIP_UNIT, SPIKE_MAX, STEP};
use super::{LAST_CHUNK, MAX_PAYLOAD};
use crate::network::Spike;
use thiserror::Error;

/// The spike codes of a chunk at most: its payload starts with the image and the chunk's number.
pub const CODES_PER_CHUNK: usize = MAX_PAYLOAD - 2;

/// The codes of `spikes`, which are in order of time and, within a step, of their inputs, each
/// input at most once a step.
///
/// # Panics
/// When they are in another order.
pub fn encode_spikes(spikes: &[Spike]) -> Vec<u8> {
    let mut codes = Vec::with_capacity(spikes.len() + 32);
    let (mut step, mut next) = (-1i32, 0usize);
    for spike in spikes {
        let (to_step, input) = (i32::from(spike.step), usize::from(spike.input));
        assert!(to_step >= step, "the spikes are in order of time");
        if to_step > step {
            push_counts(&mut codes, STEP, (to_step - step) as usize);
            (step, next) = (to_step, 0);
        }
        let gap = (input.checked_sub(next)).expect("the spikes of a step are in order");
        push_counts(&mut codes, SKIP, gap / SKIP_UNIT);
        codes.push((gap % SKIP_UNIT) as u8);
        next = input + 1;
    }
    codes
}

/// Codes of the kind `lead` that count to `total` together.
fn push_counts(codes: &mut Vec<u8>, lead: u8, mut total: usize) {
    let most = usize::from(COUNT_MAX) + 1;
    while total > 0 {
        let count = total.min(most);
        codes.push(lead | (count - 1) as u8);
        total -= count;
    }
}

/// A code that the geometry does not allow: BAD_SPIKE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a spike code leads beyond the inputs or the steps of the network")]
pub struct BadSpike;

/// Turns codes back into spikes, one code at a time, as the device does.
#[derive(Debug, Clone)]
pub struct SpikeDecoder {
    inputs: usize,
    last_step: u8,
    step: Option<u8>,
    next: usize,
}

impl SpikeDecoder {
    /// For a network of `inputs` that runs from step 0 to `last_step`.
    pub fn new(inputs: u16, last_step: u8) -> Self {
        SpikeDecoder {
            inputs: usize::from(inputs),
            last_step,
            step: None,
            next: 0,
        }
    }

    /// Takes one code: a spike, if it is one.
    pub fn push(&mut self, code: u8) -> Result<Option<Spike>, BadSpike> {
        let count = usize::from(code & COUNT_MAX) + 1;
        if code >= STEP {
            let step = self.step.map_or(0, |s| usize::from(s) + 1) + count - 1;
            if step > usize::from(self.last_step) {
                return Err(BadSpike);
            }
            (self.step, self.next) = (Some(step as u8), 0);
            return Ok(None);
        }
        let step = self.step.ok_or(BadSpike)?;
        let gap = match code > SPIKE_MAX {
            true => count * SKIP_UNIT,
            false => usize::from(code),
        };
        // A skip to beyond the last input is as wrong as a spike there.
        let input = self.next + gap;
        if input >= self.inputs {
            return Err(BadSpike);
        }
        if code > SPIKE_MAX {
            self.next = input;
            return Ok(None);
        }
        self.next = input + 1;
        let input = input as u16;
        Ok(Some(Spike { step, input }))
    }
}

/// The payloads of the SPIKES frames that carry `codes` for `image`: at least one, the last marked.
pub fn chunks(image: u8, codes: &[u8]) -> Vec<Vec<u8>> {
    let count = codes.len().div_ceil(CODES_PER_CHUNK).max(1);
    let mut number = 0;
    (0..count)
        .map(|index| {
            let from = index * CODES_PER_CHUNK;
            let to = codes.len().min(from + CODES_PER_CHUNK);
            let last = match index + 1 == count {
                true => LAST_CHUNK,
                false => 0,
            };
            let mut payload = vec![image, number | last];
            payload.extend_from_slice(&codes[from..to]);
            number = next_chunk(number);
            payload
        })
        .collect()
}

/// The number of the chunk that follows `number`: 1 after 127, because 0 begins an image.
pub fn next_chunk(number: u8) -> u8 {
    match number {
        127.. => 1,
        _ => number + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;

    fn decode(codes: &[u8], inputs: u16, last_step: u8) -> Result<Vec<Spike>, BadSpike> {
        let mut decoder = SpikeDecoder::new(inputs, last_step);
        let mut spikes = Vec::new();
        for &code in codes {
            spikes.extend(decoder.push(code)?);
        }
        Ok(spikes)
    }

    fn spike(step: u8, input: u16) -> Spike {
        Spike { step, input }
    }

    /// The table in docs/protocol.md, by hand.
    #[test]
    fn known_codes() {
        let spikes = [
            spike(0, 0),
            spike(0, 1),
            spike(0, 130),
            spike(3, 127),
            spike(3, 400),
        ];
        let codes = [0xC0, 0, 0, 0x80, 0, 0xC2, 0x7F, 0x81, 16];
        assert_eq!(encode_spikes(&spikes), codes);
        assert_eq!(decode(&codes, 401, 3), Ok(spikes.to_vec()));
        assert_eq!(decode(&codes, 400, 3), Err(BadSpike));
        assert_eq!(decode(&codes, 401, 2), Err(BadSpike));
    }

    #[test]
    fn far_steps_and_inputs_take_several_codes() {
        let spikes = [spike(255, 16_383)];
        let codes = encode_spikes(&spikes);
        assert_eq!(codes, [0xFF, 0xFF, 0xFF, 0xFF, 0xBF, 0xBE, 0x7F]);
        assert_eq!(decode(&codes, 16_384, 255), Ok(spikes.to_vec()));
    }

    #[test]
    fn before_the_first_step_nothing_spikes() {
        assert_eq!(decode(&[0], 10, 3), Err(BadSpike));
        assert_eq!(decode(&[0x80], 1000, 3), Err(BadSpike));
    }

    #[test]
    fn no_spike_is_one_empty_chunk() {
        assert_eq!(chunks(9, &[]), vec![vec![9, LAST_CHUNK]]);
    }

    /// 16,384 inputs, each with a skip of its own: more than 128 chunks.
    #[test]
    fn chunk_numbers_go_round_without_zero() {
        let parts = chunks(1, &vec![7; 130 * CODES_PER_CHUNK]);
        let numbers: Vec<u8> = parts.iter().map(|p| p[1]).collect();
        assert_eq!(numbers.len(), 130);
        assert_eq!(numbers[126..], [126, 127, 1, 2 | LAST_CHUNK]);
    }

    proptest! {
        #[test]
        fn round_trip(spikes in btree_set((0u8..=255, 0u16..16_384), 0..600)) {
            let spikes: Vec<Spike> = spikes.iter().map(|&(s, i)| spike(s, i)).collect();
            let codes = encode_spikes(&spikes);
            prop_assert_eq!(decode(&codes, 16_384, 255), Ok(spikes));
            let joined: Vec<u8> = chunks(3, &codes).iter().flat_map(|p| p[2..].to_vec()).collect();
            prop_assert_eq!(joined, codes);
        }

        /// Whatever comes, what the decoder gives out is in order and within the network.
        #[test]
        fn code_soup(codes in vec(any::<u8>(), 0..400), inputs in 1u16..=16_384, last_step: u8) {
            let mut decoder = SpikeDecoder::new(inputs, last_step);
            let mut before = None;
            for code in codes {
                if let Ok(Some(found)) = decoder.push(code) {
                    prop_assert!(found.input < inputs && found.step <= last_step);
                    prop_assert!(before < Some(found));
                    before = Some(found);
                }
            }
        }
    }
}
