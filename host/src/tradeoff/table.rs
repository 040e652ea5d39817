//! The curve as tables: for spreadsheets and for people.

use super::{Plan, Point};
use crate::origin::short;
use crate::text::grouped;
use std::fmt::Write;

/// What a curve is of, and where it comes from.
#[derive(Debug, Clone)]
pub struct About<'a> {
    pub title: String,
    pub plan: &'a Plan,
    /// As `--board` has it.
    pub board: &'a str,
    /// The file of the picture, as the table's page finds it.
    pub picture: String,
    pub date: String,
    pub commit: Option<String>,
    pub command: String,
}

/// How the models were trained and measured.
fn method(points: &[Point], about: &About) -> String {
    let options = &about.plan.options;
    let images = points.first().map_or(0, |point| point.report.images);
    let kept = match options.holds_out() {
        true => format!(
            "the best epoch on a share of {} of the training images that was held out",
            options.validation
        ),
        false => "the last epoch, on all training images".to_owned(),
    };
    format!(
        "A model for each `--patience`, alike otherwise: {} epochs, seed {}, {kept}. {} test images went through\n\
         the cycle model of the core of {}, which gave the golden reference's answer for each of them.",
        options.epochs,
        options.seed,
        grouped(images as u64),
        about.board
    )
}

/// The points as a page of Markdown: what they are of, the picture, a row each.
pub fn to_markdown(points: &[Point], about: &About) -> String {
    let mut text = format!(
        "# {}\n\n{}\n\n![Accuracy against decision step, hidden spikes and clock cycles]({})\n\n\
         | patience | accuracy, strict (%) | decided at step, mean | hidden spikes before | in all | silent (%) \
         | clock cycles, mean | median | 99 % | without the exit, mean |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
        about.title,
        method(points, about),
        about.picture
    );
    let count = |value: Option<u32>| value.map_or(String::new(), |value| grouped(value.into()));
    let rounded = |value: f64| grouped(value.round() as u64);
    for point in points {
        let r = &point.report;
        writeln!(
            text,
            "| {} | {:.2} | {:.2} | {:.1} | {:.1} | {:.1} | {} | {} | {} | {} |",
            point.patience,
            100.0 * r.accuracy,
            r.decision_step_mean,
            r.hidden_spikes_before_decision_mean,
            r.hidden_spikes_mean,
            100.0 * r.silent as f64 / r.images as f64,
            r.cycles_mean.map_or(String::new(), rounded),
            count(r.cycles_median),
            count(r.cycles_p99),
            rounded(point.cycles_mean_no_exit)
        )
        .expect("a string takes everything");
    }
    let commit = about.commit.as_deref().map(short);
    let commit = commit.map_or(String::new(), |commit| format!(", commit {commit}"));
    write!(
        text,
        "\n{}{commit}, by\n\n    {}\n",
        about.date, about.command
    )
    .expect("a string takes everything");
    text
}

/// The points as CSV, a header first. An empty field is a number that there is not.
pub fn to_csv(points: &[Point]) -> String {
    let mut text = String::from(
        "patience,images,accuracy,decision_step_mean,hidden_spikes_before_decision_mean,silent,\
         cycles_mean,cycles_median,cycles_p99,cycles_max,bound_cycles_mean,cycles_over_bound,\
         cycles_mean_no_exit\n",
    );
    let some = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:.3}"));
    let count = |value: Option<u32>| value.map_or(String::new(), |value| value.to_string());
    for point in points {
        let r = &point.report;
        writeln!(
            text,
            "{},{},{:.4},{:.3},{:.2},{},{},{},{},{},{},{},{:.3}",
            point.patience,
            r.images,
            r.accuracy,
            r.decision_step_mean,
            r.hidden_spikes_before_decision_mean,
            r.silent,
            some(r.cycles_mean),
            count(r.cycles_median),
            count(r.cycles_p99),
            count(r.cycles_max),
            some(r.bound_cycles_mean),
            some(r.cycles_over_bound),
            point.cycles_mean_no_exit
        )
        .expect("a string takes everything");
    }
    text
}
