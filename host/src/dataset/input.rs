//! What the inputs of a network are: which shape, which brightness, which way round, and what its classes are called.
//!
//! It is decided once, by the data to train on, and stored in the model. Whatever a model is fed later is converted
//! by this, the same way from every source, or refused with both sides named.

use super::edges::edges;
use super::picture::Picture;
use super::values::{Raw, Scale};
use super::{planes, Dataset, EventCode, Note, Split};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Borders that differ by more than this of 255 on average are not of the same kind of picture.
const OTHER_BORDER: u8 = 96;

/// Where full brightness is more than so many times the brightest value, it is likely of another scale.
const DIM: u32 = 4;

/// What pictures are made into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PictureCode {
    /// Grey images, for folders and the name `caltech101-grey`.
    Grey,
    /// Their edges, for the name `caltech101`.
    Edges,
}

/// What images are made from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Source {
    /// Numbers, as they are: arrays, IDX files, the digits.
    #[default]
    Values,
    /// Picture files, brought to the shape of the input.
    Pictures {
        code: PictureCode,
        /// Whether dark became bright.
        inverted: bool,
    },
    /// Recordings of spikes.
    Recordings { code: EventCode },
}

impl Source {
    pub fn is_inverted(&self) -> bool {
        matches!(self, Source::Pictures { inverted: true, .. })
    }
}

/// What one axis of an input's shape counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Axis {
    Rows,
    Columns,
    Planes,
    /// Values of a pixel that lie beside each other.
    Colours,
    /// Numbers in no order that is known.
    Values,
    Channels,
    Groups,
    Windows,
}

impl Axis {
    /// What each axis of images of this shape counts.
    pub fn of(shape: &[usize], source: &Source) -> Vec<Axis> {
        use Axis::*;
        match (source, shape) {
            (Source::Recordings { .. }, [_]) => vec![Channels],
            (Source::Recordings { .. }, [_, _]) => vec![Groups, Windows],
            (_, [_, _]) => vec![Rows, Columns],
            (_, [_, _, _]) if planes(shape).is_some() => vec![Planes, Rows, Columns],
            (_, &[rows, columns, colours]) if colours < rows.min(columns) => {
                vec![Rows, Columns, Colours]
            }
            _ => vec![Values; shape.len()],
        }
    }

    fn name(self) -> &'static str {
        match self {
            Axis::Rows => "rows",
            Axis::Columns => "columns",
            Axis::Planes => "planes",
            Axis::Colours => "colours",
            Axis::Values => "values",
            Axis::Channels => "channels",
            Axis::Groups => "groups",
            Axis::Windows => "windows",
        }
    }
}

/// `28 rows × 28 columns`.
pub fn describe(shape: &[usize], source: &Source) -> String {
    let axes = Axis::of(shape, source).into_iter();
    let sizes = shape.iter().zip(axes);
    let words: Vec<String> = sizes
        .map(|(size, axis)| format!("{size} {}", axis.name()))
        .collect();
    words.join(" × ")
}

/// What a network takes and answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputSpec {
    /// What it was trained on, by the name or path that it was loaded by.
    pub trained_on: String,
    /// The shape of one image, as [`Dataset::shape`].
    pub shape: Vec<usize>,
    /// The intensity that counts as 1.0.
    pub maximum: u8,
    pub classes: usize,
    /// What the classes are called, one name each, where they have names.
    pub class_names: Option<Vec<String>>,
    /// What its images were made from; `None` where a model file does not say so.
    pub source: Option<Source>,
    /// The mean brightness of the outermost pixels of its training images as the network saw them, 0 to 255;
    /// `None` where there is no plane, or a model file does not say so.
    pub border: Option<u8>,
    /// [`Dataset::train_sha256`] of what it was trained on; `None` where a model file does not say so.
    pub train_sha256: Option<String>,
}

/// Why data cannot be fed to a model, or arrays not be understood.
#[derive(Debug, Error)]
pub enum InputError {
    #[error("the images of {name} are {found}, but the model takes {wanted}: give the data set it was trained for ({trained_on}), or images of that shape with their axes in that order")]
    Shape {
        name: String,
        found: String,
        wanted: String,
        trained_on: String,
    },
    #[error("the model takes {wanted}, which a picture cannot be brought to: train a model on a folder of pictures, or on arrays of rows and columns")]
    NotAPicture { wanted: String },
    #[error("{name} has {found} classes ({names}), but the model knows {known} ({known_names}): give the data set it was trained for ({trained_on}), or one with its classes")]
    Classes {
        name: String,
        found: usize,
        names: String,
        known: usize,
        known_names: String,
        trained_on: String,
    },
    #[error("{array} goes up to {most}, but the model takes whole numbers from 0 to {maximum}, or floats from 0 to 1: bring the images to that scale")]
    Range {
        array: String,
        most: f64,
        maximum: u8,
    },
    #[error("{one} goes up to {most} and {other} up to {other_most}: bring both to one scale, bytes from 0 to 255 or floats from 0 to 1")]
    ScalesDiffer {
        one: String,
        most: f64,
        other: String,
        other_most: f64,
    },
    #[error("{array} has fractions and goes up to {most}, so it is neither from 0 to 1 nor from 0 to 255: bring it to one of these scales")]
    NoScale { array: String, most: f64 },
    #[error("{array} has the value {value}, but brightness goes from 0 to 255, or from 0 to 1: bring it to one of these scales")]
    Value { array: String, value: f64 },
    #[error("the training images of {name} are {train}, and its test images {test}: give both one shape, with their axes in one order")]
    PartsDiffer {
        name: String,
        train: String,
        test: String,
    },
}

impl InputSpec {
    /// What images of `data` are.
    pub fn of(data: &Dataset) -> Self {
        InputSpec {
            trained_on: data.name.clone(),
            shape: data.shape.clone(),
            maximum: data.maximum,
            classes: data.classes,
            class_names: data.class_names.clone(),
            source: Some(data.source),
            border: border_mean(&data.train, &data.shape, data.maximum),
            train_sha256: Some(data.train_sha256()),
        }
    }

    /// What to print for a class: its name, or its number where it has none.
    pub fn class_name(&self, class: usize) -> String {
        class_name(self.class_names.as_deref(), class)
    }

    /// Whether dark pixels are bright to the model. It is not known of models that do not say so.
    pub fn is_inverted(&self) -> bool {
        self.source.is_some_and(|source| source.is_inverted())
    }

    /// `28 rows × 28 columns`.
    pub fn described(&self) -> String {
        describe(&self.shape, &self.source.unwrap_or_default())
    }

    /// What a picture has to become: rows, columns, and what code.
    pub(super) fn picture_size(&self) -> Result<(usize, usize, PictureCode), InputError> {
        let code = match self.source {
            Some(Source::Pictures { code, .. }) => code,
            // Before models said so, only caltech101 was of edges.
            None if self.trained_on == "caltech101" => PictureCode::Edges,
            _ => PictureCode::Grey,
        };
        let shape = match code {
            PictureCode::Grey => squeezed(&self.shape),
            PictureCode::Edges => self.shape.get(1..).unwrap_or_default().to_vec(),
        };
        match (self.source, &shape[..]) {
            (Some(Source::Values | Source::Pictures { .. }) | None, &[rows, columns]) => {
                Ok((rows, columns, code))
            }
            _ => Err(InputError::NotAPicture {
                wanted: self.described(),
            }),
        }
    }

    /// A picture of any size as an image of this input: stretched, turned into its code, its polarity and its range.
    ///
    /// # Errors
    /// When this input is none that a picture can be brought to.
    pub fn image_of(&self, picture: &Picture) -> Result<Vec<u8>, InputError> {
        let (rows, columns, code) = self.picture_size()?;
        let picture = picture.scaled(rows, columns);
        let inverted = match (self.source, self.border) {
            // A picture is of another kind than arrays: it is turned round where what is around the thing would be
            // bright, and was dark for the network, or the other way round.
            (Some(Source::Values), Some(border)) => picture.has_bright_border() != (border > 127),
            (Some(source), _) => source.is_inverted(),
            // A model that does not say which way round its pictures were was made when each folder decided.
            (None, _) => picture.has_bright_border(),
        };
        let mut pixels = picture.grey(inverted);
        if code == PictureCode::Edges {
            pixels = edges(&pixels, columns);
        }
        rescale(&mut pixels, u8::MAX, self.maximum);
        Ok(pixels)
    }

    /// Arrays as images of this input: one scale for all of them, and its polarity.
    pub(super) fn images_of(&self, parts: &[&Raw]) -> Result<Vec<Vec<u8>>, InputError> {
        for part in parts {
            self.check_shape(&part.name, &part.shape, &Source::Values)?;
        }
        let scale = Scale::for_model(parts, self.maximum)?;
        let image = |part: &&Raw| {
            let mut bytes = part.to_bytes(scale, self.maximum);
            if self.is_inverted() {
                invert(&mut bytes, self.maximum);
            }
            bytes
        };
        Ok(parts.iter().map(image).collect())
    }

    /// Checks that images of this shape are laid out as those of this input.
    pub(super) fn check_shape(
        &self,
        name: &str,
        shape: &[usize],
        source: &Source,
    ) -> Result<(), InputError> {
        match is_same_shape(shape, &self.shape) {
            true => Ok(()),
            false => Err(InputError::Shape {
                name: name.to_owned(),
                found: describe(shape, source),
                wanted: self.described(),
                trained_on: self.trained_on.clone(),
            }),
        }
    }

    /// A data set whose values, of full brightness `data.maximum`, are as they came, as one for this input.
    pub(super) fn adopt_values(&self, data: Dataset) -> Result<Dataset, InputError> {
        self.check_shape(&data.name, &data.shape, &data.source)?;
        let mut data = self.adopt_range(data);
        if self.is_inverted() {
            for part in [&mut data.train, &mut data.test] {
                invert(&mut part.images, self.maximum);
            }
        }
        Ok(data)
    }

    /// A data set of the right polarity, of full brightness `data.maximum`, in the range of this input.
    pub(super) fn adopt_range(&self, mut data: Dataset) -> Dataset {
        for part in [&mut data.train, &mut data.test] {
            rescale(&mut part.images, data.maximum, self.maximum);
        }
        Dataset {
            shape: self.shape.clone(),
            maximum: self.maximum,
            ..data
        }
    }

    /// Numbers the classes of `data` as the model does, and gives them its names.
    ///
    /// # Errors
    /// When there are classes that the model does not know.
    pub(super) fn match_classes(&self, mut data: Dataset) -> Result<Dataset, InputError> {
        let error = |data: &Dataset| InputError::Classes {
            name: data.name.clone(),
            found: data.classes,
            names: listed(data.class_names.as_deref(), data.classes),
            known: self.classes,
            known_names: listed(self.class_names.as_deref(), self.classes),
            trained_on: self.trained_on.clone(),
        };
        match (&data.class_names, &self.class_names) {
            (Some(names), Some(known)) if names != known => {
                let number = |name: &String| known.iter().position(|known| known == name);
                let numbers: Option<Vec<usize>> = names.iter().map(number).collect();
                let numbers = numbers.ok_or_else(|| error(&data))?;
                for label in [&mut data.train, &mut data.test]
                    .into_iter()
                    .flat_map(|part| &mut part.labels)
                {
                    *label = u8::try_from(numbers[usize::from(*label)])
                        .expect("there are at most 256 classes");
                }
            }
            _ if data.classes != self.classes => return Err(error(&data)),
            _ => (),
        }
        data.classes = self.classes;
        data.class_names = self.class_names.clone().or(data.class_names);
        Ok(data)
    }

    /// Why this model may not be made for images that were converted for it.
    pub(super) fn doubts(&self, name: &str, images: &Split) -> Vec<Note> {
        let border = border_mean(images, &self.shape, self.maximum);
        let most = images.images.iter().copied().max().unwrap_or(0);
        let is_dim = most > 0 && u32::from(most) * DIM < u32::from(self.maximum);
        let dim = is_dim.then(|| Note::Dim {
            name: name.to_owned(),
            most,
            maximum: self.maximum,
        });
        let borders = self.border.zip(border).and_then(|(before, found)| {
            let is_other = (before > 127) != (found > 127);
            (is_other && before.abs_diff(found) > OTHER_BORDER).then(|| Note::OtherBorders {
                name: name.to_owned(),
                // As they came, not as the network sees them.
                bright: (found > before) != self.is_inverted(),
            })
        });
        borders.into_iter().chain(dim).collect()
    }
}

/// The shape without axes of one.
fn squeezed(shape: &[usize]) -> Vec<usize> {
    shape.iter().copied().filter(|&size| size != 1).collect()
}

/// Whether images of both shapes have the same values in the same order. Axes of one do not count, and a plane
/// may come row by row; but a plane is no other plane, and colours beside each other are no planes.
pub(super) fn is_same_shape(one: &[usize], other: &[usize]) -> bool {
    let (one, other) = (squeezed(one), squeezed(other));
    let product = |shape: &[usize]| shape.iter().product::<usize>();
    one == other
        || (one.len().min(other.len()) <= 1
            && one.len().max(other.len()) == 2
            && product(&one) == product(&other))
}

/// What to print for a class: its name, or its number where it has none.
pub fn class_name(names: Option<&[String]>, class: usize) -> String {
    match names.and_then(|names| names.get(class)) {
        Some(name) => name.clone(),
        None => class.to_string(),
    }
}

/// The first of the classes, for a sentence.
fn listed(names: Option<&[String]>, classes: usize) -> String {
    const FIRST: usize = 12;
    let mut words: Vec<String> = (0..classes.min(FIRST))
        .map(|class| class_name(names, class))
        .collect();
    if classes > FIRST {
        words.push("...".to_owned());
    }
    words.join(", ")
}

/// Dark becomes bright, where `maximum` is full brightness.
pub(super) fn invert(pixels: &mut [u8], maximum: u8) {
    for pixel in pixels {
        *pixel = maximum.saturating_sub(*pixel);
    }
}

/// From pixels of which `full` is full brightness to such of which `maximum` is, rounded.
fn rescale(pixels: &mut [u8], full: u8, maximum: u8) {
    if full == maximum {
        return;
    }
    let (full, maximum) = (u32::from(full), u32::from(maximum));
    for pixel in pixels {
        let value = u32::from(*pixel).min(full);
        *pixel = ((value * maximum + full / 2) / full) as u8;
    }
}

/// The mean of the outermost pixels of all images, where `maximum` counts as 255. `None` where an image is no plane.
pub(super) fn border_mean(split: &Split, shape: &[usize], maximum: u8) -> Option<u8> {
    let &[rows, columns] = &squeezed(shape)[..] else {
        return None;
    };
    if rows * columns != split.features || split.is_empty() || maximum == 0 {
        return None;
    }
    let is_border = |pixel: usize| {
        let (row, column) = (pixel / columns, pixel % columns);
        row == 0 || row == rows - 1 || column == 0 || column == columns - 1
    };
    let border: Vec<usize> = (0..split.features).filter(|&p| is_border(p)).collect();
    let sum_of = |image: &[u8]| border.iter().map(|&p| u64::from(image[p])).sum::<u64>();
    let sum: u64 = split.iter().map(sum_of).sum();
    let all = (border.len() * split.len()) as u64 * u64::from(maximum);
    Some(((255 * sum + all / 2) / all).min(255) as u8)
}
