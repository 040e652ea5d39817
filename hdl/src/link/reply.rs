//! Replies: every byte comes from a register or a constant by its place in the frame, so a reply is
//! checked, stuffed and sent by going over the places three times, with no buffer.

use super::crc16::Crc16;
use super::info::InfoBytes;
use super::pick::BytePick;
use crate::comment;
use rust_hdl::prelude::*;

/// What a reply carries after its status.
#[derive(Copy, Clone, PartialEq, Eq, Debug, LogicState)]
pub enum ReplyForm {
    /// Nothing.
    Bare,
    /// The answer to INFO.
    Info,
    /// The answer to ARM: the CRC-32 of the memories.
    MemoryCrc,
    /// The result of an inference.
    Decision,
    /// The answer to STATUS.
    Numbers,
}

#[derive(Copy, Clone, PartialEq, Eq, Debug, LogicState)]
enum State {
    Idle,
    /// Over all but the check, to compute it.
    Check,
    /// To the next zero or the end, to count the bytes of a COBS block.
    Scan,
    /// Send the block's code.
    Code,
    /// Over the block again, to send it.
    Data,
    /// Send the zero that closes a frame.
    Close,
}

/// Sends one reply: kind, sequence number, status, what the form says, and the check.
///
/// All inputs must stand still from `start` to `done`.
#[derive(LogicBlock)]
pub struct ReplySender {
    pub clock: Signal<In, Clock>,
    pub start: Signal<In, Bit>,
    /// One pulse when the last byte has gone to the transmitter.
    pub done: Signal<Out, Bit>,
    pub busy: Signal<Out, Bit>,
    pub kind: Signal<In, Bits<8>>,
    pub number: Signal<In, Bits<8>>,
    pub status: Signal<In, Bits<4>>,
    pub form: Signal<In, ReplyForm>,
    pub armed: Signal<In, Bit>,
    pub memory_crc: Signal<In, Bits<32>>,
    pub result_class: Signal<In, Bits<16>>,
    pub result_step: Signal<In, Bits<8>>,
    pub result_silent: Signal<In, Bit>,
    pub result_overshoot: Signal<In, Bits<16>>,
    pub result_cycles: Signal<In, Bits<32>>,
    pub result_idle: Signal<In, Bits<32>>,
    pub clocks: Signal<In, Bits<32>>,
    pub busy_clocks: Signal<In, Bits<32>>,
    pub bad_frames: Signal<In, Bits<16>>,
    pub overruns: Signal<In, Bits<16>>,
    /// To the transmitter.
    pub tx_ready: Signal<In, Bit>,
    pub tx_strobe: Signal<Out, Bit>,
    pub tx_data: Signal<Out, Bits<8>>,
    info: InfoBytes,
    // The data, four bytes each, of which the place picks one.
    crc_bytes: BytePick,
    decision_first: BytePick,
    decision_second: BytePick,
    decision_third: BytePick,
    decision_fourth: BytePick,
    numbers_first: BytePick,
    numbers_second: BytePick,
    numbers_third: BytePick,
    check: Crc16,
    state: DFF<State>,
    /// A byte takes two clocks: in the first it is fetched into `current`, in the second used.
    fetched: DFF<Bit>,
    /// The place in the frame: kind 1, number 2, status 3, then data from 4 on.
    place: DFF<Bits<6>>,
    current: DFF<Bits<8>>,
    /// Where the COBS block begins, and its code: its bytes and one.
    block: DFF<Bits<6>>,
    code: DFF<Bits<6>>,
    /// The block ends with the frame, not with a zero.
    last_block: DFF<Bit>,
    /// Half the place of the check, by form; and of what is beyond it.
    check_half: Signal<Local, Bits<5>>,
    end_half: Signal<Local, Bits<5>>,
    at_check: Signal<Local, Bit>,
    at_end: Signal<Local, Bit>,
    class_and_step: Signal<Local, Bits<32>>,
    data_place: Signal<Local, Bits<2>>,
    source: Signal<Local, Bits<8>>,
    info_last: Constant<Bits<6>>,
    armed_place: Constant<Bits<6>>,
}

impl ReplySender {
    /// `info`: INFO's reply from `FSPK` to the CRC-32 of the configuration.
    pub fn new(info: Vec<u8>) -> Self {
        let armed_place = InfoBytes::FIRST + info.len() as u64;
        ReplySender {
            clock: Default::default(),
            start: Default::default(),
            done: Default::default(),
            busy: Default::default(),
            kind: Default::default(),
            number: Default::default(),
            status: Default::default(),
            form: Default::default(),
            armed: Default::default(),
            memory_crc: Default::default(),
            result_class: Default::default(),
            result_step: Default::default(),
            result_silent: Default::default(),
            result_overshoot: Default::default(),
            result_cycles: Default::default(),
            result_idle: Default::default(),
            clocks: Default::default(),
            busy_clocks: Default::default(),
            bad_frames: Default::default(),
            overruns: Default::default(),
            tx_ready: Default::default(),
            tx_strobe: Default::default(),
            tx_data: Default::default(),
            info: InfoBytes::new(info),
            crc_bytes: Default::default(),
            decision_first: Default::default(),
            decision_second: Default::default(),
            decision_third: Default::default(),
            decision_fourth: Default::default(),
            numbers_first: Default::default(),
            numbers_second: Default::default(),
            numbers_third: Default::default(),
            check: Default::default(),
            state: Default::default(),
            fetched: Default::default(),
            place: Default::default(),
            current: Default::default(),
            block: Default::default(),
            code: Default::default(),
            last_block: Default::default(),
            check_half: Default::default(),
            end_half: Default::default(),
            at_check: Default::default(),
            at_end: Default::default(),
            class_and_step: Default::default(),
            data_place: Default::default(),
            source: Default::default(),
            info_last: Constant::new((armed_place - 1).into()),
            armed_place: Constant::new(armed_place.into()),
        }
    }
}

impl Logic for ReplySender {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module reply_sender");
        comment!(
            "Sends one reply. Each byte comes from where it stands, by its place in the frame, so"
        );
        comment!(
            "the frame is gone over three times: for the check, for the COBS codes, and to send."
        );
        dff_setup!(self, clock, state, fetched, place, current, block, code, last_block);
        clock!(self, clock, check);

        comment!("Where the check stands: at an even place in every form, and the end two beyond.");
        self.check_half.next = 2.into();
        self.end_half.next = 3.into();
        match self.form.val() {
            ReplyForm::Info => {
                self.check_half.next = 22.into();
                self.end_half.next = 23.into();
            }
            ReplyForm::MemoryCrc => {
                self.check_half.next = 4.into();
                self.end_half.next = 5.into();
            }
            ReplyForm::Decision => {
                self.check_half.next = 9.into();
                self.end_half.next = 10.into();
            }
            ReplyForm::Numbers => {
                self.check_half.next = 8.into();
                self.end_half.next = 9.into();
            }
            ReplyForm::Bare => {}
        }
        self.at_check.next = self.place.q.val().get_bits::<5>(1) == self.check_half.val();
        self.at_end.next = self.place.q.val().get_bits::<5>(1) == self.end_half.val();

        comment!("The byte at a place: data, four bytes at a time,");
        self.data_place.next = self.place.q.val().get_bits::<2>(0);
        self.crc_bytes.place.next = self.data_place.val();
        self.decision_first.place.next = self.data_place.val();
        self.decision_second.place.next = self.data_place.val();
        self.decision_third.place.next = self.data_place.val();
        self.decision_fourth.place.next = self.data_place.val();
        self.numbers_first.place.next = self.data_place.val();
        self.numbers_second.place.next = self.data_place.val();
        self.numbers_third.place.next = self.data_place.val();
        self.crc_bytes.word.next = self.memory_crc.val();
        self.class_and_step.next = bit_cast::<32, 16>(self.result_class.val())
            | (bit_cast::<32, 8>(self.result_step.val()) << 16);
        self.decision_first.word.next = self.class_and_step.val();
        if self.result_silent.val() {
            self.decision_first.word.next = self.class_and_step.val() | 0x0100_0000;
        }
        self.decision_second.word.next =
            bit_cast::<32, 16>(self.result_overshoot.val()) | (self.result_cycles.val() << 16);
        self.decision_third.word.next =
            (self.result_cycles.val() >> 16) | (self.result_idle.val() << 16);
        self.decision_fourth.word.next = self.result_idle.val() >> 16;
        self.numbers_first.word.next = self.clocks.val();
        self.numbers_second.word.next = self.busy_clocks.val();
        self.numbers_third.word.next = bit_cast::<32, 16>(self.bad_frames.val())
            | (bit_cast::<32, 16>(self.overruns.val()) << 16);
        self.source.next = self.crc_bytes.data.val();
        if self.form.val() == ReplyForm::Decision {
            if self.place.q.val().get_bit(4) {
                self.source.next = self.decision_fourth.data.val();
            } else if !self.place.q.val().get_bit(3) {
                self.source.next = self.decision_first.data.val();
            } else if !self.place.q.val().get_bit(2) {
                self.source.next = self.decision_second.data.val();
            } else {
                self.source.next = self.decision_third.data.val();
            }
        } else if self.form.val() == ReplyForm::Numbers {
            if !self.place.q.val().get_bit(3) {
                self.source.next = self.numbers_first.data.val();
            } else if !self.place.q.val().get_bit(2) {
                self.source.next = self.numbers_second.data.val();
            } else {
                self.source.next = self.numbers_third.data.val();
            }
        }

        comment!("the constants of INFO, the header, and the check.");
        self.info.place.next = self.place.q.val();
        if (self.form.val() == ReplyForm::Info) & (self.place.q.val() <= self.info_last.val()) {
            self.source.next = self.info.data.val();
        } else if (self.form.val() == ReplyForm::Info)
            & (self.place.q.val() == self.armed_place.val())
        {
            self.source.next = 0.into();
            if self.armed.val() {
                self.source.next = 1.into();
            }
        }
        if self.place.q.val() == 1 {
            self.source.next = self.kind.val();
        } else if self.place.q.val() == 2 {
            self.source.next = self.number.val();
        } else if self.place.q.val() == 3 {
            self.source.next = bit_cast::<8, 4>(self.status.val());
        } else if self.at_check.val() {
            self.source.next = self.check.value.val().get_bits::<8>(8);
            if self.place.q.val().get_bit(0) {
                self.source.next = self.check.value.val().get_bits::<8>(0);
            }
        }
        self.current.d.next = self.source.val();

        self.check.clear.next = self.state.q.val() == State::Idle;
        self.check.strobe.next = false;
        self.check.data.next = self.current.q.val();
        self.tx_strobe.next = false;
        self.tx_data.next = self.current.q.val();
        self.done.next = false;
        self.busy.next = self.state.q.val() != State::Idle;
        match self.state.q.val() {
            State::Idle => {
                self.place.d.next = 1.into();
                self.fetched.d.next = false;
                if self.start.val() {
                    self.state.d.next = State::Check;
                }
            }
            State::Check => {
                self.block.d.next = 1.into();
                self.code.d.next = 1.into();
                if self.fetched.q.val() {
                    self.check.strobe.next = true;
                    self.place.d.next = self.place.q.val() + 1;
                    self.fetched.d.next = false;
                } else if self.at_check.val() {
                    self.place.d.next = 1.into();
                    self.state.d.next = State::Scan;
                } else {
                    self.fetched.d.next = true;
                }
            }
            State::Scan => {
                self.fetched.d.next = !self.fetched.q.val();
                if self.fetched.q.val() {
                    if self.current.q.val() == 0 {
                        self.last_block.d.next = false;
                        self.place.d.next = self.block.q.val();
                        self.state.d.next = State::Code;
                    } else {
                        self.code.d.next = self.code.q.val() + 1;
                        self.place.d.next = self.place.q.val() + 1;
                    }
                } else if self.at_end.val() {
                    self.fetched.d.next = false;
                    self.last_block.d.next = true;
                    self.place.d.next = self.block.q.val();
                    self.state.d.next = State::Code;
                }
            }
            State::Code => {
                self.tx_data.next = bit_cast::<8, 6>(self.code.q.val());
                if self.tx_ready.val() {
                    self.tx_strobe.next = true;
                    self.state.d.next = State::Data;
                }
            }
            State::Data => {
                if self.fetched.q.val() {
                    if self.tx_ready.val() {
                        self.tx_strobe.next = true;
                        self.code.d.next = self.code.q.val() - 1;
                        self.place.d.next = self.place.q.val() + 1;
                        self.fetched.d.next = false;
                    }
                } else if self.code.q.val() != 1 {
                    self.fetched.d.next = true;
                } else if self.last_block.q.val() {
                    self.state.d.next = State::Close;
                } else {
                    comment!("The zero that ended the block is not sent: its code stands for it.");
                    self.place.d.next = self.place.q.val() + 1;
                    self.block.d.next = self.place.q.val() + 1;
                    self.state.d.next = State::Scan;
                }
            }
            State::Close => {
                self.tx_data.next = 0.into();
                if self.tx_ready.val() {
                    self.tx_strobe.next = true;
                    self.done.next = true;
                    self.state.d.next = State::Idle;
                }
            }
        }
    }
}
