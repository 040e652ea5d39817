//! Serial ports, those of the system and pseudo-terminals.

use super::{DriverError, Transport};
use serialport::{ClearBuffer, ErrorKind, SerialPort};
use std::io;
use std::time::{Duration, Instant};

/// How long the system may refuse to take more bytes.
const WRITE_LIMIT: Duration = Duration::from_secs(5);

/// A serial port that nobody else has open.
pub struct SerialTransport {
    port: Box<dyn SerialPort>,
    opened: Instant,
}

/// The paths of the serial ports that the system tells of; pseudo-terminals are not among them.
pub fn available_ports() -> Vec<String> {
    // The list is an aid in an error message: without one the message is still right.
    let ports = serialport::available_ports().unwrap_or_default();
    let mut names: Vec<String> = ports.into_iter().map(|port| port.port_name).collect();
    names.sort();
    names
}

impl SerialTransport {
    /// Opens the port at `path`, 8 data bits, no parity, 1 stop bit, no flow control.
    ///
    /// The port is locked (TIOCEXCL and flock), so that two hosts cannot mix their frames. A
    /// pseudo-terminal takes any baud rate and has none.
    pub fn open(path: &str, baud: u32) -> Result<Self, DriverError> {
        let port = serialport::new(path, baud)
            .exclusive(true)
            .open()
            .map_err(|error| explain(path, &error))?;
        Ok(SerialTransport {
            port,
            opened: Instant::now(),
        })
    }
}

fn explain(path: &str, error: &serialport::Error) -> DriverError {
    let port = path.to_owned();
    match error.kind {
        ErrorKind::Io(io::ErrorKind::NotFound) => DriverError::NoPort {
            port,
            available: available_ports(),
        },
        // What serialport makes of EBUSY, and of a lock that is held.
        ErrorKind::NoDevice => DriverError::Busy { port },
        ErrorKind::Io(io::ErrorKind::PermissionDenied) => DriverError::Denied { port },
        _ => DriverError::NotSerial {
            port,
            reason: error.description.clone(),
        },
    }
}

impl Transport for SerialTransport {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.port.set_timeout(WRITE_LIMIT)?;
        self.port.write_all(bytes)
    }

    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> io::Result<usize> {
        self.port.set_timeout(limit)?;
        match self.port.read(buffer) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => Ok(count),
            Err(error) => match error.kind() {
                io::ErrorKind::TimedOut | io::ErrorKind::Interrupted => Ok(0),
                _ => Err(error),
            },
        }
    }

    fn clear(&mut self) -> io::Result<()> {
        Ok(self.port.clear(ClearBuffer::Input)?)
    }

    fn now(&self) -> Duration {
        self.opened.elapsed()
    }
}
