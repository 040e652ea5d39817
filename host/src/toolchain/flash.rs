//! Loading a bitstream into a board, with the tool that its users use for it.

use super::Toolbox;
use firmware_model::board::{Board, Flash, Writes};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use thiserror::Error;

/// How the tools that boards name are installed.
const INSTALL: [(&str, &str); 7] = [
    ("openFPGALoader", "sudo apt-get install openfpgaloader"),
    ("iceprog", "sudo apt-get install fpga-icestorm"),
    ("dfu-util", "sudo apt-get install dfu-util"),
    ("tinyprog", "pip install tinyprog"),
    (
        "fujprog",
        "take it from the releases of the project fujprog",
    ),
    (
        "icesprog",
        "take it from the folder tools of the project wuxx/icesugar",
    ),
    ("ecpdap", "cargo install ecpdap"),
];

/// Tools that end with an error after a good load, and how to tell.
const GOOD_ALTHOUGH_FAILED: [GoodAlthoughFailed; 1] = [
    // The boot loader starts what it was given, and so is gone when dfu-util asks how it went: "unable to read DFU status
    // after completion (LIBUSB_ERROR_NO_DEVICE)", EX_IOERR. Each block had been acknowledged before, and this is
    // said after the last one; what the boot loader refuses ends the download before.
    GoodAlthoughFailed {
        tool: "dfu-util",
        status: 74,
        says: &[
            "Download done.",
            "unable to read DFU status after completion",
        ],
        not: "dfuERROR",
    },
];

/// One of them: it ended with this status, has said all of `says`, and not `not`.
struct GoodAlthoughFailed {
    tool: &'static str,
    status: i32,
    says: &'static [&'static str],
    not: &'static str,
}

impl GoodAlthoughFailed {
    fn is(&self, tool: &str, status: ExitStatus, said: &str) -> bool {
        self.tool == tool
            && status.code() == Some(self.status)
            && self.says.iter().all(|words| said.contains(words))
            && !said.contains(self.not)
    }
}

const SIGINT: i32 = 2;

/// Why a board was not loaded. The bitstream is there all the same.
#[derive(Debug, Error)]
pub enum FlashError {
    #[error(
        "the data file of the {board} names no tool that writes {writes}; add a [[flash]] to it \
         (docs/adding-a-board.md), or load {} by hand", .bitstream.display()
    )]
    NoWay {
        board: String,
        writes: Writes,
        bitstream: PathBuf,
    },
    #[error(
        "the bitstream is built, but {tool} was not found to load it; install it ({install}) and \
         repeat the command, or type: {command}"
    )]
    Missing {
        tool: String,
        install: &'static str,
        command: String,
    },
    #[error(
        "{tool} did not load the board ({status}); check that it is connected over USB and that \
         you may use it there (udev rules: `firstspike doctor`), and repeat the command, or type: {command}"
    )]
    Failed {
        tool: String,
        status: ExitStatus,
        command: String,
    },
    #[error(
        "interrupted while the board was being loaded; repeat the command before you use the board"
    )]
    Interrupted,
    #[error("cannot start {}; install {tool} anew ({install})", .path.display())]
    Start {
        tool: String,
        install: &'static str,
        path: PathBuf,
        source: io::Error,
    },
}

/// How to install a tool that loads boards.
pub fn flash_tool_install(tool: &str) -> &'static str {
    let known = INSTALL.iter().find(|(name, _)| *name == tool);
    known.map_or("its folder has to be on the PATH", |(_, install)| install)
}

/// Loads `bitstream` into a board, and tells the way that was taken.
///
/// Where the board can be loaded without writing its configuration flash that is done, so that nothing
/// which it held is lost; with `permanent` the flash is written in any case. Of the tools that the
/// board's data file names for this the first that is on the PATH is taken. What the tool says goes to
/// standard error.
pub fn flash<'a>(
    board: &'a Board,
    bitstream: &Path,
    permanent: bool,
    toolbox: &Toolbox,
) -> Result<&'a Flash, FlashError> {
    let ways = ways(board, permanent).map_err(|writes| FlashError::NoWay {
        board: board.title.clone(),
        writes,
        bitstream: bitstream.to_owned(),
    })?;
    let found = ways
        .iter()
        .find_map(|way| Some((*way, toolbox.program(&way.tool)?)));
    let file = bitstream.display().to_string();
    let Some((way, program)) = found else {
        let usual = ways[0];
        return Err(FlashError::Missing {
            tool: usual.tool.clone(),
            install: flash_tool_install(&usual.tool),
            command: usual.command_line(&file),
        });
    };
    let (status, said) = run(way, &program, bitstream).map_err(|source| FlashError::Start {
        tool: way.tool.clone(),
        install: flash_tool_install(&way.tool),
        path: program,
        source,
    })?;
    match status {
        status if status.success() => Ok(way),
        status if (GOOD_ALTHOUGH_FAILED.iter()).any(|good| good.is(&way.tool, status, &said)) => {
            Ok(way)
        }
        status if status.signal() == Some(SIGINT) => Err(FlashError::Interrupted),
        status => Err(FlashError::Failed {
            tool: way.tool.clone(),
            status,
            command: way.command_line(&file),
        }),
    }
}

/// The ways to load a board, the usual one first; at least one, or what none of them writes.
fn ways(board: &Board, permanent: bool) -> Result<Vec<&Flash>, Writes> {
    let volatile = board.flash.iter().any(|way| way.writes == Writes::Sram);
    let writes = match volatile && !permanent {
        true => Writes::Sram,
        false => Writes::Flash,
    };
    let ways: Vec<&Flash> = (board.flash.iter())
        .filter(|way| way.writes == writes)
        .collect();
    match ways.is_empty() {
        true => Err(writes),
        false => Ok(ways),
    }
}

/// Runs the tool, with all that it says on standard error as it says it. Gives how it ended, and what it has said.
fn run(way: &Flash, program: &Path, bitstream: &Path) -> io::Result<(ExitStatus, String)> {
    let mut command = Command::new(program);
    command
        .args(&way.arguments)
        .arg(bitstream)
        .stdin(Stdio::null());
    if !GOOD_ALTHOUGH_FAILED
        .iter()
        .any(|good| good.tool == way.tool)
    {
        // Standard output is for the result of the command. The tool has a terminal where there is one.
        let output = io::stderr().as_fd().try_clone_to_owned()?;
        return Ok((command.stdout(output).status()?, String::new()));
    }
    let (mut output, input) = io::pipe()?;
    command.stdout(input.try_clone()?).stderr(input);
    let mut child = command.spawn()?;
    // Its ends of the pipe: what reads must see the end when the tool has closed its own.
    drop(command);
    let mut said = vec![];
    let mut piece = [0; 1024];
    loop {
        let length = match output.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        said.extend_from_slice(&piece[..length]);
        // Whether anybody reads it does not change how the board is loaded.
        let _ = io::stderr().write_all(&piece[..length]);
    }
    Ok((child.wait()?, String::from_utf8_lossy(&said).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_of_a_built_in_board_can_be_installed() {
        for board in Board::built_in() {
            assert!(!board.flash.is_empty(), "{}", board.name);
            for way in &board.flash {
                let known = INSTALL.iter().any(|(tool, _)| *tool == way.tool);
                assert!(known, "{}: {}", board.name, way.tool);
            }
        }
    }

    #[test]
    fn the_flash_is_written_when_asked_for_or_when_there_is_no_other_way() {
        let tools = |name: &str, permanent| -> Vec<(String, Writes)> {
            let board = Board::find(name).unwrap();
            let ways = ways(&board, permanent).unwrap();
            ways.iter().map(|w| (w.tool.clone(), w.writes)).collect()
        };
        let flash = |tool: &str| (tool.to_owned(), Writes::Flash);
        let sram = |tool: &str| (tool.to_owned(), Writes::Sram);
        let icebreaker = [flash("iceprog"), flash("openFPGALoader")];
        assert_eq!(tools("icebreaker", false), icebreaker);
        assert_eq!(tools("icebreaker", true), icebreaker);
        assert_eq!(
            tools("ulx3s-25f", false),
            [sram("openFPGALoader"), sram("fujprog")]
        );
        assert_eq!(
            tools("ulx3s-25f", true),
            [flash("openFPGALoader"), flash("fujprog")]
        );
    }

    /// What Debian's dfu-util 0.11 says and ends with when an OrangeCrab has started its new bitstream, and what it says when
    /// it has not.
    #[test]
    fn a_boot_loader_that_has_gone_is_told_from_a_load_that_failed() {
        let good =
            "Download\t[=========================] 100%        99405 bytes\nDownload done.\n\
            DFU state(7) = dfuMANIFEST, status(0) = No error condition is present\n\
            dfu-util: unable to read DFU status after completion (LIBUSB_ERROR_NO_DEVICE)\n";
        let exit = |code: i32| ExitStatus::from_raw(code << 8);
        let is_good = |status, said: &str| GOOD_ALTHOUGH_FAILED[0].is("dfu-util", status, said);
        assert!(is_good(exit(74), good));
        for (status, said) in [
            (exit(1), good),
            (exit(74), "dfu-util: Error during download get_status\n"),
            (
                exit(74),
                "Download\t[=====    ]  36%\ndfu-util: unable to read DFU status after completion\n",
            ),
            (
                exit(74),
                "Download done.\nDFU state(10) = dfuERROR, status(10) = Device\'s firmware is corrupt\n\
                 dfu-util: unable to read DFU status after completion\n",
            ),
            (exit(74), "dfu-util: No DFU capable USB device available\n"),
        ] {
            assert!(!is_good(status, said), "{said}");
        }
        assert!(!GOOD_ALTHOUGH_FAILED[0].is("openFPGALoader", exit(74), good));
    }

    #[test]
    fn a_board_that_names_no_tool_says_so() {
        let mut board = Board::find("ulx3s-25f").unwrap();
        board.flash.retain(|way| way.writes == Writes::Sram);
        assert_eq!(ways(&board, true), Err(Writes::Flash));
        assert_eq!(ways(&board, false).unwrap().len(), 2);
        board.flash.clear();
        let toolbox = Toolbox::discover().unwrap();
        let error = flash(&board, Path::new("x.bit"), false, &toolbox).unwrap_err();
        let message = error.to_string();
        assert!(message.contains("add a [[flash]]"), "{message}");
        assert!(message.ends_with("load x.bit by hand"), "{message}");
    }
}
