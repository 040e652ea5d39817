//! The link's emitted Verilog, compiled by Verilator into a library that is called once a clock.

use firmware_model::protocol::InfoPayload;
use firstspike_hdl::link::{Link, LinkConfig};
use firstspike_hdl::verilog;
use libloading::{Library, Symbol};
use std::ffi::c_void;
use std::path::Path;
use std::process::Command;

use crate::setup::Setup;

#[repr(C)]
#[derive(Debug, Default, Clone, Copy)]
pub struct Inputs {
    pub verify_crc: u32,
    pub result_cycles: u32,
    pub result_idle: u32,
    pub result_class: u16,
    pub result_overshoot: u16,
    pub result_step: u8,
    pub result_silent: u8,
    pub result_valid: u8,
    pub uart_rx: u8,
    pub load_error: u8,
    pub verify_done: u8,
    pub spikes_ready: u8,
    pub spikes_error: u8,
    pub busy: u8,
}

#[repr(C)]
#[derive(Debug, Default, Clone, Copy)]
pub struct Outputs {
    pub load_address: u16,
    pub uart_tx: u8,
    pub geometry_shift: u8,
    pub geometry_byte: u8,
    pub load_begin: u8,
    pub load_margins: u8,
    pub load_select: u8,
    pub load_strobe: u8,
    pub load_byte: u8,
    pub verify_start: u8,
    pub spikes_begin: u8,
    pub spikes_strobe: u8,
    pub spikes_byte: u8,
    pub spikes_commit: u8,
    pub result_take: u8,
    pub armed: u8,
    pub activity: u8,
}

/// The Verilog of the link of a setup.
pub fn emit(setup: &Setup) -> String {
    let link = Link::new(LinkConfig {
        core: setup.core,
        info: setup.info().to_vec(),
        divisor: setup.divisor,
    });
    verilog::emit("link", &link, &[]).expect("the link has Verilog")
}

impl Setup {
    /// What the gateware says of itself.
    pub fn info(&self) -> [u8; firmware_model::protocol::info::FIXED_BYTES] {
        InfoPayload::for_config(&self.core, 7, self.divisor * 3_000_000, 3_000_000)
    }
}

/// Runs a tool, which must succeed and say nothing.
pub fn run(command: &mut Command) {
    let output = command
        .output()
        .expect("the tool runs: is Verilator installed?");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {text}");
    assert!(text.is_empty(), "{command:?}: {text}");
}

/// A compiled link.
pub struct Compiled(Library);

impl Compiled {
    pub fn new(setup: &Setup) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = |name: &str| folder.path().join(name);
        std::fs::write(file("link.v"), emit(setup)).expect("the Verilog is written");
        let shim = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/link/shim.cpp");
        run(Command::new("verilator")
            .args([
                "--cc",
                "--exe",
                "--build",
                "-O3",
                "-Wall",
                "-Wno-DECLFILENAME",
            ])
            .args(["--top-module", "link", "-o", "link.so"])
            .args([
                "-CFLAGS",
                "-fPIC -O1",
                "-LDFLAGS",
                "-shared",
                "-MAKEFLAGS",
                "OPT_FAST=-O1",
            ])
            .arg("--Mdir")
            .arg(file("build"))
            .args([file("link.v"), shim]));
        // SAFETY: the library is ours, and its initialisers are Verilator's.
        Compiled(unsafe { Library::new(file("build/link.so")) }.expect("the library loads"))
    }
}

/// One link, at power-up.
pub struct Pins {
    compiled: &'static Compiled,
    bench: *mut c_void,
}

impl Pins {
    pub fn new(compiled: &'static Compiled) -> Self {
        // SAFETY: the signature is the shim's.
        let bench = unsafe {
            let new: Symbol<unsafe extern "C" fn() -> *mut c_void> =
                compiled.0.get(b"bench_new").expect("the shim has it");
            new()
        };
        Pins { compiled, bench }
    }

    /// The function for [`Pins::clock`], looked up once.
    pub fn clock_function(&self) -> ClockFunction {
        // SAFETY: the signature is the shim's, and the library is never unloaded.
        unsafe {
            *self
                .compiled
                .0
                .get(b"bench_clock")
                .expect("the shim has it")
        }
    }

    pub fn clock(&mut self, function: ClockFunction, inputs: &Inputs) -> Outputs {
        let mut outputs = Outputs::default();
        // SAFETY: the pointers are good for the call, and `bench` is the shim's.
        unsafe { function(self.bench, inputs, &mut outputs) };
        outputs
    }
}

pub type ClockFunction = unsafe extern "C" fn(*mut c_void, *const Inputs, *mut Outputs);

impl Drop for Pins {
    fn drop(&mut self) {
        // SAFETY: `bench` is from `bench_new`, and is freed once.
        unsafe {
            let free: Symbol<unsafe extern "C" fn(*mut c_void)> =
                self.compiled.0.get(b"bench_free").expect("the shim has it");
            free(self.bench);
        }
    }
}
