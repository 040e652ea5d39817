//! `sweep --engine hq`: on a stand-in for HyperQueue; on a real server, which `make test` has installed as a Python
//! package, behind data/hq.py in the place of the program `hq`; and on the real program where it is on the PATH. Where
//! it is not, that last test says that it skips: what only it proves is that the real `hq` takes these arguments and cancels.
#![cfg(unix)]

use serde_json::{json, Value};
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const SPEC: &str = r#"
title = "Quick"
[defaults]
dataset = "digits"
layers = [64, 24, 10]
seeds = [1, 2]
epochs = 2
[[row]]
name = "plain"
[[row]]
name = "early"
patience = 0.5
"#;

/// What firstspike uses of hq: jobs are processes, a file says that one is over. A server is there when its
/// folder is.
const STAND_IN: &str = r#"#!/bin/sh
[ "$1 $2" = "--output-mode quiet" ] || exit 2
shift 2
state="$HQ_SERVER_DIR"
[ -d "$state" ] || { echo "no server runs" >&2; exit 1; }
case "$1 $2" in
"server info") ;;
"worker list") echo "1 RUNNING" ;;
"job wait")
    for job in $(echo "$3" | tr , ' '); do
        while [ ! -e "$state/$job.over" ]; do sleep 0.05; done
    done ;;
"job cancel")
    for job in $(echo "$3" | tr , ' '); do
        kill -KILL "$(cat "$state/$job.pid")" 2>/dev/null
        echo "$job" >>"$state/cancelled"
    done ;;
"submit --name")
    job=$(($(ls "$state" | grep -c pid) + 1))
    while [ "$1" != -- ]; do
        [ "$1" = --stderr ] && log="$2"
        shift
    done
    shift
    "$@" 2>"$log" >/dev/null &
    echo $! >"$state/$job.pid"
    (while kill -0 "$(cat "$state/$job.pid")"; do sleep 0.05; done; touch "$state/$job.over") >/dev/null 2>&1 &
    echo "$job" ;;
*) exit 2 ;;
esac
"#;

struct Place {
    folder: TempDir,
    /// Servers and workers, in process groups of their own.
    processes: Vec<Child>,
    path: OsString,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("s.toml"), SPEC).unwrap();
        Place {
            folder,
            processes: Vec::new(),
            path: std::env::var_os("PATH").unwrap_or_default(),
        }
    }

    fn with_stand_in() -> Self {
        Place::with_hq(STAND_IN)
    }

    /// With the text of a program that is found as `hq`.
    fn with_hq(program: &str) -> Self {
        let mut place = Place::new();
        // A shell writes the program: one that this process had open for writing may not be run while
        // another test's child still holds it.
        let write = "mkdir bin && printf '%s' \"$1\" > bin/hq && chmod +x bin/hq";
        let status = Command::new("/bin/sh")
            .args(["-c", write, "sh", program])
            .current_dir(place.folder.path())
            .status();
        assert!(status.unwrap().success());
        let mut path = place.path("bin").into_os_string();
        path.push(":");
        path.push(&place.path);
        place.path = path;
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn program(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("PATH", &self.path)
            .env("HQ_SERVER_DIR", self.path("server"));
        command
    }

    fn sweep(&self) -> Command {
        let program = env!("CARGO_BIN_EXE_firstspike");
        self.program(program, &["sweep", "s.toml", "--engine", "hq", "--json"])
    }

    /// Starts a part of HyperQueue, which ends with this place.
    fn start(&mut self, arguments: &[&str]) {
        let process = (self.program("hq", arguments))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        self.processes.push(process);
    }

    fn start_server(&mut self) {
        self.start(&["server", "start"]);
        until("server", || {
            let info = ["--output-mode", "quiet", "server", "info"];
            self.program("hq", &info).output().unwrap().status.success()
        });
    }

    fn exists(&self, name: &str) -> bool {
        self.path(name).exists()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        for process in &mut self.processes {
            process.kill().ok();
            process.wait().ok();
        }
        // Jobs of the stand-in that nobody cancelled.
        for entry in fs::read_dir(self.path("server"))
            .into_iter()
            .flatten()
            .flatten()
        {
            let path = entry.path();
            let over = path.with_extension("over").exists();
            if path.extension().is_some_and(|e| e == "pid") && !over {
                let id = fs::read_to_string(&path).unwrap_or_default();
                Command::new("kill")
                    .args(["-KILL", id.trim()])
                    .status()
                    .ok();
            }
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(60), "no {what}");
        sleep(Duration::from_millis(20));
    }
}

fn value(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)))
}

/// All but Ctrl-C, on a HyperQueue that runs.
fn sweeps(place: &Place) {
    let output = place.sweep().output().unwrap();
    let swept = value(&output);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!((&swept["done"], &swept["failed"]), (&json!(4), &json!([])));
    for name in ["plain-seed1", "plain-seed2", "early-seed1", "early-seed2"] {
        assert!(place.exists(&format!("s/{name}.fsp")) && !place.exists(&format!("s/{name}.log")));
    }
    let table = fs::read_to_string(place.path("s/table.md")).unwrap();
    assert_eq!(table.matches("| 2 |").count(), 2, "{table}");
    assert_eq!(value(&place.sweep().output().unwrap())["were_done"], 4);

    // As on a disk that is full.
    fs::remove_file(place.path("s/early-seed1.json")).unwrap();
    fs::remove_file(place.path("s/early-seed1.fsp")).unwrap();
    symlink("/dev/full", place.path("s/early-seed1.fsp")).unwrap();
    fs::remove_file(place.path("s/early-seed2.json")).unwrap();
    let output = place.sweep().output().unwrap();
    let swept = value(&output);
    assert!(!output.status.success());
    assert_eq!(
        (&swept["done"], &swept["failed"][0]["seed"]),
        (&json!(1), &json!(1))
    );
    let error = text(&output.stderr);
    let last = error.lines().last().unwrap();
    assert!(
        last.starts_with("error: 1 of 4 tasks failed: early seed 1: cannot write "),
        "{error}"
    );
    assert!(
        last.ends_with("; all that it said is in s/early-seed1.log"),
        "{error}"
    );
}

/// Ctrl-C cancels.
fn is_cancelled(place: &Place) {
    let slow = SPEC
        .replace("[64, 24, 10]", "[64, 300, 10]")
        .replace("epochs = 2", "epochs = 400");
    fs::write(place.path("s.toml"), slow).unwrap();
    let sweep = (place.sweep())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    until("checkpoint", || {
        place.exists("s/plain-seed1.fsp.checkpoint")
    });
    let id = sweep.id().to_string();
    assert!(Command::new("kill")
        .args(["-INT", &id])
        .status()
        .unwrap()
        .success());
    let output = sweep.wait_with_output().unwrap();
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{error}");
    let interrupted = "interrupted, with 0 of 4 tasks done";
    assert!(error.contains(&format!("error: {interrupted}")), "{error}");
    let told = &value(&output)["error"];
    assert!(told.as_str().unwrap().starts_with(interrupted), "{told}");
    // The job is gone: its checkpoint stays as it is.
    let checkpoint = || fs::read(place.path("s/plain-seed1.fsp.checkpoint")).unwrap();
    sleep(Duration::from_millis(500));
    let before = checkpoint();
    sleep(Duration::from_secs(2));
    assert!(checkpoint() == before);
}

#[test]
fn a_sweep_runs_on_a_stand_in() {
    let place = Place::with_stand_in();
    fs::create_dir(place.path("server")).unwrap();
    sweeps(&place);
    is_cancelled(&place);
    let cancelled = fs::read_to_string(place.path("server/cancelled")).unwrap();
    // Six jobs were over before: all later ones, as many as there were when Ctrl-C came.
    let jobs = fs::read_dir(place.path("server")).unwrap().flatten();
    let jobs = jobs.filter(|entry| entry.path().extension().is_some_and(|e| e == "pid"));
    assert_eq!(cancelled.lines().count(), jobs.count() - 6);
}

#[test]
fn a_sweep_runs_on_a_server_of_hyperqueue() {
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        eprintln!("skipped: HyperQueue's Python package is for Linux on x86-64 only");
        return;
    }
    let host = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = host.join("../.tools/hyperqueue/bin/python");
    let script = host.join("tests/data/hq.py");
    assert!(
        python.exists(),
        "HyperQueue is missing: `tools/install.sh tests` gets it"
    );
    let (python, script) = (python.display(), script.display());
    let mut place = Place::with_hq(&format!("#!/bin/sh\nexec '{python}' '{script}' \"$@\"\n"));
    fs::create_dir(place.path("server")).unwrap();
    place.start_server();
    sweeps(&place);
}

#[test]
fn a_sweep_runs_on_hyperqueue() {
    let mut place = Place::new();
    if place.program("hq", &["--version"]).output().is_err() {
        eprintln!("skipped: there is no program hq on the PATH");
        return;
    }
    place.start_server();
    place.start(&["worker", "start", "--cpus", "2"]);
    sweeps(&place);
    is_cancelled(&place);
    let listed = place.program("hq", &["--output-mode", "quiet", "job", "list", "--all"]);
    let listed = { listed }.output().unwrap();
    let listed = text(&listed.stdout);
    assert!(listed.contains("CANCELED"), "{listed}");
    assert!(
        !listed.contains("RUNNING") && !listed.contains("WAITING"),
        "{listed}"
    );
}

#[test]
fn without_hq_or_a_server_it_is_said_what_to_do() {
    let error = |place: &Place| {
        let output = place.sweep().output().unwrap();
        assert!(!output.status.success());
        let said = text(&output.stderr);
        let told = value(&output)["error"].as_str().unwrap().to_owned();
        assert_eq!(said.trim_end(), format!("error: {told}"));
        said
    };
    let mut nothing = Place::new();
    nothing.path = nothing.path("nothing").into_os_string();
    let said = error(&nothing);
    assert!(said.contains("hq was not found on the PATH"), "{said}");
    let said = error(&Place::with_stand_in());
    let wanted = "no HyperQueue server answers (no server runs): start one with `hq server start`";
    assert!(said.contains(wanted), "{said}");
}
