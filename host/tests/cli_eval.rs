//! `eval` on something other than the golden reference, as a user types it.

use firmware_model::network::{Layer, Network};
use firstspike::model_file::{self, Encoding, ModelFile};
use serde_json::Value;
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
    assert!(report["cycles_max"].as_f64() >= report["cycles_mean"].as_f64());
}

#[test]
fn a_network_that_is_too_large_hears_what_would_fit() {
    let folder = tempfile::tempdir().unwrap();
    let path = model(folder.path(), 2_000);
    let said = error(&[&path, "--on", "model", "--board", "ulx3s-25f"]);
    assert!(
        said.contains("hidden layer 1 has 2000 neurons, the core takes 1024"),
        "{said}"
    );
    assert!(said.contains("layers of 64,992,10 would"), "{said}");
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
