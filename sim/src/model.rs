//! The software device as a virtual device.

use crate::device::{Next, Progress, VirtualDevice};
use crate::SimError;
use firmware_model::device::Device;
use firmware_model::protocol::WATCHDOG_BITS;
use std::time::Duration;

/// The bytes of one exchange at most: some images' worth, which take a fraction of a millisecond.
const SLICE_BYTES: usize = 512;

/// While nothing comes, this much of the device's time passes...
const TICK_BITS: u64 = WATCHDOG_BITS as u64 / 20;

/// ...in this much of ours: a frame that was cut short is given up after 0.2 s. That is slower than on a real board, as
/// it is under Verilator, so that a host on a busy machine is not taken for one that stopped.
const TICK: Duration = Duration::from_millis(10);

/// The quiet bit times after which nothing can happen any more.
const IDLE_BITS: u64 = 2 * WATCHDOG_BITS as u64;

/// The largest part by which the rates of two ends may differ, in percent: half a bit over the ten of a byte.
const RATE_TOLERANCE_PERCENT: u64 = 5;

/// The software device: the same answers as the gateware's, without its bits and clocks.
pub struct ModelBoard {
    device: Device,
    host_rate: u32,
    quiet_bits: u64,
    framing_errors: u64,
}

impl ModelBoard {
    /// A board around a device that was just switched on.
    pub fn new(device: Device) -> Self {
        ModelBoard {
            host_rate: device.config().baud,
            device,
            quiet_bits: 0,
            framing_errors: 0,
        }
    }

    /// Whether a byte at the host's speed makes sense at the device's.
    fn rates_agree(&self) -> bool {
        let (host, device) = (u64::from(self.host_rate), u64::from(self.rate()));
        host.abs_diff(device) * 100 <= device * RATE_TOLERANCE_PERCENT
    }
}

impl VirtualDevice for ModelBoard {
    fn exchange(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<Progress, SimError> {
        let input = &input[..input.len().min(SLICE_BYTES)];
        if !input.is_empty() {
            self.quiet_bits = 0;
            if self.rates_agree() {
                output.extend(self.device.receive(input));
            } else {
                self.framing_errors += input.len() as u64;
            }
        } else if self.quiet_bits < IDLE_BITS {
            self.quiet_bits += TICK_BITS;
            output.extend(self.device.tick(TICK_BITS));
        }
        Ok(Progress {
            consumed: input.len(),
            next: if self.quiet_bits < IDLE_BITS {
                Next::After(TICK)
            } else {
                Next::Input
            },
        })
    }

    fn set_host_rate(&mut self, baud: u32) {
        self.host_rate = baud;
    }

    fn rate(&self) -> u32 {
        self.device.config().baud
    }

    fn framing_errors(&self) -> u64 {
        self.framing_errors
    }
}
