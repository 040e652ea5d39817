//! Ports and declarations in columns.

use crate::verilog::print::{range, INDENT};
use rust_hdl::core::atom::AtomKind;

/// One port or declaration: what it is, its range, its name, and what follows the name.
pub struct Line {
    what: String,
    range: String,
    name: String,
    end: String,
}

impl Line {
    pub fn new(what: &str, signed: bool, width: usize, name: &str, end: String) -> Line {
        let signed = if signed { " signed" } else { "" };
        let what = format!("{what}{signed}");
        Line {
            what,
            range: range(width),
            name: name.to_string(),
            end,
        }
    }
}

/// Lines with their columns aligned, one string each.
pub fn aligned(lines: &[Line]) -> Vec<String> {
    let what = lines.iter().map(|l| l.what.len()).max().unwrap_or(0);
    let range = lines.iter().map(|l| l.range.len()).max().unwrap_or(0);
    lines
        .iter()
        .map(|l| match range {
            0 => format!("{INDENT}{:what$} {}{}", l.what, l.name, l.end),
            _ => format!(
                "{INDENT}{:what$} {:>range$} {}{}",
                l.what, l.range, l.name, l.end
            ),
        })
        .collect()
}

pub fn port_list(lines: &[Line]) -> String {
    format!(" (\n{}\n);\n", aligned(lines).join(",\n"))
}

pub fn port_direction(kind: AtomKind, output: &'static str) -> String {
    match kind {
        AtomKind::InputParameter => "input  wire".into(),
        AtomKind::InOutParameter => "inout  wire".into(),
        _ => format!("output {output}"),
    }
}
