//! The input spikes of one bank: a queue for each of two images, read step by step, fold by fold.

use crate::comment;
use crate::ram::SyncRam;
use rust_hdl::prelude::*;

/// The rows of the spikes, in order of time; the [`super::step_list::StepList`] knows how many each step has. One image is
/// filled while the other one is read; with a single buffer both are the same.
///
/// Reading is by position from the first spike of the current step: `offset` 0, 1, ..., the answer one clock cycle
/// later, so that the spikes of a step can be read again, fold by fold. A single bank has a spike at each offset.
#[derive(LogicBlock)]
pub struct InputBank {
    pub clock: Signal<In, Clock>,
    // Filling
    pub fill_buffer: Signal<In, Bit>,
    /// Forget what was written to the buffer that is being filled.
    pub clear: Signal<In, Bit>,
    pub write: Signal<In, Bit>,
    pub write_row: Signal<In, Bits<16>>,
    /// There is no room for another entry.
    pub full: Signal<Out, Bit>,
    // Reading
    pub read_buffer: Signal<In, Bit>,
    /// Begin with the first spike of the image.
    pub rewind: Signal<In, Bit>,
    /// The next step is read from now on, of so many spikes.
    pub advance: Signal<In, Bit>,
    pub spikes: Signal<In, Bits<12>>,
    pub offset: Signal<In, Bits<12>>,
    /// There is a spike of the current step.
    pub valid: Signal<Out, Bit>,
    pub row: Signal<Out, Bits<16>>,
    store: SyncRam<16, 12>,
    written: DFF<Bits<12>>,
    start: DFF<Bits<12>>,
    length: DFF<Bits<12>>,
    in_step: DFF<Bit>,
    position: Signal<Local, Bits<12>>,
    single: Constant<Bit>,
    rows: Constant<Bits<12>>,
    second_buffer: Constant<Bits<12>>,
}

impl InputBank {
    /// One of `banks` banks, for `rows` spikes an image (a power of two).
    pub fn new(rows: usize, buffers: usize, banks: usize) -> Self {
        let second_buffer = if buffers == 2 { rows } else { 0 };
        let row_bits = rows.ilog2() as usize;
        InputBank {
            clock: Default::default(),
            fill_buffer: Default::default(),
            clear: Default::default(),
            write: Default::default(),
            write_row: Default::default(),
            full: Default::default(),
            read_buffer: Default::default(),
            rewind: Default::default(),
            advance: Default::default(),
            spikes: Default::default(),
            offset: Default::default(),
            valid: Default::default(),
            row: Default::default(),
            store: SyncRam::new(rows * buffers, row_bits).without_collisions(),
            written: Default::default(),
            start: Default::default(),
            length: Default::default(),
            in_step: Default::default(),
            position: Default::default(),
            single: Constant::new(banks == 1),
            rows: Constant::new((rows as u64).into()),
            second_buffer: Constant::new((second_buffer as u64).into()),
        }
    }
}

impl Logic for InputBank {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module input_bank");
        comment!("The input spikes of one bank, in order of time, for the image that is computed and the one");
        comment!("that comes in.");
        dff_setup!(self, clock, written, start, length, in_step);
        self.store.clock.next = self.clock.val();

        comment!("Filling");
        self.full.next = self.written.q.val() == self.rows.val();
        self.store.write_address.next = self.written.q.val();
        if self.fill_buffer.val() {
            self.store.write_address.next = self.written.q.val() | self.second_buffer.val();
        }
        self.store.write_data.next = self.write_row.val();
        self.store.write_enable.next = self.write.val();
        if self.write.val() {
            self.written.d.next = self.written.q.val() + 1;
        }
        if self.clear.val() {
            self.written.d.next = 0.into();
        }

        comment!("Reading: the address goes out in this cycle, the answer is there in the next.");
        self.position.next = self.start.q.val() + self.offset.val();
        self.store.read_address.next = self.position.val();
        if self.read_buffer.val() {
            self.store.read_address.next = self.position.val() | self.second_buffer.val();
        }
        self.in_step.d.next = self.offset.val() < self.length.q.val();
        self.valid.next = self.single.val() | self.in_step.q.val();
        self.row.next = self.store.read_data.val();
        if self.advance.val() {
            self.start.d.next = self.start.q.val() + self.length.q.val();
            self.length.d.next = self.spikes.val();
        }
        if self.rewind.val() {
            self.start.d.next = 0.into();
            self.length.d.next = 0.into();
        }
    }
}
