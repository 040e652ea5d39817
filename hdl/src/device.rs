//! The device: a link and a core.

use crate::comment;
use crate::core::Core;
use crate::link::{Link, LinkConfig};
use firmware_model::board::Board;
use firmware_model::config::CoreConfig;
use rust_hdl::prelude::*;

/// Everything between a board's pins, in one clock domain. The sizes are those of [`Core`].
#[derive(LogicBlock)]
pub struct Device<
    const P: usize,
    const S: usize,
    const G: usize,
    const Q: usize,
    const A: usize,
    const C: usize,
> {
    pub clock: Signal<In, Clock>,
    pub uart_rx: Signal<In, Bit>,
    pub uart_tx: Signal<Out, Bit>,
    /// A verified model is loaded.
    pub armed: Signal<Out, Bit>,
    /// An inference is being computed.
    pub busy: Signal<Out, Bit>,
    link: Link,
    core: Core<P, S, G, Q, A, C>,
}

impl<
        const P: usize,
        const S: usize,
        const G: usize,
        const Q: usize,
        const A: usize,
        const C: usize,
    > Device<P, S, G, Q, A, C>
{
    pub fn new(board: &Board, config: &CoreConfig, link: LinkConfig) -> Self {
        Device {
            clock: Default::default(),
            uart_rx: Default::default(),
            uart_tx: Default::default(),
            armed: Default::default(),
            busy: Default::default(),
            link: Link::new(link),
            core: Core::new(config, board.memories.weights, board.family),
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
    > Logic for Device<P, S, G, Q, A, C>
{
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module device");
        comment!("A link and a core.");
        clock!(self, clock, link, core);
        self.link.uart_rx.next = self.uart_rx.val();
        self.uart_tx.next = self.link.uart_tx.val();
        self.armed.next = self.link.armed.val();
        self.busy.next = self.core.busy.val();

        self.core.geometry_shift.next = self.link.geometry_shift.val();
        self.core.geometry_byte.next = self.link.geometry_byte.val();

        self.core.load_begin.next = self.link.load_begin.val();
        self.core.load_margins.next = self.link.load_margins.val();
        self.core.load_address.next = self.link.load_address.val();
        self.core.load_select.next = self.link.load_select.val();
        self.core.load_strobe.next = self.link.load_strobe.val();
        self.core.load_byte.next = self.link.load_byte.val();
        self.link.load_error.next = self.core.load_error.val();

        self.core.verify_start.next = self.link.verify_start.val();
        self.link.verify_done.next = self.core.verify_done.val();
        self.link.verify_crc.next = self.core.verify_crc.val();

        self.core.spikes_begin.next = self.link.spikes_begin.val();
        self.core.spikes_strobe.next = self.link.spikes_strobe.val();
        self.core.spikes_byte.next = self.link.spikes_byte.val();
        self.core.spikes_commit.next = self.link.spikes_commit.val();
        self.link.spikes_ready.next = self.core.spikes_ready.val();
        self.link.spikes_error.next = self.core.spikes_error.val();

        self.link.result_valid.next = self.core.result_valid.val();
        self.link.result_class.next = self.core.result_class.val();
        self.link.result_step.next = self.core.result_step.val();
        self.link.result_silent.next = self.core.result_silent.val();
        self.link.result_overshoot.next = self.core.result_overshoot.val();
        self.link.result_cycles.next = self.core.result_cycles.val();
        self.link.result_idle.next = self.core.result_idle.val();
        self.core.result_take.next = self.link.result_take.val();
        self.link.busy.next = self.core.busy.val();
    }
}
