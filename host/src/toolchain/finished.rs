//! Whether a build is already done: the same inputs give the same bitstream, so nothing is built twice.

use super::build::{Flow, REPORT};
use super::{BuildJob, BuildReport, Tool, ToolVersions, Toolbox, ToolchainError};
use crate::text::hexadecimal;
use sha2::{Digest, Sha256};
use std::fs;

impl BuildJob<'_> {
    /// The report of an earlier build of the same inputs by the same tools, whose bitstream is still as
    /// it was written. None where [`BuildJob::run`] has work to do.
    pub fn finished(&self, toolbox: &Toolbox) -> Result<Option<BuildReport>, ToolchainError> {
        let flow = Flow::of(self.board.family);
        let versions = ToolVersions {
            yosys: toolbox.find(Tool::Yosys)?.version,
            nextpnr: toolbox.find(flow.nextpnr)?.version,
            packer: toolbox.find(flow.packer)?.version,
        };
        let Ok(text) = fs::read_to_string(self.out.join(REPORT)) else {
            return Ok(None);
        };
        let Ok(mut report) = serde_json::from_str::<BuildReport>(&text) else {
            return Ok(None);
        };
        if !report.timing_met
            || report.inputs_sha256
                != self.inputs_sha256(&flow, &versions, self.asks_icetime(toolbox))
        {
            return Ok(None);
        }
        // The report may have been made under another name of the same folder.
        report.files = self.built_files(&flow, true);
        let bits = report.files.bitstream.as_ref().map(fs::read);
        let sum = match bits {
            Some(Ok(bits)) => Some(hexadecimal(&Sha256::digest(&bits))),
            _ => None,
        };
        Ok((sum.is_some() && sum == report.bitstream_sha256).then_some(report))
    }

    /// Everything that the bitstream and its report depend on, as one sum.
    pub(super) fn inputs_sha256(
        &self,
        flow: &Flow,
        versions: &ToolVersions,
        asks_icetime: bool,
    ) -> String {
        let mut sum = Sha256::new();
        let mut add = |text: &str| {
            // The length first: two inputs must not run into one another.
            sum.update((text.len() as u64).to_le_bytes());
            sum.update(text);
        };
        add(self.verilog);
        add(self.board.constraint_text());
        add(&self.synthesis_script());
        for argument in self.nextpnr_arguments(flow) {
            add(&argument);
        }
        for argument in self.packer_arguments(flow) {
            add(&argument);
        }
        if asks_icetime {
            add("icetime");
        }
        for version in [&versions.yosys, &versions.nextpnr, &versions.packer] {
            add(version.as_deref().unwrap_or(""));
        }
        hexadecimal(&sum.finalize())
    }
}
