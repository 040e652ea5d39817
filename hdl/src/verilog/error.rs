//! What can be wrong with a block that is to become Verilog.

use thiserror::Error;

/// Why a block has no Verilog. Each error names the block by its path from the top (`top.core.lanes_3`).
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EmitError {
    /// A name that is neither signal, constant, enum variant nor loop variable. A const generic or a Rust constant
    /// inside an expression ends up here: the Rust simulation knows its value, the hardware description does not.
    #[error("block `{block}`: `{name}` is no signal of the block; put a Rust constant into a `Constant<T>` field")]
    UnknownName {
        /// Path of the block.
        block: String,
        /// The name as the source has it.
        name: String,
    },
    /// The array index inside a name cannot be computed from loop variables and numbers.
    #[error("block `{block}`: the index in `{name}` is not made of loop variables and numbers; select with `get_bit` or `match` instead")]
    Index {
        /// Path of the block.
        block: String,
        /// The name as the source has it.
        name: String,
    },
    /// A block without an `#[hdl_gen]` update or a hand-written `hdl()`.
    #[error(
        "block `{block}` has no hardware description; put `#[hdl_gen]` on its update function"
    )]
    NoDescription {
        /// Path of the block.
        block: String,
    },
    /// An input of a child block that its parent never assigns.
    #[error(
        "block `{block}`: input `{signal}` is not connected; assign it in the update function"
    )]
    Unconnected {
        /// Path of the parent block.
        block: String,
        /// The child's input.
        signal: String,
    },
    /// A signal that is read, or leaves the block, but of which some bit is never assigned.
    #[error(
        "block `{block}`: `{signal}` is not assigned in all its bits; assign it before it is read"
    )]
    Undriven {
        /// Path of the block.
        block: String,
        /// The signal.
        signal: String,
    },
    /// A signal that keeps its value on some path through the update function.
    #[error("block `{block}`: `{signal}` is not assigned on every path; give it a default at the beginning")]
    Latch {
        /// Path of the block.
        block: String,
        /// The signal.
        signal: String,
    },
    /// A signal that is read after one assignment and before another: what is read would be a value that the hardware,
    /// where a signal has one value, does not have.
    #[error("block `{block}`: `{signal}` is read between two assignments to it; give the earlier value a signal of its own")]
    ReadBetween {
        /// Path of the block.
        block: String,
        /// The signal.
        signal: String,
    },
    /// A signal that depends on itself without a register between, perhaps by way of other blocks. A word counts as one
    /// signal, whatever bits of it are read and assigned.
    #[error("block `{block}`: `{signals}` is a loop without a register; a word is one signal, so use an array where its bits depend on one another")]
    Loop {
        /// Path of the block.
        block: String,
        /// The signals on the way round, the first one again at the end, with "` to `" between them.
        signals: String,
    },
    /// An assignment to something that has a driver already: an input, a constant, a child's output, a register's q.
    #[error("block `{block}`: `{signal}` has another driver; remove the assignment")]
    DrivenTwice {
        /// Path of the block.
        block: String,
        /// The signal.
        signal: String,
    },
    /// A register whose clock is not one signal, assigned once and unconditionally.
    #[error("block `{block}`: the clock of `{register}` must be assigned once from a clock signal; use `dff_setup!`")]
    Clock {
        /// Path of the block.
        block: String,
        /// The register.
        register: String,
    },
    /// Two widths that must be equal are not.
    #[error("block `{block}`: `{what}` is {found} bits wide where {expected} are needed; cast it with `bit_cast`")]
    Width {
        /// Path of the block.
        block: String,
        /// The expression.
        what: String,
        /// Its width.
        found: usize,
        /// The width that the context needs.
        expected: usize,
    },
    /// A number that does not fit the width of its context.
    #[error("block `{block}`: {value} does not fit {width} bits; use a wider signal")]
    TooLarge {
        /// Path of the block.
        block: String,
        /// The number.
        value: String,
        /// The width.
        width: usize,
    },
    /// An expression whose width nothing determines.
    #[error(
        "block `{block}`: the width of `{what}` is not known; assign it to a local signal first"
    )]
    UnknownWidth {
        /// Path of the block.
        block: String,
        /// The expression.
        what: String,
    },
    /// A bit or slice outside of a signal.
    #[error(
        "block `{block}`: bit {bit} is outside of `{what}`, which has {width}; correct the index"
    )]
    OutOfRange {
        /// Path of the block.
        block: String,
        /// The expression.
        what: String,
        /// The highest bit asked for.
        bit: String,
        /// The width.
        width: usize,
    },
    /// Something that this emitter does not translate.
    #[error("block `{block}`: {what} cannot be translated; write it in another way")]
    Unsupported {
        /// Path of the block.
        block: String,
        /// What it is.
        what: String,
    },
}
