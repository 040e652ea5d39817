//! Which way up a picture is: the orientation in its EXIF data, as cameras write it.

/// How the stored pixels have to be turned or mirrored, by the number that EXIF gives it (1 to 8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Orientation(u8);

/// The tag of the orientation in a directory.
const ORIENTATION: u16 = 0x0112;
/// What some writers put before the data, though it belongs to JPEG alone.
pub(super) const PREFIX: &[u8] = b"Exif\0\0";

impl Orientation {
    /// The pixels as they are stored.
    pub(super) const AS_STORED: Orientation = Orientation(1);

    /// What EXIF data say: a TIFF header, then directories. Data without an orientation, or with one that does
    /// not exist, leave a picture as it is stored; so do damaged data, as other readers have it.
    pub(super) fn of(exif: &[u8]) -> Self {
        let exif = exif.strip_prefix(PREFIX).unwrap_or(exif);
        Self::parse(exif).unwrap_or(Self::AS_STORED)
    }

    fn parse(exif: &[u8]) -> Option<Self> {
        let big_endian = match exif.get(..4)? {
            b"MM\0*" => true,
            b"II*\0" => false,
            _ => return None,
        };
        let half = |at: usize| -> Option<u16> {
            let bytes = exif.get(at..at.checked_add(2)?)?.try_into().ok()?;
            Some(match big_endian {
                true => u16::from_be_bytes(bytes),
                false => u16::from_le_bytes(bytes),
            })
        };
        let word = |at: usize| -> Option<u32> {
            let bytes = exif.get(at..at.checked_add(4)?)?.try_into().ok()?;
            Some(match big_endian {
                true => u32::from_be_bytes(bytes),
                false => u32::from_le_bytes(bytes),
            })
        };
        let directory = word(4)? as usize;
        let entries = usize::from(half(directory)?);
        (0..entries).find_map(|index| {
            let entry = directory.checked_add(2 + 12 * index)?;
            if half(entry)? != ORIENTATION {
                return None;
            }
            // The standard says a 16-bit number; the others are seen too.
            let value = match half(entry + 2)? {
                1 => u32::from(*exif.get(entry + 8)?),
                3 => u32::from(half(entry + 8)?),
                4 => word(entry + 8)?,
                _ => return None,
            };
            let value = u8::try_from(value).ok()?;
            (1..=8).contains(&value).then_some(Orientation(value))
        })
    }

    /// Rows and columns of the upright picture, of those that are stored.
    pub(super) fn size(self, (rows, columns): (usize, usize)) -> (usize, usize) {
        match self.0 {
            5..=8 => (columns, rows),
            _ => (rows, columns),
        }
    }

    /// The pixels of the upright picture, row by row, of those that are stored in `rows` and `columns`.
    pub(super) fn upright(self, pixels: Vec<u8>, (rows, columns): (usize, usize)) -> Vec<u8> {
        if self == Self::AS_STORED {
            return pixels;
        }
        let (last_row, last_column) = (rows.saturating_sub(1), columns.saturating_sub(1));
        let (upright_rows, upright_columns) = self.size((rows, columns));
        let mut upright = Vec::with_capacity(pixels.len());
        for r in 0..upright_rows {
            for c in 0..upright_columns {
                let (row, column) = match self.0 {
                    2 => (r, last_column - c),
                    3 => (last_row - r, last_column - c),
                    4 => (last_row - r, c),
                    5 => (c, r),
                    6 => (last_row - c, r),
                    7 => (last_row - c, last_column - r),
                    8 => (c, last_column - r),
                    _ => (r, c),
                };
                upright.push(pixels[row * columns + column]);
            }
        }
        upright
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// EXIF data with one entry before the orientation, whose type is `kind`.
    fn exif(big_endian: bool, kind: u16, value: u32) -> Vec<u8> {
        let half = |n: u16| match big_endian {
            true => n.to_be_bytes(),
            false => n.to_le_bytes(),
        };
        let word = |n: u32| match big_endian {
            true => n.to_be_bytes(),
            false => n.to_le_bytes(),
        };
        let mut bytes = match big_endian {
            true => b"MM\0*".to_vec(),
            false => b"II*\0".to_vec(),
        };
        bytes.extend(word(10));
        bytes.extend([0, 0]);
        bytes.extend(half(2));
        bytes.extend([half(0x010f), half(2)].concat());
        bytes.extend([word(4), word(0)].concat());
        bytes.extend([half(ORIENTATION), half(kind)].concat());
        bytes.extend(word(1));
        match kind {
            1 => bytes.extend([value as u8, 0, 0, 0]),
            3 => bytes.extend([half(value as u16), half(0)].concat()),
            _ => bytes.extend(word(value)),
        }
        bytes
    }

    #[test]
    fn the_orientation_is_found_in_either_byte_order() {
        for big_endian in [false, true] {
            for kind in [1, 3, 4] {
                for value in 1..=8 {
                    let bytes = exif(big_endian, kind, value);
                    assert_eq!(Orientation::of(&bytes), Orientation(value as u8));
                    let prefixed = [PREFIX, &bytes].concat();
                    assert_eq!(Orientation::of(&prefixed), Orientation(value as u8));
                }
                for value in [0, 9, 255] {
                    let bytes = exif(big_endian, kind, value);
                    assert_eq!(Orientation::of(&bytes), Orientation::AS_STORED);
                }
            }
        }
        assert_eq!(Orientation::of(b""), Orientation::AS_STORED);
    }

    /// Letters as the pixels: two rows of three, and what EXIF says that is seen of them.
    #[test]
    fn pixels_are_turned_and_mirrored_as_exif_has_it() {
        for (value, upright) in [
            (1, ["abc", "def"].concat()),
            (2, ["cba", "fed"].concat()),
            (3, ["fed", "cba"].concat()),
            (4, ["def", "abc"].concat()),
            (5, ["ad", "be", "cf"].concat()),
            (6, ["da", "eb", "fc"].concat()),
            (7, ["fc", "eb", "da"].concat()),
            (8, ["cf", "be", "ad"].concat()),
        ] {
            let orientation = Orientation(value);
            let seen = orientation.upright(b"abcdef".to_vec(), (2, 3));
            assert_eq!(
                String::from_utf8(seen).unwrap(),
                upright,
                "orientation {value}"
            );
            let size = if value < 5 { (2, 3) } else { (3, 2) };
            assert_eq!(orientation.size((2, 3)), size);
        }
    }

    proptest! {
        #[test]
        fn no_exif_data_are_too_bad_to_be_looked_at(
            order in prop::sample::select(vec![&b"MM\0*"[..], b"II*\0", b"", b"Exif\0\0II*\0"]),
            rest in prop::collection::vec(any::<u8>(), 0..64),
        ) {
            Orientation::of(&[order, &rest[..]].concat());
        }

        #[test]
        fn damaged_exif_data_are_looked_at(
            at in 0..34usize,
            flip in 1..=255u8,
            length in 0..34usize,
            big_endian: bool,
        ) {
            let mut bytes = exif(big_endian, 3, 6);
            bytes[at] ^= flip;
            Orientation::of(&bytes);
            Orientation::of(&bytes[..length]);
        }
    }
}
