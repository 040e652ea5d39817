//! `firstspike board`, and virtual boards for the other commands.

use super::generate::{verilog_for, CoreArgs};
use super::outputs::{Force, Outputs};
use super::ui::say;
use super::{interrupt, Ui};
use crate::files::{contains, Kind};
use anyhow::Result;
use firmware_model::board::Board;
use firmware_model::config::CoreConfig;
use firmware_model::device::Device;
use firmware_model::protocol::DeviceConfig;
use firstspike_sim::library::Library;
use firstspike_sim::rtl::{RtlOptions, Trace};
use firstspike_sim::server::{Event, Traffic};
use firstspike_sim::terminal::Link;
use firstspike_sim::verilator::{cache_folder, compile, Ports, Source, Tools, Waveform};
use firstspike_sim::{ModelBoard, RtlBoard, VirtualBoard};
use serde_json::json;
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// How often Ctrl-C is looked for while the board runs.
const POLL: Duration = Duration::from_millis(50);

/// How many clock cycles a waveform has where nothing is said.
const TRACE_CYCLES: u64 = 100_000;

/// Waveforms of simulations among other files.
const WAVEFORM: Kind = Kind {
    name: "a waveform",
    suffix: "fst",
    // A VCD names its author in words, an FST begins with a block of a fixed length.
    is_one: |bytes| {
        let header = &bytes[..bytes.len().min(512)];
        contains(header, "VerilatedVcd") || header.starts_with(&[0, 0, 0, 0, 0, 0, 0, 1, 0x49])
    },
};

/// What plays the board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Sim {
    /// The generated Verilog under Verilator, its UART pins bit for bit
    Rtl,
    /// The device as software: the same answers, much faster
    Model,
}

impl Sim {
    fn name(self) -> &'static str {
        match self {
            Sim::Rtl => "rtl",
            Sim::Model => "model",
        }
    }
}

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    core: CoreArgs,
    /// What plays the board
    #[arg(long, value_enum)]
    sim: Sim,
    /// The seed of what the memories hold at power-up
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write a waveform of some clock cycles: VCD if the name ends in .vcd, else FST. Only with --sim rtl; it makes
    /// the board slower even where nothing is recorded [default: none]
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// The first clock cycle of the waveform, counted from power-up; each client's first one is told when it comes
    #[arg(long, value_name = "CYCLE", default_value_t = 0, requires = "trace")]
    trace_from: u64,
    /// The clock cycles of the waveform; of an iCEBreaker's core, 100,000 are some 150 MB of VCD, and a
    /// fraction of that as FST
    #[arg(long, value_name = "N", default_value_t = TRACE_CYCLES, requires = "trace",
          value_parser = clap::value_parser!(u64).range(1..))]
    trace_cycles: u64,
    /// Make a link of this name to the port, for as long as the board runs; nothing that is there is replaced, but
    /// for the link of a board that was killed [default: none]
    #[arg(long, value_name = "PATH")]
    link: Option<PathBuf>,
    #[command(flatten)]
    force: Force,
}

pub fn run(args: Args, ui: &Ui) -> Result<()> {
    let stop = interrupt::flag();
    let (board, core) = args.core.resolve()?;
    if let Some(path) = &args.link {
        // Before the board is compiled.
        Link::check(path)?;
    }
    if let Some(path) = &args.trace {
        let mut outputs = Outputs::new(args.force, ui);
        outputs.reads_board(&args.core.board, &board);
        outputs.writes(path, WAVEFORM, 0)?;
    }
    let trace = args.trace.map(|path| Trace {
        path,
        from: args.trace_from,
        clocks: args.trace_cycles,
    });
    let power_up = PowerUp {
        board: &board,
        core: &core,
        sim: args.sim,
        seed: args.seed,
        trace: trace.as_ref(),
    };
    let virtual_board = power_up.start(ui, stop, tell)?;
    let link = args
        .link
        .map(|path| Link::make(&path, virtual_board.port()).map(|link| (path, link)))
        .transpose()?;
    let port = match &link {
        Some((path, _)) => path,
        None => virtual_board.port(),
    };

    let mut value = json!({
        "port": port,
        "board": board.name,
        "sim": args.sim.name(),
        "core": core,
        "baud": board.uart.baud,
        "clock_hz": board.clock.core_hz,
    });
    if let Some(trace) = &trace {
        value["trace"] = json!({
            "file": trace.path,
            "from": trace.from,
            "cycles": trace.clocks,
        });
    }
    let text = announcement(&board, &core, args.sim, port, trace.as_ref());
    ui.result(&value, text);
    while virtual_board.is_running() && !stop.load(Ordering::SeqCst) {
        thread::sleep(POLL);
    }
    drop(link);
    let traffic = virtual_board.finish()?;
    interrupt::was_wanted();
    say(summary(&traffic));
    Ok(())
}

/// A virtual board to be switched on.
pub(super) struct PowerUp<'a> {
    pub board: &'a Board,
    pub core: &'a CoreConfig,
    pub sim: Sim,
    /// What the memories hold at power-up follows from it.
    pub seed: u64,
    /// A waveform to write; only RTL has one.
    pub trace: Option<&'a Trace>,
}

impl PowerUp<'_> {
    /// Switches the board on; it runs until the result is dropped. RTL that has not been compiled before is, with a
    /// spinner, until `stop` is set. `tell` hears what happens at the port.
    pub fn start(
        &self,
        ui: &Ui,
        stop: &AtomicBool,
        tell: impl FnMut(Event) + Send + 'static,
    ) -> Result<VirtualBoard> {
        let started = match self.sim {
            Sim::Rtl => {
                let options = RtlOptions {
                    clock_hz: self.board.clock.core_hz,
                    baud: self.board.uart.baud,
                    seed: self.seed,
                    trace: self.trace.cloned(),
                };
                VirtualBoard::spawn(RtlBoard::new(&self.library(ui, stop)?, &options)?, tell)?
            }
            Sim::Model => {
                anyhow::ensure!(
                    self.trace.is_none(),
                    "the software device has no signals for a waveform; leave --trace away, or take --sim rtl"
                );
                let config = DeviceConfig {
                    core: *self.core,
                    board_number: self.board.number,
                    clock_hz: self.board.clock.core_hz,
                    baud: self.board.uart.baud,
                };
                let device = Device::with_junk(config, self.seed);
                VirtualBoard::spawn(ModelBoard::new(device), tell)?
            }
        };
        Ok(started)
    }

    /// The board's Verilog, compiled.
    fn library(&self, ui: &Ui, stop: &AtomicBool) -> Result<Library> {
        let verilog = verilog_for(self.board, self.core)?;
        let source = Source {
            verilog: &verilog,
            top: &firstspike_hdl::top_name(self.board),
            ports: Ports {
                clock: &self.board.clock.signal,
                rx: &self.board.uart.rx,
                tx: &self.board.uart.tx,
            },
            waveform: self.trace.map(|trace| Waveform::of(&trace.path)),
        };
        let spinner = ui.spinner("looking for the compiled virtual board");
        let library = compile(&source, &cache_folder(), &Tools::find()?, &mut |stage| {
            spinner.set_message(stage.to_string());
            if stop.load(Ordering::SeqCst) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        spinner.finish_and_clear();
        Ok(library?)
    }
}

/// Tells the person at the terminal what would otherwise look like a board that does not answer.
fn tell(event: Event) {
    say(match event {
        Event::Opened { clock: Some(clock) } => {
            format!("a client opened the port at clock cycle {clock}")
        }
        Event::Opened { clock: None } => "a client opened the port".to_owned(),
        Event::Closed => "the port was closed".to_owned(),
        Event::RateDiffers { client, device } => format!(
            "the client set {client} baud, the board has {device}: they will not understand each other"
        ),
        Event::FramingErrors(count) => format!("{count} bytes came without a stop bit so far"),
    });
}

fn announcement(
    board: &Board,
    core: &CoreConfig,
    sim: Sim,
    port: &Path,
    trace: Option<&Trace>,
) -> String {
    let kind = match sim {
        Sim::Rtl => "its Verilog, run by Verilator",
        Sim::Model => "as software",
    };
    let mut text = String::new();
    let _ = writeln!(
        text,
        "{} with P = {} lanes, S = {} banks and B = {} beats, {kind}",
        board.title, core.lanes, core.banks, core.beats
    );
    let _ = writeln!(text, "\n  port  {}\n", port.display());
    if let Some(trace) = trace {
        let last = trace.from.saturating_add(trace.clocks - 1);
        let _ = writeln!(
            text,
            "Clock cycles {} to {last} are recorded in {}.",
            trace.from,
            trace.path.display()
        );
    }
    let _ = write!(
        text,
        "Try `firstspike deploy MODEL --port {}` in another terminal. Ctrl-C switches the board off.",
        port.display()
    );
    text
}

fn summary(traffic: &Traffic) -> String {
    format!(
        "switched off after {} bytes in and {} bytes out for {} clients, {} framing errors",
        traffic.to_device, traffic.from_device, traffic.clients, traffic.framing_errors
    )
}
