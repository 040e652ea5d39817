//! A board's top level: a device behind the ports that the board's data file names.
//!
//! Until the PLL has locked the receiver sees an idle line. That is all the reset that the device needs: its registers
//! start with the bitstream's values, and on an idle line none changes that holds a state. What counts on all the time (the
//! beats of bits and adders, the clocks since power-up) goes on from any value. So whatever the clock does before the lock,
//! the device is as it was configured when the first byte comes.

use crate::device::Device;
use crate::pll::ClockSource;
use firmware_model::board::{Board, LedShows};
use rust_hdl::core::ast::{
    Verilog, VerilogExpression, VerilogOp, VerilogOpUnary, VerilogStatement,
};
use rust_hdl::core::block::Block;
use rust_hdl::core::probe::Probe;
use rust_hdl::prelude::*;

/// The ports have the names of the board's data file, which only [`Block`] written by hand can give.
pub struct Top<
    const P: usize,
    const S: usize,
    const G: usize,
    const Q: usize,
    const A: usize,
    const C: usize,
> {
    board: Board,
    clock: Signal<In, Clock>,
    uart_rx: Signal<In, Bit>,
    uart_tx: Signal<Out, Bit>,
    leds: Vec<Signal<Out, Bit>>,
    constants: Vec<Signal<Out, Bit>>,
    clock_source: ClockSource,
    device: Device<P, S, G, Q, A, C>,
}

impl<
        const P: usize,
        const S: usize,
        const G: usize,
        const Q: usize,
        const A: usize,
        const C: usize,
    > Top<P, S, G, Q, A, C>
{
    pub fn new(board: &Board, device: Device<P, S, G, Q, A, C>) -> Self {
        Top {
            board: board.clone(),
            clock: Default::default(),
            uart_rx: Default::default(),
            uart_tx: Default::default(),
            leds: board.leds.iter().map(|_| Default::default()).collect(),
            constants: (board.constant_outputs.iter())
                .map(|_| Default::default())
                .collect(),
            clock_source: ClockSource::new(&board.clock),
            device,
        }
    }
}

impl<
        const P: usize,
        const S: usize,
        const G: usize,
        const Q: usize,
        const A: usize,
        const C: usize,
    > Logic for Top<P, S, G, Q, A, C>
{
    fn update(&mut self) {
        self.clock_source.oscillator.next = self.clock.val();
        self.device.clock.next = self.clock_source.clock.val();
        self.device.uart_rx.next = self.uart_rx.val() | !self.clock_source.locked.val();
        self.uart_tx.next = self.device.uart_tx.val();
        for (port, led) in self.leds.iter_mut().zip(&self.board.leds) {
            let lit = match led.shows {
                LedShows::Armed => self.device.armed.val(),
                LedShows::Busy => self.device.busy.val(),
            };
            port.next = lit != led.active_low;
        }
        for (port, constant) in self.constants.iter_mut().zip(&self.board.constant_outputs) {
            port.next = constant.level;
        }
    }

    fn connect(&mut self) {
        self.clock_source.oscillator.connect();
        self.device.clock.connect();
        self.device.uart_rx.connect();
        self.uart_tx.connect();
        self.leds.iter_mut().for_each(Signal::connect);
        self.constants.iter_mut().for_each(Signal::connect);
    }

    fn hdl(&self) -> Verilog {
        let signal = |name: &str| VerilogExpression::Signal(name.into());
        let assign = |to: &str, from| VerilogStatement::Assignment(signal(to), from);
        let mut code = vec![
            assign("clock_source$oscillator", signal(&self.board.clock.signal)),
            assign("device$clock", signal("clock_source$clock")),
            assign(
                "device$uart_rx",
                VerilogExpression::Binary(
                    Box::new(signal(&self.board.uart.rx)),
                    VerilogOp::BitOr,
                    Box::new(VerilogExpression::Unary(
                        VerilogOpUnary::Not,
                        Box::new(signal("clock_source$locked")),
                    )),
                ),
            ),
            assign(&self.board.uart.tx, signal("device$uart_tx")),
        ];
        for led in &self.board.leds {
            let lit = signal(match led.shows {
                LedShows::Armed => "device$armed",
                LedShows::Busy => "device$busy",
            });
            let level = if led.active_low {
                VerilogExpression::Unary(VerilogOpUnary::Not, Box::new(lit))
            } else {
                lit
            };
            code.push(assign(&led.signal, level));
        }
        for constant in &self.board.constant_outputs {
            let level = VerilogExpression::Literal(constant.level.into());
            code.push(assign(&constant.signal, level));
        }
        Verilog::Combinatorial(code)
    }
}

impl<
        const P: usize,
        const S: usize,
        const G: usize,
        const Q: usize,
        const A: usize,
        const C: usize,
    > Block for Top<P, S, G, Q, A, C>
{
    fn connect_all(&mut self) {
        self.connect();
        self.clock_source.connect_all();
        self.device.connect_all();
    }

    fn update_all(&mut self) {
        self.update();
        self.clock.update_all();
        self.uart_rx.update_all();
        self.uart_tx.update_all();
        self.leds.update_all();
        self.constants.update_all();
        self.clock_source.update_all();
        self.device.update_all();
    }

    fn has_changed(&self) -> bool {
        self.clock.has_changed()
            || self.uart_rx.has_changed()
            || self.uart_tx.has_changed()
            || self.leds.has_changed()
            || self.constants.has_changed()
            || self.clock_source.has_changed()
            || self.device.has_changed()
    }

    fn accept(&self, name: &str, probe: &mut dyn Probe) {
        probe.visit_start_scope(name, self);
        self.clock.accept(&self.board.clock.signal, probe);
        self.uart_rx.accept(&self.board.uart.rx, probe);
        self.uart_tx.accept(&self.board.uart.tx, probe);
        for (port, led) in self.leds.iter().zip(&self.board.leds) {
            port.accept(&led.signal, probe);
        }
        for (port, constant) in self.constants.iter().zip(&self.board.constant_outputs) {
            port.accept(&constant.signal, probe);
        }
        self.clock_source.accept("clock_source", probe);
        self.device.accept("device", probe);
        probe.visit_end_scope(name, self);
    }
}
