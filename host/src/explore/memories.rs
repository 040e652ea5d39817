//! The memories of a core, and what Yosys makes of each of them.
//!
//! A memory of so many words of so many bits can be cut in many ways: into 256 words of 16 bits each, or
//! 512 of 8, as registers or as LUTs. Yosys (pass `memory_libmap`, 0.40 to 0.70) gives each way a
//! price and takes the cheapest, and so does this module, with the prices of Yosys's own libraries
//! (`ice40/brams.txt`, `lattice/brams_16kd.txt`, `lattice/lutrams_trellis.txt`). The counts are exact;
//! the tests hold them against every synthesis run in the repository.

use firmware_model::board::{Board, Family, WeightMemory, SPRAM_WIDTH, SPRAM_WORDS};
use firmware_model::config::{CoreConfig, LUT_RAM_ROWS, POTENTIAL_BITS};
use firmware_model::network::MAX_STEPS;
use firstspike_hdl::core::weight_bank::block_ram_parts;
use serde::Serialize;
use std::ops::{Add, Mul};

/// The bytes of a received frame that a slot keeps.
const FRAME_BYTES: u32 = 256;
/// The bits that say to which run of a layer a hidden spike belongs.
const RUN_BITS: u32 = 2;

/// How many memories of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct MemoryUse {
    pub block_rams: u32,
    /// iCE40 UltraPlus only.
    pub sprams: u32,
    /// ECP5 only: memories of 16 words of 4 bits, made of four LUTs each.
    pub lut_rams: u32,
    /// The logic around them: bits that multiplexers choose from another memory of the same word.
    #[serde(skip)]
    pub multiplexed_bits: u32,
    /// The logic around them: bits with a bypass, because a word that is written gives its old value.
    #[serde(skip)]
    pub bypassed_bits: u32,
}

impl Add for MemoryUse {
    type Output = MemoryUse;

    fn add(self, other: MemoryUse) -> MemoryUse {
        MemoryUse {
            block_rams: self.block_rams + other.block_rams,
            sprams: self.sprams + other.sprams,
            lut_rams: self.lut_rams + other.lut_rams,
            multiplexed_bits: self.multiplexed_bits + other.multiplexed_bits,
            bypassed_bits: self.bypassed_bits + other.bypassed_bits,
        }
    }
}

impl Mul<u32> for MemoryUse {
    type Output = MemoryUse;

    fn mul(self, count: u32) -> MemoryUse {
        MemoryUse {
            block_rams: self.block_rams * count,
            sprams: self.sprams * count,
            lut_rams: self.lut_rams * count,
            multiplexed_bits: self.multiplexed_bits * count,
            bypassed_bits: self.bypassed_bits * count,
        }
    }
}

/// The memories that a core and its link take on a board.
pub fn memory_use(board: &Board, core: &CoreConfig) -> MemoryUse {
    memories(core)
        .iter()
        .map(|memory| {
            let each = match (memory.role, board.memories.weights) {
                (Role::Weights, WeightMemory::Spram) => memory.in_spram(),
                (Role::Weights, WeightMemory::Bram) => memory.in_two_parts(board.family),
                _ => memory.mapped(board.family),
            };
            each * memory.count
        })
        .fold(MemoryUse::default(), Add::add)
}

/// What a memory is for, and with it how it is read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// One port: a row is read or written.
    Weights,
    /// Written and read at two addresses; on ECP5 the word that is written may be read at once, and then
    /// gives its old value. That takes logic around a block RAM, so it costs.
    Margins,
    /// Written and read at two addresses, never at the same one.
    Queue,
    /// The same, and the generator asks for LUTs on ECP5 where it has few words.
    HiddenQueue,
}

/// So many equal memories.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Memory {
    role: Role,
    count: u32,
    words: u32,
    bits: u32,
}

/// All memories of a core and its link: the one place that knows them.
fn memories(core: &CoreConfig) -> [Memory; 7] {
    let (lanes, banks) = (u32::from(core.lanes), u32::from(core.banks));
    let group = core.group() as u32;
    let places = u32::from(core.fold_slots) * u32::from(core.beats);
    let (input_rows, hidden_rows) = (u32::from(core.input_rows), u32::from(core.hidden_rows));
    // A single bank need not know what a spike belongs to.
    let run_bits = if banks == 1 { 0 } else { RUN_BITS };
    let queue = |count, words, bits| Memory {
        role: Role::Queue,
        count,
        words,
        bits,
    };
    [
        Memory {
            role: Role::Weights,
            count: banks,
            words: core.weight_rows,
            bits: lanes,
        },
        // The starting margins and those of now, for each adder.
        Memory {
            role: Role::Margins,
            count: group,
            words: 2 * places,
            bits: POTENTIAL_BITS,
        },
        // Input queue and its steps, hidden queue, fire masks of two runs, received frames.
        queue(
            banks,
            u32::from(core.input_buffers) * input_rows,
            input_rows.ilog2(),
        ),
        queue(
            1,
            u32::from(core.input_buffers) * MAX_STEPS as u32,
            core.step_list_bits() as u32,
        ),
        Memory {
            role: Role::HiddenQueue,
            ..queue(banks, hidden_rows, hidden_rows.ilog2() + run_bits)
        },
        queue(1, 2 * places, group),
        queue(1, u32::from(core.frame_slots) * FRAME_BYTES, 8),
    ]
}

/// A kind of memory that a device has, as Yosys's library describes it.
struct Kind {
    makes: Makes,
    /// What one of them costs.
    cost: u32,
    /// The address bits of words of one bit.
    address_bits: u32,
    /// The widths of a word, each with half the words of the one before.
    widths: &'static [u32],
    /// The widths that a write port can have, by their places in `widths`.
    write_widths: (usize, usize),
    /// The bits that have a write enable of their own; 0: the whole word.
    byte: u32,
    /// Whether one port can both read and write.
    shared_port: bool,
    /// Whether it is read without a clock: a register follows, and a word that is written at the same
    /// time gives its old value.
    asynchronous: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Makes {
    BlockRam,
    LutRam,
}

/// What multiplexers between memories, enables for each of them and further logic cost.
const MULTIPLEXER: f64 = 0.5;
const DEMULTIPLEXER: f64 = 0.5;
const EMULATION: f64 = 2.0;
/// Points of logic for a read port of its own.
const READ_PORT: f64 = 1.0;
/// Points where a word that is written must give its old value: 3 for the write port, 3 for the read port.
const OLD_VALUE: f64 = 6.0;

const ICE40: [Kind; 2] = [
    Kind {
        makes: Makes::BlockRam,
        cost: 64,
        address_bits: 11,
        widths: &[2, 4, 8, 16],
        write_widths: (0, 2),
        byte: 0,
        shared_port: false,
        asynchronous: false,
    },
    Kind {
        makes: Makes::BlockRam,
        cost: 64,
        address_bits: 11,
        widths: &[2, 4, 8, 16],
        write_widths: (3, 3),
        byte: 1,
        shared_port: false,
        asynchronous: false,
    },
];

const ECP5: [Kind; 3] = [
    Kind {
        makes: Makes::LutRam,
        cost: 4,
        address_bits: 4,
        widths: &[4],
        write_widths: (0, 0),
        byte: 0,
        shared_port: false,
        asynchronous: true,
    },
    Kind {
        makes: Makes::BlockRam,
        cost: 128,
        address_bits: 14,
        widths: &[1, 2, 4, 9, 18],
        write_widths: (0, 4),
        byte: 9,
        shared_port: true,
        asynchronous: false,
    },
    Kind {
        makes: Makes::BlockRam,
        cost: 128,
        address_bits: 14,
        widths: &[1, 2, 4, 9, 18, 36],
        write_widths: (5, 5),
        byte: 9,
        shared_port: false,
        asynchronous: false,
    },
];

/// One way to make a memory.
#[derive(Debug, Clone, Copy)]
struct Way {
    count: u32,
    /// How many memories a column of bits takes.
    deep: u32,
    cost: f64,
}

impl Memory {
    /// SPRAMs are put side by side and on top of each other by the generator.
    fn in_spram(&self) -> MemoryUse {
        let deep = self.words.div_ceil(SPRAM_WORDS);
        MemoryUse {
            sprams: deep * self.bits.div_ceil(SPRAM_WIDTH),
            multiplexed_bits: (deep - 1) * self.bits,
            ..MemoryUse::default()
        }
    }

    /// A bank in block RAM is two memories, one above the other.
    fn in_two_parts(&self, family: Family) -> MemoryUse {
        let (low, high) = block_ram_parts(self.words as usize);
        let part = |words: usize| Memory {
            words: words as u32,
            ..*self
        };
        let below = part(low).mapped(family);
        if high == 0 {
            return below;
        }
        let choice = MemoryUse {
            multiplexed_bits: self.bits,
            ..MemoryUse::default()
        };
        below + part(high).mapped(family) + choice
    }

    /// What one of these memories becomes.
    fn mapped(&self, family: Family) -> MemoryUse {
        let kinds = match family {
            Family::Ice40 => &ICE40[..],
            Family::Ecp5 => &ECP5[..],
        };
        // Flip-flops cost one for each bit. Yosys compares with whole numbers, rounded down.
        let mut best = f64::from(self.words * self.bits);
        let mut made = MemoryUse::default();
        let in_luts = self.role == Role::HiddenQueue
            && family == Family::Ecp5
            && self.words <= u32::from(LUT_RAM_ROWS);
        if in_luts {
            best = f64::INFINITY;
        }
        let may_be = |kind: &&Kind| !in_luts || kind.makes == Makes::LutRam;
        for kind in kinds.iter().filter(may_be) {
            let way = self.cheapest(kind, family);
            if way.cost < best {
                best = way.cost.trunc();
                let (block_rams, lut_rams) = match kind.makes {
                    Makes::BlockRam => (way.count, 0),
                    Makes::LutRam => (0, way.count),
                };
                let bypass = self.emulation(kind, family) > READ_PORT;
                made = MemoryUse {
                    block_rams,
                    lut_rams,
                    sprams: 0,
                    multiplexed_bits: (way.deep - 1) * self.bits,
                    bypassed_bits: if bypass { self.bits } else { 0 },
                };
            }
        }
        made
    }

    /// The cheapest way to make it of one kind.
    fn cheapest(&self, kind: &Kind, family: Family) -> Way {
        let byte_width = kind.widths.iter().rposition(|&width| width <= kind.byte);
        let byte_width = match kind.byte {
            0 => kind.widths.len() - 1,
            _ => byte_width.unwrap_or(0),
        };
        let (narrowest, widest) = kind.write_widths;
        let mut best: Option<Way> = None;
        for place in 0..kind.widths.len() {
            // A write port that is too narrow for all bits that can be read makes a unit of its width.
            let unit_place = place.min(widest);
            if unit_place != place && best.is_some() {
                break;
            }
            if place < narrowest && place < byte_width {
                continue;
            }
            let unit = kind.widths[unit_place];
            let byte = match kind.byte {
                0 => unit,
                bits => bits.min(unit),
            };
            let deep = self.words.div_ceil(1 << (kind.address_bits - place as u32));
            let count = (deep * self.bits.next_multiple_of(byte)).div_ceil(unit);
            let enables = if deep == 1 { 0 } else { deep };
            let cost = f64::from(kind.cost * count)
                + MULTIPLEXER * f64::from((deep - 1) * self.bits)
                + DEMULTIPLEXER * f64::from(enables)
                + EMULATION * self.emulation(kind, family);
            if best.is_none_or(|best| cost < best.cost.trunc()) {
                best = Some(Way { count, deep, cost });
            }
        }
        best.expect("the widest words are always possible")
    }

    /// Points for the logic around a memory whose ports do not do what is asked for.
    fn emulation(&self, kind: &Kind, family: Family) -> f64 {
        let old_value = match self.role {
            Role::Weights => true,
            Role::Margins => family == Family::Ecp5,
            Role::Queue | Role::HiddenQueue => false,
        };
        match self.role {
            Role::Weights if kind.shared_port => 0.0,
            _ if old_value && !kind.asynchronous => READ_PORT + OLD_VALUE,
            _ => READ_PORT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Block RAMs and LUT memories of a memory of `words` of `bits`.
    fn made(role: Role, words: u32, bits: u32, family: Family) -> (u32, u32) {
        let memory = Memory {
            role,
            count: 1,
            words,
            bits,
        };
        let made = memory.mapped(family);
        (made.block_rams, made.lut_rams)
    }

    #[test]
    fn block_rams_of_ice40_are_cut_in_four_ways() {
        let table = [
            (256, 16, 1),
            (256, 17, 2),
            (512, 8, 1),
            (512, 16, 2),
            (1024, 4, 1),
            (2048, 2, 1),
            (2048, 16, 8),
            (4096, 16, 16),
            (16, 4, 0),
            (32, 16, 1),
        ];
        for (words, bits, expected) in table {
            let found = made(Role::Queue, words, bits, Family::Ice40);
            assert_eq!(found, (expected, 0), "{words} x {bits}");
        }
    }

    #[test]
    fn block_rams_of_ecp5_are_cut_in_six_ways() {
        let table = [
            (512, 36, 1),
            (1024, 18, 1),
            (2048, 9, 1),
            (4096, 4, 1),
            (4096, 32, 8),
            (8192, 2, 1),
            (16384, 1, 1),
            (16384, 16, 16),
        ];
        for (words, bits, expected) in table {
            let found = made(Role::Weights, words, bits, Family::Ecp5);
            assert_eq!(found, (expected, 0), "{words} x {bits}");
        }
    }

    #[test]
    fn small_memories_of_ecp5_are_made_of_luts() {
        assert_eq!(made(Role::Margins, 64, 16, Family::Ecp5), (0, 16));
        assert_eq!(made(Role::Margins, 128, 16, Family::Ecp5), (1, 0));
        assert_eq!(made(Role::Queue, 32, 32, Family::Ecp5), (0, 16));
        assert_eq!(made(Role::Queue, 16, 4, Family::Ecp5), (0, 1));
        assert_eq!(made(Role::Queue, 256, 10, Family::Ecp5), (1, 0));
        assert_eq!(made(Role::HiddenQueue, 256, 10, Family::Ecp5), (0, 48));
        assert_eq!(made(Role::HiddenQueue, 512, 11, Family::Ecp5), (1, 0));
    }
}
