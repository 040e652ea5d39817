//! Statements: assignments, branches, loops, links.

use super::describe::comment_text;
use super::numbers::strip_parens;
use super::{Lowering, Result};
use crate::verilog::ir::{Arm, CaseDefault, Expr, ExprKind, Place, Stmt, SymId, Ty};
use crate::verilog::names::parse_integer;
use crate::verilog::symbols::Kind;
use crate::verilog::tree::literal_value;
use num_traits::{ToPrimitive, Zero};
use rust_hdl::core::ast::{
    VerilogBlock, VerilogBlockOrConditional, VerilogCase, VerilogConditional, VerilogExpression,
    VerilogLink, VerilogLoop, VerilogMatch, VerilogStatement,
};

impl Lowering<'_, '_> {
    pub(super) fn block(&mut self, code: &VerilogBlock, out: &mut Vec<Stmt>) -> Result<()> {
        code.iter()
            .try_for_each(|statement| self.statement(statement, out))
    }

    pub(super) fn nested(&mut self, code: &VerilogBlock) -> Result<Vec<Stmt>> {
        let mut body = vec![];
        self.depth += 1;
        let result = self.block(code, &mut body);
        self.depth -= 1;
        result.map(|()| body)
    }

    pub(super) fn statement(
        &mut self,
        statement: &VerilogStatement,
        out: &mut Vec<Stmt>,
    ) -> Result<()> {
        match statement {
            VerilogStatement::Assignment(target, value) => self.assignment(target, value, out),
            VerilogStatement::SliceAssignment {
                base,
                width,
                offset,
                replacement,
            } => self.slice_assignment(base, *width, offset, replacement, out),
            VerilogStatement::If(conditional) => self.conditional(conditional, out),
            VerilogStatement::Match(m) => self.case(m, out),
            VerilogStatement::Loop(l) => self.unroll(l, out),
            VerilogStatement::Comment(text) => {
                out.push(Stmt::Comment(comment_text(text)));
                Ok(())
            }
            VerilogStatement::Link(links) => links.iter().try_for_each(|l| self.link(l, out)),
            VerilogStatement::Macro(block) => self.block(block, out),
        }
    }

    pub(super) fn push(&mut self, statement: Stmt, out: &mut Vec<Stmt>) {
        if self.depth == 0 {
            out.append(&mut self.hoisted);
        }
        out.append(&mut self.pending);
        out.push(statement);
    }

    pub(super) fn unroll(&mut self, l: &VerilogLoop, out: &mut Vec<Stmt>) -> Result<()> {
        let shadowed = self.loops.get(&l.index).copied();
        let range = |v| literal_value(v).to_i128().unwrap_or_default();
        for value in range(&l.from)..range(&l.to) {
            self.loops.insert(l.index.clone(), value);
            self.block(&l.block, out)?;
        }
        match shadowed {
            Some(value) => self.loops.insert(l.index.clone(), value),
            None => self.loops.remove(&l.index),
        };
        Ok(())
    }

    pub(super) fn target(&self, expression: &VerilogExpression) -> Result<SymId> {
        match expression {
            VerilogExpression::Signal(name) => {
                self.symbol(name.strip_suffix("$next").unwrap_or(name))
            }
            VerilogExpression::Paren(inner) => self.target(inner),
            other => self.unsupported(format!("an assignment to {other:?}")),
        }
    }

    pub(super) fn assignment(
        &mut self,
        target: &VerilogExpression,
        value: &VerilogExpression,
        out: &mut Vec<Stmt>,
    ) -> Result<()> {
        let target = self.target(target)?;
        self.hint = self.symbols.all[target].name.clone();
        if let Some((lo, bit)) = self.own_bit_replaced(target, value)? {
            let place = Place::Bits { lo, width: 1 };
            self.push(
                Stmt::Assign {
                    target,
                    place,
                    value: bit,
                },
                out,
            );
            return Ok(());
        }
        let ty = self.symbols.all[target].ty;
        let value = self.typed(value, ty)?;
        self.push(
            Stmt::Assign {
                target,
                place: Place::Whole,
                value,
            },
            out,
        );
        Ok(())
    }

    /// `x.next = x.val().replace_bit(7, b)` assigns bit 7 of x.
    pub(super) fn own_bit_replaced(
        &mut self,
        target: SymId,
        value: &VerilogExpression,
    ) -> Result<Option<(usize, Expr)>> {
        let VerilogExpression::IndexReplace(base, index, bit) = strip_parens(value) else {
            return Ok(None);
        };
        let VerilogExpression::Signal(name) = strip_parens(base) else {
            return Ok(None);
        };
        let width = self.symbols.all[target].ty.width;
        let Some(index_value) = self.index_number(index) else {
            return Ok(None);
        };
        if width == 1 || self.loops.contains_key(name) || self.symbol(name)? != target {
            return Ok(None);
        }
        let lo = self.in_range(&index_value, 1, width, value)?;
        Ok(Some((lo, self.typed(bit, Ty::BOOL)?)))
    }

    pub(super) fn slice_assignment(
        &mut self,
        base: &VerilogExpression,
        width: usize,
        offset: &VerilogExpression,
        replacement: &VerilogExpression,
        out: &mut Vec<Stmt>,
    ) -> Result<()> {
        let target = self.target(base)?;
        let symbol = &self.symbols.all[target];
        let whole = symbol.ty.width;
        self.hint = symbol.name.clone();
        let (place, ty) = match self.index_number(offset) {
            Some(lo) => {
                let lo = self.in_range(&lo, width, whole, base)?;
                let place = if width == whole {
                    Place::Whole
                } else {
                    Place::Bits { lo, width }
                };
                (place, self.field_type(target, lo, width))
            }
            None => {
                let offset = self.index_of(offset, whole)?;
                (Place::At { offset, width }, Ty::bits(width))
            }
        };
        let value = self.typed(replacement, ty)?;
        self.push(
            Stmt::Assign {
                target,
                place,
                value,
            },
            out,
        );
        Ok(())
    }

    pub(super) fn conditional(
        &mut self,
        c: &VerilogConditional,
        out: &mut Vec<Stmt>,
    ) -> Result<()> {
        if let Some(value) = self.number(&c.test) {
            return match (&c.otherwise, value.is_zero()) {
                (_, false) => self.block(&c.then, out),
                (VerilogBlockOrConditional::Block(block), true) => self.block(block, out),
                (VerilogBlockOrConditional::Conditional(inner), true) => self.statement(inner, out),
                (VerilogBlockOrConditional::None, true) => Ok(()),
            };
        }
        self.hint = "condition".into();
        let test = self.typed(&c.test, Ty::BOOL)?;
        let before = std::mem::take(&mut self.pending);
        let then = self.nested(&c.then)?;
        let otherwise = match &c.otherwise {
            VerilogBlockOrConditional::Block(block) => self.nested(block)?,
            VerilogBlockOrConditional::Conditional(inner) => {
                self.nested(&vec![(**inner).clone()])?
            }
            VerilogBlockOrConditional::None => vec![],
        };
        self.pending = before;
        self.push(
            Stmt::If {
                test,
                then,
                otherwise,
            },
            out,
        );
        Ok(())
    }

    pub(super) fn case(&mut self, m: &VerilogMatch, out: &mut Vec<Stmt>) -> Result<()> {
        self.hint = "case".into();
        let subject = self.self_typed(&m.test)?;
        let before = std::mem::take(&mut self.pending);
        let mut arms = vec![];
        let mut default = None;
        for case in &m.cases {
            let body = self.nested(&case.block)?;
            if case.condition == "default" {
                default = Some(CaseDefault {
                    standing_for: None,
                    body,
                });
                break;
            }
            arms.push(Arm {
                label: self.label(case, subject.ty)?,
                body,
            });
        }
        // Rust's match is exhaustive, but an enum need not use all of its codes: the last arm takes the rest.
        let complete = u32::try_from(subject.ty.width)
            .ok()
            .and_then(|w| 1usize.checked_shl(w))
            .is_some_and(|codes| arms.len() == codes);
        if default.is_none() && !complete {
            default = arms.pop().map(|arm| CaseDefault {
                standing_for: Some(arm.label),
                body: arm.body,
            });
        }
        self.pending = before;
        if subject.ty.boolean {
            let (test, then, otherwise) = self.boolean_case(subject, arms, default);
            self.push(
                Stmt::If {
                    test,
                    then,
                    otherwise,
                },
                out,
            );
        } else {
            self.push(
                Stmt::Case {
                    subject,
                    arms,
                    default,
                },
                out,
            );
        }
        Ok(())
    }

    pub(super) fn boolean_case(
        &self,
        test: Expr,
        arms: Vec<Arm>,
        default: Option<CaseDefault>,
    ) -> (Expr, Vec<Stmt>, Vec<Stmt>) {
        let (mut then, mut otherwise) = (None, None);
        for arm in arms {
            let is_true = matches!(&arm.label.kind, ExprKind::Const(v) if !v.is_zero());
            let branch = if is_true { &mut then } else { &mut otherwise };
            branch.get_or_insert(arm.body);
        }
        let rest = default.map(|d| d.body).unwrap_or_default();
        (
            test,
            then.unwrap_or_else(|| rest.clone()),
            otherwise.unwrap_or(rest),
        )
    }

    pub(super) fn label(&self, case: &VerilogCase, ty: Ty) -> Result<Expr> {
        let number = match case.condition.as_str() {
            "true" => Some(1),
            "false" => Some(0),
            text => parse_integer(text),
        };
        match number {
            Some(value) => self.sized(value.into(), ty),
            None => {
                let symbol = self.symbol(&case.condition)?;
                let label = Expr::new(ExprKind::Symbol(symbol), self.symbols.all[symbol].ty);
                self.same_width(label, ty, &case.condition)
            }
        }
    }

    pub(super) fn link(&mut self, link: &VerilogLink, out: &mut Vec<Stmt>) -> Result<()> {
        let ends = |owner: &str, other: &str, field: &str| {
            let field = field.replace('.', "$");
            (format!("{owner}{field}"), format!("{other}{field}"))
        };
        let (from, to) = match link {
            VerilogLink::Forward(x) => ends(&x.owner_name, &x.other_name, &x.my_name),
            VerilogLink::Backward(x) => ends(&x.other_name, &x.owner_name, &x.my_name),
            VerilogLink::Bidirectional(x) => {
                let (a, b) = ends(&x.owner_name, &x.other_name, &x.my_name);
                let (a, b) = (self.symbol(&a)?, self.symbol(&b)?);
                let kind = |s: SymId| &self.symbols.all[s].kind;
                return match (kind(a), kind(b)) {
                    (Kind::InOut, Kind::ChildInOut) => {
                        self.joined.push((b, a));
                        Ok(())
                    }
                    (Kind::ChildInOut, Kind::InOut) => {
                        self.joined.push((a, b));
                        Ok(())
                    }
                    _ => self.unsupported("a bidirectional link that is not from port to child"),
                };
            }
        };
        let signal = VerilogExpression::Signal;
        self.assignment(&signal(to), &signal(from), out)
    }
}
