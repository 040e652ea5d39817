//! What the tests of commands share: a folder of their own to run the program in.

use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use tempfile::TempDir;

/// A folder to work in, which is the cache folder of data sets too.
pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        Place(tempfile::tempdir().unwrap())
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_firstspike"));
        command
            .args(arguments)
            .current_dir(self.0.path())
            .env("FIRSTSPIKE_DATA", self.0.path().join("cache"));
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// The JSON of a command that must succeed.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("one JSON object and nothing else")
    }

    /// The error of a command that must fail: one sentence, and no file left.
    pub fn error(&self, arguments: &[&str]) -> String {
        let before = self.files();
        let output = self.run(arguments);
        assert!(!output.status.success());
        assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
        let error = text(&output.stderr);
        assert_eq!(error.trim_end().lines().count(), 1, "{error}");
        assert!(error.starts_with("error: ") && !error.contains("panicked"));
        assert_eq!(self.files(), before);
        error
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The names of all in this folder, in order.
    pub fn files(&self) -> Vec<String> {
        self.files_in(".")
    }

    /// The same for a folder in it.
    pub fn files_in(&self, folder: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path(folder))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
