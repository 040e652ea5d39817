//! From Verilog text to a loaded board, once for each text: the results are kept in a cache folder under a name that
//! is the hash of all that went into them.

use crate::library::Library;
use crate::SimError;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use sha2::{Digest, Sha256};
use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

/// The C++ around every board.
const SHIM: &str = include_str!("../verilator/shim.cpp");

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
const LOG: &str = "build.log";

/// How often a running tool is looked after.
const POLL: Duration = Duration::from_millis(30);

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

/// The tools that compiling needs, found and checked.
#[derive(Debug, Clone)]
pub struct Tools {
    verilator: PathBuf,
    version: String,
    make: PathBuf,
}

impl Tools {
    /// Looks for the tools on the `PATH`.
    pub fn find() -> Result<Self, SimError> {
        Self::find_in(&env::var_os("PATH").unwrap_or_default())
    }

    /// Looks for the tools in the folders of `path`, which is written like the environment variable `PATH`.
    pub fn find_in(path: &OsStr) -> Result<Self, SimError> {
        let find = |tool: &str, package: &'static str| {
            env::split_paths(path)
                .map(|folder| folder.join(tool))
                .find(|file| file.is_file())
                .ok_or_else(|| SimError::ToolMissing {
                    tool: tool.to_owned(),
                    package,
                })
        };
        let verilator = find("verilator", "verilator")?;
        let make = find("make", "make")?;
        find("g++", "g++")?;
        let version = verilator_version(&verilator)?;
        Ok(Tools {
            verilator,
            version,
            make,
        })
    }
}

/// What `verilator --version` says, if that is a version that can be used.
fn verilator_version(verilator: &Path) -> Result<String, SimError> {
    let output = Command::new(verilator)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .map_err(SimError::io("run", verilator))?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let major = version
        .strip_prefix("Verilator ")
        .and_then(|rest| rest.split('.').next())
        .and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(major) if major >= 5 => Ok(version),
        _ => Err(SimError::ToolTooOld {
            path: verilator.to_owned(),
            found: version,
        }),
    }
}

/// Where compiled boards are kept: `build/verilated` of the repository that the current folder is in, else a folder in
/// the user's cache.
pub fn cache_folder() -> PathBuf {
    let here = env::current_dir().unwrap_or_default();
    let repository = here
        .ancestors()
        .find(|folder| folder.join("sim/verilator/shim.cpp").is_file());
    if let Some(repository) = repository {
        return repository.join("build/verilated");
    }
    let cache = env::var_os("XDG_CACHE_HOME")
        .filter(|folder| !folder.is_empty())
        .map(PathBuf::from)
        .or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".cache")))
        .unwrap_or_else(env::temp_dir);
    cache.join("firstspike/verilated")
}

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
    let name = cache_name(source, tools);
    let folder = cache.join(&name);
    let library = folder.join(LIBRARY);
    if library.is_file() {
        return Library::load(&library);
    }
    fs::create_dir_all(cache).map_err(SimError::io("make the folder", cache))?;
    let _lock = lock(&cache.join(format!("{name}.lock")), watch)?;
    if !library.is_file() {
        build(source, tools, cache, &name, watch)?;
    }
    Library::load(&library)
}

/// Compiles into the folder `name` of the cache. The caller holds that name's lock.
fn build(
    source: &Source,
    tools: &Tools,
    cache: &Path,
    name: &str,
    watch: &mut Watcher,
) -> Result<(), SimError> {
    let partial = cache.join(format!("{name}.partial"));
    remove(&partial)?; // of somebody who was killed
    fs::create_dir(&partial).map_err(SimError::io("make the folder", &partial))?;
    let built =
        run_tools(source, tools, &partial, watch).and_then(|()| keep(&partial, &cache.join(name)));
    if let Err(error) = built {
        let error = keep_log(error, &partial, &cache.join(format!("{name}.failed.log")));
        remove(&partial)?;
        return Err(error);
    }
    Ok(())
}

/// Everything that the library's contents depend on, as one hash.
fn cache_name(source: &Source, tools: &Tools) -> String {
    let mut hash = Sha256::new();
    let waveform = source.waveform.map_or("", Waveform::flag);
    let Ports { clock, rx, tx } = source.ports;
    let parts = [
        source.verilog,
        source.top,
        clock,
        rx,
        tx,
        waveform,
        SHIM,
        &tools.version,
        env::consts::ARCH,
    ];
    for part in parts.iter().chain(VERILATOR_FLAGS).chain(MAKE_FLAGS) {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize()
        .iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Waits for the lock of one cache entry, which is given back when the file is dropped.
fn lock(path: &Path, watch: &mut Watcher) -> Result<Flock<File>, SimError> {
    let mut file = File::create(path).map_err(SimError::io("write", path))?;
    loop {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(lock),
            Err((same, Errno::EWOULDBLOCK | Errno::EINTR)) => file = same,
            Err((_, errno)) => return Err(SimError::io("lock", path)(errno.into())),
        }
        if watch(Stage::Waiting).is_break() {
            return Err(SimError::Interrupted);
        }
        thread::sleep(POLL);
    }
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
    make.args(["-f", "Vtop.mk", &format!("-j{jobs}")])
        .args(MAKE_FLAGS);
    // Called from `make demo`, the outer make's flags and job tokens are not for this one.
    for variable in ["MAKEFLAGS", "MFLAGS", "MAKELEVEL"] {
        make.env_remove(variable);
    }
    run_tool(&mut make, folder, Stage::Compiling, watch)
}

/// Runs one tool in `folder` with its output appended to the log there.
fn run_tool(
    command: &mut Command,
    folder: &Path,
    stage: Stage,
    watch: &mut Watcher,
) -> Result<(), SimError> {
    let log_path = folder.join(LOG);
    let log = File::options()
        .create(true)
        .append(true)
        .open(&log_path)
        .map_err(SimError::io("write", &log_path))?;
    let same_log = log.try_clone().map_err(SimError::io("write", &log_path))?;
    let program = PathBuf::from(command.get_program());
    let mut child = command
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(same_log)
        .spawn()
        .map_err(SimError::io("run", &program))?;
    let status = wait(&mut child, stage, watch).map_err(SimError::io("run", &program))?;
    // Ctrl-C in a terminal ends the tool as well: ask once more before calling that a failure.
    match status {
        Some(status) if status.success() => Ok(()),
        Some(_) if watch(stage).is_continue() => Err(SimError::Compile {
            step: match stage {
                Stage::Compiling => "compiling the virtual board",
                Stage::Translating | Stage::Waiting => "Verilator",
            },
            first: first_error(&log_path),
            log: log_path,
        }),
        _ => Err(SimError::Interrupted),
    }
}

/// Waits for a tool to end: its status, or none if the watcher stopped it.
fn wait(
    child: &mut Child,
    stage: Stage,
    watch: &mut Watcher,
) -> std::io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if watch(stage).is_break() {
            // SIGTERM, not SIGKILL: make takes its compilers with it.
            let pid = nix::unistd::Pid::from_raw(child.id() as i32);
            nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM)?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(POLL);
    }
}

/// The first line of the log that speaks of an error, else its last line.
fn first_error(log: &Path) -> String {
    let Ok(file) = File::open(log) else {
        return "no output".to_owned();
    };
    let mut last = "no output".to_owned();
    for line in BufReader::new(file).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).trim().to_owned();
        if line.starts_with("%Error") || line.contains("error: ") || line.contains("Error ") {
            return line;
        }
        if !line.is_empty() {
            last = line;
        }
    }
    last
}

/// Moves what is worth keeping of a finished compilation to its place in the cache.
fn keep(partial: &Path, folder: &Path) -> Result<(), SimError> {
    let entries = fs::read_dir(partial).map_err(SimError::io("read", partial))?;
    for entry in entries.flatten() {
        let name = entry.file_name();
        if ![LIBRARY, VERILOG, LOG].iter().any(|kept| name == *kept) {
            let path = entry.path();
            fs::remove_file(&path).map_err(SimError::io("remove", path))?;
        }
    }
    fs::rename(partial, folder).map_err(SimError::io("write", folder))
}

/// Moves the log of a failed compilation to where it outlives the rest, and tells the error so.
fn keep_log(error: SimError, partial: &Path, kept: &Path) -> SimError {
    match error {
        SimError::Compile { step, first, .. } if fs::rename(partial.join(LOG), kept).is_ok() => {
            SimError::Compile {
                step,
                first,
                log: kept.to_owned(),
            }
        }
        error => error,
    }
}

/// Removes a folder if it is there.
fn remove(folder: &Path) -> Result<(), SimError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(SimError::io("remove", folder)(error))
        }
        _ => Ok(()),
    }
}
