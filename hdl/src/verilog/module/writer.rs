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

    pub fn combinational(&self) -> Vec<String> {
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

    pub fn sequential(&self) -> Vec<String> {
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
