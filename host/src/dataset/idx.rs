//! IDX, the format of the MNIST files: a big-endian header (magic number, one size a dimension),
//! then the bytes. A file may be compressed with gzip.

use super::arrays::{self, Part};
use super::packed::{self, broken, find};
use super::values::{Raw, Values};
use super::{Dataset, DatasetError, InputSpec};
use std::io::Read;
use std::path::Path;

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

fn read(path: &Path, kind: Kind) -> Result<Idx, DatasetError> {
    parse(path, kind, packed::open(path)?)
}

fn parse(path: &Path, kind: Kind, mut reader: impl Read) -> Result<Idx, DatasetError> {
    let magic = read_word(path, &mut reader, 0)?;
    let dimensions = (magic & 0xff) as usize;
    let fits = magic >> 8 == 0x08
        && match kind {
            Kind::Images => (2..=4).contains(&dimensions),
            Kind::Labels => dimensions == 1,
        };
    if !fits {
        let (what, expected) = match kind {
            Kind::Images => ("images", "0x00000803"),
            Kind::Labels => ("labels", "0x00000801"),
        };
        return Err(DatasetError::Magic {
            path: path.to_owned(),
            what,
            expected,
            found: magic,
        });
    }
    let mut sizes = Vec::with_capacity(dimensions);
    for index in 0..dimensions {
        sizes.push(read_word(path, &mut reader, 4 + 4 * index as u64)? as usize);
    }
    let header = 4 + 4 * dimensions as u64;
    let size: u128 = sizes.iter().map(|&size| size as u128).product();
    if size > MAX_BYTES {
        return Err(DatasetError::TooLarge {
            path: path.to_owned(),
            size,
        });
    }
    let size = size as u64;
    // One byte more than announced is asked for, to see whether the file ends where it should. The
    // buffer grows with what is really there, so a lying header costs nothing.
    let mut bytes = Vec::new();
    (reader.take(size + 1).read_to_end(&mut bytes)).map_err(|e| broken(path, e))?;
    let found = bytes.len() as u64;
    if found < size {
        return Err(DatasetError::CutShort {
            path: path.to_owned(),
            expected: header + size,
            found: header + found,
        });
    }
    if found > size {
        return Err(DatasetError::TooLong {
            path: path.to_owned(),
            expected: header + size,
        });
    }
    Ok(Idx { sizes, bytes })
}

/// A word of the header, which begins at byte `at`.
fn read_word(path: &Path, reader: &mut impl Read, at: u64) -> Result<u32, DatasetError> {
    let mut word = Vec::with_capacity(4);
    (reader.take(4).read_to_end(&mut word)).map_err(|e| broken(path, e))?;
    let found = word.len() as u64;
    word.try_into()
        .map(u32::from_be_bytes)
        .map_err(|_| DatasetError::CutShort {
            path: path.to_owned(),
            expected: at + 4,
            found: at + found,
        })
}
