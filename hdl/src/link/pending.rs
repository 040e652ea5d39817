//! The replies to SPIKES requests that have not been sent.

use crate::comment;
use rust_hdl::prelude::*;

/// The most replies that wait.
const PLACES: usize = 4;

/// A queue of replies, oldest first: each a sequence number with a status, or with a result to come.
///
/// A reply behind a result waits for it, so replies go out in the order of their requests, whatever the
/// core's speed; the chunks of the next image are taken all the same. A host has as many requests open as
/// there are frame slots, so more places than these are never used; of more slots than places, frames stay
/// in the slots that are beyond.
#[derive(LogicBlock)]
pub struct PendingReplies {
    pub clock: Signal<In, Clock>,
    /// Append a reply; only while not `full`.
    pub push: Signal<In, Bit>,
    pub number: Signal<In, Bits<8>>,
    pub status: Signal<In, Bits<4>>,
    /// The reply is the core's next result.
    pub is_result: Signal<In, Bit>,
    /// Remove the oldest; never together with `push`.
    pub pop: Signal<In, Bit>,
    pub oldest_number: Signal<Out, Bits<8>>,
    pub oldest_status: Signal<Out, Bits<4>>,
    pub oldest_is_result: Signal<Out, Bit>,
    pub any: Signal<Out, Bit>,
    pub full: Signal<Out, Bit>,
    used: [DFF<Bit>; PLACES],
    numbers: [DFF<Bits<8>>; PLACES],
    statuses: [DFF<Bits<4>>; PLACES],
    results: [DFF<Bit>; PLACES],
    /// Shows synthesis which places are never used.
    has_place: [Constant<Bit>; PLACES],
}

impl PendingReplies {
    /// A queue for a device of `frame_slots` slots.
    pub fn new(frame_slots: u8) -> Self {
        PendingReplies {
            clock: Default::default(),
            push: Default::default(),
            number: Default::default(),
            status: Default::default(),
            is_result: Default::default(),
            pop: Default::default(),
            oldest_number: Default::default(),
            oldest_status: Default::default(),
            oldest_is_result: Default::default(),
            any: Default::default(),
            full: Default::default(),
            used: Default::default(),
            numbers: Default::default(),
            statuses: Default::default(),
            results: Default::default(),
            has_place: std::array::from_fn(|place| Constant::new(place < usize::from(frame_slots))),
        }
    }
}

impl Logic for PendingReplies {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module pending_replies");
        comment!("A queue of replies to SPIKES: what is behind a result to come waits for it.");
        for i in 0..4 {
            self.used[i].clock.next = self.clock.val();
            self.numbers[i].clock.next = self.clock.val();
            self.statuses[i].clock.next = self.clock.val();
            self.results[i].clock.next = self.clock.val();
            self.used[i].d.next = self.used[i].q.val();
            self.numbers[i].d.next = self.numbers[i].q.val();
            self.statuses[i].d.next = self.statuses[i].q.val();
            self.results[i].d.next = self.results[i].q.val();
        }
        if self.pop.val() {
            for i in 1..4 {
                self.used[i - 1].d.next = self.used[i].q.val();
                self.numbers[i - 1].d.next = self.numbers[i].q.val();
                self.statuses[i - 1].d.next = self.statuses[i].q.val();
                self.results[i - 1].d.next = self.results[i].q.val();
            }
            self.used[3].d.next = false;
        } else if self.push.val() {
            comment!("All free places take it; the first of them is in use from then on.");
            self.used[0].d.next = true;
            for i in 1..4 {
                self.used[i].d.next = self.used[i - 1].q.val() & self.has_place[i].val();
            }
            for i in 0..4 {
                if !self.used[i].q.val() & self.has_place[i].val() {
                    self.numbers[i].d.next = self.number.val();
                    self.statuses[i].d.next = self.status.val();
                    self.results[i].d.next = self.is_result.val();
                }
            }
        }
        self.oldest_number.next = self.numbers[0].q.val();
        self.oldest_status.next = self.statuses[0].q.val();
        self.oldest_is_result.next = self.results[0].q.val();
        self.any.next = self.used[0].q.val();
        self.full.next = self.used[1].q.val();
        if self.has_place[3].val() {
            self.full.next = self.used[3].q.val();
        }
    }
}
