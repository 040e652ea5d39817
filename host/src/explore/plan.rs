//! Which cores are synthesised for the cost model.

use super::candidates::{smallest_core, Shape};
use firmware_model::board::Board;
use firmware_model::config::CoreConfig;

/// The networks that the cores are for: memories from small to as large as the boards have.
const NETWORKS: [&[usize]; 3] = [&[784, 600, 10], &[64, 64, 10], &[784, 128, 64, 10]];
const STEPS: usize = 16;

/// The boards whose cores are synthesised in many shapes, one for each way of keeping weights, and how
/// many weight bits a cycle are enough: far larger cores than fit say nothing, and take long.
const MANY_SHAPES: [(&str, u32); 3] = [
    ("icebreaker", 64),
    ("ice40-hx8k", 128),
    ("ulx3s-25f", 1_024),
];

/// Of the shapes with more or fewer beats than usual, so many are left out between two.
const OTHER_BEATS_EVERY: usize = 4;

/// What is placed and routed, for its clock: P, S, B, and the network. Devices of every speed are
/// there.
const PLACED: [(&str, [usize; 3], usize); 12] = [
    ("icebreaker", [8, 1, 1], 1),
    ("icebreaker", [16, 4, 1], 0),
    ("icebreaker", [32, 2, 2], 0),
    ("icebreaker", [64, 1, 4], 0),
    ("ice40-hx8k", [16, 1, 1], 1),
    ("ice40-hx8k", [32, 2, 2], 1),
    ("tinyfpga-bx", [16, 1, 1], 1),
    ("ulx3s-25f", [8, 2, 1], 1),
    ("ulx3s-25f", [32, 4, 1], 0),
    ("ulx3s-25f", [64, 8, 1], 0),
    ("orangecrab-25f", [16, 2, 1], 1),
    ("orangecrab-25f", [64, 4, 1], 0),
];

/// Boards whose own cores are placed and routed too: the widest ones.
const OWN_CORES: [&str; 4] = ["ulx3s-25f", "ulx3s-45f", "ulx3s-85f", "orangecrab-25f"];

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
    let boards = Board::built_in();
    let mut plan = Plan::default();
    for (name, most_bits) in MANY_SHAPES {
        let Some(board) = boards.iter().find(|board| board.name == name) else {
            continue;
        };
        let mut shapes = Shape::all();
        shapes.retain(|shape| u32::from(shape.lanes) * u32::from(shape.banks) <= most_bits);
        let (usual, others): (Vec<Shape>, Vec<Shape>) = (shapes.into_iter())
            .partition(|shape| shape.beats == board.family.beats_for(shape.lanes));
        for (index, shape) in usual.into_iter().enumerate() {
            plan.add(board, shape, NETWORKS[index % NETWORKS.len()], 0);
        }
        for (index, shape) in others.into_iter().enumerate().step_by(OTHER_BEATS_EVERY) {
            plan.add(board, shape, NETWORKS[index % NETWORKS.len()], 0);
        }
    }
    for (name, [lanes, banks, beats], network) in PLACED {
        if let Some(board) = boards.iter().find(|board| board.name == name) {
            let shape = Shape {
                lanes: lanes as u16,
                banks: banks as u8,
                beats: beats as u8,
            };
            plan.add(board, shape, NETWORKS[network], 1);
        }
    }
    for board in (boards.iter()).filter(|board| OWN_CORES.contains(&board.name.as_str())) {
        plan.add_core(board, board.core, 1);
    }
    let mut planned = plan.planned;
    planned.sort_by_key(|planned| {
        let Shape { lanes, banks, .. } = Shape::of(&planned.core);
        (u32::from(lanes) * u32::from(banks), lanes)
    });
    planned
}

#[derive(Default)]
struct Plan {
    planned: Vec<Planned>,
}

impl Plan {
    /// Plans the core of a shape that holds the network, if there is one. A core is planned once.
    fn add(&mut self, board: &Board, shape: Shape, sizes: &[usize], seeds: u32) {
        if let Ok(core) = smallest_core(board, shape, sizes, STEPS) {
            self.add_core(board, core, seeds);
        }
    }

    fn add_core(&mut self, board: &Board, core: CoreConfig, seeds: u32) {
        let same = |planned: &&mut Planned| planned.board == *board && planned.core == core;
        match self.planned.iter_mut().find(same) {
            Some(planned) => planned.seeds = planned.seeds.max(seeds),
            None => self.planned.push(Planned {
                board: board.clone(),
                core,
                seeds,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::cost::timing_class;
    use firmware_model::board::Family;

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
    fn devices_of_every_speed_are_placed() {
        let placed: Vec<String> = (plan().iter())
            .filter(|planned| planned.seeds > 0)
            .map(|planned| timing_class(&planned.board))
            .collect();
        for board in Board::built_in() {
            let class = timing_class(&board);
            assert!(placed.contains(&class), "{}: {class}", board.name);
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
