//! Expressions as the source has them, for messages.

use crate::verilog::tree::literal_value;
use rust_hdl::core::ast::{VerilogExpression, VerilogOp, VerilogOpUnary};

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

/// A rust-hdl name as the source writes it.
pub(super) fn readable(name: &str) -> String {
    name.replace('$', ".")
}

pub(super) fn describe(e: &VerilogExpression) -> String {
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

pub(super) fn operator(op: &VerilogOp) -> &'static str {
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
