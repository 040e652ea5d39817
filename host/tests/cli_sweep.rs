//! `sweep` as a user types it.
#![cfg(unix)]

mod common;

use common::{text, Place};
use serde_json::{json, Value};
use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Two rows of two seeds, quick to train.
const QUICK: &str = r#"
title = "Quick"
[defaults]
dataset = "digits"
layers = [64, 24, 10]
seeds = [1, 2]
epochs = 2
[[row]]
name = "plain"
[[row]]
name = "early"
note = "waits for less evidence"
patience = 0.5
learning-rate = 0.004
"#;

/// Two tasks that take some seconds each.
const SLOW: &str = r#"
title = "Slow"
[[row]]
name = "slow"
dataset = "digits"
layers = [64, 300, 10]
seeds = [1, 2]
epochs = 40
"#;

/// A folder to work in, with a sweep's file in it.
fn with(spec: &str) -> Place {
    let place = Place::new();
    fs::write(place.path("s.toml"), spec).unwrap();
    place
}

fn read_json(place: &Place, name: &str) -> Value {
    let text = fs::read_to_string(place.path(name)).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Starts a sweep and waits until there are so many checkpoints.
fn started(place: &Place, arguments: &[&str], checkpoints: usize) -> Child {
    let mut child = (place.command(arguments))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let found = || {
        let files = fs::read_dir(place.path("s")).into_iter().flatten();
        let names = files.map(|entry| entry.unwrap().file_name());
        let kept = names.filter(|name| name.to_string_lossy().ends_with(".checkpoint"));
        kept.count()
    };
    let began = Instant::now();
    while found() < checkpoints {
        if began.elapsed() > Duration::from_secs(120) {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("no checkpoint");
        }
        sleep(Duration::from_millis(5));
    }
    child
}

#[test]
fn a_sweep_trains_measures_and_makes_its_tables() {
    let place = with(QUICK);
    let listed = place.json(&["sweep", "s.toml", "--list"]);
    assert_eq!(listed["tasks"].as_array().unwrap().len(), 4);
    assert!(!place.path("s").exists());
    let swept = place.json(&["sweep", "s.toml", "--jobs", "2"]);
    assert_eq!(
        (&swept["tasks"], &swept["done"], &swept["failed"]),
        (&json!(4), &json!(4), &json!([]))
    );
    assert_eq!(
        place.files_in("s"),
        [
            "early-seed1.fsp",
            "early-seed1.json",
            "early-seed2.fsp",
            "early-seed2.json",
            "plain-seed1.fsp",
            "plain-seed1.json",
            "plain-seed2.fsp",
            "plain-seed2.json",
            "results.csv",
            "results.json",
            "table.md"
        ]
    );

    // The command in the record trains the very same file, and `eval` finds the same figures.
    let record = read_json(&place, "s/early-seed2.json");
    let command = record["command"].as_str().unwrap();
    let arguments: Vec<&str> = command.split(' ').skip(1).collect();
    assert!(arguments.contains(&"--learning-rate") && arguments.contains(&"0.004"));
    let trained = place.json(&arguments);
    let model = fs::read(place.path("early-seed2.fsp")).unwrap();
    assert!(model == fs::read(place.path("s/early-seed2.fsp")).unwrap());
    assert_eq!(record["test"]["accuracy"], trained["test_accuracy"]);
    assert_eq!(
        record["training"]["validation_accuracy"],
        trained["validation_accuracy"]
    );
    let measured = place.json(&["eval", "early-seed2.fsp", "--on", "model"]);
    for figure in [
        "images",
        "accuracy_tie_tolerant",
        "decision_step_mean",
        "decision_step_median",
        "decision_step_max",
        "hidden_spikes_before_decision_mean",
        "hidden_spikes_mean",
        "cycles_mean",
        "cycles_max",
        "mismatches",
    ] {
        assert_eq!(record["test"][figure], measured[figure], "{figure}");
    }
    assert_eq!(record["board"], "icebreaker");
    assert_eq!(record["weights"], 64 * 24 + 24 * 10);

    let table = fs::read_to_string(place.path("s/table.md")).unwrap();
    let rows: Vec<&str> = (table.lines()).filter(|l| l.contains("64-24-10")).collect();
    assert!(rows[0].starts_with("| plain | 64-24-10 | 16 | 1,776 | 2 | "));
    assert!(rows[1].contains(" ± ") && table.contains("- early: waits for less evidence"));
    assert!(table.contains("by `firstspike sweep s.toml`."), "{table}");
    let csv = fs::read_to_string(place.path("s/results.csv")).unwrap();
    assert_eq!(csv.lines().count(), 5);
    let all = read_json(&place, "s/results.json");
    assert_eq!(all["rows"][1]["results"][1], record);
}

#[test]
fn while_it_runs_only_held_out_figures_are_shown() {
    let place = with(QUICK);
    let output = place.run(&["sweep", "s.toml", "--only", "plain", "--seed", "2"]);
    assert!(output.status.success());
    let said = text(&output.stdout);
    let record = read_json(&place, "s/plain-seed2.json");
    let share = |part: &str, figure: &str| {
        let share = record[part][figure].as_f64().unwrap();
        format!("{:.2} %", 100.0 * share)
    };
    assert!(
        said.contains(&share("training", "validation_accuracy")),
        "{said}"
    );
    assert_ne!(
        share("training", "validation_accuracy"),
        share("test", "accuracy")
    );
    assert!(!said.contains(&share("test", "accuracy")), "{said}");
    // The table is of all rows, and says what is missing.
    let table = fs::read_to_string(place.path("s/table.md")).unwrap();
    assert!(
        table.contains("| 1 of 2 |") && table.contains("| 0 of 2 |"),
        "{table}"
    );
}

#[test]
fn what_is_done_is_done_again_only_when_it_has_to_be() {
    let place = with(QUICK);
    let one = ["sweep", "s.toml", "--only", "plain", "--seed", "1"];
    let done = || place.json(&one)["done"].clone();
    let modified = |name: &str| fs::metadata(place.path(name)).unwrap().modified().unwrap();
    assert_eq!(done(), 1);
    let (record, model) = (
        modified("s/plain-seed1.json"),
        modified("s/plain-seed1.fsp"),
    );
    assert_eq!(done(), 0);
    assert_eq!(modified("s/plain-seed1.json"), record);

    // Another board's core: measured again, not trained again.
    let cycles =
        |place: &Place| read_json(place, "s/plain-seed1.json")["test"]["cycles_mean"].clone();
    let before = cycles(&place);
    fs::write(
        place.path("s.toml"),
        format!("board = \"ulx3s-25f\"{QUICK}"),
    )
    .unwrap();
    let listed = place.json(&[&one[..], &["--list"]].concat());
    assert!(listed["tasks"][0]["state"]
        .as_str()
        .unwrap()
        .starts_with("trained"));
    assert_eq!(done(), 1);
    assert_eq!(modified("s/plain-seed1.fsp"), model);
    assert_ne!(cycles(&place), before);

    // The same board, by its name, with another core.
    let saved = ["explore", "--board", "ulx3s-25f", "--network", "64,24,10"];
    let saved = place.run(&[&saved[..], &["--save", "ulx3s-25f.toml"]].concat());
    assert!(saved.status.success(), "{}", text(&saved.stderr));
    let spec = format!("board = \"ulx3s-25f.toml\"{QUICK}");
    fs::write(place.path("s.toml"), spec).unwrap();
    assert_eq!((done(), done()), (1.into(), 0.into()));
    assert_eq!(modified("s/plain-seed1.fsp"), model);

    // A model that is another than the record says, none at all, and other options: trained again.
    fs::write(place.path("s/plain-seed1.fsp"), "something else").unwrap();
    assert_eq!(done(), 1);
    fs::remove_file(place.path("s/plain-seed1.fsp")).unwrap();
    assert_eq!(done(), 1);
    fs::write(
        place.path("s.toml"),
        QUICK.replace("epochs = 2", "epochs = 3"),
    )
    .unwrap();
    let table = place.json(&["sweep", "s.toml", "--table"]);
    assert_eq!(table["done"], 0);
    let text = fs::read_to_string(place.path("s/table.md")).unwrap();
    assert!(text.contains("No result yet"), "{text}");
    assert_eq!(done(), 1);
    assert_eq!(
        read_json(&place, "s/plain-seed1.json")["training"]["epochs"],
        3
    );
}

#[test]
fn a_sweep_that_was_killed_goes_on_to_the_same_models() {
    let place = with(SLOW);
    let arguments = ["sweep", "s.toml", "--jobs", "2"];
    let mut child = started(&place, &arguments, 2);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!place.path("s/slow-seed1.json").exists() && !place.path("s/slow-seed2.json").exists());
    let output = place.run(&arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    for seed in [1, 2] {
        assert!(
            said.contains(&format!("slow seed {seed}: goes on after epoch ")),
            "{said}"
        );
        let record = read_json(&place, &format!("s/slow-seed{seed}.json"));
        let command = record["command"].as_str().unwrap().to_owned();
        place.json(&command.split(' ').skip(1).collect::<Vec<_>>());
        let name = format!("slow-seed{seed}.fsp");
        let read = |path: &str| fs::read(place.path(path)).unwrap();
        assert!(read(&name) == read(&format!("s/{name}")));
        assert!(record["training"]["seconds"].as_f64().unwrap() > 0.0);
    }
    let left = place.files_in("s").into_iter();
    let left: Vec<String> = left
        .filter(|f| f.ends_with("checkpoint") || f.ends_with("seconds"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn ctrl_c_keeps_the_checkpoints_and_says_how_to_go_on() {
    let place = with(SLOW);
    let child = started(&place, &["sweep", "s.toml", "--jobs", "1"], 1);
    let id = child.id().to_string();
    assert!(Command::new("kill")
        .args(["-INT", &id])
        .status()
        .unwrap()
        .success());
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success());
    let error = text(&output.stderr);
    assert!(
        error.ends_with(
            "error: interrupted, with 0 of 2 tasks done; the same command goes on with the rest\n"
        ),
        "{error}"
    );
    assert!(place.path("s/slow-seed1.fsp.checkpoint").exists());
    assert!(!place.path("s/slow-seed1.fsp").exists() && !place.path("s/slow-seed2.fsp").exists());
    let listed = place.json(&["sweep", "s.toml", "--list"]);
    let states: Vec<&Value> = (listed["tasks"].as_array().unwrap().iter())
        .map(|task| &task["state"])
        .collect();
    assert_eq!(states, [&json!("begun"), &json!("to do")]);

    // What is kept is of another run now, or of none: said, and begun anew.
    fs::write(
        place.path("s.toml"),
        SLOW.replace("epochs = 40", "epochs = 1"),
    )
    .unwrap();
    let damaged = "firstspike checkpoint 1\nsomething else";
    fs::write(place.path("s/slow-seed2.fsp.checkpoint"), damaged).unwrap();
    let output = place.run(&["sweep", "s.toml"]);
    assert!(output.status.success());
    let said = text(&output.stdout);
    for why in [
        "slow seed 1: starts anew: it is of a run with another epochs: 40 then, 1 now",
        "slow seed 2: starts anew: cannot go on from",
    ] {
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn a_task_that_fails_does_not_stop_the_others() {
    let place = with(&QUICK.replace("patience = 0.5", "patience = 0.5\nlayers = [64, 2000, 10]"));
    // As on a disk that fills: the models of the large network are longer than any file may be, 12 KB.
    let program = env!("CARGO_BIN_EXE_firstspike");
    let limited = format!("ulimit -f 24; exec '{program}' sweep s.toml --json --jobs 1");
    let output = Command::new("sh")
        .args(["-c", &limited])
        .current_dir(place.path("."))
        .output()
        .unwrap();
    assert!(!output.status.success());
    let swept: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&swept["done"], &swept["failed"][0]["row"]),
        (&json!(2), &json!("early"))
    );
    assert_eq!(swept["failed"].as_array().unwrap().len(), 2);
    let error = text(&output.stderr);
    let last = error.lines().last().unwrap();
    assert!(
        last.starts_with(
            "error: 2 of 4 tasks failed: early seed 1: cannot write s/early-seed1.fsp"
        ) && last.contains("File too large"),
        "{error}"
    );
    let table = fs::read_to_string(place.path("s/table.md")).unwrap();
    assert!(table.contains("| 0 of 2 |"), "{table}");
}

#[test]
fn what_cannot_be_written_is_said_before_anything_is_trained() {
    let place = with(QUICK);
    // No record can be written where there is a folder.
    fs::create_dir_all(place.path("s/plain-seed2.json/x")).unwrap();
    let error = place.error(&["sweep", "s.toml"]);
    assert!(
        error.contains("cannot write s/plain-seed2.json") && error.contains("it is a folder"),
        "{error}"
    );
    assert_eq!(place.files_in("s"), ["plain-seed2.json"]);
}

#[test]
fn a_network_that_fits_no_core_has_no_cycles() {
    let spec = QUICK
        .replace("[64, 24, 10]", "[64, 3000, 10]")
        .replace("epochs = 2", "epochs = 1");
    let place = with(&format!("board = \"icestick\"{spec}"));
    place.json(&["sweep", "s.toml", "--only", "plain", "--seed", "1"]);
    let record = read_json(&place, "s/plain-seed1.json");
    assert!(record["test"]["cycles_mean"].is_null() && record["test"]["cycles_max"].is_null());
    assert_eq!(record["test"]["images"], 355);
    let csv = fs::read_to_string(place.path("s/results.csv")).unwrap();
    assert!(csv.contains(",icestick,,,,"), "{csv}");
}

#[test]
fn a_sweep_that_cannot_be_says_so_at_once() {
    let place = with(QUICK);
    let refused = |spec: &str, arguments: &[&str], says: &str| {
        fs::write(place.path("s.toml"), spec).unwrap();
        let error = place.error(&[&["sweep", "s.toml"], arguments].concat());
        assert!(error.contains(says), "{error}");
        assert!(!place.path("s").exists());
    };
    let wrong = QUICK.replace("epochs", "epoch");
    refused(
        &wrong,
        &[],
        "s.toml, line 7: there is no key `epoch`, did you mean `epochs`?",
    );
    let wrong = QUICK.replace("patience = 0.5", "patience = -1");
    refused(
        &wrong,
        &[],
        "s.toml, line 10: row `early`: the patience is out of range",
    );
    let wrong = QUICK.replace("[64, 24, 10]", "[784, 24, 10]");
    refused(
        &wrong,
        &[],
        "line 8: row `plain`: --layers 784,24,10 does not fit digits",
    );
    let wrong = QUICK.replace("\"digits\"", "\"digitz\"");
    refused(
        &wrong,
        &[],
        "line 8: row `plain`: there is no data set named 'digitz'",
    );
    refused(
        QUICK,
        &["--only", "plane"],
        "no row `plane` in s.toml; its rows are plain, early",
    );
    refused(QUICK, &["--seed", "3"], "no chosen row has that --seed");
    let output = place.error(&["sweep", "none.toml"]);
    assert!(output.contains("cannot read none.toml"), "{output}");
}
