//! Lint of generated Verilog by Verilator, and simulation by Verilator and Icarus.

use rust_hdl::core::atom::{Atom, AtomKind};
use rust_hdl::prelude::*;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A fresh folder for one test.
pub fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Runs a command and gives what it printed; fails the test if it fails.
pub fn run(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|e| panic!("{command:?}: {e}; `make test` installs what it needs"));
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert!(output.status.success(), "{command:?}\n{text}");
    text
}

/// Fails on any lint warning but that a file holds modules with other names than its own.
pub fn lint(name: &str, text: &str) {
    let folder = folder(&format!("lint_{name}"));
    let file = folder.join(format!("{name}.v"));
    std::fs::write(&file, text).unwrap();
    let mut verilator = Command::new("verilator");
    verilator.args(["--lint-only", "-Wall", "-Wno-DECLFILENAME"]);
    let printed = run(verilator.arg("--top-module").arg(name).arg(&file));
    assert_eq!(printed, "", "lint of {name}\n{text}");
}

/// Numbers that look random; the same for the same seed.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn bits<const N: usize>(&mut self) -> Bits<N> {
        bit_cast::<N, 64>(self.next().into())
    }

    pub fn bit(&mut self) -> bool {
        self.next() & 1 == 1
    }
}

/// Top-level ports of a circuit: name, width, whether they are inputs, and value as binary digits.
#[derive(Default)]
struct Ports {
    depth: usize,
    names: Vec<String>,
    all: Vec<(String, usize, bool, String)>,
}

impl Probe for Ports {
    fn visit_start_scope(&mut self, _name: &str, _node: &dyn Block) {
        self.depth += 1;
    }
    fn visit_start_namespace(&mut self, name: &str, _node: &dyn Block) {
        self.names.push(name.to_string());
    }
    fn visit_atom(&mut self, name: &str, signal: &dyn Atom) {
        if self.depth != 1 || !signal.kind().is_parameter() || name == "clock" {
            return;
        }
        let name = self
            .names
            .iter()
            .map(String::as_str)
            .chain([name])
            .collect::<Vec<_>>();
        let keywords = ["initial", "begin", "event"];
        let mut name = name.join("_").replace('$', "_");
        if keywords.contains(&name.as_str()) {
            name.push('_');
        }
        let width = signal.bits();
        let hex = format!("{:x}", signal.verilog());
        let digits = hex.split_once("'h").unwrap().1;
        let value = u64::from_str_radix(digits, 16).unwrap();
        let input = signal.kind() == AtomKind::InputParameter;
        self.all
            .push((name, width, input, format!("{value:0width$b}")));
    }
    fn visit_end_namespace(&mut self, _name: &str, _node: &dyn Block) {
        self.names.pop();
    }
    fn visit_end_scope(&mut self, _name: &str, _node: &dyn Block) {
        self.depth -= 1;
    }
}

fn ports(uut: &impl Block) -> Vec<(String, usize, bool, String)> {
    let mut ports = Ports::default();
    uut.accept("uut", &mut ports);
    ports.all
}

/// A circuit's Verilog with the inputs and outputs of its Rust simulation, cycle by cycle.
pub struct Recording {
    pub name: &'static str,
    pub text: String,
    has_clock: bool,
    ports: Vec<(String, usize, bool)>,
    cycles: Vec<String>,
}

/// Where a circuit has its clock.
pub type ClockOf<B> = fn(&mut B) -> &mut Signal<In, Clock>;

/// Simulates `cycles` cycles of a circuit; `drive` sets its inputs, `clock` its clock.
pub fn record<B: Block>(
    name: &'static str,
    mut uut: B,
    cycles: usize,
    mut drive: impl FnMut(&mut B, &mut Random),
    clock: Option<ClockOf<B>>,
) -> Recording {
    let text = firstspike_hdl::verilog::emit(name, &uut, &[]).unwrap();
    uut.connect_all();
    let mut random = Random(1);
    let mut lines = vec![];
    for _ in 0..cycles {
        drive(&mut uut, &mut random);
        assert!(simulate(&mut uut, 100), "{name} does not settle");
        lines.push(ports(&uut).into_iter().map(|p| p.3).collect::<String>());
        if let Some(clock) = clock {
            for level in [true, false] {
                clock(&mut uut).next = level.into();
                assert!(simulate(&mut uut, 100), "{name} does not settle");
            }
        }
    }
    let ports = ports(&uut)
        .into_iter()
        .map(|(name, width, input, _)| (name, width, input));
    Recording {
        name,
        text,
        has_clock: clock.is_some(),
        ports: ports.collect(),
        cycles: lines,
    }
}

/// A test bench that replays a recording and compares every output in every cycle.
fn replay(recording: &Recording, file: &Path) -> String {
    let Recording {
        name,
        ports,
        cycles,
        ..
    } = recording;
    let width: usize = ports.iter().map(|p| p.1).sum();
    let mut text = format!("module bench_{name};\n    reg clock = 0;\n    integer i, bad = 0;\n");
    let last = cycles.len() - 1;
    writeln!(text, "    reg [{}:0] recorded [0:{last}];", width - 1).unwrap();
    writeln!(text, "    reg [{}:0] now;", width - 1).unwrap();
    let mut high = width;
    let mut pins = vec![];
    let mut checks = String::new();
    for (port, width, input) in ports {
        let (top, low) = (high - 1, high - width);
        high = low;
        if *input {
            pins.push(format!(".{port}(now[{top}:{low}])"));
        } else {
            writeln!(text, "    wire [{}:0] {port};", width - 1).unwrap();
            pins.push(format!(".{port}({port})"));
            writeln!(
                checks,
                "            if ({port} !== now[{top}:{low}]) begin bad = bad + 1; $display(\"{name}.{port} in cycle %0d: \
                 %h is not %h\", i, {port}, now[{top}:{low}]); end"
            )
            .unwrap();
        }
    }
    if recording.has_clock {
        pins.push(".clock(clock)".into());
    }
    writeln!(
        text,
        "    {name} uut ({});\n    initial begin\n        $readmemb(\"{}\", recorded);\n        \
         for (i = 0; i <= {last} && bad < 10; i = i + 1) begin\n            now = recorded[i];\n            #1;\n\
         {checks}            clock = 1; #1; clock = 0; #1;\n        end\n        \
         $display(\"{name}: %0d cycles, %0d differences\", i, bad);\n    end\nendmodule",
        pins.join(", "),
        file.display()
    )
    .unwrap();
    text
}

/// A test bench of all these recordings, as one file; and the lines that it prints when there is no difference.
fn bench(recordings: &[&Recording], folder: &Path) -> (PathBuf, Vec<String>) {
    let mut top = String::from("module bench;\n");
    let mut source = String::new();
    let mut lines = vec![];
    for recording in recordings {
        let vectors = folder.join(format!("{}.txt", recording.name));
        std::fs::write(&vectors, recording.cycles.join("\n") + "\n").unwrap();
        source.push_str(&recording.text);
        source.push_str(&replay(recording, &vectors));
        writeln!(top, "    bench_{0} bench_{0} ();", recording.name).unwrap();
        let count = recording.cycles.len();
        lines.push(format!("{}: {count} cycles, 0 differences", recording.name));
    }
    top.push_str("    initial #1000000 $finish;\nendmodule\n");
    let file = folder.join("bench.v");
    std::fs::write(&file, source + &top).unwrap();
    (file, lines)
}

fn check(printed: &str, lines: &[String]) {
    for line in lines {
        assert!(printed.contains(line), "{line} is not in\n{printed}");
    }
}

/// Replays all recordings on their Verilog in Verilator, and in Icarus by two generations of the language; fails on the
/// first difference.
pub fn compare(recordings: &[Recording]) {
    let all = folder("simulation");
    let (file, lines) = bench(&recordings.iter().collect::<Vec<_>>(), &all);
    let mut verilator = Command::new("verilator");
    verilator.args([
        "--binary",
        "-Wno-fatal",
        "-Wno-lint",
        "--top-module",
        "bench",
        "-Mdir",
    ]);
    run(verilator.arg(all.join("obj")).arg(&file));
    check(&run(&mut Command::new(all.join("obj/Vbench"))), &lines);

    // What a memory holds before it is written is 0 in Rust, and undefined here.
    let defined: Vec<&Recording> = (recordings.iter())
        .filter(|recording| !recording.text.contains(" memory [0:"))
        .collect();
    assert!(defined.len() + 1 == recordings.len());
    let some = folder("simulation_icarus");
    let (file, lines) = bench(&defined, &some);
    for generation in ["-g2005", "-g2012"] {
        let program = some.join(format!("bench{generation}.vvp"));
        let mut iverilog = Command::new("iverilog");
        iverilog.args([generation, "-s", "bench", "-o"]);
        run(iverilog.arg(&program).arg(&file));
        check(&run(Command::new("vvp").arg("-n").arg(&program)), &lines);
    }
}
