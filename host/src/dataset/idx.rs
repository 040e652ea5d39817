//! IDX, the format of the MNIST files: a big-endian header (magic number, one size a dimension),
//! then the bytes. A file may be compressed with gzip. A header in the other order of bytes is read too, where the
//! length of the file fits it.

use super::arrays::{self, Part};
use super::format::{Format, START};
use super::packed::{self, broken};
use super::values::{Raw, Values};
use super::{Dataset, DatasetError, InputSpec};
use std::io::Read;
use std::path::{Path, PathBuf};

/// The stems of the four files, as everybody names them.
pub(super) const FILES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// No header makes this loader ask for more than this.
const MAX_BYTES: u128 = 4 << 30;

/// Whether all four files are there, plain or compressed.
pub(super) fn is_complete(folder: &Path) -> bool {
    FILES.iter().all(|stem| find(folder, stem).is_ok())
}

/// Whether `folder` is meant to be read by this loader: one of the files is there at least.
pub(super) fn is_meant(folder: &Path) -> bool {
    FILES.iter().any(|stem| find(folder, stem).is_ok())
}

/// Loads the four files of `folder`, for a model where one is to be fed. Without names, the highest label tells how
/// many classes there are.
pub(super) fn load(
    name: &str,
    folder: &Path,
    class_names: Option<Vec<String>>,
    model: Option<&InputSpec>,
) -> Result<Dataset, DatasetError> {
    let parts = vec![
        load_part(name, "training", folder, [FILES[0], FILES[1]])?,
        load_part(name, "test", folder, [FILES[2], FILES[3]])?,
    ];
    let classes = class_names.as_ref().map(Vec::len);
    arrays::dataset(name, parts, classes, class_names, model)
}

fn load_part(
    name: &str,
    part: &'static str,
    folder: &Path,
    [images, labels]: [&str; 2],
) -> Result<Part, DatasetError> {
    let path = find(folder, images)?;
    let images = read(&path, Kind::Images)?;
    let labels = read(&find(folder, labels)?, Kind::Labels)?;
    if images.sizes[0] != labels.sizes[0] {
        return Err(DatasetError::CountsDiffer {
            name: name.to_owned(),
            part,
            images: images.sizes[0],
            labels: labels.sizes[0],
        });
    }
    let raw = Raw {
        name: path.display().to_string(),
        shape: images.sizes[1..].to_vec(),
        values: Values::Bytes(images.bytes),
    };
    Ok(Part {
        raw,
        labels: labels.bytes,
    })
}

/// The file with this stem, under one of the names that people give it: `train-images.idx3-ubyte`, and `test` for `t10k`.
fn find(folder: &Path, stem: &str) -> Result<PathBuf, DatasetError> {
    let dotted = stem.replace("-idx", ".idx");
    let mut names = vec![stem.to_owned(), dotted];
    let others: Vec<String> = (names.iter())
        .filter(|name| name.starts_with("t10k"))
        .map(|name| name.replace("t10k", "test"))
        .collect();
    names.extend(others);
    packed::find_any(folder, &names)
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Unsigned bytes in two to four dimensions, the first of which counts images.
    Images,
    /// Unsigned bytes in one dimension.
    Labels,
}

struct Idx {
    sizes: Vec<usize>,
    bytes: Vec<u8>,
}

/// What the numbers of an IDX file are called, by the third byte of the file.
const NUMBERS: [(u8, &str); 6] = [
    (BYTES, "bytes"),
    (0x09, "int8"),
    (0x0b, "int16"),
    (0x0c, "int32"),
    (0x0d, "float32"),
    (0x0e, "float64"),
];
const BYTES: u8 = 0x08;

fn read(path: &Path, kind: Kind) -> Result<Idx, DatasetError> {
    parse(path, kind, packed::open(path)?)
}

fn parse(path: &Path, kind: Kind, mut reader: impl Read) -> Result<Idx, DatasetError> {
    let magic = read_word(path, &mut reader, 0)?;
    // The standard's order of bytes, or the other one, which some programs write.
    let (is_big_endian, numbers, dimensions) = match magic {
        [0, 0, numbers, dimensions] => (true, numbers, dimensions),
        [dimensions, numbers, 0, 0] => (false, numbers, dimensions),
        _ => return Err(no_idx(path, kind, magic, reader)),
    };
    let Some((_, numbers)) = NUMBERS.iter().find(|(number, _)| *number == numbers) else {
        return Err(no_idx(path, kind, magic, reader));
    };
    let dimensions = usize::from(dimensions);
    let is_meant = *numbers == NUMBERS[0].1
        && match kind {
            Kind::Images => (2..=4).contains(&dimensions),
            Kind::Labels => dimensions == 1,
        };
    if !is_meant {
        let ending = if dimensions == 1 { "" } else { "s" };
        let found = format!("an IDX file of {numbers} in {dimensions} dimension{ending}");
        return Err(kind.wrong(path, found));
    }
    let mut words = Vec::with_capacity(dimensions);
    for index in 0..dimensions {
        words.push(read_word(path, &mut reader, 4 + 4 * index as u64)?);
    }
    let header = 4 + 4 * dimensions as u64;
    // Some programs write the first word in one order and the sizes in the other: the length of the file tells.
    let big_endian = sizes_of(&words, u32::from_be_bytes);
    let little_endian = sizes_of(&words, u32::from_le_bytes);
    let readings = match is_big_endian {
        true => vec![big_endian, little_endian],
        false => vec![little_endian],
    };
    let announced = readings[0].1;
    let readings: Vec<(Vec<usize>, u128)> = readings
        .into_iter()
        .filter(|(_, size)| *size <= MAX_BYTES)
        .collect();
    let Some(most) = readings.iter().map(|(_, size)| *size as u64).max() else {
        return Err(DatasetError::TooLarge {
            path: path.to_owned(),
            size: announced,
        });
    };
    // One byte more than announced is asked for, to see whether the file ends where it should. The
    // buffer grows with what is really there, so a lying header costs nothing.
    let mut bytes = Vec::new();
    (reader.take(most + 1).read_to_end(&mut bytes)).map_err(|e| broken(path, e))?;
    let found = bytes.len() as u64;
    let expected = readings[0].1 as u64;
    let reading = readings.into_iter().find(|(_, size)| *size == found.into());
    match reading {
        Some((sizes, _)) => Ok(Idx { sizes, bytes }),
        None if found < expected => Err(DatasetError::CutShort {
            path: path.to_owned(),
            expected: header + expected,
            found: header + found,
        }),
        None => Err(DatasetError::TooLong {
            path: path.to_owned(),
            expected: header + expected,
        }),
    }
}

/// The sizes of the dimensions, and their product.
fn sizes_of(words: &[[u8; 4]], number: impl Fn([u8; 4]) -> u32) -> (Vec<usize>, u128) {
    let sizes: Vec<usize> = words.iter().map(|&word| number(word) as usize).collect();
    let size = sizes.iter().map(|&size| size as u128).product();
    (sizes, size)
}

/// The error for a file that begins otherwise.
fn no_idx(path: &Path, kind: Kind, magic: [u8; 4], reader: impl Read) -> DatasetError {
    let mut start = magic.to_vec();
    if let Err(error) = reader.take(START as u64).read_to_end(&mut start) {
        return broken(path, error);
    }
    let found = match Format::of(&start) {
        Some(format) => format.name().to_owned(),
        None => format!(
            "no IDX file (it begins with {:#010x})",
            u32::from_be_bytes(magic)
        ),
    };
    kind.wrong(path, found)
}

impl Kind {
    fn wrong(self, path: &Path, found: String) -> DatasetError {
        DatasetError::Magic {
            path: path.to_owned(),
            wanted: match self {
                Kind::Images => "images, which are bytes in two to four dimensions",
                Kind::Labels => "labels, which are bytes in one dimension",
            },
            found,
        }
    }
}

/// A word of the header, which begins at byte `at`.
fn read_word(path: &Path, reader: &mut impl Read, at: u64) -> Result<[u8; 4], DatasetError> {
    let mut word = Vec::with_capacity(4);
    (reader.take(4).read_to_end(&mut word)).map_err(|e| broken(path, e))?;
    let found = word.len() as u64;
    word.try_into().map_err(|_| DatasetError::CutShort {
        path: path.to_owned(),
        expected: at + 4,
        found: at + found,
    })
}
