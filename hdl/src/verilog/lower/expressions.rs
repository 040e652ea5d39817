//! Expressions, each in its exact width.

use super::describe::{describe, operator};
use super::{Lowering, Result, Shape};
use crate::verilog::error::EmitError;
use crate::verilog::ir::{Expr, ExprKind, Ty, UnaryOp};
use num_bigint::BigInt;
use num_traits::{One, ToPrimitive, Zero};
use rust_hdl::core::ast::{VerilogExpression, VerilogOp, VerilogOpUnary};

impl Lowering<'_, '_> {
    /// Lowers an expression to a given type.
    pub(super) fn typed(&mut self, expression: &VerilogExpression, ty: Ty) -> Result<Expr> {
        if !matches!(self.shape(expression)?, Shape::Typed(_)) {
            if let Some(value) = self.number(expression) {
                return self.sized(value, ty);
            }
        }
        let lowered = self.expression(expression, Some(ty))?;
        self.same_width(lowered, ty, &describe(expression))
    }

    /// Lowers an expression that knows its own type.
    pub(super) fn self_typed(&mut self, expression: &VerilogExpression) -> Result<Expr> {
        match self.shape(expression)? {
            Shape::Typed(ty) => self.typed(expression, ty),
            _ => Err(self.unknown_width(expression)),
        }
    }

    pub(super) fn unknown_width(&self, expression: &VerilogExpression) -> EmitError {
        EmitError::UnknownWidth {
            block: self.path(),
            what: describe(expression),
        }
    }

    pub(super) fn same_width(&self, lowered: Expr, ty: Ty, what: &str) -> Result<Expr> {
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

    pub(super) fn expression(
        &mut self,
        expression: &VerilogExpression,
        want: Option<Ty>,
    ) -> Result<Expr> {
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

    pub(super) fn cast(&mut self, inner: &VerilogExpression, width: usize) -> Result<Expr> {
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

    pub(super) fn signed(&mut self, inner: &VerilogExpression, want: Option<Ty>) -> Result<Expr> {
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

    pub(super) fn binary(
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
                if let (VerilogOp::Shl, ExprKind::Const(by)) = (op, &amount.kind) {
                    let by = by.to_usize();
                    if let Some(word) = by.and_then(|by| self.moved_up(&left, by)) {
                        return Ok(word);
                    }
                }
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
                if matches!(op, VerilogOp::Add | VerilogOp::BitOr | VerilogOp::BitXor) {
                    if let Some(word) = self.side_by_side(&left, &right) {
                        return Ok(word);
                    }
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
    pub(super) fn operands(
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

    pub(super) fn operand(&mut self, e: &VerilogExpression, ty: Ty) -> Result<Expr> {
        match self.shape(e)? {
            Shape::Typed(own) if own.boolean && !ty.boolean => {
                Ok(self.typed(e, own)?.zero_extended(ty.width))
            }
            _ => self.typed(e, ty),
        }
    }

    pub(super) fn extended(&mut self, e: Expr, width: usize) -> Result<Expr> {
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

    pub(super) fn unary(
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

    pub(super) fn bit(
        &mut self,
        base: &VerilogExpression,
        index: &VerilogExpression,
    ) -> Result<Expr> {
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

    pub(super) fn slice(
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

    pub(super) fn bit_replaced(
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
}
