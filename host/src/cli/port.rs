//! What the commands that talk to a board have in common: which port, which board, which model.

use crate::driver::{Board, DriverError, DEFAULT_BAUD};
use crate::text::joined;
use anyhow::Result;
use firmware_model::board::Board as BoardFile;
use firmware_model::network::Network;
use firmware_model::protocol::DeviceConfig;

/// The port of a board.
#[derive(Debug, clap::Args)]
pub struct PortArgs {
    /// The board's serial port, real or as `firstspike board` prints it
    #[arg(long)]
    pub port: String,
    /// The baud rate of the board's gateware [default: that of the --board, else 3000000]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub baud: Option<u32>,
    /// Go on only if the port has this board with its usual gateware: a name (see `firstspike boards`), or a .toml file [default: any]
    #[arg(long)]
    pub board: Option<String>,
}

impl PortArgs {
    /// Opens the port, and checks that the board is the one that was named.
    pub fn open(&self) -> Result<Board> {
        let expected = self.board.as_deref().map(BoardFile::find).transpose()?;
        let usual = expected.as_ref().map_or(DEFAULT_BAUD, |b| b.uart.baud);
        let baud = self.baud.unwrap_or(usual);
        let board = Board::open(&self.port, baud).map_err(|error| self.name(error))?;
        if let Some(expected) = &expected {
            (board.check_gateware(&gateware(expected))).map_err(|error| self.name(error))?;
        }
        Ok(board)
    }

    /// The error with the port's name before it, unless it names the port itself.
    fn name(&self, error: DriverError) -> anyhow::Error {
        let message = error.to_string();
        let error = anyhow::Error::new(error);
        match message.contains(&self.port) {
            true => error,
            false => error.context(self.port.clone()),
        }
    }
}

/// What a board says of itself when it has the gateware that its file asks for.
fn gateware(board: &BoardFile) -> DeviceConfig {
    DeviceConfig {
        core: board.core,
        board_number: board.number,
        clock_hz: board.clock.core_hz,
        baud: board.uart.baud,
    }
}

/// The name of the board behind a port, as far as this firstspike knows it.
pub fn board_name(board: &Board) -> String {
    let number = board.info().device.board_number;
    let known = BoardFile::built_in();
    let found = known.into_iter().find(|board| board.number == number);
    found.map_or_else(|| format!("board {number}"), |board| board.name)
}

/// A board that is armed with `network` already, or an error that says how to get there.
pub fn check_loaded(board: &mut Board, network: &Network) -> Result<(), DriverError> {
    match board.deployed_model_matches(network)? {
        true => Ok(()),
        false if board.info().armed => Err(DriverError::OtherModel),
        false => Err(DriverError::NotArmed),
    }
}

/// `784-600-10`.
pub fn shape(network: &Network) -> String {
    joined(&network.sizes(), "-")
}
