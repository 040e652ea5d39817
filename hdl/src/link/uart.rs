//! The wire: 8 data bits, least significant first, no parity, one stop bit.

use crate::comment;
use rust_hdl::prelude::*;

/// The widest clock divisor that the counters hold.
pub const MAX_DIVISOR: u32 = 1 << 10;
/// The narrowest clock divisor with which a bit can still be sampled near its middle.
pub const MIN_DIVISOR: u32 = 4;

/// The bits that a count of `divisor` clocks needs: shows synthesis that the others are never set.
fn timer_mask(divisor: u32) -> Bits<10> {
    u64::from(divisor.next_power_of_two() - 1).into()
}

/// Gives one pulse a bit time: the beat of the transmitter and of the watchdog.
#[derive(LogicBlock)]
pub struct BitClock {
    pub clock: Signal<In, Clock>,
    pub tick: Signal<Out, Bit>,
    timer: DFF<Bits<10>>,
    last: Constant<Bits<10>>,
    timer_mask: Constant<Bits<10>>,
}

impl BitClock {
    /// `divisor` clocks to a bit, from [`MIN_DIVISOR`] to [`MAX_DIVISOR`].
    pub fn new(divisor: u32) -> Self {
        BitClock {
            clock: Default::default(),
            tick: Default::default(),
            timer: Default::default(),
            last: Constant::new(u64::from(divisor - 1).into()),
            timer_mask: Constant::new(timer_mask(divisor)),
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
        self.timer.d.next = (self.timer.q.val() + 1) & self.timer_mask.val();
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
    timer_mask: Constant<Bits<10>>,
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
            timer_mask: Constant::new(timer_mask(divisor)),
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
        self.timer.d.next = (self.timer.q.val() - 1) & self.timer_mask.val();
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

#[cfg(test)]
mod tests {
    use super::*;

    const DIVISORS: [u32; 6] = [4, 5, 7, 8, 20, MAX_DIVISOR];

    /// One clock: the inputs that `uut` was given, then the edge. Outputs are those after it.
    fn clock<B: Block>(uut: &mut B, toggle: impl Fn(&mut B)) {
        for _ in 0..2 {
            toggle(uut);
            assert!(simulate(uut, 10));
        }
    }

    fn receive(divisor: u32, levels: impl Iterator<Item = bool>) -> Vec<(u8, bool)> {
        let mut uut = UartReceiver::new(divisor);
        uut.connect_all();
        let mut found = vec![];
        for level in levels {
            uut.rx.next = level;
            clock(&mut uut, |u| u.clock.next = !u.clock.val());
            if uut.strobe.val() {
                found.push((uut.data.val().to_u8(), uut.broken.val()));
            }
        }
        found
    }

    /// The line's level at each clock, for bytes that follow each other, with bits of `bit` clocks.
    fn line(bytes: &[u8], bit: f64) -> impl Iterator<Item = bool> + '_ {
        let clocks = ((bytes.len() * 10) as f64 * bit) as usize;
        let levels = (0..clocks).map(move |at| {
            let place = (at as f64 / bit) as usize;
            match place % 10 {
                0 => false,
                9 => true,
                data => bytes[place / 10] >> (data - 1) & 1 == 1,
            }
        });
        levels.chain(std::iter::repeat_n(true, 3 * bit as usize))
    }

    #[test]
    fn bytes_arrive() {
        let bytes: Vec<u8> = (0..=255u8).map(|at| at.wrapping_mul(0x9D)).collect();
        for divisor in DIVISORS {
            let bytes = &bytes[..if divisor > 100 { 3 } else { 256 }];
            for drift in [0.98, 1.0, 1.02] {
                let found = receive(divisor, line(bytes, f64::from(divisor) * drift));
                let expected: Vec<_> = bytes.iter().map(|&byte| (byte, false)).collect();
                assert_eq!(found, expected, "divisor {divisor}, drift {drift}");
            }
        }
    }

    #[test]
    fn a_glitch_is_no_byte_and_a_break_is_a_broken_one() {
        for divisor in DIVISORS {
            let idle = || std::iter::repeat_n(true, 12 * divisor as usize);
            let low = |clocks: u32| std::iter::repeat_n(false, clocks as usize);
            let glitch = idle().chain(low(divisor / 2 - 1)).chain(idle());
            assert_eq!(receive(divisor, glitch), []);
            let long = idle().chain(low(divisor * 40)).chain(idle());
            assert_eq!(receive(divisor, long), [(0, true)]);
        }
    }

    /// The transmitter with its beat.
    #[derive(LogicBlock)]
    struct Sender {
        pub clock: Signal<In, Clock>,
        pub strobe: Signal<In, Bit>,
        pub data: Signal<In, Bits<8>>,
        pub ready: Signal<Out, Bit>,
        pub tx: Signal<Out, Bit>,
        bit_clock: BitClock,
        transmitter: UartTransmitter,
    }

    impl Logic for Sender {
        #[hdl_gen]
        fn update(&mut self) {
            clock!(self, clock, bit_clock, transmitter);
            self.transmitter.tick.next = self.bit_clock.tick.val();
            self.transmitter.strobe.next = self.strobe.val();
            self.transmitter.data.next = self.data.val();
            self.ready.next = self.transmitter.ready.val();
            self.tx.next = self.transmitter.tx.val();
        }
    }

    #[test]
    fn bytes_leave_back_to_back() {
        let bytes: Vec<u8> = (0..=255u8).map(|at| at.wrapping_mul(0x6B)).collect();
        for divisor in DIVISORS {
            let bytes = &bytes[..if divisor > 100 { 3 } else { 256 }];
            let mut uut = Sender {
                clock: Default::default(),
                strobe: Default::default(),
                data: Default::default(),
                ready: Default::default(),
                tx: Default::default(),
                bit_clock: BitClock::new(divisor),
                transmitter: Default::default(),
            };
            uut.connect_all();
            assert!(simulate(&mut uut, 10));
            let mut left = bytes.iter();
            let mut levels = vec![];
            for _ in 0..(bytes.len() as u32 * 10 + 2) * divisor {
                levels.push(uut.tx.val());
                let next = match uut.ready.val() {
                    true => left.next(),
                    false => None,
                };
                uut.strobe.next = next.is_some();
                uut.data.next = u64::from(next.copied().unwrap_or(0xA5)).into();
                clock(&mut uut, |u| u.clock.next = !u.clock.val());
            }
            let start = levels
                .iter()
                .position(|&level| !level)
                .expect("a start bit");
            assert!(start as u32 <= divisor + 1);
            let expected: Vec<bool> = line(bytes, divisor.into()).collect();
            let sent = &levels[start..];
            assert!(sent.len() as u32 >= bytes.len() as u32 * 10 * divisor);
            assert_eq!(sent, &expected[..sent.len()], "divisor {divisor}");
        }
    }
}
