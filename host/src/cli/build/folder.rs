//! The folder of a build: which it is by default, and that nothing of anybody else's is lost in it.

use crate::cli::outputs::{Force, Outputs};
use crate::files::{contains, write_whole, Kind};
use crate::toolchain::BuildReport;
use anyhow::{ensure, Context, Result};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The file that tells from which files of the user's a build was made: their paths, one a line.
const MADE_FROM: &str = "made-from.txt";

/// The folder of a build that was given none: called after the board, or the files that it is made from.
pub fn default(board: &str, verilog: Option<&Path>) -> PathBuf {
    let stem = |path: &Path| {
        let stem = path.file_stem().unwrap_or(path.as_os_str());
        stem.to_string_lossy().into_owned()
    };
    let mut name = match is_file(board) {
        true => stem(Path::new(board)),
        false => board.to_owned(),
    };
    if let Some(verilog) = verilog {
        name = format!("{name}-{}", stem(verilog));
    }
    Path::new("build").join(name)
}

/// As [`firmware_model::board::Board::find`] tells files from names.
fn is_file(board: &str) -> bool {
    board.ends_with(".toml")
}

/// The files of the user's that a build is made from, by their full paths.
pub fn made_from(board: &str, verilog: Option<&Path>) -> Result<Vec<PathBuf>> {
    let board = is_file(board).then(|| Path::new(board));
    (board.into_iter().chain(verilog))
        .map(|path| {
            path.canonicalize()
                .with_context(|| format!("cannot read {}; check the path", path.display()))
        })
        .collect()
}

/// Looks whether the files of `names` can be written into `folder` without a loss. `made_from` is what a build in a
/// folder of a default name is made from: it must not take the place of one that was made from other files.
pub fn check(
    folder: &Path,
    names: &[&str],
    made_from: Option<&[PathBuf]>,
    force: Force,
    outputs: &mut Outputs,
) -> Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    let report = fs::read(folder.join("report.json")).ok();
    let is_build = report.is_some_and(|json| serde_json::from_slice::<BuildReport>(&json).is_ok());
    if let Some(made_from) = made_from.filter(|_| is_build && !force.force) {
        let before = fs::read_to_string(folder.join(MADE_FROM)).unwrap_or_default();
        ensure!(
            before == lines(made_from),
            "{} has a build of {}: give another folder with --out, or --force to replace it",
            folder.display(),
            match before.is_empty() {
                true => "a board of firstspike's own".to_owned(),
                false => before.lines().collect::<Vec<_>>().join(" and "),
            }
        );
    }
    for name in names {
        let path = folder.join(name);
        let is_one = match name.ends_with(".log") {
            _ if is_build => |_: &[u8]| true,
            // A build that failed leaves nothing else.
            true => is_log,
            false => |_: &[u8]| false,
        };
        let kind = Kind {
            name: "a file of a build",
            suffix: "",
            is_one,
        };
        outputs.writes(&path, kind, 0)?;
    }
    Ok(())
}

/// Whether one of the tools said this.
fn is_log(bytes: &[u8]) -> bool {
    let tools = [
        "Yosys",
        "Info: ",
        "ERROR: ",
        "Traceback",
        "nextpnr",
        "pack",
        "// Reading",
    ];
    tools.iter().any(|said| contains(bytes, said))
}

fn lines(made_from: &[PathBuf]) -> String {
    let line = |path: &PathBuf| format!("{}\n", path.display());
    made_from.iter().map(line).collect()
}

/// Notes in the folder of a build what it was made from, where the name of the folder comes from that.
pub fn note(folder: &Path, made_from: &[PathBuf], is_default: bool) -> Result<()> {
    let path = folder.join(MADE_FROM);
    if !is_default && !path.exists() {
        return Ok(());
    }
    let done = match made_from.is_empty() {
        true => match fs::remove_file(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            done => done,
        },
        false => write_whole(&path, lines(made_from).as_bytes()),
    };
    done.with_context(|| format!("cannot write {}", path.display()))
}
