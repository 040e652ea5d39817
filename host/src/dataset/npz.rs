//! NumPy archives: `x` and `y`, or `x_train`, `y_train`, `x_test` and `y_test`.
//!
//! `x` has one image a row: whole numbers 0 to 255, floats 0 to 1 or 0 to 255, or bool. `y` has one label a row
//! ([`Labels`]).

use super::arrays::{self, Part};
use super::format::{Format, ZIP};
use super::labels::{Labels, Numbered};
use super::npy::{self, Array, Items, Problem};
use super::values::{Raw, Values};
use super::{Dataset, DatasetError, Images, InputSpec, Note, Split};
use std::fs::File;
use std::path::Path;
use zip::result::ZipError;
use zip::ZipArchive;

const IMAGES: &str =
    "whole numbers from 0 to 255, floats or bool, images first and at least one dimension more";
const LABELS: &str = "one whole number or one name an image, or one-hot";

/// The arrays of the images and of the labels to train on, and to test on, the first that are there.
const TRAIN: [[&str; 2]; 2] = [["x_train", "y_train"], ["x", "y"]];
const TEST: [[&str; 2]; 2] = [["x_test", "y_test"], ["x_val", "y_val"]];

pub(super) fn load(
    name: &str,
    path: &Path,
    model: Option<&InputSpec>,
) -> Result<Dataset, DatasetError> {
    let mut archive = Archive::open(path)?;
    let arrays = archive.parts()?;
    let notes = archive.notes(&arrays);
    let (mut raws, mut labels) = (Vec::new(), Vec::new());
    for ([x, y], part) in arrays.iter().zip(["training", "test"]) {
        let (count, raw) = archive.images(x)?;
        let of_part = archive.labels(y)?;
        if count != of_part.len() {
            return Err(DatasetError::CountsDiffer {
                name: name.to_owned(),
                part,
                images: count,
                labels: of_part.len(),
            });
        }
        raws.push(raw);
        labels.push(of_part);
    }
    let Numbered {
        labels,
        class_names,
    } = Labels::numbered(name, labels)?;
    let parts = raws.into_iter().zip(labels);
    let parts = parts.map(|(raw, labels)| Part { raw, labels }).collect();
    let classes = class_names.as_ref().map(Vec::len);
    let data = arrays::dataset(name, parts, classes, class_names, model)?;
    Ok(Dataset { notes, ..data })
}

/// The images of an archive, with or without labels, for a model: `x`, or else `x_test`.
pub(super) fn load_images(path: &Path, model: &InputSpec) -> Result<Images, DatasetError> {
    let mut archive = Archive::open(path)?;
    let array = ["x", "x_test"]
        .into_iter()
        .find(|array| archive.has(array))
        .ok_or_else(|| DatasetError::NpzImages {
            path: path.to_owned(),
            found: archive.held(),
        })?;
    let (count, raw) = archive.images(array)?;
    let images = Split {
        features: raw.shape.iter().product(),
        images: model.images_of(&[&raw])?.concat(),
        labels: vec![0; count],
    };
    let notes = model.doubts(&path.display().to_string(), &images);
    Ok(Images {
        features: images.features,
        images: images.images,
        notes,
    })
}

struct Archive<'a> {
    path: &'a Path,
    zip: ZipArchive<File>,
    /// The names of the arrays, without `.npy`.
    names: Vec<String>,
}

impl<'a> Archive<'a> {
    fn open(path: &'a Path) -> Result<Self, DatasetError> {
        let read = |e| DatasetError::read(path, e);
        match Format::of_file(path).map_err(read)? {
            None | Some(Format::Empty | ZIP) => (),
            Some(format) => {
                return Err(DatasetError::NoArchive {
                    path: path.to_owned(),
                    found: format.name(),
                })
            }
        }
        let file = File::open(path).map_err(read)?;
        let zip = ZipArchive::new(file).map_err(|e| damaged(path, e))?;
        let names = zip.file_names();
        let names = names.map(|name| name.strip_suffix(".npy").unwrap_or(name).to_owned());
        Ok(Archive {
            path,
            names: names.collect(),
            zip,
        })
    }

    fn has(&self, array: &str) -> bool {
        self.names.iter().any(|name| name == array)
    }

    /// What there is, for a sentence: `the arrays a, b`.
    fn held(&self) -> String {
        match &self.names[..] {
            [] => "no arrays".to_owned(),
            [array] => format!("the array {array}"),
            arrays => format!("the arrays {}", arrays.join(", ")),
        }
    }

    /// The arrays of the part to train on, and of the part to test on where there is one.
    fn parts(&self) -> Result<Vec<[&'static str; 2]>, DatasetError> {
        let first = |pairs: [[&'static str; 2]; 2]| {
            let has_both = |pair: &[&str; 2]| pair.iter().all(|array| self.has(array));
            pairs.into_iter().find(has_both)
        };
        match (first(TRAIN), first(TEST)) {
            (Some(train), Some(test)) => Ok(vec![train, test]),
            (Some(train), None) => Ok(vec![train]),
            (None, _) => Err(DatasetError::NpzNames {
                path: self.path.to_owned(),
                found: self.held(),
            }),
        }
    }

    /// What is to be said about the choice of these arrays.
    fn notes(&self, parts: &[[&'static str; 2]]) -> Vec<Note> {
        let mut notes = Vec::new();
        if let Some([x, _]) = parts.get(1).filter(|part| **part == TEST[1]) {
            notes.push(Note::TakenAsTest(self.path.join(x)));
        }
        let is_read = |name: &String| parts.iter().flatten().any(|array| array == name);
        let others: Vec<String> = (self.names.iter())
            .filter(|name| !is_read(name))
            .cloned()
            .collect();
        if !others.is_empty() {
            notes.push(Note::ArraysLeftOut {
                path: self.path.to_owned(),
                arrays: others,
            });
        }
        notes
    }

    /// How many images there are in `array`, and the images.
    fn images(&mut self, array: &str) -> Result<(usize, Raw), DatasetError> {
        let Array { kind, shape, items } = self.read(array, IMAGES)?;
        if shape.len() < 2 {
            let ending = if shape.len() == 1 { "" } else { "s" };
            let found = format!("{kind} of {} dimension{ending}", shape.len());
            return Err(self.wrong(array, IMAGES, found));
        }
        let values = match items {
            Items::Bits(bits) => Values::Bits(bits),
            Items::Bytes(bytes) => Values::Bytes(bytes),
            Items::Whole(numbers) => {
                let bytes = numbers.into_iter().map(|number| {
                    let found = || format!("{kind} with the value {number}");
                    u8::try_from(number).map_err(|_| self.wrong(array, IMAGES, found()))
                });
                Values::Bytes(bytes.collect::<Result<Vec<u8>, _>>()?)
            }
            Items::Floats(floats) => Values::Floats(floats),
            Items::Texts(_) => return Err(self.wrong(array, IMAGES, kind)),
        };
        let raw = Raw {
            name: format!("{array} of {}", self.path.display()),
            shape: shape[1..].to_vec(),
            values,
        };
        Ok((shape[0], raw))
    }

    fn labels(&mut self, array: &str) -> Result<Labels, DatasetError> {
        let labels = self.read(array, LABELS)?;
        Labels::of(labels).map_err(|found| self.wrong(array, LABELS, found))
    }

    /// An array as it is; what it must be is for the sentence about one that is not read.
    fn read(&mut self, array: &str, expected: &'static str) -> Result<Array, DatasetError> {
        let path = self.path;
        let member = match self.zip.index_for_name(&format!("{array}.npy")) {
            Some(index) => self.zip.by_index(index),
            None => self.zip.by_name(array),
        };
        let member = member.map_err(|e| damaged(path, e))?;
        npy::read(member).map_err(|problem| match problem {
            Problem::Damaged(reason) => DatasetError::Damaged {
                path: path.to_owned(),
                reason: format!("array {array}: {reason}"),
            },
            Problem::TooLarge(size) => DatasetError::TooLarge {
                path: path.to_owned(),
                size,
            },
            Problem::Kind(kind) => self.wrong(array, expected, kind),
        })
    }

    fn wrong(&self, array: &str, expected: &'static str, found: String) -> DatasetError {
        DatasetError::NpzArray {
            path: self.path.to_owned(),
            array: array.to_owned(),
            expected,
            found,
        }
    }
}

fn damaged(path: &Path, error: ZipError) -> DatasetError {
    match error {
        ZipError::Io(error) => super::packed::broken(path, error),
        error => DatasetError::Damaged {
            path: path.to_owned(),
            reason: error.to_string(),
        },
    }
}
