//! The cycle model decides as the golden reference does, for networks and spikes of all shapes.

use firmware_model::config::{CoreConfig, BANK_CHOICES, BEAT_CHOICES, LANE_CHOICES};
use firmware_model::cycle::{CycleModel, Savings};
use firmware_model::golden;
use firmware_model::image::MemoryImage;
use firmware_model::network::{Layer, Network, SpikeTrain};
use proptest::prelude::*;

fn layer(inputs: usize, neurons: usize) -> impl Strategy<Value = Layer> {
    let signs = proptest::collection::vec(any::<bool>(), inputs * neurons);
    let thresholds = proptest::collection::vec(1..12i32, neurons);
    (signs, thresholds).prop_map(move |(signs, thresholds)| {
        Layer::from_fn(inputs, thresholds, |j, i| signs[j * inputs + i]).unwrap()
    })
}

fn network() -> impl Strategy<Value = Network> {
    (proptest::collection::vec(1..80usize, 2..=5), 1..=40usize).prop_flat_map(|(sizes, steps)| {
        let layers: Vec<_> = sizes.windows(2).map(|w| layer(w[0], w[1])).collect();
        layers.prop_map(move |layers| Network::new(steps, layers).unwrap())
    })
}

fn case() -> impl Strategy<Value = (Network, SpikeTrain, CoreConfig)> {
    network().prop_flat_map(|network| {
        let steps = network.steps() as u16;
        let step = prop_oneof![1 => Just(SpikeTrain::SILENT), 2 => 0..steps];
        let train = proptest::collection::vec(step, network.inputs());
        let lanes = proptest::sample::select(LANE_CHOICES.to_vec());
        let banks = proptest::sample::select(BANK_CHOICES.to_vec());
        let beats = proptest::sample::select(BEAT_CHOICES.to_vec());
        let shape = (lanes, banks, beats).prop_filter("no such core", |&(lanes, banks, beats)| {
            core(lanes, banks, beats).check().is_ok()
        });
        (Just(network), train.prop_map(SpikeTrain::from_raw), shape).prop_map(
            |(network, train, (lanes, banks, beats))| (network, train, core(lanes, banks, beats)),
        )
    })
}

fn core(lanes: u16, banks: u8, beats: u8) -> CoreConfig {
    CoreConfig {
        lanes,
        banks,
        beats,
        weight_rows: 8_192,
        fold_slots: 128,
        input_rows: 128,
        hidden_rows: 256,
        frame_slots: 2,
        input_buffers: 2,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn decisions_are_those_of_the_golden_reference((network, train, core) in case()) {
        let image = MemoryImage::new(&network, &core).unwrap();
        let inference = CycleModel::new(&image).infer(&train.events());
        let expected = golden::run(&network, &train).unwrap().decision;
        prop_assert_eq!(inference.decision, expected);
    }

    #[test]
    fn what_saves_cycles_changes_no_decision(
        (network, train, core) in case(),
        exit in any::<bool>(),
        skip in any::<bool>(),
        steps_under_way in 1..=2usize,
    ) {
        let image = MemoryImage::new(&network, &core).unwrap();
        let mut model = CycleModel::new(&image);
        let savings = Savings { exit, skip, steps_under_way };
        let inference = model.infer_with(&train.events(), savings);
        let expected = golden::run(&network, &train).unwrap().decision;
        prop_assert_eq!(inference.decision, expected);
    }
}
