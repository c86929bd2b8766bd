//! What a row is: columns, Arrow schemas, incidents, positions and limits.
//!
//! ```text
//! column ─▶ table ─▶ REQUESTS · REJECTS · INCIDENTS · SOURCE_WINDOWS · TARGET_WINDOWS
//!                        │
//!              batch: RequestBatch (checked once, typed accessors) ─▶ PositionedBatch
//! networks: sets of addresses that operators name
//! kinds:    what an incident can be made of, a row a kind ─▶ signals: which columns each detection lives on
//! incident: one revision of one incident, as a struct, as JSON and as a row
//! window:   what the detector saw, as structs and as rows
//! text:     what an attacker chose, made safe to show
//! ```
//!
//! # Invariants
//! - Every column of every table is defined exactly once, in [`tables`]; Arrow schemas, Delta tables and the
//!   reference in `docs/tables.md` derive from it.
//! - Every kind is defined exactly once, in [`kinds`].
//! - Deliberately absent: I/O, Kafka, Delta, async.
//!
//! Read [`tables::REQUESTS`] first, then [`RequestBatch`].

pub mod batch;
pub mod column;
pub mod incident;
pub mod kinds;
pub mod limits;
mod named;
pub mod networks;
pub mod signals;
pub mod tables;
pub mod techniques;
pub mod text;
pub mod window;

pub use batch::{PositionedBatch, RequestBatch, SchemaMismatch};
pub use column::{Column, ColumnType, Table};
pub use incident::{Evidence, Incident, State, Verdict};
pub use kinds::{Class, Kind};
pub use networks::{NetworkError, Networks};
pub use window::{SourceWindow, TargetWindow};
