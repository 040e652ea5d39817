//! The link's emitted Verilog, under Verilator, between a host's wire and a core that is a fake.

mod core;
mod faults;
mod host;
mod requests;
mod setup;
mod soak;
mod verilated;

use firmware_model::config::CoreConfig;
use firmware_model::image::GEOMETRY_BYTES;
use setup::{LARGE, ODD, SHORT};
use std::process::Command;

/// A geometry that `core` takes, with as many of everything as it has.
fn geometry(core: &CoreConfig) -> [u8; GEOMETRY_BYTES] {
    let inputs = u16::from(core.banks) * core.input_rows;
    let rows = core.weight_rows.min(65_535) as u16;
    let mut bytes = [0; GEOMETRY_BYTES];
    bytes[..2].copy_from_slice(&[4, 255]);
    bytes[2..4].copy_from_slice(&inputs.to_le_bytes());
    bytes[4..6].copy_from_slice(&1u16.to_le_bytes());
    bytes[6..8].copy_from_slice(&rows.to_le_bytes());
    bytes[8] = core.fold_slots as u8;
    for (at, byte) in (9u32..).zip(&mut bytes[9..]) {
        *byte = (at * 37) as u8;
    }
    bytes
}

/// Not one warning, and the same text twice.
#[test]
fn the_verilog_is_clean() {
    for setup in [SHORT, LARGE, ODD] {
        let text = verilated::emit(&setup);
        assert_eq!(text, verilated::emit(&setup));
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("link.v");
        std::fs::write(&file, text).expect("the Verilog is written");
        verilated::run(
            Command::new("verilator")
                .args([
                    "--lint-only",
                    "-Wall",
                    "-Wno-DECLFILENAME",
                    "--top-module",
                    "link",
                ])
                .arg(file),
        );
    }
}
