use super::deploy::load;
use super::port::{board_name, shape, PortArgs};
use super::Ui;
use crate::dataset;
use crate::driver::Board;
use crate::encoding::Latency;
use crate::evaluate::check_fit;
use crate::model_file::{self, ModelFile};
use anyhow::{ensure, Context, Result};
use firmware_model::cycle::Inference;
use firmware_model::image::largest_fitting;
use firmware_model::network::{Layer, Network, SpikeTrain};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use std::path::PathBuf;
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
    /// The model file; it is loaded if it is not on the board
    #[arg(required_unless_present = "random")]
    model: Option<PathBuf>,
    #[command(flatten)]
    port: PortArgs,
    /// Take a random network that fills the board, and random spikes; it replaces the model on the board
    #[arg(long, conflicts_with_all = ["model", "dataset"])]
    random: bool,
    /// digits, mnist, fashion-mnist, a folder of IDX files or an .npz file [default: the model's own]
    #[arg(long)]
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
    let (network, samples) = match &model {
        Some(model) => (model.network.clone(), of_dataset(&args, model)?),
        None => random(&board, args.seed)?,
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
    let same = alone.answers.iter().eq(row.answers.iter().take(ALONE));
    ensure!(
        same,
        "{}: the same images gave other answers the second time; suspect the board",
        args.port.port
    );
    report(&args, &board, &network, &alone, &row, ui);
    Ok(())
}

fn of_dataset(args: &Args, model: &ModelFile) -> Result<Vec<SpikeTrain>> {
    let data = dataset::load(args.dataset.as_deref().unwrap_or(&model.dataset))?;
    check_fit(model, &data)?;
    let steps = model.network.steps();
    let encode = |image| Latency { steps }.encode(image, data.maximum);
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
    answers: Vec<Inference>,
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

/// Images that went as fast as the credits allow.
struct Row {
    answers: Vec<Inference>,
    seconds: f64,
    /// Bytes to the board and back.
    sent: u64,
    received: u64,
    recoveries: u64,
    /// The share of the board's clock cycles in which its core computed.
    busy: f64,
}

fn in_a_row<'a>(
    board: &mut Board,
    images: impl Iterator<Item = &'a SpikeTrain>,
    count: u32,
    ui: &Ui,
) -> Result<Row> {
    let bar = ui.bar(count.into(), "in a row");
    let mut answers = Vec::new();
    let (counters, traffic, start) = (board.counters()?, board.traffic(), Instant::now());
    let done = board.infer_each(images, |_, found| {
        answers.push(found);
        bar.inc(1);
    });
    let seconds = start.elapsed().as_secs_f64();
    bar.finish_and_clear();
    done?;
    let after = board.traffic();
    let counted = board.counters()?;
    let clocks = counted.clock.wrapping_sub(counters.clock);
    let busy = counted.busy.wrapping_sub(counters.busy);
    Ok(Row {
        answers,
        seconds,
        sent: after.sent - traffic.sent,
        received: after.received - traffic.received,
        recoveries: after.recoveries - traffic.recoveries,
        busy: f64::from(busy) / f64::from(clocks.max(1)),
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
    let rate = count / row.seconds;
    let (sent, received) = (row.sent as f64 / count, row.received as f64 / count);
    // Ten bit times a byte; the direction to the board is the fuller one.
    let line_rate = f64::from(device.baud) / (10.0 * sent);
    let value = json!({
        "port": args.port.port,
        "board": board_name(board),
        "model": args.model,
        "layers": network.sizes(),
        "steps": network.steps(),
        "images": row.answers.len(),
        "inferences_per_second": rate,
        "line_inferences_per_second": line_rate,
        "round_trip_ms": { "images": alone.round_trips.len(), "p50": p50, "p90": p90, "p99": p99, "max": most },
        "bytes_sent_per_image": sent,
        "bytes_received_per_image": received,
        "cycles_mean": cycles,
        "clock_hz": device.clock_hz,
        "core_busy_share": row.busy,
        "recoveries": row.recoveries,
    });
    let text = format!(
        "{} ({}, T = {}) on {} at {}\n\
         \x20 in a row        {rate:>9.0} inferences a second ({} images in {:.2} s)\n\
         \x20 the line allows {line_rate:>9.0} a second at {} baud\n\
         \x20 one at a time   {p50:>9.3} ms round trip at the median, {p90:.3} at 90 %, {p99:.3} at 99 %, {most:.3} at most\n\
         \x20 bytes an image  {sent:>9.1} to the board, {received:.1} back\n\
         \x20 core            {:>9.1} µs an image ({cycles:.0} cycles at {:.1} MHz), busy {:.1} % of the time\n\
         \x20 recoveries      {:>9}",
        args.model.as_ref().map_or("random network".into(), |m| m.display().to_string()),
        shape(network),
        network.steps(),
        board_name(board),
        args.port.port,
        row.answers.len(),
        row.seconds,
        device.baud,
        1e6 * cycles / f64::from(device.clock_hz),
        f64::from(device.clock_hz) / 1e6,
        100.0 * row.busy,
        row.recoveries,
    );
    ui.result(&value, text);
}
