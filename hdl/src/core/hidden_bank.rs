//! The hidden spikes of one bank: those that a layer reads, and those that it makes.

use crate::comment;
use crate::ram::SyncRam;
use rust_hdl::prelude::*;

/// Two halves, one read and one written; `turn` exchanges them when the next layer begins.
#[derive(LogicBlock)]
pub struct HiddenBank {
    pub clock: Signal<In, Clock>,
    /// A layer begins whose events were written until now.
    pub turn: Signal<In, Bit>,
    /// The first layer begins: nothing was written yet.
    pub clear: Signal<In, Bit>,
    pub write: Signal<In, Bit>,
    pub write_row: Signal<In, Bits<16>>,
    /// How many events were written.
    pub written: Signal<Out, Bits<12>>,
    pub offset: Signal<In, Bits<12>>,
    /// One clock cycle after `offset`: there is an event, and this is its row.
    pub valid: Signal<Out, Bit>,
    pub row: Signal<Out, Bits<16>>,
    store: SyncRam<16, 12>,
    half: DFF<Bit>,
    count: DFF<Bits<12>>,
    end: DFF<Bits<12>>,
    in_bounds: DFF<Bit>,
    second_half: Constant<Bits<12>>,
}

impl HiddenBank {
    /// A bank for `rows` spikes of a layer (a power of two); `row_bits` of a row are kept.
    pub fn new(rows: usize, row_bits: usize) -> Self {
        HiddenBank {
            clock: Default::default(),
            turn: Default::default(),
            clear: Default::default(),
            write: Default::default(),
            write_row: Default::default(),
            written: Default::default(),
            offset: Default::default(),
            valid: Default::default(),
            row: Default::default(),
            store: SyncRam::new(2 * rows, row_bits).without_collisions(),
            half: Default::default(),
            count: Default::default(),
            end: Default::default(),
            in_bounds: Default::default(),
            second_half: Constant::new((rows as u64).into()),
        }
    }
}

impl Logic for HiddenBank {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module hidden_bank");
        comment!("The hidden spikes of one bank: those that the layer reads, those that it makes.");
        dff_setup!(self, clock, half, count, end, in_bounds);
        self.store.clock.next = self.clock.val();
        self.store.write_address.next = self.count.q.val();
        self.store.read_address.next = self.offset.val() | self.second_half.val();
        if self.half.q.val() {
            self.store.write_address.next = self.count.q.val() | self.second_half.val();
            self.store.read_address.next = self.offset.val();
        }
        self.store.write_data.next = self.write_row.val();
        self.store.write_enable.next = self.write.val();
        if self.write.val() {
            self.count.d.next = self.count.q.val() + 1;
        }
        self.in_bounds.d.next = self.offset.val() < self.end.q.val();
        if self.turn.val() {
            self.half.d.next = !self.half.q.val();
            self.end.d.next = self.count.q.val();
            self.count.d.next = 0.into();
        }
        if self.clear.val() {
            self.count.d.next = 0.into();
        }
        self.written.next = self.count.q.val();
        self.valid.next = self.in_bounds.q.val();
        self.row.next = self.store.read_data.val();
    }
}
