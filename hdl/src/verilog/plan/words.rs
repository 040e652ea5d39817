//! Names for computed words some bits of which are assigned apart: Verilog takes parts of names only.

use super::choose::part;
use crate::verilog::ir::{Expr, ExprKind, Place, Stmt, SymId};
use crate::verilog::symbols::{Kind, Symbols};
use std::collections::BTreeSet;

/// Puts a temporary in place of each word that needs a name.
pub fn name_words(statements: &mut Vec<Stmt>, symbols: &mut Symbols) {
    let mut in_parts = BTreeSet::new();
    for statement in statements.iter() {
        statement.writes(&mut |symbol, bits| {
            if bits.is_some() && symbols.all[symbol].kind != Kind::RegisterNext {
                in_parts.insert(symbol);
            }
        });
    }
    if !in_parts.is_empty() {
        list(statements, &in_parts, symbols);
    }
}

fn list(statements: &mut Vec<Stmt>, in_parts: &BTreeSet<SymId>, symbols: &mut Symbols) {
    for mut statement in std::mem::take(statements) {
        for body in statement.bodies_mut() {
            list(body, in_parts, symbols);
        }
        if let Stmt::Assign {
            target,
            place: Place::Whole,
            value,
        } = &mut statement
        {
            if in_parts.contains(target) && part(value, 0, 1).is_none() {
                let wanted = format!("{}_full", symbols.all[*target].name);
                let ty = value.ty;
                let name = symbols.temporary(&wanted, ty, false);
                let named = Expr::new(ExprKind::Symbol(name), ty);
                statements.push(Stmt::Assign {
                    target: name,
                    place: Place::Whole,
                    value: std::mem::replace(value, named),
                });
            }
        }
        statements.push(statement);
    }
}
