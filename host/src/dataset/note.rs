//! What whoever loads a data set should be told about it, though it can be loaded.

use std::fmt;
use std::path::PathBuf;

/// So many classes are named where there may be more.
const MOST_NAMED: usize = 5;

/// Something in a data set that was left out, or was taken in a way that its owner may not have meant.
///
/// As text it is one sentence without a full stop that says what to do, where there is something to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Note {
    /// Files of one kind that are not read.
    LeftOut {
        what: LeftOut,
        /// How many files.
        count: usize,
        /// One of them, to look at.
        example: PathBuf,
    },
    /// A folder, or an array in a file, that is the test part, though its name means another.
    TakenAsTest(PathBuf),
    /// Arrays of a file that are not read.
    ArraysLeftOut { path: PathBuf, arrays: Vec<String> },
    /// There is a folder to train on and no other, so that the last of its images are the test part.
    NoTestPart(PathBuf),
    /// The borders of images are bright where those of the images that a model was trained on were dark, or the other
    /// way round, as the images came.
    OtherBorders {
        name: String,
        /// What they are here.
        bright: bool,
    },
    /// The brightest of images is far below what counts as full brightness.
    Dim { name: String, most: u8, maximum: u8 },
    /// Training images without a spike.
    Blank { blank: usize, images: usize },
    /// Nearly all spikes come at one step.
    OneStep { share: f64, step: usize },
    /// Nearly all inputs spike.
    Lit { share: f64 },
    /// A class has many more training images than another: their names and images.
    Imbalance {
        most: (String, usize),
        least: (String, usize),
    },
    /// Classes without a test image.
    Untested(Vec<String>),
    /// Test images that are training images too.
    InBothParts { both: usize, test: usize },
    /// So many training images are there under more than one class.
    InTwoClasses(usize),
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

impl LeftOut {
    /// So many files of this kind, as in `40 BMP files`.
    pub(super) fn counted(&self, count: usize) -> String {
        let (files, pictures) = match count {
            1 => ("file", "picture"),
            _ => ("files", "pictures"),
        };
        match self {
            LeftOut::Format(format) => format!("{count} {format} {files}"),
            LeftOut::Deeper => format!("{count} {pictures} in deeper folders"),
            LeftOut::Hidden => format!("{count} hidden {pictures}"),
            LeftOut::Beside => format!("{count} {pictures} beside the folders of the classes"),
            LeftOut::Part(folder) => format!("{count} {pictures} in {}", folder.display()),
            LeftOut::Other if count == 1 => format!("{count} {files} that is no picture"),
            LeftOut::Other => format!("{count} {files} that are no pictures"),
        }
    }

    /// Why they are left out, and what to do; nothing where there is nothing to do.
    fn advice(&self) -> &'static str {
        match self {
            LeftOut::Format(_) => ": only PNG and JPEG are read, so make them either",
            LeftOut::Deeper => {
                ": only what is directly in the folder of a class is read, so move them there"
            }
            LeftOut::Hidden => {
                ": names that begin with a dot are not read, so rename them if they belong to the data"
            }
            LeftOut::Beside => ": move them into the folder of their class",
            LeftOut::Part(_) => {
                ": other folders are the part to train on and the part to test on"
            }
            LeftOut::Other => "",
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Note::LeftOut {
                what,
                count,
                example,
            } => {
                let (counted, advice) = (what.counted(*count), what.advice());
                write!(f, "left out: {counted} ({}){advice}", example.display())
            }
            Note::TakenAsTest(folder) => write!(
                f,
                "{} is taken as the part to test on, for there is none that is called test",
                folder.display()
            ),
            Note::ArraysLeftOut { path, arrays } => {
                let ending = if arrays.len() == 1 { "" } else { "s" };
                let (arrays, path) = (arrays.join(", "), path.display());
                write!(f, "left out: the array{ending} {arrays} of {path}")
            }
            Note::NoTestPart(folder) => write!(
                f,
                "there is no part to test on beside {}: the last fifth of each of its classes is taken",
                folder.display()
            ),
            Note::OtherBorders { name, bright } => {
                let word = |bright: bool| if bright { "bright" } else { "dark" };
                write!(
                    f,
                    "the images of {name} have {} borders, those that the model was trained on {} ones: where bright and \
                     dark are the other way round, invert the images",
                    word(*bright),
                    word(!bright)
                )
            }
            Note::Blank { blank, images } => write!(
                f,
                "{blank} of {images} training images are blank, so that no input spikes: check that they are what they \
                 should be"
            ),
            Note::OneStep { share, step } => write!(
                f,
                "{:.0} % of the spikes come at step {step}, so that their time tells nothing: where the images have shades \
                 of grey, bring them to the whole range from dark to bright",
                100.0 * share
            ),
            Note::Lit { share } => write!(
                f,
                "{:.0} % of the inputs spike in an image on average, the ground of the images too: make the ground black, \
                 or invert the images where it is bright",
                100.0 * share
            ),
            Note::Imbalance { most, least } => write!(
                f,
                "there are {} training images of class {} and {} of class {}: the fewer are hardly learned, so give more \
                 of them",
                most.1, most.0, least.1, least.0
            ),
            Note::Untested(classes) => {
                let named = classes.len().min(MOST_NAMED);
                write!(f, "there is no test image of class {}", classes[..named].join(", "))?;
                if classes.len() > named {
                    write!(f, " and {} more", classes.len() - named)?;
                }
                write!(f, ": the figures say nothing of them, so give some")
            }
            Note::InBothParts { both, test } => write!(
                f,
                "{both} of {test} test images are among the training images too: the accuracy is better than it will be \
                 on new ones, so take them out of one part"
            ),
            Note::InTwoClasses(images) => write!(
                f,
                "{images} of the training images are there under more than one class: no network can be right on these"
            ),
            Note::Dim {
                name,
                most,
                maximum,
            } => write!(
                f,
                "the brightest value of {name} is {most}, where {maximum} is full brightness: if they are of another \
                 scale, bring them to that one"
            ),
        }
    }
}
