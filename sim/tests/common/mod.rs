//! What the tests share: a board that echoes, compiled once for all of them.
#![allow(dead_code)] // each test file uses its part

use firstspike_sim::library::Library;
use firstspike_sim::rtl::{RtlBoard, RtlOptions};
use firstspike_sim::verilator::{cache_folder, compile, Ports, Source, Tools, Waveform};
use rand::RngExt;
use rand_chacha::rand_core::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::ops::ControlFlow;

pub const ECHO: &str = include_str!("../echo.v");
pub const BAUD: u32 = 3_000_000;
pub const CLOCK_HZ: u32 = 24_000_000;

/// The top module `echo` in the given Verilog.
pub fn source(verilog: &str) -> Source<'_> {
    Source {
        verilog,
        top: "echo",
        ports: Ports {
            clock: "clock",
            rx: "uart_rx",
            tx: "uart_tx",
        },
        waveform: None,
    }
}

/// The given Verilog as a library out of the cache that all tests and programs share.
pub fn library(verilog: &str, waveform: Option<Waveform>) -> Library {
    let tools = Tools::find().expect("Verilator is there");
    let source = Source {
        waveform,
        ..source(verilog)
    };
    compile(&source, &cache_folder(), &tools, &mut |_| {
        ControlFlow::Continue(())
    })
    .expect("the board compiles")
}

pub fn options(seed: u64) -> RtlOptions {
    RtlOptions {
        clock_hz: CLOCK_HZ,
        baud: BAUD,
        seed,
        trace: None,
    }
}

pub fn echo_board(seed: u64) -> RtlBoard {
    RtlBoard::new(&library(ECHO, None), &options(seed)).expect("the echo board starts")
}

pub fn random_bytes(count: usize, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; count];
    ChaCha8Rng::seed_from_u64(seed).fill(&mut bytes[..]);
    bytes
}
