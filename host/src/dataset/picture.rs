//! One picture file, JPEG or PNG: decoded, made grey and brought to a size.

use super::DatasetError;
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

/// The endings of the names of picture files, in small letters.
pub(super) const ENDINGS: [&str; 3] = ["jpg", "jpeg", "png"];

/// The most rows, and the most columns, of a picture that is read.
const MAX_SIDE: usize = 16_384;
/// The most pixels; with three colours that is 200 MB.
const MAX_PIXELS: usize = 1 << 26;

/// The most bytes of a file: what so many pixels take without compression, and more.
const MAX_BYTES: u64 = 1 << 30;

const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// A picture without colours: bytes, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Grey {
    pub rows: usize,
    pub columns: usize,
    pub pixels: Vec<u8>,
}

/// What a decoder gives: so many bytes a pixel.
struct Decoded {
    rows: usize,
    columns: usize,
    channels: usize,
    bytes: Vec<u8>,
}

/// Rows and columns of the picture at `path`, from its header.
pub(super) fn size(path: &Path) -> Result<(usize, usize), DatasetError> {
    let bytes = bytes_of(path)?;
    match bytes.starts_with(PNG_SIGNATURE) {
        true => {
            let reader = png_decoder(&bytes).read_info();
            png_size(path, reader.map_err(|e| damaged(path, e))?.info())
        }
        false => jpeg_size(path, &mut jpeg_decoder(&bytes)),
    }
}

/// The picture at `path`, grey.
pub(super) fn read(path: &Path) -> Result<Grey, DatasetError> {
    let bytes = bytes_of(path)?;
    let decoded = match bytes.starts_with(PNG_SIGNATURE) {
        true => read_png(path, &bytes)?,
        false => read_jpeg(path, &bytes)?,
    };
    match decoded.bytes.len() == decoded.rows * decoded.columns * decoded.channels {
        true => Ok(decoded.into_grey()),
        false => Err(damaged(path, "it has other pixels than its header says")),
    }
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, DatasetError> {
    let file = File::open(path).map_err(|e| DatasetError::read(path, e))?;
    let mut bytes = Vec::new();
    (file.take(MAX_BYTES + 1).read_to_end(&mut bytes)).map_err(|e| DatasetError::read(path, e))?;
    match bytes.len() as u64 > MAX_BYTES {
        true => Err(damaged(path, "no picture takes so many bytes")),
        false => Ok(bytes),
    }
}

fn read_png(path: &Path, bytes: &[u8]) -> Result<Decoded, DatasetError> {
    let mut reader = (png_decoder(bytes).read_info()).map_err(|e| damaged(path, e))?;
    let (rows, columns) = png_size(path, reader.info())?;
    let size = reader.output_buffer_size();
    let size = size.ok_or_else(|| too_large(path, rows, columns))?;
    let mut bytes = vec![0; size];
    let frame = reader.next_frame(&mut bytes);
    let frame = frame.map_err(|e| damaged(path, e))?;
    reader.finish().map_err(|e| damaged(path, e))?;
    bytes.truncate(frame.buffer_size());
    Ok(Decoded {
        rows,
        columns,
        channels: frame.color_type.samples(),
        bytes,
    })
}

/// Eight bits a colour, no palette.
fn png_decoder(bytes: &[u8]) -> png::Decoder<Cursor<&[u8]>> {
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    decoder
}

fn png_size(path: &Path, info: &png::Info) -> Result<(usize, usize), DatasetError> {
    check_size(path, info.height as usize, info.width as usize)
}

fn read_jpeg(path: &Path, bytes: &[u8]) -> Result<Decoded, DatasetError> {
    let mut decoder = jpeg_decoder(bytes);
    let (rows, columns) = jpeg_size(path, &mut decoder)?;
    let pixels = decoder.decode().map_err(|e| damaged(path, e))?;
    if !has_end(bytes) {
        return Err(damaged(path, "it has no end"));
    }
    let colours = decoder.output_colorspace();
    Ok(Decoded {
        rows,
        columns,
        channels: colours.map_or(0, |colours| colours.num_components()),
        bytes: pixels,
    })
}

/// No special instructions, so that every machine gives the same bytes; and no guessing of what is missing.
fn jpeg_decoder(bytes: &[u8]) -> JpegDecoder<ZCursor<&[u8]>> {
    let options = DecoderOptions::default()
        .set_max_width(MAX_SIDE)
        .set_max_height(MAX_SIDE)
        .set_use_unsafe(false)
        .set_strict_mode(true)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    JpegDecoder::new_with_options(ZCursor::new(bytes), options)
}

fn jpeg_size(
    path: &Path,
    decoder: &mut JpegDecoder<ZCursor<&[u8]>>,
) -> Result<(usize, usize), DatasetError> {
    decoder.decode_headers().map_err(|e| damaged(path, e))?;
    let info = decoder.info();
    let info = info.ok_or_else(|| damaged(path, "it has no header"))?;
    check_size(path, info.height.into(), info.width.into())
}

/// Whether an end of image follows the last start of a scan. The decoder does without: what a cut has taken
/// from the last rows it makes up.
fn has_end(bytes: &[u8]) -> bool {
    let last = |marker: u8| bytes.windows(2).rposition(|pair| pair == [0xff, marker]);
    let (start_of_scan, end_of_image) = (last(0xda), last(0xd9));
    end_of_image > start_of_scan
}

fn check_size(path: &Path, rows: usize, columns: usize) -> Result<(usize, usize), DatasetError> {
    match rows * columns <= MAX_PIXELS {
        true => Ok((rows, columns)),
        false => Err(too_large(path, rows, columns)),
    }
}

fn damaged(path: &Path, reason: impl ToString) -> DatasetError {
    DatasetError::Damaged {
        path: path.to_owned(),
        reason: reason.to_string(),
    }
}

fn too_large(path: &Path, rows: usize, columns: usize) -> DatasetError {
    DatasetError::PictureTooLarge {
        path: path.to_owned(),
        rows,
        columns,
    }
}

impl Decoded {
    /// The luma of Rec. 601. Where a pixel is transparent, white shines through.
    fn into_grey(self) -> Grey {
        let luma = |pixel: &[u8]| {
            let [red, green, blue] = [pixel[0], pixel[1], pixel[2]].map(u32::from);
            (299 * red + 587 * green + 114 * blue + 500) / 1000
        };
        let over_white = |grey: u32, alpha: u8| {
            let alpha = u32::from(alpha);
            (grey * alpha + 255 * (255 - alpha) + 127) / 255
        };
        let pixels = self.bytes.chunks_exact(self.channels.max(1));
        let pixels = match self.channels {
            2 => pixels
                .map(|p| over_white(p[0].into(), p[1]) as u8)
                .collect(),
            3 => pixels.map(|p| luma(p) as u8).collect(),
            4 => pixels.map(|p| over_white(luma(p), p[3]) as u8).collect(),
            _ => self.bytes,
        };
        Grey {
            rows: self.rows,
            columns: self.columns,
            pixels,
        }
    }
}

impl Grey {
    /// The picture stretched to this size: each new pixel is the mean of the area that it covers, rounded.
    ///
    /// Whole numbers throughout, so that every machine gives the same bytes.
    pub(super) fn scaled(&self, rows: usize, columns: usize) -> Grey {
        let down = shares(self.rows, rows);
        let across = shares(self.columns, columns);
        let area = (self.rows * self.columns) as u64;
        let mut pixels = Vec::with_capacity(rows * columns);
        let mut line = vec![0u64; self.columns];
        for row in &down {
            line.fill(0);
            for &(from, share) in row {
                let from = &self.pixels[from * self.columns..][..self.columns];
                for (sum, &pixel) in line.iter_mut().zip(from) {
                    *sum += share * u64::from(pixel);
                }
            }
            for column in &across {
                let sum: u64 = column.iter().map(|&(from, share)| share * line[from]).sum();
                pixels.push(((sum + area / 2) / area) as u8);
            }
        }
        Grey {
            rows,
            columns,
            pixels,
        }
    }
}

/// For each of `new` equal parts of a line of `old` pixels: which pixels lie in it, and how much of each, in
/// parts of `new` to the pixel. The shares of a part add up to `old`.
fn shares(old: usize, new: usize) -> Vec<Vec<(usize, u64)>> {
    (0..new)
        .map(|part| {
            let (start, end) = (part * old, (part + 1) * old);
            (start / new..end.div_ceil(new))
                .map(|pixel| {
                    let overlap = end.min((pixel + 1) * new) - start.max(pixel * new);
                    (pixel, overlap as u64)
                })
                .collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use png::{BitDepth, ColorType};
    use std::fs;
    use std::path::PathBuf;

    fn fixture(name: &str) -> PathBuf {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/pictures");
        tests.join(name)
    }

    /// A PNG file of one pixel, or of what `bytes` is enough for.
    fn png(kind: ColorType, depth: BitDepth, columns: u32, rows: u32, bytes: &[u8]) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, columns, rows);
        encoder.set_color(kind);
        encoder.set_depth(depth);
        if kind == ColorType::Indexed {
            encoder.set_palette(vec![0, 0, 0, 120, 20, 20]);
        }
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(bytes).unwrap();
        writer.finish().unwrap();
        file
    }

    fn read_bytes(bytes: &[u8]) -> Result<Grey, DatasetError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("picture");
        fs::write(&path, bytes).unwrap();
        let picture = read(&path);
        if let Ok(picture) = &picture {
            assert_eq!(size(&path).unwrap(), (picture.rows, picture.columns));
        }
        picture
    }

    #[test]
    fn jpeg_files_become_grey() {
        for name in ["colours.jpg", "grey.jpg", "progressive.jpg"] {
            let picture = read(&fixture(name)).unwrap();
            assert_eq!((picture.rows, picture.columns), (24, 32));
            assert_eq!(picture.pixels.len(), 24 * 32);
            for row in picture.pixels.chunks(32) {
                assert!(row[4].abs_diff(50) <= 2, "{name}: {row:?}");
                assert!(row[28].abs_diff(180) <= 2, "{name}: {row:?}");
            }
        }
    }

    #[test]
    fn png_files_of_every_kind_become_grey() {
        use BitDepth::{Eight, One, Sixteen};
        use ColorType::{Grayscale, GrayscaleAlpha, Indexed, Rgb, Rgba};
        for (kind, depth, bytes, grey) in [
            (Grayscale, Eight, &[77][..], 77),
            (Grayscale, One, &[0x80], 255),
            (Grayscale, Sixteen, &[77, 200], 77),
            (Rgb, Eight, &[120, 20, 20], 50),
            (Rgb, Sixteen, &[120, 0, 20, 0, 20, 0], 50),
            (Indexed, Eight, &[1], 50),
            // White shines through.
            (Rgba, Eight, &[120, 20, 20, 255], 50),
            (Rgba, Eight, &[120, 20, 20, 0], 255),
            (GrayscaleAlpha, Eight, &[55, 51], 215),
        ] {
            let picture = read_bytes(&png(kind, depth, 1, 1, bytes)).unwrap();
            assert_eq!(picture.pixels, [grey], "{kind:?} {depth:?}");
        }
    }

    #[test]
    fn a_file_cut_anywhere_is_damaged() {
        let mut files: Vec<Vec<u8>> = ["colours.jpg", "grey.jpg", "progressive.jpg"]
            .map(|name| fs::read(fixture(name)).unwrap())
            .to_vec();
        let pixels: Vec<u8> = (0..=255).collect();
        files.push(png(ColorType::Grayscale, BitDepth::Eight, 16, 16, &pixels));
        for (index, file) in files.iter().enumerate() {
            read_bytes(file).unwrap();
            for length in 0..file.len() {
                let error = read_bytes(&file[..length]).err();
                let named = matches!(error, Some(DatasetError::Damaged { .. }));
                assert!(named, "file {index}, {length} of {}: {error:?}", file.len());
            }
        }
    }

    #[test]
    fn a_file_with_any_byte_altered_is_read_or_refused() {
        let png = png(ColorType::Rgb, BitDepth::Eight, 4, 4, &[99; 48]);
        for mut file in [
            fs::read(fixture("colours.jpg")).unwrap(),
            fs::read(fixture("progressive.jpg")).unwrap(),
            png,
        ] {
            for place in 0..file.len() {
                let flip = [0x01, 0x80, 0xff][place % 3];
                file[place] ^= flip;
                // What matters is that it comes back.
                let _ = read_bytes(&file);
                file[place] ^= flip;
            }
        }
    }

    #[test]
    fn what_is_no_picture_or_too_large_a_one_is_named() {
        let error = read_bytes(b"GIF89a, and more").unwrap_err();
        assert!(matches!(error, DatasetError::Damaged { .. }), "{error}");
        // The header of a PNG: eight bytes of signature, length and name; columns and rows; five bytes; its sum.
        let mut huge = png(ColorType::Grayscale, BitDepth::Eight, 1, 1, &[0]);
        huge[16..20].copy_from_slice(&100_000u32.to_be_bytes());
        huge[20..24].copy_from_slice(&100_000u32.to_be_bytes());
        let sum = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&huge[12..29]);
        huge[29..33].copy_from_slice(&sum.to_be_bytes());
        let error = read_bytes(&huge).unwrap_err();
        let named = matches!(error, DatasetError::PictureTooLarge { rows: 100_000, .. });
        assert!(named, "{error}");
    }

    fn grey(rows: usize, columns: usize, pixels: &[u8]) -> Grey {
        Grey {
            rows,
            columns,
            pixels: pixels.to_vec(),
        }
    }

    #[test]
    fn scaling_takes_the_mean_of_the_area_of_each_pixel() {
        let picture = grey(2, 4, &[0, 10, 20, 31, 40, 50, 60, 70]);
        assert_eq!(picture.scaled(2, 4), picture);
        assert_eq!(picture.scaled(1, 2), grey(1, 2, &[25, 45]));
        // Three pixels on two: the middle one is shared.
        assert_eq!(grey(1, 3, &[0, 90, 30]).scaled(1, 2), grey(1, 2, &[30, 50]));
        assert_eq!(grey(3, 1, &[0, 90, 30]).scaled(2, 1), grey(2, 1, &[30, 50]));
        assert_eq!(grey(1, 2, &[6, 9]).scaled(1, 3), grey(1, 3, &[6, 8, 9]));
        assert_eq!(grey(7, 5, &[255; 35]).scaled(3, 2), grey(3, 2, &[255; 6]));
    }
}
