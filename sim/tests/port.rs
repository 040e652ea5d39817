//! A client at the port of a virtual board, with the library that the host uses.

mod common;

use common::{echo_board, random_bytes, BAUD};
use firstspike_sim::device::{Next, Progress, VirtualDevice};
use firstspike_sim::server::Event;
use firstspike_sim::terminal::Link;
use firstspike_sim::{SimError, VirtualBoard};
use serialport::SerialPort;
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::mpsc::{channel, Receiver};
use std::thread;
use std::time::{Duration, Instant};

/// Long enough for a busy machine; a test that passes does not wait for it.
const LIMIT: Duration = Duration::from_secs(30);

fn board() -> (VirtualBoard, Receiver<Event>) {
    let (sender, events) = channel();
    let board = VirtualBoard::spawn(echo_board(1), move |event| {
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

fn wait_for(events: &Receiver<Event>, wanted: impl Fn(&Event) -> bool) -> Event {
    loop {
        let event = events.recv_timeout(LIMIT).expect("the event comes");
        if wanted(&event) {
            return event;
        }
    }
}

#[test]
fn what_goes_in_comes_back() {
    let (board, _) = board();
    let bytes = random_bytes(20_000, 1);
    assert!(echo(&mut *open(board.port(), BAUD), &bytes) == bytes);
    let traffic = board.finish().expect("the board ran well");
    assert_eq!((traffic.to_device, traffic.from_device), (20_000, 20_000));
    assert_eq!((traffic.clients, traffic.framing_errors), (1, 0));
}

#[test]
fn a_client_that_reads_late_loses_nothing() {
    let (board, _) = board();
    let mut port = open(board.port(), BAUD);
    let bytes = random_bytes(12_000, 2);
    let mut writer = port.try_clone().expect("a second handle");
    thread::scope(|scope| {
        scope.spawn(|| writer.write_all(&bytes).expect("all is written"));
        // The terminal and the server hold some thousand bytes; the rest has to wait in the client.
        let held = wait_until_steady(|| port.bytes_to_read().expect("the port answers"));
        assert!(held > 0 && (held as usize) < bytes.len());
        let mut back = vec![0; bytes.len()];
        port.read_exact(&mut back).expect("all comes back");
        assert!(back == bytes);
    });
}

/// The value when it has not changed for a while.
fn wait_until_steady(mut value: impl FnMut() -> u32) -> u32 {
    let (mut last, mut since) = (value(), Instant::now());
    while last == 0 || since.elapsed() < Duration::from_millis(200) {
        thread::sleep(Duration::from_millis(5));
        let now = value();
        if now != last {
            (last, since) = (now, Instant::now());
        }
    }
    last
}

/// A device that sends back all it gets, at once.
struct Loopback;

impl VirtualDevice for Loopback {
    fn exchange(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<Progress, SimError> {
        output.extend(input);
        Ok(Progress {
            consumed: input.len(),
            next: Next::Input,
        })
    }

    fn set_host_rate(&mut self, _baud: u32) {}

    fn rate(&self) -> u32 {
        BAUD
    }

    fn framing_errors(&self) -> u64 {
        0
    }
}

#[test]
fn a_client_that_never_reads_is_made_to_wait() {
    let board = VirtualBoard::spawn(Loopback, |_| {}).expect("the board starts");
    let mut port = serialport::new(board.port().to_string_lossy(), BAUD)
        .timeout(Duration::from_millis(200))
        .open()
        .expect("the port opens");
    // What the kernel holds in both directions is below 150,000 bytes, and the server holds 8,192.
    let mut written = 0;
    while port.write(&[0x55]).is_ok() {
        written += 1;
        assert!(written < 500_000, "the server takes bytes without end");
    }
}

#[test]
fn clients_come_and_go() {
    let (board, events) = board();
    for seed in 0..5 {
        let bytes = random_bytes(300, seed);
        assert!(echo(&mut *open(board.port(), BAUD), &bytes) == bytes);
        wait_for(&events, |event| *event == Event::Closed);
    }
    assert_eq!(board.finish().expect("the board ran well").clients, 5);
}

#[test]
fn the_next_client_does_not_get_what_the_last_one_left() {
    let (board, events) = board();
    let mut port = open(board.port(), BAUD);
    port.write_all(&[0x55; 100]).expect("all is written");
    while port.bytes_to_read().expect("the port answers") < 100 {
        thread::sleep(Duration::from_millis(1));
    }
    drop(port);
    wait_for(&events, |event| *event == Event::Closed);
    assert_eq!(echo(&mut *open(board.port(), BAUD), b"hello"), b"hello");
}

#[test]
fn a_client_has_the_port_alone_until_it_closes_it() {
    let (board, events) = board();
    let port = open(board.port(), BAUD);
    let second = serialport::new(board.port().to_string_lossy(), BAUD).open();
    assert!(second.is_err());
    drop(port);
    wait_for(&events, |event| *event == Event::Closed);
    open(board.port(), BAUD);
}

#[test]
fn what_a_client_claimed_does_not_outlive_it() {
    let (board, events) = board();
    // One that never says a word, and one that does and is followed at once by another.
    let silent = File::open(board.port()).expect("the port opens");
    claim(&silent);
    assert!(is_claimed(board.port()));
    drop(silent);
    wait_for(&events, |event| *event == Event::Closed);
    assert!(!is_claimed(board.port()));

    let mut busy = open(board.port(), BAUD);
    busy.write_all(b"!").expect("all is written");
    busy.read_exact(&mut [0]).expect("it comes back");
    assert!(!is_claimed(board.port()));
}

nix::ioctl_none_bad!(set_exclusive, nix::libc::TIOCEXCL);
nix::ioctl_read_bad!(get_exclusive, nix::libc::TIOCGEXCL, nix::libc::c_int);

/// Claims a terminal, so that everybody but root is turned away from now on.
fn claim(port: &File) {
    // SAFETY: the descriptor is open.
    unsafe { set_exclusive(port.as_raw_fd()) }.expect("the terminal takes the claim");
}

/// Whether everybody but root would be turned away at this terminal.
fn is_claimed(port: &Path) -> bool {
    let port = File::open(port).expect("the port opens");
    let mut exclusive = 0;
    // SAFETY: the descriptor is open and the call writes one integer.
    unsafe { get_exclusive(port.as_raw_fd(), &mut exclusive) }.expect("the terminal answers");
    exclusive != 0
}

#[test]
fn another_baud_rate_gives_framing_errors_that_are_told() {
    let (board, events) = board();
    let mut port = open(board.port(), 921_600);
    port.write_all(&random_bytes(200, 3))
        .expect("all is written");
    let told = wait_for(&events, |event| matches!(event, Event::RateDiffers { .. }));
    let expected = Event::RateDiffers {
        client: 921_600,
        device: BAUD,
    };
    assert_eq!(told, expected);
    wait_for(&events, |event| matches!(event, Event::FramingErrors(_)));
    assert!(board.finish().expect("the board ran well").framing_errors > 0);
}

#[test]
fn the_port_is_gone_when_the_board_is_off() {
    let (board, _) = board();
    let path = board.port().to_owned();
    let mut port = open(&path, BAUD);
    drop(board);
    assert!(!path.exists());
    let error = port.read(&mut [0]).expect_err("nobody is there");
    assert_ne!(error.kind(), ErrorKind::TimedOut);
}

#[test]
fn a_link_lives_as_long_as_it_is_wanted() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("board");
    let (board, _) = board();
    let link = Link::make(&path, board.port()).expect("the link is made");
    assert_eq!(echo(&mut *open(&path, BAUD), b"by name"), b"by name");
    drop(link);
    assert!(fs::symlink_metadata(&path).is_err());
}

#[test]
fn a_link_that_a_board_left_behind_is_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("board");
    let (board, _) = board();
    // To a terminal that is no more; and to the very one that the board has.
    for left in [Path::new("/dev/pts/99999999"), board.port()] {
        symlink(left, &path).expect("a link");
        let link = Link::make(&path, board.port()).expect("the link is replaced");
        assert_eq!(fs::read_link(&path).expect("it is there"), board.port());
        drop(link);
        assert!(fs::symlink_metadata(&path).is_err());
    }
    let names: Vec<_> = fs::read_dir(&folder).expect("a folder").collect();
    assert!(names.is_empty(), "{names:?}");
}

/// A file, a folder, links to them and to nothing, and the link of a board that runs: nothing is touched, neither
/// at the beginning nor at the end.
#[test]
fn a_link_takes_nothing_over() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let (first, _) = board();
    let (second, _) = board();
    fs::write(at("file"), "mine").expect("a file");
    fs::create_dir(at("folder")).expect("a folder");
    symlink("folder", at("to-folder")).expect("a link");
    symlink(at("file"), at("to-file")).expect("a link");
    symlink("nowhere", at("to-nowhere")).expect("a link");
    symlink("/dev/pts-nowhere/3", at("to-elsewhere")).expect("a link");
    let running = Link::make(&at("running"), first.port()).expect("the link is made");
    let names = [
        "file",
        "folder",
        "to-folder",
        "to-file",
        "to-nowhere",
        "to-elsewhere",
        "running",
    ];
    for name in names {
        let path = at(name);
        let (kind, target) = (fs::symlink_metadata(&path), fs::read_link(&path).ok());
        for error in [
            Link::check(&path).err(),
            Link::make(&path, second.port()).err(),
        ] {
            let error = error.expect("it is refused");
            assert!(matches!(error, SimError::LinkTaken { .. }), "{name}");
            assert!(error.to_string().contains(name), "{error}");
        }
        let is_same = fs::symlink_metadata(&path)
            .expect("it is there")
            .file_type()
            == kind.expect("it was there").file_type();
        assert!(is_same && fs::read_link(&path).ok() == target, "{name}");
    }
    // A name that somebody else has taken since stays theirs.
    fs::remove_file(at("running")).expect("it was there");
    symlink("folder", at("running")).expect("a link");
    drop(running);
    assert_eq!(
        fs::read_link(at("running")).expect("it is there"),
        Path::new("folder")
    );
    assert_eq!(fs::read(at("file")).expect("it is there"), b"mine");
}
