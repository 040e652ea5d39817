//! From rust-hdl's syntax tree to the emitter's own form: resolves names, unrolls loops, finds every width.

mod describe;
mod expressions;
mod joining;
mod numbers;
mod parts;
mod statements;
mod types;

pub use describe::comment_text;

use super::error::EmitError;
use super::ir::{Expr, Stmt, SymId, Ty};
use super::names::Loops;
use super::symbols::Symbols;
use rust_hdl::core::ast::VerilogBlock;

type Result<T> = std::result::Result<T, EmitError>;

/// A block's code, lowered.
pub struct Lowered {
    pub statements: Vec<Stmt>,
    /// Bidirectional ports of children, and the port of the block that each is.
    pub joined: Vec<(SymId, SymId)>,
}

/// Lowers `code`; temporaries are added to `symbols`.
pub fn lower(symbols: &mut Symbols, code: &VerilogBlock) -> Result<Lowered> {
    let mut lowering = Lowering {
        symbols,
        loops: Loops::new(),
        depth: 0,
        hint: String::new(),
        hoisted: vec![],
        pending: vec![],
        known: vec![],
        joined: vec![],
    };
    let mut statements = vec![];
    lowering.block(code, &mut statements)?;
    Ok(Lowered {
        statements,
        joined: lowering.joined,
    })
}

/// What is known of an expression's type before its context is.
#[derive(Clone, Copy, Debug)]
enum Shape {
    Typed(Ty),
    /// A number, as wide as its context.
    Number,
    /// Sign-extended to its context's width; the width that it comes from.
    Extended(usize),
}

struct Lowering<'s, 'a> {
    symbols: &'s mut Symbols<'a>,
    loops: Loops,
    depth: usize,
    /// Begin of the names of temporaries.
    hint: String,
    /// Assignments to stable temporaries, to go before the top-level statement at hand.
    hoisted: Vec<Stmt>,
    /// Assignments to the other temporaries, to go before the statement at hand.
    pending: Vec<Stmt>,
    /// Stable temporaries and what they hold.
    known: Vec<(Expr, SymId)>,
    joined: Vec<(SymId, SymId)>,
}

impl Lowering<'_, '_> {
    fn path(&self) -> String {
        self.symbols.path.clone()
    }

    fn unsupported<T>(&self, what: impl Into<String>) -> Result<T> {
        Err(EmitError::Unsupported {
            block: self.path(),
            what: what.into(),
        })
    }
}
