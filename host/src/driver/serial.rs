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
            .open_native()
            .map_err(|error| explain(path, &error))?;
        #[cfg(target_os = "linux")]
        low_latency::ask_for(&port);
        Ok(SerialTransport {
            port: Box::new(port),
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

/// USB serial chips hold short replies back, those of FTDI for 16 ms: longer than dozens of inferences.
#[cfg(target_os = "linux")]
mod low_latency {
    use nix::libc::{TIOCGSERIAL, TIOCSSERIAL};
    use std::os::fd::AsRawFd;

    /// `struct serial_struct` of linux/serial.h begins with nine ints and is shorter than this.
    type SerialStruct = [i32; 32];
    /// The place of its `flags`.
    const FLAGS: usize = 4;
    const ASYNC_LOW_LATENCY: i32 = 1 << 13;

    nix::ioctl_read_bad!(get_serial, TIOCGSERIAL, SerialStruct);
    nix::ioctl_write_ptr_bad!(set_serial, TIOCSSERIAL, SerialStruct);

    /// Has the driver send on what comes at once. Ports that know no such thing (pseudo-terminals) stay
    /// as they are.
    pub fn ask_for(port: &impl AsRawFd) {
        let mut serial: SerialStruct = [0; 32];
        // SAFETY: the descriptor is open, and the kernel reads and writes less than the array.
        unsafe {
            if get_serial(port.as_raw_fd(), &mut serial).is_ok() {
                serial[FLAGS] |= ASYNC_LOW_LATENCY;
                let _ = set_serial(port.as_raw_fd(), &serial);
            }
        }
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
