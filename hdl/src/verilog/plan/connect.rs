//! What needs no signal of its own: ports of children that connect to one of the block's signals.

use super::code::Code;
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
pub fn forward_outputs(code: &mut Code, ports: &mut Ports) {
    // These must stay whole.
    let mut whole_only: BTreeSet<SymId> = code.lines.iter().filter_map(|l| l.clock).collect();
    for line in &code.lines {
        indexed_symbols(&line.statement, &mut whole_only);
    }
    let mut gone = BTreeMap::new();
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
        let fits = from.kind == Kind::ChildOutput
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
        gone.insert(i, output);
        for (k, line) in code.lines.iter_mut().enumerate() {
            if k != i {
                line.redirect(output, target, lo, to_width);
            }
        }
        for line in code.lines.iter_mut().filter(|l| l.clock == Some(output)) {
            line.clock = Some(target);
        }
    }
    remove(code, &gone, ports);
}

/// Removes lines that became a port's connection. Their comments go to what follows under them; if there is nothing, to
/// the instance that has the port.
fn remove(code: &mut Code, gone: &BTreeMap<usize, SymId>, ports: &mut Ports) {
    for (i, port) in gone {
        let comments = std::mem::take(&mut code.lines[*i].comments);
        if comments.is_empty() {
            continue;
        }
        let next = (i + 1..code.lines.len())
            .take_while(|k| code.lines[*k].comments.is_empty())
            .find(|k| !gone.contains_key(k));
        match next {
            Some(next) => code.lines[next].comments = comments,
            None => ports.comments.entry(*port).or_default().extend(comments),
        }
    }
    code.remove(&gone.keys().copied().collect());
}

/// Child inputs that take a plain signal connect to it in the instance.
pub fn connect_inputs(code: &mut Code, ports: &mut Ports) {
    let read = code.all_reads();
    let symbols = code.symbols;
    let mut gone = BTreeMap::new();
    for (i, line) in code.lines.iter().enumerate() {
        let Stmt::Assign {
            target,
            place: Place::Whole,
            value,
        } = &line.statement
        else {
            continue;
        };
        let is_input = symbols.all[*target].kind == Kind::ChildInput;
        if is_input && !read.contains(target) && is_plain(value) {
            ports.connections.insert(*target, value.clone());
            gone.insert(i, *target);
        }
    }
    remove(code, &gone, ports);
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
