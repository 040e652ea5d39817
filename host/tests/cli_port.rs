//! `deploy`, `infer` and `bench` as a user calls them, on a virtual board.

use firmware_model::golden;
use firmware_model::network::{Layer, Network};
use firstspike::dataset;
use firstspike::model_file::{self, Encoding, InputRecord, ModelFile};
use ndarray::Array2;
use ndarray_npy::NpzWriter;
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use tempfile::TempDir;

fn firstspike(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_firstspike"))
        .args(arguments)
        .output()
        .unwrap()
}

/// The JSON object of a command that succeeds.
fn json(arguments: &[&str]) -> Value {
    let output = firstspike(&[&["--json"], arguments].concat());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The answers of `infer`, and its summary.
fn infer(arguments: &[&str]) -> (Vec<Value>, Value) {
    let output = firstspike(&[&["--json", "infer"], arguments].concat());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let lines = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<Value> = (lines.lines())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let summary = lines.pop().unwrap()["summary"].clone();
    assert_eq!(summary["images"], lines.len());
    (lines, summary)
}

/// The one sentence of a command that fails.
fn failure(arguments: &[&str]) -> String {
    let output = firstspike(arguments);
    assert!(!output.status.success() && output.stdout.is_empty());
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.trim_end().lines().count(), 1, "{text}");
    text
}

/// A virtual board that runs as long as this lives.
struct VirtualBoard {
    process: Child,
    port: String,
}

impl VirtualBoard {
    fn start(board: &str) -> Self {
        let arguments = ["--json", "board", "--board", board, "--sim", "model"];
        let mut process = Command::new(env!("CARGO_BIN_EXE_firstspike"))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        let told: Value = serde_json::from_str(&line).unwrap();
        let port = told["port"].as_str().unwrap().to_owned();
        VirtualBoard { process, port }
    }
}

impl Drop for VirtualBoard {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// A network of 64-`hidden`-10 for the digits, untrained: its answers are no good, but they are known.
fn network(hidden: usize) -> Network {
    let layer = |inputs: usize, neurons: usize, threshold: i32| {
        Layer::from_fn(inputs, vec![threshold; neurons], |j, i| {
            (j * 37 + i * 11 + i * j) % 13 < 7
        })
        .unwrap()
    };
    Network::new(16, vec![layer(64, hidden, 2), layer(hidden, 10, 2)]).unwrap()
}

fn write_model(folder: &Path, hidden: usize) -> PathBuf {
    let path = folder.join(format!("model-{hidden}.fsp"));
    let model = ModelFile {
        network: network(hidden),
        encoding: Encoding::Latency {
            steps: 16,
            maximum: 16,
        },
        input_shape: vec![8, 8],
        dataset: "digits".to_owned(),
        input: Some(InputRecord::of(&dataset::load("digits").unwrap())),
        training: None,
    };
    model_file::save(&model, &path).unwrap();
    path
}

/// A model file in a folder of its own, and a board.
fn set_up() -> (TempDir, String, VirtualBoard) {
    let folder = tempfile::tempdir().unwrap();
    let model = write_model(folder.path(), 40).to_str().unwrap().to_owned();
    (folder, model, VirtualBoard::start("icebreaker"))
}

#[test]
fn a_model_is_deployed_once_and_then_answers_as_the_golden_reference() {
    let (_folder, model, board) = set_up();
    let port = ["--port", &board.port];
    let named = [&["deploy", &model, "--board", "icebreaker"], &port[..]].concat();
    let first = json(&named);
    assert_eq!(
        (&first["loaded"], &first["recoveries"]),
        (&true.into(), &0.into())
    );
    assert!(first["bytes"].as_u64().unwrap() > 500);
    let again = json(&named);
    assert_eq!(
        (&again["loaded"], &again["checksum"]),
        (&false.into(), &first["checksum"])
    );
    assert_eq!(json(&[&named[..], &["--force"]].concat())["loaded"], true);

    let digits = dataset::load("digits").unwrap();
    for limit in ["7", "50"] {
        let given = [&model, "--dataset", "digits", "--limit", limit];
        let (results, summary) = infer(&[&given[..], &port].concat());
        assert_eq!(results.len().to_string(), limit);
        assert!(summary["accuracy"].is_number());
        for (index, found) in results.iter().enumerate() {
            let code = firstspike::encoding::Latency { steps: 16 };
            let train = code.encode(digits.test.image(index), digits.maximum);
            let expected = golden::run(&network(40), &train).unwrap().decision;
            assert_eq!(found["image"], index);
            assert_eq!(found["class"], expected.class);
            assert_eq!(found["class_name"], expected.class.to_string());
            assert_eq!(found["step"], expected.step);
            assert_eq!(found["silent"], expected.silent);
            assert_eq!(found["overshoot"], expected.overshoot);
            assert_eq!(found["label"], digits.test.labels[index]);
            assert_eq!(found["round_trip_ms"].is_number(), limit == "7");
        }
        // For people: a line an answer, and what they come to.
        let text = firstspike(&[&["infer"], &given[..], &port].concat()).stdout;
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text.contains("round trip ms"), limit == "7", "{text}");
        let table: Vec<&str> = text.lines().skip(2).take_while(|l| !l.is_empty()).collect();
        assert_eq!(table.len().to_string(), limit, "{text}");
        for (index, (line, found)) in table.iter().zip(&results).enumerate() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let class = found["class_name"].as_str().unwrap();
            assert_eq!(words[..2], [index.to_string().as_str(), class], "{line}");
        }
        assert!(text.contains("by class"), "{text}");
    }
}

#[test]
fn images_without_labels_come_from_npz_files() {
    let (folder, model, board) = set_up();
    json(&["deploy", &model, "--port", &board.port]);
    let write = |name: &str, count: usize, pixels: usize| {
        let path = folder.path().join(name);
        let mut archive = NpzWriter::new(File::create(&path).unwrap());
        let images = Array2::from_shape_fn((count, pixels), |(i, j)| ((i * 40 + j * 3) % 17) as u8);
        archive.add_array("x", &images).unwrap();
        archive.finish().unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (one, two) = (write("one.npz", 3, 64), write("two.npz", 2, 64));
    let port = ["--port", &board.port];
    let (answers, told) = infer(&[&[&*model, "--npz", &one, &two], &port[..]].concat());
    assert_eq!(answers.len(), 5);
    assert_eq!(
        (&told["accuracy"], &answers[0]["label"]),
        (&Value::Null, &Value::Null)
    );

    let wide = write("wide.npz", 2, 65);
    let message = failure(&[&["infer", &model, "--npz", &wide], &port[..]].concat());
    assert!(
        message.contains("65 values") && message.contains("8 rows × 8 columns"),
        "{message}"
    );
}

/// A picture of a digit, twice as large; dark on white where `inverted`.
fn write_digit(path: &Path, image: &[u8], inverted: bool) {
    let pixel = |row: usize, column: usize| {
        let value = (u32::from(image[row / 2 * 8 + column / 2]) * 255 / 16) as u8;
        if inverted {
            255 - value
        } else {
            value
        }
    };
    let pixels: Vec<u8> = (0..16 * 16).map(|i| pixel(i / 16, i % 16)).collect();
    let mut encoder = png::Encoder::new(File::create(path).unwrap(), 16, 16);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&pixels).unwrap();
}

#[test]
fn pictures_are_brought_to_the_shape_and_the_polarity_of_the_model() {
    let (folder, model, board) = set_up();
    let port = ["--port", &board.port];
    json(&["deploy", &model, "--port", &board.port]);
    let digits = dataset::load("digits").unwrap();
    let pictures = folder.path().join("pictures");
    std::fs::create_dir(&pictures).unwrap();
    for index in 0..12 {
        let path = pictures.join(format!("{index}.png"));
        write_digit(&path, digits.test.image(index), index % 2 == 1);
    }
    std::fs::write(pictures.join("notes.txt"), "no picture").unwrap();

    let folder_name = pictures.to_str().unwrap();
    let (answers, summary) = infer(&[&[&*model, folder_name], &port[..]].concat());
    assert_eq!((answers.len(), &summary["accuracy"]), (12, &Value::Null));
    for (index, found) in answers.iter().enumerate() {
        let code = firstspike::encoding::Latency { steps: 16 };
        let train = code.encode(digits.test.image(index), digits.maximum);
        let expected = golden::run(&network(40), &train).unwrap().decision;
        // In the order that people count in.
        let file = pictures.join(format!("{index}.png"));
        assert_eq!(found["file"], file.to_str().unwrap());
        assert_eq!(found["class"], expected.class, "{found}");
        assert_eq!(found["step"], expected.step, "{found}");
        assert_eq!(found["overshoot"], expected.overshoot, "{found}");
    }

    let one = pictures.join("3.png");
    let one = one.to_str().unwrap();
    let given = [&["infer", &model, one, "--show"], &port[..]].concat();
    let text = String::from_utf8(firstspike(&given).stdout).unwrap();
    assert!(text.contains("+----------------+\n|"), "{text}");
    assert!(text.contains(one), "{text}");

    let notes = pictures.join("notes.txt");
    let infer = |path: &Path| {
        let path = path.to_str().unwrap();
        failure(&[&["infer", &model, path], &port[..]].concat())
    };
    let message = infer(&notes);
    assert!(message.contains("notes.txt"), "{message}");
    let message = infer(&folder.path().join("nobody.png"));
    assert!(message.contains("nobody.png"), "{message}");
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let message = infer(&empty);
    assert!(message.contains("no JPEG or PNG files"), "{message}");
}

#[test]
fn only_the_model_on_the_board_is_asked() {
    let (folder, model, board) = set_up();
    let port = ["--port", &board.port];
    let infer =
        |model: &str| failure(&[&["infer", model, "--dataset", "digits"], &port[..]].concat());
    let message = infer(&model);
    assert!(message.contains("firstspike deploy"), "{message}");
    json(&[&["deploy", &model], &port[..]].concat());
    let other = write_model(folder.path(), 41);
    let message = infer(other.to_str().unwrap());
    assert!(message.contains("another model"), "{message}");
}

#[test]
fn what_is_wrong_with_a_port_a_board_or_a_model_is_one_sentence() {
    let (folder, model, board) = set_up();
    let port = board.port.as_str();
    let message = failure(&["deploy", &model, "--port", "/dev/ttyNOBODY"]);
    assert!(
        message.contains("there is no port /dev/ttyNOBODY"),
        "{message}"
    );
    let message = failure(&["deploy", &model, "--port", port, "--board", "ulx3s-25f"]);
    assert!(message.contains("another gateware"), "{message}");
    let large = write_model(folder.path(), 16_000);
    let message = failure(&["deploy", large.to_str().unwrap(), "--port", port]);
    assert!(
        message.contains("16000") && message.contains("would fit"),
        "{message}"
    );
    // The virtual board tells one baud rate from another as a real one does.
    let message = failure(&["deploy", &model, "--port", port, "--baud", "115200"]);
    assert!(
        message.contains("baud rate") || message.contains("nothing answers"),
        "{message}"
    );
    let held = firstspike::driver::Board::open(port, 3_000_000).unwrap();
    let message = failure(&["deploy", &model, "--port", port]);
    assert!(message.contains("is busy"), "{message}");
    drop(held);
    json(&["deploy", &model, "--port", port]);
}

/// 921,600 baud on an OrangeCrab, which has no USB chip of its own.
#[test]
fn a_board_that_is_named_is_talked_to_at_its_baud_rate() {
    let folder = tempfile::tempdir().unwrap();
    let model = write_model(folder.path(), 64);
    let model = model.to_str().unwrap();
    let board = VirtualBoard::start("orangecrab-25f");
    let port = ["--port", &board.port];
    failure(&[&["deploy", model], &port[..]].concat());
    let named = [&["deploy", model, "--board", "orangecrab-25f"], &port[..]].concat();
    json(&named);
    // What is given goes before what the board's file says.
    failure(&[&named[..], &["--baud", "115200"]].concat());
}

#[test]
fn bench_measures_a_model_or_a_random_network() {
    let (_folder, model, board) = set_up();
    let given = ["--port", &board.port, "--count", "60"];
    for what in [model.as_str(), "--random"] {
        let told = json(&[&["bench", what], &given[..]].concat());
        assert_eq!(
            (&told["images"], &told["recoveries"]),
            (&60.into(), &0.into())
        );
        assert!(told["inferences_per_second"].as_f64().unwrap() > 0.0);
        let percentile = |name: &str| told["round_trip_ms"][name].as_f64().unwrap();
        assert!(percentile("p50") <= percentile("p99") && percentile("p99") <= percentile("max"));
        // A digit takes 64 bytes or fewer, 137 spikes of 784 some 160; frames add to them.
        let sent = told["bytes_sent_per_image"].as_f64().unwrap();
        assert!((40.0..260.0).contains(&sent), "{sent}");
        assert!((10.0..30.0).contains(&told["bytes_received_per_image"].as_f64().unwrap()));
        let number = |name: &str| told[name].as_f64().unwrap();
        for share in ["core_busy_share", "core_idle_share", "line_use_to_board"] {
            assert!((0.01..1.0).contains(&number(share)), "{share}");
        }
        assert!(number("core_busy_cycles") + number("core_idle_cycles") <= number("clock_cycles"));
        assert!(["link", "core", "host"].contains(&told["bound_by"].as_str().unwrap()));
    }
}
