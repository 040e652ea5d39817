//! The main job on real data: train, save, load, generate, run the Verilog as a virtual board at its real
//! baud rate, deploy over its port, classify, and compare every answer.

use firmware_model::board::Board as BoardData;
use firmware_model::cycle::CycleModel;
use firmware_model::golden;
use firmware_model::image::MemoryImage;
use firstspike::dataset;
use firstspike::driver::Board;
use firstspike::encoding::Latency;
use firstspike::model_file::{self, Encoding, ModelFile};
use firstspike::train::{train, Options};
use firstspike_tests::rtl_board;
use std::sync::atomic::AtomicBool;

#[test]
fn digits_from_training_to_the_answers_of_the_virtual_board() {
    let data = dataset::load("digits").unwrap();
    let options = Options {
        epochs: 8,
        ..Options::for_dataset(&data)
    };
    let steps = 16;
    let stop = AtomicBool::new(false);
    let trained = train(&data, &[64, 128, 10], steps, &options, &stop, &mut |_| {}).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("digits.fsp");
    let model = ModelFile {
        network: trained.network,
        encoding: Encoding::Latency {
            steps,
            maximum: data.maximum,
        },
        input_shape: data.shape.clone(),
        dataset: data.name.clone(),
        input: None,
        training: None,
    };
    model_file::save(&model, &path).unwrap();
    let network = model_file::load(&path).unwrap().network;
    assert_eq!(network, model.network);

    let board = BoardData::find("icebreaker").unwrap();
    let image = MemoryImage::new(&network, &board.core).unwrap();
    let mut cycle_model = CycleModel::new(&image);
    let device = rtl_board(&board, &board.core, 3);
    let mut driver = Board::open(device.port().to_str().unwrap(), board.uart.baud).unwrap();
    let deployment = driver.deploy(&network, |_, _| {}).unwrap();
    assert_eq!(deployment.checksum, image.checksum());

    let code = Latency { steps };
    let trains: Vec<_> = (0..data.test.len())
        .map(|index| code.encode(data.test.image(index), data.maximum))
        .collect();
    let answers = driver.infer_batch(&trains).unwrap();
    let mut right = 0;
    for (index, (train, answer)) in trains.iter().zip(&answers).enumerate() {
        assert_eq!(
            answer.decision,
            golden::run(&network, train).unwrap().decision,
            "image {index}"
        );
        assert_eq!(
            answer.cycles,
            cycle_model.infer(&train.events()).cycles,
            "image {index}"
        );
        right += usize::from(answer.decision.class == usize::from(data.test.labels[index]));
    }
    // Eight epochs are not many: that it has learnt is all that is asked for here.
    assert!(10 * right > 8 * trains.len(), "{right} of {}", trains.len());
}
