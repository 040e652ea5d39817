//! A virtual board on a thread of its own.

use crate::device::VirtualDevice;
use crate::server::{serve, Event, Stop, Traffic};
use crate::terminal::Terminal;
use crate::SimError;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};

/// A device behind a pseudo-terminal, served until this is dropped or finished. Who wants to use it opens its port
/// like any other.
pub struct VirtualBoard {
    port: PathBuf,
    stop: Stop,
    server: Option<JoinHandle<Result<Traffic, SimError>>>,
}

impl VirtualBoard {
    /// Starts to serve a device; `tell` hears, on the server's thread, what happens at the port.
    pub fn spawn<D, T>(mut device: D, mut tell: T) -> Result<Self, SimError>
    where
        D: VirtualDevice + 'static,
        T: FnMut(Event) + Send + 'static,
    {
        let mut terminal = Terminal::open(device.rate())?;
        let port = terminal.path().to_owned();
        let stop = Stop::new()?;
        let stopped = stop.clone();
        let server = thread::Builder::new()
            .name("virtual board".to_owned())
            .spawn(move || serve(&mut device, &mut terminal, &stopped, &mut tell))
            .map_err(|error| SimError::Start(error.to_string()))?;
        Ok(VirtualBoard {
            port,
            stop,
            server: Some(server),
        })
    }

    /// The path of the port to open.
    pub fn port(&self) -> &Path {
        &self.port
    }

    /// Whether it is still served: it stops when its device fails, and [`VirtualBoard::finish`] says why.
    pub fn is_running(&self) -> bool {
        self.server
            .as_ref()
            .is_some_and(|server| !server.is_finished())
    }

    /// Switches the board off, and says what passed through it or why it had stopped before.
    pub fn finish(mut self) -> Result<Traffic, SimError> {
        self.stop.stop();
        match self.server.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(panic)) => resume_unwind(panic),
            None => Ok(Traffic::default()),
        }
    }
}

impl Drop for VirtualBoard {
    fn drop(&mut self) {
        self.stop.stop();
        if let Some(server) = self.server.take() {
            // Whoever wants to know how it ended calls `finish`.
            let _ = server.join();
        }
    }
}
