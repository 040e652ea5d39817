//! NumPy archives: `x` and `y`, or `x_train`, `y_train`, `x_test` and `y_test`.
//!
//! `x` has one image a row: bytes 0 to 255, or floats 0 to 1. `y` has one whole number a row.

use super::{hold_out_last, Dataset, DatasetError, Images, Split, MAX_CLASSES, TEST_SHARE};
use ndarray::{ArrayD, OwnedRepr};
use ndarray_npy::{NpzReader, ReadNpyError, ReadNpzError, ReadableElement};
use std::fs::File;
use std::path::Path;

const IMAGES: &str =
    "bytes (uint8) or floats from 0 to 1, images first and at least one dimension more";
const LABELS: &str = "one whole number an image, in one dimension";

pub(super) fn load(name: &str, path: &Path) -> Result<Dataset, DatasetError> {
    let mut archive = Archive::open(path)?;
    let has = |names: &[&str]| names.iter().all(|n| archive.names.iter().any(|m| m == n));
    let (shape, train, test) = if has(&["x_train", "y_train", "x_test", "y_test"]) {
        let (shape, train) = archive.split(name, "training", "x_train", "y_train")?;
        let (_, test) = archive.split(name, "test", "x_test", "y_test")?;
        (shape, train, test)
    } else if has(&["x", "y"]) {
        let (shape, all) = archive.split(name, "training", "x", "y")?;
        let (train, test) = hold_out_last(&all.labels, TEST_SHARE);
        (shape, all.select(&train), all.select(&test))
    } else {
        let found = match archive.names.len() {
            0 => "none".to_owned(),
            _ => archive.names.join(", "),
        };
        return Err(DatasetError::NpzNames {
            path: path.to_owned(),
            found,
        });
    };
    let highest = (train.labels.iter().chain(&test.labels)).max();
    Dataset::of_images(
        name,
        highest.map_or(0, |&label| usize::from(label) + 1),
        shape,
        train,
        test,
    )
}

/// The images of an archive, with or without labels: `x`, or else `x_test`.
pub(super) fn load_images(path: &Path) -> Result<Images, DatasetError> {
    let mut archive = Archive::open(path)?;
    let array = ["x", "x_test"]
        .into_iter()
        .find(|array| archive.names.iter().any(|name| name == array))
        .ok_or_else(|| DatasetError::NpzImages(path.to_owned()))?;
    let (shape, images) = archive.images(array)?;
    Ok(Images {
        features: shape[1..].iter().product(),
        maximum: u8::MAX,
        images,
    })
}

struct Archive<'a> {
    path: &'a Path,
    reader: NpzReader<File>,
    /// The names of the arrays, without `.npy`.
    names: Vec<String>,
}

impl<'a> Archive<'a> {
    fn open(path: &'a Path) -> Result<Self, DatasetError> {
        let file = File::open(path).map_err(|e| DatasetError::read(path, e))?;
        let mut reader = NpzReader::new(file).map_err(|e| damaged(path, e))?;
        let names = reader.names().map_err(|e| damaged(path, e))?;
        let names = (names.iter())
            .map(|name| name.trim_end_matches(".npy").to_owned())
            .collect();
        Ok(Archive {
            path,
            reader,
            names,
        })
    }

    fn split(
        &mut self,
        name: &str,
        part: &'static str,
        x: &str,
        y: &str,
    ) -> Result<(Vec<usize>, Split), DatasetError> {
        let (shape, images) = self.images(x)?;
        let labels = self.labels(name, y)?;
        let features: usize = shape[1..].iter().product();
        if shape[0] != labels.len() {
            return Err(DatasetError::CountsDiffer {
                name: name.to_owned(),
                part,
                images: shape[0],
                labels: labels.len(),
            });
        }
        let split = Split {
            features,
            images,
            labels,
        };
        Ok((shape[1..].to_vec(), split))
    }

    fn images(&mut self, array: &str) -> Result<(Vec<usize>, Vec<u8>), DatasetError> {
        let (shape, images) = if let Some(bytes) = self.read::<u8>(array)? {
            (bytes.shape().to_vec(), bytes.into_iter().collect())
        } else {
            let floats = match self.read::<f32>(array)? {
                Some(floats) => Some(floats.mapv(f64::from)),
                None => self.read::<f64>(array)?,
            };
            let floats = floats.ok_or_else(|| self.wrong(array, IMAGES, "of another type"))?;
            // NaN is in no range, so it is refused too.
            if let Some(&value) = floats.iter().find(|value| !(0.0..=1.0).contains(*value)) {
                return Err(DatasetError::NpzValue {
                    path: self.path.to_owned(),
                    array: array.to_owned(),
                    expected: IMAGES,
                    value,
                });
            }
            let shape = floats.shape().to_vec();
            let bytes = floats
                .into_iter()
                .map(|value| (value * 255.0).round() as u8);
            (shape, bytes.collect::<Vec<u8>>())
        };
        if shape.len() < 2 {
            return Err(self.wrong(array, IMAGES, "of one dimension"));
        }
        Ok((shape, images))
    }

    fn labels(&mut self, name: &str, array: &str) -> Result<Vec<u8>, DatasetError> {
        let labels = match self.whole_numbers(array)? {
            Some(labels) => labels,
            None => return Err(self.wrong(array, LABELS, "of another type")),
        };
        if labels.ndim() != 1 {
            return Err(self.wrong(array, LABELS, &format!("of {} dimensions", labels.ndim())));
        }
        (labels.iter())
            .map(|&label| match usize::try_from(label) {
                Ok(class) if class < MAX_CLASSES => Ok(class as u8),
                _ => Err(DatasetError::label(name, label)),
            })
            .collect()
    }

    /// The array as 64-bit numbers when it holds whole numbers of any width.
    fn whole_numbers(&mut self, array: &str) -> Result<Option<ArrayD<i64>>, DatasetError> {
        if let Some(numbers) = self.read::<i64>(array)? {
            return Ok(Some(numbers));
        }
        macro_rules! try_types {
            ($($kind:ty),*) => {$(
                if let Some(numbers) = self.read::<$kind>(array)? {
                    return Ok(Some(numbers.mapv(i64::from)));
                }
            )*};
        }
        try_types!(u8, i32, i8, i16, u16, u32);
        let wide = self.read::<u64>(array)?;
        Ok(wide.map(|numbers| numbers.mapv(|n| i64::try_from(n).unwrap_or(i64::MAX))))
    }

    /// The array when its elements are `T`, `None` when they are of another type.
    fn read<T: ReadableElement>(&mut self, array: &str) -> Result<Option<ArrayD<T>>, DatasetError> {
        match (self.reader).by_name::<OwnedRepr<T>, ndarray::IxDyn>(&format!("{array}.npy")) {
            Ok(values) => Ok(Some(values)),
            Err(ReadNpzError::Npy(ReadNpyError::WrongDescriptor(_))) => Ok(None),
            Err(error) => Err(damaged(self.path, error)),
        }
    }

    fn wrong(&self, array: &str, expected: &'static str, found: &str) -> DatasetError {
        DatasetError::NpzArray {
            path: self.path.to_owned(),
            array: array.to_owned(),
            expected,
            found: found.to_owned(),
        }
    }
}

fn damaged(path: &Path, error: ReadNpzError) -> DatasetError {
    DatasetError::Damaged {
        path: path.to_owned(),
        reason: error.to_string(),
    }
}
