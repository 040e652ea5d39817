//! The cycle model as a backend.

use super::{Backend, BackendError, Inference};
use firmware_model::config::CoreConfig;
use firmware_model::cycle::{CycleModel, Savings};
use firmware_model::network::SpikeTrain;
use rayon::prelude::*;

/// A core as software, counting its clock cycles. Runs on the current rayon pool.
pub struct CoreModel {
    model: CycleModel,
    weight_bits: usize,
    savings: Savings,
}

impl CoreModel {
    /// `model`, which is one of `core`, in the cycles of a core that saves no more than `savings`.
    pub fn new(model: CycleModel, core: &CoreConfig, savings: Savings) -> Self {
        CoreModel {
            model,
            weight_bits: weight_bits(core),
            savings,
        }
    }
}

/// The weight bits that the memories of `core` give in a clock cycle: S · P.
pub fn weight_bits(core: &CoreConfig) -> usize {
    usize::from(core.banks) * usize::from(core.lanes)
}

impl Backend for CoreModel {
    fn infer(&mut self, spikes: &[SpikeTrain]) -> Result<Vec<Inference>, BackendError> {
        let (one, savings) = (&self.model, self.savings);
        let infer =
            |model: &mut CycleModel, train: &SpikeTrain| model.infer_with(&train.events(), savings);
        let answers = spikes.par_iter().map_init(|| one.clone(), infer);
        Ok(answers
            .map(|found| Inference {
                decision: found.decision,
                cycles: Some(found.cycles),
                expected_cycles: None,
            })
            .collect())
    }

    fn weight_bits(&self) -> usize {
        self.weight_bits
    }

    fn exits(&self) -> bool {
        self.savings.exit
    }
}
