//! Files that may be compressed with gzip: `name`, or `name.gz`.
//!
//! Whether a file is compressed tells what is in it, and not its name: browsers unpack what they fetch and leave it
//! its name, and others do without the ending.

use super::DatasetError;
use flate2::bufread::GzDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// The file of this name, plain or compressed.
pub(super) fn find(folder: &Path, name: &str) -> Result<PathBuf, DatasetError> {
    find_any(folder, &[name.to_owned()])
}

/// The first file that has one of these names, plain or compressed.
pub(super) fn find_any(folder: &Path, names: &[String]) -> Result<PathBuf, DatasetError> {
    for name in names {
        for path in [folder.join(name), folder.join(format!("{name}.gz"))] {
            if path.is_file() {
                return Ok(path);
            }
        }
    }
    Err(DatasetError::MissingFile(folder.join(&names[0])))
}

/// Whether the file is compressed.
pub(super) fn is_compressed(path: &Path) -> Result<bool, DatasetError> {
    Ok(open_packed(path)?.1)
}

/// The bytes that are in the file, without the compression. A compressed file may be of several members.
pub(super) fn open(path: &Path) -> Result<Box<dyn Read>, DatasetError> {
    Ok(match open_packed(path)? {
        (file, true) => Box::new(Members {
            member: Some(GzDecoder::new(file)),
        }),
        (file, false) => Box::new(file),
    })
}

/// The file as it is, and whether it begins as compressed ones do.
fn open_packed(path: &Path) -> Result<(BufReader<File>, bool), DatasetError> {
    let file = File::open(path).map_err(|e| DatasetError::read(path, e))?;
    let mut file = BufReader::new(file);
    let start = file.fill_buf().map_err(|e| DatasetError::read(path, e))?;
    let is_compressed = match start {
        // Cut so short that nothing but its name tells.
        [] | [_] => path.extension().is_some_and(|ending| ending == "gz"),
        start => start.starts_with(b"\x1f\x8b"),
    };
    Ok((file, is_compressed))
}

/// The members of a compressed file, one after the other. Zeros may follow them, with which some media fill up what they
/// hold; anything else that is no member is damage.
struct Members {
    /// `None` after the last.
    member: Option<GzDecoder<BufReader<File>>>,
}

impl Read for Members {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while let Some(mut member) = self.member.take() {
            let count = member.read(to)?;
            if count > 0 || to.is_empty() {
                self.member = Some(member);
                return Ok(count);
            }
            let mut file = member.into_inner();
            if skip_zeros(&mut file)? {
                self.member = Some(GzDecoder::new(file));
            }
        }
        Ok(0)
    }
}

/// Whether there is anything but zeros in `file`, up to which they are skipped.
fn skip_zeros(file: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let next = file.fill_buf()?;
        let zeros = next.iter().take_while(|&&byte| byte == 0).count();
        match next.len() {
            0 => return Ok(false),
            length if zeros < length => {
                file.consume(zeros);
                return Ok(true);
            }
            length => file.consume(length),
        }
    }
}

/// A gzip stream that ends early or does not decode is damage; anything else is the disk's fault.
pub(super) fn broken(path: &Path, error: io::Error) -> DatasetError {
    match error.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
            DatasetError::Damaged {
                path: path.to_owned(),
                reason: error.to_string(),
            }
        }
        _ => DatasetError::read(path, error),
    }
}
