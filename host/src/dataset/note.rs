//! What whoever loads a data set should be told about it, though it can be loaded.

use std::fmt;
use std::path::PathBuf;

/// Something in a data set that was left out, or was taken in a way that its owner may not have meant.
///
/// As text it is one sentence without a full stop that says what to do, where there is something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// Files of one kind that are not read.
    LeftOut {
        what: LeftOut,
        /// How many files.
        count: usize,
        /// One of them, to look at.
        example: PathBuf,
    },
    /// A folder that is the test part, though its name means another.
    TakenAsTest(PathBuf),
    /// There is a folder to train on and no other, so that the last of its images are the test part.
    NoTestPart(PathBuf),
}

/// Which files are left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// Pictures of a format that is not read, by its name.
    Format(&'static str),
    /// Pictures in folders within the folder of a class.
    Deeper,
    /// Pictures whose name, or whose folder's name, begins with a dot.
    Hidden,
    /// Pictures beside the folders of the classes.
    Beside,
    /// Pictures in a folder beside those of the parts.
    Part(PathBuf),
    /// Files that are no pictures.
    Other,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Note::LeftOut {
                what,
                count,
                example,
            } => {
                let (files, pictures) = match count {
                    1 => ("file", "picture"),
                    _ => ("files", "pictures"),
                };
                let example = example.display();
                write!(f, "left out: {count} ")?;
                match what {
                    LeftOut::Format(format) => write!(
                        f,
                        "{format} {files} ({example}): {format} is not read, so make it PNG or JPEG"
                    ),
                    LeftOut::Deeper => write!(
                        f,
                        "{pictures} in deeper folders ({example}): only what is directly in the folder of a class is read, \
                         so move them there"
                    ),
                    LeftOut::Hidden => write!(
                        f,
                        "hidden {pictures} ({example}): names that begin with a dot are not read, so rename them if \
                         they belong to the data"
                    ),
                    LeftOut::Beside => write!(
                        f,
                        "{pictures} in no class's folder ({example}): move them into one"
                    ),
                    LeftOut::Part(folder) => write!(
                        f,
                        "{pictures} in {}: the part to train on and the part to test on are other folders",
                        folder.display()
                    ),
                    LeftOut::Other => match count {
                        1 => write!(f, "{files} that is no picture ({example})"),
                        _ => write!(f, "{files} that are no pictures ({example})"),
                    },
                }
            }
            Note::TakenAsTest(folder) => write!(
                f,
                "{} is taken as the part to test on, for no folder is called test",
                folder.display()
            ),
            Note::NoTestPart(folder) => write!(
                f,
                "{} has no folder to test on beside it, so the last fifth of each of its classes is the test part",
                folder.display()
            ),
        }
    }
}
