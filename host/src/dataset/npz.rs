//! NumPy archives: `x` and `y`, or `x_train`, `y_train`, `x_test` and `y_test`.
//!
//! `x` has one image a row: whole numbers 0 to 255, or floats 0 to 1 or 0 to 255. `y` has one whole number a row.

use super::arrays::{self, Part};
use super::values::{Raw, Values};
use super::{Dataset, DatasetError, Images, InputSpec, Split, MAX_CLASSES};
use ndarray::{ArrayD, OwnedRepr};
use ndarray_npy::{NpzReader, ReadNpyError, ReadNpzError, ReadableElement};
use std::fs::File;
use std::path::Path;

const IMAGES: &str = "bytes (uint8) or floats, images first and at least one dimension more";
const LABELS: &str = "one whole number an image, in one dimension";

pub(super) fn load(
    name: &str,
    path: &Path,
    model: Option<&InputSpec>,
) -> Result<Dataset, DatasetError> {
    let mut archive = Archive::open(path)?;
    let has = |names: &[&str]| names.iter().all(|n| archive.names.iter().any(|m| m == n));
    let parts = if has(&["x_train", "y_train", "x_test", "y_test"]) {
        vec![
            archive.part(name, "training", "x_train", "y_train")?,
            archive.part(name, "test", "x_test", "y_test")?,
        ]
    } else if has(&["x", "y"]) {
        vec![archive.part(name, "training", "x", "y")?]
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
    arrays::dataset(name, parts, None, None, model)
}

/// The images of an archive, with or without labels, for a model: `x`, or else `x_test`.
pub(super) fn load_images(path: &Path, model: &InputSpec) -> Result<Images, DatasetError> {
    let mut archive = Archive::open(path)?;
    let array = ["x", "x_test"]
        .into_iter()
        .find(|array| archive.names.iter().any(|name| name == array))
        .ok_or_else(|| DatasetError::NpzImages(path.to_owned()))?;
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

    fn part(
        &mut self,
        name: &str,
        part: &'static str,
        x: &str,
        y: &str,
    ) -> Result<Part, DatasetError> {
        let (count, raw) = self.images(x)?;
        let labels = self.labels(name, y)?;
        if count != labels.len() {
            return Err(DatasetError::CountsDiffer {
                name: name.to_owned(),
                part,
                images: count,
                labels: labels.len(),
            });
        }
        Ok(Part { raw, labels })
    }

    /// How many images there are in `array`, and the images.
    fn images(&mut self, array: &str) -> Result<(usize, Raw), DatasetError> {
        let (shape, values) = if let Some(bytes) = self.read::<u8>(array)? {
            let shape = bytes.shape().to_vec();
            (shape, Values::Bytes(bytes.into_iter().collect()))
        } else if let Some(bits) = self.read::<bool>(array)? {
            let shape = bits.shape().to_vec();
            (
                shape,
                Values::Bits(bits.into_iter().map(u8::from).collect()),
            )
        } else {
            let floats = match self.read::<f32>(array)? {
                Some(floats) => Some(floats.mapv(f64::from)),
                None => self.read::<f64>(array)?,
            };
            let floats = floats.ok_or_else(|| self.wrong(array, IMAGES, "of another type"))?;
            let shape = floats.shape().to_vec();
            (shape, Values::Floats(floats.into_iter().collect()))
        };
        if shape.len() < 2 {
            return Err(self.wrong(array, IMAGES, "of one dimension"));
        }
        let raw = Raw {
            name: format!("{array} of {}", self.path.display()),
            shape: shape[1..].to_vec(),
            values,
        };
        Ok((shape[0], raw))
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
