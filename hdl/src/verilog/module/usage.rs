//! What is read, and what nothing reads.

use crate::verilog::ir::SymId;
use crate::verilog::plan::{Item, Plan};
use crate::verilog::symbols::{Kind, Symbols};
use num_bigint::BigInt;
use std::collections::BTreeMap;

/// The bits of each symbol that something reads.
pub struct Usage(BTreeMap<SymId, Vec<bool>>);

impl Usage {
    pub fn of(symbols: &Symbols, plan: &Plan) -> Usage {
        let mut usage = Usage(BTreeMap::new());
        let mut mark = |s: SymId, bits: Option<(usize, usize)>| {
            let width = symbols.all[s].ty.width;
            let (lo, count) = bits.unwrap_or((0, width));
            let used = usage.0.entry(s).or_insert_with(|| vec![false; width]);
            used[lo..lo + count].fill(true);
        };
        for item in &plan.items {
            match item {
                Item::Assign { one, .. } => one.statement.reads(&mut mark),
                Item::Edge {
                    clock, statements, ..
                } => {
                    mark(*clock, None);
                    for one in statements {
                        one.statement.reads(&mut mark);
                    }
                }
            }
        }
        for (port, signal) in &plan.connections {
            if symbols.all[*port].kind != Kind::ChildOutput {
                signal.reads(&mut mark);
            }
        }
        for register in &symbols.registers {
            if let Some(variant) = initial_variant(symbols, register.q, &register.initial) {
                mark(variant, None);
            }
        }
        usage
    }

    pub fn any(&self, symbol: SymId) -> bool {
        self.0.contains_key(&symbol)
    }

    /// Runs of bits that nothing reads, highest first.
    pub fn unread(&self, symbol: SymId, width: usize) -> Vec<(usize, usize)> {
        let mut runs: Vec<(usize, usize)> = vec![];
        for bit in (0..width).rev() {
            if self.0.get(&symbol).is_some_and(|used| used[bit]) {
                continue;
            }
            match runs.last_mut() {
                Some((lo, count)) if *lo == bit + 1 => (*lo, *count) = (bit, *count + 1),
                _ => runs.push((bit, 1)),
            }
        }
        runs
    }
}

/// The enum variant that is the initial value of a register.
pub fn initial_variant(symbols: &Symbols, register: SymId, initial: &BigInt) -> Option<SymId> {
    let descriptor = symbols.all[register].descriptor.as_ref()?;
    let variants = symbols.enums.get(&descriptor.name)?;
    let code = usize::try_from(initial).ok()?;
    variants.get(code).copied()
}
