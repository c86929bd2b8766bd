//! What the threads that write and maintain the tables have done, for whoever watches.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use lake::{CommitSummary, TableUpkeep};

/// What the tables took in; counted by the thread that writes them.
#[derive(Debug, Default)]
pub struct TableTotals {
    /// Commits of a point, of all tables.
    pub commits: AtomicU64,
    /// Attempts to write that failed and were repeated.
    pub failures: AtomicU64,
    /// Rows of `requests`, `rejects`, windows and incidents.
    pub rows: AtomicU64,
    /// Bytes of Parquet.
    pub bytes: AtomicU64,
    /// Whether the tables cannot be written at the moment.
    pub failing: AtomicBool,
}

/// What maintenance did; counted by its thread.
#[derive(Debug, Default)]
pub struct UpkeepTotals {
    /// Rounds that came to their end.
    pub rounds: AtomicU64,
    /// Rounds that did not.
    pub failures: AtomicU64,
    /// Rows that were written anew.
    pub rewritten: AtomicU64,
    /// Rows that were dropped by age.
    pub expired: AtomicU64,
    /// Files that nobody needed any more and that were deleted.
    pub swept: AtomicU64,
}

impl TableTotals {
    /// Counts a commit.
    pub fn add(&self, commit: &CommitSummary) {
        let rows = commit.tables.iter().map(|table| table.rows).sum();
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.rows.fetch_add(rows, Ordering::Relaxed);
        self.bytes.fetch_add(commit.bytes(), Ordering::Relaxed);
    }

    /// An attempt to write failed and is repeated.
    pub fn fail(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
        self.failing.store(true, Ordering::Relaxed);
    }

    /// The tables are written again.
    pub fn recover(&self) {
        self.failing.store(false, Ordering::Relaxed);
    }
}

impl UpkeepTotals {
    /// Counts a round that came to its end.
    pub fn add(&self, tables: &[TableUpkeep]) {
        self.rounds.fetch_add(1, Ordering::Relaxed);
        for table in tables {
            self.rewritten.fetch_add(table.rewritten, Ordering::Relaxed);
            self.expired.fetch_add(table.expired, Ordering::Relaxed);
            self.swept.fetch_add(table.swept.0 as u64, Ordering::Relaxed);
        }
    }
}
