//! Rows to incidents: windows, entropies, baselines, tests, classification, fingerprints.
//!
//! `ARCHITECTURE.md` has the stages, one folder each, and what each may use.
//!
//! # Invariants
//! - No I/O, no clock, no randomness: the same records of each partition in order, and their arrivals, give the
//!   same findings, however batches are cut, partitions interleave or checkpoints are taken.
//! - Exactly one second is open; the records of later ones are staged. The records of a second are
//!   merged into one sequence, in order of time and of what they say, so that everything inside may depend on order.
//! - Floating point only through `libm`, in a fixed order.
//! - Bounded by [`limits`]; the greater of what is cut off is counted in [`Counters`].
//! - Deliberately absent: Kafka, Delta, async, log formats.
//!
//! Read [`Detector::on_batch`] first; formulas are in [`entropy`] and [`evalue`].

mod clock;
mod config;
mod counters;
mod detector;
mod explain;
mod incident;
mod judge;
pub mod limits;
mod math;
mod normal;
mod record;
#[doc(hidden)]
pub mod reference;
mod seen;
mod state;
mod store;
mod suspect;
#[doc(hidden)]
pub mod testing;

pub use clock::tally::Tally;
pub use config::{ConfigError, DetectConfig};
pub use counters::{Alarms, Counters};
pub use detector::past::{Past, PastMinute};
pub use detector::{Detector, Findings, Snapshot};
pub use math::{entropy, evalue};
pub use record::source::{self, Source};
pub use state::checkpoint::{CheckpointError, RestoreError};
