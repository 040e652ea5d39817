//! Which cores are synthesised for the cost model.

use super::candidates::{smallest_core, Shape};
use super::cost::timing_class;
use firmware_model::board::{Board, Family};
use firmware_model::config::CoreConfig;
use std::collections::BTreeSet;

/// The networks that the cores are for: memories from small to as large as the boards have.
const NETWORKS: [&[usize]; 3] = [&[784, 600, 10], &[64, 64, 10], &[784, 128, 64, 10]];
const STEPS: usize = 16;
/// The boards whose cores are synthesised in all shapes: one for each way of keeping weights.
const BOARDS: [&str; 3] = ["icebreaker", "ice40-hx8k", "ulx3s-25f"];

/// A core to be synthesised.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    pub board: Board,
    pub core: CoreConfig,
    /// How many seeds to place and route it with.
    pub seeds: u32,
}

/// All cores to be synthesised, the smallest first.
pub fn plan() -> Vec<Planned> {
    let mut planned = Vec::new();
    let boards = Board::built_in();
    for board in boards.iter().filter(|b| BOARDS.contains(&b.name.as_str())) {
        for (index, shape) in Shape::all().into_iter().enumerate() {
            if !is_sensible(board, shape) {
                continue;
            }
            for which in [index, index + 1] {
                let sizes = NETWORKS[which % NETWORKS.len()];
                if let Ok(core) = smallest_core(board, shape, sizes, STEPS) {
                    let seeds = u32::from(which == index && index % 3 == 0);
                    planned.push(Planned {
                        board: board.clone(),
                        core,
                        seeds,
                    });
                }
            }
        }
    }
    // Devices of other speeds get two small cores, for their clocks.
    let mut classes: BTreeSet<String> = planned.iter().map(|p| timing_class(&p.board)).collect();
    for board in boards {
        if classes.insert(timing_class(&board)) {
            for shape in Shape::all()
                .into_iter()
                .filter(|shape| shape.banks == 2)
                .take(2)
            {
                if let Ok(core) = smallest_core(&board, shape, NETWORKS[1], STEPS) {
                    planned.push(Planned {
                        board: board.clone(),
                        core,
                        seeds: 1,
                    });
                }
            }
        }
    }
    planned.sort_by_key(|planned| {
        let Shape { lanes, banks, .. } = Shape::of(&planned.core);
        (u32::from(lanes) * u32::from(banks), lanes)
    });
    planned
}

/// Far larger cores than a family's devices hold say nothing, and take long.
fn is_sensible(board: &Board, shape: Shape) -> bool {
    let bits = u32::from(shape.lanes) * u32::from(shape.banks);
    match board.family {
        Family::Ice40 => shape.lanes <= 64 && bits <= 128,
        Family::Ecp5 => bits <= 1_024,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_enough_runs_to_fit_and_to_leave_out() {
        let planned = plan();
        assert!(planned.len() >= 40, "{}", planned.len());
        for family in [Family::Ice40, Family::Ecp5] {
            let of_family = || planned.iter().filter(|p| p.board.family == family);
            assert!(of_family().count() >= 20, "{family}");
            assert!(of_family().any(|p| p.seeds > 0), "{family}");
        }
    }

    #[test]
    fn no_core_is_planned_twice() {
        let planned = plan();
        for (index, one) in planned.iter().enumerate() {
            let same =
                |other: &&Planned| other.board.name == one.board.name && other.core == one.core;
            assert_eq!(planned[index + 1..].iter().find(same), None);
        }
    }
}
