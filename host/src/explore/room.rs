//! Whether a core of a given shape has room on a board, and which shapes near it have.

use super::candidates::Shape;
use super::cost::CostModel;
use super::memories::{memory_use, MemoryUse};
use super::survey::{check_room, TooLarge};
use firmware_model::board::Board;
use firmware_model::config::CoreConfig;

/// Whether the board has the memories that a core takes. Exact, as Yosys makes them; the logic cells, which can only be
/// estimated, are not asked about.
pub fn check_memories(board: &Board, core: &CoreConfig) -> Result<MemoryUse, TooLarge> {
    let used = memory_use(board, core);
    let has = &board.resources;
    for (what, needed, available) in [
        ("SPRAMs", used.sprams, has.sprams),
        ("block RAMs", used.block_rams, has.block_rams),
    ] {
        if needed > available {
            return Err(TooLarge {
                what,
                needed,
                available,
            });
        }
    }
    Ok(used)
}

/// The board's core in the shapes nearest to `wanted` that fit it: memories exactly, logic cells as estimated. The
/// nearest is the first; those that hold fewer weights than the board's own core, or miss its clock by the estimate, come
/// after all others. The beats are those that suit the lanes, or `beats`.
pub fn nearest_that_fit(
    board: &Board,
    lanes: u16,
    banks: u8,
    beats: Option<u8>,
    count: usize,
) -> Vec<CoreConfig> {
    let wanted = Shape {
        lanes,
        banks,
        beats: beats.unwrap_or_else(|| board.family.beats_for(lanes)),
    };
    let model = CostModel::default();
    let megahertz = f64::from(board.clock.core_hz) / 1e6;
    let weights = |core: &CoreConfig| {
        u64::from(core.lanes) * u64::from(core.banks) * u64::from(core.weight_rows)
    };
    let mut near: Vec<(bool, u32, Shape, CoreConfig)> = Shape::all()
        .into_iter()
        .filter_map(|shape| {
            let suits = board.family.beats_for(shape.lanes) == shape.beats;
            if !suits && beats != Some(shape.beats) {
                return None;
            }
            let core = board.core_with(Some(shape.lanes), Some(shape.banks), Some(shape.beats));
            let core = core.ok()?;
            let cost = model.cost(board, &core);
            check_room(board, &cost).ok()?;
            let late = cost.clock_mhz.is_some_and(|reached| reached < megahertz);
            let worse = late || weights(&core) < weights(&board.core);
            Some((worse, distance(shape, wanted), shape, core))
        })
        .collect();
    near.sort_by_key(|(worse, distance, shape, _)| (*worse, *distance, *shape));
    // One of each number of lanes and banks.
    let mut found: Vec<CoreConfig> = vec![];
    for (.., core) in near {
        let same = |other: &CoreConfig| (other.lanes, other.banks) == (core.lanes, core.banks);
        if found.len() < count && !found.iter().any(same) {
            found.push(core);
        }
    }
    found
}

/// How often lanes and banks have to be doubled or halved, and then whether the beats differ.
fn distance(a: Shape, b: Shape) -> u32 {
    let doublings = |a: u32, b: u32| a.ilog2().abs_diff(b.ilog2());
    let lanes = doublings(u32::from(a.lanes), u32::from(b.lanes).max(1));
    let banks = doublings(u32::from(a.banks), u32::from(b.banks).max(1));
    2 * (lanes + banks) + u32::from(a.beats != b.beats)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn core(board: &Board, lanes: u16, banks: u8) -> CoreConfig {
        board.core_with(Some(lanes), Some(banks), None).unwrap()
    }

    #[test]
    fn a_core_that_yosys_would_give_too_many_block_rams_is_found_before() {
        let board = Board::find("ulx3s-25f").unwrap();
        let narrow = core(&board, 8, 2);
        // As `firstspike build --board ulx3s-25f --lanes 8 --banks 2` found them: "64 of 56 DP16KD".
        assert_eq!(
            check_memories(&board, &narrow),
            Err(TooLarge {
                what: "block RAMs",
                needed: 64,
                available: 56
            })
        );
        let near = nearest_that_fit(&board, 8, 2, None, 3);
        assert_eq!(near.len(), 3);
        for core in &near {
            let used = check_memories(&board, core).unwrap();
            assert!(used.block_rams <= 56, "{core:?}");
        }
        // More memories side by side, not fewer lanes, which were advised before.
        assert!(near.iter().all(|core| core.lanes > 8 || core.banks > 2));
    }

    #[test]
    fn the_default_core_of_every_board_has_its_memories() {
        for board in Board::built_in() {
            let used = check_memories(&board, &board.core);
            assert!(used.is_ok(), "{}: {used:?}", board.name);
        }
    }

    #[test]
    fn what_is_advised_fits_and_the_nearest_comes_first() {
        for board in Board::built_in() {
            for wanted in Shape::all() {
                let near =
                    nearest_that_fit(&board, wanted.lanes, wanted.banks, Some(wanted.beats), 3);
                for core in &near {
                    assert!(check_memories(&board, core).is_ok(), "{core:?}");
                }
                let shapes: Vec<_> = near.iter().map(|core| (core.lanes, core.banks)).collect();
                let mut once = shapes.clone();
                once.dedup();
                assert_eq!(shapes, once);
            }
        }
        let board = Board::find("ulx3s-25f").unwrap();
        let CoreConfig {
            lanes,
            banks,
            beats,
            ..
        } = board.core;
        let nearest = nearest_that_fit(&board, lanes, banks, Some(beats), 1);
        assert_eq!(nearest, [board.core]);
        // Beats that nobody asked for are not advised.
        let board = Board::find("icebreaker").unwrap();
        let near = nearest_that_fit(&board, 32, 4, None, 3);
        assert!((near.iter()).all(|core| core.beats == board.family.beats_for(core.lanes)));
    }
}
