//! The property of the link: every fault ends, within a bounded time, in a right answer or a named
//! error, never in a wrong class.
//!
//! The device as software behind a line that damages what it carries; ports that are missing, busy, or
//! have something else behind them.

use firmware_model::config::CoreConfig;
use firmware_model::device::{Device, DeviceConfig};
use firmware_model::network::{Decision, Layer, Network};
use firmware_model::protocol::reply::{self, Answer};
use firmware_model::protocol::{kind, Frame, InfoPayload, REPLY};
use firstspike::driver::{Board, DeviceTransport, DriverError, Fault, Transport, MAX_RECOVERIES};
use firstspike_tests::faults::{images, network, session, Rates, Shared, Tally, INPUTS, STEPS};
use nix::pty::{openpty, OpenptyResult};
use nix::unistd::ttyname;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::time::Duration;

const CONFIG: DeviceConfig = DeviceConfig {
    core: CoreConfig {
        lanes: 16,
        banks: 2,
        beats: 1,
        weight_rows: 1024,
        fold_slots: 4,
        input_rows: 512,
        hidden_rows: 64,
        frame_slots: 4,
        input_buffers: 2,
    },
    board_number: 1,
    clock_hz: 24_000_000,
    baud: 3_000_000,
};

/// A device that was just switched on.
fn device(seed: u64) -> DeviceTransport {
    DeviceTransport::new(Device::with_junk(CONFIG, seed))
}

/// Sessions with these faults; most images come out right for all that, and faults do come.
fn survive(rates: Rates, seed: u64) {
    let mut tally = Tally::default();
    let (sessions, count) = (12, 60);
    for session_seed in seed..seed + sessions {
        session(
            device(session_seed),
            rates,
            session_seed,
            &images(count, session_seed),
            &mut tally,
        );
    }
    println!("{rates:?}: {tally:?}");
    assert!(tally.faults > 100, "{tally:?}");
    assert!(tally.recoveries > 50, "{tally:?}");
    let all = sessions as usize * count;
    assert!(tally.right >= all * 9 / 10, "{tally:?}");
}

#[test]
fn a_good_line_needs_no_recovery() {
    let mut tally = Tally::default();
    session(device(1), Rates::default(), 1, &images(200, 1), &mut tally);
    assert_eq!(
        (tally.right, tally.recoveries, tally.named_errors),
        (200, 0, 0)
    );
}

#[test]
fn flipped_bits() {
    let flip = 0.0004;
    survive(
        Rates {
            flip,
            ..Rates::default()
        },
        100,
    );
}

#[test]
fn lost_bytes() {
    let lose = 0.0004;
    survive(
        Rates {
            lose,
            ..Rates::default()
        },
        200,
    );
}

#[test]
fn inserted_zeros_and_bytes() {
    let (zero, insert) = (0.0003, 0.0002);
    survive(
        Rates {
            zero,
            insert,
            ..Rates::default()
        },
        300,
    );
}

#[test]
fn doubled_pieces() {
    let double = 0.15;
    survive(
        Rates {
            double,
            ..Rates::default()
        },
        400,
    );
}

#[test]
fn cut_and_dropped_pieces() {
    let (cut, drop) = (0.05, 0.05);
    survive(
        Rates {
            cut,
            drop,
            ..Rates::default()
        },
        500,
    );
}

#[test]
fn delays_beyond_the_watchdog() {
    let delay = 0.1;
    survive(
        Rates {
            delay,
            ..Rates::default()
        },
        600,
    );
}

#[test]
fn all_faults_together() {
    let rates = Rates {
        flip: 0.0001,
        lose: 0.0001,
        zero: 0.0001,
        insert: 0.0001,
        double: 0.02,
        cut: 0.02,
        drop: 0.02,
        delay: 0.02,
    };
    survive(rates, 700);
}

/// A line so bad that nearly nothing gets through: errors, and an end.
#[test]
fn a_hopeless_line_ends_in_named_errors() {
    let flip = 0.05;
    let mut tally = Tally::default();
    for seed in 800..803 {
        let rates = Rates {
            flip,
            ..Rates::default()
        };
        session(device(seed), rates, seed, &images(5, seed), &mut tally);
    }
    assert!(tally.named_errors > 0, "{tally:?}");
}

/// A device that is all right, and its driver, loaded with the network.
fn loaded() -> (Shared<DeviceTransport>, Board) {
    let line = Shared::new(DeviceTransport::new(Device::new(CONFIG)));
    let mut board = line.connect(3).unwrap();
    board.deploy(&network(), |_, _| {}).unwrap();
    (line, board)
}

#[test]
fn a_board_that_is_reset_in_mid_stream_says_so() {
    let images = images(40, 5);
    let (line, mut board) = loaded();
    let mut right = 0;
    let error = board
        .infer_each(images.iter().map(|(train, _)| train), |i, found| {
            assert_eq!(found.decision, images[i].1);
            right += 1;
            if i == 20 {
                *line.0.lock().unwrap().device_mut() = Device::with_junk(CONFIG, 9);
            }
        })
        .unwrap_err();
    assert!(matches!(error, DriverError::NotArmed), "{error}");
    assert!((21..=25).contains(&right));
    board.deploy(&network(), |_, _| {}).unwrap();
    assert_eq!(board.infer(&images[0].0).unwrap().decision, images[0].1);
}

#[test]
fn a_board_that_is_reset_while_it_is_loaded_is_not_armed() {
    let line = Shared::new(DeviceTransport::new(Device::new(CONFIG)));
    let mut board = line.connect(3).unwrap();
    let mut reset = false;
    let error = board
        .deploy(&network(), |loaded, all| {
            if loaded > all / 2 && !reset {
                *line.0.lock().unwrap().device_mut() = Device::with_junk(CONFIG, 9);
                reset = true;
            }
        })
        .unwrap_err();
    assert!(matches!(error, DriverError::MemoryCheck { .. }), "{error}");
    board.deploy(&network(), |_, _| {}).unwrap();
}

#[test]
fn another_gateware_behind_the_same_line_is_noticed() {
    let images = images(40, 6);
    let (line, mut board) = loaded();
    let mut other = CONFIG;
    other.core.lanes = 32;
    let error = board
        .infer_each(images.iter().map(|(train, _)| train), |i, _| {
            if i == 5 {
                let mut line = line.0.lock().unwrap();
                *line.device_mut() = Device::new(other);
                line.device_mut().receive(&[3]); // The rest of a frame: makes the next one a fault.
            }
        })
        .unwrap_err();
    assert!(
        matches!(error, DriverError::OtherGateware { .. }),
        "{error}"
    );
}

#[test]
fn another_model_on_the_same_board_is_noticed_at_the_first_fault() {
    let images = images(40, 7);
    let (line, mut board) = loaded();
    let other = Shared::new(DeviceTransport::new(Device::new(CONFIG)));
    let layer = Layer::from_fn(INPUTS, vec![3; 10], |j, i| (i + j) % 2 == 0).unwrap();
    let network = Network::new(STEPS, vec![layer]).unwrap();
    other
        .connect(1)
        .unwrap()
        .deploy(&network, |_, _| {})
        .unwrap();
    let mut after = 0;
    let error = board
        .infer_each(images.iter().map(|(train, _)| train), |i, _| {
            after += usize::from(i > 5);
            if i == 5 {
                let mut line = line.0.lock().unwrap();
                let swapped = other.0.lock().unwrap().device_mut().clone();
                *line.device_mut() = swapped;
                line.device_mut().receive(&[3]); // The rest of a frame: makes the next one a fault.
            }
        })
        .unwrap_err();
    assert!(matches!(error, DriverError::OtherModel), "{error}");
    // At most what was answered before.
    assert!(after <= usize::from(CONFIG.core.frame_slots));
}

#[test]
fn a_wrong_bit_in_a_memory_is_found() {
    let line = Shared::new(DeviceTransport::new(Device::new(CONFIG)));
    let mut board = line.connect(3).unwrap();
    let mut flipped = false;
    let result = board.deploy(&network(), |loaded, all| {
        if loaded > all / 2 && !flipped {
            line.0.lock().unwrap().device_mut().flip_weight_bit(0, 1, 3);
            flipped = true;
        }
    });
    assert!(
        matches!(result, Err(DriverError::MemoryCheck { .. })),
        "{result:?}"
    );
}

/// Before the new host's first answer comes all that the device still had to say to an earlier one:
/// wrong classes among it, under every sequence number, and INFOs that look like the first answers.
#[test]
fn old_replies_are_not_taken_for_new_ones() {
    struct Stale {
        line: DeviceTransport,
        stale: Vec<u8>,
        to_host: VecDeque<u8>,
    }
    impl Transport for Stale {
        fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
            self.to_host.extend(std::mem::take(&mut self.stale));
            self.line.write(bytes)
        }
        fn read(&mut self, buffer: &mut [u8], limit: Duration) -> io::Result<usize> {
            match self.to_host.is_empty() {
                true => self.line.read(buffer, limit),
                false => self.to_host.read(buffer),
            }
        }
        fn clear(&mut self) -> io::Result<()> {
            self.to_host.clear();
            self.line.clear()
        }
        fn now(&self) -> Duration {
            self.line.now()
        }
    }

    let images = images(20, 8);
    let wrong = |sequence: u8| Frame {
        kind: kind::SPIKES | REPLY,
        sequence,
        payload: reply::answer(&Answer {
            decision: Decision {
                class: 0,
                step: 0,
                silent: false,
                overshoot: 0,
            },
            cycles: 1,
            idle: 1,
        }),
    };
    let (line, _) = loaded();
    let device = line.0.lock().unwrap().device_mut().clone();
    for nonce in (0..=u16::MAX).step_by(509) {
        let info = InfoPayload {
            device: CONFIG,
            armed: true,
            memory_crc: 7,
        };
        let old_info = |sequence: u8| Frame {
            kind: kind::INFO | REPLY,
            sequence,
            payload: reply::info(&info),
        };
        let first = nonce as u8;
        let mut stale: Vec<u8> = (0..4)
            .flat_map(|i| old_info(first.wrapping_add(i)).to_wire())
            .collect();
        stale.extend((0..=255).flat_map(|sequence| wrong(sequence).to_wire()));
        stale.extend([5, 6, 7]);
        let line = Stale {
            line: DeviceTransport::new(device.clone()),
            stale,
            to_host: VecDeque::new(),
        };
        let mut board = Board::connect(Box::new(line), nonce).unwrap();
        assert!(board.deployed_model_matches(&network()).unwrap());
        for (train, expected) in &images {
            assert_eq!(board.infer(train).unwrap().decision, *expected);
        }
    }
}

/// A port behind which `answer` says what comes back for what is written.
struct Other<F>(F, VecDeque<u8>, Duration);

impl<F: FnMut(&[u8]) -> Vec<u8> + Send> Transport for Other<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.1.extend((self.0)(bytes));
        Ok(())
    }
    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> io::Result<usize> {
        if self.1.is_empty() {
            self.2 += limit;
        }
        self.2 += Duration::from_micros(1);
        self.1.read(buffer)
    }
    fn clear(&mut self) -> io::Result<()> {
        self.1.clear();
        Ok(())
    }
    fn now(&self) -> Duration {
        self.2
    }
}

fn opening(answer: impl FnMut(&[u8]) -> Vec<u8> + Send + 'static) -> DriverError {
    let line = Other(answer, VecDeque::new(), Duration::ZERO);
    match Board::connect(Box::new(line), 1) {
        Ok(_) => panic!("this is no board"),
        Err(error) => error,
    }
}

#[test]
fn what_is_not_a_board_is_named() {
    assert!(matches!(opening(|_| Vec::new()), DriverError::Silent));
    // An echo, a terminal's login, noise without and with zeros.
    assert!(matches!(opening(<[u8]>::to_vec), DriverError::Garbage));
    assert!(matches!(
        opening(|_| b"login: ".to_vec()),
        DriverError::Garbage
    ));
    assert!(matches!(
        opening(|_| vec![0x55; 5000]),
        DriverError::Garbage
    ));
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let noise = move |_: &[u8]| {
        let mut noise = vec![0; 5000];
        random.fill_bytes(&mut noise);
        noise
    };
    assert!(matches!(opening(noise), DriverError::Garbage));
}

/// INFO answered with what `change` makes of a right answer.
fn opening_with_info(change: impl Fn(&mut Vec<u8>) + Send + 'static) -> DriverError {
    let mut device = Device::new(CONFIG);
    opening(move |bytes| {
        let reply = device.receive(bytes);
        let Some(end) = reply.iter().position(|&b| b == 0) else {
            return reply;
        };
        let mut frame = Frame::from_wire(&reply[..end]).unwrap();
        change(&mut frame.payload);
        frame.to_wire()
    })
}

#[test]
fn a_device_of_another_kind_or_version_is_named() {
    let message = opening_with_info(|p| p[1] = b'G').to_string();
    assert!(message.contains("letters FSPK"), "{message}");
    let message = opening_with_info(|p| p[5] = 9).to_string();
    assert!(message.contains("version 9"), "{message}");
    let message = opening_with_info(|p| p[8] ^= 1).to_string();
    assert!(message.contains("checksum"), "{message}");
    let message = opening_with_info(|p| p.truncate(30)).to_string();
    assert!(message.contains("29 bytes"), "{message}");
    let error = opening_with_info(|p| *p = vec![2]);
    assert!(matches!(error, DriverError::Answer { .. }), "{error}");
}

/// The board's port, as a pseudo-terminal whose other end the test holds.
fn pseudo_terminal() -> (OpenptyResult, String) {
    let pair = openpty(None, None).unwrap();
    let path = ttyname(&pair.slave).unwrap().to_str().unwrap().to_owned();
    (pair, path)
}

/// Runs `answer` on what comes to the master's end, for as long as the test runs.
///
/// The slave's end is held open too: while no host has the port open, reading would fail and end the device.
fn serve(pair: OpenptyResult, mut answer: impl FnMut(&[u8]) -> Vec<u8> + Send + 'static) {
    let OpenptyResult { master, slave } = pair;
    let mut master = std::fs::File::from(master);
    std::thread::spawn(move || {
        let _slave = slave;
        let mut buffer = [0; 512];
        while let Ok(count @ 1..) = master.read(&mut buffer) {
            if master.write_all(&answer(&buffer[..count])).is_err() {
                break;
            }
        }
    });
}

#[test]
fn a_real_port_works_from_opening_to_inference() {
    let images = images(100, 11);
    for baud in [115_200, 3_000_000] {
        let (pair, path) = pseudo_terminal();
        let mut device = Device::new(CONFIG);
        serve(pair, move |bytes| device.receive(bytes));
        let mut board = Board::open(&path, baud).unwrap();
        board.deploy(&network(), |_, _| {}).unwrap();
        let answers = board
            .infer_batch(images.iter().map(|(train, _)| train))
            .unwrap();
        for (answer, (_, expected)) in answers.iter().zip(&images) {
            assert_eq!(answer.decision, *expected);
        }
        assert_eq!(board.traffic().recoveries, 0);
        // The next host finds the model where this one left it.
        drop(board);
    }
}

#[test]
fn a_port_that_is_not_there_is_named() {
    let message = Board::open("/dev/ttyNOBODY", 3_000_000).err().unwrap();
    assert!(matches!(message, DriverError::NoPort { .. }));
    let message = message.to_string();
    assert!(message.contains("/dev/ttyNOBODY"), "{message}");
    assert!(message.contains("firstspike board"), "{message}");
}

#[test]
fn a_port_that_is_open_elsewhere_is_busy() {
    let (pair, path) = pseudo_terminal();
    let mut device = Device::new(CONFIG);
    serve(pair, move |bytes| device.receive(bytes));
    let first = Board::open(&path, 3_000_000).unwrap();
    let error = Board::open(&path, 3_000_000).err().unwrap();
    assert!(matches!(error, DriverError::Busy { .. }), "{error}");
    assert!(error.to_string().contains(&path));
    drop(first);
    assert!(Board::open(&path, 3_000_000).is_ok());
}

#[test]
fn what_is_no_serial_port_is_named() {
    for path in ["/dev/null", "/tmp"] {
        let error = Board::open(path, 3_000_000).err().unwrap();
        assert!(matches!(error, DriverError::NotSerial { .. }), "{error}");
    }
}

#[test]
fn a_real_port_with_garbage_behind_it_is_named() {
    let (pair, path) = pseudo_terminal();
    serve(pair, |_| b"\r\nlogin: ".to_vec());
    let error = Board::open(&path, 3_000_000).err().unwrap();
    assert!(matches!(error, DriverError::Garbage), "{error}");
}

#[test]
fn a_cable_that_is_pulled_is_named() {
    let images = images(60, 12);
    let (pair, path) = pseudo_terminal();
    let mut device = Device::new(CONFIG);
    let mut master = std::fs::File::from(pair.master);
    // The last kept slave end goes with the thread: then the port hangs up.
    let slave = pair.slave;
    std::thread::spawn(move || {
        let _slave = slave;
        let (mut buffer, mut total) = ([0; 512], 0);
        while let Ok(count @ 1..) = master.read(&mut buffer) {
            total += count;
            if total > 12_000 {
                break;
            }
            master.write_all(&device.receive(&buffer[..count])).unwrap();
        }
    });
    let mut board = Board::open(&path, 3_000_000).unwrap();
    board.deploy(&network(), |_, _| {}).unwrap();
    let error = board
        .infer_each(images.iter().map(|(train, _)| train), |i, found| {
            assert_eq!(found.decision, images[i].1)
        })
        .unwrap_err();
    assert!(matches!(error, DriverError::Line(_)), "{error}");
}

#[test]
fn errors_say_what_to_do_in_one_sentence() {
    let errors = [
        DriverError::Silent,
        DriverError::Garbage,
        DriverError::Lost,
        DriverError::NotArmed,
        DriverError::OtherModel,
        DriverError::Unreliable {
            recoveries: MAX_RECOVERIES,
            last: Fault::Nak(9),
        },
        DriverError::NoReply {
            recoveries: MAX_RECOVERIES,
            request: "SPIKES",
            limit: Duration::from_secs(2),
        },
    ];
    for error in errors {
        let message = error.to_string();
        assert!(message.contains("; "), "{message}");
        assert!(
            !message.ends_with('.') && !message.contains(". "),
            "{message}"
        );
    }
}
