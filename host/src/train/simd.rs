//! Which vector instructions the inner loops are made of.

use std::sync::atomic::{AtomicU8, Ordering};

/// Vector instructions, the widest last. Results are the same with any of them, bit for bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Simd {
    /// Those of every processor of its kind.
    Portable,
    /// AVX2.
    Avx2,
    /// AVX-512: F, BW, DQ and VL.
    Avx512,
}

/// What is in use, as a number; [`UNKNOWN`] before anybody asks.
static IN_USE: AtomicU8 = AtomicU8::new(UNKNOWN);
const UNKNOWN: u8 = u8::MAX;

impl Simd {
    /// All of them.
    pub const ALL: [Simd; 3] = [Simd::Portable, Simd::Avx2, Simd::Avx512];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Simd::Portable => "portable",
            Simd::Avx2 => "avx2",
            Simd::Avx512 => "avx512",
        }
    }

    /// The widest that this processor has.
    pub fn widest() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            if has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl") {
                return Simd::Avx512;
            }
            if has!("avx2") {
                return Simd::Avx2;
            }
        }
        Simd::Portable
    }

    /// Those in use: the widest, unless [`Simd::hold`] says otherwise. Never one that this processor does
    /// not have.
    #[inline]
    pub fn in_use() -> Self {
        match IN_USE.load(Ordering::Relaxed) {
            0 => Simd::Portable,
            1 => Simd::Avx2,
            2 => Simd::Avx512,
            _ => Self::widest().hold(),
        }
    }

    /// All that this processor has.
    pub fn of_this_processor() -> impl Iterator<Item = Self> {
        let widest = Self::widest();
        Self::ALL.into_iter().filter(move |&simd| simd <= widest)
    }

    /// Holds the whole program to these, or to the widest there are where this processor does not have
    /// them, from here on. Returns which. For measuring and testing: results are the same.
    pub fn hold(self) -> Self {
        let held = self.min(Self::widest());
        IN_USE.store(held as u8, Ordering::Relaxed);
        held
    }
}

/// Asserts that `work` comes to the same with all instructions that this processor has.
#[cfg(test)]
pub fn assert_same_with_each<T: PartialEq + std::fmt::Debug>(work: impl Fn() -> T) {
    use std::sync::{Mutex, PoisonError};
    /// Whoever holds the program to some instructions must be alone in doing so.
    static HOLDING: Mutex<()> = Mutex::new(());
    let _alone = HOLDING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut first = None;
    for simd in Simd::of_this_processor() {
        assert_eq!(simd.hold(), simd);
        assert_eq!(Simd::in_use(), simd);
        let result = work();
        match &first {
            None => first = Some(result),
            Some(first) => assert_eq!(&result, first, "{}", simd.name()),
        }
    }
    Simd::widest().hold();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_is_the_last_of_those_that_there_are() {
        let there: Vec<Simd> = Simd::of_this_processor().collect();
        assert_eq!(there[0], Simd::Portable);
        assert_eq!(there.last(), Some(&Simd::widest()));
        assert!(there.is_sorted());
    }
}
