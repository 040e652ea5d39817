//! The command line: one module a command, each with its arguments and a `run`.

mod backend;
mod bench;
mod board;
mod boards;
mod build;
mod data;
mod deploy;
mod doctor;
mod eval;
mod explore;
mod generate;
mod infer;
mod interrupt;
mod port;
mod report;
mod sizes;
mod sweep;
mod train;
mod ui;

use crate::dataset::{self, Dataset, DatasetError};
use crate::model_file::ModelFile;
use crate::text::quoted;
use anyhow::{bail, ensure, Result};
use clap::{Parser, Subcommand};
use std::collections::BTreeSet;
use std::path::{absolute, Path};
use std::process::ExitCode;
pub use ui::Ui;

/// What `--dataset` takes, for a help text.
pub fn dataset_help() -> String {
    format!(
        "A name ({}), a folder (of IDX files, SHD files or pictures) or an .npz file",
        dataset::NAMES.join(", ")
    )
}

/// Spiking neural networks for small FPGAs: train, generate Verilog, deploy, infer.
#[derive(Debug, Parser)]
#[command(name = "firstspike", version, arg_required_else_help = true)]
pub struct Cli {
    /// Print one JSON object on standard output and nothing else there
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Fetch a data set into the cache, or say what is in one
    Data(data::Args),
    /// Train a network and write its model file
    Train(train::Args),
    /// Train and measure many networks, as one file lists them, and make a table of the results
    Sweep(sweep::Args),
    /// Measure a model on a data set: golden reference, cycle model, Verilog or board
    Eval(eval::Args),
    /// Write a page with the figures and pictures of a model, as one HTML file
    Report(report::Args),
    /// List the boards, and what each of them holds
    Boards(boards::Args),
    /// Write the Verilog of a board's core
    Generate(generate::Args),
    /// Synthesise, place and route: from Verilog to a bitstream (--board all: for every board)
    Build(build::Args),
    /// Compare the cores that could run a network on a board: area, clock, cycles
    Explore(explore::Args),
    /// Run a virtual board behind a pseudo-terminal
    Board(board::Args),
    /// Load a model into a board and arm it
    Deploy(deploy::Args),
    /// Classify samples on a board
    Infer(infer::Args),
    /// Measure the speed of a board and its link
    Bench(bench::Args),
    /// Say which tools are there, and what is missing for which command
    Doctor(doctor::Args),
}

impl Cli {
    /// Runs the command. An error is one line on standard error and exit status 1.
    pub fn run(self) -> ExitCode {
        let ui = Ui::new(self.json);
        let result = match self.command {
            Command::Data(args) => data::run(args, &ui),
            Command::Train(args) => train::run(args, &ui),
            Command::Sweep(args) => sweep::run(args, &ui),
            Command::Eval(args) => eval::run(args, &ui),
            Command::Report(args) => report::run(args, &ui),
            Command::Boards(args) => boards::run(args, &ui),
            Command::Generate(args) => generate::run(args, &ui),
            Command::Build(args) => build::run(args, &ui),
            Command::Explore(args) => explore::run(args, &ui),
            Command::Board(args) => board::run(args, &ui),
            Command::Deploy(args) => deploy::run(args, &ui),
            Command::Infer(args) => infer::run(args, &ui),
            Command::Bench(args) => bench::run(args, &ui),
            Command::Doctor(args) => doctor::run(args, &ui),
        };
        match result {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error:#}");
                ExitCode::FAILURE
            }
        }
    }
}

/// Loads a data set to train on, and warns of what is to be said about it; a spinner shows where that takes long.
fn load_dataset(name: &str, ui: &Ui) -> Result<Dataset, DatasetError> {
    say_if_shadowed(name, ui);
    let data = ui.waiting(&format!("reading {name}"), || dataset::load(name))?;
    for note in &data.notes {
        ui.warn(note);
    }
    Ok(data)
}

/// Warns of what will train badly, and adds it to what is to be said about the data set.
fn warn_of_concerns(data: &mut Dataset, steps: usize, ui: &Ui) {
    let concerns = data.concerns(steps);
    for note in &concerns {
        ui.warn(note);
    }
    data.notes.extend(concerns);
}

/// The names of the classes, or their numbers where they have none, for JSON.
fn class_names_of(data: &Dataset) -> Vec<String> {
    (0..data.classes)
        .map(|class| data.class_name(class))
        .collect()
}

/// What there is to be said about a data set, for JSON.
fn notes_of(data: &Dataset) -> Vec<String> {
    data.notes.iter().map(ToString::to_string).collect()
}

/// Loads the data set that is asked for, converted for the model of the file `path`; the one that it was trained on
/// where none is asked for.
///
/// What is not as it was when the model was trained is said.
fn load_for_model(path: &Path, model: &ModelFile, asked: Option<&str>, ui: &Ui) -> Result<Dataset> {
    let name = asked.unwrap_or(&model.dataset);
    say_if_shadowed(name, ui);
    let spec = model.input_spec();
    let data = ui.waiting(&format!("reading {name}"), || {
        dataset::load_for(name, &spec)
    });
    let data = match (data, asked) {
        (Err(error @ (DatasetError::NoSuchPath(_) | DatasetError::UnknownName { .. })), None) => {
            let path = path.display();
            let where_is = format!("{path} was trained on {name}: give its place by --dataset");
            return Err(anyhow::Error::new(error).context(where_is));
        }
        (data, _) => data?,
    };
    if let Some(before) = &spec.train_sha256 {
        let now = data.train_sha256();
        match (*before == now, asked) {
            (true, _) => (),
            (false, None) => bail!(
                "{name} is not what {} was trained on (SHA-256 of its training images {}, of the model's {}): give the \
                 place of the right one by --dataset, or measure on this one with --dataset {}",
                path.display(),
                &now[..8],
                &before[..8],
                quoted(name)
            ),
            (false, Some(_)) => ui.remark(format!(
                "{name} is not the data that {} was trained on ({})",
                path.display(),
                model.dataset
            )),
        }
    }
    say_what_is_lacking(path, model, ui);
    for note in &data.notes {
        ui.warn(note);
    }
    Ok(data)
}

/// Says what a model file of an older format does not, so that it is taken from the data.
fn say_what_is_lacking(path: &Path, model: &ModelFile, ui: &Ui) {
    if model.input.is_none() {
        ui.remark(format!(
            "{} does not say what its classes are called, whether its pictures were inverted, and which data it \
             was trained on, as newer model files do: so this is not checked",
            path.display()
        ));
    }
}

/// Says which is taken where a data set of this name and a file or folder of the user's could both be meant.
fn say_if_shadowed(name: &str, ui: &Ui) {
    if dataset::NAMES.contains(&name) && Path::new(name).exists() {
        ui.remark(format!(
            "{name} is the data set of that name, not what is in this folder: give ./{name} for that"
        ));
    }
}

/// What takes long should know before it begins that its results can be written to `paths`.
fn check_outputs<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Result<()> {
    let mut before = BTreeSet::new();
    for path in paths {
        check_output(path)?;
        // `./m.fsp` is `m.fsp`.
        ensure!(
            before.insert(absolute(path)?),
            "{} is to be written twice: give the files names of their own",
            path.display()
        );
    }
    Ok(())
}

fn check_output(path: &Path) -> Result<()> {
    ensure!(
        !path.is_dir(),
        "cannot write {}; check the name: it is a folder, and a file is wanted",
        path.display()
    );
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    match folder {
        Some(folder) if !folder.is_dir() => bail!(
            "cannot write {}; check that its folder is there: {} does not exist",
            path.display(),
            folder.display()
        ),
        _ => Ok(()),
    }
}
