//! What a build came to: resources, timing, versions.

use super::ToolchainError;
use crate::text::grouped;
use firmware_model::config::CoreConfig;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::path::PathBuf;

/// How much of a kind of resource is used, and how much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    pub used: u64,
    pub available: u64,
}

/// The versions of the tools; None where a tool does not tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolVersions {
    pub yosys: Option<String>,
    pub nextpnr: Option<String>,
    pub packer: Option<String>,
}

/// The time that each stage took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Seconds {
    pub synthesis: f64,
    pub place_and_route: f64,
    pub pack: f64,
}

/// What lies in the output folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuiltFiles {
    pub verilog: PathBuf,
    pub netlist: PathBuf,
    pub report: PathBuf,
    /// None when timing is not met.
    pub bitstream: Option<PathBuf>,
}

/// The result of a build, also when its timing is not met.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BuildReport {
    pub board: String,
    pub title: String,
    pub device: String,
    pub top: String,
    pub seed: u32,
    /// The core's sizes, where the Verilog is the generator's.
    pub core: Option<CoreConfig>,
    /// Logic cells after packing: a LUT, a flip-flop and a carry each on iCE40, a LUT each on ECP5.
    pub logic_cells: Usage,
    /// LUTs, flip-flops and carry cells as synthesised, before packing.
    pub luts: u64,
    pub flip_flops: u64,
    pub carries: u64,
    pub block_rams: Usage,
    /// iCE40 UltraPlus only; 0 of 0 elsewhere.
    pub sprams: Usage,
    pub plls: Usage,
    pub clock_wanted_mhz: f64,
    /// The fastest clock that the slowest path of the core allows, as nextpnr has it.
    pub clock_reached_mhz: f64,
    /// The same as icetime has it; iCE40 only, and only where icetime is on the PATH.
    #[serde(default)]
    pub clock_icetime_mhz: Option<f64>,
    /// By how much, in percent, the slower of the two is faster than what is wanted; negative when it is slower.
    #[serde(default)]
    pub clock_in_hand_percent: f64,
    /// What is built, but not as it should be: a sentence each.
    #[serde(default)]
    pub warnings: Vec<String>,
    pub timing_met: bool,
    /// Of everything that the bitstream depends on, the tools' versions included; in hexadecimal.
    pub inputs_sha256: String,
    pub tools: ToolVersions,
    pub seconds: Seconds,
    pub files: BuiltFiles,
    pub bitstream_bytes: Option<u64>,
    /// In hexadecimal.
    pub bitstream_sha256: Option<String>,
}

impl fmt::Display for BuildReport {
    /// The table for people.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = format!("{}, seed {}\n\n", self.title, self.seed);
        text.push_str("  resource         used   available\n");
        row(&mut text, "logic cells", self.logic_cells)?;
        writeln!(text, "    {:<12}{:>9}", "LUTs", grouped(self.luts))?;
        writeln!(
            text,
            "    {:<12}{:>9}",
            "flip-flops",
            grouped(self.flip_flops)
        )?;
        writeln!(text, "    {:<12}{:>9}", "carries", grouped(self.carries))?;
        row(&mut text, "block RAMs", self.block_rams)?;
        if self.sprams.available > 0 {
            row(&mut text, "SPRAMs", self.sprams)?;
        }
        row(&mut text, "PLLs", self.plls)?;
        let icetime = self
            .clock_icetime_mhz
            .map_or(String::new(), |mhz| format!(" (icetime: {mhz:.2} MHz)"));
        writeln!(
            text,
            "\n  clock      {:.2} MHz reached{icetime}, {:.2} MHz wanted: {}, {:.1} % in hand",
            self.clock_reached_mhz,
            self.clock_wanted_mhz,
            if self.timing_met { "met" } else { "NOT MET" },
            self.clock_in_hand_percent,
        )?;
        writeln!(
            text,
            "  time       {:.0} s synthesis, {:.0} s place and route, {:.0} s pack",
            self.seconds.synthesis, self.seconds.place_and_route, self.seconds.pack,
        )?;
        let version = |version: &Option<String>| version.clone().unwrap_or("?".to_owned());
        writeln!(
            text,
            "  tools      Yosys {}, nextpnr {}",
            version(&self.tools.yosys),
            version(&self.tools.nextpnr),
        )?;
        if let (Some(path), Some(bytes)) = (&self.files.bitstream, self.bitstream_bytes) {
            writeln!(
                text,
                "  bitstream  {} ({} bytes)",
                path.display(),
                grouped(bytes)
            )?;
        }
        for warning in &self.warnings {
            writeln!(text, "\nwarning: {warning}")?;
        }
        f.write_str(&text)
    }
}

/// What should be in hand between the clock that a design reaches and the one that it gets, in percent: two tools that know
/// the same device differ by as much.
const CLOCK_IN_HAND_PERCENT: f64 = 3.0;

/// By how much the slowest of the estimates is faster than what is wanted, in percent, and a warning where that is little.
pub(super) fn clock_in_hand(
    wanted: f64,
    reached: f64,
    icetime: Option<f64>,
) -> (f64, Option<String>) {
    let slowest = icetime.map_or(reached, |mhz| mhz.min(reached));
    let percent = 100.0 * (slowest / wanted - 1.0);
    let warning = (percent < CLOCK_IN_HAND_PERCENT).then(|| {
        let by = match icetime {
            Some(mhz) if mhz < reached => "icetime",
            _ => "nextpnr",
        };
        format!(
            "by {by} the design reaches {slowest:.2} MHz, which leaves {percent:.1} % in hand where {CLOCK_IN_HAND_PERCENT:.0} % are \
             good; try another --seed, or a lower core_hz"
        )
    });
    (percent, warning)
}

/// The clock in MHz in what icetime prints: `Total path delay: 33.06 ns (30.25 MHz)`.
pub(super) fn icetime_mhz(log: &str) -> Option<f64> {
    let line = log
        .lines()
        .find(|line| line.contains("Total path delay:") || line.contains("Timing estimate:"))?;
    let (_, clock) = line.rsplit_once('(')?;
    clock.strip_suffix("MHz)")?.trim().parse().ok()
}

fn row(text: &mut String, name: &str, usage: Usage) -> fmt::Result {
    let percent = 100.0 * usage.used as f64 / usage.available.max(1) as f64;
    writeln!(
        text,
        "  {name:<14}{:>9}{:>12}{percent:>6.0} %",
        grouped(usage.used),
        grouped(usage.available),
    )
}

/// What Yosys counts: cells by type.
pub(super) struct Cells(BTreeMap<String, u64>);

impl Cells {
    /// Reads the output of `stat -json`.
    pub(super) fn parse(json: &str) -> Result<Cells, ToolchainError> {
        #[derive(Deserialize)]
        struct Statistics {
            design: Design,
        }
        #[derive(Deserialize)]
        struct Design {
            num_cells_by_type: BTreeMap<String, u64>,
        }
        let statistics: Statistics = not_understood("yosys", serde_json::from_str(json))?;
        Ok(Cells(statistics.design.num_cells_by_type))
    }

    /// The cells whose type begins with one of the prefixes.
    pub(super) fn count(&self, prefixes: &[&str]) -> u64 {
        self.0
            .iter()
            .filter(|(cell, _)| prefixes.iter().any(|prefix| cell.starts_with(prefix)))
            .map(|(_, count)| count)
            .sum()
    }
}

/// What nextpnr says of the placed and routed design.
#[derive(Deserialize)]
pub(super) struct Placement {
    utilization: BTreeMap<String, Usage>,
    fmax: BTreeMap<String, Frequency>,
}

#[derive(Clone, Copy, Deserialize)]
pub(super) struct Frequency {
    pub(super) achieved: f64,
    pub(super) constraint: f64,
}

impl Placement {
    /// Reads the file of `--report`.
    pub(super) fn parse(json: &str) -> Result<Placement, ToolchainError> {
        not_understood("nextpnr", serde_json::from_str(json))
    }

    /// The use of a kind of cell; 0 of 0 where the device has none.
    pub(super) fn usage(&self, cell: &str) -> Usage {
        self.utilization.get(cell).copied().unwrap_or(Usage {
            used: 0,
            available: 0,
        })
    }

    /// The core's clock: the one that has to be fastest; of several, the one furthest from it.
    pub(super) fn core_clock(&self) -> Option<Frequency> {
        self.fmax.values().copied().max_by(|a, b| {
            let by_constraint = a.constraint.total_cmp(&b.constraint);
            by_constraint.then(b.achieved.total_cmp(&a.achieved))
        })
    }

    /// Whether every clock is as fast as it has to be.
    pub(super) fn timing_met(&self) -> bool {
        self.fmax
            .values()
            .all(|clock| clock.achieved >= clock.constraint)
    }
}

fn not_understood<T>(
    tool: &'static str,
    result: serde_json::Result<T>,
) -> Result<T, ToolchainError> {
    result.map_err(|error| ToolchainError::ToolReport {
        tool,
        problem: error.to_string(),
    })
}

impl BuildReport {
    /// The report as the JSON object that is written beside the bitstream.
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self).expect("a report holds nothing that JSON cannot")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACEMENT: &str = r#"{
        "critical_paths": [],
        "fmax": {
            "$glbnet$clock": {"achieved": 31.5, "constraint": 24},
            "clk": {"achieved": 11.0, "constraint": 12}
        },
        "utilization": {"ICESTORM_LC": {"available": 5280, "used": 1234}}
    }"#;

    #[test]
    fn cells_are_counted_by_prefix() {
        let json = r#"{"creator": "x", "design": {"num_cells_by_type":
            {"SB_DFF": 3, "SB_DFFESR": 4, "SB_LUT4": 5}}}"#;
        let cells = Cells::parse(json).unwrap();
        assert_eq!(cells.count(&["SB_DFF"]), 7);
        assert_eq!(cells.count(&["SB_LUT4", "LUT4"]), 5);
        assert!(Cells::parse("{}").is_err());
    }

    #[test]
    fn every_clock_has_to_be_fast_enough() {
        let placement = Placement::parse(PLACEMENT).unwrap();
        assert_eq!(placement.core_clock().unwrap().achieved, 31.5);
        assert!(!placement.timing_met());
        let placement = Placement::parse(&PLACEMENT.replace("11.0", "12.5")).unwrap();
        assert!(placement.timing_met());
        let placement = Placement::parse(&PLACEMENT.replace("31.5", "23.9")).unwrap();
        assert!(!placement.timing_met());
    }

    #[test]
    fn the_slower_of_two_estimates_decides_what_is_in_hand() {
        let (percent, warning) = clock_in_hand(30.0, 32.01, Some(30.25));
        assert!((percent - 0.8333).abs() < 1e-3, "{percent}");
        assert_eq!(
            warning.unwrap(),
            "by icetime the design reaches 30.25 MHz, which leaves 0.8 % in hand where 3 % are good; try another \
             --seed, or a lower core_hz"
        );
        assert_eq!(clock_in_hand(30.0, 32.01, Some(31.0)).1, None);
        assert_eq!(clock_in_hand(30.0, 32.01, None).1, None);
        let (percent, warning) = clock_in_hand(30.0, 30.6, Some(31.0));
        assert!((percent - 2.0).abs() < 1e-9, "{percent}");
        assert!(warning
            .unwrap()
            .starts_with("by nextpnr the design reaches 30.60 MHz"));
    }

    #[test]
    fn the_clock_is_read_from_what_icetime_prints() {
        let log = "// Reading input .asc file..\n// Creating timing netlist..\n\n\
            Total number of logic levels: 14\nTotal path delay: 33.06 ns (30.25 MHz)\n\n";
        assert_eq!(icetime_mhz(log), Some(30.25));
        let log = "// Timing estimate: 33.06 ns (30.25 MHz)\n";
        assert_eq!(icetime_mhz(log), Some(30.25));
        assert_eq!(icetime_mhz("Error: unknown device\n"), None);
    }

    #[test]
    fn cells_that_a_device_lacks_are_none_of_none() {
        let placement = Placement::parse(PLACEMENT).unwrap();
        assert_eq!(placement.usage("ICESTORM_LC").used, 1234);
        assert_eq!(placement.usage("ICESTORM_SPRAM").available, 0);
    }
}
