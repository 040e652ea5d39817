//! The checkpoint of a run as a file beside its model file.

use super::{Checkpoint, CheckpointError};
use crate::files::{read_whole, write_whole};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Where a run keeps itself while it goes on.
#[derive(Debug, Clone)]
pub struct KeptRun {
    path: PathBuf,
}

/// Why a run that was kept cannot be taken up.
#[derive(Debug, Error)]
pub enum KeptRunError {
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot go on from {}: start anew without --resume", path.display())]
    Checkpoint {
        path: PathBuf,
        source: CheckpointError,
    },
}

impl KeptRun {
    /// That of the run which will write the file `model`.
    pub fn beside(model: &Path) -> Self {
        let mut path = model.as_os_str().to_owned();
        path.push(".checkpoint");
        KeptRun { path: path.into() }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The checkpoint, if there is one.
    pub fn read(&self) -> Result<Option<Checkpoint>, KeptRunError> {
        let path = || self.path.clone();
        let bytes = match read_whole(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                let path = path();
                return Err(KeptRunError::Read { path, source });
            }
        };
        match Checkpoint::from_bytes(&bytes) {
            Ok(checkpoint) => Ok(Some(checkpoint)),
            Err(source) => {
                let path = path();
                Err(KeptRunError::Checkpoint { path, source })
            }
        }
    }

    /// Writes the file, whole or not at all.
    pub fn write(&self, checkpoint: &Checkpoint) -> io::Result<()> {
        write_whole(&self.path, &checkpoint.to_bytes())
    }

    /// The run is over. A file that cannot be removed does no harm.
    pub fn remove(&self) {
        fs::remove_file(&self.path).ok();
    }
}
