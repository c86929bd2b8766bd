//! How many rows were read in which format.

use std::collections::BTreeMap;

use crate::format::Format;

/// Rows of a partition by format. Rows are counted when the format changes and when a batch ends, so that the lines of a
/// uniform stream cost nothing.
#[derive(Debug, Default)]
pub(super) struct Shares {
    by_format: BTreeMap<Format, u64>,
    /// Rows of the batch that are counted already.
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

    /// The same at the end of a batch.
    pub(super) fn end_batch(&mut self, format: Option<Format>, rows: usize) {
        self.count(format, rows);
        self.counted = 0;
    }

    pub(super) const fn by_format(&self) -> &BTreeMap<Format, u64> {
        &self.by_format
    }
}
