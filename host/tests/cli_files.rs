//! What a command writes takes the place of nothing that is somebody's, and is not lost.

#![cfg(unix)]

mod common;

use common::{text, Place};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{symlink, FileTypeExt};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Long enough for a busy machine; a test that passes does not wait for it.
const LIMIT: Duration = Duration::from_secs(60);

const SHORT: [&str; 5] = ["train", "--layers", "64,16,10", "--epochs", "2"];
const LONG: [&str; 5] = ["train", "--layers", "64,16,10", "--epochs", "100000"];

/// Trains a small model into `m.fsp`.
fn with_model() -> Place {
    let place = Place::new();
    train(&place, &["--out", "m.fsp"]);
    place
}

fn train(place: &Place, more: &[&str]) -> Value {
    place.json(&[&SHORT[..], more].concat())
}

fn is_model(bytes: &[u8]) -> bool {
    bytes.get(8) == Some(&b'{') && text(bytes).contains("\"firstspike\"")
}

fn shell(place: &Place, script: &str) -> Output {
    Command::new("bash")
        .args(["-c", script])
        .current_dir(place.path("."))
        .env("FIRSTSPIKE", env!("CARGO_BIN_EXE_firstspike"))
        .output()
        .unwrap()
}

/// Starts a training without an end, and waits until its first epoch is behind it.
fn started(place: &Place, arguments: &[&str]) -> Child {
    let child = (place.command(arguments))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let began = Instant::now();
    let has_checkpoint = |name: &String| name.ends_with(".checkpoint");
    while !place.files().iter().any(has_checkpoint) {
        assert!(began.elapsed() < LIMIT, "no checkpoint");
        sleep(Duration::from_millis(10));
    }
    child
}

fn signal(child: &Child, name: &str) {
    let kill = Command::new("kill")
        .args([format!("-{name}"), child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
}

/// How a child ended, that must end soon.
fn ended(mut child: Child) -> Output {
    let began = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if began.elapsed() > LIMIT {
            child.kill().unwrap();
            panic!("it did not end");
        }
        sleep(Duration::from_millis(10));
    }
    child.wait_with_output().unwrap()
}

#[test]
fn devices_and_pipes_are_written_into_and_stay() {
    let place = with_model();
    let pipe = place.path("pipe");
    mkfifo(&pipe, Mode::S_IRWXU).unwrap();
    let through = |arguments: &[&str]| {
        let reader = {
            let pipe = pipe.clone();
            std::thread::spawn(move || fs::read(pipe).unwrap())
        };
        let output = place.run(arguments);
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
        reader.join().unwrap()
    };
    let model = fs::read(place.path("m.fsp")).unwrap();
    assert!(through(&[&SHORT[..], &["--out", "pipe"]].concat()) == model);
    let csv = through(&[&SHORT[..], &["--out", "m.fsp", "--curves", "pipe"]].concat());
    assert!(csv.starts_with(b"epoch,"));
    let verilog = through(&["generate", "--board", "icebreaker", "--out", "pipe"]);
    assert!(text(&verilog).contains("endmodule"));
    assert!(text(&through(&["report", "m.fsp", "--out", "pipe"])).ends_with("</html>\n"));
    // No checkpoint lies beside a device or a pipe.
    train(&place, &["--out", "/dev/null"]);
    let null = fs::symlink_metadata("/dev/null").unwrap().file_type();
    assert!(null.is_char_device() && !Path::new("/dev/null.checkpoint").exists());
    assert_eq!(place.files(), ["m.fsp", "pipe"]);
    let error = place.error(&["train", "--out", "pipe", "--resume"]);
    assert!(error.contains("leave --resume out"), "{error}");
}

#[test]
fn what_goes_to_standard_output_is_the_file_alone() {
    let place = with_model();
    let script = "$FIRSTSPIKE train --layers 64,16,10 --epochs 2 --out /dev/stdout >one.fsp; \
                  $FIRSTSPIKE train --layers 64,16,10 --epochs 2 --out /dev/stdout | cat >two.fsp; \
                  $FIRSTSPIKE generate --board icebreaker --out /dev/stderr 2>core.v";
    let output = shell(&place, script);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let read = |name| fs::read(place.path(name)).unwrap();
    assert!(read("one.fsp") == read("m.fsp") && read("two.fsp") == read("m.fsp"));
    assert!(text(&read("core.v")).contains("endmodule"));
    assert!(text(&output.stderr).contains("written to /dev/stdout"));
    let output = place.run(&["train", "--out", "/dev/stdout", "--json"]);
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("give the name of a file"));
}

#[test]
fn links_stay_and_folders_and_sockets_are_refused() {
    let place = with_model();
    fs::create_dir(place.path("there")).unwrap();
    symlink("there/model.fsp", place.path("link.fsp")).unwrap();
    for _ in 0..2 {
        train(&place, &["--out", "link.fsp"]);
        assert!(place.path("link.fsp").is_symlink());
        assert!(is_model(&fs::read(place.path("there/model.fsp")).unwrap()));
    }
    let _socket = std::os::unix::net::UnixListener::bind(place.path("socket")).unwrap();
    for (name, what) in [("socket", "socket"), ("there", "folder")] {
        for arguments in [
            &["train", "--out", name][..],
            &["train", "--curves", name, "--force"],
            &["report", "m.fsp", "--out", name],
            &["generate", "--board", "icebreaker", "--out", name],
        ] {
            let error = place.error(arguments);
            assert!(error.contains(&format!("it is a {what}")), "{error}");
        }
    }
    symlink("round", place.path("round")).unwrap();
    place.error(&["train", "--out", "round"]);
}

#[test]
fn an_input_is_never_an_output() {
    let place = with_model();
    write_npz(&place, "d.npz");
    fs::create_dir(place.path("folder")).unwrap();
    fs::hard_link(place.path("d.npz"), place.path("folder/same")).unwrap();
    symlink("m.fsp", place.path("alias.fsp")).unwrap();
    let boards = concat!(env!("CARGO_MANIFEST_DIR"), "/../constraints/");
    for file in ["icebreaker.toml", "icebreaker.pcf"] {
        fs::copy(format!("{boards}{file}"), place.path(file)).unwrap();
    }
    fs::write(place.path("s.toml"), SWEEP).unwrap();
    let explore = [
        "explore",
        "--network",
        "64,16,10",
        "--board",
        "icebreaker.toml",
    ];
    let cases: Vec<Vec<&str>> = vec![
        vec!["train", "--dataset", "d.npz", "--out", "d.npz"],
        vec!["train", "--dataset", "d.npz", "--out", "./folder/../d.npz"],
        vec!["train", "--dataset", "d.npz", "--out", "folder/same"],
        vec!["train", "--dataset", "d.npz", "--curves", "d.npz"],
        vec!["report", "m.fsp", "--out", "m.fsp"],
        vec!["report", "m.fsp", "--out", "alias.fsp"],
        vec!["report", "alias.fsp", "--out", "m.fsp"],
        vec!["eval", "m.fsp", "--dataset", "d.npz", "--out", "d.npz"],
        vec![
            "generate",
            "--board",
            "icebreaker.toml",
            "--out",
            "icebreaker.toml",
        ],
        vec![
            "generate",
            "--board",
            "icebreaker.toml",
            "--out",
            "icebreaker.pcf",
        ],
        [&explore[..], &["--save", "icebreaker.toml"]].concat(),
    ];
    for arguments in cases {
        let error = place.error(&[&arguments[..], &["--force"]].concat());
        assert!(error.contains("is read: give another name"), "{error}");
    }
    for twice in [
        ["--out", "n.fsp", "--curves", "./n.fsp"],
        ["--out", "n.fsp", "--plot", "n.fsp.checkpoint"],
    ] {
        let error = place.error(&[&SHORT[..], &twice].concat());
        assert!(error.contains("is to be written twice"), "{error}");
    }
}

#[test]
fn what_somebody_else_wrote_is_replaced_only_when_asked_for() {
    let place = with_model();
    let mine = || fs::write(place.path("mine"), "my notes\n").unwrap();
    let train = ["train", "--layers", "64,16,10", "--epochs", "2"];
    let board = ["--board", "icebreaker"];
    let cases: Vec<Vec<&str>> = vec![
        [&train[..], &["--out", "mine"]].concat(),
        [&train[..], &["--out", "n.fsp", "--curves", "mine"]].concat(),
        [&train[..], &["--out", "n.fsp", "--plot", "mine"]].concat(),
        vec!["report", "m.fsp", "--out", "mine"],
        [&["generate", "--out", "mine"][..], &board].concat(),
    ];
    for arguments in cases {
        mine();
        let error = place.error(&arguments);
        assert!(
            error.contains("mine is there, and is not") && error.contains("--force"),
            "{error}"
        );
        assert_eq!(fs::read(place.path("mine")).unwrap(), b"my notes\n");
        place.json(&[&arguments[..], &["--force"]].concat());
        assert_ne!(fs::read(place.path("mine")).unwrap(), b"my notes\n");
        // What this program wrote, and what is empty, may go.
        place.json(&arguments);
        fs::write(place.path("mine"), "").unwrap();
        place.json(&arguments);
        fs::remove_file(place.path("mine")).unwrap();
    }
    // A file of its own, but of another kind.
    let error = place.error(&["report", "m.fsp", "--out", "n.fsp"]);
    assert!(error.contains("is not a report"), "{error}");
    // What is called like a checkpoint, and is none.
    fs::write(place.path("k.fsp.checkpoint"), "mine").unwrap();
    let error = place.error(&[&train[..], &["--out", "k.fsp"]].concat());
    assert!(error.contains("is not a checkpoint"), "{error}");
}

#[test]
fn a_board_file_and_a_folder_of_results_are_no_exception() {
    let place = Place::new();
    let explore = ["explore", "--board", "icebreaker", "--network", "64,16,10"];
    let save = [&explore[..], &["--save", "mine.toml"]].concat();
    fs::write(place.path("mine.toml"), "[mine]\n").unwrap();
    assert!(place.error(&save).contains("is not a board file"));
    fs::remove_file(place.path("mine.toml")).unwrap();
    place.json(&save);
    place.json(&save);
    let draw = [&explore[..], &["--out", "mine.svg"]].concat();
    fs::write(place.path("mine.svg"), "<svg/>").unwrap();
    assert!(place.error(&draw).contains("is not a picture"));

    fs::write(place.path("s.toml"), SWEEP).unwrap();
    fs::create_dir(place.path("s")).unwrap();
    for name in [
        "table.md",
        "results.csv",
        "results.json",
        "a-seed1.json",
        "a-seed1.fsp",
    ] {
        let path = place.path("s").join(name);
        fs::write(&path, "mine").unwrap();
        let error = place.error(&["sweep", "s.toml"]);
        assert!(error.contains(&format!("s/{name} is there")), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"mine");
        fs::remove_file(path).unwrap();
    }
    assert_eq!(place.json(&["sweep", "s.toml"])["done"], 1);
}

const SWEEP: &str =
    "title = \"One\"\n[[row]]\nname = \"a\"\ndataset = \"digits\"\nlayers = [64, 16, 10]\n\
                     seeds = [1]\nepochs = 1\n";

#[test]
fn inputs_of_one_name_do_not_share_their_default_output() {
    let place = Place::new();
    for folder in ["a", "b"] {
        fs::create_dir(place.path(folder)).unwrap();
        write_npz(&place, &format!("{folder}/d.npz"));
        fs::write(place.path(folder).join("s.toml"), SWEEP).unwrap();
    }
    let train = |data| vec!["train", "--dataset", data, "--epochs", "1"];
    place.json(&train("a/d.npz"));
    let model = fs::read(place.path("d.fsp")).unwrap();
    let error = place.error(&train("b/d.npz"));
    assert!(
        error.contains("d.fsp is of another data set, a/d.npz") && error.contains("--out"),
        "{error}"
    );
    assert!(fs::read(place.path("d.fsp")).unwrap() == model);
    place.json(&train("./a/d.npz"));

    // `m.fsp` and `m` in one folder.
    fs::rename(place.path("d.fsp"), place.path("m.fsp")).unwrap();
    place.json(&["report", "m.fsp"]);
    fs::copy(place.path("m.fsp"), place.path("m")).unwrap();
    let error = place.error(&["report", "m"]);
    assert!(
        error.contains("m.html is about another model than m:"),
        "{error}"
    );
}

#[test]
fn sweeps_of_one_name_do_not_share_their_folder() {
    let place = Place::new();
    for folder in ["a", "b"] {
        fs::create_dir(place.path(folder)).unwrap();
        fs::write(place.path(folder).join("s.toml"), SWEEP).unwrap();
    }
    place.json(&["sweep", "a/s.toml"]);
    let error = place.error(&["sweep", "b/s.toml"]);
    assert!(
        error.contains("s has the results of another sweep, a/s.toml"),
        "{error}"
    );
    place.json(&["sweep", "./a/s.toml"]);
    place.json(&["sweep", "b/s.toml", "--out", "b/s"]);
}

#[test]
fn where_a_model_goes_is_tried_before_it_is_trained() {
    let place = Place::new();
    for name in ["/proc/m.fsp", "/sys/m.fsp", "no/such/m.fsp"] {
        let began = Instant::now();
        let output = place.run(&[&LONG[..], &["--out", name]].concat());
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains(&format!("cannot write {name}")));
        assert!(output.stdout.is_empty() && began.elapsed() < LIMIT);
    }
    // No room: a model of this size is longer than a file may be.
    let output = shell(
        &place,
        "ulimit -f 8; $FIRSTSPIKE train --layers 64,2000,10 --epochs 100000 --out m.fsp",
    );
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let error = text(&output.stderr);
    assert!(
        error.contains("cannot write m.fsp") && !error.contains("panicked"),
        "{error}"
    );
    assert!(output.stdout.is_empty());
    assert_eq!(place.files(), [""; 0]);
}

#[test]
fn a_model_that_cannot_be_written_where_it_was_to_go_is_kept_elsewhere() {
    let place = with_model();
    let model = fs::read(place.path("m.fsp")).unwrap();
    // A full device.
    let output = place.run(&[&SHORT[..], &["--out", "/dev/full", "--json"]].concat());
    assert_eq!(output.status.code(), Some(1));
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["model"], "full.rescued.fsp");
    let error = text(&output.stderr);
    assert!(
        error.contains("a model is kept as full.rescued.fsp instead"),
        "{error}"
    );
    assert!(fs::read(place.path("full.rescued.fsp")).unwrap() == model);

    // A folder that goes away meanwhile.
    fs::create_dir(place.path("folder")).unwrap();
    let arguments = [&LONG[..], &["--out", "folder/n.fsp"]].concat();
    let child = (place.command(&arguments))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while !place.path("folder/n.fsp.checkpoint").exists() && began.elapsed() < LIMIT {
        sleep(Duration::from_millis(10));
    }
    fs::rename(place.path("folder"), place.path("elsewhere")).unwrap();
    signal(&child, "INT");
    let output = ended(child);
    assert_eq!(output.status.code(), Some(130));
    assert!(text(&output.stderr).contains("kept as n.rescued.fsp"));
    assert!(is_model(&fs::read(place.path("n.rescued.fsp")).unwrap()));

    // Something of somebody's that has come meanwhile.
    let child = started(&place, &[&LONG[..], &["--out", "o.fsp"]].concat());
    fs::write(place.path("o.fsp"), "mine").unwrap();
    signal(&child, "INT");
    let output = ended(child);
    assert!(text(&output.stderr).contains("kept as o.rescued.fsp"));
    assert_eq!(fs::read(place.path("o.fsp")).unwrap(), b"mine");
    assert!(is_model(&fs::read(place.path("o.rescued.fsp")).unwrap()));
}

#[test]
fn closed_streams_neither_panic_nor_lose_a_model() {
    let place = Place::new();
    write_npz(&place, "d.npz");
    let train = "$FIRSTSPIKE train --dataset d.npz";
    let script = format!(
        "set -o pipefail
         {train} --json --out 1.fsp 2> >(head -1 >/dev/null) >1.json || exit 1
         {train} --out 2.fsp 2>&1 | head -1 >/dev/null || exit 2
         {train} --out 3.fsp >&- 2>&- || exit 3
         {train} --json --out 4.fsp 2>&- >4.json || exit 4
         {train} --out 5.fsp >/dev/full 2>5.txt && exit 5
         {train} --out 6.fsp 2>/dev/full >/dev/null || exit 6
         exit 0"
    );
    let output = shell(&place, &script);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let read = |name: &str| fs::read(place.path(name)).unwrap();
    for number in 1..=6 {
        assert!(is_model(&read(&format!("{number}.fsp"))), "{number}");
    }
    for name in ["1.json", "4.json"] {
        serde_json::from_slice::<Value>(&read(name)).unwrap();
    }
    let said = text(&read("5.txt"));
    assert!(said.contains("cannot write to standard output"), "{said}");
}

#[test]
fn a_board_whose_standard_error_is_closed_goes_on() {
    let place = with_model();
    let arguments = ["board", "--board", "icebreaker", "--sim", "model", "--json"];
    let mut child = (place.command(&arguments))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    let value: Value = serde_json::from_str(&line).unwrap();
    let port = value["port"].as_str().unwrap();
    place.json(&["deploy", "m.fsp", "--port", port]);
    let infer = [
        "infer",
        "m.fsp",
        "--port",
        port,
        "--dataset",
        "digits",
        "--limit",
        "2",
    ];
    assert!(place.run(&infer).status.success());
    signal(&child, "TERM");
    assert!(ended(child).status.success());
}

#[test]
fn a_signal_ends_training_with_its_status_and_the_model_of_the_best_epoch() {
    let place = Place::new();
    for (name, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let out = format!("{name}.fsp");
        let child = started(&place, &[&LONG[..], &["--out", &out, "--json"]].concat());
        signal(&child, name);
        let output = ended(child);
        assert_eq!(output.status.code(), Some(code), "{name}");
        let value: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(value["stopped"], true);
        assert!(is_model(&fs::read(place.path(&out)).unwrap()));
        fs::remove_file(place.path(&format!("{out}.checkpoint"))).unwrap();
    }
    // Under nohup the end of the terminal is not the end.
    let script = "trap '' HUP; $FIRSTSPIKE train --epochs 100000 --out nohup.fsp >nohup.txt & \
                  until [ -e nohup.fsp.checkpoint ]; do sleep 0.05; done; kill -HUP $!; sleep 0.5; \
                  kill -0 $! && kill -INT $!; wait $!";
    assert_eq!(shell(&place, script).status.code(), Some(130));
    // In a chain of commands the next one does not run.
    let script = "($FIRSTSPIKE train --epochs 100000 --out chain.fsp && touch deployed) & \
                  until [ -e chain.fsp.checkpoint ]; do sleep 0.05; done; pkill -INT -P $!; wait $!; echo $?";
    let output = shell(&place, script);
    assert_eq!(text(&output.stdout).lines().last(), Some("130"));
    assert!(place.path("chain.fsp").exists() && !place.path("deployed").exists());
}

#[test]
fn a_signal_ends_every_other_command_too() {
    let place = with_model();
    let pipe = place.path("pipe");
    mkfifo(&pipe, Mode::S_IRWXU).unwrap();
    // Its output goes into a pipe that nobody reads: it never ends by itself.
    for arguments in [
        &["generate", "--board", "icebreaker", "--out", "pipe"][..],
        &["report", "m.fsp", "--out", "pipe"],
    ] {
        let child = (place.command(arguments))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        sleep(Duration::from_millis(500));
        signal(&child, "TERM");
        assert_eq!(ended(child).status.code(), Some(143), "{arguments:?}");
    }
}

#[test]
fn the_error_is_json_where_json_is_asked_for() {
    let place = Place::new();
    for (arguments, code, says) in [
        (
            &["eval", "none.fsp", "--json"][..],
            1,
            "cannot read none.fsp",
        ),
        (&["train", "--threads", "0", "--json"], 2, "1..=256"),
        (&["--json", "train", "--threads", "1000000"], 2, "1..=256"),
        (&["--json", "sweep", "s.toml", "--jobs", "0"], 2, "1..=256"),
    ] {
        let output = place.run(arguments);
        assert_eq!(output.status.code(), Some(code));
        let value: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(value["error"].as_str().unwrap().contains(says), "{value}");
        assert!(text(&output.stderr).starts_with("error: "));
    }
}

#[test]
fn a_log_of_training_has_few_lines_and_the_best_epoch() {
    let place = Place::new();
    write_npz(&place, "d.npz");
    let arguments = ["train", "--dataset", "d.npz", "--epochs", "300"];
    let output = place.run(&arguments);
    let said = text(&output.stdout);
    let epochs: Vec<&str> = (said.lines())
        .filter(|line| line.starts_with("epoch "))
        .collect();
    assert!((2..40).contains(&epochs.len()), "{said}");
    assert!(epochs[0].starts_with("epoch   1 "), "{said}");
    assert!(said.contains("\nepoch 300 "), "{said}");
    let best = place.json(&arguments)["best_epoch"].as_u64().unwrap();
    let line = format!("epoch {best:>3} ");
    let line = epochs.iter().find(|epoch| epoch.starts_with(&line));
    assert!(
        line.is_some_and(|line| line.ends_with("best")),
        "{best}: {said}"
    );
}

#[test]
fn shells_get_their_completions() {
    let place = Place::new();
    for (shell, says) in [
        ("bash", "complete -F _firstspike"),
        ("zsh", "#compdef firstspike"),
        ("fish", "complete -c firstspike"),
        ("elvish", "edit:completion"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let output = place.run(&["completions", shell]);
        let script = text(&output.stdout);
        assert!(
            script.contains(says) && script.contains("dataset"),
            "{shell}"
        );
        assert_eq!(place.json(&["completions", shell])["shell"], shell);
    }
    let output = (place.command(&["completions"]))
        .env("SHELL", "/usr/bin/fish")
        .output();
    assert!(text(&output.unwrap().stdout).contains("complete -c firstspike"));
}

/// An archive of forty images of 2×3 pixels: left half bright, or right half.
fn write_npz(place: &Place, name: &str) {
    let images: Vec<u8> = (0..40)
        .flat_map(|index| match index % 2 {
            0 => [250, 100, 0, 200, 150, 0],
            _ => [0, 150, 200, 0, 100, 250],
        })
        .collect();
    let images = ndarray::Array3::from_shape_vec((40, 2, 3), images).unwrap();
    let labels = ndarray::Array1::from_iter((0..40).map(|index: u8| index % 2));
    let file = fs::File::create(place.path(name)).unwrap();
    let mut archive = ndarray_npy::NpzWriter::new(file);
    archive.add_array("x", &images).unwrap();
    archive.add_array("y", &labels).unwrap();
    archive.finish().unwrap();
}

/// A device without an end, and a link to one, in the place of what is read.
#[test]
fn what_has_no_end_is_refused() {
    let place = Place::new();
    let said = place.error(&["eval", "/dev/zero"]);
    assert!(said.contains("more than 1 GiB"), "{said}");
}
