//! The links that are tested, each compiled once.

use crate::verilated::Compiled;
use firmware_model::config::CoreConfig;
use std::sync::OnceLock;

/// A core's sizes and a bit's clocks.
#[derive(Debug, Clone, Copy)]
pub struct Setup {
    pub core: CoreConfig,
    pub divisor: u32,
}

/// The shortest bit, two slots, rows of two bytes.
pub const SHORT: Setup = Setup {
    core: CoreConfig {
        lanes: 16,
        banks: 2,
        beats: 1,
        weight_rows: 300,
        fold_slots: 8,
        input_rows: 200,
        hidden_rows: 16,
        frame_slots: 2,
        input_buffers: 2,
    },
    divisor: 4,
};

/// 24 MHz and 3 Mbaud, eight slots, rows of one byte, all sizes at their largest.
pub const LARGE: Setup = Setup {
    core: CoreConfig {
        lanes: 8,
        banks: 8,
        beats: 1,
        weight_rows: 65_536,
        fold_slots: 128,
        input_rows: 2048,
        hidden_rows: 2048,
        frame_slots: 8,
        input_buffers: 2,
    },
    divisor: 8,
};

/// An odd divisor, four slots, rows of sixteen bytes.
pub const ODD: Setup = Setup {
    core: CoreConfig {
        lanes: 128,
        banks: 1,
        beats: 1,
        weight_rows: 256,
        fold_slots: 2,
        input_rows: 256,
        hidden_rows: 16,
        frame_slots: 4,
        input_buffers: 1,
    },
    divisor: 7,
};

pub fn compiled(setup: &Setup) -> &'static Compiled {
    static SHORT_LINK: OnceLock<Compiled> = OnceLock::new();
    static LARGE_LINK: OnceLock<Compiled> = OnceLock::new();
    static ODD_LINK: OnceLock<Compiled> = OnceLock::new();
    let cell = match setup.divisor {
        4 => &SHORT_LINK,
        8 => &LARGE_LINK,
        _ => &ODD_LINK,
    };
    cell.get_or_init(|| Compiled::new(setup))
}
