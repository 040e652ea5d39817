//! The sections of a module whose body comes from an update function.

use super::columns::{aligned, port_direction, Line};
use super::usage::{initial_variant, Usage};
use crate::verilog::ir::{Expr, Stmt, SymId};
use crate::verilog::plan::{Item, Plan};
use crate::verilog::print::{comments, filled, literal, Printer, INDENT, LINE};
use crate::verilog::symbols::{Instance, Kind, Symbols};
use crate::verilog::tree::Node;
use num_bigint::BigInt;
use std::collections::BTreeSet;

pub struct Writer<'s, 'a> {
    pub symbols: &'s Symbols<'a>,
    pub plan: &'s Plan,
    pub usage: &'s Usage,
    pub printer: Printer<'s, 'a>,
}

impl Writer<'_, '_> {
    pub fn ports(&self, node: &Node) -> Vec<Line> {
        let ports = node.atoms.iter().filter(|a| a.kind.is_parameter());
        ports
            .filter_map(|atom| {
                let symbol = self.symbols.lookup(&atom.key)?;
                let what = port_direction(atom.kind, "wire");
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

    pub fn declarations(&self) -> Vec<String> {
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
                    signals.push(self.declaration("wire", id, ";".into()));
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
        for register in &self.symbols.registers {
            let variant = initial_variant(self.symbols, register.q, &register.initial);
            let initial = match variant {
                Some(variant) => self.printer.name(variant).to_string(),
                None => literal(&register.initial, self.symbols.all[register.q].ty),
            };
            registers.push(self.declaration("reg", register.q, format!(" = {initial};")));
            if written.contains(&register.d) {
                registers.push(self.declaration("wire", register.d, ";".into()));
            }
        }
        [parameters, registers, signals]
            .iter()
            .filter(|group| !group.is_empty())
            .map(|group| format!("{}\n", aligned(group).join("\n")))
            .collect()
    }

    /// Symbols that the code or a child drives.
    fn written(&self) -> BTreeSet<SymId> {
        let mut written = BTreeSet::new();
        let mut add = |statement: &Stmt| {
            statement.writes(&mut |s, _| {
                written.insert(s);
            })
        };
        for item in &self.plan.items {
            match item {
                Item::Assign { one, .. } => add(&one.statement),
                Item::Edge { statements, .. } => {
                    statements.iter().for_each(|one| add(&one.statement));
                }
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

    pub fn instances(&self, instance_type: &dyn Fn(&Node) -> String) -> Vec<String> {
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

    pub fn behaviour(&self) -> Vec<String> {
        let mut sections: Vec<String> = vec![];
        let mut in_assigns = false;
        for item in &self.plan.items {
            let mut text = String::new();
            match item {
                Item::Assign { one, apart } => {
                    comments(&one.comments, 1, &mut text);
                    if let Stmt::Assign {
                        target,
                        place,
                        value,
                    } = &one.statement
                    {
                        let assignment = self.printer.assignment(*target, place, "=", value, 1);
                        text.push_str(&format!("{INDENT}assign {assignment}\n"));
                    }
                    match sections.last_mut().filter(|_| in_assigns && !apart) {
                        Some(section) => section.push_str(&text),
                        None => sections.push(text),
                    }
                    in_assigns = true;
                }
                Item::Edge {
                    clock,
                    comments: above,
                    statements,
                } => {
                    comments(above, 1, &mut text);
                    let clock = self.printer.name(*clock);
                    text.push_str(&format!("{INDENT}always @(posedge {clock}) begin\n"));
                    self.printer.commented(statements, 2, &mut text);
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

    /// A wire that takes the bits that nothing reads, so that linters report only what was not meant.
    pub fn unused(&self, name: &str) -> Option<String> {
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
