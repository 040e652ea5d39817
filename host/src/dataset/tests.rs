use super::*;
use flate2::write::GzEncoder;
use flate2::Compression;
use ndarray::{array, Array1, Array3};
use ndarray_npy::NpzWriter;
use std::fs;
use std::io::Write;
use tempfile::TempDir;

/// Four IDX files of 2×3 images: six to train on, two to test on, of two classes.
struct IdxFolder(TempDir);

impl IdxFolder {
    fn new() -> Self {
        let folder = IdxFolder(tempfile::tempdir().unwrap());
        folder.write("train-images-idx3-ubyte", &images(6));
        folder.write("train-labels-idx1-ubyte", &labels(&[0, 1, 0, 1, 0, 1]));
        folder.write("t10k-images-idx3-ubyte", &images(2));
        folder.write("t10k-labels-idx1-ubyte", &labels(&[1, 0]));
        folder
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.0.path().join(name), bytes).unwrap();
    }

    fn compress(&self, name: &str) {
        let path = self.0.path().join(name);
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&fs::read(&path).unwrap()).unwrap();
        self.write(&format!("{name}.gz"), &encoder.finish().unwrap());
        fs::remove_file(path).unwrap();
    }

    fn load(&self) -> Result<Dataset, DatasetError> {
        load(self.0.path().to_str().unwrap())
    }

    fn error(&self) -> DatasetError {
        self.load().unwrap_err()
    }
}

fn images(count: u32) -> Vec<u8> {
    let header = [0x0803u32, count, 2, 3];
    let mut bytes: Vec<u8> = header.iter().flat_map(|word| word.to_be_bytes()).collect();
    bytes.extend((0..count * 6).map(|pixel| pixel as u8));
    bytes
}

fn labels(values: &[u8]) -> Vec<u8> {
    let header = [0x0801u32, values.len() as u32];
    let mut bytes: Vec<u8> = header.iter().flat_map(|word| word.to_be_bytes()).collect();
    bytes.extend_from_slice(values);
    bytes
}

#[test]
fn the_embedded_digits_hold_out_the_last_fifth_of_each_class() {
    let digits = load("digits").unwrap();
    assert_eq!((digits.classes, digits.maximum), (10, 16));
    assert_eq!(digits.shape, [8, 8]);
    assert_eq!(digits.train.len() + digits.test.len(), 1797);
    let whole: Vec<usize> = (digits.train.class_counts(10).iter())
        .zip(digits.test.class_counts(10))
        .map(|(&train, test)| {
            assert_eq!(test, (train + test) / 5);
            train + test
        })
        .collect();
    assert_eq!(whole, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]);
    assert!(digits.train.images.iter().all(|&pixel| pixel <= 16));
    assert_eq!(digits.train.image(0)[..8], [0, 0, 5, 13, 9, 1, 0, 0]);
}

#[test]
fn idx_files_load_plain_and_compressed() {
    let folder = IdxFolder::new();
    let plain = folder.load().unwrap();
    assert_eq!((plain.classes, plain.features()), (2, 6));
    assert_eq!(plain.shape, [2, 3]);
    assert_eq!((plain.train.len(), plain.test.len()), (6, 2));
    assert_eq!(plain.train.image(1), [6, 7, 8, 9, 10, 11]);
    for name in idx::FILES {
        folder.compress(name);
    }
    assert_eq!(folder.load().unwrap(), plain);
}

#[test]
fn an_idx_file_cut_anywhere_is_named() {
    let folder = IdxFolder::new();
    for name in idx::FILES {
        let whole = fs::read(folder.0.path().join(name)).unwrap();
        for length in 0..whole.len() {
            folder.write(name, &whole[..length]);
            let error = folder.error();
            assert!(matches!(error, DatasetError::CutShort { .. }), "{error}");
            let text = error.to_string();
            assert!(text.contains(name) && text.contains("cut short"), "{text}");
        }
        folder.write(name, &whole);
    }
    folder.load().unwrap();
}

#[test]
fn a_compressed_idx_file_cut_anywhere_is_named() {
    let folder = IdxFolder::new();
    let name = "train-images-idx3-ubyte";
    folder.compress(name);
    let packed = format!("{name}.gz");
    let whole = fs::read(folder.0.path().join(&packed)).unwrap();
    for length in 0..whole.len() {
        folder.write(&packed, &whole[..length]);
        let text = folder.error().to_string();
        assert!(text.contains(name) && text.contains("cut short"), "{text}");
    }
}

#[test]
fn idx_files_that_are_something_else_are_named() {
    let folder = IdxFolder::new();
    folder.write("train-images-idx3-ubyte", &labels(&[0, 1, 0, 1, 0, 1]));
    assert!(matches!(folder.error(), DatasetError::Magic { .. }));

    let folder = IdxFolder::new();
    let mut long = images(6);
    long.push(0);
    folder.write("train-images-idx3-ubyte", &long);
    assert!(matches!(folder.error(), DatasetError::TooLong { .. }));

    let folder = IdxFolder::new();
    let mut huge = images(6);
    huge[4..8].copy_from_slice(&u32::MAX.to_be_bytes());
    huge[8..12].copy_from_slice(&u32::MAX.to_be_bytes());
    folder.write("train-images-idx3-ubyte", &huge);
    assert!(matches!(folder.error(), DatasetError::TooLarge { .. }));

    let folder = IdxFolder::new();
    folder.write("t10k-labels-idx1-ubyte", &labels(&[0, 1, 0]));
    assert!(matches!(folder.error(), DatasetError::CountsDiffer { .. }));

    let folder = IdxFolder::new();
    folder.write("train-labels-idx1-ubyte", &labels(&[0, 2, 0, 2, 0, 2]));
    let error = folder.error();
    assert!(
        matches!(error, DatasetError::MissingClass { class: 1, .. }),
        "{error}"
    );

    let folder = IdxFolder::new();
    fs::remove_file(folder.0.path().join("t10k-images-idx3-ubyte")).unwrap();
    assert!(matches!(folder.error(), DatasetError::MissingFile(_)));
}

/// An archive of the given arrays, loaded.
fn load_npz(write: impl FnOnce(&mut NpzWriter<fs::File>)) -> Result<Dataset, DatasetError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.npz");
    let mut archive = NpzWriter::new_compressed(fs::File::create(&path).unwrap());
    write(&mut archive);
    archive.finish().unwrap();
    load(path.to_str().unwrap())
}

#[test]
fn an_npz_of_x_and_y_is_split() {
    let x = Array3::from_shape_fn((10, 2, 2), |(i, r, c)| (i * 4 + r * 2 + c) as u8);
    let y: Array1<i64> = (0..10).map(|i| i % 2).collect();
    let own = load_npz(|archive| {
        archive.add_array("x", &x).unwrap();
        archive.add_array("y", &y).unwrap();
    })
    .unwrap();
    assert_eq!((own.classes, own.maximum), (2, 255));
    assert_eq!(own.shape, [2, 2]);
    assert_eq!((own.train.len(), own.test.len()), (8, 2));
    assert_eq!(own.test.image(0), [32, 33, 34, 35]);
}

#[test]
fn an_npz_of_floats_with_a_test_set_is_taken_as_it_is() {
    let own = load_npz(|archive| {
        let x = array![[0.0f32, 1.0, 0.5], [1.0, 0.0, 0.2]];
        archive.add_array("x_train", &x).unwrap();
        archive.add_array("y_train", &array![0u8, 1]).unwrap();
        archive.add_array("x_test", &x.mapv(f64::from)).unwrap();
        archive.add_array("y_test", &array![1i32, 0]).unwrap();
    })
    .unwrap();
    assert_eq!(own.train.images, [0, 255, 128, 255, 0, 51]);
    assert_eq!(own.test.images, own.train.images);
    assert_eq!(own.plane(), None);
}

#[test]
fn an_npz_that_does_not_fit_says_what_is_expected() {
    let x = array![[0.0f32, 1.0], [1.0, 0.0]];
    let y = array![0i64, 1];
    let names = load_npz(|archive| archive.add_array("images", &x).unwrap()).unwrap_err();
    let text = names.to_string();
    assert!(
        text.contains("images") && text.contains("x_train"),
        "{text}"
    );

    let wrong_range = load_npz(|archive| {
        archive.add_array("x", &(x.clone() * 256.0)).unwrap();
        archive.add_array("y", &y).unwrap();
    });
    let error = wrong_range.unwrap_err().to_string();
    assert!(
        error.contains("x of ") && error.contains("value 256"),
        "{error}"
    );

    let wrong_type = load_npz(|archive| {
        archive.add_array("x", &x).unwrap();
        archive
            .add_array("y", &y.mapv(|label| label as f64))
            .unwrap();
    });
    assert!(matches!(wrong_type, Err(DatasetError::NpzArray { .. })));

    let wrong_label = load_npz(|archive| {
        archive.add_array("x", &x).unwrap();
        archive.add_array("y", &array![0i64, -1]).unwrap();
    });
    assert!(matches!(wrong_label, Err(DatasetError::Label { .. })));

    let wrong_count = load_npz(|archive| {
        archive.add_array("x", &x).unwrap();
        archive.add_array("y", &array![0i64, 1, 1]).unwrap();
    });
    assert!(matches!(
        wrong_count,
        Err(DatasetError::CountsDiffer { .. })
    ));
}

#[test]
fn an_npz_cut_short_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.npz");
    let mut archive = NpzWriter::new(fs::File::create(&path).unwrap());
    archive.add_array("x", &array![[0u8, 1], [1, 0]]).unwrap();
    archive.add_array("y", &array![0i64, 1]).unwrap();
    archive.finish().unwrap();
    let whole = fs::read(&path).unwrap();
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let error = load(path.to_str().unwrap()).unwrap_err();
        assert!(matches!(error, DatasetError::Damaged { .. }), "{error}");
    }
}

#[test]
fn a_name_that_is_not_known_lists_the_known_ones() {
    let text = load("mnits").unwrap_err().to_string();
    assert!(text.contains("did you mean 'mnist'?"), "{text}");
    assert!(text.contains("digits, mnist, fashion-mnist"), "{text}");
    let text = load("imagenet").unwrap_err().to_string();
    assert!(!text.contains("did you mean"), "{text}");
    assert!(matches!(
        load("no/such/folder"),
        Err(DatasetError::NoSuchPath(_))
    ));
}
