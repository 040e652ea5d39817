//! A virtual board on a thread of its own.

use crate::device::VirtualDevice;
use crate::server::{serve, Event, Stop, Traffic};
use crate::terminal::Terminal;
use crate::SimError;
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

    /// What ends the board from elsewhere, a signal handler for one; [`VirtualBoard::wait`] returns then.
    pub fn stop_handle(&self) -> Stop {
        self.stop.clone()
    }

    /// Switches the board off, and says what passed through it or why it had stopped before.
    pub fn finish(self) -> Result<Traffic, SimError> {
        self.stop.stop();
        self.wait()
    }

    /// Waits until the board is switched off by its [`VirtualBoard::stop_handle`] or fails.
    pub fn wait(mut self) -> Result<Traffic, SimError> {
        self.join().unwrap_or_else(|| Ok(Traffic::default()))
    }

    fn join(&mut self) -> Option<Result<Traffic, SimError>> {
        let server = self.server.take()?;
        Some(
            server
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
        )
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
