//! Images a second of the trainer and of its inference: `cargo bench -p firstspike --bench train`.
//!
//! The images are those of MNIST where it was fetched (`firstspike data fetch mnist`), else the embedded digits,
//! enlarged to 28×28 so that the network is of the same size. A training is one epoch and all that comes before it.
//! Training and inference are measured with each kind of vector instructions that the processor has; a word after `--`
//! chooses, as in `cargo bench -p firstspike --bench train -- avx2`.

use criterion::{criterion_group, criterion_main, BatchSize, Criterion, Throughput};
use firmware_model::golden;
use firstspike::dataset::{self, Dataset, Split};
use firstspike::encoding::Latency;
use firstspike::train::{train, FastNetwork, Options, Samples, Simd};
use std::hint::black_box;
use std::sync::atomic::AtomicBool;

const STEPS: usize = 16;
const SIZES: [usize; 3] = [784, 600, 10];

/// 8×8 digits as 28×28 images, each pixel three by three, with a border of two.
fn enlarge(split: &Split) -> Split {
    let mut images = Vec::with_capacity(split.len() * 784);
    for image in split.iter() {
        for (row, column) in (0..28).flat_map(|row| (0..28).map(move |column| (row, column))) {
            let inside = (2..26).contains(&row) && (2..26).contains(&column);
            images.push(match inside {
                true => image[(row - 2) / 3 * 8 + (column - 2) / 3],
                false => 0,
            });
        }
    }
    Split {
        features: 784,
        images,
        labels: split.labels.clone(),
    }
}

fn data() -> Dataset {
    if let Ok(mnist) = dataset::load("mnist") {
        return mnist;
    }
    let digits = dataset::load("digits").expect("the digits are part of the program");
    Dataset {
        train: enlarge(&digits.train),
        test: enlarge(&digits.test),
        shape: vec![28, 28],
        ..digits
    }
}

fn benches(criterion: &mut Criterion) {
    let data = data();
    let options = Options {
        epochs: 1,
        validation: 0.0,
        ..Options::for_dataset(&data)
    };
    let stop = AtomicBool::new(false);
    let run = || train(&data, &SIZES, STEPS, &options, &stop, &mut |_| ()).expect("it fits");

    let network = run().network;
    let code = Latency { steps: STEPS };
    let samples = Samples::encode(&data.test, data.maximum, code);
    let fast = FastNetwork::new(&network);

    let mut group = criterion.benchmark_group(format!("784-600-10 on {}", data.name));
    group.sample_size(10);
    for simd in Simd::of_this_processor() {
        simd.hold();
        group.throughput(Throughput::Elements(data.train.len() as u64));
        group.bench_function(format!("training, {}", simd.name()), |bencher| {
            bencher.iter(run)
        });
        group.throughput(Throughput::Elements(samples.len() as u64));
        group.bench_function(format!("inference, {}", simd.name()), |bencher| {
            bencher.iter(|| black_box(fast.infer(&samples)))
        });
    }

    group.throughput(Throughput::Elements(1));
    let mut images = (0..data.test.len()).cycle();
    group.bench_function("golden reference, one thread", |bencher| {
        let next = || {
            let index = images.next().expect("it cycles");
            code.encode(data.test.image(index), data.maximum)
        };
        bencher.iter_batched(
            next,
            |spikes| golden::run(&network, &spikes),
            BatchSize::SmallInput,
        )
    });
    group.finish();
}

criterion_group!(train_benches, benches);
criterion_main!(train_benches);
