//! The boards: one data file (TOML) and one pin file (PCF or LPF) each, in `constraints/`.
//!
//! A board's data file says what the generator, the build, the simulation and the host need to know of
//! it: clock and PLL, pins, UART, memories, and the sizes of the core that it gets when nothing else is
//! asked for. `docs/adding-a-board.md` explains every field. The boards of that folder are built in;
//! another one is given as the path of its data file. Either way, adding one takes no code.

mod built_in;
mod flash;
mod pins;
mod pll;

pub use flash::{Flash, Writes};
pub use pins::{PinError, Pins};
pub use pll::{Ecp5Pll, Ice40Pll, Pll, PllError};

use crate::config::{ConfigError, CoreConfig};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// The words of one SPRAM of an iCE40 UltraPlus.
pub const SPRAM_WORDS: u32 = 16_384;
/// The bits of one word of an SPRAM.
pub const SPRAM_WIDTH: u32 = 16;
/// The fewest core clocks in one bit of the UART: fewer leave the receiver too little to sample from.
pub const MIN_CLOCKS_PER_BIT: u32 = 4;
/// The largest relative error of the UART's rate. Half a bit over the ten of a frame is 5 %; both ends share it.
pub const MAX_BAUD_ERROR: f64 = 0.02;

/// What is wrong with a board, its name or its files.
#[derive(Debug, Error)]
pub enum BoardError {
    #[error(
        "there is no board `{name}`{}; choose one of {}, or give the path of a board's .toml file",
        .suggestion.as_ref().map(|near| format!(" (did you mean `{near}`?)")).unwrap_or_default(),
        .known.join(", ")
    )]
    Unknown {
        name: String,
        suggestion: Option<String>,
        known: Vec<String>,
    },
    #[error("cannot read {}; check the path and the board's `constraints` field", .path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    /// Not TOML, an unknown or missing field, or a value of the wrong type.
    #[error("{file}, line {line}: {message}; docs/adding-a-board.md explains every field")]
    Field {
        file: String,
        line: usize,
        message: String,
    },
    #[error("{file}: {problem}; correct the file, docs/adding-a-board.md explains every field")]
    Invalid { file: String, problem: Problem },
    #[error(transparent)]
    Pins(#[from] PinError),
}

/// Why a board's figures cannot be right, although each is of the right type.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum Problem {
    #[error("the name `{0}` must be lower-case letters, digits, `-` and `_`")]
    Name(String),
    #[error("number is 0: choose one from 1 to 255 that no other board has")]
    Number,
    #[error("the pin file `{file}` of an {family} board must end in `.{suffix}`")]
    PinFile {
        file: String,
        family: Family,
        suffix: &'static str,
    },
    #[error("[clock.pll]: {0}")]
    Pll(#[from] PllError),
    #[error("core_hz is {core_hz}, but without [clock.pll] it must equal input_hz ({input_hz})")]
    NoPll { core_hz: u32, input_hz: u32 },
    #[error("the UART's baud ({baud}) is more than its max_baud ({max_baud})")]
    BaudTooHigh { baud: u32, max_baud: u32 },
    #[error("{baud} baud are {clocks} clocks of core_hz a bit: choose a baud with {MIN_CLOCKS_PER_BIT} or more")]
    ClocksPerBit { baud: u32, clocks: u32 },
    #[error(
        "{baud} baud cannot be made from core_hz: {clocks} clocks a bit are {percent:.1} % off"
    )]
    BaudError {
        baud: u32,
        clocks: u32,
        percent: f64,
    },
    #[error("[uart] must say what the host is connected through: either `usb`, the board's chip, or `header`, the pins for an adapter")]
    Connection,
    #[error(
        "speed_grade and idcode are for ECP5 boards, which must have both (speed_grade 6, 7 or 8)"
    )]
    Ecp5Fields,
    #[error("[[flash]]: the tool `{0}` must be the name of a program, without a folder")]
    FlashTool(String),
    #[error("[[variants]]: two are called `{0}`; give each its own name")]
    SameVariant(String),
    #[error(transparent)]
    Core(#[from] ConfigError),
    #[error(
        "{banks} banks of {rows} rows of {lanes} weight bits take {needed} {memory}, the board has {available}"
    )]
    Weights {
        banks: u8,
        rows: u32,
        lanes: u16,
        needed: u32,
        available: u32,
        memory: WeightMemory,
    },
}

/// The FPGA families that there is an open toolchain and a top level for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    Ice40,
    Ecp5,
}

impl Family {
    /// The beats that suit so many lanes: the adders of a beat have a block RAM each on iCE40, which has few.
    pub fn beats_for(self, lanes: u16) -> u8 {
        match (self, lanes) {
            (Family::Ice40, 0..=16) => 1,
            (Family::Ice40, 17..=32) => 2,
            (Family::Ice40, 33..=128) => 4,
            (Family::Ice40, _) => 2,
            (Family::Ecp5, _) => 1,
        }
    }

    /// What a pin file's name ends in.
    pub fn pin_file_suffix(self) -> &'static str {
        match self {
            Family::Ice40 => "pcf",
            Family::Ecp5 => "lpf",
        }
    }

    /// What a bitstream's name ends in.
    pub fn bitstream_suffix(self) -> &'static str {
        match self {
            Family::Ice40 => "bin",
            Family::Ecp5 => "bit",
        }
    }
}

impl std::fmt::Display for Family {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Family::Ice40 => "ice40",
            Family::Ecp5 => "ecp5",
        })
    }
}

/// What the device has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resources {
    /// Four-input lookup tables.
    pub luts: u32,
    pub block_rams: u32,
    /// Bits of one block RAM.
    pub block_ram_bits: u32,
    /// SPRAMs of [`SPRAM_WORDS`] words of [`SPRAM_WIDTH`] bits (iCE40 UltraPlus only).
    pub sprams: u32,
}

/// The clock pin, the rates, and the PLL between them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clock {
    /// The top level's port, and the pin file's name, of the oscillator's pin.
    pub signal: String,
    /// The oscillator, in Hz.
    pub input_hz: u32,
    /// What core, UART and everything else run at, in Hz.
    pub core_hz: u32,
    /// None: the core runs at the oscillator's rate.
    pub pll: Option<Pll>,
}

/// The UART to the host. Directions are the FPGA's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Uart {
    /// The input from the USB chip.
    pub rx: String,
    /// The output to the USB chip.
    pub tx: String,
    /// Bits a second.
    pub baud: u32,
    /// What the USB chip, or a good adapter, goes to.
    pub max_baud: u32,
    /// The board's USB chip, for people: which one, and which of its ports.
    pub usb: Option<String>,
    /// Where an adapter is connected, on a board without such a chip.
    pub header: Option<Header>,
}

impl Uart {
    /// How the host is connected, for people.
    pub fn connection(&self) -> String {
        match (&self.usb, &self.header) {
            (_, Some(Header { rx, tx })) => format!(
                "a 3.3 V USB-UART adapter, its TXD to {rx} of the board, its RXD to {tx}, ground to ground"
            ),
            (usb, None) => format!("the board's {}", usb.as_deref().unwrap_or("USB chip")),
        }
    }
}

/// The pins for a 3.3 V USB-UART adapter, as the board's print names them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Where the adapter's TXD goes.
    pub rx: String,
    /// Where the adapter's RXD goes.
    pub tx: String,
}

/// What an LED tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LedShows {
    /// A verified model is loaded.
    Armed,
    /// An inference is being computed.
    Busy,
}

/// An LED.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Led {
    pub signal: String,
    pub shows: LedShows,
    /// Whether it is lit when the pin is low.
    pub active_low: bool,
}

/// An output that stays at one level, because the board wants it so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConstantOutput {
    pub signal: String,
    pub level: bool,
}

/// The kind of memory that holds the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WeightMemory {
    Spram,
    Bram,
}

impl std::fmt::Display for WeightMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            WeightMemory::Spram => "SPRAMs",
            WeightMemory::Bram => "block RAMs",
        })
    }
}

/// What is kept where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Memories {
    pub weights: WeightMemory,
}

/// Another revision of a board, or another way to connect it to the host. It has the name of the board, `-` and its own,
/// and everything of the board that is not said here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// What comes after the board's name and `-`.
    pub name: String,
    /// When to choose it, for people: `revision v3.1.6 and later`.
    pub when: String,
    /// Its pin file, where that is another one.
    pub constraints: Option<String>,
    /// Its link to the host, where that is another one.
    pub uart: Option<Uart>,
    /// What its user has to know, instead of the board's notes.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// A board, as its data file and its pin file say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Board {
    /// What `--board` takes.
    pub name: String,
    /// What the gateware answers when asked which board it is for: unique, not 0.
    pub number: u8,
    /// For people.
    pub title: String,
    pub family: Family,
    /// nextpnr's name of the device, without dashes: `up5k`, `25k`.
    pub device: String,
    /// nextpnr's name of the package.
    pub package: String,
    /// The speed grade that nextpnr times an ECP5 for.
    pub speed_grade: Option<u8>,
    /// What an ECP5 answers when asked who it is; it takes only bitstreams that are made for this.
    pub idcode: Option<u32>,
    /// The name of the pin file, in the data file's folder.
    pub constraints: String,
    /// What a user of the board has to know: a jumper, a button. A sentence each.
    #[serde(default)]
    pub notes: Vec<String>,
    pub resources: Resources,
    pub clock: Clock,
    pub uart: Uart,
    #[serde(default)]
    pub leds: Vec<Led>,
    #[serde(default)]
    pub constant_outputs: Vec<ConstantOutput>,
    pub memories: Memories,
    /// The sizes of the core when nothing else is asked for.
    pub core: CoreConfig,
    /// How its FPGA is loaded, the usual tool first.
    #[serde(default)]
    pub flash: Vec<Flash>,
    /// Its revisions and connections that differ; empty in a variant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<Variant>,
    #[serde(skip)]
    constraint_text: String,
    /// The texts of the pin files of the variants.
    #[serde(skip)]
    variant_texts: Vec<String>,
}

impl Board {
    /// The boards of this repository, in the order of their numbers; without their variants.
    pub fn built_in() -> Vec<Board> {
        let mut boards: Vec<Board> = built_in::data_files()
            .iter()
            .map(|(name, data)| {
                let pins = |file: &str| {
                    let text = built_in::pin_file(file).map(str::to_owned);
                    text.ok_or_else(|| BoardError::Read {
                        path: file.into(),
                        source: std::io::ErrorKind::NotFound.into(),
                    })
                };
                Board::parse(data, name, pins).expect("the tests parse every built-in board")
            })
            .collect();
        boards.sort_by_key(|board| board.number);
        boards
    }

    /// A built-in board or a variant of one by its name, or the board of a data file by its path (anything that ends in
    /// `.toml`).
    pub fn find(name_or_path: &str) -> Result<Board, BoardError> {
        if name_or_path.ends_with(".toml") {
            return Board::load(Path::new(name_or_path));
        }
        let boards: Vec<Board> = Board::built_in()
            .into_iter()
            .flat_map(|board| {
                let variants = board.variant_boards();
                std::iter::once(board).chain(variants)
            })
            .collect();
        let known: Vec<String> = boards.iter().map(|board| board.name.clone()).collect();
        boards
            .into_iter()
            .find(|board| board.name == name_or_path)
            .ok_or_else(|| BoardError::Unknown {
                name: name_or_path.to_owned(),
                suggestion: nearest(name_or_path, &known),
                known,
            })
    }

    /// The variants of the board, as boards of their own.
    pub fn variant_boards(&self) -> Vec<Board> {
        let variants = self.variants.iter().zip(&self.variant_texts);
        variants
            .map(|(variant, text)| {
                let mut board = self.bare_variant(variant);
                board.constraint_text = text.clone();
                board
            })
            .collect()
    }

    /// A variant of the board, still without the text of its pin file.
    fn bare_variant(&self, variant: &Variant) -> Board {
        let mut board = self.clone();
        board.name = format!("{}-{}", self.name, variant.name);
        board.title = format!("{}, {}", self.title, variant.when);
        board.notes = variant.notes.clone();
        board.variants.clear();
        board.variant_texts.clear();
        board.constraint_text.clear();
        if let Some(constraints) = &variant.constraints {
            board.constraints = constraints.clone();
        }
        if let Some(uart) = &variant.uart {
            board.uart = uart.clone();
        }
        board
    }

    /// The board of a data file; its pin file is looked for in the same folder.
    pub fn load(path: &Path) -> Result<Board, BoardError> {
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        Board::parse(&read(path)?, &path.display().to_string(), |pin_file| {
            read(&folder.join(pin_file))
        })
    }

    /// A board from the text of its data file, called `file` in errors; `read_pins` gets the text of a pin file.
    fn parse(
        data: &str,
        file: &str,
        read_pins: impl Fn(&str) -> Result<String, BoardError>,
    ) -> Result<Board, BoardError> {
        let mut board: Board = toml::from_str(data).map_err(|error| BoardError::Field {
            file: file.to_owned(),
            line: line_of(data, error.span().map_or(0, |span| span.start)),
            message: error.message().trim().replace('\n', ", "),
        })?;
        board.constraint_text = board.checked_pins(file, &read_pins)?;
        for variant in &board.variants {
            if board
                .variants
                .iter()
                .filter(|v| v.name == variant.name)
                .count()
                > 1
            {
                return Err(BoardError::Invalid {
                    file: file.to_owned(),
                    problem: Problem::SameVariant(variant.name.clone()),
                });
            }
        }
        board.variant_texts = (board.variants.iter())
            .map(|variant| board.bare_variant(variant).checked_pins(file, &read_pins))
            .collect::<Result<_, _>>()?;
        Ok(board)
    }

    /// Checks everything that the data file says, and the pin file with it, whose text is the result.
    fn checked_pins(
        &self,
        file: &str,
        read_pins: impl Fn(&str) -> Result<String, BoardError>,
    ) -> Result<String, BoardError> {
        self.check().map_err(|problem| BoardError::Invalid {
            file: file.to_owned(),
            problem,
        })?;
        let text = read_pins(&self.constraints)?;
        let pins = Pins::parse(self.family, &text, &self.constraints)?;
        pins.check_signals(&self.signals())?;
        pins.check_clock(&self.clock.signal, self.clock.input_hz)?;
        Ok(text)
    }

    fn check(&self) -> Result<(), Problem> {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if self.name.is_empty() || !self.name.chars().all(plain) {
            return Err(Problem::Name(self.name.clone()));
        }
        if self.number == 0 {
            return Err(Problem::Number);
        }
        let suffix = self.family.pin_file_suffix();
        if Path::new(&self.constraints).extension() != Some(suffix.as_ref()) {
            return Err(Problem::PinFile {
                file: self.constraints.clone(),
                family: self.family,
                suffix,
            });
        }
        let ecp5_fields = match self.family {
            Family::Ice40 => self.speed_grade.is_none() && self.idcode.is_none(),
            Family::Ecp5 => matches!(self.speed_grade, Some(6..=8)) && self.idcode.is_some(),
        };
        if !ecp5_fields {
            return Err(Problem::Ecp5Fields);
        }
        self.check_clock()?;
        self.check_uart()?;
        self.check_flash()?;
        self.core.check()?;
        self.check_weights(&self.core)
    }

    fn check_clock(&self) -> Result<(), Problem> {
        let Clock {
            input_hz, core_hz, ..
        } = self.clock;
        match &self.clock.pll {
            Some(pll) => Ok(pll.check(self.family, input_hz, core_hz)?),
            None if input_hz == core_hz => Ok(()),
            None => Err(Problem::NoPll { core_hz, input_hz }),
        }
    }

    fn check_uart(&self) -> Result<(), Problem> {
        let Uart { baud, max_baud, .. } = self.uart;
        if self.uart.usb.is_some() == self.uart.header.is_some() {
            return Err(Problem::Connection);
        }
        if baud > max_baud {
            return Err(Problem::BaudTooHigh { baud, max_baud });
        }
        let clocks = self.clocks_per_bit();
        if clocks < MIN_CLOCKS_PER_BIT {
            return Err(Problem::ClocksPerBit { baud, clocks });
        }
        let real = f64::from(self.clock.core_hz) / f64::from(clocks);
        let error = (real / f64::from(baud) - 1.0).abs();
        if error > MAX_BAUD_ERROR {
            return Err(Problem::BaudError {
                baud,
                clocks,
                percent: 100.0 * error,
            });
        }
        Ok(())
    }

    fn check_flash(&self) -> Result<(), Problem> {
        let named = |tool: &str| !tool.is_empty() && !tool.contains(['/', ' ']);
        match self.flash.iter().find(|flash| !named(&flash.tool)) {
            Some(flash) => Err(Problem::FlashTool(flash.tool.clone())),
            None => Ok(()),
        }
    }

    /// Whether the weights of a core of these sizes fit the board's memories.
    ///
    /// Exact for SPRAMs. For block RAMs a lower bound, by bits: how they can be cut is for the synthesis to find out.
    fn check_weights(&self, core: &CoreConfig) -> Result<(), Problem> {
        let bank_bits = u32::from(core.lanes) * core.weight_rows;
        let (needed, available) = match self.memories.weights {
            WeightMemory::Spram => (
                spram_columns(core.lanes, core.banks) * core.weight_rows.div_ceil(SPRAM_WORDS),
                self.resources.sprams,
            ),
            WeightMemory::Bram => (
                u32::from(core.banks) * bank_bits.div_ceil(self.resources.block_ram_bits.max(1)),
                self.resources.block_rams,
            ),
        };
        if needed <= available {
            return Ok(());
        }
        Err(Problem::Weights {
            banks: core.banks,
            rows: core.weight_rows,
            lanes: core.lanes,
            needed,
            available,
            memory: self.memories.weights,
        })
    }

    /// The board's core in another shape: the memories that it has, cut for `lanes` and `banks`.
    ///
    /// What is not given stays as in the board's `[core]`. The core takes as many inputs, neurons and
    /// weights as the default one, where the new shape allows it.
    /// When the lanes are given without the beats, they are as few as the family has adders for.
    pub fn core_with(
        &self,
        lanes: Option<u16>,
        banks: Option<u8>,
        beats: Option<u8>,
    ) -> Result<CoreConfig, Problem> {
        let mut core = self.core;
        core.lanes = lanes.unwrap_or(core.lanes);
        core.banks = banks.unwrap_or(core.banks);
        core.beats = beats.unwrap_or(match lanes {
            Some(lanes) => self.family.beats_for(lanes),
            None => core.beats,
        });
        if core.lanes != self.core.lanes || core.banks != self.core.banks {
            // Checked first, so that nothing is divided by a shape that cannot be.
            core.check()?;
            core.weight_rows = self.weight_rows_for(core.lanes, core.banks);
            core.fold_slots = scaled(self.core.fold_slots, self.core.lanes, core.lanes, 2, 128);
            let (from, to) = (u16::from(self.core.banks), u16::from(core.banks));
            core.input_rows = scaled(self.core.input_rows, from, to, 16, 2048);
            core.hidden_rows = scaled(self.core.hidden_rows, from, to, 16, 2048);
        }
        core.check()?;
        self.check_weights(&core)?;
        Ok(core)
    }

    /// The rows of weights that the board's memories hold in banks of this shape.
    fn weight_rows_for(&self, lanes: u16, banks: u8) -> u32 {
        let rows = match self.memories.weights {
            WeightMemory::Spram => {
                // One SPRAM deep at least: a shape that needs more than there are is refused afterwards.
                let deep = (self.resources.sprams / spram_columns(lanes, banks)).max(1);
                SPRAM_WORDS * deep
            }
            WeightMemory::Bram => {
                let default = &self.core;
                default.weight_rows * u32::from(default.lanes) * u32::from(default.banks)
                    / (u32::from(lanes) * u32::from(banks))
            }
        };
        rows.clamp(16, 65_536)
    }

    /// The core clocks in one bit of the UART, to the nearest whole number.
    pub fn clocks_per_bit(&self) -> u32 {
        let baud = u64::from(self.uart.baud.max(1));
        let clocks = (u64::from(self.clock.core_hz) + baud / 2) / baud;
        clocks.try_into().unwrap_or(u32::MAX)
    }

    /// The pin of a signal of the top level.
    pub fn pin(&self, signal: &str) -> Option<String> {
        let pins = Pins::parse(self.family, &self.constraint_text, &self.constraints).ok()?;
        pins.get(signal).map(str::to_owned)
    }

    /// The text of the pin file (PCF or LPF), as nextpnr takes it.
    pub fn constraint_text(&self) -> &str {
        &self.constraint_text
    }

    /// The ports of the top level: each has one pin in the pin file.
    pub fn signals(&self) -> Vec<&str> {
        let mut signals = vec![
            self.clock.signal.as_str(),
            self.uart.rx.as_str(),
            self.uart.tx.as_str(),
        ];
        signals.extend(self.leds.iter().map(|led| led.signal.as_str()));
        signals.extend(self.constant_outputs.iter().map(|out| out.signal.as_str()));
        signals
    }
}

/// The SPRAMs side by side that `banks` memories of `lanes` bits take.
fn spram_columns(lanes: u16, banks: u8) -> u32 {
    u32::from(banks) * u32::from(lanes).div_ceil(SPRAM_WIDTH)
}

/// `rows` for `from` units each, as rows for `to` units each, within what a core takes.
fn scaled(rows: u16, from: u16, to: u16, min: u32, max: u32) -> u16 {
    let rows = u32::from(rows) * u32::from(from) / u32::from(to);
    rows.clamp(min, max) as u16
}

fn read(path: &Path) -> Result<String, BoardError> {
    std::fs::read_to_string(path).map_err(|source| BoardError::Read {
        path: path.to_owned(),
        source,
    })
}

/// The line, counted from 1, of a byte offset.
fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|&b| b == b'\n').count()
}

/// The known name that a mistyped one most likely means.
fn nearest(name: &str, known: &[String]) -> Option<String> {
    let name = name.to_lowercase();
    known
        .iter()
        .map(|candidate| (strsim::jaro_winkler(&name, candidate), candidate))
        .filter(|(similarity, _)| *similarity > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate.clone())
}

#[cfg(test)]
mod built_in_tests;
#[cfg(test)]
mod tests;
