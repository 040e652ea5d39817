//! The cache of compiled boards: names, locks, and what is kept of a compilation.

use super::tools::{LOG, POLL};
use super::{Stage, Watcher, LIBRARY, VERILOG};
use crate::SimError;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use sha2::{Digest, Sha256};
use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;

/// Where compiled boards are kept: `build/verilated` of the repository that the current folder is in, unless that has a
/// space in its path, else a folder in the user's cache.
pub fn cache_folder() -> PathBuf {
    let here = env::current_dir().unwrap_or_default();
    let repository = here
        .ancestors()
        .find(|folder| folder.join("sim/verilator/shim.cpp").is_file());
    let beside = repository.map(|repository| repository.join("build/verilated"));
    if let Some(folder) = beside.filter(|folder| !has_space(folder)) {
        return folder;
    }
    let cache = env::var_os("XDG_CACHE_HOME")
        .filter(|folder| !folder.is_empty())
        .map(PathBuf::from)
        .or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".cache")))
        .unwrap_or_else(env::temp_dir);
    cache.join("firstspike/verilated")
}

/// Whether there is white space in a path, which Verilator's makefile refuses.
pub(super) fn has_space(path: &Path) -> bool {
    path.to_string_lossy().contains(char::is_whitespace)
}

/// One name for all of `parts`: another part, another name.
pub(super) fn name_of<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let hash = hash.finalize();
    hash.iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Waits for the lock of one cache entry, which is given back when the file is dropped.
pub(super) fn lock(path: &Path, watch: &mut Watcher) -> Result<Flock<File>, SimError> {
    let mut file = File::create(path).map_err(SimError::io("write", path))?;
    loop {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(lock),
            Err((same, Errno::EWOULDBLOCK | Errno::EINTR)) => file = same,
            Err((_, errno)) => return Err(SimError::io("lock", path)(errno.into())),
        }
        if watch(Stage::Waiting).is_break() {
            return Err(SimError::Interrupted);
        }
        thread::sleep(POLL);
    }
}

/// The object files of Verilator's own runtime. They are the same for every board, and for a small one more than half
/// of the work, so they are kept beside the boards and lent to the next compilation.
pub(super) struct Runtime {
    folder: PathBuf,
}

impl Runtime {
    pub fn new(cache: &Path, name: &str) -> Result<Self, SimError> {
        let folder = cache.join(format!("runtime-{name}"));
        fs::create_dir_all(&folder).map_err(SimError::io("make the folder", &folder))?;
        Ok(Runtime { folder })
    }

    /// Whether a file of a compilation is one of the runtime's objects.
    fn owns(name: &OsStr) -> bool {
        let name = name.to_string_lossy();
        name.starts_with("verilated") && name.ends_with(".o")
    }

    /// Puts the objects that there are into a compilation's folder, where make finds them done.
    pub fn lend(&self, partial: &Path) -> Result<(), SimError> {
        let entries = fs::read_dir(&self.folder).map_err(SimError::io("read", &self.folder))?;
        for entry in entries.flatten() {
            // Where files cannot have two names, the object is compiled again.
            let _ = fs::hard_link(entry.path(), partial.join(entry.file_name()));
        }
        Ok(())
    }
}

/// Moves what is worth keeping of a finished compilation to its place in the cache, and removes the rest.
pub(super) fn keep(partial: &Path, folder: &Path, runtime: &Runtime) -> Result<(), SimError> {
    let entries = fs::read_dir(partial).map_err(SimError::io("read", partial))?;
    for entry in entries.flatten() {
        let (name, path) = (entry.file_name(), entry.path());
        if Runtime::owns(&name) {
            // Nothing happens when it was lent from there: then it has two names, and this one goes.
            let kept = runtime.folder.join(&name);
            fs::rename(&path, &kept).map_err(SimError::io("write", kept))?;
        }
        if ![LIBRARY, VERILOG, LOG].iter().any(|kept| name == *kept) {
            remove_file(&path)?;
        }
    }
    fs::rename(partial, folder).map_err(SimError::io("write", folder))
}

/// Moves the log of a failed compilation to where it outlives the rest, and tells the error so.
pub(super) fn keep_log(error: SimError, partial: &Path, kept: &Path) -> SimError {
    match error {
        SimError::Compile { step, first, .. } if fs::rename(partial.join(LOG), kept).is_ok() => {
            SimError::Compile {
                step,
                first,
                log: kept.to_owned(),
            }
        }
        error => error,
    }
}

/// Removes a folder if it is there.
pub(super) fn remove_folder(folder: &Path) -> Result<(), SimError> {
    gone(fs::remove_dir_all(folder)).map_err(SimError::io("remove", folder))
}

/// Removes a file if it is there.
fn remove_file(path: &Path) -> Result<(), SimError> {
    gone(fs::remove_file(path)).map_err(SimError::io("remove", path))
}

/// What has been removed before is removed.
fn gone(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}
