//! What a device says of itself: the payload of INFO's reply.

use super::{MAGIC, VERSION};
use crate::config::{ConfigError, CoreConfig, POTENTIAL_BITS};
use crate::network::MAX_LAYERS;
use crc::{Crc, CRC_32_ISO_HDLC};
use thiserror::Error;

/// The bytes from `FSPK` to the baud rate: fixed by the gateware, covered by its checksum.
pub const IDENTITY_BYTES: usize = 31;
/// The bytes of INFO's reply that the gateware fixes: the identity and its CRC-32.
pub const FIXED_BYTES: usize = IDENTITY_BYTES + 4;
/// The bytes of INFO's reply without the status.
pub const INFO_BYTES: usize = FIXED_BYTES + 5;

/// What a gateware is generated with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceConfig {
    pub core: CoreConfig,
    /// The number of the board in its board file; 0 for none.
    pub board_number: u8,
    /// The clock of the core, in Hz.
    pub clock_hz: u32,
    /// The baud rate of the link.
    pub baud: u32,
}

impl DeviceConfig {
    /// The gateware's part of INFO: identity, then its CRC-32.
    pub fn to_bytes(&self) -> [u8; FIXED_BYTES] {
        let core = &self.core;
        let mut bytes = Vec::with_capacity(FIXED_BYTES);
        bytes.extend(MAGIC);
        bytes.extend([VERSION, self.board_number]);
        bytes.extend(core.lanes.to_le_bytes());
        bytes.extend([core.banks, core.beats]);
        bytes.extend([POTENTIAL_BITS as u8, MAX_LAYERS as u8]);
        bytes.extend(core.weight_rows.to_le_bytes());
        bytes.extend(core.fold_slots.to_le_bytes());
        bytes.extend(core.input_rows.to_le_bytes());
        bytes.extend(core.hidden_rows.to_le_bytes());
        bytes.push(core.frame_slots | core.input_buffers << 4);
        bytes.extend(self.clock_hz.to_le_bytes());
        bytes.extend(self.baud.to_le_bytes());
        bytes.extend(crc32(&bytes).to_le_bytes());
        bytes.try_into().expect("the fields fill the table")
    }

    /// The CRC-32 of the gateware's configuration.
    pub fn checksum(&self) -> u32 {
        crc32(&self.to_bytes()[..IDENTITY_BYTES])
    }
}

/// The payload of INFO's reply, without the status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InfoPayload {
    pub device: DeviceConfig,
    /// Whether a verified model is loaded.
    pub armed: bool,
    /// CRC-32 of the loaded memories as the last ARM computed it; 0 before.
    pub memory_crc: u32,
}

/// Why the answer to INFO is not that of a device this host can work with.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InfoError {
    #[error("it does not begin with the letters FSPK")]
    Letters,
    #[error("it speaks version {found} of the protocol, not {VERSION}")]
    Version { found: u8 },
    #[error("it has {found} bytes instead of {INFO_BYTES}")]
    Length { found: usize },
    #[error("its checksum of the gateware's configuration is wrong")]
    Checksum,
    #[error("its {name} is {found}, which no gateware of version {VERSION} has")]
    Value { name: &'static str, found: u32 },
    #[error("its core has {0}")]
    Core(ConfigError),
}

impl InfoPayload {
    /// What the Verilog generator puts into the gateware: the part of INFO that never changes.
    pub fn for_config(
        core: &CoreConfig,
        board_number: u8,
        clock_hz: u32,
        baud: u32,
    ) -> [u8; FIXED_BYTES] {
        let device = DeviceConfig {
            core: *core,
            board_number,
            clock_hz,
            baud,
        };
        device.to_bytes()
    }

    pub fn to_bytes(&self) -> [u8; INFO_BYTES] {
        let mut bytes = [0; INFO_BYTES];
        bytes[..FIXED_BYTES].copy_from_slice(&self.device.to_bytes());
        bytes[FIXED_BYTES] = u8::from(self.armed);
        bytes[FIXED_BYTES + 1..].copy_from_slice(&self.memory_crc.to_le_bytes());
        bytes
    }

    /// Reads what [`InfoPayload::to_bytes`] wrote, and checks every field.
    pub fn parse(bytes: &[u8]) -> Result<Self, InfoError> {
        // Letters and version first: other versions may have other lengths.
        if !bytes.starts_with(&MAGIC) {
            return Err(InfoError::Letters);
        }
        match bytes.get(4) {
            Some(&VERSION) => {}
            Some(&found) => return Err(InfoError::Version { found }),
            None => return Err(InfoError::Length { found: bytes.len() }),
        }
        let length = InfoError::Length { found: bytes.len() };
        let bytes: &[u8; INFO_BYTES] = bytes.try_into().map_err(|_| length)?;
        let half = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let word = |at: usize| u32::from(half(at)) | u32::from(half(at + 2)) << 16;
        if word(IDENTITY_BYTES) != crc32(&bytes[..IDENTITY_BYTES]) {
            return Err(InfoError::Checksum);
        }
        let core = CoreConfig {
            lanes: half(6),
            banks: bytes[8],
            beats: bytes[9],
            weight_rows: word(12),
            fold_slots: half(16),
            input_rows: half(18),
            hidden_rows: half(20),
            frame_slots: bytes[22] & 0x0F,
            input_buffers: bytes[22] >> 4,
        };
        let constants = [
            ("width of a potential", bytes[10], POTENTIAL_BITS),
            ("number of layers", bytes[11], MAX_LAYERS as u32),
        ];
        for (name, found, expected) in constants {
            let found = u32::from(found);
            if found != expected {
                return Err(InfoError::Value { name, found });
            }
        }
        core.check().map_err(InfoError::Core)?;
        let armed = match bytes[FIXED_BYTES] {
            0 => false,
            1 => true,
            found => {
                let (name, found) = ("armed flag", found.into());
                return Err(InfoError::Value { name, found });
            }
        };
        Ok(InfoPayload {
            device: DeviceConfig {
                core,
                board_number: bytes[5],
                clock_hz: word(23),
                baud: word(27),
            },
            armed,
            memory_crc: word(FIXED_BYTES + 1),
        })
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);
    CRC.checksum(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{BANK_CHOICES, LANE_CHOICES};
    use proptest::prelude::*;

    fn example() -> InfoPayload {
        let core = CoreConfig {
            lanes: 64,
            banks: 2,
            beats: 4,
            weight_rows: 0x1234,
            fold_slots: 32,
            input_rows: 512,
            hidden_rows: 256,
            frame_slots: 4,
            input_buffers: 2,
        };
        InfoPayload {
            device: DeviceConfig {
                core,
                board_number: 7,
                clock_hz: 24_000_000,
                baud: 3_000_000,
            },
            armed: true,
            memory_crc: 0xDEAD_BEEF,
        }
    }

    /// The table in docs/protocol.md, by hand.
    #[test]
    fn known_bytes() {
        let bytes = example().to_bytes();
        assert_eq!(&bytes[..6], b"FSPK\x02\x07");
        assert_eq!(
            bytes[6..IDENTITY_BYTES],
            [
                64, 0, 2, 4, 16, 4, 0x34, 0x12, 0, 0, 32, 0, 0, 2, 0, 1, 0x24, 0x00, 0x36, 0x6E,
                0x01, 0xC0, 0xC6, 0x2D, 0x00
            ]
        );
        assert_eq!(bytes[FIXED_BYTES..], [1, 0xEF, 0xBE, 0xAD, 0xDE]);
        let device = example().device;
        assert_eq!(
            bytes[..FIXED_BYTES],
            InfoPayload::for_config(
                &device.core,
                device.board_number,
                device.clock_hz,
                device.baud
            )
        );
    }

    #[test]
    fn each_wrong_field_has_its_error() {
        let good = example().to_bytes();
        let with = |at: usize, value: u8, sign: bool| {
            let mut bytes = good;
            bytes[at] = value;
            if sign {
                let crc = crc32(&bytes[..IDENTITY_BYTES]);
                bytes[IDENTITY_BYTES..FIXED_BYTES].copy_from_slice(&crc.to_le_bytes());
            }
            InfoPayload::parse(&bytes)
        };
        assert_eq!(with(0, b'G', true), Err(InfoError::Letters));
        assert_eq!(with(4, 1, true), Err(InfoError::Version { found: 1 }));
        assert_eq!(with(6, 32, false), Err(InfoError::Checksum));
        let value = |name, found| Err(InfoError::Value { name, found });
        assert_eq!(with(10, 12, true), value("width of a potential", 12));
        assert_eq!(with(11, 5, true), value("number of layers", 5));
        assert_eq!(
            with(6, 63, true),
            Err(InfoError::Core(ConfigError::Lanes { found: 63 }))
        );
        assert_eq!(with(FIXED_BYTES, 2, true), value("armed flag", 2));
        assert_eq!(
            InfoPayload::parse(&good[..INFO_BYTES - 1]),
            Err(InfoError::Length {
                found: INFO_BYTES - 1
            })
        );
        assert_eq!(
            InfoPayload::parse(&good[..4]),
            Err(InfoError::Length { found: 4 })
        );
        assert_eq!(InfoPayload::parse(&[]), Err(InfoError::Letters));
    }

    proptest! {
        #[test]
        fn round_trip(
            lanes in prop::sample::select(&LANE_CHOICES),
            banks in prop::sample::select(&BANK_CHOICES),
            weight_rows in 16u32..=65_536,
            (fold, input, hidden, frames) in (1u32..=7, 4u32..=11, 4u32..=11, 1u32..=3),
            input_buffers in 1u8..=2,
            (board_number, clock_hz, baud) in any::<(u8, u32, u32)>(),
            (armed, memory_crc) in any::<(bool, u32)>(),
        ) {
            let core = CoreConfig {
                lanes,
                banks,
                beats: 1,
                weight_rows,
                fold_slots: 1 << fold,
                input_rows: 1 << input,
                hidden_rows: 1 << hidden,
                frame_slots: 1 << frames,
                input_buffers,
            };
            let device = DeviceConfig { core, board_number, clock_hz, baud };
            let info = InfoPayload { device, armed, memory_crc };
            prop_assert_eq!(InfoPayload::parse(&info.to_bytes()), Ok(info));
        }

        #[test]
        fn byte_soup_never_panics(mut bytes in prop::collection::vec(any::<u8>(), 0..60), letters: bool) {
            if letters && bytes.len() >= 5 {
                bytes[..5].copy_from_slice(b"FSPK\x02");
            }
            prop_assert!(InfoPayload::parse(&bytes).is_err());
        }
    }
}
