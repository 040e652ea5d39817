//! The sizes of a core: what a board's gateware is generated with.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The width of a potential (kept as the margin V - threshold), in bits, two's complement.
pub const POTENTIAL_BITS: u32 = 16;
/// The choices of P, the neurons that are updated together.
pub const LANE_CHOICES: [u16; 7] = [8, 16, 32, 64, 128, 256, 512];
/// The choices of S, the input spikes that are taken together.
pub const BANK_CHOICES: [u8; 4] = [1, 2, 4, 8];
/// The choices of B, the beats in which the lanes' counts are added to the margins.
pub const BEAT_CHOICES: [u8; 3] = [1, 2, 4];
/// The fewest lanes of one beat.
pub const MIN_GROUP: u16 = 8;
/// The most words of a chunk: what the counters of the lanes hold.
pub const CHUNK_WORDS: usize = 15;
/// The most steps that are under way at a time.
pub const STEPS_UNDER_WAY: usize = 2;
/// The fewest clock cycles between two chunks of the same fold: a margin is read, changed and written back.
pub const SAME_FOLD: usize = 3;
/// From so many banks on the weights pass through a register behind their memory.
const LATE_WEIGHTS_BANKS: u8 = 4;
/// From so many lanes a beat on a margin that is scanned passes through a register on its way out.
const LATE_MARGINS_GROUP: usize = 128;
/// On ECP5, lists of hidden spikes up to this length are kept in LUTs, to leave the block RAMs to the weights.
pub const LUT_RAM_ROWS: u16 = 256;

/// The sizes of a core. One bitstream has one of these and serves every network that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoreConfig {
    /// P: neurons updated together.
    pub lanes: u16,
    /// S: weight memories, and so input spikes taken together.
    pub banks: u8,
    /// B: the P lanes share P / B adders, which serve them in B beats after each fold.
    pub beats: u8,
    /// Rows of P weight bits in each bank, over all layers.
    pub weight_rows: u32,
    /// Folds (groups of P neurons) that have potentials and thresholds, over all layers.
    pub fold_slots: u16,
    /// Input spikes that a bank can queue for one inference: the core takes `banks * input_rows` inputs.
    pub input_rows: u16,
    /// Hidden spikes that a bank can queue: as many as all hidden layers together have neurons for it.
    pub hidden_rows: u16,
    /// Received frames that the device can hold: the credits of the link.
    pub frame_slots: u8,
    /// 1, or 2 to fill the input queue for the next inference while this one is computed.
    pub input_buffers: u8,
}

/// Why a core of such sizes is not built.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConfigError {
    #[error("{found} lanes: choose one of 8, 16, 32, 64, 128, 256, 512")]
    Lanes { found: u16 },
    #[error("{found} banks: choose one of 1, 2, 4, 8")]
    Banks { found: u8 },
    #[error("{found} beats: choose one of 1, 2, 4")]
    Beats { found: u8 },
    #[error(
        "{lanes} lanes in {beats} beats: a beat has {MIN_GROUP} lanes or more, choose fewer beats"
    )]
    Group { lanes: u16, beats: u8 },
    #[error("{lanes} lanes in {beats} beats: more than 128 lanes take 1 or 2")]
    ManyLanes { lanes: u16, beats: u8 },
    #[error("{name} is {found}: choose between {min} and {max}")]
    Range {
        name: &'static str,
        found: u32,
        min: u32,
        max: u32,
    },
    #[error("{name} is {found}: choose a power of two")]
    PowerOfTwo { name: &'static str, found: u32 },
}

impl CoreConfig {
    /// Checks every size against what the core is written for.
    pub fn check(&self) -> Result<(), ConfigError> {
        check_shape(self.lanes, self.banks, self.beats)?;
        let ranges = [
            ("weight_rows", self.weight_rows, 16, 65_536),
            ("fold_slots", self.fold_slots.into(), 2, 128),
            ("input_rows", self.input_rows.into(), 16, 2_048),
            ("hidden_rows", self.hidden_rows.into(), 16, 2_048),
            ("frame_slots", self.frame_slots.into(), 2, 8),
            ("input_buffers", self.input_buffers.into(), 1, 2),
        ];
        for (name, found, min, max) in ranges {
            if !(min..=max).contains(&found) {
                return Err(ConfigError::Range {
                    name,
                    found,
                    min,
                    max,
                });
            }
        }
        let powers = [
            ("fold_slots", u32::from(self.fold_slots)),
            ("input_rows", self.input_rows.into()),
            ("hidden_rows", self.hidden_rows.into()),
            ("frame_slots", self.frame_slots.into()),
        ];
        for (name, found) in powers {
            if !found.is_power_of_two() {
                return Err(ConfigError::PowerOfTwo { name, found });
            }
        }
        Ok(())
    }

    /// The lanes of one beat, P / B.
    pub fn group(&self) -> usize {
        usize::from(self.lanes) / usize::from(self.beats)
    }

    /// The bits that count the words of a run, of which there are as many as rows of input or of hidden spikes at most.
    /// All of them at once count as 0.
    pub fn word_bits(&self) -> usize {
        self.input_rows.max(self.hidden_rows).ilog2() as usize
    }

    /// The bits that the core keeps of a step of the image: which one it is, its words, and the spikes of each of several
    /// banks.
    pub fn step_list_bits(&self) -> usize {
        let counts = match usize::from(self.banks) {
            1 => 0,
            banks => banks * (self.word_bits() + 1),
        };
        8 + self.word_bits() + counts
    }

    /// Whether the weights pass through a register behind their memory, for a cycle more. The lanes of many banks have
    /// so much to add that block RAM would be too slow without.
    pub fn late_weights(&self) -> bool {
        self.banks >= LATE_WEIGHTS_BANKS
    }

    /// Whether a margin that is scanned comes a cycle later, through a register: the adders of many lanes are far from
    /// each other.
    pub fn late_margins(&self) -> bool {
        self.group() >= LATE_MARGINS_GROUP
    }

    /// The bytes of one row of one bank.
    pub fn row_bytes(&self) -> usize {
        usize::from(self.lanes) / 8
    }
}

/// Checks the sizes that a core's blocks are written for: lanes, banks and beats.
pub fn check_shape(lanes: u16, banks: u8, beats: u8) -> Result<(), ConfigError> {
    if !LANE_CHOICES.contains(&lanes) {
        return Err(ConfigError::Lanes { found: lanes });
    }
    if !BANK_CHOICES.contains(&banks) {
        return Err(ConfigError::Banks { found: banks });
    }
    if !BEAT_CHOICES.contains(&beats) {
        return Err(ConfigError::Beats { found: beats });
    }
    if lanes / u16::from(beats) < MIN_GROUP {
        return Err(ConfigError::Group { lanes, beats });
    }
    if lanes > 128 && beats > 2 {
        return Err(ConfigError::ManyLanes { lanes, beats });
    }
    Ok(())
}
