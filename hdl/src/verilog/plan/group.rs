//! Which signals are wires, and which statements share an `always` block.

use super::code::{is_intermediate, Code, Line};
use super::paths::check_paths;
use super::{Commented, Item, Result};
use crate::verilog::error::EmitError;
use crate::verilog::ir::{Expr, ExprKind, Place, Stmt, SymId};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Variables that `assign` can drive: each bit once, unconditionally, from settled values.
pub fn find_wires(code: &Code) -> Result<BTreeSet<SymId>> {
    let writers = code.writers();
    let mut wires = BTreeSet::new();
    for (symbol, lines) in &writers {
        let mut covered = vec![0u8; code.width(*symbol)];
        let mut settled = true;
        for (i, _) in lines {
            let line = &code.lines[*i];
            let Some((_, lo, width)) = code.plain_write(line) else {
                settled = false;
                break;
            };
            covered[lo..lo + width]
                .iter_mut()
                .for_each(|count| *count = count.saturating_add(1));
            // Bits made from other bits of the same word stay together: simulators take the word for one signal and
            // would see a loop.
            settled &= line.reads.iter().all(|(read, bits)| {
                !code.kind(*read).is_variable()
                    || (read != symbol && !is_intermediate(&writers, *i, *read, *bits))
            });
        }
        if !settled || covered.iter().any(|count| *count > 1) {
            continue;
        }
        if covered.contains(&0) {
            let (block, signal) = code.place(*symbol);
            return Err(EmitError::Undriven { block, signal });
        }
        wires.insert(*symbol);
    }
    Ok(wires)
}

/// The code as `assign`s and `always` blocks, in the order of the source.
pub fn items(code: &Code, wires: &BTreeSet<SymId>) -> Result<Vec<Item>> {
    let mut items = vec![];
    for lines in groups(code, wires) {
        let members: Vec<Commented> = lines.iter().map(|i| code.lines[*i].commented()).collect();
        let first = &code.lines[lines[0]];
        let assigns_wire = first
            .writes
            .iter()
            .all(|(symbol, _)| wires.contains(symbol));
        match members.as_slice() {
            [one] if assigns_wire => items.push(Item::Assign(one.clone())),
            _ => {
                check_paths(code, &lines)?;
                items.push(Item::Always(members));
            }
        }
    }
    Ok(join_bits(code, items))
}

/// The lines of each group: those that assign one variable, and those that read it in between.
fn groups(code: &Code, wires: &BTreeSet<SymId>) -> Vec<Vec<usize>> {
    let writers = code.writers();
    let mut groups = Groups::new(code.lines.len());
    for (i, line) in code.lines.iter().enumerate() {
        for (symbol, _) in line.writes.iter().filter(|(s, _)| !wires.contains(s)) {
            groups.join(writers[symbol][0].0, i);
        }
        for (symbol, bits) in line.reads.iter().filter(|(s, _)| !wires.contains(s)) {
            if is_intermediate(&writers, i, *symbol, *bits) {
                groups.join(writers[symbol][0].0, i);
            }
        }
    }
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for i in 0..code.lines.len() {
        members.entry(groups.root(i)).or_default().push(i);
    }
    // A group stands where its first statement does, the defaults of `dff_setup!` not counted.
    let holds: BTreeSet<(SymId, SymId)> = code
        .symbols
        .registers
        .iter()
        .map(|register| (register.d, register.q))
        .collect();
    let mut all: Vec<Vec<usize>> = members.into_values().collect();
    all.sort_by_key(|lines| {
        let first = lines.iter().find(|i| !is_default(&code.lines[**i], &holds));
        *first.unwrap_or(&lines[0])
    });
    all
}

/// Is this `x_next = x`, one of `holds`?
fn is_default(line: &Line, holds: &BTreeSet<(SymId, SymId)>) -> bool {
    match &line.statement {
        Stmt::Assign {
            target,
            place: Place::Whole,
            value,
        } => match value.kind {
            ExprKind::Symbol(source) => holds.contains(&(*target, source)),
            _ => false,
        },
        _ => false,
    }
}

/// The wire, the lowest bit and the value, if this item assigns some bits of a wire.
fn bits_assigned(item: &Item) -> Option<(SymId, usize, &Expr)> {
    let Item::Assign(one) = item else {
        return None;
    };
    match &one.statement {
        Stmt::Assign {
            target,
            place: Place::Bits { lo, .. },
            value,
        } => Some((*target, *lo, value)),
        _ => None,
    }
}

/// Makes one assignment of those that give a wire all its bits from plain signals, bit by bit.
fn join_bits(code: &Code, items: Vec<Item>) -> Vec<Item> {
    let mut parts: BTreeMap<SymId, Vec<(usize, Expr)>> = BTreeMap::new();
    for item in &items {
        if let Some((target, lo, value)) = bits_assigned(item) {
            parts.entry(target).or_default().push((lo, value.clone()));
        }
    }
    parts.retain(|target, parts| {
        let is_plain = |e: &Expr| {
            let kind = &e.kind;
            let plain = matches!(
                kind,
                ExprKind::Symbol(_) | ExprKind::Select(..) | ExprKind::Const(_)
            );
            plain && !e.ty.signed
        };
        let covered: usize = parts.iter().map(|(_, value)| value.ty.width).sum();
        covered == code.width(*target) && parts.iter().all(|(_, value)| is_plain(value))
    });
    let mut joined: Vec<Item> = vec![];
    let mut place_of: BTreeMap<SymId, usize> = BTreeMap::new();
    for item in items {
        let target = bits_assigned(&item).map(|(target, ..)| target);
        let (Some(target), Item::Assign(one)) = (target.filter(|t| parts.contains_key(t)), &item)
        else {
            joined.push(item);
            continue;
        };
        if let Some(Item::Assign(first)) = place_of.get(&target).map(|i| &mut joined[*i]) {
            first.comments.extend(one.comments.iter().cloned());
            continue;
        }
        let mut all = parts[&target].clone();
        all.sort_by_key(|(lo, _)| Reverse(*lo));
        let all = all.into_iter().map(|(_, value)| value).collect();
        let value = Expr::concat(all, |s| code.width(s));
        let statement = Stmt::Assign {
            target,
            place: Place::Whole,
            value,
        };
        place_of.insert(target, joined.len());
        joined.push(Item::Assign(Commented {
            comments: one.comments.clone(),
            statement,
        }));
    }
    joined
}

/// Disjoint sets of statements; the root of each is its first statement.
struct Groups(Vec<usize>);

impl Groups {
    fn new(count: usize) -> Groups {
        Groups((0..count).collect())
    }

    fn root(&mut self, i: usize) -> usize {
        let mut root = i;
        while self.0[root] != root {
            root = self.0[root];
        }
        self.0[i] = root;
        root
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}
