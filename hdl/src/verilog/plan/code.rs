//! The top-level statements of a block, with what each reads and writes.

use super::Commented;
use crate::verilog::ir::{Expr, Place, Stmt, SymId};
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
    pub reads: Vec<(SymId, Bits)>,
    pub writes: Vec<(SymId, Bits)>,
}

impl Line {
    fn new(comments: Vec<String>, statement: Stmt) -> Line {
        let (mut reads, mut writes) = (vec![], vec![]);
        statement.reads(&mut |s, bits| reads.push((s, bits)));
        statement.writes(&mut |s, bits| writes.push((s, bits)));
        Line {
            comments,
            statement,
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

/// Does line `at` read these bits between two assignments to them, or in the line that assigns them?
pub fn is_intermediate(writers: &Writers, at: usize, symbol: SymId, bits: Bits) -> bool {
    let (mut before, mut after) = (false, false);
    for (line, written) in writers.get(&symbol).into_iter().flatten() {
        if meet(*written, bits) {
            if *line == at {
                return true;
            }
            before |= *line < at;
            after |= *line > at;
        }
    }
    before && after
}

pub struct Code<'s, 'a> {
    pub symbols: &'s Symbols<'a>,
    pub lines: Vec<Line>,
    /// Comments that have no statement to stand before.
    pub closing: Vec<String>,
}

impl<'s, 'a> Code<'s, 'a> {
    /// Joins comments to the statements after them, and gives temporaries of branches a value on the other paths.
    pub fn new(symbols: &'s Symbols<'a>, statements: Vec<Stmt>) -> Self {
        let mut lines = vec![];
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
            inner.retain(|s| matches!(symbols.all[*s].kind, Kind::Temporary { .. }));
            for target in inner {
                let value = Expr::constant(0, symbols.all[target].ty);
                let default = Stmt::Assign {
                    target,
                    place: Place::Whole,
                    value,
                };
                lines.push(Line::new(std::mem::take(&mut comments), default));
            }
            lines.push(Line::new(std::mem::take(&mut comments), statement));
        }
        Code {
            symbols,
            lines,
            closing: comments,
        }
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
