//! Files that may be compressed with gzip: `name`, or `name.gz`.

use super::DatasetError;
use flate2::read::GzDecoder;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

/// The file of this name, plain or compressed.
pub(super) fn find(folder: &Path, name: &str) -> Result<PathBuf, DatasetError> {
    for path in [folder.join(name), folder.join(format!("{name}.gz"))] {
        if path.is_file() {
            return Ok(path);
        }
    }
    Err(DatasetError::MissingFile(folder.join(name)))
}

/// Whether the name of `path` says that it is compressed.
pub(super) fn is_compressed(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "gz")
}

/// The bytes that are in the file, without the compression.
pub(super) fn open(path: &Path) -> Result<Box<dyn Read>, DatasetError> {
    let file = File::open(path).map_err(|e| DatasetError::read(path, e))?;
    let file = BufReader::new(file);
    Ok(match is_compressed(path) {
        true => Box::new(GzDecoder::new(file)),
        false => Box::new(file),
    })
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
