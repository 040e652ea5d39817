//! Parts of expressions. Verilog takes parts of names only, so other expressions get one.

use super::{Lowering, Result};
use crate::verilog::ir::{Expr, ExprKind, Place, Stmt, Ty};
use num_bigint::BigInt;
use num_traits::One;
use rust_hdl::core::ast::VerilogExpression;
use rust_hdl::prelude::clog2;

impl Lowering<'_, '_> {
    /// Bits `lo .. lo + width`; Verilog takes parts of names only, so other expressions get one. Unsigned unless it is
    /// the whole expression.
    pub(super) fn part(&mut self, e: Expr, lo: usize, width: usize) -> Result<Expr> {
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
    pub(super) fn part_at(&mut self, e: Expr, offset: Expr, width: usize) -> Result<Expr> {
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
    pub(super) fn index_of(&mut self, index: &VerilogExpression, width: usize) -> Result<Expr> {
        let index = self.self_typed(index)?;
        self.fitted_index(index, width)
    }

    pub(super) fn fitted_index(&mut self, index: Expr, width: usize) -> Result<Expr> {
        let needed = clog2(width);
        let index = index.reinterpreted(false);
        if index.ty.width <= needed {
            Ok(index.zero_extended(needed))
        } else {
            self.part(index, 0, needed)
        }
    }

    /// The expression itself if parts of it can be taken, else a temporary that holds it.
    pub(super) fn named(&mut self, e: Expr) -> Result<Expr> {
        match e.kind {
            ExprKind::Symbol(_) | ExprKind::Select(..) | ExprKind::Const(_) => Ok(e),
            _ => Ok(self.temporary(e)),
        }
    }

    pub(super) fn temporary(&mut self, e: Expr) -> Expr {
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
