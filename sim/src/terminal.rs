//! A pseudo-terminal that looks like a serial port to whoever opens it.

use crate::SimError;
use nix::errno::Errno;
use nix::fcntl::{fcntl, FcntlArg, OFlag};
use nix::libc;
use nix::pty::openpty;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::sys::termios::{cfmakeraw, tcflush, tcgetattr, tcsetattr, FlushArg, SetArg};
use nix::unistd::{read, ttyname, write};
use std::fs;
use std::io::ErrorKind;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

mod ioctl {
    use nix::libc::{termios2, TCGETS2, TCSETS2, TIOCNXCL};
    nix::ioctl_read_bad!(get_termios2, TCGETS2, termios2);
    nix::ioctl_write_ptr_bad!(set_termios2, TCSETS2, termios2);
    nix::ioctl_none_bad!(leave_exclusive, TIOCNXCL);
}

/// The device's end of a pseudo-terminal.
///
/// The other end is held open here too, so that clients may come and go: without that, reading fails while there is
/// none. The price is that the kernel never tells that a client has gone, so the file's opening and closing is watched.
pub struct Terminal {
    master: OwnedFd,
    slave: OwnedFd,
    path: PathBuf,
    watch: Inotify,
    clients: usize,
}

/// What became of the clients since the last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Visits {
    /// So many times a client opened the port.
    pub opened: usize,
    /// The port was without any client for a while, or is now.
    pub abandoned: bool,
}

impl Terminal {
    /// Opens a new pseudo-terminal in raw mode, set to `baud`.
    pub fn open(baud: u32) -> Result<Self, SimError> {
        let pair = openpty(None, None).map_err(SimError::terminal("open"))?;
        let mut settings = tcgetattr(&pair.slave).map_err(SimError::terminal("set up"))?;
        cfmakeraw(&mut settings);
        tcsetattr(&pair.slave, SetArg::TCSANOW, &settings).map_err(SimError::terminal("set up"))?;
        set_speed(&pair.slave, baud).map_err(SimError::terminal("set the speed of"))?;
        for end in [&pair.master, &pair.slave] {
            fcntl(end, FcntlArg::F_SETFD(nix::fcntl::FdFlag::FD_CLOEXEC))
                .map_err(SimError::terminal("set up"))?;
        }
        fcntl(&pair.master, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))
            .map_err(SimError::terminal("set up"))?;
        let path = ttyname(&pair.slave).map_err(SimError::terminal("name"))?;
        let watch = Inotify::init(InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC)
            .map_err(SimError::terminal("watch the clients of"))?;
        watch
            .add_watch(&path, AddWatchFlags::IN_OPEN | AddWatchFlags::IN_CLOSE)
            .map_err(SimError::terminal("watch the clients of"))?;
        Ok(Terminal {
            master: pair.master,
            slave: pair.slave,
            path,
            watch,
            clients: 0,
        })
    }

    /// The path that a client opens.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many clients have the port open.
    pub fn clients(&self) -> usize {
        self.clients
    }

    /// What to poll for bytes.
    pub fn bytes_fd(&self) -> BorrowedFd<'_> {
        self.master.as_fd()
    }

    /// What to poll for clients that come and go.
    pub fn clients_fd(&self) -> BorrowedFd<'_> {
        self.watch.as_fd()
    }

    /// Looks who came and went. After the last client has gone, what was on its way to it is discarded, as a real
    /// port does.
    pub fn visits(&mut self) -> Result<Visits, SimError> {
        let mut visits = Visits::default();
        loop {
            let events = match self.watch.read_events() {
                Ok(events) => events,
                Err(Errno::EAGAIN) => break,
                Err(Errno::EINTR) => continue,
                Err(errno) => return Err(SimError::terminal("watch the clients of")(errno)),
            };
            for event in events {
                if event.mask.contains(AddWatchFlags::IN_OPEN) {
                    self.clients += 1;
                    visits.opened += 1;
                } else {
                    self.clients = self.clients.saturating_sub(1);
                    visits.abandoned |= self.clients == 0;
                }
            }
        }
        if visits.abandoned {
            tcflush(&self.slave, FlushArg::TCIFLUSH).map_err(SimError::terminal("flush"))?;
        }
        if visits.abandoned && self.clients == 0 {
            self.lift_claim()?;
        }
        Ok(visits)
    }

    /// Lets anybody open the port.
    ///
    /// The kernel forgets a client's claim to have a port alone (TIOCEXCL) when the port is closed for the last time.
    /// This one never is: the next client would be turned away for ever, or, were the claim lifted only after the last
    /// one has gone, for as long as the device is busy. So it is lifted whenever bytes come, too; what keeps two
    /// clients apart is the lock on the file (flock) that libraries for serial ports take as well.
    fn lift_claim(&self) -> Result<(), SimError> {
        // SAFETY: the descriptor is open, and this call takes nothing else.
        unsafe { ioctl::leave_exclusive(self.slave.as_raw_fd()) }
            .map_err(SimError::terminal("free"))?;
        Ok(())
    }

    /// The speed that the client has set, in baud.
    pub fn speed(&self) -> Result<u32, SimError> {
        let settings = termios2(&self.slave).map_err(SimError::terminal("read the speed of"))?;
        Ok(settings.c_ospeed)
    }

    /// Reads what has come from the client, as far as it fits: 0 bytes when there is nothing.
    pub fn read(&self, buffer: &mut [u8]) -> Result<usize, SimError> {
        self.lift_claim()?;
        none_if_not_ready(read(&self.master, buffer)).map_err(SimError::terminal("read from"))
    }

    /// Writes to the client, as far as the terminal takes it: 0 bytes when it is full.
    pub fn write(&self, bytes: &[u8]) -> Result<usize, SimError> {
        none_if_not_ready(write(&self.master, bytes)).map_err(SimError::terminal("write to"))
    }
}

fn none_if_not_ready(result: nix::Result<usize>) -> nix::Result<usize> {
    match result {
        Err(Errno::EAGAIN | Errno::EINTR) => Ok(0),
        result => result,
    }
}

/// The settings with the speed as a number: the older interface knows only some speeds.
fn termios2(terminal: &OwnedFd) -> nix::Result<libc::termios2> {
    // SAFETY: all zero is a valid `termios2`, the descriptor is open, and the call fills the structure.
    unsafe {
        let mut settings: libc::termios2 = std::mem::zeroed();
        ioctl::get_termios2(terminal.as_raw_fd(), &mut settings)?;
        Ok(settings)
    }
}

fn set_speed(terminal: &OwnedFd, baud: u32) -> nix::Result<()> {
    let mut settings = termios2(terminal)?;
    settings.c_cflag = settings.c_cflag & !libc::CBAUD | libc::BOTHER;
    settings.c_ispeed = baud;
    settings.c_ospeed = baud;
    // SAFETY: the descriptor is open and the structure is whole.
    unsafe { ioctl::set_termios2(terminal.as_raw_fd(), &settings) }.map(|_| ())
}

/// A symbolic link to a terminal under a name that stays the same, removed when this is dropped.
pub struct Link {
    path: PathBuf,
    target: PathBuf,
}

/// The folder of the pseudo-terminals.
const TERMINALS: &str = "/dev/pts";

impl Link {
    /// Refuses a name at which [`Link::make`] could make no link.
    pub fn check(path: &Path) -> Result<(), SimError> {
        match fs::symlink_metadata(path) {
            Ok(_) if is_stale(path) => Ok(()),
            Ok(_) => Err(taken(path)),
            Err(_) => Ok(()),
        }
    }

    /// Makes a link to `target`. What is there already is not touched, but for a link that a board left behind which
    /// did not end in good order: one to a pseudo-terminal that is no more, or to `target` itself.
    pub fn make(path: &Path, target: &Path) -> Result<Self, SimError> {
        let link = Link {
            path: path.to_owned(),
            target: target.to_owned(),
        };
        if fs::read_link(path).is_ok_and(|there| there == target) {
            return Ok(link); // its terminal had the number that this one has
        }
        if is_stale(path) {
            remove_stale(path)?;
        }
        match std::os::unix::fs::symlink(target, path) {
            Ok(()) => Ok(link),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(taken(path)),
            Err(error) => Err(SimError::io("make the link", path)(error)),
        }
    }
}

/// Whether there is a link to a pseudo-terminal that is no more.
fn is_stale(path: &Path) -> bool {
    fs::read_link(path).is_ok_and(|target| {
        target.parent() == Some(Path::new(TERMINALS)) && fs::symlink_metadata(&target).is_err()
    })
}

/// Removes a stale link, and nothing that came in its place since it was looked at.
fn remove_stale(path: &Path) -> Result<(), SimError> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}", std::process::id()));
    let aside = PathBuf::from(name);
    fs::rename(path, &aside).map_err(SimError::io("replace the link", path))?;
    if is_stale(&aside) {
        return fs::remove_file(&aside).map_err(SimError::io("remove the link", &aside));
    }
    fs::rename(&aside, path).map_err(SimError::io("put back the link", path))?;
    Err(taken(path))
}

fn taken(path: &Path) -> SimError {
    SimError::LinkTaken {
        path: path.to_owned(),
        target: fs::read_link(path).ok(),
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // Somebody else may have taken the name over since; and a link that cannot be removed harms nobody.
        if fs::read_link(&self.path).is_ok_and(|target| target == self.target) {
            let _ = fs::remove_file(&self.path);
        }
    }
}
