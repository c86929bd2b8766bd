//! The harness of the end-to-end tests: the binary, real parts around it, and what a test may ask of them.
//!
//! ```text
//! floodmark ─ Floodmark: arguments ─▶ Running (lines, signals) ─▶ Output (status, stdout, stderr)
//! kafka ───── Kafka: one real broker for all tests of the process, topics, lag, members
//! secure ──── a broker that wants certificates, passwords or tokens
//! nginx ───── Nginx: writes access logs of what is sent to it
//! rsyslog ─── Rsyslog: follows files, a line a message to Kafka
//! postgres ── psql, a client of the server that is not ours
//! jdbc ────── Jdbc: drivers of Java that are not ours
//! http ────── requests of HTTP, and what is answered
//! python ──── Python: readers of the tables, clients of the server and a browser's driver that are not ours
//! served ──── Served: `floodmark serve`, its ports, its stop
//! table ───── rows of the tables, asked through `floodmark sql`
//! sample ──── lines to feed in
//! mmdb ────── databases of networks to feed in
//! pages ───── README and docs: their prose, links and anchors
//! skip ────── a part that this machine lacks: skipped by name, or a failure with CI=true
//! ```
//!
//! # Invariants
//! - Nothing is left behind: children die with the value that owns them, or with the test process.
//! - No fixed ports, no sleeps: every wait is for output, for the end of a process or for an answer, with a limit.
//!
//! `tests/run` prepares the real parts and runs everything; read [`Floodmark`] first.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test harness speaks by panicking"
)]

mod daemon;
pub mod floodmark;
pub mod http;
pub mod jdbc;
pub mod kafka;
pub mod mmdb;
pub mod nginx;
pub mod pages;
pub mod postgres;
pub mod python;
pub mod random;
pub mod rsyslog;
pub mod running;
pub mod sample;
pub mod secure;
pub mod served;
pub mod skip;
pub mod table;
pub mod workspace;

pub use floodmark::{Floodmark, Output};
pub use jdbc::Jdbc;
pub use kafka::Kafka;
pub use nginx::Nginx;
pub use python::Python;
pub use random::Random;
pub use rsyslog::Rsyslog;
pub use running::{Running, Signal};
pub use secure::SecureKafka;
pub use served::Served;
pub use table::Tables;
