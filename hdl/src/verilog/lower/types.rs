//! Types of expressions, as far as they are known without context.

use super::{Lowering, Result, Shape};
use crate::verilog::ir::{SymId, Ty};
use crate::verilog::tree::literal_bits;
use num_traits::ToPrimitive;
use rust_hdl::core::ast::{VerilogExpression, VerilogOp, VerilogOpUnary};
use rust_hdl::core::type_descriptor::{TypeDescriptor, TypeKind};

impl Lowering<'_, '_> {
    pub(super) fn shape(&self, expression: &VerilogExpression) -> Result<Shape> {
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

    pub(super) fn binary_shape(
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
    pub(super) fn common_shape(
        &self,
        a: &VerilogExpression,
        b: &VerilogExpression,
    ) -> Result<Shape> {
        Ok(match (self.shape(a)?, self.shape(b)?) {
            (Shape::Typed(x), Shape::Typed(y)) => Shape::Typed(if x.boolean { y } else { x }),
            (Shape::Typed(x), _) | (_, Shape::Typed(x)) => Shape::Typed(x),
            (Shape::Extended(x), Shape::Extended(y)) => Shape::Extended(x.max(y)),
            (Shape::Extended(x), _) | (_, Shape::Extended(x)) => Shape::Extended(x),
            (Shape::Number, Shape::Number) => Shape::Number,
        })
    }

    pub(super) fn slice_type(
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
    pub(super) fn field_type(&self, symbol: SymId, lo: usize, width: usize) -> Ty {
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
