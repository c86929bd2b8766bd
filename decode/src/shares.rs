//! How many rows were read in which format.

use std::collections::BTreeMap;

use crate::format::Format;

/// Rows by format.
pub(super) type Counts = BTreeMap<Format, u64>;

/// Rows of the batch of a partition. They are counted when the format changes and when the batch ends, so that the lines
/// of a uniform stream cost nothing.
#[derive(Debug, Default)]
pub(super) struct Shares {
    by_format: Counts,
    /// Rows that are counted already.
    counted: usize,
}

impl Shares {
    /// Counts the rows of a batch that are not counted yet, all of one format.
    pub(super) fn count(&mut self, format: Option<Format>, rows: usize) {
        if let Some(format) = format.filter(|_| rows > self.counted) {
            *self.by_format.entry(format).or_default() += (rows - self.counted) as u64;
        }
        self.counted = rows;
    }

    /// The same at the end of a batch, and adds all of it to those of the batches before.
    pub(super) fn end_batch(&mut self, format: Option<Format>, rows: usize, all: &mut Counts) {
        self.count(format, rows);
        for (format, count) in std::mem::take(&mut self.by_format) {
            *all.entry(format).or_default() += count;
        }
        self.counted = 0;
    }
}
