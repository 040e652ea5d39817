//! Decides how a block's code is to be written: which signals are wires and which need an `always` block, which
//! child inputs connect directly, and that every signal is driven on every path.
//!
//! rust-hdl runs the code from top to bottom and repeats until nothing changes, so a signal that is read before its
//! first or after its last assignment has its settled value, as in Verilog; in between it has the value at that point,
//! and reader and writers must share one `always` block.

use super::error::EmitError;
use super::ir::{Expr, ExprKind, Place, Stmt, SymId};
use super::lower::Lowered;
use super::symbols::{Kind, Symbols};
use std::collections::{BTreeMap, BTreeSet};

type Result<T> = std::result::Result<T, EmitError>;

/// Bits of a symbol; `None` for all.
type Bits = Option<(usize, usize)>;

/// A top-level statement with the comments before it.
#[derive(Clone, Debug)]
pub struct Commented {
    pub comments: Vec<String>,
    pub statement: Stmt,
}

/// A part of the module's behaviour, in the order of the source.
pub enum Item {
    /// One `assign`.
    Assign(Commented),
    /// One `always @(*)`.
    Always(Vec<Commented>),
}

/// What a register takes at the clock edge.
pub struct Update {
    pub comments: Vec<String>,
    /// `None`: its `_next` signal.
    pub value: Option<Expr>,
}

pub struct Plan {
    pub items: Vec<Item>,
    /// Clock of each register.
    pub clocks: Vec<SymId>,
    /// Update of each register.
    pub updates: Vec<Update>,
    /// What child ports connect to, where that is not their own signal.
    pub connections: BTreeMap<SymId, Expr>,
    /// Comments above the instance that has the port.
    pub port_comments: BTreeMap<SymId, Vec<String>>,
    /// Variables that are wires, not registers.
    pub wires: BTreeSet<SymId>,
    /// Comments after the last statement.
    pub closing: Vec<String>,
}

/// Plans the code of the block with these `symbols`.
pub fn plan(symbols: &Symbols, code: Lowered) -> Result<Plan> {
    let mut planner = Planner {
        symbols,
        statements: vec![],
        carried: vec![],
    };
    planner.gather(code.statements);
    planner.check_targets()?;
    let clocks = planner.take_clocks()?;
    planner.remove_overwritten();
    planner.check_driven()?;
    let wires = planner.find_wires()?;
    let mut connections = BTreeMap::new();
    let mut port_comments = BTreeMap::new();
    planner.forward_outputs(&wires, &mut connections, &mut port_comments);
    planner.connect_inputs(&wires, &mut connections, &mut port_comments);
    for (child, own) in code.joined {
        let ty = symbols.all[own].ty;
        connections.insert(child, Expr::new(ExprKind::Symbol(own), ty));
    }
    let updates = planner.take_updates(&wires);
    let items = planner.group(&wires)?;
    let items = planner.join_bits(items);
    let closing = planner.carried;
    Ok(Plan {
        items,
        clocks,
        updates,
        connections,
        port_comments,
        wires,
        closing,
    })
}

struct Planner<'s, 'a> {
    symbols: &'s Symbols<'a>,
    statements: Vec<Commented>,
    /// Comments that have no statement to stand before.
    carried: Vec<String>,
}

/// Do the two sets of bits of one symbol meet?
fn meet(a: Bits, b: Bits) -> bool {
    match (a, b) {
        (Some((a, wa)), Some((b, wb))) => a < b + wb && b < a + wa,
        _ => true,
    }
}

fn writes(statement: &Stmt) -> Vec<(SymId, Bits)> {
    let mut all = vec![];
    statement.writes(&mut |s, bits| all.push((s, bits)));
    all
}

fn reads(statement: &Stmt) -> Vec<(SymId, Bits)> {
    let mut all = vec![];
    statement.reads(&mut |s, bits| all.push((s, bits)));
    all
}

/// The bits that a plain assignment writes, if they are known.
fn plain_write(
    statement: &Stmt,
    width_of: impl Fn(SymId) -> usize,
) -> Option<(SymId, usize, usize)> {
    match statement {
        Stmt::Assign {
            target,
            place: Place::Whole,
            ..
        } => Some((*target, 0, width_of(*target))),
        Stmt::Assign {
            target,
            place: Place::Bits { lo, width },
            ..
        } => Some((*target, *lo, *width)),
        _ => None,
    }
}

impl Planner<'_, '_> {
    fn width(&self, symbol: SymId) -> usize {
        self.symbols.all[symbol].ty.width
    }

    fn is_variable(&self, symbol: SymId) -> bool {
        self.symbols.all[symbol].kind.is_variable()
    }

    /// Path of the block and name of a symbol, for errors.
    fn place(&self, symbol: SymId) -> (String, String) {
        let key = self.symbols.all[symbol].key.replace('$', ".");
        (self.symbols.path.clone(), key)
    }

    fn plain(&self, statement: &Stmt) -> Option<(SymId, usize, usize)> {
        plain_write(statement, |s| self.width(s))
    }

    /// Joins comments to the statements after them, and gives temporaries of branches a value on the other paths.
    fn gather(&mut self, statements: Vec<Stmt>) {
        let mut comments = vec![];
        for statement in statements {
            if let Stmt::Comment(text) = statement {
                comments.push(text);
                continue;
            }
            let mut inner = BTreeSet::new();
            for stmt in statement.bodies().into_iter().flatten() {
                stmt.writes(&mut |s, _| {
                    inner.insert(s);
                });
            }
            inner.retain(|s| matches!(self.symbols.all[*s].kind, Kind::Temporary { .. }));
            for target in inner {
                let value = Expr::constant(0, self.symbols.all[target].ty);
                let statement = Stmt::Assign {
                    target,
                    place: Place::Whole,
                    value,
                };
                let comments = std::mem::take(&mut comments);
                self.statements.push(Commented {
                    comments,
                    statement,
                });
            }
            let comments = std::mem::take(&mut comments);
            self.statements.push(Commented {
                comments,
                statement,
            });
        }
        self.carried = comments;
    }

    fn check_targets(&self) -> Result<()> {
        for item in &self.statements {
            for (symbol, _) in writes(&item.statement) {
                if !self.is_variable(symbol) {
                    let (block, signal) = self.place(symbol);
                    return Err(EmitError::DrivenTwice { block, signal });
                }
            }
        }
        Ok(())
    }

    /// Removes the statements of these indices; their comments go to the next statement.
    fn remove(&mut self, gone: &BTreeSet<usize>) {
        let mut comments = vec![];
        let mut kept = vec![];
        for (i, mut item) in std::mem::take(&mut self.statements).into_iter().enumerate() {
            if gone.contains(&i) {
                comments.append(&mut item.comments);
            } else {
                comments.append(&mut item.comments);
                item.comments = std::mem::take(&mut comments);
                kept.push(item);
            }
        }
        self.statements = kept;
        comments.append(&mut self.carried);
        self.carried = comments;
    }

    /// The clock of each register; its copies leave the code.
    fn take_clocks(&mut self) -> Result<Vec<SymId>> {
        let mut gone = BTreeSet::new();
        let mut clocks = vec![];
        for register in &self.symbols.registers {
            let mut found = vec![];
            for (i, item) in self.statements.iter().enumerate() {
                if writes(&item.statement)
                    .iter()
                    .any(|(s, _)| *s == register.clock)
                {
                    found.push(i);
                }
            }
            let (block, name) = self.place(register.q);
            let error = || EmitError::Clock {
                block,
                register: name,
            };
            let first = found.first().ok_or_else(error.clone())?;
            let Stmt::Assign { value, .. } = &self.statements[*first].statement else {
                return Err(error());
            };
            let ExprKind::Symbol(clock) = value.kind else {
                return Err(error());
            };
            // A clock may be named twice, by `dff_setup!` and by hand, if it is the same.
            let same = |i: &usize| match &self.statements[*i].statement {
                Stmt::Assign { value, .. } => value.kind == ExprKind::Symbol(clock),
                _ => false,
            };
            if !found.iter().all(same) {
                return Err(error());
            }
            gone.extend(found);
            clocks.push(clock);
        }
        self.remove(&gone);
        Ok(clocks)
    }

    /// Removes assignments that another one overwrites before anything reads them, like the defaults of `dff_setup!`.
    fn remove_overwritten(&mut self) {
        let mut gone = BTreeSet::new();
        for (i, item) in self.statements.iter().enumerate() {
            let Some((symbol, lo, width)) = self.plain(&item.statement) else {
                continue;
            };
            let mut left: BTreeSet<usize> = (lo..lo + width).collect();
            for later in &self.statements[i + 1..] {
                let read = reads(&later.statement).into_iter().any(|(s, bits)| {
                    s == symbol && left.iter().any(|bit| meet(bits, Some((*bit, 1))))
                });
                if read {
                    break;
                }
                if let Some((other, lo, width)) = self.plain(&later.statement) {
                    if other == symbol {
                        left.retain(|bit| !(lo..lo + width).contains(bit));
                    }
                }
                if left.is_empty() {
                    gone.insert(i);
                    break;
                }
            }
        }
        self.remove(&gone);
    }

    fn check_driven(&self) -> Result<()> {
        let mut written = BTreeSet::new();
        let mut read = BTreeSet::new();
        for item in &self.statements {
            item.statement.writes(&mut |s, _| {
                written.insert(s);
            });
            item.statement.reads(&mut |s, _| {
                read.insert(s);
            });
        }
        for (id, symbol) in self.symbols.all.iter().enumerate() {
            let needed = match symbol.kind {
                Kind::Output | Kind::RegisterNext | Kind::ChildInput => true,
                Kind::Local => read.contains(&id),
                _ => false,
            };
            if needed && !written.contains(&id) {
                let (block, signal) = self.place(id);
                return Err(match symbol.kind {
                    Kind::ChildInput => EmitError::Unconnected { block, signal },
                    _ => EmitError::Undriven { block, signal },
                });
            }
        }
        Ok(())
    }

    /// Indices of the statements that write any of these bits.
    fn writers(&self, table: &Writers, symbol: SymId, bits: Bits) -> Vec<usize> {
        let all = table.get(&symbol).map_or(&[][..], Vec::as_slice);
        all.iter()
            .filter(|(_, b)| meet(*b, bits))
            .map(|(i, _)| *i)
            .collect()
    }

    /// Does statement `at` read these bits between two assignments to them, or in the statement that assigns them?
    fn is_intermediate(&self, table: &Writers, at: usize, symbol: SymId, bits: Bits) -> bool {
        let writers = self.writers(table, symbol, bits);
        writers.contains(&at)
            || (writers.iter().any(|i| *i < at) && writers.iter().any(|i| *i > at))
    }

    fn writer_table(&self) -> Writers {
        let mut table = Writers::new();
        for (i, item) in self.statements.iter().enumerate() {
            item.statement
                .writes(&mut |s, bits| table.entry(s).or_default().push((i, bits)));
        }
        table
    }

    /// Variables that `assign` can drive: each bit once, unconditionally, from settled values.
    fn find_wires(&self) -> Result<BTreeSet<SymId>> {
        let table = self.writer_table();
        let mut wires = BTreeSet::new();
        for (symbol, all) in &table {
            let mut covered = vec![0u8; self.width(*symbol)];
            let mut settled = true;
            for (i, _) in all {
                let statement = &self.statements[*i].statement;
                let Some((_, lo, width)) = self.plain(statement) else {
                    settled = false;
                    break;
                };
                covered[lo..lo + width]
                    .iter_mut()
                    .for_each(|c| *c = c.saturating_add(1));
                // Bits made from other bits of the same word stay together: simulators take the word for one signal
                // and would see a loop.
                settled &= reads(statement).into_iter().all(|(s, bits)| {
                    let intermediate = || self.is_intermediate(&table, *i, s, bits);
                    !self.is_variable(s) || (s != *symbol && !intermediate())
                });
            }
            if !settled || covered.iter().any(|c| *c > 1) {
                continue;
            }
            if covered.contains(&0) {
                let (block, signal) = self.place(*symbol);
                return Err(EmitError::Undriven { block, signal });
            }
            wires.insert(*symbol);
        }
        Ok(wires)
    }

    /// Where a signal of the block only takes a child's output, the output drives that signal.
    fn forward_outputs(
        &mut self,
        wires: &BTreeSet<SymId>,
        connections: &mut BTreeMap<SymId, Expr>,
        comments: &mut BTreeMap<SymId, Vec<String>>,
    ) {
        let mut indexed = BTreeSet::new();
        for item in &self.statements {
            indexed_symbols(&item.statement, &mut indexed);
        }
        let mut gone = BTreeSet::new();
        for i in 0..self.statements.len() {
            let Stmt::Assign { target, value, .. } = &self.statements[i].statement else {
                continue;
            };
            let ExprKind::Symbol(output) = value.kind else {
                continue;
            };
            let Some((target, lo, width)) = self
                .plain(&self.statements[i].statement)
                .filter(|_| wires.contains(target))
            else {
                continue;
            };
            let (from, to) = (&self.symbols.all[output], &self.symbols.all[target]);
            let whole = width == to.ty.width;
            let fits = from.kind == Kind::ChildOutput
                && matches!(to.kind, Kind::Output | Kind::Local)
                && from.ty.signed == to.ty.signed
                && (whole || (!from.ty.signed && !indexed.contains(&output)))
                && !connections.contains_key(&output);
            if !fits {
                continue;
            }
            let to_width = to.ty.width;
            let kind = if whole {
                ExprKind::Symbol(target)
            } else {
                ExprKind::Select(target, lo)
            };
            connections.insert(output, Expr::new(kind, from.ty));
            comments.insert(output, std::mem::take(&mut self.statements[i].comments));
            gone.insert(i);
            for (k, item) in self.statements.iter_mut().enumerate() {
                if k != i {
                    item.statement.redirect(output, target, lo, to_width);
                }
            }
        }
        self.remove(&gone);
    }

    /// Child inputs that take a plain signal connect to it in the instance.
    fn connect_inputs(
        &mut self,
        wires: &BTreeSet<SymId>,
        connections: &mut BTreeMap<SymId, Expr>,
        comments: &mut BTreeMap<SymId, Vec<String>>,
    ) {
        let read = self.all_reads();
        let mut gone = BTreeSet::new();
        for (i, item) in self.statements.iter_mut().enumerate() {
            let Stmt::Assign {
                target,
                place: Place::Whole,
                value,
            } = &item.statement
            else {
                continue;
            };
            let is_input = self.symbols.all[*target].kind == Kind::ChildInput;
            if is_input && wires.contains(target) && !read.contains(target) && is_plain(value) {
                connections.insert(*target, value.clone());
                comments.insert(*target, std::mem::take(&mut item.comments));
                gone.insert(i);
            }
        }
        self.remove(&gone);
    }

    fn all_reads(&self) -> BTreeSet<SymId> {
        let mut read = BTreeSet::new();
        for item in &self.statements {
            item.statement.reads(&mut |s, _| {
                read.insert(s);
            });
        }
        read
    }

    /// The update of each register; an update that is one expression leaves the combinational code.
    fn take_updates(&mut self, wires: &BTreeSet<SymId>) -> Vec<Update> {
        let read = self.all_reads();
        let mut gone = BTreeSet::new();
        let mut updates = vec![];
        for register in &self.symbols.registers {
            let mut update = Update {
                comments: vec![],
                value: None,
            };
            if wires.contains(&register.d) && !read.contains(&register.d) {
                for (i, item) in self.statements.iter_mut().enumerate() {
                    match &item.statement {
                        Stmt::Assign {
                            target,
                            place: Place::Whole,
                            value,
                        } if *target == register.d => {
                            update.value = Some(value.clone());
                            update.comments = std::mem::take(&mut item.comments);
                            gone.insert(i);
                        }
                        _ => {}
                    }
                }
            }
            updates.push(update);
        }
        self.remove(&gone);
        updates
    }

    /// Groups the statements that must share an `always` block, and checks each group.
    fn group(&mut self, wires: &BTreeSet<SymId>) -> Result<Vec<Item>> {
        let table = self.writer_table();
        let count = self.statements.len();
        let mut groups = Groups::new(count);
        for (i, item) in self.statements.iter().enumerate() {
            for (symbol, _) in writes(&item.statement) {
                if !wires.contains(&symbol) {
                    let first = table[&symbol][0].0;
                    groups.join(first, i);
                }
            }
            for (symbol, bits) in reads(&item.statement) {
                if !wires.contains(&symbol) && self.is_intermediate(&table, i, symbol, bits) {
                    groups.join(table[&symbol][0].0, i);
                }
            }
        }
        let mut members_of: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for i in 0..count {
            members_of.entry(groups.root(i)).or_default().push(i);
        }
        // A group stands where its first statement does, the defaults of `dff_setup!` not counted.
        let mut ordered: Vec<(usize, Vec<usize>)> = members_of
            .into_values()
            .map(|all| {
                let first = all
                    .iter()
                    .find(|i| !self.holds_register(&self.statements[**i].statement));
                (*first.unwrap_or(&all[0]), all)
            })
            .collect();
        ordered.sort();
        let mut items = vec![];
        for (_, all) in ordered {
            let members: Vec<Commented> = all.iter().map(|i| self.statements[*i].clone()).collect();
            let assigns_wire = matches!(
                &members[0].statement,
                Stmt::Assign { target, .. } if wires.contains(target)
            );
            match members.as_slice() {
                [one] if assigns_wire => items.push(Item::Assign(one.clone())),
                _ => {
                    self.check_paths(&members)?;
                    items.push(Item::Always(members));
                }
            }
        }
        Ok(items)
    }

    /// Makes one assignment of those that give a wire all its bits from plain signals, bit by bit.
    fn join_bits(&self, items: Vec<Item>) -> Vec<Item> {
        let mut bits: BTreeMap<SymId, Vec<(usize, Expr)>> = BTreeMap::new();
        let mut refused = BTreeSet::new();
        for item in &items {
            let Item::Assign(Commented {
                comments,
                statement,
            }) = item
            else {
                continue;
            };
            if let Stmt::Assign {
                target,
                place: Place::Bits { lo, .. },
                value,
            } = statement
            {
                let parts = bits.entry(*target).or_default();
                let in_concat = matches!(
                    value.kind,
                    ExprKind::Symbol(_) | ExprKind::Select(..) | ExprKind::Const(_)
                );
                if !in_concat || value.ty.signed || !(comments.is_empty() || parts.is_empty()) {
                    refused.insert(*target);
                }
                parts.push((*lo, value.clone()));
            }
        }
        bits.retain(|target, parts| {
            let covered: usize = parts.iter().map(|(_, value)| value.ty.width).sum();
            !refused.contains(target) && covered == self.width(*target)
        });
        let mut joined = BTreeSet::new();
        let mut kept = vec![];
        for item in items {
            let target = match &item {
                Item::Assign(Commented {
                    statement: Stmt::Assign { target, .. },
                    ..
                }) => *target,
                _ => {
                    kept.push(item);
                    continue;
                }
            };
            let (Some(parts), Item::Assign(first)) = (bits.get_mut(&target), &item) else {
                kept.push(item);
                continue;
            };
            if joined.insert(target) {
                parts.sort_by_key(|(lo, _)| std::cmp::Reverse(*lo));
                let parts = parts.iter().map(|(_, value)| value.clone()).collect();
                let value = Expr::concat(parts, |s| self.width(s));
                let statement = Stmt::Assign {
                    target,
                    place: Place::Whole,
                    value,
                };
                let comments = first.comments.clone();
                kept.push(Item::Assign(Commented {
                    comments,
                    statement,
                }));
            }
        }
        kept
    }

    /// Is this `x_next = x`?
    fn holds_register(&self, statement: &Stmt) -> bool {
        let Stmt::Assign {
            target,
            place: Place::Whole,
            value,
        } = statement
        else {
            return false;
        };
        let mut registers = self.symbols.registers.iter();
        registers.any(|r| r.d == *target && value.kind == ExprKind::Symbol(r.q))
    }

    /// Every variable of an `always` block is assigned on every path, and before it is read.
    fn check_paths(&self, members: &[Commented]) -> Result<()> {
        let mut assigned = Assigned::new();
        let mut anywhere = BTreeMap::new();
        for item in members {
            item.statement.writes(&mut |s, bits| {
                let width = self.width(s);
                assigned.entry(s).or_insert_with(|| vec![false; width]);
                let (lo, count) = bits.unwrap_or((0, width));
                let all = anywhere.entry(s).or_insert_with(|| vec![false; width]);
                all[lo..lo + count].fill(true);
            });
        }
        for item in members {
            self.follow(&item.statement, &mut assigned)?;
        }
        for (symbol, bits) in &assigned {
            if bits.contains(&false) {
                let (block, signal) = self.place(*symbol);
                return Err(if anywhere[symbol].contains(&false) {
                    EmitError::Undriven { block, signal }
                } else {
                    EmitError::Latch { block, signal }
                });
            }
        }
        Ok(())
    }

    fn follow(&self, statement: &Stmt, assigned: &mut Assigned) -> Result<()> {
        for expr in statement.exprs() {
            self.check_read(expr, assigned)?;
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
                        self.follow(inner, &mut branch)?;
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

    fn check_read(&self, expr: &Expr, assigned: &Assigned) -> Result<()> {
        let mut early = None;
        expr.reads(&mut |s, bits| {
            if let Some(done) = assigned.get(&s) {
                let (lo, width) = bits.unwrap_or((0, done.len()));
                if done[lo..lo + width].contains(&false) {
                    early.get_or_insert(s);
                }
            }
        });
        match early {
            None => Ok(()),
            Some(symbol) => {
                let (block, signal) = self.place(symbol);
                Err(EmitError::ReadBeforeAssigned { block, signal })
            }
        }
    }
}

type Writers = BTreeMap<SymId, Vec<(usize, Bits)>>;

type Assigned = BTreeMap<SymId, Vec<bool>>;

fn intersection(mut a: Assigned, b: &Assigned) -> Assigned {
    for (symbol, bits) in &mut a {
        for (mine, other) in bits.iter_mut().zip(&b[symbol]) {
            *mine &= other;
        }
    }
    a
}

/// Symbols of which a part at a computed offset is taken.
fn indexed_symbols(statement: &Stmt, found: &mut BTreeSet<SymId>) {
    fn visit(expr: &Expr, found: &mut BTreeSet<SymId>) {
        if let ExprKind::SelectAt(symbol, _) = expr.kind {
            found.insert(symbol);
        }
        expr.parts().into_iter().for_each(|part| visit(part, found));
    }
    statement.exprs().into_iter().for_each(|e| visit(e, found));
    for inner in statement.bodies().into_iter().flatten() {
        indexed_symbols(inner, found);
    }
}

/// Simple enough to stand in a port list.
fn is_plain(value: &Expr) -> bool {
    match &value.kind {
        ExprKind::Symbol(_) | ExprKind::Const(_) | ExprKind::Select(..) => true,
        ExprKind::Concat(parts) => parts.len() <= 4 && parts.iter().all(is_plain),
        _ => false,
    }
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
