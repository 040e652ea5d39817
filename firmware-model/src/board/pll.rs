//! The PLL settings of a board, and whether the device can run with them.

use super::Family;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a PLL cannot make the core's clock.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum PllError {
    #[error("{kind} is not a PLL of the {family} family")]
    Family { kind: &'static str, family: Family },
    #[error("{name} is {value}, it must be between {min} and {max}")]
    Setting {
        name: &'static str,
        value: u8,
        min: u8,
        max: u8,
    },
    #[error("the {what} is {mhz:.3} MHz, the device takes {min} to {max} MHz")]
    Range {
        what: &'static str,
        mhz: f64,
        min: f64,
        max: f64,
    },
    #[error("filter_range must be {expected} for a phase detector at {mhz:.3} MHz")]
    FilterRange { expected: u8, mhz: f64 },
    #[error("the settings make {found_hz} Hz, core_hz is {core_hz}")]
    Output { found_hz: u64, core_hz: u32 },
}

/// The vendor's PLL block and its settings, by the vendor's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", deny_unknown_fields)]
pub enum Pll {
    /// iCE40, fed from the pin that is wired to the PLL.
    #[serde(rename = "SB_PLL40_PAD")]
    Ice40Pad(Ice40Pll),
    /// iCE40, fed from any other pin.
    #[serde(rename = "SB_PLL40_CORE")]
    Ice40Core(Ice40Pll),
    /// ECP5, with feedback from CLKOP.
    #[serde(rename = "EHXPLLL")]
    Ecp5(Ecp5Pll),
}

/// An ECP5 PLL with feedback from CLKOP: its oscillator runs at in / clki_div * clkfb_div * clkop_div, and the core at
/// that by clkop_div or, where there is one, by clkos_div.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ecp5Pll {
    pub clki_div: u8,
    pub clkfb_div: u8,
    pub clkop_div: u8,
    pub clkop_cphase: u8,
    /// The core's clock is CLKOS with this divider; None: it is CLKOP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clkos_div: Option<u8>,
}

/// An iCE40 PLL with simple feedback: out = in * (divf + 1) / (divr + 1) / 2^divq. See `icepll`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ice40Pll {
    pub divr: u8,
    pub divf: u8,
    pub divq: u8,
    pub filter_range: u8,
}

impl Pll {
    /// What comes out, in Hz, to the nearest one.
    pub fn output_hz(&self, input_hz: u32) -> u64 {
        let input = u64::from(input_hz);
        let (multiplier, divider) = match *self {
            Pll::Ice40Pad(pll) | Pll::Ice40Core(pll) => (
                u64::from(pll.divf) + 1,
                (u64::from(pll.divr) + 1) << pll.divq.min(32),
            ),
            Pll::Ecp5(pll) => match pll.clkos_div {
                None => (pll.clkfb_div.into(), pll.clki_div.max(1).into()),
                Some(clkos_div) => (
                    u64::from(pll.clkfb_div) * u64::from(pll.clkop_div),
                    u64::from(pll.clki_div.max(1)) * u64::from(clkos_div.max(1)),
                ),
            },
        };
        (input * multiplier + divider / 2) / divider
    }

    /// Checks the settings against the family's limits, and that they make `core_hz`.
    ///
    /// The limits are those of Lattice's data sheets: "sysCLOCK PLL timing" of the iCE40 families (FPGA-DS-02029,
    /// FPGA-DS-02008) and of the ECP5 (FPGA-DS-02012, table 3.23). `ecppll` lets an ECP5's phase detector go down to
    /// 3.125 MHz, which the data sheet does not.
    pub(super) fn check(
        &self,
        family: Family,
        input_hz: u32,
        core_hz: u32,
    ) -> Result<(), PllError> {
        if family != self.family() {
            let kind = self.kind();
            return Err(PllError::Family { kind, family });
        }
        match *self {
            Pll::Ice40Pad(pll) | Pll::Ice40Core(pll) => check_ice40(input_hz, pll)?,
            Pll::Ecp5(pll) => check_ecp5(input_hz, pll)?,
        }
        let found_hz = self.output_hz(input_hz);
        if found_hz != u64::from(core_hz) {
            return Err(PllError::Output { found_hz, core_hz });
        }
        Ok(())
    }

    fn family(&self) -> Family {
        match self {
            Pll::Ice40Pad(_) | Pll::Ice40Core(_) => Family::Ice40,
            Pll::Ecp5(_) => Family::Ecp5,
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Pll::Ice40Pad(_) => "SB_PLL40_PAD",
            Pll::Ice40Core(_) => "SB_PLL40_CORE",
            Pll::Ecp5(_) => "EHXPLLL",
        }
    }
}

fn check_ice40(input_hz: u32, pll: Ice40Pll) -> Result<(), PllError> {
    let Ice40Pll {
        divr,
        divf,
        divq,
        filter_range,
    } = pll;
    setting("divr", divr, 0, 15)?;
    setting("divf", divf, 0, 127)?;
    setting("divq", divq, 1, 6)?;
    let input = mhz(input_hz);
    let detector = input / (f64::from(divr) + 1.0);
    let oscillator = detector * (f64::from(divf) + 1.0);
    range("input", input, 10.0, 133.0)?;
    range("phase detector", detector, 10.0, 133.0)?;
    range("oscillator", oscillator, 533.0, 1066.0)?;
    let output = oscillator / f64::from(1u32 << divq);
    range("output", output, 16.0, 275.0)?;
    let expected = match detector {
        f if f < 17.0 => 1,
        f if f < 26.0 => 2,
        f if f < 44.0 => 3,
        f if f < 66.0 => 4,
        f if f < 101.0 => 5,
        _ => 6,
    };
    if filter_range != expected {
        return Err(PllError::FilterRange {
            expected,
            mhz: detector,
        });
    }
    Ok(())
}

fn check_ecp5(input_hz: u32, pll: Ecp5Pll) -> Result<(), PllError> {
    let clkos_div = pll.clkos_div.unwrap_or(pll.clkop_div);
    setting("clki_div", pll.clki_div, 1, 128)?;
    setting("clkfb_div", pll.clkfb_div, 1, 128)?;
    setting("clkop_div", pll.clkop_div, 1, 128)?;
    setting("clkop_cphase", pll.clkop_cphase, 0, 127)?;
    setting("clkos_div", clkos_div, 1, 128)?;
    let input = mhz(input_hz);
    let detector = input / f64::from(pll.clki_div);
    let feedback = detector * f64::from(pll.clkfb_div);
    let oscillator = feedback * f64::from(pll.clkop_div);
    range("input", input, 8.0, 400.0)?;
    range("phase detector", detector, 10.0, 400.0)?;
    range("oscillator", oscillator, 400.0, 800.0)?;
    range("feedback", feedback, 3.125, 400.0)?;
    range("output", oscillator / f64::from(clkos_div), 3.125, 400.0)
}

fn mhz(hz: u32) -> f64 {
    f64::from(hz) / 1e6
}

fn setting(name: &'static str, value: u8, min: u8, max: u8) -> Result<(), PllError> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(PllError::Setting {
        name,
        value,
        min,
        max,
    })
}

fn range(what: &'static str, mhz: f64, min: f64, max: f64) -> Result<(), PllError> {
    if (min..=max).contains(&mhz) {
        return Ok(());
    }
    Err(PllError::Range {
        what,
        mhz,
        min,
        max,
    })
}
