//! The id that the brokers gave a topic: two topics of one name, one after the other, differ in it.
//!
//! The only unsafe code of the project. librdkafka tells the id through its administrative interface, and of that part of
//! it `rdkafka` has no wrapper.
#![expect(unsafe_code, reason = "librdkafka's interface is C; each call says why it is sound")]

use std::ffi::{CString, c_char};
use std::fmt;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::time::Duration;

use rdkafka::bindings as ffi;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::types::RDKafkaRespErr;

use super::context::Context;

/// The alphabet in which Kafka's own tools print ids: base64 for addresses (RFC 4648, §5).
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The id of a topic, a random UUID; no topic made later has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TopicId(u128);

impl TopicId {
    /// From its two halves; `None` for the id that stands for none (brokers before 2.8).
    pub(super) fn of(high: i64, low: i64) -> Option<Self> {
        let id = (u128::from(high.cast_unsigned()) << 64) | u128::from(low.cast_unsigned());
        (id != 0).then_some(Self(id))
    }

    /// Both halves in one number, to be kept beside a position.
    pub(super) fn mark(self) -> i64 {
        let [high, low] = [self.0 >> 64, self.0 & u128::from(u64::MAX)];
        u64::try_from(high ^ low).unwrap_or_default().cast_signed()
    }
}

impl fmt::Display for TopicId {
    /// As Kafka prints it, 22 characters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // 128 bits are 21 characters of six and one of two.
        let sextets = (0..21).map(|n| self.0 >> (122 - 6 * n)).chain([self.0 << 4]);
        let mut chars = sextets.filter_map(|bits| ALPHABET.get((bits & 63) as usize));
        chars.try_for_each(|byte| write!(f, "{}", char::from(*byte)))
    }
}

/// What the brokers say of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// A topic has it.
    Id(TopicId),
    /// No topic has it.
    Missing,
    /// They do not say: too old, or not to us.
    Untold,
    /// Nobody answered in time.
    Silent,
}

/// A question for the id of a topic that is under way.
pub(super) struct Question {
    queue: NonNull<ffi::rd_kafka_queue_t>,
    /// The queue must go before the client does.
    _consumer: Arc<BaseConsumer<Context>>,
}

impl Question {
    /// Asks a broker by its number, and does not wait; `None` for a name that no topic can have. An answer that takes longer
    /// than `timeout` is [`Answer::Silent`].
    pub(super) fn ask(
        consumer: &Arc<BaseConsumer<Context>>,
        (topic, broker): (&str, i32),
        timeout: Duration,
    ) -> Option<Self> {
        let name = CString::new(topic).ok()?;
        let mut names: [*const c_char; 1] = [name.as_ptr()];
        let timeout_ms = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
        let client = consumer.client().native_ptr();
        // SAFETY: the client lives as long as `consumer`. librdkafka copies names and options during the call, and both
        // are destroyed once, after it; the queue is destroyed once, when the question is dropped.
        unsafe {
            let queue = NonNull::new(ffi::rd_kafka_queue_new(client))?;
            let names = ffi::rd_kafka_TopicCollection_of_topic_names(names.as_mut_ptr(), 1);
            let operation = ffi::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS;
            let options = ffi::rd_kafka_AdminOptions_new(client, operation);
            // A value that is refused leaves the default: a longer time, the controller.
            ffi::rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, ptr::null_mut(), 0);
            ffi::rd_kafka_AdminOptions_set_broker(options, broker, ptr::null_mut(), 0);
            ffi::rd_kafka_DescribeTopics(client, names, options, queue.as_ptr());
            ffi::rd_kafka_AdminOptions_destroy(options);
            ffi::rd_kafka_TopicCollection_destroy(names);
            Some(Self { queue, _consumer: Arc::clone(consumer) })
        }
    }

    /// The answer, if it comes within `wait`.
    pub(super) fn answer(&self, wait: Duration) -> Option<Answer> {
        let wait_ms = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the queue lives as long as `self`. What the event holds is read before the event is destroyed, once.
        unsafe {
            let event = NonNull::new(ffi::rd_kafka_queue_poll(self.queue.as_ptr(), wait_ms))?;
            let answer = read(event.as_ptr());
            ffi::rd_kafka_event_destroy(event.as_ptr());
            Some(answer)
        }
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        // SAFETY: it is ours, and nobody else destroys it. An answer that comes later is thrown away by librdkafka.
        unsafe { ffi::rd_kafka_queue_destroy(self.queue.as_ptr()) };
    }
}

/// What an event on a question's queue says.
///
/// # Safety
/// `event` is an event of librdkafka that was not destroyed.
unsafe fn read(event: *mut ffi::rd_kafka_event_t) -> Answer {
    use RDKafkaRespErr as Code;
    // SAFETY: all that is pointed to belongs to the event, and is checked for null before it is followed.
    unsafe {
        let result = ffi::rd_kafka_event_DescribeTopics_result(event);
        if result.is_null() {
            return Answer::Silent;
        }
        let mut code = ffi::rd_kafka_event_error(event);
        let mut id = None;
        let mut count = 0;
        let topics = ffi::rd_kafka_DescribeTopics_result_topics(result, &raw mut count);
        if code == Code::RD_KAFKA_RESP_ERR_NO_ERROR && count > 0 && !topics.is_null() {
            let topic = *topics;
            // The code of no error is what a null error has.
            code = ffi::rd_kafka_error_code(ffi::rd_kafka_TopicDescription_error(topic));
            let uuid = ffi::rd_kafka_TopicDescription_topic_id(topic);
            if !uuid.is_null() {
                let high = ffi::rd_kafka_Uuid_most_significant_bits(uuid);
                id = TopicId::of(high, ffi::rd_kafka_Uuid_least_significant_bits(uuid));
            }
        }
        match (code, id) {
            (Code::RD_KAFKA_RESP_ERR_NO_ERROR, Some(id)) => Answer::Id(id),
            (Code::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, _) => Answer::Missing,
            (
                Code::RD_KAFKA_RESP_ERR__TIMED_OUT
                | Code::RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE
                | Code::RD_KAFKA_RESP_ERR__TRANSPORT
                | Code::RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN
                | Code::RD_KAFKA_RESP_ERR__DESTROY
                | Code::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT
                | Code::RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
                _,
            ) => Answer::Silent,
            _ => {
                tracing::debug!(?code, "the brokers do not tell the topic's id");
                Answer::Untold
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_printed_as_kafka_prints_it() {
        // As `base64.urlsafe_b64encode` of Python gives it for both halves, without padding.
        let id = TopicId::of(0x0102_0304_0506_0708, 0x090a_0b0c_0d0e_0f10).unwrap();
        assert_eq!(id.to_string(), "AQIDBAUGBwgJCgsMDQ4PEA");
        let id = TopicId::of(-1, -5).unwrap();
        assert_eq!(id.to_string(), "____________________-w");
        assert_eq!(TopicId::of(0, 0), None);
    }

    #[test]
    fn a_mark_tells_two_ids_apart() {
        let mark = |high, low| TopicId::of(high, low).unwrap().mark();
        assert_ne!(mark(1, 2), mark(1, 3));
        assert_ne!(mark(1, 2), mark(2, 2));
        assert_eq!(mark(-1, 0), -1);
    }
}
