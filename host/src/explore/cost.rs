//! What a core costs: LUTs, flip-flops, logic cells and clock, estimated.
//!
//! Each quantity is a sum of few terms that follow from the circuit: a constant for link and sequencer,
//! something for each bank, each weight bit that arrives in a cycle, each lane's counter and each adder, and
//! for the logic around memories. The coefficients are in `host/data/cost/coefficients.toml`, which
//! [`super::fit`] makes of the synthesis runs; nothing is copied by hand.

use super::memories::{memory_use, MemoryUse};
use firmware_model::board::{Board, Family};
use firmware_model::config::{CoreConfig, CHUNK_WORDS};
use serde::Serialize;
use std::collections::BTreeMap;

const COEFFICIENTS: &str = include_str!("../../data/cost/coefficients.toml");

/// Coefficients by family, quantity and term.
pub type Coefficients = BTreeMap<String, BTreeMap<String, BTreeMap<String, f64>>>;

/// What is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    Luts,
    FlipFlops,
    LogicCells,
    /// The logarithm (base 2) of the shortest clock period in nanoseconds: factors become sums.
    Period,
}

impl Quantity {
    pub const ALL: [Quantity; 4] = [
        Quantity::Luts,
        Quantity::FlipFlops,
        Quantity::LogicCells,
        Quantity::Period,
    ];

    /// Its name in the file of coefficients.
    pub fn name(self) -> &'static str {
        match self {
            Quantity::Luts => "luts",
            Quantity::FlipFlops => "flip_flops",
            Quantity::LogicCells => "logic_cells",
            Quantity::Period => "log2_period_ns",
        }
    }

    /// The terms of this quantity for a core on a board, each with its name.
    pub fn terms(self, board: &Board, core: &CoreConfig) -> Vec<(String, f64)> {
        let (lanes, banks) = (f64::from(core.lanes), f64::from(core.banks));
        let (beats, group) = (f64::from(core.beats), core.group() as f64);
        let counter_bits = counter_bits(core);
        let late = f64::from(u8::from(core.late_weights()));
        let memories = memory_use(board, core);
        match self {
            Quantity::Period => vec![
                (timing_class(board), 1.0),
                ("log2_lanes".to_owned(), lanes.log2()),
                ("log2_banks".to_owned(), banks.log2()),
                ("log2_beats".to_owned(), beats.log2()),
            ],
            _ => [
                ("constant", 1.0),
                ("banks", banks),
                ("several_banks", f64::from(u8::from(core.banks > 1))),
                ("weight_bits", lanes * banks),
                ("late_bits", late * lanes * banks),
                ("counter_bits", lanes * counter_bits),
                ("adders", group),
                ("selected_bits", (beats - 1.0) * group * counter_bits),
                ("multiplexed_bits", f64::from(memories.multiplexed_bits)),
                ("bypassed_bits", f64::from(memories.bypassed_bits)),
                ("lut_rams", f64::from(memories.lut_rams)),
            ]
            .map(|(name, value)| (name.to_owned(), value))
            .into(),
        }
    }
}

/// The bits of a lane's counter: it holds the positive weights of the words of a chunk.
fn counter_bits(core: &CoreConfig) -> f64 {
    let most = CHUNK_WORDS * usize::from(core.banks);
    f64::from(most.ilog2() + 1)
}

/// The boards whose clocks can be compared: those with devices of the same speed.
pub fn timing_class(board: &Board) -> String {
    match board.family {
        Family::Ice40 if board.device.starts_with('u') => "ice40_up".to_owned(),
        Family::Ice40 if board.device.starts_with("lp") => "ice40_lp".to_owned(),
        Family::Ice40 => "ice40_hx".to_owned(),
        Family::Ecp5 => format!("ecp5_speed_{}", board.speed_grade.unwrap_or(6)),
    }
}

/// What a core takes on a board.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Cost {
    pub luts: u32,
    pub flip_flops: u32,
    /// After packing: a LUT, a flip-flop and a carry each on iCE40, a LUT each on ECP5.
    pub logic_cells: u32,
    #[serde(flatten)]
    pub memories: MemoryUse,
    /// `None` where no run was made with a device of this speed.
    pub clock_mhz: Option<f64>,
}

/// The cost model.
#[derive(Debug, Clone, PartialEq)]
pub struct CostModel {
    coefficients: Coefficients,
}

impl Default for CostModel {
    /// The model of the repository.
    fn default() -> Self {
        CostModel::new(toml::from_str(COEFFICIENTS).expect("a test reads the coefficients"))
    }
}

impl CostModel {
    pub fn new(coefficients: Coefficients) -> Self {
        CostModel { coefficients }
    }

    /// The estimate of one quantity; `None` for the clock of a device of a speed that no run was made with.
    pub fn estimate(&self, quantity: Quantity, board: &Board, core: &CoreConfig) -> Option<f64> {
        let family = self.coefficients.get(&board.family.to_string())?;
        let coefficients = family.get(quantity.name())?;
        if quantity == Quantity::Period && !coefficients.contains_key(&timing_class(board)) {
            return None;
        }
        // What no run had any of is taken to cost nothing.
        let price = |name: &String| coefficients.get(name).copied().unwrap_or(0.0);
        let terms = quantity.terms(board, core);
        Some(terms.iter().map(|(name, value)| price(name) * value).sum())
    }

    /// Everything about a core on a board.
    pub fn cost(&self, board: &Board, core: &CoreConfig) -> Cost {
        let count = |quantity| {
            let estimate = self.estimate(quantity, board, core);
            estimate.map_or(0, |count| count.round().max(0.0) as u32)
        };
        Cost {
            luts: count(Quantity::Luts),
            flip_flops: count(Quantity::FlipFlops),
            logic_cells: count(Quantity::LogicCells),
            memories: memory_use(board, core),
            clock_mhz: self
                .estimate(Quantity::Period, board, core)
                .map(|log2_period| 1e3 / log2_period.exp2()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_board_has_an_estimate_of_its_default_core() {
        let model = CostModel::default();
        for board in Board::built_in() {
            let cost = model.cost(&board, &board.core);
            assert!(cost.luts > 500, "{}: {cost:?}", board.name);
            assert!(cost.flip_flops > 500, "{}: {cost:?}", board.name);
            assert!(cost.logic_cells >= cost.luts, "{}: {cost:?}", board.name);
        }
    }

    #[test]
    fn a_device_of_unknown_speed_has_no_clock() {
        let board = Board::find("icebreaker").unwrap();
        let mut coefficients = CostModel::default().coefficients;
        let ice40 = coefficients.get_mut("ice40").unwrap();
        ice40.get_mut("log2_period_ns").unwrap().remove("ice40_up");
        let cost = CostModel::new(coefficients).cost(&board, &board.core);
        assert_eq!(cost.clock_mhz, None);
    }
}
