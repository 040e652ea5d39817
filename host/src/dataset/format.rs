//! What a file is, by its first bytes, whatever its name says.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Jpeg,
    Png,
    /// Pictures of another format, by its name.
    OtherPicture(&'static str),
    /// Something else, by its name, as in "it is an HTML page".
    NoPicture(&'static str),
    /// Nothing.
    Empty,
}

/// What NumPy archives are, too.
pub(super) const ZIP: Format = Format::NoPicture("a ZIP archive");

/// As many bytes of a file as it takes to tell.
pub(super) const START: usize = 512;

/// The endings of the names of picture files that no loader reads, in small letters, and the names of their formats. It is
/// for files that their first bytes do not tell apart.
const OTHER_ENDINGS: [(&str, &str); 28] = [
    ("bmp", "BMP"),
    ("dib", "BMP"),
    ("gif", "GIF"),
    ("webp", "WebP"),
    ("tif", "TIFF"),
    ("tiff", "TIFF"),
    ("heic", "HEIC"),
    ("heif", "HEIC"),
    ("avif", "AVIF"),
    ("jxl", "JPEG XL"),
    ("jp2", "JPEG 2000"),
    ("j2k", "JPEG 2000"),
    ("svg", "SVG"),
    ("ico", "ICO"),
    ("psd", "PSD"),
    ("tga", "TGA"),
    ("pbm", "PNM"),
    ("pgm", "PNM"),
    ("ppm", "PNM"),
    ("pnm", "PNM"),
    ("qoi", "QOI"),
    ("exr", "OpenEXR"),
    ("dds", "DDS"),
    ("dng", "camera raw"),
    ("cr2", "camera raw"),
    ("cr3", "camera raw"),
    ("nef", "camera raw"),
    ("arw", "camera raw"),
];

impl Format {
    /// What begins with these bytes; `None` where they tell nothing.
    pub(super) fn of(start: &[u8]) -> Option<Format> {
        use Format::{Jpeg, NoPicture, OtherPicture, Png};
        let begins = |with: &[u8]| start.starts_with(with);
        let at = |place: usize, word: &[u8]| start.get(place..place + word.len()) == Some(word);
        let format = if start.is_empty() {
            Format::Empty
        } else if begins(b"\xff\xd8") {
            Jpeg
        } else if begins(b"\x89PNG\r\n\x1a\n") {
            Png
        } else if begins(b"GIF87a") || begins(b"GIF89a") {
            OtherPicture("GIF")
        } else if begins(b"RIFF") && at(8, b"WEBP") {
            OtherPicture("WebP")
        } else if begins(b"BM") && at(6, &[0; 4]) && at(15, &[0; 3]) {
            OtherPicture("BMP")
        } else if begins(b"II*\0") || begins(b"MM\0*") || begins(b"II+\0") || begins(b"MM\0+") {
            OtherPicture("TIFF")
        } else if at(4, b"ftyp") {
            match start.get(8..12) {
                Some(b"avif" | b"avis") => OtherPicture("AVIF"),
                Some(b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"mif1" | b"msf1") => {
                    OtherPicture("HEIC")
                }
                Some(b"crx ") => OtherPicture("camera raw"),
                _ => NoPicture("a video"),
            }
        } else if begins(b"\xff\x0a") || begins(b"\0\0\0\x0cJXL ") {
            OtherPicture("JPEG XL")
        } else if begins(b"\0\0\0\x0cjP  ") || begins(b"\xff\x4f\xff\x51") {
            OtherPicture("JPEG 2000")
        } else if begins(b"8BPS") {
            OtherPicture("PSD")
        } else if begins(b"qoif") {
            OtherPicture("QOI")
        } else if begins(b"\x76\x2f\x31\x01") {
            OtherPicture("OpenEXR")
        } else if begins(b"DDS ") {
            OtherPicture("DDS")
        } else if begins(b"\0\0\x01\0") && start.get(4).is_some_and(|&icons| icons > 0) {
            OtherPicture("ICO")
        } else if matches!(start, [b'P', b'1'..=b'7', white, ..] if white.is_ascii_whitespace()) {
            OtherPicture("PNM")
        } else if begins(b"\x1f\x8b") {
            NoPicture("a gzip file")
        } else if begins(b"PK\x03\x04") || begins(b"PK\x05\x06") {
            ZIP
        } else if begins(b"BZh") {
            NoPicture("a bzip2 file")
        } else if begins(b"\xfd7zXZ\0") {
            NoPicture("an xz file")
        } else if begins(b"\x28\xb5\x2f\xfd") {
            NoPicture("a zstd file")
        } else if begins(b"\x93NUMPY") {
            NoPicture("one NumPy array")
        } else if begins(b"\x89HDF\r\n\x1a\n") {
            NoPicture("an HDF5 file")
        } else if begins(b"%PDF") {
            NoPicture("a PDF file")
        } else if begins(b"version https://git-lfs") {
            NoPicture("a pointer of Git LFS and not the file itself")
        } else {
            return Self::of_text(start);
        };
        Some(format)
    }

    fn of_text(start: &[u8]) -> Option<Format> {
        let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
        let text = text.trim_ascii_start().to_ascii_lowercase();
        let has = |word: &[u8]| text.windows(word.len()).any(|part| part == word);
        if text.starts_with(b"<!doctype html") || text.starts_with(b"<html") {
            Some(Format::NoPicture("an HTML page"))
        } else if text.starts_with(b"<") && has(b"<svg") {
            Some(Format::OtherPicture("SVG"))
        } else {
            None
        }
    }

    /// What is in the file at `path`; `None` where its first bytes tell nothing.
    pub(super) fn of_file(path: &Path) -> io::Result<Option<Format>> {
        let mut start = Vec::with_capacity(START);
        File::open(path)?
            .take(START as u64)
            .read_to_end(&mut start)?;
        Ok(Format::of(&start))
    }

    /// The name of the format that an ending in small letters stands for, where no loader reads it.
    pub(super) fn of_other_ending(ending: &str) -> Option<&'static str> {
        let found = OTHER_ENDINGS.iter().find(|(known, _)| *known == ending);
        found.map(|&(_, name)| name)
    }

    /// Its name, as in "it is WebP" or "it is an HTML page".
    pub(super) fn name(self) -> &'static str {
        match self {
            Format::Jpeg => "JPEG",
            Format::Png => "PNG",
            Format::OtherPicture(name) | Format::NoPicture(name) => name,
            Format::Empty => "empty",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_first_bytes_tell_what_a_file_is() {
        for (start, name) in [
            (&b"\xff\xd8\xff\xe0"[..], "JPEG"),
            (b"\x89PNG\r\n\x1a\n\0\0", "PNG"),
            (b"GIF89a\x10\0", "GIF"),
            (b"RIFF\x10\0\0\0WEBPVP8 ", "WebP"),
            (b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", "BMP"),
            (b"MM\0*\0\0\0\x08", "TIFF"),
            (b"\0\0\0\x18ftypheic\0\0", "HEIC"),
            (b"\0\0\0\x18ftypmif1\0\0", "HEIC"),
            (b"\0\0\0\x1cftypavif\0\0", "AVIF"),
            (b"\0\0\0\x20ftypisom\0\0", "a video"),
            (b"\xff\x0a\xfa", "JPEG XL"),
            (b"P5\n8 8\n255\n", "PNM"),
            (b"\n<!DOCTYPE HTML>\n<html>", "an HTML page"),
            (b"<?xml version=\"1.0\"?>\n<svg xmlns=", "SVG"),
            (b"\x1f\x8b\x08\0", "a gzip file"),
            (
                b"version https://git-lfs.github.com/spec/v1\noid",
                "a pointer of Git LFS and not the file itself",
            ),
            (b"", "empty"),
        ] {
            let found = Format::of(start).map(Format::name);
            assert_eq!(found, Some(name), "{}", start.escape_ascii());
        }
        for start in [
            &b"BMW is a car"[..],
            b"<p>",
            b"Paint it",
            b"\0\0\0\0",
            b"no picture",
        ] {
            assert_eq!(Format::of(start), None, "{}", start.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_asked_about(start in prop::collection::vec(any::<u8>(), 0..32)) {
            Format::of(&start);
        }
    }
}
