//! Helpers of the tests that cross crates.

pub mod faults;
pub mod icarus;
pub mod rtl_line;
pub mod wire;

use firmware_model::board::Board as BoardData;
use firmware_model::config::CoreConfig;
use firmware_model::network::{Layer, Network, SpikeTrain};
use firstspike_sim::rtl::RtlOptions;
use firstspike_sim::verilator::{cache_folder, compile, Ports, Source, Tools};
use firstspike_sim::{RtlBoard, VirtualBoard};
use rand::{Rng, RngExt};
use std::ops::ControlFlow;

/// The generated Verilog of `board` with `core`, compiled and running behind a pseudo-terminal.
/// Memories and registers without a start value hold at power-up what follows from `seed`.
pub fn rtl_board(board: &BoardData, core: &CoreConfig, seed: u64) -> VirtualBoard {
    VirtualBoard::spawn(rtl_device(board, core, seed), |_| {}).expect("there is a pseudo-terminal")
}

/// As [`rtl_board`], without the pseudo-terminal.
pub fn rtl_device(board: &BoardData, core: &CoreConfig, seed: u64) -> RtlBoard {
    let verilog = firstspike_hdl::generate(board, core).expect("the board's core is generated");
    let source = Source {
        verilog: &verilog,
        top: &firstspike_hdl::top_name(board),
        ports: Ports {
            clock: &board.clock.signal,
            rx: &board.uart.rx,
            tx: &board.uart.tx,
        },
        waveform: None,
    };
    let tools = Tools::find().expect("Verilator is installed: make tools");
    let library = compile(&source, &cache_folder(), &tools, &mut |_| {
        ControlFlow::Continue(())
    })
    .expect("the generated Verilog compiles");
    let options = RtlOptions {
        clock_hz: board.clock.core_hz,
        baud: board.uart.baud,
        seed,
        trace: None,
    };
    RtlBoard::new(&library, &options).expect("the board powers up")
}

/// A network of random weights. Thresholds are low enough that most neurons fire in time, and high
/// enough that some do not.
pub fn random_network(sizes: &[usize], steps: usize, random: &mut impl Rng) -> Network {
    let layers = (sizes.windows(2))
        .map(|pair| {
            let most = (pair[0] as f64).sqrt() as i32 + 1;
            let thresholds = (0..pair[1]).map(|_| random.random_range(1..=most));
            Layer::from_fn(pair[0], thresholds.collect(), |_, _| random.random())
        })
        .collect::<Result<_, _>>();
    Network::new(steps, layers.expect("the layers are well formed")).expect("and fit together")
}

/// Spikes of which a random share is silent, and another one comes at the first step.
pub fn random_spikes<R: Rng>(inputs: usize, steps: usize, random: &mut R) -> SpikeTrain {
    let (silent, early): (f64, f64) = (random.random(), random.random());
    let step = |random: &mut R| match () {
        _ if RngExt::random_bool(random, silent) => SpikeTrain::SILENT,
        _ if RngExt::random_bool(random, early) => 0,
        _ => RngExt::random_range(random, 0..steps as u16),
    };
    SpikeTrain::from_raw((0..inputs).map(|_| step(random)).collect())
}
