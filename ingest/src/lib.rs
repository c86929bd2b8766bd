//! Bytes to rows: decoders, Kafka and file sources, the shipper and the embedded broker.

mod broker;
mod client;
mod compress;
pub mod batcher;
pub mod decode;
pub mod format;
pub mod message;
pub mod source;

pub use broker::{BrokerError, EmbeddedBroker};
pub use client::Properties;
pub use compress::{Compression, decompress};
pub use source::{
    FileSource, KafkaConfig, KafkaSource, Membership, MessageSink, OffsetReset, Polled,
    PositionLookup, Positions, Progress, Source, SourceError,
};
pub use batcher::Batcher;
pub use decode::{ConfigError, DecoderConfig};
pub use format::Format;
pub use message::{Numbering, RawMessage};
