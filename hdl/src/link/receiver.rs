//! Frames from the wire into slots: decoding, check, commit or rollback, watchdog, NAKs.

use super::cobs::CobsDecoder;
use super::crc16::Crc16;
use crate::comment;
use firmware_model::protocol::status;
use rust_hdl::prelude::*;

/// Receives frames into a ring of slots of 256 bytes.
///
/// A frame is written to the free slot at the head of the ring while it comes in, from address 1 on
/// (the last byte of a longest frame, part of its check, wraps to 0). When it ends and is right,
/// address 0 gets the address of its check, where the payload ends, and the head moves on: that is
/// the commit. A frame that is not right leaves the head where it is, and a NAK to be sent.
#[derive(LogicBlock)]
pub struct FrameReceiver {
    pub clock: Signal<In, Clock>,
    /// One pulse a bit time.
    pub tick: Signal<In, Bit>,
    /// A byte from the wire.
    pub strobe: Signal<In, Bit>,
    pub data: Signal<In, Bits<8>>,
    /// With `strobe`: the byte had no stop bit.
    pub broken: Signal<In, Bit>,
    pub write_enable: Signal<Out, Bit>,
    /// Slot and address in it.
    pub write_address: Signal<Out, Bits<11>>,
    pub write_data: Signal<Out, Bits<8>>,
    /// `frame_slot` holds a frame.
    pub frame_ready: Signal<Out, Bit>,
    /// The slot of the oldest frame.
    pub frame_slot: Signal<Out, Bits<3>>,
    /// The oldest frame is done with.
    pub frame_release: Signal<In, Bit>,
    /// A NAK is to be sent, with this status.
    pub nak_pending: Signal<Out, Bit>,
    pub nak_status: Signal<Out, Bits<4>>,
    pub nak_take: Signal<In, Bit>,
    /// A frame is coming in.
    pub receiving: Signal<Out, Bit>,
    decoder: CobsDecoder,
    check: Crc16,
    /// Where the next byte goes; 257 after 256 bytes.
    position: DFF<Bits<9>>,
    spoilt: DFF<Bit>,
    no_slot: DFF<Bit>,
    head: DFF<Bits<3>>,
    tail: DFF<Bits<3>>,
    used: DFF<Bits<4>>,
    /// Bit times since the last byte.
    silence: DFF<Bits<16>>,
    nak: DFF<Bits<4>>,
    address: Signal<Local, Bits<8>>,
    too_short: Signal<Local, Bit>,
    too_long: Signal<Local, Bit>,
    full: Signal<Local, Bit>,
    commit: Signal<Local, Bit>,
    /// The status of the NAK for a frame that was lost now; 0 for none.
    fault: Signal<Local, Bits<4>>,
    timeout: Signal<Local, Bit>,
    slots: Constant<Bits<4>>,
    /// The bits that a slot's number needs, and those that a number of slots needs: shows synthesis
    /// that the others are never set.
    slot_mask: Constant<Bits<3>>,
    count_mask: Constant<Bits<4>>,
    status_bad_frame: Constant<Bits<4>>,
    status_overrun: Constant<Bits<4>>,
    status_timeout: Constant<Bits<4>>,
}

impl FrameReceiver {
    /// A receiver for `frame_slots` slots: 2, 4 or 8.
    pub fn new(frame_slots: u8) -> Self {
        FrameReceiver {
            clock: Default::default(),
            tick: Default::default(),
            strobe: Default::default(),
            data: Default::default(),
            broken: Default::default(),
            write_enable: Default::default(),
            write_address: Default::default(),
            write_data: Default::default(),
            frame_ready: Default::default(),
            frame_slot: Default::default(),
            frame_release: Default::default(),
            nak_pending: Default::default(),
            nak_status: Default::default(),
            nak_take: Default::default(),
            receiving: Default::default(),
            decoder: Default::default(),
            check: Default::default(),
            position: Default::default(),
            spoilt: Default::default(),
            no_slot: Default::default(),
            head: Default::default(),
            tail: Default::default(),
            used: Default::default(),
            silence: Default::default(),
            nak: Default::default(),
            address: Default::default(),
            too_short: Default::default(),
            too_long: Default::default(),
            full: Default::default(),
            commit: Default::default(),
            fault: Default::default(),
            timeout: Default::default(),
            slots: Constant::new(u64::from(frame_slots).into()),
            slot_mask: Constant::new(u64::from(frame_slots - 1).into()),
            count_mask: Constant::new(u64::from(2 * frame_slots - 1).into()),
            status_bad_frame: Constant::new(u64::from(status::BAD_FRAME).into()),
            status_overrun: Constant::new(u64::from(status::OVERRUN).into()),
            status_timeout: Constant::new(u64::from(status::TIMEOUT).into()),
        }
    }
}

impl Logic for FrameReceiver {
    #[hdl_gen]
    fn update(&mut self) {
        comment!("module frame_receiver");
        comment!(
            "Frames from the wire into a ring of slots: a frame that is right is committed, any"
        );
        comment!("other leaves nothing but a NAK to be sent.");
        dff_setup!(self, clock, position, spoilt, no_slot, head, tail, used, silence, nak);
        clock!(self, clock, decoder, check);

        comment!("The watchdog: so many bit times without a byte, and a frame that has begun is dropped.");
        self.timeout.next = self.decoder.receiving.val()
            & self.tick.val()
            & !self.strobe.val()
            & (self.silence.q.val() == 0xFFFF);
        if self.strobe.val() | !self.decoder.receiving.val() {
            self.silence.d.next = 0.into();
        } else if self.tick.val() {
            self.silence.d.next = self.silence.q.val() + 1;
        }

        self.decoder.strobe.next = self.strobe.val();
        self.decoder.data.next = self.data.val();
        self.decoder.restart.next = self.timeout.val();
        self.check.clear.next = !self.decoder.receiving.val();
        self.check.strobe.next = self.decoder.plain_strobe.val();
        self.check.data.next = self.decoder.plain.val();

        comment!("The frame's bytes go to the slot at the head, from address 1 on.");
        self.too_short.next = self.position.q.val() < 5;
        self.too_long.next = self.position.q.val() == 257;
        self.full.next = self.used.q.val() == self.slots.val();
        if self.decoder.begins.val() {
            self.no_slot.d.next = self.full.val();
        }
        if self.strobe.val() & self.broken.val() {
            self.spoilt.d.next = true;
        }
        if self.decoder.plain_strobe.val() {
            if self.too_long.val() {
                self.spoilt.d.next = true;
            } else {
                self.position.d.next = self.position.q.val() + 1;
            }
        }
        if !self.decoder.receiving.val() {
            self.position.d.next = 1.into();
            self.spoilt.d.next = self.decoder.begins.val() & self.broken.val();
        }

        comment!("The end of a frame: commit it, or say what was wrong. A NAK that waits is kept.");
        self.commit.next = false;
        self.fault.next = 0.into();
        if self.timeout.val() {
            self.fault.next = self.status_timeout.val();
        } else if self.decoder.ends.val() {
            if self.no_slot.q.val() {
                self.fault.next = self.status_overrun.val();
            } else if self.spoilt.q.val()
                | self.broken.val()
                | self.decoder.cut.val()
                | self.too_short.val()
                | !self.check.is_right.val()
            {
                self.fault.next = self.status_bad_frame.val();
            } else {
                self.commit.next = true;
            }
        }
        if self.nak_take.val() | (self.nak.q.val() == 0) {
            self.nak.d.next = self.fault.val();
        }
        self.nak_pending.next = self.nak.q.val() != 0;
        self.nak_status.next = self.nak.q.val();

        comment!("What is written: a byte of the frame, or at last where its payload ends.");
        self.address.next = self.position.q.val().get_bits::<8>(0);
        self.write_data.next = self.decoder.plain.val();
        if self.commit.val() {
            self.address.next = 0.into();
            self.write_data.next = self.position.q.val().get_bits::<8>(0) - 2;
        }
        self.write_address.next =
            (bit_cast::<11, 3>(self.head.q.val()) << 8) | bit_cast::<11, 8>(self.address.val());
        self.write_enable.next = self.commit.val()
            | (self.decoder.plain_strobe.val() & !self.too_long.val() & !self.no_slot.q.val());

        comment!("The ring of slots.");
        if self.commit.val() {
            self.head.d.next = (self.head.q.val() + 1) & self.slot_mask.val();
        }
        if self.frame_release.val() {
            self.tail.d.next = (self.tail.q.val() + 1) & self.slot_mask.val();
        }
        if self.commit.val() & !self.frame_release.val() {
            self.used.d.next = (self.used.q.val() + 1) & self.count_mask.val();
        } else if self.frame_release.val() & !self.commit.val() {
            self.used.d.next = (self.used.q.val() - 1) & self.count_mask.val();
        }
        self.frame_ready.next = self.used.q.val() != 0;
        self.frame_slot.next = self.tail.q.val();
        self.receiving.next = self.decoder.receiving.val();
    }
}
