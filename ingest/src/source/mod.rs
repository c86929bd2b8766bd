//! Where records come from: a Kafka topic or files, behind one trait.

mod file;
mod kafka;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use file::FileSource;
pub(crate) use file::{BlockLimits, LineBlocks};
pub use kafka::{
    Held, KafkaConfig, KafkaSource, Membership, OffsetReset, PositionLookup, succeeds,
};

use decode::message::RawMessage;

/// Positions by partition: the next Kafka offset, or the number of the next line.
pub type Positions = BTreeMap<Arc<str>, i64>;

/// Receives the messages of a [`Source`].
pub trait MessageSink {
    /// Takes one message; its bytes are gone when the call returns.
    fn message(&mut self, message: &RawMessage<'_>);
}

impl<F: FnMut(&RawMessage<'_>)> MessageSink for F {
    fn message(&mut self, message: &RawMessage<'_>) {
        self(message);
    }
}

/// A stream of partitioned messages that can be resumed at a position.
///
/// One thread calls it; no call blocks much longer than `timeout`, save the sink's own work.
pub trait Source {
    /// Hands over what is there, at most a few thousand messages or a few megabytes, or says what happened.
    ///
    /// Waits up to `timeout` for the first message. Within a partition messages come in order, without
    /// gaps or overlaps, from the position the tables hold.
    ///
    /// # Errors
    /// What a retry cannot mend: see [`SourceError`]. The source is of no use afterwards.
    fn poll(
        &mut self,
        timeout: Duration,
        sink: &mut dyn MessageSink,
    ) -> Result<Polled, SourceError>;

    /// Holds a partition back, or lets it go on. A paused partition keeps its place and costs nothing.
    ///
    /// # Errors
    /// [`SourceError::Kafka`] when the client refuses. An unknown partition is not an error: it may just
    /// have been revoked.
    fn set_paused(&mut self, partition: &str, paused: bool) -> Result<(), SourceError>;

    /// Further positions that must be committed in one transaction with `positions`, so that the source
    /// can tell next time whether a partition is still what it was.
    fn proofs(&self, positions: &Positions) -> Positions;

    /// Where reading was begun of each partition that is read now.
    fn begun(&self) -> Positions {
        Positions::new()
    }

    /// Tells the source that the tables hold everything before `positions`. For monitors of consumer lag:
    /// a failure is said, not returned, since the tables are what counts.
    fn commit(&mut self, positions: &Positions);

    /// How far the source is, in bytes, where that can be known.
    fn progress(&self) -> Progress;

    /// Which part of the input is read here; `None` where nobody shares it.
    fn share(&self) -> Option<Share> {
        None
    }
}

/// What a call of [`Source::poll`] has brought.
#[derive(Debug)]
pub enum Polled {
    /// So many messages were handed over.
    Messages(usize),
    /// Nothing within the time given.
    Idle,
    /// These partitions are read from now on. For files it comes once, before the first message.
    PartitionsAssigned(Vec<Arc<str>>),
    /// These partitions of the topic are not read here, and may yet come: a member of the group that died is not given up
    /// at once. For now they are as if they had no message.
    PartitionsAwaited(Vec<Arc<str>>),
    /// These partitions go to another member of the group. Their messages have ended: commit what was
    /// read of them before the next call of `poll`, which gives them up.
    PartitionsRevoking(Vec<Arc<str>>),
    /// These partitions were taken away without notice (the group held this member for dead). Forget what was
    /// read of them and not committed: another member may have committed the same already.
    PartitionsLost(Vec<Arc<str>>),
    /// Lines that the tables hold already were passed over. Comes before the partition's first message.
    LinesSkipped {
        /// The partition.
        partition: Arc<str>,
        /// Name of the file as given.
        file: String,
        /// How many lines.
        lines: i64,
    },
    /// A file was read to its end, or a Kafka partition to the end offset seen at start. No message of it follows.
    PartitionEnd(Arc<str>),
    /// A file could not be read further. What was read of it stands; other partitions go on.
    PartitionFailed(Arc<str>, SourceError),
    /// These partitions have no message at the moment.
    CaughtUp(Vec<Arc<str>>),
    /// Every partition has ended. Further calls return the same.
    End,
}

/// A part of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Partitions that are read here.
    pub read: usize,
    /// Partitions of the topic.
    pub of: usize,
}

impl Share {
    /// Whether others read the rest.
    pub const fn is_part(self) -> bool {
        self.read < self.of
    }
}

/// How far a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read, as stored (before decompression).
    pub read: u64,
    /// Bytes in all; `None` where there is no end or none is known.
    pub total: Option<u64>,
    /// Whether it can be read at the moment.
    pub reached: bool,
}

/// What a source cannot mend by itself: what, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A file cannot be opened.
    #[error("cannot open `{}`: {source}", file.display())]
    Open {
        /// As given.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file cannot be read further.
    #[error(
        "cannot read `{file}` after line {line}: {source}; the lines before are kept, scan it again when it is mended"
    )]
    Read {
        /// As given.
        file: String,
        /// Last line that was read whole.
        line: i64,
        /// Why.
        source: std::io::Error,
    },
    /// Standard input or a pipe begins like a file whose lines the tables hold, and is not that file.
    #[error(
        "`{file}` begins like a file that was read before and then differs from it, and cannot be read twice; \
         save it to a file and give the name of that"
    )]
    NotRereadable {
        /// As given.
        file: String,
    },
    /// A librdkafka property is unknown or has a value it does not take.
    #[error("Kafka property `{property}` cannot be `{value}`: {reason}")]
    Property {
        /// Name.
        property: String,
        /// Value given.
        value: String,
        /// As librdkafka says it.
        reason: String,
    },
    /// The topic does not exist.
    #[error(
        "topic `{topic}` does not exist on {brokers}; create it, or feed it with `floodmark ship`"
    )]
    TopicMissing {
        /// Topic.
        topic: String,
        /// Brokers asked.
        brokers: String,
    },
    /// The brokers refuse this client.
    #[error(
        "the brokers {brokers} refuse the connection: {reason}; see the security.*, sasl.* and ssl.* properties"
    )]
    Refused {
        /// Brokers asked.
        brokers: String,
        /// As librdkafka says it.
        reason: String,
    },
    /// The log ends before the position the tables hold.
    #[error(
        "{partition} ends at offset {high}, the tables hold it up to {position}: the topic was created anew, \
         or the brokers lost data; to read it as a new stream choose another --group or --data"
    )]
    TopicRecreated {
        /// Partition.
        partition: Arc<str>,
        /// Next offset according to the tables.
        position: i64,
        /// End of the log.
        high: i64,
    },
    /// The tables could not be asked for positions.
    #[error("cannot look up the positions of {topic} in the tables: {source}")]
    Positions {
        /// Topic.
        topic: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// librdkafka failed in a way it cannot recover from.
    #[error("Kafka client failed: {action}: {source}")]
    Kafka {
        /// What was being done.
        action: &'static str,
        /// Why.
        source: rdkafka::error::KafkaError,
    },
}
