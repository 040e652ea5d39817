use super::Ui;
use crate::explore::cost::CostModel;
use crate::explore::survey::{check_room, TooLarge};
use anyhow::Result;
use firmware_model::board::Board;
use serde_json::{json, Value};
use std::fmt::Write;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only this board: a name, or the path of a board's .toml file [default: all]
    name: Option<String>,
}

pub fn run(args: Args, ui: &Ui) -> Result<()> {
    match args.name {
        Some(name) => {
            let board = Board::find(&name)?;
            ui.result(&describe(&board), details(&board)?);
        }
        None => {
            let boards = Board::built_in();
            let values: Vec<Value> = boards.iter().map(describe).collect();
            ui.result(&json!({ "boards": values }), table(&boards)?);
        }
    }
    Ok(())
}

/// What a network may be at most, on the board's default core.
struct Capacity {
    inputs: u32,
    hidden_neurons: u32,
    neurons: u32,
    weights: u64,
}

impl Capacity {
    fn of(board: &Board) -> Capacity {
        let core = &board.core;
        let (lanes, banks) = (u32::from(core.lanes), u32::from(core.banks));
        Capacity {
            inputs: banks * u32::from(core.input_rows),
            hidden_neurons: banks * u32::from(core.hidden_rows),
            neurons: lanes * u32::from(core.fold_slots),
            weights: u64::from(lanes * banks) * u64::from(core.weight_rows),
        }
    }
}

/// Whether the board's core has room on it: memories exactly, logic cells as estimated.
fn room(board: &Board) -> Result<(), TooLarge> {
    check_room(board, &CostModel::default().cost(board, &board.core))
}

fn describe(board: &Board) -> Value {
    let capacity = Capacity::of(board);
    let mut value = serde_json::to_value(board).expect("a board holds nothing that JSON cannot");
    value["capacity"] = json!({
        "inputs": capacity.inputs,
        "hidden_neurons": capacity.hidden_neurons,
        "neurons": capacity.neurons,
        "weights": capacity.weights,
    });
    let room = room(board);
    value["fits"] = json!(room.is_ok());
    if let Err(why) = room {
        value["does_not_fit"] = json!(why.to_string());
    }
    value
}

fn table(boards: &[Board]) -> Result<String> {
    let longest = |text: fn(&Board) -> &str| boards.iter().map(|b| text(b).len()).max();
    let name_width = longest(|board| &board.name).unwrap_or(0);
    let title_width = longest(|board| &board.title).unwrap_or(0);
    let mut text = format!(
        "{:<name_width$} {:<title_width$} {:>7} {:>10} {:>4} {:>2} {:>7} {:>8} {:>10}\n",
        "board", "device", "clock", "link", "P", "S", "inputs", "neurons", "weights"
    );
    for board in boards {
        let capacity = Capacity::of(board);
        if room(board).is_err() {
            writeln!(
                text,
                "{:<name_width$} {:<title_width$} too small: no core fits this board",
                board.name, board.title
            )?;
            continue;
        }
        writeln!(
            text,
            "{:<name_width$} {:<title_width$} {:>3} MHz {:>6} Mbd {:>4} {:>2} {:>7} {:>8} {:>10}",
            board.name,
            board.title,
            megahertz(board.clock.core_hz),
            megahertz(board.uart.baud),
            board.core.lanes,
            board.core.banks,
            capacity.inputs,
            capacity.neurons,
            capacity.weights,
        )?;
    }
    let variants: Vec<_> = (boards.iter())
        .flat_map(|board| board.variants.iter().map(move |variant| (board, variant)))
        .collect();
    if !variants.is_empty() {
        text.push_str("\nRevisions and connections that differ:\n");
        for (board, variant) in variants {
            writeln!(text, "  {}-{}: {}", board.name, variant.name, variant.when)?;
        }
    }
    text.push_str("\n`firstspike boards NAME` tells more of one.\n");
    Ok(text)
}

fn details(board: &Board) -> Result<String> {
    let (core, resources, capacity) = (&board.core, &board.resources, Capacity::of(board));
    let mut text = format!("{}: {}\n\n", board.name, board.title);
    let mut line = |name: &str, value: String| writeln!(text, "  {name:<12} {value}");
    line(
        "device",
        match board.speed_grade {
            Some(grade) => format!(
                "{} {}-{}, speed grade {grade}",
                board.family, board.device, board.package
            ),
            None => format!("{} {}-{}", board.family, board.device, board.package),
        },
    )?;
    let mut has = format!(
        "{} LUTs, {} block RAMs of {} bits",
        resources.luts, resources.block_rams, resources.block_ram_bits
    );
    if resources.sprams > 0 {
        write!(has, ", {} SPRAMs", resources.sprams)?;
    }
    line("has", has)?;
    line(
        "clock",
        format!(
            "{} MHz, from an oscillator of {} MHz",
            megahertz(board.clock.core_hz),
            megahertz(board.clock.input_hz)
        ),
    )?;
    line(
        "link",
        format!(
            "{} baud, {} clocks a bit, over {}",
            board.uart.baud,
            board.clocks_per_bit(),
            board.uart.connection()
        ),
    )?;
    let pins = board.signals().into_iter().filter_map(|signal| {
        let pin = board.pin(signal)?;
        Some(format!("{signal} {pin}"))
    });
    line("pins", pins.collect::<Vec<_>>().join(", "))?;
    line(
        "core",
        format!(
            "P = {} lanes, S = {} banks, B = {} beats, weights in {}",
            core.lanes, core.banks, core.beats, board.memories.weights
        ),
    )?;
    line(
        "holds",
        format!(
            "networks of up to {} inputs, {} neurons ({} in all hidden layers), {} weights",
            capacity.inputs, capacity.neurons, capacity.hidden_neurons, capacity.weights
        ),
    )?;
    for (index, way) in board.flash.iter().enumerate() {
        let name = if index == 0 { "load it" } else { "" };
        let command = way.command_line(&format!("BITSTREAM.{}", board.family.bitstream_suffix()));
        line(name, format!("{command}  into {}", way.writes))?;
    }
    for variant in &board.variants {
        let name = format!("{}-{}", board.name, variant.name);
        line("see also", format!("{name}, {}", variant.when))?;
    }
    for note in &board.notes {
        line("note", note.clone())?;
    }
    if let Err(why) = room(board) {
        line("does not fit", format!("the core {why}"))?;
    }
    Ok(text)
}

fn megahertz(hz: u32) -> f64 {
    f64::from(hz) / 1e6
}
