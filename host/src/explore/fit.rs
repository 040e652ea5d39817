//! Fitting the cost model to synthesis runs: linear least squares on few terms.

use super::cost::{Coefficients, CostModel, Quantity};
use super::runs::Run;
use firmware_model::board::{Board, BoardError};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Every so many runs of a family one is left out of the fit, to measure its error with.
const HELD_OUT_EVERY: usize = 4;

/// A fitted model, and how far it is off.
#[derive(Debug, Clone)]
pub struct Fitted {
    pub coefficients: Coefficients,
    pub errors: Vec<Error>,
}

/// How far the estimates of one quantity of one family are off, relative to what runs found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Error {
    pub family: String,
    pub quantity: &'static str,
    /// Runs that the fit is made of, and those that were left out of it.
    pub fitted: usize,
    pub held_out: usize,
    /// The mean and the largest error of the runs of the fit.
    pub fitted_mean: f64,
    pub fitted_most: f64,
    /// The mean and the largest error of the runs that were left out.
    pub held_out_mean: f64,
    pub held_out_most: f64,
}

/// A run with its board.
struct Case<'a> {
    board: Board,
    run: &'a Run,
    held_out: bool,
}

impl Case<'_> {
    /// What the run found; `None` where it did not look.
    fn found(&self, quantity: Quantity) -> Option<f64> {
        match quantity {
            Quantity::Luts => Some(self.run.luts as f64),
            Quantity::FlipFlops => Some(self.run.flip_flops as f64),
            Quantity::LogicCells => Some(self.run.logic_cells as f64),
            Quantity::Period => self.run.clock_mhz.map(|mhz| (1e3 / mhz).log2()),
        }
    }

    /// How far `estimate` is off, relative to what the run found. Of periods their ratio counts.
    fn error(&self, quantity: Quantity, estimate: f64) -> Option<f64> {
        let found = self.found(quantity)?;
        Some(match quantity {
            Quantity::Period => ((estimate - found).exp2() - 1.0).abs(),
            _ => (estimate / found - 1.0).abs(),
        })
    }
}

/// Fits every quantity of every family to `runs`, leaving out every fourth run of a family.
pub fn fit(runs: &[Run]) -> Result<Fitted, BoardError> {
    let mut families: BTreeMap<String, Vec<Case>> = BTreeMap::new();
    for run in runs {
        let board = Board::find(&run.board)?;
        let cases = families.entry(board.family.to_string()).or_default();
        let held_out = cases.len() % HELD_OUT_EVERY == HELD_OUT_EVERY - 1;
        cases.push(Case {
            board,
            run,
            held_out,
        });
    }
    let mut coefficients = Coefficients::new();
    for (family, cases) in &families {
        let quantities = coefficients.entry(family.clone()).or_default();
        for quantity in Quantity::ALL {
            quantities.insert(quantity.name().to_owned(), fit_one(cases, quantity));
        }
    }
    let model = CostModel::new(coefficients.clone());
    let errors = (families.iter())
        .flat_map(|(family, cases)| {
            let model = &model;
            Quantity::ALL.map(|quantity| measure(model, family, cases, quantity))
        })
        .collect();
    Ok(Fitted {
        coefficients,
        errors,
    })
}

fn measure(model: &CostModel, family: &str, cases: &[Case], quantity: Quantity) -> Error {
    let of = |held_out: bool| -> Vec<f64> {
        let cases = cases.iter().filter(|case| case.held_out == held_out);
        cases
            .filter_map(|case| {
                let estimate = model.estimate(quantity, &case.board, &case.run.core)?;
                case.error(quantity, estimate)
            })
            .collect()
    };
    let mean = |errors: &[f64]| errors.iter().sum::<f64>() / errors.len().max(1) as f64;
    let most = |errors: &[f64]| errors.iter().copied().fold(0.0, f64::max);
    let (fitted, held_out) = (of(false), of(true));
    Error {
        family: family.to_owned(),
        quantity: quantity.name(),
        fitted: fitted.len(),
        held_out: held_out.len(),
        fitted_mean: mean(&fitted),
        fitted_most: most(&fitted),
        held_out_mean: mean(&held_out),
        held_out_most: most(&held_out),
    }
}

/// The coefficients of one quantity. Nothing gets smaller by more of anything, so a term whose
/// coefficient would be negative is left out, the worst one first.
fn fit_one(cases: &[Case], quantity: Quantity) -> BTreeMap<String, f64> {
    let rows: Vec<(BTreeMap<String, f64>, f64)> = (cases.iter())
        .filter(|case| !case.held_out)
        .filter_map(|case| {
            let terms = quantity.terms(&case.board, &case.run.core);
            Some((terms.into_iter().collect(), case.found(quantity)?))
        })
        .collect();
    let mut names: Vec<String> = (rows.iter())
        .flat_map(|(terms, _)| terms.iter())
        .filter(|(_, value)| **value != 0.0)
        .map(|(name, _)| name.clone())
        .collect();
    names.sort();
    names.dedup();
    let all = names.clone();
    let values = loop {
        let (Some(values), may_drop) = (least_squares(&rows, &names, quantity), names.len() > 1)
        else {
            // Two terms that say the same: one of them is enough.
            names.pop();
            continue;
        };
        let worst = (0..names.len()).min_by(|&a, &b| values[a].total_cmp(&values[b]));
        match worst.filter(|&at| values[at] < 0.0 && may_drop) {
            Some(at) => names.remove(at),
            None => break values,
        };
    };
    let mut fitted: BTreeMap<String, f64> = all.into_iter().map(|name| (name, 0.0)).collect();
    for (name, value) in names.into_iter().zip(values) {
        fitted.insert(name, round(value));
    }
    fitted
}

/// Six digits are more than the data has.
fn round(value: f64) -> f64 {
    format!("{value:.5e}").parse().expect("a number")
}

/// Solves the normal equations. Counts are weighted so that relative errors are made small. `None` when
/// the terms do not determine the coefficients.
fn least_squares(
    rows: &[(BTreeMap<String, f64>, f64)],
    names: &[String],
    quantity: Quantity,
) -> Option<Vec<f64>> {
    let size = names.len();
    let mut matrix = vec![vec![0.0; size + 1]; size];
    for (terms, found) in rows {
        let weight = match quantity {
            Quantity::Period => 1.0,
            _ => 1.0 / found,
        };
        let values: Vec<f64> = (names.iter())
            .map(|name| weight * terms.get(name).copied().unwrap_or(0.0))
            .collect();
        for i in 0..size {
            for j in 0..size {
                matrix[i][j] += values[i] * values[j];
            }
            matrix[i][size] += values[i] * weight * found;
        }
    }
    solve(matrix)
}

/// Gauss-Jordan elimination of a symmetric, positive matrix with the right side as its last column.
fn solve(mut matrix: Vec<Vec<f64>>) -> Option<Vec<f64>> {
    const SINGULAR: f64 = 1e-9;
    let size = matrix.len();
    let scales: Vec<f64> = (0..size).map(|i| matrix[i][i]).collect();
    for pivot in 0..size {
        if matrix[pivot][pivot] <= SINGULAR * scales[pivot] {
            return None;
        }
        let row = matrix[pivot].clone();
        for (index, other) in matrix.iter_mut().enumerate() {
            let factor = match index == pivot {
                true => 1.0 - 1.0 / row[pivot],
                false => other[pivot] / row[pivot],
            };
            for (value, subtracted) in other.iter_mut().zip(&row) {
                *value -= factor * subtracted;
            }
        }
    }
    Some(matrix.iter().map(|row| row[size]).collect())
}

/// The file of coefficients: where they come from, and the numbers.
pub fn to_toml(fitted: &Fitted, runs: usize) -> Result<String, toml::ser::Error> {
    Ok(format!(
        "# The cost model of `firstspike explore`, fitted to {runs} synthesis runs (runs.csv). Not made by hand:\n\
         # cargo run --release -p firstspike --example cost_model -- fit\n\n{}",
        toml::to_string(&fitted.coefficients)?
    ))
}

/// The errors as a table for people.
pub fn table(errors: &[Error]) -> String {
    let mut text = String::from(
        "family  quantity         fitted    mean    most   left out    mean    most\n",
    );
    for e in errors {
        writeln!(
            text,
            "{:<7} {:<16} {:>6} {} {} {:>10} {} {}",
            e.family,
            e.quantity,
            e.fitted,
            percent(e.fitted, e.fitted_mean),
            percent(e.fitted, e.fitted_most),
            e.held_out,
            percent(e.held_out, e.held_out_mean),
            percent(e.held_out, e.held_out_most)
        )
        .expect("a string takes everything");
    }
    text
}

/// An error over `runs` runs, seven characters wide.
fn percent(runs: usize, error: f64) -> String {
    match runs {
        0 => format!("{:>7}", "none"),
        _ => format!("{:>5.1} %", 100.0 * error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::candidates::{smallest_core, Shape};
    use crate::explore::runs::{from_csv, RUNS};

    /// Runs that cost exactly 900, 20 for an adder and 3 for a weight bit.
    fn made_up_runs() -> Vec<Run> {
        let board = Board::find("ulx3s-25f").unwrap();
        let shapes = Shape::all().into_iter();
        let cores = shapes.filter_map(|shape| smallest_core(&board, shape, &[64, 64, 10], 8).ok());
        cores
            .map(|core| {
                let (lanes, banks) = (u64::from(core.lanes), u64::from(core.banks));
                let cells = 900 + 20 * core.group() as u64 + 3 * lanes * banks;
                Run {
                    board: board.name.clone(),
                    core,
                    luts: cells,
                    flip_flops: cells,
                    carries: 0,
                    lut_rams: 0,
                    logic_cells: cells,
                    block_rams: 0,
                    sprams: 0,
                    clock_mhz: Some(200.0 / lanes as f64),
                    yosys: String::new(),
                    nextpnr: String::new(),
                }
            })
            .collect()
    }

    #[test]
    fn known_coefficients_are_found() {
        let fitted = fit(&made_up_runs()).unwrap();
        let luts = &fitted.coefficients["ecp5"]["luts"];
        for (name, expected) in [("constant", 900.0), ("adders", 20.0), ("weight_bits", 3.0)] {
            assert!((luts[name] - expected).abs() < 0.01, "{luts:?}");
        }
        let period = &fitted.coefficients["ecp5"]["log2_period_ns"];
        assert!((period["log2_lanes"] - 1.0).abs() < 1e-3, "{period:?}");
        assert!(fitted
            .errors
            .iter()
            .all(|e| e.held_out == 16 && e.held_out_most < 1e-3));
    }

    #[test]
    fn the_table_has_a_row_for_each_quantity() {
        let mut runs = made_up_runs();
        for run in &mut runs[1..] {
            run.clock_mhz = None;
        }
        let text = table(&fit(&runs).unwrap().errors);
        assert_eq!(text.lines().count(), 1 + Quantity::ALL.len(), "{text}");
        let clock = text.lines().find(|line| line.contains("log2_period_ns"));
        assert!(clock.unwrap().ends_with("0    none    none"), "{text}");
    }

    #[test]
    fn what_was_left_out_shows_the_error() {
        let mut runs = made_up_runs();
        runs[3].luts *= 2;
        let fitted = fit(&runs).unwrap();
        let luts = fitted.errors.iter().find(|e| e.quantity == "luts").unwrap();
        assert!(
            luts.fitted_most < 1e-3 && luts.held_out_most > 0.4,
            "{luts:?}"
        );
    }

    #[test]
    fn the_coefficients_in_the_repository_are_those_of_its_runs() {
        let runs = from_csv(RUNS).unwrap();
        let fitted = fit(&runs).unwrap();
        let text = to_toml(&fitted, runs.len()).unwrap();
        assert_eq!(
            CostModel::new(fitted.coefficients),
            CostModel::default(),
            "run the command that the file of coefficients names; it would write\n{text}"
        );
    }

    #[test]
    fn the_runs_are_enough_and_the_error_on_those_left_out_is_small() {
        let runs = from_csv(RUNS).unwrap();
        assert!(runs.len() >= 40, "{}", runs.len());
        let fitted = fit(&runs).unwrap();
        let luts = fitted.errors.iter().filter(|e| e.quantity == "luts");
        let left_out: usize = luts.clone().map(|e| e.held_out).sum();
        assert!(left_out >= 10, "{left_out}");
        for error in luts {
            assert!(error.held_out_most <= 0.10, "{error:?}");
        }
    }
}
