//! What can go wrong between a host and a board.

use crate::text::joined;
use firmware_model::image::FitError;
use firmware_model::network::NetworkError;
use firmware_model::protocol::info::InfoError;
use firmware_model::protocol::status_name;
use std::io;
use std::time::Duration;
use thiserror::Error;

/// Why something could not be done with a board. Each says in one sentence what to do next.
#[derive(Debug, Error)]
pub enum DriverError {
    #[error(
        "there is no port {port} ({}); connect the board, or start a virtual one with \
         `firstspike board` and give the port that it prints",
        list(.available)
    )]
    NoPort {
        port: String,
        available: Vec<String>,
    },
    #[error(
        "the port {port} is busy: another program has it open; end that program and try again"
    )]
    Busy { port: String },
    #[error(
        "the port {port} may not be opened by this user; join the group that owns it (often `dialout`) \
         and log in anew, or install the udev rules (`firstspike doctor` says how), and try again"
    )]
    Denied { port: String },
    #[error("{port} cannot be used as a serial port ({reason}); give the port of a board")]
    NotSerial { port: String, reason: String },
    #[error(
        "the line to the board broke ({0}); check the cable and the board's power, then try again"
    )]
    Line(#[from] io::Error),
    #[error(
        "nothing answers; check that the board has power and the firstspike gateware, and that port \
         and baud rate are right"
    )]
    Silent,
    #[error(
        "the board answers no more; check its cable and its power, or that a virtual board still runs and this \
         machine is not too busy for it, then try again (a board that was switched off needs its model \
         deployed again)"
    )]
    Lost,
    #[error(
        "something answers, but not as a firstspike board does; check that port and baud rate are right"
    )]
    Garbage,
    #[error(
        "what answers is not a board that this firstspike can use ({0}); check the port, or load the \
         board with a bitstream of this version"
    )]
    Info(#[from] InfoError),
    #[error(
        "the board has another gateware than expected ({what}); load it with the bitstream that \
         `firstspike build` makes for that board, or name the board that it is"
    )]
    OtherGateware { what: String },
    #[error(
        "the network does not fit this core: {error}; {}, and `firstspike explore` with --model and --save \
         looks for a core of the board that it fits",
        what_fits(.sizes, .fitting)
    )]
    Fit {
        error: FitError,
        sizes: Vec<usize>,
        fitting: Option<Vec<usize>>,
    },
    #[error("{0}; give samples that the network was trained for")]
    Spikes(#[from] NetworkError),
    #[error("no model is ready on the board (was it reset?); deploy one with `firstspike deploy`")]
    NotArmed,
    #[error("the board holds another model than this one; load it with `firstspike deploy`")]
    OtherModel,
    #[error(
        "the board's memories do not hold what was sent (CRC-32 {found:08x} instead of {expected:08x}); \
         deploy again, and if that does not help, suspect the board"
    )]
    MemoryCheck { expected: u32, found: u32 },
    #[error(
        "the board refused {request} with {}; check that it has a bitstream of this version of firstspike",
        name(*.status)
    )]
    Refused { request: &'static str, status: u8 },
    #[error(
        "the board's answer to {request} makes no sense; check that it has a bitstream of this version \
         of firstspike"
    )]
    Answer { request: &'static str },
    #[error(
        "the line to the board is too bad: {recoveries} recoveries in a row did not help (last: {last}); \
         use a shorter cable or a lower baud rate"
    )]
    Unreliable { recoveries: u32, last: Fault },
    #[error(
        "the board is too slow: it answers when it is asked who it is, but {recoveries} times in a row no reply to \
         {request} came within {:.1} s; if it is a virtual board, this machine is too slow or too busy for its \
         core: take a smaller core, or the software board; if it is a real one, its line loses frames: use \
         a shorter cable or a lower baud rate",
        .limit.as_secs_f64()
    )]
    NoReply {
        recoveries: u32,
        request: &'static str,
        limit: Duration,
    },
}

/// What made a recovery necessary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Fault {
    #[error("the board could not read a frame: {}", name(*.0))]
    Nak(u8),
    #[error("a frame of the board was damaged")]
    Damaged,
    #[error("a reply was lost")]
    OutOfTurn,
    #[error("part of an image was lost")]
    OutOfOrder,
    #[error("no reply came in time")]
    Silence,
    /// Not a fault of the line: an earlier call ended with requests open.
    #[error("an earlier call was cut off")]
    Resume,
}

fn name(status: u8) -> String {
    status_name(status).map_or_else(|| format!("status {status}"), str::to_owned)
}

fn list(ports: &[String]) -> String {
    match ports {
        [] => "the system knows of no serial port".to_owned(),
        _ => format!("there is {}", ports.join(", ")),
    }
}

fn what_fits(sizes: &[usize], fitting: &Option<Vec<usize>>) -> String {
    match fitting {
        Some(smaller) => {
            let (sizes, smaller) = (joined(sizes, ","), joined(smaller, ","));
            format!("instead of {sizes}, {smaller} would fit")
        }
        None => "take a larger board or a smaller network".to_owned(),
    }
}
