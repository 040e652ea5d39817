//! What the tests share: a board that echoes, compiled once for all of them.

use firstspike_sim::library::Library;
use firstspike_sim::rtl::{RtlBoard, RtlOptions};
use firstspike_sim::verilator::{cache_folder, compile, Ports, Source, Tools};
use std::ops::ControlFlow;

pub const ECHO: &str = include_str!("../echo.v");
pub const BAUD: u32 = 3_000_000;
pub const CLOCK_HZ: u32 = 24_000_000;

pub const SOURCE: Source = Source {
    verilog: ECHO,
    top: "echo",
    ports: Ports {
        clock: "clock",
        rx: "uart_rx",
        tx: "uart_tx",
    },
    waveform: None,
};

pub fn echo_library() -> Library {
    let tools = Tools::find().expect("Verilator is there");
    compile(&SOURCE, &cache_folder(), &tools, &mut |_| {
        ControlFlow::Continue(())
    })
    .expect("the echo board compiles")
}

pub fn options() -> RtlOptions {
    RtlOptions {
        clock_hz: CLOCK_HZ,
        baud: BAUD,
        seed: 1,
        trace: None,
    }
}

pub fn echo_board() -> RtlBoard {
    RtlBoard::new(&echo_library(), &options()).expect("the echo board starts")
}
