//! The link: from the UART's pins to the core and back, as docs/protocol.md has it.
//!
//! ```text
//! uart_rx -> UartReceiver -> FrameReceiver -> slots (RAM) -> Executor <-> core
//!                            CobsDecoder, Crc16                 |
//! uart_tx <- UartTransmitter <- ReplySender <-------------------+
//!                               Crc16, InfoBytes
//! ```

mod cobs;
mod counters;
mod crc16;
mod executor;
mod info;
mod pending;
mod pick;
mod receiver;
mod reply;
mod request;
mod sizes;
mod uart;

use crate::comment;
use crate::ram::SyncRam;
use firmware_model::config::CoreConfig;
use rust_hdl::prelude::*;

use counters::Counters;
use executor::Executor;
use receiver::FrameReceiver;
use reply::ReplySender;
use uart::{BitClock, UartReceiver, UartTransmitter};

pub use uart::{MAX_DIVISOR, MIN_DIVISOR};

/// The bytes of a frame slot.
const SLOT_BYTES: usize = 256;

/// What the link must know of the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkConfig {
    /// The core's sizes, checked.
    pub core: CoreConfig,
    /// INFO's reply from `FSPK` to the CRC-32 of the configuration.
    pub info: Vec<u8>,
    /// Clocks a bit, from [`MIN_DIVISOR`] to [`MAX_DIVISOR`].
    pub divisor: u32,
}

/// The link half of the device. All pulses are one clock long.
///
/// What the core owes the link: `load_error` is right from 4 clocks after the last `load_strobe` on,
/// and `spikes_error` 4 clocks after the last `spikes_strobe`; both hold until the next begin.
/// `verify_crc` is 0 before the first `verify_done` and then stands still until the next
/// `verify_start`. A result's fields stand still from `result_valid` to `result_take`, and in the
/// clock after that `result_valid` is false or speaks of the next result. Results come in the order
/// of `spikes_commit`. `busy` is false when no committed image awaits its result.
#[derive(LogicBlock)]
pub struct Link {
    pub clock: Signal<In, Clock>,
    pub uart_rx: Signal<In, Bit>,
    pub uart_tx: Signal<Out, Bit>,

    /// The 33 bytes of a geometry that the core is large enough for, one pulse each.
    pub geometry_shift: Signal<Out, Bit>,
    pub geometry_byte: Signal<Out, Bits<8>>,

    /// Rows or margins come now, for the place in `load_margins`, `load_address` and `load_select`.
    pub load_begin: Signal<Out, Bit>,
    /// Margins, not weights.
    pub load_margins: Signal<Out, Bit>,
    /// The row, or the slot.
    pub load_address: Signal<Out, Bits<16>>,
    /// The bank, or the first lane.
    pub load_select: Signal<Out, Bits<8>>,
    pub load_strobe: Signal<Out, Bit>,
    pub load_byte: Signal<Out, Bits<8>>,
    /// The core does not have such a place.
    pub load_error: Signal<In, Bit>,

    /// Read the memories back and compute their CRC-32.
    pub verify_start: Signal<Out, Bit>,
    pub verify_done: Signal<In, Bit>,
    pub verify_crc: Signal<In, Bits<32>>,

    /// A new image begins: forget one that was not committed. Only while `spikes_ready`.
    pub spikes_begin: Signal<Out, Bit>,
    pub spikes_strobe: Signal<Out, Bit>,
    pub spikes_byte: Signal<Out, Bits<8>>,
    /// The image is complete: infer.
    pub spikes_commit: Signal<Out, Bit>,
    /// An image can begin.
    pub spikes_ready: Signal<In, Bit>,
    /// A code of this image was wrong.
    pub spikes_error: Signal<In, Bit>,

    pub result_valid: Signal<In, Bit>,
    pub result_class: Signal<In, Bits<16>>,
    pub result_step: Signal<In, Bits<8>>,
    pub result_silent: Signal<In, Bit>,
    pub result_overshoot: Signal<In, Bits<16>>,
    pub result_cycles: Signal<In, Bits<32>>,
    /// The clocks that the core waited for this image.
    pub result_idle: Signal<In, Bits<32>>,
    /// The result has been sent.
    pub result_take: Signal<Out, Bit>,
    /// The core computes: counted for STATUS.
    pub busy: Signal<In, Bit>,

    /// A verified model is loaded.
    pub armed: Signal<Out, Bit>,
    /// A frame is coming in or going out.
    pub activity: Signal<Out, Bit>,

    bit_clock: BitClock,
    uart_receiver: UartReceiver,
    frame_receiver: FrameReceiver,
    slots: SyncRam<8, 11>,
    executor: Executor,
    counters: Counters,
    reply_sender: ReplySender,
    uart_transmitter: UartTransmitter,
    /// The byte that the executor reads, a clock later: block RAM is late within its own.
    stream_byte: DFF<Bits<8>>,
    /// What begins long paths in the core, a clock later: there they have the whole cycle.
    strobes_load: DFF<Bit>,
    commits: DFF<Bit>,
}

impl Link {
    pub fn new(config: LinkConfig) -> Self {
        let slot_bytes = SLOT_BYTES * usize::from(config.core.frame_slots);
        Link {
            clock: Default::default(),
            uart_rx: Default::default(),
            uart_tx: Default::default(),
            geometry_shift: Default::default(),
            geometry_byte: Default::default(),
            load_begin: Default::default(),
            load_margins: Default::default(),
            load_address: Default::default(),
            load_select: Default::default(),
            load_strobe: Default::default(),
            load_byte: Default::default(),
            load_error: Default::default(),
            verify_start: Default::default(),
            verify_done: Default::default(),
            verify_crc: Default::default(),
            spikes_begin: Default::default(),
            spikes_strobe: Default::default(),
            spikes_byte: Default::default(),
            spikes_commit: Default::default(),
            spikes_ready: Default::default(),
            spikes_error: Default::default(),
            result_valid: Default::default(),
            result_class: Default::default(),
            result_step: Default::default(),
            result_silent: Default::default(),
            result_overshoot: Default::default(),
            result_cycles: Default::default(),
            result_idle: Default::default(),
            result_take: Default::default(),
            busy: Default::default(),
            armed: Default::default(),
            activity: Default::default(),
            bit_clock: BitClock::new(config.divisor),
            uart_receiver: UartReceiver::new(config.divisor),
            frame_receiver: FrameReceiver::new(config.core.frame_slots),
            slots: SyncRam::new(slot_bytes, 8).without_collisions(),
            executor: Executor::new(&config.core),
            counters: Default::default(),
            reply_sender: ReplySender::new(config.info),
            uart_transmitter: Default::default(),
            stream_byte: Default::default(),
            strobes_load: Default::default(),
            commits: Default::default(),
        }
    }
}

impl Logic for Link {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module link");
        comment!("From the UART's pins to the core and back.");
        clock!(
            self,
            clock,
            bit_clock,
            uart_receiver,
            frame_receiver,
            slots,
            executor,
            counters,
            reply_sender,
            uart_transmitter
        );
        dff_setup!(self, clock, stream_byte, strobes_load, commits);

        comment!("Bytes from the wire become frames in the slots.");
        self.uart_receiver.rx.next = self.uart_rx.val();
        self.frame_receiver.tick.next = self.bit_clock.tick.val();
        self.frame_receiver.strobe.next = self.uart_receiver.strobe.val();
        self.frame_receiver.data.next = self.uart_receiver.data.val();
        self.frame_receiver.broken.next = self.uart_receiver.broken.val();
        self.frame_receiver.frame_release.next = self.executor.frame_release.val();
        self.frame_receiver.nak_take.next = self.executor.nak_take.val();
        self.slots.write_enable.next = self.frame_receiver.write_enable.val();
        self.slots.write_address.next = self.frame_receiver.write_address.val();
        self.slots.write_data.next = self.frame_receiver.write_data.val();
        self.slots.read_address.next = (bit_cast::<11, 3>(self.frame_receiver.frame_slot.val())
            << 8)
            | bit_cast::<11, 8>(self.executor.read_address.val());

        comment!("The oldest frame is executed.");
        self.executor.frame_ready.next = self.frame_receiver.frame_ready.val();
        self.executor.read_data.next = self.stream_byte.q.val();
        self.executor.nak_pending.next = self.frame_receiver.nak_pending.val();
        self.executor.nak_status.next = self.frame_receiver.nak_status.val();
        self.executor.reply_done.next = self.reply_sender.done.val();
        self.executor.load_error.next = self.load_error.val();
        self.executor.verify_done.next = self.verify_done.val();
        self.executor.verify_crc.next = self.verify_crc.val();
        self.executor.spikes_ready.next = self.spikes_ready.val();
        self.executor.spikes_error.next = self.spikes_error.val();
        self.executor.result_valid.next = self.result_valid.val();
        self.stream_byte.d.next = self.slots.read_data.val();
        self.geometry_shift.next = self.executor.geometry_shift.val();
        self.geometry_byte.next = self.stream_byte.q.val();
        self.load_begin.next = self.executor.load_begin.val();
        self.load_margins.next = self.executor.load_margins.val();
        self.load_address.next = self.executor.load_address.val();
        self.load_select.next = self.executor.load_select.val();
        self.strobes_load.d.next = self.executor.load_strobe.val();
        self.load_strobe.next = self.strobes_load.q.val();
        self.load_byte.next = self.stream_byte.q.val();
        self.verify_start.next = self.executor.verify_start.val();
        self.spikes_begin.next = self.executor.spikes_begin.val();
        self.spikes_strobe.next = self.executor.spikes_strobe.val();
        self.spikes_byte.next = self.stream_byte.q.val();
        self.commits.d.next = self.executor.spikes_commit.val();
        self.spikes_commit.next = self.commits.q.val();
        self.result_take.next = self.executor.result_take.val();
        self.counters.busy.next = self.busy.val();
        self.counters.bad_frame.next = self.executor.count_bad_frame.val();
        self.counters.overrun.next = self.executor.count_overrun.val();
        self.counters.snapshot.next = self.executor.snapshot.val();

        comment!("Replies become bytes on the wire.");
        self.reply_sender.start.next = self.executor.reply_start.val();
        self.reply_sender.kind.next = self.executor.reply_kind.val();
        self.reply_sender.number.next = self.executor.reply_number.val();
        self.reply_sender.status.next = self.executor.reply_status.val();
        self.reply_sender.form.next = self.executor.reply_form.val();
        self.reply_sender.armed.next = self.executor.armed.val();
        self.reply_sender.memory_crc.next = self.verify_crc.val();
        self.reply_sender.result_class.next = self.result_class.val();
        self.reply_sender.result_step.next = self.result_step.val();
        self.reply_sender.result_silent.next = self.result_silent.val();
        self.reply_sender.result_overshoot.next = self.result_overshoot.val();
        self.reply_sender.result_cycles.next = self.result_cycles.val();
        self.reply_sender.result_idle.next = self.result_idle.val();
        self.reply_sender.clocks.next = self.counters.clocks.val();
        self.reply_sender.busy_clocks.next = self.counters.busy_clocks.val();
        self.reply_sender.bad_frames.next = self.counters.bad_frames.val();
        self.reply_sender.overruns.next = self.counters.overruns.val();
        self.reply_sender.tx_ready.next = self.uart_transmitter.ready.val();
        self.uart_transmitter.tick.next = self.bit_clock.tick.val();
        self.uart_transmitter.strobe.next = self.reply_sender.tx_strobe.val();
        self.uart_transmitter.data.next = self.reply_sender.tx_data.val();
        self.uart_tx.next = self.uart_transmitter.tx.val();
        self.armed.next = self.executor.armed.val();
        self.activity.next = self.frame_receiver.receiving.val() | self.reply_sender.busy.val();
    }
}
