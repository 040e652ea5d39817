//! One picture file, JPEG or PNG: decoded, turned upright, made grey and brought to a size.

use super::exif::Orientation;
use super::format::Format;
use super::jpeg::Layout;
use super::DatasetError;
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

/// The endings of the names of picture files, in small letters.
pub(super) const ENDINGS: [&str; 5] = ["jpg", "jpeg", "jpe", "jfif", "png"];

/// The most rows, and the most columns, of a picture that is read.
const MAX_SIDE: usize = 16_384;
/// The most pixels; with three colours that is 200 MB.
const MAX_PIXELS: usize = 1 << 26;

/// The most bytes of a file: what so many pixels take without compression, and more.
const MAX_BYTES: u64 = 1 << 30;

/// A thing on a transparent ground can be seen where it is at least so much brighter than black, once it is inverted or
/// not: in sixteen steps of time, that is earlier than the last two.
const VISIBLE: u8 = 32;

/// A picture without colours, upright: bytes, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub rows: usize,
    pub columns: usize,
    /// Its brightness on a black ground.
    light: Vec<u8>,
    /// How opaque it is; `None` where it is opaque all over.
    opacity: Option<Vec<u8>>,
}

/// What a decoder gives: so many bytes a pixel.
struct Decoded {
    rows: usize,
    columns: usize,
    channels: usize,
    bytes: Vec<u8>,
    orientation: Orientation,
}

/// Rows and columns of the picture at `path`, upright, from its header.
pub(super) fn size(path: &Path) -> Result<(usize, usize), DatasetError> {
    let bytes = bytes_of(path)?;
    match Format::of(&bytes) {
        Some(Format::Png) => {
            let reader = png_decoder(&bytes).read_info();
            let size = png_size(path, reader.map_err(|e| damaged(path, e))?.info())?;
            Ok(png_orientation(&bytes).size(size))
        }
        Some(Format::Jpeg) => {
            let layout = Layout::of(&bytes);
            let size = jpeg_size(path, &mut jpeg_decoder(path, &layout)?)?;
            Ok(jpeg_orientation(&layout).size(size))
        }
        format => Err(refused(path, format)),
    }
}

/// The picture at `path`, upright and grey.
///
/// # Errors
/// A file that cannot be read, that is no picture of a kind that is read, or a damaged or too large one.
pub fn read(path: &Path) -> Result<Picture, DatasetError> {
    let bytes = bytes_of(path)?;
    let decoded = match Format::of(&bytes) {
        Some(Format::Png) => read_png(path, &bytes)?,
        Some(Format::Jpeg) => read_jpeg(path, &bytes)?,
        format => return Err(refused(path, format)),
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

/// The error for a file that is called a picture and is of another format, or none.
fn refused(path: &Path, format: Option<Format>) -> DatasetError {
    let path = path.to_owned();
    match format {
        Some(Format::Empty) => damaged(&path, "it is empty"),
        Some(Format::NoPicture(found)) => DatasetError::NoPicture { path, found },
        Some(format) => DatasetError::PictureFormat {
            path,
            found: format.name(),
        },
        None => damaged(&path, "it does not begin as a JPEG or a PNG does"),
    }
}

fn read_png(path: &Path, bytes: &[u8]) -> Result<Decoded, DatasetError> {
    let orientation = png_orientation(bytes);
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
        orientation,
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

/// What the EXIF data of a PNG say. They may come after the pixels, where the decoder does not look before it has
/// read those.
fn png_orientation(bytes: &[u8]) -> Orientation {
    let mut chunks = &bytes[8.min(bytes.len())..];
    while let Some((head, rest)) = chunks.split_first_chunk::<8>() {
        let [l0, l1, l2, l3, kind @ ..] = head;
        let length = u32::from_be_bytes([*l0, *l1, *l2, *l3]) as usize;
        let Some(data) = rest.get(..length) else {
            break;
        };
        if kind == b"eXIf" {
            return Orientation::of(data);
        }
        // Behind the data is their sum.
        chunks = rest.get(length + 4..).unwrap_or_default();
    }
    Orientation::AS_STORED
}

fn read_jpeg(path: &Path, bytes: &[u8]) -> Result<Decoded, DatasetError> {
    let layout = Layout::of(bytes);
    let mut decoder = jpeg_decoder(path, &layout)?;
    let (rows, columns) = jpeg_size(path, &mut decoder)?;
    let pixels = decoder.decode().map_err(|e| damaged(path, e))?;
    let colours = decoder.output_colorspace();
    Ok(Decoded {
        rows,
        columns,
        channels: colours.map_or(0, |colours| colours.num_components()),
        bytes: pixels,
        orientation: jpeg_orientation(&layout),
    })
}

/// No special instructions, so that every machine gives the same bytes; and no guessing of what is missing. The decoder
/// does without an end: what a cut has taken from the last rows it makes up.
fn jpeg_decoder<'a>(
    path: &Path,
    layout: &Layout<'a>,
) -> Result<JpegDecoder<ZCursor<&'a [u8]>>, DatasetError> {
    if let Some(found) = layout.rare_kind() {
        return Err(DatasetError::PictureFormat {
            path: path.to_owned(),
            found,
        });
    }
    match layout.size {
        Some((rows, columns)) if rows.max(columns) > MAX_SIDE => {
            return Err(too_large(path, rows, columns));
        }
        _ => (),
    }
    let picture = (layout.picture).ok_or_else(|| damaged(path, "it has no end"))?;
    let options = DecoderOptions::default()
        .set_max_width(MAX_SIDE)
        .set_max_height(MAX_SIDE)
        .set_use_unsafe(false)
        .set_strict_mode(true)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    Ok(JpegDecoder::new_with_options(
        ZCursor::new(picture),
        options,
    ))
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

fn jpeg_orientation(layout: &Layout) -> Orientation {
    (layout.exif).map_or(Orientation::AS_STORED, Orientation::of)
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
    /// The luma of Rec. 601, and the opacity.
    fn into_grey(self) -> Picture {
        let luma = |pixel: &[u8]| {
            let [red, green, blue] = [pixel[0], pixel[1], pixel[2]].map(u32::from);
            ((299 * red + 587 * green + 114 * blue + 500) / 1000) as u8
        };
        let over_black = |grey: u8, alpha: u8| {
            let light = u32::from(grey) * u32::from(alpha);
            ((light + 127) / 255) as u8
        };
        let pixels = self.bytes.chunks_exact(self.channels.max(1));
        let light: Vec<u8> = match self.channels {
            2 => pixels.clone().map(|p| over_black(p[0], p[1])).collect(),
            3 => pixels.clone().map(luma).collect(),
            4 => pixels.clone().map(|p| over_black(luma(p), p[3])).collect(),
            _ => self.bytes.clone(),
        };
        let opacity = match self.channels {
            channels @ (2 | 4) => Some(pixels.map(|p| p[channels - 1]).collect::<Vec<u8>>()),
            _ => None,
        };
        let opacity = opacity.filter(|opacity| opacity.iter().any(|&alpha| alpha < u8::MAX));
        let stored = (self.rows, self.columns);
        let (rows, columns) = self.orientation.size(stored);
        let upright = |pixels| self.orientation.upright(pixels, stored);
        Picture {
            rows,
            columns,
            light: upright(light),
            opacity: opacity.map(upright),
        }
    }
}

impl Picture {
    /// The picture stretched to this size: each new pixel is the mean of the area that it covers, rounded.
    pub(super) fn scaled(&self, rows: usize, columns: usize) -> Picture {
        let old = (self.rows, self.columns);
        let scaled = |pixels: &[u8]| scaled(pixels, old, (rows, columns));
        Picture {
            rows,
            columns,
            light: scaled(&self.light),
            opacity: self.opacity.as_deref().map(scaled),
        }
    }

    /// Its pixels, inverted or not. What is transparent is black in the end, so that it is silent: a picture that is
    /// not inverted stands on black, and one that is inverted stood on white.
    ///
    /// A thing that would be black too, such as one in white on white before it is inverted, could not be seen. Of
    /// such a picture the opacity is taken, which has its shape.
    pub(super) fn grey(&self, inverted: bool) -> Vec<u8> {
        let Some(opacity) = &self.opacity else {
            return match inverted {
                true => self.light.iter().map(|light| u8::MAX - light).collect(),
                false => self.light.clone(),
            };
        };
        let thing: Vec<u8> = match inverted {
            true => {
                let both = opacity.iter().zip(&self.light);
                both.map(|(alpha, light)| alpha - light).collect()
            }
            false => self.light.clone(),
        };
        match thing.iter().any(|&light| light >= VISIBLE) {
            true => thing,
            false => opacity.clone(),
        }
    }

    /// Whether its outermost pixels are nearer to white than to black on average.
    pub(super) fn has_bright_border(&self) -> bool {
        let (sum, count) = self.border();
        2 * sum > 255 * count
    }

    /// The brightness of its outermost pixels, from 0 to 255, and how many they are. What is transparent counts as white
    /// where the thing is dark, and as black where it is bright.
    pub(super) fn border(&self) -> (u64, u64) {
        let (last_row, last_column) = (self.rows - 1, self.columns - 1);
        let is_border = |pixel: &usize| {
            let (row, column) = (pixel / self.columns, pixel % self.columns);
            row == 0 || row == last_row || column == 0 || column == last_column
        };
        let sum = |pixels: &[u8]| pixels.iter().copied().map(u64::from).sum::<u64>();
        let is_dark = |opacity: &[u8]| 2 * sum(&self.light) < sum(opacity);
        let opacity = self.opacity.as_deref().filter(|opacity| is_dark(opacity));
        let brightness = |pixel: usize| {
            let ground = opacity.map_or(0, |opacity| u8::MAX - opacity[pixel]);
            u64::from(self.light[pixel]) + u64::from(ground)
        };
        let border = (0..self.light.len()).filter(is_border);
        border.fold((0, 0), |(sum, count), pixel| {
            (sum + brightness(pixel), count + 1)
        })
    }
}

/// The pixels of a picture of `old` rows and columns, stretched to `new`.
///
/// Whole numbers throughout, so that every machine gives the same bytes.
fn scaled(pixels: &[u8], old: (usize, usize), new: (usize, usize)) -> Vec<u8> {
    let down = shares(old.0, new.0);
    let across = shares(old.1, new.1);
    let area = (old.0 * old.1) as u64;
    let mut scaled = Vec::with_capacity(new.0 * new.1);
    let mut line = vec![0u64; old.1];
    for row in &down {
        line.fill(0);
        for &(from, share) in row {
            let from = &pixels[from * old.1..][..old.1];
            for (sum, &pixel) in line.iter_mut().zip(from) {
                *sum += share * u64::from(pixel);
            }
        }
        for column in &across {
            let sum: u64 = column.iter().map(|&(from, share)| share * line[from]).sum();
            scaled.push(((sum + area / 2) / area) as u8);
        }
    }
    scaled
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

    fn read_bytes(bytes: &[u8]) -> Result<Picture, DatasetError> {
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
        for name in [
            "colours.jpg",
            "grey.jpg",
            "progressive.jpg",
            "rgb.jpg",
            "cmyk.jpg",
            "ycck.jpg",
            // As a camera held upright stores it, and the same as a PNG, turned the other way.
            "orientation-6.jpg",
            "orientation-8.png",
        ] {
            let picture = read(&fixture(name)).unwrap();
            assert_eq!(size(&fixture(name)).unwrap(), (24, 32), "{name}");
            assert_eq!((picture.rows, picture.columns), (24, 32));
            let pixels = picture.grey(false);
            assert_eq!(pixels.len(), 24 * 32);
            for row in pixels.chunks(32) {
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
            (Rgba, Eight, &[120, 20, 20, 255], 50),
            (GrayscaleAlpha, Eight, &[77, 255], 77),
            (GrayscaleAlpha, Sixteen, &[77, 200, 255, 255], 77),
        ] {
            let picture = read_bytes(&png(kind, depth, 1, 1, bytes)).unwrap();
            assert_eq!(picture.grey(false), [grey], "{kind:?} {depth:?}");
            assert_eq!(picture.grey(true), [255 - grey], "{kind:?} {depth:?}");
        }
    }

    /// A thing in one grey, which covers the second of two pixels, and half of the third.
    fn thing(grey: u8) -> Picture {
        let bytes = [grey, 0, grey, 255, grey, 128];
        read_bytes(&png(
            ColorType::GrayscaleAlpha,
            BitDepth::Eight,
            3,
            1,
            &bytes,
        ))
        .unwrap()
    }

    #[test]
    fn what_is_transparent_is_black_and_the_thing_can_be_seen() {
        assert_eq!(thing(200).grey(false), [0, 200, 100]);
        assert_eq!(thing(200).grey(true), [0, 55, 28]);
        assert_eq!(thing(100).grey(true), [0, 155, 78]);
        // White on what would be white, and black on black: the shape.
        for inverted in [false, true] {
            assert_eq!(thing(255).grey(inverted), [0, 255, 128]);
            assert_eq!(thing(0).grey(inverted), [0, 255, 128]);
        }
        // Nothing is there.
        let nothing = png(ColorType::GrayscaleAlpha, BitDepth::Eight, 1, 1, &[255, 0]);
        assert_eq!(read_bytes(&nothing).unwrap().grey(true), [0]);
    }

    #[test]
    fn the_border_of_a_thing_without_a_ground_tells_how_it_has_to_be_inverted() {
        assert_eq!(thing(255).border(), (255 + 128, 3));
        assert_eq!(thing(0).border(), (255 + 127, 3));
        let opaque = png(
            ColorType::Grayscale,
            BitDepth::Eight,
            3,
            3,
            &[9, 9, 9, 9, 0, 9, 9, 9, 9],
        );
        assert_eq!(read_bytes(&opaque).unwrap().border(), (72, 8));
    }

    #[test]
    fn a_palette_may_have_transparent_colours() {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, 2, 1);
        encoder.set_color(ColorType::Indexed);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_palette(vec![255, 255, 255, 200, 200, 200]);
        encoder.set_trns(vec![0]);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&[0, 1]).unwrap();
        writer.finish().unwrap();
        assert_eq!(read_bytes(&file).unwrap().grey(false), [0, 200]);
    }

    /// As other decoders have it, the names of the components tell what they are where nothing else does.
    #[test]
    fn a_jpeg_of_red_green_and_blue_may_say_so_by_the_names_of_its_components_alone() {
        let with_segment = fs::read(fixture("rgb.jpg")).unwrap();
        let start = with_segment
            .windows(5)
            .position(|word| word == b"Adobe")
            .unwrap()
            - 4;
        let length = usize::from(with_segment[start + 3]);
        let file = [&with_segment[..start], &with_segment[start + 2 + length..]].concat();
        assert_eq!(
            read_bytes(&file).unwrap(),
            read_bytes(&with_segment).unwrap()
        );
    }

    /// A video after a picture, as phones write it, has all the bytes there are.
    #[test]
    fn what_follows_a_jpeg_is_none_of_it() {
        for name in ["colours.jpg", "progressive.jpg"] {
            let picture = fs::read(fixture(name)).unwrap();
            let video = b"\0\0\0\x18ftypmp42 \xff\xd9 \xff\xda \xff\xd8";
            let file = [&picture[..], video].concat();
            assert_eq!(read_bytes(&file).unwrap(), read_bytes(&picture).unwrap());
        }
    }

    /// The orientation is what the picture has, wherever in the file it is said.
    #[test]
    fn a_png_says_its_orientation_before_or_after_its_pixels() {
        let plain = png(ColorType::Grayscale, BitDepth::Eight, 2, 1, &[10, 20]);
        let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x03\0\0\0\0\0\0\0";
        let mut chunk = [b"eXIf", &exif[..]].concat();
        let sum = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(&chunk);
        chunk.splice(..0, (exif.len() as u32).to_be_bytes());
        chunk.extend(sum.to_be_bytes());
        // Behind the signature and the header, and before the end.
        for place in [33, plain.len() - 12] {
            let file = [&plain[..place], &chunk, &plain[place..]].concat();
            assert_eq!(read_bytes(&file).unwrap().grey(false), [20, 10]);
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
        let text = |bytes: &[u8]| read_bytes(bytes).unwrap_err().to_string();
        assert!(text(b"GIF89a, and more").contains("is GIF, which is not read"));
        let page = text(b"<!DOCTYPE html><html>Not found</html>");
        assert!(page.contains("is an HTML page and no picture"), "{page}");
        let error = read_bytes(b"whatever it is").unwrap_err();
        assert!(matches!(error, DatasetError::Damaged { .. }), "{error}");
        // The frame of a JPEG has its rows and columns five bytes after its marker.
        let mut wide = fs::read(fixture("colours.jpg")).unwrap();
        let frame = wide
            .windows(2)
            .position(|pair| pair == [0xff, 0xc0])
            .unwrap();
        wide[frame + 7..frame + 9].copy_from_slice(&20_000u16.to_be_bytes());
        let error = read_bytes(&wide).unwrap_err();
        let named = matches!(
            error,
            DatasetError::PictureTooLarge {
                columns: 20_000,
                ..
            }
        );
        assert!(named, "{error}");
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

    fn grey(rows: usize, columns: usize, pixels: &[u8]) -> Picture {
        Picture {
            rows,
            columns,
            light: pixels.to_vec(),
            opacity: None,
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
