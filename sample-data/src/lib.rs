//! Generated edge logs with known attacks: the engine, the shipped samples and their truth.
//!
//! ```text
//! GenerateConfig ─▶ World (sites, networks, software, levels)
//!                     │
//!       schedule ─▶ Queue ⇄ actors: visits · crowds · attacks · monitors · crawlers · scanners
//!                     │ requests, by their end
//!                   format ─▶ lines        Tally ─▶ Truth
//! ```
//!
//! # Invariants
//! - The same [`GenerateConfig`] gives the same bytes on every platform: integers, IEEE arithmetic
//!   and `libm`; no clock, no environment, no hash order.
//! - Every actor has a random stream of its own: an event more or less leaves the rest as it is
//!   (but for request ids, which count lines).
//! - No one is harmed: addresses, AS numbers and host names come from ranges reserved for
//!   documentation, tests and private use; fingerprints are invented.
//! - Lines come in the order in which requests ended; none took longer than 1.5 seconds.
//!
//! Read [`generate`] first.

mod agent;
mod attack;
mod background;
mod calendar;
mod config;
mod engine;
mod format;
mod models;
mod network;
mod queue;
mod random;
mod request;
mod sample;
mod schedule;
mod site;
mod text;
mod truth;
mod visit;
mod words;
mod world;

pub use config::{
    DURATION_S_MAX, EventKind, Format, GenerateConfig, GenerateError, HOSTS_MAX, MODELS, START_US,
    Scenario, UnknownName, WARM_UP_S,
};
pub use engine::{generate, generate_labelled};
pub use sample::{
    EMBEDDED_SAMPLE_FILE, Sample, TRUTH_SUFFIX, embedded_sample, embedded_truth,
    embedded_truth_parsed, samples, write_samples,
};
pub use truth::{SOURCES_MAX, Truth, TruthEvent};
