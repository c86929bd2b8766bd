//! Where lines come from and go to: Kafka and file sources, the shipper, the embedded broker, files about networks.
//!
//! ```text
//! files ── ship ──▶ Kafka (or EmbeddedBroker)
//!                     │ KafkaSource
//! files ── FileSource ┴─ poll ─▶ RawMessage ─▶ `decode`
//! ```
//!
//! # Invariants
//! - A partition's messages come in order, without gaps or overlaps, from the position the tables hold.
//! - Every message is handed on; a loss that cannot be helped (retention) is counted and said.
//! - Memory is bounded: blocks read ahead, messages fetched ahead, lines under way each have a limit.
//! - Deliberately absent: what lines say, detection, tables, async.
//!
//! Read [`Source::poll`] first.

mod broker;
mod client;
mod compress;
mod databases;
mod ship;
pub mod source;
mod token;

pub use broker::{BrokerError, EmbeddedBroker};
pub use client::Properties;
pub use compress::{Compression, decompress};
pub use databases::{DatabaseError, Databases};
pub use ship::{
    ClientNetwork, ShipConfig, ShipControl, ShipError, ShipProgress, ShipSummary, ship,
};
pub use source::{
    FileSource, Held, KafkaConfig, KafkaSource, Membership, MessageSink, OffsetReset, Polled,
    PositionLookup, Positions, Progress, Share, Source, SourceError, succeeds,
};
