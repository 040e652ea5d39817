use super::*;
use crate::dataset::{self, Groups, Split};
use firmware_model::golden;
use firmware_model::network::Layer;
use proptest::prelude::*;
use rayon::ThreadPoolBuilder;

fn digits() -> Dataset {
    dataset::load("digits").unwrap()
}

/// Options for a run of a second or so.
fn short() -> Options {
    Options {
        epochs: 3,
        ..Options::for_dataset(&digits())
    }
}

fn train_quietly(data: &Dataset, sizes: &[usize], options: &Options) -> Trained {
    let stop = AtomicBool::new(false);
    train(data, sizes, 16, options, &stop, &mut |_| ()).unwrap()
}

/// [`train_quietly`] with so many threads.
fn train_with(threads: usize, sizes: &[usize], options: &Options) -> Trained {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build();
    let run = || train_quietly(&digits(), sizes, options);
    pool.unwrap().install(run)
}

/// Asserts that a run with these options hangs on its seed, and not on how many threads there are.
fn assert_is_its_seeds(sizes: &[usize], options: Options) {
    let with = |threads: usize, seed: u64| {
        let options = Options {
            seed,
            ..options.clone()
        };
        train_with(threads, sizes, &options)
    };
    let (one, two) = (with(1, 7), with(2, 7));
    assert_eq!(one.network, two.network);
    assert_eq!(one.epochs, two.epochs);
    assert_ne!(one.network, with(2, 8).network);
}

/// The fast path and the golden reference on the same images: the whole decision, and every spike.
fn assert_agrees_with_golden(network: &Network, split: &Split, maximum: u8) {
    let code = Latency {
        steps: network.steps(),
    };
    let samples = Samples::encode(split, maximum, code);
    let decisions = FastNetwork::new(network).infer(&samples);
    let measured = FastNetwork::new(network).measure(&samples);
    let traces = FastNetwork::new(network).trace(&samples);
    let mut hidden = 0;
    for ((image, decision), traced) in split.iter().zip(&decisions).zip(&traces) {
        let trace = golden::run(network, &code.encode(image, maximum)).unwrap();
        assert_eq!(*decision, trace.decision);
        assert_eq!(*traced, trace);
        hidden += trace.hidden_spikes_before_decision();
    }
    let right = (decisions.iter().zip(&split.labels))
        .filter(|(decision, &label)| decision.class == usize::from(label))
        .count();
    let images = split.len() as f64;
    assert_eq!(measured.accuracy, right as f64 / images);
    assert_eq!(measured.hidden_spikes, hidden as f64 / images);
}

#[test]
fn the_fast_path_agrees_with_the_golden_reference_after_training() {
    let data = digits();
    for sizes in [
        &[64, 10][..],
        &[64, 50, 10],
        &[64, 40, 33, 10],
        &[64, 20, 20, 20, 10],
    ] {
        let trained = train_quietly(&data, sizes, &short());
        assert_eq!(trained.network.sizes(), sizes);
        assert_agrees_with_golden(&trained.network, &data.test, data.maximum);
    }
}

/// A network of random signs, with thresholds that some neurons reach and some do not, and images.
fn network_and_images() -> impl Strategy<Value = (Network, Split)> {
    let sizes = prop::collection::vec(1usize..40, 2..=5);
    (sizes, 1usize..=256, any::<u64>()).prop_map(|(sizes, steps, seed)| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let layers = sizes.windows(2).map(|pair| {
            let highest = 2 + pair[0] as i32 / 3;
            let thresholds = (0..pair[1]).map(|_| rng.random_range(1..highest)).collect();
            Layer::from_fn(pair[0], thresholds, |_, _| rng.random_range(0..100) < 60).unwrap()
        });
        let network = Network::new(steps, layers.collect()).unwrap();
        let images = (0..8 * sizes[0]).map(|_| match rng.random_range(0..3) {
            0 => 0,
            _ => rng.random_range(0..=255),
        });
        let split = Split {
            features: sizes[0],
            images: images.collect(),
            labels: (0..8).collect(),
        };
        (network, split)
    })
}

proptest! {
    #[test]
    fn the_fast_path_agrees_with_the_golden_reference((network, split) in network_and_images()) {
        assert_agrees_with_golden(&network, &split, 255);
    }
}

#[test]
fn the_same_seed_gives_the_same_run_on_any_number_of_threads() {
    assert_is_its_seeds(&[64, 48, 32, 10], short());
}

#[test]
fn the_same_seed_gives_the_same_run_with_any_instructions() {
    let data = digits();
    let options = Options {
        augment: Augment {
            shift: 1.0,
            rotate: 10.0,
            ..Augment::NONE
        },
        teacher: Some(Teaching::by(40)),
        ..short()
    };
    let samples = Samples::encode(&data.test, data.maximum, Latency { steps: 16 });
    simd::assert_same_with_each(|| {
        // Widths that are several blocks of lanes, and one.
        let trained = train_quietly(&data, &[64, 200, 33, 10], &options);
        let decisions = FastNetwork::new(&trained.network).infer(&samples);
        (trained.network, trained.epochs, decisions)
    });
}

#[test]
fn training_learns() {
    let data = digits();
    let options = Options {
        epochs: 15,
        ..short()
    };
    let trained = train_quietly(&data, &[64, 64, 10], &options);
    let first = trained.epochs[0];
    assert!(trained.epochs[14].loss < first.loss * 0.5);
    assert!(trained.best().validation.accuracy > 0.85);
    let best = trained.best().validation.accuracy;
    assert!(trained.epochs.iter().all(|e| e.validation.accuracy <= best));
}

#[test]
fn a_stop_ends_the_run_after_the_current_batch_and_keeps_the_best() {
    let data = digits();
    let options = Options {
        epochs: 1000,
        batch: 50,
        ..short()
    };
    let stop = AtomicBool::new(false);
    let mut seen = 0;
    let trained = train(&data, &[64, 30, 10], 16, &options, &stop, &mut |event| {
        if let Event::Batch { epoch, images, .. } = event {
            assert!(!stop.load(Ordering::Relaxed), "a batch ran after the stop");
            seen = images;
            stop.store(epoch == 3, Ordering::Relaxed);
        }
    })
    .unwrap();
    assert!(trained.stopped);
    assert_eq!(trained.epochs.len(), 3);
    assert_eq!(seen % data.train.len().min(seen), seen % data.train.len());
    let highest = trained.epochs.iter().map(|e| e.validation.accuracy);
    assert_eq!(
        trained.best().validation.accuracy,
        highest.fold(0.0, f64::max)
    );

    let at_once = AtomicBool::new(true);
    let trained = train(&data, &[64, 10], 16, &options, &at_once, &mut |_| ()).unwrap();
    assert!(trained.stopped);
    assert_eq!(trained.network.sizes(), [64, 10]);
}

#[test]
fn sizes_that_do_not_fit_the_data_are_named_with_the_right_ones() {
    let data = digits();
    let error = |sizes: &[usize]| check_sizes(&data, sizes).unwrap_err().to_string();
    assert!(error(&[784, 128, 10]).contains("64,…,10"));
    assert!(error(&[64, 128, 11]).contains("64 pixels and 10 classes"));
    assert!(error(&[64]).contains("1 to 4"));
    assert!(error(&[64, 1, 1, 1, 1, 10]).contains("1 to 4"));
    assert!(error(&[64, 0, 10]).contains("0 neurons"));
    check_sizes(&data, &[64, 10]).unwrap();
}

#[test]
fn options_out_of_range_are_named() {
    let data = digits();
    let error = |options: Options| options.check(&data).unwrap_err().to_string();
    let good = short();
    assert!(error(Options {
        epochs: 0,
        ..good.clone()
    })
    .contains("epochs"));
    let not_a_number = Options {
        learning_rate: f32::NAN,
        ..good.clone()
    };
    assert!(error(not_a_number).contains("learning rate"));
    let zero = Options {
        patience: 0.0,
        ..good.clone()
    };
    assert!(error(zero).contains("patience"));
    let mut flat = data.clone();
    flat.shape = vec![64];
    let moving = Options {
        augment: Augment {
            shift: 0.5,
            ..Augment::NONE
        },
        ..good.clone()
    };
    assert!(matches!(
        moving.check(&flat),
        Err(TrainError::AugmentWithoutPlane { .. })
    ));
    let nothing_held_out = Options {
        validation: 0.001,
        ..good
    };
    let stop = AtomicBool::new(false);
    let result = train(&data, &[64, 10], 16, &nothing_held_out, &stop, &mut |_| ());
    assert!(matches!(
        result,
        Err(TrainError::HoldOut(HoldOutError::NothingLeft { .. }))
    ));
}

#[test]
fn whole_writers_are_held_out_where_they_are_known() {
    let mut data = digits();
    let images = data.train.len();
    let of = (0..images).map(|index| (index % 4) as u16).collect();
    data.groups = Some(Groups { kind: "writer", of });
    let parts = data.hold_out(0.1).unwrap();
    let options = Options {
        epochs: 1,
        validation: 0.1,
        ..Options::for_dataset(&data)
    };
    let mut seen = 0;
    let mut watch = |event: Event| {
        if let Event::Batch { images, .. } = event {
            seen = images;
        }
    };
    let stop = AtomicBool::new(false);
    let trained = train(&data, &[64, 10], 16, &options, &stop, &mut watch).unwrap();
    assert_eq!(seen, images - images / 4);
    let code = Latency { steps: 16 };
    let theirs = Samples::encode(&data.train.select(&parts.held_out), data.maximum, code);
    let found = FastNetwork::new(&trained.network).measure(&theirs);
    assert_eq!(found, trained.best().validation);
}

#[test]
fn curves_become_csv_and_svg() {
    let trained = train_quietly(&digits(), &[64, 10], &short());
    let csv = to_csv(&trained.epochs);
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 4);
    assert!(lines[0].starts_with("epoch,learning_rate,loss,train_accuracy"));
    assert!(lines[3].starts_with("3,"));
    assert!(lines.iter().all(|line| line.split(',').count() == 8));
    let svg = to_svg(&trained.epochs).unwrap();
    assert!(
        svg.starts_with("<svg") && svg.contains("accuracy") && svg.trim_end().ends_with("</svg>")
    );
}

#[test]
fn data_with_a_time_of_their_own_set_the_steps() {
    let digits = digits();
    assert_eq!(steps_for(&digits, None).unwrap(), USUAL_STEPS);
    assert_eq!(steps_for(&digits, Some(7)).unwrap(), 7);
    let error = steps_for(&digits, Some(257)).unwrap_err();
    assert!(matches!(error, TrainError::Steps { steps: 257 }), "{error}");

    let own = Dataset {
        steps: Some(20),
        ..digits
    };
    assert_eq!(steps_for(&own, None).unwrap(), 20);
    assert_eq!(steps_for(&own, Some(20)).unwrap(), 20);
    let options = Options {
        epochs: 1,
        augment: Augment::NONE,
        ..Options::for_dataset(&own)
    };
    let stop = AtomicBool::new(false);
    let error = train(&own, &[64, 10], 16, &options, &stop, &mut |_| ()).unwrap_err();
    assert!(error.to_string().contains("give --steps 20"), "{error}");
    assert_eq!(own.plane(), None);
}

/// Options for a run of a second or so that is taught.
fn taught(share: f32) -> Options {
    let teacher = Teaching {
        share,
        ..Teaching::by(40)
    };
    Options {
        teacher: Some(teacher),
        ..short()
    }
}

/// Options for a run of a second or so that descends image by image.
fn image_by_image() -> Options {
    Options {
        epochs: 3,
        hidden_threshold: 9.0,
        patience: 0.4,
        ..Options::for_rule(&digits(), Named::Bs4nn, 16)
    }
}

#[test]
fn a_run_image_by_image_is_its_seeds_on_any_number_of_threads() {
    assert_is_its_seeds(&[64, 48, 10], image_by_image());
}

#[test]
fn a_run_image_by_image_learns_at_a_rate_that_stays() {
    let data = digits();
    let options = Options {
        epochs: 40,
        hidden_threshold: 11.0,
        patience: 0.5,
        ..Options::for_rule(&data, Named::Bs4nn, 64)
    };
    let stop = AtomicBool::new(false);
    let trained = train(&data, &[64, 64, 10], 64, &options, &stop, &mut |_| ()).unwrap();
    // All outputs tie at first, so its first images are a guess of one in ten.
    let accuracy = trained.best().validation.accuracy;
    assert!(accuracy > 0.6, "{accuracy}");
    assert!(trained.epochs.iter().all(|e| e.learning_rate == 0.1));
    assert_agrees_with_golden(&trained.network, &data.test, data.maximum);
}

/// Options for a short run of BSTDG's loss of spike times.
fn of_spike_times(epochs: usize) -> Options {
    Options {
        epochs,
        ..Options::for_rule(&digits(), Named::Bstdg, 16)
    }
}

#[test]
fn a_run_by_spike_times_is_its_seeds_on_any_number_of_threads() {
    assert_is_its_seeds(&[64, 48, 32, 10], of_spike_times(3));
}

#[test]
fn a_run_by_spike_times_learns_and_a_deadline_makes_it_decide_by_a_spike() {
    let data = digits();
    let run = |deadline: bool| {
        let mut options = of_spike_times(30);
        // So few neurons can bring no more.
        options.patience = 1.0;
        if let Objective::Latencies(latencies) = &mut options.rule.objective {
            latencies.deadline = deadline;
        }
        train_quietly(&data, &[64, 64, 10], &options)
    };
    let (trained, without) = (run(true), run(false));
    let best = trained.best().validation;
    assert!(best.accuracy > 0.85, "{best:?}");
    assert!(best.silent < without.best().validation.silent, "{best:?}");
    assert_agrees_with_golden(&trained.network, &data.test, data.maximum);
}

#[test]
fn a_rate_falls_along_half_a_cosine_or_stays() {
    let data = digits();
    for named in [Named::Margins, Named::Bs4nn] {
        let rates = |schedule: Schedule| -> Vec<f32> {
            let options = Options {
                epochs: 4,
                learning_rate: 0.1,
                schedule,
                ..Options::for_rule(&data, named, 16)
            };
            let trained = train_quietly(&data, &[64, 10], &options);
            trained.epochs.iter().map(|e| e.learning_rate).collect()
        };
        assert_eq!(rates(Schedule::Constant), [0.1; 4]);
        // Of the last update of each epoch.
        for (epoch, rate) in rates(Schedule::Cosine).into_iter().enumerate() {
            let done = (epoch + 1) as f64 / 4.0;
            let expected = 0.05 * (1.0 + (std::f64::consts::PI * done).cos());
            assert!(
                (f64::from(rate) - expected).abs() < 0.007,
                "{rate} {expected}"
            );
        }
    }
}

#[test]
fn what_a_descent_image_by_image_does_not_know_is_refused() {
    let data = digits();
    let good = image_by_image();
    good.check(&data).unwrap();
    let refused = |what: &str, options: Options| {
        let error = options.check(&data).unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    };
    let with = |rule: Rule| Options {
        rule,
        ..good.clone()
    };
    refused(
        "batch",
        Options {
            batch: 100,
            ..good.clone()
        },
    );
    refused(
        "window",
        Options {
            window: 10.0,
            ..good.clone()
        },
    );
    refused(
        "spike cost",
        Options {
            spike_cost: 0.1,
            ..good.clone()
        },
    );
    refused(
        "hidden threshold",
        Options {
            hidden_threshold: 1.5,
            ..good.clone()
        },
    );
    refused(
        "patience",
        Options {
            patience: 0.09,
            ..good.clone()
        },
    );
    refused(
        "kappa",
        with(Rule {
            kappa: 8.0,
            ..good.rule
        }),
    );
    refused(
        "thresholds",
        with(Rule {
            thresholds: ThresholdTraining::Neuron,
            ..good.rule
        }),
    );
}

#[test]
fn a_taught_run_is_the_same_on_any_number_of_threads() {
    let sizes = [64, 48, 10];
    let on = |threads: usize| train_with(threads, &sizes, &taught(0.5));
    let (one, two) = (on(1), on(2));
    assert_eq!(one.network, two.network);
    assert_eq!(one.epochs, two.epochs);
    assert_ne!(
        one.network,
        train_quietly(&digits(), &sizes, &short()).network
    );
}

#[test]
fn a_teacher_without_a_share_changes_nothing() {
    let data = digits();
    let with = train_quietly(&data, &[64, 48, 10], &taught(0.0));
    let without = train_quietly(&data, &[64, 48, 10], &short());
    assert_eq!(with.network, without.network);
    assert_eq!(with.epochs, without.epochs);
}

#[test]
fn a_stop_while_the_teacher_learns_ends_the_run_with_nothing() {
    let data = digits();
    let stop = AtomicBool::new(false);
    let mut batches = 0;
    let result = train(&data, &[64, 10], 16, &taught(0.5), &stop, &mut |event| {
        assert!(matches!(event, Event::TeacherBatch { .. }));
        batches += 1;
        stop.store(batches == 3, Ordering::Relaxed);
    });
    assert!(matches!(result, Err(TrainError::Stopped)));
    assert_eq!(batches, 3);
}

#[test]
fn teachers_that_cannot_be_are_named() {
    let data = digits();
    let error = |teacher: Teaching, rule: Rule| {
        let options = Options {
            teacher: Some(teacher),
            rule,
            ..short()
        };
        options.check(&data).unwrap_err().to_string()
    };
    let of = |hidden, share, temperature| {
        let teacher = Teaching {
            hidden,
            share,
            temperature,
        };
        error(teacher, Rule::default())
    };
    assert!(of(0, 0.5, 1.0).contains("teacher is out of range"));
    assert!(of(16_385, 0.5, 1.0).contains("from 1 to 16384 hidden"));
    assert!(of(40, 1.1, 1.0).contains("teacher's share"));
    assert!(of(40, f32::NAN, 1.0).contains("teacher's share"));
    assert!(of(40, 0.5, 0.0).contains("teacher's temperature"));
    let spike_times = error(Teaching::by(40), Named::Bs4nnAdam.rule(16));
    assert!(
        spike_times.contains("bs4nn-adam trains spike times")
            && spike_times.contains("--teacher 0"),
        "{spike_times}"
    );
}
