//! The file of a sweep. docs/sweeps.md says what it can have in it.

use crate::dataset::DatasetError;
use crate::train::{Choices, TrainError};
use firmware_model::board::{Board, BoardError};
use serde::de::DeserializeOwned;
use serde::Deserialize;
use std::ops::Range;
use std::path::{Path, PathBuf};
use thiserror::Error;
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table};

const USUAL_BOARD: &str = "icebreaker";
/// How like a known key an unknown one must be to have meant it (Jaro and Winkler, 0 to 1).
const LIKE: f64 = 0.8;

/// Why a file is no sweep.
#[derive(Debug, Error)]
pub enum SpecError {
    #[error("cannot read {}; check the path", path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{file}, line {line}: {problem}; docs/sweeps.md explains every key")]
    Line {
        file: String,
        /// From 1.
        line: usize,
        problem: Box<Problem>,
    },
}

/// What is wrong in a line.
#[derive(Debug, Error)]
pub enum Problem {
    /// No TOML, or a value of the wrong kind; in the words of the parser.
    #[error("{0}")]
    Toml(String),
    #[error("there is no key `{key}`{}", suggestion.as_ref().map(|known| format!(", did you mean `{known}`?")).unwrap_or_default())]
    UnknownKey {
        key: String,
        suggestion: Option<String>,
    },
    #[error("`{0}` is missing")]
    Missing(&'static str),
    #[error("`{0}` cannot be in [defaults]: each row has its own")]
    NotShared(&'static str),
    #[error("there is no [[row]]")]
    NoRow,
    #[error("the name `{0}` goes into file names: give letters, digits, `-`, `_` and `.` only, and no `.` first")]
    Name(String),
    #[error("a row before is called `{0}` too")]
    SameName(String),
    #[error("seeds must be numbers, at least one and each only once")]
    Seeds,
    #[error("row `{row}`: {source}")]
    Train { row: String, source: TrainError },
    #[error("row `{row}`: {source}")]
    Dataset { row: String, source: DatasetError },
    #[error(transparent)]
    Board(#[from] BoardError),
}

/// The file of a sweep, read and checked, but not against the data sets.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Its path, as it was given.
    pub path: PathBuf,
    pub title: String,
    /// What is to be said below the title.
    pub text: Option<String>,
    /// The board on whose core the cycles are counted.
    pub board: Board,
    /// At least one; no two of the same name.
    pub rows: Vec<Row>,
}

/// What is trained alike but for the seed: a line of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub name: String,
    pub note: Option<String>,
    /// As `firstspike train` takes it.
    pub dataset: String,
    /// Inputs first, classes last.
    pub layers: Vec<usize>,
    /// The time steps, if they are given.
    pub steps: Option<usize>,
    /// At least one, each once.
    pub seeds: Vec<u64>,
    pub choices: Choices,
    /// The line of the file that it begins at, from 1.
    pub line: usize,
}

/// The keys of a row that are no choices of the training.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Keys {
    name: Option<String>,
    note: Option<String>,
    dataset: Option<String>,
    layers: Option<Vec<usize>>,
    steps: Option<usize>,
    seeds: Option<Vec<u64>>,
}

const KEYS: [&str; 6] = ["name", "note", "dataset", "layers", "steps", "seeds"];
const TOP: [&str; 5] = ["title", "text", "board", "defaults", "row"];

/// The keys of the top that are text.
#[derive(Debug, Default, Deserialize)]
struct Top {
    title: Option<String>,
    text: Option<String>,
    board: Option<String>,
}

impl Spec {
    /// Reads the file at `path`.
    pub fn load(path: &Path) -> Result<Self, SpecError> {
        let text = std::fs::read_to_string(path).map_err(|source| SpecError::Read {
            path: path.to_owned(),
            source,
        })?;
        Spec::parse(&text, path)
    }

    /// The sweep in `text`; `path` is for the errors and to be told.
    pub fn parse(text: &str, path: &Path) -> Result<Self, SpecError> {
        let file = File {
            text,
            name: path.display().to_string(),
        };
        let document = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            file.error(at, Problem::Toml(one_line(error.message())))
        })?;
        let mut top = Table::new();
        let mut defaults = Table::new();
        let mut rows: Vec<Row> = Vec::new();
        let mut board_at = 0;
        // Whatever their order in the file: rows need the defaults.
        let entries = || document.get_ref().iter();
        for (key, value) in entries() {
            let at = key.span().start;
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("defaults", DeValue::Table(table)) => {
                    defaults = file.row_table(table)?;
                    for own in ["name", "note"] {
                        if defaults.contains_key(own) {
                            return Err(file.error(at, Problem::NotShared(own)));
                        }
                    }
                }
                ("row", DeValue::Array(_)) => (),
                ("defaults", _) => return Err(file.expected(at, "defaults", "[defaults]")),
                ("row", _) => return Err(file.expected(at, "row", "[[row]]")),
                (known, _) if TOP.contains(&known) => {
                    if known == "board" {
                        board_at = at;
                    }
                    let (_, one) = file.one::<Top>(key.span(), known, value)?;
                    top.extend(one);
                }
                (unknown, _) => {
                    let known = TOP.map(str::to_owned);
                    return Err(file.unknown(at, unknown, &known));
                }
            }
        }
        for (_, value) in entries().filter(|(key, _)| key.get_ref() == "row") {
            for row in value.get_ref().as_array().into_iter().flatten() {
                let at = row.span().start;
                let DeValue::Table(table) = row.get_ref() else {
                    return Err(file.expected(at, "row", "[[row]]"));
                };
                let mut merged = defaults.clone();
                merged.extend(file.row_table(table)?);
                let row = file.row(at, merged)?;
                if rows.iter().any(|before| before.name == row.name) {
                    return Err(file.error(at, Problem::SameName(row.name)));
                }
                rows.push(row);
            }
        }
        if rows.is_empty() {
            return Err(file.error(0, Problem::NoRow));
        }
        let top: Top = top.try_into().expect("each key was read on its own");
        let board = Board::find(top.board.as_deref().unwrap_or(USUAL_BOARD));
        Ok(Spec {
            path: path.to_owned(),
            title: top
                .title
                .ok_or_else(|| file.error(0, Problem::Missing("title")))?,
            text: top.text,
            board: board.map_err(|error| file.error(board_at, error.into()))?,
            rows,
        })
    }

    /// An error in the row at `line`, found when it was held against its data.
    pub(super) fn row_error(&self, line: usize, problem: Problem) -> SpecError {
        SpecError::Line {
            file: self.path.display().to_string(),
            line,
            problem: Box::new(problem),
        }
    }
}

/// The text, to tell lines and to read parts of it again.
struct File<'a> {
    text: &'a str,
    name: String,
}

impl File<'_> {
    /// The line, from 1, of a byte.
    fn line(&self, at: usize) -> usize {
        let before = self.text.bytes().take(at);
        1 + before.filter(|&byte| byte == b'\n').count()
    }

    fn error(&self, at: usize, problem: Problem) -> SpecError {
        SpecError::Line {
            file: self.name.clone(),
            line: self.line(at),
            problem: Box::new(problem),
        }
    }

    fn expected(&self, at: usize, key: &str, expected: &str) -> SpecError {
        let message = format!("`{key}` is a table: write {expected}");
        self.error(at, Problem::Toml(message))
    }

    fn unknown(&self, at: usize, key: &str, known: &[String]) -> SpecError {
        let like = |name: &String| strsim::jaro_winkler(key, name);
        let nearest = known.iter().max_by(|a, b| like(a).total_cmp(&like(b)));
        let problem = Problem::UnknownKey {
            key: key.to_owned(),
            suggestion: nearest.filter(|name| like(name) > LIKE).cloned(),
        };
        self.error(at, problem)
    }

    /// Reads one key and its value as a `T`, so that an error is that of this line. Also as a table.
    fn one<T: DeserializeOwned>(
        &self,
        key_at: Range<usize>,
        key: &str,
        value: &Spanned<DeValue>,
    ) -> Result<(T, Table), SpecError> {
        let text = format!("{key} = {}", &self.text[value.span()]);
        let failed = |error: toml::de::Error| {
            let message = format!("{key}: {}", one_line(error.message()));
            self.error(key_at.start, Problem::Toml(message))
        };
        let read = toml::from_str(&text).map_err(failed)?;
        Ok((read, toml::from_str(&text).map_err(failed)?))
    }

    /// The keys and values of a row or of the defaults, each checked on its own.
    fn row_table(&self, table: &DeTable) -> Result<Table, SpecError> {
        let choices = Choices::names();
        let mut all = Table::new();
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            let one = if KEYS.contains(&name) {
                self.one::<Keys>(key.span(), name, value)?.1
            } else if choices.iter().any(|known| known == name) {
                self.one::<Choices>(key.span(), name, value)?.1
            } else {
                let known = [&choices[..], &KEYS.map(str::to_owned)].concat();
                return Err(self.unknown(key.span().start, name, &known));
            };
            all.extend(one);
        }
        Ok(all)
    }

    /// The row of keys that are each right.
    fn row(&self, at: usize, mut table: Table) -> Result<Row, SpecError> {
        let keys: Table = (KEYS.iter())
            .filter_map(|&key| Some((key.to_owned(), table.remove(key)?)))
            .collect();
        let keys: Keys = keys.try_into().expect("each key was read on its own");
        let choices = table.try_into().expect("each key was read on its own");
        let missing = |key| self.error(at, Problem::Missing(key));
        let name = keys.name.ok_or_else(|| missing("name"))?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
            return Err(self.error(at, Problem::Name(name)));
        }
        let seeds = keys.seeds.ok_or_else(|| missing("seeds"))?;
        let mut sorted = seeds.clone();
        sorted.sort_unstable();
        sorted.dedup();
        if seeds.is_empty() || sorted.len() < seeds.len() {
            return Err(self.error(at, Problem::Seeds));
        }
        Ok(Row {
            name,
            note: keys.note,
            dataset: keys.dataset.ok_or_else(|| missing("dataset"))?,
            layers: keys.layers.ok_or_else(|| missing("layers"))?,
            steps: keys.steps,
            seeds,
            choices,
            line: self.line(at),
        })
    }
}

fn one_line(message: &str) -> String {
    message.trim().replace('\n', ", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Named;

    const GOOD: &str = r#"title = "Digits"
board = "icebreaker"

[[row]]
name = "fast"
note = "decides early"
patience = 0.5

[[row]]
name = "slow"
layers = [64, 20, 10]
rule = "bs4nn"
seeds = [7]

[defaults]
dataset = "digits"
layers = [64, 32, 10]
steps = 8
seeds = [1, 2]
epochs = 2
"#;

    fn parse(text: &str) -> Result<Spec, SpecError> {
        Spec::parse(text, Path::new("s.toml"))
    }

    #[test]
    fn rows_take_the_defaults_unless_they_say_otherwise() {
        let spec = parse(GOOD).unwrap();
        assert_eq!((spec.title.as_str(), spec.text), ("Digits", None));
        let [fast, slow] = &spec.rows[..] else {
            panic!("two rows");
        };
        assert_eq!((&fast.name[..], fast.line), ("fast", 4));
        assert_eq!(fast.note.as_deref(), Some("decides early"));
        assert_eq!(
            (&fast.layers[..], &fast.seeds[..]),
            (&[64, 32, 10][..], &[1, 2][..])
        );
        assert_eq!(
            (fast.choices.patience, fast.choices.epochs),
            (Some(0.5), Some(2))
        );
        assert_eq!(
            (&slow.layers[..], &slow.seeds[..]),
            (&[64, 20, 10][..], &[7][..])
        );
        assert_eq!(
            (slow.steps, slow.choices.rule),
            (Some(8), Some(Named::Bs4nn))
        );
        assert_eq!((slow.choices.patience, slow.line), (None, 9));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let refused = |from: &str, to: &str, line: usize, says: &str| {
            assert!(GOOD.contains(from));
            let error = parse(&GOOD.replacen(from, to, 1)).unwrap_err().to_string();
            let start = format!("s.toml, line {line}: ");
            assert!(error.starts_with(&start) && error.contains(says), "{error}");
        };
        refused(
            "title = ",
            "titel = ",
            1,
            "no key `titel`, did you mean `title`?",
        );
        refused("title = \"Digits\"\n", "", 1, "`title` is missing");
        refused("\"Digits\"", "5", 1, "title: invalid type");
        refused("\"icebreaker\"", "\"icebraker\"", 2, "icebreaker");
        refused("patience", "patients", 7, "did you mean `patience`?");
        refused("patience", "stride", 7, "no key `stride`;");
        refused("0.5", "\"much\"", 7, "patience: invalid type");
        refused(
            "\"bs4nn\"",
            "\"stdp\"",
            12,
            "unknown variant `stdp`, expected one of `margins`",
        );
        refused("epochs = 2", "epochs = -2", 20, "epochs: invalid value");
        refused("epochs = 2", "epochs = ", 20, "");
        refused("[64, 20, 10]", "[64, -1]", 11, "layers: invalid value");
        refused(
            "\"slow\"",
            "\"fast\"",
            9,
            "a row before is called `fast` too",
        );
        refused(
            "\"slow\"",
            "\"a/b\"",
            9,
            "the name `a/b` goes into file names",
        );
        refused("\"slow\"", "\".slow\"", 9, "no `.` first");
        refused("seeds = [7]", "seeds = [7, 7]", 9, "each only once");
        refused("seeds = [7]", "seeds = []", 9, "at least one");
        refused("dataset = \"digits\"", "", 4, "`dataset` is missing");
        refused(
            "steps = 8",
            "name = \"x\"",
            15,
            "`name` cannot be in [defaults]",
        );
        refused("[defaults]", "[[defaults]]", 15, "write [defaults]");
        refused("[defaults]", "[default]", 15, "did you mean `defaults`?");
        let no_row = parse("title = \"none\"").unwrap_err().to_string();
        assert!(no_row.contains("there is no [[row]]"), "{no_row}");
        let one = parse("title = \"one\"\n[row]\nname = \"x\"")
            .unwrap_err()
            .to_string();
        assert!(one.contains("line 2") && one.contains("[[row]]"), "{one}");
    }

    #[test]
    fn every_key_of_a_row_is_listed() {
        // A key that is read but not listed would be refused, and the reverse would not be read.
        for key in KEYS {
            let error = toml::from_str::<Keys>(&format!("{key} = {{}}")).unwrap_err();
            assert!(error.message().contains("invalid type"), "{key}: {error}");
        }
    }
}
