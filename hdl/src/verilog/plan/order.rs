//! The order of assignments and reads. What is combinational becomes wires, and a wire has one value: the last one that
//! the code gives it. So nothing may read an earlier one.

use super::code::{meet, Bits, Code};
use super::Result;
use crate::verilog::error::EmitError;
use crate::verilog::ir::{Expr, Stmt, SymId};
use std::collections::BTreeMap;

/// The bits of signals that some statements assign.
type Written = BTreeMap<SymId, Vec<Bits>>;

/// Refuses a read between two assignments of which both may happen: before the last one, the signal has a value that
/// hardware would not have.
///
/// A signal that is read before its first assignment has the value of the last one, because rust-hdl repeats the code
/// until nothing changes; and it is no matter in which order branches that exclude each other are written.
pub fn check_order(code: &Code) -> Result<()> {
    let statements: Vec<&Stmt> = code.lines.iter().map(|line| &line.statement).collect();
    let mut walk = Walk {
        code,
        before: Written::new(),
        after: Written::new(),
    };
    walk.list(&statements)
}

struct Walk<'c, 's, 'a> {
    code: &'c Code<'s, 'a>,
    /// What is assigned, on some way to the statement at hand, before it.
    before: Written,
    /// And after it.
    after: Written,
}

fn add(written: &mut Written, statement: &Stmt) {
    statement.writes(&mut |symbol, bits| written.entry(symbol).or_default().push(bits));
}

/// Takes back the last [`add`] of the statement.
fn remove(written: &mut Written, statement: &Stmt) {
    statement.writes(&mut |symbol, _| {
        if let Some(all) = written.get_mut(&symbol) {
            all.pop();
        }
    });
}

impl Walk<'_, '_, '_> {
    fn list(&mut self, statements: &[&Stmt]) -> Result<()> {
        // In reverse, so that the statement at hand is the last one that was added.
        statements
            .iter()
            .rev()
            .for_each(|statement| add(&mut self.after, statement));
        for statement in statements {
            for expr in statement.exprs() {
                self.check(expr)?;
            }
            remove(&mut self.after, statement);
            for body in statement.bodies() {
                self.list(&body.iter().collect::<Vec<_>>())?;
            }
            add(&mut self.before, statement);
        }
        for statement in statements.iter().rev() {
            remove(&mut self.before, statement);
        }
        Ok(())
    }

    fn check(&self, expr: &Expr) -> Result<()> {
        let touches = |written: &Written, symbol: SymId, bits: Bits| {
            let all = written.get(&symbol);
            all.is_some_and(|all| all.iter().any(|those| meet(*those, bits)))
        };
        let mut early = None;
        expr.reads(&mut |symbol, bits| {
            if touches(&self.before, symbol, bits) && touches(&self.after, symbol, bits) {
                early.get_or_insert(symbol);
            }
        });
        match early {
            None => Ok(()),
            Some(symbol) => {
                let (block, signal) = self.code.place(symbol);
                Err(EmitError::ReadBetween { block, signal })
            }
        }
    }
}
