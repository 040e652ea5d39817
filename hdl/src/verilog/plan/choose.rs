//! From assignments in branches to one expression.
//!
//! Of the assignments of a signal the last one counts whose conditions hold. So its value is a list: from the last
//! assignment to the first, the conditions of each and what it assigns, down to one without conditions.

use super::code::Bits;
use super::Result;
use crate::verilog::ir::{Arm, CaseDefault, Choice, Expr, ExprKind, Place, Stmt, SymId, Ty};
use num_bigint::BigInt;
use num_traits::{One, Zero};

/// The value of some bits of a signal after some statements.
#[derive(Default)]
struct Value {
    choices: Vec<Choice>,
    /// What it is when no choice applies, with its comments; `None` leaves it as it was.
    otherwise: Option<(Vec<String>, Expr)>,
}

impl Value {
    fn is_nothing(&self) -> bool {
        self.choices.is_empty() && self.otherwise.is_none()
    }

    /// The same where `test` holds, and nothing elsewhere.
    fn only_if(self, test: &Expr) -> Vec<Choice> {
        let mut choices: Vec<Choice> = self
            .choices
            .into_iter()
            .map(|choice| Choice {
                test: Expr::and(test.clone(), choice.test),
                ..choice
            })
            .collect();
        choices.extend(self.otherwise.map(|(comments, value)| Choice {
            comments,
            test: test.clone(),
            value,
        }));
        choices
    }

    /// This, or what was before it.
    fn over(mut self, earlier: Value) -> Value {
        if self.otherwise.is_none() {
            self.choices.extend(earlier.choices);
            self.otherwise = earlier.otherwise;
        }
        self
    }

    /// Puts comments before the first line.
    fn commented(mut self, comments: &[String]) -> Value {
        let first = match (self.choices.first_mut(), self.otherwise.as_mut()) {
            (Some(choice), _) => Some(&mut choice.comments),
            (None, Some((own, _))) => Some(own),
            (None, None) => None,
        };
        if let Some(own) = first {
            own.splice(0..0, comments.iter().cloned());
        }
        self
    }
}

/// Collects the value of bits `lo .. lo + width` of a symbol.
pub struct Chooser<'p> {
    pub symbol: SymId,
    pub lo: usize,
    pub width: usize,
    /// Takes bits of an expression.
    pub part: &'p dyn Fn(&Expr, usize, usize) -> Result<Expr>,
    /// Does the comment before this statement, inside of a branch, belong to the symbol?
    pub has_comment: &'p dyn Fn(&Stmt) -> bool,
}

impl Chooser<'_> {
    /// The value after these statements; `None` if it is open on some path.
    pub fn value(&self, statements: &[&Stmt]) -> Result<Option<Expr>> {
        let Value {
            mut choices,
            otherwise,
        } = self.list(statements)?;
        let Some((comments, otherwise)) = otherwise else {
            return Ok(None);
        };
        if let Some(first) = choices.first_mut() {
            first.comments.extend(comments);
        }
        Ok(Some(simplified(choices, otherwise)))
    }

    fn list(&self, statements: &[&Stmt]) -> Result<Value> {
        let mut value = Value::default();
        for (i, statement) in statements.iter().enumerate().rev() {
            let mut own = self.statement(statement)?;
            if own.is_nothing() {
                continue;
            }
            if (self.has_comment)(statement) {
                own = own.commented(&comments_before(statements, i));
            }
            value = value.over(own);
            if value.otherwise.is_some() {
                break;
            }
        }
        Ok(value)
    }

    fn body(&self, statements: &[Stmt]) -> Result<Value> {
        self.list(&statements.iter().collect::<Vec<_>>())
    }

    fn statement(&self, statement: &Stmt) -> Result<Value> {
        match statement {
            Stmt::Assign {
                target,
                place,
                value,
            } if *target == self.symbol => self.assignment(place, value),
            Stmt::Assign { .. } | Stmt::Comment(_) => Ok(Value::default()),
            Stmt::If {
                test,
                then,
                otherwise,
            } => Ok(branches(test, self.body(then)?, self.body(otherwise)?)),
            Stmt::Case {
                subject,
                arms,
                default,
            } => self.case(subject, arms, default.as_ref()),
        }
    }

    fn assignment(&self, place: &Place, value: &Expr) -> Result<Value> {
        let lo = match place {
            Place::Bits { lo, width } if self.lo < *lo || self.lo >= lo + width => {
                return Ok(Value::default());
            }
            Place::Bits { lo, .. } => *lo,
            Place::Whole | Place::At { .. } => 0,
        };
        let bits = (self.part)(value, self.lo - lo, self.width)?;
        Ok(Value {
            choices: vec![],
            otherwise: Some((vec![], bits)),
        })
    }

    fn case(&self, subject: &Expr, arms: &[Arm], default: Option<&CaseDefault>) -> Result<Value> {
        let is = |label: &Expr| Expr::binary("==", subject.clone(), label.clone(), Ty::BOOL);
        let mut parts: Vec<(&Expr, Value)> = vec![];
        for arm in arms {
            parts.push((&arm.label, self.body(&arm.body)?));
        }
        let mut rest = None;
        if let Some(default) = default {
            let value = self.body(&default.body)?;
            match &default.standing_for {
                Some(label) => parts.push((label, value)),
                None => rest = Some(value),
            }
        }
        let mut value = Value::default();
        // Where every arm gives a value, the last one needs no test.
        let all = parts.iter().all(|(_, value)| value.otherwise.is_some());
        let last = match rest {
            None if all => parts.pop().map(|(_, value)| value),
            _ => None,
        };
        let (closed, open): (Vec<_>, Vec<_>) = parts
            .into_iter()
            .partition(|(_, value)| value.otherwise.is_some());
        let others = open.iter().map(|(label, _)| is(label).not());
        let none_of_open = others.reduce(Expr::and);
        for (label, own) in closed.into_iter().chain(open) {
            value.choices.extend(own.only_if(&is(label)));
        }
        match (last.or(rest), none_of_open) {
            (Some(rest), Some(test)) => value.choices.extend(rest.only_if(&test)),
            (Some(rest), None) => value = value.over(rest),
            (None, _) => {}
        }
        Ok(value)
    }
}

/// The comments that stand before a statement.
fn comments_before(statements: &[&Stmt], at: usize) -> Vec<String> {
    let before = statements[..at].iter().rev();
    let mut found: Vec<String> = before
        .map_while(|statement| match statement {
            Stmt::Comment(text) => Some(text.clone()),
            _ => None,
        })
        .collect();
    found.reverse();
    found
}

fn branches(test: &Expr, then: Value, otherwise: Value) -> Value {
    let (choices, otherwise) = match (then.otherwise.is_some(), otherwise.otherwise.is_some()) {
        (true, _) => {
            let mut choices = then.only_if(test);
            choices.extend(otherwise.choices);
            (choices, otherwise.otherwise)
        }
        (false, true) => {
            let mut choices = otherwise.only_if(&test.clone().not());
            choices.extend(then.choices);
            // Where `test` does not hold, a choice has been made.
            (choices, None)
        }
        (false, false) => {
            let excluded = otherwise.choices.iter().all(|c| c.test.excludes(test));
            let mut choices = then.only_if(test);
            match excluded {
                true => choices.extend(otherwise.choices),
                false => choices.extend(otherwise.only_if(&test.clone().not())),
            }
            (choices, None)
        }
    };
    Value { choices, otherwise }
}

/// The expression for these choices, as a person would write it.
fn simplified(mut choices: Vec<Choice>, otherwise: Expr) -> Expr {
    // What the last line says anyway.
    while choices
        .last()
        .is_some_and(|choice| choice.value == otherwise && choice.comments.is_empty())
    {
        choices.pop();
    }
    // Neighbours with the same value are one choice, and the second choice for one test is never made.
    let mut joined: Vec<Choice> = vec![];
    for choice in choices {
        if joined.iter().any(|before| before.test == choice.test) {
            continue;
        }
        match joined.last_mut() {
            Some(before) if before.value == choice.value && choice.comments.is_empty() => {
                before.test = Expr::or(before.test.clone(), choice.test);
            }
            _ => joined.push(choice),
        }
    }
    let otherwise = with_logic(&mut joined, otherwise);
    if joined.is_empty() {
        return otherwise;
    }
    let ty = otherwise.ty;
    Expr::new(ExprKind::Choose(joined, Box::new(otherwise)), ty)
}

/// The last choices among truth values by `&&`, `||` and `!`, as far as that is no longer than the choices.
fn with_logic(choices: &mut Vec<Choice>, otherwise: Expr) -> Expr {
    let known = |e: &Expr| e.number().map(|value| !value.is_zero());
    let mut value = otherwise;
    while let Some(choice) = choices.pop_if(|c| value.ty.boolean && c.comments.is_empty()) {
        let Choice {
            test,
            value: chosen,
            ..
        } = &choice;
        let (test, chosen) = (test.clone(), chosen.clone());
        value = match (known(&chosen), known(&value)) {
            (Some(true), Some(false)) => test,
            (Some(false), Some(true)) => test.not(),
            (Some(true), None) => Expr::or(test, value),
            (Some(false), None) => Expr::and(test.not(), value),
            (None, Some(false)) => Expr::and(test, chosen),
            (None, Some(true)) => Expr::or(test.not(), chosen),
            (Some(_), Some(_)) => value,
            (None, None) => {
                choices.push(choice);
                return value;
            }
        };
    }
    value
}

/// The runs of bits, lowest and count, of a signal that are always assigned together.
pub fn pieces(width: usize, writes: &[Bits]) -> Vec<(usize, usize)> {
    let mut cuts = vec![0, width];
    for (lo, count) in writes.iter().flatten() {
        cuts.extend([*lo, lo + count]);
    }
    cuts.sort_unstable();
    cuts.dedup();
    cuts.windows(2)
        .map(|cut| (cut[0], cut[1] - cut[0]))
        .collect()
}

/// Bits `lo .. lo + width` of an expression, if they can be told without a name for all of it.
pub fn part(e: &Expr, lo: usize, width: usize) -> Option<Expr> {
    if lo == 0 && width == e.ty.width {
        return Some(e.clone());
    }
    let ty = Ty::bits(width);
    let kind = match &e.kind {
        ExprKind::Symbol(symbol) => ExprKind::Select(*symbol, lo),
        ExprKind::Select(symbol, from) => ExprKind::Select(*symbol, from + lo),
        ExprKind::Const(value) => {
            let mask = (BigInt::one() << width) - BigInt::one();
            ExprKind::Const((value >> lo) & mask)
        }
        ExprKind::Reinterpret(inner) => return part(inner, lo, width),
        ExprKind::Binary(op @ ("&" | "|" | "^"), a, b) => ExprKind::Binary(
            op,
            Box::new(part(a, lo, width)?),
            Box::new(part(b, lo, width)?),
        ),
        ExprKind::Concat(parts) => {
            let mut at = e.ty.width;
            let around = parts.iter().find(|p| {
                at -= p.ty.width;
                at <= lo
            })?;
            return match lo + width <= at + around.ty.width {
                true => part(around, lo - at, width),
                false => None,
            };
        }
        _ => return None,
    };
    Some(Expr::new(kind, ty))
}
