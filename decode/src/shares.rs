//! How many rows were read in which format.

use std::collections::BTreeMap;

use crate::format::Format;

/// Rows by format.
pub(super) type Counts = BTreeMap<Format, u64>;

/// Rows in a row that were read in one format.
pub(super) type Run = (Option<Format>, usize);

/// The formats of the rows of a batch of a partition. They are noted when the format changes and when the batch ends, so
/// that the lines of a uniform stream cost nothing.
#[derive(Debug, Default)]
pub(super) struct Shares {
    runs: Vec<Run>,
    /// Rows that are noted already.
    noted: usize,
}

impl Shares {
    /// Notes the rows of a batch that are not noted yet, all of one format.
    pub(super) fn note(&mut self, format: Option<Format>, rows: usize) {
        let new = rows.saturating_sub(self.noted);
        self.noted = rows;
        match self.runs.last_mut() {
            _ if new == 0 => {}
            Some((last, rows)) if *last == format => *rows += new,
            _ => self.runs.push((format, new)),
        }
    }

    /// The same at the end of a batch: the runs of all its rows, which are added to those of the batches before.
    pub(super) fn end_batch(
        &mut self,
        format: Option<Format>,
        rows: usize,
        all: &mut Counts,
    ) -> Vec<Run> {
        self.note(format, rows);
        self.noted = 0;
        let runs = std::mem::take(&mut self.runs);
        for (format, rows) in &runs {
            if let Some(format) = format {
                *all.entry(*format).or_default() += *rows as u64;
            }
        }
        runs
    }
}
