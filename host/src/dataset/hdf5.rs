//! What the loaders need of an HDF5 file: arrays of whole numbers, and arrays with a row of numbers of its own
//! length for each sample.

use super::{packed, DatasetError};
use hdf5_reader::error::{ByteOrder, Error};
use hdf5_reader::{Datatype, Hdf5File, OpenOptions, VarLenKind};
use std::io::Read;
use std::path::{Path, PathBuf};

/// No compressed file makes this reader ask for more than this.
const MAX_BYTES: u64 = 4 << 30;
/// The most that one array may take, without what is in its rows: 16 million rows.
const MAX_ARRAY_BYTES: usize = 256 << 20;

/// An open file. A plain one is read where it is needed, a compressed one is unpacked into memory.
pub(super) struct Hdf5 {
    path: PathBuf,
    file: Hdf5File,
}

/// An array that has, for each sample, a row of numbers.
pub(super) struct Rows<'a> {
    path: &'a Path,
    dataset: hdf5_reader::Dataset,
    number: Number,
    /// Where each row is, as the file says it: a length and an address.
    references: Vec<u8>,
}

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Number {
    kind: Kind,
    /// Bytes.
    size: u8,
    order: ByteOrder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Signed,
    Unsigned,
    Float,
}

impl Hdf5 {
    pub(super) fn open(path: &Path) -> Result<Self, DatasetError> {
        let options = OpenOptions::default().with_max_read_bytes(MAX_ARRAY_BYTES);
        let file = match packed::is_compressed(path)? {
            true => Hdf5File::from_vec_with_options(unpack(path)?, options),
            false => Hdf5File::open_with_options(path, options),
        };
        let file = file.map_err(|e| broken(path, e))?;
        check_length(path, &file)?;
        Ok(Hdf5 {
            file,
            path: path.to_owned(),
        })
    }

    /// The array `name` of one whole number a sample.
    pub(super) fn whole_numbers(&self, name: &'static str) -> Result<Vec<i64>, DatasetError> {
        let dataset = self.dataset(name)?;
        let number = match Number::of(dataset.dtype()) {
            Some(number) if number.kind != Kind::Float && dataset.ndim() == 1 => number,
            _ => return Err(self.wrong(name, &dataset, "one whole number a sample")),
        };
        let bytes = dataset.read_raw_bytes().map_err(|e| self.broken(e))?;
        let mut values = Vec::new();
        number.decode(&bytes, &mut values);
        Ok(values.into_iter().map(|value| value as i64).collect())
    }

    /// The array `name` of one row a sample; `floats` tells whether its numbers must be floats, or else
    /// whole.
    pub(super) fn rows(&self, name: &'static str, floats: bool) -> Result<Rows<'_>, DatasetError> {
        let dataset = self.dataset(name)?;
        let number = match dataset.dtype() {
            Datatype::VarLen {
                base,
                kind: VarLenKind::Sequence,
                ..
            } => Number::of(base),
            _ => None,
        };
        let fits = |number: &Number| (number.kind == Kind::Float) == floats && dataset.ndim() == 1;
        let Some(number) = number.filter(fits) else {
            let expected = match floats {
                true => "a row of floats a sample, each of its own length",
                false => "a row of whole numbers a sample, each of its own length",
            };
            return Err(self.wrong(name, &dataset, expected));
        };
        Ok(Rows {
            path: &self.path,
            references: dataset.read_raw_bytes().map_err(|e| self.broken(e))?,
            dataset,
            number,
        })
    }

    fn dataset(&self, name: &'static str) -> Result<hdf5_reader::Dataset, DatasetError> {
        self.file
            .dataset(name)
            .map_err(|error| match is_absent(&error) {
                true => DatasetError::Hdf5Missing {
                    path: self.path.clone(),
                    array: name,
                },
                false => self.broken(error),
            })
    }

    fn broken(&self, error: Error) -> DatasetError {
        broken(&self.path, error)
    }

    fn wrong(
        &self,
        array: &'static str,
        dataset: &hdf5_reader::Dataset,
        expected: &'static str,
    ) -> DatasetError {
        DatasetError::Hdf5Array {
            path: self.path.clone(),
            array,
            expected,
            found: format!(
                "{} in {} dimensions",
                name_of(dataset.dtype()),
                dataset.ndim()
            ),
        }
    }
}

impl Rows<'_> {
    pub(super) fn len(&self) -> usize {
        self.references.len() / self.dataset.vlen_reference_size()
    }

    /// Writes the numbers of row `index` into `to`.
    pub(super) fn read(&self, index: usize, to: &mut Vec<f64>) -> Result<(), DatasetError> {
        let size = self.dataset.vlen_reference_size();
        let reference = &self.references[index * size..(index + 1) * size];
        let bytes = (self.dataset)
            .resolve_vlen_reference_bytes(reference, usize::from(self.number.size))
            .map_err(|e| broken(self.path, e))?;
        to.clear();
        self.number.decode(&bytes, to);
        Ok(())
    }
}

impl Number {
    /// How a number of this type is written; `None` where it is no number of a known size.
    fn of(datatype: &Datatype) -> Option<Number> {
        let (kind, size, order) = match *datatype {
            Datatype::FixedPoint {
                size,
                signed,
                byte_order,
            } => match signed {
                true => (Kind::Signed, size, byte_order),
                false => (Kind::Unsigned, size, byte_order),
            },
            Datatype::FloatingPoint { size, byte_order } => (Kind::Float, size, byte_order),
            _ => return None,
        };
        let known = match kind {
            Kind::Float => [2, 4, 8].contains(&size),
            Kind::Signed | Kind::Unsigned => [1, 2, 4, 8].contains(&size),
        };
        known.then_some(Number { kind, size, order })
    }

    /// Appends the numbers in `bytes`.
    fn decode(self, bytes: &[u8], to: &mut Vec<f64>) {
        let order = self.order;
        match (self.kind, self.size) {
            (Kind::Unsigned, 1) => each(bytes, order, to, |b| u8::from_le_bytes(b).into()),
            (Kind::Unsigned, 2) => each(bytes, order, to, |b| u16::from_le_bytes(b).into()),
            (Kind::Unsigned, 4) => each(bytes, order, to, |b| u32::from_le_bytes(b).into()),
            (Kind::Unsigned, _) => each(bytes, order, to, |b| u64::from_le_bytes(b) as f64),
            (Kind::Signed, 1) => each(bytes, order, to, |b| i8::from_le_bytes(b).into()),
            (Kind::Signed, 2) => each(bytes, order, to, |b| i16::from_le_bytes(b).into()),
            (Kind::Signed, 4) => each(bytes, order, to, |b| i32::from_le_bytes(b).into()),
            (Kind::Signed, _) => each(bytes, order, to, |b| i64::from_le_bytes(b) as f64),
            (Kind::Float, 2) => each(bytes, order, to, |b| half(u16::from_le_bytes(b))),
            (Kind::Float, 4) => each(bytes, order, to, |b| f32::from_le_bytes(b).into()),
            (Kind::Float, _) => each(bytes, order, to, f64::from_le_bytes),
        }
    }
}

/// Appends the value of every `SIZE` bytes, which `value` is given in little-endian order.
fn each<const SIZE: usize>(
    bytes: &[u8],
    order: ByteOrder,
    to: &mut Vec<f64>,
    value: impl Fn([u8; SIZE]) -> f64,
) {
    to.extend(bytes.chunks_exact(SIZE).map(|chunk| {
        let mut bytes: [u8; SIZE] = chunk.try_into().expect("chunks are of this size");
        if order == ByteOrder::BigEndian {
            bytes.reverse();
        }
        value(bytes)
    }));
}

/// The value of a float of 16 bits: sign, five bits of exponent (bias 15), ten bits of fraction.
pub(super) fn half(bits: u16) -> f64 {
    let sign = u64::from(bits >> 15) << 63;
    let fraction = u64::from(bits & 0x3ff);
    let size = match u64::from(bits >> 10 & 0x1f) {
        0 => fraction as f64 / f64::from(1 << 24),
        31 => f64::from_bits(0x7ff << 52 | fraction << 42),
        exponent => f64::from_bits((exponent + 1008) << 52 | fraction << 42),
    };
    f64::from_bits(size.to_bits() | sign)
}

/// What the items of an array are called.
fn name_of(datatype: &Datatype) -> String {
    match datatype {
        Datatype::FixedPoint { size, signed, .. } => {
            let sign = if *signed { "" } else { "u" };
            format!("{sign}int{}", 8 * u32::from(*size))
        }
        Datatype::FloatingPoint { size, .. } => format!("float{}", 8 * u32::from(*size)),
        Datatype::VarLen {
            base,
            kind: VarLenKind::Sequence,
            ..
        } => format!("rows of {}", name_of(base)),
        Datatype::String { .. } | Datatype::VarLen { .. } => "text".to_owned(),
        Datatype::Compound { .. } => "records".to_owned(),
        Datatype::Array { base, .. } => format!("arrays of {}", name_of(base)),
        Datatype::Enum { base, .. } => format!("names for {}", name_of(base)),
        Datatype::Opaque { .. } => "opaque bytes".to_owned(),
        Datatype::Reference { .. } => "references".to_owned(),
        Datatype::Bitfield { .. } => "bits".to_owned(),
    }
}

/// The whole of a compressed file, unpacked.
fn unpack(path: &Path) -> Result<Vec<u8>, DatasetError> {
    let mut bytes = Vec::new();
    (packed::open(path)?
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes))
    .map_err(|e| packed::broken(path, e))?;
    match bytes.len() as u64 > MAX_BYTES {
        true => Err(DatasetError::UnpackedTooLarge(path.to_owned())),
        false => Ok(bytes),
    }
}

/// Checks that the file ends where its header says, or later.
fn check_length(path: &Path, file: &Hdf5File) -> Result<(), DatasetError> {
    let header = file.superblock();
    let found = file.storage().len().saturating_add(header.base_address);
    match header.eof_address <= found {
        true => Ok(()),
        false => Err(DatasetError::CutShort {
            path: path.to_owned(),
            expected: header.eof_address,
            found,
        }),
    }
}

/// What the file system says stays that; everything else means that the file is not what it should be.
fn broken(path: &Path, error: Error) -> DatasetError {
    match error {
        Error::Io(error) => packed::broken(path, error),
        Error::InvalidMagic => DatasetError::NotHdf5(path.to_owned()),
        error => DatasetError::Damaged {
            path: path.to_owned(),
            reason: error.to_string(),
        },
    }
}

/// Whether `error` says that there is no such array, rather than that it cannot be read.
fn is_absent(error: &Error) -> bool {
    match error {
        Error::GroupNotFound(_) | Error::DatasetNotFound(_) => true,
        Error::Context { source, .. } => is_absent(source),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(kind: Kind, size: u8, order: ByteOrder, bytes: &[u8]) -> Vec<f64> {
        let mut values = Vec::new();
        Number { kind, size, order }.decode(bytes, &mut values);
        values
    }

    #[test]
    fn numbers_of_every_size_and_order_are_read() {
        use ByteOrder::{BigEndian, LittleEndian};
        macro_rules! check {
            ($($kind:ident $type:ty: $values:expr;)*) => {$(
                let values: &[$type] = &$values;
                let expected: Vec<f64> = values.iter().map(|&value| value as f64).collect();
                let size = size_of::<$type>() as u8;
                let little: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
                assert_eq!(decode(Kind::$kind, size, LittleEndian, &little), expected);
                let big: Vec<u8> = values.iter().flat_map(|v| v.to_be_bytes()).collect();
                assert_eq!(decode(Kind::$kind, size, BigEndian, &big), expected);
            )*};
        }
        check! {
            Unsigned u8: [0, 255];
            Unsigned u16: [0, 1, 699, u16::MAX];
            Unsigned u32: [699, u32::MAX];
            Unsigned u64: [699, 1 << 40];
            Signed i8: [-1, 7];
            Signed i16: [-1, 699];
            Signed i32: [-1, 699, i32::MIN];
            Signed i64: [-1, 699, 1 << 40];
            Float f32: [0.25, -1.5];
            Float f64: [0.1, 1e300];
        }
    }

    #[test]
    fn items_have_names_that_people_know() {
        let order = ByteOrder::LittleEndian;
        let whole = |size, signed| Datatype::FixedPoint {
            size,
            signed,
            byte_order: order,
        };
        assert_eq!(name_of(&whole(8, true)), "int64");
        assert_eq!(name_of(&whole(2, false)), "uint16");
        let float = Datatype::FloatingPoint {
            size: 4,
            byte_order: order,
        };
        assert_eq!(name_of(&float), "float32");
        let array = Datatype::Array {
            base: Box::new(float),
            dims: vec![3],
        };
        assert_eq!(name_of(&array), "arrays of float32");
    }

    #[test]
    fn halves_are_what_their_definition_says() {
        for bits in 0..=u16::MAX {
            let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
            let size = match exponent {
                0 => fraction / 1024.0 * 2f64.powi(-14),
                31 if fraction == 0.0 => f64::INFINITY,
                31 => f64::NAN,
                _ => (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
            };
            let expected = if bits >> 15 == 1 { -size } else { size };
            let found = half(bits);
            assert!(found == expected || (found.is_nan() && expected.is_nan()));
            assert_eq!(found.is_sign_negative(), bits >> 15 == 1);
        }
        assert_eq!(
            decode(Kind::Float, 2, ByteOrder::LittleEndian, &[0, 0x3c]),
            [1.0]
        );
        assert_eq!(
            decode(Kind::Float, 2, ByteOrder::BigEndian, &[0x38, 0]),
            [0.5]
        );
    }
}
