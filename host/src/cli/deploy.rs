use super::port::{board_name, shape, PortArgs};
use super::Ui;
use crate::driver::Board;
use crate::model_file;
use anyhow::{Context, Result};
use firmware_model::network::Network;
use indicatif::ProgressStyle;
use serde_json::json;
use std::path::PathBuf;
use std::time::Instant;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The model file
    model: PathBuf,
    #[command(flatten)]
    port: PortArgs,
    /// Load the model even if the board is armed with it already
    #[arg(long)]
    force: bool,
}

pub fn run(args: Args, ui: &Ui) -> Result<()> {
    let network = model_file::load(&args.model)?.network;
    let mut board = args.port.open()?;
    let context = || args.port.port.clone();
    let there = !args.force && (board.deployed_model_matches(&network)).with_context(context)?;
    let mut value = json!({
        "model": args.model,
        "port": args.port.port,
        "board": board_name(&board),
        "layers": network.sizes(),
        "steps": network.steps(),
        "loaded": !there,
    });
    let what = format!(
        "{} ({}, T = {})",
        args.model.display(),
        shape(&network),
        network.steps()
    );
    let text = if there {
        let checksum = board.info().memory_crc;
        value["checksum"] = json!(format!("{checksum:08x}"));
        format!(
            "{} is armed with {what} already (memory CRC-32 {checksum:08x}); --force loads it again",
            board_name(&board)
        )
    } else {
        let done = load(&mut board, &network, ui).with_context(context)?;
        let recoveries = board.traffic().recoveries;
        value["bytes"] = json!(done.bytes);
        value["seconds"] = json!(done.seconds);
        value["checksum"] = json!(format!("{:08x}", done.checksum));
        value["recoveries"] = json!(recoveries);
        let recoveries = match recoveries {
            0 => String::new(),
            count => format!("\nthe line was bad: {count} recoveries"),
        };
        format!(
            "loaded {what} into {}: {} bytes in {:.3} s, read back and armed (memory CRC-32 {:08x}){recoveries}",
            board_name(&board),
            done.bytes,
            done.seconds,
            done.checksum
        )
    };
    ui.result(&value, text);
    Ok(())
}

/// What loading a model took.
pub struct Loaded {
    pub bytes: u64,
    pub seconds: f64,
    pub checksum: u32,
}

/// Loads `network` under a progress bar.
pub fn load(board: &mut Board, network: &Network, ui: &Ui) -> Result<Loaded> {
    let bar = ui.bar(0, "loading");
    bar.set_style(
        ProgressStyle::with_template(
            "{prefix:>12} [{bar:32}] {bytes}/{total_bytes} {bytes_per_sec} {eta} left",
        )?
        .progress_chars("=> "),
    );
    let start = Instant::now();
    let done = board.deploy(network, |loaded, all| {
        bar.set_length(all);
        bar.set_position(loaded);
    });
    bar.finish_and_clear();
    let done = done?;
    Ok(Loaded {
        bytes: done.bytes,
        seconds: start.elapsed().as_secs_f64(),
        checksum: done.checksum,
    })
}
