//! A Kafka topic as a source: the tables say where each partition goes on, the group who reads it.
//!
//! ```text
//! connect ──▶ join ──▶ assign (look up positions, check them against the log) ──▶ messages … ──▶ revoke
//! ```
//! Which topic has the name may change ([`identity`]): one made anew has partitions of its own.
//!
//! librdkafka calls back on [`Source::poll`] only; the callbacks note changes ([`context`]) and `poll`
//! carries them out ([`changes`]), so that a revoked partition is given up after its rows are in the tables.
//!
//! Each partition has a queue of its own ([`lane`]), so that pausing one is to leave its queue alone:
//! what was fetched ahead stays there. librdkafka's own pause throws it away and fetches it again.

mod assignment;
mod changes;
mod config;
mod context;
mod identity;
mod lane;
#[cfg(test)]
mod tests;
mod topic_id;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};

use self::changes::Revocation;
pub use self::config::{Held, KafkaConfig, Membership, OffsetReset, PositionLookup};
use self::context::{Change, Context, refuse};
use self::identity::Identity;
pub use self::identity::succeeds;
use self::lane::{Drained, Lane};
use super::{MessageSink, Polled, Positions, Progress, Share, Source, SourceError};

/// Messages handed over by one poll, at most.
const POLL_MESSAGES_MAX: usize = 4_096;

/// Messages handed over by one poll from one partition, at most.
const LANE_MESSAGES_MAX: usize = 1_024;

/// Bytes handed over by one poll, about: one message may exceed it.
const POLL_BYTES_MAX: usize = 4 << 20;

/// Events of the client handled by one poll, at most: its debug log comes as events, too.
const CLIENT_EVENTS_MAX: usize = 4_096;

/// Longest wait for an answer of a broker within one poll.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);

/// How often the brokers are asked for what they did not tell, and which topic has the name.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// Longest wait for the last commit of the group's offsets: a stop takes seconds, not a session.
const LAST_COMMIT_WAIT: Duration = Duration::from_secs(3);

/// Reads a topic from where the tables stand.
pub struct KafkaSource {
    consumer: Arc<BaseConsumer<Context>>,
    /// Rung when a queue gets its first message.
    bell: (SyncSender<()>, Receiver<()>),
    config: KafkaConfig,
    lookup: PositionLookup,
    phase: Phase,
    partitions: BTreeMap<i32, Lane>,
    /// The partition that is read first at the next poll.
    turn: i32,
    /// All partitions of the topic, as of the start.
    topic: Vec<i32>,
    events: VecDeque<Polled>,
    /// Partitions that are to be read here and wait for the brokers to tell where they begin; who was asked last is last.
    awaited: VecDeque<i32>,
    /// When the brokers were last asked for them.
    awaited_since: Option<Instant>,
    /// What the caller was told of, to be carried out at the next poll.
    revoking: Option<Revocation>,
    /// End offsets seen at start, where the source ends there.
    ends: BTreeMap<i32, i64>,
    /// Partitions whose next message is outside the log.
    misplaced: BTreeSet<i32>,
    identity: Identity,
    /// What was last committed to the group.
    committed: TopicPartitionList,
    bytes_read: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The topic has not been seen.
    Connecting,
    /// Subscribed, nothing assigned so far.
    Joining,
    /// Reading.
    Running,
}

impl fmt::Debug for KafkaSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaSource")
            .field("topic", &self.config.topic)
            .field("phase", &self.phase)
            .field("partitions", &self.partitions.keys())
            .finish_non_exhaustive()
    }
}

impl KafkaSource {
    /// A source for `config`. Nothing is asked of the brokers before the first poll.
    ///
    /// # Errors
    /// [`SourceError::Property`] for a property that librdkafka does not take, [`SourceError::Kafka`] when
    /// the client cannot be made, for example because a certificate file cannot be read.
    pub fn new(config: KafkaConfig, lookup: PositionLookup) -> Result<Self, SourceError> {
        let context = Context::new(&config.brokers);
        let mut consumer = BaseConsumer::from_config_and_context(&config.client(), context)
            .map_err(creation_error)?;
        let bell = sync_channel(1);
        consumer.set_nonempty_callback(lane::ring(&bell.0));
        Ok(Self {
            consumer: Arc::new(consumer),
            bell,
            config,
            lookup,
            phase: Phase::Connecting,
            partitions: BTreeMap::new(),
            turn: 0,
            topic: Vec::new(),
            events: VecDeque::new(),
            awaited: VecDeque::new(),
            awaited_since: None,
            revoking: None,
            ends: BTreeMap::new(),
            misplaced: BTreeSet::new(),
            identity: Identity::default(),
            committed: TopicPartitionList::new(),
            bytes_read: 0,
        })
    }

    fn names(&self, partitions: &[i32]) -> Vec<Arc<str>> {
        let known = partitions.iter().filter_map(|partition| self.partitions.get(partition));
        known.map(|partition| Arc::clone(&partition.name)).collect()
    }

    fn name(&self, number: i32) -> Arc<str> {
        let known = self.identity.name(number).cloned();
        known.unwrap_or_else(|| format!("{}/{number}", self.config.topic).into())
    }

    fn list(&self, partitions: &[i32]) -> TopicPartitionList {
        partition_list(&self.config.topic, partitions)
    }

    /// Lets the client call back, until nothing waits to be told.
    fn serve_client(&mut self) -> Result<(), SourceError> {
        let mut served = self.consumer.context().served();
        for _ in 0..CLIENT_EVENTS_MAX {
            let polled = self.consumer.poll(Duration::ZERO);
            let before = std::mem::replace(&mut served, self.consumer.context().served());
            match polled {
                None if served == before => break,
                None => {}
                // Messages come by the queues of their partitions.
                Some(Ok(message)) => drop(message),
                Some(Err(error)) => self.on_error(error)?,
            }
        }
        Ok(())
    }

    /// Hands over what the client has fetched, and notes what it reports.
    fn consume(&mut self, sink: &mut dyn MessageSink) -> Result<usize, SourceError> {
        self.serve_client()?;
        let mut stops = Vec::new();
        let mut total = Drained::default();
        let turn = self.turn;
        let after = self.partitions.range(turn..).map(|(number, _)| *number);
        let numbers: Vec<i32> =
            after.chain(self.partitions.range(..turn).map(|(number, _)| *number)).collect();
        for number in numbers {
            self.turn = number;
            if total.messages >= POLL_MESSAGES_MAX || total.bytes >= POLL_BYTES_MAX {
                break;
            }
            self.turn = number.saturating_add(1);
            let Some(lane) = self.partitions.get_mut(&number) else { continue };
            let drained = lane.drain(&self.config.topic, number, LANE_MESSAGES_MAX, sink);
            total.messages += drained.messages;
            total.bytes += drained.bytes;
            stops.extend(drained.stop.map(|error| (number, error)));
        }
        for (number, error) in stops {
            self.on_lane_error(number, error)?;
        }
        self.bytes_read += total.bytes as u64;
        if total.messages > 0 {
            self.consumer.context().link.on_answer();
        }
        Ok(total.messages)
    }

    /// Decides what an error in a partition's queue means for us.
    fn on_lane_error(&mut self, number: i32, error: KafkaError) -> Result<(), SourceError> {
        if let KafkaError::PartitionEOF(_) = error {
            self.on_partition_eof(number);
            return Ok(());
        }
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AutoOffsetReset) {
            self.misplaced.insert(number);
            return Ok(());
        }
        self.on_error(error)
    }

    /// Decides what an error of the client means for us.
    fn on_error(&mut self, error: KafkaError) -> Result<(), SourceError> {
        if let KafkaError::MessageConsumptionFatal(_) = error {
            return Err(SourceError::Kafka { action: "reading the topic", source: error });
        }
        match error.rdkafka_error_code() {
            Some(
                RDKafkaErrorCode::TopicAuthorizationFailed
                | RDKafkaErrorCode::GroupAuthorizationFailed
                | RDKafkaErrorCode::ClusterAuthorizationFailed,
            ) => return Err(self.refused(error.to_string())),
            // The link speaks for these, and librdkafka tries again.
            Some(
                RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::Resolve
                | RDKafkaErrorCode::SSL
                | RDKafkaErrorCode::Authentication
                | RDKafkaErrorCode::SaslAuthenticationFailed,
            ) => {}
            // So does the topic's identity for these.
            Some(
                RDKafkaErrorCode::UnknownTopicOrPartition
                | RDKafkaErrorCode::UnknownTopic
                | RDKafkaErrorCode::UnknownPartition
                | RDKafkaErrorCode::UnknownTopicId,
            ) => self.identity.doubt(),
            _ => tracing::warn!(%error, topic = self.config.topic, "the brokers report a fault"),
        }
        Ok(())
    }

    fn on_partition_eof(&mut self, number: i32) {
        self.consumer.context().link.on_answer();
        let Some(partition) = self.partitions.get_mut(&number) else { return };
        if partition.ended {
            return;
        }
        let name = Arc::clone(&partition.name);
        if partition.end.is_some() {
            partition.ended = true;
            self.events.push_back(Polled::PartitionEnd(name));
        } else {
            self.events.push_back(Polled::CaughtUp(vec![name]));
        }
    }

    /// Reports partitions that have come to the end seen at start, and stops fetching them.
    fn end_partitions(&mut self) -> Result<(), SourceError> {
        let mut ended = Vec::new();
        for (number, partition) in &mut self.partitions {
            if !partition.ended && partition.end.is_some_and(|end| partition.next >= end) {
                partition.ended = true;
                ended.push(*number);
                self.events.push_back(Polled::PartitionEnd(Arc::clone(&partition.name)));
            }
        }
        if ended.is_empty() {
            return Ok(());
        }
        self.consumer
            .pause(&self.list(&ended))
            .map_err(|source| SourceError::Kafka { action: "pausing a partition", source })
    }

    fn is_at_end(&self) -> bool {
        self.config.exit_at_end
            && self.phase == Phase::Running
            && self.awaited.is_empty()
            && self.partitions.values().all(|partition| partition.ended)
    }

    fn refused(&self, reason: String) -> SourceError {
        SourceError::Refused { brokers: self.config.brokers.clone(), reason }
    }

    /// Fails when the brokers do not want us.
    fn check_refusal(&self) -> Result<(), SourceError> {
        match self.consumer.context().link.refusal() {
            Some(reason) => Err(self.refused(reason)),
            None => Ok(()),
        }
    }

    fn idle(&mut self) -> Result<Polled, SourceError> {
        self.check_refusal()?;
        if self.consumer.context().link.is_down() {
            self.probe();
        }
        Ok(Polled::Idle)
    }
}

pub(super) fn partition_list(topic: &str, partitions: &[i32]) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for partition in partitions {
        list.add_partition(topic, *partition);
    }
    list
}

impl Source for KafkaSource {
    fn poll(
        &mut self,
        timeout: Duration,
        sink: &mut dyn MessageSink,
    ) -> Result<Polled, SourceError> {
        if let Some(event) = self.events.pop_front() {
            return Ok(event);
        }
        if self.phase == Phase::Connecting && !self.connect()? {
            return self.idle();
        }
        self.watch_identity()?;
        self.apply_changes()?;
        if self.revoking.is_none() {
            self.reposition()?;
        }
        if let Some(event) = self.events.pop_front() {
            return Ok(event);
        }
        if self.is_at_end() {
            return Ok(Polled::End);
        }
        let mut messages = self.consume(sink)?;
        if messages == 0 && self.events.is_empty() {
            // It rings for the first message of any queue, or not at all: both are fine.
            self.bell.1.recv_timeout(timeout).ok();
            messages = self.consume(sink)?;
        }
        self.end_partitions()?;
        if messages > 0 {
            return Ok(Polled::Messages(messages));
        }
        match self.events.pop_front() {
            Some(event) => Ok(event),
            None => self.idle(),
        }
    }

    fn set_paused(&mut self, partition: &str, paused: bool) -> Result<(), SourceError> {
        for lane in self.partitions.values_mut().filter(|lane| &*lane.name == partition) {
            lane.paused = paused;
        }
        Ok(())
    }

    fn proofs(&self, positions: &Positions) -> Positions {
        self.marks(positions)
    }

    fn begun(&self) -> Positions {
        let lanes = self.partitions.values();
        lanes.map(|lane| (Arc::clone(&lane.name), lane.begun)).collect()
    }

    fn commit(&mut self, positions: &Positions) {
        let mut list = TopicPartitionList::new();
        for (number, partition) in &self.partitions {
            if let Some(next) = positions.get(&partition.name) {
                let offset = Offset::Offset(*next);
                // The list takes any offset from 0 on.
                list.add_partition_offset(&self.config.topic, *number, offset).ok();
            }
        }
        if list.count() > 0 {
            let result = self.consumer.commit(&list, CommitMode::Async);
            if result.is_err() {
                self.consumer.context().on_commit(&result);
            }
            self.committed = list;
        }
    }

    fn progress(&self) -> Progress {
        let reached = self.phase != Phase::Connecting && !self.consumer.context().link.is_down();
        Progress { read: self.bytes_read, total: None, reached }
    }

    fn share(&self) -> Option<Share> {
        let read = self.partitions.len();
        // Partitions added since the start are known once they are assigned.
        (read > 0).then(|| Share { read, of: self.topic.len().max(read) })
    }
}

impl KafkaSource {
    /// Commits the group's offsets and waits for a while: amid a rebalance the answer comes when a session has timed out.
    /// They are for lag monitors alone; the tables hold the positions.
    fn commit_in_time(&self) {
        let (consumer, offsets) = (Arc::clone(&self.consumer), self.committed.clone());
        let (done, answer) = sync_channel(1);
        let commit = move || {
            consumer.commit(&offsets, CommitMode::Sync).ok();
            // Nobody may be waiting any more.
            done.send(()).ok();
        };
        let started = std::thread::Builder::new().name("last commit".into()).spawn(commit);
        if started.is_ok() && answer.recv_timeout(LAST_COMMIT_WAIT).is_err() {
            // The thread keeps the client open; the others need not wait for this member all the same.
            self.consumer.unsubscribe();
        }
    }
}

impl Drop for KafkaSource {
    /// Leaves the group, so that the others need not wait for this member to time out.
    fn drop(&mut self) {
        let context = Arc::clone(self.consumer.context());
        // The last commit may be under way still: lag monitors would wait for ever.
        if self.committed.count() > 0 && !context.link.is_down() {
            self.commit_in_time();
        }
        context.close();
        let revoking = self.revoking.take().map(|revoked| Change::Revoke(revoked.partitions));
        if let Some(change) = revoking.or_else(|| context.next_change()) {
            refuse(&self.consumer, &self.config.topic, &change);
        }
        // The queues keep the client alive.
        self.partitions.clear();
    }
}

fn creation_error(error: KafkaError) -> SourceError {
    match error {
        KafkaError::ClientConfig(_, reason, property, value) => {
            SourceError::Property { property, value, reason }
        }
        source => SourceError::Kafka { action: "creating the client", source },
    }
}
