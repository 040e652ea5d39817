//! `eval` on something other than the golden reference, as a user types it.

use firmware_model::golden;
use firmware_model::network::{Layer, Network};
use firstspike::dataset;
use firstspike::model_file::{self, Encoding, InputRecord, ModelFile};
use ndarray::{Array1, Array2};
use ndarray_npy::NpzReader;
use serde_json::Value;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Output};

fn eval(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_firstspike"))
        .arg("eval")
        .args(arguments)
        .output()
        .unwrap()
}

/// The one sentence of a command that must fail.
fn error(arguments: &[&str]) -> String {
    let output = eval(arguments);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && output.stdout.is_empty());
    assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    assert!(
        said.starts_with("error: ") && !said.contains("panicked"),
        "{said}"
    );
    said
}

/// A model for the digits with `hidden` neurons, each taking one pixel's word for it.
fn model(folder: &Path, hidden: usize) -> String {
    let layer = |inputs, neurons| {
        Layer::from_fn(inputs, vec![1; neurons], |j, i| (7 * j + 3 * i) % 5 < 3).unwrap()
    };
    let model = ModelFile {
        network: Network::new(16, vec![layer(64, hidden), layer(hidden, 10)]).unwrap(),
        encoding: Encoding::Latency {
            steps: 16,
            maximum: 16,
        },
        input_shape: vec![8, 8],
        dataset: "digits".to_owned(),
        input: Some(InputRecord::of(&dataset::load("digits").unwrap())),
        training: None,
    };
    let path = folder.join("model.fsp");
    model_file::save(&model, &path).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn the_cycle_model_agrees_and_counts() {
    let folder = tempfile::tempdir().unwrap();
    let path = model(folder.path(), 100);
    let output = eval(&[&path, "--on", "model", "--board", "ulx3s-25f", "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["mismatches"], 0);
    assert!(report["images"].as_u64().unwrap() > 300);
    assert!(report["cycles_mean"].as_f64().unwrap() > 0.0);
    let number = |name: &str| report[name].as_f64().unwrap();
    assert!(number("cycles_max") >= number("cycles_p99"));
    assert!(number("cycles_p99") > number("cycles_median"));
    assert!(number("bound_cycles_mean") > 1.0);
    let over = number("cycles_mean") / number("bound_cycles_mean");
    assert_eq!(number("cycles_over_bound"), over);
    assert!(over >= 1.0, "{over} times the bound is too fast to be true");
}

#[test]
fn without_the_exit_the_decisions_are_the_same_and_cost_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = model(folder.path(), 100);
    let on_model = [&path, "--on", "model", "--board", "ulx3s-25f"];
    let report = |more: &[&str]| -> Value {
        let output = eval(&[&on_model[..], more].concat());
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let (stops, goes_on) = (report(&["--json"]), report(&["--json", "--no-exit"]));
    for same in ["accuracy", "decision_step_mean", "silent", "images"] {
        assert_eq!(stops[same], goes_on[same], "{same}");
    }
    assert_eq!(goes_on["mismatches"], 0);
    for more in ["cycles_mean", "cycles_median", "bound_cycles_mean"] {
        let [stops, goes_on] = [&stops, &goes_on].map(|report| report[more].as_f64().unwrap());
        assert!(
            stops < goes_on,
            "{more}: {stops} with the exit, {goes_on} without"
        );
    }
    assert!(stops["decision_step_mean"].as_f64().unwrap() < 15.0);

    let output = eval(&[&on_model[..], &["--no-exit"]].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("the memories' bound"), "{text}");
    let said = error(&[&path, "--no-exit"]);
    assert!(said.contains("--no-exit with --on model"), "{said}");
}

#[test]
fn a_network_that_is_too_large_hears_what_would_fit() {
    let folder = tempfile::tempdir().unwrap();
    let path = model(folder.path(), 2_000);
    let said = error(&[&path, "--on", "model", "--board", "ulx3s-25f"]);
    assert!(
        said.contains("the hidden layers take 500 rows of spikes in a bank, the core has 256"),
        "{said}"
    );
    assert!(
        said.contains("instead of 64,2000,10, 64,896,10 would fit") && said.contains("explore"),
        "{said}"
    );
}

#[test]
fn what_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = model(folder.path(), 20);
    let said = error(&[&path, "--on", "modle"]);
    assert!(
        said.contains("golden, model, rtl, or the path of a port"),
        "{said}"
    );
    let said = error(&[&path, "--on", "/dev/no-such-port"]);
    assert!(said.contains("/dev/no-such-port"), "{said}");
    let said = error(&[&path, "--on", "rtl", "--board", "icebraker"]);
    assert!(said.contains("icebreaker"), "{said}");
}

#[test]
fn the_answer_to_each_image_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = model(folder.path(), 30);
    let file = folder.path().join("results.npz");
    let out = file.to_str().unwrap();
    let given = [
        &path, "--on", "model", "--limit", "20", "--out", out, "--spikes", "--json",
    ];
    let output = eval(&given);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["images"], 20);

    let mut archive = NpzReader::new(File::open(&file).unwrap()).unwrap();
    let labels: Array1<i64> = archive.by_name("label").unwrap();
    let classes: Array1<i64> = archive.by_name("class").unwrap();
    let steps: Array1<i16> = archive.by_name("step").unwrap();
    let silent: Array1<bool> = archive.by_name("silent").unwrap();
    let overshoots: Array1<i32> = archive.by_name("overshoot").unwrap();
    let cycles: Array1<i64> = archive.by_name("cycles").unwrap();
    let layers = ["layer1", "layer2"].map(|name| archive.by_name(name).unwrap());
    let layers: [Array2<i16>; 2] = layers;
    let digits = dataset::load("digits").unwrap();
    let network = model_file::load(Path::new(&path)).unwrap().network;
    for image in 0..20 {
        let code = firstspike::encoding::Latency { steps: 16 };
        let spikes = code.encode(digits.test.image(image), digits.maximum);
        let trace = golden::run(&network, &spikes).unwrap();
        let decision = trace.decision;
        assert_eq!(labels[image], i64::from(digits.test.labels[image]));
        assert_eq!(classes[image], decision.class as i64);
        assert_eq!(steps[image], decision.step as i16);
        assert_eq!(silent[image], decision.silent);
        assert_eq!(overshoots[image], decision.overshoot);
        for (layer, fired) in layers.iter().zip(&trace.fire_steps) {
            let steps: Vec<i16> = (fired.iter())
                .map(|step| step.map_or(-1, |step| step as i16))
                .collect();
            assert_eq!(layer.row(image).to_vec(), steps);
        }
    }
    let mean = cycles.mapv(|cycles| cycles as f64).mean();
    assert_eq!(report["cycles_mean"].as_f64(), mean);

    // What the file would be is tried before anything is run.
    let message = error(&[&path, "--out", "results.txt"]);
    assert!(message.contains(".npz"), "{message}");
    let nowhere = folder.path().join("no/results.npz");
    let message = error(&[&path, "--out", nowhere.to_str().unwrap()]);
    assert!(message.contains("results.npz"), "{message}");
}
