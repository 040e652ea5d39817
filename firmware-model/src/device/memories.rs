//! What a device holds: geometry registers, weight banks, margins.

use crate::config::CoreConfig;
use crate::image::{Geometry, MemoryImage, GEOMETRY_BYTES, UNUSED_MARGIN};
use crate::protocol::request::LANES_PER_OCTET;
use crate::protocol::status;

#[derive(Debug, Clone)]
pub(super) struct Memories {
    core: CoreConfig,
    geometry: Option<Geometry>,
    /// Bank after bank, all rows of each.
    weights: Vec<u8>,
    /// Slot after slot, one a lane.
    margins: Vec<i16>,
}

impl Memories {
    /// Memories at power-up: nothing is known of what they hold.
    pub(super) fn with_junk(core: &CoreConfig, seed: u64) -> Self {
        let rows = usize::from(core.banks) * core.weight_rows as usize;
        let margins = usize::from(core.fold_slots) * usize::from(core.lanes);
        let mut junk = Junk(seed);
        Memories {
            core: *core,
            geometry: None,
            weights: (0..rows * core.row_bytes())
                .map(|_| junk.next() as u8)
                .collect(),
            margins: (0..margins).map(|_| junk.next() as i16).collect(),
        }
    }

    /// The geometry, when the last one that came was good.
    pub(super) fn geometry(&self) -> Option<&Geometry> {
        self.geometry.as_ref()
    }

    /// Takes a geometry, or refuses it and holds none.
    pub(super) fn set_geometry(&mut self, bytes: &[u8; GEOMETRY_BYTES]) -> Result<(), u8> {
        let geometry = Geometry::from_bytes(bytes);
        // Bytes that say nothing (unused layers) count in the checksum, so they must be zero.
        self.geometry = geometry.filter(|g| is_held(g, &self.core) && g.to_bytes() == *bytes);
        match self.geometry {
            Some(_) => Ok(()),
            None => Err(status::OUT_OF_RANGE),
        }
    }

    /// Writes rows that are in range.
    pub(super) fn write_weights(&mut self, bank: u8, row: u16, rows: &[u8]) {
        let start = self.row_start(bank.into(), row.into());
        self.weights[start..start + rows.len()].copy_from_slice(rows);
    }

    /// Writes margins (two bytes each) that are in range.
    pub(super) fn write_margins(&mut self, slot: u8, octet: u8, margins: &[u8]) {
        let start =
            usize::from(slot) * usize::from(self.core.lanes) + LANES_PER_OCTET * usize::from(octet);
        for (margin, bytes) in self.margins[start..].iter_mut().zip(margins.chunks(2)) {
            *margin = i16::from_le_bytes([bytes[0], bytes[1]]);
        }
    }

    pub(super) fn flip_weight_bit(&mut self, bank: usize, row: usize, lane: usize) {
        let at = self.row_start(bank, row) + lane / 8;
        self.weights[at] ^= 1 << (lane % 8);
    }

    /// What the memories hold of the network that the geometry tells of.
    pub(super) fn image(&self) -> Option<MemoryImage> {
        let geometry = self.geometry.clone()?;
        let bank_bytes = usize::from(geometry.rows_used) * self.core.row_bytes();
        let weights = (0..usize::from(self.core.banks))
            .flat_map(|bank| {
                let start = self.row_start(bank, 0);
                &self.weights[start..start + bank_bytes]
            })
            .copied()
            .collect();
        let margins = usize::from(geometry.slots_used) * usize::from(self.core.lanes);
        Some(MemoryImage {
            core: self.core,
            geometry,
            weights,
            margins: self.margins[..margins].to_vec(),
        })
    }

    fn row_start(&self, bank: usize, row: usize) -> usize {
        (bank * self.core.weight_rows as usize + row) * self.core.row_bytes()
    }
}

/// Whether `core` can hold the geometry, and its layers lie one after the other and fit together.
fn is_held(geometry: &Geometry, core: &CoreConfig) -> bool {
    let (lanes, banks) = (usize::from(core.lanes), usize::from(core.banks));
    let (inputs, outputs) = (usize::from(geometry.inputs), usize::from(geometry.outputs));
    let (mut base, mut slot) = (0, 0);
    for (index, layer) in geometry.layers.iter().enumerate() {
        let (rows, folds) = (usize::from(layer.rows), usize::from(layer.folds));
        let follows = (usize::from(layer.base), usize::from(layer.slot)) == (base, slot);
        // The inputs that `rows` rows of the banks, or `folds` folds of the lanes, can stand for.
        let fewest = (rows.saturating_sub(1)) * banks + 1;
        let neurons = (folds.saturating_sub(1)) * lanes + 1..=folds * lanes;
        let fits = match geometry.layers.get(index + 1) {
            Some(next) => {
                let rows = usize::from(next.rows);
                let (low, high) = (rows.saturating_sub(1) * banks + 1, rows * banks);
                low <= *neurons.end() && *neurons.start() <= high
            }
            None => neurons.contains(&outputs),
        };
        let fed = index > 0 || (fewest..=rows * banks).contains(&inputs);
        if rows == 0 || folds == 0 || !follows || !fits || !fed {
            return false;
        }
        base += rows * folds;
        slot += folds;
    }
    let hidden_rows: usize = (geometry.layers.iter().skip(1))
        .map(|layer| usize::from(layer.rows))
        .sum();
    hidden_rows <= usize::from(core.hidden_rows)
        && inputs <= banks * usize::from(core.input_rows)
        && (base, slot) == (geometry.rows_used.into(), geometry.slots_used.into())
        && base <= core.weight_rows as usize
        && slot <= usize::from(core.fold_slots)
}

/// Refuses an image in which a hidden lane without a neuron could fire: the next layer has no weights
/// for it, and what comes of it in the gateware is not defined.
pub(super) fn check_unused_lanes(image: &MemoryImage) -> Result<(), u8> {
    let (lanes, banks) = (usize::from(image.core.lanes), usize::from(image.core.banks));
    for pair in image.geometry.layers.windows(2) {
        let (layer, next) = (pair[0], pair[1]);
        let (rows, folds) = (usize::from(layer.rows), usize::from(layer.folds));
        let last = folds - 1;
        let margins = (usize::from(layer.slot) + last) * lanes;
        for lane in (0..lanes).filter(|lane| last * lanes + lane >= usize::from(next.rows) * banks)
        {
            let counts_up = (0..banks).all(|bank| {
                let base = usize::from(layer.base) + last * rows;
                (image.weight_bytes(bank, base, rows))
                    .chunks(lanes / 8)
                    .all(|row| row[lane / 8] >> (lane % 8) & 1 == 1)
            });
            if image.margins[margins + lane] != UNUSED_MARGIN || !counts_up {
                return Err(status::OUT_OF_RANGE);
            }
        }
    }
    Ok(())
}

/// SplitMix64 (Steele, Lea and Flood, 2014): junk needs no more.
struct Junk(u64);

impl Junk {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}
