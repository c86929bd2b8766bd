//! One partition assigned to this process: its queue, and how far it was read.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use rdkafka::Message;
use rdkafka::consumer::BaseConsumer;
use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::error::KafkaError;

use super::context::Context;
use crate::message::{Numbering, RawMessage};
use crate::source::MessageSink;

/// One partition.
pub(super) struct Lane {
    pub name: Arc<str>,
    /// Offset after the last message handed over.
    pub next: i64,
    /// Where it ends, if it does.
    pub end: Option<i64>,
    pub ended: bool,
    pub paused: bool,
    queue: PartitionQueue<Context>,
}

/// What a queue gave.
#[derive(Debug, Default)]
pub(super) struct Drained {
    pub messages: usize,
    pub bytes: usize,
    /// What stopped it before it was empty or the limit was reached.
    pub stop: Option<KafkaError>,
}

impl Lane {
    /// Splits the partition's queue off, to be called before the partition is assigned: the client then
    /// leaves the queue alone. `None` when the client does not know the partition.
    pub(super) fn split(
        consumer: &Arc<BaseConsumer<Context>>,
        (topic, number): (&str, i32),
        (next, end): (i64, Option<i64>),
        bell: &SyncSender<()>,
    ) -> Option<Self> {
        let mut queue = consumer.split_partition_queue(topic, number)?;
        queue.set_nonempty_callback(ring(bell));
        let name = format!("{topic}/{number}").into();
        Some(Self { name, next, end, ended: false, paused: false, queue })
    }

    /// Hands over what is in the queue, at most `messages_max`.
    pub(super) fn drain(
        &mut self,
        topic: &str,
        number: i32,
        messages_max: usize,
        sink: &mut dyn MessageSink,
    ) -> Drained {
        let mut drained = Drained::default();
        while !self.paused && !self.ended && drained.messages < messages_max {
            let message = match self.queue.poll(Duration::ZERO) {
                None => break,
                Some(Ok(message)) => message,
                Some(Err(error)) => {
                    drained.stop = Some(error);
                    break;
                }
            };
            let offset = message.offset();
            // What was fetched before the client was told to begin elsewhere.
            if offset < self.next {
                continue;
            }
            self.next = offset + 1;
            if self.end.is_some_and(|end| offset >= end) {
                break;
            }
            // A message without a payload holds no record, but moves the position.
            let payload = message.payload().unwrap_or_default();
            let arrival_ms = message.timestamp().to_millis().unwrap_or_default();
            sink.message(&RawMessage {
                partition: &self.name,
                topic,
                kafka_partition: Some(number),
                offset,
                numbering: Numbering::Records,
                arrival_us: arrival_ms.saturating_mul(1_000),
                payload,
            });
            drained.messages += 1;
            drained.bytes += payload.len();
        }
        drained
    }
}

/// A callback that rings `bell`.
pub(super) fn ring(bell: &SyncSender<()>) -> impl Fn() + Send + Sync + 'static {
    let bell = bell.clone();
    move || {
        // A full bell is rung already.
        bell.try_send(()).ok();
    }
}
