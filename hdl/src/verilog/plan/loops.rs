//! Ways from signal to signal without a register between them, and loops of them.
//!
//! A word is one signal here, whatever bits of it are read and assigned, as it is for a simulator that waits for its
//! changes.

use super::code::Code;
use super::Result;
use crate::verilog::error::EmitError;
use crate::verilog::ir::SymId;
use crate::verilog::symbols::Kind;
use std::collections::{BTreeMap, BTreeSet};

/// For each output of a module, the inputs that reach it without a register between them; by their names in its port list.
pub type Paths = BTreeMap<String, BTreeSet<String>>;

/// The ways through the code, whose children have the ways `children`.
///
/// # Errors
/// [`EmitError::Loop`] if a signal reaches itself.
pub fn paths(code: &Code, children: &[Paths]) -> Result<Paths> {
    let edges = edges(code, children);
    let mut search = Search {
        edges: &edges,
        done: BTreeMap::new(),
        way: vec![],
    };
    let mut paths = Paths::new();
    for symbol in edges.keys() {
        if let Err(way) = search.visit(*symbol, code) {
            let names = way.iter().map(|symbol| code.place(*symbol).1);
            return Err(EmitError::Loop {
                block: code.symbols.path.clone(),
                signals: names.collect::<Vec<_>>().join("` to `"),
            });
        }
    }
    for (id, symbol) in code.symbols.all.iter().enumerate() {
        if symbol.kind == Kind::Output {
            let sources = search.done.get(&id).cloned().unwrap_or_default();
            let names = sources.iter().map(|s| code.symbols.all[*s].name.clone());
            paths.insert(symbol.name.clone(), names.collect());
        }
    }
    Ok(paths)
}

/// For each signal those that it is made from.
type Edges = BTreeMap<SymId, BTreeSet<SymId>>;

fn edges(code: &Code, children: &[Paths]) -> Edges {
    let mut edges = Edges::new();
    for line in code.lines.iter().filter(|line| line.clock.is_none()) {
        for (target, _) in &line.writes {
            let sources = edges.entry(*target).or_default();
            sources.extend(line.reads.iter().map(|(symbol, _)| *symbol));
        }
    }
    for (instance, paths) in code.symbols.instances.iter().zip(children) {
        let symbol_of = |name: &str| {
            let port = instance.ports.iter().find(|port| port.name == name);
            port.map(|port| port.symbol)
        };
        for (output, inputs) in paths {
            if let Some(output) = symbol_of(output) {
                let sources = edges.entry(output).or_default();
                sources.extend(inputs.iter().filter_map(|input| symbol_of(input)));
            }
        }
    }
    edges
}

struct Search<'e> {
    edges: &'e Edges,
    /// The block's inputs that reach each signal.
    done: BTreeMap<SymId, BTreeSet<SymId>>,
    /// The signals that are being visited, each made from the next one.
    way: Vec<SymId>,
}

impl Search<'_> {
    /// Finds the inputs that reach a signal; if it reaches itself, the way that it takes.
    fn visit(&mut self, symbol: SymId, code: &Code) -> std::result::Result<(), Vec<SymId>> {
        if self.done.contains_key(&symbol) {
            return Ok(());
        }
        if let Some(from) = self.way.iter().position(|s| *s == symbol) {
            let mut way = self.way.split_off(from);
            way.push(symbol);
            way.reverse();
            return Err(way);
        }
        self.way.push(symbol);
        let mut inputs = BTreeSet::new();
        if *code.kind(symbol) == Kind::Input {
            inputs.insert(symbol);
        }
        for source in self.edges.get(&symbol).into_iter().flatten() {
            self.visit(*source, code)?;
            inputs.extend(self.done[source].iter().copied());
        }
        self.way.pop();
        self.done.insert(symbol, inputs);
        Ok(())
    }
}
