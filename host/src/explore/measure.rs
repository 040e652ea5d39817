//! Synthesis, placement and routing for real.

use crate::toolchain::{BuildJob, Netlist, ToolVersions, Toolbox, ToolchainError};
use firmware_model::board::Board;
use firmware_model::config::CoreConfig;
use firstspike_hdl::GenerateError;
use serde::Serialize;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use thiserror::Error;

/// What a core takes, and what clock it reaches, as the tools say.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measured {
    pub luts: u32,
    pub flip_flops: u32,
    pub carries: u32,
    pub logic_cells: u32,
    pub block_rams: u32,
    pub sprams: u32,
    pub lut_rams: u32,
    /// Whether the device has as much of everything; if not, nothing was placed.
    pub fits: bool,
    /// In MHz, one a seed, from seed 1 on.
    pub clocks_mhz: Vec<f64>,
    /// How many seeds met the timing of every clock.
    pub seeds_met: u32,
    pub tools: ToolVersions,
}

/// Why a core was not measured.
#[derive(Debug, Error)]
pub enum MeasureError {
    #[error(transparent)]
    Generate(#[from] GenerateError),
    #[error(transparent)]
    Toolchain(#[from] ToolchainError),
}

impl Measured {
    /// The median clock over the seeds in MHz; of an even number the lower one of the two.
    pub fn clock_median_mhz(&self) -> Option<f64> {
        let mut clocks = self.clocks_mhz.clone();
        clocks.sort_by(f64::total_cmp);
        let middle = clocks.len().checked_sub(1)? / 2;
        clocks.get(middle).copied()
    }

    /// The slowest and the fastest clock in MHz.
    pub fn clock_range_mhz(&self) -> Option<(f64, f64)> {
        let least = self.clocks_mhz.iter().copied().reduce(f64::min)?;
        let most = self.clocks_mhz.iter().copied().reduce(f64::max)?;
        Some((least, most))
    }

    /// Whether half of the seeds or more met timing.
    pub fn meets_timing(&self) -> bool {
        self.fits && 2 * self.seeds_met as usize >= self.clocks_mhz.len()
    }
}

/// What every measurement shares.
pub struct Bench<'a> {
    pub board: &'a Board,
    pub toolbox: &'a Toolbox,
    /// As [`BuildJob::synthesis`].
    pub synthesis: Option<&'a str>,
    /// A folder for the tools to work in; it keeps their logs.
    pub folder: &'a Path,
    /// Told the name of each stage when it begins.
    pub progress: &'a dyn Fn(&str),
    /// Set from elsewhere to end early.
    pub stop: &'a AtomicBool,
}

impl Bench<'_> {
    /// Synthesises `core`, and places and routes it with the seeds 1 to `seeds` where it fits.
    pub fn measure(&self, core: &CoreConfig, seeds: u32) -> Result<Measured, MeasureError> {
        let verilog = firstspike_hdl::generate(self.board, core)?;
        let top = firstspike_hdl::top_name(self.board);
        let netlist = Netlist::new(
            BuildJob {
                board: self.board,
                verilog: &verilog,
                top: &top,
                core: Some(*core),
                seed: 1,
                synthesis: self.synthesis,
                out: self.folder,
                progress: self.progress,
                stop: self.stop,
            },
            self.toolbox,
        )?;
        let made = netlist.synthesised;
        let uses = [made.logic_cells, made.block_rams, made.sprams];
        let mut measured = Measured {
            luts: made.luts as u32,
            flip_flops: made.flip_flops as u32,
            carries: made.carries as u32,
            logic_cells: made.logic_cells.used as u32,
            block_rams: made.block_rams.used as u32,
            sprams: made.sprams.used as u32,
            lut_rams: made.lut_rams as u32,
            fits: uses.iter().all(|usage| usage.used <= usage.available),
            clocks_mhz: Vec::new(),
            seeds_met: 0,
            tools: netlist.tools.clone(),
        };
        if measured.fits {
            for seed in 1..=seeds {
                if self.stop.load(Ordering::SeqCst) {
                    return Err(ToolchainError::Interrupted.into());
                }
                let placed = netlist.place(seed)?;
                measured.clocks_mhz.push(placed.clock_mhz);
                measured.seeds_met += u32::from(placed.timing_met);
            }
        }
        Ok(measured)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(clocks_mhz: &[f64], seeds_met: u32) -> Measured {
        Measured {
            luts: 0,
            flip_flops: 0,
            carries: 0,
            logic_cells: 0,
            block_rams: 0,
            sprams: 0,
            lut_rams: 0,
            fits: true,
            clocks_mhz: clocks_mhz.to_vec(),
            seeds_met,
            tools: ToolVersions {
                yosys: None,
                nextpnr: None,
                packer: None,
            },
        }
    }

    #[test]
    fn seeds_are_summed_up_by_their_median() {
        let odd = measured(&[31.0, 28.0, 30.0], 2);
        assert_eq!(odd.clock_median_mhz(), Some(30.0));
        assert_eq!(odd.clock_range_mhz(), Some((28.0, 31.0)));
        assert!(odd.meets_timing());
        assert_eq!(measured(&[31.0, 28.0], 1).clock_median_mhz(), Some(28.0));
        assert!(!measured(&[31.0, 28.0, 29.0], 1).meets_timing());
        assert_eq!(measured(&[], 0).clock_median_mhz(), None);
    }
}
