//! Reads every memory back and computes its CRC-32.

use crate::comment;
use rust_hdl::prelude::*;

#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
enum State {
    Idle,
    Geometry,
    /// Long enough for the memory and for the choice of the byte.
    RowAddress,
    RowBytes,
    /// Long enough for the memory and for the choice of the lane.
    LaneAddress,
    LaneLow,
    LaneHigh,
    Done,
}

/// Walks over geometry, weights and margins in the order of `MemoryImage::checksum`.
#[derive(LogicBlock)]
pub struct Verifier {
    pub clock: Signal<In, Clock>,
    pub start: Signal<In, Bit>,
    /// A pulse when `crc` is that of the memories. It is 0 before the first time.
    pub done: Signal<Out, Bit>,
    pub crc: Signal<Out, Bits<32>>,
    /// The memories' addresses come from here.
    pub active: Signal<Out, Bit>,
    pub geometry_turn: Signal<Out, Bit>,
    pub geometry_byte: Signal<In, Bits<8>>,
    pub rows_used: Signal<In, Bits<16>>,
    pub slots_used: Signal<In, Bits<8>>,
    pub bank: Signal<Out, Bits<8>>,
    /// The row or the slot.
    pub address: Signal<Out, Bits<16>>,
    /// Which byte of the row is wanted in the next cycle.
    pub byte_select: Signal<Out, Bits<6>>,
    pub row_byte: Signal<In, Bits<8>>,
    pub lane: Signal<Out, Bits<10>>,
    pub margin: Signal<In, Bits<16>>,
    state: DFF<State>,
    count: DFF<Bits<8>>,
    unit: DFF<Bits<10>>,
    at: DFF<Bits<16>>,
    register: DFFWithInit<Bits<32>>,
    /// The bit of the byte that is taken; each state lasts for all eight.
    bit: DFF<Bits<3>>,
    last_bit: Signal<Local, Bit>,
    take_byte: Signal<Local, Bit>,
    byte: Signal<Local, Bits<8>>,
    next_byte: Signal<Local, Bits<8>>,
    changes: Signal<Local, Bit>,
    polynomial: Constant<Bits<32>>,
    all_ones: Constant<Bits<32>>,
    last_row_byte: Constant<Bits<8>>,
    last_bank: Constant<Bits<10>>,
    last_lane: Constant<Bits<10>>,
}

impl Verifier {
    pub fn new(lanes: usize, banks: usize) -> Self {
        Verifier {
            clock: Default::default(),
            start: Default::default(),
            done: Default::default(),
            crc: Default::default(),
            active: Default::default(),
            geometry_turn: Default::default(),
            geometry_byte: Default::default(),
            rows_used: Default::default(),
            slots_used: Default::default(),
            bank: Default::default(),
            address: Default::default(),
            byte_select: Default::default(),
            row_byte: Default::default(),
            lane: Default::default(),
            margin: Default::default(),
            state: Default::default(),
            count: Default::default(),
            unit: Default::default(),
            at: Default::default(),
            register: DFFWithInit::new(0xFFFF_FFFF.into()),
            bit: Default::default(),
            last_bit: Default::default(),
            take_byte: Default::default(),
            byte: Default::default(),
            next_byte: Default::default(),
            changes: Default::default(),
            polynomial: Constant::new(0xEDB8_8320.into()),
            all_ones: Constant::new(0xFFFF_FFFF.into()),
            last_row_byte: Constant::new((lanes as u64 / 8 - 1).into()),
            last_bank: Constant::new((banks as u64 - 1).into()),
            last_lane: Constant::new((lanes as u64 - 1).into()),
        }
    }
}

impl Logic for Verifier {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module verifier");
        comment!(
            "Reads geometry, weights and margins back, and computes their CRC-32, a bit a clock cycle."
        );
        dff_setup!(self, clock, state, count, unit, at, register, bit);
        self.done.next = false;
        self.active.next = true;
        self.geometry_turn.next = false;
        self.next_byte.next = self.count.q.val();
        self.take_byte.next = false;
        self.byte.next = self.row_byte.val();
        self.bit.d.next = self.bit.q.val() + 1;
        self.last_bit.next = self.bit.q.val().all();

        match self.state.q.val() {
            State::Idle => {
                self.active.next = false;
                self.bit.d.next = 0.into();
                self.count.d.next = 0.into();
                self.unit.d.next = 0.into();
                self.at.d.next = 0.into();
                if self.start.val() {
                    self.register.d.next = self.all_ones.val();
                    self.state.d.next = State::Geometry;
                }
            }
            State::Geometry => {
                self.take_byte.next = true;
                self.byte.next = self.geometry_byte.val();
                self.geometry_turn.next = self.last_bit.val();
                if self.last_bit.val() {
                    self.count.d.next = self.count.q.val() + 1;
                    if self.count.q.val() == 32 {
                        self.count.d.next = 0.into();
                        self.state.d.next = State::RowAddress;
                    }
                }
            }
            State::RowAddress => {
                if self.last_bit.val() {
                    self.state.d.next = State::RowBytes;
                }
            }
            State::RowBytes => {
                self.take_byte.next = true;
                if self.last_bit.val() {
                    self.next_byte.next = self.count.q.val() + 1;
                    self.count.d.next = self.count.q.val() + 1;
                    if self.count.q.val() == self.last_row_byte.val() {
                        self.count.d.next = 0.into();
                        self.at.d.next = self.at.q.val() + 1;
                        self.state.d.next = State::RowAddress;
                        if self.at.q.val() + 1 == self.rows_used.val() {
                            self.at.d.next = 0.into();
                            self.unit.d.next = self.unit.q.val() + 1;
                            if self.unit.q.val() == self.last_bank.val() {
                                self.unit.d.next = 0.into();
                                self.state.d.next = State::LaneAddress;
                            }
                        }
                    }
                }
            }
            State::LaneAddress => {
                if self.last_bit.val() {
                    self.state.d.next = State::LaneLow;
                }
            }
            State::LaneLow => {
                self.take_byte.next = true;
                self.byte.next = self.margin.val().get_bits::<8>(0);
                if self.last_bit.val() {
                    self.state.d.next = State::LaneHigh;
                }
            }
            State::LaneHigh => {
                self.take_byte.next = true;
                self.byte.next = self.margin.val().get_bits::<8>(8);
                if self.last_bit.val() {
                    self.unit.d.next = self.unit.q.val() + 1;
                    self.state.d.next = State::LaneAddress;
                    if self.unit.q.val() == self.last_lane.val() {
                        self.unit.d.next = 0.into();
                        self.at.d.next = self.at.q.val() + 1;
                        if bit_cast::<8, 16>(self.at.q.val()) + 1 == self.slots_used.val() {
                            self.state.d.next = State::Done;
                        }
                    }
                }
            }
            State::Done => {
                self.done.next = true;
                self.state.d.next = State::Idle;
            }
        }

        self.changes.next =
            self.register.q.val().get_bit(0) ^ (self.byte.val() >> self.bit.q.val()).get_bit(0);
        if self.take_byte.val() {
            self.register.d.next = self.register.q.val() >> 1;
            if self.changes.val() {
                self.register.d.next = (self.register.q.val() >> 1) ^ self.polynomial.val();
            }
        }
        self.crc.next = !self.register.q.val();
        self.byte_select.next = self.next_byte.val().get_bits::<6>(0);
        self.bank.next = self.unit.q.val().get_bits::<8>(0);
        self.lane.next = self.unit.q.val();
        self.address.next = self.at.q.val();
    }
}
