//! Every choice for a network on a board, judged: what fits, what is efficient, what is best.

use super::candidates::{smallest_core, NoCore, Shape};
use super::cost::{Cost, CostModel};
use super::cycles::{Cycles, Workload};
use super::measure::Measured;
use firmware_model::board::Board;
use firmware_model::config::CoreConfig;
use serde::Serialize;
use thiserror::Error;

/// A core that holds the network, and what is known of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Choice {
    pub core: CoreConfig,
    pub cost: Cost,
    pub cycles: Cycles,
    /// The mean time of an inference at the board's clock.
    pub microseconds: f64,
    /// Whether the clock is expected to be as fast as the board's, or was measured to be.
    pub meets_timing: bool,
    /// No other choice is as small and as fast.
    pub efficient: bool,
    /// The fastest that meets timing.
    pub best: bool,
    pub measured: Option<Measured>,
}

/// A shape that is not for this network on this board.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rejected {
    #[serde(flatten)]
    pub shape: Shape,
    /// In a few words.
    pub reason: String,
}

/// Why a core that holds the network does not fit the board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("needs {needed} {what}, the board has {available}")]
pub struct TooLarge {
    pub what: &'static str,
    pub needed: u32,
    pub available: u32,
}

/// All choices for a network on a board.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Survey {
    /// The smallest first.
    pub choices: Vec<Choice>,
    pub rejected: Vec<Rejected>,
}

/// A candidate that fits the board, before its cycles are known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fitting {
    pub core: CoreConfig,
    pub cost: Cost,
}

/// Sorts all shapes into cores that fit the board and shapes that do not.
pub fn fitting(
    board: &Board,
    sizes: &[usize],
    steps: usize,
    model: &CostModel,
) -> (Vec<Fitting>, Vec<Rejected>) {
    let (mut fitting, mut rejected) = (Vec::new(), Vec::new());
    for shape in Shape::all() {
        match judge(board, shape, sizes, steps, model) {
            Ok(fits) => fitting.push(fits),
            Err(reason) => rejected.push(Rejected { shape, reason }),
        }
    }
    fitting.sort_by_key(|fits| (fits.cost.logic_cells, Shape::of(&fits.core)));
    (fitting, rejected)
}

fn judge(
    board: &Board,
    shape: Shape,
    sizes: &[usize],
    steps: usize,
    model: &CostModel,
) -> Result<Fitting, String> {
    let core = smallest_core(board, shape, sizes, steps).map_err(|why: NoCore| why.to_string())?;
    let cost = model.cost(board, &core);
    check_room(board, &cost).map_err(|why| why.to_string())?;
    Ok(Fitting { core, cost })
}

/// Whether the board has as much of everything as a core takes.
pub fn check_room(board: &Board, cost: &Cost) -> Result<(), TooLarge> {
    let has = &board.resources;
    let needs = [
        ("SPRAMs", cost.memories.sprams, has.sprams),
        ("block RAMs", cost.memories.block_rams, has.block_rams),
        ("logic cells (estimated)", cost.logic_cells, has.luts),
    ];
    for (what, needed, available) in needs {
        if needed > available {
            return Err(TooLarge {
                what,
                needed,
                available,
            });
        }
    }
    Ok(())
}

impl Choice {
    /// What is known of a core once `workload` has run on it; marks come later.
    pub fn new(board: &Board, fits: Fitting, cycles: Cycles) -> Choice {
        let megahertz = f64::from(board.clock.core_hz) / 1e6;
        Choice {
            core: fits.core,
            cost: fits.cost,
            cycles,
            microseconds: cycles.mean / megahertz,
            // Where no run tells of such a device, the board's file is believed.
            meets_timing: fits.cost.clock_mhz.is_none_or(|mhz| mhz >= megahertz),
            efficient: false,
            best: false,
            measured: None,
        }
    }

    /// Logic cells: as measured, else as estimated.
    pub fn logic_cells(&self) -> u32 {
        self.measured
            .as_ref()
            .map_or(self.cost.logic_cells, |measured| measured.logic_cells)
    }
}

impl Survey {
    /// Marks the efficient choices and the best.
    pub fn new(mut choices: Vec<Choice>, rejected: Vec<Rejected>) -> Survey {
        mark(&mut choices);
        Survey { choices, rejected }
    }

    /// Takes note of what was measured of a core, and marks anew.
    pub fn measured(&mut self, core: &CoreConfig, measured: Measured) {
        if let Some(choice) = self.choices.iter_mut().find(|choice| choice.core == *core) {
            choice.meets_timing = measured.meets_timing();
            choice.measured = Some(measured);
        }
        mark(&mut self.choices);
    }

    /// The fastest that meets timing, if any does.
    pub fn best(&self) -> Option<&Choice> {
        self.choices.iter().find(|choice| choice.best)
    }
}

fn mark(choices: &mut [Choice]) {
    choices.sort_by(|a, b| {
        let by_size = a.logic_cells().cmp(&b.logic_cells());
        by_size.then(a.cycles.mean.total_cmp(&b.cycles.mean))
    });
    // From small to large, a choice is efficient when nothing smaller is as fast.
    let mut fastest = f64::INFINITY;
    for choice in choices.iter_mut() {
        choice.efficient = choice.cycles.mean < fastest;
        fastest = fastest.min(choice.cycles.mean);
        choice.best = false;
    }
    let usable = choices.iter_mut().filter(|choice| choice.meets_timing);
    if let Some(best) = usable.min_by(|a, b| a.microseconds.total_cmp(&b.microseconds)) {
        best.best = true;
    }
}

/// Runs `workload` on a core that fits; see [`Choice::new`].
///
/// # Errors
/// A reason in a few words, when the network itself does not fit the core: its potentials may not.
pub fn choose(board: &Board, fits: Fitting, workload: &Workload) -> Result<Choice, Rejected> {
    match workload.run(&fits.core) {
        Ok(cycles) => Ok(Choice::new(board, fits, cycles)),
        Err(why) => Err(Rejected {
            shape: Shape::of(&fits.core),
            reason: why.to_string(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::activity::Profile;
    use crate::toolchain::ToolVersions;

    fn survey(name: &str, sizes: &[usize]) -> (Board, Survey) {
        let board = Board::find(name).unwrap();
        let (fitting, rejected) = fitting(&board, sizes, 16, &CostModel::default());
        let workload = Workload::StandIns(Profile::default().stand_ins(sizes, 16).unwrap());
        let choices = fitting
            .into_iter()
            .map(|fits| choose(&board, fits, &workload).unwrap())
            .collect();
        (board, Survey::new(choices, rejected))
    }

    #[test]
    fn every_shape_is_judged_once_and_what_fits_fits() {
        let (board, survey) = survey("icebreaker", &[784, 600, 10]);
        assert!(!survey.choices.is_empty());
        let judged = survey.choices.len() + survey.rejected.len();
        assert_eq!(judged, Shape::all().len());
        for choice in &survey.choices {
            assert!(check_room(&board, &choice.cost).is_ok());
            assert!(choice.cost.memories.sprams <= 4);
        }
        let wide = Shape {
            lanes: 64,
            banks: 8,
            beats: 4,
        };
        let rejected = survey.rejected.iter().find(|r| r.shape == wide).unwrap();
        assert_eq!(rejected.reason, "needs 32 SPRAMs, the board has 4");
    }

    #[test]
    fn the_efficient_are_those_that_nothing_beats_in_both_ways() {
        let (_, survey) = survey("ulx3s-25f", &[784, 128, 10]);
        for choice in &survey.choices {
            let beaten = survey.choices.iter().any(|other| {
                let (cells, cycles) = (other.logic_cells(), other.cycles.mean);
                let (own_cells, own_cycles) = (choice.logic_cells(), choice.cycles.mean);
                (cells < own_cells && cycles <= own_cycles)
                    || (cells <= own_cells && cycles < own_cycles)
            });
            assert_eq!(choice.efficient, !beaten, "{choice:?}");
        }
    }

    #[test]
    fn the_best_is_the_fastest_that_meets_timing() {
        let (_, mut survey) = survey("ulx3s-25f", &[64, 64, 10]);
        let best = survey.best().unwrap().clone();
        for choice in survey.choices.iter().filter(|c| c.meets_timing) {
            assert!(best.microseconds <= choice.microseconds);
        }
        let too_slow = Measured {
            luts: best.cost.luts,
            flip_flops: best.cost.flip_flops,
            carries: 0,
            logic_cells: best.cost.logic_cells,
            block_rams: best.cost.memories.block_rams,
            sprams: 0,
            lut_rams: 0,
            fits: true,
            clocks_mhz: vec![1.0],
            seeds_met: 0,
            tools: ToolVersions {
                yosys: None,
                nextpnr: None,
                packer: None,
            },
        };
        survey.measured(&best.core, too_slow);
        assert_ne!(survey.best().unwrap().core, best.core);
    }
}
