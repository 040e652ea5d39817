//! The results of a sweep as tables: for people, for spreadsheets, for programs.

use super::{Begun, Plan, Record, Row, Task};
use crate::files::{contains, Kind};
use crate::origin::short;
use crate::text::{grouped, joined, quoted};
use firmware_model::config::CoreConfig;
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

/// The tables among other files: what [`to_markdown`], [`to_csv`] and [`to_json`] write.
pub const MARKDOWN: Kind = Kind {
    name: "a table of results",
    suffix: "md",
    is_one: |bytes| bytes.starts_with(b"# ") && contains(bytes, "`firstspike sweep "),
};
pub const CSV: Kind = Kind {
    name: "a table of results",
    suffix: "csv",
    is_one: |bytes| bytes.starts_with(b"row,seed,dataset,layers,"),
};
pub const JSON: Kind = Kind {
    name: "a table of results",
    suffix: "json",
    is_one: |bytes| contains(bytes, "\"spec\":") && contains(bytes, "\"rows\":"),
};

/// The results that are there of a row.
#[derive(Debug, Clone)]
pub struct RowResults<'a> {
    pub row: &'a Row,
    /// In the order of the seeds.
    pub records: Vec<Record>,
}

/// The results that are there of each row. A file of other options, or without its model, is none.
pub fn results(plan: &Plan) -> Vec<RowResults<'_>> {
    let record = |task: &Task| match task.begun() {
        Begun::Done(record) => Some(*record),
        _ => None,
    };
    let of_row = |row: &Row| {
        let tasks = (plan.tasks.iter()).filter(|task| task.row.name == row.name);
        tasks.filter_map(record).collect()
    };
    let rows = plan.spec.rows.iter().map(|row| RowResults {
        row,
        records: of_row(row),
    });
    rows.collect()
}

/// A line a row, with what is to be said of them above and below.
pub fn to_markdown(plan: &Plan, rows: &[RowResults]) -> String {
    let mut text = format!("# {}\n\n", plan.spec.title);
    if let Some(more) = &plan.spec.text {
        write!(text, "{}\n\n", more.trim()).expect(STRING);
    }
    let cycles = format!("clock cycles ({})", plan.spec.board.name);
    let heads = [
        "",
        "layers",
        "T",
        "weights",
        "seeds",
        "accuracy (%)",
        "tie-tolerant (%)",
        "decision step, mean",
        "worst",
        "hidden spikes before it",
        "in all",
        &cycles,
        "training (s)",
    ];
    writeln!(text, "| {} |", heads.join(" | ")).expect(STRING);
    writeln!(text, "|{}", "---|".repeat(heads.len())).expect(STRING);
    for row in rows {
        writeln!(text, "| {} |", line(row).join(" | ")).expect(STRING);
    }
    let noted =
        |row: &RowResults| Some(format!("- {}: {}\n", row.row.name, row.row.note.as_ref()?));
    let notes: String = rows.iter().filter_map(noted).collect();
    if !notes.is_empty() {
        write!(text, "\n{notes}").expect(STRING);
    }
    write!(
        text,
        "\nAccuracies are on all test images: strict, as the mean ± standard deviation over the seeds, and where a \
         tie for the first output spike counts as right. Clock cycles are of the cycle model, which agreed with the \
         golden reference for every image; there are none where a network does not fit the board.\n\n{}\n",
        origin(plan, rows)
    )
    .expect(STRING);
    text
}

const STRING: &str = "a string takes everything";

/// The fields of a row.
fn line(row: &RowResults) -> [String; 13] {
    let records = &row.records;
    let weights: usize = row.row.layers.windows(2).map(|two| two[0] * two[1]).sum();
    let (there, wanted) = (records.len(), row.row.seeds.len());
    let of = |figure: fn(&Record) -> Option<f64>| -> Vec<f64> {
        records.iter().filter_map(figure).collect()
    };
    let accuracy = of(|r| Some(100.0 * r.test.accuracy));
    let spread = deviation(&accuracy).map(|deviation| format!(" ± {deviation:.2}"));
    let accuracy = fixed(&accuracy, 2);
    let worst = records.iter().map(|r| r.test.decision_step_max).max();
    let steps = (records.first().map(|record| record.steps)).or(row.row.steps);
    [
        row.row.name.clone(),
        joined(&row.row.layers, "-"),
        steps.map_or(String::new(), |steps| steps.to_string()),
        grouped(weights as u64),
        match there == wanted {
            true => wanted.to_string(),
            false => format!("{there} of {wanted}"),
        },
        accuracy + &spread.unwrap_or_default(),
        fixed(&of(|r| Some(100.0 * r.test.accuracy_tie_tolerant)), 2),
        fixed(&of(|r| Some(r.test.decision_step_mean)), 2),
        worst.map_or(String::new(), |worst| worst.to_string()),
        fixed(&of(|r| Some(r.test.hidden_spikes_before_decision_mean)), 1),
        fixed(&of(|r| Some(r.test.hidden_spikes_mean)), 1),
        mean(&of(|r| r.test.cycles_mean))
            .map_or(String::new(), |cycles| grouped(cycles.round() as u64)),
        fixed(&of(|r| r.training.seconds), 1),
    ]
}

fn mean(numbers: &[f64]) -> Option<f64> {
    (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64)
}

/// The standard deviation that is estimated from a sample; `None` of fewer than two numbers.
fn deviation(numbers: &[f64]) -> Option<f64> {
    let mean = mean(numbers).filter(|_| numbers.len() > 1)?;
    let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
    Some((squares / (numbers.len() - 1) as f64).sqrt())
}

/// The mean with so many decimals; nothing where there is none.
fn fixed(numbers: &[f64], decimals: usize) -> String {
    mean(numbers).map_or(String::new(), |mean| format!("{mean:.decimals$}"))
}

/// When, from what and by which command.
fn origin(plan: &Plan, rows: &[RowResults]) -> String {
    let records = || rows.iter().flat_map(|row| &row.records);
    let command = format!(
        "`firstspike sweep {}`",
        quoted(&plan.spec.path.display().to_string())
    );
    let dates: BTreeSet<&str> = records().map(|record| &record.date[..]).collect();
    let (Some(first), Some(last)) = (dates.first(), dates.last()) else {
        return format!("No result yet of {command}.");
    };
    let when = match first == last {
        true => (*first).to_owned(),
        false => format!("{first} to {last}"),
    };
    let mut commits: Vec<String> = Vec::new();
    for commit in records().filter_map(|record| record.commit.as_deref()) {
        let commit = short(commit);
        if !commits.contains(&commit) {
            commits.push(commit);
        }
    }
    let commits = match &commits[..] {
        [] => String::new(),
        [one] => format!(", commit {one}"),
        several => format!(", commits {}", several.join(", ")),
    };
    format!("{when}{commits}, by {command}.")
}

/// A line a task, a header first. An empty field is a figure that there is not.
pub fn to_csv(rows: &[RowResults]) -> String {
    let records = || rows.iter().flat_map(|row| &row.records);
    let names = "row,seed,dataset,layers,steps,weights,validation_accuracy,accuracy,accuracy_tie_tolerant,\
                 decision_step_mean,decision_step_median,decision_step_max,\
                 hidden_spikes_before_decision_mean,hidden_spikes_mean,silent_share,board,cycles_mean,\
                 cycles_median,cycles_max,epochs,best_epoch,seconds,images_per_second,firstspike,commit,\
                 date,model_sha256,command";
    let mut text = format!("{names}\n");
    for record in records() {
        let (test, training) = (&record.test, &record.training);
        let fields = [
            record.row.clone(),
            record.seed.to_string(),
            field(&record.dataset),
            joined(&record.layers, "-"),
            record.steps.to_string(),
            record.weights.to_string(),
            some(training.validation_accuracy),
            test.accuracy.to_string(),
            test.accuracy_tie_tolerant.to_string(),
            test.decision_step_mean.to_string(),
            test.decision_step_median.to_string(),
            test.decision_step_max.to_string(),
            test.hidden_spikes_before_decision_mean.to_string(),
            test.hidden_spikes_mean.to_string(),
            test.silent_share.to_string(),
            record.board.clone(),
            some(test.cycles_mean),
            some(test.cycles_median),
            some(test.cycles_max),
            training.epochs.to_string(),
            training.best_epoch.to_string(),
            some(training.seconds),
            some(training.images_per_second),
            record.firstspike.clone(),
            some(record.commit.as_ref()),
            record.date.clone(),
            record.model_sha256.clone(),
            field(&record.command),
        ];
        writeln!(text, "{}", fields.join(",")).expect(STRING);
    }
    text
}

fn some(value: Option<impl ToString>) -> String {
    value.map_or(String::new(), |value| value.to_string())
}

/// Text as a field of CSV.
fn field(text: &str) -> String {
    match text.contains([',', '"', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

/// Everything, row by row.
#[derive(Serialize)]
struct All<'a> {
    title: &'a str,
    text: Option<&'a str>,
    spec: &'a Path,
    board: &'a str,
    core: CoreConfig,
    rows: Vec<AllOfRow<'a>>,
}

#[derive(Serialize)]
struct AllOfRow<'a> {
    name: &'a str,
    note: Option<&'a str>,
    /// Those that are wanted.
    seeds: &'a [u64],
    results: &'a [Record],
}

/// Everything as JSON.
pub fn to_json(plan: &Plan, rows: &[RowResults]) -> String {
    let spec = &plan.spec;
    let rows = rows.iter().map(|results| AllOfRow {
        name: &results.row.name,
        note: results.row.note.as_deref(),
        seeds: &results.row.seeds,
        results: &results.records,
    });
    let all = All {
        title: &spec.title,
        text: spec.text.as_deref(),
        spec: &spec.path,
        board: &spec.board.name,
        core: spec.board.core,
        rows: rows.collect(),
    };
    serde_json::to_string_pretty(&all).expect("results are plain data") + "\n"
}

#[cfg(test)]
mod tests {
    use super::super::{Filter, Spec, TestFigures, TrainingFigures};
    use super::*;
    use crate::dataset;

    fn plan() -> Plan {
        let text = r#"
            title = "Made up"
            text = "None of it is true."
            defaults = { dataset = "digits", seeds = [1, 2, 3], layers = [64, 32, 10] }
            [[row]]
            name = "whole"
            note = "all there"
            [[row]]
            name = "part"
            steps = 8
            [[row]]
            name = "none"
            steps = 4
        "#;
        let spec = Spec::parse(text, Path::new("my sweep.toml")).unwrap();
        let folder = Path::new("nowhere");
        Plan::new(spec, folder, &Filter::default(), &mut dataset::load).unwrap()
    }

    fn record(plan: &Plan, task: usize, accuracy: f64) -> Record {
        let task = &plan.tasks[task];
        Record {
            row: task.row.name.clone(),
            seed: task.seed(),
            dataset: "a,b".to_owned(),
            data_sha256: "d".to_owned(),
            layers: task.row.layers.clone(),
            steps: task.steps,
            options: task.options.clone(),
            weights: 2368,
            command: task.command(),
            model: "m.fsp".to_owned(),
            model_sha256: "5e".to_owned(),
            firstspike: "1.2.3".to_owned(),
            commit: Some("0123456789abcdef-dirty".to_owned()),
            date: "2026-01-02".to_owned(),
            training: TrainingFigures {
                epochs: 7,
                best_epoch: 6,
                settled: false,
                train_accuracy: 0.99,
                validation_accuracy: Some(0.5),
                validation_decision_step_mean: Some(3.0),
                seconds: Some(12.0),
                images_per_second: Some(100.0),
            },
            board: "icebreaker".to_owned(),
            core: task.board.core,
            test: TestFigures {
                images: 100,
                accuracy,
                accuracy_tie_tolerant: accuracy + 0.01,
                decision_step_mean: 4.25,
                decision_step_median: 4,
                decision_step_max: 10 + task.seed() as u32,
                hidden_spikes_before_decision_mean: 30.0,
                hidden_spikes_mean: 40.0,
                silent_share: 0.5,
                cycles_mean: Some(1234.4),
                cycles_median: Some(1200),
                cycles_max: Some(1300),
                mismatches: 0,
            },
        }
    }

    /// Three results of the first row, two of the second, of a network that does not fit; none of the third.
    fn made_up(plan: &Plan) -> Vec<RowResults<'_>> {
        let first = [0.90, 0.92, 0.94].iter().zip(0..);
        let first = first.map(|(&accuracy, task)| record(plan, task, accuracy));
        let mut one = record(plan, 3, 0.8);
        one.test.cycles_mean = None;
        one.training.seconds = None;
        one.date = "2026-01-05".to_owned();
        one.commit = Some("fedcba9876543210".to_owned());
        let records = [first.collect(), vec![one], vec![]];
        let rows = plan.spec.rows.iter().zip(records);
        rows.map(|(row, records)| RowResults { row, records })
            .collect()
    }

    #[test]
    fn the_table_is_the_one_made_by_hand() {
        let plan = plan();
        let text = to_markdown(&plan, &made_up(&plan));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[..3], ["# Made up", "", "None of it is true."]);
        assert!(
            lines[4].contains("| clock cycles (icebreaker) |"),
            "{}",
            lines[4]
        );
        assert_eq!(
            lines[6..9],
            [
                "| whole | 64-32-10 | 16 | 2,368 | 3 | 92.00 ± 2.00 | 93.00 | 4.25 | 13 | 30.0 | 40.0 | 1,234 | 12.0 |",
                "| part | 64-32-10 | 8 | 2,368 | 1 of 3 | 80.00 | 81.00 | 4.25 | 11 | 30.0 | 40.0 |  |  |",
                "| none | 64-32-10 | 4 | 2,368 | 0 of 3 |  |  |  |  |  |  |  |  |",
            ]
        );
        let columns = |line: &str| line.matches('|').count();
        assert_eq!(columns(lines[4]), columns(lines[5]));
        assert_eq!(columns(lines[4]), columns(lines[6]));
        assert_eq!(lines[10], "- whole: all there");
        assert_eq!(
            lines.last(),
            Some(&"2026-01-02 to 2026-01-05, commits 0123456789ab-dirty, fedcba987654, by `firstspike sweep 'my sweep.toml'`.")
        );
    }

    #[test]
    fn a_table_of_nothing_says_so() {
        let plan = plan();
        let rows = results(&plan);
        assert!(rows.iter().all(|row| row.records.is_empty()));
        let text = to_markdown(&plan, &rows);
        assert!(
            text.contains("\nNo result yet of `firstspike sweep"),
            "{text}"
        );
    }

    #[test]
    fn the_csv_has_as_many_fields_in_each_line() {
        let plan = plan();
        let mut rows = made_up(&plan);
        rows[0].records[2].training.validation_accuracy = None;
        let csv = to_csv(&rows);
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!(lines.len(), 5);
        let names: Vec<&str> = lines[0].split(',').collect();
        let column = |line: &str, name: &str| {
            let line = line
                .replace("\"a,b\"", "ab")
                .replace("64,32,10", "64x32x10");
            let fields: Vec<String> = line.split(',').map(str::to_owned).collect();
            assert_eq!(fields.len(), names.len(), "{line}");
            fields[names.iter().position(|other| *other == name).unwrap()].clone()
        };
        assert_eq!(column(lines[2], "accuracy"), "0.92");
        assert_eq!(column(lines[2], "seed"), "2");
        assert_eq!(column(lines[2], "validation_accuracy"), "0.5");
        assert_eq!(column(lines[3], "validation_accuracy"), "");
        assert_eq!(column(lines[3], "cycles_median"), "1200");
        assert_eq!(
            (column(lines[4], "cycles_mean"), column(lines[4], "seconds")),
            (String::new(), String::new())
        );
        assert_eq!(column(lines[4], "model_sha256"), "5e");
    }

    #[test]
    fn the_json_has_numbers_as_they_were_given() {
        let plan = plan();
        let mut rows = made_up(&plan);
        rows[0].records[0].options.learning_rate = 0.004;
        let text = to_json(&plan, &rows);
        assert!(text.contains("\"learning_rate\": 0.004,"), "{text}");
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["rows"][0]["results"][1]["test"]["accuracy"], 0.92);
        assert_eq!(value["rows"][2]["results"], serde_json::json!([]));
    }

    #[test]
    fn the_deviation_is_that_of_a_sample() {
        assert_eq!(deviation(&[1.0, 3.0]), Some(2f64.sqrt()));
        assert_eq!((deviation(&[1.0]), mean(&[])), (None, None));
    }
}
