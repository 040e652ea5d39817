//! Long random runs with fixed seeds.

use crate::core::{Answer, Load, BAD_ADDRESS, BAD_CODE};
use crate::geometry;
use crate::host::{frame, nak, reply, Bench};
use crate::setup::{Setup, LARGE, ODD, SHORT};
use firmware_model::protocol::kind::*;
use firmware_model::protocol::status::*;
use firmware_model::protocol::{Frame, LAST_CHUNK};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;

/// What the link should make of requests: the protocol's rules, without wire and without time.
struct Expected {
    setup: Setup,
    has_geometry: bool,
    armed: bool,
    crc: u32,
    verified: u32,
    image: Option<(u8, u8, Vec<u8>)>,
    images: Vec<Vec<u8>>,
    loads: Vec<Load>,
}

impl Expected {
    fn answer(&mut self, request: &Frame, info: impl Fn(bool, u32) -> Vec<u8>) -> Vec<u8> {
        use firmware_model::protocol::Request;
        if [GEOMETRY, WEIGHTS, MARGINS].contains(&request.kind) {
            (self.armed, self.image) = (false, None);
        }
        let payload = &request.payload;
        match Request::parse(request, &self.setup.core) {
            Err(UNKNOWN_KIND) => vec![UNKNOWN_KIND],
            Err(BAD_LENGTH) => {
                if request.kind == SPIKES {
                    self.image = None;
                }
                vec![BAD_LENGTH]
            }
            _ => match request.kind {
                INFO => info(self.armed, self.verified),
                GEOMETRY => {
                    self.has_geometry = payload[0] <= 4 && payload[0] > 0;
                    vec![if self.has_geometry { OK } else { OUT_OF_RANGE }]
                }
                WEIGHTS | MARGINS => self.load(request.kind, payload),
                ARM => {
                    self.armed = self.has_geometry && payload[..] == self.crc.to_le_bytes();
                    self.image = None;
                    if self.has_geometry {
                        self.verified = self.crc;
                    }
                    let status = if self.armed { OK } else { MEMORY_CHECK };
                    [&[status], self.verified.to_le_bytes().as_slice()].concat()
                }
                _ => self.spikes(payload),
            },
        }
    }

    fn load(&mut self, kind: u8, payload: &[u8]) -> Vec<u8> {
        let margins = kind == MARGINS;
        let (address, select, bytes) = match margins {
            true => (payload[0].into(), payload[1], &payload[2..]),
            false => (
                u16::from_le_bytes([payload[1], payload[2]]),
                payload[0],
                &payload[3..],
            ),
        };
        let bytes = bytes.to_vec();
        self.loads.push(Load {
            margins,
            address,
            select,
            bytes,
        });
        vec![if address < BAD_ADDRESS {
            OK
        } else {
            OUT_OF_RANGE
        }]
    }

    fn spikes(&mut self, payload: &[u8]) -> Vec<u8> {
        let (image, number, last) = (payload[0], payload[1] & 127, payload[1] & LAST_CHUNK != 0);
        let codes = &payload[2..];
        if !self.armed {
            return vec![NOT_ARMED];
        }
        let mut bytes = match self.image.take() {
            _ if number == 0 => vec![],
            Some((i, n, bytes)) if (i, n) == (image, number) => bytes,
            _ => return vec![OUT_OF_ORDER],
        };
        bytes.extend(codes);
        if codes.contains(&BAD_CODE) {
            return vec![BAD_SPIKE];
        }
        if last {
            let answer = Answer::of(&bytes).payload();
            self.images.push(bytes);
            return answer;
        }
        self.image = Some((image, number % 127 + 1, bytes));
        vec![OK]
    }
}

/// A request that is mostly sensible.
fn request(random: &mut ChaCha8Rng, expected: &Expected) -> Frame {
    let sequence = random.random();
    let mut bytes = |most: usize| -> Vec<u8> {
        let length = random.random_range(0..=most);
        let mask = if random.random_bool(0.3) { 1 } else { 0xFF };
        (0..length).map(|_| random.random::<u8>() & mask).collect()
    };
    let (long, short) = (bytes(248), bytes(20));
    let codes: Vec<u8> = (long.iter())
        .map(|&c| {
            if c == BAD_CODE && random.random_bool(0.9) {
                0
            } else {
                c
            }
        })
        .collect();
    let payload = |head: &[u8], tail: &[u8]| [head, tail].concat();
    let next = expected.image.as_ref().map_or((1, 1), |(i, n, _)| (*i, *n));
    match random.random_range(0..100) {
        0..=7 => frame(INFO, sequence, &[]),
        8..=11 => {
            let mut geometry = geometry(&expected.setup.core);
            geometry[0] = random.random_range(1..=5);
            frame(GEOMETRY, sequence, &geometry)
        }
        12..=19 => frame(
            WEIGHTS,
            sequence,
            &payload(&[0, random.random(), random.random_range(0..2)], &long),
        ),
        20..=27 => frame(MARGINS, sequence, &payload(&[1, 2], &long)),
        28..=45 if !expected.armed && expected.has_geometry => {
            frame(ARM, sequence, &expected.crc.to_le_bytes())
        }
        28 => frame(ARM, sequence, &short[..short.len().min(4)]),
        29..=32 => frame(random.random(), sequence, &short),
        33..=45 => frame(
            SPIKES,
            sequence,
            &payload(
                &[random.random_range(0..3), random.random_range(0..4)],
                &codes,
            ),
        ),
        46..=60 => frame(SPIKES, sequence, &payload(&[next.0, next.1], &codes)),
        61..=75 => frame(
            SPIKES,
            sequence,
            &payload(&[next.0, next.1 | LAST_CHUNK], &codes),
        ),
        _ => frame(
            SPIKES,
            sequence,
            &payload(&[random.random(), LAST_CHUNK], &codes),
        ),
    }
}

/// As many requests on their way as there are slots, a core of random speed: every reply in order,
/// every byte right, and the core got what it should.
fn soak(setup: Setup, seed: u64, count: usize) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut bench = Bench::new(setup);
    bench.core.crc = 0x00AB_0000;
    let mut expected = Expected {
        setup,
        has_geometry: false,
        armed: false,
        crc: bench.core.crc,
        verified: 0,
        image: None,
        images: vec![],
        loads: vec![],
    };
    let credits = usize::from(setup.core.frame_slots);
    let mut open: VecDeque<Frame> = VecDeque::new();
    let mut sent = 0;
    let mut reader = firmware_model::protocol::FrameReader::default();
    let mut quiet = 0;
    while sent < count || !open.is_empty() {
        if sent < count && open.len() < credits && random.random_bool(0.02) {
            let mut asked = request(&mut random, &expected);
            // STATUS tells numbers that these rules do not know, and 0x7F's reply looks like a NAK.
            if asked.kind == STATUS || asked.kind & 0x7F == 0x7F {
                asked.kind = 0x02;
            }
            let payload = expected.answer(&asked, |armed, crc| bench.info(armed, crc));
            open.push_back(reply(&asked, &payload));
            bench.send(&asked.to_wire());
            bench.core.infer_clocks = *pick(&mut random, &[1, 2, 50, 700, 9_000]);
            bench.core.verify_clocks = *pick(&mut random, &[1, 2, 300, 3_000]);
            sent += 1;
        }
        bench.clock();
        quiet += 1;
        for byte in bench.received() {
            quiet = 0;
            let Some(found) = reader.push(byte) else {
                continue;
            };
            let found = found.expect("the link sends good frames");
            assert_eq!(Some(found), open.pop_front());
        }
        assert!(quiet < 100_000, "the link is stuck: {open:?}");
    }
    bench.settle();
    assert_eq!(bench.received(), []);
    assert_eq!(bench.core.images, expected.images);
    assert_eq!(bench.core.loads, expected.loads);
    // The run was worth it.
    assert!(expected.images.len() > count / 20 && expected.loads.len() > count / 50);
}

fn pick<'a, T>(random: &mut impl Rng, choices: &'a [T]) -> &'a T {
    &choices[random.random_range(0..choices.len())]
}

#[test]
fn random_requests_short() {
    soak(SHORT, 1, 1500);
}

#[test]
fn random_requests_large() {
    soak(LARGE, 2, 1000);
}

#[test]
fn random_requests_odd() {
    soak(ODD, 3, 1000);
}

/// Garbage on the wire: NAKs at most, and INFO is answered after a zero.
#[test]
fn garbage_gives_naks_only() {
    for (setup, seed) in [(SHORT, 4), (LARGE, 5), (ODD, 6)] {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut bench = Bench::armed(setup);
        for _ in 0..60 {
            for _ in 0..random.random_range(1..80) {
                match random.random_range(0..10) {
                    0 => bench.level(false, random.random_range(0.5..40.0)),
                    1 => bench.level(true, random.random_range(0.5..40.0)),
                    2 => bench.send(&[0]),
                    3 => bench.send(&[random.random_range(0..4)]),
                    _ => bench.send(&[random.random()]),
                }
            }
            bench.level(true, bench.host_bit * 12.0);
            bench.send(&[0]);
            bench.settle();
            for found in bench.received_frames() {
                assert_eq!(found, nak(BAD_FRAME));
            }
            let info = bench.info(true, bench.core.crc);
            bench.ask(frame(INFO, 1, &[]), &info);
        }
        assert_eq!(bench.core.images.len() + bench.core.loads.len(), 0);
    }
}
