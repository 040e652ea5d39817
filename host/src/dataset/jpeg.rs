//! How a JPEG file is laid out: what is in its headers that its decoder does not tell, and where it ends.

use super::exif;

/// The layout of a JPEG file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Layout<'a> {
    /// The EXIF data.
    pub exif: Option<&'a [u8]>,
    /// The marker of the frame, which tells how it is coded, and the bits a colour.
    pub frame: Option<(u8, u8)>,
    /// Rows and columns.
    pub size: Option<(usize, usize)>,
    /// The bytes up to the end of the picture, and with it: what may follow, such as the video of a motion photo or a
    /// second picture, is none of it. `None` where it has no end.
    pub picture: Option<&'a [u8]>,
}

const END_OF_PICTURE: u8 = 0xd9;
const EXIF: u8 = 0xe1;

impl<'a> Layout<'a> {
    /// Goes through the file from marker to marker.
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        let mut layout = Layout::default();
        let mut at = 0;
        // Between markers lie the bits of the pixels, in which a byte ff is followed by 00.
        while let Some(skipped) = bytes[at..].iter().position(|&byte| byte == 0xff) {
            at += skipped + 1;
            match bytes.get(at) {
                // Any number of bytes ff may come before a marker.
                Some(0xff) => continue,
                // What is no marker, and markers without anything to them: restarts, and the start of the picture.
                Some(0x00 | 0x01 | 0xd0..=0xd8) => at += 1,
                Some(&END_OF_PICTURE) => {
                    layout.picture = Some(&bytes[..=at]);
                    break;
                }
                Some(&marker) => {
                    let Some(segment) = segment(bytes, at + 1) else {
                        break;
                    };
                    layout.see(marker, segment);
                    at += 3 + segment.len();
                }
                None => break,
            }
        }
        layout
    }

    fn see(&mut self, marker: u8, segment: &'a [u8]) {
        match marker {
            EXIF if self.exif.is_none() => self.exif = segment.strip_prefix(exif::PREFIX),
            // All frames; between them are the Huffman tables, an extension and the arithmetic coder's conditions.
            0xc0..=0xcf if ![0xc4, 0xc8, 0xcc].contains(&marker) => {
                self.frame = segment.first().map(|&precision| (marker, precision));
                let word = |at: usize| {
                    let word = segment.get(at..at + 2)?.try_into().ok()?;
                    Some(usize::from(u16::from_be_bytes(word)))
                };
                self.size = word(1).zip(word(3));
            }
            _ => (),
        }
    }

    /// What kind of JPEG it is, where it is one that is hardly ever seen and not read.
    pub(super) fn rare_kind(&self) -> Option<&'static str> {
        match self.frame? {
            (0xc0..=0xc2, 8) => None,
            (0xc0..=0xc2, 12) => Some("a JPEG of 12 bits a colour"),
            (0xc3 | 0xc7 | 0xcb | 0xcf, _) => Some("a lossless JPEG"),
            (0xc5 | 0xc6 | 0xcd | 0xce, _) => Some("a hierarchical JPEG"),
            (0xc9 | 0xca, _) => Some("a JPEG with arithmetic coding"),
            _ => None,
        }
    }
}

/// What is in the segment whose length is at `at`.
fn segment(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let length = bytes.get(at..at + 2)?;
    let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
    bytes
        .get(at + 2..at + length.max(2))
        .filter(|_| length >= 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A picture with EXIF data, a frame, and a scan with ff 00 and a restart in it.
    const PICTURE: &[u8] = b"\xff\xd8\xff\xe1\0\x0bExif\0\0abc\xff\xff\xc2\0\x07\x08\0\x05\x01\0\xff\xda\0\x03x\x12\xff\0\x34\xff\xd0\x56\xff\xd9";

    #[test]
    fn a_picture_ends_where_its_first_end_is_and_what_follows_is_none_of_it() {
        let video = b"a video: \xff\xda and \xff\xd9 and \xff\xda";
        let file = [PICTURE, video].concat();
        for file in [PICTURE, &file] {
            let layout = Layout::of(file);
            assert_eq!(layout.picture, Some(PICTURE));
            assert_eq!(layout.exif, Some(&b"abc"[..]));
            assert_eq!(layout.frame, Some((0xc2, 8)));
            assert_eq!(layout.size, Some((5, 256)));
            assert_eq!(layout.rare_kind(), None);
        }
        for length in 0..PICTURE.len() {
            assert_eq!(Layout::of(&PICTURE[..length]).picture, None);
        }
    }

    #[test]
    fn a_picture_within_a_segment_is_no_end() {
        let inner = [b"\xff\xe2\0\x06", &b"\xff\xd8\xff\xd9"[..]].concat();
        let file = [&PICTURE[..2], &inner, &PICTURE[2..]].concat();
        assert_eq!(Layout::of(&file).picture, Some(&file[..]));
    }

    #[test]
    fn kinds_that_are_not_read_have_names() {
        let kind = |marker, precision| {
            let frame = [0xff, marker, 0, 3, precision];
            Layout::of(&frame).rare_kind()
        };
        assert_eq!(kind(0xc0, 8), None);
        assert_eq!(kind(0xc1, 12), Some("a JPEG of 12 bits a colour"));
        assert_eq!(kind(0xc3, 8), Some("a lossless JPEG"));
        assert_eq!(kind(0xc9, 8), Some("a JPEG with arithmetic coding"));
        assert_eq!(kind(0xc4, 8), None);
    }

    proptest! {
        #[test]
        fn any_bytes_have_a_layout(bytes in prop::collection::vec(
            prop::sample::select(vec![0xffu8, 0xd8, 0xd9, 0xda, 0xe1, 0xc0, 0, 1, 2, 3, 0x45]), 0..64)
        ) {
            let layout = Layout::of(&bytes);
            if let Some(picture) = layout.picture {
                prop_assert!(picture.ends_with(b"\xff\xd9"));
            }
        }
    }
}
