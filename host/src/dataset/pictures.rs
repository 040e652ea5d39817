//! Folders of pictures: a folder for each class, in it JPEG and PNG files. Every picture becomes grey and of
//! one size.
//!
//! Under the latency code bright pixels spike first and black ones never, so what is bright should be the
//! thing, and not what is around it. Where the borders of the training pictures are bright on average, all
//! pictures are therefore inverted. Those of `caltech101-grey` are: its motorbikes stand on white. `caltech101`
//! has the same pictures as edges instead, which networks tell apart better (docs/datasets.md).
//!
//! The classes are numbered in the order of their folders' names, the pictures of a class are in the order of
//! their files' names.

use super::edges::{edges, DIRECTIONS};
use super::picture;
use super::{hold_out_last, Dataset, DatasetError, Split, MAX_CLASSES, TEST_SHARE};
use rand::seq::SliceRandom;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// The class folders of Caltech-101 that are used, and how many pictures were published of each.
pub(super) const CALTECH101: [(&str, usize); 2] = [("Faces_easy", 435), ("Motorbikes", 798)];
/// How many pictures of each class of these are trained on; the others are the test set.
const CALTECH101_TRAIN: usize = 200;

/// What pictures are made into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PictureCode {
    /// Grey images, for folders and the name `caltech101-grey`.
    Grey,
    /// Their edges, for the name `caltech101`.
    Edges,
}

/// Pictures of other folders stay as they are when all have one size, of no more pixels than this.
const OWN_SIZE_PIXELS: usize = 2500;
/// Rows and columns of the images otherwise.
const USUAL_SIZE: (usize, usize) = (48, 48);

/// The folders that divide a data set where it comes divided.
const PARTS: [&str; 2] = ["train", "test"];

/// Picture files with the numbers of their classes.
#[derive(Default)]
struct Labelled {
    files: Vec<PathBuf>,
    labels: Vec<u8>,
}

/// Whether `folder` may be read by [`load`]: there are folders in it.
pub(super) fn is_meant(folder: &Path) -> bool {
    folders(folder).is_ok_and(|folders| !folders.is_empty())
}

/// Loads a folder of class folders, or one of a `train` and a `test` folder of class folders. Where there are
/// no such parts, the last fifth of each class is the test set.
pub(super) fn load(name: &str, folder: &Path) -> Result<Dataset, DatasetError> {
    let parts = PARTS.map(|part| folder.join(part));
    let (classes, train, test) = match parts.iter().all(|part| is_meant(part)) {
        true => {
            let [train, test] = [classes(&parts[0])?, classes(&parts[1])?];
            check_same(&train, &test)?;
            (train.len(), Labelled::of(&train)?, Labelled::of(&test)?)
        }
        false => {
            let classes = classes(folder)?;
            let (train, test) = Labelled::of(&classes)?.hold_out_last();
            (classes.len(), train, test)
        }
    };
    let size = common_size(train.files.iter().chain(&test.files))?;
    dataset(name, classes, size, PictureCode::Grey, [&train, &test])
}

/// Loads the faces and the motorbikes of Caltech-101 from their two folders in `folder`.
///
/// The files of each class are shuffled, in the order of their names, by ChaCha8 of seed 0. The first 200 are
/// the training images of the class, the others are its test images.
pub(super) fn load_caltech101(
    name: &str,
    folder: &Path,
    code: PictureCode,
) -> Result<Dataset, DatasetError> {
    let (mut train, mut test) = (Labelled::default(), Labelled::default());
    for (class, mut files) in caltech101_files(folder)?.into_iter().enumerate() {
        files.shuffle(&mut ChaCha8Rng::seed_from_u64(0));
        let others = files.split_off(CALTECH101_TRAIN);
        train.add(class, files);
        test.add(class, others);
    }
    // Greater ones were no better.
    let size = match code {
        PictureCode::Grey => (24, 36),
        PictureCode::Edges => (16, 24),
    };
    dataset(name, CALTECH101.len(), size, code, [&train, &test])
}

/// The files of the classes of [`CALTECH101`] in `folder`, as many as were published.
pub(super) fn caltech101_files(folder: &Path) -> Result<Vec<Vec<PathBuf>>, DatasetError> {
    (CALTECH101.iter())
        .map(|&(class, expected)| {
            let folder = folder.join(class);
            let files = pictures(&folder)?;
            match files.len() == expected {
                true => Ok(files),
                false => Err(DatasetError::PictureCount {
                    folder,
                    expected,
                    found: files.len(),
                }),
            }
        })
        .collect()
}

fn dataset(
    name: &str,
    classes: usize,
    (rows, columns): (usize, usize),
    code: PictureCode,
    [train, test]: [&Labelled; 2],
) -> Result<Dataset, DatasetError> {
    let mut parts = [train.read(rows, columns)?, test.read(rows, columns)?];
    let shape = match code {
        PictureCode::Grey => {
            invert_bright_borders(&mut parts, columns);
            vec![rows, columns]
        }
        PictureCode::Edges => {
            for part in &mut parts {
                part.images = part
                    .iter()
                    .flat_map(|image| edges(image, columns))
                    .collect();
                part.features *= DIRECTIONS;
            }
            vec![DIRECTIONS, rows, columns]
        }
    };
    let [train, test] = parts;
    Dataset::of_images(name, classes, shape, train, test)
}

/// Inverts all images where the borders of those to train on, the first part, are bright.
fn invert_bright_borders(parts: &mut [Split; 2], columns: usize) {
    if has_bright_borders(&parts[0], columns) {
        for pixel in parts.iter_mut().flat_map(|part| &mut part.images) {
            *pixel = u8::MAX - *pixel;
        }
    }
}

/// Whether the outermost pixels of the images are nearer to white than to black on average.
fn has_bright_borders(split: &Split, columns: usize) -> bool {
    let last_row = split.features - columns;
    let is_border = |pixel: usize| {
        let column = pixel % columns;
        pixel < columns || pixel >= last_row || column == 0 || column == columns - 1
    };
    let border: Vec<usize> = (0..split.features).filter(|&p| is_border(p)).collect();
    let sum_of = |image: &[u8]| border.iter().map(|&p| u64::from(image[p])).sum::<u64>();
    let sum: u64 = split.iter().map(sum_of).sum();
    2 * sum > 255 * (border.len() * split.len()) as u64
}

impl Labelled {
    /// All pictures in the folders of `classes`.
    fn of(classes: &[PathBuf]) -> Result<Self, DatasetError> {
        let mut all = Labelled::default();
        for (class, folder) in classes.iter().enumerate() {
            let files = pictures(folder)?;
            if files.is_empty() {
                return Err(DatasetError::NoPictures(folder.clone()));
            }
            all.add(class, files);
        }
        Ok(all)
    }

    fn add(&mut self, class: usize, files: Vec<PathBuf>) {
        let label = u8::try_from(class).expect("there are at most 256 classes");
        self.labels.extend(files.iter().map(|_| label));
        self.files.extend(files);
    }

    fn hold_out_last(&self) -> (Self, Self) {
        let (stay, held_out) = hold_out_last(&self.labels, TEST_SHARE);
        let select = |indices: Vec<usize>| Labelled {
            files: indices.iter().map(|&i| self.files[i].clone()).collect(),
            labels: indices.iter().map(|&i| self.labels[i]).collect(),
        };
        (select(stay), select(held_out))
    }

    /// The pictures as images of this size.
    fn read(&self, rows: usize, columns: usize) -> Result<Split, DatasetError> {
        let images = (self.files.par_iter())
            .map(|file| Ok(picture::read(file)?.scaled(rows, columns).pixels))
            .collect::<Result<Vec<Vec<u8>>, DatasetError>>()?;
        Ok(Split {
            features: rows * columns,
            images: images.concat(),
            labels: self.labels.clone(),
        })
    }
}

/// The size that the images of a folder get, which is their own where they share a small one.
fn common_size<'a>(
    files: impl Iterator<Item = &'a PathBuf>,
) -> Result<(usize, usize), DatasetError> {
    let files: Vec<&PathBuf> = files.collect();
    let sizes = (files.par_iter())
        .map(|file| picture::size(file))
        .collect::<Result<Vec<_>, DatasetError>>()?;
    let all_one = sizes.windows(2).all(|pair| pair[0] == pair[1]);
    Ok(match sizes.first() {
        Some(&(rows, columns)) if all_one && rows * columns <= OWN_SIZE_PIXELS => (rows, columns),
        _ => USUAL_SIZE,
    })
}

/// The class folders in `folder`, in order of their names.
fn classes(folder: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    let classes = folders(folder)?;
    match classes.len() <= MAX_CLASSES {
        true => Ok(classes),
        false => Err(DatasetError::TooManyClasses {
            folder: folder.to_owned(),
            classes: classes.len(),
        }),
    }
}

/// Checks that both parts have folders of the same names.
fn check_same(train: &[PathBuf], test: &[PathBuf]) -> Result<(), DatasetError> {
    let name = |folder: &PathBuf| folder.file_name().map(OsStr::to_owned);
    let names = |folders: &[PathBuf]| folders.iter().map(name).collect::<Vec<_>>();
    let (in_train, in_test) = (names(train), names(test));
    let one_sided = (train.iter().find(|folder| !in_test.contains(&name(folder))))
        .or_else(|| test.iter().find(|folder| !in_train.contains(&name(folder))));
    match one_sided {
        Some(folder) => Err(DatasetError::ClassInOnePart(folder.clone())),
        None => Ok(()),
    }
}

/// The folders in `folder`, in order of their names, without hidden ones.
fn folders(folder: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    let mut folders = entries(folder)?;
    folders.retain(|path| path.is_dir());
    Ok(folders)
}

/// The picture files in `folder`, in order of their names, without hidden ones.
fn pictures(folder: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    let is_picture = |path: &PathBuf| {
        let ending = path.extension().and_then(OsStr::to_str);
        let ending = ending.map(str::to_ascii_lowercase);
        ending.is_some_and(|ending| picture::ENDINGS.contains(&ending.as_str())) && path.is_file()
    };
    let mut pictures = entries(folder)?;
    pictures.retain(is_picture);
    Ok(pictures)
}

/// What is in `folder`, in order of the names, without what is hidden.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, DatasetError> {
    let read = |e| DatasetError::read(folder, e);
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(read)? {
        let entry = entry.map_err(read)?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            entries.push(entry.path());
        }
    }
    entries.sort();
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    /// A folder to put pictures into.
    struct Place(TempDir);

    impl Place {
        fn new() -> Self {
            Place(tempfile::tempdir().unwrap())
        }

        /// A PNG of this size, the left half of which is `left`, and the other one `right`.
        fn picture(&self, path: &str, (rows, columns): (usize, usize), left: u8, right: u8) {
            let path = self.0.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let file = fs::File::create(path).unwrap();
            let mut encoder = png::Encoder::new(file, columns as u32, rows as u32);
            encoder.set_color(png::ColorType::Grayscale);
            let pixels: Vec<u8> = (0..rows * columns)
                .map(|pixel| match pixel % columns < columns / 2 {
                    true => left,
                    false => right,
                })
                .collect();
            let mut writer = encoder.write_header().unwrap();
            writer.write_image_data(&pixels).unwrap();
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.0.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        fn load(&self) -> Result<Dataset, DatasetError> {
            super::super::load(self.0.path().to_str().unwrap())
        }

        fn error(&self) -> DatasetError {
            self.load().unwrap_err()
        }
    }

    #[test]
    fn class_folders_are_numbered_in_order_of_their_names_and_their_last_fifth_is_held_out() {
        let place = Place::new();
        for index in 0..5 {
            place.picture(&format!("zebra/{index}.PNG"), (2, 4), 0, 100 + index);
            place.picture(&format!("ant/{index}.png"), (2, 4), 0, 200 + index);
        }
        place.write("zebra/notes.txt", "no picture");
        place.write(".hidden/notes.txt", "no class");
        place.write("notes.txt", "no class either");
        let data = place.load().unwrap();
        assert_eq!((data.classes, data.maximum), (2, 255));
        assert_eq!(data.shape, [2, 4]);
        assert_eq!(data.train.labels, [0, 0, 0, 0, 1, 1, 1, 1]);
        assert_eq!(data.test.labels, [0, 1]);
        assert_eq!((data.steps, data.recordings), (None, None));
    }

    #[test]
    fn pictures_on_a_bright_ground_are_inverted() {
        let pixels = |ground: u8, grey: u8| {
            let place = Place::new();
            for class in ["a", "b"] {
                for index in 0..5 {
                    place.picture(&format!("{class}/{index}.png"), (3, 4), ground, grey);
                }
            }
            place.load().unwrap().test.image(1).to_vec()
        };
        let image = |left, right| [left, left, right, right].repeat(3);
        assert_eq!(pixels(0, 200), image(0, 200));
        assert_eq!(pixels(255, 200), image(0, 55));
        assert_eq!(pixels(100, 154), image(100, 154));
        assert_eq!(pixels(100, 156), image(155, 99));
    }

    #[test]
    fn pictures_of_several_sizes_become_one_size() {
        let place = Place::new();
        for index in 0..5 {
            place.picture(&format!("a/{index}.png"), (10, 20 + index), 0, 100);
            place.picture(&format!("b/{index}.png"), (10, 20), 0, 200);
        }
        assert_eq!(place.load().unwrap().shape, [48, 48]);
        let place = Place::new();
        for class in ["a", "b"] {
            for index in 0..5 {
                place.picture(&format!("{class}/{index}.png"), (50, 51), 0, 100);
            }
        }
        assert_eq!(place.load().unwrap().shape, [48, 48]);
    }

    #[test]
    fn train_and_test_folders_are_taken_as_they_are() {
        let place = Place::new();
        for class in ["a", "b"] {
            place.picture(&format!("train/{class}/1.png"), (2, 2), 0, 100);
            place.picture(&format!("train/{class}/2.png"), (2, 2), 0, 100);
            place.picture(&format!("test/{class}/3.png"), (2, 2), 0, 100);
        }
        let data = place.load().unwrap();
        assert_eq!(data.train.labels, [0, 0, 1, 1]);
        assert_eq!(data.test.labels, [0, 1]);

        place.picture("test/c/1.png", (2, 2), 0, 100);
        let error = place.error();
        assert!(
            matches!(&error, DatasetError::ClassInOnePart(folder) if folder.ends_with("test/c")),
            "{error}"
        );
        place.picture("train/c/1.png", (2, 2), 0, 100);
        place.picture("train/d/1.png", (2, 2), 0, 100);
        let error = place.error();
        assert!(
            matches!(&error, DatasetError::ClassInOnePart(folder) if folder.ends_with("train/d")),
            "{error}"
        );
    }

    #[test]
    fn folders_that_do_not_fit_are_named() {
        let place = Place::new();
        assert!(matches!(place.error(), DatasetError::UnknownKind(_)));
        place.picture("a/1.png", (2, 2), 0, 100);
        place.picture("a/2.png", (2, 2), 0, 100);
        assert!(matches!(place.error(), DatasetError::Empty { .. }));
        for index in 0..5 {
            place.picture(&format!("a/{index}.png"), (2, 2), 0, 100);
        }
        assert!(matches!(place.error(), DatasetError::OneClass { .. }));

        place.write("b/notes.txt", "no picture");
        let error = place.error();
        assert!(
            matches!(&error, DatasetError::NoPictures(folder) if folder.ends_with("b")),
            "{error}"
        );
        place.write("b/broken.jpg", "no JPEG, whatever its name says");
        let error = place.error();
        assert!(
            matches!(&error, DatasetError::Damaged { path, .. } if path.ends_with("b/broken.jpg")),
            "{error}"
        );

        for class in 0..256 {
            place.write(&format!("more/{class}/notes.txt"), "no picture");
        }
        place.write("more/one/notes.txt", "too many");
        let more = place.0.path().join("more");
        let error = load("more", &more).unwrap_err();
        assert!(
            matches!(error, DatasetError::TooManyClasses { classes: 257, .. }),
            "{error}"
        );
    }

    #[test]
    fn a_part_of_caltech101_is_not_taken_for_the_whole() {
        let place = Place::new();
        place.picture("Faces_easy/image_0001.png", (2, 2), 0, 100);
        place.picture("Motorbikes/image_0001.png", (2, 2), 0, 100);
        let error = load_caltech101("caltech101", place.0.path(), PictureCode::Edges).unwrap_err();
        let named = matches!(
            error,
            DatasetError::PictureCount {
                expected: 435,
                found: 1,
                ..
            }
        );
        assert!(named, "{error}");
    }

    #[test]
    fn the_order_of_the_shuffle_is_fixed() {
        let mut order: Vec<usize> = (1..=435).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(0));
        assert_eq!(order[..8], [28, 267, 388, 136, 122, 29, 294, 431]);
    }

    #[test]
    fn the_real_caltech101_is_divided_as_documented() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/caltech101");
        if !is_meant(&folder) {
            eprintln!("skipped: {} is not there", folder.display());
            return;
        }
        let [grey, edges] = [PictureCode::Grey, PictureCode::Edges]
            .map(|code| load_caltech101("caltech101", &folder, code).unwrap());
        assert_eq!(
            (&grey.shape[..], &edges.shape[..]),
            (&[24, 36][..], &[4, 16, 24][..])
        );
        for data in [&grey, &edges] {
            assert_eq!(data.train.class_counts(2), [200, 200]);
            assert_eq!(data.test.class_counts(2), [235, 598]);
        }
        // Inverted, so that the white around the motorbikes is silent.
        let corners = grey.train.iter().skip(200).filter(|image| image[0] == 0);
        assert!(corners.count() > 150);
    }
}
