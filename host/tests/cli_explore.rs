//! `firstspike explore` as a user types it. Where it measures, programs stand in for the tools.

use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

const YOSYS: &str = r#"
[ "$1" = --version ] && echo "Yosys 0.99" && exit
[ -z "$HANGS" ] || { echo > "$HANGS"; exec sleep 1000; }
echo '{"design": {"num_cells_by_type": {"SB_LUT4": 1234, "SB_DFF": 567, "SB_DFFE": 1}}}' > cells.json
echo netlist > firstspike.json
"#;

/// Reaches 23 MHz and one more for each seed.
const NEXTPNR: &str = r#"
[ "$1" = --version ] && echo "nextpnr 0.99" && exit
while [ $# -gt 0 ]; do
    case "$1" in
        --freq) wanted=$2 ;;
        --seed) seed=$2 ;;
    esac
    shift
done
echo "{\"fmax\": {\"clk\": {\"achieved\": $((23 + seed)), \"constraint\": $wanted}}, \"utilization\":
    {\"ICESTORM_LC\": {\"used\": 2345, \"available\": 5280}}}" > placement.json
"#;

/// A folder to work in, with tools.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Place {
        let place = Place(tempfile::tempdir().unwrap());
        place.program("yosys", YOSYS);
        place.program("nextpnr-ice40", NEXTPNR);
        place
    }

    /// A shell writes the program: a file that this process had open for writing may not be run while
    /// another test's child still holds it.
    fn program(&self, name: &str, script: &str) {
        let path = self.path("tools/venv/bin");
        fs::create_dir_all(&path).unwrap();
        let write = r#"printf '#!/bin/sh\n%s' "$2" > "$1" && chmod +x "$1""#;
        let status = Command::new("/bin/sh")
            .args(["-c", write, "sh"])
            .arg(path.join(format!("yowasp-{name}")))
            .arg(script)
            .status();
        assert!(status.unwrap().success());
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_firstspike"));
        command
            .args(arguments)
            .current_dir(self.0.path())
            .env("FIRSTSPIKE_TOOLS", self.path("tools"))
            .env_remove("HANGS");
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn text(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    }

    /// The one JSON object that a command printed.
    fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.text(&[arguments, &["--json"]].concat())).unwrap()
    }

    /// The one sentence that a command failed with.
    fn error(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success(), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
        let error = text(&output.stderr);
        assert_eq!(error.trim_end().lines().count(), 1, "{error}");
        assert!(error.starts_with("error: "), "{error}");
        error
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn choices(value: &Value) -> &Vec<Value> {
    value["choices"].as_array().unwrap()
}

/// Whether a choice is of a shape.
fn is_of(choice: &Value, shape: &Value) -> bool {
    ["lanes", "banks", "beats"]
        .iter()
        .all(|size| choice["core"][size] == shape[size])
}

const DIGITS: [&str; 5] = ["explore", "--board", "icebreaker", "--network", "64,64,10"];

#[test]
fn the_table_marks_one_best_choice_and_says_how_to_build_it() {
    let text = Place::new().text(&DIGITS);
    assert!(
        text.starts_with("64-64-10, T = 16, on iCEBreaker"),
        "{text}"
    );
    let marked = |mark: &str| text.lines().filter(|line| line.starts_with(mark)).count();
    assert_eq!(marked("*  "), 1, "{text}");
    assert!(text.contains("cycles: an estimate"), "{text}");
    assert!(text.contains("To build the best"), "{text}");
    assert!(!text.contains("what does not fit"), "{text}");
}

#[test]
fn what_is_beaten_can_be_left_out() {
    let place = Place::new();
    let all = place.text(&DIGITS);
    let efficient = place.text(&[&DIGITS[..], &["--efficient"]].concat());
    let rows = |text: &str| {
        let rows = text.lines().filter(|line| line.contains(" / "));
        rows.map(str::to_owned).collect::<Vec<_>>()
    };
    let marked = rows(&all).into_iter().filter(|row| !row.starts_with(' '));
    let header = rows(&all).into_iter().take(1);
    assert_eq!(rows(&efficient), header.chain(marked).collect::<Vec<_>>());
}

#[test]
fn the_best_core_is_saved_as_a_board_that_builds_it() {
    let place = Place::new();
    let advice = place.text(&DIGITS);
    assert!(advice.contains("--save mine.toml"), "{advice}");
    let (_, core) = advice.split_once("[core]\n").unwrap();
    let text = place.text(&[&DIGITS[..], &["--save", "mine.toml"]].concat());
    assert!(
        text.contains("firstspike build --board mine.toml"),
        "{text}"
    );

    let board = place.json(&["boards", "mine.toml"]);
    for (name, size) in board["core"].as_object().unwrap() {
        assert!(core.contains(&format!("{name} = {size}\n")), "{name}");
    }
    // With that board the best core is the default, so its sizes need no options but lanes and banks.
    let again = place.json(&["explore", "--board", "mine.toml", "--network", "64,64,10"]);
    let best = choices(&again).iter().find(|choice| choice["best"] == true);
    let best = best.unwrap();
    assert_eq!(board["core"], best["core"]);
    let command = best["command"].as_str().unwrap();
    assert!(
        command.starts_with("firstspike build --board mine.toml --lanes"),
        "{command}"
    );
}

#[test]
fn a_board_is_saved_only_where_it_takes_nothing_away() {
    let place = Place::new();
    fs::write(place.path("icebreaker.pcf"), "mine").unwrap();
    let error = place.error(&[&DIGITS[..], &["--save", "mine.toml"]].concat());
    assert!(error.contains("another pin file"), "{error}");
    assert_eq!(fs::read(place.path("icebreaker.pcf")).unwrap(), b"mine");
    assert!(!place.path("mine.toml").exists());
    let error = place.error(&[&DIGITS[..], &["--save", "mine"]].concat());
    assert!(error.contains("ends in .toml"), "{error}");
    fs::remove_file(place.path("icebreaker.pcf")).unwrap();
    let error = place.error(&[&DIGITS[..], &["--save", "no/mine.toml"]].concat());
    assert!(error.contains("check that its folder is there"), "{error}");
    let large = [
        "explore",
        "--board",
        "icebreaker",
        "--network",
        "784,9000,10",
    ];
    let error = place.error(&[&large[..], &["--save", "mine.toml"]].concat());
    assert!(error.contains("leave --save out"), "{error}");
}

#[test]
fn sizes_are_taken_as_other_commands_print_them_and_typing_errors_named() {
    let place = Place::new();
    let with = |sizes| ["explore", "--board", "icebreaker", "--network", sizes];
    let value = place.json(&with("64-32-10"));
    assert_eq!(value["network"], serde_json::json!([64, 32, 10]));
    assert_eq!(value, place.json(&with("64, 32, 10")));
    let refused = |arguments: &[&str]| {
        let output = place.run(arguments);
        assert!(!output.status.success());
        text(&output.stderr)
    };
    let errors = refused(&with("64,x,10"));
    assert!(errors.contains("with commas, as 784,600,10"), "{errors}");
    // A network without a model has no images.
    let errors = refused(&[&DIGITS[..], &["--limit", "3"]].concat());
    assert!(errors.contains("cannot be used with"), "{errors}");
}

#[test]
fn whoever_has_read_enough_may_close_the_output() {
    let place = Place::new();
    let mut child = place
        .command(&["generate", "--board", "icebreaker"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn every_choice_is_judged_and_what_does_not_fit_has_a_reason() {
    let place = Place::new();
    let arguments = [
        "explore",
        "--board",
        "icebreaker",
        "--network",
        "784,600,10",
    ];
    let value = place.json(&arguments);
    assert!(!choices(&value).is_empty());
    assert_eq!(value["network"], serde_json::json!([784, 600, 10]));
    assert_eq!(value["cycles_exact"], false);
    let best: Vec<&Value> = choices(&value)
        .iter()
        .filter(|c| c["best"] == true)
        .collect();
    assert_eq!(best.len(), 1);
    assert!(is_of(best[0], &value["best"]));
    for choice in choices(&value) {
        for number in ["luts", "flip_flops", "logic_cells", "block_rams", "sprams"] {
            assert!(choice["cost"][number].is_u64(), "{choice}");
        }
        assert!(choice["cycles"]["mean"].as_f64().unwrap() > 0.0);
        assert!(choice["measured"].is_null());
    }
    let rejected = value["rejected"].as_array().unwrap();
    assert!(rejected
        .iter()
        .all(|shape| shape["reason"].as_str().unwrap().len() > 10));
    let text = place.text(&[&arguments[..], &["--all"]].concat());
    assert!(text.contains("SPRAMs, the board has 4"), "{text}");
}

#[test]
fn a_network_that_fits_nowhere_is_said_not_to() {
    let place = Place::new();
    let text = place.text(&[
        "explore",
        "--board",
        "icebreaker",
        "--network",
        "784,9000,10",
    ]);
    assert!(text.contains("0 of "), "{text}");
    assert!(text.contains("Nothing fits"), "{text}");
}

#[test]
fn with_a_model_the_cycles_are_those_of_eval() {
    let place = Place::new();
    let train = "train --dataset digits --layers 64,24,10 --epochs 2 --steps 8 --out m.fsp";
    place.text(&train.split(' ').collect::<Vec<_>>());
    let explore = "explore --board ulx3s-25f --model m.fsp --limit 40";
    let value = place.json(&explore.split(' ').collect::<Vec<_>>());
    assert_eq!(value["cycles_exact"], true);
    assert_eq!(value["steps"], 8);
    let mut compared = 0;
    for choice in choices(&value).iter().take(5) {
        let core = &choice["core"];
        let (lanes, banks, beats) = (&core["lanes"], &core["banks"], &core["beats"]);
        let eval = format!(
            "eval m.fsp --on model --board ulx3s-25f --lanes {lanes} --banks {banks} --beats {beats} --limit 40"
        );
        let eval = place.json(&eval.split(' ').collect::<Vec<_>>());
        assert_eq!(choice["cycles"]["mean"], eval["cycles_mean"]);
        assert_eq!(choice["cycles"]["most"], eval["cycles_max"]);
        compared += 1;
    }
    assert_eq!(compared, 5);
}

#[test]
fn the_picture_is_an_svg_file() {
    let place = Place::new();
    let value = place.json(&[&DIGITS[..], &["--out", "picture.svg"]].concat());
    assert_eq!(value["picture"], "picture.svg");
    let svg = fs::read_to_string(place.path("picture.svg")).unwrap();
    assert!(svg.starts_with("<svg"));
    let error = place.error(&[&DIGITS[..], &["--out", "picture.pdf"]].concat());
    assert!(error.contains("ends in .svg"), "{error}");
    let error = place.error(&[&DIGITS[..], &["--out", "no/picture.svg"]].concat());
    assert!(error.contains("check that its folder is there"), "{error}");
}

#[test]
fn measuring_shows_what_the_tools_say() {
    let place = Place::new();
    let measure = ["--measure", "best", "--seeds", "6"];
    let value = place.json(&[&DIGITS[..], &measure].concat());
    let measured: Vec<&Value> = choices(&value)
        .iter()
        .map(|choice| &choice["measured"])
        .filter(|measured| !measured.is_null())
        .collect();
    assert_eq!(measured.len(), 1);
    assert_eq!(measured[0]["luts"], 1234);
    assert_eq!(measured[0]["flip_flops"], 568);
    assert_eq!(measured[0]["logic_cells"], 2345);
    assert_eq!(
        measured[0]["clocks_mhz"],
        serde_json::json!([24.0, 25.0, 26.0, 27.0, 28.0, 29.0])
    );
    assert_eq!(measured[0]["seeds_met"], 3);
    let text = place.text(&[&DIGITS[..], &measure].concat());
    assert!(text.contains("26.0   24.0   29.0  3/6"), "{text}");
    assert_nothing_is_left(&place);
}

#[test]
fn what_cannot_be_routed_is_not_measured_and_the_rest_is() {
    let place = Place::new();
    let fails = NEXTPNR.replacen(
        "while",
        "case \"$*\" in *pack-only*) ;; *) echo ERROR: no route; exit 1 ;; esac\nwhile",
        1,
    );
    place.program("nextpnr-ice40", &fails);
    let output = place.run(&[&DIGITS[..], &["--measure", "best", "--json"]].concat());
    assert!(output.status.success());
    let errors = text(&output.stderr);
    assert!(
        errors.contains("was not measured: nextpnr-ice40 failed: ERROR: no route"),
        "{errors}"
    );
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(choices(&value)
        .iter()
        .all(|choice| choice["measured"].is_null()));
}

#[test]
fn a_clock_that_is_missed_when_measured_is_not_the_best_choice() {
    let place = Place::new();
    let before = place.json(&DIGITS);
    // Two of two seeds are below 27 MHz.
    let after = place.json(&[&DIGITS[..], &["--measure", "best", "--seeds", "2"]].concat());
    assert_ne!(before["best"], after["best"]);
    let of = |choice: &&Value| is_of(choice, &before["best"]);
    let choice = choices(&after).iter().find(of).unwrap();
    assert_eq!(choice["meets_timing"], false);
}

#[test]
fn ctrl_c_leaves_nothing() {
    let place = Place::new();
    let mut child = place
        .command(&[&DIGITS[..], &["--measure", "--out", "picture.svg"]].concat())
        .env("HANGS", place.path("hangs"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while !place.path("hangs").exists() {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "synthesis never began"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    let kill = Command::new("kill")
        .args(["-INT".to_owned(), child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    assert!(!child.wait().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert!(output.stdout.is_empty());
    assert!(text(&output.stderr).contains("interrupted; nothing was written"));
    assert!(!place.path("picture.svg").exists());
    assert_nothing_is_left(&place);
}

/// Of a measurement the logs stay, and nothing else.
fn assert_nothing_is_left(place: &Place) {
    for entry in fs::read_dir(place.path("build/explore/icebreaker")).unwrap() {
        let name = entry.unwrap().file_name();
        assert!(name.to_string_lossy().ends_with(".log"), "{name:?}");
    }
}

#[test]
fn mistakes_are_one_sentence_that_says_what_to_do() {
    let place = Place::new();
    let cases = [
        (
            "--board icebraker --network 64,10",
            "did you mean `icebreaker`?",
        ),
        ("--board icebreaker --network 64", "784,600,10"),
        ("--board icebreaker --network 64,9,9,9,9,9", "1 to 4 layers"),
        (
            "--board icebreaker --network 64,0,10",
            "choose sizes from 1 to",
        ),
        (
            "--board icebreaker --network 64,10 --steps 300",
            "--steps 1 to 256",
        ),
        ("--board icebreaker --model not-there.fsp", "not-there.fsp"),
    ];
    for (arguments, expected) in cases {
        let arguments: Vec<&str> = arguments.split(' ').collect();
        let error = place.error(&[&["explore"], &arguments[..]].concat());
        assert!(error.contains(expected), "{error}");
    }
}
