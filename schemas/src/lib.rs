//! What a row is: columns, Arrow schemas, incidents, positions and limits.
//!
//! ```text
//! column ─▶ table ─▶ REQUESTS · REJECTS · INCIDENTS · SOURCE_WINDOWS · TARGET_WINDOWS
//!                        │
//!              batch: RequestBatch (checked once, typed accessors) ─▶ PositionedBatch
//! networks: sets of addresses that operators name
//! signals:  which columns each detection lives on
//! incident: one revision of one incident, as a struct, as JSON and as a row
//! window:   what the detector saw, as structs and as rows
//! ```
//!
//! # Invariants
//! - Every column of every table is defined exactly once, in [`tables`]; Arrow schemas, Delta tables and the
//!   reference in `schemas/TABLES.md` derive from it.
//! - Deliberately absent: I/O, Kafka, Delta, async.
//!
//! Read [`tables::REQUESTS`] first, then [`RequestBatch`].

pub mod batch;
pub mod column;
pub mod incident;
pub mod limits;
pub mod networks;
pub mod signals;
pub mod tables;
pub mod window;

pub use batch::{PositionedBatch, RequestBatch, SchemaMismatch};
pub use column::{Column, ColumnType, Table};
pub use incident::{Evidence, Incident, Kind, State, Verdict};
pub use networks::{NetworkError, Networks};
pub use window::{SourceWindow, TargetWindow};
