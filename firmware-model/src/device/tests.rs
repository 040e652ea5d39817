use super::*;
use crate::config::CoreConfig;
use crate::image::MemoryImage;
use crate::network::{Layer, Network, SpikeTrain};
use crate::protocol::request::rows_per_frame;
use crate::protocol::spikes::{chunks, encode_spikes};
use proptest::prelude::*;

const CONFIG: DeviceConfig = DeviceConfig {
    core: CoreConfig {
        lanes: 8,
        banks: 2,
        beats: 1,
        weight_rows: 256,
        fold_slots: 8,
        input_rows: 32,
        hidden_rows: 16,
        frame_slots: 4,
        input_buffers: 2,
    },
    board_number: 3,
    clock_hz: 24_000_000,
    baud: 3_000_000,
};

/// A network of 40-20-5 over 8 steps, its weights in no order.
fn network() -> Network {
    let layer = |inputs: usize, neurons: usize, threshold: i32| {
        Layer::from_fn(inputs, vec![threshold; neurons], |j, i| {
            (j * 31 + i * 17 + j * i) % 7 < 4
        })
        .unwrap()
    };
    Network::new(8, vec![layer(40, 20, 2), layer(20, 5, 2)]).unwrap()
}

fn image() -> MemoryImage {
    MemoryImage::new(&network(), &CONFIG.core).unwrap()
}

fn train(seed: u16) -> SpikeTrain {
    let raw = (0..40u16).map(|i| match (i * 7 + seed * 13) % 11 {
        step @ 0..=7 => step,
        _ => SpikeTrain::SILENT,
    });
    SpikeTrain::from_raw(raw.collect())
}

fn replies(bytes: &[u8]) -> Vec<Frame> {
    let mut reader = FrameReader::default();
    bytes
        .iter()
        .filter_map(|&b| reader.push(b))
        .map(|frame| frame.expect("the device sends good frames"))
        .collect()
}

/// One request; its reply's payload.
fn ask(device: &mut Device, kind: u8, payload: Vec<u8>) -> Vec<u8> {
    let sequence = (payload.len() * 7) as u8;
    let request = Frame {
        kind,
        sequence,
        payload,
    };
    let sent = replies(&device.receive(&request.to_wire()));
    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0].kind, sent[0].sequence), (kind | REPLY, sequence));
    sent[0].payload.clone()
}

fn ask_for(device: &mut Device, request: Request) -> Vec<u8> {
    ask(device, request.kind(), request.payload())
}

fn load(device: &mut Device, image: &MemoryImage) {
    let geometry = image.geometry.to_bytes();
    assert_eq!(ask_for(device, Request::Geometry(&geometry)), [0]);
    for bank in 0..image.core.banks {
        let all = usize::from(image.geometry.rows_used);
        let most = rows_per_frame(&image.core);
        for row in (0..all).step_by(most) {
            let rows = image.weight_bytes(bank.into(), row, most.min(all - row));
            let row = row as u16;
            assert_eq!(
                ask_for(device, Request::Weights { bank, row, rows }),
                [status::OK]
            );
        }
    }
    let lanes = usize::from(image.core.lanes);
    for (slot, margins) in image.margins.chunks(lanes).enumerate() {
        let margins: Vec<u8> = margins.iter().flat_map(|m| m.to_le_bytes()).collect();
        let request = Request::Margins {
            slot: slot as u8,
            octet: 0,
            margins: &margins,
        };
        assert_eq!(ask_for(device, request), [status::OK]);
    }
}

fn armed() -> Device {
    let mut device = Device::new(CONFIG);
    load(&mut device, &image());
    let crc = image().checksum();
    assert_eq!(
        ask_for(&mut device, Request::Arm(crc)),
        reply::arm(status::OK, crc)
    );
    device
}

fn infer(device: &mut Device, image: u8, train: &SpikeTrain) -> Vec<u8> {
    let mut last = Vec::new();
    for payload in chunks(image, &encode_spikes(&train.events())) {
        last = ask(device, kind::SPIKES, payload);
    }
    last
}

fn info(device: &mut Device) -> InfoPayload {
    let payload = ask_for(device, Request::Info);
    assert_eq!(payload[0], status::OK);
    InfoPayload::parse(&payload[1..]).unwrap()
}

#[test]
fn a_loaded_device_answers_as_the_golden_reference() {
    for seed in 0..3 {
        let mut device = Device::with_junk(CONFIG, seed);
        assert!(!info(&mut device).armed);
        load(&mut device, &image());
        let crc = image().checksum();
        ask_for(&mut device, Request::Arm(crc));
        let found = info(&mut device);
        assert_eq!((found.armed, found.memory_crc), (true, crc));
        for seed in 0..40 {
            let answer = infer(&mut device, seed as u8, &train(seed));
            let found = reply::parse_answer(&answer).unwrap();
            let expected = crate::golden::run(&network(), &train(seed)).unwrap();
            assert_eq!(found.decision, expected.decision);
        }
    }
}

#[test]
fn nothing_is_inferred_before_arm() {
    let mut device = Device::new(CONFIG);
    assert_eq!(infer(&mut device, 0, &train(0)), [status::NOT_ARMED]);
    let arm = Request::Arm(0);
    assert_eq!(
        ask_for(&mut device, arm),
        reply::arm(status::MEMORY_CHECK, 0)
    );
    load(&mut device, &image());
    assert_eq!(infer(&mut device, 0, &train(0)), [status::NOT_ARMED]);
}

#[test]
fn one_wrong_bit_is_not_armed() {
    let mut device = armed();
    device.flip_weight_bit(1, 30, 5);
    let crc = image().checksum();
    let answer = ask_for(&mut device, Request::Arm(crc));
    assert_eq!(answer[0], status::MEMORY_CHECK);
    let found = reply::parse_arm(&answer).unwrap();
    assert_ne!(found, crc);
    assert_eq!(info(&mut device).memory_crc, found);
    assert_eq!(infer(&mut device, 0, &train(0)), [status::NOT_ARMED]);
    device.flip_weight_bit(1, 30, 5);
    assert_eq!(ask_for(&mut device, Request::Arm(crc))[0], status::OK);
}

#[test]
fn each_write_disarms_even_a_refused_one() {
    for (kind, payload, status) in [
        (
            kind::GEOMETRY,
            image().geometry.to_bytes().to_vec(),
            status::OK,
        ),
        (kind::WEIGHTS, vec![0, 0, 0, 1], status::OK),
        (kind::MARGINS, vec![0, 0, 1, 1], status::OK),
        (kind::WEIGHTS, vec![0], status::BAD_LENGTH),
        (kind::MARGINS, vec![8, 0, 1, 1], status::OUT_OF_RANGE),
    ] {
        let mut device = armed();
        assert_eq!(ask(&mut device, kind, payload), [status]);
        assert!(!info(&mut device).armed);
    }
}

#[test]
fn a_geometry_that_does_not_hang_together_is_refused() {
    let good = image().geometry.to_bytes();
    let mut device = Device::new(CONFIG);
    let mut refused = 0;
    for at in 0..good.len() {
        for value in [0, 1, 3, 5, 33, 255] {
            let mut bytes = good;
            bytes[at] = value;
            let answer = ask(&mut device, kind::GEOMETRY, bytes.to_vec());
            // 40-20-5 on 8 lanes and 2 banks: what else may stand there.
            let still_fits = bytes == good
                || at == 1 // the last step
                || (at == 2 && value == 39)
                || (at == 4 && (1..=8).contains(&value));
            assert_eq!(
                answer,
                [if still_fits { 0 } else { status::OUT_OF_RANGE }],
                "{at} {value}"
            );
            refused += u32::from(!still_fits);
        }
    }
    assert!(refused > 100);
    assert_eq!(
        ask_for(&mut device, Request::Arm(0))[0],
        status::MEMORY_CHECK
    );
}

/// The junk of a lane without a neuron must not lead beyond the next layer's weights.
#[test]
fn a_lane_without_a_neuron_that_could_fire_is_not_armed() {
    let mut image = image();
    let lanes = usize::from(image.core.lanes);
    image.margins[2 * lanes + 7] = 5; // 20 neurons: lanes 4 to 7 of fold 2 have none.
    let mut device = Device::new(CONFIG);
    load(&mut device, &image);
    let crc = image.checksum();
    assert_eq!(
        ask_for(&mut device, Request::Arm(crc)),
        [status::OUT_OF_RANGE]
    );
    assert!(!info(&mut device).armed);
}

#[test]
fn chunks_must_follow_each_other() {
    let mut device = armed();
    let codes = encode_spikes(&train(1).events());
    let whole = infer(&mut device, 9, &train(1));
    let (a, b) = codes.split_at(10);
    let chunk = |image: u8, number: u8, codes: &[u8]| [&[image, number], codes].concat();
    let mut spikes = |payload| ask(&mut device, kind::SPIKES, payload);
    let answers_as_whole = |answer: Vec<u8>| {
        let [answer, whole] = [&answer, &whole].map(|a| reply::parse_answer(a).unwrap());
        assert_eq!(
            (answer.decision, answer.cycles),
            (whole.decision, whole.cycles)
        );
    };
    let out_of_order = vec![status::OUT_OF_ORDER];

    assert_eq!(spikes(chunk(1, 0, a)), [status::OK]);
    answers_as_whole(spikes(chunk(1, 0x81, b)));
    // Nothing is under way after the last chunk.
    assert_eq!(spikes(chunk(1, 0x82, &[])), out_of_order);
    // Another image, a number left out, a number twice: the image is dropped.
    for wrong in [chunk(2, 0x81, b), chunk(1, 0x82, b), chunk(1, 1, b)] {
        assert_eq!(spikes(chunk(1, 0, a)), [status::OK]);
        if wrong[1] == 1 {
            assert_eq!(spikes(wrong.clone()), [status::OK]);
        }
        assert_eq!(spikes(wrong), out_of_order);
        assert_eq!(spikes(chunk(1, 0x81, b)), out_of_order);
    }
    // Chunk 0 begins anew, whatever came before.
    assert_eq!(spikes(chunk(1, 0, a)), [status::OK]);
    assert_eq!(spikes(chunk(1, 0, a)), [status::OK]);
    answers_as_whole(spikes(chunk(1, 0x81, b)));
}

#[test]
fn wrong_spikes_are_refused() {
    let mut device = armed();
    let mut spikes = |codes: &[u8]| ask(&mut device, kind::SPIKES, [&[0, 0x80], codes].concat());
    assert_eq!(spikes(&[0xC0, 40]), [status::BAD_SPIKE]);
    assert!(reply::parse_answer(&spikes(&[0xC0, 39])).is_some());
    assert_eq!(spikes(&[0xC8]), [status::BAD_SPIKE]);
    assert!(reply::parse_answer(&spikes(&[0xC7])).is_some());
    assert_eq!(spikes(&[0]), [status::BAD_SPIKE]);
    // 20 inputs in bank 0, each at two steps: more than the 32 rows of its queue.
    let mut step = vec![0xC0, 0];
    step.extend([1; 19]);
    assert_eq!(spikes(&[step.clone(), step].concat()), [status::BAD_SPIKE]);
}

/// The software core waits while the line carries something, and computes while it does not: so its
/// clock is all that it was busy and all that it waited.
#[test]
fn the_core_waits_for_what_the_line_carries() {
    let mut device = armed();
    infer(&mut device, 0, &train(0));
    let counted = |device: &mut Device| {
        let answer = ask_for(device, Request::Status);
        reply::parse_counters(&answer).unwrap()
    };
    let (before, mut waited) = (counted(&mut device), 0);
    for number in 1..40 {
        let answer = infer(&mut device, number as u8, &train(number));
        waited += reply::parse_answer(&answer).unwrap().idle;
    }
    let after = counted(&mut device);
    // A request of STATUS is on the line before the first image, another after the last.
    assert_eq!(
        after.clock - before.clock,
        after.busy - before.busy + waited
    );
    assert!(waited > 39 * 5 * 80, "5 bytes an image, 80 clocks each");
}

#[test]
fn no_spikes_at_all_is_a_silent_answer() {
    let mut device = armed();
    let answer = infer(&mut device, 0, &SpikeTrain::silent(40));
    let found = reply::parse_answer(&answer).unwrap();
    assert!(found.decision.silent);
    assert_eq!(found.decision.step, 7);
}

#[test]
fn the_watchdog_drops_half_a_frame() {
    let mut device = armed();
    let wire = Frame {
        kind: kind::INFO,
        sequence: 5,
        payload: vec![],
    }
    .to_wire();
    let (head, tail) = wire.split_at(3);
    assert!(device.receive(head).is_empty());
    assert!(device.tick(65_535).is_empty());
    // A byte in time keeps the frame.
    assert_eq!(replies(&device.receive(tail)).len(), 1);
    assert!(device.receive(head).is_empty());
    assert!(device.tick(65_000).is_empty());
    let nak = replies(&device.tick(536));
    assert_eq!(
        (nak[0].kind, nak[0].sequence, nak[0].payload.as_slice()),
        (kind::NAK, 0, &[status::TIMEOUT][..])
    );
    // Silence between frames is no fault, and the next byte begins a new frame.
    assert!(device.tick(1_000_000).is_empty());
    assert_eq!(replies(&device.receive(&wire)).len(), 1);
}

#[test]
fn a_broken_frame_is_nakked_and_counted() {
    let mut device = armed();
    let sent = replies(&device.receive(&[5, 1, 1, 1, 1, 0]));
    assert_eq!(
        (sent[0].kind, sent[0].payload.as_slice()),
        (kind::NAK, &[status::BAD_FRAME][..])
    );
    let before = reply::parse_counters(&ask_for(&mut device, Request::Status)).unwrap();
    assert_eq!(before.bad_frames, 1);
    infer(&mut device, 0, &train(0));
    device.tick(3_000);
    let after = reply::parse_counters(&ask_for(&mut device, Request::Status)).unwrap();
    assert!(after.busy > before.busy);
    assert!(after.clock - before.clock >= 24_000 + after.busy - before.busy);
}

proptest! {
    /// Whatever comes, the device neither panics nor sends anything but frames.
    #[test]
    fn byte_soup(
        frames in prop::collection::vec(
            (any::<u8>(), prop::collection::vec(any::<u8>(), 0..60), any::<bool>(), any::<bool>()), 0..40),
    ) {
        let kinds = [kind::GEOMETRY, kind::WEIGHTS, kind::MARGINS, kind::ARM, kind::SPIKES, kind::STATUS];
        let mut device = armed();
        for (choice, payload, broken, quiet) in frames {
            let kind = kinds.get(usize::from(choice) % 8).copied().unwrap_or(choice);
            let mut wire = Frame { kind, sequence: choice, payload }.to_wire();
            if broken {
                let at = usize::from(choice) % wire.len();
                wire[at] ^= choice | 1;
            }
            replies(&device.receive(&wire));
            if quiet {
                replies(&device.tick(70_000));
            }
        }
    }

    /// Spike code soup on a loaded device: an answer or a refusal, never a panic.
    #[test]
    fn spike_soup(codes in prop::collection::vec(any::<u8>(), 0..200), mild: bool) {
        let mut device = armed();
        let codes: Vec<u8> = codes.iter().map(|&c| if mild && c < 0xC0 { c % 4 } else if mild { 0xC0 } else { c }).collect();
        let answer = ask(&mut device, kind::SPIKES, [&[0, 0x80], codes.as_slice()].concat());
        prop_assert!(answer == [status::BAD_SPIKE] || reply::parse_answer(&answer).is_some());
    }
}
