//! `firstspike build` as a user calls it, with programs that stand in for the toolchain and for the
//! tools that load boards: what is tested is what is built when, what is called how, and what is said.

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const YOSYS: &str = r#"
[ "$1" = --version ] && echo "Yosys 0.99" && exit
echo yosys >> "$CALLS"
echo '{"design": {"num_cells_by_type": {"SB_LUT4": 7}}}' > cells.json
echo netlist > firstspike.json
"#;

/// Reaches 111 MHz, and fails for a device that is named in $FAILS.
const NEXTPNR: &str = r#"
[ "$1" = --version ] && echo "nextpnr 0.99" && exit
[ "$1" = "$FAILS" ] && echo "ERROR: no room" && exit 1
while [ $# -gt 0 ]; do
    case "$1" in
        --freq) wanted=$2 ;;
        --asc|--textcfg) echo placed > "$2" ;;
    esac
    shift
done
echo "{\"fmax\": {\"clk\": {\"achieved\": 111, \"constraint\": $wanted}}, \"utilization\":
    {\"ICESTORM_LC\": {\"used\": 7, \"available\": 5280}}}" > placement.json
"#;

/// Writes what it was told into the bitstream, which is the last argument.
const PACKER: &str = r#"
[ "$1" = --version ] && echo "pack 0.99" && exit
for last; do :; done
echo "$@" > "$last"
"#;

/// A loader that notes its arguments, and fails when it is told to.
const LOADER: &str = r#"
echo "${0##*/} $*" >> "$CALLS"
echo "talking to the board"
[ -z "$LOADER_FAILS" ] || { echo "no device found" >&2; exit 3; }
"#;

/// A folder with a toolchain, some loaders and whatever is built.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Bench {
        let bench = Bench {
            folder: tempfile::tempdir().unwrap(),
        };
        for (name, script) in [
            ("yosys", YOSYS),
            ("nextpnr-ice40", NEXTPNR),
            ("nextpnr-ecp5", NEXTPNR),
            ("icepack", PACKER),
            ("ecppack", PACKER),
        ] {
            bench.program(&format!("tools/venv/bin/yowasp-{name}"), script);
        }
        fs::create_dir(bench.path("loaders")).unwrap();
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A shell writes the program: a file that this process had open for writing may not be run while
    /// another test's child still holds it.
    fn program(&self, name: &str, script: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let status = Command::new("/bin/sh")
            .args([
                "-c",
                r#"printf '#!/bin/sh\n%s' "$2" > "$1" && chmod +x "$1""#,
                "sh",
            ])
            .arg(&path)
            .arg(script)
            .status();
        assert!(status.unwrap().success());
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_firstspike"));
        command
            .arg("build")
            .args(arguments)
            .current_dir(self.folder.path())
            .env("FIRSTSPIKE_TOOLS", self.path("tools"))
            .env("PATH", self.path("loaders"))
            .env("CALLS", self.path("calls"))
            .env_remove("FAILS")
            .env_remove("LOADER_FAILS");
        command
    }

    /// The programs that were called, one a line.
    fn calls(&self) -> String {
        fs::read_to_string(self.path("calls")).unwrap_or_default()
    }

    /// A board of the user's with two loaders, only the second of which is installed.
    fn board(&self) -> String {
        let constraints = Path::new(env!("CARGO_MANIFEST_DIR")).join("../constraints");
        let data = fs::read_to_string(constraints.join("ulx3s-25f.toml")).unwrap();
        let (board, _) = data.split_once("[[flash]]").unwrap();
        let loaders = "
            flash = [
                { tool = 'missing', writes = 'sram' },
                { tool = 'quick', writes = 'sram', arguments = ['-b', 'mine'] },
                { tool = 'lasting', writes = 'flash', arguments = ['--write'] },
            ]\n";
        let path = self.path("mine.toml");
        fs::write(&path, format!("{loaders}{board}")).unwrap();
        fs::copy(constraints.join("ulx3s.lpf"), self.path("ulx3s.lpf")).unwrap();
        self.program("loaders/quick", LOADER);
        self.program("loaders/lasting", LOADER);
        path.to_str().unwrap().to_owned()
    }
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// The one JSON object on standard output.
fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The last line on standard error of a command that failed.
fn error(output: &Output) -> String {
    assert!(!output.status.success());
    text(&output.stderr).lines().last().unwrap().to_owned()
}

#[test]
fn nothing_is_built_twice() {
    let bench = Bench::new();
    let build = |more: &[&str]| {
        let arguments = [&["--board", "icebreaker", "--json"], more].concat();
        json(&bench.command(&arguments).output().unwrap())
    };
    let synthesised = || bench.calls().lines().count();
    let first = build(&[]);
    assert_eq!(synthesised(), 1);
    assert_eq!(build(&[]), first);
    assert_eq!(synthesised(), 1);
    // Another seed, another core, a lost or a changed bitstream: each has to be built.
    build(&["--seed", "2"]);
    assert_eq!(synthesised(), 2);
    build(&["--lanes", "8"]);
    assert_eq!(synthesised(), 3);
    build(&[]);
    assert_eq!(synthesised(), 4);
    let bitstream = bench.path("build/icebreaker/firstspike.bin");
    fs::write(&bitstream, "damaged").unwrap();
    build(&[]);
    assert_eq!(synthesised(), 5);
    fs::remove_file(&bitstream).unwrap();
    assert_eq!(build(&[])["bitstream_sha256"], first["bitstream_sha256"]);
    assert_eq!(synthesised(), 6);
    let said = bench.command(&["--board", "icebreaker"]).output().unwrap();
    assert!(text(&said.stdout).contains("Nothing had changed"));
}

#[test]
fn a_bitstream_is_packed_for_the_device_of_the_board() {
    let bench = Bench::new();
    for (board, idcode) in [
        ("ulx3s-12f", "0x21111043"),
        ("ulx3s-25f", "0x41111043"),
        ("ecp5-evn", "0x81113043"),
    ] {
        let output = bench.command(&["--board", board, "--json"]).output();
        json(&output.unwrap());
        let bits = fs::read_to_string(bench.path(&format!("build/{board}/firstspike.bit")));
        let bits = bits.unwrap();
        assert!(bits.contains(&format!("--idcode {idcode} ")), "{bits}");
    }
}

#[test]
fn all_boards_are_built_and_one_that_fails_does_not_stop_the_others() {
    let bench = Bench::new();
    let count = firmware_model::board::Board::built_in().len();
    let all = ["--board", "all", "--json"];
    let output = bench.command(&all).env("FAILS", "--hx1k").output().unwrap();
    let message = error(&output);
    assert_eq!(
        message,
        format!(
            "error: 1 of {count} boards failed: icestick; `firstspike build --board NAME` builds one"
        ),
        "{}",
        text(&output.stdout)
    );
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    let boards = value["boards"].as_array().unwrap();
    assert_eq!(boards.len(), count);
    for board in boards {
        let name = board["board"].as_str().unwrap();
        if name == "icestick" {
            let said = board["error"].as_str().unwrap();
            assert!(said.contains("ERROR: no room"), "{said}");
        } else {
            assert_eq!(board["timing_met"], true, "{name}");
            assert!(bench.path(&format!("build/{name}/report.json")).exists());
        }
    }

    // The second time only what failed is left to do.
    let before = bench.calls().lines().count();
    let output = bench.command(&["--board", "all"]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(bench.calls().lines().count(), before + 1);
    let table = text(&output.stdout);
    let rows = table.lines().take_while(|line| !line.is_empty());
    assert_eq!(rows.count(), 1 + count, "{table}");
    // 111 MHz of 108: met, and too little in hand.
    let warning = "orangecrab-25f: warning: by nextpnr the design reaches 111.00 MHz, which leaves 2.8 % in hand";
    assert!(table.contains(warning), "{table}");
    assert_eq!(table.matches("warning").count(), 1, "{table}");
    let row = table.lines().find(|line| line.starts_with("upduino3"));
    assert_eq!(
        row.unwrap().split_whitespace().collect::<Vec<_>>(),
        [
            "upduino3",
            "up5k-sg48",
            "7/5280",
            "27.00",
            "MHz",
            "111.00",
            "MHz",
            "311.1",
            "%"
        ]
    );
}

#[test]
fn only_one_board_is_loaded() {
    let bench = Bench::new();
    let output = bench.command(&["--board", "all", "--flash"]).output();
    let message = error(&output.unwrap());
    assert!(message.contains("name it with --board"), "{message}");
    let output = bench.command(&["--board", "icebreaker", "--permanent"]);
    let message = { output }.output().unwrap().stderr;
    assert!(text(&message).contains("--flash"), "{}", text(&message));
}

#[test]
fn a_board_is_loaded_by_the_first_of_its_tools_that_is_there() {
    let bench = Bench::new();
    let board = bench.board();
    let build = ["--board", &board, "--flash", "--json"];
    let output = bench.command(&build).output().unwrap();
    let value = json(&output);
    let calls = "yosys\nquick -b mine build/mine/firstspike.bit\n";
    assert_eq!(bench.calls(), calls);
    assert_eq!(value["flash"]["tool"], "quick");
    assert_eq!(value["flash"]["writes"], "sram");
    // What the tool says is for people, and standard output is for the JSON object.
    assert!(text(&output.stderr).contains("talking to the board"));

    let permanent = ["--board", &board, "--flash", "--permanent"];
    let output = bench.command(&permanent).output().unwrap();
    assert!(output.status.success());
    let last = "lasting --write build/mine/firstspike.bit";
    assert_eq!(bench.calls().lines().last(), Some(last));
    let said = text(&output.stdout);
    assert!(
        said.contains("Loaded into the configuration flash by lasting."),
        "{said}"
    );
    assert!(
        said.contains("Link: the board's FT231X, at 3000000 baud"),
        "{said}"
    );
}

#[test]
fn a_missing_loader_is_named_with_the_command_to_type() {
    let bench = Bench::new();
    let output = bench
        .command(&["--board", "icebreaker", "--flash"])
        .output();
    let output = output.unwrap();
    assert_eq!(
        error(&output),
        "error: the bitstream is built, but iceprog was not found to load it; install it \
         (sudo apt-get install fpga-icestorm) and repeat the command, or type: \
         iceprog build/icebreaker/firstspike.bin"
    );
    assert!(bench.path("build/icebreaker/firstspike.bin").exists());
    // The second tool of the board will do.
    bench.program("loaders/openFPGALoader", LOADER);
    let output = bench
        .command(&["--board", "icebreaker", "--flash"])
        .output();
    assert!(output.unwrap().status.success());
    assert_eq!(
        bench.calls().lines().last(),
        Some("openFPGALoader -b ice40_generic --write-flash build/icebreaker/firstspike.bin")
    );
}

#[test]
fn a_loader_that_fails_is_told_with_what_to_check() {
    let bench = Bench::new();
    let board = bench.board();
    let mut command = bench.command(&["--board", &board, "--flash"]);
    let output = command.env("LOADER_FAILS", "1").output().unwrap();
    assert_eq!(
        error(&output),
        "error: quick did not load the board (exit status: 3); check that it is connected over USB and \
         that you may use it there (udev rules: `firstspike doctor`), and repeat the command, or type: \
         quick -b mine build/mine/firstspike.bit"
    );
    assert!(text(&output.stderr).contains("no device found"));
}

/// An icetime that knows no device but the UP5K.
const ICETIME: &str = r#"
[ "$1 $2" = "-d up5k" ] || { echo "Error: unknown device" >&2; exit 1; }
echo "Total path delay: 36.70 ns (27.25 MHz)"
"#;

#[test]
fn icetime_is_asked_too_and_the_slower_estimate_counts() {
    let bench = Bench::new();
    let build = |board: &str| {
        let output = bench.command(&["--board", board, "--json"]).output();
        json(&output.unwrap())
    };
    let alone = build("icebreaker");
    assert_eq!(alone["clock_icetime_mhz"], Value::Null);
    assert_eq!(alone["warnings"].as_array().unwrap().len(), 0);
    // What was built without its opinion is built again when it can be had, and once only.
    bench.program("loaders/icetime", ICETIME);
    let before = bench.calls().lines().count();
    let report = build("icebreaker");
    assert_eq!(build("icebreaker"), report);
    assert_eq!(bench.calls().lines().count(), before + 1);
    assert_eq!(report["clock_reached_mhz"], 111.0);
    assert_eq!(report["clock_icetime_mhz"], 27.25);
    let in_hand = report["clock_in_hand_percent"].as_f64().unwrap();
    assert!((in_hand - 0.9259).abs() < 1e-3, "{in_hand}");
    let warning = report["warnings"][0].as_str().unwrap();
    assert!(warning.contains("0.9 % in hand"), "{warning}");
    let said = bench.command(&["--board", "icebreaker"]).output().unwrap();
    let said = text(&said.stdout);
    assert!(said.contains("(icetime: 27.25 MHz)"), "{said}");
    assert!(
        said.contains("warning: by icetime the design reaches 27.25 MHz"),
        "{said}"
    );
    // A device that it does not know, and a family that it has nothing to do with.
    for board in ["ice40-hx8k", "ulx3s-25f"] {
        let report = build(board);
        assert_eq!(report["clock_icetime_mhz"], Value::Null, "{board}");
        assert_eq!(report["timing_met"], true, "{board}");
    }
}

/// A dfu-util as Debian's 0.11, whose board has started its new bitstream when the last question comes, or, with $STOPS,
/// has gone in the middle.
const DFU_UTIL: &str = r#"
echo "dfu-util $*" >> "$CALLS"
echo "Copying data from PC to DFU device"
[ -z "$STOPS" ] || { echo "dfu-util: Error during download (LIBUSB_ERROR_NO_DEVICE)" >&2; exit 74; }
echo "Download done."
echo "DFU state(7) = dfuMANIFEST, status(0) = No error condition is present"
echo "dfu-util: unable to read DFU status after completion (LIBUSB_ERROR_NO_DEVICE)" >&2
exit 74
"#;

#[test]
fn a_board_whose_boot_loader_has_gone_after_the_load_is_loaded() {
    let bench = Bench::new();
    bench.program("loaders/dfu-util", DFU_UTIL);
    let arguments = ["--board", "orangecrab-25f", "--flash", "--json"];
    let output = bench.command(&arguments).output().unwrap();
    let value = json(&output);
    assert_eq!(value["flash"]["tool"], "dfu-util");
    // All that the tool says is seen, the odd end included.
    let said = text(&output.stderr);
    assert!(said.contains("Copying data from PC"), "{said}");
    assert!(said.contains("unable to read DFU status"), "{said}");

    let mut command = bench.command(&arguments);
    let output = command.env("STOPS", "1").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let value: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let told = format!("{value}{}", text(&output.stderr));
    assert!(
        told.contains("dfu-util did not load the board (exit status: 74)"),
        "{told}"
    );
}

#[test]
fn files_of_one_name_do_not_share_their_default_folder() {
    let bench = Bench::new();
    let mine = bench.board();
    fs::create_dir(bench.path("other")).unwrap();
    for file in ["mine.toml", "ulx3s.lpf"] {
        fs::copy(bench.path(file), bench.path("other").join(file)).unwrap();
    }
    for folder in ["a", "b"] {
        fs::create_dir(bench.path(folder)).unwrap();
        fs::write(bench.path(folder).join("top.v"), "module top; endmodule\n").unwrap();
    }
    let build = |arguments: &[&str]| {
        let output = bench.command(&[arguments, &["--json"]].concat()).output();
        output.unwrap()
    };
    let verilog = |file| ["--board", "icebreaker", "--verilog", file];
    for (first, folder, second) in [
        (
            &["--board", &mine][..],
            "build/mine",
            &["--board", "other/mine.toml"][..],
        ),
        (
            &verilog("a/top.v"),
            "build/icebreaker-top",
            &verilog("b/top.v"),
        ),
    ] {
        json(&build(first));
        let report = fs::read(bench.path(folder).join("report.json")).unwrap();
        let message = error(&build(second));
        assert!(
            message.contains(&format!("{folder} has a build of ")) && message.contains("--out"),
            "{message}"
        );
        assert!(fs::read(bench.path(folder).join("report.json")).unwrap() == report);
        json(&build(first));
        json(&build(&[second, &["--force"]].concat()));
    }
    let out = ["--out", "a", "--force"];
    fs::rename(bench.path("a/top.v"), bench.path("a/firstspike.v")).unwrap();
    let message = error(&build(&[&verilog("a/firstspike.v")[..], &out].concat()));
    assert!(message.contains("is read: give another name"), "{message}");
}

#[test]
fn what_is_in_the_folder_and_of_no_build_is_not_replaced() {
    let bench = Bench::new();
    fs::create_dir(bench.path("own")).unwrap();
    let build = ["--board", "icebreaker", "--out", "own"];
    for name in ["firstspike.v", "report.json", "report.txt", "synthesis.log"] {
        let path = bench.path("own").join(name);
        fs::write(&path, "mine").unwrap();
        let message = error(&bench.command(&build).output().unwrap());
        let says = format!("own/{name} is there, and is not a file of a build");
        assert!(message.contains(&says), "{message}");
        assert_eq!(fs::read(&path).unwrap(), b"mine");
        fs::remove_file(path).unwrap();
    }
    // A link stays, and what it leads to is written.
    std::os::unix::fs::symlink("../verilog.v", bench.path("own/firstspike.v")).unwrap();
    for _ in 0..2 {
        assert!(bench.command(&build).status().unwrap().success());
        fs::remove_file(bench.path("own/firstspike.bin")).unwrap();
    }
    assert!(bench.path("own/firstspike.v").is_symlink());
    assert!(fs::read_to_string(bench.path("verilog.v"))
        .unwrap()
        .contains("endmodule"));
}
