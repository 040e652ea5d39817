//! Walks a rust-hdl circuit and keeps what the emitter needs of it.

use super::ir::Ty;
use num_bigint::BigInt;
use num_traits::One;
use rust_hdl::core::ast::{Verilog, VerilogLiteral};
use rust_hdl::core::atom::{Atom as RustHdlAtom, AtomKind};
use rust_hdl::core::block::Block;
use rust_hdl::core::probe::Probe;
use rust_hdl::core::type_descriptor::TypeDescriptor;
use rust_hdl::prelude::{Bits, Logic};
use rust_hdl::widgets::prelude::{DFFWithInit, DFF};

/// A port, local signal or constant of a block.
pub struct Atom {
    /// Name inside the block; fields of interfaces and elements of arrays are joined with `$`.
    pub key: String,
    pub kind: AtomKind,
    pub ty: Ty,
    pub descriptor: TypeDescriptor,
    /// Value of a constant.
    pub value: BigInt,
}

/// A block and its children.
pub struct Node {
    /// Name of the field that holds the block, `$index` appended for arrays.
    pub key: String,
    /// Path from the top, for error messages.
    pub path: String,
    pub atoms: Vec<Atom>,
    pub children: Vec<Node>,
    pub code: Verilog,
    /// The outputs that only change with a clock, as the block's `timing` says: keys of atoms.
    pub registered: Vec<String>,
}

impl Node {
    pub fn of(name: &str, block: &impl Block) -> Node {
        let mut walk = Walk::default();
        block.accept(name, &mut walk);
        walk.root.expect("a block visits itself")
    }

    /// The initial value, if this block is one of rust-hdl's flip-flops.
    pub fn as_register(&self) -> Option<BigInt> {
        let kinds: Vec<&str> = self.atoms.iter().map(|a| a.key.as_str()).collect();
        match (kinds.as_slice(), self.children.as_slice(), &self.code) {
            (["d", "q", "clock"], [], Verilog::Custom(code)) => dff_initial_value(code),
            (["d", "q", "clock", "init"], [dff], code) => {
                dff.as_register()?;
                let model = DFFWithInit::<Bits<1>>::new(0.into()).hdl();
                (format!("{code:?}") == format!("{model:?}")).then(|| self.atoms[3].value.clone())
            }
            _ => None,
        }
    }
}

/// The value after "q = " in the code of a [`DFF`], if the code is that of a DFF.
fn dff_initial_value(code: &str) -> Option<BigInt> {
    let Verilog::Custom(model) = DFF::<Bits<1>>::default().hdl() else {
        return None;
    };
    let (before, after) = model.split_once("1'h0")?;
    let literal = code.strip_prefix(before)?.strip_suffix(after)?;
    parse_literal(literal)
}

fn parse_literal(text: &str) -> Option<BigInt> {
    let (_, digits) = text.split_once("'h")?;
    BigInt::parse_bytes(digits.as_bytes(), 16)
}

/// Value of a rust-hdl literal.
pub fn literal_value(literal: &VerilogLiteral) -> BigInt {
    parse_literal(&format!("{literal:x}")).expect("rust-hdl prints <bits>'h<digits>")
}

/// Number of bits that a rust-hdl literal was made from; 1 only for a `bool`.
pub fn literal_bits(literal: &VerilogLiteral) -> usize {
    let text = format!("{literal:x}");
    text.split_once("'h")
        .and_then(|(bits, _)| bits.parse().ok())
        .expect("rust-hdl prints <bits>'h<digits>")
}

#[derive(Default)]
struct Walk {
    open: Vec<(Node, Vec<String>)>,
    root: Option<Node>,
}

impl Walk {
    fn joined(&self, name: &str) -> String {
        let namespace = self.open.last().map_or(&[][..], |(_, names)| names);
        let mut parts: Vec<&str> = namespace.iter().map(String::as_str).collect();
        parts.push(name);
        parts.join("$")
    }
}

impl Probe for Walk {
    fn visit_start_scope(&mut self, name: &str, node: &dyn Block) {
        let key = self.joined(name);
        let path = match self.open.last() {
            Some((parent, _)) => format!("{}.{}", parent.path, key.replace('$', "_")),
            None => key.clone(),
        };
        let code = node.hdl();
        let registered = node.timing().into_iter().flat_map(|t| t.outputs).collect();
        let (atoms, children) = (vec![], vec![]);
        let node = Node {
            key,
            path,
            atoms,
            children,
            code,
            registered,
        };
        self.open.push((node, vec![]));
    }

    fn visit_start_namespace(&mut self, name: &str, _node: &dyn Block) {
        if let Some((_, names)) = self.open.last_mut() {
            names.push(name.to_string());
        }
    }

    fn visit_atom(&mut self, name: &str, signal: &dyn RustHdlAtom) {
        let key = self.joined(name);
        if let Some((node, _)) = self.open.last_mut() {
            let descriptor = signal.descriptor();
            let ty = Ty::of(&descriptor);
            let mut value = literal_value(&signal.verilog());
            // rust-hdl gives the bit pattern of a signed value.
            if ty.signed && value.bit(ty.width as u64 - 1) {
                value -= BigInt::one() << ty.width;
            }
            node.atoms.push(Atom {
                key,
                kind: signal.kind(),
                ty,
                descriptor,
                value,
            });
        }
    }

    fn visit_end_namespace(&mut self, _name: &str, _node: &dyn Block) {
        if let Some((_, names)) = self.open.last_mut() {
            names.pop();
        }
    }

    fn visit_end_scope(&mut self, _name: &str, _node: &dyn Block) {
        if let Some((node, _)) = self.open.pop() {
            match self.open.last_mut() {
                Some((parent, _)) => parent.children.push(node),
                None => self.root = Some(node),
            }
        }
    }
}
