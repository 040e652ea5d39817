//! Folders of pictures: a folder for each class, in it JPEG and PNG files. Every picture becomes upright, grey and of
//! one size.
//!
//! Under the latency code bright pixels spike first and black ones never, so what is bright should be the
//! thing, and not what is around it. Where the borders of the training pictures are bright on average, all
//! pictures are therefore inverted. Those of `caltech101-grey` are: its motorbikes stand on white. `caltech101`
//! has the same pictures as edges instead, which networks tell apart better (docs/datasets.md).
//!
//! The classes are numbered in the order of their folders' names, as people count, the pictures of a class are in
//! the order of their files' names. What is not read, though it may be meant, is noted.

use super::edges::{edges, DIRECTIONS};
use super::format::Format;
use super::input::PictureCode;
use super::order::natural;
use super::picture::{self, Picture};
use super::{
    hold_out_last, Dataset, DatasetError, Images, InputSpec, LeftOut, Note, Source, Split,
    MAX_CLASSES, TEST_SHARE,
};
use rand::seq::SliceRandom;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// The class folders of Caltech-101 that are used, and how many pictures were published of each.
pub(super) const CALTECH101: [(&str, usize); 2] = [("Faces_easy", 435), ("Motorbikes", 798)];
/// How many pictures of each class of these are trained on; the others are the test set.
const CALTECH101_TRAIN: usize = 200;

/// Pictures of other folders stay as they are when all have one size, of no more pixels than this.
const OWN_SIZE_PIXELS: usize = 2500;
/// Rows and columns of the images otherwise.
const USUAL_SIZE: (usize, usize) = (48, 48);

/// The parts of a data set that comes divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Train,
    Test,
    Validation,
}

/// The folders that a divided data set is read from.
struct Parts {
    train: PathBuf,
    /// `None` where the test part has to come out of the training part.
    test: Option<PathBuf>,
}

/// Picture files with the numbers of their classes.
#[derive(Default)]
struct Labelled {
    files: Vec<PathBuf>,
    labels: Vec<u8>,
}

/// What was not read, by its kind: how many files, and the first of them.
#[derive(Default)]
struct LeftOuts(BTreeMap<LeftOut, (usize, PathBuf)>);

/// What is in a folder, in order.
#[derive(Default)]
struct Entries {
    folders: Vec<PathBuf>,
    /// Everything that is no folder.
    files: Vec<PathBuf>,
    /// What has a name that begins with a dot.
    hidden: Vec<PathBuf>,
}

/// Whether `folder` may be read by [`load`]: there are folders in it.
pub(super) fn is_meant(folder: &Path) -> bool {
    Entries::of(folder).is_ok_and(|entries| !entries.folders.is_empty())
}

/// Loads a folder of class folders, or one of folders for the parts, each with class folders ([`Parts::of`]).
/// Where there is no part to test on, the last fifth of each class is the test set.
///
/// For a `model` the pictures get its size, its code and its polarity.
pub(super) fn load(
    name: &str,
    folder: &Path,
    model: Option<&InputSpec>,
) -> Result<Dataset, DatasetError> {
    let (mut left_out, mut notes) = (LeftOuts::default(), Vec::new());
    let parts = Parts::of(folder, &mut left_out, &mut notes)?;
    let (train, test) = match &parts {
        Some(parts) => (&*parts.train, parts.test.as_deref()),
        None => (folder, None),
    };
    let classes = class_folders(train, &mut left_out)?;
    let all = Labelled::of(&classes, &mut left_out)?;
    let (train, test) = match test {
        Some(test) => {
            let others = class_folders(test, &mut left_out)?;
            check_same(&classes, &others)?;
            (all, Labelled::of(&others, &mut left_out)?)
        }
        None => all.hold_out_last(),
    };
    let (rows, columns, code) = match model {
        Some(model) => model.picture_size()?,
        None => {
            let (rows, columns) = common_size(train.files.iter().chain(&test.files))?;
            (rows, columns, PictureCode::Grey)
        }
    };
    let class_names = classes.iter().map(|folder| name_of(folder)).collect();
    let size = (rows, columns);
    let data = dataset(name, class_names, size, code, model, [&train, &test])?;
    notes.extend(left_out.notes());
    Ok(Dataset { notes, ..data })
}

/// The picture files at `paths`, with what was left out: a file is meant as it is, of a folder the pictures directly in it.
pub(super) fn find(paths: &[PathBuf]) -> Result<(Vec<PathBuf>, Vec<Note>), DatasetError> {
    let (mut files, mut left_out) = (Vec::new(), LeftOuts::default());
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let mut others = LeftOuts::default();
        let mut found = pictures(path, &mut others)?;
        let bytes = |path: &Path| path.as_os_str().as_encoded_bytes().to_owned();
        found.sort_by(|one, other| natural(&bytes(one), &bytes(other)));
        if found.is_empty() {
            return Err(DatasetError::NoPicturesIn {
                folder: path.clone(),
                found: others.instead(),
            });
        }
        files.extend(found);
        left_out.add_all(others);
    }
    Ok((files, left_out.notes().collect()))
}

/// The pictures in `files`, as images of the input of `model`. `done` is called after each.
pub(super) fn load_for(
    files: &[PathBuf],
    model: &InputSpec,
    done: &mut dyn FnMut(),
) -> Result<Images, DatasetError> {
    let mut images = Vec::new();
    for file in files {
        images.extend(model.image_of(&picture::read(file)?)?);
        done();
    }
    let images = Split {
        features: model.shape.iter().product(),
        images,
        labels: vec![0; files.len()],
    };
    let name = match files {
        [file] => file.display().to_string(),
        _ => "the pictures".to_owned(),
    };
    Ok(Images {
        features: images.features,
        notes: model.doubts(&name, &images),
        images: images.images,
    })
}

/// Loads the faces and the motorbikes of Caltech-101 from their two folders in `folder`.
///
/// The files of each class are shuffled, in the order of their names, by ChaCha8 of seed 0. The first 200 are
/// the training images of the class, the others are its test images.
///
/// For a `model` the pictures get its size, its code and its polarity.
pub(super) fn load_caltech101(
    name: &str,
    folder: &Path,
    code: PictureCode,
    model: Option<&InputSpec>,
) -> Result<Dataset, DatasetError> {
    let (mut train, mut test) = (Labelled::default(), Labelled::default());
    for (class, mut files) in caltech101_files(folder)?.into_iter().enumerate() {
        files.shuffle(&mut ChaCha8Rng::seed_from_u64(0));
        let others = files.split_off(CALTECH101_TRAIN);
        train.add(class, files);
        test.add(class, others);
    }
    let (rows, columns, code) = match (model, code) {
        (Some(model), _) => model.picture_size()?,
        // Greater ones were no better.
        (None, PictureCode::Grey) => (24, 36, code),
        (None, PictureCode::Edges) => (16, 24, code),
    };
    let class_names = CALTECH101.map(|(class, _)| class.to_owned()).to_vec();
    let size = (rows, columns);
    dataset(name, class_names, size, code, model, [&train, &test])
}

/// The files of the classes of [`CALTECH101`] in `folder`, as many as were published.
pub(super) fn caltech101_files(folder: &Path) -> Result<Vec<Vec<PathBuf>>, DatasetError> {
    (CALTECH101.iter())
        .map(|&(class, expected)| {
            let folder = folder.join(class);
            // What else is there does not matter, for the number of the pictures is known.
            let files = pictures(&folder, &mut LeftOuts::default())?;
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
    class_names: Vec<String>,
    (rows, columns): (usize, usize),
    code: PictureCode,
    model: Option<&InputSpec>,
    [train, test]: [&Labelled; 2],
) -> Result<Dataset, DatasetError> {
    let parts = [train.read(rows, columns)?, test.read(rows, columns)?];
    // A model that does not say which way round its pictures were was made when each folder decided.
    let source = model.and_then(|model| model.source);
    let inverted = match source {
        Some(source) => source.is_inverted(),
        None => has_bright_borders(&parts[0]),
    };
    let images = |pictures: &[Picture]| -> Vec<u8> {
        let grey = pictures.iter().map(|picture| picture.grey(inverted));
        match code {
            PictureCode::Grey => grey.flatten().collect(),
            PictureCode::Edges => grey.flat_map(|image| edges(&image, columns)).collect(),
        }
    };
    let shape = match code {
        PictureCode::Grey => vec![rows, columns],
        PictureCode::Edges => vec![DIRECTIONS, rows, columns],
    };
    let split = |files: &Labelled, pictures: &[Picture]| Split {
        features: shape.iter().product(),
        images: images(pictures),
        labels: files.labels.clone(),
    };
    let (train, test) = (split(train, &parts[0]), split(test, &parts[1]));
    let data = Dataset {
        source: Source::Pictures { code, inverted },
        ..Dataset::of_images(name, class_names.len(), shape, train, test)
    };
    let data = match model {
        Some(model) => model.adopt_range(data),
        None => data,
    };
    Ok(Dataset {
        class_names: Some(class_names),
        ..data
    })
}

/// Whether the outermost pixels of the pictures, those to train on, are nearer to white than to black on average.
/// Then all pictures are inverted.
fn has_bright_borders(pictures: &[Picture]) -> bool {
    let borders = pictures.iter().map(Picture::border);
    let (sum, count) = borders.fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
    2 * sum > 255 * count
}

impl Part {
    /// The part that a folder of this name means, in small letters or capital ones.
    fn of(folder: &Path) -> Option<Part> {
        match &*name_of(folder).to_lowercase() {
            "train" | "training" => Some(Part::Train),
            "test" | "testing" => Some(Part::Test),
            "val" | "valid" | "validation" => Some(Part::Validation),
            _ => None,
        }
    }
}

impl Parts {
    /// The folders of the parts in `folder`, which have class folders in them; `None` where its own folders are the
    /// classes.
    ///
    /// There is a part to train on, and one to test on, which may be called validation where there is no other. A part
    /// to train on may also be alone.
    fn of(
        folder: &Path,
        left_out: &mut LeftOuts,
        notes: &mut Vec<Note>,
    ) -> Result<Option<Parts>, DatasetError> {
        let entries = Entries::of(folder)?;
        let folders_of = |part: Part| -> Vec<&PathBuf> {
            let of_part = |folder: &&PathBuf| Part::of(folder) == Some(part) && is_meant(folder);
            entries.folders.iter().filter(of_part).collect()
        };
        let trains = folders_of(Part::Train);
        let [tests, validations] = [Part::Test, Part::Validation].map(folders_of);
        let Some(&train) = trains.first() else {
            return Ok(None);
        };
        let tests = match tests.is_empty() {
            true => validations,
            false => tests,
        };
        let alone = tests.is_empty();
        if alone {
            // A class may be called train, too.
            if !pictures(train, &mut LeftOuts::default())?.is_empty() {
                return Ok(None);
            }
            let others = entries.folders.iter().filter(|f| Part::of(f).is_none());
            let others: Vec<String> = others.map(|folder| name_of(folder)).collect();
            if !others.is_empty() {
                return Err(DatasetError::OnePart {
                    folder: train.clone(),
                    others: others.join(", "),
                });
            }
        }
        for same in [&trains, &tests] {
            if let [one, other, ..] = same[..] {
                return Err(DatasetError::SamePart {
                    one: one.clone(),
                    other: other.clone(),
                });
            }
        }
        let test = tests.first().copied();
        match test {
            Some(test) if Part::of(test) == Some(Part::Validation) => {
                notes.push(Note::TakenAsTest(test.clone()));
            }
            None => notes.push(Note::NoTestPart(train.clone())),
            Some(_) => (),
        }
        left_out.see_beside(&entries);
        for other in &entries.folders {
            if other != train && Some(other) != test {
                left_out.see_all_in(LeftOut::Part(other.clone()), other);
            }
        }
        Ok(Some(Parts {
            train: train.clone(),
            test: test.cloned(),
        }))
    }
}

impl Labelled {
    /// All pictures in the folders of `classes`.
    fn of(classes: &[PathBuf], left_out: &mut LeftOuts) -> Result<Self, DatasetError> {
        let mut all = Labelled::default();
        for (class, folder) in classes.iter().enumerate() {
            let mut others = LeftOuts::default();
            let files = pictures(folder, &mut others)?;
            if files.is_empty() {
                return Err(DatasetError::NoPictures {
                    folder: folder.clone(),
                    found: others.instead(),
                });
            }
            all.add(class, files);
            left_out.add_all(others);
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

    /// The pictures in this size.
    fn read(&self, rows: usize, columns: usize) -> Result<Vec<Picture>, DatasetError> {
        (self.files.par_iter())
            .map(|file| Ok(picture::read(file)?.scaled(rows, columns)))
            .collect()
    }
}

impl LeftOuts {
    fn add(&mut self, what: LeftOut, count: usize, example: &Path) {
        let first = || (0, example.to_owned());
        self.0.entry(what).or_insert_with(first).0 += count;
    }

    fn add_all(&mut self, others: LeftOuts) {
        for (what, (count, example)) in others.0 {
            self.add(what, count, &example);
        }
    }

    /// The pictures in and below `path`, or `path` itself.
    fn see_all_in(&mut self, what: LeftOut, path: &Path) {
        if let Some((count, example)) = pictures_below(path, DEEPEST) {
            self.add(what, count, &example);
        }
    }

    /// The pictures that are in no folder of a class.
    fn see_beside(&mut self, entries: &Entries) {
        for file in entries.files.iter().filter(|file| is_called_picture(file)) {
            self.add(LeftOut::Beside, 1, file);
        }
        for path in &entries.hidden {
            self.see_all_in(LeftOut::Hidden, path);
        }
    }

    fn notes(self) -> impl Iterator<Item = Note> {
        let note = |(what, (count, example))| Note::LeftOut {
            what,
            count,
            example,
        };
        self.0.into_iter().map(note)
    }

    /// What a folder without pictures has, as in `, but 40 BMP files (cat/1.bmp)`.
    fn instead(&self) -> String {
        let found: Vec<String> = (self.0.iter())
            .map(|(what, (count, example))| {
                format!("{} ({})", what.counted(*count), example.display())
            })
            .collect();
        match found.is_empty() {
            true => String::new(),
            false => format!(", but {}", found.join(" and ")),
        }
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
fn class_folders(folder: &Path, left_out: &mut LeftOuts) -> Result<Vec<PathBuf>, DatasetError> {
    let entries = Entries::of(folder)?;
    left_out.see_beside(&entries);
    let classes = entries.folders;
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

/// The picture files in the folder of a class, in order of their names, without hidden ones.
fn pictures(folder: &Path, left_out: &mut LeftOuts) -> Result<Vec<PathBuf>, DatasetError> {
    let entries = Entries::of(folder)?;
    for path in &entries.hidden {
        left_out.see_all_in(LeftOut::Hidden, path);
    }
    for path in &entries.folders {
        left_out.see_all_in(LeftOut::Deeper, path);
    }
    let mut pictures = Vec::new();
    for path in entries.files {
        match left_out_as(&path)? {
            None => pictures.push(path),
            Some(_) if is_clutter(&path) => (),
            Some(what) => left_out.add(what, 1, &path),
        }
    }
    Ok(pictures)
}

/// Whether a file in the folder of a class is left out, and as what. A file that is called a picture, or is a link that
/// leads nowhere, is not: whoever reads it finds what is wrong.
fn left_out_as(path: &Path) -> Result<Option<LeftOut>, DatasetError> {
    let ending = ending(path);
    let is_picture = picture::ENDINGS.contains(&&*ending);
    if is_picture && (path.is_file() || (path.is_symlink() && !path.exists())) {
        return Ok(None);
    }
    // A pipe would have to be waited for.
    if !path.is_file() {
        return Ok(Some(LeftOut::Other));
    }
    let other_ending = Format::of_other_ending(&ending);
    let format = Format::of_file(path).map_err(|e| DatasetError::read(path, e))?;
    Ok(match (format, other_ending) {
        (Some(Format::Jpeg | Format::Png), ending_of)
            if ending_of.is_some() || ending.is_empty() =>
        {
            None
        }
        (Some(Format::OtherPicture(name)), _) | (_, Some(name)) => Some(LeftOut::Format(name)),
        _ => Some(LeftOut::Other),
    })
}

/// What follows the last dot of a file's name, in small letters.
fn ending(path: &Path) -> String {
    let ending = path.extension().and_then(OsStr::to_str);
    ending.unwrap_or_default().to_ascii_lowercase()
}

/// Whether the name of a file says that it is a picture, of whatever format.
fn is_called_picture(path: &Path) -> bool {
    let ending = ending(path);
    picture::ENDINGS.contains(&&*ending) || Format::of_other_ending(&ending).is_some()
}

/// Files that systems put everywhere.
fn is_clutter(path: &Path) -> bool {
    let clutter = ["Thumbs.db", "ehthumbs.db", "desktop.ini", "Desktop.ini"];
    clutter.iter().any(|name| path.ends_with(name))
}

/// How deep folders are looked into, to count what is left out.
const DEEPEST: usize = 8;

/// How many files in and below `path` are called pictures, and the first of them. Links to folders are not followed.
fn pictures_below(path: &Path, depth: usize) -> Option<(usize, PathBuf)> {
    if !path.is_dir() {
        return is_called_picture(path).then(|| (1, path.to_owned()));
    }
    if path.is_symlink() || depth == 0 {
        return None;
    }
    // What cannot be read is left out anyway.
    let entries = Entries::of(path).ok()?;
    let all = [entries.files, entries.folders, entries.hidden].concat();
    let below = all
        .iter()
        .filter_map(|path| pictures_below(path, depth - 1));
    below.reduce(|(sum, first), (count, _)| (sum + count, first))
}

/// The first folder in `folder` of which `is_it` holds.
pub(super) fn folder_with(folder: &Path, is_it: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    let folders = Entries::of(folder).ok()?.folders;
    folders.into_iter().find(|folder| is_it(folder))
}

/// How many pictures there are in `folder` itself, and the first of them.
pub(super) fn beside(folder: &Path) -> Option<(usize, PathBuf)> {
    let files = Entries::of(folder).ok()?.files;
    let pictures: Vec<&PathBuf> = files
        .iter()
        .filter(|file| is_called_picture(file))
        .collect();
    pictures
        .first()
        .map(|&first| (pictures.len(), first.clone()))
}

/// The name of a folder, as text.
fn name_of(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

impl Entries {
    fn of(folder: &Path) -> Result<Self, DatasetError> {
        let read = |e| DatasetError::read(folder, e);
        let mut entries = Entries::default();
        for entry in fs::read_dir(folder).map_err(read)? {
            let entry = entry.map_err(read)?;
            let path = entry.path();
            let name = entry.file_name();
            // What archives made on a Mac carry along: only hidden files are in it.
            let is_hidden = name.as_encoded_bytes().starts_with(b".") || name == "__MACOSX";
            let list = match (is_hidden, path.is_dir()) {
                (true, _) => &mut entries.hidden,
                (false, true) => &mut entries.folders,
                (false, false) => &mut entries.files,
            };
            list.push(path);
        }
        let bytes = |path: &PathBuf| path.as_os_str().as_encoded_bytes().to_vec();
        entries
            .folders
            .sort_by(|one, other| natural(&bytes(one), &bytes(other)));
        entries.files.sort();
        entries.hidden.sort();
        Ok(entries)
    }
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

    /// The notes of a data set, with the folder that it is in left out.
    fn notes(place: &Place) -> Vec<String> {
        let folder = format!("{}/", place.0.path().display());
        let notes = place.load().unwrap().notes;
        let texts = notes
            .iter()
            .map(|note| note.to_string().replace(&folder, ""));
        texts.collect()
    }

    /// Five pictures for each of the classes.
    fn fill(place: &Place, folder: &str, classes: &[&str]) {
        for class in classes {
            for index in 0..5 {
                place.picture(&format!("{folder}{class}/{index}.png"), (2, 2), 0, 100);
            }
        }
    }

    #[test]
    fn class_folders_with_numbers_are_in_the_order_that_people_count_in() {
        let place = Place::new();
        let names = ["0", "1", "2", "3", "10", "11"];
        fill(&place, "", &names);
        for (class, name) in names.iter().enumerate() {
            place.picture(&format!("{name}/0.png"), (2, 2), 0, 100 + class as u8);
        }
        let data = place.load().unwrap();
        assert_eq!(data.class_names.unwrap(), names);
        for class in 0..6 {
            let first = data.train.labels.iter().position(|&label| label == class);
            assert_eq!(data.train.image(first.unwrap())[1], 100 + class);
        }
    }

    #[test]
    fn what_is_left_out_is_said() {
        let place = Place::new();
        fill(&place, "", &["cat", "dog"]);
        assert_eq!(notes(&place), [""; 0]);

        place.picture("cat/more/1.png", (2, 2), 0, 100);
        place.picture("cat/more/even/2.jpg", (2, 2), 0, 100);
        place.picture("dog/.3.png", (2, 2), 0, 100);
        place.picture("dog/.checkpoints/4.png", (2, 2), 0, 100);
        place.picture("5.png", (2, 2), 0, 100);
        place.write("dog/6.bmp", "BM\x36\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0");
        place.write("dog/7", "RIFF\x10\0\0\0WEBPVP8 ");
        place.write("dog/8.tga", "no first bytes tell it");
        place.write("dog/notes.txt", "Dogs.");
        place.write("dog/Thumbs.db", "everywhere");
        place.write("dog/.DS_Store", "everywhere");
        let expected = [
            "left out: 1 BMP file (dog/6.bmp): only PNG and JPEG are read, so make them either",
            "left out: 1 TGA file (dog/8.tga): only PNG and JPEG are read, so make them either",
            "left out: 1 WebP file (dog/7): only PNG and JPEG are read, so make them either",
            "left out: 2 pictures in deeper folders (cat/more/1.png): only what is directly in the folder of a class is read, \
             so move them there",
            "left out: 2 hidden pictures (dog/.3.png): names that begin with a dot are not read, so rename them if they belong \
             to the data",
            "left out: 1 picture beside the folders of the classes (5.png): move them into the folder of their class",
            "left out: 1 file that is no picture (dog/notes.txt)",
        ];
        assert_eq!(notes(&place), expected);
    }

    #[test]
    fn a_picture_is_known_by_what_is_in_it() {
        let place = Place::new();
        fill(&place, "", &["a", "b"]);
        let folder = place.0.path();
        fs::rename(folder.join("a/0.png"), folder.join("a/0.jpg")).unwrap();
        fs::rename(folder.join("a/1.png"), folder.join("a/1.bmp")).unwrap();
        fs::rename(folder.join("a/2.png"), folder.join("a/2")).unwrap();
        assert_eq!(place.load().unwrap().train.labels, [0, 0, 0, 0, 1, 1, 1, 1]);
        assert_eq!(notes(&place), [""; 0]);

        place.write("a/3.jpg", "RIFF\x10\0\0\0WEBPVP8 ");
        let text = place.error().to_string();
        assert!(
            text.contains("a/3.jpg is WebP, which is not read"),
            "{text}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_not_waited_for_and_a_link_to_nowhere_is_named() {
        let place = Place::new();
        fill(&place, "", &["a", "b"]);
        let pipe = place.0.path().join("a/pipe.png");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_eq!(
            notes(&place),
            ["left out: 1 file that is no picture (a/pipe.png)"]
        );
        std::os::unix::fs::symlink("nowhere.png", place.0.path().join("a/link.png")).unwrap();
        let error = place.error();
        assert!(
            matches!(&error, DatasetError::Read { path, .. } if path.ends_with("a/link.png")),
            "{error}"
        );
    }

    #[test]
    fn parts_are_known_by_their_names() {
        let classes = ["a", "b"];
        let place = Place::new();
        fill(&place, "Train/", &classes);
        fill(&place, "TEST/", &classes);
        let data = place.load().unwrap();
        assert_eq!((data.train.len(), data.test.len()), (10, 10));
        assert_eq!(notes(&place), [""; 0]);

        // Beside both, others are left out.
        fill(&place, "val/", &classes);
        assert_eq!(place.load().unwrap().test.len(), 10);
        assert_eq!(
            notes(&place),
            ["left out: 10 pictures in val (val/a/0.png): other folders are the part to train on and the part to test on"]
        );

        // Twice the same is not plain.
        fill(&place, "testing/", &classes);
        let error = place.error();
        assert!(matches!(error, DatasetError::SamePart { .. }), "{error}");

        let place = Place::new();
        fill(&place, "training/", &classes);
        fill(&place, "validation/", &classes);
        let data = place.load().unwrap();
        assert_eq!((data.train.len(), data.test.len()), (10, 10));
        assert_eq!(
            notes(&place),
            ["validation is taken as the part to test on, for there is none that is called test"]
        );
    }

    #[test]
    fn a_part_to_train_on_may_be_alone() {
        let place = Place::new();
        fill(&place, "train/", &["a", "b"]);
        // As competitions have it: nobody knows the classes of these.
        place.picture("test/1.png", (2, 2), 0, 100);
        let data = place.load().unwrap();
        assert_eq!((data.train.len(), data.test.len()), (8, 2));
        assert_eq!(
            notes(&place),
            [
                "there is no part to test on beside train: the last fifth of each of its classes is taken",
                "left out: 1 picture in test (test/1.png): other folders are the part to train on and the part to test on",
            ]
        );

        // Vehicles.
        let place = Place::new();
        fill(&place, "", &["bus", "train"]);
        place.picture("train/steam/1.png", (2, 2), 0, 100);
        assert_eq!(place.load().unwrap().class_names.unwrap(), ["bus", "train"]);
        assert_eq!(notes(&place).len(), 1);
    }

    #[test]
    fn a_part_to_train_on_beside_a_folder_that_means_nothing_is_named() {
        let place = Place::new();
        fill(&place, "train/", &["a", "b"]);
        fill(&place, "more/", &["a", "b"]);
        let text = place.error().to_string();
        assert!(
            text.contains("none of the folders beside it (more) is called test or val"),
            "{text}"
        );
    }

    #[test]
    fn what_a_mac_puts_into_archives_is_no_class() {
        let place = Place::new();
        fill(&place, "", &["a", "b"]);
        place.write("__MACOSX/a/._0.png", "about the picture");
        let data = place.load().unwrap();
        assert_eq!(data.class_names.unwrap(), ["a", "b"]);
    }

    #[test]
    fn a_class_without_pictures_says_what_is_there_instead() {
        let place = Place::new();
        fill(&place, "all/", &["cat", "dog"]);
        let text = place.error().to_string();
        assert!(
            text.contains("all has no JPEG or PNG files, but 10 pictures in deeper folders ("),
            "{text}"
        );
    }

    /// As drawing programs save them: the colour is the same everywhere, and what is seen is the opacity.
    #[test]
    fn things_without_a_ground_can_be_seen_whatever_their_colour() {
        for grey in [0u8, 100, 255] {
            let place = Place::new();
            for index in 0..10 {
                let path = format!("{}/{index}.png", ["a", "b"][index % 2]);
                let path = place.0.path().join(path);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                let mut encoder = png::Encoder::new(fs::File::create(&path).unwrap(), 3, 3);
                encoder.set_color(png::ColorType::GrayscaleAlpha);
                let mut pixels = [grey, 0].repeat(9);
                pixels[9] = 255;
                let mut writer = encoder.write_header().unwrap();
                writer.write_image_data(&pixels).unwrap();
            }
            let data = place.load().unwrap();
            let bright = if grey == 100 { 155 } else { 255 };
            let expected = [0, 0, 0, 0, bright, 0, 0, 0, 0];
            assert_eq!(data.train.image(0), expected, "{grey}");
        }
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
        assert!(matches!(place.error(), DatasetError::UnknownKind { .. }));
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
            matches!(&error, DatasetError::NoPictures { folder, .. } if folder.ends_with("b")),
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
        let error = load("more", &more, None).unwrap_err();
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
        let error =
            load_caltech101("caltech101", place.0.path(), PictureCode::Edges, None).unwrap_err();
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
            .map(|code| load_caltech101("caltech101", &folder, code, None).unwrap());
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
