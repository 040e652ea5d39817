//! A device that runs in this process, with time that passes only on the line.

use super::Transport;
use firmware_model::device::{Device, BITS_PER_BYTE};
use std::collections::VecDeque;
use std::io;
use std::time::Duration;

/// The line to a [`Device`]. Its clock is that of the line: a byte takes its ten bit times in either
/// direction, a wait for nothing takes as long as it was allowed to, and nothing else takes time.
#[derive(Debug)]
pub struct DeviceTransport {
    device: Device,
    to_host: VecDeque<u8>,
    bits: u64,
}

impl DeviceTransport {
    pub fn new(device: Device) -> Self {
        DeviceTransport {
            device,
            to_host: VecDeque::new(),
            bits: 0,
        }
    }

    /// The device, to look into it or to break it.
    pub fn device_mut(&mut self) -> &mut Device {
        &mut self.device
    }

    /// Lets time pass.
    pub fn pass(&mut self, time: Duration) {
        let baud = u128::from(self.device.config().baud);
        self.pass_bits((time.as_nanos() * baud).div_ceil(1_000_000_000) as u64);
    }

    fn pass_bits(&mut self, bits: u64) {
        self.bits += bits;
        let sent = self.device.tick(bits);
        self.to_host.extend(sent);
    }
}

impl Transport for DeviceTransport {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.bits += BITS_PER_BYTE * bytes.len() as u64;
        let sent = self.device.receive(bytes);
        self.to_host.extend(sent);
        Ok(())
    }

    fn read(&mut self, buffer: &mut [u8], limit: Duration) -> io::Result<usize> {
        if self.to_host.is_empty() {
            self.pass(limit);
        }
        let count = buffer.len().min(self.to_host.len());
        for (place, byte) in buffer.iter_mut().zip(self.to_host.drain(..count)) {
            *place = byte;
        }
        self.pass_bits(BITS_PER_BYTE * count as u64);
        Ok(count)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.to_host.clear();
        Ok(())
    }

    fn now(&self) -> Duration {
        let baud = u128::from(self.device.config().baud.max(1));
        Duration::from_nanos((u128::from(self.bits) * 1_000_000_000 / baud) as u64)
    }
}
