//! Every request, every refusal, every order.

use crate::core::{Answer, Load, BAD_ADDRESS, BAD_CODE};
use crate::geometry;
use crate::host::{frame, nak, reply, Bench};
use crate::setup::{LARGE, ODD, SHORT};
use firmware_model::protocol::kind::*;
use firmware_model::protocol::reply::parse_counters;
use firmware_model::protocol::status::*;
use firmware_model::protocol::{Frame, LAST_CHUNK, MAX_PAYLOAD};

const LAST: u8 = LAST_CHUNK;

fn spikes(sequence: u8, image: u8, chunk: u8, codes: &[u8]) -> Frame {
    frame(SPIKES, sequence, &[&[image, chunk], codes].concat())
}

#[test]
fn info_of_every_setup() {
    for setup in [SHORT, LARGE, ODD] {
        let mut bench = Bench::new(setup);
        let expected = bench.info(false, 0);
        bench.ask(frame(INFO, 0, &[]), &expected);
        bench.arm();
        let expected = bench.info(true, 0);
        bench.ask(frame(INFO, 255, &[]), &expected);
        let mut bench = Bench::armed(setup);
        let expected = bench.info(true, bench.core.crc);
        bench.ask(frame(INFO, 3, &[]), &expected);
    }
}

#[test]
fn an_unknown_kind_is_named() {
    let mut bench = Bench::new(SHORT);
    for kind in
        (0..=255).filter(|k| ![INFO, GEOMETRY, WEIGHTS, MARGINS, ARM, SPIKES, STATUS].contains(k))
    {
        bench.send(&frame(kind, kind, &[kind; 5]).to_wire());
        bench.wait_frames(1, 5000);
        let expected = reply(&frame(kind, kind, &[]), &[UNKNOWN_KIND]).to_wire();
        assert_eq!(bench.received(), expected, "kind {kind:#x}");
    }
}

/// Every length of every kind is taken or refused as the requests' own module says.
#[test]
fn lengths_are_checked() {
    use firmware_model::protocol::Request;
    for setup in [SHORT, LARGE, ODD] {
        for kind in [INFO, GEOMETRY, WEIGHTS, MARGINS, ARM, SPIKES, STATUS] {
            let mut bench = Bench::new(setup);
            bench.core.verify_clocks = 5;
            for length in 0..=MAX_PAYLOAD {
                // Lanes, slots and rows that exist, as far as there are so many.
                let request = frame(kind, length as u8, &vec![0; length]);
                let refused = Request::parse(&request, &setup.core) == Err(BAD_LENGTH);
                bench.send(&request.to_wire());
                bench.wait_frames(1, 30_000);
                let found = bench.received_frames();
                assert_eq!(
                    found[0].payload[0] == BAD_LENGTH,
                    refused,
                    "{kind:#x}, {length} bytes"
                );
            }
        }
    }
}

#[test]
fn geometry_reaches_the_core_when_it_can_hold_it() {
    for setup in [SHORT, LARGE, ODD] {
        let mut bench = Bench::armed(setup);
        let good = geometry(&setup.core);
        bench.core.geometry.clear();
        bench.ask(frame(GEOMETRY, 9, &good), &[OK]);
        assert_eq!(bench.core.geometry, good);
        assert_eq!(bench.outputs.armed, 0);

        let word = |at: usize| u16::from_le_bytes([good[at], good[at + 1]]);
        let mut refused = vec![
            (0, vec![0]),
            (0, vec![5]),
            (0, vec![255]),
            (2, vec![0, 0]),
            (4, vec![0, 0]),
        ];
        refused.push((2, (word(2) + 1).to_le_bytes().to_vec()));
        refused.push((2, (word(2) | 0x8000).to_le_bytes().to_vec()));
        if word(6) < 65_535 {
            refused.push((6, (word(6) + 1).to_le_bytes().to_vec()));
            refused.push((6, vec![0, good[7] + 1]));
        }
        refused.push((8, vec![good[8] + 1]));
        for (at, bytes) in refused {
            let mut bad = good;
            bad[at..at + bytes.len()].copy_from_slice(&bytes);
            bench.core.geometry.clear();
            bench.ask(frame(GEOMETRY, 9, &good), &[OK]);
            bench.arm();
            bench.core.geometry.clear();
            bench.ask(frame(GEOMETRY, 10, &bad), &[OUT_OF_RANGE]);
            assert_eq!(bench.core.geometry, [], "{bytes:?} at {at}");
            assert_eq!(bench.outputs.armed, 0);
            // There is no geometry now: even the right CRC-32 does not arm, and nothing is verified.
            let verifies = bench.core.verifies;
            let crc = bench.core.crc.to_le_bytes();
            bench.ask(
                frame(ARM, 11, &crc),
                &[&[MEMORY_CHECK], crc.as_slice()].concat(),
            );
            assert_eq!((bench.outputs.armed, bench.core.verifies), (0, verifies));
        }
        // Smaller sizes of any two bytes are taken.
        for (at, bytes) in [
            (0, vec![1]),
            (1, vec![0]),
            (2, vec![1, 0]),
            (2, vec![255, 0]),
            (4, vec![0, 255]),
        ] {
            let mut other = good;
            other[at..at + bytes.len()].copy_from_slice(&bytes);
            bench.core.geometry.clear();
            bench.ask(frame(GEOMETRY, 9, &other), &[OK]);
            assert_eq!(bench.core.geometry, other);
        }
    }
}

#[test]
fn weights_and_margins_reach_the_core() {
    for setup in [SHORT, LARGE, ODD] {
        let mut bench = Bench::new(setup);
        let row = setup.core.row_bytes();
        for rows in [1, 3, (MAX_PAYLOAD - 3) / row] {
            let bytes: Vec<u8> = (0..rows * row).map(|at| (at * 7) as u8 & 0xF3).collect();
            let place = [1, 0xFE, 0x00];
            bench.ask(
                frame(WEIGHTS, 5, &[&place, bytes.as_slice()].concat()),
                &[OK],
            );
            let expected = Load {
                margins: false,
                address: 0x00FE,
                select: 1,
                bytes,
            };
            assert_eq!(bench.core.loads.pop(), Some(expected));
        }
        for margins in [1, 8, (MAX_PAYLOAD - 2) / 2] {
            let bytes: Vec<u8> = (0..margins * 2).map(|at| (at * 11) as u8).collect();
            bench.ask(
                frame(MARGINS, 6, &[&[0x21, 0x43], bytes.as_slice()].concat()),
                &[OK],
            );
            let expected = Load {
                margins: true,
                address: 0x0021,
                select: 0x43,
                bytes,
            };
            assert_eq!(bench.core.loads.pop(), Some(expected));
        }
        // The core says what is out of range; the next load is good again.
        let [low, high] = BAD_ADDRESS.to_le_bytes();
        let bytes = vec![0; row];
        bench.ask(
            frame(WEIGHTS, 7, &[&[0, low, high], bytes.as_slice()].concat()),
            &[OUT_OF_RANGE],
        );
        bench.ask(
            frame(WEIGHTS, 8, &[&[0, 1, 0], bytes.as_slice()].concat()),
            &[OK],
        );
        assert_eq!(bench.core.loads.len(), 2);
        assert_eq!(bench.core.loads[0].address, BAD_ADDRESS);
    }
}

#[test]
fn arm_compares_all_bytes() {
    let mut bench = Bench::armed(SHORT);
    let crc = bench.core.crc;
    for flip in 0..32 {
        let sent = crc ^ 1 << flip;
        let expected = [&[MEMORY_CHECK], crc.to_le_bytes().as_slice()].concat();
        bench.ask(frame(ARM, flip, &sent.to_le_bytes()), &expected);
        assert_eq!(bench.outputs.armed, 0);
    }
    bench.core.crc = 0;
    bench.core.verify_clocks = 5000;
    bench.arm();
    let expected = bench.info(true, 0);
    bench.ask(frame(INFO, 1, &[]), &expected);
    // A wrong length changes nothing, a wrong CRC-32 disarms.
    bench.ask(frame(ARM, 1, &[0; 3]), &[BAD_LENGTH]);
    assert_eq!(bench.outputs.armed, 1);
    bench.ask(frame(ARM, 1, &[9; 4]), &[MEMORY_CHECK, 0, 0, 0, 0]);
    assert_eq!(bench.outputs.armed, 0);
}

#[test]
fn what_changes_memories_disarms_even_when_refused() {
    for (request, status) in [
        (frame(GEOMETRY, 1, &[0; 33]), OUT_OF_RANGE),
        (frame(GEOMETRY, 1, &[0; 3]), BAD_LENGTH),
        (frame(WEIGHTS, 1, &[0, 0, 0, 1, 2]), OK),
        (frame(WEIGHTS, 1, &[0, 0, 0, 1]), BAD_LENGTH),
        (frame(WEIGHTS, 1, &[0, 0, 9, 1, 2]), OUT_OF_RANGE),
        (frame(MARGINS, 1, &[0, 0, 1, 2]), OK),
        (frame(MARGINS, 1, &[0]), BAD_LENGTH),
    ] {
        let mut bench = Bench::armed(SHORT);
        bench.ask(spikes(3, 1, 0, &[1, 2]), &[OK]);
        bench.ask(request, &[status]);
        assert_eq!(bench.outputs.armed, 0);
        bench.ask(spikes(4, 1, 1, &[1, 2]), &[NOT_ARMED]);
        if status == OUT_OF_RANGE || status == BAD_LENGTH {
            bench.arm();
        } else {
            bench.ask(frame(ARM, 2, &bench.core.crc.to_le_bytes()), &{
                [&[OK], bench.core.crc.to_le_bytes().as_slice()].concat()
            });
        }
        // The image that was under way is gone.
        bench.ask(spikes(5, 1, 1, &[1, 2]), &[OUT_OF_ORDER]);
    }
    let mut bench = Bench::armed(SHORT);
    bench.ask(frame(INFO, 1, &[1]), &[BAD_LENGTH]);
    bench.ask(frame(0x55, 1, &[1]), &[UNKNOWN_KIND]);
    assert_eq!(bench.outputs.armed, 1);
}

#[test]
fn images_become_results() {
    for setup in [SHORT, LARGE, ODD] {
        let mut bench = Bench::armed(setup);
        let codes: Vec<u8> = (0..=255u8).filter(|&c| c != BAD_CODE).collect();
        // An empty image, a short one, the longest chunk, three chunks, and an empty one among them.
        let images: [&[&[u8]]; 5] = [
            &[&[]],
            &[&[0]],
            &[&codes[..MAX_PAYLOAD - 2]],
            &[&codes[5..200], &[], &codes[..3]],
            &[&codes[5..200], &codes[..3], &[]],
        ];
        for (number, chunks) in images.iter().enumerate() {
            let image = number as u8;
            for (chunk, codes) in chunks.iter().enumerate() {
                let request = match chunk + 1 == chunks.len() {
                    true => spikes(image, image, chunk as u8 | LAST, codes),
                    false => spikes(image, image, chunk as u8, codes),
                };
                let whole = chunks.concat();
                match chunk + 1 == chunks.len() {
                    true => bench.ask(request, &Answer::of(&whole).payload()),
                    false => bench.ask(request, &[OK]),
                }
            }
            assert_eq!(bench.core.images.last(), Some(&chunks.concat()));
        }
        assert_eq!(bench.core.images.len(), images.len());
    }
}

#[test]
fn chunks_must_follow() {
    let mut bench = Bench::armed(SHORT);
    // Nothing begun.
    bench.ask(spikes(1, 1, 1, &[1]), &[OUT_OF_ORDER]);
    bench.ask(spikes(1, 1, 1 | LAST, &[1]), &[OUT_OF_ORDER]);
    for wrong in [
        (1, 2),
        (1, 2 | LAST),
        (2, 1),
        (0, 1 | LAST),
        (1, 127),
        (0x81, 1),
    ] {
        bench.ask(spikes(2, 1, 0, &[1]), &[OK]);
        bench.ask(spikes(3, wrong.0, wrong.1, &[2]), &[OUT_OF_ORDER]);
        // The image is dropped: what would have followed does not.
        bench.ask(spikes(4, 1, 1 | LAST, &[2]), &[OUT_OF_ORDER]);
    }
    // A chunk twice.
    bench.ask(spikes(2, 1, 0, &[1]), &[OK]);
    bench.ask(spikes(3, 1, 1, &[2]), &[OK]);
    bench.ask(spikes(3, 1, 1, &[2]), &[OUT_OF_ORDER]);
    // After the last chunk.
    bench.ask(spikes(5, 7, LAST, &[9]), &Answer::of(&[9]).payload());
    bench.ask(spikes(6, 7, 1 | LAST, &[9]), &[OUT_OF_ORDER]);
    // After a chunk of a wrong length.
    bench.ask(spikes(2, 1, 0, &[1]), &[OK]);
    bench.ask(frame(SPIKES, 3, &[1]), &[BAD_LENGTH]);
    bench.ask(spikes(4, 1, 1 | LAST, &[2]), &[OUT_OF_ORDER]);
    // Chunk 0 begins anew, whatever came before; other requests between chunks do no harm.
    bench.ask(spikes(2, 1, 0, &[1]), &[OK]);
    bench.ask(spikes(3, 1, 0, &[5]), &[OK]);
    let expected = bench.info(true, bench.core.crc);
    bench.ask(frame(INFO, 4, &[]), &expected);
    bench.ask(spikes(5, 1, 1 | LAST, &[6]), &Answer::of(&[5, 6]).payload());
    assert_eq!(bench.core.images, [vec![9], vec![5, 6]]);
}

#[test]
fn after_chunk_127_comes_1() {
    let mut bench = Bench::armed(SHORT);
    let mut whole = vec![];
    let numbers = (0..=127).chain(1..=127).chain(1..=3u8);
    let count = numbers.clone().count();
    for (at, number) in numbers.enumerate() {
        let code = (at % 100) as u8;
        whole.push(code);
        match at + 1 == count {
            true => bench.ask(
                spikes(1, 1, number | LAST, &[code]),
                &Answer::of(&whole).payload(),
            ),
            false => bench.ask(spikes(1, 1, number, &[code]), &[OK]),
        }
    }
}

#[test]
fn a_bad_spike_drops_its_image() {
    let mut bench = Bench::armed(SHORT);
    for chunk in [0, LAST] {
        bench.ask(spikes(1, 1, chunk, &[1, 2, BAD_CODE]), &[BAD_SPIKE]);
        bench.ask(spikes(2, 1, 1 | LAST, &[1]), &[OUT_OF_ORDER]);
    }
    bench.ask(spikes(1, 2, 0, &[1]), &[OK]);
    bench.ask(spikes(1, 2, 1 | LAST, &[BAD_CODE, 3]), &[BAD_SPIKE]);
    bench.ask(spikes(1, 2, LAST, &[4]), &Answer::of(&[4]).payload());
    assert_eq!(bench.core.images, [vec![4]]);
}

#[test]
fn nothing_is_inferred_unarmed() {
    let mut bench = Bench::new(SHORT);
    bench.ask(spikes(1, 1, 0, &[1]), &[NOT_ARMED]);
    bench.ask(spikes(1, 1, LAST, &[1]), &[NOT_ARMED]);
    bench.ask(frame(SPIKES, 1, &[1]), &[BAD_LENGTH]);
    assert_eq!(bench.core.images, [] as [Vec<u8>; 0]);
}

/// Requests that are sent without waiting for replies, answered in order: results before what was
/// asked after them.
#[test]
fn replies_come_in_order() {
    let mut bench = Bench::armed(LARGE);
    for infer_clocks in [10, 500, 5_000, 60_000] {
        bench.core.infer_clocks = infer_clocks;
        let info = bench.info(true, bench.core.crc);
        let requests = [
            (spikes(10, 1, LAST, &[1]), Answer::of(&[1]).payload()),
            (spikes(11, 2, LAST, &[2]), Answer::of(&[2]).payload()),
            (spikes(12, 3, LAST, &[3]), Answer::of(&[3]).payload()),
            (frame(INFO, 13, &[]), info),
            (spikes(14, 4, 0, &[4]), vec![OK]),
            (spikes(15, 4, 1 | LAST, &[5]), Answer::of(&[4, 5]).payload()),
            (frame(0x66, 16, &[]), vec![UNKNOWN_KIND]),
            (spikes(17, 5, LAST, &[6]), Answer::of(&[6]).payload()),
        ];
        let mut expected = vec![];
        for (request, payload) in &requests {
            bench.send(&request.to_wire());
            expected.push(reply(request, payload));
        }
        bench.expect(&expected);
    }
}

/// The chunks of the next image reach the core while it computes; what is said of them waits for the result.
#[test]
fn chunks_overlap_with_inference() {
    for setup in [SHORT, LARGE] {
        let mut bench = Bench::armed(setup);
        bench.core.infer_clocks = 50_000;
        // As many requests as the smaller of the two has credits.
        bench.send(&spikes(1, 1, LAST, &[1]).to_wire());
        bench.send(&spikes(2, 2, LAST, &[2]).to_wire());
        bench.run(20_000);
        assert_eq!(bench.core.images, [vec![1], vec![2]]);
        assert_eq!(bench.received(), []);
        bench.expect(&[
            frame(SPIKES | 0x80, 1, &Answer::of(&[1]).payload()),
            frame(SPIKES | 0x80, 2, &Answer::of(&[2]).payload()),
        ]);
    }
    let mut bench = Bench::armed(LARGE);
    bench.core.infer_clocks = 50_000;
    bench.send(&spikes(1, 1, LAST, &[1]).to_wire());
    bench.send(&spikes(2, 2, 0, &[2]).to_wire());
    bench.send(&spikes(3, 2, 1, &[]).to_wire());
    bench.send(&spikes(4, 2, 2 | LAST, &[3]).to_wire());
    bench.run(20_000);
    assert_eq!(bench.core.images, [vec![1], vec![2, 3]]);
    assert_eq!(bench.received(), []);
    bench.expect(&[
        frame(SPIKES | 0x80, 1, &Answer::of(&[1]).payload()),
        frame(SPIKES | 0x80, 2, &[OK]),
        frame(SPIKES | 0x80, 3, &[OK]),
        frame(SPIKES | 0x80, 4, &Answer::of(&[2, 3]).payload()),
    ]);
}

/// Whatever is wrong with a chunk is said in its turn, while the core computes and when it does not.
#[test]
fn refusals_wait_for_results() {
    for setup in [SHORT, LARGE, ODD] {
        for infer_clocks in [1, 3_000, 40_000] {
            let refused: [(Frame, u8); 4] = [
                (spikes(2, 2, LAST, &[BAD_CODE]), BAD_SPIKE),
                (spikes(2, 2, 0, &[1, BAD_CODE, 1]), BAD_SPIKE),
                (spikes(2, 1, 1, &[1]), OUT_OF_ORDER),
                (frame(SPIKES, 2, &[7]), BAD_LENGTH),
            ];
            for (request, status) in refused {
                let mut bench = Bench::armed(setup);
                bench.core.infer_clocks = infer_clocks;
                let requests = [spikes(1, 1, LAST, &[1]), request, spikes(3, 3, LAST, &[5])];
                let payloads = [
                    Answer::of(&[1]).payload(),
                    vec![status],
                    Answer::of(&[5]).payload(),
                ];
                let replies: Vec<Frame> = (requests.iter().zip(&payloads))
                    .map(|(request, payload)| reply(request, payload))
                    .collect();
                // Not more than the credits of any device at a time.
                bench.send(&requests[0].to_wire());
                bench.send(&requests[1].to_wire());
                bench.wait_frames(1, infer_clocks + 20_000);
                bench.send(&requests[2].to_wire());
                bench.expect(&replies);
            }
        }
    }
}

/// Four replies wait at most, whatever the core would take: the next frame waits in its slot.
#[test]
fn no_more_than_four_replies_are_pending() {
    let mut bench = Bench::armed(LARGE);
    bench.core.infer_clocks = 100_000;
    bench.core.set_buffers(8);
    let images: Vec<u8> = (0..6).collect();
    for &image in &images {
        bench.send(&spikes(image, image, LAST, &[image]).to_wire());
    }
    bench.run(50_000);
    assert_eq!(bench.core.images.len(), 4);
    let expected: Vec<Frame> = (images.iter())
        .map(|&image| frame(SPIKES | 0x80, image, &Answer::of(&[image]).payload()))
        .collect();
    bench.expect(&expected);
}

#[test]
fn status_counts() {
    let mut bench = Bench::armed(SHORT);
    bench.ask(spikes(1, 1, LAST, &[1]), &Answer::of(&[1]).payload());
    for _ in 0..3 {
        bench.send(&[2, 7, 0]);
        bench.expect(&[nak(BAD_FRAME)]);
    }
    let mut last = 0;
    for _ in 0..3 {
        let sent = bench.now;
        bench.send(&frame(STATUS, 8, &[]).to_wire());
        bench.wait_frames(1, 5_000);
        let came = bench.now;
        let found = &bench.received_frames()[0];
        assert_eq!((found.kind, found.sequence), (STATUS | 0x80, 8));
        let counters = parse_counters(&found.payload).expect("a STATUS reply");
        assert!((sent..came).contains(&u64::from(counters.clock)));
        assert!(counters.clock > last);
        last = counters.clock;
        assert_eq!(counters.busy, bench.core.busy_clocks);
        assert!(counters.busy >= 299);
        assert_eq!((counters.bad_frames, counters.overruns), (3, 0));
    }
}

#[test]
fn the_lamps_tell() {
    let mut bench = Bench::armed(SHORT);
    bench.run(1000);
    assert_eq!((bench.outputs.armed, bench.outputs.activity), (1, 0));
    bench.send(&frame(INFO, 8, &[]).to_wire());
    let mut clocks = 0;
    while bench.received_count() == 0 || bench.outputs.activity == 1 {
        bench.clock();
        clocks += usize::from(bench.outputs.activity);
    }
    assert!(clocks > 500);
}
