//! From rust-hdl's syntax tree to the emitter's own form: resolves names, unrolls loops, finds every width.

use super::error::EmitError;
use super::ir::{Arm, CaseDefault, Expr, ExprKind, Place, Stmt, SymId, Ty, UnaryOp};
use super::names::{parse_integer, resolve_indices, Loops};
use super::symbols::{Kind, Symbols};
use super::tree::{literal_bits, literal_value};
use num_bigint::BigInt;
use num_traits::{One, Signed, ToPrimitive, Zero};
use rust_hdl::core::ast::{
    VerilogBlock, VerilogBlockOrConditional, VerilogCase, VerilogConditional, VerilogExpression,
    VerilogLink, VerilogLoop, VerilogMatch, VerilogOp, VerilogOpUnary, VerilogStatement,
};
use rust_hdl::core::type_descriptor::{TypeDescriptor, TypeKind};
use rust_hdl::prelude::clog2;

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

    // ---- Statements

    fn block(&mut self, code: &VerilogBlock, out: &mut Vec<Stmt>) -> Result<()> {
        code.iter()
            .try_for_each(|statement| self.statement(statement, out))
    }

    fn nested(&mut self, code: &VerilogBlock) -> Result<Vec<Stmt>> {
        let mut body = vec![];
        self.depth += 1;
        let result = self.block(code, &mut body);
        self.depth -= 1;
        result.map(|()| body)
    }

    fn statement(&mut self, statement: &VerilogStatement, out: &mut Vec<Stmt>) -> Result<()> {
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

    fn push(&mut self, statement: Stmt, out: &mut Vec<Stmt>) {
        if self.depth == 0 {
            out.append(&mut self.hoisted);
        }
        out.append(&mut self.pending);
        out.push(statement);
    }

    fn unroll(&mut self, l: &VerilogLoop, out: &mut Vec<Stmt>) -> Result<()> {
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

    fn target(&self, expression: &VerilogExpression) -> Result<SymId> {
        match expression {
            VerilogExpression::Signal(name) => {
                self.symbol(name.strip_suffix("$next").unwrap_or(name))
            }
            VerilogExpression::Paren(inner) => self.target(inner),
            other => self.unsupported(format!("an assignment to {other:?}")),
        }
    }

    fn assignment(
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
    fn own_bit_replaced(
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

    fn slice_assignment(
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

    fn conditional(&mut self, c: &VerilogConditional, out: &mut Vec<Stmt>) -> Result<()> {
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

    fn case(&mut self, m: &VerilogMatch, out: &mut Vec<Stmt>) -> Result<()> {
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

    fn boolean_case(
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

    fn label(&self, case: &VerilogCase, ty: Ty) -> Result<Expr> {
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

    fn link(&mut self, link: &VerilogLink, out: &mut Vec<Stmt>) -> Result<()> {
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

    // ---- Names and numbers

    fn symbol(&self, name: &str) -> Result<SymId> {
        let block = self.path();
        let key = resolve_indices(name, &self.loops).ok_or_else(|| EmitError::Index {
            block: block.clone(),
            name: readable(name),
        })?;
        self.symbols
            .lookup(key.trim_start_matches('.'))
            .ok_or(EmitError::UnknownName {
                block,
                name: readable(name),
            })
    }

    /// Value of an expression of literals and loop variables only.
    fn number(&self, expression: &VerilogExpression) -> Option<BigInt> {
        match expression {
            VerilogExpression::Signal(name) => self.loops.get(name).map(|v| BigInt::from(*v)),
            VerilogExpression::Literal(literal) => Some(literal_value(literal)),
            VerilogExpression::Paren(e)
            | VerilogExpression::Cast(e, _)
            | VerilogExpression::Signed(e)
            | VerilogExpression::Unsigned(e) => self.number(e),
            VerilogExpression::Binary(a, op, b) => fold(op, self.number(a)?, self.number(b)?),
            VerilogExpression::Unary(VerilogOpUnary::Neg, e) => self.number(e).map(|v| -v),
            VerilogExpression::Unary(VerilogOpUnary::Not, e) => match self.shape(e) {
                Ok(Shape::Typed(Ty::BOOL)) => self.number(e).map(|v| BigInt::one() - v),
                _ => None,
            },
            _ => None,
        }
    }

    /// Value of an index: as [`Self::number`], or a constant of the block.
    fn index_number(&self, index: &VerilogExpression) -> Option<BigInt> {
        match strip_parens(index) {
            VerilogExpression::Signal(name) if !self.loops.contains_key(name) => {
                match &self.symbols.all[self.symbol(name).ok()?].kind {
                    Kind::Constant(value) => Some(value.clone()),
                    _ => None,
                }
            }
            _ => self.number(index),
        }
    }

    fn sized(&self, value: BigInt, ty: Ty) -> Result<Expr> {
        let limit = BigInt::one() << (ty.width - usize::from(ty.signed));
        let lowest = if ty.signed {
            -limit.clone()
        } else {
            BigInt::zero()
        };
        if value < lowest || value >= limit {
            let (value, width) = (value.to_string(), ty.width);
            return Err(EmitError::TooLarge {
                block: self.path(),
                value,
                width,
            });
        }
        Ok(Expr::constant(value, ty))
    }

    /// `lo` as a number, if `lo .. lo + count` lies within `width`.
    fn in_range(
        &self,
        lo: &BigInt,
        count: usize,
        width: usize,
        what: &VerilogExpression,
    ) -> Result<usize> {
        let fits = |lo: &usize| lo.checked_add(count).is_some_and(|end| end <= width);
        lo.to_usize()
            .filter(fits)
            .ok_or_else(|| EmitError::OutOfRange {
                block: self.path(),
                what: describe(what),
                bit: (lo + BigInt::from(count) - BigInt::one()).to_string(),
                width,
            })
    }

    // ---- Types

    fn shape(&self, expression: &VerilogExpression) -> Result<Shape> {
        Ok(match expression {
            VerilogExpression::Signal(name) if self.loops.contains_key(name) => Shape::Number,
            VerilogExpression::Signal(name) => {
                Shape::Typed(self.symbols.all[self.symbol(name)?].ty)
            }
            VerilogExpression::Literal(l) if literal_bits(l) == 1 => Shape::Typed(Ty::BOOL),
            VerilogExpression::Literal(_) => Shape::Number,
            VerilogExpression::Cast(_, width) => Shape::Typed(Ty::bits(*width)),
            VerilogExpression::Signed(e) => match self.shape(e)? {
                Shape::Typed(ty) if ty.signed => Shape::Extended(ty.width),
                Shape::Typed(ty) => Shape::Typed(Ty::signed(ty.width)),
                other => other,
            },
            VerilogExpression::Unsigned(e) => match self.shape(e)? {
                Shape::Typed(ty) => Shape::Typed(Ty::bits(ty.width)),
                other => other,
            },
            VerilogExpression::Paren(e) => self.shape(e)?,
            VerilogExpression::Binary(a, op, b) => self.binary_shape(a, op, b)?,
            VerilogExpression::Unary(VerilogOpUnary::Not | VerilogOpUnary::Neg, e) => {
                self.shape(e)?
            }
            VerilogExpression::Unary(_, _) => Shape::Typed(Ty::BOOL),
            VerilogExpression::Index(_, _) => Shape::Typed(Ty::BOOL),
            VerilogExpression::Slice(base, width, offset) => {
                Shape::Typed(self.slice_type(base, *width, offset)?)
            }
            VerilogExpression::IndexReplace(base, _, _) => self.shape(base)?,
        })
    }

    fn binary_shape(
        &self,
        a: &VerilogExpression,
        op: &VerilogOp,
        b: &VerilogExpression,
    ) -> Result<Shape> {
        match op {
            VerilogOp::Shl | VerilogOp::Shr => match (self.shape(a)?, self.shape(b)?) {
                // A plain Rust number shifted by a signal is a Bits<64>.
                (Shape::Number, Shape::Typed(_)) => Ok(Shape::Typed(Ty::bits(64))),
                (left, _) => Ok(left),
            },
            VerilogOp::Mul => match (self.shape(a)?, self.shape(b)?) {
                (Shape::Typed(x), Shape::Typed(y)) => {
                    let width = x.width + y.width;
                    Ok(Shape::Typed(Ty {
                        width,
                        signed: x.signed,
                        boolean: false,
                    }))
                }
                (Shape::Number, Shape::Number) => Ok(Shape::Number),
                _ => self.unsupported("a product of a signal and a number"),
            },
            VerilogOp::Add
            | VerilogOp::Sub
            | VerilogOp::BitXor
            | VerilogOp::BitAnd
            | VerilogOp::BitOr => self.common_shape(a, b),
            _ => Ok(Shape::Typed(Ty::BOOL)),
        }
    }

    /// The type that two operands share. A `bool` may be added to `Bits`, so the other one decides.
    fn common_shape(&self, a: &VerilogExpression, b: &VerilogExpression) -> Result<Shape> {
        Ok(match (self.shape(a)?, self.shape(b)?) {
            (Shape::Typed(x), Shape::Typed(y)) => Shape::Typed(if x.boolean { y } else { x }),
            (Shape::Typed(x), _) | (_, Shape::Typed(x)) => Shape::Typed(x),
            (Shape::Extended(x), Shape::Extended(y)) => Shape::Extended(x.max(y)),
            (Shape::Extended(x), _) | (_, Shape::Extended(x)) => Shape::Extended(x),
            (Shape::Number, Shape::Number) => Shape::Number,
        })
    }

    fn slice_type(
        &self,
        base: &VerilogExpression,
        width: usize,
        offset: &VerilogExpression,
    ) -> Result<Ty> {
        if let (VerilogExpression::Signal(name), Some(lo)) = (base, self.index_number(offset)) {
            if !self.loops.contains_key(name) {
                let symbol = self.symbol(name)?;
                return Ok(self.field_type(symbol, lo.to_usize().unwrap_or(0), width));
            }
        }
        let signed = matches!(self.shape(base)?, Shape::Typed(ty) if ty.signed);
        Ok(Ty {
            width,
            signed,
            boolean: false,
        })
    }

    /// Type of bits `lo .. lo + width` of a symbol: that of the field there, for a struct.
    fn field_type(&self, symbol: SymId, lo: usize, width: usize) -> Ty {
        let symbol = &self.symbols.all[symbol];
        let field = symbol
            .descriptor
            .as_ref()
            .and_then(|d| struct_field(d, lo, width));
        field.unwrap_or(Ty {
            width,
            signed: symbol.ty.signed,
            boolean: false,
        })
    }

    // ---- Expressions

    /// Lowers an expression to a given type.
    fn typed(&mut self, expression: &VerilogExpression, ty: Ty) -> Result<Expr> {
        if !matches!(self.shape(expression)?, Shape::Typed(_)) {
            if let Some(value) = self.number(expression) {
                return self.sized(value, ty);
            }
        }
        let lowered = self.expression(expression, Some(ty))?;
        self.same_width(lowered, ty, &describe(expression))
    }

    /// Lowers an expression that knows its own type.
    fn self_typed(&mut self, expression: &VerilogExpression) -> Result<Expr> {
        match self.shape(expression)? {
            Shape::Typed(ty) => self.typed(expression, ty),
            _ => Err(self.unknown_width(expression)),
        }
    }

    fn unknown_width(&self, expression: &VerilogExpression) -> EmitError {
        EmitError::UnknownWidth {
            block: self.path(),
            what: describe(expression),
        }
    }

    fn same_width(&self, lowered: Expr, ty: Ty, what: &str) -> Result<Expr> {
        if lowered.ty.width != ty.width {
            return Err(EmitError::Width {
                block: self.path(),
                what: what.to_string(),
                found: lowered.ty.width,
                expected: ty.width,
            });
        }
        Ok(lowered)
    }

    fn expression(&mut self, expression: &VerilogExpression, want: Option<Ty>) -> Result<Expr> {
        match expression {
            VerilogExpression::Paren(inner) => self.expression(inner, want),
            VerilogExpression::Signal(name) if !self.loops.contains_key(name) => {
                let symbol = self.symbol(name)?;
                Ok(Expr::new(
                    ExprKind::Symbol(symbol),
                    self.symbols.all[symbol].ty,
                ))
            }
            VerilogExpression::Signal(_) | VerilogExpression::Literal(_) => {
                let value = self
                    .number(expression)
                    .ok_or_else(|| self.unknown_width(expression))?;
                let own = match self.shape(expression)? {
                    Shape::Typed(ty) => Some(ty),
                    _ => want,
                };
                self.sized(value, own.ok_or_else(|| self.unknown_width(expression))?)
            }
            VerilogExpression::Cast(inner, width) => self.cast(inner, *width),
            VerilogExpression::Signed(inner) => self.signed(inner, want),
            VerilogExpression::Unsigned(inner) => {
                let want = want.map(|ty| Ty::signed(ty.width));
                Ok(self.expression(inner, want)?.reinterpreted(false))
            }
            VerilogExpression::Binary(a, op, b) => self.binary(expression, a, op, b, want),
            VerilogExpression::Unary(op, inner) => self.unary(op, inner, want),
            VerilogExpression::Index(base, index) => self.bit(base, index),
            VerilogExpression::Slice(base, width, offset) => self.slice(base, *width, offset),
            VerilogExpression::IndexReplace(base, index, bit) => {
                self.bit_replaced(base, index, bit)
            }
        }
    }

    fn cast(&mut self, inner: &VerilogExpression, width: usize) -> Result<Expr> {
        match self.shape(inner)? {
            Shape::Typed(_) => {
                let inner = self.self_typed(inner)?.reinterpreted(false);
                if inner.ty.width <= width {
                    Ok(Expr {
                        ty: Ty::bits(width),
                        ..inner.zero_extended(width)
                    })
                } else {
                    self.part(inner, 0, width)
                }
            }
            Shape::Number | Shape::Extended(_) => self.typed(inner, Ty::bits(width)),
        }
    }

    fn signed(&mut self, inner: &VerilogExpression, want: Option<Ty>) -> Result<Expr> {
        match (self.shape(inner)?, want) {
            (Shape::Typed(ty), _) if !ty.signed => Ok(self.self_typed(inner)?.reinterpreted(true)),
            (Shape::Typed(from), Some(to)) => {
                let value = self.self_typed(inner)?;
                if to.width <= from.width {
                    return Ok(self.part(value, 0, to.width)?.reinterpreted(true));
                }
                let value = self.named(value)?;
                let sign = self.part(value.clone(), from.width - 1, 1)?;
                let missing = to.width - from.width;
                let repeated = ExprKind::Repeat(missing, Box::new(sign));
                let repeated = Expr::new(repeated, Ty::bits(missing));
                let all = ExprKind::Concat(vec![repeated, value]);
                Ok(Expr::new(all, Ty::bits(to.width)).reinterpreted(true))
            }
            (_, Some(to)) => self.typed(inner, Ty::signed(to.width)),
            (_, None) => Err(self.unknown_width(inner)),
        }
    }

    fn binary(
        &mut self,
        whole: &VerilogExpression,
        a: &VerilogExpression,
        op: &VerilogOp,
        b: &VerilogExpression,
        want: Option<Ty>,
    ) -> Result<Expr> {
        let text = operator(op);
        match op {
            VerilogOp::Shl | VerilogOp::Shr => {
                let ty = match (self.binary_shape(a, op, b)?, want) {
                    (Shape::Typed(ty), _) | (_, Some(ty)) => ty,
                    _ => return Err(self.unknown_width(whole)),
                };
                let left = self.typed(a, ty)?;
                let amount = match self.number(b) {
                    Some(value) => Expr::constant(value, Ty::bits(32)),
                    None => self.self_typed(b)?,
                };
                Ok(Expr::binary(text, left, amount, ty))
            }
            VerilogOp::Mul => {
                let Shape::Typed(ty) = self.binary_shape(a, op, b)? else {
                    return Err(self.unknown_width(whole));
                };
                let (left, right) = (self.self_typed(a)?, self.self_typed(b)?);
                let left = self.extended(left, ty.width)?;
                let right = self.extended(right, ty.width)?;
                Ok(Expr::binary(text, left, right, ty))
            }
            VerilogOp::LogicalAnd | VerilogOp::LogicalOr => {
                let (left, right) = (self.typed(a, Ty::BOOL)?, self.typed(b, Ty::BOOL)?);
                Ok(Expr::binary(text, left, right, Ty::BOOL))
            }
            VerilogOp::Add
            | VerilogOp::Sub
            | VerilogOp::BitXor
            | VerilogOp::BitAnd
            | VerilogOp::BitOr => {
                let (left, right, ty) = self.operands(whole, a, b, want)?;
                let nothing = matches!(&right.kind, ExprKind::Const(v) if v.is_zero());
                if nothing && !matches!(op, VerilogOp::BitAnd) {
                    return Ok(left);
                }
                Ok(Expr::binary(text, left, right, ty))
            }
            _ => {
                let (left, right, _) = self.operands(whole, a, b, None)?;
                Ok(Expr::binary(text, left, right, Ty::BOOL))
            }
        }
    }

    /// Both operands in the type that they share.
    fn operands(
        &mut self,
        whole: &VerilogExpression,
        a: &VerilogExpression,
        b: &VerilogExpression,
        want: Option<Ty>,
    ) -> Result<(Expr, Expr, Ty)> {
        let ty = match (self.common_shape(a, b)?, want) {
            (Shape::Typed(ty), _) => ty,
            (_, Some(ty)) => ty,
            (Shape::Extended(width), None) => Ty::signed(width),
            (Shape::Number, None) => return Err(self.unknown_width(whole)),
        };
        Ok((self.operand(a, ty)?, self.operand(b, ty)?, ty))
    }

    fn operand(&mut self, e: &VerilogExpression, ty: Ty) -> Result<Expr> {
        match self.shape(e)? {
            Shape::Typed(own) if own.boolean && !ty.boolean => {
                Ok(self.typed(e, own)?.zero_extended(ty.width))
            }
            _ => self.typed(e, ty),
        }
    }

    fn extended(&mut self, e: Expr, width: usize) -> Result<Expr> {
        if !e.ty.signed {
            return Ok(e.zero_extended(width));
        }
        let e = self.named(e)?;
        let missing = width - e.ty.width;
        let sign = self.part(e.clone(), e.ty.width - 1, 1)?;
        let repeated = Expr::new(ExprKind::Repeat(missing, Box::new(sign)), Ty::bits(missing));
        let all = Expr::new(ExprKind::Concat(vec![repeated, e]), Ty::bits(width));
        Ok(all.reinterpreted(true))
    }

    fn unary(
        &mut self,
        op: &VerilogOpUnary,
        inner: &VerilogExpression,
        want: Option<Ty>,
    ) -> Result<Expr> {
        let inner = match op {
            VerilogOpUnary::Not | VerilogOpUnary::Neg => self.expression(inner, want)?,
            _ => self.self_typed(inner)?,
        };
        let (op, ty) = match op {
            VerilogOpUnary::Not if inner.ty.boolean => (UnaryOp::LogicalNot, Ty::BOOL),
            VerilogOpUnary::Not => (UnaryOp::BitNot, inner.ty),
            VerilogOpUnary::Neg => (UnaryOp::Negate, inner.ty),
            _ if inner.ty.width == 1 => {
                return Ok(Expr {
                    ty: Ty::BOOL,
                    ..inner
                })
            }
            VerilogOpUnary::All => (UnaryOp::All, Ty::BOOL),
            VerilogOpUnary::Any => (UnaryOp::Any, Ty::BOOL),
            VerilogOpUnary::Xor => (UnaryOp::Parity, Ty::BOOL),
        };
        Ok(Expr::new(ExprKind::Unary(op, Box::new(inner)), ty))
    }

    fn bit(&mut self, base: &VerilogExpression, index: &VerilogExpression) -> Result<Expr> {
        let value = self.self_typed(base)?;
        let width = value.ty.width;
        let bit = match self.index_number(index) {
            Some(i) => {
                let lo = self.in_range(&i, 1, width, base)?;
                self.part(value, lo, 1)?
            }
            None if width == 1 => value,
            None => {
                let index = self.index_of(index, width)?;
                self.part_at(value, index, 1)?
            }
        };
        Ok(Expr {
            ty: Ty::BOOL,
            ..bit.reinterpreted(false)
        })
    }

    fn slice(
        &mut self,
        base: &VerilogExpression,
        width: usize,
        offset: &VerilogExpression,
    ) -> Result<Expr> {
        let ty = self.slice_type(base, width, offset)?;
        let value = self.self_typed(base)?;
        let whole = value.ty.width;
        let part = match self.index_number(offset) {
            Some(lo) => {
                // Reading past the end gives zeros, as in Rust.
                let lo = self.in_range(&lo, 1, whole, base)?;
                let there = width.min(whole - lo);
                self.part(value, lo, there)?
                    .reinterpreted(false)
                    .zero_extended(width)
            }
            None => {
                let shift = self.self_typed(offset)?;
                let furthest = BigInt::one() << shift.ty.width;
                if furthest + BigInt::from(width) <= BigInt::from(whole) + BigInt::one() {
                    let offset = self.fitted_index(shift, whole)?;
                    self.part_at(value, offset, width)?
                } else {
                    let whole_ty = value.ty;
                    let shifted = Expr::binary(">>", value, shift, whole_ty);
                    self.part(shifted, 0, width.min(whole))?
                        .reinterpreted(false)
                        .zero_extended(width)
                }
            }
        };
        let part = part.reinterpreted(ty.signed);
        Ok(Expr { ty, ..part })
    }

    fn bit_replaced(
        &mut self,
        base: &VerilogExpression,
        index: &VerilogExpression,
        bit: &VerilogExpression,
    ) -> Result<Expr> {
        let value = self.self_typed(base)?;
        let bit = self.typed(bit, Ty::BOOL)?;
        let ty = value.ty;
        if ty.width == 1 {
            return Ok(Expr { ty, ..bit });
        }
        let Some(i) = self.index_number(index) else {
            let index = self.self_typed(index)?;
            let one = Expr::constant(1, ty);
            let hole = Expr::binary("<<", one, index.clone(), ty);
            let hole = Expr::new(ExprKind::Unary(UnaryOp::BitNot, Box::new(hole)), ty);
            let kept = Expr::binary("&", value, hole, ty);
            let new = Expr::binary("<<", bit.zero_extended(ty.width), index, ty);
            return Ok(Expr::binary("|", kept, new, ty));
        };
        let i = self.in_range(&i, 1, ty.width, base)?;
        let value = self.named(value)?;
        let mut parts = vec![];
        if i + 1 < ty.width {
            parts.push(self.part(value.clone(), i + 1, ty.width - i - 1)?);
        }
        parts.push(bit);
        if i > 0 {
            parts.push(self.part(value, 0, i)?);
        }
        Ok(Expr::new(ExprKind::Concat(parts), Ty::bits(ty.width)).reinterpreted(ty.signed))
    }

    // ---- Parts of expressions

    /// Bits `lo .. lo + width`; Verilog takes parts of names only, so other expressions get one. Unsigned unless it is
    /// the whole expression.
    fn part(&mut self, e: Expr, lo: usize, width: usize) -> Result<Expr> {
        if lo == 0 && width == e.ty.width {
            return Ok(e);
        }
        let ty = Ty::bits(width);
        match e.kind {
            ExprKind::Symbol(symbol) => Ok(Expr::new(ExprKind::Select(symbol, lo), ty)),
            ExprKind::Select(symbol, from) => {
                Ok(Expr::new(ExprKind::Select(symbol, from + lo), ty))
            }
            ExprKind::Const(value) => {
                let mask = (BigInt::one() << width) - BigInt::one();
                Ok(Expr::constant((value >> lo) & mask, ty))
            }
            _ => {
                let named = self.named(e)?;
                self.part(named, lo, width)
            }
        }
    }

    /// The `width` bits from a computed offset on, which is as wide as an index into `e`.
    fn part_at(&mut self, e: Expr, offset: Expr, width: usize) -> Result<Expr> {
        let e = self.named(e)?;
        match e.kind {
            ExprKind::Symbol(symbol) => {
                let part = ExprKind::SelectAt(symbol, Box::new(offset));
                Ok(Expr::new(part, Ty::bits(width)))
            }
            _ => {
                let symbol = self.temporary(e);
                self.part_at(symbol, offset, width)
            }
        }
    }

    /// An index into `width` bits.
    fn index_of(&mut self, index: &VerilogExpression, width: usize) -> Result<Expr> {
        let index = self.self_typed(index)?;
        self.fitted_index(index, width)
    }

    fn fitted_index(&mut self, index: Expr, width: usize) -> Result<Expr> {
        let needed = clog2(width);
        let index = index.reinterpreted(false);
        if index.ty.width <= needed {
            Ok(index.zero_extended(needed))
        } else {
            self.part(index, 0, needed)
        }
    }

    /// The expression itself if parts of it can be taken, else a temporary that holds it.
    fn named(&mut self, e: Expr) -> Result<Expr> {
        match e.kind {
            ExprKind::Symbol(_) | ExprKind::Select(..) | ExprKind::Const(_) => Ok(e),
            _ => Ok(self.temporary(e)),
        }
    }

    fn temporary(&mut self, e: Expr) -> Expr {
        let ty = e.ty;
        if let Some((_, symbol)) = self.known.iter().find(|(known, _)| *known == e) {
            return Expr::new(ExprKind::Symbol(*symbol), ty);
        }
        let mut stable = true;
        e.reads(&mut |s, _| stable &= self.symbols.all[s].kind.is_stable());
        let target = self
            .symbols
            .temporary(&format!("{}_full", self.hint), ty, stable);
        let assignment = Stmt::Assign {
            target,
            place: Place::Whole,
            value: e.clone(),
        };
        if stable {
            self.hoisted.push(assignment);
            self.known.push((e, target));
        } else {
            self.pending.push(assignment);
        }
        Expr::new(ExprKind::Symbol(target), ty)
    }
}

/// The text of a comment. rust-hdl keeps the macro call around it, spaced as the compiler prints it.
pub fn comment_text(call: &str) -> String {
    let after_name = call.split_once('!').map_or(call, |(_, rest)| rest);
    let inside = after_name
        .trim_start()
        .strip_prefix('(')
        .unwrap_or(call)
        .trim();
    let text = inside.strip_prefix('"').unwrap_or(inside);
    let text = text.strip_suffix(')').map_or(text, str::trim_end);
    text.strip_suffix('"').unwrap_or(text).replace("\\\"", "\"")
}

fn strip_parens(e: &VerilogExpression) -> &VerilogExpression {
    match e {
        VerilogExpression::Paren(inner) => strip_parens(inner),
        other => other,
    }
}

/// A rust-hdl name as the source writes it.
fn readable(name: &str) -> String {
    name.replace('$', ".")
}

fn describe(e: &VerilogExpression) -> String {
    match e {
        VerilogExpression::Signal(name) => readable(name),
        VerilogExpression::Literal(l) => literal_value(l).to_string(),
        VerilogExpression::Cast(e, n) => format!("bit_cast::<{n}, _>({})", describe(e)),
        VerilogExpression::Signed(e) => format!("signed({})", describe(e)),
        VerilogExpression::Unsigned(e) => format!("unsigned({})", describe(e)),
        VerilogExpression::Paren(e) => format!("({})", describe(e)),
        VerilogExpression::Binary(a, op, b) => {
            format!("{} {} {}", describe(a), operator(op), describe(b))
        }
        VerilogExpression::Unary(VerilogOpUnary::Not, e) => format!("!{}", describe(e)),
        VerilogExpression::Unary(VerilogOpUnary::Neg, e) => format!("-{}", describe(e)),
        VerilogExpression::Unary(VerilogOpUnary::All, e) => format!("{}.all()", describe(e)),
        VerilogExpression::Unary(VerilogOpUnary::Any, e) => format!("{}.any()", describe(e)),
        VerilogExpression::Unary(VerilogOpUnary::Xor, e) => format!("{}.xor()", describe(e)),
        VerilogExpression::Index(e, i) => format!("{}.get_bit({})", describe(e), describe(i)),
        VerilogExpression::Slice(e, n, i) => {
            format!("{}.get_bits::<{n}>({})", describe(e), describe(i))
        }
        VerilogExpression::IndexReplace(e, i, b) => {
            format!(
                "{}.replace_bit({}, {})",
                describe(e),
                describe(i),
                describe(b)
            )
        }
    }
}

fn operator(op: &VerilogOp) -> &'static str {
    match op {
        VerilogOp::Add => "+",
        VerilogOp::Sub => "-",
        VerilogOp::Mul => "*",
        VerilogOp::LogicalAnd => "&&",
        VerilogOp::LogicalOr => "||",
        VerilogOp::BitXor => "^",
        VerilogOp::BitAnd => "&",
        VerilogOp::BitOr => "|",
        VerilogOp::Shl => "<<",
        VerilogOp::Shr => ">>",
        VerilogOp::Eq => "==",
        VerilogOp::Lt => "<",
        VerilogOp::Le => "<=",
        VerilogOp::Ne => "!=",
        VerilogOp::Ge => ">=",
        VerilogOp::Gt => ">",
    }
}

fn fold(op: &VerilogOp, a: BigInt, b: BigInt) -> Option<BigInt> {
    let truth = |t: bool| Some(BigInt::from(u8::from(t)));
    match op {
        VerilogOp::Add => Some(a + b),
        VerilogOp::Sub => Some(a - b),
        VerilogOp::Mul => Some(a * b),
        VerilogOp::LogicalAnd => truth(!a.is_zero() && !b.is_zero()),
        VerilogOp::LogicalOr => truth(!a.is_zero() || !b.is_zero()),
        VerilogOp::BitXor => Some(a ^ b),
        VerilogOp::BitAnd => Some(a & b),
        VerilogOp::BitOr => Some(a | b),
        VerilogOp::Shl => (!b.is_negative())
            .then(|| b.to_u16())
            .flatten()
            .map(|n| a << n),
        VerilogOp::Shr => (!b.is_negative())
            .then(|| b.to_u16())
            .flatten()
            .map(|n| a >> n),
        VerilogOp::Eq => truth(a == b),
        VerilogOp::Lt => truth(a < b),
        VerilogOp::Le => truth(a <= b),
        VerilogOp::Ne => truth(a != b),
        VerilogOp::Ge => truth(a >= b),
        VerilogOp::Gt => truth(a > b),
    }
}

/// Type of the field of a struct that fills exactly the bits `lo .. lo + width`.
fn struct_field(descriptor: &TypeDescriptor, lo: usize, width: usize) -> Option<Ty> {
    let TypeKind::Composite(fields) = &descriptor.kind else {
        return None;
    };
    let mut at = 0;
    for field in fields {
        let ty = Ty::of(&field.kind);
        if at == lo && ty.width == width {
            return Some(ty);
        }
        at += ty.width;
    }
    None
}
