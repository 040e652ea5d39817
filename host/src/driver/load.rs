//! A network as the requests that load it.

use super::link::{Job, REPLY_LIMIT};
use firmware_model::image::{MemoryImage, GEOMETRY_BYTES};
use firmware_model::protocol::request::{rows_per_frame, LANES_PER_OCTET, MARGINS_PER_FRAME};
use firmware_model::protocol::Request;
use std::time::Duration;

/// How long ARM may take beyond the cycles that it needs: it needs by far the most, and a machine that simulates
/// them may get busy meanwhile.
const ARM_LIMIT: Duration = Duration::from_secs(10);
/// The clock cycles that reading back takes for a byte: one a bit.
const CYCLES_PER_BYTE: u64 = 8;

/// The requests that load `image` and arm the device, in order: GEOMETRY, WEIGHTS, MARGINS, ARM.
pub(super) fn jobs(image: &MemoryImage) -> Vec<Job> {
    let mut jobs = vec![job(&Request::Geometry(&image.geometry.to_bytes()))];
    let rows_used = usize::from(image.geometry.rows_used);
    let most = rows_per_frame(&image.core);
    for bank in 0..image.core.banks {
        for row in (0..rows_used).step_by(most) {
            let rows = image.weight_bytes(bank.into(), row, most.min(rows_used - row));
            jobs.push(job(&Request::Weights {
                bank,
                row: row as u16,
                rows,
            }));
        }
    }
    let lanes = usize::from(image.core.lanes);
    for (slot, margins) in image.margins.chunks(lanes).enumerate() {
        for (part, margins) in margins.chunks(MARGINS_PER_FRAME).enumerate() {
            let margins: Vec<u8> = margins.iter().flat_map(|m| m.to_le_bytes()).collect();
            jobs.push(job(&Request::Margins {
                slot: slot as u8,
                octet: (part * MARGINS_PER_FRAME / LANES_PER_OCTET) as u8,
                margins: &margins,
            }));
        }
    }
    jobs.push(Job {
        limit: ARM_LIMIT,
        cycles: verify_cycles(image),
        ..job(&Request::Arm(image.checksum()))
    });
    jobs
}

fn job(request: &Request) -> Job {
    Job {
        kind: request.kind(),
        payloads: vec![request.payload()],
        limit: REPLY_LIMIT,
        cycles: 0,
    }
}

/// The clock cycles in which the device reads its memories back: geometry, rows, margins, and the time that each
/// row and each margin takes to come.
fn verify_cycles(image: &MemoryImage) -> u64 {
    let (core, geometry) = (&image.core, &image.geometry);
    let rows = u64::from(core.banks) * u64::from(geometry.rows_used);
    let margins = u64::from(geometry.slots_used) * u64::from(core.lanes);
    CYCLES_PER_BYTE * (GEOMETRY_BYTES as u64 + rows * (core.row_bytes() as u64 + 1) + margins * 3)
}

/// More clock cycles than any image takes: an inference reads each row of weights once at most, and beyond that
/// spends a few cycles on each fold of each step, and some more on each layer, before it looks for the winner.
pub(super) fn most_cycles(image: &MemoryImage) -> u64 {
    const FOLD: u64 = 8;
    const LAYER: u64 = 64;
    let geometry = &image.geometry;
    let steps = u64::from(geometry.last_step) + 1;
    let of_a_step: u64 = (geometry.layers.iter())
        .map(|layer| FOLD * u64::from(layer.folds) + LAYER)
        .sum();
    2 * u64::from(geometry.rows_used) + steps * of_a_step + 2 * u64::from(geometry.outputs) + LAYER
}
