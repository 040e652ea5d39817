//! A network as the requests that load it.

use super::link::{Job, REPLY_LIMIT};
use firmware_model::image::MemoryImage;
use firmware_model::protocol::request::{rows_per_frame, LANES_PER_OCTET, MARGINS_PER_FRAME};
use firmware_model::protocol::Request;
use std::time::Duration;

/// How long ARM may take: the device reads all its memories, and in a simulation that is slow.
const ARM_LIMIT: Duration = Duration::from_secs(20);

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
        ..job(&Request::Arm(image.checksum()))
    });
    jobs
}

fn job(request: &Request) -> Job {
    Job {
        kind: request.kind(),
        payloads: vec![request.payload()],
        limit: REPLY_LIMIT,
    }
}
