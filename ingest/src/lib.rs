//! Bytes to rows: decoders, Kafka and file sources, the shipper and the embedded broker.
//!
//! ```text
//! files ── ship ──▶ Kafka (or EmbeddedBroker)
//!                     │ KafkaSource
//! files ── FileSource ┴─ poll ─▶ RawMessage ─ Batcher (Decoder of its Format) ─▶ PositionedBatch
//! ```
//!
//! # Invariants
//! - A partition's messages come in order, without gaps or overlaps, from the position the tables hold.
//! - Every record becomes a request or a reject; a loss that cannot be helped (retention) is counted and said.
//! - Memory is bounded: blocks read ahead, messages fetched ahead, lines under way each have a limit.
//! - Deliberately absent: detection, tables, async.
//!
//! Read [`Source::poll`] and [`Batcher::push`] first.

pub mod batcher;
mod broker;
mod client;
mod compress;
pub mod decode;
pub mod format;
pub mod identity;
pub mod message;
mod ship;
pub mod source;

pub use batcher::Batcher;
pub use broker::{BrokerError, EmbeddedBroker};
pub use client::Properties;
pub use compress::{Compression, decompress};
pub use decode::{ConfigError, DecoderConfig};
pub use format::Format;
pub use identity::ClientsConfig;
pub use message::{Numbering, RawMessage};
pub use ship::{
    ClientNetwork, KeyOf, ShipConfig, ShipControl, ShipError, ShipProgress, ShipSummary,
    client_network, ship,
};
pub use source::{
    FileSource, KafkaConfig, KafkaSource, Membership, MessageSink, OffsetReset, Polled,
    PositionLookup, Positions, Progress, Source, SourceError,
};
