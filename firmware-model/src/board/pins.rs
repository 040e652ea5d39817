//! Pin files: which signal is on which pin. PCF for iCE40, LPF for ECP5.
//!
//! Only so much of either format is read as tells that every port of the top level has a pin of its own;
//! nextpnr reads the file itself. What nextpnr would silently skip (a misspelt port) is an error here.

use super::Family;
use std::collections::BTreeMap;
use thiserror::Error;

/// What is wrong with a pin file.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum PinError {
    #[error("{file}, line {line}: `{text}` is not a pin constraint; see the pin files in constraints/ for the form")]
    Syntax {
        file: String,
        line: usize,
        text: String,
    },
    #[error("{file}, line {line}: `{signal}` has two pins; remove one of the lines")]
    TwoPins {
        file: String,
        line: usize,
        signal: String,
    },
    #[error("{file}, line {line}: pin {pin} is given to `{first}` and to `{second}`; correct one of the lines")]
    SharedPin {
        file: String,
        line: usize,
        pin: String,
        first: String,
        second: String,
    },
    #[error(
        "{file} gives no pin to `{signal}`, which the board's .toml file names; add a line for it"
    )]
    NoPin { file: String, signal: String },
    #[error("{file} gives a pin to `{signal}`, which the board's .toml file does not name; remove the line or name the signal")]
    UnknownSignal { file: String, signal: String },
    #[error("{file}, line {line}: no signal of the board's .toml file is called `{signal}`; correct the name, which nextpnr would pass over")]
    UnknownPort {
        file: String,
        line: usize,
        signal: String,
    },
    #[error("{file} says that `{signal}` has {found} MHz, and the board's .toml file {wanted} MHz (input_hz); correct one of them")]
    Frequency {
        file: String,
        signal: String,
        found: f64,
        wanted: f64,
    },
    #[error("{file} does not say how fast the oscillator is; add the line FREQUENCY PORT \"{signal}\" {wanted} MHZ;")]
    NoFrequency {
        file: String,
        signal: String,
        wanted: f64,
    },
    #[error("two ports of the board's .toml file are called `{signal}`; give each its own name")]
    SameName { signal: String },
}

/// The signals of a pin file and their pins.
#[derive(Debug, Clone, PartialEq)]
pub struct Pins {
    file: String,
    family: Family,
    pin_of: BTreeMap<String, String>,
    /// The lines that say something else about a signal.
    mentions: Vec<(usize, String)>,
    /// What is said of a signal's frequency, in MHz.
    megahertz: BTreeMap<String, f64>,
}

impl Pins {
    /// Reads the text of a pin file that is called `file` in errors.
    pub fn parse(family: Family, text: &str, file: &str) -> Result<Pins, PinError> {
        let mut pins = Pins {
            file: file.to_owned(),
            family,
            pin_of: BTreeMap::new(),
            mentions: Vec::new(),
            megahertz: BTreeMap::new(),
        };
        for (index, full_line) in text.lines().enumerate() {
            let line = full_line.split('#').next().unwrap_or("").trim();
            let said = match family {
                Family::Ice40 => pcf_line(line),
                Family::Ecp5 => lpf_line(line),
            };
            match said {
                Ok(Said::Pin(signal, pin)) => pins.add(index + 1, signal, pin)?,
                Ok(Said::Port(signal)) => pins.mentions.push((index + 1, signal)),
                Ok(Said::Frequency(signal, megahertz)) => {
                    pins.mentions.push((index + 1, signal.clone()));
                    pins.megahertz.insert(signal, megahertz);
                }
                Ok(Said::Nothing) => {}
                Err(NotUnderstood) => {
                    return Err(PinError::Syntax {
                        file: file.to_owned(),
                        line: index + 1,
                        text: line.to_owned(),
                    })
                }
            }
        }
        Ok(pins)
    }

    /// The pin of a signal.
    pub fn get(&self, signal: &str) -> Option<&str> {
        self.pin_of.get(signal).map(String::as_str)
    }

    fn add(&mut self, line: usize, signal: String, pin: String) -> Result<(), PinError> {
        let file = self.file.clone();
        if self.pin_of.contains_key(&signal) {
            return Err(PinError::TwoPins { file, line, signal });
        }
        if let Some((first, _)) = self.pin_of.iter().find(|(_, taken)| **taken == pin) {
            return Err(PinError::SharedPin {
                file,
                line,
                pin,
                first: first.clone(),
                second: signal,
            });
        }
        self.pin_of.insert(signal, pin);
        Ok(())
    }

    /// Whether the oscillator is said to be as fast as it is: on ECP5 the clock behind the PLL is derived from that.
    pub(super) fn check_clock(&self, signal: &str, input_hz: u32) -> Result<(), PinError> {
        let wanted = f64::from(input_hz) / 1e6;
        let (file, signal) = (self.file.clone(), signal.to_owned());
        match self.megahertz.get(&signal) {
            Some(&found) if found != wanted => Err(PinError::Frequency {
                file,
                signal,
                found,
                wanted,
            }),
            None if self.family == Family::Ecp5 => Err(PinError::NoFrequency {
                file,
                signal,
                wanted,
            }),
            _ => Ok(()),
        }
    }

    /// Whether these signals, and no others, have pins.
    pub(super) fn check_signals(&self, signals: &[&str]) -> Result<(), PinError> {
        let file = &self.file;
        for (index, signal) in signals.iter().enumerate() {
            let signal = (*signal).to_owned();
            if signals[..index].contains(&signal.as_str()) {
                return Err(PinError::SameName { signal });
            }
            if self.get(&signal).is_none() {
                let file = file.clone();
                return Err(PinError::NoPin { file, signal });
            }
        }
        if let Some((line, signal)) =
            (self.mentions.iter()).find(|(_, signal)| !signals.contains(&signal.as_str()))
        {
            return Err(PinError::UnknownPort {
                file: file.clone(),
                line: *line,
                signal: signal.clone(),
            });
        }
        match self
            .pin_of
            .keys()
            .find(|signal| !signals.contains(&signal.as_str()))
        {
            Some(signal) => Err(PinError::UnknownSignal {
                file: file.clone(),
                signal: signal.clone(),
            }),
            None => Ok(()),
        }
    }
}

/// A line that is neither empty nor of a known form.
struct NotUnderstood;

/// What a line says.
enum Said {
    /// A signal is on a pin.
    Pin(String, String),
    /// Something else about a port.
    Port(String),
    /// How fast a port's clock is, in MHz.
    Frequency(String, f64),
    /// Nothing about a port.
    Nothing,
}

/// `set_io [options] SIGNAL PIN`, where an option is `-nowarn` or one of `-pullup yes` and the like.
fn pcf_line(line: &str) -> Result<Said, NotUnderstood> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let arguments = match words.split_first() {
        None => return Ok(Said::Nothing),
        Some((&"set_frequency", _)) => return Ok(Said::Nothing),
        Some((&"set_io", arguments)) => arguments,
        Some(_) => return Err(NotUnderstood),
    };
    match arguments {
        [options @ .., signal, pin] if pcf_options(options) && !signal.starts_with('-') => {
            Ok(Said::Pin((*signal).to_owned(), (*pin).to_owned()))
        }
        _ => Err(NotUnderstood),
    }
}

fn pcf_options(options: &[&str]) -> bool {
    match options {
        [] => true,
        ["-nowarn", rest @ ..] => pcf_options(rest),
        ["-pullup" | "-pullup_resistor", _, rest @ ..] => pcf_options(rest),
        _ => false,
    }
}

/// `LOCATE COMP "SIGNAL" SITE "PIN";`, or a statement that places nothing. One statement a line.
fn lpf_line(line: &str) -> Result<Said, NotUnderstood> {
    if line.is_empty() {
        return Ok(Said::Nothing);
    }
    let statement = line.strip_suffix(';').ok_or(NotUnderstood)?;
    let words: Vec<&str> = statement.split_whitespace().collect();
    match words.as_slice() {
        ["LOCATE", "COMP", signal, "SITE", pin] => Ok(Said::Pin(quoted(signal)?, quoted(pin)?)),
        ["LOCATE", ..] => Err(NotUnderstood),
        ["IOBUF", "PORT", signal, _, ..] => quoted(signal).map(Said::Port),
        ["FREQUENCY", "PORT", signal, number, "MHZ"] => {
            let megahertz = number.parse().map_err(|_| NotUnderstood)?;
            Ok(Said::Frequency(quoted(signal)?, megahertz))
        }
        ["FREQUENCY", "NET", signal, _, ..] => quoted(signal).map(|_| Said::Nothing),
        ["BLOCK" | "SYSCONFIG", _, ..] => Ok(Said::Nothing),
        _ => Err(NotUnderstood),
    }
}

fn quoted(word: &str) -> Result<String, NotUnderstood> {
    let inner = word
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner.map(str::to_owned).ok_or(NotUnderstood)
}
