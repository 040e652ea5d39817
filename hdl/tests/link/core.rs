//! A core that keeps its side of the link's contract as late and as strictly as allowed.

use crate::verilated::{Inputs, Outputs};
use std::collections::VecDeque;

/// What WEIGHTS or MARGINS brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    pub margins: bool,
    pub address: u16,
    pub select: u8,
    pub bytes: Vec<u8>,
}

/// The fields of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    pub class: u16,
    pub step: u8,
    pub silent: bool,
    pub overshoot: i16,
    pub cycles: u32,
    pub idle: u32,
}

impl Answer {
    /// What this core makes of an image: nothing sensible, but all of its bytes count.
    pub fn of(image: &[u8]) -> Self {
        let hash = image.iter().fold(0x811C_9DC5u32, |hash, &byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
        // A hash of 0x00 bytes in places, so that stuffing has work.
        Answer {
            class: hash as u16 & 0xFF0F,
            step: (hash >> 16) as u8 & 0x0F,
            silent: hash & 0x100 != 0,
            overshoot: !(hash >> 8) as i16,
            cycles: hash.rotate_left(7) & 0x00FF_00FF,
            idle: hash.rotate_left(19) & 0xFF00_FFFF,
        }
    }

    /// The payload of its reply.
    pub fn payload(&self) -> Vec<u8> {
        let mut bytes = vec![0];
        bytes.extend(self.class.to_le_bytes());
        bytes.extend([self.step, u8::from(self.silent)]);
        bytes.extend(self.overshoot.to_le_bytes());
        bytes.extend(self.cycles.to_le_bytes());
        bytes.extend(self.idle.to_le_bytes());
        bytes
    }
}

/// A load to this address or beyond is an error.
pub const BAD_ADDRESS: u16 = 0x0100;
/// A spike code that is an error.
pub const BAD_CODE: u8 = 0xEE;
/// Clocks from a strobe to the error that it makes, at the latest.
const ERROR_DELAY: u64 = 4;

#[derive(Debug)]
pub struct FakeCore {
    pub geometry: Vec<u8>,
    pub loads: Vec<Load>,
    /// The images that were committed.
    pub images: Vec<Vec<u8>>,
    /// What the memories' CRC-32 will be, and how long computing it takes.
    pub crc: u32,
    pub verify_clocks: u64,
    pub infer_clocks: u64,
    /// No image can begin.
    pub blocked: bool,
    pub busy_clocks: u32,
    pub verifies: usize,
    buffers: usize,
    now: u64,
    error_at: Option<u64>,
    bad_load: bool,
    partial: Option<Vec<u8>>,
    verify_until: Option<u64>,
    waiting: VecDeque<Answer>,
    computing: Option<(u64, Answer)>,
    last_strobe: u64,
}

impl FakeCore {
    pub fn new(buffers: u8) -> Self {
        FakeCore {
            geometry: vec![],
            loads: vec![],
            images: vec![],
            crc: 0,
            verify_clocks: 50,
            infer_clocks: 300,
            blocked: false,
            busy_clocks: 0,
            verifies: 0,
            buffers: buffers.into(),
            now: 100,
            error_at: None,
            bad_load: false,
            partial: None,
            verify_until: None,
            waiting: VecDeque::new(),
            computing: None,
            last_strobe: 0,
        }
    }

    /// The images that can be under way.
    pub fn set_buffers(&mut self, buffers: usize) {
        self.buffers = buffers;
    }

    /// One clock: `outputs` are the link's before the edge, `inputs` become those after it.
    pub fn clock(&mut self, outputs: &Outputs, inputs: &mut Inputs) {
        self.now += 1;
        self.busy_clocks += u32::from(inputs.busy);
        if outputs.geometry_shift != 0 {
            self.strobed();
            self.geometry.push(outputs.geometry_byte);
        }
        self.load(outputs, inputs);
        self.verify(outputs, inputs);
        self.spikes(outputs, inputs);
        self.results(outputs, inputs);
        if self.error_at == Some(self.now) {
            self.error_at = None;
            match self.bad_load {
                true => inputs.load_error = 1,
                false => inputs.spikes_error = 1,
            }
        }
    }

    fn strobed(&mut self) {
        assert!(
            self.now >= self.last_strobe + 2,
            "strobes are two clocks apart"
        );
        self.last_strobe = self.now;
    }

    fn load(&mut self, outputs: &Outputs, inputs: &mut Inputs) {
        if outputs.load_begin != 0 {
            assert_eq!(outputs.load_strobe, 0);
            inputs.load_error = 0;
            self.loads.push(Load {
                margins: outputs.load_margins != 0,
                address: outputs.load_address,
                select: outputs.load_select,
                bytes: vec![],
            });
        }
        if outputs.load_strobe != 0 {
            self.strobed();
            let load = self.loads.last_mut().expect("a load has begun");
            load.bytes.push(outputs.load_byte);
            assert_eq!(
                (load.margins, load.address, load.select),
                (
                    outputs.load_margins != 0,
                    outputs.load_address,
                    outputs.load_select
                ),
                "the place stands still"
            );
            if load.address >= BAD_ADDRESS {
                self.bad_load = true;
                self.error_at = Some(self.now + ERROR_DELAY - 1);
            }
        }
    }

    fn verify(&mut self, outputs: &Outputs, inputs: &mut Inputs) {
        inputs.verify_done = 0;
        if outputs.verify_start != 0 {
            self.verifies += 1;
            self.verify_until = Some(self.now + self.verify_clocks);
        }
        if self.verify_until == Some(self.now) {
            self.verify_until = None;
            inputs.verify_crc = self.crc;
            inputs.verify_done = 1;
        }
    }

    fn spikes(&mut self, outputs: &Outputs, inputs: &mut Inputs) {
        if outputs.spikes_begin != 0 {
            assert_eq!(inputs.spikes_ready, 1, "a begin while no buffer is free");
            inputs.spikes_error = 0;
            self.partial = Some(vec![]);
        }
        if outputs.spikes_strobe != 0 {
            self.strobed();
            let partial = self.partial.as_mut().expect("an image has begun");
            partial.push(outputs.spikes_byte);
            if outputs.spikes_byte == BAD_CODE {
                self.bad_load = false;
                self.error_at = Some(self.now + ERROR_DELAY - 1);
            }
        }
        if outputs.spikes_commit != 0 {
            assert!(
                self.now >= self.last_strobe + 4,
                "a commit after the last byte"
            );
            let image = self.partial.take().expect("an image has begun");
            self.waiting.push_back(Answer::of(&image));
            self.images.push(image);
        }
    }

    fn results(&mut self, outputs: &Outputs, inputs: &mut Inputs) {
        if outputs.result_take != 0 {
            assert_eq!(inputs.result_valid, 1, "a take without a result");
            inputs.result_valid = 0;
            // Nobody may look at the fields of a result that was taken.
            inputs.result_class = 0xDEAD;
            inputs.result_cycles = 0xDEAD_BEEF;
            inputs.result_idle = 0xDEAD_BEEF;
        }
        if let Some((until, answer)) = self.computing {
            if self.now >= until && inputs.result_valid == 0 {
                self.computing = None;
                inputs.result_valid = 1;
                inputs.result_class = answer.class;
                inputs.result_step = answer.step;
                inputs.result_silent = answer.silent.into();
                inputs.result_overshoot = answer.overshoot as u16;
                inputs.result_cycles = answer.cycles;
                inputs.result_idle = answer.idle;
            }
        }
        if self.computing.is_none() {
            if let Some(answer) = self.waiting.pop_front() {
                self.computing = Some((self.now + self.infer_clocks, answer));
            }
        }
        inputs.busy = u8::from(matches!(self.computing, Some((until, _)) if self.now < until));
        let used = self.waiting.len() + usize::from(self.computing.is_some());
        inputs.spikes_ready = u8::from(used < self.buffers && !self.blocked);
    }
}
