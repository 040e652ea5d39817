//! What needs no signal of its own: ports of children that connect to one of the block's signals, updates of registers.

use super::code::Code;
use super::Update;
use crate::verilog::ir::{Expr, ExprKind, Place, Stmt, SymId};
use crate::verilog::symbols::Kind;
use std::collections::{BTreeMap, BTreeSet};

/// What the ports of children connect to.
#[derive(Default)]
pub struct Ports {
    /// Signal of each port that does not have its own.
    pub connections: BTreeMap<SymId, Expr>,
    /// Comments of the statements that made the connections.
    pub comments: BTreeMap<SymId, Vec<String>>,
}

/// Where a signal of the block only takes a child's output, the output drives that signal.
pub fn forward_outputs(
    code: &mut Code,
    wires: &BTreeSet<SymId>,
    clocks: &mut [SymId],
    ports: &mut Ports,
) {
    // These must stay whole.
    let mut whole_only: BTreeSet<SymId> = clocks.iter().copied().collect();
    for line in &code.lines {
        indexed_symbols(&line.statement, &mut whole_only);
    }
    let mut gone = BTreeSet::new();
    for i in 0..code.lines.len() {
        let Stmt::Assign { value, .. } = &code.lines[i].statement else {
            continue;
        };
        let (ExprKind::Symbol(output), Some((target, lo, width))) =
            (&value.kind, code.plain_write(&code.lines[i]))
        else {
            continue;
        };
        let output = *output;
        let (from, to) = (&code.symbols.all[output], &code.symbols.all[target]);
        let (ty, to_width) = (from.ty, to.ty.width);
        let whole = width == to_width;
        let fits = wires.contains(&target)
            && from.kind == Kind::ChildOutput
            && matches!(to.kind, Kind::Output | Kind::Local)
            && ty.signed == to.ty.signed
            && (whole || (!ty.signed && !whole_only.contains(&output)))
            && !ports.connections.contains_key(&output);
        if !fits {
            continue;
        }
        let kind = match whole {
            true => ExprKind::Symbol(target),
            false => ExprKind::Select(target, lo),
        };
        ports.connections.insert(output, Expr::new(kind, ty));
        ports
            .comments
            .insert(output, std::mem::take(&mut code.lines[i].comments));
        gone.insert(i);
        for (k, line) in code.lines.iter_mut().enumerate() {
            if k != i {
                line.redirect(output, target, lo, to_width);
            }
        }
        for clock in clocks.iter_mut().filter(|clock| **clock == output) {
            *clock = target;
        }
    }
    code.remove(&gone);
}

/// Child inputs that take a plain signal connect to it in the instance.
pub fn connect_inputs(code: &mut Code, wires: &BTreeSet<SymId>, ports: &mut Ports) {
    let read = code.all_reads();
    let symbols = code.symbols;
    let mut gone = BTreeSet::new();
    for (i, line) in code.lines.iter_mut().enumerate() {
        let Stmt::Assign {
            target,
            place: Place::Whole,
            value,
        } = &line.statement
        else {
            continue;
        };
        let is_input = symbols.all[*target].kind == Kind::ChildInput;
        if is_input && wires.contains(target) && !read.contains(target) && is_plain(value) {
            ports.connections.insert(*target, value.clone());
            ports
                .comments
                .insert(*target, std::mem::take(&mut line.comments));
            gone.insert(i);
        }
    }
    code.remove(&gone);
}

/// The update of each register; an update that is one expression leaves the combinational code.
pub fn take_updates(code: &mut Code, wires: &BTreeSet<SymId>) -> Vec<Update> {
    let read = code.all_reads();
    let writers = code.writers();
    let mut gone = BTreeSet::new();
    let mut updates = vec![];
    for register in &code.symbols.registers {
        let mut update = Update {
            comments: vec![],
            value: None,
        };
        if let (true, false, Some([(i, _)])) = (
            wires.contains(&register.d),
            read.contains(&register.d),
            writers.get(&register.d).map(Vec::as_slice),
        ) {
            let line = &mut code.lines[*i];
            if let Stmt::Assign {
                place: Place::Whole,
                value,
                ..
            } = &line.statement
            {
                update.value = Some(value.clone());
                update.comments = std::mem::take(&mut line.comments);
                gone.insert(*i);
            }
        }
        updates.push(update);
    }
    code.remove(&gone);
    updates
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
