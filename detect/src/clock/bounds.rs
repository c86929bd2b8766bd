//! What a partition is told: how much time it allows itself, and how the others stand.

use crate::limits::JUMP_US_MIN;

/// Times a partition allows itself, µs.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    /// The watermark stays this far behind the newest record.
    pub bound_us: i64,
    /// A record at most this far behind the watermark counts at the watermark instead of being late.
    pub grace_us: i64,
}

impl Allowance {
    /// A step forward by no more than this makes nobody late, µs.
    pub fn jump_us(self) -> i64 {
        self.bound_us.saturating_add(self.grace_us).max(JUMP_US_MIN)
    }
}

/// What a partition is told of the others.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Times it allows itself.
    pub allowance: Allowance,
    /// End of the last closed sub-pane, µs.
    pub floor: i64,
    /// The clock of another partition is known to be right.
    pub others_are_right: bool,
}
