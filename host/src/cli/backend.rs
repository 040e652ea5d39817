//! What can run a network for `firstspike eval`.

use super::board::{PowerUp, Sim};
use super::deploy::load;
use super::{interrupt, Ui};
use crate::driver::{fit, Board};
use crate::evaluate::{weight_bits, Backend, BackendError, CoreModel, Inference};
use anyhow::{bail, Context, Result};
use firmware_model::board::Board as BoardData;
use firmware_model::config::CoreConfig;
use firmware_model::cycle::{CycleModel, Savings};
use firmware_model::network::{Network, SpikeTrain};
use firstspike_sim::VirtualBoard;

/// Opens what `on` names; `None` is the golden reference itself. Without `exit` an inference goes on after
/// the decision, which only the cycle model can.
pub fn open(
    on: &str,
    exit: bool,
    network: &Network,
    board: &BoardData,
    core: &CoreConfig,
    ui: &Ui,
) -> Result<Option<Box<dyn Backend>>> {
    if !exit && on != "model" {
        bail!("only the cycle model can go on after the decision: give --no-exit with --on model");
    }
    Ok(Some(match on {
        "golden" => return Ok(None),
        "model" => {
            let savings = Savings {
                exit,
                ..Savings::ALL
            };
            Box::new(CoreModel::new(cycle_model(network, core)?, core, savings))
        }
        "rtl" => {
            let power_up = PowerUp {
                board,
                core,
                sim: Sim::Rtl,
                seed: 1,
                trace: None,
            };
            let virtual_board = power_up.start(ui, interrupt::flag(), |_| {})?;
            let port = virtual_board.port().display().to_string();
            let board = open_port(&port, board.uart.baud)?;
            Box::new(Device::new(board, network, Some(virtual_board), ui)?)
        }
        port if port.contains('/') || port.to_uppercase().starts_with("COM") => {
            let board = open_port(port, board.uart.baud)?;
            Box::new(Device::new(board, network, None, ui)?)
        }
        other => bail!("--on {other} is not known: give golden, model, rtl, or the path of a port"),
    }))
}

fn open_port(port: &str, baud: u32) -> Result<Board> {
    Board::open(port, baud).with_context(|| port.to_owned())
}

/// The cycle model of a core that holds `network`.
fn cycle_model(network: &Network, core: &CoreConfig) -> Result<CycleModel> {
    Ok(CycleModel::new(&fit(network, core)?))
}

/// A board, real or virtual, and the cycle model of its core beside it.
struct Device {
    board: Board,
    model: CycleModel,
    /// Runs as long as this lives.
    _virtual_board: Option<VirtualBoard>,
}

impl Device {
    /// Loads `network` where the board does not have it yet.
    fn new(
        mut board: Board,
        network: &Network,
        virtual_board: Option<VirtualBoard>,
        ui: &Ui,
    ) -> Result<Self> {
        let model = cycle_model(network, &board.info().device.core)?;
        if !board.deployed_model_matches(network)? {
            load(&mut board, network, ui)?;
        }
        Ok(Device {
            board,
            model,
            _virtual_board: virtual_board,
        })
    }
}

impl Backend for Device {
    fn infer(&mut self, spikes: &[SpikeTrain]) -> Result<Vec<Inference>, BackendError> {
        let found = self.board.infer_batch(spikes)?;
        let answers = spikes.iter().zip(found).map(|(train, found)| Inference {
            decision: found.decision,
            cycles: Some(found.cycles),
            expected_cycles: Some(self.model.infer(&train.events()).cycles),
        });
        Ok(answers.collect())
    }

    fn weight_bits(&self) -> usize {
        weight_bits(&self.board.info().device.core)
    }
}
