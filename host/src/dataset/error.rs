//! What can be wrong with a data set, each in one sentence that says what to do.

use super::{MAX_CLASSES, NAMES};
use firmware_model::network::MAX_WIDTH;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

#[derive(Debug, Error)]
pub enum DatasetError {
    #[error("there is no data set named '{name}'{hint}: give {known}, a folder of IDX files or an .npz file")]
    UnknownName {
        name: String,
        /// `, did you mean 'mnist'?` or nothing.
        hint: String,
        known: String,
    },
    #[error("{} does not exist: check the path, or give one of {}", .0.display(), NAMES.join(", "))]
    NoSuchPath(PathBuf),
    #[error("{} is neither a folder of IDX files nor an .npz file: give one of those", .0.display())]
    UnknownKind(PathBuf),
    #[error("{name} is not in {}: run `firstspike data fetch {name}` once", folder.display())]
    NotFetched { name: String, folder: PathBuf },
    #[error("there is no folder to keep data sets in: set FIRSTSPIKE_DATA to one")]
    NoCacheFolder,
    #[error("cannot read {}; check the path and that it may be read", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write {}; check that its folder is there and may be written to", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} is missing or not readable: a folder of IDX files needs it, plain or with .gz", .0.display())]
    MissingFile(PathBuf),
    #[error("{} is cut short ({found} of {expected} bytes): fetch or copy it again", path.display())]
    CutShort {
        path: PathBuf,
        expected: u64,
        found: u64,
    },
    #[error("{} is damaged or cut short ({reason}): fetch or copy it again", path.display())]
    Damaged { path: PathBuf, reason: String },
    #[error("{} has bytes left over after the {expected} that its header announces: fetch or copy it again", path.display())]
    TooLong { path: PathBuf, expected: u64 },
    #[error("{} is not an IDX file of {what}: it begins with {found:#010x} instead of {expected}", path.display())]
    Magic {
        path: PathBuf,
        what: &'static str,
        expected: &'static str,
        found: u32,
    },
    #[error("{} announces {size} bytes of images, more than the 4 GiB that are read: make it smaller", path.display())]
    TooLarge { path: PathBuf, size: u128 },
    #[error("{name} has {images} {part} images but {labels} labels: each image needs one label")]
    CountsDiffer {
        name: String,
        part: &'static str,
        images: usize,
        labels: usize,
    },
    #[error("{name} has no {part} images: give it at least one")]
    Empty { name: String, part: &'static str },
    #[error("{name} has images of {features} pixels, but a network takes 1 to {MAX_WIDTH} inputs: make them smaller")]
    ImageSize { name: String, features: usize },
    #[error("the training images of {name} have {train} pixels and its test images {test}: make them equal")]
    PartsDiffer {
        name: String,
        train: usize,
        test: usize,
    },
    #[error("{name} has the label {label}, but labels must be whole numbers from 0 to {last}")]
    Label {
        name: String,
        label: i64,
        last: usize,
    },
    #[error("{name} has images of one class only: give it at least two")]
    OneClass { name: String },
    #[error("{name} has labels up to {}, but no training image of class {class}: number the classes from 0 without gaps", classes - 1)]
    MissingClass {
        name: String,
        class: usize,
        classes: usize,
    },
    #[error("{} has neither an array `x` nor an `x_test`: name the images `x`", .0.display())]
    NpzImages(PathBuf),
    #[error("{} holds the arrays {found}, but needs x and y, or x_train, y_train, x_test and y_test", path.display())]
    NpzNames { path: PathBuf, found: String },
    #[error("array {array} of {} is {found}, but must be {expected}", path.display())]
    NpzArray {
        path: PathBuf,
        array: String,
        expected: &'static str,
        found: String,
    },
    #[error("array {array} of {} has the value {value}, but must hold {expected}", path.display())]
    NpzValue {
        path: PathBuf,
        array: String,
        expected: &'static str,
        value: f64,
    },
    #[error("{path} failed its check (SHA-256 {found}, expected {expected}): run the fetch again", path = path.display())]
    Checksum {
        path: PathBuf,
        expected: &'static str,
        found: String,
    },
    #[error("{tool} is not installed, and {name} comes with it: {install}, or put the files into {folder} by hand: {files}", folder = folder.display())]
    MissingTool {
        tool: &'static str,
        name: &'static str,
        install: &'static str,
        folder: PathBuf,
        files: String,
    },
    #[error("`{command}` failed ({reason}): {hint}, or put the files into {folder} by hand: {files}", folder = folder.display())]
    Tool {
        command: String,
        reason: String,
        hint: &'static str,
        folder: PathBuf,
        files: String,
    },
    #[error("stopped before {0} was complete; nothing was left behind")]
    Interrupted(String),
}

impl DatasetError {
    /// The error for a name that is none of [`NAMES`], with the nearest of them when one is near.
    pub(super) fn unknown_name(name: &str) -> Self {
        let nearest = (NAMES.iter())
            .map(|known| {
                (
                    strsim::damerau_levenshtein(&name.to_lowercase(), known),
                    known,
                )
            })
            .min()
            .filter(|&(distance, _)| distance <= 3 && distance < name.len());
        DatasetError::UnknownName {
            name: name.to_owned(),
            hint: nearest.map_or(String::new(), |(_, known)| {
                format!(", did you mean '{known}'?")
            }),
            known: NAMES.join(", "),
        }
    }

    pub(super) fn read(path: &Path, source: io::Error) -> Self {
        DatasetError::Read {
            path: path.to_owned(),
            source,
        }
    }

    pub(super) fn write(path: &Path, source: io::Error) -> Self {
        DatasetError::Write {
            path: path.to_owned(),
            source,
        }
    }

    /// The error for a label that is no class number at all.
    pub(super) fn label(name: &str, label: i64) -> Self {
        DatasetError::Label {
            name: name.to_owned(),
            label,
            last: MAX_CLASSES - 1,
        }
    }
}
