//! The command line: one module a command, each with its arguments and a `run`.

mod backend;
mod bench;
mod board;
mod boards;
mod build;
mod completions;
mod data;
mod deploy;
mod doctor;
mod eval;
mod examples;
mod explore;
mod generate;
mod infer;
mod interrupt;
mod outputs;
mod port;
mod report;
mod sizes;
mod sweep;
mod train;
mod ui;

use crate::dataset::{self, Dataset, DatasetError};
use crate::model_file::ModelFile;
use crate::text::quoted;
use anyhow::{bail, Result};
use clap::builder::RangedI64ValueParser;
use clap::{value_parser, Parser, Subcommand};
use std::env;
use std::path::Path;
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
#[command(name = "firstspike", version, arg_required_else_help = true, after_help = examples::ALL)]
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
    #[command(after_help = examples::DATA)]
    Data(data::Args),
    /// Train a network and write its model file
    #[command(after_help = examples::TRAIN)]
    Train(train::Args),
    /// Train and measure many networks, as one file lists them, and make a table of the results
    #[command(after_help = examples::SWEEP)]
    Sweep(sweep::Args),
    /// Measure a model on a data set: golden reference, cycle model, Verilog or board
    #[command(after_help = examples::EVAL)]
    Eval(eval::Args),
    /// Write a page with the figures and pictures of a model, as one HTML file
    #[command(after_help = examples::REPORT)]
    Report(report::Args),
    /// List the boards, and what each of them holds
    #[command(after_help = examples::BOARDS)]
    Boards(boards::Args),
    /// Write the Verilog of a board's core
    #[command(after_help = examples::GENERATE)]
    Generate(generate::Args),
    /// Synthesise, place and route: from Verilog to a bitstream (--board all: for every board)
    #[command(after_help = examples::BUILD)]
    Build(build::Args),
    /// Compare the cores that could run a network on a board: area, clock, cycles
    #[command(after_help = examples::EXPLORE)]
    Explore(explore::Args),
    /// Run a virtual board behind a pseudo-terminal
    #[command(after_help = examples::BOARD)]
    Board(board::Args),
    /// Load a model into a board and arm it
    #[command(after_help = examples::DEPLOY)]
    Deploy(deploy::Args),
    /// Classify samples on a board
    #[command(after_help = examples::INFER)]
    Infer(infer::Args),
    /// Measure the speed of a board and its link
    #[command(after_help = examples::BENCH)]
    Bench(bench::Args),
    /// Say which tools are there, and what is missing for which command
    #[command(after_help = examples::DOCTOR)]
    Doctor(doctor::Args),
    /// Print what makes a shell complete this command, its options and their values
    #[command(after_help = examples::COMPLETIONS)]
    Completions(completions::Args),
}

impl Cli {
    /// Reads the arguments of this process and runs their command.
    pub fn start() -> ExitCode {
        match Cli::try_parse() {
            Ok(cli) => cli.run(),
            Err(error) => {
                let is_error = error.use_stderr();
                if is_error && env::args_os().any(|argument| argument == "--json") {
                    let text = error.render().to_string();
                    let text = text.trim().trim_start_matches("error: ");
                    Ui::new(true).result(&serde_json::json!({ "error": text }), "");
                }
                // Nobody may want to read it.
                error.print().ok();
                ExitCode::from(if is_error { 2 } else { 0 })
            }
        }
    }

    /// Runs the command. An error is one line on standard error and exit status 1.
    pub fn run(self) -> ExitCode {
        let ui = Ui::new(self.json);
        let result = interrupt::listen().and_then(|()| self.command.run(&ui));
        let result = result.and_then(|()| ui.check());
        if let Err(error) = &result {
            ui.error(error);
        }
        match (interrupt::exit_status(), result) {
            (Some(status), _) => status.into(),
            (None, Ok(())) => ExitCode::SUCCESS,
            (None, Err(_)) => ExitCode::FAILURE,
        }
    }
}

impl Command {
    fn run(self, ui: &Ui) -> Result<()> {
        match self {
            Command::Data(args) => data::run(args, ui),
            Command::Train(args) => train::run(args, ui),
            Command::Sweep(args) => sweep::run(args, ui),
            Command::Eval(args) => eval::run(args, ui),
            Command::Report(args) => report::run(args, ui),
            Command::Boards(args) => boards::run(args, ui),
            Command::Generate(args) => generate::run(args, ui),
            Command::Build(args) => build::run(args, ui),
            Command::Explore(args) => explore::run(args, ui),
            Command::Board(args) => board::run(args, ui),
            Command::Deploy(args) => deploy::run(args, ui),
            Command::Infer(args) => infer::run(args, ui),
            Command::Bench(args) => bench::run(args, ui),
            Command::Doctor(args) => doctor::run(args, ui),
            Command::Completions(args) => completions::run(args, ui),
        }
    }
}

/// More threads than this help nobody.
const MAX_THREADS: i64 = 256;

/// Reads a number of threads.
fn threads_parser() -> RangedI64ValueParser<u16> {
    value_parser!(u16).range(1..=MAX_THREADS)
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

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Arg, CommandFactory};

    /// All commands, those within others too.
    fn commands() -> Vec<clap::Command> {
        let mut commands = vec![Cli::command()];
        let mut at = 0;
        while at < commands.len() {
            let inner: Vec<clap::Command> = commands[at].get_subcommands().cloned().collect();
            commands.extend(inner);
            at += 1;
        }
        commands
    }

    #[test]
    fn every_help_ends_with_examples_that_can_be_typed() {
        Cli::command().debug_assert();
        for command in commands() {
            let name = command.get_name();
            let help = command.get_after_help().map(ToString::to_string);
            let help = help.unwrap_or_else(|| panic!("{name} has no examples"));
            assert!(help.starts_with("Examples:\n"), "{help}");
            let lines = help.lines().map(str::trim);
            let typed: Vec<&str> = lines
                .filter(|line| line.starts_with("firstspike "))
                .collect();
            assert!(!typed.is_empty(), "{help}");
            for line in typed {
                let line = line.split(" > ").next().unwrap_or(line);
                let parsed = Cli::try_parse_from(line.split_whitespace());
                let is_fine = parsed
                    .as_ref()
                    .err()
                    .is_none_or(|error| !error.use_stderr());
                assert!(is_fine, "{line}: {}", parsed.unwrap_err());
            }
        }
    }

    #[test]
    fn every_help_tells_the_defaults() {
        let takes_value = |arg: &&Arg| arg.get_action().takes_values() && !arg.is_required_set();
        for command in commands() {
            for arg in command.get_arguments().filter(takes_value) {
                let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
                assert!(
                    help.contains("[default: ") || !arg.get_default_values().is_empty(),
                    "{} {}: {help}",
                    command.get_name(),
                    arg.get_id()
                );
            }
        }
    }
}
