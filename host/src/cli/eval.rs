use super::Ui;
use anyhow::{bail, Result};

#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_args: Args, _ui: &Ui) -> Result<()> {
    bail!("not there yet")
}
