//! The software device at a port.

use firmware_model::board::Board;
use firmware_model::device::Device;
use firmware_model::protocol::{kind, status, DeviceConfig, Frame, FrameReader, REPLY};
use firstspike_sim::server::Event;
use firstspike_sim::{ModelBoard, VirtualBoard};
use std::io::Write;
use std::sync::mpsc::channel;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);

fn config() -> DeviceConfig {
    let board = Board::find("icebreaker").expect("the board is there");
    DeviceConfig {
        core: board.core,
        board_number: board.number,
        clock_hz: board.clock.core_hz,
        baud: board.uart.baud,
    }
}

fn open(board: &VirtualBoard, baud: u32) -> Box<dyn serialport::SerialPort> {
    serialport::new(board.port().to_string_lossy(), baud)
        .timeout(LIMIT)
        .open()
        .expect("the port opens")
}

fn read_frame(port: &mut dyn serialport::SerialPort) -> Frame {
    let mut reader = FrameReader::default();
    loop {
        let mut byte = [0];
        port.read_exact(&mut byte).expect("the device answers");
        if let Some(frame) = reader.push(byte[0]) {
            return frame.expect("the frame is whole");
        }
    }
}

fn info_request() -> Vec<u8> {
    let request = Frame {
        kind: kind::INFO,
        sequence: 7,
        payload: Vec::new(),
    };
    request.to_wire()
}

#[test]
fn info_is_answered() {
    let board = VirtualBoard::spawn(ModelBoard::new(Device::new(config())), |_| {})
        .expect("the board starts");
    let mut port = open(&board, config().baud);
    port.write_all(&info_request()).expect("all is written");
    let reply = read_frame(&mut *port);
    assert_eq!((reply.kind, reply.sequence), (kind::INFO | REPLY, 7));
    assert_eq!(reply.payload[..5], *b"\0FSPK");
}

#[test]
fn a_frame_that_was_cut_short_times_out() {
    let board = VirtualBoard::spawn(ModelBoard::new(Device::new(config())), |_| {})
        .expect("the board starts");
    let mut port = open(&board, config().baud);
    port.write_all(&info_request()[..3])
        .expect("all is written");
    let reply = read_frame(&mut *port);
    assert_eq!(
        (reply.kind, &reply.payload[..]),
        (kind::NAK, &[status::TIMEOUT][..])
    );
}

#[test]
fn at_another_baud_rate_nothing_is_understood() {
    let (sender, events) = channel();
    let tell = move |event| {
        let _ = sender.send(event);
    };
    let board = VirtualBoard::spawn(ModelBoard::new(Device::new(config())), tell)
        .expect("the board starts");
    let mut port = open(&board, 115_200);
    let request = info_request();
    port.write_all(&request).expect("all is written");
    let errors = Event::FramingErrors(request.len() as u64);
    while events.recv_timeout(LIMIT).expect("the event comes") != errors {}
    drop(port);
    assert_eq!(board.finish().expect("it ran well").from_device, 0);
}
