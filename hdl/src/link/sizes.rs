//! GEOMETRY's sizes against the core's.

use super::request::PAYLOAD;
use crate::comment;
use firmware_model::config::CoreConfig;
use firmware_model::network::MAX_LAYERS;
use rust_hdl::prelude::*;

/// Looks at the bytes of a GEOMETRY payload as they pass, from the number of layers to that of the
/// used slots, and says whether the core can hold such a network.
///
/// The bytes are layers, last step, then two each (low before high) of inputs, outputs and rows,
/// then slots. None but the last step may be zero, and none greater than its limit.
#[derive(LogicBlock)]
pub struct SizesCheck {
    pub clock: Signal<In, Clock>,
    /// A payload begins.
    pub clear: Signal<In, Bit>,
    /// A byte of the payload, and where it stands in its slot.
    pub strobe: Signal<In, Bit>,
    pub index: Signal<In, Bits<8>>,
    pub data: Signal<In, Bits<8>>,
    /// `index` is behind the last byte that is looked at.
    pub passed: Signal<Out, Bit>,
    /// A byte that was looked at does not fit.
    pub unfit: Signal<Out, Bit>,
    any_wrong: DFF<Bit>,
    /// Of the low byte before: it is greater than its limit's, or zero.
    low_greater: DFF<Bit>,
    low_zero: DFF<Bit>,
    limit: Signal<Local, Bits<8>>,
    is_zero: Signal<Local, Bit>,
    is_greater: Signal<Local, Bit>,
    wrong: Signal<Local, Bit>,
    layers_at: Constant<Bits<8>>,
    inputs_low_at: Constant<Bits<8>>,
    inputs_high_at: Constant<Bits<8>>,
    outputs_high_at: Constant<Bits<8>>,
    rows_low_at: Constant<Bits<8>>,
    rows_high_at: Constant<Bits<8>>,
    slots_at: Constant<Bits<8>>,
    behind_slots: Constant<Bits<8>>,
    most_layers: Constant<Bits<8>>,
    most_inputs_low: Constant<Bits<8>>,
    most_inputs_high: Constant<Bits<8>>,
    most_rows_low: Constant<Bits<8>>,
    most_rows_high: Constant<Bits<8>>,
    most_slots: Constant<Bits<8>>,
}

impl SizesCheck {
    pub fn new(core: &CoreConfig) -> Self {
        let byte = |value: u64| Constant::new((value & 0xFF).into());
        let inputs = (u64::from(core.banks) * u64::from(core.input_rows)).min(0xFFFF);
        let rows = u64::from(core.weight_rows).min(0xFFFF);
        SizesCheck {
            clock: Default::default(),
            clear: Default::default(),
            strobe: Default::default(),
            index: Default::default(),
            data: Default::default(),
            passed: Default::default(),
            unfit: Default::default(),
            any_wrong: Default::default(),
            low_greater: Default::default(),
            low_zero: Default::default(),
            limit: Default::default(),
            is_zero: Default::default(),
            is_greater: Default::default(),
            wrong: Default::default(),
            layers_at: byte(PAYLOAD),
            inputs_low_at: byte(PAYLOAD + 2),
            inputs_high_at: byte(PAYLOAD + 3),
            outputs_high_at: byte(PAYLOAD + 5),
            rows_low_at: byte(PAYLOAD + 6),
            rows_high_at: byte(PAYLOAD + 7),
            slots_at: byte(PAYLOAD + 8),
            behind_slots: byte(PAYLOAD + 9),
            most_layers: byte(MAX_LAYERS as u64),
            most_inputs_low: byte(inputs),
            most_inputs_high: byte(inputs >> 8),
            most_rows_low: byte(rows),
            most_rows_high: byte(rows >> 8),
            most_slots: byte(u64::from(core.fold_slots)),
        }
    }
}

impl Logic for SizesCheck {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module sizes_check");
        comment!("Whether the core can hold a network of a GEOMETRY request's sizes.");
        dff_setup!(self, clock, any_wrong, low_greater, low_zero);
        self.limit.next = 0xFF.into();
        if self.index.val() == self.layers_at.val() {
            self.limit.next = self.most_layers.val();
        } else if self.index.val() == self.inputs_low_at.val() {
            self.limit.next = self.most_inputs_low.val();
        } else if self.index.val() == self.inputs_high_at.val() {
            self.limit.next = self.most_inputs_high.val();
        } else if self.index.val() == self.rows_low_at.val() {
            self.limit.next = self.most_rows_low.val();
        } else if self.index.val() == self.rows_high_at.val() {
            self.limit.next = self.most_rows_high.val();
        } else if self.index.val() == self.slots_at.val() {
            self.limit.next = self.most_slots.val();
        }
        self.is_zero.next = self.data.val() == 0;
        self.is_greater.next = self.data.val() > self.limit.val();

        self.wrong.next = false;
        if (self.index.val() == self.layers_at.val()) | (self.index.val() == self.slots_at.val()) {
            self.wrong.next = self.is_zero.val() | self.is_greater.val();
        } else if (self.index.val() == self.inputs_high_at.val())
            | (self.index.val() == self.outputs_high_at.val())
            | (self.index.val() == self.rows_high_at.val())
        {
            self.wrong.next = self.is_greater.val()
                | (self.low_greater.q.val() & (self.data.val() == self.limit.val()))
                | (self.low_zero.q.val() & self.is_zero.val());
        }
        self.passed.next = self.index.val() == self.behind_slots.val();
        self.unfit.next = self.any_wrong.q.val();
        if self.strobe.val() {
            self.low_greater.d.next = self.is_greater.val();
            self.low_zero.d.next = self.is_zero.val();
            self.any_wrong.d.next = self.any_wrong.q.val() | self.wrong.val();
        }
        if self.clear.val() {
            self.any_wrong.d.next = false;
        }
    }
}
