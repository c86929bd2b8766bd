//! What a query, and all of them together, may take.

use std::time::Duration;

/// Limits of [`super::Answers`]. The defaults are choices for a machine that does other things besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that all queries may hold in memory; each has an equal share, whoever else asks, and spills beyond it.
    pub memory_bytes: usize,
    /// Bytes that all queries may have on disk of what does not fit.
    pub spill_bytes: u64,
    /// How long a query may run, until its last row was taken.
    pub query_time: Duration,
    /// Rows of an answer, at most.
    pub rows: u64,
    /// Bytes of an answer, at most.
    pub bytes: u64,
    /// Queries of others that run at the same time.
    pub queries: usize,
    /// Queries that wait for one of these to end; further ones are refused at once.
    pub waiting: usize,
    /// How long they wait.
    pub wait_time: Duration,
    /// Bytes of a statement, at most: planning cannot be interrupted, and a list of ten thousand addresses has 200 KB.
    pub statement_bytes: usize,
    /// Connections, of all faces together.
    pub connections: usize,
}

/// Queries of the console and of the incidents' API that run at the same time: short, known ones, which those of others
/// must not hold up.
pub(super) const OWN_QUERIES: usize = 2;

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: 1 << 30,
            spill_bytes: 16 << 30,
            query_time: Duration::from_mins(1),
            rows: 1_000_000,
            bytes: 1 << 30,
            queries: 4,
            waiting: 64,
            wait_time: Duration::from_secs(10),
            statement_bytes: 256 << 10,
            connections: 256,
        }
    }
}

impl Limits {
    /// The share of each query, bytes.
    pub(super) fn share_bytes(&self) -> usize {
        self.memory_bytes / (self.queries + OWN_QUERIES).max(1)
    }
}
