//! Trials: what a design takes, and what clock it reaches, without a bitstream.

use super::build::{read, write, Flow, CELLS, PLACEMENT, SCRIPT, VERILOG};
use super::report::{Cells, Placement};
use super::{BuildJob, Found, Tool, ToolVersions, Toolbox, ToolchainError, Usage};
use std::path::Path;
use tempfile::TempDir;

/// What a design takes after synthesis and packing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Synthesised {
    /// LUTs, flip-flops and carry cells as synthesised, before packing.
    pub luts: u64,
    pub flip_flops: u64,
    pub carries: u64,
    /// Memories made of LUTs (ECP5 only): cells of 16 words of 4 bits.
    pub lut_rams: u64,
    /// After packing: a LUT, a flip-flop and a carry each on iCE40, a LUT each on ECP5.
    pub logic_cells: Usage,
    pub block_rams: Usage,
    pub sprams: Usage,
}

/// A design placed and routed with one seed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placed {
    pub seed: u32,
    /// The fastest clock that the slowest path of the core allows.
    pub clock_mhz: f64,
    /// Whether every clock of the design is as fast as the board wants it.
    pub timing_met: bool,
}

/// A synthesised design in a folder of its own, which goes when this does.
pub struct Netlist<'a> {
    job: BuildJob<'a>,
    flow: Flow,
    nextpnr: Found,
    folder: TempDir,
    /// The versions of the tools that made it.
    pub tools: ToolVersions,
    pub synthesised: Synthesised,
}

impl<'a> Netlist<'a> {
    /// Synthesises and packs the design of `job`. Its `out` gets the logs, and for the time of the
    /// trial a folder; its `seed` is not used.
    pub fn new(job: BuildJob<'a>, toolbox: &Toolbox) -> Result<Self, ToolchainError> {
        let flow = Flow::of(job.board.family);
        let yosys = toolbox.find(Tool::Yosys)?;
        let nextpnr = toolbox.find(flow.nextpnr)?;
        std::fs::create_dir_all(job.out).map_err(ToolchainError::write(job.out))?;
        let folder = tempfile::Builder::new()
            .prefix(".trial-")
            .tempdir_in(job.out)
            .map_err(ToolchainError::write(job.out))?;
        let work = folder.path();
        write(&work.join(VERILOG), job.verilog)?;
        write(&work.join(flow.pin_file), job.board.constraint_text())?;
        write(&work.join(SCRIPT), &job.synthesis_script())?;
        job.stage("synthesis", &yosys, &["-s".into(), SCRIPT.into()], work)?;
        let mut arguments = job.nextpnr_arguments(&flow);
        arguments.push("--pack-only".to_owned());
        job.stage("pack", &nextpnr, &arguments, work)?;
        let synthesised = synthesised(&flow, work)?;
        Ok(Netlist {
            tools: ToolVersions {
                yosys: yosys.version,
                nextpnr: nextpnr.version.clone(),
                packer: None,
            },
            job,
            flow,
            nextpnr,
            folder,
            synthesised,
        })
    }

    /// Places and routes with a seed: the same seed gives the same result.
    pub fn place(&self, seed: u32) -> Result<Placed, ToolchainError> {
        let job = BuildJob { seed, ..self.job };
        let work = self.folder.path();
        let arguments = job.nextpnr_arguments(&self.flow);
        job.stage("place and route", &self.nextpnr, &arguments, work)?;
        let placement = Placement::parse(&read(&work.join(PLACEMENT))?)?;
        let wanted = f64::from(job.board.clock.core_hz) / 1e6;
        Ok(Placed {
            seed,
            clock_mhz: job.core_clock_mhz(&placement, wanted)?,
            timing_met: placement.timing_met(),
        })
    }
}

fn synthesised(flow: &Flow, work: &Path) -> Result<Synthesised, ToolchainError> {
    let cells = Cells::parse(&read(&work.join(CELLS))?)?;
    let packed = Placement::parse(&read(&work.join(PLACEMENT))?)?;
    Ok(Synthesised {
        luts: cells.count(&["SB_LUT4", "LUT4"]),
        flip_flops: cells.count(&["SB_DFF", "TRELLIS_FF"]),
        carries: cells.count(&["SB_CARRY", "CCU2C"]),
        lut_rams: cells.count(&["TRELLIS_DPR16X4"]),
        logic_cells: packed.usage(flow.logic_cell),
        block_rams: packed.usage(flow.block_ram),
        sprams: packed.usage("ICESTORM_SPRAM"),
    })
}
