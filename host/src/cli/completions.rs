//! `firstspike completions`.

use super::{Cli, Ui};
use anyhow::{Context, Result};
use clap::CommandFactory;
use clap_complete::{generate, Shell};
use serde_json::json;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell [default: that of $SHELL]
    shell: Option<Shell>,
}

pub fn run(args: Args, ui: &Ui) -> Result<()> {
    let shell = args.shell.or_else(Shell::from_env);
    let shell = shell.context(
        "$SHELL names no shell that is known: name yours, as in `firstspike completions bash`",
    )?;
    let mut script = Vec::new();
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    generate(shell, &mut command, name, &mut script);
    let script = String::from_utf8(script).context("the script is not text")?;
    ui.result(
        &json!({ "shell": shell.to_string(), "script": script }),
        &script,
    );
    Ok(())
}
