//! From the fire masks of a layer to the events of the next one.

use super::hidden_bank::HiddenBank;
use super::picker::SpikePicker;
use super::wiring::Deal;
use crate::comment;
use crate::ram::SyncRam;
use rust_hdl::prelude::*;

/// Keeps the masks of all folds of a layer until S pickers have turned them into events, one an event
/// and bank and clock cycle, while the layer still runs.
#[derive(LogicBlock)]
pub struct HiddenQueue<const P: usize, const S: usize, const Q: usize> {
    pub clock: Signal<In, Clock>,
    /// The next fold's mask is there.
    pub write: Signal<In, Bit>,
    pub mask: Signal<In, Bits<P>>,
    /// Forget all events.
    pub clear: Signal<In, Bit>,
    /// The events until now are the next layer's.
    pub turn: Signal<In, Bit>,
    /// All masks have been turned into events.
    pub quiet: Signal<Out, Bit>,
    /// How many words the events take: those of the fullest bank.
    pub words: Signal<Out, Bits<12>>,
    pub offset: Signal<In, Bits<12>>,
    /// One clock cycle after `offset`.
    pub valid: [Signal<Out, Bit>; S],
    pub row: [Signal<Out, Bits<16>>; S],
    masks: SyncRam<P, 7>,
    deal: Deal<P, S, Q>,
    pickers: [SpikePicker<Q>; S],
    banks: [HiddenBank; S],
    written: DFF<Bits<8>>,
    fetched: DFF<Bits<8>>,
    waiting: DFF<Bit>,
    waiting_fold: DFF<Bits<7>>,
    fold: DFF<Bits<7>>,
    words_now: DFF<Bits<12>>,
    fetch: Signal<Local, Bit>,
    consume: Signal<Local, Bit>,
    all_done: [Signal<Local, Bit>; S],
    any_picked: [Signal<Local, Bit>; S],
    fuller: [Signal<Local, Bit>; S],
    fold_row: Signal<Local, Bits<16>>,
    place_bits: Constant<Bits<3>>,
}

impl<const P: usize, const S: usize, const Q: usize> HiddenQueue<P, S, Q> {
    const LAST: usize = S - 1;

    /// A queue for layers of `slots` folds and `rows` events a bank.
    pub fn new(slots: usize, rows: usize) -> Self {
        HiddenQueue {
            clock: Default::default(),
            write: Default::default(),
            mask: Default::default(),
            clear: Default::default(),
            turn: Default::default(),
            quiet: Default::default(),
            words: Default::default(),
            offset: Default::default(),
            valid: std::array::from_fn(|_| Default::default()),
            row: std::array::from_fn(|_| Default::default()),
            masks: SyncRam::new(slots, P).without_collisions(),
            deal: Default::default(),
            pickers: std::array::from_fn(|_| Default::default()),
            banks: std::array::from_fn(|_| HiddenBank::new(rows, rows.ilog2() as usize)),
            written: Default::default(),
            fetched: Default::default(),
            waiting: Default::default(),
            waiting_fold: Default::default(),
            fold: Default::default(),
            words_now: Default::default(),
            fetch: Default::default(),
            consume: Default::default(),
            all_done: std::array::from_fn(|_| Default::default()),
            any_picked: std::array::from_fn(|_| Default::default()),
            fuller: std::array::from_fn(|_| Default::default()),
            fold_row: Default::default(),
            place_bits: Constant::new(u64::from(Q.ilog2()).into()),
        }
    }
}

impl<const P: usize, const S: usize, const Q: usize> Logic for HiddenQueue<P, S, Q> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module hidden_queue");
        comment!("Keeps the fire masks of a layer until the pickers have turned them into events for the");
        comment!("next layer: one event a bank and clock cycle, while the layer still runs.");
        dff_setup!(
            self,
            clock,
            written,
            fetched,
            waiting,
            waiting_fold,
            fold,
            words_now
        );
        self.masks.clock.next = self.clock.val();
        self.masks.write_address.next = self.written.q.val().get_bits::<7>(0);
        self.masks.write_data.next = self.mask.val();
        self.masks.write_enable.next = self.write.val();
        if self.write.val() {
            self.written.d.next = self.written.q.val() + 1;
        }

        comment!(
            "A mask is fetched when the one before has gone to the pickers, and goes to them when"
        );
        comment!(
            "they are done with theirs. Until then the memory is asked for it again and again."
        );
        self.all_done[0].next = self.pickers[0].done.val();
        self.any_picked[0].next = self.pickers[0].picked.val();
        for i in 1..S {
            self.all_done[i].next = self.all_done[i - 1].val() & self.pickers[i].done.val();
            self.any_picked[i].next = self.any_picked[i - 1].val() | self.pickers[i].picked.val();
        }
        for last in Self::LAST..S {
            self.consume.next = self.waiting.q.val() & self.all_done[last].val();
        }
        self.fetch.next = (self.fetched.q.val() != self.written.q.val())
            & (!self.waiting.q.val() | self.consume.val());
        self.masks.read_address.next = self.waiting_fold.q.val();
        if self.consume.val() {
            self.waiting.d.next = false;
            self.fold.d.next = self.waiting_fold.q.val();
        }
        if self.fetch.val() {
            self.masks.read_address.next = self.fetched.q.val().get_bits::<7>(0);
            self.fetched.d.next = self.fetched.q.val() + 1;
            self.waiting.d.next = true;
            self.waiting_fold.d.next = self.fetched.q.val().get_bits::<7>(0);
        }
        for last in Self::LAST..S {
            self.quiet.next = (self.fetched.q.val() == self.written.q.val())
                & !self.waiting.q.val()
                & !self.any_picked[last].val();
        }

        comment!("Neuron i is an event of bank i % S, row i / S.");
        self.deal.word.next = self.masks.read_data.val();
        self.fold_row.next = bit_cast::<16, 7>(self.fold.q.val()) << self.place_bits.val();
        for i in 0..S {
            self.pickers[i].clock.next = self.clock.val();
            self.pickers[i].load.next = self.consume.val();
            self.pickers[i].mask.next = self.deal.hands[i].val();
            self.banks[i].clock.next = self.clock.val();
            self.banks[i].turn.next = self.turn.val();
            self.banks[i].clear.next = self.clear.val();
            self.banks[i].write.next = self.pickers[i].picked.val();
            self.banks[i].write_row.next = self.fold_row.val() | self.pickers[i].index.val();
            self.banks[i].offset.next = self.offset.val();
            self.valid[i].next = self.banks[i].valid.val();
            self.row[i].next = self.banks[i].row.val();
        }

        self.fuller[0].next =
            self.pickers[0].picked.val() & (self.banks[0].written.val() == self.words_now.q.val());
        for i in 1..S {
            self.fuller[i].next = self.fuller[i - 1].val()
                | (self.pickers[i].picked.val()
                    & (self.banks[i].written.val() == self.words_now.q.val()));
        }
        for last in Self::LAST..S {
            if self.fuller[last].val() {
                self.words_now.d.next = self.words_now.q.val() + 1;
            }
        }
        if self.turn.val() | self.clear.val() {
            self.words_now.d.next = 0.into();
            self.written.d.next = 0.into();
            self.fetched.d.next = 0.into();
        }
        self.words.next = self.words_now.q.val();
    }
}
