//! Labelled images to train and measure on.
//!
//! [`load`] takes a name ([`NAMES`]) or a path: a folder of IDX files, of SHD files or of a folder of pictures
//! for each class, or an `.npz` archive. `digits` is part of the program; the others are put into the cache folder
//! by `firstspike data fetch`, from where they can be fetched ([`fetch`]) or from where the user has them
//! ([`bring`]). Every loader checks what it reads against what it should be.
//!
//! Recordings of spikes ([`Recordings`]) become images too, in such a way that the latency code gives the steps
//! that they mean.

mod arrays;
pub mod bring;
mod concerns;
mod digits;
mod edges;
mod error;
mod events;
mod exif;
pub mod fetch;
mod format;
mod groups;
mod hdf5;
mod idx;
mod input;
mod jpeg;
mod labels;
mod note;
mod npy;
mod npz;
mod order;
mod packed;
mod picture;
mod pictures;
mod shd;
mod split;
mod values;

pub use error::DatasetError;
pub use events::{EventCode, Grid, Recordings, CHANNELS};
pub use groups::Groups;
pub use input::{class_name, Axis, InputError, InputSpec, PictureCode, Source};
pub use note::{LeftOut, Note};
pub use picture::{read as read_picture, Picture};
pub use split::{HoldOut, HoldOutError};

use crate::text::hexadecimal;
use firmware_model::network::MAX_WIDTH;
use format::Format;
use sha2::{Digest, Sha256};
use split::hold_out_last;
use std::env;
use std::path::{Path, PathBuf};

/// The most classes that a data set can have: a label is a byte.
pub const MAX_CLASSES: usize = 256;

/// The share of each class that becomes the test set where a data set comes without one.
pub const TEST_SHARE: f64 = 0.2;

/// The data sets that have a name.
pub const NAMES: [&str; 7] = [
    "digits",
    "mnist",
    "fashion-mnist",
    "shd",
    "shd-first",
    "caltech101",
    "caltech101-grey",
];

/// Images with labels, in a training part and a test part.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// The name or the path that it was loaded by.
    pub name: String,
    /// The number of classes: labels are 0 to `classes - 1`.
    pub classes: usize,
    /// The shape of one image, for example `[28, 28]` (rows, columns) or `[4, 16, 24]` (planes, rows, columns);
    /// its product is the features.
    pub shape: Vec<usize>,
    /// The intensity that counts as 1.0: 16 for `digits`, the steps for recordings, what the numbers of an array
    /// plainly go up to, 255 otherwise.
    pub maximum: u8,
    pub train: Split,
    pub test: Split,
    /// The number of time steps, where the data come with a time of their own: the images can then be
    /// encoded with no other.
    pub steps: Option<usize>,
    /// The recordings that the training images were encoded from, where they were: as many, in the same order.
    pub recordings: Option<Recordings>,
    /// Who made each of the training images, where that is known: as many, in the same order.
    pub groups: Option<Groups>,
    /// The names of the classes, in the order of their numbers, where the data tell them.
    pub class_names: Option<Vec<String>>,
    /// What whoever uses the data should be told.
    pub notes: Vec<Note>,
    /// What the images were made from.
    pub source: Source,
}

/// One part of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// The pixels of one image.
    pub features: usize,
    /// Intensities, image after image, `features` each.
    pub images: Vec<u8>,
    /// One label an image.
    pub labels: Vec<u8>,
}

impl Split {
    /// The number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The pixels of image `index`.
    pub fn image(&self, index: usize) -> &[u8] {
        &self.images[index * self.features..(index + 1) * self.features]
    }

    /// All images, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.images.chunks_exact(self.features)
    }

    /// The images at `indices`, in that order.
    pub fn select(&self, indices: &[usize]) -> Split {
        let mut images = Vec::with_capacity(indices.len() * self.features);
        for &index in indices {
            images.extend_from_slice(self.image(index));
        }
        Split {
            features: self.features,
            images,
            labels: indices.iter().map(|&index| self.labels[index]).collect(),
        }
    }

    /// How many images there are of each of `classes` classes.
    pub fn class_counts(&self, classes: usize) -> Vec<usize> {
        let mut counts = vec![0; classes];
        for &label in &self.labels {
            counts[usize::from(label)] += 1;
        }
        counts
    }
}

impl Dataset {
    /// A set of images whose intensities go up to 255, and whose classes have no names.
    fn of_images(name: &str, classes: usize, shape: Vec<usize>, train: Split, test: Split) -> Self {
        Dataset {
            name: name.to_owned(),
            classes,
            shape,
            maximum: u8::MAX,
            train,
            test,
            steps: None,
            recordings: None,
            groups: None,
            class_names: None,
            notes: Vec::new(),
            source: Source::Values,
        }
    }

    /// What to print for a class: its name, or its number where it has none.
    pub fn class_name(&self, class: usize) -> String {
        class_name(self.class_names.as_deref(), class)
    }

    /// SHA-256 of the training images, as a network sees them, and of their labels: which data these are.
    pub fn train_sha256(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(&self.train.images);
        hash.update(&self.train.labels);
        hexadecimal(&hash.finalize())
    }

    /// The pixels of one image, which is the number of inputs of a network for it.
    pub fn features(&self) -> usize {
        self.train.features
    }

    /// Rows and columns when an image is a plane, or several one after the other, so that it can be moved.
    ///
    /// Images that were encoded from recordings cannot: a value moved to another place would spike at a step
    /// that is not that place's.
    pub fn plane(&self) -> Option<(usize, usize)> {
        let (_, rows, columns) = planes(&self.shape).filter(|_| self.steps.is_none())?;
        Some((rows, columns))
    }

    /// What every data set must satisfy, whatever it was read from.
    fn check(self) -> Result<Self, DatasetError> {
        let data = self.check_parts()?;
        let name = || data.name.clone();
        if data.classes < 2 {
            return Err(DatasetError::OneClass { name: name() });
        }
        let counts = data.train.class_counts(data.classes);
        if let Some(class) = counts.iter().position(|&count| count == 0) {
            return Err(DatasetError::MissingClass {
                name: name(),
                class,
                classes: data.classes,
            });
        }
        Ok(data)
    }

    /// What a data set must satisfy to be fed to a model, which need not have images of every class.
    fn check_parts(self) -> Result<Self, DatasetError> {
        let name = || self.name.clone();
        let features = self.features();
        if !(1..=MAX_WIDTH).contains(&features) {
            return Err(DatasetError::ImageSize {
                name: name(),
                features,
            });
        }
        for (part, split) in [("training", &self.train), ("test", &self.test)] {
            if split.is_empty() {
                return Err(DatasetError::Empty { name: name(), part });
            }
            assert_eq!(split.features, features, "the loaders compare the shapes");
            let highest = split.labels.iter().copied().max().map_or(0, usize::from);
            if highest >= self.classes {
                return Err(DatasetError::Label {
                    name: name(),
                    label: highest as i64,
                    last: self.classes.saturating_sub(1),
                });
            }
        }
        Ok(self)
    }
}

/// How many planes one after the other an image of this shape is, and the rows and columns of each.
///
/// Of three numbers the first are the planes where it is the least: not for colours that lie beside each other
/// (rows, columns, colours).
pub fn planes(shape: &[usize]) -> Option<(usize, usize, usize)> {
    match *shape {
        [rows, columns] => Some((1, rows, columns)),
        [planes, rows, columns] if planes < rows.min(columns) => Some((planes, rows, columns)),
        _ => None,
    }
}

/// What files about a data set are called: `mnist` of `mnist`, `own` of `some/folder/own.npz`.
pub fn stem(name_or_path: &str) -> String {
    let stem = Path::new(name_or_path).file_stem();
    stem.map_or("model".into(), |stem| stem.to_string_lossy().into_owned())
}

/// Loads a data set by its name or from a path, to train on.
///
/// # Errors
/// A name that is not known, a data set that was not fetched, and every way in which a file can fail
/// to be what it should be: see [`DatasetError`].
pub fn load(name_or_path: &str) -> Result<Dataset, DatasetError> {
    load_any(name_or_path, None)?.check()
}

/// Loads a data set by its name or from a path, to feed it to a model: its images get the shape, the range and the
/// polarity that the model takes, its classes the model's numbers.
///
/// # Errors
/// Besides those of [`load`], where it cannot be converted: both sides are named.
pub fn load_for(name_or_path: &str, model: &InputSpec) -> Result<Dataset, DatasetError> {
    let data = load_any(name_or_path, Some(model))?;
    let mut data = model.match_classes(data)?.check_parts()?;
    data.notes.extend(model.doubts(&data.name, &data.test));
    Ok(data)
}

fn load_any(name: &str, model: Option<&InputSpec>) -> Result<Dataset, DatasetError> {
    let shd = |code| load_shd(name, &bring::SHD.folder(name)?, code, model);
    let caltech101 = |code| {
        let folder = bring::CALTECH101.folder(name)?;
        pictures::load_caltech101(name, &folder, code, model)
    };
    match name {
        "digits" => match model {
            Some(model) => Ok(model.adopt_values(digits::load())?),
            None => Ok(digits::load()),
        },
        "mnist" | "fashion-mnist" => {
            let folder = cache_folder()?.join(name);
            if !idx::is_complete(&folder) {
                return Err(DatasetError::NotFetched {
                    name: name.to_owned(),
                    folder,
                });
            }
            let classes = match name {
                "mnist" => numbered(10),
                _ => FASHION_MNIST.map(str::to_owned).to_vec(),
            };
            idx::load(name, &folder, Some(classes), model)
        }
        "shd" => shd(EventCode::SHD),
        "shd-first" => shd(EventCode::SHD_FIRST),
        "caltech101" => caltech101(PictureCode::Edges),
        "caltech101-grey" => caltech101(PictureCode::Grey),
        path => load_path(path, Path::new(path), model),
    }
}

/// The articles of Fashion-MNIST.
const FASHION_MNIST: [&str; 10] = [
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
];

/// The names of classes that are digits.
fn numbered(classes: usize) -> Vec<String> {
    (0..classes).map(|class| class.to_string()).collect()
}

/// Recordings in this code, or in that of the model.
fn load_shd(
    name: &str,
    folder: &Path,
    code: EventCode,
    model: Option<&InputSpec>,
) -> Result<Dataset, DatasetError> {
    let Some(model) = model else {
        return shd::load(name, folder, code);
    };
    let code = match model.source {
        Some(Source::Recordings { code }) => code,
        _ => code,
    };
    let data = shd::load(name, folder, code)?;
    model.check_shape(name, &data.shape, &data.source)?;
    match data.maximum == model.maximum {
        true => Ok(data),
        false => Err(InputError::Range {
            array: name.to_owned(),
            most: data.maximum.into(),
            maximum: model.maximum,
        }
        .into()),
    }
}

/// Images without labels, converted for a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Images {
    /// The pixels of one image.
    pub features: usize,
    /// Intensities, image after image, `features` each.
    pub images: Vec<u8>,
    /// What whoever uses them should be told.
    pub notes: Vec<Note>,
}

/// Loads the images of an `.npz` archive for a model, as [`load_for`] does; its labels are not looked at. They are its
/// array `x`, or else `x_test`.
pub fn load_images_for(path: &Path, model: &InputSpec) -> Result<Images, DatasetError> {
    npz::load_images(path, model)
}

/// The picture files at `paths`, in order, and what was left out: of a folder the pictures directly in it.
///
/// # Errors
/// A folder that has none, or cannot be read.
pub fn find_pictures(paths: &[PathBuf]) -> Result<(Vec<PathBuf>, Vec<Note>), DatasetError> {
    pictures::find(paths)
}

/// Loads pictures of any size for a model: stretched to its shape and turned to its polarity. `done` is called after
/// each.
///
/// # Errors
/// A file that is no picture that can be read, and a model whose input is none that a picture can be brought to.
pub fn load_pictures_for(
    files: &[PathBuf],
    model: &InputSpec,
    done: &mut dyn FnMut(),
) -> Result<Images, DatasetError> {
    pictures::load_for(files, model, done)
}

fn load_path(name: &str, path: &Path, model: Option<&InputSpec>) -> Result<Dataset, DatasetError> {
    let is_npz = path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("npz"));
    if path.is_dir() {
        load_folder(name, path, model)
    } else if path.is_file() && is_npz {
        npz::load(name, path, model)
    } else if path.exists() {
        Err(unknown_kind(path))
    } else if is_npz || name.contains(['/', '\\', '.']) {
        Err(DatasetError::NoSuchPath(path.to_owned()))
    } else {
        Err(DatasetError::unknown_name(name))
    }
}

/// What is in a folder tells how it is read.
fn load_folder(
    name: &str,
    folder: &Path,
    model: Option<&InputSpec>,
) -> Result<Dataset, DatasetError> {
    if idx::is_meant(folder) {
        idx::load(name, folder, None, model)
    } else if shd::is_meant(folder) {
        load_shd(name, folder, EventCode::SHD, model)
    } else if let Some(below) =
        pictures::folder_with(folder, |below| idx::is_meant(below) || shd::is_meant(below))
    {
        Err(DatasetError::FolderBelow {
            folder: folder.to_owned(),
            below,
        })
    } else if pictures::is_meant(folder) {
        pictures::load(name, folder, model)
    } else {
        Err(unknown_kind(folder))
    }
}

/// The error for a path to something else, which says what that is as far as can be told.
fn unknown_kind(path: &Path) -> DatasetError {
    let found = match pictures::beside(path) {
        Some((1, example)) => format!(
            ", but has 1 picture ({}) and no folders of classes",
            example.display()
        ),
        Some((count, example)) => format!(
            ", but has {count} pictures, such as {}, and no folders of classes",
            example.display()
        ),
        None => match Format::of_file(path) {
            Ok(Some(Format::NoPicture(name))) => format!(" but {name}"),
            Ok(Some(Format::Empty)) => " but an empty file".to_owned(),
            Ok(Some(format)) => format!(" but a picture ({})", format.name()),
            _ => String::new(),
        },
    };
    DatasetError::UnknownKind {
        path: path.to_owned(),
        found,
    }
}

/// Where fetched data sets are kept: `$FIRSTSPIKE_DATA`, else `$XDG_CACHE_HOME/firstspike`, else
/// `~/.cache/firstspike`.
pub fn cache_folder() -> Result<PathBuf, DatasetError> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    if let Some(folder) = set("FIRSTSPIKE_DATA") {
        return Ok(PathBuf::from(folder));
    }
    if let Some(folder) = set("XDG_CACHE_HOME") {
        return Ok(PathBuf::from(folder).join("firstspike"));
    }
    set("HOME")
        .map(|home| PathBuf::from(home).join(".cache").join("firstspike"))
        .ok_or(DatasetError::NoCacheFolder)
}

#[cfg(test)]
mod tests;
