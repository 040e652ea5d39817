//! `firstspike board` as a user calls it: from the line that names the port to Ctrl-C.

use firmware_model::protocol::{kind, Frame, FrameReader, REPLY};
use serde_json::Value;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Long enough for a busy machine; a test that passes does not wait for it.
const LIMIT: Duration = Duration::from_secs(30);

fn firstspike(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_firstspike"));
    command.args(arguments);
    command
}

/// A virtual board in a process of its own, and the JSON object that it printed.
fn start(arguments: &[&str]) -> (Child, Value) {
    let mut child = firstspike(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    (child, serde_json::from_str(&line).unwrap())
}

/// Sends the board's process a signal, as Ctrl-C (`INT`) or an init system (`TERM`) does, and expects a good end.
/// Returns what it said on standard error.
fn end(mut child: Child, name: &str) -> String {
    signal(&child, name);
    assert!(child.wait().unwrap().success());
    std::io::read_to_string(child.stderr.take().unwrap()).unwrap()
}

/// Sends a process a signal.
fn signal(child: &Child, name: &str) {
    let kill = Command::new("kill")
        .args([format!("-{name}"), child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
}

/// Opens a port, not for itself alone: its lock lives on in every process that another test is about to start, until
/// that runs its program, and a port that is opened again must not find it locked.
fn open(port: &Path, baud: u32) -> Box<dyn serialport::SerialPort> {
    let port = serialport::new(port.to_string_lossy(), baud).timeout(LIMIT);
    port.exclusive(false).open().unwrap()
}

/// Asks the device at a port who it is.
fn info(port: &Path, baud: u32) -> Frame {
    let mut port = open(port, baud);
    let request = Frame {
        kind: kind::INFO,
        sequence: 1,
        payload: Vec::new(),
    };
    port.write_all(&request.to_wire()).unwrap();
    let mut reader = FrameReader::default();
    loop {
        let mut byte = [0];
        port.read_exact(&mut byte).unwrap();
        if let Some(frame) = reader.push(byte[0]) {
            return frame.unwrap();
        }
    }
}

#[test]
fn a_virtual_board_names_its_port_and_answers_there_until_it_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("board");
    let name = link.to_str().unwrap();
    for signal in ["INT", "TERM"] {
        let arguments = ["board", "--board", "icebreaker", "--sim", "model", "--json"];
        let (child, value) = start(&[&arguments[..], &["--link", name]].concat());
        assert_eq!(value["port"], name);
        assert_eq!(value["board"], "icebreaker");
        assert_eq!(info(&link, 3_000_000).kind, kind::INFO | REPLY);
        let said = end(child, signal);
        assert!(said.contains("1 clients"), "{said}");
        assert!(std::fs::symlink_metadata(&link).is_err());
    }
}

const MODEL: [&str; 6] = ["board", "--board", "icebreaker", "--sim", "model", "--json"];

/// A board that shall have a link at `path`, which is refused.
fn refused(path: &Path) -> String {
    let name = path.to_str().unwrap();
    let output = firstspike(&[&MODEL[..5], &["--link", name]].concat())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains(name) && text.contains("--link"), "{text}");
    text
}

#[test]
fn a_link_takes_over_neither_a_user_s_nor_another_board_s() {
    let folder = tempfile::tempdir().unwrap();
    let (mine, taken) = (folder.path().join("mine"), folder.path().join("taken"));
    std::fs::create_dir(folder.path().join("folder")).unwrap();
    std::os::unix::fs::symlink("folder", &mine).unwrap();
    refused(&mine);
    assert_eq!(std::fs::read_link(&mine).unwrap(), Path::new("folder"));

    let with_link = [&MODEL[..], &["--link", taken.to_str().unwrap()]].concat();
    let (first, _) = start(&with_link);
    let target = std::fs::read_link(&taken).unwrap();
    let text = refused(&taken);
    assert!(text.contains(target.to_str().unwrap()), "{text}");
    assert_eq!(std::fs::read_link(&taken).unwrap(), target);
    assert_eq!(info(&taken, 3_000_000).kind, kind::INFO | REPLY);

    // A board that is killed leaves its link behind: the next one takes it over.
    let mut first = first;
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(std::fs::symlink_metadata(&taken).is_ok());
    if !target.exists() {
        let (second, _) = start(&with_link);
        assert_eq!(info(&taken, 3_000_000).kind, kind::INFO | REPLY);
        end(second, "INT");
        assert!(std::fs::symlink_metadata(&taken).is_err());
    }
}

#[test]
fn a_board_runs_on_when_nobody_reads_what_it_says() {
    let (mut child, value) = start(&MODEL);
    drop((child.stdout.take(), child.stderr.take()));
    let port = PathBuf::from(value["port"].as_str().unwrap());
    for baud in [3_000_000, 9_600, 3_000_000] {
        // At another speed there is no answer, and something to be said.
        match baud {
            9_600 => drop(open(&port, baud)),
            _ => assert_eq!(info(&port, baud).kind, kind::INFO | REPLY),
        }
    }
    signal(&child, "INT");
    assert!(child.wait().unwrap().success());
}

#[test]
fn what_is_not_traced_has_no_beginning() {
    for extra in [
        &["--trace-from", "5"][..],
        &["--trace-cycles", "5"],
        &["--trace", "a.vcd", "--trace-cycles", "0"],
    ] {
        let output = firstspike(&[&MODEL[..], extra].concat()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{extra:?}");
    }
}

#[test]
fn another_core_is_what_info_tells() {
    let arguments = ["--board", "icebreaker", "--lanes", "8", "--banks", "2"];
    let (child, value) = start(&[&["board", "--sim", "model", "--json"], &arguments[..]].concat());
    let reply = info(Path::new(value["port"].as_str().unwrap()), 3_000_000);
    assert_eq!(reply.payload[7..10], [8, 0, 2]);
    end(child, "INT");
}

#[test]
fn bad_requests_are_one_sentence() {
    let model = ["board", "--board", "icebreaker", "--sim", "model"];
    let cases = [
        (vec!["--trace", "wave.vcd"], "--sim rtl"),
        (
            vec!["--link", "/no/such/folder/board"],
            "/no/such/folder/board",
        ),
        (vec!["--lanes", "12"], "12 lanes"),
    ];
    for (extra, expected) in cases {
        let output = firstspike(&[&model[..], &extra].concat()).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && output.stdout.is_empty());
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn a_missing_verilator_is_named() {
    let output = firstspike(&["board", "--board", "icebreaker", "--sim", "rtl"])
        .env("PATH", "")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success());
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.contains("`verilator` is not on the PATH"), "{text}");
}

#[test]
fn ctrl_c_while_the_board_is_compiled_leaves_nothing_half_done() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = firstspike(&["board", "--board", "icebreaker", "--sim", "rtl"])
        .current_dir(&folder)
        .env("XDG_CACHE_HOME", folder.path())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let cache = folder.path().join("firstspike/verilated");
    // The C++ compiler is at work when Verilator's makefile is there.
    while !partial(&cache).is_some_and(|folder| folder.join("Vtop.mk").exists()) {
        assert!(child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(5));
    }
    signal(&child, "INT");
    assert!(!child.wait().unwrap().success());
    let text = std::io::read_to_string(child.stderr.take().unwrap()).unwrap();
    assert!(text.contains("stopped while compiling"), "{text}");
    assert_eq!(partial(&cache), None);
}

/// The folder of a compilation that is not finished.
fn partial(cache: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(cache).ok()?;
    entries
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension() == Some(OsStr::new("partial")))
}
