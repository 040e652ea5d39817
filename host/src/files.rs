//! Writing files so that they are whole or not there, and so that nothing of anybody else's is lost.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use tempfile::{Builder, NamedTempFile};

/// So much of a file is looked at to tell what it is.
const LOOKED_AT: u64 = 1 << 20;
/// So many links in a row are followed, as the system does.
const LINKS: usize = 40;

/// A kind of file that this program writes.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// What one is, with its article: "a model".
    pub name: &'static str,
    /// What its name usually ends in, without the dot.
    pub suffix: &'static str,
    /// Whether a file that begins with these bytes is one.
    pub is_one: fn(&[u8]) -> bool,
}

/// The pictures of this program end with it. Other programs draw with the same library.
const PICTURE_MARK: &str = "<!-- drawn by firstspike -->\n";

/// Pictures, marked by [`marked`].
pub const PICTURE: Kind = Kind {
    name: "a picture",
    suffix: "svg",
    is_one: |bytes| contains(bytes, PICTURE_MARK),
};

/// `svg` with the mark of this program's pictures.
pub fn marked(svg: &str) -> String {
    format!("{}\n{PICTURE_MARK}", svg.trim_end())
}

/// Whether `part` is somewhere in `bytes`.
pub fn contains(bytes: &[u8], part: &str) -> bool {
    (bytes.windows(part.len())).any(|window| window == part.as_bytes())
}

/// What a path stands for, where something is to be written to it.
#[derive(Debug)]
pub enum Target {
    /// A regular file, or none yet: its path with all links followed, and what is there.
    File {
        path: PathBuf,
        there: Option<Metadata>,
    },
    /// A device or a pipe: it takes what is written, and nothing is replaced.
    Stream(PathBuf),
    /// What standard output leads to.
    Output,
    /// What standard error leads to.
    Error,
}

impl Target {
    /// What `path` stands for.
    ///
    /// # Errors
    /// A folder, a socket, a block device, a file that may not be written to, or links that go round in a circle.
    pub fn of(path: &Path) -> io::Result<Target> {
        let there = match fs::metadata(path) {
            Ok(there) => there,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let path = follow(path)?;
                return Ok(Target::File { path, there: None });
            }
            Err(error) => return Err(error),
        };
        let refuse = |why: &str| Err(io::Error::new(ErrorKind::InvalidInput, why));
        match kind_of(&there) {
            Type::Device => return Ok(Target::Stream(path.to_owned())),
            Type::Folder => return refuse("it is a folder, and a file is wanted"),
            Type::Socket => return refuse("it is a socket, and a file is wanted"),
            Type::Disk => return refuse("it is a disk, and a file is wanted"),
            Type::File | Type::Pipe => (),
        }
        if is_same_as(&there, io::stdout()) {
            return Ok(Target::Output);
        }
        if is_same_as(&there, io::stderr()) {
            return Ok(Target::Error);
        }
        let leads_to = follow(path)?;
        // A descriptor's name (/dev/fd/3) can lead to what has no name in any folder.
        let has_name = fs::symlink_metadata(&leads_to).is_ok_and(|found| is_same(&found, &there));
        if !there.is_file() || !has_name {
            return Ok(Target::Stream(path.to_owned()));
        }
        if there.permissions().readonly() {
            return refuse("it is write-protected");
        }
        Ok(Target::File {
            path: leads_to,
            there: Some(there),
        })
    }

    /// Whether there is anything now that a file would take the place of.
    pub fn is_taken(&self) -> bool {
        matches!(self, Target::File { there: Some(there), .. } if there.len() > 0)
    }

    /// Whether the file that is there is one of `kind`.
    pub fn is_one(&self, kind: Kind) -> bool {
        let Target::File { path, .. } = self else {
            return false;
        };
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| file.take(LOOKED_AT).read_to_end(&mut bytes))
            .is_ok_and(|_| (kind.is_one)(&bytes))
    }

    /// Writes `bytes`: a file first under another name in its folder, which is then renamed.
    ///
    /// # Errors
    /// What the file system says; an older file is then untouched.
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Target::File { path, there } => {
                let file = beside(path, there.as_ref(), bytes)?;
                file.as_file().sync_all()?;
                file.persist(path).map_err(|error| error.error)?;
                Ok(())
            }
            Target::Stream(path) => File::options().write(true).open(path)?.write_all(bytes),
            Target::Output => to_the_end(io::stdout(), bytes),
            Target::Error => to_the_end(io::stderr(), bytes),
        }
    }

    /// Tries whether a file of `length` bytes can be written. Nothing is left of that.
    ///
    /// # Errors
    /// What the file system says.
    pub fn try_out(&self, length: u64) -> io::Result<()> {
        let Target::File { path, .. } = self else {
            return Ok(());
        };
        let mut file = temporary(folder_of(path))?;
        io::copy(&mut io::repeat(1).take(length), file.as_file_mut())?;
        file.as_file().sync_all()
    }
}

fn to_the_end(mut stream: impl Write, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes)?;
    stream.flush()
}

/// Writes `bytes` to the file at `path`, whole or not at all. Only a regular file is replaced; links are followed.
///
/// # Errors
/// What the file system says; an older file at `path` is then untouched.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let (path, there) = match Target::of(path)? {
        Target::File { path, there } => (path, there),
        _ => {
            let why = "it is a device or a pipe, and a file is wanted";
            return Err(io::Error::new(ErrorKind::InvalidInput, why));
        }
    };
    let file = beside(&path, there.as_ref(), bytes)?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// A temporary file in the folder of `path` that has `bytes` in it, and the permissions of what is there.
fn beside(path: &Path, there: Option<&Metadata>, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = temporary(folder_of(path))?;
    file.write_all(bytes)?;
    if let Some(there) = there {
        file.as_file().set_permissions(there.permissions())?;
    }
    Ok(file)
}

/// Writes `bytes` to a new file in the first of `folders` that takes it, under a name like `name` that nothing there
/// has. The path of it, or `None` where no folder took it.
pub fn rescue(name: &str, suffix: &str, bytes: &[u8], folders: &[PathBuf]) -> Option<PathBuf> {
    let stem = name.strip_suffix(&format!(".{suffix}")).unwrap_or(name);
    let written = |folder: &PathBuf| -> io::Result<PathBuf> {
        let mut file = temporary(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        for number in 1.. {
            let more = match number {
                1 => String::new(),
                number => format!("-{number}"),
            };
            let path = folder.join(format!("{stem}.rescued{more}.{suffix}"));
            match file.persist_noclobber(&path) {
                Ok(_) => return Ok(path),
                Err(error) if error.error.kind() == ErrorKind::AlreadyExists => file = error.file,
                Err(error) => return Err(error.error),
            }
        }
        unreachable!("there is always a further number")
    };
    folders.iter().find_map(|folder| written(folder).ok())
}

/// The most bytes that are read of a file.
const LONGEST: u64 = 1 << 30;

/// Reads what is at `path` to its end.
///
/// # Errors
/// What the file system says; more than 1 GiB, so that a device without an end does not take all memory.
pub fn read_whole(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(LONGEST + 1)
        .read_to_end(&mut bytes)?;
    match bytes.len() as u64 > LONGEST {
        true => Err(io::Error::new(
            ErrorKind::InvalidData,
            "it has more than 1 GiB",
        )),
        false => Ok(bytes),
    }
}

/// Whether two paths lead to the same file or folder.
pub fn is_same_file(one: &Path, other: &Path) -> bool {
    match (fs::metadata(one), fs::metadata(other)) {
        (Ok(one), Ok(other)) => is_same(&one, &other),
        _ => false,
    }
}

/// The folder that the file at `path` is in.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Where `path` leads over links, whether anything is there or not.
fn follow(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        match fs::read_link(&path) {
            Ok(link) => path = folder_of(&path).join(link),
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("its links go round in a circle"))
}

enum Type {
    File,
    Folder,
    Device,
    Disk,
    Pipe,
    Socket,
}

#[cfg(unix)]
fn kind_of(there: &Metadata) -> Type {
    use std::os::unix::fs::FileTypeExt;
    let kind = there.file_type();
    match () {
        () if kind.is_dir() => Type::Folder,
        () if kind.is_char_device() => Type::Device,
        () if kind.is_block_device() => Type::Disk,
        () if kind.is_fifo() => Type::Pipe,
        () if kind.is_socket() => Type::Socket,
        () => Type::File,
    }
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Whether `stream` is open on what `there` is about.
#[cfg(unix)]
fn is_same_as(there: &Metadata, stream: impl std::os::fd::AsFd) -> bool {
    let stream = stream.as_fd().try_clone_to_owned().map(File::from);
    let stream = stream.and_then(|stream| stream.metadata());
    stream.is_ok_and(|stream| is_same(&stream, there))
}

/// A new file in `folder`, which is removed unless it gets a name. Temporary files are for their owner only; what this
/// one becomes is to have the permissions of any new file.
#[cfg(unix)]
fn temporary(folder: &Path) -> io::Result<NamedTempFile> {
    use std::os::unix::fs::PermissionsExt;
    let permissions = fs::Permissions::from_mode(0o666);
    Builder::new().permissions(permissions).tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{symlink, PermissionsExt};

    #[test]
    fn a_file_is_replaced_whole_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write_whole(&path, b"first").unwrap();
        write_whole(&path, b"second").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"second");
        write_whole(&folder.path().join("no/file"), b"x").unwrap_err();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn links_stay_and_what_they_lead_to_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("there")).unwrap();
        symlink("there/file", at("second")).unwrap();
        symlink("second", at("first")).unwrap();
        for text in ["new", "newer"] {
            write_whole(&at("first"), text.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(at("there/file")).unwrap(), text);
        }
        assert!(at("first").is_symlink() && at("second").is_symlink());
        symlink("round", at("round")).unwrap();
        write_whole(&at("round"), b"x").unwrap_err();
    }

    #[test]
    fn what_is_no_regular_file_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for (path, what) in [
            (&pipe, "a pipe"),
            (&socket, "a socket"),
            (&folder.path().to_owned(), "a folder"),
            (&PathBuf::from("/dev/null"), "a device"),
        ] {
            let error = write_whole(path, b"x").unwrap_err().to_string();
            assert!(error.contains(what), "{error}");
        }
        let before = fs::symlink_metadata("/dev/null").unwrap().permissions();
        Target::of(Path::new("/dev/null"))
            .unwrap()
            .write(b"x")
            .unwrap();
        let after = fs::symlink_metadata("/dev/null").unwrap().permissions();
        assert_eq!(before, after);
        // A pipe takes what is written into it.
        let reader = {
            let pipe = pipe.clone();
            std::thread::spawn(move || fs::read(pipe).unwrap())
        };
        Target::of(&pipe).unwrap().write(b"through").unwrap();
        assert_eq!(reader.join().unwrap(), b"through");
    }

    #[test]
    fn permissions_are_kept_and_heeded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "first").unwrap();
        let set = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        set(0o600);
        write_whole(&path, b"second").unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        set(0o444);
        let error = write_whole(&path, b"third").unwrap_err().to_string();
        assert!(error.contains("write-protected"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"second");
    }

    #[test]
    fn what_is_rescued_takes_the_place_of_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let folders = [at("no"), folder.path().to_owned()];
        let rescue = || rescue("m.fsp", "fsp", b"model", &folders);
        assert_eq!(rescue(), Some(at("m.rescued.fsp")));
        assert_eq!(rescue(), Some(at("m.rescued-2.fsp")));
        assert_eq!(super::rescue("m", "fsp", b"", &folders[..1]), None);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
