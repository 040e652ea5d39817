//! The text of one module.

mod by_hand;
mod columns;
mod usage;
mod writer;

use super::error::EmitError;
use super::lower::{comment_text, lower};
use super::plan::{plan, Paths};
use super::print::Printer;
use super::symbols::{port_names, Symbols};
use super::tree::Node;
use by_hand::by_hand;
use columns::port_list;
use rust_hdl::core::ast::{Verilog, VerilogBlock, VerilogStatement};
use rust_hdl::core::atom::AtomKind;
use std::collections::BTreeSet;
use usage::Usage;
use writer::Writer;

type Result<T> = std::result::Result<T, EmitError>;

/// A module without its name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Module {
    /// The name that the block asks for.
    pub wanted: Option<String>,
    pub doc: Vec<String>,
    /// All after `module NAME`.
    pub text: String,
}

/// The name and the doc comment at the beginning of a block's code, and the number of statements that they take.
fn title(code: &VerilogBlock) -> (Option<String>, Vec<String>, usize) {
    let mut lines = code.iter().map_while(|statement| match statement {
        VerilogStatement::Comment(text) => Some(comment_text(text)),
        _ => None,
    });
    let first = lines.next().unwrap_or_default();
    let Some(name) = first.strip_prefix("module ") else {
        return (None, vec![], 0);
    };
    let doc: Vec<String> = lines.collect();
    let taken = doc.len() + 1;
    (Some(name.trim().to_string()), doc, taken)
}

/// Replaces `{signal}` in a wanted name by the width of that port or signal.
fn with_widths(name: &str, node: &Node) -> String {
    let mut name = name.to_string();
    for atom in &node.atoms {
        name = name.replace(&format!("{{{}}}", atom.key), &atom.ty.width.to_string());
    }
    name
}

/// Writes the module of a block; `instance_type` gives what stands for a child's module name, and `children` has the
/// paths through each instance. Also gives the paths through the block itself.
pub fn module(
    node: &Node,
    instance_type: &dyn Fn(&Node) -> String,
    children: &[Paths],
) -> Result<(Module, Paths)> {
    match &node.code {
        Verilog::Combinatorial(code) => {
            let (wanted, doc, taken) = title(code);
            let (text, paths) = behaviour(node, &code[taken..].to_vec(), instance_type, children)?;
            let module = Module {
                wanted: wanted.map(|name| with_widths(&name, node)),
                doc,
                text,
            };
            Ok((module, paths))
        }
        Verilog::Custom(code) => {
            check_by_hand(node, code)?;
            Ok((by_hand(node, code, "reg"), paths_by_hand(node)))
        }
        Verilog::Wrapper(wrapper) => {
            check_by_hand(node, &wrapper.code)?;
            Ok((by_hand(node, &wrapper.code, "wire"), paths_by_hand(node)))
        }
        Verilog::Empty | Verilog::Blackbox(_) => Err(EmitError::NoDescription {
            block: node.path.clone(),
        }),
    }
}

/// Code by hand does not wait for changes either.
fn check_by_hand(node: &Node, code: &str) -> Result<()> {
    let words: String = code.split_whitespace().collect();
    match ["always@*", "always@(*)", "always_comb", "always_latch"]
        .iter()
        .any(|waits| words.contains(waits))
    {
        false => Ok(()),
        true => Err(EmitError::Unsupported {
            block: node.path.clone(),
            what: "an `always` block without a clock in Verilog by hand".to_string(),
        }),
    }
}

/// The paths through a block whose Verilog is not made here: all inputs reach all outputs, except those of which the
/// block's `timing` says that they have a register.
pub fn paths_by_hand(node: &Node) -> Paths {
    let ports = port_names(node);
    let inputs = ports
        .iter()
        .filter(|(atom, _)| atom.kind == AtomKind::InputParameter);
    let inputs: BTreeSet<String> = inputs.map(|(_, name)| name.clone()).collect();
    let outputs = ports
        .iter()
        .filter(|(atom, _)| atom.kind == AtomKind::OutputParameter);
    outputs
        .map(|(atom, name)| match node.registered.contains(&atom.key) {
            true => (name.clone(), BTreeSet::new()),
            false => (name.clone(), inputs.clone()),
        })
        .collect()
}

/// A module whose body comes from the block's update function.
fn behaviour(
    node: &Node,
    code: &VerilogBlock,
    instance_type: &dyn Fn(&Node) -> String,
    children: &[Paths],
) -> Result<(String, Paths)> {
    let mut symbols = Symbols::of(node)?;
    let lowered = lower(&mut symbols, code)?;
    let plan = plan(&mut symbols, lowered, children)?;
    let unused_name = symbols.unique_name("_unused");
    let usage = Usage::of(&symbols, &plan);
    let writer = Writer {
        symbols: &symbols,
        plan: &plan,
        usage: &usage,
        printer: Printer { symbols: &symbols },
    };
    let mut text = port_list(&writer.ports(node));
    let mut sections = writer.declarations();
    sections.extend(writer.instances(instance_type));
    sections.extend(writer.behaviour());
    sections.extend(writer.unused(&unused_name));
    text.push_str(&sections.join("\n"));
    text.push_str("endmodule\n");
    Ok((text, plan.paths))
}
