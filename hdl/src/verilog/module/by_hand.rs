//! Modules whose body is Verilog from the block itself.

use super::columns::{aligned, port_direction, port_list, Line};
use super::{with_widths, Module};
use crate::verilog::names::screaming;
use crate::verilog::print::{literal, INDENT};
use crate::verilog::symbols::port_names;
use crate::verilog::tree::Node;
use rust_hdl::core::atom::AtomKind;

/// A module whose body is Verilog from the block itself.
pub fn by_hand(node: &Node, code: &str, output: &'static str) -> Module {
    let (wanted, doc, code) = title_of_text(code);
    let ports: Vec<Line> = port_names(node)
        .iter()
        .map(|(atom, name)| {
            let what = port_direction(atom.kind, output);
            Line::new(&what, atom.ty.signed, atom.ty.width, name, String::new())
        })
        .collect();
    let mut text = port_list(&ports);
    let constants: Vec<Line> = node
        .atoms
        .iter()
        .filter(|a| a.kind == AtomKind::Constant)
        .map(|a| {
            let name = screaming(&a.key);
            let end = format!(" = {};", literal(&a.value, a.ty));
            Line::new("localparam", a.ty.signed, a.ty.width, &name, end)
        })
        .collect();
    for line in aligned(&constants) {
        text.push_str(&format!("{line}\n"));
    }
    text.push_str(&indented(&code));
    text.push_str("endmodule\n");
    Module {
        wanted: wanted.map(|name| with_widths(&name, node)),
        doc,
        text,
    }
}

/// The lines of `code`, its common indentation replaced by one level.
fn indented(code: &str) -> String {
    let lines: Vec<&str> = code.trim_matches('\n').trim_end().lines().collect();
    let used = lines.iter().filter(|l| !l.trim().is_empty());
    let common = used
        .map(|l| l.len() - l.trim_start().len())
        .min()
        .unwrap_or(0);
    let mut out = String::new();
    for line in lines {
        match line.trim().is_empty() {
            true => out.push('\n'),
            // Compiler directives stay where people look for them.
            false if line.trim().starts_with('`') => out.push_str(&format!("{}\n", line.trim())),
            false => out.push_str(&format!("{INDENT}{}\n", line[common..].trim_end())),
        }
    }
    out
}

/// Name, doc comment and the rest of code whose first line is `// module NAME`.
fn title_of_text(code: &str) -> (Option<String>, Vec<String>, String) {
    let mut lines = code.trim_matches('\n').lines().peekable();
    let first = lines
        .peek()
        .and_then(|line| line.trim().strip_prefix("// module "));
    let name = first.map(|name| name.trim().to_string());
    let mut doc = vec![];
    if name.is_some() {
        lines.next();
        while let Some(line) = lines.peek().and_then(|l| l.trim().strip_prefix("//")) {
            doc.push(line.strip_prefix(' ').unwrap_or(line).to_string());
            lines.next();
        }
    }
    (name, doc, lines.collect::<Vec<_>>().join("\n"))
}
