//! librdkafka's callbacks: they note what happened, the source acts on it in its own time.

use std::collections::VecDeque;
use std::error::Error;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use rdkafka::ClientContext;
use rdkafka::TopicPartitionList;
use rdkafka::client::OAuthToken;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::types::RDKafkaRespErr;

use super::partition_list;
use crate::client::Link;
use crate::token::token;

/// A change of assignment that the group waits for us to carry out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    Assign(Vec<i32>),
    Revoke(Vec<i32>),
    /// Taken away already.
    Lost(Vec<i32>),
}

#[derive(Debug)]
pub(super) struct Context {
    pub link: Link,
    changes: Mutex<VecDeque<Change>>,
    /// Callbacks so far.
    served: AtomicU64,
    closing: AtomicBool,
    commit_failing: AtomicBool,
}

impl Context {
    pub(super) fn new(brokers: &str) -> Self {
        Self {
            link: Link::new(brokers),
            changes: Mutex::default(),
            served: AtomicU64::new(0),
            closing: AtomicBool::new(false),
            commit_failing: AtomicBool::new(false),
        }
    }

    pub(super) fn next_change(&self) -> Option<Change> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// How many callbacks there were: a poll of the client that gives nothing has either served one or had none to serve.
    pub(super) fn served(&self) -> u64 {
        self.served.load(Ordering::Relaxed)
    }

    fn count(&self) {
        self.served.fetch_add(1, Ordering::Relaxed);
    }

    /// From now on a revocation is carried out at once.
    pub(super) fn close(&self) {
        self.closing.store(true, Ordering::Relaxed);
    }

    /// Notes whether offsets can be committed; says it when that changes.
    pub(super) fn on_commit(&self, result: &KafkaResult<()>) {
        let failing = result.is_err();
        if self.commit_failing.swap(failing, Ordering::Relaxed) != failing {
            match result {
                Ok(()) => tracing::info!("the group's offsets are committed again"),
                Err(error) => tracing::warn!(%error,
                    "cannot commit the group's offsets: lag monitors stand still, the tables do not"),
            }
        }
    }
}

impl ClientContext for Context {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, config: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        self.count();
        Ok(token(config)?)
    }

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.count();
        self.link.on_log(level, facility, message);
    }

    /// Nobody asked for them, unless by a property.
    fn stats_raw(&self, _: &[u8]) {
        self.count();
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.count();
        // Who leaves has no use for brokers any more.
        if !self.closing.load(Ordering::Relaxed) {
            self.link.on_error(&error, reason);
        }
    }
}

impl ConsumerContext for Context {
    fn rebalance(
        &self,
        consumer: &BaseConsumer<Self>,
        kind: RDKafkaRespErr,
        list: &mut TopicPartitionList,
    ) {
        self.count();
        let assign = kind == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;
        let partitions = list.elements().iter().map(TopicPartitionListElem::partition).collect();
        let change = match (assign, consumer.assignment_lost()) {
            (true, _) => Change::Assign(partitions),
            (false, true) => Change::Lost(partitions),
            (false, false) => Change::Revoke(partitions),
        };
        if self.closing.load(Ordering::Relaxed) {
            let topic = list.elements().first().map(|element| element.topic().to_owned());
            refuse(consumer, &topic.unwrap_or_default(), &change);
            return;
        }
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).push_back(change);
    }

    fn commit_callback(&self, result: KafkaResult<()>, _offsets: &TopicPartitionList) {
        self.count();
        self.on_commit(&result);
    }
}

/// Ends the reading of `list`, whichever way the group shares partitions out.
pub(super) fn give_up(
    consumer: &BaseConsumer<Context>,
    list: &TopicPartitionList,
) -> KafkaResult<()> {
    match consumer.rebalance_protocol() {
        RebalanceProtocol::Cooperative => consumer.incremental_unassign(list),
        RebalanceProtocol::Eager | RebalanceProtocol::None => consumer.unassign(),
    }
}

/// Answers a change that comes while we are leaving: nothing is taken on, all is given up.
pub(super) fn refuse(consumer: &BaseConsumer<Context>, topic: &str, change: &Change) {
    let nothing = TopicPartitionList::new();
    let result = match (change, consumer.rebalance_protocol()) {
        (Change::Assign(_), RebalanceProtocol::Cooperative) => {
            consumer.incremental_assign(&nothing)
        }
        (Change::Assign(_), _) => consumer.unassign(),
        (Change::Revoke(partitions) | Change::Lost(partitions), _) => {
            give_up(consumer, &partition_list(topic, partitions))
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "cannot answer the group while leaving it");
    }
}
