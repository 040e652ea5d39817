//! What leaves the code before it is planned: copies of clocks, assignments without effect. And what is wrong with it
//! at first sight.

use super::code::{meet, Bits, Code};
use super::Result;
use crate::verilog::error::EmitError;
use crate::verilog::ir::{ExprKind, Stmt, SymId};
use crate::verilog::symbols::Kind;
use std::collections::{BTreeMap, BTreeSet};

/// Only what nothing else drives is assigned.
pub fn check_targets(code: &Code) -> Result<()> {
    let written = code.lines.iter().flat_map(|line| &line.writes);
    match written
        .map(|(symbol, _)| *symbol)
        .find(|s| !code.kind(*s).is_variable())
    {
        None => Ok(()),
        Some(symbol) => {
            let (block, signal) = code.place(symbol);
            Err(EmitError::DrivenTwice { block, signal })
        }
    }
}

/// The clock of each register; its copies leave the code.
pub fn take_clocks(code: &mut Code) -> Result<Vec<SymId>> {
    let writers = code.writers();
    let mut gone = BTreeSet::new();
    let mut clocks = vec![];
    for register in &code.symbols.registers {
        let source = |line: usize| match &code.lines[line].statement {
            Stmt::Assign { value, .. } => match value.kind {
                ExprKind::Symbol(clock) => Some(clock),
                _ => None,
            },
            _ => None,
        };
        let lines = writers.get(&register.clock).map_or(&[][..], Vec::as_slice);
        let first = lines.first().and_then(|(line, _)| source(*line));
        // `dff_setup!` and the code may both name the clock, if it is the same.
        let Some(clock) = first.filter(|c| lines.iter().all(|(l, _)| source(*l) == Some(*c)))
        else {
            let (block, register) = code.place(register.q);
            return Err(EmitError::Clock { block, register });
        };
        gone.extend(lines.iter().map(|(line, _)| *line));
        clocks.push(clock);
    }
    code.remove(&gone);
    Ok(clocks)
}

/// What a line does with some bits of a symbol.
enum Use {
    Read(Bits),
    /// Assigns them whatever happens.
    Overwrite(usize, usize),
}

/// Removes assignments that another one overwrites before anything reads them, like the defaults of `dff_setup!`.
pub fn remove_overwritten(code: &mut Code) {
    let mut uses: BTreeMap<SymId, Vec<(usize, Use)>> = BTreeMap::new();
    for (i, line) in code.lines.iter().enumerate() {
        for (symbol, bits) in &line.reads {
            uses.entry(*symbol).or_default().push((i, Use::Read(*bits)));
        }
        if let Some((symbol, lo, width)) = code.plain_write(line) {
            uses.entry(symbol)
                .or_default()
                .push((i, Use::Overwrite(lo, width)));
        }
    }
    let has_no_effect = |i: usize| {
        let Some((symbol, lo, width)) = code.plain_write(&code.lines[i]) else {
            return false;
        };
        let mut left: BTreeSet<usize> = (lo..lo + width).collect();
        for (_, later) in uses[&symbol].iter().filter(|(line, _)| *line > i) {
            match later {
                Use::Read(bits) if left.iter().any(|bit| meet(*bits, Some((*bit, 1)))) => {
                    return false;
                }
                Use::Read(_) => {}
                Use::Overwrite(lo, width) => left.retain(|bit| !(*lo..lo + width).contains(bit)),
            }
            if left.is_empty() {
                return true;
            }
        }
        false
    };
    let gone = (0..code.lines.len())
        .filter(|i| has_no_effect(*i))
        .collect();
    code.remove(&gone);
}

/// What leaves the block, goes to a child, or is read has some assignment.
pub fn check_driven(code: &Code) -> Result<()> {
    let written: BTreeSet<SymId> = code
        .lines
        .iter()
        .flat_map(|line| &line.writes)
        .map(|(symbol, _)| *symbol)
        .collect();
    let read = code.all_reads();
    for (id, symbol) in code.symbols.all.iter().enumerate() {
        let needed = match symbol.kind {
            Kind::Output | Kind::RegisterNext | Kind::ChildInput => true,
            Kind::Local => read.contains(&id),
            _ => false,
        };
        if needed && !written.contains(&id) {
            let (block, signal) = code.place(id);
            return Err(match symbol.kind {
                Kind::ChildInput => EmitError::Unconnected { block, signal },
                _ => EmitError::Undriven { block, signal },
            });
        }
    }
    Ok(())
}
