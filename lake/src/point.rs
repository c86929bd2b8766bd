//! What a caller says about its rows and its progress, and what it is told.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::commit::TableCommit;
use crate::ids::History;

/// What makes a row the same row when it is produced again after a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKey<'a> {
    /// Rows of one input partition; a row's position is its `topic_offset`.
    Partition(&'a str),
    /// Rows of the detector; a row's event time is its `revision_ts` (incidents) or `window_end` (windows), and
    /// all rows up to an event time are produced before the detector calls it closed.
    Closed,
}

/// A point in a history up to which every row was appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitPoint {
    /// The history; see [`crate::Lake::begin`].
    pub history: History,
    /// Next position of each partition that was read. A name that continues that of a partition by `/…` is a mark:
    /// any number that goes with the partition's position, such as a hash of what was read so far.
    pub positions: BTreeMap<String, i64>,
    /// Where reading of partitions was begun, as far as known: kept of those that the tables hear of for the first time.
    pub begun: BTreeMap<String, i64>,
    /// Event time up to which the detector has spoken, microseconds UTC.
    pub closed_us: i64,
    /// State of the detector at exactly these positions; empty for none, and then what is read from here on must come to
    /// the detector once more, should the process die.
    pub state: Bytes,
    /// What is kept in its place where it is empty and others write to the history, too, so that nobody could go on from an
    /// earlier one; empty for nothing.
    pub rest: Bytes,
}

/// What the tables hold beyond a detector.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ahead {
    /// Where partitions are to be read from to bring it there, and where the tables stand.
    pub partitions: BTreeMap<String, (i64, i64)>,
    /// Event time up to which they hold incidents that it is going to find, microseconds UTC.
    pub closed_us: Option<i64>,
}

/// What a commit did; empty when there was nothing new.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommitSummary {
    /// Number of the commit in its history; 0 when nothing was committed.
    pub sequence: i64,
    /// Tables that got a new version, in order.
    pub tables: Vec<TableCommit>,
}

impl CommitSummary {
    /// Rows added to a table.
    pub fn rows(&self, table: &str) -> u64 {
        self.tables.iter().filter(|commit| commit.table == table).map(|commit| commit.rows).sum()
    }

    /// Bytes of Parquet added to all tables.
    pub fn bytes(&self) -> u64 {
        self.tables.iter().map(|commit| commit.bytes).sum()
    }
}
