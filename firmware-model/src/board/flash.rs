//! How a bitstream gets into a board's FPGA.

use serde::{Deserialize, Serialize};

/// Where a tool puts the bitstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Writes {
    /// The FPGA alone: it is gone with the power, and nothing that the board held is lost.
    Sram,
    /// The configuration flash: the FPGA loads it at each power-up.
    Flash,
}

impl std::fmt::Display for Writes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Writes::Sram => "the FPGA's memory (gone with the power)",
            Writes::Flash => "the configuration flash",
        })
    }
}

/// One way to load a bitstream: `tool arguments... BITSTREAM`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flash {
    /// The program's name on the PATH.
    pub tool: String,
    pub writes: Writes,
    /// What comes before the bitstream's path.
    #[serde(default)]
    pub arguments: Vec<String>,
}

impl Flash {
    /// The command line, as it is typed into a shell.
    pub fn command_line(&self, bitstream: &str) -> String {
        let arguments = self.arguments.iter().map(String::as_str);
        std::iter::once(self.tool.as_str())
            .chain(arguments)
            .chain([bitstream])
            .map(quoted)
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// The word as a shell takes it for one.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=,+@".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_can_be_typed_as_it_is_shown() {
        let flash = Flash {
            tool: "dfu-util".to_owned(),
            writes: Writes::Flash,
            arguments: vec!["--device".to_owned(), "1209:5af0".to_owned()],
        };
        assert_eq!(
            flash.command_line("build/a.bit"),
            "dfu-util --device 1209:5af0 build/a.bit"
        );
        assert_eq!(
            flash.command_line("it's here/a.bit"),
            r"dfu-util --device 1209:5af0 'it'\''s here/a.bit'"
        );
    }
}
