//! Puts loaded bytes together to rows of weights and to margins.

use crate::comment;
use rust_hdl::prelude::*;

/// Takes the data bytes of WEIGHTS and MARGINS frames and writes whole rows and margins.
#[derive(LogicBlock)]
pub struct Loader<const P: usize> {
    pub clock: Signal<In, Clock>,
    pub begin: Signal<In, Bit>,
    /// 0: rows of weights from row `address` of bank `select`; 1: margins of slot `address` from lane
    /// 8 * `select`.
    pub margins: Signal<In, Bit>,
    pub address: Signal<In, Bits<16>>,
    pub select: Signal<In, Bits<8>>,
    pub strobe: Signal<In, Bit>,
    pub byte: Signal<In, Bits<8>>,
    /// Since `begin` there was a row, bank, slot or lane that the core does not have.
    pub error: Signal<Out, Bit>,
    pub write_row: Signal<Out, Bit>,
    /// Writes the margin: 0 after its first byte, and then, two cycles after its second one, what it is.
    pub write_margin: Signal<Out, Bit>,
    /// The bits to be turned in a margin of 0, in the cycle after the second byte.
    pub turn: Signal<Out, Bits<16>>,
    /// The bank to write.
    pub target_bank: Signal<Out, Bits<8>>,
    /// The lane to write.
    pub target_lane: Signal<Out, Bits<10>>,
    /// The row or the slot to write.
    pub target_address: Signal<Out, Bits<16>>,
    pub row: Signal<Out, Bits<P>>,
    row_register: DFF<Bits<P>>,
    low_byte: DFF<Bits<8>>,
    turn_now: DFF<Bits<16>>,
    count: DFF<Bits<6>>,
    is_margin: DFF<Bit>,
    at: DFF<Bits<16>>,
    which: DFF<Bits<10>>,
    complete: DFF<Bit>,
    cleared: DFF<Bit>,
    placed: DFF<Bit>,
    has_error: DFF<Bit>,
    /// Of the row or margin that comes next: where it goes is known long before it is complete.
    in_range: DFF<Bit>,
    last_byte: Signal<Local, Bit>,
    shifted: Signal<Local, Bits<P>>,
    top_byte: Constant<Bits<9>>,
    last_row_byte: Constant<Bits<6>>,
    banks: Constant<Bits<10>>,
    lanes: Constant<Bits<10>>,
    slots: Constant<Bits<16>>,
    rows: Constant<Bits<17>>,
}

impl<const P: usize> Loader<P> {
    pub fn new(banks: usize, slots: usize, rows: usize) -> Self {
        Loader {
            clock: Default::default(),
            begin: Default::default(),
            margins: Default::default(),
            address: Default::default(),
            select: Default::default(),
            strobe: Default::default(),
            byte: Default::default(),
            error: Default::default(),
            write_row: Default::default(),
            write_margin: Default::default(),
            turn: Default::default(),
            target_bank: Default::default(),
            target_lane: Default::default(),
            target_address: Default::default(),
            row: Default::default(),
            row_register: Default::default(),
            low_byte: Default::default(),
            turn_now: Default::default(),
            count: Default::default(),
            is_margin: Default::default(),
            at: Default::default(),
            which: Default::default(),
            complete: Default::default(),
            cleared: Default::default(),
            placed: Default::default(),
            has_error: Default::default(),
            in_range: Default::default(),
            last_byte: Default::default(),
            shifted: Default::default(),
            top_byte: Constant::new((P as u64 - 8).into()),
            last_row_byte: Constant::new((P as u64 / 8 - 1).into()),
            banks: Constant::new((banks as u64).into()),
            lanes: Constant::new((P as u64).into()),
            slots: Constant::new((slots as u64).into()),
            rows: Constant::new((rows as u64).into()),
        }
    }
}

impl<const P: usize> Logic for Loader<P> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module loader");
        comment!("Puts loaded bytes together to rows of weights and to margins.");
        dff_setup!(
            self,
            clock,
            row_register,
            low_byte,
            turn_now,
            count,
            is_margin,
            at,
            which,
            complete,
            cleared,
            placed,
            has_error,
            in_range
        );
        self.shifted.next = self.row_register.q.val() >> 8;
        self.complete.d.next = false;
        self.last_byte.next = self.count.q.val() == self.last_row_byte.val();
        if self.is_margin.q.val() {
            self.last_byte.next = self.count.q.val() == 1;
        }
        if self.strobe.val() {
            self.row_register.d.next =
                self.shifted.val() | (bit_cast::<P, 8>(self.byte.val()) << self.top_byte.val());
            self.low_byte.d.next = self.byte.val();
            self.count.d.next = self.count.q.val() + 1;
            if self.last_byte.val() {
                self.count.d.next = 0.into();
                self.complete.d.next = true;
            }
        }

        comment!("The cycle after the last byte writes, and goes on to the next row. A margin takes one more: it");
        comment!("was cleared after the first byte, and now its bits are turned.");
        self.cleared.d.next = self.strobe.val() & self.is_margin.q.val() & !self.last_byte.val();
        self.placed.d.next = self.complete.q.val() & self.is_margin.q.val();
        self.turn_now.d.next = 0.into();
        if self.strobe.val() & self.is_margin.q.val() & self.last_byte.val() {
            self.turn_now.d.next =
                bit_cast::<16, 8>(self.byte.val()) << 8 | bit_cast::<16, 8>(self.low_byte.q.val());
        }
        self.turn.next = self.turn_now.q.val();
        self.in_range.d.next = (self.which.q.val() < self.banks.val())
            & (bit_cast::<17, 16>(self.at.q.val()) < self.rows.val());
        if self.is_margin.q.val() {
            self.in_range.d.next =
                (self.which.q.val() < self.lanes.val()) & (self.at.q.val() < self.slots.val());
        }
        self.write_row.next =
            self.complete.q.val() & !self.is_margin.q.val() & self.in_range.q.val();
        self.write_margin.next =
            (self.cleared.q.val() | self.placed.q.val()) & self.in_range.q.val();
        if self.complete.q.val() {
            if !self.in_range.q.val() {
                self.has_error.d.next = true;
            }
            if !self.is_margin.q.val() {
                self.at.d.next = self.at.q.val() + 1;
            }
        }
        if self.placed.q.val() {
            self.which.d.next = self.which.q.val() + 1;
        }
        if self.begin.val() {
            self.is_margin.d.next = self.margins.val();
            self.at.d.next = self.address.val();
            self.which.d.next = bit_cast::<10, 8>(self.select.val());
            if self.margins.val() {
                self.which.d.next = bit_cast::<10, 8>(self.select.val()) << 3;
            }
            self.count.d.next = 0.into();
            self.has_error.d.next = false;
        }
        self.error.next = self.has_error.q.val();
        self.target_bank.next = self.which.q.val().get_bits::<8>(0);
        self.target_lane.next = self.which.q.val();
        self.target_address.next = self.at.q.val();
        self.row.next = self.row_register.q.val();
    }
}
