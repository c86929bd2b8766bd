//! Bytes to rows: decoders, Kafka and file sources, the shipper and the embedded broker.
