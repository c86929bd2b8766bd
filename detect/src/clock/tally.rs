//! What became of the records of one partition, counted.

/// Counts of records by what their time was worth.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Records taken in.
    pub records: u64,
    /// Too late to be decided on.
    pub late: u64,
    /// Moved up to the partition's watermark.
    pub delayed: u64,
    /// Held back until others confirm their time.
    pub held: u64,
    /// Not believed, and not judged.
    pub implausible: u64,
    /// Judged at another time than they name, since their clock is a whole number of quarter-hours off.
    pub corrected: u64,
    /// How far the last of those late, not believed or corrected was ahead of its arrival, or of the time of its
    /// partition where that is not known, µs; negative when it was behind.
    pub offset_us: i64,
}

impl Tally {
    /// Counts those of `other` too.
    pub const fn add(&mut self, other: &Self) {
        self.records += other.records;
        self.late += other.late;
        self.delayed += other.delayed;
        self.held += other.held;
        self.implausible += other.implausible;
        self.corrected += other.corrected;
        if other.odd() > 0 {
            self.offset_us = other.offset_us;
        }
    }

    /// What was counted since `earlier`, a former state of the same tally.
    #[must_use]
    pub const fn since(&self, earlier: &Self) -> Self {
        Self {
            records: self.records.saturating_sub(earlier.records),
            late: self.late.saturating_sub(earlier.late),
            delayed: self.delayed.saturating_sub(earlier.delayed),
            held: self.held.saturating_sub(earlier.held),
            implausible: self.implausible.saturating_sub(earlier.implausible),
            corrected: self.corrected.saturating_sub(earlier.corrected),
            offset_us: self.offset_us,
        }
    }

    /// Records that were not judged at the time they name.
    pub const fn odd(&self) -> u64 {
        self.late + self.implausible + self.corrected
    }
}
