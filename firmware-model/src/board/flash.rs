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
    /// The command line, as it is typed.
    pub fn command_line(&self, bitstream: &str) -> String {
        let words = self.arguments.iter().map(String::as_str);
        std::iter::once(self.tool.as_str())
            .chain(words)
            .chain([bitstream])
            .collect::<Vec<_>>()
            .join(" ")
    }
}
