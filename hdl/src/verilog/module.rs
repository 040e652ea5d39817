//! The text of one module.

use super::error::EmitError;
use super::ir::{Expr, Stmt, SymId};
use super::lower::{comment_text, lower};
use super::plan::{plan, Item, Plan};
use super::print::{comments, filled, literal, range, Printer, INDENT, LINE};
use super::symbols::{port_names, Instance, Kind, Symbols};
use super::tree::Node;
use num_bigint::BigInt;
use rust_hdl::core::ast::{Verilog, VerilogBlock, VerilogStatement};
use rust_hdl::core::atom::AtomKind;
use std::collections::{BTreeMap, BTreeSet};

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

/// As [`title`], for code written by hand: the first line is `// module NAME`.
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

/// Replaces `{signal}` in a wanted name by the width of that port or signal.
fn with_widths(name: &str, node: &Node) -> String {
    let mut name = name.to_string();
    for atom in &node.atoms {
        name = name.replace(&format!("{{{}}}", atom.key), &atom.ty.width.to_string());
    }
    name
}

/// Writes the module of a block; `instance_type` gives what stands for a child's module name.
pub fn module(node: &Node, instance_type: &dyn Fn(&Node) -> String) -> Result<Module> {
    match &node.code {
        Verilog::Combinatorial(code) => {
            let (wanted, doc, taken) = title(code);
            let text = behaviour(node, &code[taken..].to_vec(), instance_type)?;
            Ok(Module {
                wanted: wanted.map(|name| with_widths(&name, node)),
                doc,
                text,
            })
        }
        Verilog::Custom(code) => Ok(by_hand(node, code, "reg")),
        Verilog::Wrapper(wrapper) => Ok(by_hand(node, &wrapper.code, "wire")),
        Verilog::Empty | Verilog::Blackbox(_) => Err(EmitError::NoDescription {
            block: node.path.clone(),
        }),
    }
}

/// One port or declaration: what it is, its range, its name, and what follows the name.
struct Line {
    what: String,
    range: String,
    name: String,
    end: String,
}

impl Line {
    fn new(what: &str, signed: bool, width: usize, name: &str, end: String) -> Line {
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
fn aligned(lines: &[Line]) -> Vec<String> {
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

fn port_list(lines: &[Line]) -> String {
    format!(" (\n{}\n);\n", aligned(lines).join(",\n"))
}

fn port_direction(kind: AtomKind, output: &'static str) -> String {
    match kind {
        AtomKind::InputParameter => "input  wire".into(),
        AtomKind::InOutParameter => "inout  wire".into(),
        _ => format!("output {output}"),
    }
}

/// A module whose body is Verilog from the block itself.
fn by_hand(node: &Node, code: &str, output: &'static str) -> Module {
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
            let name = super::names::screaming(&a.key);
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

/// A module whose body comes from the block's update function.
fn behaviour(
    node: &Node,
    code: &VerilogBlock,
    instance_type: &dyn Fn(&Node) -> String,
) -> Result<String> {
    let mut symbols = Symbols::of(node)?;
    let lowered = lower(&mut symbols, code)?;
    let plan = plan(&symbols, lowered)?;
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
    sections.extend(writer.combinational());
    sections.extend(writer.sequential());
    sections.extend(writer.unused(&unused_name));
    text.push_str(&sections.join("\n"));
    text.push_str("endmodule\n");
    Ok(text)
}

/// The bits of each symbol that something reads.
struct Usage(BTreeMap<SymId, Vec<bool>>);

impl Usage {
    fn of(symbols: &Symbols, plan: &Plan) -> Usage {
        let mut usage = Usage(BTreeMap::new());
        let mut mark = |s: SymId, bits: Option<(usize, usize)>| {
            let width = symbols.all[s].ty.width;
            let (lo, count) = bits.unwrap_or((0, width));
            let used = usage.0.entry(s).or_insert_with(|| vec![false; width]);
            used[lo..lo + count].fill(true);
        };
        for item in &plan.items {
            match item {
                Item::Assign(one) => one.statement.reads(&mut mark),
                Item::Always(all) => all.iter().for_each(|one| one.statement.reads(&mut mark)),
            }
        }
        for (port, signal) in &plan.connections {
            if symbols.all[*port].kind != Kind::ChildOutput {
                signal.reads(&mut mark);
            }
        }
        for ((register, update), clock) in symbols
            .registers
            .iter()
            .zip(&plan.updates)
            .zip(&plan.clocks)
        {
            mark(*clock, None);
            match &update.value {
                Some(value) => value.reads(&mut mark),
                None => mark(register.d, None),
            }
            if let Some(variant) = initial_variant(symbols, register.q, &register.initial) {
                mark(variant, None);
            }
        }
        usage
    }

    fn any(&self, symbol: SymId) -> bool {
        self.0.contains_key(&symbol)
    }

    /// Runs of bits that nothing reads, highest first.
    fn unread(&self, symbol: SymId, width: usize) -> Vec<(usize, usize)> {
        let mut runs: Vec<(usize, usize)> = vec![];
        for bit in (0..width).rev() {
            if self.0.get(&symbol).is_some_and(|used| used[bit]) {
                continue;
            }
            match runs.last_mut() {
                Some((lo, count)) if *lo == bit + 1 => (*lo, *count) = (bit, *count + 1),
                _ => runs.push((bit, 1)),
            }
        }
        runs
    }
}

/// The enum variant that is the initial value of a register.
fn initial_variant(symbols: &Symbols, register: SymId, initial: &BigInt) -> Option<SymId> {
    let descriptor = symbols.all[register].descriptor.as_ref()?;
    let variants = symbols.enums.get(&descriptor.name)?;
    let code = usize::try_from(initial).ok()?;
    variants.get(code).copied()
}

struct Writer<'s, 'a> {
    symbols: &'s Symbols<'a>,
    plan: &'s Plan,
    usage: &'s Usage,
    printer: Printer<'s, 'a>,
}

impl Writer<'_, '_> {
    fn ports(&self, node: &Node) -> Vec<Line> {
        let ports = node.atoms.iter().filter(|a| a.kind.is_parameter());
        ports
            .filter_map(|atom| {
                let symbol = self.symbols.lookup(&atom.key)?;
                let net = if self.plan.wires.contains(&symbol) {
                    "wire"
                } else {
                    "reg"
                };
                let what = port_direction(atom.kind, net);
                let name = self.printer.name(symbol);
                Some(Line::new(
                    &what,
                    atom.ty.signed,
                    atom.ty.width,
                    name,
                    String::new(),
                ))
            })
            .collect()
    }

    fn declaration(&self, what: &str, symbol: SymId, end: String) -> Line {
        let ty = self.symbols.all[symbol].ty;
        Line::new(what, ty.signed, ty.width, self.printer.name(symbol), end)
    }

    fn declarations(&self) -> Vec<String> {
        let mut parameters = vec![];
        let mut registers = vec![];
        let mut signals = vec![];
        let written = self.written();
        for (id, symbol) in self.symbols.all.iter().enumerate() {
            let value = match &symbol.kind {
                Kind::Constant(value) => value.clone(),
                Kind::Variant(code) => BigInt::from(*code),
                Kind::Local | Kind::ChildInput | Kind::Temporary { .. }
                    if written.contains(&id) && !self.plan.connections.contains_key(&id) =>
                {
                    let what = if self.plan.wires.contains(&id) {
                        "wire"
                    } else {
                        "reg"
                    };
                    signals.push(self.declaration(what, id, ";".into()));
                    continue;
                }
                Kind::ChildOutput if !self.plan.connections.contains_key(&id) => {
                    signals.push(self.declaration("wire", id, ";".into()));
                    continue;
                }
                _ => continue,
            };
            if self.usage.any(id) {
                let end = format!(" = {};", literal(&value, symbol.ty));
                parameters.push(self.declaration("localparam", id, end));
            }
        }
        for (register, update) in self.symbols.registers.iter().zip(&self.plan.updates) {
            let variant = initial_variant(self.symbols, register.q, &register.initial);
            let initial = match variant {
                Some(variant) => self.printer.name(variant).to_string(),
                None => literal(&register.initial, self.symbols.all[register.q].ty),
            };
            registers.push(self.declaration("reg", register.q, format!(" = {initial};")));
            if update.value.is_none() {
                let what = if self.plan.wires.contains(&register.d) {
                    "wire"
                } else {
                    "reg"
                };
                registers.push(self.declaration(what, register.d, ";".into()));
            }
        }
        [parameters, registers, signals]
            .iter()
            .filter(|group| !group.is_empty())
            .map(|group| format!("{}\n", aligned(group).join("\n")))
            .collect()
    }

    /// Symbols that the combinational code or a child drives.
    fn written(&self) -> BTreeSet<SymId> {
        let mut written = BTreeSet::new();
        let mut add = |statement: &Stmt| {
            statement.writes(&mut |s, _| {
                written.insert(s);
            })
        };
        for item in &self.plan.items {
            match item {
                Item::Assign(one) => add(&one.statement),
                Item::Always(all) => all.iter().for_each(|one| add(&one.statement)),
            }
        }
        for (port, signal) in &self.plan.connections {
            if self.symbols.all[*port].kind == Kind::ChildOutput {
                signal.reads(&mut |s, _| {
                    written.insert(s);
                });
            }
        }
        written
    }

    fn instances(&self, instance_type: &dyn Fn(&Node) -> String) -> Vec<String> {
        let one = |instance: &Instance| {
            let mut text = String::new();
            for port in &instance.ports {
                if let Some(lines) = self.plan.port_comments.get(&port.symbol) {
                    comments(lines, 1, &mut text);
                }
            }
            let ports: Vec<String> = instance
                .ports
                .iter()
                .map(|port| {
                    let own = || self.printer.name(port.symbol).to_string();
                    let signal = self.plan.connections.get(&port.symbol);
                    let signal = signal.map_or_else(own, |e: &Expr| self.printer.expr(e));
                    format!("{INDENT}{INDENT}.{}({signal})", port.name)
                })
                .collect();
            let (kind, name) = (instance_type(instance.node), &instance.name);
            text.push_str(&format!(
                "{INDENT}{kind} {name} (\n{}\n{INDENT});\n",
                ports.join(",\n")
            ));
            text
        };
        self.symbols.instances.iter().map(one).collect()
    }

    fn combinational(&self) -> Vec<String> {
        let mut sections: Vec<String> = vec![];
        let mut in_assigns = false;
        for item in &self.plan.items {
            let mut text = String::new();
            match item {
                Item::Assign(one) => {
                    comments(&one.comments, 1, &mut text);
                    if let Stmt::Assign {
                        target,
                        place,
                        value,
                    } = &one.statement
                    {
                        let assignment = self.printer.assignment(*target, place, value, 1);
                        text.push_str(&format!("{INDENT}assign {assignment}\n"));
                    }
                    match sections
                        .last_mut()
                        .filter(|_| in_assigns && one.comments.is_empty())
                    {
                        Some(section) => section.push_str(&text),
                        None => sections.push(text),
                    }
                    in_assigns = true;
                }
                Item::Always(all) => {
                    let (first, rest) = (&all[0], &all[1..]);
                    comments(&first.comments, 1, &mut text);
                    text.push_str(&format!("{INDENT}always @(*) begin\n"));
                    let mut first = first.clone();
                    first.comments.clear();
                    self.printer.commented(&[first], 2, &mut text);
                    self.printer.commented(rest, 2, &mut text);
                    text.push_str(&format!("{INDENT}end\n"));
                    sections.push(text);
                    in_assigns = false;
                }
            }
        }
        if !self.plan.closing.is_empty() {
            let mut text = String::new();
            comments(&self.plan.closing, 1, &mut text);
            sections.push(text);
        }
        sections
    }

    fn sequential(&self) -> Vec<String> {
        let mut order: Vec<SymId> = vec![];
        for clock in &self.plan.clocks {
            if !order.contains(clock) {
                order.push(*clock);
            }
        }
        let block = |clock: &SymId| {
            let mut text = format!(
                "{INDENT}always @(posedge {}) begin\n",
                self.printer.name(*clock)
            );
            let registers = self.symbols.registers.iter().zip(&self.plan.updates);
            for ((register, update), _) in registers
                .zip(&self.plan.clocks)
                .filter(|(_, own)| *own == clock)
            {
                comments(&update.comments, 2, &mut text);
                let value = match &update.value {
                    Some(value) => self.printer.value(value),
                    None => self.printer.name(register.d).to_string(),
                };
                let name = self.printer.name(register.q);
                text.push_str(&format!("{INDENT}{INDENT}{name} <= {value};\n"));
            }
            text.push_str(&format!("{INDENT}end\n"));
            text
        };
        order.iter().map(block).collect()
    }

    /// A wire that takes the bits that nothing reads, so that linters report only what was not meant.
    fn unused(&self, name: &str) -> Option<String> {
        let mut parts = vec![];
        let written = self.written();
        for (id, symbol) in self.symbols.all.iter().enumerate() {
            let declared = match symbol.kind {
                Kind::Input | Kind::Register => true,
                Kind::ChildOutput => !self.plan.connections.contains_key(&id),
                Kind::Local | Kind::Temporary { .. } => written.contains(&id),
                _ => false,
            };
            if !declared {
                continue;
            }
            for (lo, count) in self.usage.unread(id, symbol.ty.width) {
                parts.push(if count == symbol.ty.width {
                    symbol.name.clone()
                } else if count == 1 {
                    format!("{}[{lo}]", symbol.name)
                } else {
                    format!("{}[{}:{lo}]", symbol.name, lo + count - 1)
                });
            }
        }
        if parts.is_empty() {
            return None;
        }
        let one_line = format!("{INDENT}wire {name} = &{{1'b0, {}}};\n", parts.join(", "));
        let text = if one_line.len() <= LINE {
            one_line
        } else {
            parts.insert(0, "1'b0".to_string());
            format!(
                "{INDENT}wire {name} = &{{\n{}\n{INDENT}}};\n",
                filled(&parts, 2)
            )
        };
        Some(format!("{INDENT}// Nothing reads these.\n{text}"))
    }
}
