//! The entropy formulas of SQL: those of the detector, so that both are one function.

use detect::entropy;

/// How the counts of distinct values become one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Formula {
    /// Shannon entropy with the Miller–Madow correction, bits.
    MillerMadow,
    /// Collision entropy from the unbiased collision probability, bits.
    Collision,
}

impl Formula {
    /// The entropy of `counts` (how often each distinct value occurred), bits; `None` where it is undefined: without
    /// values, and for [`Formula::Collision`] below two.
    pub(crate) fn of(self, counts: &[u64]) -> Option<f64> {
        match self {
            Self::MillerMadow => entropy::miller_madow(counts).ok(),
            Self::Collision => entropy::entropy_h2(counts).ok(),
        }
    }
}
