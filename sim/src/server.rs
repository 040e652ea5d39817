//! Copies bytes between a virtual device and a pseudo-terminal.

use crate::device::{Next, VirtualDevice};
use crate::terminal::Terminal;
use crate::SimError;
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{poll, PollFd, PollFlags, PollTimeout};
use nix::unistd::{pipe2, write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

/// How many bytes are held for the device, and about how many for the client. When these are full, the client's
/// writes wait and the device stands still: nothing is dropped.
const HELD: usize = 4096;

/// Ends a [`serve`] from any thread.
#[derive(Clone)]
pub struct Stop {
    pipe: Arc<(OwnedFd, OwnedFd)>,
}

impl Stop {
    pub fn new() -> Result<Self, SimError> {
        let pipe = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)
            .map_err(SimError::terminal("make a pipe beside"))?;
        Ok(Stop {
            pipe: Arc::new(pipe),
        })
    }

    /// Makes `serve` return. It may be called more than once.
    pub fn stop(&self) {
        // The pipe can only be full of earlier calls.
        let _ = write(&self.pipe.1, &[0]);
    }
}

/// Something worth telling the person in front of a virtual board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A client opened the port, at this clock of the device, where it has one.
    Opened { clock: Option<u64> },
    /// The last client closed the port.
    Closed,
    /// The client set another speed than the device has: they will not understand each other.
    RateDiffers { client: u32, device: u32 },
    /// Bytes arrived broken, so many since the start.
    FramingErrors(u64),
}

/// What passed through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// How many times a client opened the port.
    pub clients: usize,
    /// Bytes from clients to the device.
    pub to_device: u64,
    /// Bytes from the device to clients.
    pub from_device: u64,
    /// As [`VirtualDevice::framing_errors`] counts them.
    pub framing_errors: u64,
}

/// Lets the device work for whoever opens the terminal, until [`Stop::stop`].
pub fn serve(
    device: &mut dyn VirtualDevice,
    terminal: &mut Terminal,
    stop: &Stop,
    tell: &mut dyn FnMut(Event),
) -> Result<Traffic, SimError> {
    let mut traffic = Traffic::default();
    let mut to_device = Vec::with_capacity(HELD);
    let mut to_client = Vec::with_capacity(HELD);
    let mut host_rate = device.rate();
    let mut next = Next::Now;
    loop {
        let held_up = to_client.len() >= HELD;
        let ready = wait(
            terminal,
            stop,
            to_device.len() < HELD,
            !to_client.is_empty(),
            if held_up { Next::Input } else { next },
        )?;
        if ready.stop {
            return Ok(traffic);
        }

        // Before the bytes: a client opens the port before it writes.
        let visits = terminal.visits()?;
        traffic.clients += visits.opened;
        if visits.abandoned {
            to_client.clear();
        }
        let mut happened = [
            (
                visits.opened > 0,
                Event::Opened {
                    clock: device.clocks(),
                },
            ),
            (visits.abandoned, Event::Closed),
        ];
        if terminal.clients() > 0 {
            happened.reverse(); // whoever is there now came last
        }
        for (did, event) in happened {
            if did {
                tell(event);
            }
        }

        if ready.read {
            let rate = terminal.speed()?;
            if rate != host_rate && rate != 0 {
                host_rate = rate;
                device.set_host_rate(rate);
                if rate != device.rate() {
                    tell(Event::RateDiffers {
                        client: rate,
                        device: device.rate(),
                    });
                }
            }
            let filled = to_device.len();
            to_device.resize(HELD, 0);
            let count = terminal.read(&mut to_device[filled..])?;
            to_device.truncate(filled + count);
            traffic.to_device += count as u64;
        }

        if !held_up {
            let before = to_client.len();
            let progress = device.exchange(&to_device, &mut to_client)?;
            to_device.drain(..progress.consumed);
            next = if to_device.is_empty() {
                progress.next
            } else {
                Next::Now
            };
            traffic.from_device += (to_client.len() - before) as u64;
            if device.framing_errors() != traffic.framing_errors {
                traffic.framing_errors = device.framing_errors();
                tell(Event::FramingErrors(traffic.framing_errors));
            }
        }

        if terminal.clients() == 0 {
            to_client.clear(); // nobody is listening
        } else if !to_client.is_empty() {
            let count = terminal.write(&to_client)?;
            to_client.drain(..count);
        }
    }
}

/// What [`wait`] found.
struct Ready {
    stop: bool,
    read: bool,
}

/// Waits until there is something to do: bytes, clients, time for the device, or the end.
fn wait(
    terminal: &Terminal,
    stop: &Stop,
    reads: bool,
    writes: bool,
    next: Next,
) -> Result<Ready, SimError> {
    let timeout = match next {
        Next::Now => PollTimeout::ZERO,
        Next::After(time) => PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX),
        Next::Input => PollTimeout::NONE,
    };
    let mut bytes = PollFlags::empty();
    bytes.set(PollFlags::POLLIN, reads);
    bytes.set(PollFlags::POLLOUT, writes);
    let mut polled = [
        PollFd::new(stop.pipe.0.as_fd(), PollFlags::POLLIN),
        PollFd::new(terminal.clients_fd(), PollFlags::POLLIN),
        PollFd::new(terminal.bytes_fd(), bytes),
    ];
    match poll(&mut polled, timeout) {
        Ok(_) | Err(Errno::EINTR) => {}
        Err(errno) => return Err(SimError::terminal("wait for")(errno)),
    }
    let has = |index: usize, flag| {
        polled[index]
            .revents()
            .is_some_and(|found| found.contains(flag))
    };
    Ok(Ready {
        stop: has(0, PollFlags::POLLIN),
        read: has(2, PollFlags::POLLIN),
    })
}
