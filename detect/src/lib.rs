//! Rows to incidents: windows, entropies, baselines, tests, classification, fingerprints.
//!
//! ```text
//! RequestBatch ─ event ─▶ partition (believed time, lateness) ─ staged by second
//!                                   │ least watermark passes the second
//!                                   ▼
//!   target (per host): baseline ─ rate ─┐      sources (per host and source) ─┐
//!                      votes ───────────┤                                     │
//!                      window, samples  ▼                                     ▼
//!                                  investigate: search ▶ rule, gate ▶ kind and verdict ▶ incident
//! ```
//!
//! # Invariants
//! - No I/O, no clock, no randomness: the same records of each partition in order give the same findings,
//!   however batches are cut, partitions interleave or checkpoints are taken.
//! - Exactly one second is open; the records of later ones are staged. A second is folded partition by
//!   partition in order of name, so that everything inside may depend on order.
//! - Floating point only through `libm`, in a fixed order.
//! - Bounded by [`limits`]; what is cut off is counted in [`Counters`].
//! - Deliberately absent: Kafka, Delta, async, log formats.
//!
//! Read [`Detector::on_batch`] first; formulas are in [`entropy`] and [`rate`].

mod baseline;
mod cache;
mod checkpoint;
mod classes;
mod columns;
mod config;
mod detector;
pub mod entropy;
mod event;
mod gate;
mod hash;
mod histogram;
mod incident;
mod investigate;
mod judgement;
pub mod limits;
mod names;
mod partition;
mod population;
mod profile;
pub mod rate;
mod rule;
mod search;
pub mod source;
mod sources;
mod state;
mod table;
mod target;
mod votes;
mod window;

pub use checkpoint::{CheckpointError, RestoreError};
pub use config::{ConfigError, DetectConfig};
pub use detector::{Counters, Detector, Findings};
pub use source::Source;
