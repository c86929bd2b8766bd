//! A Kafka broker inside the process, for the demo and for tests: librdkafka's mock cluster.
//!
//! It speaks the protocol over a loopback port and keeps everything in memory, some 5 MB a partition (the
//! oldest batches go first), so that whoever fills it must not run ahead of whoever reads it.

use std::fmt;

use rdkafka::error::KafkaError;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

/// The embedded broker could not be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot start the embedded broker: {source}; use a Kafka broker with `run --brokers`")]
pub struct BrokerError {
    #[from]
    source: KafkaError,
}

/// A broker that lives as long as this value.
pub struct EmbeddedBroker {
    cluster: MockCluster<'static, DefaultProducerContext>,
    brokers: String,
}

impl fmt::Debug for EmbeddedBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedBroker").field("brokers", &self.brokers).finish_non_exhaustive()
    }
}

impl EmbeddedBroker {
    /// Starts a broker on a free loopback port, with one topic.
    ///
    /// # Errors
    /// [`BrokerError`] when the system gives no port or the topic is refused.
    pub fn start(topic: &str, partitions: u16) -> Result<Self, BrokerError> {
        let cluster = MockCluster::new(1)?;
        cluster.create_topic(topic, i32::from(partitions), 1)?;
        let brokers = cluster.bootstrap_servers();
        Ok(Self { cluster, brokers })
    }

    /// Where clients connect: `host:port`.
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// Cuts every client off, or lets them come back.
    ///
    /// # Errors
    /// [`BrokerError`] when the cluster refuses.
    pub fn set_reachable(&self, reachable: bool) -> Result<(), BrokerError> {
        let done =
            if reachable { self.cluster.broker_up(-1) } else { self.cluster.broker_down(-1) };
        Ok(done?)
    }

    /// Takes the leader of a partition away, or gives it one.
    #[cfg(test)]
    pub(crate) fn set_led(&self, topic: &str, partition: i32, led: bool) {
        self.cluster.partition_leader(topic, partition, led.then_some(1)).unwrap();
    }
}
