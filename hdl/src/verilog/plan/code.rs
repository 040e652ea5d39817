//! The top-level statements of a block, with what each reads and writes.

use super::Commented;
use crate::verilog::ir::{Place, Stmt, SymId};
use crate::verilog::symbols::{Kind, Symbols};
use std::collections::{BTreeMap, BTreeSet};

/// Bits of a symbol, lowest and count; `None` for all.
pub type Bits = Option<(usize, usize)>;

/// Do the two sets of bits of one symbol meet?
pub fn meet(a: Bits, b: Bits) -> bool {
    match (a, b) {
        (Some((a, wa)), Some((b, wb))) => a < b + wb && b < a + wa,
        _ => true,
    }
}

/// A top-level statement.
pub struct Line {
    pub comments: Vec<String>,
    pub statement: Stmt,
    /// What registers take at the edge of this clock; `None` for what is combinational.
    pub clock: Option<SymId>,
    pub reads: Vec<(SymId, Bits)>,
    pub writes: Vec<(SymId, Bits)>,
}

impl Line {
    pub fn new(comments: Vec<String>, statement: Stmt, clock: Option<SymId>) -> Line {
        let (mut reads, mut writes) = (vec![], vec![]);
        statement.reads(&mut |s, bits| reads.push((s, bits)));
        statement.writes(&mut |s, bits| writes.push((s, bits)));
        Line {
            comments,
            statement,
            clock,
            reads,
            writes,
        }
    }

    pub fn commented(&self) -> Commented {
        Commented {
            comments: self.comments.clone(),
            statement: self.statement.clone(),
        }
    }

    /// Reads bits `lo..` of `to` in place of `from`.
    pub fn redirect(&mut self, from: SymId, to: SymId, lo: usize, to_width: usize) {
        if self.reads.iter().any(|(s, _)| *s == from) {
            self.statement.redirect(from, to, lo, to_width);
            self.reads.clear();
            self.statement
                .reads(&mut |s, bits| self.reads.push((s, bits)));
        }
    }
}

/// Which lines assign a symbol, in order, and which bits.
pub type Writers = BTreeMap<SymId, Vec<(usize, Bits)>>;

pub struct Code<'s, 'a> {
    pub symbols: &'s Symbols<'a>,
    pub lines: Vec<Line>,
    /// Comments that have no statement to stand before.
    pub closing: Vec<String>,
}

impl<'s, 'a> Code<'s, 'a> {
    /// Joins comments to the statements after them.
    pub fn new(symbols: &'s Symbols<'a>, statements: Vec<Stmt>) -> Self {
        let mut lines = vec![];
        let mut comments = vec![];
        for statement in statements {
            if let Stmt::Comment(text) = statement {
                comments.push(text);
                continue;
            }
            lines.push(Line::new(std::mem::take(&mut comments), statement, None));
        }
        Code {
            symbols,
            lines,
            closing: comments,
        }
    }

    /// Takes the temporaries out of branches: each is assigned once, from signals that have one value.
    pub fn hoist_temporaries(&mut self) {
        let symbols = self.symbols;
        let is_temporary =
            |symbol: SymId| matches!(symbols.all[symbol].kind, Kind::Temporary { .. });
        let mut lines = vec![];
        for mut line in std::mem::take(&mut self.lines) {
            let mut found = vec![];
            for body in line.statement.bodies_mut() {
                take_assignments(body, &is_temporary, &mut found);
            }
            if found.is_empty() {
                lines.push(line);
                continue;
            }
            let mut comments = std::mem::take(&mut line.comments);
            found.push(line.statement);
            for statement in found {
                lines.push(Line::new(std::mem::take(&mut comments), statement, None));
            }
        }
        self.lines = lines;
    }

    pub fn width(&self, symbol: SymId) -> usize {
        self.symbols.all[symbol].ty.width
    }

    pub fn kind(&self, symbol: SymId) -> &Kind {
        &self.symbols.all[symbol].kind
    }

    /// Path of the block and name of a symbol, for errors.
    pub fn place(&self, symbol: SymId) -> (String, String) {
        let key = self.symbols.all[symbol].key.replace('$', ".");
        (self.symbols.path.clone(), key)
    }

    /// The symbol and the bits that a plain assignment writes, if they are known.
    pub fn plain_write(&self, line: &Line) -> Option<(SymId, usize, usize)> {
        let Stmt::Assign { target, place, .. } = &line.statement else {
            return None;
        };
        match place {
            Place::Whole => Some((*target, 0, self.width(*target))),
            Place::Bits { lo, width } => Some((*target, *lo, *width)),
            Place::At { .. } => None,
        }
    }

    /// Removes the lines of these indices; their comments go to the next line.
    pub fn remove(&mut self, gone: &BTreeSet<usize>) {
        let mut comments = vec![];
        let mut kept = vec![];
        for (i, mut line) in std::mem::take(&mut self.lines).into_iter().enumerate() {
            comments.append(&mut line.comments);
            if !gone.contains(&i) {
                line.comments = std::mem::take(&mut comments);
                kept.push(line);
            }
        }
        self.lines = kept;
        comments.append(&mut self.closing);
        self.closing = comments;
    }

    pub fn writers(&self) -> Writers {
        let mut table = Writers::new();
        for (i, line) in self.lines.iter().enumerate() {
            for (symbol, bits) in &line.writes {
                table.entry(*symbol).or_default().push((i, *bits));
            }
        }
        table
    }

    /// All symbols that some line reads.
    pub fn all_reads(&self) -> BTreeSet<SymId> {
        self.lines
            .iter()
            .flat_map(|line| &line.reads)
            .map(|(symbol, _)| *symbol)
            .collect()
    }
}

/// Takes the assignments to some symbols out of a branch.
fn take_assignments(body: &mut Vec<Stmt>, which: &dyn Fn(SymId) -> bool, found: &mut Vec<Stmt>) {
    for mut statement in std::mem::take(body) {
        match &statement {
            Stmt::Assign { target, .. } if which(*target) => found.push(statement),
            _ => {
                for inner in statement.bodies_mut() {
                    take_assignments(inner, which, found);
                }
                body.push(statement);
            }
        }
    }
}
