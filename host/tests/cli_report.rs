//! `report` as a user types it.

use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use tempfile::TempDir;

/// A folder to work in, with a model in it.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Place(tempfile::tempdir().unwrap());
        let train = ["train", "--layers", "64,16,10", "--epochs", "2"];
        let output = place.run(&[&train[..], &["--out", "m.fsp"]].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        place
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_firstspike"))
            .args(arguments)
            .current_dir(self.0.path())
            .env("FIRSTSPIKE_DATA", self.0.path().join("cache"))
            .output()
            .unwrap()
    }

    /// The JSON of a command that must succeed.
    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("one JSON object and nothing else")
    }

    /// The error of a report that must fail: one sentence, and no file left.
    fn error(&self, arguments: &[&str]) -> String {
        let before = self.files();
        let output = self.run(&[&["report"], arguments].concat());
        assert!(!output.status.success());
        assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
        let error = text(&output.stderr);
        assert_eq!(error.trim_end().lines().count(), 1, "{error}");
        assert!(error.starts_with("error: ") && !error.contains("panicked"));
        assert_eq!(self.files(), before);
        error
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.0.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_page_is_written_beside_the_model() {
    let place = Place::new();
    let output = place.run(&["report", "m.fsp"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert!(said.contains("355 test images of digits"), "{said}");
    assert!(said.ends_with("written to m.html\n"), "{said}");
    assert_eq!(place.files(), ["m.fsp", "m.html"]);
    let html = fs::read_to_string(place.path("m.html")).unwrap();
    assert!(html.starts_with("<!DOCTYPE html>") && html.ends_with("</html>\n"));
    assert!(html.contains("Test image 0, of class 8"));
}

#[test]
fn the_figures_are_those_of_eval() {
    let place = Place::new();
    let report = place.json(&["report", "m.fsp", "--out", "page.html", "--image", "7"]);
    assert_eq!(place.files(), ["m.fsp", "page.html"]);
    assert_eq!(report["report"], "page.html");
    let eval = place.json(&["eval", "m.fsp"]);
    for figure in [
        "images",
        "accuracy",
        "accuracy_tie_tolerant",
        "decision_step_mean",
        "hidden_spikes_mean",
        "hidden_spikes_before_decision_mean",
        "silent",
    ] {
        assert!(!eval[figure].is_null(), "{figure}");
        assert_eq!(report[figure], eval[figure], "{figure}");
    }
    assert_eq!(report["image"]["index"], 7);
    assert_eq!(report["layers"], serde_json::json!([64, 16, 10]));
    assert_eq!(report["accuracy_by_step"].as_array().unwrap().len(), 16);
    assert_eq!(report["confusion"].as_array().unwrap().len(), 10);
    let html = fs::read_to_string(place.path("page.html")).unwrap();
    let shown = format!("Test image 7, of class {}, ", report["image"]["label"]);
    assert!(html.contains(&shown), "{shown}");
}

#[test]
fn what_is_wrong_is_said_in_one_sentence_with_what_to_do() {
    let place = Place::new();
    let error = place.error(&["mm.fsp"]);
    assert!(
        error.contains("cannot read mm.fsp; check the path"),
        "{error}"
    );
    let error = place.error(&["m.fsp", "--dataset", "digitz"]);
    assert!(error.contains("did you mean 'digits'?"), "{error}");
    let error = place.error(&["m.fsp", "--dataset", "mnist"]);
    assert!(error.contains("firstspike data fetch mnist"), "{error}");
    let error = place.error(&["m.fsp", "--image", "355"]);
    assert!(error.contains("give --image 0 to 354"), "{error}");
    let error = place.error(&["m.fsp", "--out", "no/such/page.html"]);
    assert!(error.contains("no/such does not exist"), "{error}");
    fs::create_dir(place.path("folder")).unwrap();
    let error = place.error(&["m.fsp", "--out", "folder"]);
    assert!(error.contains("cannot write folder; check"), "{error}");
}

#[test]
fn data_of_other_images_are_refused() {
    let place = Place::new();
    let folder = place.path("own");
    fs::create_dir(&folder).unwrap();
    for (part, count) in [("train", 4u32), ("t10k", 2)] {
        let header = |words: &[u32]| -> Vec<u8> {
            words.iter().flat_map(|word| word.to_be_bytes()).collect()
        };
        let images = [header(&[0x0803, count, 2, 3]), vec![9; 6 * count as usize]].concat();
        let labels: Vec<u8> = (0..count).map(|index| (index % 2) as u8).collect();
        let labels = [header(&[0x0801, count]), labels].concat();
        fs::write(folder.join(format!("{part}-images-idx3-ubyte")), images).unwrap();
        fs::write(folder.join(format!("{part}-labels-idx1-ubyte")), labels).unwrap();
    }
    let error = place.error(&["m.fsp", "--dataset", "own"]);
    assert!(error.contains("takes 64 inputs"), "{error}");
    assert!(
        error.contains("give the data set it was trained for (digits)"),
        "{error}"
    );
}

#[test]
fn the_model_is_never_overwritten() {
    let place = Place::new();
    let model = fs::read(place.path("m.fsp")).unwrap();
    let error = place.error(&["m.fsp", "--out", "./m.fsp"]);
    assert!(error.contains("give another --out"), "{error}");
    fs::rename(place.path("m.fsp"), place.path("m.html")).unwrap();
    let error = place.error(&["m.html"]);
    assert!(error.contains("give another --out"), "{error}");
    assert_eq!(fs::read(place.path("m.html")).unwrap(), model);
}

#[test]
fn an_older_page_is_replaced_whole_or_kept() {
    let place = Place::new();
    fs::write(place.path("m.html"), "an older page").unwrap();
    place.error(&["m.fsp", "--image", "9999"]);
    assert_eq!(
        fs::read_to_string(place.path("m.html")).unwrap(),
        "an older page"
    );
    place.json(&["report", "m.fsp"]);
    let html = fs::read_to_string(place.path("m.html")).unwrap();
    assert!(html.starts_with("<!DOCTYPE html>"));
}
