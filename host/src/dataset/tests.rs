use super::npy::tests::npy;
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
            .add_array("y", &y.mapv(|label| label as f64 + 0.5))
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

#[test]
fn idx_files_go_by_the_names_that_people_give_them() {
    let folder = IdxFolder::new();
    let expected = folder.load().unwrap();
    for (from, to) in [
        ("train-images-idx3-ubyte", "train-images.idx3-ubyte"),
        ("train-labels-idx1-ubyte", "train-labels.idx1-ubyte"),
        ("t10k-images-idx3-ubyte", "test-images-idx3-ubyte"),
        ("t10k-labels-idx1-ubyte", "test-labels.idx1-ubyte"),
    ] {
        fs::rename(folder.0.path().join(from), folder.0.path().join(to)).unwrap();
        assert_eq!(folder.load().unwrap(), expected, "{to}");
    }
    folder.compress("test-labels.idx1-ubyte");
    assert_eq!(folder.load().unwrap(), expected);
}

#[test]
fn what_is_in_a_file_tells_whether_it_is_compressed() {
    let folder = IdxFolder::new();
    let expected = folder.load().unwrap();
    let path = folder.0.path().join("train-images-idx3-ubyte");
    let packed = folder.0.path().join("train-images-idx3-ubyte.gz");
    // Unpacked, but not in name.
    fs::rename(&path, &packed).unwrap();
    assert_eq!(folder.load().unwrap(), expected);
    // Packed, but not in name, and in two members.
    let whole = fs::read(&packed).unwrap();
    fs::remove_file(&packed).unwrap();
    let mut members = Vec::new();
    for part in [&whole[..20], &whole[20..]] {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(part).unwrap();
        members.extend(encoder.finish().unwrap());
    }
    fs::write(&path, &members).unwrap();
    assert_eq!(folder.load().unwrap(), expected);
    // Filled up with zeros, as tapes do it, of more than one buffer.
    members.extend([0; 20_000]);
    fs::write(&path, &members).unwrap();
    assert_eq!(folder.load().unwrap(), expected);
    members.push(1);
    fs::write(&path, &members).unwrap();
    let error = folder.error();
    assert!(matches!(error, DatasetError::Damaged { .. }), "{error}");
}

#[test]
fn a_folder_that_has_the_data_set_one_folder_down_says_so() {
    let folder = IdxFolder::new();
    let outer = tempfile::tempdir().unwrap();
    fs::rename(folder.0.path(), outer.path().join("raw")).unwrap();
    let error = load(outer.path().to_str().unwrap()).unwrap_err();
    let named = matches!(&error, DatasetError::FolderBelow { below, .. } if below.ends_with("raw"));
    assert!(named, "{error}");
}

#[test]
fn idx_sizes_in_the_other_order_of_bytes_are_read_where_the_length_fits() {
    let folder = IdxFolder::new();
    let expected = folder.load().unwrap();
    let mut turned = images(6);
    for word in turned[4..16].chunks_exact_mut(4) {
        word.reverse();
    }
    folder.write("train-images-idx3-ubyte", &turned);
    assert_eq!(folder.load().unwrap(), expected);
    turned[..4].reverse();
    folder.write("train-images-idx3-ubyte", &turned);
    assert_eq!(folder.load().unwrap(), expected);
    turned.pop();
    folder.write("train-images-idx3-ubyte", &turned);
    let error = folder.error();
    let named = matches!(
        error,
        DatasetError::CutShort {
            expected: 52,
            found: 51,
            ..
        }
    );
    assert!(named, "{error}");
}

#[test]
fn what_is_found_in_place_of_an_idx_file_is_named() {
    let folder = IdxFolder::new();
    let text = |bytes: &[u8]| {
        folder.write("train-images-idx3-ubyte", bytes);
        folder.error().to_string()
    };
    let floats = text(&[0, 0, 0x0d, 3, 0, 0, 0, 1]);
    assert!(
        floats.contains("is an IDX file of float32 in 3 dimensions"),
        "{floats}"
    );
    let labels = text(&labels(&[0, 1]));
    assert!(
        labels.contains("is an IDX file of bytes in 1 dimension,"),
        "{labels}"
    );
    let page = text(b"<!DOCTYPE html><html>404</html>");
    assert!(page.contains("is an HTML page"), "{page}");
    let unknown = text(b"what is this");
    assert!(unknown.contains("begins with 0x77686174"), "{unknown}");
}

/// An archive of arrays as NumPy writes them, given by type, shape and bytes, loaded.
fn load_raw_npz(arrays: &[(&str, Vec<u8>)]) -> Result<Dataset, DatasetError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.npz");
    let mut zip = zip::ZipWriter::new(fs::File::create(&path).unwrap());
    for (name, bytes) in arrays {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(format!("{name}.npy"), options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
    load(path.to_str().unwrap())
}

/// Ten images of two pixels, of any type, the second of which is 1.
fn ten(descr: &str, zero: &[u8], one: &[u8]) -> Vec<u8> {
    npy(descr, false, "(10, 1, 2)", &[zero, one].concat().repeat(10))
}

/// The labels 0 and 1 in turn.
fn turns() -> Vec<u8> {
    npy("|u1", false, "(10,)", &[0, 1].repeat(5))
}

#[test]
fn images_of_any_plain_type_are_read() {
    for (descr, zero, one, bright) in [
        ("|b1", &[0][..], &[1][..], None),
        ("<i8", &[0; 8], &[200, 0, 0, 0, 0, 0, 0, 0], Some(200)),
        (">i8", &[0; 8], &[0, 0, 0, 0, 0, 0, 0, 200], Some(200)),
        (">u2", &[0; 2], &[0, 200], Some(200)),
        ("|i1", &[0], &[100], None),
        ("<f2", &[0; 2], &[0x00, 0x3c], Some(255)),
        (">f8", &[0; 8], &[0x3f, 0xf0, 0, 0, 0, 0, 0, 0], Some(255)),
    ] {
        let arrays = [("x", ten(descr, zero, one)), ("y", turns())];
        let own = load_raw_npz(&arrays).unwrap();
        assert_eq!(
            (own.shape.as_slice(), own.classes),
            (&[1, 2][..], 2),
            "{descr}"
        );
        let image = own.train.image(0);
        assert_eq!(image[0], 0, "{descr}");
        // One bit or one of a hundred is full brightness by the scale; that is decided elsewhere.
        match bright {
            Some(bright) => assert_eq!(image[1], bright, "{descr}"),
            None => assert!(image[1] > 0, "{descr}"),
        }
    }
}

#[test]
fn arrays_that_are_not_read_are_named() {
    let text =
        |x: Vec<u8>, y: Vec<u8>| load_raw_npz(&[("x", x), ("y", y)]).unwrap_err().to_string();
    for (descr, size, found) in [
        ("<c8", 8, "is complex64, but"),
        ("|O", 8, "is object, but"),
        ("<M8[ns]", 8, "is datetime64, but"),
        ("<U3", 12, "is text (str), but"),
    ] {
        let x = npy(descr, false, "(10, 1, 2)", &vec![0; 20 * size]);
        let text = text(x, turns());
        assert!(
            text.starts_with("array x of ") && text.contains(found),
            "{text}"
        );
    }
    let wide = text(ten("<i2", &[0, 0], &[0x2c, 1]), turns());
    assert!(
        wide.contains("is int16 with the value 300, but must be whole numbers from 0 to 255"),
        "{wide}"
    );
    let not_a_number = text(ten("<f2", &[0, 0], &[0, 0x7e]), turns());
    assert!(not_a_number.contains("the value NaN"), "{not_a_number}");
    let flat = text(npy("|u1", false, "(10,)", &[0; 10]), turns());
    assert!(flat.contains("is uint8 of 1 dimension, but"), "{flat}");
    let halves = npy("<f2", false, "(10,)", &[0x00, 0x38].repeat(10));
    let halves = text(ten("|u1", &[0], &[1]), halves);
    assert!(
        halves.contains("array y") && halves.contains("is float16 with the value 0.5, but"),
        "{halves}"
    );
}

#[test]
fn labels_may_be_names_or_one_hot() {
    let names: Vec<u8> = b"dog\0cat\0".repeat(5);
    let own = load_raw_npz(&[
        ("x", ten("|u1", &[0], &[9])),
        ("y", npy("|S4", false, "(10,)", &names)),
    ])
    .unwrap();
    assert_eq!(own.class_names.unwrap(), ["cat", "dog"]);
    assert_eq!(own.train.labels[..2], [1, 0]);
    let own = load_raw_npz(&[
        ("x", ten("|u1", &[0], &[9])),
        (
            "y",
            npy(
                "|u1",
                true,
                "(10, 2)",
                &[[0, 1].repeat(5), [1, 0].repeat(5)].concat(),
            ),
        ),
    ])
    .unwrap();
    assert_eq!(own.train.labels[..2], [1, 0]);
}

#[test]
fn arrays_for_validation_take_the_place_of_missing_ones_and_what_is_left_out_is_said() {
    let arrays = |names: [&'static str; 4]| {
        let [x, y, u, v] = names;
        [
            (x, ten("|u1", &[0], &[9])),
            (y, turns()),
            (u, ten("|u1", &[0], &[8])),
            (v, turns()),
        ]
    };
    let notes = |data: &Dataset| data.notes.iter().map(Note::to_string).collect::<Vec<_>>();
    let own = load_raw_npz(&arrays(["x_train", "y_train", "x_val", "y_val"])).unwrap();
    assert_eq!((own.train.len(), own.test.len()), (10, 10));
    assert!(
        notes(&own)[0].contains("x_val is taken as the part to test on"),
        "{:?}",
        notes(&own)
    );
    let own = load_raw_npz(&arrays(["x_train", "y_train", "x_more", "y_more"])).unwrap();
    assert_eq!((own.train.len(), own.test.len()), (8, 2));
    let [note] = &notes(&own)[..] else {
        panic!("{:?}", notes(&own));
    };
    assert!(
        note.starts_with("left out: the arrays x_more, y_more of "),
        "{note}"
    );
}

#[test]
fn a_header_that_lies_is_refused_before_memory_is_asked_for() {
    let shape = "(1000000000000, 28, 28)";
    let bomb = [("x", npy("|u1", false, shape, &[])), ("y", turns())];
    let error = load_raw_npz(&bomb).unwrap_err();
    assert!(matches!(error, DatasetError::TooLarge { .. }), "{error}");
    let none = [
        ("x", npy("|u1", false, "(0, 4294967296, 4294967296)", &[])),
        ("y", turns()),
    ];
    let error = load_raw_npz(&none).unwrap_err();
    assert!(matches!(error, DatasetError::TooLarge { .. }), "{error}");
}

#[test]
fn what_is_no_data_set_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let text = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        load(path.to_str().unwrap()).unwrap_err().to_string()
    };
    for (name, bytes, found) in [
        ("x.npy", turns(), "is no data set but one NumPy array: "),
        (
            "x.zip",
            b"PK\x03\x04".to_vec(),
            "is no data set but a ZIP archive: ",
        ),
        (
            "x.jpg",
            b"\xff\xd8\xff".to_vec(),
            "is no data set but a picture (JPEG): ",
        ),
        ("x.csv", b"0,1,2".to_vec(), "is no data set: "),
        ("x.npz", turns(), "is one NumPy array and no .npz archive: "),
        (
            "y.npz",
            b"\x89HDF\r\n\x1a\n".to_vec(),
            "is an HDF5 file and no .npz archive: ",
        ),
    ] {
        let text = text(name, &bytes);
        assert!(text.contains(found), "{text}");
    }
    let flat = folder.path().join("flat");
    fs::create_dir(&flat).unwrap();
    fs::write(flat.join("1.png"), "any").unwrap();
    let flat = load(flat.to_str().unwrap()).unwrap_err().to_string();
    assert!(
        flat.contains("is no data set, but has 1 picture ("),
        "{flat}"
    );
}
