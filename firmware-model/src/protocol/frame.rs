//! Frames: kind, sequence, payload and check, COBS-encoded and closed by a zero.

use super::{MAX_FRAME, MAX_PAYLOAD, MIN_FRAME};
use crc::{Crc, CRC_16_GENIBUS};
use thiserror::Error;

const CHECK: Crc<u16> = Crc::<u16>::new(&CRC_16_GENIBUS);

/// The longest frame on the wire without its closing zero: COBS adds one byte, and one more for
/// every 254.
pub const MAX_ENCODED: usize = MAX_FRAME + 1 + MAX_FRAME / 254;

/// One frame, decoded and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    pub kind: u8,
    pub sequence: u8,
    pub payload: Vec<u8>,
}

/// Why bytes between two zeros are not a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FrameError {
    #[error("the bytes are not a COBS frame")]
    Cobs,
    #[error("a frame of {found} bytes is shorter than {MIN_FRAME}")]
    Short { found: usize },
    #[error("a frame is longer than {MAX_FRAME} bytes")]
    Long,
    #[error("a frame's check is wrong")]
    Check,
}

impl Frame {
    /// The bytes for the wire, with the closing zero.
    ///
    /// # Panics
    /// When the payload is longer than [`MAX_PAYLOAD`].
    pub fn to_wire(&self) -> Vec<u8> {
        assert!(
            self.payload.len() <= MAX_PAYLOAD,
            "the payload fits a frame"
        );
        let mut bytes = vec![self.kind, self.sequence];
        bytes.extend_from_slice(&self.payload);
        let check = CHECK.checksum(&bytes);
        bytes.extend_from_slice(&check.to_be_bytes());
        let mut wire = cobs::encode_vec(&bytes);
        wire.push(0);
        wire
    }

    /// The frame in `encoded`, which are the bytes between two zeros.
    pub fn from_wire(encoded: &[u8]) -> Result<Self, FrameError> {
        if encoded.len() > MAX_ENCODED {
            return Err(FrameError::Long);
        }
        // The crate's decoder takes a zero for the end; between two zeros there is none.
        if encoded.contains(&0) {
            return Err(FrameError::Cobs);
        }
        let bytes = cobs::decode_vec(encoded).map_err(|_| FrameError::Cobs)?;
        if bytes.len() > MAX_FRAME {
            return Err(FrameError::Long);
        }
        if bytes.len() < MIN_FRAME {
            return Err(FrameError::Short { found: bytes.len() });
        }
        let (body, check) = bytes.split_at(bytes.len() - 2);
        if CHECK.checksum(body).to_be_bytes() != check {
            return Err(FrameError::Check);
        }
        Ok(Frame {
            kind: body[0],
            sequence: body[1],
            payload: body[2..].to_vec(),
        })
    }
}

/// Cuts a stream of bytes into frames at its zeros.
#[derive(Debug, Clone, Default)]
pub struct FrameReader {
    encoded: Vec<u8>,
}

impl FrameReader {
    /// Takes one byte. When it closes a frame: that frame, or why it is none.
    ///
    /// Two zeros in a row close nothing. Of a frame that is too long no more is kept than shows it.
    pub fn push(&mut self, byte: u8) -> Option<Result<Frame, FrameError>> {
        if byte != 0 {
            if self.encoded.len() <= MAX_ENCODED {
                self.encoded.push(byte);
            }
            return None;
        }
        if self.encoded.is_empty() {
            return None;
        }
        let frame = Frame::from_wire(&self.encoded);
        self.encoded.clear();
        Some(frame)
    }

    /// Whether a frame has begun and is not closed.
    pub fn is_within_frame(&self) -> bool {
        !self.encoded.is_empty()
    }

    /// Forgets what has come of the present frame.
    pub fn drop_partial(&mut self) {
        self.encoded.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn read(bytes: &[u8]) -> Vec<Result<Frame, FrameError>> {
        let mut reader = FrameReader::default();
        bytes.iter().filter_map(|&b| reader.push(b)).collect()
    }

    /// Written out by hand, so that the check's polynomial, start, inversion and byte order are pinned:
    /// CRC-16/GENIBUS of the nine digits "123456789" is 0xD64E.
    #[test]
    fn a_known_frame() {
        let frame = Frame {
            kind: b'1',
            sequence: b'2',
            payload: b"3456789".to_vec(),
        };
        assert_eq!(frame.to_wire(), b"\x0c123456789\xd6\x4e\x00");
    }

    #[test]
    fn lengths_are_checked() {
        assert_eq!(
            Frame::from_wire(&[4, 1, 2, 3]),
            Err(FrameError::Short { found: 3 })
        );
        assert_eq!(Frame::from_wire(&[5, 1, 2, 3]), Err(FrameError::Cobs));
        assert_eq!(Frame::from_wire(&[1; 400]), Err(FrameError::Long));
        // 258 encoded bytes of single zeros decode to 257: one too many.
        assert_eq!(Frame::from_wire(&[1; 258]), Err(FrameError::Long));
        let mut reader = FrameReader::default();
        for _ in 0..100_000 {
            assert_eq!(reader.push(7), None);
        }
        assert!(reader.encoded.len() <= MAX_ENCODED + 1);
        assert_eq!(reader.push(0), Some(Err(FrameError::Long)));
    }

    #[test]
    fn zeros_in_front_mean_nothing() {
        let frame = Frame {
            kind: 1,
            sequence: 9,
            payload: vec![],
        };
        let mut wire = vec![0, 0, 0];
        wire.extend(frame.to_wire());
        assert_eq!(read(&wire), vec![Ok(frame)]);
    }

    proptest! {
        #[test]
        fn round_trip(kind: u8, sequence: u8, payload in vec(any::<u8>(), 0..=MAX_PAYLOAD), zeros: bool) {
            let payload = if zeros { payload.iter().map(|b| b & 1).collect() } else { payload };
            let frame = Frame { kind, sequence, payload };
            let wire = frame.to_wire();
            prop_assert!(wire.len() <= MAX_ENCODED + 1);
            prop_assert!(!wire[..wire.len() - 1].contains(&0));
            prop_assert_eq!(read(&wire), vec![Ok(frame)]);
        }

        /// The longest frames without a zero are where COBS starts its second block.
        #[test]
        fn round_trip_of_long_blocks(length in 245..=MAX_PAYLOAD, byte in 1u8..) {
            let frame = Frame { kind: 1, sequence: 1, payload: vec![byte; length] };
            prop_assert_eq!(read(&frame.to_wire()), vec![Ok(frame)]);
        }

        #[test]
        fn byte_soup_never_panics(bytes in vec(any::<u8>(), 0..2000)) {
            read(&bytes);
            let _ = Frame::from_wire(&bytes);
        }

        /// The check sees every change of up to three bits in a frame of this length.
        #[test]
        fn up_to_three_flipped_bits_are_seen(
            kind: u8,
            sequence: u8,
            payload in vec(any::<u8>(), 0..=MAX_PAYLOAD),
            flips in vec(any::<prop::sample::Index>(), 1..=3),
        ) {
            let frame = Frame { kind, sequence, payload };
            let wire = frame.to_wire();
            let mut bytes = cobs::decode_vec(&wire[..wire.len() - 1]).unwrap();
            let bits = bytes.len() * 8;
            let places: std::collections::HashSet<usize> = flips.iter().map(|f| f.index(bits)).collect();
            for place in places {
                bytes[place / 8] ^= 1 << (place % 8);
            }
            prop_assert_eq!(Frame::from_wire(&cobs::encode_vec(&bytes)), Err(FrameError::Check));
        }
    }
}
