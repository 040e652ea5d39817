//! Puts loaded bytes together to rows of weights and to margins.

use crate::comment;
use rust_hdl::prelude::*;

/// Takes the data bytes of WEIGHTS and MARGINS frames and writes whole rows and margins. The row
/// register also serves reading back: see [`super::verifier::Verifier`].
#[derive(LogicBlock)]
pub struct Loader<const P: usize> {
    pub clock: Signal<In, Clock>,
    pub begin: Signal<In, Bit>,
    /// 0: rows of weights from row `address` of bank `select`; 1: margins of slot `address` from lane
    /// `select`.
    pub margins: Signal<In, Bit>,
    pub address: Signal<In, Bits<16>>,
    pub select: Signal<In, Bits<8>>,
    pub strobe: Signal<In, Bit>,
    pub byte: Signal<In, Bits<8>>,
    /// Since `begin` there was a row, bank, slot or lane that the core does not have.
    pub error: Signal<Out, Bit>,
    pub write_row: Signal<Out, Bit>,
    pub write_margin: Signal<Out, Bit>,
    /// The bank or the lane to write.
    pub target: Signal<Out, Bits<8>>,
    /// The row or the slot to write.
    pub target_address: Signal<Out, Bits<16>>,
    pub row: Signal<Out, Bits<P>>,
    pub margin: Signal<Out, Bits<16>>,
    // Reading back
    /// Take `read_row` into the row register.
    pub take: Signal<In, Bit>,
    pub read_row: Signal<In, Bits<P>>,
    /// Drop the lowest byte of the row register.
    pub drop: Signal<In, Bit>,
    pub lowest_byte: Signal<Out, Bits<8>>,
    row_register: DFF<Bits<P>>,
    low_byte: DFF<Bits<8>>,
    high_byte: DFF<Bits<8>>,
    count: DFF<Bits<5>>,
    is_margin: DFF<Bit>,
    at: DFF<Bits<16>>,
    which: DFF<Bits<8>>,
    complete: DFF<Bit>,
    has_error: DFF<Bit>,
    in_range: Signal<Local, Bit>,
    last_byte: Signal<Local, Bit>,
    shifted: Signal<Local, Bits<P>>,
    top_byte: Constant<Bits<8>>,
    last_row_byte: Constant<Bits<5>>,
    banks: Constant<Bits<8>>,
    lanes: Constant<Bits<8>>,
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
            target: Default::default(),
            target_address: Default::default(),
            row: Default::default(),
            margin: Default::default(),
            take: Default::default(),
            read_row: Default::default(),
            drop: Default::default(),
            lowest_byte: Default::default(),
            row_register: Default::default(),
            low_byte: Default::default(),
            high_byte: Default::default(),
            count: Default::default(),
            is_margin: Default::default(),
            at: Default::default(),
            which: Default::default(),
            complete: Default::default(),
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
        comment!(
            "Puts loaded bytes together to rows of weights and to margins, and takes rows apart"
        );
        comment!("again for reading back.");
        dff_setup!(
            self,
            clock,
            row_register,
            low_byte,
            high_byte,
            count,
            is_margin,
            at,
            which,
            complete,
            has_error
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
            self.low_byte.d.next = self.high_byte.q.val();
            self.high_byte.d.next = self.byte.val();
            self.count.d.next = self.count.q.val() + 1;
            if self.last_byte.val() {
                self.count.d.next = 0.into();
                self.complete.d.next = true;
            }
        }
        if self.take.val() {
            self.row_register.d.next = self.read_row.val();
        }
        if self.drop.val() {
            self.row_register.d.next = self.shifted.val();
        }

        comment!("The cycle after the last byte writes, and goes on to the next row or lane.");
        self.in_range.next = (self.which.q.val() < self.banks.val())
            & (bit_cast::<17, 16>(self.at.q.val()) < self.rows.val());
        if self.is_margin.q.val() {
            self.in_range.next =
                (self.which.q.val() < self.lanes.val()) & (self.at.q.val() < self.slots.val());
        }
        self.write_row.next = self.complete.q.val() & !self.is_margin.q.val() & self.in_range.val();
        self.write_margin.next =
            self.complete.q.val() & self.is_margin.q.val() & self.in_range.val();
        if self.complete.q.val() {
            if !self.in_range.val() {
                self.has_error.d.next = true;
            }
            if self.is_margin.q.val() {
                self.which.d.next = self.which.q.val() + 1;
            } else {
                self.at.d.next = self.at.q.val() + 1;
            }
        }
        if self.begin.val() {
            self.is_margin.d.next = self.margins.val();
            self.at.d.next = self.address.val();
            self.which.d.next = self.select.val();
            self.count.d.next = 0.into();
            self.has_error.d.next = false;
        }
        self.error.next = self.has_error.q.val();
        self.target.next = self.which.q.val();
        self.target_address.next = self.at.q.val();
        self.row.next = self.row_register.q.val();
        self.margin.next = bit_cast::<16, 8>(self.high_byte.q.val()) << 8
            | bit_cast::<16, 8>(self.low_byte.q.val());
        self.lowest_byte.next = bit_cast::<8, P>(self.row_register.q.val());
    }
}
