//! Verilog text of expressions and statements.

use super::ir::{Choice, Expr, ExprKind, Place, Stmt, SymId, Ty, UnaryOp};
use super::plan::Commented;
use super::symbols::Symbols;
use num_bigint::BigInt;
use num_traits::{One, Signed};

/// One level of indentation.
pub const INDENT: &str = "    ";

/// Columns that a line may have before it is broken.
pub const LINE: usize = 100;

/// Items with commas between them, as many in an indented line as fit.
pub fn filled(items: &[String], depth: usize) -> String {
    let pad = INDENT.repeat(depth);
    let mut lines: Vec<String> = vec![];
    for (i, item) in items.iter().enumerate() {
        let item = if i + 1 < items.len() {
            format!("{item},")
        } else {
            item.clone()
        };
        match lines.last_mut() {
            Some(line) if line.len() + 1 + item.len() <= LINE => {
                line.push(' ');
                line.push_str(&item);
            }
            _ => lines.push(format!("{pad}{item}")),
        }
    }
    lines.join("\n")
}

/// `[7:0] ` with its space, or nothing for one bit.
pub fn range(width: usize) -> String {
    match width {
        1 => String::new(),
        _ => format!("[{}:0]", width - 1),
    }
}

/// A sized literal: decimal as long as people read it easily, else hexadecimal.
pub fn literal(value: &BigInt, ty: Ty) -> String {
    let width = ty.width;
    let sign = if ty.signed { "s" } else { "" };
    if width == 1 {
        return format!(
            "1'{sign}b{}",
            if value.is_positive() || value.is_negative() {
                1
            } else {
                0
            }
        );
    }
    let lowest = -(BigInt::one() << (width - 1));
    if value.is_negative() && *value != lowest {
        return format!("-{}", literal(&-value, ty));
    }
    let magnitude = value.abs();
    let ones = (BigInt::one() << width) - BigInt::one();
    if magnitude < BigInt::from(1000) && *value != lowest && (width <= 4 || magnitude != ones) {
        format!("{width}'{sign}d{magnitude}")
    } else {
        format!("{width}'{sign}h{magnitude:x}")
    }
}

/// How tightly an operator binds.
fn precedence(op: &str) -> u8 {
    match op {
        "*" => 11,
        "+" | "-" => 10,
        "<<" | ">>" => 9,
        "<" | "<=" | ">" | ">=" => 8,
        "==" | "!=" => 7,
        "&" => 6,
        "^" => 5,
        "|" => 4,
        "&&" => 3,
        _ => 2,
    }
}

/// Is `inner` clear inside `outer` without parentheses?
fn is_clear(inner: &str, outer: &str, on_the_left: bool) -> bool {
    if inner == outer && on_the_left {
        return matches!(inner, "+" | "-" | "&" | "|" | "^" | "&&" | "||");
    }
    match outer {
        "+" | "-" => on_the_left && matches!(inner, "+" | "-"),
        "<" | "<=" | ">" | ">=" | "==" | "!=" => matches!(inner, "+" | "-" | "*"),
        "&&" | "||" => (7..=8).contains(&precedence(inner)),
        _ => false,
    }
}

pub struct Printer<'s, 'a> {
    pub symbols: &'s Symbols<'a>,
}

impl Printer<'_, '_> {
    pub fn name(&self, symbol: SymId) -> &str {
        &self.symbols.all[symbol].name
    }

    pub fn expr(&self, e: &Expr) -> String {
        match &e.kind {
            ExprKind::Symbol(s) => self.name(*s).to_string(),
            ExprKind::Const(value) => literal(value, e.ty),
            ExprKind::Select(s, lo) => format!("{}{}", self.name(*s), part(*lo, e.ty.width)),
            ExprKind::SelectAt(s, offset) if e.ty.width == 1 => {
                format!("{}[{}]", self.name(*s), self.expr(offset))
            }
            ExprKind::SelectAt(s, offset) => {
                format!("{}[{} +: {}]", self.name(*s), self.expr(offset), e.ty.width)
            }
            ExprKind::Unary(op, inner) => {
                let sign = match op {
                    UnaryOp::LogicalNot => "!",
                    UnaryOp::BitNot => "~",
                    UnaryOp::Negate => "-",
                    UnaryOp::All => "&",
                    UnaryOp::Any => "|",
                    UnaryOp::Parity => "^",
                };
                let text = self.expr(inner);
                match inner.kind {
                    ExprKind::Binary(..) | ExprKind::Unary(..) | ExprKind::Choose(..) => {
                        format!("{sign}({text})")
                    }
                    _ if text.starts_with('-') => format!("{sign}({text})"),
                    _ => format!("{sign}{text}"),
                }
            }
            ExprKind::Binary(op, left, right) => {
                format!(
                    "{} {op} {}",
                    self.operand(left, op, true),
                    self.operand(right, op, false)
                )
            }
            ExprKind::Concat(parts) => {
                let parts: Vec<String> = parts.iter().map(|p| self.expr(p)).collect();
                format!("{{{}}}", parts.join(", "))
            }
            ExprKind::Repeat(count, inner) => format!("{{{count}{{{}}}}}", self.expr(inner)),
            ExprKind::Reinterpret(inner) if e.ty.signed => format!("$signed({})", self.expr(inner)),
            ExprKind::Reinterpret(inner) => format!("$unsigned({})", self.expr(inner)),
            ExprKind::Choose(choices, otherwise) => {
                let mut text = String::new();
                for choice in choices {
                    text.push_str(&self.choice(choice));
                    text.push(' ');
                }
                text + &self.expr(otherwise)
            }
        }
    }

    /// `test ? value :`
    fn choice(&self, choice: &Choice) -> String {
        let enclosed = |e: &Expr| match e.kind {
            ExprKind::Choose(..) => format!("({})", self.expr(e)),
            _ => self.expr(e),
        };
        format!("{} ? {} :", enclosed(&choice.test), enclosed(&choice.value))
    }

    fn operand(&self, e: &Expr, outer: &str, on_the_left: bool) -> String {
        let text = self.expr(e);
        let shift_amount = matches!(outer, "<<" | ">>") && !on_the_left;
        let clear = match &e.kind {
            ExprKind::Binary(inner, ..) => is_clear(inner, outer, on_the_left),
            ExprKind::Unary(UnaryOp::LogicalNot | UnaryOp::BitNot, _) => true,
            ExprKind::Unary(UnaryOp::Negate, _) => on_the_left,
            ExprKind::Unary(..) => false,
            ExprKind::Const(value) if shift_amount => return value.to_string(),
            ExprKind::Const(value) => !value.is_negative(),
            ExprKind::Choose(..) => false,
            _ => true,
        };
        if clear {
            text
        } else {
            format!("({text})")
        }
    }

    /// The operands of `a op b op c`.
    fn chain(&self, e: &Expr, op: &str) -> Vec<String> {
        match &e.kind {
            ExprKind::Binary(own, left, right) if *own == op => {
                let mut operands = self.chain(left, op);
                operands.push(self.operand(right, op, false));
                operands
            }
            _ => vec![self.operand(e, op, true)],
        }
    }

    /// The value of an assignment: same bits, so that its sign does not matter.
    pub fn value(&self, e: &Expr) -> String {
        match &e.kind {
            ExprKind::Reinterpret(inner) => self.expr(inner),
            _ => self.expr(e),
        }
    }

    /// An assignment in a line that is indented by `depth`; a long concatenation and choices take more lines.
    pub fn assignment(
        &self,
        target: SymId,
        place: &Place,
        sign: &str,
        value: &Expr,
        depth: usize,
    ) -> String {
        let name = self.name(target);
        let place = match place {
            Place::Whole => String::new(),
            Place::Bits { lo, width } => part(*lo, *width),
            Place::At { offset, width: 1 } => format!("[{}]", self.expr(offset)),
            Place::At { offset, width } => format!("[{} +: {width}]", self.expr(offset)),
        };
        let line = format!("{name}{place} {sign} {};", self.value(value));
        let is_long = depth * INDENT.len() + line.len() > LINE;
        match &value.kind {
            ExprKind::Concat(parts) if is_long => {
                let parts: Vec<String> = parts.iter().map(|p| self.expr(p)).collect();
                let pad = INDENT.repeat(depth);
                let list = filled(&parts, depth + 1);
                format!("{name}{place} {sign} {{\n{list}\n{pad}}};")
            }
            ExprKind::Choose(choices, otherwise)
                if is_long || choices.len() > 1 || !choices[0].comments.is_empty() =>
            {
                let mut text = format!("{name}{place} {sign}\n");
                for choice in choices {
                    comments(&choice.comments, depth + 1, &mut text);
                    let pad = INDENT.repeat(depth + 1);
                    text.push_str(&format!("{pad}{}\n", self.choice(choice)));
                }
                let pad = INDENT.repeat(depth + 1);
                text + &format!("{pad}{};", self.value(otherwise))
            }
            ExprKind::Binary(op @ ("&&" | "||"), ..) if is_long => {
                let pad = INDENT.repeat(depth + 1);
                let operands = self.chain(value, op);
                let list = operands.join(&format!("\n{pad}{op} "));
                format!("{name}{place} {sign}\n{pad}{list};")
            }
            _ => line,
        }
    }

    pub fn commented(&self, items: &[Commented], depth: usize, out: &mut String) {
        for item in items {
            comments(&item.comments, depth, out);
            self.statement(&item.statement, depth, out);
        }
    }

    fn body(&self, statements: &[Stmt], depth: usize, out: &mut String) {
        for statement in statements {
            self.statement(statement, depth, out);
        }
    }

    fn statement(&self, statement: &Stmt, depth: usize, out: &mut String) {
        let pad = INDENT.repeat(depth);
        match statement {
            Stmt::Comment(text) => comments(std::slice::from_ref(text), depth, out),
            Stmt::Assign {
                target,
                place,
                value,
            } => {
                out.push_str(&format!(
                    "{pad}{}\n",
                    self.assignment(*target, place, "<=", value, depth)
                ));
            }
            Stmt::If {
                test,
                then,
                otherwise,
            } => {
                out.push_str(&pad);
                self.conditional(test, then, otherwise, depth, out);
            }
            Stmt::Case {
                subject,
                arms,
                default,
            } => {
                out.push_str(&format!("{pad}case ({})\n", self.expr(subject)));
                for arm in arms {
                    self.arm(&self.expr(&arm.label), "", &arm.body, depth + 1, out);
                }
                if let Some(default) = default {
                    let note = default
                        .standing_for
                        .as_ref()
                        .map(|l| format!("  // {}", self.expr(l)));
                    self.arm(
                        "default",
                        &note.unwrap_or_default(),
                        &default.body,
                        depth + 1,
                        out,
                    );
                }
                out.push_str(&format!("{pad}endcase\n"));
            }
        }
    }

    fn arm(&self, label: &str, note: &str, body: &[Stmt], depth: usize, out: &mut String) {
        let pad = INDENT.repeat(depth);
        match body {
            [] => out.push_str(&format!("{pad}{label}: ;{note}\n")),
            [Stmt::Assign {
                target,
                place,
                value,
            }] => {
                let assignment = self.assignment(*target, place, "<=", value, depth);
                out.push_str(&format!("{pad}{label}: {assignment}{note}\n"));
            }
            _ => {
                out.push_str(&format!("{pad}{label}: begin{note}\n"));
                self.body(body, depth + 1, out);
                out.push_str(&format!("{pad}end\n"));
            }
        }
    }

    /// The line's indentation has been written.
    fn conditional(
        &self,
        test: &Expr,
        then: &[Stmt],
        otherwise: &[Stmt],
        depth: usize,
        out: &mut String,
    ) {
        let pad = INDENT.repeat(depth);
        out.push_str(&format!("if ({}) begin\n", self.expr(test)));
        self.body(then, depth + 1, out);
        match otherwise {
            [] => out.push_str(&format!("{pad}end\n")),
            [Stmt::If {
                test,
                then,
                otherwise,
            }] => {
                out.push_str(&format!("{pad}end else "));
                self.conditional(test, then, otherwise, depth, out);
            }
            _ => {
                out.push_str(&format!("{pad}end else begin\n"));
                self.body(otherwise, depth + 1, out);
                out.push_str(&format!("{pad}end\n"));
            }
        }
    }
}

fn part(lo: usize, width: usize) -> String {
    match width {
        1 => format!("[{lo}]"),
        _ => format!("[{}:{lo}]", lo + width - 1),
    }
}

pub fn comments(lines: &[String], depth: usize, out: &mut String) {
    // What comes from outside, like the name of a board, may have more lines than one.
    for line in lines.iter().flat_map(|line| line.split(['\n', '\r'])) {
        let line = format!("{}// {line}", INDENT.repeat(depth));
        out.push_str(&format!("{}\n", line.trim_end()));
    }
}
