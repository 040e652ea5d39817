//! `firstspike boards`, `build` and `doctor` as a user calls them.

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

fn firstspike(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_firstspike"))
        .args(arguments)
        .output()
        .unwrap()
}

/// The one JSON object that a command printed.
fn json(arguments: &[&str]) -> Value {
    let output = firstspike(arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The one line that a command failed with.
fn error(arguments: &[&str]) -> String {
    let output = firstspike(arguments);
    assert!(!output.status.success(), "{arguments:?}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

#[test]
fn boards_tells_what_each_board_holds() {
    let boards = json(&["boards", "--json"]);
    assert_eq!(boards["boards"][0]["name"], "icebreaker");
    assert_eq!(boards["boards"][1]["capacity"]["weights"], 786_432);
    let table = String::from_utf8(firstspike(&["boards"]).stdout).unwrap();
    let rows = table.lines().skip(1).take_while(|line| !line.is_empty());
    let names: Vec<&str> = rows.map(|row| row.split(' ').next().unwrap()).collect();
    let all = boards["boards"].as_array().unwrap();
    let expected: Vec<&str> = all.iter().map(|b| b["name"].as_str().unwrap()).collect();
    assert_eq!(names, expected);
    assert!(names.contains(&"orangecrab-85f"), "{table}");
}

#[test]
fn the_readme_lists_every_board_with_its_tools() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    for board in json(&["boards", "--json"])["boards"].as_array().unwrap() {
        let name = board["name"].as_str().unwrap();
        let row = readme
            .lines()
            .find(|line| line.starts_with("| `") && line.contains(&format!("`{name}`")));
        let row = row.unwrap_or_else(|| panic!("{name} has no row"));
        for way in board["flash"].as_array().unwrap() {
            let tool = way["tool"].as_str().unwrap();
            assert!(row.contains(tool), "{name}: {tool}");
        }
    }
}

#[test]
fn one_board_tells_its_pins_its_tools_and_what_its_user_has_to_know() {
    let text = String::from_utf8(firstspike(&["boards", "tinyfpga-bx"]).stdout).unwrap();
    for line in [
        "its TXD to pin 2 of the board, its RXD to pin 1, ground to ground",
        "clk B2, uart_rx A1, uart_tx A2, led_armed B3",
        "tinyprog --program BITSTREAM.bin  into the configuration flash",
        "press the reset button before flashing",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    let board = json(&["boards", "tinyfpga-bx", "--json"]);
    assert_eq!(board["uart"]["header"]["rx"], "pin 2");
    assert_eq!(board["flash"][0]["tool"], "tinyprog");
    assert!(board["notes"][0].as_str().unwrap().contains("reset button"));
}

#[test]
fn a_board_that_the_core_does_not_fit_is_marked() {
    let boards = json(&["boards", "--json"]);
    for board in boards["boards"].as_array().unwrap() {
        let name = board["name"].as_str().unwrap();
        assert_eq!(board["fits"], name != "icestick", "{name}");
    }
    let table = String::from_utf8(firstspike(&["boards"]).stdout).unwrap();
    let row = table
        .lines()
        .find(|row| row.starts_with("icestick "))
        .unwrap();
    assert!(row.ends_with("too small: no core fits this board"), "{row}");
    let text = String::from_utf8(firstspike(&["boards", "icestick"]).stdout).unwrap();
    assert!(text.contains("does not fit the core needs"), "{text}");
    assert!(text.contains("the board has 1280"), "{text}");
}

#[test]
fn revisions_and_second_links_of_a_board_are_told_and_taken() {
    let table = String::from_utf8(firstspike(&["boards"]).stdout).unwrap();
    for line in [
        "ulx3s-25f-v316: revision v3.1.6 or later",
        "colorlight-i5-header: with an adapter on the header P5",
    ] {
        assert!(table.contains(line), "{line} in {table}");
    }
    let text = String::from_utf8(firstspike(&["boards", "ulx3s-85f"]).stdout).unwrap();
    assert!(text.contains("wifi_gpio0 L2"), "{text}");
    assert!(
        text.contains("from v3.1.6 on (the board's print says which it is) choose ulx3s-85f-v316"),
        "{text}"
    );
    let text = String::from_utf8(firstspike(&["boards", "ulx3s-85f-v316"]).stdout).unwrap();
    assert!(text.contains("wifi_gpio0 F1"), "{text}");
    let header = json(&["boards", "colorlight-i5-header", "--json"]);
    assert_eq!(header["uart"]["header"]["rx"], "F4 of P5");
    assert_eq!(header["uart"]["baud"], 921_600);
}

#[test]
fn a_core_that_needs_more_memories_than_there_are_is_refused_with_those_that_fit() {
    // Neither before nor after its memories are counted may anything be built.
    for command in ["generate", "build"] {
        let narrow = ["--board", "ulx3s-25f", "--lanes", "8", "--banks", "2"];
        let message = error(&[&[command], &narrow[..]].concat());
        assert!(
            message.contains(
                "has 56 block RAMs, and this core needs 64; of those near it these fit: --lanes "
            ),
            "{message}"
        );
        assert!(!message.contains("fewer"), "{message}");
        // What is advised is accepted.
        let (_, advice) = message.split_once("these fit: ").unwrap();
        for choice in advice.trim().split(", ") {
            let flags: Vec<&str> = choice.split(" (").next().unwrap().split(' ').collect();
            let arguments = [&["generate", "--board", "ulx3s-25f", "--json"], &flags[..]].concat();
            assert!(json(&arguments)["lines"].as_u64().unwrap() > 1000);
        }
    }
    let message = error(&["build", "--board", "icebreaker", "--lanes", "128"]);
    assert!(
        message.contains(
            "take 8 SPRAMs, the board has 4; of those near it these fit: --lanes 64 --banks 1"
        ),
        "{message}"
    );
}

#[test]
fn doctor_prints_the_udev_rules_of_every_board() {
    let rules = String::from_utf8(firstspike(&["doctor", "--udev-rules"]).stdout).unwrap();
    for board in firmware_model::board::Board::built_in() {
        let usb = board.uart.usb.clone().unwrap_or_default();
        // Vendor and product of the chip that is the link, and of the boot loader that takes a bitstream.
        let chip = [
            ("FT2232H", "0403", "6010"),
            ("FT4232H", "0403", "6011"),
            ("FT232H", "0403", "6014"),
            ("FT231X", "0403", "6015"),
            ("DAPLink", "0d28", "0204"),
            ("iCELink", "1d50", "602b"),
        ]
        .into_iter()
        .filter(|(name, ..)| usb.contains(name));
        let loader = [("dfu-util", "1209", "5af0"), ("tinyprog", "1d50", "6130")]
            .into_iter()
            .filter(|(tool, ..)| board.flash.iter().any(|way| way.tool == *tool));
        let all: Vec<_> = chip.chain(loader).collect();
        assert!(!all.is_empty(), "{}: {usb}", board.name);
        for (_, vendor, product) in all {
            let rule = format!(
                "ATTRS{{idVendor}}==\"{vendor}\", ATTRS{{idProduct}}==\"{product}\", MODE=\"0660\""
            );
            assert!(rules.contains(&rule), "{}: {rule}", board.name);
        }
    }
    let told = String::from_utf8(firstspike(&["doctor"]).stdout).unwrap();
    assert!(told.contains("70-firstspike.rules"), "{told}");
}

#[test]
fn a_board_can_be_a_file_of_the_users() {
    let folder = tempfile::tempdir().unwrap();
    let constraints = Path::new(env!("CARGO_MANIFEST_DIR")).join("../constraints");
    let data = std::fs::read_to_string(constraints.join("icebreaker.toml")).unwrap();
    let path = folder.path().join("mine.toml");
    std::fs::write(&path, data.replace("\"icebreaker\"", "\"mine\"")).unwrap();
    let path = path.to_str().unwrap();

    let message = error(&["boards", path]);
    assert!(message.contains("icebreaker.pcf"), "{message}");
    std::fs::copy(
        constraints.join("icebreaker.pcf"),
        folder.path().join("icebreaker.pcf"),
    )
    .unwrap();
    assert_eq!(json(&["boards", path, "--json"])["name"], "mine");
}

#[test]
fn mistakes_are_one_sentence_on_standard_error() {
    let message = error(&["build", "--board", "icebraker"]);
    assert!(message.contains("did you mean `icebreaker`?"), "{message}");
    let message = error(&["build", "--board", "icebreaker", "--banks", "3"]);
    assert!(message.contains("choose one of 1, 2, 4, 8"), "{message}");
    let message = error(&["build", "--board", "icebreaker", "--verilog", "not-there.v"]);
    assert!(message.contains("not-there.v"), "{message}");
}

#[test]
fn doctor_names_the_tools_that_load_boards_and_does_not_count_them() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/bin/sh", folder.path().join("iceprog")).unwrap();
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", folder.path().display());
    let output = Command::new(env!("CARGO_BIN_EXE_firstspike"))
        .args(["doctor", "--json"])
        .env("PATH", path)
        .output()
        .unwrap();
    let findings: Value = serde_json::from_slice(&output.stdout).unwrap();
    let loaders = findings["flash_tools"].as_array().unwrap();
    let iceprog = loaders.iter().find(|t| t["name"] == "iceprog").unwrap();
    assert_eq!(
        iceprog["path"],
        folder.path().join("iceprog").to_str().unwrap()
    );
    assert!(iceprog["boards"]
        .as_array()
        .unwrap()
        .contains(&"icestick".into()));
    for tool in loaders {
        let told = if tool["found"] == true {
            "path"
        } else {
            "install"
        };
        assert!(tool[told].is_string(), "{tool}");
    }
    let tools = findings["tools"].as_array().unwrap();
    let complete = tools.iter().all(|tool| tool["found"] == true);
    assert_eq!(findings["complete"], complete);
}

#[test]
fn doctor_names_each_tool_and_what_needs_it() {
    let findings = json(&["doctor", "--json"]);
    let tools = findings["tools"].as_array().unwrap();
    let names: Vec<&str> = tools.iter().map(|t| t["name"].as_str().unwrap()).collect();
    for name in [
        "yosys",
        "nextpnr-ice40",
        "nextpnr-ecp5",
        "icepack",
        "ecppack",
        "verilator",
    ] {
        assert!(names.contains(&name), "{name}");
    }
    for tool in tools {
        assert!(tool["needed_for"].is_string());
        let told = if tool["found"] == true {
            "path"
        } else {
            "install"
        };
        assert!(tool[told].is_string(), "{tool}");
    }
}
