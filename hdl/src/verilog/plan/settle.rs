//! Parts the code: what is combinational becomes one assignment for each signal, and what registers take becomes code
//! for the edge of their clock.

use super::choose::{part, pieces, Chooser};
use super::code::{meet, Bits, Code, Line};
use super::Result;
use crate::verilog::error::EmitError;
use crate::verilog::ir::{Arm, CaseDefault, Expr, ExprKind, Place, Stmt, SymId};
use std::collections::{BTreeMap, BTreeSet};

/// What registers take at their clock's edge: of each `d` that nothing reads, the register and its clock.
type Clocked = BTreeMap<SymId, (SymId, SymId)>;

/// Afterwards each line assigns some bits of one wire, or registers of one clock.
pub fn settle(code: &mut Code, clocks: &[SymId]) -> Result<()> {
    let read = code.all_reads();
    let registers = || code.symbols.registers.iter().zip(clocks);
    let clocked: Clocked = registers()
        .filter(|(register, _)| !read.contains(&register.d))
        .map(|(register, clock)| (register.d, (register.q, *clock)))
        .collect();
    let wires = wires(code, &clocked)?;
    let mut slices = Slices {
        clocked: &clocked,
        written: BTreeSet::new(),
    };
    let mut comments = vec![];
    let mut lines: Vec<Line> = vec![];
    let mut add = |statement: Stmt, clock: Option<SymId>, comments: &mut Vec<String>| {
        lines.push(Line::new(std::mem::take(comments), statement, clock));
    };
    let mut wires = wires.into_iter().peekable();
    for (i, line) in code.lines.iter().enumerate() {
        comments.extend(line.comments.iter().cloned());
        while let Some((_, statement)) = wires.next_if(|(at, _)| *at == i) {
            add(statement, None, &mut comments);
        }
        let mut edges: Vec<SymId> = line
            .writes
            .iter()
            .filter_map(|(symbol, _)| clocked.get(symbol).map(|(_, clock)| *clock))
            .collect();
        edges.sort_unstable();
        edges.dedup();
        for clock in edges {
            let own = slices.list(clock, std::slice::from_ref(&line.statement));
            for statement in own {
                add(statement, Some(clock), &mut comments);
            }
        }
    }
    for (register, clock) in registers() {
        let value = match clocked.contains_key(&register.d) {
            false => register.d,
            true if slices.written.contains(&register.q) => continue,
            true => register.q,
        };
        let ty = code.symbols.all[value].ty;
        let statement = Stmt::Assign {
            target: register.q,
            place: Place::Whole,
            value: Expr::new(ExprKind::Symbol(value), ty),
        };
        add(statement, Some(*clock), &mut comments);
    }
    comments.append(&mut code.closing);
    code.closing = comments;
    code.lines = lines;
    Ok(())
}

/// The assignments of all wires, each with the line where it belongs, in order of these lines.
fn wires(code: &Code, clocked: &Clocked) -> Result<Vec<(usize, Stmt)>> {
    let is_wire = |symbol: &SymId| !clocked.contains_key(symbol);
    // The comment inside a branch goes with the registers there, else with the first wire.
    let owner = |statement: &Stmt| {
        let (mut register, mut first) = (false, None);
        statement.writes(&mut |symbol, _| {
            register |= !is_wire(&symbol);
            first.get_or_insert(symbol);
        });
        first.filter(|_| !register)
    };
    let mut found: Vec<(usize, usize, Stmt)> = vec![];
    for (symbol, lines) in code.writers() {
        if !is_wire(&symbol) {
            continue;
        }
        let place = || code.place(symbol);
        let unsupported = |what: String| {
            let block = place().0;
            EmitError::Unsupported { block, what }
        };
        if lines
            .iter()
            .any(|(at, _)| is_computed(symbol, &code.lines[*at].statement))
        {
            let signal = place().1;
            return Err(unsupported(format!(
                "an assignment to a computed part of `{signal}`, which is no register,"
            )));
        }
        let bits: Vec<Bits> = lines.iter().map(|(_, bits)| *bits).collect();
        let width = code.width(symbol);
        let pieces = pieces(width, &bits);
        let writers_of = |lo: usize, width: usize| {
            let mut own: Vec<usize> = lines
                .iter()
                .filter(|(_, bits)| meet(*bits, Some((lo, width))))
                .map(|(at, _)| *at)
                .collect();
            own.dedup();
            own
        };
        if pieces
            .iter()
            .any(|(lo, count)| writers_of(*lo, *count).is_empty())
        {
            let (block, signal) = place();
            return Err(EmitError::Undriven { block, signal });
        }
        for (lo, count) in pieces {
            let own = writers_of(lo, count);
            let statements: Vec<&Stmt> = own.iter().map(|at| &code.lines[*at].statement).collect();
            let chooser = Chooser {
                symbol,
                lo,
                width: count,
                part: &|e, lo, width| {
                    part(e, lo, width).ok_or_else(|| {
                        let signal = place().1;
                        unsupported(format!(
                            "a computed word for `{signal}`, some bits of which are assigned apart,"
                        ))
                    })
                },
                has_comment: &|statement| owner(statement) == Some(symbol),
            };
            let Some(value) = chooser.value(&statements)? else {
                let (block, signal) = place();
                return Err(EmitError::Latch { block, signal });
            };
            let place = match count == width {
                true => Place::Whole,
                false => Place::Bits { lo, width: count },
            };
            let statement = Stmt::Assign {
                target: symbol,
                place,
                value,
            };
            let last = *own.last().expect("someone writes it");
            found.push((
                last,
                order_in(symbol, &code.lines[last].statement),
                statement,
            ));
        }
    }
    found.sort_by_key(|(line, order, _)| (*line, *order));
    Ok(found
        .into_iter()
        .map(|(line, _, statement)| (line, statement))
        .collect())
}

/// How many assignments a statement has before the first one to the symbol, and one more.
fn order_in(symbol: SymId, statement: &Stmt) -> usize {
    let (mut count, mut place) = (0, 0);
    statement.writes(&mut |written, _| {
        count += 1;
        if written == symbol && place == 0 {
            place = count;
        }
    });
    place
}

/// Is some part of the symbol assigned whose place is computed?
fn is_computed(symbol: SymId, statement: &Stmt) -> bool {
    match statement {
        Stmt::Assign { target, place, .. } => {
            *target == symbol && matches!(place, Place::At { .. })
        }
        _ => statement
            .bodies()
            .into_iter()
            .flatten()
            .any(|inner| is_computed(symbol, inner)),
    }
}

/// Takes out of the code what belongs to a clock.
struct Slices<'c> {
    clocked: &'c Clocked,
    /// The registers that are assigned so far.
    written: BTreeSet<SymId>,
}

impl Slices<'_> {
    fn list(&mut self, clock: SymId, statements: &[Stmt]) -> Vec<Stmt> {
        let mut own: Vec<Stmt> = vec![];
        let mut comments: Vec<Stmt> = vec![];
        for statement in statements {
            if let Stmt::Comment(_) = statement {
                comments.push(statement.clone());
                continue;
            }
            match self.statement(clock, statement) {
                Some(statement) => {
                    own.append(&mut comments);
                    own.push(statement);
                }
                None => comments.clear(),
            }
        }
        if !own.is_empty() {
            own.append(&mut comments);
        }
        own
    }

    fn statement(&mut self, clock: SymId, statement: &Stmt) -> Option<Stmt> {
        match statement {
            Stmt::Comment(_) => None,
            Stmt::Assign {
                target,
                place,
                value,
            } => {
                let (q, own) = *self.clocked.get(target)?;
                let holds = *place == Place::Whole && value.kind == ExprKind::Symbol(q);
                if own != clock || (holds && !self.written.contains(&q)) {
                    return None;
                }
                self.written.insert(q);
                Some(Stmt::Assign {
                    target: q,
                    place: place.clone(),
                    value: value.clone(),
                })
            }
            Stmt::If {
                test,
                then,
                otherwise,
            } => {
                let [then, otherwise] = self.branches(clock, [then, otherwise]);
                match (then.is_empty(), otherwise.is_empty()) {
                    (true, true) => None,
                    (true, false) => Some(Stmt::If {
                        test: test.clone().not(),
                        then: otherwise,
                        otherwise: then,
                    }),
                    _ => Some(Stmt::If {
                        test: test.clone(),
                        then,
                        otherwise,
                    }),
                }
            }
            Stmt::Case {
                subject,
                arms,
                default,
            } => {
                let nothing = vec![];
                let all = arms.iter().map(|arm| &arm.body);
                let all = all.chain([default.as_ref().map_or(&nothing, |d| &d.body)]);
                let mut bodies = self.branches_of(clock, all);
                let rest = bodies.pop().unwrap_or_default();
                if rest.is_empty() && bodies.iter().all(Vec::is_empty) {
                    return None;
                }
                let keeps_empty = !rest.is_empty();
                let own: Vec<Arm> = (arms.iter().zip(bodies))
                    .filter(|(_, body)| keeps_empty || !body.is_empty())
                    .map(|(arm, body)| Arm {
                        label: arm.label.clone(),
                        body,
                    })
                    .collect();
                let default = match default {
                    None if own.len() == arms.len() => None,
                    default => Some(CaseDefault {
                        standing_for: (default.as_ref())
                            .and_then(|d| d.standing_for.clone())
                            .filter(|_| !rest.is_empty()),
                        body: rest,
                    }),
                };
                let arms = own;
                Some(Stmt::Case {
                    subject: subject.clone(),
                    arms,
                    default,
                })
            }
        }
    }

    fn branches<const N: usize>(
        &mut self,
        clock: SymId,
        bodies: [&Vec<Stmt>; N],
    ) -> [Vec<Stmt>; N] {
        let sliced = self.branches_of(clock, bodies);
        sliced.try_into().expect("as many as there were")
    }

    /// Each branch begins with the registers that are assigned before all of them.
    fn branches_of<'b>(
        &mut self,
        clock: SymId,
        bodies: impl IntoIterator<Item = &'b Vec<Stmt>>,
    ) -> Vec<Vec<Stmt>> {
        let before = self.written.clone();
        let mut after = before.clone();
        let mut sliced = vec![];
        for body in bodies {
            self.written = before.clone();
            sliced.push(self.list(clock, body));
            after.append(&mut self.written);
        }
        self.written = after;
        sliced
    }
}
