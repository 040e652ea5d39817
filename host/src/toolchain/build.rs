//! From Verilog to a bitstream: Yosys, nextpnr, icepack or ecppack.

use super::report::{clock_in_hand, icetime_mhz, Cells, Placement};
use super::run::run;
use super::{BuildReport, BuiltFiles, Found, Seconds, Tool, ToolVersions, Toolbox, ToolchainError};
use crate::files::write_whole;
use crate::text::hexadecimal;
use firmware_model::board::{Board, Family};
use firmware_model::config::CoreConfig;
use sha2::{Digest, Sha256};
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

/// By how much nextpnr's target may differ from the board's clock: it rounds periods to picoseconds.
const CLOCK_TOLERANCE: f64 = 0.005;

pub(super) const VERILOG: &str = "firstspike.v";
pub(super) const SCRIPT: &str = "synthesis.ys";
pub(super) const CELLS: &str = "cells.json";
const NETLIST: &str = "firstspike.json";
pub(super) const PLACEMENT: &str = "placement.json";
pub(super) const REPORT: &str = "report.json";
const TABLE: &str = "report.txt";
/// The stages, and the file that has all that the tool said.
const STAGES: [(&str, &str); 4] = [
    ("synthesis", "synthesis.log"),
    ("place and route", "place-and-route.log"),
    ("icetime", "icetime.log"),
    ("pack", "pack.log"),
];

/// One build.
pub struct BuildJob<'a> {
    pub board: &'a Board,
    /// The text of the design.
    pub verilog: &'a str,
    /// The name of its top module.
    pub top: &'a str,
    /// The core's sizes, for the report.
    pub core: Option<CoreConfig>,
    /// nextpnr's seed: the same design and seed give the same bitstream.
    pub seed: u32,
    /// The options of Yosys's synth_ice40 or synth_ecp5 besides top module and device, where others are wanted than
    /// those that a core is best off with.
    pub synthesis: Option<&'a str>,
    /// Where everything goes; made when missing.
    pub out: &'a Path,
    /// Told the name of each stage when it begins.
    pub progress: &'a dyn Fn(&str),
    /// Set from elsewhere to end the build early.
    pub stop: &'a AtomicBool,
}

/// The options of Yosys's synth_ice40 or synth_ecp5 that a core is best off with: docs/ablation.md.
pub fn synthesis_options(family: Family) -> &'static str {
    match family {
        Family::Ice40 => "-abc9",
        Family::Ecp5 => "",
    }
}

impl BuildJob<'_> {
    /// Builds. The output folder gets all results together at the end, the logs at once.
    ///
    /// When timing is not met the reports are written, a bitstream is not, and the result is
    /// [`ToolchainError::Timing`].
    pub fn run(&self, toolbox: &Toolbox) -> Result<BuildReport, ToolchainError> {
        if !is_module_name(self.top) {
            return Err(ToolchainError::TopName(self.top.to_owned()));
        }
        let flow = Flow::of(self.board.family);
        let yosys = toolbox.find(Tool::Yosys)?;
        let nextpnr = toolbox.find(flow.nextpnr)?;
        let packer = toolbox.find(flow.packer)?;

        fs::create_dir_all(self.out).map_err(ToolchainError::write(self.out))?;
        let work = tempfile::Builder::new()
            .prefix(".partial-")
            .tempdir_in(self.out)
            .map_err(ToolchainError::write(self.out))?;
        let work = work.path();
        write(&work.join(VERILOG), self.verilog)?;
        write(&work.join(flow.pin_file), self.board.constraint_text())?;
        write(&work.join(SCRIPT), &self.synthesis_script())?;

        let synthesis = self.stage("synthesis", &yosys, &["-s".into(), SCRIPT.into()], work)?;
        let cells = Cells::parse(&read(&work.join(CELLS))?)?;

        let mut arguments = self.nextpnr_arguments(&flow);
        arguments.extend([flow.placed_option, flow.placed].map(str::to_owned));
        let place_and_route = self
            .stage("place and route", &nextpnr, &arguments, work)
            .map_err(name_what_is_too_large)?;
        let placement = Placement::parse(&read(&work.join(PLACEMENT))?)?;
        let wanted = f64::from(self.board.clock.core_hz) / 1e6;
        let reached = self.core_clock_mhz(&placement, wanted)?;
        let timing_met = placement.timing_met();
        let icetime = self.icetime_mhz(toolbox, work)?;
        let (in_hand, warning) = clock_in_hand(wanted, reached, icetime);

        let tools = ToolVersions {
            yosys: yosys.version.clone(),
            nextpnr: nextpnr.version.clone(),
            packer: packer.version.clone(),
        };
        let mut report = BuildReport {
            board: self.board.name.clone(),
            title: self.board.title.clone(),
            device: format!("{}-{}", self.board.device, self.board.package),
            top: self.top.to_owned(),
            seed: self.seed,
            core: self.core,
            logic_cells: placement.usage(flow.logic_cell),
            luts: cells.count(&["SB_LUT4", "LUT4"]),
            flip_flops: cells.count(&["SB_DFF", "TRELLIS_FF"]),
            carries: cells.count(&["SB_CARRY", "CCU2C"]),
            block_rams: placement.usage(flow.block_ram),
            sprams: placement.usage("ICESTORM_SPRAM"),
            plls: placement.usage(flow.pll),
            clock_wanted_mhz: wanted,
            clock_reached_mhz: reached,
            clock_icetime_mhz: icetime,
            clock_in_hand_percent: in_hand,
            warnings: warning.into_iter().collect(),
            timing_met,
            inputs_sha256: self.inputs_sha256(&flow, &tools, self.asks_icetime(toolbox)),
            tools,
            seconds: Seconds {
                synthesis,
                place_and_route,
                pack: 0.0,
            },
            files: self.built_files(&flow, timing_met),
            bitstream_bytes: None,
            bitstream_sha256: None,
        };
        if timing_met {
            let arguments = self.packer_arguments(&flow);
            report.seconds.pack = self.stage("pack", &packer, &arguments, work)?;
            let path = work.join(flow.bitstream);
            let bits = fs::read(&path).map_err(ToolchainError::read(&path))?;
            report.bitstream_bytes = Some(bits.len() as u64);
            report.bitstream_sha256 = Some(hexadecimal(&Sha256::digest(&bits)));
        }
        self.hand_over(&flow, &report, work)?;
        if timing_met {
            return Ok(report);
        }
        Err(ToolchainError::Timing {
            reached,
            wanted,
            report: report.files.report,
        })
    }

    /// The names of all files that [`BuildJob::run`] leaves in the output folder.
    pub fn file_names(&self) -> Vec<&'static str> {
        let flow = Flow::of(self.board.family);
        let mut names = flow.results().to_vec();
        names.extend([flow.bitstream, REPORT]);
        names.extend(STAGES.map(|(_, log)| log));
        names
    }

    pub(super) fn built_files(&self, flow: &Flow, timing_met: bool) -> BuiltFiles {
        BuiltFiles {
            verilog: self.out.join(VERILOG),
            netlist: self.out.join(NETLIST),
            report: self.out.join(REPORT),
            bitstream: timing_met.then(|| self.out.join(flow.bitstream)),
        }
    }

    /// Runs one tool, with its log in the output folder. The result is the time in seconds.
    pub(super) fn stage(
        &self,
        name: &str,
        tool: &Found,
        arguments: &[String],
        work: &Path,
    ) -> Result<f64, ToolchainError> {
        (self.progress)(&format!("{}: {name}", self.board.name));
        let log = STAGES.iter().find(|(stage, _)| *stage == name);
        let (_, log) = log.expect("all stages have a log");
        let log = self.out.join(log);
        let start = Instant::now();
        run(tool, arguments, work, &log, self.stop)?;
        Ok(start.elapsed().as_secs_f64())
    }

    /// Synthesis in two parts, so that the design can be checked as it was written, before anything is optimised away.
    pub(super) fn synthesis_script(&self) -> String {
        let family = self.board.family;
        let options = self.synthesis.unwrap_or(synthesis_options(family));
        let synth = match family {
            Family::Ice40 => {
                let device = ice40_timing_model(&self.board.device);
                format!("synth_ice40 -top {} -device {device} {options}", self.top)
            }
            Family::Ecp5 => format!("synth_ecp5 -top {} {options}", self.top),
        };
        format!(
            "read_verilog {VERILOG}\n\
             {synth} -run begin:coarse\n\
             proc\n\
             check -assert\n\
             {synth} -run coarse: -json {NETLIST}\n\
             check -assert\n\
             tee -q -o {CELLS} stat -json\n"
        )
    }

    pub(super) fn nextpnr_arguments(&self, flow: &Flow) -> Vec<String> {
        let board = self.board;
        let mut arguments = vec![
            format!("--{}", board.device),
            "--package".to_owned(),
            board.package.clone(),
        ];
        if let Some(grade) = board.speed_grade {
            arguments.extend(["--speed".to_owned(), grade.to_string()]);
        }
        let megahertz = format!("{}", f64::from(board.clock.core_hz) / 1e6);
        let seed = self.seed.to_string();
        let rest = [
            "--json",
            NETLIST,
            flow.pin_option,
            flow.pin_file,
            "--freq",
            &megahertz,
            "--seed",
            &seed,
            "--report",
            PLACEMENT,
            // A missed clock is told by the report, with the figures, rather than by a failed run.
            "--timing-allow-fail",
        ];
        arguments.extend(rest.map(str::to_owned));
        arguments
    }

    pub(super) fn packer_arguments(&self, flow: &Flow) -> Vec<String> {
        let mut arguments = vec![];
        if let Some(idcode) = self.board.idcode {
            arguments.extend(["--idcode".to_owned(), format!("{idcode:#010x}")]);
        }
        arguments.extend(flow.packer_arguments.iter().cloned());
        arguments
    }

    /// The clock that the core reaches, once it is sure that nextpnr timed it for the board's clock.
    pub(super) fn core_clock_mhz(
        &self,
        placement: &Placement,
        wanted: f64,
    ) -> Result<f64, ToolchainError> {
        let clock = placement
            .core_clock()
            .ok_or_else(|| ToolchainError::NoClock {
                top: self.top.to_owned(),
                signal: self.board.clock.signal.clone(),
            })?;
        if (clock.constraint / wanted - 1.0).abs() > CLOCK_TOLERANCE {
            return Err(ToolchainError::ClockConstraint {
                found: clock.constraint,
                wanted,
            });
        }
        Ok(clock.achieved)
    }

    /// What icetime says of the clock of an iCE40 design. None where there is no icetime, or it cannot tell.
    fn icetime_mhz(&self, toolbox: &Toolbox, work: &Path) -> Result<Option<f64>, ToolchainError> {
        if !self.asks_icetime(toolbox) {
            return Ok(None);
        }
        let icetime = toolbox.find(Tool::Icetime)?;
        let flow = Flow::of(self.board.family);
        let arguments = [
            "-d",
            &self.board.device,
            "-P",
            &self.board.package,
            "-p",
            flow.pin_file,
            "-t",
            flow.placed,
        ]
        .map(str::to_owned);
        match self.stage("icetime", &icetime, &arguments, work) {
            Ok(_) => Ok(icetime_mhz(&read(&self.out.join("icetime.log"))?)),
            Err(ToolchainError::Interrupted) => Err(ToolchainError::Interrupted),
            // Its opinion is not needed: a device that it does not know is no reason to have no bitstream.
            Err(_) => Ok(None),
        }
    }

    /// Whether a build of this asks icetime.
    pub(super) fn asks_icetime(&self, toolbox: &Toolbox) -> bool {
        self.board.family == Family::Ice40 && toolbox.find(Tool::Icetime).is_ok()
    }

    /// Moves the results into the output folder, the report last: where there is one, all of its files are.
    fn hand_over(
        &self,
        flow: &Flow,
        report: &BuildReport,
        work: &Path,
    ) -> Result<(), ToolchainError> {
        write(&work.join(TABLE), &report.to_string())?;
        write(&work.join(REPORT), &format!("{:#}\n", report.to_json()))?;
        // What an earlier build left must not stand beside the new report.
        for stale in [REPORT, flow.bitstream] {
            remove(&self.out.join(stale))?;
        }
        let mut files = flow.results().to_vec();
        if report.timing_met {
            files.push(flow.bitstream);
        }
        files.push(REPORT);
        for file in files {
            let target = self.out.join(file);
            let moved = match target.is_symlink() {
                // The link stays, and what it leads to, which may be on another disk, gets the content.
                true => fs::read(work.join(file)).and_then(|bytes| write_whole(&target, &bytes)),
                false => fs::rename(work.join(file), &target),
            };
            moved.map_err(ToolchainError::write(&target))?;
        }
        Ok(())
    }
}

/// When nextpnr failed because the device is too small, an error that says of what.
///
/// nextpnr itself then fails at whatever it was doing when it ran out of places.
fn name_what_is_too_large(error: ToolchainError) -> ToolchainError {
    match error {
        ToolchainError::Failed { tool, line, log } => {
            let text = fs::read_to_string(&log).unwrap_or_default();
            let needs = overused(&text);
            match needs.is_empty() {
                true => ToolchainError::Failed { tool, line, log },
                false => ToolchainError::TooLarge { tool, needs, log },
            }
        }
        other => other,
    }
}

/// The resources of which nextpnr's table of use names more than there are: "6064 of 5280 ICESTORM_LC".
fn overused(log: &str) -> String {
    let rows = log.lines().filter_map(|line| {
        // `Info:   ICESTORM_LC:   6064/   5280   114%`
        let (name, figures) = line.strip_prefix("Info:")?.split_once(':')?;
        let (used, rest) = figures.split_once('/')?;
        let used: u64 = used.trim().parse().ok()?;
        let available: u64 = rest.split_whitespace().next()?.parse().ok()?;
        (used > available).then(|| format!("{used} of {available} {}", name.trim()))
    });
    rows.collect::<Vec<_>>().join(", ")
}

/// What differs between the families.
pub(super) struct Flow {
    pub(super) nextpnr: Tool,
    pub(super) packer: Tool,
    packer_arguments: Vec<String>,
    pin_option: &'static str,
    pub(super) pin_file: &'static str,
    placed_option: &'static str,
    placed: &'static str,
    bitstream: &'static str,
    pub(super) logic_cell: &'static str,
    pub(super) block_ram: &'static str,
    pll: &'static str,
}

impl Flow {
    /// What a build leaves besides its bitstream and its report.
    fn results(&self) -> [&'static str; 7] {
        [
            VERILOG,
            self.pin_file,
            SCRIPT,
            NETLIST,
            PLACEMENT,
            self.placed,
            TABLE,
        ]
    }

    pub(super) fn of(family: Family) -> Flow {
        match family {
            Family::Ice40 => Flow {
                nextpnr: Tool::NextpnrIce40,
                packer: Tool::Icepack,
                packer_arguments: ["firstspike.asc", "firstspike.bin"]
                    .map(str::to_owned)
                    .into(),
                pin_option: "--pcf",
                pin_file: "firstspike.pcf",
                placed_option: "--asc",
                placed: "firstspike.asc",
                bitstream: "firstspike.bin",
                logic_cell: "ICESTORM_LC",
                block_ram: "ICESTORM_RAM",
                pll: "ICESTORM_PLL",
            },
            Family::Ecp5 => Flow {
                nextpnr: Tool::NextpnrEcp5,
                packer: Tool::Ecppack,
                packer_arguments: [
                    "--compress",
                    "--input",
                    "firstspike.config",
                    "--bit",
                    "firstspike.bit",
                ]
                .map(str::to_owned)
                .into(),
                pin_option: "--lpf",
                pin_file: "firstspike.lpf",
                placed_option: "--textcfg",
                placed: "firstspike.config",
                bitstream: "firstspike.bit",
                logic_cell: "TRELLIS_COMB",
                block_ram: "DP16KD",
                pll: "EHXPLLL",
            },
        }
    }
}

/// The name by which `synth_ice40` knows the timing of a device.
fn ice40_timing_model(device: &str) -> &'static str {
    match device {
        device if device.starts_with('u') => "u",
        device if device.starts_with("lp") => "lp",
        _ => "hx",
    }
}

/// A plain Verilog identifier: what can be put into a script as it is.
fn is_module_name(name: &str) -> bool {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    let other = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.starts_with(first) && name.chars().all(other)
}

pub(super) fn write(path: &Path, text: &str) -> Result<(), ToolchainError> {
    fs::write(path, text).map_err(ToolchainError::write(path))
}

pub(super) fn read(path: &Path) -> Result<String, ToolchainError> {
    fs::read_to_string(path).map_err(ToolchainError::read(path))
}

fn remove(path: &Path) -> Result<(), ToolchainError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(ToolchainError::write(path)(error))
        }
        _ => Ok(()),
    }
}
