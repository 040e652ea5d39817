//! Puts data sets into the cache folder that cannot be fetched: the user has their files, and says where.
//!
//! The files are checked by loading them, then copied into a temporary folder inside the cache folder, which
//! is renamed to its place once it is whole.

use super::fetch::Outcome;
use super::{cache_folder, packed, pictures, shd, DatasetError, EventCode, PictureCode};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// A data set that users have to bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Brought {
    /// Its name, which is also that of its folder in the cache folder.
    pub name: &'static str,
    /// What there is to get, for people.
    pub source: &'static str,
}

/// The Spiking Heidelberg Digits, for the names `shd` and `shd-first`.
pub const SHD: Brought = Brought {
    name: "shd",
    source: "get shd_train.h5 and shd_test.h5 of the Spiking Heidelberg Digits (Cramer and others, 2020; CC BY 4.0) \
             from their authors, compressed or not, into one folder",
};

/// Two classes of Caltech-101, for the names `caltech101` and `caltech101-grey`.
pub const CALTECH101: Brought = Brought {
    name: "caltech101",
    source: "get Caltech-101 (Fei-Fei, Fergus and Perona, 2004) from its authors, and find the folder that has the \
             folders Faces_easy and Motorbikes",
};

/// What has to be brought.
pub const BROUGHT: [Brought; 2] = [SHD, CALTECH101];

impl Brought {
    /// The data set of this name.
    pub fn of(name: &str) -> Option<&'static Brought> {
        BROUGHT.iter().find(|brought| brought.name == name)
    }

    /// The folder in the cache folder that has it; `name` is what it was asked for by.
    pub(super) fn folder(&self, name: &str) -> Result<PathBuf, DatasetError> {
        let folder = cache_folder()?.join(self.name);
        match folder.is_dir() {
            true => Ok(folder),
            false => Err(DatasetError::NotBrought {
                name: name.to_owned(),
                folder,
                set: self.name,
                what: self.source,
            }),
        }
    }

    /// The files in `folder`, relative to it, after a check that they can be loaded.
    fn check(&self, folder: &Path) -> Result<Vec<PathBuf>, DatasetError> {
        let files = if *self == SHD {
            shd::load(self.name, folder, EventCode::SHD)?.check()?;
            (shd::FILES.iter())
                .map(|file| packed::find(folder, file))
                .collect::<Result<Vec<PathBuf>, _>>()?
        } else {
            pictures::load_caltech101(self.name, folder, PictureCode::Grey, None)?.check()?;
            pictures::caltech101_files(folder)?.concat()
        };
        let relative = |file: PathBuf| match file.strip_prefix(folder) {
            Ok(relative) => relative.to_owned(),
            Err(_) => file,
        };
        Ok(files.into_iter().map(relative).collect())
    }
}

/// Checks the files of `set` in the folder `from`, and copies them into `cache`/`set.name`, in place of
/// what is there. Where `from` is that folder, they are only checked.
///
/// `progress` is told each stage. When `stop` becomes true, it ends with [`DatasetError::Interrupted`] and
/// leaves the cache folder as it was.
pub fn bring(
    set: &Brought,
    from: &Path,
    cache: &Path,
    progress: &dyn Fn(&str),
    stop: &AtomicBool,
) -> Result<Outcome, DatasetError> {
    progress(&format!("{}: checking {}", set.name, from.display()));
    let files = set.check(from)?;
    let target = cache.join(set.name);
    if is_same(from, &target) {
        return Ok(Outcome::AlreadyThere);
    }
    progress(&format!("{}: copying", set.name));
    fs::create_dir_all(cache).map_err(|e| DatasetError::write(cache, e))?;
    let work = (tempfile::Builder::new().prefix(".bring-").tempdir_in(cache))
        .map_err(|e| DatasetError::write(cache, e))?;
    let new = work.path().join("new");
    for file in &files {
        if stop.load(Ordering::Relaxed) {
            return Err(DatasetError::Interrupted(set.name.to_owned()));
        }
        copy(&from.join(file), &new.join(file))?;
    }
    if let Some(path) = in_the_way(set, &target, &files) {
        let name = set.name;
        return Err(DatasetError::InTheWay { path, name });
    }
    replace(&target, &new, &work.path().join("old"))?;
    Ok(Outcome::Fetched)
}

/// What in `target` would be lost if the set's new `files` took its place: what is no file of the set, a link included.
fn in_the_way(set: &Brought, target: &Path, files: &[PathBuf]) -> Option<PathBuf> {
    if target.is_symlink() {
        return Some(target.to_owned());
    }
    let mut known: Vec<PathBuf> = files.iter().map(|file| target.join(file)).collect();
    // Those of another edition of it, where it is one.
    let before = set.check(target).unwrap_or_default();
    known.extend(before.iter().map(|file| target.join(file)));
    let mut folders = vec![target.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(path),
                Ok(kind) if kind.is_file() && known.contains(&path) => (),
                _ => return Some(path),
            }
        }
    }
    None
}

/// Whether both are the same folder, under whatever names.
fn is_same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// Copies the bytes only: files that may not be written to become such that may be.
fn copy(from: &Path, to: &Path) -> Result<(), DatasetError> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).map_err(|e| DatasetError::write(folder, e))?;
    }
    let mut source = File::open(from).map_err(|e| DatasetError::read(from, e))?;
    let mut target = File::create(to).map_err(|e| DatasetError::write(to, e))?;
    io::copy(&mut source, &mut target).map_err(|e| DatasetError::write(to, e))?;
    Ok(())
}

/// Puts the folder `new` into the place of `target`; what was there moves to `old`.
fn replace(target: &Path, new: &Path, old: &Path) -> Result<(), DatasetError> {
    let had_one = target.exists();
    if had_one {
        fs::rename(target, old).map_err(|e| DatasetError::write(target, e))?;
    }
    fs::rename(new, target).map_err(|e| {
        if had_one {
            // What went wrong first is the news.
            let _ = fs::rename(old, target);
        }
        DatasetError::write(target, e)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    static GO_ON: AtomicBool = AtomicBool::new(false);

    fn fixture(library: &str) -> PathBuf {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/shd");
        tests.join(library)
    }

    fn bring_shd(from: &Path, cache: &TempDir, stop: &AtomicBool) -> Result<Outcome, DatasetError> {
        bring(&SHD, from, cache.path(), &|_| (), stop)
    }

    /// What is in the cache folder, hidden things too.
    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn checked_files_are_copied_and_replace_older_ones() {
        let cache = tempfile::tempdir().unwrap();
        let target = cache.path().join("shd");
        for library in ["h5py", "tables"] {
            let outcome = bring_shd(&fixture(library), &cache, &GO_ON).unwrap();
            assert_eq!(outcome, Outcome::Fetched);
            assert_eq!(names(cache.path()), ["shd"]);
            assert_eq!(names(&target), ["shd_test.h5.gz", "shd_train.h5.gz"]);
            for file in names(&target) {
                let original = fs::read(fixture(library).join(&file)).unwrap();
                assert_eq!(fs::read(target.join(&file)).unwrap(), original);
            }
        }
        let outcome = bring_shd(&target, &cache, &GO_ON).unwrap();
        assert_eq!(outcome, Outcome::AlreadyThere);
        assert_eq!(names(&target).len(), 2);
    }

    #[test]
    fn what_is_the_users_own_is_not_replaced() {
        let cache = tempfile::tempdir().unwrap();
        let target = cache.path().join("shd");
        bring_shd(&fixture("h5py"), &cache, &GO_ON).unwrap();
        fs::write(target.join("notes.txt"), "mine").unwrap();
        let error = bring_shd(&fixture("tables"), &cache, &GO_ON).unwrap_err();
        assert!(
            error.to_string().contains("notes.txt is in the way"),
            "{error}"
        );
        assert_eq!(fs::read(target.join("notes.txt")).unwrap(), b"mine");
        fs::remove_file(target.join("notes.txt")).unwrap();

        let elsewhere = tempfile::tempdir().unwrap();
        fs::rename(&target, elsewhere.path().join("shd")).unwrap();
        std::os::unix::fs::symlink(elsewhere.path().join("shd"), &target).unwrap();
        let error = bring_shd(&fixture("tables"), &cache, &GO_ON).unwrap_err();
        assert!(matches!(error, DatasetError::InTheWay { .. }), "{error}");
        assert!(target.is_symlink());
    }

    #[test]
    fn files_that_are_not_right_leave_the_cache_as_it_was() {
        let cache = tempfile::tempdir().unwrap();
        bring_shd(&fixture("h5py"), &cache, &GO_ON).unwrap();
        let kept = fs::read(cache.path().join("shd/shd_train.h5.gz")).unwrap();

        let from = tempfile::tempdir().unwrap();
        let error = bring_shd(from.path(), &cache, &GO_ON).unwrap_err();
        assert!(matches!(error, DatasetError::MissingFile(_)), "{error}");
        for file in shd::FILES {
            fs::write(from.path().join(file), "no such file").unwrap();
        }
        let error = bring_shd(from.path(), &cache, &GO_ON).unwrap_err();
        assert!(matches!(error, DatasetError::NotHdf5(_)), "{error}");
        let stop = AtomicBool::new(true);
        let error = bring_shd(&fixture("tables"), &cache, &stop).unwrap_err();
        assert!(matches!(error, DatasetError::Interrupted(_)), "{error}");

        assert_eq!(names(cache.path()), ["shd"]);
        let now = fs::read(cache.path().join("shd/shd_train.h5.gz")).unwrap();
        assert_eq!(now, kept);
    }
}
