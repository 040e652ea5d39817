//! Expressions as the source has them, for messages.

use crate::verilog::tree::literal_value;
use rust_hdl::core::ast::{VerilogExpression, VerilogOp, VerilogOpUnary};

/// The text of a comment, from what rust-hdl keeps of the macro call.
///
/// That is the call as the compiler prints it, without every `")` in it, and without its beginning where the compiler
/// prints that as `comment ! ("`. So nothing but this may be taken off: a text may well begin or end with such signs
/// itself. `comment!` refuses the texts that rust-hdl would spoil.
pub fn comment_text(call: &str) -> String {
    let text = after_opening(call).unwrap_or(call);
    let end = text.trim_end();
    let closed = end
        .strip_suffix(')')
        .and_then(|rest| rest.trim_end().strip_suffix('"'))
        .filter(|rest| !rest.ends_with('\\'));
    closed.unwrap_or(text).replace("\\\"", "\"")
}

/// What follows the opening quotation mark of a call that is still whole.
fn after_opening(call: &str) -> Option<&str> {
    let names = ["comment", "println", "assert"];
    let after_name = names.iter().find_map(|name| call.strip_prefix(name))?;
    let after_mark = after_name.trim_start().strip_prefix('!')?;
    let inside = after_mark.trim_start().strip_prefix('(')?;
    inside.trim_start().strip_prefix('"')
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

#[cfg(test)]
mod tests {
    use super::comment_text;

    #[test]
    fn a_comment_keeps_all_its_signs() {
        let kept = |call: &str, text: &str| assert_eq!(comment_text(call), text, "{call}");
        // As compilers have printed it, `")` taken away.
        kept("comment! (\"adds 128 (d + 1)", "adds 128 (d + 1)");
        kept("comment ! (\"adds 128 (d + 1)", "adds 128 (d + 1)");
        kept("comment!(\"adds 128 (d + 1)", "adds 128 (d + 1)");
        kept("comment!\n(\n    \"adds (d)\"\n)", "adds (d)");
        // With the beginning taken away too.
        kept("adds 128 (d + 1)", "adds 128 (d + 1)");
        kept("stop! (or go on)", "stop! (or go on)");
        kept(
            "comment! (\"(a) stop! (\\\"b\\\") [c] {d} `e` 'f' ...",
            "(a) stop! (\"b\") [c] {d} `e` 'f' ...",
        );
        kept("comment! (\"ends in \\\"quotes\\\"", "ends in \"quotes\"");
        kept("\\\"quotes\\\" begin", "\"quotes\" begin");
        kept("ends with two))", "ends with two))");
        kept("", "");
    }
}
