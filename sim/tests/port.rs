//! A client at the port of a virtual board, with the library that the host uses.

mod common;

use common::{echo_board, BAUD};
use firstspike_sim::server::Event;
use firstspike_sim::VirtualBoard;
use rand::RngExt;
use rand_chacha::rand_core::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serialport::SerialPort;
use std::io::Write;
use std::path::Path;
use std::sync::mpsc::{channel, Receiver};
use std::thread;
use std::time::Duration;

/// Long enough for a busy machine; a test that passes does not wait for it.
const LIMIT: Duration = Duration::from_secs(20);

fn board() -> (VirtualBoard, Receiver<Event>) {
    let (sender, events) = channel();
    let board = VirtualBoard::spawn(echo_board(), move |event| {
        let _ = sender.send(event);
    });
    (board.expect("the board starts"), events)
}

fn open(port: &Path, baud: u32) -> Box<dyn SerialPort> {
    serialport::new(port.to_string_lossy(), baud)
        .timeout(LIMIT)
        .open()
        .expect("the port opens")
}

fn random_bytes(count: usize, seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; count];
    ChaCha8Rng::seed_from_u64(seed).fill(&mut bytes[..]);
    bytes
}

/// Sends all bytes from one thread while another reads what comes back.
fn echo(port: &mut dyn SerialPort, bytes: &[u8]) -> Vec<u8> {
    let mut writer = port.try_clone().expect("a second handle");
    thread::scope(|scope| {
        scope.spawn(move || writer.write_all(bytes).expect("all is written"));
        let mut back = vec![0; bytes.len()];
        port.read_exact(&mut back).expect("all comes back");
        back
    })
}

#[test]
fn what_goes_in_comes_back() {
    let (board, _) = board();
    let bytes = random_bytes(20_000, 1);
    assert_eq!(echo(&mut *open(board.port(), BAUD), &bytes), bytes);
    let traffic = board.finish().expect("the board ran well");
    assert_eq!((traffic.to_device, traffic.from_device), (20_000, 20_000));
    assert_eq!((traffic.clients, traffic.framing_errors), (1, 0));
}
