//! What a frame asks for, done.

use super::pending::PendingReplies;
use super::pick::BytePick;
use super::reply::ReplyForm;
use super::request::{RequestCheck, PAYLOAD};
use super::sizes::SizesCheck;
use crate::comment;
use firmware_model::config::CoreConfig;
use firmware_model::protocol::{kind, status, REPLY};
use rust_hdl::prelude::*;

#[derive(Copy, Clone, PartialEq, Eq, Debug, LogicState)]
enum State {
    /// Send a NAK, else a reply that waits for nothing, else take up the oldest frame.
    Idle,
    /// Read the payload's end, the kind and the number.
    Header,
    /// Choose by kind, refuse wrong lengths.
    Decide,
    /// GEOMETRY, first pass: are the sizes within the core's?
    Sizes,
    /// WEIGHTS and MARGINS: read the place, then say that bytes for it come.
    Place,
    Load,
    /// SPIKES: read the image's and the chunk's number, then see whether they follow.
    Image,
    Chunk,
    Order,
    /// Hand the rest of the payload to the core.
    Stream,
    /// Give the core time to say what was wrong with it.
    Settle,
    /// ARM: wait until the core has read its memories back, then compare.
    Verify,
    Compare,
    /// Free the frame's slot, and reply; to SPIKES in its turn.
    Finish,
    Replying,
}

/// Executes frames in their order, and decides what is sent.
///
/// While something must be waited for, a frame stays in its slot and is looked at again after
/// NAKs and replies have been sent.
#[derive(LogicBlock)]
pub struct Executor {
    pub clock: Signal<In, Clock>,
    // The frame slots.
    pub frame_ready: Signal<In, Bit>,
    pub frame_release: Signal<Out, Bit>,
    /// Address in the oldest frame's slot, and what was there two clocks before.
    pub read_address: Signal<Out, Bits<8>>,
    pub read_data: Signal<In, Bits<8>>,
    pub nak_pending: Signal<In, Bit>,
    pub nak_status: Signal<In, Bits<4>>,
    pub nak_take: Signal<Out, Bit>,
    // The reply.
    pub reply_start: Signal<Out, Bit>,
    pub reply_done: Signal<In, Bit>,
    pub reply_kind: Signal<Out, Bits<8>>,
    pub reply_number: Signal<Out, Bits<8>>,
    pub reply_status: Signal<Out, Bits<4>>,
    pub reply_form: Signal<Out, ReplyForm>,
    // Pulses for the counters.
    pub count_bad_frame: Signal<Out, Bit>,
    pub count_overrun: Signal<Out, Bit>,
    pub snapshot: Signal<Out, Bit>,
    // The core, as in `Link`.
    pub geometry_shift: Signal<Out, Bit>,
    pub load_begin: Signal<Out, Bit>,
    pub load_margins: Signal<Out, Bit>,
    pub load_address: Signal<Out, Bits<16>>,
    pub load_select: Signal<Out, Bits<8>>,
    pub load_strobe: Signal<Out, Bit>,
    pub load_error: Signal<In, Bit>,
    pub verify_start: Signal<Out, Bit>,
    pub verify_done: Signal<In, Bit>,
    pub verify_crc: Signal<In, Bits<32>>,
    pub spikes_begin: Signal<Out, Bit>,
    pub spikes_strobe: Signal<Out, Bit>,
    pub spikes_commit: Signal<Out, Bit>,
    pub spikes_ready: Signal<In, Bit>,
    pub spikes_error: Signal<In, Bit>,
    pub result_valid: Signal<In, Bit>,
    pub result_take: Signal<Out, Bit>,
    pub armed: Signal<Out, Bit>,
    pending: PendingReplies,
    request: RequestCheck,
    sizes: SizesCheck,
    /// The bytes of the memories' CRC-32.
    crc_bytes: BytePick,
    state: DFF<State>,
    /// A byte takes three clocks: its address is at the slots, the byte comes, and it has been registered.
    ask: Signal<Local, Bit>,
    fetching: DFF<Bit>,
    fetched: DFF<Bit>,
    index: DFF<Bits<8>>,
    /// Where the payload ends.
    stop: DFF<Bits<8>>,
    kind: DFF<Bits<8>>,
    number: DFF<Bits<8>>,
    status: DFF<Bits<4>>,
    form: DFF<ReplyForm>,
    address: DFF<Bits<16>>,
    select: DFF<Bits<8>>,
    /// The image whose chunks are being taken, the number of this one and of the next.
    image: DFF<Bits<8>>,
    chunk: DFF<Bits<7>>,
    next_chunk: DFF<Bits<7>>,
    collecting: DFF<Bit>,
    last_chunk: DFF<Bit>,
    armed_now: DFF<Bit>,
    /// The core holds a geometry that was accepted.
    has_geometry: DFF<Bit>,
    /// The CRC-32 that ARM brought differs from the core's.
    crc_differs: DFF<Bit>,
    settled: DFF<Bits<3>>,
    /// The byte at `index`, fetched, is used.
    byte_used: Signal<Local, Bit>,
    streamed: Signal<Local, Bit>,
    crc_place: Signal<Local, Bits<8>>,
    spikes_reply: Constant<Bits<8>>,
    nak_kind: Constant<Bits<8>>,
    reply_flag: Constant<Bits<8>>,
    ok: Constant<Bits<4>>,
    bad_frame: Constant<Bits<4>>,
    unknown_kind: Constant<Bits<4>>,
    bad_length: Constant<Bits<4>>,
    not_armed: Constant<Bits<4>>,
    memory_check: Constant<Bits<4>>,
    bad_spike: Constant<Bits<4>>,
    out_of_order: Constant<Bits<4>>,
    out_of_range: Constant<Bits<4>>,
    overrun: Constant<Bits<4>>,
    payload: Constant<Bits<8>>,
}

impl Executor {
    pub fn new(core: &CoreConfig) -> Self {
        let byte = |value: u8| Constant::new(u64::from(value).into());
        let status_of = |value: u8| Constant::new(u64::from(value).into());
        Executor {
            clock: Default::default(),
            frame_ready: Default::default(),
            frame_release: Default::default(),
            read_address: Default::default(),
            read_data: Default::default(),
            nak_pending: Default::default(),
            nak_status: Default::default(),
            nak_take: Default::default(),
            reply_start: Default::default(),
            reply_done: Default::default(),
            reply_kind: Default::default(),
            reply_number: Default::default(),
            reply_status: Default::default(),
            reply_form: Default::default(),
            count_bad_frame: Default::default(),
            count_overrun: Default::default(),
            snapshot: Default::default(),
            geometry_shift: Default::default(),
            load_begin: Default::default(),
            load_margins: Default::default(),
            load_address: Default::default(),
            load_select: Default::default(),
            load_strobe: Default::default(),
            load_error: Default::default(),
            verify_start: Default::default(),
            verify_done: Default::default(),
            verify_crc: Default::default(),
            spikes_begin: Default::default(),
            spikes_strobe: Default::default(),
            spikes_commit: Default::default(),
            spikes_ready: Default::default(),
            spikes_error: Default::default(),
            result_valid: Default::default(),
            result_take: Default::default(),
            armed: Default::default(),
            pending: PendingReplies::new(core.frame_slots),
            request: RequestCheck::new(core),
            sizes: SizesCheck::new(core),
            crc_bytes: Default::default(),
            state: Default::default(),
            ask: Default::default(),
            fetching: Default::default(),
            fetched: Default::default(),
            index: Default::default(),
            stop: Default::default(),
            kind: Default::default(),
            number: Default::default(),
            status: Default::default(),
            form: Default::default(),
            address: Default::default(),
            select: Default::default(),
            image: Default::default(),
            next_chunk: Default::default(),
            collecting: Default::default(),
            last_chunk: Default::default(),
            armed_now: Default::default(),
            has_geometry: Default::default(),
            crc_differs: Default::default(),
            settled: Default::default(),
            byte_used: Default::default(),
            streamed: Default::default(),
            chunk: Default::default(),
            crc_place: Default::default(),
            spikes_reply: byte(kind::SPIKES + REPLY),
            nak_kind: byte(kind::NAK),
            reply_flag: byte(REPLY),
            ok: status_of(status::OK),
            bad_frame: status_of(status::BAD_FRAME),
            unknown_kind: status_of(status::UNKNOWN_KIND),
            bad_length: status_of(status::BAD_LENGTH),
            not_armed: status_of(status::NOT_ARMED),
            memory_check: status_of(status::MEMORY_CHECK),
            bad_spike: status_of(status::BAD_SPIKE),
            out_of_order: status_of(status::OUT_OF_ORDER),
            out_of_range: status_of(status::OUT_OF_RANGE),
            overrun: status_of(status::OVERRUN),
            payload: byte(PAYLOAD as u8),
        }
    }
}

impl Logic for Executor {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module executor");
        comment!("Executes frames in their order, and decides what is sent. While something must be waited");
        comment!("for, a frame stays in its slot and is looked at again after NAKs and replies.");
        dff_setup!(
            self,
            clock,
            state,
            fetching,
            fetched,
            index,
            stop,
            kind,
            number,
            status,
            form,
            address,
            select,
            image,
            chunk,
            next_chunk,
            collecting,
            last_chunk,
            armed_now,
            has_geometry,
            crc_differs,
            settled
        );
        clock!(self, clock, pending, sizes);

        self.request.kind.next = self.kind.q.val();
        self.request.stop.next = self.stop.q.val();
        self.read_address.next = self.index.q.val();
        comment!(
            "The byte of the memories' CRC-32 that stands where `index` is in an ARM request."
        );
        self.crc_place.next = self.index.q.val() - self.payload.val();
        self.crc_bytes.word.next = self.verify_crc.val();
        self.crc_bytes.place.next = self.crc_place.val().get_bits::<2>(0);

        self.frame_release.next = false;
        self.nak_take.next = false;
        self.count_bad_frame.next = false;
        self.count_overrun.next = false;
        self.snapshot.next = false;
        self.reply_start.next = false;
        self.load_begin.next = false;
        self.verify_start.next = false;
        self.spikes_begin.next = false;
        self.spikes_commit.next = false;
        self.result_take.next = false;
        self.pending.push.next = false;
        self.pending.pop.next = false;
        self.pending.number.next = self.number.q.val();
        self.pending.status.next = self.status.q.val();
        self.pending.is_result.next = self.form.q.val() == ReplyForm::Decision;
        self.sizes.clear.next = false;
        self.sizes.strobe.next = false;
        self.sizes.index.next = self.index.q.val();
        self.sizes.data.next = self.read_data.val();
        self.streamed.next = false;
        self.byte_used.next = false;
        self.ask.next = false;

        match self.state.q.val() {
            State::Idle => {
                self.index.d.next = 0.into();
                self.status.d.next = self.ok.val();
                self.form.d.next = ReplyForm::Bare;
                if self.nak_pending.val() {
                    self.nak_take.next = true;
                    self.count_overrun.next = self.nak_status.val() == self.overrun.val();
                    self.count_bad_frame.next = self.nak_status.val() != self.overrun.val();
                    self.kind.d.next = self.nak_kind.val();
                    self.number.d.next = 0.into();
                    self.status.d.next = self.nak_status.val();
                    self.reply_start.next = true;
                    self.state.d.next = State::Replying;
                } else if self.pending.any.val()
                    & (self.result_valid.val() | !self.pending.oldest_is_result.val())
                {
                    self.kind.d.next = self.spikes_reply.val();
                    self.number.d.next = self.pending.oldest_number.val();
                    self.status.d.next = self.pending.oldest_status.val();
                    if self.pending.oldest_is_result.val() {
                        self.form.d.next = ReplyForm::Decision;
                    }
                    self.reply_start.next = true;
                    self.state.d.next = State::Replying;
                } else if self.frame_ready.val() {
                    self.state.d.next = State::Header;
                }
            }
            State::Header => {
                self.ask.next = true;
                self.byte_used.next = self.fetched.q.val();
                if self.fetched.q.val() {
                    if self.index.q.val() == 0 {
                        self.stop.d.next = self.read_data.val();
                    } else if self.index.q.val() == 1 {
                        self.kind.d.next = self.read_data.val();
                    } else {
                        self.number.d.next = self.read_data.val();
                        self.state.d.next = State::Decide;
                    }
                }
            }
            State::Decide => {
                self.sizes.clear.next = true;
                self.crc_differs.d.next = false;
                self.settled.d.next = 0.into();
                self.state.d.next = State::Finish;
                if self.pending.full.val()
                    | (self.pending.any.val() & !self.request.is_spikes.val())
                {
                    comment!("All but SPIKES wait until every reply to these has been sent.");
                    self.state.d.next = State::Idle;
                } else if !self.request.is_known.val() {
                    self.status.d.next = self.unknown_kind.val();
                } else if !self.request.length_fits.val() {
                    self.status.d.next = self.bad_length.val();
                } else if self.request.is_info.val() {
                    self.form.d.next = ReplyForm::Info;
                } else if self.request.is_status.val() {
                    self.form.d.next = ReplyForm::Numbers;
                    self.snapshot.next = true;
                } else if self.request.is_spikes.val() {
                    if self.armed_now.q.val() {
                        self.state.d.next = State::Image;
                    } else {
                        self.status.d.next = self.not_armed.val();
                    }
                } else if self.request.is_geometry.val() {
                    self.state.d.next = State::Sizes;
                } else if self.request.is_arm.val() {
                    self.armed_now.d.next = false;
                    self.collecting.d.next = false;
                    self.form.d.next = ReplyForm::MemoryCrc;
                    if self.has_geometry.q.val() {
                        self.verify_start.next = true;
                        self.state.d.next = State::Verify;
                    } else {
                        self.status.d.next = self.memory_check.val();
                    }
                } else {
                    self.state.d.next = State::Place;
                }
                comment!(
                    "What is to change the memories disarms even when it is refused, and a refused"
                );
                comment!("chunk ends its image.");
                if !self.pending.any.val() & self.request.is_load.val() {
                    self.armed_now.d.next = false;
                    self.collecting.d.next = false;
                }
                if self.request.is_spikes.val() & !self.request.length_fits.val() {
                    self.collecting.d.next = false;
                }
            }
            State::Sizes => {
                if self.sizes.passed.val() {
                    self.index.d.next = self.payload.val();
                    self.has_geometry.d.next = !self.sizes.unfit.val();
                    self.state.d.next = State::Stream;
                    if self.sizes.unfit.val() {
                        self.status.d.next = self.out_of_range.val();
                        self.state.d.next = State::Finish;
                    }
                } else {
                    self.ask.next = true;
                    self.byte_used.next = self.fetched.q.val();
                    self.sizes.strobe.next = self.fetched.q.val();
                }
            }
            State::Place => {
                self.ask.next = true;
                self.byte_used.next = self.fetched.q.val();
                if self.fetched.q.val() {
                    if self.request.is_weights.val() {
                        comment!("Bank, then row.");
                        if self.index.q.val() == 3 {
                            self.select.d.next = self.read_data.val();
                        } else if self.index.q.val() == 4 {
                            self.address.d.next = bit_cast::<16, 8>(self.read_data.val());
                        } else {
                            self.address.d.next = self.address.q.val()
                                | (bit_cast::<16, 8>(self.read_data.val()) << 8);
                            self.state.d.next = State::Load;
                        }
                    } else if self.index.q.val() == 3 {
                        comment!("Slot, then lane.");
                        self.address.d.next = bit_cast::<16, 8>(self.read_data.val());
                    } else {
                        self.select.d.next = self.read_data.val();
                        self.state.d.next = State::Load;
                    }
                }
            }
            State::Load => {
                self.load_begin.next = true;
                self.state.d.next = State::Stream;
            }
            State::Image => {
                self.ask.next = true;
                self.byte_used.next = self.fetched.q.val();
                if self.fetched.q.val() {
                    self.select.d.next = self.read_data.val();
                    self.state.d.next = State::Chunk;
                }
            }
            State::Chunk => {
                self.ask.next = true;
                self.byte_used.next = self.fetched.q.val();
                if self.fetched.q.val() {
                    self.chunk.d.next = self.read_data.val().get_bits::<7>(0);
                    self.last_chunk.d.next = self.read_data.val().get_bit(7);
                    self.state.d.next = State::Order;
                }
            }
            State::Order => {
                self.state.d.next = State::Stream;
                self.next_chunk.d.next = self.chunk.q.val() + 1;
                if self.chunk.q.val().all() {
                    comment!("Chunk 0 begins an image: after 127 comes 1.");
                    self.next_chunk.d.next = 1.into();
                }
                if self.chunk.q.val() == 0 {
                    if self.spikes_ready.val() {
                        self.spikes_begin.next = true;
                        self.image.d.next = self.select.q.val();
                        self.collecting.d.next = true;
                    } else {
                        self.state.d.next = State::Idle;
                    }
                } else if !self.collecting.q.val()
                    | (self.image.q.val() != self.select.q.val())
                    | (self.chunk.q.val() != self.next_chunk.q.val())
                {
                    self.collecting.d.next = false;
                    self.status.d.next = self.out_of_order.val();
                    self.state.d.next = State::Finish;
                }
            }
            State::Stream => {
                if self.fetched.q.val() {
                    self.byte_used.next = true;
                    self.streamed.next = true;
                } else if self.index.q.val() == self.stop.q.val() {
                    self.state.d.next = State::Settle;
                } else {
                    self.ask.next = true;
                }
            }
            State::Settle => {
                self.settled.d.next = self.settled.q.val() + 1;
                if self.settled.q.val().all() {
                    self.state.d.next = State::Finish;
                    if self.request.is_spikes.val() {
                        if self.spikes_error.val() {
                            self.collecting.d.next = false;
                            self.status.d.next = self.bad_spike.val();
                        } else if self.last_chunk.q.val() {
                            self.collecting.d.next = false;
                            self.spikes_commit.next = true;
                            self.form.d.next = ReplyForm::Decision;
                        }
                    } else if !self.request.is_geometry.val() & self.load_error.val() {
                        self.status.d.next = self.out_of_range.val();
                    }
                }
            }
            State::Verify => {
                if self.verify_done.val() {
                    self.state.d.next = State::Compare;
                }
            }
            State::Compare => {
                if self.fetched.q.val() {
                    self.byte_used.next = true;
                    if self.read_data.val() != self.crc_bytes.data.val() {
                        self.crc_differs.d.next = true;
                    }
                } else if self.index.q.val() == self.stop.q.val() {
                    self.armed_now.d.next = !self.crc_differs.q.val();
                    if self.crc_differs.q.val() {
                        self.status.d.next = self.memory_check.val();
                    }
                    self.state.d.next = State::Finish;
                } else {
                    self.ask.next = true;
                }
            }
            State::Finish => {
                self.frame_release.next = true;
                if self.request.is_spikes.val() {
                    self.pending.push.next = true;
                    self.state.d.next = State::Idle;
                } else {
                    self.kind.d.next = self.kind.q.val() | self.reply_flag.val();
                    self.reply_start.next = true;
                    self.state.d.next = State::Replying;
                }
            }
            State::Replying => {
                if self.reply_done.val() {
                    self.state.d.next = State::Idle;
                    comment!("Of the other kinds a reply is sent only when the queue is empty.");
                    self.pending.pop.next = self.kind.q.val() == self.spikes_reply.val();
                    self.result_take.next = self.form.q.val() == ReplyForm::Decision;
                }
            }
        }

        comment!("A byte that is asked for is there two cycles later.");
        self.fetching.d.next = self.ask.val();
        self.fetched.d.next = self.ask.val() & self.fetching.q.val();
        if self.byte_used.val() {
            self.index.d.next = self.index.q.val() + 1;
            self.fetching.d.next = false;
            self.fetched.d.next = false;
        }
        self.geometry_shift.next = self.streamed.val() & self.request.is_geometry.val();
        self.load_strobe.next =
            self.streamed.val() & (self.request.is_weights.val() | self.request.is_margins.val());
        self.spikes_strobe.next = self.streamed.val() & self.request.is_spikes.val();
        self.load_margins.next = self.request.is_margins.val();
        self.load_address.next = self.address.q.val();
        self.load_select.next = self.select.q.val();
        self.reply_kind.next = self.kind.q.val();
        self.reply_number.next = self.number.q.val();
        self.reply_status.next = self.status.q.val();
        self.reply_form.next = self.form.q.val();
        self.armed.next = self.armed_now.q.val();
    }
}
