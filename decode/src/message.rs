//! What a source hands to the decoder: bytes with the position they were read from.

use std::sync::Arc;

/// How the lines of a message are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbering {
    /// A Kafka message: every record has the message's offset, and its index in the message (from 0).
    Records,
    /// A block of whole lines of a file: `offset` is the number of its first line, every line (blank and
    /// comment lines too) advances it by one, and the record index is 0 but for further records of one line: a list, or what a line shows to have ended
    /// before it.
    Lines,
}

/// One Kafka message, or one block of whole lines of a file.
///
/// Messages of one partition are handed over in order and without gaps or overlaps.
#[derive(Debug, Clone, Copy)]
pub struct RawMessage<'a> {
    /// Stable name of the partition: `topic/3` for Kafka, `file/<hash>` for a file.
    pub partition: &'a Arc<str>,
    /// Kafka topic, or the name of the file as given.
    pub topic: &'a str,
    /// Kafka partition; `None` for files.
    pub kafka_partition: Option<i32>,
    /// Kafka offset, or the number of the first line, from 1.
    pub offset: i64,
    /// How the lines are numbered.
    pub numbering: Numbering,
    /// When the message arrived, microseconds UTC: Kafka's timestamp where it can be true, else when it was read. Never later than that.
    pub arrival_us: i64,
    /// One line or many, separated by `\n`; the last one may lack it.
    pub payload: &'a [u8],
}
