//! Where partitions begin: the positions of the tables, checked against what the brokers still have.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use rdkafka::consumer::{Consumer, RebalanceProtocol};
use rdkafka::error::{IsError, KafkaError, KafkaResult};
use rdkafka::metadata::MetadataPartition;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};

use super::config::{Held, Membership, OffsetReset};
use super::identity::is_later;
use super::lane::Lane;
use super::{KafkaSource, Phase, REQUEST_TIMEOUT};
use crate::source::{Polled, SourceError};

/// What of a partition's log the brokers have: from `low` up to, not including, `high`.
#[derive(Debug, Clone, Copy)]
struct Extent {
    low: i64,
    high: i64,
}

impl KafkaSource {
    /// Finds the topic and joins the group; false when the brokers do not answer yet.
    pub(super) fn connect(&mut self) -> Result<bool, SourceError> {
        self.serve_client()?;
        self.check_refusal()?;
        let Some(partitions) = self.topic_partitions()? else { return Ok(false) };
        let numbers: Vec<i32> = partitions.into_keys().collect();
        if self.config.exit_at_end {
            self.ends.clear();
            for number in &numbers {
                let Some(extent) = self.extent(*number) else { return Ok(false) };
                self.ends.insert(*number, extent.high);
            }
        }
        self.topic.clone_from(&numbers);
        match self.config.membership {
            Membership::Alone => self.awaited = numbers.into(),
            Membership::Group => self
                .consumer
                .subscribe(&[&self.config.topic])
                .map_err(|source| SourceError::Kafka { action: "joining the group", source })?,
        }
        self.phase = Phase::Joining;
        Ok(true)
    }

    /// The partitions of the topic, and whether a broker leads each; `None` when nobody answers or the topic may yet come.
    pub(super) fn topic_partitions(&self) -> Result<Option<BTreeMap<i32, bool>>, SourceError> {
        let metadata = self.consumer.fetch_metadata(Some(&self.config.topic), REQUEST_TIMEOUT);
        let Ok(metadata) = metadata else { return Ok(None) };
        self.consumer.context().link.on_answer();
        let Some(topic) = metadata.topics().first() else { return Ok(None) };
        let missing = || SourceError::TopicMissing {
            topic: self.config.topic.clone(),
            brokers: self.config.brokers.clone(),
        };
        match topic.error() {
            None => {
                let is_led = |of: &MetadataPartition| (of.id(), of.leader() >= 0);
                Ok(Some(topic.partitions().iter().map(is_led).collect()))
            }
            Some(
                RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART
                | RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION,
            ) if !self.config.wait_for_topic => Err(missing()),
            Some(error @ RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) => {
                Err(self.refused(KafkaError::MetadataFetch(error.into()).to_string()))
            }
            Some(error) => {
                tracing::debug!(?error, is_error = error.is_error(), "the topic is not ready");
                Ok(None)
            }
        }
    }

    /// Asks whether the brokers are back.
    pub(super) fn probe(&self) {
        if self.consumer.fetch_metadata(Some(&self.config.topic), REQUEST_TIMEOUT).is_ok() {
            self.consumer.context().link.on_answer();
        }
    }

    fn extent(&self, number: i32) -> Option<Extent> {
        match self.consumer.fetch_watermarks(&self.config.topic, number, REQUEST_TIMEOUT) {
            Ok((low, high)) => Some(Extent { low, high }),
            Err(error) => {
                tracing::debug!(%error, partition = number, "the log's extent is not known yet");
                None
            }
        }
    }

    /// Begins to read what is awaited where the tables stand, as far as the brokers answer; the rest waits for another
    /// poll. With `answer` the group is told even if it is nothing: until then it hands out no partition to anybody.
    pub(super) fn assign(&mut self, answer: bool) -> Result<(), SourceError> {
        let begun = self.lanes_of_awaited()?;
        if begun.is_empty() && !answer {
            return Ok(());
        }
        self.awaited.retain(|number| !begun.iter().any(|(begun, _)| begun == number));
        let names: Vec<Arc<str>> = begun.iter().map(|(_, lane)| Arc::clone(&lane.name)).collect();
        let numbers: Vec<i32> = begun.iter().map(|(number, _)| *number).collect();
        let is_first = self.partitions.is_empty();
        for (number, mut lane) in begun {
            if let Some(doubtful) = self.identity.take_doubtful(number) {
                lane.foresee(doubtful);
            }
            self.partitions.insert(number, lane);
        }
        self.begin(&numbers)
            .map_err(|source| SourceError::Kafka { action: "assigning partitions", source })?;
        self.phase = Phase::Running;
        if !names.is_empty() {
            self.say_absent(is_first);
            self.events.push_back(Polled::PartitionsAssigned(names));
        }
        self.end_partitions()
    }

    /// Lanes of the partitions that are awaited, until one of them is not answered for: that one is asked for last the next
    /// time.
    fn lanes_of_awaited(&mut self) -> Result<Vec<(i32, Lane)>, SourceError> {
        let mut begun = Vec::new();
        if self.awaited.is_empty() {
            return Ok(begun);
        }
        self.awaited_since = Some(Instant::now());
        let partitions = match self.topic_partitions() {
            Ok(Some(partitions)) => partitions,
            // It may come again.
            Ok(None) | Err(SourceError::TopicMissing { .. }) => return Ok(begun),
            Err(error) => return Err(error),
        };
        let is_led = |number: &i32| partitions.get(number).copied().unwrap_or_default();
        let numbers: Vec<i32> = self.awaited.iter().copied().filter(is_led).collect();
        if numbers.is_empty() {
            return Ok(begun);
        }
        let Some(held) = self.look_up(&numbers)? else { return Ok(begun) };
        for number in numbers {
            let Some(lane) = self.lane_of(number, &held)? else {
                self.awaited.retain(|awaited| *awaited != number);
                self.awaited.push_back(number);
                break;
            };
            begun.push((number, lane));
        }
        Ok(begun)
    }

    /// A lane that begins where the tables stand; `None` when the brokers do not answer yet.
    fn lane_of(&self, number: i32, held: &Held) -> Result<Option<Lane>, SourceError> {
        let name = self.name(number);
        let Some(extent) = self.extent(number) else { return Ok(None) };
        let held_to = held.positions.get(&name).copied();
        let next = match (held_to, self.config.offset_reset) {
            (Some(held_to), _) => {
                let again = held.again.get(&name).copied();
                start(&name, (again.unwrap_or(held_to), held_to), extent)?
            }
            (None, OffsetReset::Earliest) => extent.low,
            (None, OffsetReset::Latest) if is_later(&name) => extent.low,
            (None, OffsetReset::Latest) => extent.high,
        };
        // A partition added after the start ends where it begins.
        let end = self.config.exit_at_end.then(|| self.ends.get(&number).copied().unwrap_or(next));
        Ok(Lane::split(
            &self.consumer,
            (&self.config.topic, number),
            (&name, self.identity.id()),
            (next, held_to.unwrap_or(next), end),
            &self.bell.0,
        ))
    }

    /// Says which part of the topic is read here. The rest may come, too, where a member that died holds it.
    fn say_absent(&mut self, is_first: bool) {
        let absent = self.topic.iter().filter(|number| !self.partitions.contains_key(number));
        let absent: Vec<Arc<str>> = absent.map(|number| self.name(*number)).collect();
        if absent.is_empty() {
            return;
        }
        // What is awaited is nobody else's.
        if self.awaited.is_empty() {
            tracing::info!(
                topic = self.config.topic,
                "reading {} of {} partitions, others of the group read the rest: what is found here is of these alone",
                self.partitions.len(),
                self.topic.len()
            );
        }
        if is_first {
            self.events.push_back(Polled::PartitionsAwaited(absent));
        }
    }

    /// Tells the client to fetch `numbers` from their next offsets.
    fn begin(&self, numbers: &[i32]) -> KafkaResult<()> {
        let incremental =
            matches!(self.consumer.rebalance_protocol(), RebalanceProtocol::Cooperative);
        let mut list = TopicPartitionList::new();
        for (number, partition) in &self.partitions {
            if !incremental || numbers.contains(number) {
                let next = Offset::Offset(partition.next);
                list.add_partition_offset(&self.config.topic, *number, next)?;
            }
        }
        if incremental {
            self.consumer.incremental_assign(&list)
        } else {
            self.consumer.assign(&list)
        }
    }

    /// The brokers no longer have the next message of some partitions: goes on where their logs now begin.
    pub(super) fn reposition(&mut self) -> Result<(), SourceError> {
        if !self.misplaced.is_empty() && !self.confirm_identity()? {
            return Ok(());
        }
        while let Some(number) = self.misplaced.first().copied() {
            if let Some(lane) = self.partitions.get(&number) {
                // Asked again at the next poll.
                let Some(extent) = self.extent(number) else { return Ok(()) };
                let next = start(&lane.name, (lane.next, lane.held), extent)?;
                self.restart(number, next).map_err(|source| SourceError::Kafka {
                    action: "moving to the start of the log",
                    source,
                })?;
            }
            self.misplaced.remove(&number);
        }
        Ok(())
    }

    fn restart(&mut self, number: i32, next: i64) -> KafkaResult<()> {
        if let Some(lane) = self.partitions.get_mut(&number) {
            lane.next = next;
        }
        if matches!(self.consumer.rebalance_protocol(), RebalanceProtocol::Cooperative) {
            self.consumer.incremental_unassign(&self.list(&[number]))?;
        }
        self.begin(&[number])?;
        let ended = self.partitions.iter().filter(|(_, lane)| lane.ended);
        let ended: Vec<i32> = ended.map(|(number, _)| *number).collect();
        self.consumer.pause(&self.list(&ended))
    }
}

/// Where to begin a partition that is to be read from `next` on, of which the tables hold everything before `held`.
fn start(name: &Arc<str>, (next, held): (i64, i64), extent: Extent) -> Result<i64, SourceError> {
    let Extent { low, high } = extent;
    let position = next.max(held);
    if position > high {
        return Err(SourceError::TopicRecreated { partition: Arc::clone(name), position, high });
    }
    if position < low {
        tracing::warn!(
            partition = &**name,
            messages = low - position,
            from = position,
            to = low,
            "messages were deleted by the topic's retention before they were read"
        );
    }
    if next < low.min(held) {
        tracing::warn!(
            partition = &**name,
            messages = low.min(held) - next,
            "messages that the tables hold were deleted by the topic's retention before the detector could see them again: \
             what it knows lacks them"
        );
    }
    Ok(next.max(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_held_against_the_log() {
        let name: Arc<str> = "logs/3".into();
        let extent = Extent { low: 10, high: 20 };
        let place = |next, held| start(&name, (next, held), extent).unwrap();
        assert_eq!([12, 20, 4].map(|at| place(at, at)), [12, 20, 10]);
        assert_eq!([place(12, 14), place(7, 14), place(3, 8), place(14, 12)], [12, 10, 10, 14]);
        assert!(start(&name, (12, 21), extent).is_err());
        assert_eq!(
            start(&name, (21, 21), extent).unwrap_err().to_string(),
            "logs/3 ends at offset 20, the tables hold it up to 21: the topic was created anew, or the \
             brokers lost data; to read it as a new stream choose another --group or --data"
        );
    }
}
