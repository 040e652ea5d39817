//! The files that a command writes: looked at before the work begins, so that none takes the place of what is
//! somebody's, and written so that what took long to make is not lost.

use super::Ui;
use crate::files::{folder_of, is_same_file, rescue, Kind, Target};
use anyhow::{bail, Context, Error, Result};
use std::env;
use std::path::{absolute, Path, PathBuf};

/// Whether files may be replaced that somebody else wrote.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub struct Force {
    /// Replace files that are there, even those that firstspike did not write
    #[arg(long)]
    pub force: bool,
}

/// All files that a command reads and writes.
pub struct Outputs<'a> {
    ui: &'a Ui,
    force: bool,
    inputs: Vec<PathBuf>,
    /// The paths as they were given, and where they lead.
    outputs: Vec<(PathBuf, PathBuf)>,
}

impl<'a> Outputs<'a> {
    pub fn new(force: Force, ui: &'a Ui) -> Self {
        Outputs {
            ui,
            force: force.force,
            inputs: Vec::new(),
            outputs: Vec::new(),
        }
    }

    /// The command reads this file, or files in this folder. A name that is none of a file does no harm.
    pub fn reads(&mut self, path: impl AsRef<Path>) {
        self.inputs.push(path.as_ref().to_owned());
    }

    /// The command reads this board, if it is a file: the pin file too.
    pub fn reads_board(&mut self, name: &str, board: &firmware_model::board::Board) {
        let path = Path::new(name);
        if path.is_file() {
            self.reads(path);
            self.reads(path.with_file_name(&board.constraints));
        }
    }

    /// The command writes a file of `kind` to `path`. It may be of some `length` in bytes: whether there is room for
    /// that is tried.
    ///
    /// # Errors
    /// Where nothing can be written there, or what is there would be lost.
    pub fn writes(&mut self, path: &Path, kind: Kind, length: u64) -> Result<Output> {
        let output = Output {
            path: path.to_owned(),
            kind,
            force: self.force,
        };
        let target = output.target()?;
        if matches!(target, Target::Output) {
            self.ui.leave_standard_output()?;
        }
        if let Target::File { path: leads_to, .. } = &target {
            let folder = folder_of(leads_to);
            if !folder.is_dir() {
                bail!(
                    "cannot write {}; check that its folder is there: {} does not exist",
                    path.display(),
                    folder.display()
                );
            }
            self.check_inputs(path, leads_to, &target, kind)?;
            // `./m.fsp` is `m.fsp`.
            let place = absolute(leads_to)?;
            let is_twice =
                |(_, before): &(PathBuf, PathBuf)| *before == place || is_same_file(before, &place);
            if let Some((before, _)) = self.outputs.iter().find(|before| is_twice(before)) {
                bail!(
                    "{} is to be written twice{}: give the files names of their own",
                    path.display(),
                    match before == path {
                        true => String::new(),
                        false => format!(", also as {}", before.display()),
                    }
                );
            }
            self.outputs.push((path.to_owned(), place));
            output.check_ours(&target)?;
            (target.try_out(length)).map_err(|error| output.error(error))?;
        }
        Ok(output)
    }

    /// An input must not be written over, whatever is asked for.
    fn check_inputs(&self, path: &Path, leads_to: &Path, there: &Target, kind: Kind) -> Result<()> {
        for input in &self.inputs {
            let is_in = || there.is_taken() && !there.is_one(kind) && is_inside(leads_to, input);
            if is_same_file(leads_to, input) || is_in() {
                bail!(
                    "{} would take the place of {}, which is read: give another name",
                    path.display(),
                    input.display()
                );
            }
        }
        Ok(())
    }
}

/// Whether the file at `path` is in `folder`, or in one in it.
fn is_inside(path: &Path, folder: &Path) -> bool {
    match (path.canonicalize(), folder.canonicalize()) {
        (Ok(path), Ok(folder)) => folder.is_dir() && path.starts_with(folder),
        _ => false,
    }
}

/// A file that a command writes.
#[derive(Debug)]
pub struct Output {
    path: PathBuf,
    kind: Kind,
    force: bool,
}

impl Output {
    /// The path, as it was given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is a file in a folder, rather than a device or a pipe.
    pub fn is_file(&self) -> bool {
        matches!(Target::of(&self.path), Ok(Target::File { .. }))
    }

    fn target(&self) -> Result<Target> {
        Target::of(&self.path).map_err(|error| self.error(error))
    }

    fn error(&self, error: std::io::Error) -> Error {
        let path = self.path.display();
        Error::new(error).context(format!(
            "cannot write {path}; check the name, that its folder may be written to and that the disk has room"
        ))
    }

    /// What is there must be nothing, or a file of the same kind that this program wrote.
    fn check_ours(&self, target: &Target) -> Result<()> {
        if target.is_taken() && !self.force && !target.is_one(self.kind) {
            bail!(
                "{} is there, and is not {} that firstspike wrote: give another name, or --force to replace it",
                self.path.display(),
                self.kind.name
            );
        }
        Ok(())
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// Also where something has come to the place meanwhile that would be lost.
    pub fn write(&self, bytes: &[u8]) -> Result<()> {
        let target = self.target()?;
        self.check_ours(&target)?;
        target.write(bytes).map_err(|error| self.error(error))
    }

    /// Writes the file, or where that fails another one, in the same folder or elsewhere. The path that it has come to,
    /// and the error where it is another one than asked for.
    ///
    /// # Errors
    /// When no folder takes it.
    pub fn write_or_rescue(&self, bytes: &[u8]) -> Result<(PathBuf, Option<Error>)> {
        let Err(error) = self.write(bytes) else {
            return Ok((self.path.clone(), None));
        };
        let beside = self.is_file().then(|| folder_of(&self.path).to_owned());
        let home = env::var_os("HOME").map(PathBuf::from);
        let folders = [beside, Some(".".into()), home, Some(env::temp_dir())];
        let folders: Vec<PathBuf> = folders.into_iter().flatten().collect();
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let kind = self.kind.name;
        match rescue(&name, self.kind.suffix, bytes, &folders) {
            Some(path) => {
                let path = path.strip_prefix(".").map(Path::to_owned).unwrap_or(path);
                let error = format!("{error:#}; {kind} is kept as {} instead", path.display());
                Ok((path, Some(Error::msg(error))))
            }
            None => Err(error).with_context(|| {
                format!("{kind} is lost, for no folder takes it, not even the temporary one")
            }),
        }
    }
}
