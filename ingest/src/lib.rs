//! Bytes to rows: decoders, Kafka and file sources, the shipper and the embedded broker.

pub mod message;

pub use message::{Numbering, RawMessage};
