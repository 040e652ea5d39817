use super::Ui;
use crate::toolchain::{Found, Origin, Tool, Toolbox, ToolchainError};
use anyhow::{bail, Result};
use serde_json::{json, Value};
use std::fmt::Write;

#[derive(Debug, clap::Args)]
pub struct Args {}

type Finding = (Tool, Result<Found, ToolchainError>);

pub fn run(_args: Args, ui: &Ui) -> Result<()> {
    let toolbox = Toolbox::discover()?;
    let spinner = ui.spinner("asking the tools for their versions");
    let findings: Vec<Finding> = Tool::ALL
        .into_iter()
        .map(|tool| (tool, toolbox.find(tool)))
        .collect();
    spinner.finish_and_clear();
    if findings.iter().all(|(_, found)| found.is_err()) {
        bail!("none of the tools was found; run `make tools` in the repository");
    }
    let tools: Vec<Value> = findings.iter().map(describe).collect();
    let complete = findings.iter().all(|(_, found)| found.is_ok());
    let value = json!({ "complete": complete, "tools": tools });
    ui.result(&value, table(&findings, complete)?);
    Ok(())
}

fn describe((tool, found): &Finding) -> Value {
    let mut value = json!({
        "name": tool.name(),
        "found": found.is_ok(),
        "minimum_version": tool.minimum_version(),
        "needed_for": tool.needed_for(),
    });
    match found {
        Ok(found) => {
            value["path"] = json!(found.program);
            value["origin"] = json!(found.origin);
            value["version"] = json!(found.version);
        }
        Err(error) => {
            value["problem"] = json!(error.to_string());
            value["install"] = json!(tool.install_command());
        }
    }
    value
}

fn table(findings: &[Finding], complete: bool) -> Result<String> {
    let mut text = String::new();
    for (tool, found) in findings {
        let name = tool.name();
        match found {
            Ok(found) => {
                let version = found.version.as_deref().unwrap_or("");
                let place = match found.origin {
                    Origin::Path => "on the PATH",
                    Origin::Packages => "installed by `make tools`",
                };
                writeln!(
                    text,
                    "ok       {name:<14} {version:<8} {place}: {}",
                    found.program.display()
                )?;
            }
            Err(_) => {
                let wanted = tool.minimum_version().map(|v| format!(" ({v} or newer)"));
                writeln!(
                    text,
                    "missing  {name:<14} {:<8} needed for {}; to install: {}",
                    "",
                    tool.needed_for().to_owned() + &wanted.unwrap_or_default(),
                    tool.install_command()
                )?;
            }
        }
    }
    let summary = match complete {
        true => "Everything is there.",
        false => "Training, eval on the golden reference and the model, and boards over USB work without what is missing.",
    };
    writeln!(text, "\n{summary}")?;
    Ok(text)
}
