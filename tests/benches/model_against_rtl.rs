//! How many times as fast as the Verilated board the cycle model is: both in turn, round by round, in one
//! run. `cargo bench -p firstspike-tests`.
//!
//! The board's time goes to its link as well as to its core. So there are two ratios: against the virtual
//! board as it is used, and against what its core alone would take at the same clocks a second.

use firmware_model::board::Board as BoardData;
use firmware_model::cycle::CycleModel;
use firmware_model::image::MemoryImage;
use firstspike::driver::Board;
use firstspike_tests::{random_network, random_spikes, rtl_board};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::time::Instant;

const ROUNDS: usize = 7;
const IMAGES: usize = 200;
const SIZES: [usize; 3] = [784, 600, 10];
const STEPS: usize = 16;

fn main() {
    let board = BoardData::find("icebreaker").expect("it is built in");
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let network = random_network(&SIZES, STEPS, &mut random);
    let trains: Vec<_> = (0..IMAGES)
        .map(|_| random_spikes(network.inputs(), STEPS, &mut random))
        .collect();
    let image = MemoryImage::new(&network, &board.core).expect("it fits");
    let mut model = CycleModel::new(&image);
    let device = rtl_board(&board, &board.core, 1);
    let port = device.port().to_str().expect("paths of ports are text");
    let mut rtl = Board::open(port, board.uart.baud).expect("the board answers");
    rtl.deploy(&network, |_, _| {})
        .expect("it takes the network");

    let (mut as_used, mut core_alone) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let modelled: Vec<_> = trains.iter().map(|t| model.infer(&t.events())).collect();
        let model_time = start.elapsed().as_secs_f64();

        let clocks = rtl.counters().expect("the board answers").clock;
        let start = Instant::now();
        let found = rtl.infer_batch(&trains).expect("the board answers");
        let rtl_time = start.elapsed().as_secs_f64();
        let clocks = rtl
            .counters()
            .expect("the board answers")
            .clock
            .wrapping_sub(clocks);
        for (found, modelled) in found.iter().zip(&modelled) {
            let found = (found.decision, found.cycles);
            let modelled = (modelled.decision, modelled.cycles);
            assert_eq!(found, modelled, "the board and the model differ");
        }

        let core_clocks: u64 = found.iter().map(|answer| u64::from(answer.cycles)).sum();
        as_used.push(rtl_time / model_time);
        core_alone.push(rtl_time / model_time * core_clocks as f64 / f64::from(clocks));
        println!(
            "model {:8.0} inferences/s   board {:6.0} inferences/s   {:.2} M clocks/s",
            IMAGES as f64 / model_time,
            IMAGES as f64 / rtl_time,
            f64::from(clocks) / rtl_time / 1e6
        );
    }
    println!(
        "cycle model / virtual board, median of {ROUNDS}: {:.0}",
        median(&mut as_used)
    );
    println!(
        "cycle model / core alone,    median of {ROUNDS}: {:.0}",
        median(&mut core_alone)
    );
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
