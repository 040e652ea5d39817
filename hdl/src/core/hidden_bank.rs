//! The hidden spikes of one bank.

use crate::comment;
use crate::ram::SyncRam;
use firmware_model::board::Family;
use firmware_model::config::LUT_RAM_ROWS;
use rust_hdl::prelude::*;

/// A list of all hidden spikes of an inference, run after run: a run is what one layer fires at one step. No neuron
/// fires twice, so the list is never longer than the hidden layers have neurons.
///
/// Runs are read in the order in which they were written. Each spike has its run's number, modulo 4, as a tag: the
/// spikes of a run end, in this bank, where another tag or the list's end comes. A single bank has a spike for each word
/// that is asked for, so it has no tags.
#[derive(LogicBlock)]
pub struct HiddenBank {
    pub clock: Signal<In, Clock>,
    /// Forget everything: a new inference begins.
    pub clear: Signal<In, Bit>,
    pub write: Signal<In, Bit>,
    pub write_row: Signal<In, Bits<16>>,
    pub write_tag: Signal<In, Bits<2>>,
    /// The run that is written is complete.
    pub finish: Signal<In, Bit>,
    /// How many spikes the run that is written has until now.
    pub run_length: Signal<Out, Bits<12>>,
    /// The next run is read from now on.
    pub advance: Signal<In, Bit>,
    pub read_tag: Signal<In, Bits<2>>,
    pub offset: Signal<In, Bits<12>>,
    /// The answer of this cycle is of the first pass over the run.
    pub counting: Signal<In, Bit>,
    /// One clock cycle after `offset`: there is a spike of this run, and this is its row.
    pub valid: Signal<Out, Bit>,
    pub row: Signal<Out, Bits<16>>,
    store: SyncRam<18, 12>,
    written: DFF<Bits<12>>,
    length: DFF<Bits<12>>,
    start: DFF<Bits<12>>,
    next_start: DFF<Bits<12>>,
    in_bounds: DFF<Bit>,
    position: Signal<Local, Bits<12>>,
    is_valid: Signal<Local, Bit>,
    counted: Signal<Local, Bits<12>>,
    tag: Signal<Local, Bits<2>>,
    single: Constant<Bit>,
    row_bits: Constant<Bits<4>>,
    row_mask: Constant<Bits<16>>,
}

impl HiddenBank {
    /// One of `banks` banks, for `rows` spikes (a power of two).
    pub fn new(rows: usize, banks: usize, family: Family) -> Self {
        let row_bits = rows.ilog2() as usize;
        let tag_bits = if banks == 1 { 0 } else { 2 };
        let store = SyncRam::new(rows, row_bits + tag_bits).without_collisions();
        let store = match family {
            // There are few block RAMs for the weights, and LUTs make good small memories.
            Family::Ecp5 if rows <= usize::from(LUT_RAM_ROWS) => store.with_style("distributed"),
            _ => store,
        };
        HiddenBank {
            clock: Default::default(),
            clear: Default::default(),
            write: Default::default(),
            write_row: Default::default(),
            write_tag: Default::default(),
            finish: Default::default(),
            run_length: Default::default(),
            advance: Default::default(),
            read_tag: Default::default(),
            offset: Default::default(),
            counting: Default::default(),
            valid: Default::default(),
            row: Default::default(),
            store,
            written: Default::default(),
            length: Default::default(),
            start: Default::default(),
            next_start: Default::default(),
            in_bounds: Default::default(),
            position: Default::default(),
            is_valid: Default::default(),
            counted: Default::default(),
            tag: Default::default(),
            single: Constant::new(banks == 1),
            row_bits: Constant::new((row_bits as u64).into()),
            row_mask: Constant::new((rows as u64 - 1).into()),
        }
    }
}

impl Logic for HiddenBank {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module hidden_bank");
        comment!(
            "The hidden spikes of one bank, run after run; each has its run's number as a tag."
        );
        dff_setup!(self, clock, written, length, start, next_start, in_bounds);
        self.store.clock.next = self.clock.val();
        self.store.write_address.next = self.written.q.val();
        self.store.write_data.next = bit_cast::<18, 16>(self.write_row.val() & self.row_mask.val())
            | (bit_cast::<18, 2>(self.write_tag.val()) << self.row_bits.val());
        self.store.write_enable.next = self.write.val();
        if self.write.val() {
            self.written.d.next = self.written.q.val() + 1;
            self.length.d.next = self.length.q.val() + 1;
        }
        if self.finish.val() {
            self.length.d.next = 0.into();
        }

        comment!("Reading: the address goes out in this cycle, the answer is there in the next.");
        self.position.next = self.start.q.val() + self.offset.val();
        self.store.read_address.next = self.position.val();
        self.in_bounds.d.next = self.position.val() < self.written.q.val();
        self.tag.next = bit_cast::<2, 18>(self.store.read_data.val() >> self.row_bits.val());
        self.is_valid.next =
            self.single.val() | (self.in_bounds.q.val() & (self.tag.val() == self.read_tag.val()));
        self.valid.next = self.is_valid.val();
        self.row.next = bit_cast::<16, 18>(self.store.read_data.val()) & self.row_mask.val();

        comment!("The first pass over a run finds where the next one begins.");
        self.counted.next = self.next_start.q.val();
        if self.counting.val() & self.is_valid.val() {
            self.counted.next = self.next_start.q.val() + 1;
        }
        self.next_start.d.next = self.counted.val();
        if self.advance.val() {
            self.start.d.next = self.counted.val();
        }
        if self.clear.val() {
            self.written.d.next = 0.into();
            self.length.d.next = 0.into();
            self.start.d.next = 0.into();
            self.next_start.d.next = 0.into();
        }
        self.run_length.next = self.length.q.val();
    }
}
