//! The wire: 8 data bits, least significant first, no parity, one stop bit.

use crate::comment;
use rust_hdl::prelude::*;

/// The widest clock divisor that the counters hold.
pub const MAX_DIVISOR: u32 = 1 << 10;
/// The narrowest clock divisor with which a bit can still be sampled near its middle.
pub const MIN_DIVISOR: u32 = 4;

/// Gives one pulse a bit time: the beat of the transmitter and of the watchdog.
#[derive(LogicBlock)]
pub struct BitClock {
    pub clock: Signal<In, Clock>,
    pub tick: Signal<Out, Bit>,
    timer: DFF<Bits<10>>,
    last: Constant<Bits<10>>,
}

impl BitClock {
    /// `divisor` clocks to a bit, from [`MIN_DIVISOR`] to [`MAX_DIVISOR`].
    pub fn new(divisor: u32) -> Self {
        BitClock {
            clock: Default::default(),
            tick: Default::default(),
            timer: Default::default(),
            last: Constant::new(u64::from(divisor - 1).into()),
        }
    }
}

impl Logic for BitClock {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module bit_clock");
        comment!("One pulse a bit time.");
        dff_setup!(self, clock, timer);
        self.tick.next = self.timer.q.val() == self.last.val();
        self.timer.d.next = self.timer.q.val() + 1;
        if self.timer.q.val() == self.last.val() {
            self.timer.d.next = 0.into();
        }
    }
}

/// Receives bytes: finds the start bit's falling edge, then samples each bit in its middle.
///
/// A start bit that is over before its middle is a glitch and is forgotten. A byte without a stop
/// bit is still handed on, marked with `broken`.
#[derive(LogicBlock)]
pub struct UartReceiver {
    pub clock: Signal<In, Clock>,
    pub rx: Signal<In, Bit>,
    /// One pulse a byte, in the middle of the stop bit.
    pub strobe: Signal<Out, Bit>,
    /// Valid with `strobe` and for at least one bit time after.
    pub data: Signal<Out, Bits<8>>,
    /// Valid with `strobe`: there was no stop bit.
    pub broken: Signal<Out, Bit>,
    // Two flip-flops against metastability, a third to see edges. They keep the line inverted, so
    // that they start as an idle line.
    first_stage: DFF<Bit>,
    second_stage: DFF<Bit>,
    before: DFF<Bit>,
    timer: DFF<Bits<10>>,
    /// Bits still to sample: start bit, eight data bits, stop bit; 0 when idle.
    bits_left: DFF<Bits<4>>,
    shift: DFF<Bits<8>>,
    taken: DFF<Bit>,
    no_stop: DFF<Bit>,
    half: Constant<Bits<10>>,
    whole: Constant<Bits<10>>,
    top: Constant<Bits<8>>,
}

impl UartReceiver {
    /// `divisor` clocks to a bit, from [`MIN_DIVISOR`] to [`MAX_DIVISOR`].
    pub fn new(divisor: u32) -> Self {
        UartReceiver {
            clock: Default::default(),
            rx: Default::default(),
            strobe: Default::default(),
            data: Default::default(),
            broken: Default::default(),
            first_stage: Default::default(),
            second_stage: Default::default(),
            before: Default::default(),
            timer: Default::default(),
            bits_left: Default::default(),
            shift: Default::default(),
            taken: Default::default(),
            no_stop: Default::default(),
            half: Constant::new(u64::from(divisor / 2 - 1).into()),
            whole: Constant::new(u64::from(divisor - 1).into()),
            top: Constant::new(0x80.into()),
        }
    }
}

impl Logic for UartReceiver {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module uart_receiver");
        comment!("Bytes from the wire: waits for a falling edge, samples each bit in its middle.");
        dff_setup!(
            self,
            clock,
            first_stage,
            second_stage,
            before,
            timer,
            bits_left,
            shift,
            taken,
            no_stop
        );
        self.first_stage.d.next = !self.rx.val();
        self.second_stage.d.next = self.first_stage.q.val();
        self.before.d.next = self.second_stage.q.val();

        self.taken.d.next = false;
        self.timer.d.next = self.timer.q.val() - 1;
        if self.bits_left.q.val() == 0 {
            self.timer.d.next = self.half.val();
            if self.second_stage.q.val() & !self.before.q.val() {
                self.bits_left.d.next = 10.into();
            }
        } else if self.timer.q.val() == 0 {
            self.timer.d.next = self.whole.val();
            self.bits_left.d.next = self.bits_left.q.val() - 1;
            if self.bits_left.q.val() == 10 {
                comment!("A start bit that is over before its middle was a glitch.");
                if !self.second_stage.q.val() {
                    self.bits_left.d.next = 0.into();
                }
            } else if self.bits_left.q.val() == 1 {
                self.taken.d.next = true;
                self.no_stop.d.next = self.second_stage.q.val();
            } else {
                self.shift.d.next = self.shift.q.val() >> 1;
                if !self.second_stage.q.val() {
                    self.shift.d.next = (self.shift.q.val() >> 1) | self.top.val();
                }
            }
        }

        self.strobe.next = self.taken.q.val();
        self.data.next = self.shift.q.val();
        self.broken.next = self.no_stop.q.val();
    }
}

/// Sends bytes, back to back when they come fast enough.
#[derive(LogicBlock, Default)]
pub struct UartTransmitter {
    pub clock: Signal<In, Clock>,
    /// One pulse a bit time.
    pub tick: Signal<In, Bit>,
    pub tx: Signal<Out, Bit>,
    /// A byte can be taken.
    pub ready: Signal<Out, Bit>,
    /// Take `data`; only while `ready`.
    pub strobe: Signal<In, Bit>,
    pub data: Signal<In, Bits<8>>,
    // Everything is kept inverted, so that the line starts high.
    shift: DFF<Bits<9>>,
    bits_left: DFF<Bits<4>>,
    line: DFF<Bit>,
}

impl Logic for UartTransmitter {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module uart_transmitter");
        comment!("Bytes to the wire: the start bit at the next tick, then a bit a tick.");
        dff_setup!(self, clock, shift, bits_left, line);
        self.ready.next = self.bits_left.q.val() == 0;
        if self.tick.val() & (self.bits_left.q.val() != 0) {
            self.line.d.next = self.shift.q.val().get_bit(0);
            self.shift.d.next = self.shift.q.val() >> 1;
            self.bits_left.d.next = self.bits_left.q.val() - 1;
        }
        if self.strobe.val() {
            comment!("The line is inverted on its way out: a 1 for the start bit, zeros for stop and idle.");
            self.shift.d.next = (bit_cast::<9, 8>(!self.data.val()) << 1) | 1;
            self.bits_left.d.next = 10.into();
        }
        self.tx.next = !self.line.q.val();
    }
}
