mod row;

use super::deploy::load;
use super::port::{board_name, shape, PortArgs};
use super::{dataset_help, load_for_model, Ui};
use crate::driver::{Answer, Board};
use crate::evaluate::check_fit;
use crate::model_file::{self, ModelFile};
use anyhow::{ensure, Context, Result};
use firmware_model::image::largest_fitting;
use firmware_model::network::{Layer, Network, SpikeTrain};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use row::{in_a_row, Row};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The images that go one at a time at most.
const ALONE: usize = 200;
/// The shape of the random network before it is made to fit: that of MNIST.
const RANDOM_SIZES: [usize; 3] = [784, 8_192, 10];
const RANDOM_STEPS: usize = 16;
/// The share of inputs that spike in a random image: that of MNIST's 137 of 784.
const RANDOM_DENSITY: f64 = 0.175;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The model file; it is loaded if it is not on the board [default: with --random none]
    #[arg(required_unless_present = "random")]
    model: Option<PathBuf>,
    #[command(flatten)]
    port: PortArgs,
    /// Take a random network that fills the board, and random spikes; it replaces the model on the board
    #[arg(long, conflicts_with_all = ["model", "dataset"])]
    random: bool,
    #[arg(long, help = format!("{} [default: the model's own]", dataset_help()))]
    dataset: Option<String>,
    /// How many images are classified in a row
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
    count: u32,
    /// The seed of the random network and spikes
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

pub fn run(args: Args, ui: &Ui) -> Result<()> {
    let model = args.model.as_deref().map(model_file::load).transpose()?;
    let mut board = args.port.open()?;
    let context = || args.port.port.clone();
    let (network, samples) = match (&args.model, &model) {
        (Some(path), Some(model)) => {
            let samples = of_dataset(&args, path, model, ui)?;
            (model.network.clone(), samples)
        }
        _ => random(&board, args.seed)?,
    };
    if !(board.deployed_model_matches(&network)).with_context(context)? {
        let loaded = load(&mut board, &network, ui).with_context(context)?;
        ui.note(format!(
            "loaded {} into {}: {} bytes in {:.3} s",
            shape(&network),
            board_name(&board),
            loaded.bytes,
            loaded.seconds
        ));
    }
    let images = || samples.iter().cycle().take(args.count as usize);
    let alone = one_at_a_time(&mut board, images().take(ALONE), ui).with_context(context)?;
    let row = in_a_row(&mut board, images(), args.count, ui).with_context(context)?;
    let found = |answer: &Answer| (answer.decision, answer.cycles);
    let again = row.answers.iter().take(ALONE).map(found);
    ensure!(
        alone.answers.iter().map(found).eq(again),
        "{}: the same images gave other answers the second time; suspect the board",
        args.port.port
    );
    report(&args, &board, &network, &alone, &row, ui);
    Ok(())
}

fn of_dataset(args: &Args, path: &Path, model: &ModelFile, ui: &Ui) -> Result<Vec<SpikeTrain>> {
    let data = load_for_model(path, model, args.dataset.as_deref(), ui)?;
    check_fit(model, &data)?;
    let encode = |image| model.encoding.encode(image);
    Ok(data
        .test
        .iter()
        .take(args.count as usize)
        .map(encode)
        .collect())
}

/// A network that fills the board, and spikes for it.
fn random(board: &Board, seed: u64) -> Result<(Network, Vec<SpikeTrain>)> {
    let core = &board.info().device.core;
    let sizes = largest_fitting(&RANDOM_SIZES, RANDOM_STEPS, core)
        .context("the board is too small for a network of 784 inputs; give a model")?;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let layers = sizes.windows(2).map(|pair| {
        // As far as the sum of the inputs that spike strays: some neurons fire, others do not.
        let threshold = (RANDOM_DENSITY * pair[0] as f64).sqrt().ceil() as i32;
        Layer::from_fn(pair[0], vec![threshold; pair[1]], |_, _| random.random())
    });
    let layers: Result<Vec<Layer>, _> = layers.collect();
    let network = Network::new(RANDOM_STEPS, layers?)?;
    let mut image = || {
        let raw = (0..sizes[0]).map(|_| match random.random_bool(RANDOM_DENSITY) {
            true => random.random_range(0..RANDOM_STEPS as u16),
            false => SpikeTrain::SILENT,
        });
        SpikeTrain::from_raw(raw.collect())
    };
    let images = (0..ALONE).map(|_| image()).collect();
    Ok((network, images))
}

/// Images that went one at a time.
struct Alone {
    answers: Vec<Answer>,
    /// From the first byte to the answer, in milliseconds, shortest first.
    round_trips: Vec<f64>,
}

fn one_at_a_time<'a>(
    board: &mut Board,
    images: impl Iterator<Item = &'a SpikeTrain>,
    ui: &Ui,
) -> Result<Alone> {
    let spinner = ui.spinner("one at a time");
    let (mut answers, mut round_trips) = (Vec::new(), Vec::new());
    for image in images {
        let start = Instant::now();
        answers.push(board.infer(image)?);
        round_trips.push(1e3 * start.elapsed().as_secs_f64());
    }
    spinner.finish_and_clear();
    round_trips.sort_by(f64::total_cmp);
    Ok(Alone {
        answers,
        round_trips,
    })
}

fn report(args: &Args, board: &Board, network: &Network, alone: &Alone, row: &Row, ui: &Ui) {
    let device = &board.info().device;
    let count = row.answers.len() as f64;
    let percentile = |share: f64| {
        let last = alone.round_trips.len() - 1;
        alone.round_trips[(share * last as f64).round() as usize]
    };
    let [p50, p90, p99, most] = [0.5, 0.9, 0.99, 1.0].map(percentile);
    let cycles = row.answers.iter().map(|a| f64::from(a.cycles)).sum::<f64>() / count;
    let idle = row.idle as f64 / (count - 1.0).max(1.0);
    let rate = count / row.seconds;
    let clock_hz = f64::from(device.clock_hz);
    let board_rate = count * clock_hz / row.clocks as f64;
    let (sent, received) = (row.sent as f64 / count, row.received as f64 / count);
    let to_board = row.line_use(row.sent, device);
    let back = row.line_use(row.received, device);
    // Ten bit times a byte.
    let line_rate = f64::from(device.baud) / (10.0 * sent.max(received));
    let bound = row.bound_by(device);
    let value = json!({
        "port": args.port.port,
        "board": board_name(board),
        "model": args.model,
        "layers": network.sizes(),
        "steps": network.steps(),
        "images": row.answers.len(),
        "inferences_per_second": rate,
        "board_inferences_per_second": board_rate,
        "bound_by": bound,
        "line_inferences_per_second": line_rate,
        "round_trip_ms": { "images": alone.round_trips.len(), "p50": p50, "p90": p90, "p99": p99, "max": most },
        "bytes_sent_per_image": sent,
        "bytes_received_per_image": received,
        "line_use_to_board": to_board,
        "line_use_to_host": back,
        "cycles_mean": cycles,
        "clock_hz": device.clock_hz,
        "core_busy_cycles": row.busy,
        "core_busy_share": row.share(row.busy),
        "core_idle_cycles": row.idle,
        "core_idle_cycles_mean": idle,
        "core_idle_share": row.share(row.idle),
        "clock_cycles": row.clocks,
        "recoveries": row.recoveries,
    });
    let text = format!(
        "{} ({}, T = {}) on {} at {}\n\
         \x20 in a row        {rate:>9.0} inferences a second ({} images in {:.2} s)\n\
         \x20 by its clock    {board_rate:>9.0} a second, {}; the line allows {line_rate:.0} at {} baud\n\
         \x20 one at a time   {p50:>9.3} ms round trip at the median, {p90:.3} at 90 %, {p99:.3} at 99 %, {most:.3} at most\n\
         \x20 bytes an image  {sent:>9.1} to the board, {received:.1} back\n\
         \x20 line            {:>9.1} % in use to the board, {:.1} % back\n\
         \x20 core            {:>9.1} µs an image ({cycles:.0} cycles at {:.1} MHz), busy {:.1} % of the time\n\
         \x20 core idle       {idle:>9.0} cycles before an image, {:.1} % of the time\n\
         \x20 recoveries      {:>9}",
        args.model.as_ref().map_or("random network".into(), |m| m.display().to_string()),
        shape(network),
        network.steps(),
        board_name(board),
        args.port.port,
        row.answers.len(),
        row.seconds,
        bound.words(),
        device.baud,
        100.0 * to_board,
        100.0 * back,
        1e6 * cycles / clock_hz,
        clock_hz / 1e6,
        100.0 * row.share(row.busy),
        100.0 * row.share(row.idle),
        row.recoveries,
    );
    ui.result(&value, text);
}
