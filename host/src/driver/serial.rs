//! Serial ports, those of the system and pseudo-terminals.

use super::{DriverError, Transport};
use serialport::{ClearBuffer, ErrorKind, SerialPort, SerialPortInfo, SerialPortType};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long the system may refuse to take more bytes.
const WRITE_LIMIT: Duration = Duration::from_secs(5);

/// A serial port that nobody else has open.
pub struct SerialTransport {
    port: Box<dyn SerialPort>,
    opened: Instant,
}

/// The USB vendor number of FTDI.
const FTDI: u16 = 0x0403;

/// The paths of the serial ports that the system tells of; pseudo-terminals are not among them.
pub fn available_ports() -> Vec<String> {
    let ports = system_ports();
    let mut names: Vec<String> = ports.into_iter().map(|port| port.port_name).collect();
    names.sort();
    names
}

/// The serial ports that the system tells of; none where it tells of nothing, as in a container without /sys.
fn system_ports() -> Vec<SerialPortInfo> {
    if cfg!(target_os = "linux") && !Path::new("/sys/class/tty").is_dir() {
        return vec![];
    }
    serialport::available_ports().unwrap_or_default()
}

/// Whether the port at `path` is better off without DTR.
///
/// The chips of FTDI send and receive without it, and their DTR may reach something of the board: on an UPduino 3 the
/// select of the flash, which an asserted DTR pulls low against the FPGA. USB devices that play a serial port (CDC
/// ACM), adapters made of a microcontroller among them, often send nothing before they see it.
fn is_better_without_dtr(path: &Path, ports: &[SerialPortInfo]) -> bool {
    ports.iter().any(|port| {
        let is_ftdi = matches!(&port.port_type, SerialPortType::UsbPort(usb) if usb.vid == FTDI);
        is_ftdi && Path::new(&port.port_name) == path
    })
}

impl SerialTransport {
    /// Opens the port at `path`, 8 data bits, no parity, 1 stop bit, no flow control.
    ///
    /// The port is locked (TIOCEXCL and flock), so that two hosts cannot mix their frames. A
    /// pseudo-terminal takes any baud rate and has none. DTR of a chip by FTDI is taken back at once.
    pub fn open(path: &str, baud: u32) -> Result<Self, DriverError> {
        let mut builder = serialport::new(path, baud);
        // A port is often named by a link, in /dev/serial/by-id.
        let real = std::fs::canonicalize(path);
        if real.is_ok_and(|real| is_better_without_dtr(&real, &system_ports())) {
            builder = builder.dtr_on_open(false);
        }
        let port = builder
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

#[cfg(test)]
mod tests {
    use super::*;
    use serialport::UsbPortInfo;

    fn usb(name: &str, vid: u16, pid: u16) -> SerialPortInfo {
        SerialPortInfo {
            port_name: name.to_owned(),
            port_type: SerialPortType::UsbPort(UsbPortInfo {
                vid,
                pid,
                serial_number: None,
                manufacturer: None,
                product: None,
            }),
        }
    }

    #[test]
    fn chips_of_ftdi_are_opened_without_dtr_and_others_with_it() {
        let ports = [
            // An UPduino 3, an iCEBreaker's second port, a DAPLink.
            usb("/dev/ttyUSB0", 0x0403, 0x6014),
            usb("/dev/ttyUSB2", 0x0403, 0x6010),
            usb("/dev/ttyACM0", 0x0d28, 0x0204),
            SerialPortInfo {
                port_name: "/dev/ttyS0".to_owned(),
                port_type: SerialPortType::PciPort,
            },
        ];
        let without = |path: &str| is_better_without_dtr(Path::new(path), &ports);
        assert!(without("/dev/ttyUSB0"));
        assert!(without("/dev/ttyUSB2"));
        for path in ["/dev/ttyACM0", "/dev/ttyS0", "/dev/ttyUSB1", "/dev/pts/3"] {
            assert!(!without(path), "{path}");
        }
    }
}
