//! Decides how a block's code is to be written, so that it means the same in every simulator.
//!
//! rust-hdl runs the code from top to bottom and repeats until nothing changes. An `always @(*)` with the same code
//! is not the same thing: it gives a signal one value after another, and each of them wakes what reads it, which may be
//! the block itself by way of another module; and it sleeps until something that it reads changes, which may be never.
//! So there is none. What is combinational is an `assign` for each signal, with the value that the code gives it last;
//! what registers take is assigned in `always @(posedge clock)`. Code that needs an earlier value of a signal, and
//! signals that depend on themselves, are refused.

mod choose;
mod code;
mod connect;
mod group;
mod loops;
mod order;
mod settle;
mod simplify;
mod words;

use super::error::EmitError;
use super::ir::{Expr, ExprKind, Stmt, SymId};
use super::lower::Lowered;
use super::symbols::Symbols;
use code::Code;
pub use loops::Paths;
use std::collections::BTreeMap;

type Result<T> = std::result::Result<T, EmitError>;

/// A top-level statement with the comments before it.
#[derive(Clone, Debug)]
pub struct Commented {
    pub comments: Vec<String>,
    pub statement: Stmt,
}

/// A part of the module's behaviour, in the order of the source.
pub enum Item {
    /// One `assign`; with `apart` there is an empty line before it.
    Assign { one: Commented, apart: bool },
    /// One `always @(posedge clock)`.
    Edge {
        clock: SymId,
        /// Comments above it.
        comments: Vec<String>,
        statements: Vec<Commented>,
    },
}

pub struct Plan {
    pub items: Vec<Item>,
    /// What child ports connect to, where that is not their own signal.
    pub connections: BTreeMap<SymId, Expr>,
    /// Comments above the instance that has the port.
    pub port_comments: BTreeMap<SymId, Vec<String>>,
    /// Comments after the last statement.
    pub closing: Vec<String>,
    /// Which inputs reach which outputs without a register between them.
    pub paths: Paths,
}

/// Plans the code of the block with these `symbols`; `children` has the paths through each instance.
pub fn plan(symbols: &mut Symbols, lowered: Lowered, children: &[Paths]) -> Result<Plan> {
    let mut statements = lowered.statements;
    words::name_words(&mut statements, symbols);
    let symbols = &*symbols;
    let mut code = Code::new(symbols, statements);
    simplify::check_targets(&code)?;
    let clocks = simplify::take_clocks(&mut code)?;
    simplify::remove_overwritten(&mut code);
    simplify::check_driven(&code)?;
    order::check_order(&code)?;
    code.hoist_temporaries();
    settle::settle(&mut code, &clocks)?;
    let paths = loops::paths(&code, children)?;
    let mut ports = connect::Ports::default();
    connect::forward_outputs(&mut code, &mut ports);
    connect::connect_inputs(&mut code, &mut ports);
    for (child, own) in lowered.joined {
        let ty = symbols.all[own].ty;
        ports
            .connections
            .insert(child, Expr::new(ExprKind::Symbol(own), ty));
    }
    Ok(Plan {
        items: group::items(&code),
        connections: ports.connections,
        port_comments: ports.comments,
        closing: code.closing,
        paths,
    })
}
