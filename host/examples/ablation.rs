//! What each part of the core and each option of the tools is worth: the tables of docs/ablation.md.
//!
//! In the root of the repository, with the model of the README:
//!
//! ```text
//! cargo run --release -p firstspike --example ablation -- mnist.fsp
//! cargo run --release -p firstspike --example ablation -- mnist.fsp --row "without wide LUTs"
//! ```
//!
//! A row is printed as soon as it is known, so a run that was stopped has lost one row at most. Those with a clock take
//! minutes each.

use anyhow::{ensure, Context, Result};
use clap::Parser;
use firmware_model::board::Board;
use firmware_model::config::CoreConfig;
use firmware_model::cycle::{CycleModel, Savings};
use firmware_model::image::MemoryImage;
use firstspike::dataset::{self, Dataset};
use firstspike::evaluate::{evaluate, CoreModel};
use firstspike::explore::candidates::Shape;
use firstspike::explore::measure::Bench;
use firstspike::model_file::{self, ModelFile};
use firstspike::toolchain::Toolbox;
use signal_hook::consts::SIGINT;
use signal_hook::flag;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock};

static STOP: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// What each part of the core and each option of the tools is worth.
#[derive(Debug, Parser)]
struct Args {
    /// The model, trained for the data set whose test images are counted
    model: PathBuf,
    /// Only the rows whose names contain this
    #[arg(long, default_value = "")]
    row: String,
    /// A folder for the tools to work in
    #[arg(long, default_value = "build/ablation")]
    out: PathBuf,
}

/// A row of a table: the core of a board, changed in one respect.
struct Row {
    name: String,
    board: &'static str,
    shape: Option<Shape>,
    savings: Savings,
    synthesis: Option<&'static str>,
    /// How it is placed and routed: not at all, or with so many seeds. `None`: not even synthesised.
    seeds: Option<u32>,
}

impl Row {
    fn of(name: &str, board: &'static str, seeds: Option<u32>) -> Row {
        Row {
            name: name.to_owned(),
            board,
            shape: None,
            savings: Savings::ALL,
            synthesis: None,
            seeds,
        }
    }

    fn core(&self, board: &Board) -> Result<CoreConfig> {
        let Some(shape) = self.shape else {
            return Ok(board.core);
        };
        let core = board.core_with(Some(shape.lanes), Some(shape.banks), Some(shape.beats));
        core.with_context(|| format!("{}: {}", self.board, self.name))
    }
}

fn tables() -> Vec<(&'static str, Vec<Row>)> {
    let ice = "icebreaker";
    let ecp = "ulx3s-25f";
    let saving = |name, exit, skip, steps_under_way| Row {
        savings: Savings {
            exit,
            skip,
            steps_under_way,
        },
        ..Row::of(name, ice, None)
    };
    let shapes = |board, seeds, list: &[(u16, u8, u8)]| -> Vec<Row> {
        let row = |&(lanes, banks, beats): &(u16, u8, u8)| {
            let shape = Shape {
                lanes,
                banks,
                beats,
            };
            Row {
                shape: Some(shape),
                ..Row::of(&shape.to_string(), board, Some(seeds))
            }
        };
        list.iter().map(row).collect()
    };
    let flags = |name, board, options, seeds| Row {
        synthesis: Some(options),
        ..Row::of(name, board, Some(seeds))
    };
    vec![
        (
            "What the core does to save cycles",
            vec![
                saving("all of it", true, true, 2),
                saving("without the exit", false, true, 2),
                saving("without step skipping", true, false, 2),
                saving("one step at a time", true, true, 1),
                saving("none of it", false, false, 1),
            ],
        ),
        (
            "Lanes and banks",
            shapes(
                ice,
                1,
                &[
                    (8, 1, 1),
                    (16, 1, 2),
                    (32, 1, 4),
                    (64, 1, 4),
                    (32, 2, 4),
                    (16, 4, 2),
                ],
            ),
        ),
        (
            "Banks and beats on a larger part",
            shapes(
                ecp,
                0,
                &[
                    (64, 1, 4),
                    (64, 2, 4),
                    (64, 4, 4),
                    (64, 4, 2),
                    (64, 4, 1),
                    (64, 8, 4),
                ],
            ),
        ),
        (
            "The tools on iCE40",
            vec![
                Row::of("as built, five seeds", ice, Some(5)),
                // Yosys 0.70 knows no other mapper for iCE40 than abc9, and no -retime.
                flags("LUTs without abc9", ice, "-noabc", 1),
                flags("abc9 across flip-flops", ice, "-abc9 -dff", 1),
            ],
        ),
        (
            "The tools on ECP5",
            vec![
                Row::of("as built", ecp, Some(1)),
                flags("without wide LUTs", ecp, "-nowidelut", 1),
                // -dff ends Yosys 0.70 with an error of ABC on this core.
            ],
        ),
    ]
}

fn main() -> Result<()> {
    let args = Args::parse();
    flag::register(SIGINT, STOP.clone())?;
    let model = model_file::load(&args.model)?;
    let data = dataset::load(&model.dataset)?;
    let toolbox = Toolbox::discover()?;
    let mut rows = 0;
    for (title, table) in tables() {
        let table: Vec<Row> = (table.into_iter())
            .filter(|row| row.name.contains(&args.row))
            .collect();
        if table.is_empty() {
            continue;
        }
        rows += table.len();
        println!("\n{title}\n");
        println!("| | board | P x S / B | cycles, mean | LUTs | logic cells | block RAMs | MHz |");
        println!("|---|---|---|---|---|---|---|---|");
        for row in table {
            println!("{}", measure(&row, &model, &data, &toolbox, &args)?);
        }
    }
    ensure!(rows > 0, "no row has `{}` in its name", args.row);
    Ok(())
}

fn measure(
    row: &Row,
    model: &ModelFile,
    data: &Dataset,
    toolbox: &Toolbox,
    args: &Args,
) -> Result<String> {
    let board = Board::find(row.board)?;
    let core = row.core(&board)?;
    let cycles = mean_cycles(model, data, &core, row.savings)?;
    let mut columns = vec![
        row.name.clone(),
        row.board.to_owned(),
        Shape::of(&core).to_string(),
        format!("{cycles:.1}"),
    ];
    if let Some(seeds) = row.seeds {
        let bench = Bench {
            board: &board,
            toolbox,
            synthesis: row.synthesis,
            folder: &args.out,
            progress: &|_| (),
            stop: &STOP,
        };
        let measured = bench.measure(&core, seeds)?;
        let clocks: Vec<String> = (measured.clocks_mhz.iter())
            .map(|clock| format!("{clock:.1}"))
            .collect();
        columns.extend([
            measured.luts.to_string(),
            measured.logic_cells.to_string(),
            measured.block_rams.to_string(),
            clocks.join(", "),
        ]);
    }
    columns.resize(8, String::new());
    Ok(format!("| {} |", columns.join(" | ")))
}

fn mean_cycles(
    model: &ModelFile,
    data: &Dataset,
    core: &CoreConfig,
    savings: Savings,
) -> Result<f64> {
    let one = CycleModel::new(&MemoryImage::new(&model.network, core)?);
    let mut backend = CoreModel::new(one, core, savings);
    let report = evaluate(model, data, None, Some(&mut backend), &mut |_| ())?;
    ensure!(
        report.mismatches == 0,
        "the core does not decide as the golden reference"
    );
    report.cycles_mean.context("there are no test images")
}
