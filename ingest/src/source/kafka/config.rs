//! Settings of the Kafka source, and what they are in librdkafka's words.

use std::error::Error;
use std::sync::Arc;

use rdkafka::ClientConfig;

use crate::client::{Properties, client_config};
use crate::source::Positions;

/// What the tables hold of partitions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    /// Next position of each; one they lack is left out.
    pub positions: Positions,
    /// Where those are to be read from, before that, of which what the tables hold must be seen again.
    pub again: Positions,
}

/// Asks the tables for the positions of partitions.
///
/// Called each time partitions are assigned, since another member of the group may have committed further.
pub type PositionLookup =
    Box<dyn FnMut(&[Arc<str>]) -> Result<Held, Box<dyn Error + Send + Sync>> + Send>;

/// Where to begin a partition of which the tables hold nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OffsetReset {
    /// At the oldest message kept.
    #[default]
    Earliest,
    /// After the newest.
    Latest,
}

/// Who else reads the topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Membership {
    /// The partitions are shared out among the members of the consumer group.
    #[default]
    Group,
    /// This process takes every partition without asking. It starts at once, and nobody else may run.
    Alone,
}

/// What to read and how.
#[derive(Debug, Clone)]
pub struct KafkaConfig {
    /// `host:port`, several with commas.
    pub brokers: String,
    /// Topic.
    pub topic: String,
    /// Consumer group.
    pub group: String,
    /// librdkafka properties: TLS, SASL, sizes. They override the defaults here, except those the
    /// exactly-once tables rest on.
    pub properties: Properties,
    /// End at the end offsets seen at start.
    pub exit_at_end: bool,
    /// Wait for a missing topic instead of failing.
    pub wait_for_topic: bool,
    /// Where to begin without a position.
    pub offset_reset: OffsetReset,
    /// Shared or alone.
    pub membership: Membership,
}

impl KafkaConfig {
    /// A member of `group` that reads `topic` until stopped, from the oldest message on.
    ///
    /// # Example
    /// ```
    /// # use ingest::KafkaConfig;
    /// let config = KafkaConfig::new("127.0.0.1:9092", "edge-logs", "floodmark");
    /// assert!(!config.exit_at_end);
    /// ```
    pub fn new(brokers: &str, topic: &str, group: &str) -> Self {
        Self {
            brokers: brokers.to_owned(),
            topic: topic.to_owned(),
            group: group.to_owned(),
            properties: Properties::new(),
            exit_at_end: false,
            wait_for_topic: false,
            offset_reset: OffsetReset::default(),
            membership: Membership::default(),
        }
    }

    pub(super) fn client(&self) -> ClientConfig {
        let fixed = [
            ("bootstrap.servers", self.brokers.as_str()),
            ("group.id", self.group.as_str()),
            // The tables say where to go on.
            ("enable.auto.commit", "false"),
            ("enable.auto.offset.store", "false"),
            // A position outside the log must be seen, not mended.
            ("auto.offset.reset", "error"),
            ("enable.partition.eof", "true"),
        ];
        client_config(&DEFAULTS, &self.properties, &fixed)
    }
}

/// Chosen for throughput under a bound of memory: a partition's queue holds 8 MiB, and the fetch that fills it
/// unpacks to some 4 MiB.
const DEFAULTS: [(&str, &str); 13] = [
    ("client.id", "floodmark"),
    ("partition.assignment.strategy", "cooperative-sticky"),
    ("check.crcs", "true"),
    ("fetch.message.max.bytes", "262144"),
    ("fetch.max.bytes", "8388608"),
    // One message may be as large as the broker lets it.
    ("receive.message.max.bytes", "1000000000"),
    ("queued.max.messages.kbytes", "8192"),
    // The queue is drained in some 10 ms: the default of 1 s would leave it empty.
    ("fetch.queue.backoff.ms", "5"),
    ("fetch.wait.max.ms", "100"),
    // A commit to a slow store must not look like death.
    ("max.poll.interval.ms", "900000"),
    // New partitions are seen soon, and so is a topic that was not yet known to the broker asked first: the default of five
    // minutes would leave a member that began too early without an assignment for as long.
    ("topic.metadata.refresh.interval.ms", "10000"),
    ("reconnect.backoff.max.ms", "5000"),
    ("socket.connection.setup.timeout.ms", "10000"),
];
