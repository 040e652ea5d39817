//! Verilog from rust-hdl blocks, written as people write it.
//!
//! rust-hdl's own generator makes a module of each instance, joins names with `$`, copies clocks through `always`
//! blocks, and writes a Rust constant inside an expression as an undeclared wire. This one reads the same syntax tree
//! ([`rust_hdl::core::ast`]) and
//!
//! - makes one module of all blocks that are equal, whatever their names;
//! - writes registers as `always @(posedge clock)` and everything else as one `assign` for each signal, so that the text
//!   means the same in every simulator: there is no `always @(*)`, which simulators that wait for changes may run for ever
//!   or never;
//! - connects children in their port lists;
//! - gives every expression its exact width;
//! - refuses with an [`EmitError`] what would become wrong hardware: unknown names, open inputs, signals without a
//!   driver or with two, latches, loops without a register (through any number of blocks), and reads of a value that a
//!   signal has only between two assignments.
//!
//! The same circuit gives the same text.
//!
//! # How to write a block for it
//!
//! ```
//! use firstspike_hdl::{comment, verilog};
//! use rust_hdl::prelude::*;
//!
//! #[derive(LogicBlock, Default)]
//! struct Counter {
//!     pub clock: Signal<In, Clock>,
//!     pub enable: Signal<In, Bit>,
//!     pub count: Signal<Out, Bits<8>>,
//!     value: DFF<Bits<8>>,
//! }
//!
//! impl Logic for Counter {
//!     #[hdl_gen]
//!     fn update(&mut self) {
//!         comment!("module counter{count}");
//!         comment!("Counts the cycles in which `enable` is high.");
//!         dff_setup!(self, clock, value);
//!         if self.enable.val() {
//!             self.value.d.next = self.value.q.val() + 1;
//!         }
//!         self.count.next = self.value.q.val();
//!     }
//! }
//!
//! let text = verilog::emit("top", &Counter::default(), &[]).unwrap();
//! assert!(text.contains("value <= value + 8'd1;"));
//! ```
//!
//! - **Names.** A first statement `comment!("module NAME")` names the module; `{signal}` in it stands for the width of
//!   that port (`counter{count}` is `counter8`). `comment!` lines right after it become the comment above the module,
//!   so put `dff_setup!` or another statement before a comment that belongs to the code. Without a name, the module is
//!   called like the field of its first instance. The top module has the name given to [`emit`].
//! - **Registers.** Any `DFF<T>` field, or `DFFWithInit<T>` for a start value, named by `dff_setup!` or by assigning its
//!   `clock` and `d`. If something reads `d`, it is a wire with `_next` in its name.
//! - **Constants.** A const generic or a Rust `const` is no hardware inside an expression: make it a `Constant<T>` field.
//!   They may be used in loop bounds (`for i in 0..N`), in types (`bits::<W>(3)`, `get_bits::<W>(4)`), and nowhere else;
//!   loop variables may be used in indices, in `get_bit(2 * i + 1)`, and as numbers (`i.to_bits()`).
//! - **`bit_cast`.** rust-hdl evaluates the call when it describes the block, so its argument cannot use a loop
//!   variable: `bit_cast::<8, 4>(self.x[i].val())` does not compile. Adding a `Bit` to `Bits` works without a cast.
//! - **`signed_bit_cast`** is right in Verilog, but rust-hdl's simulation of it never ends on the lowest number.
//! - **Words from parts.** `(bit_cast::<16, 8>(high) << 8) | bit_cast::<16, 8>(low)` becomes `{high, low}`.
//! - **Bits of a word.** `self.mask.next = self.mask.val().replace_bit(i, bit)` in a loop, after a default for the
//!   word, drives one bit each; if the bit is a child's output, the child drives it.
//! - **Parts of expressions.** `(a + b).get_bit(3)` makes a wire with `_full` in its name; a local signal reads better.
//! - **Order.** Assign a signal on every path. Its value is the one that it is given last: code may not read it between
//!   two assignments that may both happen. Sums and chains take an array, with one element for each intermediate value.
//! - **Loops.** A signal may not depend on itself, and a word is one signal: bits that depend on one another are an array
//!   of signals.
//! - **Match.** On enums with `#[derive(LogicState)]`, integers and bools. If the enum does not fill its bits, the last arm
//!   becomes the `default`.
//! - **Structs.** `#[derive(LogicStruct)]` fields become part selects.
//! - **Verilog by hand.** `hdl()` may give `Verilog::Custom` (outputs are `reg`) or `Verilog::Wrapper` (outputs are
//!   `wire`; `cores` goes once to the end of the file). A first line `// module NAME` and the comment lines after it
//!   serve as above. Ports of interfaces are joined with `_`. Such a block has no children. Its outputs are taken to
//!   depend on all its inputs at once, but for those that its `timing()` names: these have a register before them.

mod error;
mod ir;
mod lower;
mod module;
mod names;
mod plan;
mod print;
mod symbols;
mod tree;

pub use error::EmitError;

use module::{module, paths_by_hand, Module};
use names::Names;
use plan::Paths;
use rust_hdl::core::ast::Verilog;
use rust_hdl::core::block::Block;
use std::collections::{BTreeMap, BTreeSet};
use tree::Node;

/// A comment in the generated Verilog; nothing in Rust. See [`crate::verilog`] for what the first ones of a block mean.
///
/// The text is a plain string of one line. rust-hdl hands on a comment as the compiler prints the call, without every
/// `")` in it: a quotation mark before a closing parenthesis would be lost, and so it does not compile.
///
/// ```
/// # use firstspike_hdl::comment;
/// comment!("Adds 128 (d + 1): \"d\" is the code.");
/// ```
///
/// ```compile_fail
/// # use firstspike_hdl::comment;
/// comment!("Adds d (the \"code\").");
/// ```
///
/// Nor do escapes other than `\"`, and raw strings:
///
/// ```compile_fail
/// # use firstspike_hdl::comment;
/// comment!("One line\nand another.");
/// ```
///
/// ```compile_fail
/// # use firstspike_hdl::comment;
/// comment!(r"Raw.");
/// ```
#[macro_export]
macro_rules! comment {
    ($text:literal) => {
        const _: () = $crate::verilog::check_comment($text, stringify!($text));
    };
}

/// Refuses a comment that would not arrive as it is written; `source` is the literal.
#[doc(hidden)]
pub const fn check_comment(text: &str, source: &str) {
    let (text, source) = (text.as_bytes(), source.as_bytes());
    assert!(source[0] == b'"', "a comment is a plain string");
    let (mut i, mut at) = (0, 1);
    while i < text.len() {
        let byte = text[i];
        assert!(
            byte >= b' ' && byte != b'\\',
            "a comment is one line without a backslash"
        );
        if byte == b'"' {
            assert!(
                i + 1 == text.len() || text[i + 1] != b')',
                "in a comment, no closing parenthesis may follow a quotation mark: rust-hdl loses both"
            );
            at += 1;
        }
        assert!(
            source[at] == byte,
            "in a comment, only a quotation mark may be escaped"
        );
        (i, at) = (i + 1, at + 1);
    }
}

/// Writes the Verilog of a circuit and all blocks inside it.
///
/// `top_name` is the name of the top module, which comes first; every other module follows the first one that uses it.
/// `header` lines go to the beginning of the text as `//` comments.
///
/// # Errors
/// An [`EmitError`] names the first block, in the order of the fields, that cannot be translated and says why.
pub fn emit(top_name: &str, uut: &impl Block, header: &[String]) -> Result<String, EmitError> {
    let tree = Node::of(top_name, uut);
    let mut library = Library::default();
    let top = library.add(&tree)?;
    Ok(library.text(top, top_name, header))
}

/// Index of a module in the library.
type ModuleId = usize;

/// Character on both sides of a module's index where its name will stand; never in Verilog.
const MARK: char = '\u{1}';

#[derive(Default)]
struct Library {
    modules: Vec<Entry>,
    known: BTreeMap<Module, ModuleId>,
    /// Declarations of modules that are defined elsewhere, and what wrappers need besides their own module.
    cores: Vec<String>,
    /// Names of modules that are defined elsewhere.
    foreign: BTreeSet<String>,
}

struct Entry {
    module: Module,
    /// Field of the first instance.
    field: String,
    children: Vec<ModuleId>,
    paths: Paths,
}

impl Library {
    /// Adds the module of a block after those of its children; equal modules become one.
    fn add(&mut self, node: &Node) -> Result<ModuleId, EmitError> {
        let mut children = vec![];
        let mut types = BTreeMap::new();
        let mut paths = vec![];
        for child in node.children.iter().filter(|c| c.as_register().is_none()) {
            let name = match &child.code {
                Verilog::Blackbox(core) => {
                    self.foreign.insert(core.name.clone());
                    self.add_core(&core.code);
                    paths.push(paths_by_hand(child));
                    core.name.clone()
                }
                _ => {
                    let id = self.add(child)?;
                    children.push(id);
                    paths.push(self.modules[id].paths.clone());
                    format!("{MARK}{id}{MARK}")
                }
            };
            types.insert(child.key.clone(), name);
        }
        if let Verilog::Wrapper(wrapper) = &node.code {
            self.add_core(&wrapper.cores);
        }
        let by_hand = matches!(node.code, Verilog::Custom(_) | Verilog::Wrapper(_));
        if by_hand && !node.children.is_empty() {
            let what = "a block of hand-written Verilog with blocks inside it".to_string();
            return Err(EmitError::Unsupported {
                block: node.path.clone(),
                what,
            });
        }
        let (module, own) = module(node, &|child| types[&child.key].clone(), &paths)?;
        if let Some(id) = self.known.get(&module) {
            return Ok(*id);
        }
        let id = self.modules.len();
        self.known.insert(module.clone(), id);
        let field = node.key.split('$').next().unwrap_or_default().to_string();
        self.modules.push(Entry {
            module,
            field,
            children,
            paths: own,
        });
        Ok(id)
    }

    fn add_core(&mut self, code: &str) {
        let code = code.trim_matches('\n').trim_end().to_string();
        if !code.is_empty() && !self.cores.contains(&code) {
            self.cores.push(code);
        }
    }

    /// Modules in the order of the text: each before its children.
    fn order(&self, id: ModuleId, seen: &mut Vec<ModuleId>) {
        if seen.contains(&id) {
            return;
        }
        seen.push(id);
        for child in &self.modules[id].children {
            self.order(*child, seen);
        }
    }

    fn text(&self, top: ModuleId, top_name: &str, header: &[String]) -> String {
        let mut order = vec![];
        self.order(top, &mut order);
        let mut names = Names::default();
        for name in &self.foreign {
            names.unique(name);
        }
        let mut name_of = BTreeMap::new();
        for id in &order {
            let entry = &self.modules[*id];
            let wanted = match &entry.module.wanted {
                _ if *id == top => top_name,
                Some(name) => name,
                None => &entry.field,
            };
            name_of.insert(*id, names.unique(wanted));
        }
        let mut text = String::new();
        print::comments(header, 0, &mut text);
        if !header.is_empty() {
            text.push('\n');
        }
        text.push_str("`default_nettype none\n");
        for id in &order {
            let module = &self.modules[*id].module;
            text.push('\n');
            print::comments(&module.doc, 0, &mut text);
            let mut body = module.text.clone();
            for child in &self.modules[*id].children {
                body = body.replace(&format!("{MARK}{child}{MARK}"), &name_of[child]);
            }
            text.push_str(&format!("module {}{body}", name_of[id]));
        }
        text.push_str("\n`default_nettype wire\n");
        for core in &self.cores {
            text.push_str(&format!("\n{core}\n"));
        }
        text
    }
}
