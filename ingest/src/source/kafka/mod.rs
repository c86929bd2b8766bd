//! A Kafka topic as a source: the tables say where each partition goes on, the group who reads it.
//!
//! ```text
//! connect ──▶ join ──▶ assign (look up positions, check them against the log) ──▶ messages … ──▶ revoke
//! ```
//! librdkafka calls back on [`Source::poll`] only; the callbacks note changes ([`context`]) and `poll`
//! carries them out, so that a revoked partition is given up after its rows are in the tables.

mod assignment;
mod config;
mod context;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::{Message, Offset, TopicPartitionList};

pub use self::config::{KafkaConfig, Membership, OffsetReset, PositionLookup};
use self::context::{Change, Context, give_up, refuse};
use super::{MessageSink, Polled, Positions, Progress, Source, SourceError};
use crate::message::{Numbering, RawMessage};

/// Messages handed over by one poll, at most.
const POLL_MESSAGES_MAX: usize = 4_096;

/// Bytes handed over by one poll, about: one message may exceed it.
const POLL_BYTES_MAX: usize = 4 << 20;

/// Longest wait for an answer of a broker within one poll.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);

/// Reads a topic from where the tables stand.
pub struct KafkaSource {
    consumer: BaseConsumer<Context>,
    config: KafkaConfig,
    lookup: PositionLookup,
    phase: Phase,
    partitions: BTreeMap<i32, Partition>,
    events: VecDeque<Polled>,
    /// An assignment that waits for an answer of the brokers.
    assigning: Option<Vec<i32>>,
    /// Partitions the caller was told of, to be given up at the next poll.
    revoking: Option<Vec<i32>>,
    /// End offsets seen at start, where the source ends there.
    ends: BTreeMap<i32, i64>,
    /// Some partition's next message is outside the log.
    misplaced: bool,
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

/// One partition assigned to this process.
#[derive(Debug)]
struct Partition {
    name: Arc<str>,
    /// Offset after the last message handed over.
    next: i64,
    /// Where it ends, if it does.
    end: Option<i64>,
    ended: bool,
    paused: bool,
}

/// What a message or an error leads to.
enum Step {
    /// A message was handed over.
    Message { bytes: usize },
    /// Nothing to hand over; go on.
    Nothing,
    /// Something waits to be reported or carried out.
    Event,
}

impl fmt::Debug for KafkaSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaSource")
            .field("topic", &self.config.topic)
            .field("phase", &self.phase)
            .field("partitions", &self.partitions)
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
        let consumer = BaseConsumer::from_config_and_context(&config.client(), context)
            .map_err(creation_error)?;
        Ok(Self {
            consumer,
            config,
            lookup,
            phase: Phase::Connecting,
            partitions: BTreeMap::new(),
            events: VecDeque::new(),
            assigning: None,
            revoking: None,
            ends: BTreeMap::new(),
            misplaced: false,
            bytes_read: 0,
        })
    }

    /// Carries out what the group asked for.
    fn apply_changes(&mut self) -> Result<(), SourceError> {
        if let Some(partitions) = self.revoking.take() {
            self.give_up(&partitions)?;
        }
        while self.events.is_empty() && self.revoking.is_none() {
            if let Some(partitions) = self.assigning.take() {
                if !self.assign(&partitions)? {
                    self.assigning = Some(partitions);
                    return Ok(());
                }
                continue;
            }
            match self.consumer.context().next_change() {
                None => break,
                Some(Change::Assign(partitions)) => self.assigning = Some(partitions),
                Some(Change::Revoke(partitions)) => {
                    let names = self.names(&partitions);
                    if !names.is_empty() {
                        self.events.push_back(Polled::PartitionsRevoking(names));
                    }
                    self.revoking = Some(partitions);
                }
                Some(Change::Lost(partitions)) => {
                    let names = self.names(&partitions);
                    self.give_up(&partitions)?;
                    if !names.is_empty() {
                        tracing::warn!(?names, "partitions were given to another member of the group");
                        self.events.push_back(Polled::PartitionsLost(names));
                    }
                }
            }
        }
        Ok(())
    }

    fn names(&self, partitions: &[i32]) -> Vec<Arc<str>> {
        let known = partitions.iter().filter_map(|partition| self.partitions.get(partition));
        known.map(|partition| Arc::clone(&partition.name)).collect()
    }

    fn give_up(&mut self, partitions: &[i32]) -> Result<(), SourceError> {
        for partition in partitions {
            self.partitions.remove(partition);
        }
        give_up(&self.consumer, &self.list(partitions))
            .map_err(|source| SourceError::Kafka { action: "giving partitions up", source })
    }

    fn list(&self, partitions: &[i32]) -> TopicPartitionList {
        partition_list(&self.config.topic, partitions)
    }

    /// Hands over what the client has fetched.
    fn consume(
        &mut self,
        timeout: Duration,
        sink: &mut dyn MessageSink,
    ) -> Result<usize, SourceError> {
        let (mut messages, mut bytes_taken, mut wait) = (0, 0, timeout);
        while messages < POLL_MESSAGES_MAX && bytes_taken < POLL_BYTES_MAX {
            let Some(polled) = self.consumer.poll(wait) else { break };
            wait = Duration::ZERO;
            let step = match polled {
                Ok(message) => {
                    take(&self.config.topic, &mut self.partitions, &message, sink)
                }
                Err(error) => self.on_error(error)?,
            };
            match step {
                Step::Message { bytes } => {
                    messages += 1;
                    bytes_taken += bytes;
                }
                Step::Nothing => {}
                Step::Event => break,
            }
        }
        self.bytes_read += bytes_taken as u64;
        if messages > 0 {
            self.consumer.context().link.on_answer();
        }
        Ok(messages)
    }

    /// Decides what an error of the client means for us.
    fn on_error(&mut self, error: KafkaError) -> Result<Step, SourceError> {
        if let KafkaError::PartitionEOF(partition) = error {
            return Ok(self.on_partition_eof(partition));
        }
        if let KafkaError::MessageConsumptionFatal(_) = error {
            return Err(SourceError::Kafka { action: "reading the topic", source: error });
        }
        match error.rdkafka_error_code() {
            Some(
                RDKafkaErrorCode::TopicAuthorizationFailed
                | RDKafkaErrorCode::GroupAuthorizationFailed
                | RDKafkaErrorCode::ClusterAuthorizationFailed,
            ) => return Err(self.refused(error.to_string())),
            Some(RDKafkaErrorCode::AutoOffsetReset) => {
                self.misplaced = true;
                return Ok(Step::Event);
            }
            // The link speaks for these, and librdkafka tries again.
            Some(
                RDKafkaErrorCode::AllBrokersDown
                | RDKafkaErrorCode::BrokerTransportFailure
                | RDKafkaErrorCode::Resolve
                | RDKafkaErrorCode::SSL
                | RDKafkaErrorCode::Authentication
                | RDKafkaErrorCode::SaslAuthenticationFailed,
            ) => {}
            _ => tracing::warn!(%error, topic = self.config.topic, "the brokers report a fault"),
        }
        Ok(Step::Nothing)
    }

    fn on_partition_eof(&mut self, number: i32) -> Step {
        self.consumer.context().link.on_answer();
        let Some(partition) = self.partitions.get_mut(&number) else { return Step::Nothing };
        if partition.ended {
            return Step::Nothing;
        }
        let name = Arc::clone(&partition.name);
        if partition.end.is_some() {
            partition.ended = true;
            self.events.push_back(Polled::PartitionEnd(name));
        } else {
            self.events.push_back(Polled::CaughtUp(vec![name]));
        }
        Step::Event
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
            && self.assigning.is_none()
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

    fn idle(&mut self, timeout: Duration) -> Result<Polled, SourceError> {
        self.check_refusal()?;
        if self.consumer.context().link.is_down() {
            self.probe(timeout);
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

/// Hands one message over, unless it is outside what is wanted.
fn take(
    topic: &str,
    partitions: &mut BTreeMap<i32, Partition>,
    message: &BorrowedMessage<'_>,
    sink: &mut dyn MessageSink,
) -> Step {
    let number = message.partition();
    let offset = message.offset();
    let Some(partition) = partitions.get_mut(&number) else { return Step::Nothing };
    if partition.ended || offset < partition.next {
        return Step::Nothing;
    }
    partition.next = offset + 1;
    if partition.end.is_some_and(|end| offset >= end) {
        return Step::Event;
    }
    // A message without a payload holds no record, but moves the position.
    let payload = message.payload().unwrap_or_default();
    sink.message(&RawMessage {
        partition: &partition.name,
        topic,
        kafka_partition: Some(number),
        offset,
        numbering: Numbering::Records,
        arrival_us: message.timestamp().to_millis().unwrap_or_default().saturating_mul(1_000),
        payload,
    });
    Step::Message { bytes: payload.len() }
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
        if self.phase == Phase::Connecting && !self.connect(timeout)? {
            return self.idle(timeout);
        }
        self.apply_changes()?;
        if self.misplaced {
            self.misplaced = !self.reposition()?;
        }
        if let Some(event) = self.events.pop_front() {
            return Ok(event);
        }
        if self.is_at_end() {
            return Ok(Polled::End);
        }
        let timeout = if self.assigning.is_some() { Duration::ZERO } else { timeout };
        let messages = self.consume(timeout, sink)?;
        self.end_partitions()?;
        match messages {
            0 => match self.events.pop_front() {
                Some(event) => Ok(event),
                None => self.idle(timeout),
            },
            messages => Ok(Polled::Messages(messages)),
        }
    }

    fn set_paused(&mut self, partition: &str, paused: bool) -> Result<(), SourceError> {
        let found = self.partitions.iter_mut().find(|(_, known)| &*known.name == partition);
        let Some((number, known)) = found else { return Ok(()) };
        if known.paused == paused || known.ended {
            return Ok(());
        }
        known.paused = paused;
        let list = partition_list(&self.config.topic, &[*number]);
        let done =
            if paused { self.consumer.pause(&list) } else { self.consumer.resume(&list) };
        done.map_err(|source| SourceError::Kafka { action: "pausing a partition", source })
    }

    fn proofs(&self, _positions: &Positions) -> Positions {
        Positions::new()
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
        }
    }

    fn progress(&self) -> Progress {
        Progress { read: self.bytes_read, total: None }
    }
}

impl Drop for KafkaSource {
    /// Leaves the group, so that the others need not wait for this member to time out.
    fn drop(&mut self) {
        let context = Arc::clone(self.consumer.context());
        context.close();
        let revoking = self.revoking.take().map(Change::Revoke);
        let assigning = self.assigning.take().map(Change::Assign);
        if let Some(change) = revoking.or(assigning).or_else(|| context.next_change()) {
            refuse(&self.consumer, &self.config.topic, &change);
        }
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
