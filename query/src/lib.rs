//! Tables to answers: SQL over what Floodmark has written.
//!
//! ```text
//! text ─ statements::parse ─▶ Statement ─ Session::query ─▶ Answer ─ write ─▶ table · csv · json · ndjson · arrow · parquet
//!                                              │ guard: read-only
//!              requests · rejects · incidents · source_windows · target_windows   (lake_table: Delta at its last commit)
//!     attacks, signals (views)    entropy · entropy_h2 · ip_prefix · ip_source · ip_in · fingerprint_requests
//! lenient: statements in the engine's words · repairs: plans that would answer wrongly, put right · sized: values measured
//! before they are made · subqueries: those with a short answer first
//! postgres: what clients of PostgreSQL write and ask for beside the tables
//! repl: lines ─▶ statements and commands ─▶ the same
//! ```
//!
//! # Invariants
//! - The tables are never written: a statement that would is refused before it runs.
//! - A query sees one version of each table: the latest at its start.
//! - Nothing of a query runs on once its answer is dropped.
//! - What an attacker chose reaches a terminal escaped only ([`output::escape`]).
//! - `entropy()` is the detector's formula.
//! - Deliberately absent: Kafka, decoding, the detector's state.
//!
//! Read [`Session::open`] first, then [`Session::query`].

mod bounds;
mod calls;
pub mod compact;
mod error;
mod formula;
pub mod functions;
mod guard;
mod hint;
mod lake_table;
mod lenient;
mod options;
pub mod output;
mod params;
pub mod postgres;
mod repairs;
pub mod repl;
mod session;
mod sized;
pub mod statements;
mod stop;
mod subqueries;
mod tables;
mod views;

pub use error::QueryError;
pub use options::{Dialect, Scratch, SessionOptions};
pub use output::{Encoder, Format, Layout, OutputOptions, Written};
pub use params::Params;
pub use session::{Answer, Described, Session};
pub use statements::Statement;
pub use tables::{Share, Tables};
pub use views::{VIEWS, View};
