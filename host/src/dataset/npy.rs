//! One NumPy array (the NPY format): a header that says what numbers there are and how many, then the numbers.
//!
//! What a header announces is checked before memory is asked for, and what is read grows with what is really there.

use super::hdf5::half;
use ndarray::{ArrayD, IxDyn, ShapeBuilder};
use py_literal::Value;
use std::io::{self, Read};

/// No header makes this reader ask for more than this.
const MAX_BYTES: u128 = 4 << 30;
/// Those that NumPy writes have 118 bytes, and more only for arrays with named fields.
const MAX_HEADER: usize = 1 << 16;
/// The parser of the header goes into brackets by calling itself.
const MAX_BRACKETS: usize = 32;

/// An array, in the order of its indices, the last of which counts fastest.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Array {
    /// What its numbers are called in NumPy: `int64`.
    pub kind: String,
    pub shape: Vec<usize>,
    pub items: Items,
}

/// The numbers of an array.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Items {
    /// True and false, as 1 and 0.
    Bits(Vec<u8>),
    Bytes(Vec<u8>),
    /// Other whole numbers; those beyond what fits are the greatest that does.
    Whole(Vec<i64>),
    Floats(Vec<f64>),
    Texts(Vec<String>),
}

/// What is wrong with an array, for a sentence that says in which file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// It is damaged or cut short, and why.
    Damaged(String),
    /// It announces so many bytes.
    TooLarge(u128),
    /// Its numbers are of a kind that is not read.
    Kind(String),
}

/// How the items of an array are written.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Kind {
    /// The letter that NumPy has for it: `i` for signed whole numbers.
    letter: char,
    /// The bytes of an item.
    size: usize,
    big_endian: bool,
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        Problem::Damaged(error.to_string())
    }
}

/// Reads an array.
pub(super) fn read(mut reader: impl Read) -> Result<Array, Problem> {
    let header = read_header(&mut reader)?;
    let (kind, fortran_order, shape) = understand(&header)?;
    // An index that counts to none makes the array empty, but not the others small.
    let counts = shape.iter().map(|&count| count.max(1) as u128);
    let most = counts.fold(kind.memory() as u128, u128::saturating_mul);
    if most > MAX_BYTES {
        return Err(Problem::TooLarge(most));
    }
    let size = (shape.iter().product::<usize>() * kind.size) as u64;
    let mut bytes = Vec::new();
    // One byte more than announced is asked for, to see whether the array ends where it should.
    reader.take(size + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != size {
        let relation = match (bytes.len() as u64) < size {
            true => "fewer",
            false => "more",
        };
        let problem = format!("it has {relation} bytes than the {size} that its header announces");
        return Err(Problem::Damaged(problem));
    }
    let items = kind.decode(bytes);
    Ok(Array {
        kind: kind.name(),
        items: match fortran_order {
            true => items.transposed(&shape),
            false => items,
        },
        shape,
    })
}

/// The text of the header.
fn read_header(reader: &mut impl Read) -> Result<String, Problem> {
    let damaged = |what: &str| Problem::Damaged(what.to_owned());
    let mut start = [0; 8];
    reader.read_exact(&mut start)?;
    if !start.starts_with(b"\x93NUMPY") {
        return Err(damaged("it does not begin as a NumPy array does"));
    }
    let length = match start[6] {
        1 => {
            let mut length = [0; 2];
            reader.read_exact(&mut length)?;
            usize::from(u16::from_le_bytes(length))
        }
        2 | 3 => {
            let mut length = [0; 4];
            reader.read_exact(&mut length)?;
            u32::from_le_bytes(length) as usize
        }
        version => {
            return Err(Problem::Damaged(format!(
                "it is of the NPY version {version}, and 1 to 3 are known"
            )))
        }
    };
    if length > MAX_HEADER {
        return Err(damaged("its header is longer than any that NumPy writes"));
    }
    let mut header = vec![0; length];
    reader.read_exact(&mut header)?;
    let header = String::from_utf8(header).map_err(|_| damaged("its header is no text"))?;
    let (mut depth, mut deepest) = (0usize, 0);
    for letter in header.chars() {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => (),
        }
        deepest = deepest.max(depth);
    }
    match deepest > MAX_BRACKETS {
        true => Err(damaged(
            "its header has more brackets than any that NumPy writes",
        )),
        false => Ok(header),
    }
}

/// What the items are, whether the first index counts fastest, and the shape.
fn understand(header: &str) -> Result<(Kind, bool, Vec<usize>), Problem> {
    let unclear = || Problem::Damaged("its header is unclear".to_owned());
    let Ok(Value::Dict(entries)) = header.trim().parse::<Value>() else {
        return Err(unclear());
    };
    let entry = |name: &str| {
        let is_it = |key: &Value| matches!(key, Value::String(key) if key == name);
        let found = entries.iter().find(|(key, _)| is_it(key));
        found.map(|(_, value)| value).ok_or_else(unclear)
    };
    let Value::Boolean(fortran_order) = *entry("fortran_order")? else {
        return Err(unclear());
    };
    let Value::Tuple(shape) = entry("shape")? else {
        return Err(unclear());
    };
    let size = |value: &Value| match value {
        // More than fits is more than is read.
        Value::Integer(size) if size.to_string().starts_with('-') => Err(unclear()),
        Value::Integer(size) => Ok(size.to_string().parse().unwrap_or(usize::MAX)),
        _ => Err(unclear()),
    };
    let shape = shape.iter().map(size).collect::<Result<Vec<usize>, _>>()?;
    let kind = match entry("descr")? {
        Value::String(descr) => Kind::of(descr)?,
        // Named fields.
        _ => return Err(Problem::Kind("an array of records".to_owned())),
    };
    Ok((kind, fortran_order, shape))
}

impl Kind {
    /// What a description such as `<f4` means.
    fn of(descr: &str) -> Result<Self, Problem> {
        let unclear = || Problem::Kind(format!("of the type {descr}"));
        let mut letters = descr.chars();
        let order = letters.next().ok_or_else(unclear)?;
        let letter = letters.next().ok_or_else(unclear)?;
        if letter == 'O' {
            return Err(Problem::Kind("object".to_owned()));
        }
        // Times have their unit behind the size.
        let size = letters.as_str().split('[').next().unwrap_or_default();
        let size: usize = size.parse().map_err(|_| unclear())?;
        let size = match letter {
            'U' => size.checked_mul(4).ok_or_else(unclear)?,
            _ => size,
        };
        let kind = Kind {
            letter,
            size,
            big_endian: order == '>',
        };
        let is_read = match letter {
            'b' => size == 1,
            'i' | 'u' => [1, 2, 4, 8].contains(&size),
            'f' => [2, 4, 8].contains(&size),
            // Texts of no letters have no bytes to be counted by.
            'U' | 'S' => size > 0,
            _ => false,
        };
        match is_read {
            true => Ok(kind),
            false => Err(Problem::Kind(kind.name())),
        }
    }

    /// What NumPy calls it.
    fn name(&self) -> String {
        let bits = 8 * self.size as u128;
        match self.letter {
            'b' => "bool".to_owned(),
            'i' => format!("int{bits}"),
            'u' => format!("uint{bits}"),
            'f' => format!("float{bits}"),
            'c' => format!("complex{bits}"),
            'M' => "datetime64".to_owned(),
            'm' => "timedelta64".to_owned(),
            'U' => "text (str)".to_owned(),
            'S' => "text (bytes)".to_owned(),
            'V' => "void".to_owned(),
            letter => format!("of the type {letter}{}", self.size),
        }
    }

    /// The most bytes that an item takes, in the file or in memory.
    fn memory(&self) -> usize {
        match self.letter {
            'b' => 1,
            'u' if self.size == 1 => 1,
            'U' | 'S' => self.size + size_of::<String>(),
            _ => 8,
        }
    }

    /// The items that are in `bytes`.
    fn decode(&self, bytes: Vec<u8>) -> Items {
        let big = self.big_endian;
        match (self.letter, self.size) {
            ('b', _) => Items::Bits(bytes.into_iter().map(|byte| (byte != 0).into()).collect()),
            ('u', 1) => Items::Bytes(bytes),
            ('u', 2) => Items::Whole(each(&bytes, big, |b| u16::from_le_bytes(b).into())),
            ('u', 4) => Items::Whole(each(&bytes, big, |b| u32::from_le_bytes(b).into())),
            ('u', _) => Items::Whole(each(&bytes, big, |b| {
                u64::from_le_bytes(b).try_into().unwrap_or(i64::MAX)
            })),
            ('i', 1) => Items::Whole(each(&bytes, big, |b| i8::from_le_bytes(b).into())),
            ('i', 2) => Items::Whole(each(&bytes, big, |b| i16::from_le_bytes(b).into())),
            ('i', 4) => Items::Whole(each(&bytes, big, |b| i32::from_le_bytes(b).into())),
            ('i', _) => Items::Whole(each(&bytes, big, i64::from_le_bytes)),
            ('f', 2) => Items::Floats(each(&bytes, big, |b| half(u16::from_le_bytes(b)))),
            ('f', 4) => Items::Floats(each(&bytes, big, |b| f32::from_le_bytes(b).into())),
            ('f', _) => Items::Floats(each(&bytes, big, f64::from_le_bytes)),
            ('U', size) => {
                let items = bytes.chunks_exact(size);
                let text = |item| text_of(&each(item, big, u32::from_le_bytes));
                Items::Texts(items.map(text).collect())
            }
            (_, size) => {
                let text = |item: &[u8]| {
                    let end = item.iter().rposition(|&byte| byte != 0);
                    let item = &item[..end.map_or(0, |at| at + 1)];
                    String::from_utf8_lossy(item).into_owned()
                };
                Items::Texts(bytes.chunks_exact(size).map(text).collect())
            }
        }
    }
}

/// The letters with these numbers, without the zeros that fill up the end.
fn text_of(letters: &[u32]) -> String {
    let end = letters.iter().rposition(|&letter| letter != 0);
    let letters = &letters[..end.map_or(0, |at| at + 1)];
    let letter = |&letter: &u32| char::from_u32(letter).unwrap_or(char::REPLACEMENT_CHARACTER);
    letters.iter().map(letter).collect()
}

/// The value of every `SIZE` bytes, which `value` is given in little-endian order.
fn each<const SIZE: usize, T>(
    bytes: &[u8],
    big_endian: bool,
    value: impl Fn([u8; SIZE]) -> T,
) -> Vec<T> {
    let chunks = bytes.chunks_exact(SIZE).map(|chunk| {
        let mut bytes: [u8; SIZE] = chunk.try_into().expect("chunks are of this size");
        if big_endian {
            bytes.reverse();
        }
        value(bytes)
    });
    chunks.collect()
}

impl Items {
    /// From items the first index of which counts fastest to such of which the last does.
    fn transposed(self, shape: &[usize]) -> Items {
        fn of<T: Clone>(items: Vec<T>, shape: &[usize]) -> Vec<T> {
            let array = ArrayD::from_shape_vec(IxDyn(shape).f(), items);
            let array = array.expect("there are as many items as the shape says");
            array.iter().cloned().collect()
        }
        match self {
            Items::Bits(items) => Items::Bits(of(items, shape)),
            Items::Bytes(items) => Items::Bytes(of(items, shape)),
            Items::Whole(items) => Items::Whole(of(items, shape)),
            Items::Floats(items) => Items::Floats(of(items, shape)),
            Items::Texts(items) => Items::Texts(of(items, shape)),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The bytes of an array as NumPy writes it.
    pub fn npy(descr: &str, fortran_order: bool, shape: &str, items: &[u8]) -> Vec<u8> {
        let fortran_order = if fortran_order { "True" } else { "False" };
        let header =
            format!("{{'descr': '{descr}', 'fortran_order': {fortran_order}, 'shape': {shape}, }}");
        let header = format!("{header:<117}\n");
        let length = (header.len() as u16).to_le_bytes();
        [b"\x93NUMPY\x01\0", &length[..], header.as_bytes(), items].concat()
    }

    fn items(descr: &str, bytes: &[u8]) -> (String, Items) {
        let array = read(&npy(descr, false, "(2,)", bytes)[..]).unwrap();
        assert_eq!(array.shape, [2]);
        (array.kind, array.items)
    }

    #[test]
    fn numbers_of_every_kind_are_read_in_either_byte_order() {
        let whole = |one, two| Items::Whole(vec![one, two]);
        let floats = |one, two| Items::Floats(vec![one, two]);
        for (descr, bytes, kind, expected) in [
            ("|b1", &[0, 1][..], "bool", Items::Bits(vec![0, 1])),
            ("|u1", &[0, 255], "uint8", Items::Bytes(vec![0, 255])),
            ("|i1", &[1, 255], "int8", whole(1, -1)),
            ("<i2", &[1, 2, 255, 255], "int16", whole(513, -1)),
            (">i2", &[1, 2, 255, 255], "int16", whole(258, -1)),
            ("<u2", &[1, 2, 255, 255], "uint16", whole(513, 65535)),
            (
                ">i4",
                &[0, 0, 0, 7, 255, 255, 255, 255],
                "int32",
                whole(7, -1),
            ),
            (
                "<u4",
                &[7, 0, 0, 0, 255, 255, 255, 255],
                "uint32",
                whole(7, 4_294_967_295),
            ),
            (
                "<f2",
                &[0x00, 0x3c, 0x00, 0xc0],
                "float16",
                floats(1.0, -2.0),
            ),
            (
                ">f4",
                &[0x3f, 0x80, 0, 0, 0x40, 0, 0, 0],
                "float32",
                floats(1.0, 2.0),
            ),
            (
                "|S2",
                b"ab\x7a\0",
                "text (bytes)",
                Items::Texts(vec!["ab".into(), "z".into()]),
            ),
            (
                "<U1",
                &[0xe9, 0, 0, 0, 0, 0, 0, 0],
                "text (str)",
                Items::Texts(vec!["é".into(), "".into()]),
            ),
        ] {
            assert_eq!(items(descr, bytes), (kind.to_owned(), expected), "{descr}");
        }
        let wide = [3i64.to_le_bytes(), (-3i64).to_le_bytes()].concat();
        assert_eq!(items("<i8", &wide).1, whole(3, -3));
        assert_eq!(items("<u8", &wide).1, whole(3, i64::MAX));
        let wide = [0.5f64.to_be_bytes(), f64::INFINITY.to_be_bytes()].concat();
        assert_eq!(items(">f8", &wide).1, floats(0.5, f64::INFINITY));
    }

    #[test]
    fn the_first_index_may_count_fastest() {
        let array = read(&npy("|u1", true, "(2, 3)", &[1, 4, 2, 5, 3, 6])[..]).unwrap();
        assert_eq!(array.shape, [2, 3]);
        assert_eq!(array.items, Items::Bytes(vec![1, 2, 3, 4, 5, 6]));
        let array = read(&npy("|u1", true, "(1, 2, 2, 1)", &[1, 3, 2, 4])[..]).unwrap();
        assert_eq!(array.items, Items::Bytes(vec![1, 2, 3, 4]));
    }

    #[test]
    fn what_is_not_read_has_a_name() {
        for (descr, kind) in [
            ("|O", "object"),
            ("<c8", "complex64"),
            ("<f16", "float128"),
            ("<M8[ns]", "datetime64"),
            ("|V4", "void"),
            ("<U0", "text (str)"),
        ] {
            let problem = read(&npy(descr, false, "(2,)", &[])[..]).unwrap_err();
            assert_eq!(problem, Problem::Kind(kind.to_owned()));
        }
        let records = "', 'fortran_order': False, 'shape': (2,), 'descr': [('a', '<i4')], 'x': '";
        let problem = read(&npy(records, false, "(2,)", &[])[..]).unwrap_err();
        assert!(
            matches!(problem, Problem::Damaged(_) | Problem::Kind(_)),
            "{problem:?}"
        );
    }

    #[test]
    fn a_header_that_announces_too_much_is_refused_before_memory_is_asked_for() {
        for shape in [
            "(1000000000000, 28, 28)",
            "(18446744073709551615, 18446744073709551615)",
            "(99999999999999999999999999999999999999999999, 1)",
        ] {
            let problem = read(&npy("|u1", false, shape, &[])[..]).unwrap_err();
            assert!(matches!(problem, Problem::TooLarge(_)), "{problem:?}");
        }
        // As many as fit, which are not there: what is asked for grows with what is.
        let problem = read(&npy("|u1", false, "(4294967296,)", &[1, 2, 3])[..]).unwrap_err();
        assert!(matches!(problem, Problem::Damaged(_)), "{problem:?}");
        let huge = npy("<U4611686018427387904", false, "(1,)", &[]);
        assert!(read(&huge[..]).is_err());
        let deep = npy("|u1", false, &"(".repeat(10_000), &[]);
        assert!(matches!(read(&deep[..]), Err(Problem::Damaged(_))));
    }

    proptest! {
        #[test]
        fn any_header_is_read_or_refused(
            descr in "[<>|=]?[a-zA-Z]?[0-9]{0,3}",
            shape in "[(]?[0-9, ()-]{0,9}[)]?",
            fortran_order: bool,
            items in prop::collection::vec(any::<u8>(), 0..16),
        ) {
            let _ = read(&npy(&descr, fortran_order, &shape, &items)[..]);
        }

        #[test]
        fn a_damaged_array_is_read_or_refused(at in 0..138usize, flip in 1..=255u8, length in 0..138usize) {
            let mut bytes = npy("<i2", true, "(2, 2)", &[1, 0, 2, 0, 3, 0, 4, 0]);
            let _ = read(&bytes[..length.min(bytes.len())]);
            let at = at % bytes.len();
            bytes[at] ^= flip;
            let _ = read(&bytes[..]);
        }
    }
}
