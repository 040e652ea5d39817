//! Loading a bitstream into a board, with the tool that its users use for it.

use super::Toolbox;
use firmware_model::board::{Board, Flash, Writes};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use thiserror::Error;

/// How the tools that boards name are installed.
const INSTALL: [(&str, &str); 5] = [
    ("openFPGALoader", "sudo apt-get install openfpgaloader"),
    ("iceprog", "sudo apt-get install fpga-icestorm"),
    ("dfu-util", "sudo apt-get install dfu-util"),
    ("tinyprog", "pip install tinyprog"),
    (
        "fujprog",
        "take it from the releases of the project fujprog",
    ),
];

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
         you may use it there, and repeat the command, or type: {command}"
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
    let status = run(way, &program, bitstream).map_err(|source| FlashError::Start {
        tool: way.tool.clone(),
        install: flash_tool_install(&way.tool),
        path: program,
        source,
    })?;
    match status {
        status if status.success() => Ok(way),
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

fn run(way: &Flash, program: &Path, bitstream: &Path) -> io::Result<ExitStatus> {
    // Standard output is for the result of the command.
    let output = io::stderr().as_fd().try_clone_to_owned()?;
    Command::new(program)
        .args(&way.arguments)
        .arg(bitstream)
        .stdin(Stdio::null())
        .stdout(output)
        .status()
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
