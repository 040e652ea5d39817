//! One suite of requests, good and bad, to the generated Verilog and to the device model: the same replies
//! in the same order, byte for byte, from slow cores and fast ones, with as many requests open as there are
//! credits.
//!
//! Three numbers tell of time, which the model has another idea of (`firmware_model::device`), and are left
//! out there: how long the core waited for an image, which has a test of its own below, and the clocks in
//! STATUS. The cycles of an inference are compared.

use firmware_model::board::Board as BoardData;
use firmware_model::config::CoreConfig;
use firmware_model::device::{Device, DeviceConfig};
use firmware_model::image::MemoryImage;
use firmware_model::network::{Layer, Network, SpikeTrain};
use firmware_model::protocol::reply::{parse_answer, parse_counters};
use firmware_model::protocol::request::{rows_per_frame, LANES_PER_OCTET, MARGINS_PER_FRAME};
use firmware_model::protocol::spike_code::{COUNT_MAX, SKIP, SKIP_UNIT, SPIKE_MAX, STEP};
use firmware_model::protocol::spikes::{encode_spikes, next_chunk};
use firmware_model::protocol::{kind, status, Frame, FrameReader, Request, LAST_CHUNK, REPLY};
use firstspike::driver::Board;
use firstspike_tests::rtl_line::RtlLine;
use firstspike_tests::wire::Wire;
use firstspike_tests::{random_network, random_spikes, rtl_device};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, BTreeSet};

/// A board, a core, a network that fits it.
struct Setup {
    board: BoardData,
    core: CoreConfig,
    network: Network,
}

impl Setup {
    fn new(board: &str, change: impl FnOnce(&BoardData) -> CoreConfig, sizes: &[usize]) -> Self {
        let mut board = BoardData::find(board).unwrap();
        // Four clocks a bit: the least work for Verilator.
        board.uart.baud = board.clock.core_hz / 4;
        let core = change(&board);
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let network = random_network(sizes, STEPS, &mut random);
        Setup {
            board,
            core,
            network,
        }
    }

    fn image(&self) -> MemoryImage {
        MemoryImage::new(&self.network, &self.core).unwrap()
    }
}

const STEPS: usize = 16;

/// Eight neurons at a time, and 480 of them: an image takes much longer than a chunk on the line.
fn slow() -> Setup {
    let core = |board: &BoardData| CoreConfig {
        weight_rows: 32_768,
        fold_slots: 64,
        input_rows: 256,
        hidden_rows: 512,
        frame_slots: 4,
        ..board.core_with(Some(8), Some(1), None).unwrap()
    };
    Setup::new("icebreaker", core, &[250, 480, 10])
}

/// The same with two credits and one input buffer: the next image waits until the core is done.
fn slow_with_one_buffer() -> Setup {
    let core = |board: &BoardData| CoreConfig {
        weight_rows: 4_096,
        fold_slots: 64,
        input_rows: 128,
        hidden_rows: 512,
        input_buffers: 1,
        ..board.core_with(Some(8), Some(1), Some(1)).unwrap()
    };
    Setup::new("icebreaker", core, &[100, 280, 10])
}

/// Few neurons: an image is done before the next chunk is there. Two banks.
fn fast() -> Setup {
    let core = |board: &BoardData| CoreConfig {
        weight_rows: 1024,
        fold_slots: 4,
        input_rows: 512,
        hidden_rows: 64,
        ..board.core_with(Some(16), Some(2), None).unwrap()
    };
    Setup::new("icebreaker", core, &[700, 20, 10])
}

/// Eight banks, of another family.
fn wide() -> Setup {
    let core = |board: &BoardData| CoreConfig {
        weight_rows: 4_096,
        fold_slots: 64,
        input_rows: 128,
        hidden_rows: 512,
        ..board.core_with(Some(8), Some(8), Some(1)).unwrap()
    };
    Setup::new("ulx3s-25f", core, &[1000, 200, 10])
}

/// The requests that load `image`, as the driver makes them.
fn load(image: &MemoryImage) -> Vec<(u8, Vec<u8>)> {
    let mut requests = Vec::new();
    let mut add = |request: Request| requests.push((request.kind(), request.payload()));
    add(Request::Geometry(&image.geometry.to_bytes()));
    let used = usize::from(image.geometry.rows_used);
    let most = rows_per_frame(&image.core);
    for bank in 0..image.core.banks {
        for row in (0..used).step_by(most) {
            let rows = image.weight_bytes(bank.into(), row, most.min(used - row));
            let row = row as u16;
            add(Request::Weights { bank, row, rows });
        }
    }
    let lanes = usize::from(image.core.lanes);
    for (slot, margins) in image.margins.chunks(lanes).enumerate() {
        for (part, margins) in margins.chunks(MARGINS_PER_FRAME).enumerate() {
            let margins: Vec<u8> = margins.iter().flat_map(|m| m.to_le_bytes()).collect();
            add(Request::Margins {
                slot: slot as u8,
                octet: (part * MARGINS_PER_FRAME / LANES_PER_OCTET) as u8,
                margins: &margins,
            });
        }
    }
    add(Request::Arm(image.checksum()));
    requests
}

/// Codes of a kind that count to `total` together.
fn count(lead: u8, mut total: usize) -> Vec<u8> {
    let mut codes = Vec::new();
    while total > 0 {
        let now = total.min(usize::from(COUNT_MAX) + 1);
        codes.push(lead | (now - 1) as u8);
        total -= now;
    }
    codes
}

/// The spike of `input` at a step where none came before.
fn spike(input: usize) -> Vec<u8> {
    let mut codes = count(SKIP, input / SKIP_UNIT);
    codes.push((input % SKIP_UNIT) as u8);
    codes
}

/// Images at the edge of what the geometry and the banks allow, and just beyond it: each with whether it is
/// beyond.
fn edges(setup: &Setup) -> Vec<(Vec<u8>, bool)> {
    let (inputs, banks) = (setup.network.inputs(), usize::from(setup.core.banks));
    let rows = usize::from(setup.core.input_rows);
    let first = || count(STEP, 1);
    let mut edges = vec![
        // A spike, or a skip, before any step.
        (vec![0], true),
        (vec![SPIKE_MAX], true),
        (vec![SKIP], true),
        ([vec![5], first(), vec![0]].concat(), true),
        // The last input, and one more.
        ([first(), spike(inputs - 1)].concat(), false),
        ([first(), spike(inputs)].concat(), true),
        ([first(), spike(inputs), first(), spike(0)].concat(), true),
        ([first(), spike(inputs - 1), vec![0]].concat(), true),
        ([first(), spike(inputs - 1), vec![SPIKE_MAX]].concat(), true),
        // The last step, and one more, at once or by and by.
        ([count(STEP, STEPS), spike(3)].concat(), false),
        ([count(STEP, STEPS + 1), spike(3)].concat(), true),
        (count(STEP, STEPS), false),
        (count(STEP, STEPS + 1), true),
        (count(STEP, 64), true),
        (count(STEP, 640), true),
        ([vec![STEP; STEPS], spike(inputs - 1)].concat(), false),
        ([vec![STEP; STEPS + 1], spike(inputs - 1)].concat(), true),
        // Nothing, and steps without spikes.
        (vec![], false),
        (vec![STEP; 2], false),
    ];
    // A skip to the last input that is there, and to one more.
    if let Some(from) = (inputs - 1).checked_sub(SKIP_UNIT + 1) {
        edges.push(([first(), spike(from), vec![SKIP, 0]].concat(), false));
        edges.push(([first(), spike(from), vec![SKIP]].concat(), false));
        edges.push(([first(), spike(from + 1), vec![SKIP]].concat(), true));
        // Long skips, beyond what sixteen bits hold too.
        edges.push(([first(), count(SKIP, 600)].concat(), true));
        edges.push(([first(), count(SKIP, 1100)].concat(), true));
    }
    // A bank as full as it can be, and one spike more. That inputs spike at several steps is nothing that the
    // device looks at.
    for bank in BTreeSet::from([0, banks - 1]) {
        let of_bank: Vec<usize> = (bank..inputs).step_by(banks).collect();
        let steps = rows / of_bank.len() + 1;
        assert!(steps < STEPS);
        let fill = |spikes: usize| {
            let mut codes = Vec::new();
            let mut left = spikes;
            for _ in 0..=steps {
                codes.extend(count(STEP, 1));
                let mut next = 0;
                for &input in &of_bank[..left.min(of_bank.len())] {
                    codes.extend(spike(input - next));
                    next = input + 1;
                }
                left = left.saturating_sub(of_bank.len());
            }
            assert_eq!(left, 0);
            codes
        };
        edges.push((fill(rows), false));
        edges.push((fill(rows + 1), true));
    }
    edges
}

/// One thing that a host may do, with the requests that it takes.
fn scene(setup: &Setup, number: u8, random: &mut ChaCha8Rng) -> Vec<(u8, Vec<u8>)> {
    let spikes =
        |image: u8, chunk: u8, codes: &[u8]| (kind::SPIKES, [&[image, chunk], codes].concat());
    let good = |random: &mut ChaCha8Rng| {
        let train = random_spikes(setup.network.inputs(), STEPS, random);
        encode_spikes(&train.events())
    };
    match random.random_range(0..20) {
        0..=9 => {
            let codes = good(random);
            chunked(number, &codes, random)
        }
        10..=13 => {
            let edges = edges(setup);
            let (codes, _) = &edges[random.random_range(0..edges.len())];
            chunked(number, codes, random)
        }
        14 | 15 => {
            // Chunks that do not follow.
            let mut chunks = chunked(number, &good(random), random);
            let at = random.random_range(0..chunks.len());
            match random.random_range(0..5) {
                0 => drop(chunks.remove(at)),
                1 => chunks.insert(at, chunks[at].clone()),
                2 => chunks[at].1[0] ^= 1 << random.random_range(0..8),
                3 => chunks[at].1[1] ^= 1 << random.random_range(0..8),
                _ => chunks[at].1.truncate(random.random_range(0..2)),
            }
            chunks
        }
        16 => vec![
            (kind::INFO, vec![]),
            (kind::STATUS, vec![]),
            (kind::INFO, vec![1]),
            (random.random_range(0x40..0x7F), vec![1, 2]),
            (kind::STATUS, vec![0]),
        ],
        17 => {
            // An image that is begun, and then something else.
            let mut requests = vec![spikes(number, 0, &[STEP, 1])];
            requests.push((kind::INFO, vec![]));
            requests.push(spikes(number, 1 | LAST_CHUNK, &[2]));
            requests
        }
        18 => disarm(setup, number, random.random_range(0..DISARMS), random),
        _ => {
            // Other weights are other memories.
            let image = setup.image();
            let rows = rows_per_frame(&image.core).min(image.geometry.rows_used.into());
            let bytes = image.weight_bytes(0, 0, rows);
            let other: Vec<u8> = bytes.iter().map(|byte| byte ^ 0x11).collect();
            let at = |rows: &[u8]| (kind::WEIGHTS, [&[0, 0, 0], rows].concat());
            let arm = || (kind::ARM, image.checksum().to_le_bytes().to_vec());
            vec![at(&other), arm(), at(bytes), arm()]
        }
    }
}

/// The ways in which [`disarm`] disarms.
const DISARMS: usize = 6;

/// An image that is computed and one that is begun; then the board is disarmed, by what it takes or by what it
/// refuses, and armed again.
fn disarm(setup: &Setup, number: u8, way: usize, random: &mut ChaCha8Rng) -> Vec<(u8, Vec<u8>)> {
    let image = setup.image();
    let spikes =
        |image: u8, chunk: u8, codes: &[u8]| (kind::SPIKES, [&[image, chunk], codes].concat());
    let train = random_spikes(setup.network.inputs(), STEPS, random);
    let next = number.wrapping_add(1);
    let mut requests = chunked(number, &encode_spikes(&train.events()), random);
    requests.push(spikes(next, 0, &[STEP, 1]));
    let row = image.weight_bytes(0, 0, 1);
    let mut large = image.geometry.to_bytes();
    large[2..4].copy_from_slice(&u16::MAX.to_le_bytes());
    requests.push(match way {
        0 => (kind::WEIGHTS, [&[0, 0, 0], row].concat()),
        1 => (kind::WEIGHTS, [&[99, 0, 0], row].concat()),
        2 => (kind::MARGINS, vec![0, 0, 1]),
        3 => (kind::MARGINS, vec![255, 0, 1, 2]),
        4 => (kind::ARM, vec![1, 2, 3, 4]),
        _ => (kind::GEOMETRY, large.to_vec()),
    });
    requests.push(spikes(next, 1 | LAST_CHUNK, &[2]));
    requests.push(spikes(7, LAST_CHUNK, &[STEP, 1]));
    requests.push((kind::SPIKES, vec![7]));
    if requests.iter().any(|(kind, _)| *kind == kind::GEOMETRY) {
        requests.push((kind::GEOMETRY, image.geometry.to_bytes().to_vec()));
    }
    requests.push((kind::ARM, image.checksum().to_le_bytes().to_vec()));
    requests
}

/// An image as one to five chunks of any length.
fn chunked(image: u8, codes: &[u8], random: &mut impl Rng) -> Vec<(u8, Vec<u8>)> {
    let most = 250;
    let pieces = codes.len().div_ceil(most) + random.random_range(0..4);
    let mut ends: Vec<usize> = (1..pieces.max(1))
        .map(|_| random.random_range(0..=codes.len()))
        .collect();
    ends.extend((most..codes.len()).step_by(most));
    ends.push(codes.len());
    ends.sort_unstable();
    let (mut from, mut number) = (0, 0);
    let mut chunks = Vec::new();
    for (at, &to) in ends.iter().enumerate() {
        let last = if at + 1 == ends.len() { LAST_CHUNK } else { 0 };
        chunks.push((
            kind::SPIKES,
            [&[image, number | last], &codes[from..to]].concat(),
        ));
        from = to;
        number = next_chunk(number);
    }
    chunks
}

/// What of a reply must be equal.
fn comparable(frame: &Frame) -> Frame {
    let mut frame = frame.clone();
    let length = frame.payload.len();
    if frame.kind == kind::SPIKES | REPLY && parse_answer(&frame.payload).is_some() {
        frame.payload.truncate(length - 4);
    } else if frame.kind == kind::STATUS | REPLY && parse_counters(&frame.payload).is_some() {
        frame.payload.drain(1..9);
    }
    frame
}

/// The board as Verilog and as software, the same requests to both.
struct Pair {
    wire: Wire,
    model: Device,
    credits: usize,
    sequence: u8,
    expected: Vec<Frame>,
}

impl Pair {
    fn new(setup: &Setup) -> Self {
        Pair {
            wire: Wire::new(rtl_device(&setup.board, &setup.core, 1)),
            model: Device::new(config(setup)),
            credits: setup.core.frame_slots.into(),
            sequence: 0,
            expected: Vec::new(),
        }
    }

    /// Sends a request as soon as there is a credit for it. Returns the clocks when it was on the line.
    fn send(&mut self, kind: u8, payload: Vec<u8>) -> u64 {
        let open = (self.expected.len() + 1).saturating_sub(self.credits);
        self.wire.wait(open);
        let request = Frame {
            kind,
            sequence: self.sequence,
            payload,
        };
        self.sequence = self.sequence.wrapping_add(1);
        self.send_wire(&request.to_wire())
    }

    /// Sends bytes, which the device answers once.
    fn send_wire(&mut self, bytes: &[u8]) -> u64 {
        let mut reader = FrameReader::default();
        let replies: Vec<Frame> = (self.model.receive(bytes).iter())
            .filter_map(|&byte| reader.push(byte))
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(replies.len(), 1, "each request has one reply");
        self.expected.extend(replies);
        self.wire.send(bytes)
    }

    /// Waits until all is answered, and compares it.
    fn check(&mut self) {
        self.wire.wait(self.expected.len());
        assert_eq!(self.wire.received.len(), self.expected.len());
        for (at, (found, expected)) in self.wire.received.iter().zip(&self.expected).enumerate() {
            assert_eq!(comparable(found), comparable(expected), "reply {at}");
        }
    }
}

fn config(setup: &Setup) -> DeviceConfig {
    DeviceConfig {
        core: setup.core,
        board_number: setup.board.number,
        clock_hz: setup.board.clock.core_hz,
        baud: setup.board.uart.baud,
    }
}

/// Everything, in random order, with and without pauses.
fn suite(setup: &Setup, scenes: usize) {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let mut pair = Pair::new(setup);
    pair.send(kind::SPIKES, vec![0, LAST_CHUNK]);
    for (kind, payload) in load(&setup.image()) {
        pair.send(kind, payload);
    }
    // Every edge of the core's checks, and a good image behind it.
    for (number, (codes, beyond)) in (0..).step_by(2).zip(edges(setup)) {
        let requests = chunked(number, &codes, &mut random);
        for (kind, payload) in requests {
            pair.send(kind, payload);
        }
        let refused = |frame: &Frame| frame.payload[0] == status::BAD_SPIKE;
        let from = pair.expected.len().saturating_sub(5);
        assert_eq!(
            pair.expected[from..].iter().any(refused),
            beyond,
            "{codes:?}"
        );
        pair.send(
            kind::SPIKES,
            [&[number + 1, LAST_CHUNK][..], &[STEP, 1, 2, STEP]].concat(),
        );
        // The five replies that are looked at are of one edge.
        for _ in 0..5 {
            pair.send(kind::INFO, vec![]);
        }
    }
    for way in 0..DISARMS {
        for (kind, payload) in disarm(setup, way as u8, way, &mut random) {
            pair.send(kind, payload);
        }
    }
    for number in 0..scenes {
        for (kind, payload) in scene(setup, number as u8, &mut random) {
            pair.send(kind, payload);
            if random.random_bool(0.1) {
                let pause = random.random_range(1..20_000);
                pair.wire.pass(pause);
            }
        }
        if random.random_bool(0.1) {
            // A NAK does not wait for a core that computes, so it is alone.
            pair.wire.wait(pair.expected.len());
            pair.send_wire(&[3, 1, 2, 0]);
        }
        pair.wire.pass(1);
    }
    pair.check();

    // All kinds of replies came, and some of them had to wait for a core.
    let mut seen = BTreeMap::new();
    for frame in &pair.expected {
        *seen.entry((frame.kind, frame.payload[0])).or_insert(0) += 1;
    }
    println!("{seen:?}");
    let (spikes, arm) = (kind::SPIKES | REPLY, kind::ARM | REPLY);
    for wanted in [
        (spikes, status::OK),
        (spikes, status::BAD_SPIKE),
        (spikes, status::OUT_OF_ORDER),
        (spikes, status::NOT_ARMED),
        (spikes, status::BAD_LENGTH),
        (arm, status::MEMORY_CHECK),
        (kind::WEIGHTS | REPLY, status::OUT_OF_RANGE),
        (kind::GEOMETRY | REPLY, status::OUT_OF_RANGE),
        (kind::INFO | REPLY, status::BAD_LENGTH),
        (kind::STATUS | REPLY, status::OK),
        (kind::NAK, status::BAD_FRAME),
    ] {
        assert!(seen.contains_key(&wanted), "{wanted:?}");
    }
}

#[test]
fn a_slow_core_says_what_the_model_says() {
    suite(&slow(), 120);
}

#[test]
fn a_slow_core_with_one_buffer_says_what_the_model_says() {
    suite(&slow_with_one_buffer(), 120);
}

#[test]
fn a_fast_core_says_what_the_model_says() {
    suite(&fast(), 120);
}

#[test]
fn a_core_of_eight_banks_says_what_the_model_says() {
    suite(&wide(), 120);
}

/// A chunk of the next image goes into its buffer while the core computes, though what is said of it waits: so
/// the core begins with that image the moment it is done with this one.
#[test]
fn a_slow_core_that_is_fed_does_not_wait() {
    let setup = slow();
    let image = setup.image();
    let mut pair = Pair::new(&setup);
    for (kind, payload) in load(&image) {
        pair.send(kind, payload);
    }
    let mut random = ChaCha8Rng::seed_from_u64(6);
    // All inputs at the last step: 16,000 clock cycles, of which the line is in use for 10,600.
    let codes = [count(STEP, STEPS), vec![0; 250]].concat();
    for number in 0..6 {
        let middle = random.random_range(0..=codes.len());
        pair.send(kind::SPIKES, [&[number, 0], &codes[..middle]].concat());
        pair.send(
            kind::SPIKES,
            [&[number, 1 | LAST_CHUNK], &codes[middle..]].concat(),
        );
    }
    pair.check();
    let answers: Vec<_> = (pair.wire.received.iter())
        .filter(|frame| frame.kind == kind::SPIKES | REPLY)
        .filter_map(|frame| parse_answer(&frame.payload))
        .collect();
    let cycles: Vec<u32> = answers.iter().map(|answer| answer.cycles).collect();
    println!("{cycles:?} cycles");
    assert!(cycles.iter().all(|&cycles| cycles > 15_000));
    assert!(answers[0].idle > 0);
    let idle: Vec<u32> = answers[1..].iter().map(|answer| answer.idle).collect();
    assert_eq!(idle, [0; 5]);
}

/// The clock cycles of an image that are neither computing nor waiting: in one the result is handed over, in one
/// the core sees the image.
const NOT_COUNTED: u64 = 2;

/// How long the core says that it waited is what a watch at the line says: from the end of the frame of one
/// image to that of the next, of the same length, less the cycles of the inference.
#[test]
fn the_wait_for_an_image_is_that_on_the_line() {
    for setup in [slow(), fast()] {
        let mut pair = Pair::new(&setup);
        for (kind, payload) in load(&setup.image()) {
            pair.send(kind, payload);
        }
        pair.check();
        let mut ends = Vec::new();
        let mut answers = Vec::new();
        for (number, pause) in [0, 10, 3_000, 20_000, 100, 7_777].into_iter().enumerate() {
            pair.wire.pass(pause);
            let codes = [STEP, number as u8, 2, 3];
            let payload = [&[number as u8, LAST_CHUNK], &codes[..]].concat();
            ends.push(pair.send(kind::SPIKES, payload));
            pair.check();
            let last = pair.wire.received.last().unwrap();
            answers.push(parse_answer(&last.payload).unwrap());
        }
        for at in 1..ends.len() {
            let between = ends[at] - ends[at - 1];
            let idle = between - u64::from(answers[at - 1].cycles) - NOT_COUNTED;
            let found = u64::from(answers[at].idle);
            assert_eq!(found, idle, "image {at}");
        }
    }
}

/// Images of several chunks, each longer on the line than the core computes: a perfect line needs no recovery.
#[test]
fn a_good_line_to_a_slow_core_needs_no_recovery() {
    for slots in [2, 4] {
        let mut setup = slow();
        setup.core.frame_slots = slots;
        // So high a threshold is never reached: the core is at it until the last step.
        let layer = |inputs: usize, neurons: usize| {
            Layer::from_fn(inputs, vec![300; neurons], |j, i| (i + j) % 3 == 0).unwrap()
        };
        setup.network = Network::new(250, vec![layer(250, 480), layer(480, 10)]).unwrap();
        let line = RtlLine::new(
            rtl_device(&setup.board, &setup.core, 1),
            setup.board.clock.core_hz,
        );
        let mut driver = Board::connect(Box::new(line), 3).unwrap();
        driver.deploy(&setup.network, |_, _| {}).unwrap();
        // A step of its own for each input: two bytes a spike, two chunks.
        let steps = (0..250).rev().map(|step| step as u16).collect();
        let train = SpikeTrain::from_raw(steps);
        let answers = driver.infer_batch(vec![&train; 6]).unwrap();
        assert_eq!(answers.len(), 6);
        println!("{} cycles", answers[0].cycles);
        assert!(answers.iter().all(|answer| answer.cycles > 10_000));
        assert_eq!(driver.traffic().recoveries, 0);
    }
}
