//! Decides how a block's code is to be written: which signals are wires and which need an `always` block, which
//! child inputs connect directly, and that every signal is driven on every path.
//!
//! rust-hdl runs the code from top to bottom and repeats until nothing changes, so a signal that is read before its
//! first or after its last assignment has its settled value, as in Verilog; in between it has the value at that point,
//! and reader and writers must share one `always` block.

mod code;
mod connect;
mod group;
mod paths;
mod simplify;

use super::error::EmitError;
use super::ir::{Expr, ExprKind, Stmt, SymId};
use super::lower::Lowered;
use super::symbols::Symbols;
use code::Code;
use std::collections::{BTreeMap, BTreeSet};

type Result<T> = std::result::Result<T, EmitError>;

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
pub fn plan(symbols: &Symbols, lowered: Lowered) -> Result<Plan> {
    let mut code = Code::new(symbols, lowered.statements);
    simplify::check_targets(&code)?;
    let mut clocks = simplify::take_clocks(&mut code)?;
    simplify::remove_overwritten(&mut code);
    simplify::check_driven(&code)?;
    let wires = group::find_wires(&code)?;
    let mut ports = connect::Ports::default();
    connect::forward_outputs(&mut code, &wires, &mut clocks, &mut ports);
    connect::connect_inputs(&mut code, &wires, &mut ports);
    for (child, own) in lowered.joined {
        let ty = symbols.all[own].ty;
        ports
            .connections
            .insert(child, Expr::new(ExprKind::Symbol(own), ty));
    }
    let updates = connect::take_updates(&mut code, &wires);
    let items = group::items(&code, &wires)?;
    Ok(Plan {
        items,
        clocks,
        updates,
        connections: ports.connections,
        port_comments: ports.comments,
        wires,
        closing: code.closing,
    })
}
