//! `report` as a user types it.

mod common;

use common::{text, Place};
use std::fs;

/// A folder to work in, with a model in it.
fn with_model() -> Place {
    let place = Place::new();
    let train = ["train", "--layers", "64,16,10", "--epochs", "2"];
    let output = place.run(&[&train[..], &["--out", "m.fsp"]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    place
}

#[test]
fn a_page_is_written_beside_the_model() {
    let place = with_model();
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
    let place = with_model();
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
    let place = with_model();
    let error = place.error(&["report", "mm.fsp"]);
    assert!(
        error.contains("cannot read mm.fsp; check the path"),
        "{error}"
    );
    let error = place.error(&["report", "m.fsp", "--dataset", "digitz"]);
    assert!(error.contains("did you mean 'digits'?"), "{error}");
    let error = place.error(&["report", "m.fsp", "--dataset", "mnist"]);
    assert!(error.contains("firstspike data fetch mnist"), "{error}");
    let error = place.error(&["report", "m.fsp", "--image", "355"]);
    assert!(error.contains("give --image 0 to 354"), "{error}");
    let error = place.error(&["report", "m.fsp", "--out", "no/such/page.html"]);
    assert!(error.contains("no/such does not exist"), "{error}");
    fs::create_dir(place.path("folder")).unwrap();
    let error = place.error(&["report", "m.fsp", "--out", "folder"]);
    assert!(error.contains("cannot write folder; check"), "{error}");
}

#[test]
fn data_of_other_images_are_refused() {
    let place = with_model();
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
    let error = place.error(&["report", "m.fsp", "--dataset", "own"]);
    assert!(
        error.contains("are 2 rows × 3 columns, but the model takes 8 rows × 8 columns"),
        "{error}"
    );
}

#[test]
fn the_model_is_never_overwritten() {
    let place = with_model();
    let model = fs::read(place.path("m.fsp")).unwrap();
    let error = place.error(&["report", "m.fsp", "--out", "./m.fsp"]);
    assert!(error.contains("give another name"), "{error}");
    fs::rename(place.path("m.fsp"), place.path("m.html")).unwrap();
    assert_eq!(place.json(&["report", "m.html"])["report"], "m.html.html");
    assert_eq!(fs::read(place.path("m.html")).unwrap(), model);
}

#[test]
fn an_older_page_is_replaced_whole_or_kept() {
    let place = with_model();
    place.json(&["report", "m.fsp", "--image", "5"]);
    let older = fs::read(place.path("m.html")).unwrap();
    place.error(&["report", "m.fsp", "--image", "9999"]);
    assert!(fs::read(place.path("m.html")).unwrap() == older);
    place.json(&["report", "m.fsp"]);
    assert!(fs::read(place.path("m.html")).unwrap() != older);
    let html = fs::read_to_string(place.path("m.html")).unwrap();
    assert!(html.starts_with("<!DOCTYPE html>"));
}
