//! One lane: counts, for the neuron that it serves at the moment, the spikes over weights of +1.

use crate::comment;
use rust_hdl::prelude::*;

/// A counter for one chunk of words. Of the chunk's c spikes, n came over weights of +1: the potential changes by
/// 2 n - c, which is worked out when the chunk is over, by adders that many lanes share.
///
/// - `S`: banks.
/// - `A`: bits of the count.
#[derive(LogicBlock)]
pub struct Lane<const S: usize, const A: usize> {
    pub clock: Signal<In, Clock>,
    /// Which banks have a spike in this word.
    pub valid: [Signal<In, Bit>; S],
    /// This lane's weight in each bank's row: 1 for +1, 0 for -1.
    pub weight: [Signal<In, Bit>; S],
    /// The word of the cycle before was the first of a chunk.
    pub first: Signal<In, Bit>,
    /// The count, up to the word of two cycles before.
    pub count: Signal<Out, Bits<A>>,
    /// This bank's spike comes over a weight of +1.
    positive: [Signal<Local, Bit>; S],
    // How many do so in the banks up to this one, as binary digits.
    ones: [Signal<Local, Bit>; S],
    twos: [Signal<Local, Bit>; S],
    fours: [Signal<Local, Bit>; S],
    eights: [Signal<Local, Bit>; S],
    has_one: DFF<Bit>,
    has_two: DFF<Bit>,
    has_four: DFF<Bit>,
    has_eight: DFF<Bit>,
    more: [Signal<Local, Bits<A>>; 4],
    total: DFF<Bits<A>>,
}

impl<const S: usize, const A: usize> Lane<S, A> {
    const LAST: usize = S - 1;
}

impl<const S: usize, const A: usize> Default for Lane<S, A> {
    fn default() -> Self {
        Lane {
            clock: Default::default(),
            valid: std::array::from_fn(|_| Default::default()),
            weight: std::array::from_fn(|_| Default::default()),
            first: Default::default(),
            count: Default::default(),
            positive: std::array::from_fn(|_| Default::default()),
            ones: std::array::from_fn(|_| Default::default()),
            twos: std::array::from_fn(|_| Default::default()),
            fours: std::array::from_fn(|_| Default::default()),
            eights: std::array::from_fn(|_| Default::default()),
            has_one: Default::default(),
            has_two: Default::default(),
            has_four: Default::default(),
            has_eight: Default::default(),
            more: Default::default(),
            total: Default::default(),
        }
    }
}

impl<const S: usize, const A: usize> Logic for Lane<S, A> {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module lane");
        comment!("One lane: counts the spikes of a chunk that come over weights of +1.");
        dff_setup!(self, clock, has_one, has_two, has_four, has_eight, total);

        comment!("How many there are in this word, added digit by digit.");
        self.positive[0].next = self.valid[0].val() & self.weight[0].val();
        self.ones[0].next = self.positive[0].val();
        self.twos[0].next = false;
        self.fours[0].next = false;
        self.eights[0].next = false;
        for i in 1..S {
            self.positive[i].next = self.valid[i].val() & self.weight[i].val();
            self.ones[i].next = self.ones[i - 1].val() ^ self.positive[i].val();
            self.twos[i].next =
                self.twos[i - 1].val() ^ (self.ones[i - 1].val() & self.positive[i].val());
            self.fours[i].next = self.fours[i - 1].val()
                ^ (self.twos[i - 1].val() & self.ones[i - 1].val() & self.positive[i].val());
            self.eights[i].next = self.eights[i - 1].val()
                ^ (self.fours[i - 1].val()
                    & self.twos[i - 1].val()
                    & self.ones[i - 1].val()
                    & self.positive[i].val());
        }
        for last in Self::LAST..S {
            self.has_one.d.next = self.ones[last].val();
            self.has_two.d.next = self.twos[last].val();
            self.has_four.d.next = self.fours[last].val();
            self.has_eight.d.next = self.eights[last].val();
        }

        comment!("The words of a chunk are added up.");
        self.more[0].next = 0.into();
        if self.has_one.q.val() {
            self.more[0].next = 1.into();
        }
        self.more[1].next = self.more[0].val();
        if self.has_two.q.val() {
            self.more[1].next = self.more[0].val() | 2;
        }
        self.more[2].next = self.more[1].val();
        if self.has_four.q.val() {
            self.more[2].next = self.more[1].val() | 4;
        }
        self.more[3].next = self.more[2].val();
        if self.has_eight.q.val() {
            self.more[3].next = self.more[2].val() | 8;
        }
        self.total.d.next = self.total.q.val() + self.more[3].val();
        if self.first.val() {
            self.total.d.next = self.more[3].val();
        }
        self.count.next = self.total.q.val();
    }
}
