//! How a session is set up.

use std::path::PathBuf;

/// Settings of a [`crate::Session`]; the default suits one person at one machine.
#[derive(Debug, Clone, Default)]
pub struct SessionOptions {
    /// Bytes that queries may hold in memory before they spill to disk; `None` sets no limit.
    pub memory_limit: Option<usize>,
    /// Folder for what does not fit; `None` uses the system's temporary folder.
    pub spill_dir: Option<PathBuf>,
    /// Bytes on disk of what does not fit, at most, of all queries together; `None` leaves the engine's choice.
    pub spill_limit: Option<u64>,
    /// Threads a query may use; `None` uses every core.
    pub target_partitions: Option<usize>,
    /// Rows of a batch; `None` leaves the engine's choice.
    pub batch_size: Option<usize>,
    /// What a statement may do besides reading the tables.
    pub scratch: Scratch,
    /// Whether there may be no table at all yet: somebody is about to write the first.
    pub awaits_tables: bool,
}

/// How statements are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// As the engine has it.
    #[default]
    Engine,
    /// As PostgreSQL has it, whose catalogue there is then, too.
    Postgres,
}

/// Whether statements may define names of their own. The tables are read-only in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scratch {
    /// Views and tables that live as long as the session, and external files to read: for the person at the prompt.
    #[default]
    Allowed,
    /// Queries only: for a server.
    Refused,
}
