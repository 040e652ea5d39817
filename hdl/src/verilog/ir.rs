//! The emitter's own form of a block's code: names resolved, loops unrolled, every width known.

use num_bigint::BigInt;
use num_traits::One;
use rust_hdl::core::type_descriptor::{TypeDescriptor, TypeKind};
use rust_hdl::prelude::clog2;

/// Type of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ty {
    /// Bits.
    pub width: usize,
    /// Two's complement, `Signed<N>` in Rust.
    pub signed: bool,
    /// A Rust `bool`, as opposed to a `Bits<1>`.
    pub boolean: bool,
}

impl Ty {
    pub const BOOL: Ty = Ty {
        width: 1,
        signed: false,
        boolean: true,
    };

    pub fn bits(width: usize) -> Ty {
        Ty {
            width,
            signed: false,
            boolean: false,
        }
    }

    pub fn signed(width: usize) -> Ty {
        Ty {
            width,
            signed: true,
            boolean: false,
        }
    }

    pub fn of(descriptor: &TypeDescriptor) -> Ty {
        match &descriptor.kind {
            TypeKind::Bits(1) if descriptor.name == "Bit" || descriptor.name == "clock" => Ty::BOOL,
            TypeKind::Bits(n) => Ty::bits(*n),
            TypeKind::Signed(n) => Ty::signed(*n),
            TypeKind::Enum(variants) => Ty::bits(clog2(variants.len())),
            TypeKind::Composite(fields) => {
                Ty::bits(fields.iter().map(|f| Ty::of(&f.kind).width).sum())
            }
        }
    }
}

/// Index into a block's table of symbols.
pub type SymId = usize;

#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    pub kind: ExprKind,
    pub ty: Ty,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    Symbol(SymId),
    Const(BigInt),
    /// Bits `lo .. lo + width` of a symbol; never all of it.
    Select(SymId, usize),
    /// The bit, or the bits from there on, at a computed offset of a symbol.
    SelectAt(SymId, Box<Expr>),
    Unary(UnaryOp, Box<Expr>),
    Binary(&'static str, Box<Expr>, Box<Expr>),
    /// Highest part first.
    Concat(Vec<Expr>),
    Repeat(usize, Box<Expr>),
    /// Same bits, taken as signed or unsigned, as the type says.
    Reinterpret(Box<Expr>),
    /// The value of the first choice whose test is true, else the last one.
    Choose(Vec<Choice>, Box<Expr>),
}

/// One line of [`ExprKind::Choose`].
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    pub comments: Vec<String>,
    pub test: Expr,
    pub value: Expr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    LogicalNot,
    BitNot,
    Negate,
    All,
    Any,
    Parity,
}

impl Expr {
    pub fn new(kind: ExprKind, ty: Ty) -> Expr {
        Expr { kind, ty }
    }

    pub fn constant(value: impl Into<BigInt>, ty: Ty) -> Expr {
        Expr::new(ExprKind::Const(value.into()), ty)
    }

    pub fn binary(op: &'static str, left: Expr, right: Expr, ty: Ty) -> Expr {
        Expr::new(ExprKind::Binary(op, Box::new(left), Box::new(right)), ty)
    }

    /// Parts side by side, the highest first; neighbouring parts of one symbol become one part. `width_of` gives the
    /// width of a symbol.
    pub fn concat(parts: Vec<Expr>, width_of: impl Fn(SymId) -> usize) -> Expr {
        let width = parts.iter().map(|p| p.ty.width).sum();
        let mut joined: Vec<Expr> = vec![];
        for part in parts {
            let whole = match (joined.last().map(|high| (&high.kind, high.ty)), &part.kind) {
                (Some((ExprKind::Select(a, above), high)), ExprKind::Select(b, lo))
                    if a == b && *above == lo + part.ty.width =>
                {
                    let both = high.width + part.ty.width;
                    let kind = match both == width_of(*a) {
                        true => ExprKind::Symbol(*a),
                        false => ExprKind::Select(*a, *lo),
                    };
                    Some(Expr::new(kind, Ty::bits(both)))
                }
                _ => None,
            };
            match whole {
                Some(whole) => *joined.last_mut().expect("there is a higher part") = whole,
                None => joined.push(part),
            }
        }
        match joined.pop() {
            Some(only) if joined.is_empty() => only,
            last => {
                joined.extend(last);
                Expr::new(ExprKind::Concat(joined), Ty::bits(width))
            }
        }
    }

    /// Zero bits in front up to `width`; constants are just widened.
    pub fn zero_extended(self, width: usize) -> Expr {
        let missing = width - self.ty.width;
        if missing == 0 {
            return self;
        }
        let ty = Ty::bits(width);
        match self.kind {
            ExprKind::Const(value) => Expr::constant(value, ty),
            _ => {
                let zeros = Expr::constant(0, Ty::bits(missing));
                Expr::new(ExprKind::Concat(vec![zeros, self]), ty)
            }
        }
    }

    /// `left` and `right`, both of one bit.
    pub fn and(left: Expr, right: Expr) -> Expr {
        match right.kind {
            ExprKind::Binary("&&", a, b) => Expr::and(Expr::and(left, *a), *b),
            kind => Expr::binary("&&", left, Expr::new(kind, right.ty), Ty::BOOL),
        }
    }

    /// Can `self` and `other` never both be true? Only plain cases are seen: other numbers for the same thing.
    pub fn excludes(&self, other: &Expr) -> bool {
        match (&self.kind, &other.kind) {
            (ExprKind::Binary("&&", a, b), _) => a.excludes(other) || b.excludes(other),
            (ExprKind::Binary("==", a, x), ExprKind::Binary("==", b, y)) => {
                let numbers = x.number().zip(y.number());
                a == b && numbers.is_some_and(|(x, y)| x != y)
            }
            _ => false,
        }
    }

    /// `left` or `right`, both of one bit.
    pub fn or(left: Expr, right: Expr) -> Expr {
        Expr::binary("||", left, right, Ty::BOOL)
    }

    /// The opposite of one bit, without a `!` where that is as short.
    pub fn not(self) -> Expr {
        let plain =
            |e: Expr| Expr::new(ExprKind::Unary(UnaryOp::LogicalNot, Box::new(e)), Ty::BOOL);
        match self.kind {
            ExprKind::Unary(UnaryOp::LogicalNot, inner) => *inner,
            ExprKind::Const(value) => Expr::constant(BigInt::one() - value, Ty::BOOL),
            ExprKind::Binary(op, a, b) => match opposite(op) {
                Some(op) => Expr::binary(op, *a, *b, Ty::BOOL),
                None if matches!(op, "&&" | "||") && a.has_opposite() && b.has_opposite() => {
                    let op = if op == "&&" { "||" } else { "&&" };
                    Expr::binary(op, a.not(), b.not(), Ty::BOOL)
                }
                None => plain(Expr::binary(op, *a, *b, Ty::BOOL)),
            },
            kind => plain(Expr::new(kind, self.ty)),
        }
    }

    /// Does [`Expr::not`] do without a `!`?
    fn has_opposite(&self) -> bool {
        match &self.kind {
            ExprKind::Unary(UnaryOp::LogicalNot, _) | ExprKind::Const(_) => true,
            ExprKind::Binary("&&" | "||", a, b) => a.has_opposite() && b.has_opposite(),
            ExprKind::Binary(op, ..) => opposite(op).is_some(),
            _ => false,
        }
    }

    /// The number, if the expression is one.
    pub fn number(&self) -> Option<&BigInt> {
        match &self.kind {
            ExprKind::Const(value) => Some(value),
            _ => None,
        }
    }

    /// The same bits as `signed` says.
    pub fn reinterpreted(self, signed: bool) -> Expr {
        if self.ty.signed == signed {
            return self;
        }
        let ty = Ty {
            width: self.ty.width,
            signed,
            boolean: false,
        };
        match self.kind {
            ExprKind::Reinterpret(inner) => *inner,
            _ => Expr::new(ExprKind::Reinterpret(Box::new(self)), ty),
        }
    }

    /// Calls `visit` with each direct part.
    pub fn parts(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Symbol(_) | ExprKind::Const(_) | ExprKind::Select(..) => vec![],
            ExprKind::SelectAt(_, e)
            | ExprKind::Unary(_, e)
            | ExprKind::Repeat(_, e)
            | ExprKind::Reinterpret(e) => vec![e],
            ExprKind::Binary(_, a, b) => vec![a, b],
            ExprKind::Concat(parts) => parts.iter().collect(),
            ExprKind::Choose(choices, otherwise) => choices
                .iter()
                .flat_map(|choice| [&choice.test, &choice.value])
                .chain([&**otherwise])
                .collect(),
        }
    }

    fn parts_mut(&mut self) -> Vec<&mut Expr> {
        match &mut self.kind {
            ExprKind::Symbol(_) | ExprKind::Const(_) | ExprKind::Select(..) => vec![],
            ExprKind::SelectAt(_, e)
            | ExprKind::Unary(_, e)
            | ExprKind::Repeat(_, e)
            | ExprKind::Reinterpret(e) => vec![e],
            ExprKind::Binary(_, a, b) => vec![a, b],
            ExprKind::Concat(parts) => parts.iter_mut().collect(),
            ExprKind::Choose(choices, otherwise) => choices
                .iter_mut()
                .flat_map(|choice| [&mut choice.test, &mut choice.value])
                .chain([&mut **otherwise])
                .collect(),
        }
    }

    /// Calls `visit` with each symbol read and the bits of it (`None`: all).
    pub fn reads(&self, visit: &mut dyn FnMut(SymId, Option<(usize, usize)>)) {
        match &self.kind {
            ExprKind::Symbol(s) | ExprKind::SelectAt(s, _) => visit(*s, None),
            ExprKind::Select(s, lo) => visit(*s, Some((*lo, self.ty.width))),
            _ => {}
        }
        for part in self.parts() {
            part.reads(visit);
        }
    }

    /// Replaces reads of `from` by bits `lo..` of `to`, which is `to_width` wide.
    pub fn redirect(&mut self, from: SymId, to: SymId, lo: usize, to_width: usize) {
        let width = self.ty.width;
        let place = |lo: usize, width: usize| {
            if width == to_width {
                ExprKind::Symbol(to)
            } else {
                ExprKind::Select(to, lo)
            }
        };
        match &self.kind {
            ExprKind::Symbol(s) if *s == from => self.kind = place(lo, width),
            ExprKind::Select(s, at) if *s == from => self.kind = place(lo + at, width),
            ExprKind::SelectAt(s, _) if *s == from => {
                let ExprKind::SelectAt(s, _) = &mut self.kind else {
                    return;
                };
                *s = to;
            }
            _ => {}
        }
        for part in self.parts_mut() {
            part.redirect(from, to, lo, to_width);
        }
    }
}

/// The comparison that holds where this one does not.
fn opposite(comparison: &str) -> Option<&'static str> {
    match comparison {
        "==" => Some("!="),
        "!=" => Some("=="),
        "<" => Some(">="),
        ">=" => Some("<"),
        ">" => Some("<="),
        "<=" => Some(">"),
        _ => None,
    }
}

/// Which bits an assignment writes.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    Whole,
    Bits { lo: usize, width: usize },
    At { offset: Expr, width: usize },
}

#[derive(Clone, Debug, PartialEq)]
pub enum Stmt {
    Assign {
        target: SymId,
        place: Place,
        value: Expr,
    },
    If {
        test: Expr,
        then: Vec<Stmt>,
        otherwise: Vec<Stmt>,
    },
    Case {
        subject: Expr,
        arms: Vec<Arm>,
        default: Option<CaseDefault>,
    },
    Comment(String),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Arm {
    pub label: Expr,
    pub body: Vec<Stmt>,
}

/// The `default` of a case; `standing_for` is the label that it replaces, if the source has none.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseDefault {
    pub standing_for: Option<Expr>,
    pub body: Vec<Stmt>,
}

impl Stmt {
    /// Statement lists directly inside.
    pub fn bodies(&self) -> Vec<&Vec<Stmt>> {
        match self {
            Stmt::Assign { .. } | Stmt::Comment(_) => vec![],
            Stmt::If {
                then, otherwise, ..
            } => vec![then, otherwise],
            Stmt::Case { arms, default, .. } => arms
                .iter()
                .map(|a| &a.body)
                .chain(default.iter().map(|d| &d.body))
                .collect(),
        }
    }

    /// See [`Stmt::bodies`].
    pub fn bodies_mut(&mut self) -> Vec<&mut Vec<Stmt>> {
        match self {
            Stmt::Assign { .. } | Stmt::Comment(_) => vec![],
            Stmt::If {
                then, otherwise, ..
            } => vec![then, otherwise],
            Stmt::Case { arms, default, .. } => arms
                .iter_mut()
                .map(|a| &mut a.body)
                .chain(default.iter_mut().map(|d| &mut d.body))
                .collect(),
        }
    }

    /// Expressions directly inside.
    pub fn exprs(&self) -> Vec<&Expr> {
        match self {
            Stmt::Assign {
                place: Place::At { offset, .. },
                value,
                ..
            } => vec![offset, value],
            Stmt::Assign { value, .. } => vec![value],
            Stmt::If { test, .. } => vec![test],
            Stmt::Case { subject, arms, .. } => std::iter::once(subject)
                .chain(arms.iter().map(|a| &a.label))
                .collect(),
            Stmt::Comment(_) => vec![],
        }
    }

    /// Calls `visit` with each symbol read, at any depth, and the bits of it (`None`: all).
    pub fn reads(&self, visit: &mut dyn FnMut(SymId, Option<(usize, usize)>)) {
        for expr in self.exprs() {
            expr.reads(visit);
        }
        for stmt in self.bodies().into_iter().flatten() {
            stmt.reads(visit);
        }
    }

    /// Calls `visit` with each symbol assigned, at any depth, and the bits of it (`None`: any).
    pub fn writes(&self, visit: &mut dyn FnMut(SymId, Option<(usize, usize)>)) {
        if let Stmt::Assign { target, place, .. } = self {
            match place {
                Place::Bits { lo, width } => visit(*target, Some((*lo, *width))),
                Place::Whole | Place::At { .. } => visit(*target, None),
            }
        }
        for stmt in self.bodies().into_iter().flatten() {
            stmt.writes(visit);
        }
    }

    /// See [`Expr::redirect`].
    pub fn redirect(&mut self, from: SymId, to: SymId, lo: usize, to_width: usize) {
        let on = |e: &mut Expr| e.redirect(from, to, lo, to_width);
        match self {
            Stmt::Assign { place, value, .. } => {
                if let Place::At { offset, .. } = place {
                    on(offset);
                }
                on(value);
            }
            Stmt::If {
                test,
                then,
                otherwise,
            } => {
                on(test);
                for stmt in then.iter_mut().chain(otherwise) {
                    stmt.redirect(from, to, lo, to_width);
                }
            }
            Stmt::Case {
                subject,
                arms,
                default,
            } => {
                on(subject);
                let bodies = arms.iter_mut().map(|a| &mut a.body);
                for stmt in bodies
                    .chain(default.iter_mut().map(|d| &mut d.body))
                    .flatten()
                {
                    stmt.redirect(from, to, lo, to_width);
                }
            }
            Stmt::Comment(_) => {}
        }
    }
}
