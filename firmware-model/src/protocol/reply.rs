//! What a device answers, as payloads: written by the device, read by the host.

use super::status;
use crate::network::Decision;

/// The bytes of the reply to the last chunk of an image, with the status.
const ANSWER_BYTES: usize = 15;
/// The bytes of the reply to STATUS, with the status.
const COUNTERS_BYTES: usize = 13;

/// The payload of a reply with success and an answer.
fn ok(answer: &[u8]) -> Vec<u8> {
    [&[status::OK], answer].concat()
}

/// The payload of INFO's reply.
pub fn info(info: &super::InfoPayload) -> Vec<u8> {
    ok(&info.to_bytes())
}

/// The payload of ARM's reply: `status` is OK or MEMORY_CHECK.
pub fn arm(status: u8, crc: u32) -> Vec<u8> {
    [&[status], crc.to_le_bytes().as_slice()].concat()
}

/// The CRC-32 that the device computed, from the payload of ARM's reply. `None` when it is another length.
pub fn parse_arm(payload: &[u8]) -> Option<u32> {
    let bytes: [u8; 5] = payload.try_into().ok()?;
    Some(u32::from_le_bytes([bytes[1], bytes[2], bytes[3], bytes[4]]))
}

/// What a device found for an image: the answer to its last chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    pub decision: Decision,
    /// The clock cycles of the core, from the start of this inference to its decision.
    pub cycles: u32,
    /// The clock cycles that the core had waited for this image: since it handed over the result
    /// before, or, before the first one, since power-up. The gateware counts them modulo 2^20.
    pub idle: u32,
}

/// The payload of the reply to the last chunk of an image.
pub fn answer(found: &Answer) -> Vec<u8> {
    let decision = &found.decision;
    let mut bytes = vec![status::OK];
    bytes.extend((decision.class as u16).to_le_bytes());
    bytes.extend([decision.step as u8, u8::from(decision.silent)]);
    bytes.extend((decision.overshoot as i16).to_le_bytes());
    bytes.extend(found.cycles.to_le_bytes());
    bytes.extend(found.idle.to_le_bytes());
    bytes
}

/// Reads what [`answer`] wrote. `None` when it is another length, or says what no inference can:
/// overshoot is negative exactly when no output fired.
pub fn parse_answer(payload: &[u8]) -> Option<Answer> {
    let bytes: &[u8; ANSWER_BYTES] = payload.try_into().ok()?;
    let overshoot = i16::from_le_bytes([bytes[5], bytes[6]]);
    let silent = match bytes[4] {
        0 => false,
        1 => true,
        _ => return None,
    };
    if silent != (overshoot < 0) {
        return None;
    }
    Some(Answer {
        decision: Decision {
            class: u16::from_le_bytes([bytes[1], bytes[2]]).into(),
            step: bytes[3].into(),
            silent,
            overshoot: overshoot.into(),
        },
        cycles: u32::from_le_bytes([bytes[7], bytes[8], bytes[9], bytes[10]]),
        idle: u32::from_le_bytes([bytes[11], bytes[12], bytes[13], bytes[14]]),
    })
}

/// What a device counts: the answer to STATUS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Clock cycles since power-up; wraps.
    pub clock: u32,
    /// Clock cycles in which the core computed; wraps.
    pub busy: u32,
    /// Frames refused with BAD_FRAME or TIMEOUT; stops at 255.
    pub bad_frames: u16,
    /// Frames refused with OVERRUN; stops at 255.
    pub overruns: u16,
}

/// The payload of the reply to STATUS.
pub fn counters(found: &Counters) -> Vec<u8> {
    let mut bytes = vec![status::OK];
    bytes.extend(found.clock.to_le_bytes());
    bytes.extend(found.busy.to_le_bytes());
    bytes.extend(found.bad_frames.to_le_bytes());
    bytes.extend(found.overruns.to_le_bytes());
    bytes
}

/// Reads what [`counters`] wrote. `None` when it is another length.
pub fn parse_counters(payload: &[u8]) -> Option<Counters> {
    let bytes: &[u8; COUNTERS_BYTES] = payload.try_into().ok()?;
    let half = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let word = |at: usize| u32::from(half(at)) | u32::from(half(at + 2)) << 16;
    Some(Counters {
        clock: word(1),
        busy: word(5),
        bad_frames: half(9),
        overruns: half(11),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The table in docs/protocol.md, by hand.
    #[test]
    fn known_answer() {
        let found = Answer {
            decision: Decision {
                class: 0x0102,
                step: 15,
                silent: true,
                overshoot: -2,
            },
            cycles: 0x0A0B_0C0D,
            idle: 0x1112_1314,
        };
        let bytes = [
            0, 2, 1, 15, 1, 0xFE, 0xFF, 0x0D, 0x0C, 0x0B, 0x0A, 0x14, 0x13, 0x12, 0x11,
        ];
        assert_eq!(answer(&found), bytes);
        assert_eq!(parse_answer(&bytes), Some(found));
        let mut fired = bytes;
        fired[4] = 0;
        assert_eq!(parse_answer(&fired), None);
    }

    proptest! {
        #[test]
        fn round_trips(class: u16, step: u8, overshoot: i16, cycles: u32, clock: u32, bad_frames: u16) {
            let decision = Decision {
                class: class.into(),
                step: step.into(),
                silent: overshoot < 0,
                overshoot: overshoot.into(),
            };
            let found = Answer { decision, cycles, idle: clock };
            prop_assert_eq!(parse_answer(&answer(&found)), Some(found));
            let found = Counters { clock, busy: cycles, bad_frames, overruns: class };
            prop_assert_eq!(parse_counters(&counters(&found)), Some(found));
            prop_assert_eq!(parse_arm(&arm(status::MEMORY_CHECK, cycles)), Some(cycles));
        }

        #[test]
        fn soup_never_panics(payload in prop::collection::vec(any::<u8>(), 0..20)) {
            let _ = (parse_answer(&payload), parse_counters(&payload), parse_arm(&payload));
        }
    }
}
