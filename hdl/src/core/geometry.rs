//! The registers that say where the loaded network's layers lie.

use crate::comment;
use firmware_model::image::GEOMETRY_BYTES;
use rust_hdl::prelude::*;

/// The bytes of a GEOMETRY frame in a ring: loading shifts them in, reading back turns the ring once.
#[derive(LogicBlock)]
pub struct GeometryRegisters {
    pub clock: Signal<In, Clock>,
    pub shift: Signal<In, Bit>,
    /// The byte to shift in; with `turn` it is the oldest one instead.
    pub byte: Signal<In, Bits<8>>,
    pub turn: Signal<In, Bit>,
    pub oldest: Signal<Out, Bits<8>>,
    /// Which layer `rows`, `base`, `folds` and `slot` are of, 0 to 3.
    pub layer: Signal<In, Bits<2>>,
    pub last_layer: Signal<Out, Bits<2>>,
    pub last_step: Signal<Out, Bits<8>>,
    pub inputs: Signal<Out, Bits<16>>,
    pub outputs: Signal<Out, Bits<16>>,
    pub rows_used: Signal<Out, Bits<16>>,
    pub slots_used: Signal<Out, Bits<8>>,
    pub rows: Signal<Out, Bits<16>>,
    pub base: Signal<Out, Bits<16>>,
    pub folds: Signal<Out, Bits<8>>,
    pub slot: Signal<Out, Bits<7>>,
    bytes: [DFF<Bits<8>>; GEOMETRY_BYTES],
    count_less_one: Signal<Local, Bits<8>>,
    rows_low: Signal<Local, Bits<8>>,
    rows_high: Signal<Local, Bits<8>>,
    base_low: Signal<Local, Bits<8>>,
    base_high: Signal<Local, Bits<8>>,
    slot_byte: Signal<Local, Bits<8>>,
}

impl Default for GeometryRegisters {
    fn default() -> Self {
        GeometryRegisters {
            clock: Default::default(),
            shift: Default::default(),
            byte: Default::default(),
            turn: Default::default(),
            oldest: Default::default(),
            layer: Default::default(),
            last_layer: Default::default(),
            last_step: Default::default(),
            inputs: Default::default(),
            outputs: Default::default(),
            rows_used: Default::default(),
            slots_used: Default::default(),
            rows: Default::default(),
            base: Default::default(),
            folds: Default::default(),
            slot: Default::default(),
            bytes: std::array::from_fn(|_| Default::default()),
            count_less_one: Default::default(),
            rows_low: Default::default(),
            rows_high: Default::default(),
            base_low: Default::default(),
            base_high: Default::default(),
            slot_byte: Default::default(),
        }
    }
}

impl Logic for GeometryRegisters {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module geometry_registers");
        comment!(
            "The bytes of a GEOMETRY frame in a ring: loading shifts them in, reading back turns"
        );
        comment!("the ring once.");
        for i in 0..33 {
            self.bytes[i].clock.next = self.clock.val();
            self.bytes[i].d.next = self.bytes[i].q.val();
        }
        if self.shift.val() | self.turn.val() {
            for i in 0..32 {
                self.bytes[i].d.next = self.bytes[i + 1].q.val();
            }
            self.bytes[32].d.next = self.byte.val();
        }
        if self.turn.val() {
            self.bytes[32].d.next = self.bytes[0].q.val();
        }
        self.oldest.next = self.bytes[0].q.val();

        self.count_less_one.next = self.bytes[0].q.val() - 1;
        self.last_layer.next = self.count_less_one.val().get_bits::<2>(0);
        self.last_step.next = self.bytes[1].q.val();
        self.inputs.next = bit_cast::<16, 8>(self.bytes[3].q.val()) << 8
            | bit_cast::<16, 8>(self.bytes[2].q.val());
        self.outputs.next = bit_cast::<16, 8>(self.bytes[5].q.val()) << 8
            | bit_cast::<16, 8>(self.bytes[4].q.val());
        self.rows_used.next = bit_cast::<16, 8>(self.bytes[7].q.val()) << 8
            | bit_cast::<16, 8>(self.bytes[6].q.val());
        self.slots_used.next = self.bytes[8].q.val();

        comment!("Six bytes a layer: rows, base, folds, slot.");
        self.rows_low.next = self.bytes[9].q.val();
        self.rows_high.next = self.bytes[10].q.val();
        self.base_low.next = self.bytes[11].q.val();
        self.base_high.next = self.bytes[12].q.val();
        self.folds.next = self.bytes[13].q.val();
        self.slot_byte.next = self.bytes[14].q.val();
        for i in 1..4 {
            if self.layer.val() == i.to_bits::<2>() {
                self.rows_low.next = self.bytes[6 * i + 9].q.val();
                self.rows_high.next = self.bytes[6 * i + 10].q.val();
                self.base_low.next = self.bytes[6 * i + 11].q.val();
                self.base_high.next = self.bytes[6 * i + 12].q.val();
                self.folds.next = self.bytes[6 * i + 13].q.val();
                self.slot_byte.next = self.bytes[6 * i + 14].q.val();
            }
        }
        self.rows.next =
            bit_cast::<16, 8>(self.rows_high.val()) << 8 | bit_cast::<16, 8>(self.rows_low.val());
        self.base.next =
            bit_cast::<16, 8>(self.base_high.val()) << 8 | bit_cast::<16, 8>(self.base_low.val());
        self.slot.next = self.slot_byte.val().get_bits::<7>(0);
    }
}
