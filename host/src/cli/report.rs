use super::{check_output, class_names_of, dataset_help, interrupt, load_for_model, Ui};
use crate::dataset::Dataset;
use crate::files::write_whole;
use crate::model_file::{self, ModelFile};
use crate::report::{collect, to_html, Report};
use anyhow::{bail, Context, Result};
use serde_json::{json, Value};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The model file
    model: PathBuf,
    #[arg(long, help = format!("{} [default: the model's own]", dataset_help()))]
    dataset: Option<String>,
    /// The page to write [default: the model's name with .html]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The test image to show spike by spike
    #[arg(long, value_name = "N", default_value_t = 0)]
    image: usize,
}

pub fn run(args: Args, ui: &Ui) -> Result<()> {
    let model = model_file::load(&args.model)?;
    let out = args
        .out
        .unwrap_or_else(|| args.model.with_extension("html"));
    check_output(&out)?;
    check_other_file(&out, &args.model)?;
    let data = load_for_model(&args.model, &model, args.dataset.as_deref(), ui)?;
    check_other_file(&out, Path::new(&data.name))?;

    let stop = interrupt::flag()?;
    let bar = ui.bar(data.test.len() as u64, "classifying");
    let report = collect(&model, &data, args.image, stop, &mut |done| {
        bar.set_position(done as u64)
    });
    bar.finish_and_clear();
    let report = report?;
    let name = args.model.file_name().unwrap_or(args.model.as_os_str());
    let html = to_html(&name.to_string_lossy(), &model, &data, &report)?;
    write_whole(&out, html.as_bytes()).with_context(|| {
        format!(
            "cannot write {}; check that it is no folder, and that its folder may be written to",
            out.display()
        )
    })?;

    let value = value(&args.model, &out, &model, &data, &report)?;
    let found = &report.statistics;
    let text = format!(
        "{} test images of {}: {:.2} % right (strict), decision at step {:.2} of {} on average\nwritten to {}",
        found.images,
        data.name,
        100.0 * found.accuracy,
        found.decision_step_mean,
        model.network.steps(),
        out.display()
    );
    ui.result(&value, text);
    Ok(())
}

/// A page must not take the place of what it is about.
fn check_other_file(out: &Path, input: &Path) -> Result<()> {
    let (Ok(one), Ok(other)) = (out.canonicalize(), input.canonicalize()) else {
        return Ok(());
    };
    if one == other {
        bail!(
            "the page would take the place of {}: give another --out",
            input.display()
        );
    }
    Ok(())
}

fn value(
    path: &Path,
    out: &Path,
    model: &ModelFile,
    data: &Dataset,
    report: &Report,
) -> Result<Value> {
    let example = &report.example;
    let decision = example.trace.decision;
    let pairs = report.statistics.confusion.pairs(5).into_iter();
    let pairs: Vec<Value> = pairs
        .map(|pair| {
            json!({
                "label": pair.label,
                "label_name": data.class_name(pair.label),
                "answer": pair.answer,
                "answer_name": data.class_name(pair.answer),
                "images": pair.images,
                "reverse": pair.reverse,
            })
        })
        .collect();
    let mut value = json!({
        "model": path,
        "report": out,
        "dataset": data.name,
        "class_names": class_names_of(data),
        "layers": model.network.sizes(),
        "steps": model.network.steps(),
        "weights": model.network.weights(),
        "compared_with_golden": report.compared,
        "most_confused": pairs,
        "image": {
            "index": example.image,
            "label": example.label,
            "label_name": data.class_name(example.label),
            "class": decision.class,
            "class_name": data.class_name(decision.class),
            "step": decision.step,
            "silent": decision.silent,
            "overshoot": decision.overshoot,
        },
    });
    let figures = serde_json::to_value(&report.statistics).context("the figures are not JSON")?;
    if let (Value::Object(all), Value::Object(figures)) = (&mut value, figures) {
        all.extend(figures);
    }
    Ok(value)
}
