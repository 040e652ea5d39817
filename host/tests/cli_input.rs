//! A model is fed only what it was trained on: the same images give the same answers, however they come.

mod common;

use common::{text, Place};
use firstspike::dataset::{self, InputSpec};
use firstspike::model_file;
use ndarray::{Array, Array1, Dimension};
use ndarray_npy::{NpzWriter, WritableElement};
use std::fs;
use std::path::Path;

/// Rows and columns of the pictures here.
const SIDE: usize = 8;

/// A picture on this ground: a darker thing, high for class 0 and low for class 1, more to the left or to the right.
fn bar(class: usize, index: usize, ground: u8) -> Vec<u8> {
    let rows = [1..4, 4..7][class].clone();
    let columns = 1 + index % 2..6 + index % 2;
    let is_thing = |pixel| rows.contains(&(pixel / SIDE)) && columns.contains(&(pixel % SIDE));
    (0..SIDE * SIDE)
        .map(|pixel| if is_thing(pixel) { 20 } else { ground })
        .collect()
}

fn write_png(path: &Path, pixels: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let side = SIDE as u32;
    let mut encoder = png::Encoder::new(fs::File::create(path).unwrap(), side, side);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(pixels).unwrap();
}

/// A folder of pictures on this ground, 30 of each class; the names of the classes are in the order of their numbers.
fn write_bars(place: &Place, folder: &str, names: [&str; 2], ground: u8) {
    for (class, name) in names.iter().enumerate() {
        for index in 0..30 {
            let path = place
                .path(folder)
                .join(name)
                .join(format!("{index:02}.png"));
            write_png(&path, &bar(class, index, ground));
        }
    }
}

/// An archive of these arrays.
struct Npz(NpzWriter<fs::File>);

impl Npz {
    fn new(path: &Path) -> Self {
        Npz(NpzWriter::new_compressed(fs::File::create(path).unwrap()))
    }

    fn with<T: WritableElement, D: Dimension>(mut self, name: &str, array: &Array<T, D>) -> Self {
        self.0.add_array(name, array).unwrap();
        self
    }

    fn done(self) {
        self.0.finish().unwrap();
    }
}

/// The same pictures as an archive.
fn write_bars_npz(place: &Place, name: &str, ground: u8) {
    let all = (0..60).map(|index| (index / 30, index % 30));
    let pixels: Vec<u8> = all
        .clone()
        .flat_map(|(class, index)| bar(class, index, ground))
        .collect();
    let x = Array::from_shape_vec((60, SIDE, SIDE), pixels).unwrap();
    let y: Array1<u8> = all.map(|(class, _)| class as u8).collect();
    Npz::new(&place.path(name))
        .with("x", &x)
        .with("y", &y)
        .done();
}

fn train(place: &Place, dataset: &str, out: &str) {
    let layers = ["--layers", "64,32,2", "--epochs", "30", "--shift", "0"];
    let arguments = ["train", "--dataset", dataset, "--out", out];
    place.json(&[&arguments[..], &layers].concat());
}

/// The accuracy of a model on a data set, and what was said on standard error.
fn eval(place: &Place, model: &str, dataset: &str) -> (f64, String) {
    let output = place.run(&["eval", model, "--dataset", dataset, "--json"]);
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    (report["accuracy"].as_f64().unwrap(), said)
}

fn spec(place: &Place, model: &str) -> InputSpec {
    model_file::load(&place.path(model)).unwrap().input_spec()
}

#[test]
fn pictures_are_the_same_way_round_for_a_model_whatever_their_folder_looks_like() {
    let place = Place::new();
    write_bars(&place, "light", ["high", "low"], 140);
    write_bars(&place, "darker", ["high", "low"], 118);
    write_bars_npz(&place, "darker.npz", 118);
    train(&place, "light", "m.fsp");
    assert_eq!(eval(&place, "m.fsp", "light"), (1.0, String::new()));
    for other in ["darker", "darker.npz"] {
        let (accuracy, said) = eval(&place, "m.fsp", other);
        assert_eq!(accuracy, 1.0, "{other}");
        assert!(
            said.contains("is not the data that m.fsp was trained on (light)"),
            "{said}"
        );
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    // Which is what makes it right: by itself the folder is not inverted.
    let alone = dataset::load(place.path("darker").to_str().unwrap()).unwrap();
    assert!(!alone.source.is_inverted());

    // So is brighter ground, without more words.
    write_bars(&place, "white", ["high", "low"], 255);
    let (_, said) = eval(&place, "m.fsp", "white");
    assert_eq!(said.lines().count(), 1, "{said}");

    // The other way round altogether is converted in the same way, and said.
    write_bars(&place, "night", ["high", "low"], 0);
    let (_, said) = eval(&place, "m.fsp", "night");
    assert!(said.contains("have dark borders"), "{said}");
}

#[test]
fn one_picture_is_the_image_that_its_folder_gives() {
    let place = Place::new();
    write_bars(&place, "light", ["high", "low"], 140);
    train(&place, "light", "m.fsp");
    let spec = spec(&place, "m.fsp");
    let data = dataset::load(place.path("light").to_str().unwrap()).unwrap();
    let picture = dataset::read_picture(&place.path("light/low/29.png")).unwrap();
    assert_eq!(spec.image_of(&picture).unwrap(), data.test.image(11));
    assert_eq!(data.test.image(11)[0], 115);
}

#[test]
fn numbers_of_the_scale_of_the_model_are_taken_as_they_are() {
    let place = Place::new();
    place.json(&[
        "train",
        "--dataset",
        "digits",
        "--layers",
        "64,10",
        "--epochs",
        "1",
        "--out",
        "m.fsp",
    ]);
    let spec = spec(&place, "m.fsp");
    let digits = dataset::load("digits").unwrap();
    let images = digits.test.images.clone();
    let x = Array::from_shape_vec((355, 8, 8), images.clone()).unwrap();
    let path = place.path("x.npz");
    let load = || dataset::load_images_for(&path, &spec).unwrap();
    Npz::new(&path).with("x", &x).done();
    assert_eq!(load().images, images, "bytes");
    Npz::new(&path).with("x", &x.mapv(f64::from)).done();
    assert_eq!(load().images, images, "whole floats");
    Npz::new(&path)
        .with("x", &x.mapv(|v| f32::from(v) / 16.0))
        .done();
    assert_eq!(load().images, images, "sixteenths");
    let flat = x.clone().into_shape_with_order((355, 64)).unwrap();
    Npz::new(&path).with("x", &flat).done();
    assert_eq!(load().images, images, "row by row");

    let error = |x: &Array<u8, _>| {
        Npz::new(&path).with("x", x).done();
        dataset::load_images_for(&path, &spec)
            .unwrap_err()
            .to_string()
    };
    let said = error(&x.mapv(|v| 15 * v));
    assert!(
        said.contains("goes up to 240") && said.contains("from 0 to 16"),
        "{said}"
    );
    let said = error(&x.mapv(|v| u8::from(v > 8)));
    assert!(
        said.contains("goes up to 1,") && said.contains("from 0 to 16"),
        "{said}"
    );
    let said = error(&Array::from_shape_vec((355, 4, 16), images.clone()).unwrap());
    assert!(
        said.contains("4 rows × 16 columns") && said.contains("8 rows × 8 columns"),
        "{said}"
    );

    // As a data set with labels, too.
    let y = Array1::from(digits.test.labels.clone());
    Npz::new(&path).with("x", &x).with("y", &y).done();
    let fed = dataset::load_for(path.to_str().unwrap(), &spec).unwrap();
    assert_eq!(fed.maximum, 16);
    assert!(fed.test.images.contains(&16));
}

#[test]
fn a_data_set_has_one_scale_and_one_shape() {
    let place = Place::new();
    let path = place.path("own.npz");
    let y: Array1<u8> = (0..10).map(|index| index % 2).collect();
    let bright = Array::from_shape_fn((10, 4, 6), |(i, r, c)| (25 * i + 3 * r + c) as u8);
    let unit = bright.mapv(|value| f32::from(value) / 255.0);
    let both = |train: &Array<f32, _>, test: &Array<f32, _>| {
        Npz::new(&path)
            .with("x_train", train)
            .with("y_train", &y)
            .with("x_test", test)
            .with("y_test", &y)
            .done();
        dataset::load(path.to_str().unwrap())
    };
    let full = bright.mapv(f32::from);
    let error = both(&full, &unit).unwrap_err().to_string();
    assert!(
        error.contains("x_train of") && error.contains("x_test of"),
        "{error}"
    );
    assert_eq!(
        both(&full, &full).unwrap().test.images,
        bright.clone().into_raw_vec_and_offset().0
    );
    let turned = full.clone().into_shape_with_order((10, 6, 4)).unwrap();
    let error = both(&full, &turned).unwrap_err().to_string();
    assert!(
        error.contains("4 rows × 6 columns") && error.contains("6 rows × 4 columns"),
        "{error}"
    );

    // What numbers plainly go up to is full brightness: 16 as in the digits, 1 of black and white.
    for (most, maximum) in [(16, 16), (1, 1), (40, 255), (255, 255)] {
        let x = bright.mapv(|value| if value > 100 { most } else { 0u8 });
        Npz::new(&path).with("x", &x).with("y", &y).done();
        let data = dataset::load(path.to_str().unwrap()).unwrap();
        assert_eq!(data.maximum, maximum, "{most}");
        assert!(data.train.images.contains(&most));
    }
}

#[test]
fn planes_are_not_colours_beside_each_other() {
    let place = Place::new();
    let path = place.path("own.npz");
    let y: Array1<u8> = (0..10).map(|index| index % 2).collect();
    let planes = Array::from_shape_fn((10, 3, 6, 6), |(i, p, r, c)| (20 * i + p + r + c) as u8);
    Npz::new(&path).with("x", &planes).with("y", &y).done();
    let model = InputSpec::of(&dataset::load(path.to_str().unwrap()).unwrap());
    let beside = planes
        .permuted_axes([0, 2, 3, 1])
        .as_standard_layout()
        .to_owned();
    Npz::new(&path).with("x", &beside).with("y", &y).done();
    let error = dataset::load_for(path.to_str().unwrap(), &model)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("6 rows × 6 columns × 3 colours")
            && error.contains("3 planes × 6 rows × 6 columns"),
        "{error}"
    );
}

#[test]
fn classes_go_by_their_names() {
    let place = Place::new();
    write_bars(&place, "train", ["high", "low"], 200);
    let train = dataset::load(place.path("train").to_str().unwrap()).unwrap();
    assert_eq!(train.class_names.as_deref().unwrap(), ["high", "low"]);
    let model = InputSpec::of(&train);
    // One class more comes first, and is not known.
    write_bars(&place, "more", ["high", "low"], 200);
    write_png(&place.path("more/a cross/1.png"), &bar(0, 1, 9));
    let more = place.path("more");
    let error = dataset::load_for(more.to_str().unwrap(), &model)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("a cross, high, low") && error.contains("(high, low)"),
        "{error}"
    );

    // Numbers in another order are those of the model.
    let turned = InputSpec {
        class_names: Some(vec!["low".to_owned(), "high".to_owned()]),
        ..model
    };
    let fed = dataset::load_for(place.path("train").to_str().unwrap(), &turned).unwrap();
    let other = |&label: &u8| 1 - label;
    assert_eq!(
        fed.train.labels,
        train.train.labels.iter().map(other).collect::<Vec<u8>>()
    );
    assert_eq!(fed.class_name(0), "low");

    // The digits are no articles of clothing.
    let clothes = InputSpec {
        class_names: Some((0..10).map(|class| format!("article {class}")).collect()),
        ..InputSpec::of(&dataset::load("digits").unwrap())
    };
    let error = dataset::load_for("digits", &clothes)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("0, 1, 2") && error.contains("article 0, article 1"),
        "{error}"
    );
}

#[test]
fn another_file_of_the_same_name_is_not_what_a_model_was_trained_on() {
    let place = Place::new();
    write_bars_npz(&place, "own.npz", 90);
    train(&place, "own.npz", "m.fsp");
    assert_eq!(place.json(&["eval", "m.fsp"])["accuracy"], 1.0);

    write_bars_npz(&place, "own.npz", 91);
    for command in ["eval", "report"] {
        let said = place.error(&[command, "m.fsp"]);
        assert!(
            said.contains("own.npz is not what m.fsp was trained on"),
            "{said}"
        );
        assert!(said.contains("--dataset own.npz"), "{said}");
    }
    let (accuracy, said) = eval(&place, "m.fsp", "own.npz");
    assert_eq!(accuracy, 1.0);
    assert!(
        said.contains("is not the data that m.fsp was trained on"),
        "{said}"
    );

    fs::remove_file(place.path("own.npz")).unwrap();
    let said = place.error(&["eval", "m.fsp"]);
    assert!(
        said.contains("m.fsp was trained on own.npz: give its place by --dataset"),
        "{said}"
    );
}

#[test]
fn a_model_of_an_older_format_still_answers_and_what_it_lacks_is_said_once() {
    let place = Place::new();
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/mnist-fast.fsp");
    let x = Array::from_shape_fn((50, 28, 28), |(i, r, c)| (5 * i + r * c % 7) as u8);
    let y: Array1<u8> = (0..50).map(|index| index % 10).collect();
    Npz::new(&place.path("own.npz"))
        .with("x", &x)
        .with("y", &y)
        .done();
    let (_, said) = eval(&place, model.to_str().unwrap(), "own.npz");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(
        said.starts_with("note: ") && said.contains("does not say what its classes are called"),
        "{said}"
    );
}

#[test]
fn a_folder_with_the_name_of_a_data_set_is_not_taken_without_a_word() {
    let place = Place::new();
    write_bars(&place, "digits", ["high", "low"], 200);
    let info = |name: &str| {
        let output = place.run(&["data", "info", name, "--json"]);
        let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        (value["classes"].as_u64().unwrap(), text(&output.stderr))
    };
    let (classes, said) = info("digits");
    assert_eq!(classes, 10);
    assert!(said.contains("give ./digits for that"), "{said}");
    let (classes, said) = info("./digits");
    assert_eq!(classes, 2);
    assert!(!said.contains("data set of that name"), "{said}");
}

#[test]
fn classes_are_named_wherever_one_is_printed() {
    let place = Place::new();
    write_bars(&place, "things", ["a high one", "low"], 200);
    train(&place, "things", "m.fsp");
    let info = place.json(&["data", "info", "things"]);
    assert_eq!(
        info["class_names"],
        serde_json::json!(["a high one", "low"])
    );
    assert_eq!(
        (&info["inverted"], &info["axes"][0]),
        (&true.into(), &"rows".into())
    );
    let report = place.json(&["eval", "m.fsp"]);
    assert_eq!(report["by_class"][0]["class_name"], "a high one");
    assert_eq!(report["by_class"][1]["right"], 6);
    let page = place.json(&["report", "m.fsp"]);
    assert_eq!(page["image"]["label_name"], "a high one");
    for command in [&["data", "info", "things"][..], &["eval", "m.fsp"]] {
        let said = text(&place.run(command).stdout);
        assert!(said.contains("a high one"), "{said}");
    }
}

#[test]
fn data_that_will_train_badly_are_warned_of_before_they_are_trained_on() {
    let place = Place::new();
    let x = Array::from_shape_fn((20, 4, 4), |(i, r, c)| match i % 5 {
        0 => 0,
        kind => u8::from((4 * r + c) % 5 == kind),
    });
    let y: Array1<u8> = (0..20).map(|index| index % 2).collect();
    Npz::new(&place.path("own.npz"))
        .with("x", &x)
        .with("y", &y)
        .done();
    let said = |arguments: &[&str]| {
        let output = place.run(&[arguments, &["--json"]].concat());
        let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let notes: Vec<String> = serde_json::from_value(value["notes"].clone()).unwrap();
        let said = text(&output.stderr);
        assert!(notes.iter().all(|note| said.contains(note)), "{said}");
        notes.join("\n")
    };
    let layers = [
        "--layers",
        "16,2",
        "--epochs",
        "1",
        "--validation",
        "0",
        "--patience",
        "9",
    ];
    let train = ["train", "--dataset", "own.npz", "--shift", "0"];
    for notes in [
        said(&["data", "info", "own.npz"]),
        said(&[&train[..], &layers].concat()),
    ] {
        for expected in [
            "training images are blank",
            "100 % of the spikes come at step 0",
            "test images are among the training images too",
            "under more than one class",
        ] {
            assert!(notes.contains(expected), "{expected}: {notes}");
        }
    }
    // After a training in which no output is ever sure of anything.
    let notes = said(&[&train[..], &layers].concat());
    assert!(
        notes.contains("100 % of the test images end without an output spike"),
        "{notes}"
    );
    assert!(notes.contains("a lower --patience than 9"), "{notes}");
}

#[test]
fn what_is_left_out_of_a_folder_is_said_on_standard_error_and_in_json() {
    let place = Place::new();
    write_bars(&place, "bars", ["high", "low"], 200);
    write_png(&place.path("bars/low/more/1.png"), &bar(1, 0, 200));
    fs::write(place.path("bars/low/2.heic"), b"\0\0\0\x18ftypheic").unwrap();
    let expected = [
        "left out: 1 HEIC file (bars/low/2.heic): only PNG and JPEG are read, so make them either",
        "left out: 1 picture in deeper folders (bars/low/more/1.png): only what is directly in the folder of a class is read, so \
         move them there",
    ];
    let said: String = expected.map(|note| format!("warning: {note}\n")).concat();
    let output = place.run(&["data", "info", "bars"]);
    // What will train badly comes after that.
    let warned = text(&output.stderr);
    assert!(warned.starts_with(&said), "{warned}");
    let info = text(&output.stdout);
    assert!(
        info.contains("train: 48 images, by class: high 24, low 24\n"),
        "{info}"
    );

    for arguments in [
        &["data", "info", "bars"][..],
        &[
            "train",
            "--dataset",
            "bars",
            "--layers",
            "64,8,2",
            "--epochs",
            "1",
        ],
    ] {
        let output = place.run(&[arguments, &["--json"]].concat());
        assert!(text(&output.stderr).starts_with(&said));
        let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let notes = value["notes"].as_array().unwrap();
        assert_eq!(notes[..2], expected, "{arguments:?}");
    }
    assert_eq!(
        place.json(&["data", "info", "bars"])["class_names"],
        serde_json::json!(["high", "low"])
    );
}
