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
