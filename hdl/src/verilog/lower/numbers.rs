//! Names, and expressions whose value is known: literals, loop variables, constants as indices.

use super::describe::{describe, readable};
use super::{Lowering, Result, Shape};
use crate::verilog::error::EmitError;
use crate::verilog::ir::{Expr, SymId, Ty};
use crate::verilog::names::resolve_indices;
use crate::verilog::symbols::Kind;
use crate::verilog::tree::literal_value;
use num_bigint::BigInt;
use num_traits::{One, Signed, ToPrimitive, Zero};
use rust_hdl::core::ast::{VerilogExpression, VerilogOp, VerilogOpUnary};

impl Lowering<'_, '_> {
    pub(super) fn symbol(&self, name: &str) -> Result<SymId> {
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
    pub(super) fn number(&self, expression: &VerilogExpression) -> Option<BigInt> {
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
    pub(super) fn index_number(&self, index: &VerilogExpression) -> Option<BigInt> {
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

    pub(super) fn sized(&self, value: BigInt, ty: Ty) -> Result<Expr> {
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
    pub(super) fn in_range(
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
}

pub(super) fn strip_parens(e: &VerilogExpression) -> &VerilogExpression {
    match e {
        VerilogExpression::Paren(inner) => strip_parens(inner),
        other => other,
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
