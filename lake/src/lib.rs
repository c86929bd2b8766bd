//! Rows to Delta tables and back: exactly-once commits and checkpoints.
//!
//! ```text
//!            Lake::append                              Lake::commit
//! rows ─▶ skip what is held ─▶ writer ─▶ Parquet ─┬─▶ 1 checkpoint of the detector
//!             (held at begin)  (days, encode,     ├─▶ 2 rejects, source_windows, target_windows, incidents
//!                               stats)            └─▶ 3 requests  ◀─ its `txn` actions say what is done
//!
//! location ─ store, errors get their place        tables ─ creation and checks
//! durable  ─ local files, synced                  log    ─ version and transactions of a table
//! snapshot ─ a table for readers, commit by commit
//! check    ─ proof that all of it is whole
//! maintain ─ fewer files, old rows gone           log_keeper ─ checkpoints of the logs
//!                                                 state_keeper ─ large states of the detector
//! ```
//!
//! # Invariants
//! - A position of the input is in `requests` or `rejects` exactly once, wherever a crash falls: the commit of
//!   `requests` is atomic and last; what other tables hold beyond it is recognised by their own transactions and
//!   left out when it comes again.
//! - A failed call forgets nothing: encoded files stay in memory until the store has them, and on the list until a
//!   commit has named them. An attempt whose outcome is unknown is recognised in the log by its file names.
//! - A data file is complete, and on a local disk synced, before a commit names it.
//! - Memory is bounded by [`LakeOptions`], whatever the number of files in the tables, except while a Delta
//!   checkpoint is written, beside the commits, and while the tables are maintained.
//! - Several processes may append to the same tables; two that read the same input are told so.
//! - Compaction and retention ([`maintain`]) are another writer of the same tables, beside [`Lake`].
//! - Deliberately absent: Kafka, log formats, the meaning of the detector's state.
//!
//! Read [`Lake::commit`] first.

mod check;
mod checkpoint;
mod cloud;
mod commit;
mod days;
mod durable;
mod encode;
mod error;
mod ids;
mod lake;
mod lineage;
mod location;
mod log;
mod log_keeper;
mod maintain;
mod objects;
mod options;
mod point;
mod progress;
mod ranges;
mod rows;
mod snapshot;
mod state_keeper;
mod stats;
mod tables;
mod writer;

pub use check::{Checked, Fault, check, check_in};
pub use checkpoint::Checkpoint;
pub use commit::TableCommit;
pub use error::{Cause, LakeError, Retry};
pub use ids::History;
pub use lake::Lake;
pub use maintain::{Pace, TableUpkeep, Unwatched, Upkeep, Watch, maintain, maintain_in};
pub use options::LakeOptions;
pub use point::{Ahead, CommitPoint, CommitSummary, RowKey};
pub use snapshot::{DataFile, Definition, FileStats, Snapshot, TableLog, TableReader};
pub use state_keeper::MakeState;
