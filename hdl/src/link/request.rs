//! Which requests there are, and how long each may be.

use crate::comment;
use firmware_model::config::CoreConfig;
use firmware_model::image::GEOMETRY_BYTES;
use firmware_model::protocol::kind;
use rust_hdl::prelude::*;

/// Where a frame's payload begins in its slot: after the place of its end, kind and number.
pub const PAYLOAD: u64 = 3;

/// Tells requests apart and judges their length.
#[derive(LogicBlock)]
pub struct RequestCheck {
    pub kind: Signal<In, Bits<8>>,
    /// Where the payload ends: its length and [`PAYLOAD`].
    pub stop: Signal<In, Bits<8>>,
    pub is_info: Signal<Out, Bit>,
    pub is_geometry: Signal<Out, Bit>,
    pub is_weights: Signal<Out, Bit>,
    pub is_margins: Signal<Out, Bit>,
    pub is_arm: Signal<Out, Bit>,
    pub is_spikes: Signal<Out, Bit>,
    pub is_status: Signal<Out, Bit>,
    /// GEOMETRY, WEIGHTS or MARGINS.
    pub is_load: Signal<Out, Bit>,
    pub is_known: Signal<Out, Bit>,
    pub length_fits: Signal<Out, Bit>,
    info: Constant<Bits<8>>,
    geometry: Constant<Bits<8>>,
    weights: Constant<Bits<8>>,
    margins: Constant<Bits<8>>,
    arm: Constant<Bits<8>>,
    spikes: Constant<Bits<8>>,
    status: Constant<Bits<8>>,
    stop_empty: Constant<Bits<8>>,
    stop_geometry: Constant<Bits<8>>,
    stop_arm: Constant<Bits<8>>,
    /// Where data begin behind the place that a load names, and behind the numbers of a chunk.
    weights_data: Constant<Bits<8>>,
    margins_data: Constant<Bits<8>>,
    spikes_data: Constant<Bits<8>>,
    row_mask: Constant<Bits<8>>,
}

impl RequestCheck {
    pub fn new(core: &CoreConfig) -> Self {
        let bytes = |value: u64| Constant::new(value.into());
        RequestCheck {
            kind: Default::default(),
            stop: Default::default(),
            is_info: Default::default(),
            is_geometry: Default::default(),
            is_weights: Default::default(),
            is_margins: Default::default(),
            is_arm: Default::default(),
            is_spikes: Default::default(),
            is_status: Default::default(),
            is_load: Default::default(),
            is_known: Default::default(),
            length_fits: Default::default(),
            info: bytes(kind::INFO.into()),
            geometry: bytes(kind::GEOMETRY.into()),
            weights: bytes(kind::WEIGHTS.into()),
            margins: bytes(kind::MARGINS.into()),
            arm: bytes(kind::ARM.into()),
            spikes: bytes(kind::SPIKES.into()),
            status: bytes(kind::STATUS.into()),
            stop_empty: bytes(PAYLOAD),
            stop_geometry: bytes(PAYLOAD + GEOMETRY_BYTES as u64),
            stop_arm: bytes(PAYLOAD + 4),
            weights_data: bytes(PAYLOAD + 3),
            margins_data: bytes(PAYLOAD + 2),
            spikes_data: bytes(PAYLOAD + 2),
            row_mask: bytes(u64::from(core.lanes / 8 - 1)),
        }
    }
}

impl Logic for RequestCheck {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module request_check");
        comment!("Which request it is, and whether its length fits.");
        self.is_info.next = self.kind.val() == self.info.val();
        self.is_geometry.next = self.kind.val() == self.geometry.val();
        self.is_weights.next = self.kind.val() == self.weights.val();
        self.is_margins.next = self.kind.val() == self.margins.val();
        self.is_arm.next = self.kind.val() == self.arm.val();
        self.is_spikes.next = self.kind.val() == self.spikes.val();
        self.is_status.next = self.kind.val() == self.status.val();
        self.is_load.next = (self.kind.val() == self.geometry.val())
            | (self.kind.val() == self.weights.val())
            | (self.kind.val() == self.margins.val());
        self.is_known.next = true;
        self.length_fits.next = false;
        if (self.kind.val() == self.info.val()) | (self.kind.val() == self.status.val()) {
            self.length_fits.next = self.stop.val() == self.stop_empty.val();
        } else if self.kind.val() == self.geometry.val() {
            self.length_fits.next = self.stop.val() == self.stop_geometry.val();
        } else if self.kind.val() == self.weights.val() {
            comment!("Whole rows, and at least one.");
            self.length_fits.next = (self.stop.val() > self.weights_data.val())
                & (((self.stop.val() - self.weights_data.val()) & self.row_mask.val()) == 0);
        } else if self.kind.val() == self.margins.val() {
            comment!("Two bytes a margin, and at least one margin.");
            self.length_fits.next = (self.stop.val() > self.margins_data.val())
                & (((self.stop.val() - self.margins_data.val()) & 1) == 0);
        } else if self.kind.val() == self.arm.val() {
            self.length_fits.next = self.stop.val() == self.stop_arm.val();
        } else if self.kind.val() == self.spikes.val() {
            self.length_fits.next = self.stop.val() >= self.spikes_data.val();
        } else {
            self.is_known.next = false;
        }
    }
}
