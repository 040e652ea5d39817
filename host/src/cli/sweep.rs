use super::outputs::{Force, Output, Outputs};
use super::{interrupt, load_dataset, Ui, MAX_THREADS};
use crate::files::{is_same_file, read_whole};
use crate::model_file::MODEL;
use crate::sweep::hq::HyperQueue;
use crate::sweep::{
    local, table, Begun, EngineError, Filter, Plan, Record, Spec, Task, Update, RECORD,
};
use crate::toolchain::Toolbox;
use crate::train::{KeptRun, CHECKPOINT};
use anyhow::{bail, ensure, Context, Result};
use clap::ValueEnum;
use indicatif::ProgressBar;
use serde_json::{json, Value};
use std::fs::create_dir_all;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::available_parallelism;

/// What runs the tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Engine {
    /// This machine
    Local,
    /// HyperQueue: the machines of a cluster
    Hq,
}

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The sweep's file: what docs/sweeps.md describes
    spec: PathBuf,
    /// The folder of the results and models [default: the file's name without .toml]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// How many tasks at once, each on one thread [default: one a core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=MAX_THREADS))]
    jobs: Option<u16>,
    /// What runs the tasks
    #[arg(long, value_enum, default_value_t = Engine::Local)]
    engine: Engine,
    /// Only this row [default: all]
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Only this seed [default: all]
    #[arg(long)]
    seed: Option<u64>,
    /// Say how far each task is, and do nothing
    #[arg(long)]
    list: bool,
    /// Only write the tables of the results that are there
    #[arg(long, conflicts_with = "list")]
    table: bool,
    /// Write no tables: for one of several that run the same sweep
    #[arg(long, hide = true, conflicts_with = "table")]
    no_table: bool,
    #[command(flatten)]
    force: Force,
}

pub fn run(args: Args, ui: &Ui) -> Result<()> {
    let spec = Spec::load(&args.spec)?;
    let filter = Filter {
        row: args.only.clone(),
        seed: args.seed,
    };
    check_filter(&spec, &filter)?;
    let folder = match &args.out {
        Some(folder) => folder.clone(),
        None => default_folder(&args.spec)?,
    };
    if args.out.is_none() && !args.force.force {
        check_default(&folder, &args.spec)?;
    }
    // The tables are of all rows, whatever is run now.
    let planned = match args.no_table {
        true => filter.clone(),
        false => Filter::default(),
    };
    let plan = Plan::new(spec, &folder, &planned, &mut |name| load_dataset(name, ui))?;
    let chosen: Vec<&Task> = (plan.tasks.iter())
        .filter(|task| filter.takes(&task.row.name, task.seed()))
        .collect();
    if args.list {
        list(&folder, &chosen, ui);
        return Ok(());
    }
    let missing: Vec<Task> = (chosen.iter())
        .filter(|task| !args.table && !matches!(task.begun(), Begun::Done(_)))
        .map(|&task| task.clone())
        .collect();
    create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let tables = check_files(&args, &folder, &missing, ui)?;
    let stop = interrupt::flag();
    let ran = run_tasks(&args, &folder, &missing, stop, ui);
    // Also when it was stopped, or the engine failed: of what is there.
    let tables = write_tables(&plan, &tables);
    let ran = ran?;
    let tables = tables?;
    let there = chosen.len() - missing.len();
    let value = json!({
        "folder": folder,
        "tasks": chosen.len(),
        "were_done": there,
        "done": ran.done,
        "failed": ran.failed.iter().map(Failed::describe).collect::<Vec<_>>(),
        "files": tables,
    });
    if stop.load(Ordering::SeqCst) {
        bail!(
            "interrupted, with {} of {} tasks done; the same command goes on with the rest",
            there + ran.done,
            chosen.len()
        );
    }
    let mut text = match args.table {
        true => String::new(),
        false => format!(
            "{} tasks: {there} were done before, {} are done now, {} failed\n",
            chosen.len(),
            ran.done,
            ran.failed.len()
        ),
    };
    if !tables.is_empty() {
        let files: Vec<String> = tables.iter().map(|f| f.display().to_string()).collect();
        text += &format!("written: {}", files.join(", "));
    }
    ui.result(&value, text);
    if !ran.failed.is_empty() {
        let reasons: Vec<String> = (ran.failed.iter())
            .map(|failed| format!("{} seed {}: {}", failed.row, failed.seed, failed.reason))
            .collect();
        bail!(
            "{} of {} tasks failed: {}",
            reasons.len(),
            chosen.len(),
            reasons.join("; ")
        );
    }
    Ok(())
}

/// What came of the tasks that were run.
#[derive(Debug, Default)]
struct Ran {
    done: usize,
    failed: Vec<Failed>,
}

/// A task without a result, and why in one sentence.
#[derive(Debug)]
struct Failed {
    row: String,
    seed: u64,
    reason: String,
}

impl Failed {
    fn describe(&self) -> Value {
        json!({ "row": self.row, "seed": self.seed, "error": self.reason })
    }
}

fn run_tasks(
    args: &Args,
    folder: &Path,
    tasks: &[Task],
    stop: &AtomicBool,
    ui: &Ui,
) -> Result<Ran> {
    if tasks.is_empty() {
        return Ok(Ran::default());
    }
    let mut watched = Watched {
        done: vec![0; tasks.len()],
        bar: ui.share_bar(tasks.iter().map(Task::work).sum(), "sweep"),
        ran: Ran::default(),
        tasks,
        ui,
    };
    watched.message();
    let mut tell = |update: Update| watched.see(update);
    let result = match args.engine {
        Engine::Local => {
            let cores = || available_parallelism().map_or(1, Into::into);
            let jobs = args.jobs.map_or_else(cores, usize::from);
            local::run(tasks, jobs, stop, &mut tell).map_err(Into::into)
        }
        Engine::Hq => {
            hyper_queue(args, folder).and_then(|queue| Ok(queue.run(tasks, stop, &mut tell)?))
        }
    };
    watched.bar.finish_and_clear();
    result.map(|()| watched.ran)
}

/// The HyperQueue of this machine, and the paths that its workers need.
fn hyper_queue(args: &Args, folder: &Path) -> Result<HyperQueue> {
    let absolute = |path: &Path| {
        std::path::absolute(path).with_context(|| format!("cannot tell where {path:?} is"))
    };
    let program = std::env::current_exe().context("cannot tell where this program is")?;
    Ok(HyperQueue {
        hq: (Toolbox::discover()?.program("hq")).ok_or(EngineError::NoHq)?,
        firstspike: program,
        spec: absolute(&args.spec)?,
        folder: absolute(folder)?,
        force: args.force.force,
    })
}

/// Who looks on: one bar over all tasks, a line for each that is over.
///
/// No figure of the test images is shown: who watches and chooses, chooses on the held-out ones.
struct Watched<'a> {
    bar: ProgressBar,
    tasks: &'a [Task],
    /// The work that each has done.
    done: Vec<u64>,
    ran: Ran,
    ui: &'a Ui,
}

impl Watched<'_> {
    fn see(&mut self, update: Update) {
        match update {
            Update::Work { task, done } => self.work(task, done),
            Update::Note { task, text } => self.line(task, &text),
            Update::Ended { task, result } => {
                self.work(task, self.tasks[task].work());
                match result {
                    Ok(record) => {
                        self.ran.done += 1;
                        self.line(task, &summary(&record));
                    }
                    Err(reason) => {
                        self.line(task, &format!("failed: {reason}"));
                        self.ran.failed.push(Failed {
                            row: self.tasks[task].row.name.clone(),
                            seed: self.tasks[task].seed(),
                            reason,
                        });
                    }
                }
                self.message();
            }
        }
    }

    fn work(&mut self, task: usize, done: u64) {
        self.done[task] = done;
        self.bar.set_position(self.done.iter().sum());
    }

    fn message(&self) {
        let over = self.ran.done + self.ran.failed.len();
        self.bar
            .set_message(format!("{over} of {} tasks", self.tasks.len()));
    }

    fn line(&self, task: usize, text: &str) {
        let task = &self.tasks[task];
        let line = format!("{} seed {}: {text}", task.row.name, task.seed());
        self.bar.suspend(|| self.ui.note(line));
    }
}

fn summary(record: &Record) -> String {
    let training = &record.training;
    let seconds = training
        .seconds
        .map(|seconds| format!(", in {seconds:.1} s"));
    let held_out = training
        .validation_accuracy
        .zip(training.validation_decision_step_mean)
        .map_or("nothing held out".to_owned(), |(accuracy, step)| {
            format!("held out {:.2} % at step {step:.2}", 100.0 * accuracy)
        });
    format!(
        "{held_out}, epoch {} of {}{}",
        training.best_epoch,
        training.epochs,
        seconds.unwrap_or_default()
    )
}

/// Refuses a row that there is not, or a seed that no chosen row has.
fn check_filter(spec: &Spec, filter: &Filter) -> Result<()> {
    if let Some(only) = &filter.row {
        if !spec.rows.iter().any(|row| row.name == *only) {
            let names: Vec<&str> = spec.rows.iter().map(|row| row.name.as_str()).collect();
            bail!(
                "there is no row `{only}` in {}; its rows are {}",
                spec.path.display(),
                names.join(", ")
            );
        }
    }
    let takes = |name: &str, seeds: &[u64]| seeds.iter().any(|&seed| filter.takes(name, seed));
    if !spec.rows.iter().any(|row| takes(&row.name, &row.seeds)) {
        bail!(
            "no chosen row has that --seed; look into {}",
            spec.path.display()
        );
    }
    Ok(())
}

/// `some/results.toml` has its results in `results`, where the command is given.
fn default_folder(spec: &Path) -> Result<PathBuf> {
    match spec.file_stem() {
        Some(stem) if spec.extension().is_some() => Ok(PathBuf::from(stem)),
        _ => bail!("give a folder for the results with --out"),
    }
}

fn list(folder: &Path, tasks: &[&Task], ui: &Ui) {
    let state = |task: &Task| match task.begun() {
        Begun::Done(_) => "done",
        Begun::Trained(_) => "trained, to be measured on another board's core",
        Begun::Begun => "begun",
        Begun::No => "to do",
    };
    let values: Vec<Value> = (tasks.iter())
        .map(|task| {
            json!({
                "row": task.row.name,
                "seed": task.seed(),
                "state": state(task),
                "command": task.command(),
            })
        })
        .collect();
    let lines: Vec<String> = (tasks.iter())
        .map(|task| format!("{} seed {}: {}", task.row.name, task.seed(), state(task)))
        .collect();
    let value = json!({ "folder": folder, "tasks": values });
    ui.result(&value, lines.join("\n"));
}

/// The folder that is called like the sweep's file must not have the results of another sweep of such a name.
fn check_default(folder: &Path, spec: &Path) -> Result<()> {
    let path = folder.join("results.json");
    let results = read_whole(&path)
        .ok()
        .filter(|json| (table::JSON.is_one)(json));
    let results: Option<Value> = results.and_then(|json| serde_json::from_slice(&json).ok());
    let Some(before) = results.as_ref().and_then(|json| json["spec"].as_str()) else {
        return Ok(());
    };
    ensure!(
        Path::new(before) == spec || is_same_file(Path::new(before), spec),
        "{} has the results of another sweep, {before}: give a folder for those of {} with --out",
        folder.display(),
        spec.display()
    );
    Ok(())
}

/// Looks whether all files of the `missing` tasks can be written, and the tables, which it returns: Markdown, CSV, JSON;
/// none where none are asked for.
fn check_files(args: &Args, folder: &Path, missing: &[Task], ui: &Ui) -> Result<Vec<Output>> {
    let mut outputs = Outputs::new(args.force, ui);
    outputs.reads(&args.spec);
    for task in missing {
        outputs.reads(&task.row.dataset);
    }
    for task in missing {
        let record = task.record_path();
        // With a record beside it, it is a model of this sweep, even a damaged one.
        if !read_whole(&record).is_ok_and(|json| (RECORD.is_one)(&json)) {
            outputs.writes(&task.model_path(), MODEL, 0)?;
        }
        outputs.writes(&record, RECORD, 0)?;
        outputs.writes(KeptRun::beside(&task.model_path()).path(), CHECKPOINT, 0)?;
    }
    let kinds = match args.no_table {
        true => &[][..],
        false => &[
            ("table.md", table::MARKDOWN),
            ("results.csv", table::CSV),
            ("results.json", table::JSON),
        ],
    };
    (kinds.iter())
        .map(|&(name, kind)| outputs.writes(&folder.join(name), kind, 0))
        .collect()
}

/// Writes the three tables of what is there; tells their paths.
fn write_tables(plan: &Plan, outputs: &[Output]) -> Result<Vec<PathBuf>> {
    let [markdown, csv, json] = outputs else {
        return Ok(Vec::new());
    };
    let rows = table::results(plan);
    markdown.write(table::to_markdown(plan, &rows).as_bytes())?;
    csv.write(table::to_csv(&rows).as_bytes())?;
    json.write(table::to_json(plan, &rows).as_bytes())?;
    Ok(outputs
        .iter()
        .map(|output| output.path().to_owned())
        .collect())
}
