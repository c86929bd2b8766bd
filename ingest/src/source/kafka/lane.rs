//! One partition assigned to this process: its queue, and how far it was read.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, SystemTime};

use rapidhash::v3::rapidhash_v3;
use rdkafka::Message;
use rdkafka::consumer::BaseConsumer;
use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::error::KafkaError;

use super::context::Context;
use super::topic_id::TopicId;
use crate::source::MessageSink;
use decode::message::{Numbering, RawMessage};

/// A message that says it is older than this, ten years, says nothing, µs: 1970 is what a client without a clock writes.
const AGE_US_MAX: i64 = 10 * 31_557_600_000_000;

/// Messages remembered since it was last known which topic they are of, at most: about what is read in a second, after
/// which that is known anew.
const RECENT_MAX: usize = 1 << 19;

/// A message in short: its offset, and a hash of its time and payload.
type Glimpse = (i64, u64);

/// One partition.
pub(super) struct Lane {
    pub name: Arc<str>,
    /// The topic it is of, where the brokers tell.
    pub id: Option<TopicId>,
    /// Offset at which it was begun.
    pub begun: i64,
    /// Offset after the last message handed over.
    pub next: i64,
    /// The tables held everything before this offset when it was begun.
    pub held: i64,
    /// Where it ends, if it does.
    pub end: Option<i64>,
    pub ended: bool,
    pub paused: bool,
    /// What was handed over since it was last known of which topic it is, in order.
    recent: VecDeque<Glimpse>,
    /// What was handed over under the name of an earlier topic and may have been of this one.
    foreseen: VecDeque<Glimpse>,
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
        (name, id): (&Arc<str>, Option<TopicId>),
        (next, held, end): (i64, i64, Option<i64>),
        bell: &SyncSender<()>,
    ) -> Option<Self> {
        let mut queue = consumer.split_partition_queue(topic, number)?;
        queue.set_nonempty_callback(ring(bell));
        let name = Arc::clone(name);
        let (recent, foreseen) = (VecDeque::new(), VecDeque::new());
        let (ended, paused) = (false, false);
        Some(Self {
            name,
            id,
            begun: next,
            next,
            held,
            end,
            ended,
            paused,
            recent,
            foreseen,
            queue,
        })
    }

    /// What was handed over before `offset` is known to be of the topic of this lane.
    pub(super) fn vouch(&mut self, offset: i64) {
        let known = self.recent.partition_point(|(at, _)| *at < offset);
        self.recent.drain(..known);
    }

    /// What was handed over and nobody vouched for.
    pub(super) fn doubtful(&mut self) -> VecDeque<Glimpse> {
        std::mem::take(&mut self.recent)
    }

    /// Some of the messages to come may have been handed over under another name: `doubtful` of the lane before.
    pub(super) fn foresee(&mut self, doubtful: VecDeque<Glimpse>) {
        self.foreseen = doubtful;
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
            let mut payload = message.payload().unwrap_or_default();
            let stamp_ms = message.timestamp().to_millis();
            let hash = rapidhash_v3(payload) ^ stamp_ms.unwrap_or_default().cast_unsigned();
            if is_repeated(&mut self.foreseen, (offset, hash)) {
                payload = &[];
            }
            // Where the brokers do not tell topics apart, nobody will vouch for it, nor ask.
            if self.id.is_some() {
                remember(&mut self.recent, (offset, hash));
            }
            sink.message(&RawMessage {
                partition: &self.name,
                topic,
                kafka_partition: Some(number),
                offset,
                numbering: Numbering::Records,
                arrival_us: arrival_us(stamp_ms, now_us()),
                payload,
            });
            drained.messages += 1;
            drained.bytes += payload.len();
        }
        drained
    }
}

fn remember(recent: &mut VecDeque<Glimpse>, message: Glimpse) {
    if recent.len() >= RECENT_MAX {
        recent.pop_front();
    }
    recent.push_back(message);
}

/// Whether a message was handed over already, under the name of an earlier topic. `foreseen` is in the order of offsets.
fn is_repeated(foreseen: &mut VecDeque<Glimpse>, message: Glimpse) -> bool {
    while foreseen.front().is_some_and(|(at, _)| *at < message.0) {
        foreseen.pop_front();
    }
    foreseen.front() == Some(&message)
}

/// When a message arrived: its timestamp, or when it was read if it has none or one that cannot be true. Producers may
/// write any time into it, so it is no later than now.
fn arrival_us(stamp_ms: Option<i64>, now_us: i64) -> i64 {
    let plausible = now_us.saturating_sub(AGE_US_MAX)..=now_us;
    let stamp = stamp_ms.map(|millis| millis.saturating_mul(1_000));
    stamp.filter(|stamp| plausible.contains(stamp)).unwrap_or(now_us)
}

fn now_us() -> i64 {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX)
}

/// A callback that rings `bell`.
pub(super) fn ring(bell: &SyncSender<()>) -> impl Fn() + Send + Sync + 'static {
    let bell = bell.clone();
    move || {
        // A full bell is rung already.
        bell.try_send(()).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::{arrival_us, is_repeated};

    #[test]
    fn what_was_read_under_another_name_is_known_again() {
        let mut foreseen = [(5, 50), (6, 60), (8, 80)].into();
        let repeated = [(0, 1), (5, 50), (6, 61), (7, 70), (8, 80), (9, 90)]
            .map(|message| is_repeated(&mut foreseen, message));
        assert_eq!(repeated, [false, true, false, false, true, false]);
    }

    #[test]
    fn a_timestamp_that_cannot_be_true_is_the_time_of_reading() {
        let now = 1_800_000_000_000_000;
        let arrival = |stamp_ms| arrival_us(stamp_ms, now);
        assert_eq!(arrival(Some(1_799_999_999_999)), now - 1_000);
        assert_eq!(arrival(Some(1_700_000_000_000)), 1_700_000_000_000_000);
        for stamp in [None, Some(0), Some(1), Some(-1), Some(4_102_444_800_000), Some(i64::MAX)] {
            assert_eq!(arrival(stamp), now, "{stamp:?}");
        }
    }
}
