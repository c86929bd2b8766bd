//! The producer side: lines into Kafka, none lost, none twice.

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::client::OAuthToken;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::{IsError, KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use rdkafka::types::RDKafkaRespErr;

use super::bookmarks::Ticket;
use super::key::{ClientNetwork, Keys};
use super::pace::Pace;
use super::{ShipConfig, ShipControl, ShipError, ShipProgress};
use crate::client::{Link, client_config};
use crate::token::token;

/// Lines between two looks at the clock, the deliveries and the caller's wishes.
const LINES_BETWEEN_CHECKS: u64 = 256;

/// Longest wait before the caller is asked again whether to stop.
const WAIT: Duration = Duration::from_millis(50);

/// How long a topic may take to appear where brokers make topics on demand.
const TOPIC_TIMEOUT: Duration = Duration::from_secs(10);

/// How long lines under way are waited for after the caller said stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// Chosen for throughput: large batches, much under way.
const DEFAULTS: [(&str, &str); 12] = [
    ("client.id", "floodmark-ship"),
    ("compression.codec", "zstd"),
    ("compression.level", "1"),
    ("linger.ms", "50"),
    ("batch.num.messages", "100000"),
    ("queue.buffering.max.messages", "500000"),
    ("queue.buffering.max.kbytes", "131072"),
    // How large a message may be is for the broker to say.
    ("message.max.bytes", "1000000000"),
    // The same partition as a Java producer would choose.
    ("partitioner", "murmur2_random"),
    // A broker that is away is waited for.
    ("message.timeout.ms", "0"),
    ("reconnect.backoff.max.ms", "5000"),
    ("socket.connection.setup.timeout.ms", "10000"),
];

/// What the delivery reports have said.
#[derive(Debug, Default)]
struct Failures {
    /// Larger than the broker takes.
    oversized: u64,
    others: u64,
    first: Option<KafkaError>,
}

struct Context {
    link: Link,
    delivered: AtomicU64,
    failures: Mutex<Failures>,
}

impl Context {
    fn failures(&self) -> MutexGuard<'_, Failures> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Relaxed)
    }
}

impl ClientContext for Context {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, config: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        Ok(token(config)?)
    }

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.link.on_log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.link.on_error(&error, reason);
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = Ticket;

    fn delivery(&self, result: &DeliveryResult<'_>, ticket: Ticket) {
        let Err((error, message)) = result else {
            ticket.fetch_sub(1, Ordering::Release);
            self.delivered.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let mut failures = self.failures();
        let code = error.rdkafka_error_code();
        if code == Some(RDKafkaErrorCode::MessageSizeTooLarge) {
            ticket.fetch_sub(1, Ordering::Release);
            failures.oversized += 1;
            let bytes = message.payload_len();
            tracing::warn!(bytes, "a line is larger than the brokers take (message.max.bytes)");
        } else {
            // The line stays on its ticket: no place behind it is kept.
            failures.others += 1;
            failures.first.get_or_insert_with(|| error.clone());
        }
    }
}

/// Sends lines and knows what became of them.
pub(super) struct Feed<'a> {
    config: &'a ShipConfig,
    control: &'a mut dyn ShipControl,
    producer: BaseProducer<Context>,
    context: Arc<Context>,
    keys: Keys,
    pace: Option<Pace>,
    pub progress: ShipProgress,
    stopped: bool,
}

/// What was sent of a block.
#[derive(Debug)]
pub(super) struct Sent {
    /// Bytes of the block up to the last line sent, and the end of that line.
    pub bytes: usize,
    /// Its lines that are under way.
    pub ticket: Ticket,
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Continue,
    Stop,
}

impl<'a> Feed<'a> {
    pub(super) fn new(
        config: &'a ShipConfig,
        control: &'a mut dyn ShipControl,
    ) -> Result<Self, ShipError> {
        let fixed =
            [("bootstrap.servers", config.brokers.as_str()), ("enable.idempotence", "true")];
        let client = client_config(&DEFAULTS, &config.properties, &fixed);
        let context = Context {
            link: Link::new(&config.brokers),
            delivered: AtomicU64::new(0),
            failures: Mutex::default(),
        };
        let producer: BaseProducer<Context> =
            BaseProducer::from_config_and_context(&client, context).map_err(creation_error)?;
        let context = Arc::clone(producer.context());
        let pace = config.rate.map(|rate| Pace::new(rate, Instant::now()));
        let progress = ShipProgress::default();
        let keys = Keys::new(&config.decoder)?;
        Ok(Self { config, control, producer, context, keys, pace, progress, stopped: false })
    }

    /// Waits until the brokers answer and have the topic.
    pub(super) fn connect(&mut self) -> Result<Flow, ShipError> {
        let mut missing_since = None;
        loop {
            if self.wait(Duration::ZERO)? == Flow::Stop {
                return Ok(Flow::Stop);
            }
            let answer = self.producer.client().fetch_metadata(Some(&self.config.topic), WAIT * 10);
            let Ok(metadata) = answer else { continue };
            self.context.link.on_answer();
            let Some(topic) = metadata.topics().first() else { continue };
            match topic.error() {
                None => return Ok(Flow::Continue),
                Some(error @ RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) => {
                    return Err(self.refused(KafkaError::MetadataFetch(error.into()).to_string()));
                }
                Some(RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION) => {
                    return Err(self.topic_missing());
                }
                Some(error) => {
                    debug_assert!(error.is_error());
                    let since: &mut Instant = missing_since.get_or_insert_with(Instant::now);
                    if since.elapsed() > TOPIC_TIMEOUT {
                        return Err(self.topic_missing());
                    }
                    self.wait(WAIT)?;
                }
            }
        }
    }

    /// Sends each line of `block`, the next of a file, as a message; what became of it, and how many bytes of the block that is. Blank lines
    /// hold no record and are left out.
    pub(super) fn block(&mut self, file: &str, block: &[u8]) -> Result<(Flow, Sent), ShipError> {
        let ticket = Ticket::default();
        let mut keys = self.keys.of_block(file, block).into_iter();
        let mut start = 0;
        let ends = memchr::memchr_iter(b'\n', block).chain(std::iter::once(block.len()));
        for end in ends {
            let line = block.get(start..end).unwrap_or_default();
            let key = keys.next().flatten();
            if !line.trim_ascii().is_empty() && self.line(line, key, &ticket)? == Flow::Stop {
                return Ok((Flow::Stop, Sent { bytes: start, ticket }));
            }
            start = (end + 1).min(block.len());
        }
        Ok((Flow::Continue, Sent { bytes: block.len(), ticket }))
    }

    fn line(
        &mut self,
        line: &[u8],
        key: Option<ClientNetwork>,
        ticket: &Ticket,
    ) -> Result<Flow, ShipError> {
        if self.progress.lines.is_multiple_of(LINES_BETWEEN_CHECKS) && self.check()? == Flow::Stop {
            return Ok(Flow::Stop);
        }
        while let Some(Err(wait)) = self.pace.as_mut().map(|pace| pace.take(Instant::now())) {
            if self.wait(wait.min(WAIT))? == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        let key = key.map(|network| network.to_string());
        let mut record =
            BaseRecord::<str, [u8], _>::with_opaque_to(&self.config.topic, Arc::clone(ticket))
                .payload(line);
        if let Some(key) = &key {
            record = record.key(key);
        }
        ticket.fetch_add(1, Ordering::Relaxed);
        while let Err((error, refused)) = self.producer.send(record) {
            match error.rdkafka_error_code() {
                Some(RDKafkaErrorCode::QueueFull) => record = refused,
                Some(RDKafkaErrorCode::MessageSizeTooLarge) => {
                    ticket.fetch_sub(1, Ordering::Relaxed);
                    self.context.failures().oversized += 1;
                    break;
                }
                _ => return Err(ShipError::Kafka { action: "sending a line", source: error }),
            }
            if self.wait(WAIT)? == Flow::Stop {
                ticket.fetch_sub(1, Ordering::Relaxed);
                return Ok(Flow::Stop);
            }
        }
        self.progress.lines += 1;
        self.progress.bytes += line.len() as u64;
        Ok(Flow::Continue)
    }

    /// Serves deliveries, tells the caller, and waits while it holds us back.
    fn check(&mut self) -> Result<Flow, ShipError> {
        if self.wait(Duration::ZERO)? == Flow::Stop {
            return Ok(Flow::Stop);
        }
        while !self.control.may_send(self.progress.lines) {
            if self.wait(WAIT / 5)? == Flow::Stop {
                return Ok(Flow::Stop);
            }
        }
        Ok(Flow::Continue)
    }

    /// Serves deliveries for up to `timeout`.
    pub(super) fn wait(&mut self, timeout: Duration) -> Result<Flow, ShipError> {
        let before = self.context.delivered();
        self.producer.poll(timeout);
        self.after_poll(before)?;
        self.stopped = self.stopped || self.control.stop();
        Ok(if self.stopped { Flow::Stop } else { Flow::Continue })
    }

    fn after_poll(&mut self, delivered_before: u64) -> Result<(), ShipError> {
        self.progress.under_way = self.under_way();
        if self.context.delivered() > delivered_before {
            self.context.link.on_answer();
        }
        self.control.progress(&self.progress);
        if let Some(reason) = self.context.link.refusal() {
            return Err(self.refused(reason));
        }
        if let Some((_, reason)) = self.producer.client().fatal_error() {
            return Err(self.undelivered(reason));
        }
        let first = self.context.failures().first.clone();
        first.map_or(Ok(()), |error| Err(self.undelivered(error.to_string())))
    }

    /// Waits until everything sent has arrived.
    pub(super) fn finish(&mut self) -> Result<(), ShipError> {
        let mut stopped_at = None;
        while self.under_way() > 0 {
            let before = self.context.delivered();
            // A timeout is no failure: the counts say what is still under way.
            self.producer.flush(WAIT * 4).ok();
            self.after_poll(before)?;
            self.stopped = self.stopped || self.control.stop();
            if self.stopped && stopped_at.get_or_insert_with(Instant::now).elapsed() > STOP_TIMEOUT
            {
                return Err(self.undelivered("stopped before the brokers took them".to_owned()));
            }
        }
        let oversized = self.context.failures().oversized;
        if oversized > 0 {
            let delivered = self.context.delivered();
            return Err(ShipError::Oversized { lines: oversized, delivered });
        }
        Ok(())
    }

    /// Lines sent of which nothing has been heard.
    fn under_way(&self) -> u64 {
        let failures = self.context.failures();
        let known = self.context.delivered() + failures.oversized + failures.others;
        self.progress.lines.saturating_sub(known)
    }

    fn topic_missing(&self) -> ShipError {
        let (topic, brokers) = (self.config.topic.clone(), self.config.brokers.clone());
        ShipError::TopicMissing { topic, brokers }
    }

    fn refused(&self, reason: String) -> ShipError {
        ShipError::Refused { brokers: self.config.brokers.clone(), reason }
    }

    fn undelivered(&self, reason: String) -> ShipError {
        let delivered = self.context.delivered();
        ShipError::Undelivered {
            lines: self.progress.lines.saturating_sub(delivered),
            delivered,
            topic: self.config.topic.clone(),
            reason,
        }
    }
}

fn creation_error(error: KafkaError) -> ShipError {
    match error {
        KafkaError::ClientConfig(_, reason, property, value) => {
            ShipError::Property { property, value, reason }
        }
        source => ShipError::Kafka { action: "creating the client", source },
    }
}
