//! `tools/waveform.py`: what it reads in a waveform is what it draws.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// Four cycles of a clock: `busy` in the second and third, `state` 0, 1, 2, 0, and a value that is -2 while busy.
const VCD: &str = "\
$timescale 1ps $end
$scope module top $end
$var wire 1 ! clock $end
$var wire 1 \" busy $end
$var wire 2 # state [1:0] $end
$var wire 2 $ STATE_IDLE [1:0] $end
$var wire 2 % STATE_RUN [1:0] $end
$var wire 2 & STATE_SCAN_END [1:0] $end
$var wire 8 ' value [7:0] $end
$upscope $end
$enddefinitions $end
#0
0!
0\"
b00 #
b00 $
b01 %
b10 &
bxxxxxxxx '
#5
1!
#10
0!
#15
1!
1\"
b01 #
b11111110 '
#20
0!
#25
1!
b10 #
#30
0!
#35
1!
0\"
b00 #
#40
0!
";

struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new(vcd: &str) -> Self {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("a.vcd"), vcd).unwrap();
        Bench { folder }
    }

    fn picture(&self) -> PathBuf {
        self.folder.path().join("a.svg")
    }

    fn draw(&self, rows: &[&str]) -> Output {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tools/waveform.py");
        Command::new("python3")
            .arg(script)
            .arg(self.folder.path().join("a.vcd"))
            .args(["--scope", "top", "--while", "busy", "--out"])
            .arg(self.picture())
            .args(rows)
            .output()
            .unwrap()
    }
}

/// The texts of a picture, in order.
fn texts(svg: &str) -> Vec<&str> {
    svg.split("</text>")
        .filter_map(|part| part.rsplit_once('>'))
        .map(|(_, text)| text)
        .filter(|text| !text.trim().is_empty())
        .collect()
}

#[test]
fn values_names_and_gates_are_drawn_cycle_by_cycle() {
    let bench = Bench::new(VCD);
    let rows = [
        "--cycles=0-3",
        "[Group]",
        "state:names",
        "value:signed?busy",
        "hex=value:hex",
    ];
    let output = bench.draw(&rows);
    assert!(output.status.success(), "{output:?}");
    let svg = std::fs::read_to_string(bench.picture()).unwrap();
    let expected = [
        "clock cycle",
        "0",
        "1",
        "2",
        "3",
        "Group",
        "state",
        "IDLE",
        "RUN",
        "SCAN",
        "END",
        "IDLE",
        "value",
        "-2",
        "hex",
        "?",
        "fe",
    ];
    assert_eq!(texts(&svg), expected);
}

#[test]
fn without_cycles_all_of_the_time_is_drawn() {
    let bench = Bench::new(VCD);
    assert!(bench.draw(&["value"]).status.success());
    let svg = std::fs::read_to_string(bench.picture()).unwrap();
    assert_eq!(texts(&svg), ["clock cycle", "1", "2", "value", "254"]);
}

#[test]
fn what_cannot_be_drawn_is_one_sentence_and_no_file() {
    let cut = VCD.split("#35").next().unwrap();
    let cases: [(&str, &[&str], &str); 4] = [
        (VCD, &["nothing"], "there is no signal top.nothing"),
        (VCD, &["--nth=2", "value"], "rises 1 times"),
        (cut, &["value"], "is still 1 where"),
        ("$scope", &["value"], "give a whole VCD file"),
    ];
    for (vcd, rows, expected) in cases {
        let bench = Bench::new(vcd);
        let output = bench.draw(rows);
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains(expected), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        assert!(!bench.picture().exists());
    }
}
