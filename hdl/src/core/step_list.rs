//! The steps of an image that have spikes, and how many.

use super::step_counter::StepCounter;
use crate::comment;
use crate::ram::SyncRam;
use firmware_model::config::CoreConfig;
use firmware_model::network::MAX_STEPS;
use rust_hdl::prelude::*;

/// A list for each of two images, filled while spikes come in: a step is added when the first spike of a later one
/// comes, or when the image is complete. With a single buffer both lists are the same.
#[derive(LogicBlock)]
pub struct StepList<const S: usize> {
    pub clock: Signal<In, Clock>,
    // Filling
    pub fill_buffer: Signal<In, Bit>,
    /// Forget what was written to the buffer that is being filled.
    pub clear: Signal<In, Bit>,
    pub spike: Signal<In, Bit>,
    pub spike_step: Signal<In, Bits<8>>,
    /// Bit i: the spike is bank i's.
    pub spike_bank: Signal<In, Bits<8>>,
    /// The buffer that is being filled is complete.
    pub commit: Signal<In, Bit>,
    // Reading
    pub read_buffer: Signal<In, Bit>,
    /// Begin with the first step of the image.
    pub rewind: Signal<In, Bit>,
    /// Go on with the next one; it is there two clock cycles later.
    pub advance: Signal<In, Bit>,
    pub has_step: Signal<Out, Bit>,
    pub step: Signal<Out, Bits<8>>,
    /// How many words its spikes take: as many as its fullest bank has, modulo the words that a run has at most.
    pub words: Signal<Out, Bits<12>>,
    /// How many spikes each bank has. A single one has as many as there are words.
    pub bank_spikes: [Signal<Out, Bits<12>>; S],
    store: SyncRam<128, 9>,
    counters: [StepCounter; S],
    any_spike: DFF<Bit>,
    fill_step: DFF<Bits<8>>,
    fill_words: DFF<Bits<12>>,
    filled: DFF<Bits<9>>,
    end: [DFF<Bits<9>>; 2],
    index: DFF<Bits<9>>,
    in_list: DFF<Bit>,
    is_new_step: Signal<Local, Bit>,
    add: Signal<Local, Bit>,
    filled_after: Signal<Local, Bits<9>>,
    write_index: Signal<Local, Bits<9>>,
    is_fuller: [Signal<Local, Bit>; S],
    words_to_add: Signal<Local, Bits<12>>,
    packed: [Signal<Local, Bits<128>>; S],
    rest: [Signal<Local, Bits<128>>; S],
    end_now: Signal<Local, Bits<9>>,
    second_buffer: Constant<Bits<9>>,
    index_mask: Constant<Bits<9>>,
    word_mask: Constant<Bits<12>>,
    count_mask: Constant<Bits<12>>,
    // The banks' counts in an entry: where the first one begins, and the last, and how far they are apart
    bottom: Constant<Bits<7>>,
    top: Constant<Bits<7>>,
    stride: Constant<Bits<7>>,
}

impl<const S: usize> StepList<S> {
    const LAST: usize = S - 1;

    pub fn new(config: &CoreConfig) -> Self {
        let buffers = usize::from(config.input_buffers);
        let second_buffer = MAX_STEPS * (buffers - 1);
        let (bottom, stride) = (8 + config.word_bits(), config.word_bits() + 1);
        StepList {
            clock: Default::default(),
            fill_buffer: Default::default(),
            clear: Default::default(),
            spike: Default::default(),
            spike_step: Default::default(),
            spike_bank: Default::default(),
            commit: Default::default(),
            read_buffer: Default::default(),
            rewind: Default::default(),
            advance: Default::default(),
            has_step: Default::default(),
            step: Default::default(),
            words: Default::default(),
            bank_spikes: std::array::from_fn(|_| Default::default()),
            store: SyncRam::new(MAX_STEPS * buffers, config.step_list_bits()).without_collisions(),
            counters: std::array::from_fn(|_| Default::default()),
            any_spike: Default::default(),
            fill_step: Default::default(),
            fill_words: Default::default(),
            filled: Default::default(),
            end: Default::default(),
            index: Default::default(),
            in_list: Default::default(),
            is_new_step: Default::default(),
            add: Default::default(),
            filled_after: Default::default(),
            write_index: Default::default(),
            is_fuller: std::array::from_fn(|_| Default::default()),
            words_to_add: Default::default(),
            packed: std::array::from_fn(|_| Default::default()),
            rest: std::array::from_fn(|_| Default::default()),
            end_now: Default::default(),
            second_buffer: Constant::new((second_buffer as u64).into()),
            index_mask: Constant::new((MAX_STEPS as u64 - 1).into()),
            word_mask: Constant::new(((1u64 << config.word_bits()) - 1).into()),
            count_mask: Constant::new(((1u64 << (config.word_bits() + 1)) - 1).into()),
            bottom: Constant::new((bottom as u64).into()),
            top: Constant::new(((bottom + (S - 1) * stride) as u64).into()),
            stride: Constant::new((stride as u64).into()),
        }
    }
}

impl<const S: usize> Logic for StepList<S> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module step_list");
        comment!("The steps of an image that have spikes, how many words these take, and how many spikes each bank");
        comment!("has: for the image that is computed and the one that comes in.");
        dff_setup!(self, clock, any_spike, fill_step, fill_words, filled, index, in_list);
        self.store.clock.next = self.clock.val();
        for i in 0..2 {
            self.end[i].clock.next = self.clock.val();
            self.end[i].d.next = self.end[i].q.val();
        }

        comment!("Filling: spikes are counted bank by bank, and the fullest bank's count is that of the words.");
        self.is_new_step.next =
            !self.any_spike.q.val() | (self.spike_step.val() != self.fill_step.q.val());
        for i in 0..S {
            self.counters[i].clock.next = self.clock.val();
            self.counters[i].new_step.next = self.spike.val() & self.is_new_step.val();
            self.counters[i].spike.next = self.spike.val() & self.spike_bank.val().get_bit(i);
            self.counters[i].most.next = self.fill_words.q.val();
        }
        self.is_fuller[0].next = self.spike_bank.val().get_bit(0) & self.counters[0].has_most.val();
        for i in 1..S {
            self.is_fuller[i].next = self.is_fuller[i - 1].val()
                | (self.spike_bank.val().get_bit(i) & self.counters[i].has_most.val());
        }
        for last in Self::LAST..S {
            if self.spike.val() & self.is_fuller[last].val() {
                self.fill_words.d.next = self.fill_words.q.val() + 1;
            }
        }
        if self.spike.val() {
            self.any_spike.d.next = true;
            self.fill_step.d.next = self.spike_step.val();
            if self.is_new_step.val() {
                self.fill_words.d.next = 1.into();
            }
        }
        self.words_to_add.next = self.fill_words.q.val();
        for banks in S..2 {
            comment!("A single bank has counted them itself.");
            self.words_to_add.next = self.counters[banks - 1].count.val().get_bits::<12>(0);
        }

        comment!("A step is added when it is over.");
        self.add.next = self.any_spike.q.val()
            & ((self.spike.val() & self.is_new_step.val()) | self.commit.val());
        comment!("An image with steps that the geometry does not have may overwrite its own list, no other.");
        self.write_index.next = self.filled.q.val() & self.index_mask.val();
        self.store.write_address.next = self.write_index.val();
        if self.fill_buffer.val() {
            self.store.write_address.next = self.write_index.val() | self.second_buffer.val();
        }
        self.packed[0].next = self.counters[0].count.val() << self.top.val();
        for i in 1..S {
            self.packed[i].next = (self.packed[i - 1].val() >> self.stride.val())
                | (self.counters[i].count.val() << self.top.val());
        }
        for last in Self::LAST..S {
            self.store.write_data.next = self.packed[last].val()
                | (bit_cast::<128, 12>(self.words_to_add.val() & self.word_mask.val()) << 8)
                | bit_cast::<128, 8>(self.fill_step.q.val());
        }
        self.store.write_enable.next = self.add.val();
        self.filled_after.next = self.filled.q.val();
        if self.add.val() {
            self.filled_after.next = self.filled.q.val() + 1;
        }
        self.filled.d.next = self.filled_after.val();
        if self.commit.val() {
            if self.fill_buffer.val() {
                self.end[1].d.next = self.filled_after.val();
            } else {
                self.end[0].d.next = self.filled_after.val();
            }
        }
        if self.clear.val() {
            self.any_spike.d.next = false;
            self.filled.d.next = 0.into();
        }

        comment!("Reading");
        self.store.read_address.next = self.index.q.val();
        self.end_now.next = self.end[0].q.val();
        if self.read_buffer.val() {
            self.store.read_address.next = self.index.q.val() | self.second_buffer.val();
            self.end_now.next = self.end[1].q.val();
        }
        self.in_list.d.next = self.index.q.val() != self.end_now.val();
        if self.advance.val() {
            self.index.d.next = self.index.q.val() + 1;
        }
        if self.rewind.val() {
            self.index.d.next = 0.into();
        }
        self.has_step.next = self.in_list.q.val();
        self.step.next = self.store.read_data.val().get_bits::<8>(0);
        self.words.next =
            bit_cast::<12, 128>(self.store.read_data.val() >> 8) & self.word_mask.val();
        self.rest[0].next = self.store.read_data.val() >> self.bottom.val();
        for i in 1..S {
            self.rest[i].next = self.rest[i - 1].val() >> self.stride.val();
        }
        for i in 0..S {
            self.bank_spikes[i].next = self.rest[i].val().get_bits::<12>(0) & self.count_mask.val();
        }
        for banks in S..2 {
            self.bank_spikes[banks - 1].next = self.words.val();
        }
    }
}
