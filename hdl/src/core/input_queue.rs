//! The input spikes of the image that is computed and of the one that comes in.

use super::input_bank::InputBank;
use super::spike_decoder::SpikeDecoder;
use crate::comment;
use rust_hdl::prelude::*;

/// Decodes spikes, deals them to S banks, and offers them step by step.
#[derive(LogicBlock)]
pub struct InputQueue<const S: usize> {
    pub clock: Signal<In, Clock>,
    // From the link
    pub begin: Signal<In, Bit>,
    pub strobe: Signal<In, Bit>,
    pub byte: Signal<In, Bits<8>>,
    pub commit: Signal<In, Bit>,
    /// A buffer is free to be filled.
    pub ready: Signal<Out, Bit>,
    pub error: Signal<Out, Bit>,
    pub inputs: Signal<In, Bits<16>>,
    pub last_step: Signal<In, Bits<8>>,
    // To the sequencer
    pub image_ready: Signal<Out, Bit>,
    pub image_release: Signal<In, Bit>,
    pub rewind: Signal<In, Bit>,
    pub peek: Signal<In, Bit>,
    pub probe: Signal<In, Bit>,
    pub advance: Signal<In, Bit>,
    pub offset: Signal<In, Bits<12>>,
    pub step: Signal<In, Bits<8>>,
    /// Some bank has entries after the current step; the earliest of them is at `next_step`.
    pub has_next: Signal<Out, Bit>,
    pub next_step: Signal<Out, Bits<8>>,
    // To the pipeline, one clock cycle after `offset`
    pub valid: [Signal<Out, Bit>; S],
    pub row: [Signal<Out, Bits<16>>; S],
    decoder: SpikeDecoder,
    banks: [InputBank; S],
    fill_buffer: DFF<Bit>,
    read_buffer: DFF<Bit>,
    filled: [DFF<Bit>; 2],
    overflow: DFF<Bit>,
    bank_select: Signal<Local, Bits<8>>,
    row_in: Signal<Local, Bits<16>>,
    overflows: [Signal<Local, Bit>; S],
    any_next: [Signal<Local, Bit>; S],
    earliest: [Signal<Local, Bits<8>>; S],
    bank_mask: Constant<Bits<3>>,
    bank_bits: Constant<Bits<2>>,
    two_buffers: Constant<Bit>,
}

impl<const S: usize> InputQueue<S> {
    const LAST: usize = S - 1;

    pub fn new(rows: usize, buffers: usize) -> Self {
        let row_bits = rows.ilog2() as usize;
        InputQueue {
            clock: Default::default(),
            begin: Default::default(),
            strobe: Default::default(),
            byte: Default::default(),
            commit: Default::default(),
            ready: Default::default(),
            error: Default::default(),
            inputs: Default::default(),
            last_step: Default::default(),
            image_ready: Default::default(),
            image_release: Default::default(),
            rewind: Default::default(),
            peek: Default::default(),
            probe: Default::default(),
            advance: Default::default(),
            offset: Default::default(),
            step: Default::default(),
            has_next: Default::default(),
            next_step: Default::default(),
            valid: std::array::from_fn(|_| Default::default()),
            row: std::array::from_fn(|_| Default::default()),
            decoder: Default::default(),
            banks: std::array::from_fn(|_| InputBank::new(rows, buffers, row_bits)),
            fill_buffer: Default::default(),
            read_buffer: Default::default(),
            filled: Default::default(),
            overflow: Default::default(),
            bank_select: Default::default(),
            row_in: Default::default(),
            overflows: std::array::from_fn(|_| Default::default()),
            any_next: std::array::from_fn(|_| Default::default()),
            earliest: std::array::from_fn(|_| Default::default()),
            bank_mask: Constant::new((S as u64 - 1).into()),
            bank_bits: Constant::new(u64::from(S.ilog2()).into()),
            two_buffers: Constant::new(buffers == 2),
        }
    }
}

impl<const S: usize> Logic for InputQueue<S> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module input_queue");
        comment!("Decodes input spikes, deals them to the banks, and offers them step by step. One image");
        comment!("comes in while the other one is computed.");
        dff_setup!(self, clock, fill_buffer, read_buffer, overflow);
        for i in 0..2 {
            self.filled[i].clock.next = self.clock.val();
            self.filled[i].d.next = self.filled[i].q.val();
        }
        self.decoder.clock.next = self.clock.val();
        self.decoder.begin.next = self.begin.val();
        self.decoder.strobe.next = self.strobe.val();
        self.decoder.byte.next = self.byte.val();
        self.decoder.inputs.next = self.inputs.val();
        self.decoder.last_step.next = self.last_step.val();

        comment!("Input i goes to bank i % S, row i / S.");
        self.bank_select.next =
            bits::<8>(1) << (self.decoder.source.val().get_bits::<3>(0) & self.bank_mask.val());
        self.row_in.next = self.decoder.source.val() >> self.bank_bits.val();
        for i in 0..S {
            self.banks[i].clock.next = self.clock.val();
            self.banks[i].fill_buffer.next = self.fill_buffer.q.val();
            self.banks[i].clear.next = self.begin.val();
            self.banks[i].write.next = self.decoder.spike.val()
                & self.bank_select.val().get_bit(i)
                & !self.banks[i].full.val();
            self.banks[i].write_step.next = self.decoder.step.val();
            self.banks[i].write_row.next = self.row_in.val();
            self.banks[i].commit.next = self.commit.val();
            self.banks[i].read_buffer.next = self.read_buffer.q.val();
            self.banks[i].rewind.next = self.rewind.val();
            self.banks[i].advance.next = self.advance.val();
            self.banks[i].offset.next = self.offset.val();
            self.banks[i].step.next = self.step.val();
            self.banks[i].probe.next = self.probe.val();
            self.banks[i].peek.next = self.peek.val();
            self.valid[i].next = self.banks[i].valid.val();
            self.row[i].next = self.banks[i].row.val();
        }

        comment!("A spike for a bank without room is an error of the image.");
        self.overflows[0].next = self.bank_select.val().get_bit(0) & self.banks[0].full.val();
        for i in 1..S {
            self.overflows[i].next = self.overflows[i - 1].val()
                | (self.bank_select.val().get_bit(i) & self.banks[i].full.val());
        }
        for last in Self::LAST..S {
            if self.decoder.spike.val() & self.overflows[last].val() {
                self.overflow.d.next = true;
            }
        }
        if self.begin.val() {
            self.overflow.d.next = false;
        }
        self.error.next = self.decoder.error.val() | self.overflow.q.val();

        comment!("The buffers are filled and read in turn.");
        self.ready.next = !self.filled[0].q.val();
        if self.fill_buffer.q.val() {
            self.ready.next = !self.filled[1].q.val();
        }
        self.image_ready.next = self.filled[0].q.val();
        if self.read_buffer.q.val() {
            self.image_ready.next = self.filled[1].q.val();
        }
        if self.image_release.val() {
            if self.read_buffer.q.val() {
                self.filled[1].d.next = false;
            } else {
                self.filled[0].d.next = false;
            }
            self.read_buffer.d.next = !self.read_buffer.q.val() & self.two_buffers.val();
        }
        if self.commit.val() {
            if self.fill_buffer.q.val() {
                self.filled[1].d.next = true;
            } else {
                self.filled[0].d.next = true;
            }
            self.fill_buffer.d.next = !self.fill_buffer.q.val() & self.two_buffers.val();
        }

        comment!("The earliest step that any bank goes on with.");
        self.any_next[0].next = self.banks[0].has_next.val();
        self.earliest[0].next = self.banks[0].next_step.val();
        for i in 1..S {
            self.any_next[i].next = self.any_next[i - 1].val() | self.banks[i].has_next.val();
            self.earliest[i].next = self.earliest[i - 1].val();
            if self.banks[i].has_next.val()
                & (!self.any_next[i - 1].val()
                    | (self.banks[i].next_step.val() < self.earliest[i - 1].val()))
            {
                self.earliest[i].next = self.banks[i].next_step.val();
            }
        }
        for last in Self::LAST..S {
            self.has_next.next = self.any_next[last].val();
            self.next_step.next = self.earliest[last].val();
        }
    }
}
