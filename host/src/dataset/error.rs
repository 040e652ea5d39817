//! What can be wrong with a data set, each in one sentence that says what to do.

use super::{InputError, MAX_CLASSES, NAMES};
use firmware_model::network::MAX_WIDTH;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

#[derive(Debug, Error)]
pub enum DatasetError {
    #[error("there is no data set named '{name}'{hint}: give {known}, or the path of a folder (of IDX files, SHD files or pictures by class) or of an .npz file")]
    UnknownName {
        name: String,
        /// `, did you mean 'mnist'?` or nothing.
        hint: String,
        known: String,
    },
    #[error("{} does not exist: check the path, or give one of {}", .0.display(), NAMES.join(", "))]
    NoSuchPath(PathBuf),
    #[error("{} is no data set{found}: give a folder of IDX files, of SHD files or of one folder of pictures for each class, or an .npz file", path.display())]
    UnknownKind {
        path: PathBuf,
        /// What it is instead, as in ` but a ZIP archive`, or nothing.
        found: String,
    },
    #[error("{} is no data set itself, but {} is one: give that folder", folder.display(), below.display())]
    FolderBelow { folder: PathBuf, below: PathBuf },
    #[error("{name} is not in {}: run `firstspike data fetch {name}` once", folder.display())]
    NotFetched { name: String, folder: PathBuf },
    #[error("{name} is not in {}: {what}, then run `firstspike data fetch {set} --from FOLDER` once", folder.display())]
    NotBrought {
        name: String,
        folder: PathBuf,
        /// The name that it is brought under, and what the user has to get.
        set: &'static str,
        what: &'static str,
    },
    #[error(
        "{name} cannot be fetched: {what}, then run `firstspike data fetch {name} --from FOLDER`"
    )]
    NotFetchable {
        name: &'static str,
        what: &'static str,
    },
    #[error("there is no folder to keep data sets in: set FIRSTSPIKE_DATA to one")]
    NoCacheFolder,
    #[error("cannot read {}; check the path and that it may be read", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot write {}; check that its folder is there and may be written to", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} is missing or not readable: its folder needs it, plain or with .gz", .0.display())]
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
    #[error("{} is {found}, but should be an IDX file of {wanted}: give files like those of MNIST, under their names", path.display())]
    Magic {
        path: PathBuf,
        wanted: &'static str,
        /// What it is instead, as in `an IDX file of float32 in 3 dimensions` or `PNG`.
        found: String,
    },
    #[error("{} announces {size} bytes, more than the 4 GiB that are read: make it smaller", path.display())]
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
    #[error("{name} has images of {features} pixels, but a network takes 1 to {MAX_WIDTH} inputs: give images of so many")]
    ImageSize { name: String, features: usize },
    #[error(transparent)]
    Input(Box<InputError>),
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
    #[error("{} holds {found}, but needs an array `x` or `x_test`: name the images `x`", path.display())]
    NpzImages { path: PathBuf, found: String },
    #[error("{} holds {found}, but needs x and y, or x_train, y_train, x_test and y_test: give the arrays these names", path.display())]
    NpzNames { path: PathBuf, found: String },
    #[error("array {array} of {} is {found}, but must be {expected}", path.display())]
    NpzArray {
        path: PathBuf,
        array: String,
        expected: &'static str,
        found: String,
    },
    #[error("{} is {found} and no .npz archive: save the arrays x and y together, in NumPy with np.savez", path.display())]
    NoArchive { path: PathBuf, found: &'static str },
    #[error("{name} has labels of {classes} names, but a data set has at most {MAX_CLASSES} classes: give one name to each class")]
    TooManyNames { name: String, classes: usize },
    #[error("{0} has labels that are names in one part and numbers in the other: make both names or both numbers")]
    LabelsDiffer(String),
    #[error("{} is no HDF5 file: give shd_train.h5 and shd_test.h5 as they were published", .0.display())]
    NotHdf5(PathBuf),
    #[error("{} unpacks to more than 4 GiB: it is not one of the published files", .0.display())]
    UnpackedTooLarge(PathBuf),
    #[error("{} has no {array}: spikes/times, spikes/units and labels are needed", path.display())]
    Hdf5Missing { path: PathBuf, array: &'static str },
    #[error("{array} of {} is {found}, but must be {expected}", path.display())]
    Hdf5Array {
        path: PathBuf,
        array: &'static str,
        expected: &'static str,
        found: String,
    },
    #[error("{} has {times} rows of times, {units} of units and {labels} labels: each recording needs one of each", path.display())]
    RecordingCounts {
        path: PathBuf,
        times: usize,
        units: usize,
        labels: usize,
    },
    #[error("{} has {speakers} speakers in extra/speaker but {labels} labels: each recording needs one, or leave extra/speaker out", path.display())]
    SpeakerCount {
        path: PathBuf,
        speakers: usize,
        labels: usize,
    },
    #[error("recording {recording} of {} has the speaker {speaker}, but speakers must be whole numbers from 0 to {most}", path.display())]
    Speaker {
        path: PathBuf,
        recording: usize,
        speaker: i64,
        most: u16,
    },
    #[error("recording {recording} of {} has {times} times but {units} units: each event needs one of both", path.display())]
    EventCounts {
        path: PathBuf,
        recording: usize,
        times: usize,
        units: usize,
    },
    #[error("recording {recording} of {} has an event at {time} s, but times must be 0 to {most} s", path.display())]
    EventTime {
        path: PathBuf,
        recording: usize,
        time: f64,
        most: f64,
    },
    #[error("recording {recording} of {} has an event of unit {unit}, but units must be 0 to {last}", path.display())]
    EventUnit {
        path: PathBuf,
        recording: usize,
        unit: f64,
        last: usize,
    },
    #[error("{} has more than {most} events: it is not one of the published files", path.display())]
    TooManyEvents { path: PathBuf, most: usize },
    #[error("{} is {found}, which is not read: make it an ordinary PNG or JPEG", path.display())]
    PictureFormat { path: PathBuf, found: &'static str },
    #[error("{} is {found} and no picture: get the picture itself, or remove it", path.display())]
    NoPicture { path: PathBuf, found: &'static str },
    #[error("{} has no JPEG or PNG files{found}: the folders beside it are classes, so put pictures into it or remove it", folder.display())]
    NoPictures {
        folder: PathBuf,
        /// What it has instead, as in `, but 40 BMP files (cat/1.bmp)`, or nothing.
        found: String,
    },
    #[error("{} is taken for the part to train on, but none of the folders beside it ({others}) is called test or val: rename the one to test on", folder.display())]
    OnePart { folder: PathBuf, others: String },
    #[error("{} has no JPEG or PNG files directly in it{found}: give pictures, or a folder of them; a folder with a folder for each class is a data set", folder.display())]
    NoPicturesIn {
        folder: PathBuf,
        /// What it has instead, as in [`DatasetError::NoPictures`].
        found: String,
    },
    #[error("{} and {} are both taken for the same part of the data: keep one, or rename the other", one.display(), other.display())]
    SamePart { one: PathBuf, other: PathBuf },
    #[error("{} has {found} pictures where {expected} were published: copy all of them, under their own names", folder.display())]
    PictureCount {
        folder: PathBuf,
        expected: usize,
        found: usize,
    },
    #[error("{} has {classes} folders, but a data set has at most {MAX_CLASSES} classes: remove some", folder.display())]
    TooManyClasses { folder: PathBuf, classes: usize },
    #[error("{} has no folder of the same name in the other part: train and test need the same classes", .0.display())]
    ClassInOnePart(PathBuf),
    #[error("{} has {rows} rows and {columns} columns of pixels, more than are read: make it smaller", path.display())]
    PictureTooLarge {
        path: PathBuf,
        rows: usize,
        columns: usize,
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
    #[error("{} is in the way, for it is none of the files of {name}: move it away, then fetch again", path.display())]
    InTheWay { path: PathBuf, name: &'static str },
}

impl From<InputError> for DatasetError {
    fn from(error: InputError) -> Self {
        DatasetError::Input(Box::new(error))
    }
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
