//! The order of the text: section by section, as the comments of the source part it; in each first what is
//! combinational, then what registers take.

use super::code::Code;
use super::{Commented, Item};
use crate::verilog::ir::{Expr, ExprKind, Place, Stmt, SymId};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// The code as `assign`s and `always` blocks.
pub fn items(code: &Code) -> Vec<Item> {
    // Lines from one comment to the next are a section.
    let mut section = 0;
    let sections: Vec<usize> = (code.lines.iter())
        .map(|line| {
            section += usize::from(!line.comments.is_empty());
            section
        })
        .collect();
    let blocks = blocks(code, &sections);
    let mut items = vec![];
    for own in 0..=section {
        let lines = || (0..code.lines.len()).filter(|i| sections[*i] == own);
        let is_whole = |block: &Vec<usize>| block.iter().all(|i| sections[*i] == own);
        let own_blocks = blocks
            .iter()
            .filter(|lines| sections[lines[lines.len() - 1]] == own);
        let edge = |block: &Vec<usize>| {
            // A comment stands above the block if it is of all of the block, else before its statement.
            let mut comments = vec![];
            let mut statements = vec![];
            for i in block {
                let line = &code.lines[*i];
                let mut one = line.commented();
                if is_whole(block) {
                    comments.append(&mut one.comments);
                }
                statements.push(one);
            }
            Item::Edge {
                clock: code.lines[block[0]].clock.expect("it is clocked"),
                comments,
                statements,
            }
        };
        // What the comment is about comes first.
        let (first, later): (Vec<_>, Vec<_>) =
            own_blocks.partition(|block| lines().next() == Some(block[0]));
        items.extend(first.into_iter().map(edge));
        let mut apart = true;
        for i in lines().filter(|i| code.lines[*i].clock.is_none()) {
            let one = code.lines[i].commented();
            items.push(Item::Assign { one, apart });
            apart = false;
        }
        items.extend(later.into_iter().map(edge));
    }
    join_bits(code, items)
}

/// The lines of each `always` block: those of one section and clock, and those that assign the same register.
fn blocks(code: &Code, sections: &[usize]) -> Vec<Vec<usize>> {
    let mut groups = Groups::new(code.lines.len());
    let mut last_of: BTreeMap<(SymId, usize), usize> = BTreeMap::new();
    let mut writer_of: BTreeMap<SymId, usize> = BTreeMap::new();
    for (i, line) in code.lines.iter().enumerate() {
        let Some(clock) = line.clock else { continue };
        let before = last_of.insert((clock, sections[i]), i);
        before.into_iter().for_each(|before| groups.join(before, i));
        for (register, _) in &line.writes {
            let before = writer_of.insert(*register, i);
            before.into_iter().for_each(|before| groups.join(before, i));
        }
    }
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for i in (0..code.lines.len()).filter(|i| code.lines[*i].clock.is_some()) {
        members.entry(groups.root(i)).or_default().push(i);
    }
    members.into_values().collect()
}

/// The wire, the lowest bit and the value, if this item assigns some bits of a wire.
fn bits_assigned(item: &Item) -> Option<(SymId, usize, &Expr)> {
    let Item::Assign { one, .. } = item else {
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
        let (Some(target), Item::Assign { one, apart }) =
            (target.filter(|t| parts.contains_key(t)), &item)
        else {
            joined.push(item);
            continue;
        };
        if let Some(Item::Assign { one: first, .. }) =
            place_of.get(&target).map(|i| &mut joined[*i])
        {
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
        joined.push(Item::Assign {
            one: Commented {
                comments: one.comments.clone(),
                statement,
            },
            apart: *apart,
        });
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
