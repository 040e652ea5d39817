//! The generated Verilog means the same in a simulator that waits for changes: Icarus, by both orders in which the
//! language's generations begin. Digits, from power-up, over the UART's pins: class, step, silent flag, overshoot and
//! clock cycles as the golden reference and the cycle model have them, and no output undefined.

use firmware_model::board::Board as BoardData;
use firmware_model::config::CoreConfig;
use firmware_model::cycle::CycleModel;
use firmware_model::golden;
use firmware_model::image::MemoryImage;
use firstspike::dataset;
use firstspike::driver::Board;
use firstspike::encoding::Latency;
use firstspike_tests::icarus::IcarusLine;
use firstspike_tests::random_network;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;

const IMAGES: usize = 5;

fn classify(board: &str, lanes: u16, banks: u8, generation: &str) {
    let mut board = BoardData::find(board).unwrap();
    board.uart.baud = board.clock.core_hz / 4;
    let core = CoreConfig {
        weight_rows: 1024,
        fold_slots: 8,
        input_rows: 128,
        hidden_rows: 64,
        ..board.core_with(Some(lanes), Some(banks), None).unwrap()
    };
    let verilog = firstspike_hdl::generate(&board, &core).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let line = IcarusLine::new(&verilog, &board, generation, folder.path());
    let mut driver = Board::connect(Box::new(line), 1).unwrap();

    let data = dataset::load("digits").unwrap();
    let steps = 16;
    let network = random_network(&[64, 24, 10], steps, &mut ChaCha8Rng::seed_from_u64(7));
    let image = MemoryImage::new(&network, &core).unwrap();
    let mut model = CycleModel::new(&image);
    driver.deploy(&network, |_, _| {}).unwrap();
    let code = Latency { steps };
    let trains: Vec<_> = (0..IMAGES)
        .map(|index| code.encode(data.test.image(index), data.maximum))
        .collect();
    let answers = driver.infer_batch(&trains).unwrap();
    let mut different = BTreeSet::new();
    for (index, (train, answer)) in trains.iter().zip(&answers).enumerate() {
        let expected = golden::run(&network, train).unwrap().decision;
        assert_eq!(answer.decision, expected, "image {index}");
        let cycles = model.infer(&train.events()).cycles;
        assert_eq!(answer.cycles, cycles, "image {index}");
        different.insert((answer.decision.class, answer.decision.step, answer.cycles));
    }
    // They are no test if all are the same.
    assert!(different.len() >= IMAGES - 1, "{different:?}");
}

#[test]
fn verilog_2005() {
    classify("icebreaker", 8, 1, "-g2005");
}

#[test]
fn verilog_2012() {
    classify("icebreaker", 8, 1, "-g2012");
}

/// Block RAM, several banks, and a hidden layer that several pickers serve.
#[test]
fn four_banks_of_block_ram() {
    classify("ulx3s-25f", 16, 4, "-g2012");
}
