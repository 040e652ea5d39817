use super::outputs::{Force, Outputs};
use super::{class_names_of, dataset_help, interrupt, load_for_model, Ui};
use crate::dataset::Dataset;
use crate::model_file::{self, ModelFile};
use crate::report::{collect, is_about, to_html, Report, PAGE};
use anyhow::{ensure, Context, Result};
use serde_json::{json, Value};
use std::fs;
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
    #[command(flatten)]
    force: Force,
}

pub fn run(args: Args, ui: &Ui) -> Result<()> {
    let model = model_file::load(&args.model)?;
    let name = args.model.file_name().unwrap_or(args.model.as_os_str());
    let name = name.to_string_lossy();
    let path = match &args.out {
        Some(out) => out.clone(),
        None => default_page(&args.model),
    };
    if args.out.is_none() && !args.force.force {
        check_default(&path, &name)?;
    }
    let dataset = args.dataset.as_deref().unwrap_or(&model.dataset);
    let mut outputs = Outputs::new(args.force, ui);
    outputs.reads(&args.model);
    outputs.reads(dataset);
    let out = outputs.writes(&path, PAGE, 0)?;
    let data = load_for_model(&args.model, &model, args.dataset.as_deref(), ui)?;

    let stop = interrupt::flag();
    let bar = ui.bar(data.test.len() as u64, "classifying");
    let report = collect(&model, &data, args.image, stop, &mut |done| {
        bar.set_position(done as u64)
    });
    bar.finish_and_clear();
    let report = report?;
    let html = to_html(&name, &model, &data, &report)?;
    out.write(html.as_bytes())?;

    let value = value(&args.model, &path, &model, &data, &report)?;
    let found = &report.statistics;
    let text = format!(
        "{} test images of {}: {:.2} % right (strict), decision at step {:.2} of {} on average\nwritten to {}",
        found.images,
        data.name,
        100.0 * found.accuracy,
        found.decision_step_mean,
        model.network.steps(),
        path.display()
    );
    ui.result(&value, text);
    Ok(())
}

/// The page of `m.fsp` is `m.html`; that of a model with another name keeps all of it.
fn default_page(model: &Path) -> PathBuf {
    if model.extension().is_some_and(|suffix| suffix == "fsp") {
        return model.with_extension("html");
    }
    let mut path = model.as_os_str().to_owned();
    path.push(".html");
    path.into()
}

/// What is called like the model must not be about another one of such a name.
fn check_default(path: &Path, name: &str) -> Result<()> {
    // What is no page at all is refused in any case.
    let is_other = fs::read(path)
        .is_ok_and(|page| (PAGE.is_one)(&page) && !is_about(&String::from_utf8_lossy(&page), name));
    ensure!(
        !is_other,
        "{} is about another model than {name}: name the new page with --out, or give --force to replace it",
        path.display()
    );
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
