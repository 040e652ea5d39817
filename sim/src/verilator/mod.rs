//! From Verilog text to a loaded board, once for each text: the results are kept in a cache folder under a name that
//! is the hash of all that went into them.

mod cache;
mod tools;

pub use cache::cache_folder;
pub use tools::Tools;

use crate::library::Library;
use crate::SimError;
use cache::Runtime;
use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::thread;
use tools::run_tool;

/// The C++ around every board.
const SHIM: &str = include_str!("../../verilator/shim.cpp");

/// `x-initial unique` is what makes the contents at power-up follow from a seed. Warnings do not stop the virtual
/// board: the generator's own tests are where they are errors.
const VERILATOR_FLAGS: &[&str] = &[
    "--cc",
    "--exe",
    "--prefix",
    "Vtop",
    "-O3",
    "--x-assign",
    "fast",
    "--x-initial",
    "unique",
    "--noassert",
    "--no-timing",
    "-Wno-fatal",
    "-CFLAGS",
    "-fPIC -fvisibility=hidden -fno-gnu-unique",
    "-CFLAGS",
    "-DVL_USER_FATAL",
    "-LDFLAGS",
    "-shared -Wl,-Bsymbolic",
    "-o",
    LIBRARY,
];

/// `OPT_FAST` is for the code that runs at every clock, `OPT_SLOW` for set-up, `OPT_GLOBAL` for Verilator's runtime.
const MAKE_FLAGS: &[&str] = &["OPT_FAST=-O2", "OPT_SLOW=-O0", "OPT_GLOBAL=-O1"];

const LIBRARY: &str = "libboard.so";
const VERILOG: &str = "board.v";

/// What a compiled board can write a waveform as. Being able to costs speed, even when no file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waveform {
    /// Text that every viewer reads.
    Vcd,
    /// GTKWave's compressed format: a tenth of the size and less.
    Fst,
}

impl Waveform {
    /// The format that a file name asks for: VCD when it ends in `.vcd`, else FST.
    pub fn of(path: &Path) -> Self {
        if path.extension() == Some(OsStr::new("vcd")) {
            Waveform::Vcd
        } else {
            Waveform::Fst
        }
    }

    fn flag(self) -> &'static str {
        match self {
            Waveform::Vcd => "--trace",
            Waveform::Fst => "--trace-fst",
        }
    }
}

/// What is to be compiled.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The Verilog of the whole board.
    pub verilog: &'a str,
    /// The name of its top module.
    pub top: &'a str,
    /// The names of the ports that the virtual board is used by.
    pub ports: Ports<'a>,
    /// Whether it must be able to write a waveform.
    pub waveform: Option<Waveform>,
}

/// The ports of a top module that the virtual board drives and looks at.
#[derive(Debug, Clone, Copy)]
pub struct Ports<'a> {
    /// The clock, an input.
    pub clock: &'a str,
    /// The device's receive pin, an input.
    pub rx: &'a str,
    /// The device's transmit pin, an output.
    pub tx: &'a str,
}

impl Ports<'_> {
    /// The names as macros for the C++ around the board.
    fn macros(&self) -> [String; 3] {
        [("CLOCK", self.clock), ("RX", self.rx), ("TX", self.tx)]
            .map(|(port, name)| format!("-DPORT_{port}={name}"))
    }
}

/// What [`compile`] is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Somebody else compiles the same board: their result will do.
    Waiting,
    /// Verilator turns Verilog into C++.
    Translating,
    /// The C++ compiler makes a shared library of that.
    Compiling,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::Waiting => "the virtual board is being compiled by another process",
            Stage::Translating => "Verilator translates the virtual board",
            Stage::Compiling => "the C++ compiler builds the virtual board",
        })
    }
}

/// Hears about the stage some thirty times a second while tools run, and can stop them.
pub type Watcher<'a> = dyn FnMut(Stage) -> ControlFlow<()> + 'a;

/// The board that `source` describes, from the folder `cache` if it has been compiled before.
///
/// Any number of processes and threads may call this at the same time: one compiles, the others wait for it. A
/// compilation that is broken off leaves nothing that would be taken for a result.
pub fn compile(
    source: &Source,
    cache: &Path,
    tools: &Tools,
    watch: &mut Watcher,
) -> Result<Library, SimError> {
    let (name, runtime) = names(source, tools);
    let folder = cache.join(&name);
    let library = folder.join(LIBRARY);
    if library.is_file() {
        return Library::load(&library);
    }
    fs::create_dir_all(cache).map_err(SimError::io("make the folder", cache))?;
    // make looks at the path without links.
    let place = fs::canonicalize(cache).map_err(SimError::io("read", cache))?;
    if cache::has_space(&place) {
        return Err(SimError::SpaceInName(place));
    }
    let _lock = cache::lock(&cache.join(format!("{name}.lock")), watch)?;
    if !library.is_file() {
        let runtime = Runtime::new(cache, &runtime)?;
        build(source, tools, &runtime, &folder, watch)?;
    }
    Library::load(&library)
}

/// Compiles into a folder of the cache. The caller holds that folder's lock.
fn build(
    source: &Source,
    tools: &Tools,
    runtime: &Runtime,
    folder: &Path,
    watch: &mut Watcher,
) -> Result<(), SimError> {
    let partial = folder.with_extension("partial");
    cache::remove_folder(&partial)?; // of somebody who was killed
    fs::create_dir(&partial).map_err(SimError::io("make the folder", &partial))?;
    let built = runtime
        .lend(&partial)
        .and_then(|()| run_tools(source, tools, &partial, watch))
        .and_then(|()| cache::keep(&partial, folder, runtime));
    if let Err(error) = built {
        let error = cache::keep_log(error, &partial, &folder.with_extension("failed.log"));
        cache::remove_folder(&partial)?;
        return Err(error);
    }
    Ok(())
}

/// The names of a board and of the runtime that it needs: all that their contents depend on, as hashes.
fn names(source: &Source, tools: &Tools) -> (String, String) {
    let runtime: Vec<&str> = [&tools.version, env::consts::ARCH]
        .into_iter()
        .chain(source.waveform.map(Waveform::flag))
        .chain(VERILATOR_FLAGS.iter().copied())
        .chain(MAKE_FLAGS.iter().copied())
        .collect();
    let runtime = cache::name_of(runtime);
    let Ports { clock, rx, tx } = source.ports;
    let board = cache::name_of([&runtime, SHIM, source.verilog, source.top, clock, rx, tx]);
    (board, runtime)
}

/// Runs Verilator and the C++ compiler in `folder`.
fn run_tools(
    source: &Source,
    tools: &Tools,
    folder: &Path,
    watch: &mut Watcher,
) -> Result<(), SimError> {
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).map_err(SimError::io("write", path))
    };
    write(VERILOG, source.verilog)?;
    write("shim.cpp", SHIM)?;

    let mut verilator = Command::new(&tools.verilator);
    verilator
        .args(VERILATOR_FLAGS)
        .args(source.waveform.map(Waveform::flag))
        .args(["-CFLAGS", &source.ports.macros().join(" ")])
        .args([
            "--top-module",
            source.top,
            "--Mdir",
            ".",
            VERILOG,
            "shim.cpp",
        ]);
    run_tool(&mut verilator, folder, Stage::Translating, watch)?;

    let jobs = thread::available_parallelism().map_or(1, usize::from);
    let mut make = Command::new(&tools.make);
    // "-o Vtop.mk": that the makefile is new is no reason to compile the runtime again.
    make.args(["-f", "Vtop.mk", "-o", "Vtop.mk", &format!("-j{jobs}")])
        .args(MAKE_FLAGS);
    // Called from `make demo`, the outer make's flags and job tokens are not for this one.
    for variable in ["MAKEFLAGS", "MFLAGS", "MAKELEVEL"] {
        make.env_remove(variable);
    }
    run_tool(&mut make, folder, Stage::Compiling, watch)
}
