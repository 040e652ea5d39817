//! The input spikes of the image that is computed and of the one that comes in.

use super::input_bank::InputBank;
use super::spike_decoder::SpikeDecoder;
use super::step_list::StepList;
use crate::comment;
use firmware_model::config::CoreConfig;
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
    /// The next step is read from now on.
    pub advance: Signal<In, Bit>,
    pub offset: Signal<In, Bits<12>>,
    /// There are spikes after the current step: those of `next_step`, in `next_words` words.
    pub has_next: Signal<Out, Bit>,
    pub next_step: Signal<Out, Bits<8>>,
    pub next_words: Signal<Out, Bits<12>>,
    // To the pipeline, one clock cycle after `offset`
    pub valid: [Signal<Out, Bit>; S],
    pub row: [Signal<Out, Bits<16>>; S],
    decoder: SpikeDecoder,
    banks: [InputBank; S],
    steps: StepList<S>,
    fill_buffer: DFF<Bit>,
    read_buffer: DFF<Bit>,
    filled: [DFF<Bit>; 2],
    overflow: DFF<Bit>,
    bank_select: Signal<Local, Bits<8>>,
    row_in: Signal<Local, Bits<16>>,
    overflows: [Signal<Local, Bit>; S],
    bank_mask: Constant<Bits<3>>,
    bank_bits: Constant<Bits<2>>,
    two_buffers: Constant<Bit>,
}

impl<const S: usize> InputQueue<S> {
    const LAST: usize = S - 1;

    pub fn new(config: &CoreConfig) -> Self {
        let (rows, buffers) = (config.input_rows.into(), config.input_buffers.into());
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
            advance: Default::default(),
            offset: Default::default(),
            has_next: Default::default(),
            next_step: Default::default(),
            next_words: Default::default(),
            valid: std::array::from_fn(|_| Default::default()),
            row: std::array::from_fn(|_| Default::default()),
            decoder: Default::default(),
            banks: std::array::from_fn(|_| InputBank::new(rows, buffers, S)),
            steps: StepList::new(config),
            fill_buffer: Default::default(),
            read_buffer: Default::default(),
            filled: Default::default(),
            overflow: Default::default(),
            bank_select: Default::default(),
            row_in: Default::default(),
            overflows: std::array::from_fn(|_| Default::default()),
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
            self.banks[i].write_row.next = self.row_in.val();
            self.banks[i].read_buffer.next = self.read_buffer.q.val();
            self.banks[i].rewind.next = self.rewind.val();
            self.banks[i].advance.next = self.advance.val();
            self.banks[i].offset.next = self.offset.val();
            self.banks[i].spikes.next = self.steps.bank_spikes[i].val();
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

        comment!("The steps that there are.");
        self.steps.clock.next = self.clock.val();
        self.steps.fill_buffer.next = self.fill_buffer.q.val();
        self.steps.clear.next = self.begin.val();
        self.steps.spike.next = self.decoder.spike.val();
        self.steps.spike_step.next = self.decoder.step.val();
        self.steps.spike_bank.next = self.bank_select.val();
        self.steps.commit.next = self.commit.val();
        self.steps.read_buffer.next = self.read_buffer.q.val();
        self.steps.rewind.next = self.rewind.val();
        self.steps.advance.next = self.advance.val();
        self.has_next.next = self.steps.has_step.val();
        self.next_step.next = self.steps.step.val();
        self.next_words.next = self.steps.words.val();
    }
}
