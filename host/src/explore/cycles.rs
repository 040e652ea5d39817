//! The clock cycles of an inference: by the cycle model, which is exact, on images.

use super::activity::StandIn;
use firmware_model::config::CoreConfig;
use firmware_model::cycle::CycleModel;
use firmware_model::image::{FitError, MemoryImage};
use firmware_model::network::{Network, Spike, SpikeTrain};
use rayon::prelude::*;
use serde::Serialize;

/// What is run to count cycles.
pub enum Workload {
    /// A model on images of its data set: the cycles are exact.
    Images {
        network: Box<Network>,
        images: Vec<Vec<Spike>>,
    },
    /// Stand-ins of a profile: the cycles are an estimate.
    StandIns(Vec<StandIn>),
}

/// Clock cycles an inference.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Cycles {
    pub mean: f64,
    pub most: u32,
}

impl Workload {
    /// A model on images, which fit it.
    pub fn images(network: Network, images: &[SpikeTrain]) -> Workload {
        Workload::Images {
            network: Box::new(network),
            images: images.iter().map(SpikeTrain::events).collect(),
        }
    }

    /// How many inferences are run for each core.
    pub fn len(&self) -> usize {
        match self {
            Workload::Images { images, .. } => images.len(),
            Workload::StandIns(stand_ins) => stand_ins.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Runs all of it on `core`, on the current rayon pool.
    ///
    /// # Errors
    /// When the network does not fit the core.
    pub fn run(&self, core: &CoreConfig) -> Result<Cycles, FitError> {
        let cycles: Vec<u32> = match self {
            Workload::Images { network, images } => {
                let model = CycleModel::new(&MemoryImage::new(network, core)?);
                images
                    .par_iter()
                    .map_init(|| model.clone(), |model, image| model.infer(image).cycles)
                    .collect()
            }
            Workload::StandIns(stand_ins) => stand_ins
                .par_iter()
                .map(|stand_in| {
                    let image = MemoryImage::new(&stand_in.network, core)?;
                    Ok(CycleModel::new(&image)
                        .infer(&stand_in.spikes.events())
                        .cycles)
                })
                .collect::<Result<_, FitError>>()?,
        };
        let sum: u64 = cycles.iter().copied().map(u64::from).sum();
        Ok(Cycles {
            mean: sum as f64 / cycles.len().max(1) as f64,
            most: cycles.into_iter().max().unwrap_or(0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explore::activity::Profile;
    use firmware_model::board::Board;

    #[test]
    fn a_workload_is_run_image_by_image() {
        let core = Board::find("icebreaker").unwrap().core;
        let stand_ins = Profile::default().stand_ins(&[64, 40, 10], 16).unwrap();
        let one = &stand_ins[0];
        let mut model = CycleModel::new(&MemoryImage::new(&one.network, &core).unwrap());
        let expected = model.infer(&one.spikes.events()).cycles;
        let images = [one.spikes.clone(), SpikeTrain::silent(64)];
        let silent = model.infer(&[]).cycles;
        let found = Workload::images(one.network.clone(), &images)
            .run(&core)
            .unwrap();
        assert_eq!(found.mean, f64::from(expected + silent) / 2.0);
        assert_eq!(found.most, expected.max(silent));

        let workload = Workload::StandIns(vec![one.clone()]);
        assert_eq!(workload.len(), 1);
        assert_eq!(workload.run(&core).unwrap().most, expected);
    }
}
