//! The memory map: where a network's weights, thresholds and geometry lie in a core.
//!
//! - Spikes of input i of a layer come from bank `i % S`, row `i / S`.
//! - Neuron j of a layer is lane `j % P` of fold `j / P`.
//! - The weights of fold f, row r of a layer are the P bits at row `base + f * rows + r` of the bank:
//!   bit p is 1 where the weight to lane p is +1.
//! - Fold f of a layer has its potentials and thresholds in slot `slot + f`. What is loaded there is
//!   the margin at the start of an inference: minus the threshold.
//! - Lanes beyond the last neuron have weights of +1 and the most negative margin, from where they
//!   never fire.

use crate::config::{CoreConfig, POTENTIAL_BITS};
use crate::network::{Layer, Network, MAX_LAYERS};
use crc::{Crc, CRC_32_ISO_HDLC};
use thiserror::Error;

/// The bytes of [`Geometry::to_bytes`].
pub const GEOMETRY_BYTES: usize = 33;
/// The margin of a lane without a neuron.
pub const UNUSED_MARGIN: i16 = i16::MIN;

/// Why a network does not fit a core. Each says what is too large; [`largest_fitting`] says what would fit.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FitError {
    #[error("the network has {found} inputs, the core takes {max}")]
    Inputs { found: usize, max: usize },
    #[error("the hidden layers take {found} rows of spikes in a bank, the core has {max}, so up to {neurons} neurons")]
    Hidden {
        found: usize,
        max: usize,
        neurons: usize,
    },
    #[error("the network's neurons take {found} folds of {lanes}, the core has room for {max}")]
    Folds {
        found: usize,
        max: usize,
        lanes: usize,
    },
    #[error(
        "the network's weights take {found} rows of {banks} x {lanes} bits, the core has {max}"
    )]
    Weights {
        found: usize,
        max: usize,
        banks: usize,
        lanes: usize,
    },
    #[error(
        "neuron {neuron} of layer {layer} can leave the {POTENTIAL_BITS} bits of a potential \
         (fan-in {inputs}, threshold {threshold})"
    )]
    Potential {
        layer: usize,
        neuron: usize,
        inputs: usize,
        threshold: i32,
    },
}

/// Where one layer lies in the core's memories.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LayerGeometry {
    /// Rows a fold: the layer's inputs divided by the banks, rounded up.
    pub rows: u16,
    /// Folds: the layer's neurons divided by the lanes, rounded up.
    pub folds: u8,
    /// The slot of the first fold.
    pub slot: u8,
    /// The row of the first weight, in every bank.
    pub base: u16,
}

/// What the core must know of a network besides its weights and thresholds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Geometry {
    pub layers: Vec<LayerGeometry>,
    /// T - 1.
    pub last_step: u8,
    pub inputs: u16,
    /// Neurons of the last layer.
    pub outputs: u16,
    /// Rows used in every bank.
    pub rows_used: u16,
    /// Slots used.
    pub slots_used: u8,
}

impl Geometry {
    /// The geometry of layers of `sizes` (N_0, N_1, ..., N_L) over `steps`, if they fit.
    pub fn fit(sizes: &[usize], steps: usize, core: &CoreConfig) -> Result<Self, FitError> {
        let (lanes, banks) = (usize::from(core.lanes), usize::from(core.banks));
        let inputs_max = banks * usize::from(core.input_rows);
        let (inputs, outputs) = (sizes[0], sizes[sizes.len() - 1]);
        if inputs > inputs_max {
            return Err(FitError::Inputs {
                found: inputs,
                max: inputs_max,
            });
        }
        let hidden = &sizes[1..sizes.len() - 1];
        let hidden_rows = hidden.iter().map(|n| n.div_ceil(banks)).sum();
        let hidden_max = usize::from(core.hidden_rows);
        if hidden_rows > hidden_max {
            return Err(FitError::Hidden {
                found: hidden_rows,
                max: hidden_max,
                neurons: hidden_max * banks,
            });
        }
        let folds: usize = sizes[1..].iter().map(|n| n.div_ceil(lanes)).sum();
        let slots_max = usize::from(core.fold_slots);
        if folds > slots_max {
            return Err(FitError::Folds {
                found: folds,
                max: slots_max,
                lanes,
            });
        }
        let rows: usize = (sizes.windows(2))
            .map(|pair| pair[0].div_ceil(banks) * pair[1].div_ceil(lanes))
            .sum();
        // The last row must have a 16-bit successor, because `rows_used` is one beyond it.
        let rows_max = (core.weight_rows as usize).min(65_535);
        if rows > rows_max {
            return Err(FitError::Weights {
                found: rows,
                max: rows_max,
                banks,
                lanes,
            });
        }
        let (mut base, mut slot) = (0, 0);
        let layers = (sizes.windows(2))
            .map(|pair| {
                let (rows, folds) = (pair[0].div_ceil(banks), pair[1].div_ceil(lanes));
                let layer = LayerGeometry {
                    rows: rows as u16,
                    folds: folds as u8,
                    slot: slot as u8,
                    base: base as u16,
                };
                base += rows * folds;
                slot += folds;
                layer
            })
            .collect();
        Ok(Geometry {
            layers,
            last_step: (steps - 1) as u8,
            inputs: inputs as u16,
            outputs: outputs as u16,
            rows_used: base as u16,
            slots_used: slot as u8,
        })
    }

    /// The payload of a GEOMETRY frame, and the start of what the memory checksum covers.
    ///
    /// Little-endian: layers u8, last step u8, inputs u16, outputs u16, rows used u16, slots used u8,
    /// then for each of four layers rows u16, base u16, folds u8, slot u8 (zero where there is none).
    pub fn to_bytes(&self) -> [u8; GEOMETRY_BYTES] {
        let mut bytes = [0; GEOMETRY_BYTES];
        bytes[0] = self.layers.len() as u8;
        bytes[1] = self.last_step;
        bytes[2..4].copy_from_slice(&self.inputs.to_le_bytes());
        bytes[4..6].copy_from_slice(&self.outputs.to_le_bytes());
        bytes[6..8].copy_from_slice(&self.rows_used.to_le_bytes());
        bytes[8] = self.slots_used;
        for (layer, at) in self.layers.iter().zip((9..).step_by(6)) {
            bytes[at..at + 2].copy_from_slice(&layer.rows.to_le_bytes());
            bytes[at + 2..at + 4].copy_from_slice(&layer.base.to_le_bytes());
            bytes[at + 4] = layer.folds;
            bytes[at + 5] = layer.slot;
        }
        bytes
    }

    /// The geometry that [`Geometry::to_bytes`] wrote. `None` when the number of layers is not 1 to 4.
    pub fn from_bytes(bytes: &[u8; GEOMETRY_BYTES]) -> Option<Self> {
        let count = usize::from(bytes[0]);
        if !(1..=MAX_LAYERS).contains(&count) {
            return None;
        }
        let word = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let layers = (0..count)
            .map(|layer| {
                let at = 9 + 6 * layer;
                LayerGeometry {
                    rows: word(at),
                    base: word(at + 2),
                    folds: bytes[at + 4],
                    slot: bytes[at + 5],
                }
            })
            .collect();
        Some(Geometry {
            layers,
            last_step: bytes[1],
            inputs: word(2),
            outputs: word(4),
            rows_used: word(6),
            slots_used: bytes[8],
        })
    }
}

/// A network as a core's memories hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemoryImage {
    pub core: CoreConfig,
    pub geometry: Geometry,
    /// Bank after bank, row after row, `lanes / 8` bytes a row: lane p is bit `p % 8` of byte `p / 8`.
    pub weights: Vec<u8>,
    /// Slot after slot, one margin a lane.
    pub margins: Vec<i16>,
}

impl MemoryImage {
    /// Lays `network` out for `core`.
    pub fn new(network: &Network, core: &CoreConfig) -> Result<Self, FitError> {
        let geometry = Geometry::fit(&network.sizes(), network.steps(), core)?;
        check_potentials(network)?;
        let (lanes, banks) = (usize::from(core.lanes), usize::from(core.banks));
        let (rows_used, row_bytes) = (usize::from(geometry.rows_used), core.row_bytes());
        // Unused lanes and rows keep +1: see UNUSED_MARGIN.
        let mut weights = vec![0xFF; banks * rows_used * row_bytes];
        let mut margins = vec![UNUSED_MARGIN; usize::from(geometry.slots_used) * lanes];
        for (layer, place) in network.layers().iter().zip(&geometry.layers) {
            for neuron in 0..layer.neurons() {
                let (fold, lane) = (neuron / lanes, neuron % lanes);
                margins[(usize::from(place.slot) + fold) * lanes + lane] =
                    -layer.thresholds()[neuron] as i16;
                for input in (0..layer.inputs()).filter(|&i| !layer.is_positive(neuron, i)) {
                    let row =
                        usize::from(place.base) + fold * usize::from(place.rows) + input / banks;
                    let byte = ((input % banks) * rows_used + row) * row_bytes + lane / 8;
                    weights[byte] &= !(1 << (lane % 8));
                }
            }
        }
        Ok(MemoryImage {
            core: *core,
            geometry,
            weights,
            margins,
        })
    }

    /// The bytes of `rows` rows of `bank`, from `row` on.
    pub fn weight_bytes(&self, bank: usize, row: usize, rows: usize) -> &[u8] {
        let row_bytes = self.core.row_bytes();
        let start = (bank * usize::from(self.geometry.rows_used) + row) * row_bytes;
        &self.weights[start..start + rows * row_bytes]
    }

    /// CRC-32 (ISO-HDLC) over geometry, weights and margins (little-endian), in the order of the fields.
    /// The device computes the same from what it reads back before it is armed.
    pub fn checksum(&self) -> u32 {
        const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);
        let mut digest = CRC.digest();
        digest.update(&self.geometry.to_bytes());
        digest.update(&self.weights);
        for margin in &self.margins {
            digest.update(&margin.to_le_bytes());
        }
        digest.finalize()
    }
}

/// Checks that no neuron's margin can leave the width of a potential before it has fired. The upper half of
/// the positive numbers is taken: it marks neurons that have fired.
fn check_potentials(network: &Network) -> Result<(), FitError> {
    let limit = 1i64 << (POTENTIAL_BITS - 1);
    for (index, layer) in network.layers().iter().enumerate() {
        for (neuron, &threshold) in layer.thresholds().iter().enumerate() {
            if !margin_fits(layer, neuron, limit) {
                return Err(FitError::Potential {
                    layer: index + 1,
                    neuron,
                    inputs: layer.inputs(),
                    threshold,
                });
            }
        }
    }
    Ok(())
}

fn margin_fits(layer: &Layer, neuron: usize, limit: i64) -> bool {
    let positive = layer.positive_weights(neuron) as i64;
    let negative = layer.inputs() as i64 - positive;
    let threshold = i64::from(layer.thresholds()[neuron]);
    // An unused lane starts at -limit and adds every input: it must stay negative.
    -threshold - negative >= -limit
        && positive - threshold < limit / 2
        && (layer.inputs() as i64) < limit
}

/// The largest network of the same shape that fits: hidden layers scaled down together.
///
/// `sizes` are N_0, N_1, ..., N_L; inputs and outputs stay. `None` when none fits, or there is no
/// hidden layer.
pub fn largest_fitting(sizes: &[usize], steps: usize, core: &CoreConfig) -> Option<Vec<usize>> {
    let hidden = sizes.len().checked_sub(2).filter(|&n| n > 0)?;
    let largest = *sizes[1..=hidden].iter().max()?;
    let scaled = |to: usize| -> Vec<usize> {
        let mut smaller = sizes.to_vec();
        for size in &mut smaller[1..=hidden] {
            *size = (*size * to / largest).max(1);
        }
        smaller
    };
    let fits = |to: usize| Geometry::fit(&scaled(to), steps, core).is_ok();
    if !fits(1) {
        return None;
    }
    let (mut low, mut high) = (1, largest + 1);
    while high - low > 1 {
        let middle = (low + high) / 2;
        if fits(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(scaled(low))
}
