//! The named things of one block: its ports, signals and constants, its registers and its children's ports.

use super::error::EmitError;
use super::ir::{SymId, Ty};
use super::names::{screaming, Names};
use super::tree::{Atom, Node};
use num_bigint::BigInt;
use rust_hdl::core::ast::Verilog;
use rust_hdl::core::atom::AtomKind;
use rust_hdl::core::type_descriptor::{TypeDescriptor, TypeKind};
use std::collections::BTreeMap;

#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Input,
    Output,
    InOut,
    Local,
    Constant(BigInt),
    /// Variant of an enum, with its encoding.
    Variant(usize),
    /// What a register holds, and what it takes at the next edge of its clock.
    Register,
    RegisterNext,
    RegisterClock,
    ChildInput,
    ChildOutput,
    ChildInOut,
    /// A name for an expression of which a part is taken; `stable` if nothing in this block's code assigns what it
    /// is made of.
    Temporary {
        stable: bool,
    },
}

impl Kind {
    /// Assigned by the block's own code.
    pub fn is_variable(&self) -> bool {
        matches!(
            self,
            Kind::Output
                | Kind::Local
                | Kind::RegisterNext
                | Kind::RegisterClock
                | Kind::ChildInput
                | Kind::Temporary { .. }
        )
    }

    /// The same whatever the block's code does.
    pub fn is_stable(&self) -> bool {
        matches!(self, Kind::Temporary { stable: true }) || !self.is_variable()
    }
}

pub struct Symbol {
    /// Name in rust-hdl, array indices and fields joined by `$`.
    pub key: String,
    /// Name in Verilog.
    pub name: String,
    pub ty: Ty,
    pub kind: Kind,
    /// The Rust type, for the fields of structs.
    pub descriptor: Option<TypeDescriptor>,
}

pub struct Register {
    pub q: SymId,
    pub d: SymId,
    pub clock: SymId,
    pub initial: BigInt,
}

pub struct Port {
    /// Name in the child's module.
    pub name: String,
    pub symbol: SymId,
}

pub struct Instance<'a> {
    pub node: &'a Node,
    pub name: String,
    pub ports: Vec<Port>,
}

pub struct Symbols<'a> {
    pub path: String,
    pub all: Vec<Symbol>,
    pub registers: Vec<Register>,
    pub instances: Vec<Instance<'a>>,
    /// Symbols of the variants of each enum.
    pub enums: BTreeMap<String, Vec<SymId>>,
    names: Names,
    by_key: BTreeMap<String, SymId>,
}

/// Names of a block's ports in its module, in order, by key.
pub fn port_names(node: &Node) -> Vec<(&Atom, String)> {
    let mut names = Names::default();
    named_ports(node, &mut names)
}

fn named_ports<'a>(node: &'a Node, names: &mut Names) -> Vec<(&'a Atom, String)> {
    let ports = node.atoms.iter().filter(|a| a.kind.is_parameter());
    ports
        .map(|atom| match &node.code {
            Verilog::Blackbox(_) => (atom, atom.key.clone()),
            _ => (atom, names.unique(&atom.key)),
        })
        .collect()
}

impl<'a> Symbols<'a> {
    pub fn of(node: &'a Node) -> Result<Self, EmitError> {
        let mut symbols = Symbols {
            path: node.path.clone(),
            all: vec![],
            registers: vec![],
            instances: vec![],
            enums: BTreeMap::new(),
            names: Names::default(),
            by_key: BTreeMap::new(),
        };
        symbols.add_ports(node);
        symbols.add_registers(node);
        symbols.add_signals(node);
        symbols.add_variants(node)?;
        symbols.add_instances(node);
        match symbols.all.iter().find(|s| s.ty.width == 0) {
            Some(empty) => Err(EmitError::Unsupported {
                block: node.path.clone(),
                what: format!("signal `{}` of zero bits", empty.key),
            }),
            None => Ok(symbols),
        }
    }

    pub fn lookup(&self, key: &str) -> Option<SymId> {
        let by_path = || {
            let mut parts = key.rsplitn(3, '$');
            let (variant, name) = (parts.next()?, parts.next()?);
            self.by_key.get(&format!("{name}${variant}")).copied()
        };
        let variant = || by_path().filter(|s| matches!(self.all[*s].kind, Kind::Variant(_)));
        self.by_key.get(key).copied().or_else(variant)
    }

    pub fn temporary(&mut self, hint: &str, ty: Ty, stable: bool) -> SymId {
        let name = self.names.unique(hint);
        self.add(name.clone(), name, ty, Kind::Temporary { stable }, None)
    }

    /// A name that no symbol has.
    pub fn unique_name(&mut self, wanted: &str) -> String {
        self.names.unique(wanted)
    }

    fn add(
        &mut self,
        key: String,
        name: String,
        ty: Ty,
        kind: Kind,
        descriptor: Option<TypeDescriptor>,
    ) -> SymId {
        let id = self.all.len();
        self.by_key.insert(key.clone(), id);
        self.all.push(Symbol {
            key,
            name,
            ty,
            kind,
            descriptor,
        });
        id
    }

    fn add_atom(&mut self, key: String, name: String, atom: &Atom, kind: Kind) -> SymId {
        self.add(key, name, atom.ty, kind, Some(atom.descriptor.clone()))
    }

    fn add_ports(&mut self, node: &Node) {
        for (atom, name) in named_ports(node, &mut self.names) {
            let kind = match atom.kind {
                AtomKind::InputParameter => Kind::Input,
                AtomKind::InOutParameter => Kind::InOut,
                _ => Kind::Output,
            };
            self.add_atom(atom.key.clone(), name, atom, kind);
        }
    }

    fn add_registers(&mut self, node: &Node) {
        for child in &node.children {
            let Some(initial) = child.as_register() else {
                continue;
            };
            let [d_atom, q_atom, clock_atom, ..] = child.atoms.as_slice() else {
                continue;
            };
            let name = self.names.unique(&child.key);
            let next = self.names.unique(&format!("{name}_next"));
            let key = |port: &str| format!("{}${port}", child.key);
            let q = self.add_atom(key("q"), name.clone(), q_atom, Kind::Register);
            let d = self.add_atom(key("d"), next, d_atom, Kind::RegisterNext);
            let clock = self.add_atom(key("clock"), name, clock_atom, Kind::RegisterClock);
            self.registers.push(Register {
                q,
                d,
                clock,
                initial,
            });
        }
    }

    fn add_signals(&mut self, node: &Node) {
        for atom in &node.atoms {
            let (kind, wanted) = match atom.kind {
                AtomKind::Constant => (Kind::Constant(atom.value.clone()), screaming(&atom.key)),
                AtomKind::LocalSignal => (Kind::Local, atom.key.clone()),
                _ => continue,
            };
            let name = self.names.unique(&wanted);
            self.add_atom(atom.key.clone(), name, atom, kind);
        }
    }

    fn add_variants(&mut self, node: &Node) -> Result<(), EmitError> {
        let own = node.atoms.iter();
        let all = own.chain(node.children.iter().flat_map(|c| &c.atoms));
        let mut types = vec![];
        all.for_each(|atom| collect_enums(&atom.descriptor, &mut types));
        for (name, variants) in types {
            let ty = Ty::bits(rust_hdl::prelude::clog2(variants.len()));
            if let Some(known) = self.enums.get(&name) {
                let same = known.len() == variants.len()
                    && known
                        .iter()
                        .zip(&variants)
                        .all(|(s, v)| self.all[*s].key == variant_key(v));
                if same {
                    continue;
                }
                let what = format!("two different enums with the name `{name}`");
                return Err(EmitError::Unsupported {
                    block: self.path.clone(),
                    what,
                });
            }
            let mut symbols = vec![];
            for (code, variant) in variants.iter().enumerate() {
                let key = variant_key(variant);
                let words: Vec<String> = key.split('$').map(screaming).collect();
                let local = self.names.unique(&words.join("_"));
                symbols.push(self.add(key, local, ty, Kind::Variant(code), None));
            }
            self.enums.insert(name, symbols);
        }
        Ok(())
    }

    fn add_instances(&mut self, node: &'a Node) {
        let children = node.children.iter().filter(|c| c.as_register().is_none());
        let mut instances: Vec<Instance> = children
            .map(|node| Instance {
                node,
                name: self.names.unique(&node.key),
                ports: vec![],
            })
            .collect();
        for instance in &mut instances {
            for (atom, port_name) in port_names(instance.node) {
                let kind = match atom.kind {
                    AtomKind::InputParameter => Kind::ChildInput,
                    AtomKind::InOutParameter => Kind::ChildInOut,
                    _ => Kind::ChildOutput,
                };
                let name = self.names.unique(&format!("{}_{port_name}", instance.name));
                let key = format!("{}${}", instance.node.key, atom.key);
                let symbol = self.add_atom(key, name, atom, kind);
                instance.ports.push(Port {
                    name: port_name,
                    symbol,
                });
            }
        }
        self.instances = instances;
    }
}

fn variant_key(variant: &str) -> String {
    variant.replace("::", "$")
}

fn collect_enums(descriptor: &TypeDescriptor, found: &mut Vec<(String, Vec<String>)>) {
    match &descriptor.kind {
        TypeKind::Enum(variants) => found.push((descriptor.name.clone(), variants.clone())),
        TypeKind::Composite(fields) => fields.iter().for_each(|f| collect_enums(&f.kind, found)),
        TypeKind::Bits(_) | TypeKind::Signed(_) => {}
    }
}
