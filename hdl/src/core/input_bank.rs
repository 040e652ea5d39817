//! The input spikes of one bank: a queue for each of two images, read step by step, fold by fold.

use crate::comment;
use crate::ram::SyncRam;
use rust_hdl::prelude::*;

/// Entries are (step, row), in order of time. One image is filled while the other one is read; with a
/// single buffer both are the same.
///
/// Reading is by position from the first entry of the current step: `offset` 0, 1, ..., the answer one clock cycle
/// later. While `counting` is set the bank also learns where its next step begins, so that the entries of the step can
/// be read again, fold by fold.
///
/// A single bank has an entry for each word that is asked for, so it keeps no steps.
#[derive(LogicBlock)]
pub struct InputBank {
    pub clock: Signal<In, Clock>,
    // Filling
    pub fill_buffer: Signal<In, Bit>,
    /// Forget what was written to the buffer that is being filled.
    pub clear: Signal<In, Bit>,
    pub write: Signal<In, Bit>,
    pub write_step: Signal<In, Bits<8>>,
    pub write_row: Signal<In, Bits<16>>,
    /// The buffer that is being filled is complete.
    pub commit: Signal<In, Bit>,
    /// There is no room for another entry.
    pub full: Signal<Out, Bit>,
    // Reading
    pub read_buffer: Signal<In, Bit>,
    /// Begin with the first entry of the image.
    pub rewind: Signal<In, Bit>,
    /// The next step is read from now on: it begins where this one ended.
    pub advance: Signal<In, Bit>,
    pub offset: Signal<In, Bits<12>>,
    /// The step that is being run.
    pub step: Signal<In, Bits<8>>,
    /// The answer of this cycle is of the first pass over the step.
    pub counting: Signal<In, Bit>,
    /// The entry exists and is of the current step.
    pub valid: Signal<Out, Bit>,
    pub row: Signal<Out, Bits<16>>,
    store: SyncRam<19, 12>,
    written: DFF<Bits<12>>,
    end: [DFF<Bits<12>>; 2],
    start: DFF<Bits<12>>,
    next_start: DFF<Bits<12>>,
    in_bounds: DFF<Bit>,
    position: Signal<Local, Bits<12>>,
    end_now: Signal<Local, Bits<12>>,
    is_current: Signal<Local, Bit>,
    entry_step: Signal<Local, Bits<8>>,
    counted: Signal<Local, Bits<12>>,
    single: Constant<Bit>,
    row_bits: Constant<Bits<4>>,
    row_mask: Constant<Bits<16>>,
    rows: Constant<Bits<12>>,
    second_buffer: Constant<Bits<12>>,
}

impl InputBank {
    /// One of `banks` banks, for `rows` spikes an image (a power of two).
    pub fn new(rows: usize, buffers: usize, banks: usize) -> Self {
        let second_buffer = if buffers == 2 { rows } else { 0 };
        let row_bits = rows.ilog2() as usize;
        let step_bits = if banks == 1 { 0 } else { 8 };
        InputBank {
            clock: Default::default(),
            fill_buffer: Default::default(),
            clear: Default::default(),
            write: Default::default(),
            write_step: Default::default(),
            write_row: Default::default(),
            commit: Default::default(),
            full: Default::default(),
            read_buffer: Default::default(),
            rewind: Default::default(),
            advance: Default::default(),
            offset: Default::default(),
            step: Default::default(),
            counting: Default::default(),
            valid: Default::default(),
            row: Default::default(),
            store: SyncRam::new(rows * buffers, row_bits + step_bits).without_collisions(),
            written: Default::default(),
            end: Default::default(),
            start: Default::default(),
            next_start: Default::default(),
            in_bounds: Default::default(),
            position: Default::default(),
            end_now: Default::default(),
            is_current: Default::default(),
            entry_step: Default::default(),
            counted: Default::default(),
            single: Constant::new(banks == 1),
            row_bits: Constant::new((row_bits as u64).into()),
            row_mask: Constant::new((rows as u64 - 1).into()),
            rows: Constant::new((rows as u64).into()),
            second_buffer: Constant::new((second_buffer as u64).into()),
        }
    }
}

impl Logic for InputBank {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module input_bank");
        comment!(
            "The input spikes of one bank, (step, row) in order of time, for the image that is"
        );
        comment!("computed and the one that comes in.");
        dff_setup!(self, clock, written, start, next_start, in_bounds);
        self.store.clock.next = self.clock.val();
        for i in 0..2 {
            self.end[i].clock.next = self.clock.val();
            self.end[i].d.next = self.end[i].q.val();
        }

        comment!("Filling");
        self.full.next = self.written.q.val() == self.rows.val();
        self.store.write_address.next = self.written.q.val();
        if self.fill_buffer.val() {
            self.store.write_address.next = self.written.q.val() | self.second_buffer.val();
        }
        self.store.write_data.next = bit_cast::<19, 16>(self.write_row.val() & self.row_mask.val())
            | (bit_cast::<19, 8>(self.write_step.val()) << self.row_bits.val());
        self.store.write_enable.next = self.write.val();
        if self.write.val() {
            self.written.d.next = self.written.q.val() + 1;
        }
        if self.commit.val() {
            if self.fill_buffer.val() {
                self.end[1].d.next = self.written.q.val();
            } else {
                self.end[0].d.next = self.written.q.val();
            }
        }
        if self.clear.val() {
            self.written.d.next = 0.into();
        }

        comment!("Reading: the address goes out in this cycle, the answer is there in the next.");
        self.position.next = self.start.q.val() + self.offset.val();
        self.store.read_address.next = self.position.val();
        self.end_now.next = self.end[0].q.val();
        if self.read_buffer.val() {
            self.store.read_address.next = self.position.val() | self.second_buffer.val();
            self.end_now.next = self.end[1].q.val();
        }
        self.in_bounds.d.next = self.position.val() < self.end_now.val();
        self.entry_step.next = bit_cast::<8, 19>(self.store.read_data.val() >> self.row_bits.val());
        self.is_current.next = self.single.val()
            | (self.in_bounds.q.val() & (self.entry_step.val() == self.step.val()));
        self.valid.next = self.is_current.val();
        self.row.next = bit_cast::<16, 19>(self.store.read_data.val()) & self.row_mask.val();

        comment!("The first pass over a step finds where the next one begins.");
        self.counted.next = self.next_start.q.val();
        if self.counting.val() & self.is_current.val() {
            self.counted.next = self.next_start.q.val() + 1;
        }
        self.next_start.d.next = self.counted.val();
        if self.advance.val() {
            self.start.d.next = self.counted.val();
        }
        if self.rewind.val() {
            self.start.d.next = 0.into();
            self.next_start.d.next = 0.into();
        }
    }
}
