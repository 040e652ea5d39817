//! What goes wrong on the wire, and what comes of it.

use crate::core::Answer;
use crate::host::{frame, nak, reply, Bench};
use crate::setup::{LARGE, ODD, SHORT};
use firmware_model::protocol::kind::*;
use firmware_model::protocol::reply::parse_counters;
use firmware_model::protocol::status::*;
use firmware_model::protocol::{Frame, LAST_CHUNK, MAX_PAYLOAD, WATCHDOG_BITS};

fn image(sequence: u8, codes: &[u8]) -> Frame {
    frame(SPIKES, sequence, &[&[sequence, LAST_CHUNK], codes].concat())
}

/// INFO is answered, and as the first thing.
fn lives(bench: &mut Bench) {
    let info = bench.info(bench.outputs.armed == 1, bench.core.crc);
    bench.ask(frame(INFO, 77, &[]), &info);
}

#[test]
fn frames_of_every_length_and_content() {
    for setup in [SHORT, LARGE, ODD] {
        let mut bench = Bench::armed(setup);
        bench.core.infer_clocks = 1;
        for length in 0..=MAX_PAYLOAD - 2 {
            let contents: [Vec<u8>; 4] = [
                vec![0; length],
                vec![0xFF; length],
                (0..length).map(|at| (at * at / 3) as u8 & 0x7F).collect(),
                // One zero, at a place that wanders through the frame.
                (0..length)
                    .map(|at| u8::from(at != length * 2 / 3))
                    .collect(),
            ];
            for codes in contents {
                let request = image(length as u8, &codes);
                bench.send(&request.to_wire());
                bench.wait_frames(1, 30_000);
                let expected = reply(&request, &Answer::of(&codes).payload()).to_wire();
                assert_eq!(bench.received(), expected, "{codes:?}");
                assert_eq!(bench.core.images.pop(), Some(codes));
            }
        }
    }
}

/// Both ways of ending a frame with a block of 254 bytes are the same frame.
#[test]
fn a_last_long_block_with_or_without_its_empty_successor() {
    let mut bench = Bench::new(SHORT);
    // Of the 254 bytes the check is not zero either, for this filling.
    let request = (1..=255)
        .map(|fill| frame(0x55, 9, &[fill; 250]))
        .find(|request| !request.to_wire()[..255].contains(&0))
        .expect("a frame without zeros");
    let mut wire = request.to_wire();
    assert_eq!(wire[0], 0xFF);
    wire.truncate(255);
    let expected = reply(&request, &[UNKNOWN_KIND]);
    for end in [&[0][..], &[1, 0]] {
        bench.send(&wire);
        bench.send(end);
        bench.expect(std::slice::from_ref(&expected));
    }
}

#[test]
fn frames_too_long_or_too_short_are_bad() {
    let mut bench = Bench::new(SHORT);
    for decoded in [0, 1, 2, 3, 257, 258, 300, 600] {
        let mut wire = cobs::encode_vec(&vec![7; decoded]);
        if wire.is_empty() {
            wire.push(1);
        }
        wire.push(0);
        bench.send(&wire);
        bench.expect(&[nak(BAD_FRAME)]);
    }
    // The same with checks that are right.
    let with_check = |body: &[u8]| {
        let check = crc::Crc::<u16>::new(&crc::CRC_16_GENIBUS).checksum(body);
        let mut wire = cobs::encode_vec(&[body, &check.to_be_bytes()].concat());
        wire.push(0);
        wire
    };
    for length in [0, 1, 255, 256, 510, 511, 512] {
        bench.send(&with_check(&vec![INFO; length]));
        bench.expect(&[nak(BAD_FRAME)]);
    }
    lives(&mut bench);
}

#[test]
fn a_cut_block_is_bad() {
    let mut bench = Bench::new(SHORT);
    let mut wire = frame(INFO, 1, &[]).to_wire();
    // The code says one byte more than there is.
    wire[0] += 1;
    bench.send(&wire);
    bench.expect(&[nak(BAD_FRAME)]);
    lives(&mut bench);
}

#[test]
fn zeros_mean_nothing() {
    let mut bench = Bench::new(SHORT);
    bench.send(&[0; 50]);
    bench.expect(&[]);
    lives(&mut bench);
}

/// Every single bit of a request flipped on the wire: never an action, always a NAK, and the next
/// request is answered.
#[test]
fn a_flipped_bit_is_a_nak() {
    let mut bench = Bench::armed(SHORT);
    let wire = image(5, &[1, 0, 2, 0xC0, 0, 0]).to_wire();
    for at in 0..wire.len() {
        for bit in 0..8 {
            let mut bad = wire.clone();
            bad[at] ^= 1 << bit;
            // The flip may have taken the closing zero: the host's next zero closes.
            bench.send(&bad);
            bench.send(&[0]);
            bench.settle();
            let found = bench.received_frames();
            assert!(
                !found.is_empty() && found.iter().all(|f| *f == nak(BAD_FRAME)),
                "{found:?}"
            );
            lives(&mut bench);
        }
    }
    assert_eq!(bench.core.images, [] as [Vec<u8>; 0]);
}

#[test]
fn a_byte_without_stop_bit_spoils_its_frame() {
    for broken in 0..7 {
        let mut bench = Bench::new(SHORT);
        let info = bench.info(false, 0);
        let wire = frame(INFO, 1, &[]).to_wire();
        for (at, &byte) in wire.iter().enumerate() {
            match at == broken {
                // The stop bit low, and then a time for the line to be high again.
                true => bench.send_bits((u16::from(byte) << 1) | 0x400, 11),
                false => bench.send(&[byte]),
            }
        }
        match broken < wire.len() {
            true => bench.expect(&[nak(BAD_FRAME)]),
            false => bench.expect(&[frame(INFO | 0x80, 1, &info)]),
        }
        lives(&mut bench);
    }
}

#[test]
fn a_break_is_a_zero() {
    let mut bench = Bench::new(SHORT);
    let long = f64::from(bench.setup.divisor) * 200.0;
    bench.level(false, long);
    bench.level(true, long);
    bench.expect(&[]);
    // In the middle of a frame it ends the frame, which is bad.
    bench.send(&[5, 1, 2]);
    bench.level(false, long);
    bench.level(true, long);
    bench.expect(&[nak(BAD_FRAME)]);
    lives(&mut bench);
}

#[test]
fn a_glitch_is_no_byte() {
    for setup in [SHORT, LARGE, ODD] {
        let mut bench = Bench::new(setup);
        for clocks in 1..=setup.divisor / 2 - 1 {
            bench.level(false, clocks.into());
            bench.level(true, 100.0);
        }
        bench.expect(&[]);
        lives(&mut bench);
    }
}

/// Two per cent between the clocks of host and device, and bits that are no whole number of clocks.
#[test]
fn clocks_may_differ() {
    for setup in [SHORT, LARGE, ODD] {
        for factor in [0.98, 0.99, 1.01, 1.02] {
            let mut bench = Bench::armed(setup);
            bench.host_bit *= factor;
            for codes in [vec![0; 100], vec![0xFF; 100], vec![0x55; 100]] {
                let request = image(codes[0], &codes);
                bench.ask(request, &Answer::of(&codes).payload());
            }
        }
    }
}

#[test]
fn the_watchdog_drops_a_frame() {
    let watchdog = u64::from(WATCHDOG_BITS);
    for setup in [SHORT, LARGE] {
        let mut bench = Bench::new(setup);
        let wire = frame(INFO, 1, &[]).to_wire();
        for cut in 1..wire.len() {
            bench.send(&wire[..cut]);
            bench.settle();
            let sent = bench.now;
            bench.wait_frames(1, bench.bits(watchdog + 100));
            assert_eq!(bench.received_frames(), [nak(TIMEOUT)]);
            // `settle` has waited for some of the time.
            assert!(bench.now - sent > bench.bits(watchdog) - 10_000);
            lives(&mut bench);
            if setup.divisor == LARGE.divisor {
                break;
            }
        }
        // Once, and never outside a frame.
        bench.run(bench.bits(2 * watchdog));
        bench.expect(&[]);
    }
}

#[test]
fn a_pause_of_less_than_the_watchdog_does_no_harm() {
    let mut bench = Bench::new(SHORT);
    let wire = frame(INFO, 9, &[]).to_wire();
    let (first, second) = wire.split_at(3);
    bench.send(first);
    bench.run(bench.bits(30));
    bench.run(bench.bits(u64::from(WATCHDOG_BITS) - 20));
    bench.send(second);
    let info = bench.info(false, 0);
    bench.expect(&[frame(INFO | 0x80, 9, &info)]);
}

/// While the executor waits, frames gather in the slots; one too many is an OVERRUN, and no other
/// is hurt.
#[test]
fn one_frame_too_many_is_an_overrun() {
    for setup in [SHORT, LARGE, ODD] {
        let mut bench = Bench::armed(setup);
        let slots = usize::from(setup.core.frame_slots);
        bench.core.blocked = true;
        bench.run(5);
        // The first waits for a buffer in its slot.
        let requests: Vec<Frame> = (0..slots as u8).map(|n| image(n, &[n])).collect();
        for request in &requests {
            bench.send(&request.to_wire());
        }
        bench.expect(&[]);
        for extra in 0..3 {
            bench.send(&frame(INFO, extra, &[]).to_wire());
            bench.expect(&[nak(OVERRUN)]);
        }
        // One that stops in its middle is a TIMEOUT all the same, and a bad one an OVERRUN.
        bench.send(&[9, 9, 9, 0]);
        bench.expect(&[nak(OVERRUN)]);
        bench.core.blocked = false;
        let expected: Vec<Frame> = (requests.iter())
            .map(|r| reply(r, &Answer::of(&r.payload[2..]).payload()))
            .collect();
        bench.expect(&expected);
        bench.send(&frame(STATUS, 1, &[]).to_wire());
        bench.settle();
        let found = parse_counters(&bench.received_frames()[0].payload).expect("a STATUS reply");
        assert_eq!((found.bad_frames, found.overruns), (0, 4));
        lives(&mut bench);
    }
}

/// A slot that becomes free in the middle of a frame is no slot for it.
#[test]
fn a_frame_that_began_without_a_slot_is_lost() {
    let mut bench = Bench::armed(SHORT);
    bench.core.blocked = true;
    bench.run(5);
    let requests = [image(1, &[1]), image(2, &[2])];
    for request in &requests {
        bench.send(&request.to_wire());
    }
    bench.settle();
    let long = image(3, &[9; 200]).to_wire();
    bench.send(&long[..20]);
    bench.settle();
    bench.core.blocked = false;
    bench.settle();
    bench.send(&long[20..]);
    bench.expect(&[
        reply(&requests[0], &Answer::of(&[1]).payload()),
        reply(&requests[1], &Answer::of(&[2]).payload()),
        nak(OVERRUN),
    ]);
    assert_eq!(bench.core.images.len(), 2);
}

/// NAKs go out while an inference is waited for, and while chunk 0 waits for a buffer.
#[test]
fn naks_do_not_wait() {
    let mut bench = Bench::armed(LARGE);
    bench.core.infer_clocks = 100_000;
    let requests = [image(1, &[1]), image(2, &[2]), image(3, &[3])];
    for request in &requests {
        bench.send(&request.to_wire());
    }
    bench.send(&[3, 3, 0]);
    bench.wait_frames(1, 20_000);
    assert_eq!(bench.received_frames(), [nak(BAD_FRAME)]);
    let expected: Vec<Frame> = (requests.iter())
        .map(|r| reply(r, &Answer::of(&r.payload[2..]).payload()))
        .collect();
    bench.expect(&expected);
}

/// Frames without a pause between them, in both directions.
#[test]
fn full_rate_both_ways() {
    for setup in [SHORT, LARGE, ODD] {
        let mut bench = Bench::armed(setup);
        bench.core.infer_clocks = 20;
        let requests: Vec<Frame> = (0..60u8).map(|n| image(n, &[n; 40])).collect();
        for request in &requests {
            bench.send(&request.to_wire());
        }
        let expected: Vec<Frame> = (requests.iter())
            .map(|r| reply(r, &Answer::of(&r.payload[2..]).payload()))
            .collect();
        bench.expect(&expected);
    }
}
