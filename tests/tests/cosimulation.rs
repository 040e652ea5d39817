//! The generated Verilog, over its UART, against the cycle model and the golden reference: class, step,
//! silent flag, overshoot and clock cycles of every inference.
//!
//! Together the cores have every choice of lanes and every choice of banks, both kinds of weight
//! memory, one and two input buffers. The link runs at four clocks a bit to leave the time to the core.

use firmware_model::board::Board as BoardData;
use firmware_model::cycle::CycleModel;
use firmware_model::golden;
use firmware_model::image::MemoryImage;
use firmware_model::network::{Layer, Network, SpikeTrain};
use firstspike::driver::Board;
use firstspike_tests::{random_network, random_spikes, rtl_board};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const NETWORKS: usize = 12;
const IMAGES: usize = 25;

fn compare(board: &str, lanes: u16, banks: u8, beats: u8, input_buffers: u8) {
    let mut board = BoardData::find(board).unwrap();
    board.uart.baud = board.clock.core_hz / 4;
    let mut core = (board.core_with(Some(lanes), Some(banks), Some(beats))).unwrap();
    core.input_buffers = input_buffers;
    // Enough for the networks below, and quick to compile and to fill.
    core.fold_slots = 64;
    core.input_rows = 128;
    core.hidden_rows = 512;
    core.weight_rows = core.weight_rows.min(4_096);
    let device = rtl_board(&board, &core, u64::from(lanes) * 10 + u64::from(banks));
    let port = device.port().to_str().unwrap();
    let mut driver = Board::open(port, board.uart.baud).unwrap();

    let mut random = ChaCha8Rng::seed_from_u64(u64::from(lanes) << 8 | u64::from(banks));
    for number in 0..NETWORKS {
        let layers = 1 + number % 4;
        let sizes: Vec<usize> = (0..=layers).map(|_| random.random_range(1..=100)).collect();
        let steps = [1, 2, 7, 16, 256][number % 5];
        let network = random_network(&sizes, steps, &mut random);
        let image = MemoryImage::new(&network, &core).unwrap();
        let mut model = CycleModel::new(&image);
        driver.deploy(&network, |_, _| {}).unwrap();
        let trains: Vec<_> = (0..IMAGES)
            .map(|_| random_spikes(network.inputs(), steps, &mut random))
            .collect();
        let answers = driver.infer_batch(&trains).unwrap();
        for (index, (train, answer)) in trains.iter().zip(answers).enumerate() {
            let what = format!("network {number} of sizes {sizes:?}, {steps} steps, image {index}");
            let expected = golden::run(&network, train).unwrap().decision;
            assert_eq!(answer.decision, expected, "decision of {what}");
            assert_eq!(
                answer.cycles,
                model.infer(&train.events()).cycles,
                "cycles of {what}"
            );
        }
    }
}

#[test]
fn lanes_8_banks_1() {
    compare("icebreaker", 8, 1, 1, 1);
}

#[test]
fn lanes_16_banks_4_in_spram() {
    compare("icebreaker", 16, 4, 1, 2);
}

#[test]
fn lanes_64_banks_1_in_4_beats() {
    compare("icebreaker", 64, 1, 4, 2);
}

#[test]
fn lanes_32_banks_2_in_2_beats() {
    compare("ulx3s-25f", 32, 2, 2, 2);
}

#[test]
fn lanes_64_banks_8_in_2_beats() {
    compare("ulx3s-25f", 64, 8, 2, 1);
}

#[test]
fn lanes_128_banks_4() {
    compare("ulx3s-25f", 128, 4, 1, 2);
}

#[test]
fn lanes_8_banks_8() {
    compare("ulx3s-25f", 8, 8, 1, 2);
}

/// Every row of every bank at one step, in both layers: as many words as the core can count, which its counters hold
/// as 0. And an image with spikes at each of 256 steps, as many as the list of steps holds.
fn fill(lanes: u16, banks: u8, rows: u16) {
    let mut board = BoardData::find("icebreaker").unwrap();
    board.uart.baud = board.clock.core_hz / 4;
    let mut core = board.core_with(Some(lanes), Some(banks), None).unwrap();
    core.input_rows = rows;
    core.hidden_rows = rows;
    core.weight_rows = 8_192;
    core.fold_slots = 64;
    assert_eq!(1 << core.word_bits(), rows);
    let device = rtl_board(&board, &core, 1);
    let mut driver = Board::open(device.port().to_str().unwrap(), board.uart.baud).unwrap();

    let neurons = usize::from(rows) * usize::from(banks);
    let steps = 256;
    let layers = vec![
        Layer::from_fn(neurons, vec![1; neurons], |_, _| true).unwrap(),
        Layer::from_fn(neurons, vec![3, neurons as i32], |j, _| j == 1).unwrap(),
    ];
    let network = Network::new(steps, layers).unwrap();
    let trains = [
        SpikeTrain::from_raw(vec![0; neurons]),
        SpikeTrain::from_raw(vec![255; neurons]),
        SpikeTrain::from_raw((0..neurons).map(|i| (i * 256 / neurons) as u16).collect()),
        SpikeTrain::from_raw(vec![7; neurons]),
    ];
    let image = MemoryImage::new(&network, &core).unwrap();
    let mut model = CycleModel::new(&image);
    driver.deploy(&network, |_, _| {}).unwrap();
    let answers = driver.infer_batch(&trains).unwrap();
    for (train, answer) in trains.iter().zip(answers) {
        let expected = golden::run(&network, train).unwrap().decision;
        assert_eq!(answer.decision, expected);
        assert_eq!(answer.cycles, model.infer(&train.events()).cycles);
    }
}

#[test]
fn full_queues_of_one_bank() {
    fill(16, 1, 256);
}

#[test]
fn full_queues_of_four_banks() {
    fill(16, 4, 128);
}
