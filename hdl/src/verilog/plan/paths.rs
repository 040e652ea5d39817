//! The paths through an `always` block: each variable is assigned on all of them, and before it is read.

use super::code::Code;
use super::Result;
use crate::verilog::error::EmitError;
use crate::verilog::ir::{Expr, Place, Stmt, SymId};
use std::collections::BTreeMap;

/// The bits of each variable that are assigned so far.
type Assigned = BTreeMap<SymId, Vec<bool>>;

/// Checks the block that consists of these lines.
pub fn check_paths(code: &Code, lines: &[usize]) -> Result<()> {
    let mut assigned = Assigned::new();
    let mut anywhere = Assigned::new();
    for (symbol, bits) in lines.iter().flat_map(|i| &code.lines[*i].writes) {
        let width = code.width(*symbol);
        let (lo, count) = bits.unwrap_or((0, width));
        assigned
            .entry(*symbol)
            .or_insert_with(|| vec![false; width]);
        let somewhere = anywhere
            .entry(*symbol)
            .or_insert_with(|| vec![false; width]);
        somewhere[lo..lo + count].fill(true);
    }
    for i in lines {
        follow(code, &code.lines[*i].statement, &mut assigned)?;
    }
    match assigned.iter().find(|(_, bits)| bits.contains(&false)) {
        None => Ok(()),
        Some((symbol, _)) => {
            let (block, signal) = code.place(*symbol);
            Err(match anywhere[symbol].contains(&false) {
                true => EmitError::Undriven { block, signal },
                false => EmitError::Latch { block, signal },
            })
        }
    }
}

fn follow(code: &Code, statement: &Stmt, assigned: &mut Assigned) -> Result<()> {
    for expr in statement.exprs() {
        check_read(code, expr, assigned)?;
    }
    match statement {
        Stmt::Assign { target, place, .. } => {
            if let Some(bits) = assigned.get_mut(target) {
                match place {
                    Place::Whole => bits.fill(true),
                    Place::Bits { lo, width } => bits[*lo..lo + width].fill(true),
                    Place::At { .. } => {}
                }
            }
        }
        Stmt::Comment(_) => {}
        Stmt::If { .. } | Stmt::Case { .. } => {
            let mut after: Option<Assigned> = None;
            for body in statement.bodies() {
                let mut branch = assigned.clone();
                for inner in body {
                    follow(code, inner, &mut branch)?;
                }
                after = Some(match after {
                    None => branch,
                    Some(before) => intersection(before, &branch),
                });
            }
            if let Some(after) = after {
                *assigned = after;
            }
        }
    }
    Ok(())
}

fn check_read(code: &Code, expr: &Expr, assigned: &Assigned) -> Result<()> {
    let mut early = None;
    expr.reads(&mut |symbol, bits| {
        if let Some(done) = assigned.get(&symbol) {
            let (lo, width) = bits.unwrap_or((0, done.len()));
            if done[lo..lo + width].contains(&false) {
                early.get_or_insert(symbol);
            }
        }
    });
    match early {
        None => Ok(()),
        Some(symbol) => {
            let (block, signal) = code.place(symbol);
            Err(EmitError::ReadBeforeAssigned { block, signal })
        }
    }
}

fn intersection(mut a: Assigned, b: &Assigned) -> Assigned {
    for (symbol, bits) in &mut a {
        for (mine, other) in bits.iter_mut().zip(&b[symbol]) {
            *mine &= other;
        }
    }
    a
}
