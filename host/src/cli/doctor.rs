use super::Ui;
use crate::toolchain::{flash_tool_install, Found, Origin, Tool, Toolbox, ToolchainError};
use anyhow::{bail, Result};
use firmware_model::board::Board;
use serde_json::{json, Value};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Who may use the boards' USB chips, as udev reads it.
const UDEV_RULES: &str = include_str!("../../../tools/70-firstspike.rules");
/// Where these rules go.
pub const UDEV_RULES_PLACE: &str = "/etc/udev/rules.d/70-firstspike.rules";

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print the udev rules that let you use the boards without being root, and nothing else: write them to
    /// /etc/udev/rules.d/70-firstspike.rules, as the first lines of them say
    #[arg(long)]
    udev_rules: bool,
}

type Finding = (Tool, Result<Found, ToolchainError>);

pub fn run(args: Args, ui: &Ui) -> Result<()> {
    if args.udev_rules {
        let value = json!({ "udev_rules": UDEV_RULES, "place": UDEV_RULES_PLACE });
        ui.result(&value, UDEV_RULES);
        return Ok(());
    }
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
    let complete = (findings.iter()).all(|(tool, found)| found.is_ok() || tool.is_optional());
    let loaders = loaders(&toolbox);
    let rules_installed = Path::new(UDEV_RULES_PLACE).exists();
    let value = json!({
        "udev_rules": { "place": UDEV_RULES_PLACE, "installed": rules_installed },
        "complete": complete,
        "tools": tools,
        "flash_tools": loaders.iter().map(Loader::describe).collect::<Vec<_>>(),
    });
    let text = table(&findings, complete)? + &loader_table(&loaders)? + &access(rules_installed);
    ui.result(&value, text);
    Ok(())
}

/// Who may use the boards' USB chips.
fn access(rules_installed: bool) -> String {
    match rules_installed {
        true => format!("\nok       udev rules: {UDEV_RULES_PLACE}\n"),
        false => format!(
            "\nWhere loading a board or opening its port needs root, udev rules help: `firstspike doctor --udev-rules | sudo tee \
             {UDEV_RULES_PLACE}`, then `sudo udevadm control --reload-rules && sudo udevadm trigger`.\n"
        ),
    }
}

/// A tool that loads boards: only who has such a board needs it.
struct Loader {
    tool: String,
    boards: Vec<String>,
    path: Option<PathBuf>,
}

/// The tools that the built-in boards name, by name.
fn loaders(toolbox: &Toolbox) -> Vec<Loader> {
    let mut boards_of: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for board in Board::built_in() {
        for way in board.flash {
            let boards = boards_of.entry(way.tool).or_default();
            if boards.last() != Some(&board.name) {
                boards.push(board.name.clone());
            }
        }
    }
    let loaders = boards_of.into_iter().map(|(tool, boards)| Loader {
        path: toolbox.program(&tool),
        tool,
        boards,
    });
    loaders.collect()
}

impl Loader {
    fn describe(&self) -> Value {
        let mut value = json!({
            "name": self.tool,
            "found": self.path.is_some(),
            "boards": self.boards,
        });
        match &self.path {
            Some(path) => value["path"] = json!(path),
            None => value["install"] = json!(flash_tool_install(&self.tool)),
        }
        value
    }
}

fn loader_table(loaders: &[Loader]) -> Result<String> {
    let mut text =
        "\nTo load boards with `build --flash`, one for each board is enough:\n\n".to_owned();
    for Loader { tool, boards, path } in loaders {
        let boards = boards.join(", ");
        match path {
            Some(path) => writeln!(text, "ok       {tool:<14} for {boards}: {}", path.display())?,
            None => writeln!(
                text,
                "missing  {tool:<14} for {boards}; to install: {}",
                flash_tool_install(tool)
            )?,
        }
    }
    Ok(text)
}

fn describe((tool, found): &Finding) -> Value {
    let mut value = json!({
        "name": tool.name(),
        "found": found.is_ok(),
        "minimum_version": tool.minimum_version(),
        "needed_for": tool.needed_for(),
        "optional": tool.is_optional(),
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
            Err(_) if tool.is_optional() => writeln!(
                text,
                "optional {name:<14} {:<8} {}; to install: {}",
                "",
                tool.needed_for(),
                tool.install_command()
            )?,
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
