//! Concatenation. Rust-hdl has none: code shifts and adds, and this finds the words that are meant.

use super::Lowering;
use crate::verilog::ir::{Expr, ExprKind, Ty};
use num_traits::{ToPrimitive, Zero};

/// The bits of a word that are not always 0: the lowest bit of each piece, and the piece.
type Pieces = Vec<(usize, Expr)>;

impl Lowering<'_, '_> {
    /// `left` and `right` side by side, if no bit can be 1 in both; then `|`, `+` and `^` all mean that.
    pub(super) fn side_by_side(&self, left: &Expr, right: &Expr) -> Option<Expr> {
        let mut all = pieces(left)?;
        all.extend(pieces(right)?);
        self.word(all, left.ty)
    }

    /// An expression shifted left by a constant, if nothing but 0 is lost.
    pub(super) fn moved_up(&self, e: &Expr, by: usize) -> Option<Expr> {
        match e.kind {
            ExprKind::Concat(_) => self.word(shifted(pieces(e)?, by, e.ty.width)?, e.ty),
            _ => None,
        }
    }

    fn word(&self, mut pieces: Pieces, ty: Ty) -> Option<Expr> {
        pieces.sort_by_key(|(lo, _)| *lo);
        let mut parts = vec![];
        let mut next = 0;
        for (lo, piece) in pieces {
            let gap = lo.checked_sub(next)?;
            if gap > 0 {
                parts.push(Expr::constant(0, Ty::bits(gap)));
            }
            next = lo + piece.ty.width;
            parts.push(piece);
        }
        let gap = ty.width.checked_sub(next)?;
        if gap > 0 {
            parts.push(Expr::constant(0, Ty::bits(gap)));
        }
        parts.reverse();
        Some(Expr::concat(parts, |s| self.symbols.all[s].ty.width))
    }
}

fn pieces(e: &Expr) -> Option<Pieces> {
    if e.ty.signed {
        return None;
    }
    match &e.kind {
        ExprKind::Const(value) => {
            let Some(lo) = value.trailing_zeros() else {
                return Some(vec![]);
            };
            let width = usize::try_from(value.bits() - lo).ok()?;
            Some(vec![(
                usize::try_from(lo).ok()?,
                Expr::constant(value >> lo, Ty::bits(width)),
            )])
        }
        ExprKind::Concat(parts) => {
            let mut lo = 0;
            let mut found = vec![];
            for part in parts.iter().rev() {
                let is_zero = matches!(&part.kind, ExprKind::Const(v) if v.is_zero());
                if !is_zero {
                    found.push((lo, part.clone()));
                }
                lo += part.ty.width;
            }
            Some(found)
        }
        ExprKind::Binary("<<", inner, by) => match &by.kind {
            ExprKind::Const(by) => shifted(pieces(inner)?, by.to_usize()?, e.ty.width),
            _ => Some(vec![(0, e.clone())]),
        },
        _ => Some(vec![(0, e.clone())]),
    }
}

fn shifted(pieces: Pieces, by: usize, width: usize) -> Option<Pieces> {
    let moved = pieces.into_iter().map(|(lo, piece)| {
        let lo = lo.checked_add(by)?;
        (lo + piece.ty.width <= width).then_some((lo, piece))
    });
    moved.collect()
}
