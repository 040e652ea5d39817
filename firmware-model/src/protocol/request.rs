//! What a host asks of a device, as payloads: written by the host, read by the device.

use super::{kind, status, Frame, LAST_CHUNK, MAX_PAYLOAD};
use crate::config::CoreConfig;
use crate::image::GEOMETRY_BYTES;

/// A request. The byte strings are as on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request<'a> {
    Info,
    /// The bytes of [`crate::image::Geometry::to_bytes`].
    Geometry(&'a [u8; GEOMETRY_BYTES]),
    /// Whole rows of one bank, `lanes / 8` bytes each, the first at `row`.
    Weights {
        bank: u8,
        row: u16,
        rows: &'a [u8],
    },
    /// Margins of lanes of one slot, two bytes each, the first that of lane 8 * `octet`.
    Margins {
        slot: u8,
        octet: u8,
        margins: &'a [u8],
    },
    /// The CRC-32 that the memories must have.
    Arm(u32),
    /// The chunk `number` (0 to 127) of the spike codes of an image.
    Spikes {
        image: u8,
        number: u8,
        last: bool,
        codes: &'a [u8],
    },
    Status,
}

impl<'a> Request<'a> {
    /// The kind of the frame that carries it.
    pub fn kind(&self) -> u8 {
        match self {
            Request::Info => kind::INFO,
            Request::Geometry(_) => kind::GEOMETRY,
            Request::Weights { .. } => kind::WEIGHTS,
            Request::Margins { .. } => kind::MARGINS,
            Request::Arm(_) => kind::ARM,
            Request::Spikes { .. } => kind::SPIKES,
            Request::Status => kind::STATUS,
        }
    }

    /// The payload of the frame that carries it.
    pub fn payload(&self) -> Vec<u8> {
        match *self {
            Request::Info | Request::Status => Vec::new(),
            Request::Geometry(bytes) => bytes.to_vec(),
            Request::Weights { bank, row, rows } => {
                let [low, high] = row.to_le_bytes();
                [&[bank, low, high], rows].concat()
            }
            Request::Margins {
                slot,
                octet,
                margins,
            } => [&[slot, octet], margins].concat(),
            Request::Arm(crc) => crc.to_le_bytes().to_vec(),
            Request::Spikes {
                image,
                number,
                last,
                codes,
            } => {
                let last = if last { LAST_CHUNK } else { 0 };
                [&[image, number | last], codes].concat()
            }
        }
    }

    /// The request in a frame, or the status with which a device of `core` refuses it:
    /// UNKNOWN_KIND, BAD_LENGTH or OUT_OF_RANGE, looked for in this order.
    pub fn parse(frame: &'a Frame, core: &CoreConfig) -> Result<Self, u8> {
        let payload = frame.payload.as_slice();
        match frame.kind {
            kind::INFO => empty(payload).map(|()| Request::Info),
            kind::STATUS => empty(payload).map(|()| Request::Status),
            kind::GEOMETRY => {
                let bytes = payload.try_into().map_err(|_| status::BAD_LENGTH)?;
                Ok(Request::Geometry(bytes))
            }
            kind::WEIGHTS => weights(payload, core),
            kind::MARGINS => margins(payload, core),
            kind::ARM => {
                let bytes = payload.try_into().map_err(|_| status::BAD_LENGTH)?;
                Ok(Request::Arm(u32::from_le_bytes(bytes)))
            }
            kind::SPIKES => match payload {
                [image, chunk, codes @ ..] => Ok(Request::Spikes {
                    image: *image,
                    number: chunk & !LAST_CHUNK,
                    last: chunk & LAST_CHUNK != 0,
                    codes,
                }),
                _ => Err(status::BAD_LENGTH),
            },
            _ => Err(status::UNKNOWN_KIND),
        }
    }
}

fn empty(payload: &[u8]) -> Result<(), u8> {
    match payload {
        [] => Ok(()),
        _ => Err(status::BAD_LENGTH),
    }
}

fn weights<'a>(payload: &'a [u8], core: &CoreConfig) -> Result<Request<'a>, u8> {
    let [bank, low, high, rows @ ..] = payload else {
        return Err(status::BAD_LENGTH);
    };
    if rows.is_empty() || rows.len() % core.row_bytes() != 0 {
        return Err(status::BAD_LENGTH);
    }
    let row = u16::from_le_bytes([*low, *high]);
    let end = usize::from(row) + rows.len() / core.row_bytes();
    if *bank >= core.banks || end > core.weight_rows as usize {
        return Err(status::OUT_OF_RANGE);
    }
    let bank = *bank;
    Ok(Request::Weights { bank, row, rows })
}

fn margins<'a>(payload: &'a [u8], core: &CoreConfig) -> Result<Request<'a>, u8> {
    let [slot, octet, margins @ ..] = payload else {
        return Err(status::BAD_LENGTH);
    };
    if margins.is_empty() || margins.len() % 2 != 0 {
        return Err(status::BAD_LENGTH);
    }
    let end = LANES_PER_OCTET * usize::from(*octet) + margins.len() / 2;
    if u16::from(*slot) >= core.fold_slots || end > usize::from(core.lanes) {
        return Err(status::OUT_OF_RANGE);
    }
    Ok(Request::Margins {
        slot: *slot,
        octet: *octet,
        margins,
    })
}

/// The rows that one WEIGHTS frame carries at most.
pub fn rows_per_frame(core: &CoreConfig) -> usize {
    (MAX_PAYLOAD - 3) / core.row_bytes()
}

/// MARGINS counts lanes by so many, so that a byte reaches all of them.
pub const LANES_PER_OCTET: usize = 8;

/// The margins that one MARGINS frame carries at most: whole octets.
pub const MARGINS_PER_FRAME: usize = (MAX_PAYLOAD - 2) / 2 / LANES_PER_OCTET * LANES_PER_OCTET;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    pub(crate) const CORE: CoreConfig = CoreConfig {
        lanes: 16,
        beats: 1,
        banks: 2,
        weight_rows: 100,
        fold_slots: 4,
        input_rows: 16,
        hidden_rows: 16,
        frame_slots: 4,
        input_buffers: 2,
    };

    fn parse(kind: u8, payload: &[u8]) -> Result<(), u8> {
        let payload = payload.to_vec();
        let frame = Frame {
            kind,
            sequence: 0,
            payload,
        };
        Request::parse(&frame, &CORE).map(|_| ())
    }

    #[test]
    fn lengths_come_before_ranges() {
        use kind::*;
        use status::*;
        assert_eq!(parse(0x02, &[]), Err(UNKNOWN_KIND));
        assert_eq!(parse(INFO | 0x80, &[]), Err(UNKNOWN_KIND));
        assert_eq!(parse(INFO, &[0]), Err(BAD_LENGTH));
        assert_eq!(parse(STATUS, &[0]), Err(BAD_LENGTH));
        assert_eq!(parse(GEOMETRY, &[0; 32]), Err(BAD_LENGTH));
        assert_eq!(parse(ARM, &[0; 5]), Err(BAD_LENGTH));
        assert_eq!(parse(SPIKES, &[0]), Err(BAD_LENGTH));
        assert_eq!(parse(SPIKES, &[0, 0x80]), Ok(()));
        assert_eq!(parse(WEIGHTS, &[9, 0, 0]), Err(BAD_LENGTH));
        assert_eq!(parse(WEIGHTS, &[9, 0, 0, 1]), Err(BAD_LENGTH));
        assert_eq!(parse(WEIGHTS, &[1, 98, 0, 1, 2, 3, 4]), Ok(()));
        assert_eq!(parse(WEIGHTS, &[1, 99, 0, 1, 2, 3, 4]), Err(OUT_OF_RANGE));
        assert_eq!(parse(WEIGHTS, &[2, 0, 0, 1, 2]), Err(OUT_OF_RANGE));
        assert_eq!(parse(MARGINS, &[9, 0, 1]), Err(BAD_LENGTH));
        assert_eq!(parse(MARGINS, &[3, 1, 1, 2, 3, 4]), Ok(()));
        assert_eq!(parse(MARGINS, &[3, 2, 1, 2, 3, 4]), Err(OUT_OF_RANGE));
        assert_eq!(parse(MARGINS, &[4, 0, 1, 2]), Err(OUT_OF_RANGE));
    }

    proptest! {
        #[test]
        fn round_trip(which in 0..7, a: u8, row in 0u16..90, crc: u32, bytes in vec(any::<u8>(), 33), last: bool) {
            let geometry: [u8; GEOMETRY_BYTES] = bytes.clone().try_into().unwrap();
            let request = match which {
                0 => Request::Info,
                1 => Request::Geometry(&geometry),
                2 => Request::Weights { bank: a % 2, row, rows: &bytes[..20] },
                3 => Request::Margins { slot: a % 4, octet: a % 2, margins: &bytes[..16] },
                4 => Request::Arm(crc),
                5 => Request::Spikes { image: a, number: a & 127, last, codes: &bytes },
                _ => Request::Status,
            };
            let frame = Frame { kind: request.kind(), sequence: 1, payload: request.payload() };
            prop_assert_eq!(Request::parse(&frame, &CORE), Ok(request));
        }

        #[test]
        fn soup_never_panics(kind: u8, payload in vec(any::<u8>(), 0..=MAX_PAYLOAD)) {
            let _ = parse(kind, &payload);
        }
    }
}
