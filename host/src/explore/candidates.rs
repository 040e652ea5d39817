//! The cores that could run a network: one for each choice of lanes, banks and beats, with memories just
//! large enough.

use firmware_model::board::{Board, WeightMemory, SPRAM_WORDS};
use firmware_model::config::{
    check_shape, ConfigError, CoreConfig, BANK_CHOICES, BEAT_CHOICES, LANE_CHOICES,
};
use firmware_model::image::{FitError, Geometry};
use serde::Serialize;
use std::fmt;
use thiserror::Error;

/// What is chosen; everything else follows from the network and the board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Shape {
    /// P.
    pub lanes: u16,
    /// S.
    pub banks: u8,
    /// B.
    pub beats: u8,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} x {} / {}", self.lanes, self.banks, self.beats)
    }
}

impl Shape {
    /// All that there are, fewest lanes first.
    pub fn all() -> Vec<Shape> {
        let mut shapes = Vec::new();
        for lanes in LANE_CHOICES {
            for banks in BANK_CHOICES {
                let all = BEAT_CHOICES.map(|beats| Shape {
                    lanes,
                    banks,
                    beats,
                });
                shapes.extend(all.into_iter().filter(|shape| shape.exists()));
            }
        }
        shapes
    }

    /// Not all lanes go with all beats.
    fn exists(&self) -> bool {
        check_shape(self.lanes, self.banks, self.beats).is_ok()
    }

    /// The shape of a core.
    pub fn of(core: &CoreConfig) -> Shape {
        Shape {
            lanes: core.lanes,
            banks: core.banks,
            beats: core.beats,
        }
    }
}

/// Why no core of a shape runs a network.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoCore {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Fit(#[from] FitError),
}

/// The core of `shape` with the smallest memories that hold a network of layers of `sizes`
/// (N_0, N_1, ..., N_L) over `steps`. Whether they fit the board is not asked here.
///
/// The link is the board's: its frame slots and input buffers. Weights in SPRAM get whole SPRAMs.
pub fn smallest_core(
    board: &Board,
    shape: Shape,
    sizes: &[usize],
    steps: usize,
) -> Result<CoreConfig, NoCore> {
    let (lanes, banks) = (usize::from(shape.lanes), usize::from(shape.banks));
    let slots: usize = sizes[1..].iter().map(|n| n.div_ceil(lanes)).sum();
    let rows: usize = (sizes.windows(2))
        .map(|pair| pair[0].div_ceil(banks) * pair[1].div_ceil(lanes))
        .sum();
    let hidden = sizes[1..sizes.len() - 1].iter();
    let hidden_rows: usize = hidden.map(|n| n.div_ceil(banks)).sum();
    let weight_rows = match board.memories.weights {
        WeightMemory::Spram => {
            let deep = rows.div_ceil(SPRAM_WORDS as usize).next_power_of_two();
            deep * SPRAM_WORDS as usize
        }
        WeightMemory::Bram => rows,
    };
    let core = CoreConfig {
        lanes: shape.lanes,
        banks: shape.banks,
        beats: shape.beats,
        weight_rows: weight_rows.clamp(16, 65_536) as u32,
        fold_slots: power_of_two(slots, 2, 128),
        input_rows: power_of_two(sizes[0].div_ceil(banks), 16, 2_048),
        hidden_rows: power_of_two(hidden_rows, 16, 2_048),
        ..board.core
    };
    core.check()?;
    Geometry::fit(sizes, steps, &core)?;
    Ok(core)
}

/// The power of two from `need` on, within what a core can have; what is then too small is told by
/// [`Geometry::fit`].
fn power_of_two(need: usize, least: usize, most: usize) -> u16 {
    need.next_power_of_two().clamp(least, most) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    const MNIST: [usize; 3] = [784, 600, 10];

    fn core(board: &str, lanes: u16, banks: u8, sizes: &[usize]) -> Result<CoreConfig, NoCore> {
        let board = Board::find(board).unwrap();
        let shape = Shape {
            lanes,
            banks,
            beats: 1,
        };
        smallest_core(&board, shape, sizes, 16)
    }

    #[test]
    fn memories_are_just_large_enough() {
        let found = core("ulx3s-25f", 32, 4, &MNIST).unwrap();
        // 19 folds of 784 / 4 rows, and one of 600 / 4.
        assert_eq!(found.weight_rows, 19 * 196 + 150);
        assert_eq!(found.fold_slots, 32);
        assert_eq!((found.input_rows, found.hidden_rows), (256, 256));
        let one_less = CoreConfig {
            weight_rows: found.weight_rows - 1,
            ..found
        };
        assert!(Geometry::fit(&MNIST, 16, &one_less).is_err());
    }

    #[test]
    fn weights_in_spram_get_whole_sprams() {
        let found = core("icebreaker", 16, 4, &MNIST).unwrap();
        assert_eq!(found.weight_rows, 16_384);
        let found = core("icebreaker", 16, 1, &MNIST).unwrap();
        assert_eq!(found.weight_rows, 32_768);
    }

    #[test]
    fn what_no_core_of_a_shape_holds_is_said() {
        let refused = core("icebreaker", 8, 1, &[784, 2_000, 10]);
        assert!(matches!(
            refused,
            Err(NoCore::Fit(FitError::Folds { found: 252, .. }))
        ));
    }

    #[test]
    fn hidden_layers_share_the_rows_of_a_bank() {
        let found = core("ulx3s-25f", 32, 4, &[64, 100, 300, 10]).unwrap();
        assert_eq!(found.hidden_rows, 128);
        let found = core("ulx3s-25f", 32, 4, &[64, 300, 300, 10]).unwrap();
        assert_eq!(found.hidden_rows, 256);
    }

    #[test]
    fn every_shape_is_one_that_is_made() {
        let shapes = Shape::all();
        assert!(shapes.windows(2).all(|pair| pair[0] < pair[1]));
        let beats = |lanes| {
            let of_lanes = shapes.iter().filter(|s| s.lanes == lanes && s.banks == 1);
            of_lanes.map(|s| s.beats).collect::<Vec<_>>()
        };
        assert_eq!(beats(8), [1]);
        assert_eq!(beats(128), [1, 2, 4]);
        assert_eq!(beats(512), [1, 2]);
    }
}
