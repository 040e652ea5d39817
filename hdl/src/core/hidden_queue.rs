//! From the fire masks of a layer to the events of the next one.

use super::hidden_bank::HiddenBank;
use super::picker::SpikePicker;
use super::wiring::Deal;
use crate::comment;
use crate::ram::SyncRam;
use firmware_model::board::Family;
use firmware_model::config::{CoreConfig, STEPS_UNDER_WAY};
use rust_hdl::prelude::*;

/// Keeps fire masks, G bits a beat, until S pickers have turned them into events, one a bank and clock cycle, while the
/// lanes go on.
#[derive(LogicBlock)]
pub struct HiddenQueue<const G: usize, const S: usize, const Q: usize> {
    pub clock: Signal<In, Clock>,
    /// Forget everything: a new inference begins.
    pub clear: Signal<In, Bit>,
    /// The next mask is there.
    pub write: Signal<In, Bit>,
    pub mask: Signal<In, Bits<G>>,
    /// It is the last one of its run.
    pub write_last: Signal<In, Bit>,
    /// A run has been turned into `words` words of events, perhaps none: a pulse.
    pub finished: Signal<Out, Bit>,
    pub words: Signal<Out, Bits<12>>,
    /// The next run is read from now on.
    pub advance: Signal<In, Bit>,
    pub offset: Signal<In, Bits<12>>,
    /// The answer of this cycle is of the first pass over the run.
    pub counting: Signal<In, Bit>,
    /// One clock cycle after `offset`.
    pub valid: [Signal<Out, Bit>; S],
    pub row: [Signal<Out, Bits<16>>; S],
    masks: SyncRam<G, 10>,
    deal: Deal<G, S, Q>,
    pickers: [SpikePicker<Q>; S],
    banks: [HiddenBank; S],
    written: DFF<Bits<10>>,
    fetched: DFF<Bits<10>>,
    last_masks: [DFF<Bits<10>>; 2],
    lasts_written: DFF<Bits<2>>,
    lasts_fetched: DFF<Bits<2>>,
    waiting: DFF<Bit>,
    waiting_last: DFF<Bit>,
    ending: DFF<Bit>,
    finished_now: DFF<Bit>,
    mask_index: DFF<Bits<10>>,
    next_index: DFF<Bits<10>>,
    words_now: DFF<Bits<12>>,
    write_tag: DFF<Bits<2>>,
    read_tag: DFF<Bits<2>>,
    last_mask: Signal<Local, Bits<10>>,
    fetch: Signal<Local, Bit>,
    fetch_last: Signal<Local, Bit>,
    consume: Signal<Local, Bit>,
    done: Signal<Local, Bit>,
    all_done: [Signal<Local, Bit>; S],
    fuller: [Signal<Local, Bit>; S],
    mask_row: Signal<Local, Bits<16>>,
    run_words: Signal<Local, Bits<12>>,
    place_bits: Constant<Bits<4>>,
    mask_bits: Constant<Bits<10>>,
}

impl<const G: usize, const S: usize, const Q: usize> HiddenQueue<G, S, Q> {
    const LAST: usize = S - 1;

    pub fn new(config: &CoreConfig, family: Family) -> Self {
        // Each step under way has one run here, of as many masks as the core has folds and beats at most.
        let masks = STEPS_UNDER_WAY * usize::from(config.fold_slots) * usize::from(config.beats);
        let rows = usize::from(config.hidden_rows);
        HiddenQueue {
            clock: Default::default(),
            clear: Default::default(),
            write: Default::default(),
            mask: Default::default(),
            write_last: Default::default(),
            finished: Default::default(),
            words: Default::default(),
            advance: Default::default(),
            offset: Default::default(),
            counting: Default::default(),
            valid: std::array::from_fn(|_| Default::default()),
            row: std::array::from_fn(|_| Default::default()),
            masks: SyncRam::new(masks, G).without_collisions(),
            deal: Default::default(),
            pickers: std::array::from_fn(|_| Default::default()),
            banks: std::array::from_fn(|_| HiddenBank::new(rows, S, family)),
            written: Default::default(),
            fetched: Default::default(),
            last_masks: Default::default(),
            lasts_written: Default::default(),
            lasts_fetched: Default::default(),
            waiting: Default::default(),
            waiting_last: Default::default(),
            ending: Default::default(),
            finished_now: Default::default(),
            mask_index: Default::default(),
            next_index: Default::default(),
            words_now: Default::default(),
            write_tag: Default::default(),
            read_tag: Default::default(),
            last_mask: Default::default(),
            fetch: Default::default(),
            fetch_last: Default::default(),
            consume: Default::default(),
            done: Default::default(),
            all_done: std::array::from_fn(|_| Default::default()),
            fuller: std::array::from_fn(|_| Default::default()),
            mask_row: Default::default(),
            run_words: Default::default(),
            mask_bits: Constant::new((masks as u64 - 1).into()),
            place_bits: Constant::new(u64::from(Q.ilog2()).into()),
        }
    }
}

impl<const G: usize, const S: usize, const Q: usize> Logic for HiddenQueue<G, S, Q> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module hidden_queue");
        comment!("Keeps fire masks until the pickers have turned them into events for the next layer: one");
        comment!("event a bank and clock cycle, while the lanes go on.");
        dff_setup!(
            self,
            clock,
            written,
            fetched,
            lasts_written,
            lasts_fetched,
            waiting,
            waiting_last,
            ending,
            finished_now,
            mask_index,
            next_index,
            words_now,
            write_tag,
            read_tag
        );
        self.masks.clock.next = self.clock.val();
        self.masks.write_address.next = self.written.q.val();
        self.masks.write_data.next = self.mask.val();
        self.masks.write_enable.next = self.write.val();
        if self.write.val() {
            self.written.d.next = (self.written.q.val() + 1) & self.mask_bits.val();
        }

        comment!("Which masks are the last ones of their runs: two runs are under way at most.");
        for i in 0..2 {
            self.last_masks[i].clock.next = self.clock.val();
            self.last_masks[i].d.next = self.last_masks[i].q.val();
        }
        if self.write.val() & self.write_last.val() {
            if self.lasts_written.q.val().get_bit(0) {
                self.last_masks[1].d.next = self.written.q.val();
            } else {
                self.last_masks[0].d.next = self.written.q.val();
            }
            self.lasts_written.d.next = self.lasts_written.q.val() + 1;
        }
        self.last_mask.next = self.last_masks[0].q.val();
        if self.lasts_fetched.q.val().get_bit(0) {
            self.last_mask.next = self.last_masks[1].q.val();
        }
        self.fetch_last.next = (self.lasts_fetched.q.val() != self.lasts_written.q.val())
            & (self.last_mask.val() == self.fetched.q.val());

        comment!(
            "A mask is fetched when the one before has gone to the pickers, and goes to them when"
        );
        comment!(
            "they are done with theirs. Until then the memory is asked for it again and again."
        );
        self.all_done[0].next = self.pickers[0].done.val();
        for i in 1..S {
            self.all_done[i].next = self.all_done[i - 1].val() & self.pickers[i].done.val();
        }
        for last in Self::LAST..S {
            self.done.next = self.all_done[last].val();
        }
        self.consume.next = self.waiting.q.val() & self.done.val() & !self.ending.q.val();
        self.fetch.next = (self.fetched.q.val() != self.written.q.val())
            & (!self.waiting.q.val() | self.consume.val());
        self.masks.read_address.next = self.fetched.q.val() - 1;
        if self.consume.val() {
            self.waiting.d.next = false;
            self.ending.d.next = self.waiting_last.q.val();
            self.mask_index.d.next = self.next_index.q.val();
            self.next_index.d.next = self.next_index.q.val() + 1;
        }
        if self.fetch.val() {
            self.masks.read_address.next = self.fetched.q.val();
            self.fetched.d.next = (self.fetched.q.val() + 1) & self.mask_bits.val();
            self.waiting.d.next = true;
            self.waiting_last.d.next = self.fetch_last.val();
            if self.fetch_last.val() {
                self.lasts_fetched.d.next = self.lasts_fetched.q.val() + 1;
            }
        }

        comment!("Neuron i is an event of bank i % S, row i / S.");
        self.deal.word.next = self.masks.read_data.val();
        self.mask_row.next = bit_cast::<16, 10>(self.mask_index.q.val()) << self.place_bits.val();
        for i in 0..S {
            self.pickers[i].clock.next = self.clock.val();
            self.pickers[i].clear.next = self.clear.val();
            self.pickers[i].load.next = self.consume.val();
            self.pickers[i].mask.next = self.deal.hands[i].val();
            self.banks[i].clock.next = self.clock.val();
            self.banks[i].clear.next = self.clear.val();
            self.banks[i].write.next = self.pickers[i].picked.val();
            self.banks[i].write_row.next = self.mask_row.val() | self.pickers[i].index.val();
            self.banks[i].write_tag.next = self.write_tag.q.val();
            self.banks[i].finish.next = self.finished_now.q.val();
            self.banks[i].advance.next = self.advance.val();
            self.banks[i].read_tag.next = self.read_tag.q.val();
            self.banks[i].offset.next = self.offset.val();
            self.banks[i].counting.next = self.counting.val();
            self.valid[i].next = self.banks[i].valid.val();
            self.row[i].next = self.banks[i].row.val();
        }

        comment!("A run takes as many words as its fullest bank has events.");
        self.fuller[0].next = self.pickers[0].picked.val()
            & (self.banks[0].run_length.val() == self.words_now.q.val());
        for i in 1..S {
            self.fuller[i].next = self.fuller[i - 1].val()
                | (self.pickers[i].picked.val()
                    & (self.banks[i].run_length.val() == self.words_now.q.val()));
        }
        for last in Self::LAST..S {
            if self.fuller[last].val() {
                self.words_now.d.next = self.words_now.q.val() + 1;
            }
        }
        self.run_words.next = self.words_now.q.val();
        for banks in S..2 {
            comment!("A single bank has counted them itself.");
            self.run_words.next = self.banks[banks - 1].run_length.val();
        }
        self.finished_now.d.next =
            self.ending.q.val() & self.done.val() & !self.finished_now.q.val();
        if self.finished_now.q.val() {
            self.ending.d.next = false;
            self.next_index.d.next = 0.into();
            self.words_now.d.next = 0.into();
            if self.run_words.val().any() {
                self.write_tag.d.next = self.write_tag.q.val() + 1;
            }
        }
        self.finished.next = self.finished_now.q.val();
        self.words.next = self.run_words.val();
        if self.advance.val() {
            self.read_tag.d.next = self.read_tag.q.val() + 1;
        }

        if self.clear.val() {
            self.written.d.next = 0.into();
            self.fetched.d.next = 0.into();
            self.lasts_written.d.next = 0.into();
            self.lasts_fetched.d.next = 0.into();
            self.waiting.d.next = false;
            self.ending.d.next = false;
            self.finished_now.d.next = false;
            self.next_index.d.next = 0.into();
            self.words_now.d.next = 0.into();
            self.write_tag.d.next = 0.into();
            self.read_tag.d.next = 3.into();
        }
    }
}
