//! Builds the boards of `constraints/` in: a board is files, not code.

use std::fmt::Write;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"))
        .join("../constraints")
        .canonicalize()?;
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut text = String::new();
    for (name, suffixes) in [
        ("DATA_FILES", &["toml"][..]),
        ("PIN_FILES", &["pcf", "lpf"]),
    ] {
        let files = files(&folder, suffixes)?;
        writeln!(text, "const {name}: [(&str, &str); {}] = [", files.len())
            .expect("a string takes all");
        for file in files {
            let path = folder.join(&file);
            writeln!(text, "    ({file:?}, include_str!({path:?})),").expect("a string takes all");
        }
        text.push_str("];\n");
    }
    let out = env::var("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("boards.rs"), text)
}

/// The names of the files in `folder` that end in one of `suffixes`, sorted.
fn files(folder: &Path, suffixes: &[&str]) -> io::Result<Vec<String>> {
    let mut names = vec![];
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let suffix = name.rsplit_once('.').map_or("", |(_, suffix)| suffix);
        if suffixes.contains(&suffix) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}
