//! Which topic has the name: one that is deleted and made anew is another stream, whatever its length.
//!
//! ```text
//! t/3        partition 3 of the topic that had the name when the tables first met it
//! t/3/topic  goes with its position: which topic that was
//! t/3@ID     partition 3 of a topic made later under the same name
//! ```
//! librdkafka reads on where it was when a name passes to another topic, and says nothing. So the id is asked for each
//! second, and whenever something looks odd. What was handed over since the last answer may be of either topic: it is
//! remembered, and what the new topic has at the same offset, with the same time and bytes, is not handed over twice.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer;
use rdkafka::metadata::{MetadataPartition, MetadataTopic};

use super::changes::Revocation;
use super::topic_id::{Answer, Question, TopicId};
use super::{ASK_EVERY, Held, KafkaSource, Phase, REQUEST_TIMEOUT};
use crate::source::{Polled, Positions, SourceError};

/// Answers in a row from which a topic is said to be gone: a broker may hear of it a little late.
const MISSING_SAID: u32 = 2;

/// What is known of the topic that has the name.
#[derive(Default)]
pub(super) struct Identity {
    id: Option<TopicId>,
    /// The broker that is asked: one that leads a partition, since there is a connection to it.
    broker: Option<i32>,
    /// Names of its partitions, as of the last assignment.
    names: BTreeMap<i32, Arc<str>>,
    asked: Option<Asked>,
    last: Option<Instant>,
    /// Times in a row that no topic had the name.
    missing: u32,
    /// What was read of a partition, and may have been of the topic that has the name now.
    doubtful: BTreeMap<i32, VecDeque<(i64, u64)>>,
}

/// A question under way, and how far each partition was read when it was put.
struct Asked {
    question: Question,
    nexts: BTreeMap<i32, i64>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Identity {
    /// Something looks odd: ask at the next opportunity.
    pub(super) fn doubt(&mut self) {
        self.last = None;
    }

    /// What was read of a partition before, and may be read again.
    pub(super) fn take_doubtful(&mut self, number: i32) -> Option<VecDeque<(i64, u64)>> {
        self.doubtful.remove(&number)
    }

    /// The topic that partitions assigned now are of.
    pub(super) const fn id(&self) -> Option<TopicId> {
        self.id
    }

    pub(super) fn name(&self, number: i32) -> Option<&Arc<str>> {
        self.names.get(&number)
    }
}

/// Whether a partition is of a topic made anew.
pub(super) fn is_later(name: &str) -> bool {
    name.contains('@')
}

/// Whether a partition is of a topic made anew under the name of that of another.
pub fn succeeds(name: &str, earlier: &str) -> bool {
    name.split_once('@').is_some_and(|(of, _)| of == earlier)
}

/// What follows the name of a partition in the name of its mark.
const MARK: &str = "/topic";

fn mark_of(name: &str) -> Arc<str> {
    format!("{name}{MARK}").into()
}

/// The name of a partition of the topic `id`, given what the tables hold.
fn name_of(plain: &Arc<str>, id: Option<TopicId>, held: &Positions) -> Arc<str> {
    let Some(id) = id else { return Arc::clone(plain) };
    match held.get(plain).and(held.get(&mark_of(plain))) {
        Some(mark) if *mark != id.mark() => format!("{plain}@{id}").into(),
        // New to the tables, or written before they knew of ids.
        _ => Arc::clone(plain),
    }
}

impl KafkaSource {
    fn ask(&mut self) -> Option<Question> {
        if self.identity.broker.is_none() {
            let metadata = self.consumer.fetch_metadata(Some(&self.config.topic), REQUEST_TIMEOUT);
            let metadata = metadata.ok()?;
            let partitions = metadata.topics().iter().flat_map(MetadataTopic::partitions);
            let leader = partitions.map(MetadataPartition::leader).find(|id| *id >= 0);
            self.identity.broker = leader.or_else(|| Some(metadata.brokers().first()?.id()));
        }
        Question::ask(&self.consumer, (&self.config.topic, self.identity.broker?), REQUEST_TIMEOUT)
    }

    /// Asks now and waits.
    fn ask_and_wait(&mut self) -> Answer {
        let answer = self.ask().and_then(|question| question.answer(REQUEST_TIMEOUT * 2));
        let answer = answer.unwrap_or(Answer::Silent);
        if answer == Answer::Silent {
            self.identity.broker = None;
        }
        answer
    }

    /// Finds out the names of partitions to be read, and what the tables hold of them; `None` when the brokers do not
    /// answer yet.
    pub(super) fn look_up(&mut self, numbers: &[i32]) -> Result<Option<Held>, SourceError> {
        let id = match self.ask_and_wait() {
            Answer::Id(id) => Some(id),
            Answer::Untold => None,
            Answer::Missing | Answer::Silent => return Ok(None),
        };
        // What is read already is of another topic: that comes first.
        let known = self.identity.id.filter(|_| !self.partitions.is_empty());
        if let (Some(known), Some(id)) = (known, id)
            && known != id
        {
            self.follow(id)?;
            return Ok(None);
        }
        let all: BTreeSet<i32> = numbers.iter().chain(&self.topic).copied().collect();
        let plain = |number: i32| Arc::<str>::from(format!("{}/{number}", self.config.topic));
        let plain: BTreeMap<i32, Arc<str>> =
            all.into_iter().map(|number| (number, plain(number))).collect();
        let later = |name: &Arc<str>| id.map(|id| format!("{name}@{id}").into());
        let wanted = plain.values().flat_map(|name| {
            [Some(Arc::clone(name)), Some(mark_of(name)), later(name)].into_iter().flatten()
        });
        let wanted: Vec<Arc<str>> = wanted.collect();
        let held = (self.lookup)(&wanted).map_err(|source| SourceError::Positions {
            topic: self.config.topic.clone(),
            source,
        })?;
        self.identity.names = plain
            .into_iter()
            .map(|(number, name)| (number, name_of(&name, id, &held.positions)))
            .collect();
        self.identity.id = id;
        self.identity.last = Some(Instant::now());
        let names: Vec<Arc<str>> = numbers.iter().map(|number| self.name(*number)).collect();
        // Said once: from the first commit on the tables hold one of its partitions.
        let is_of = |id: TopicId| {
            move |(name, next): (&Arc<str>, &i64)| {
                is_later(name) || (name.ends_with(MARK) && *next == id.mark())
            }
        };
        let is_told = id.is_some_and(|id| held.positions.iter().any(is_of(id)));
        let count = names.iter().filter(|name| is_later(name)).count();
        if let (count @ 1.., Some(id), false) = (count, id, is_told) {
            tracing::warn!(
                topic = self.config.topic,
                %id,
                partitions = count,
                "the topic was deleted and made anew: what the tables hold of the earlier one stays, this one is read from \
                 its beginning"
            );
        }
        Ok(Some(held))
    }

    /// Which topic each position belongs to, to be kept with it.
    pub(super) fn marks(&self, positions: &Positions) -> Positions {
        let lanes = self.partitions.values().filter(|lane| !is_later(&lane.name));
        let held = lanes.filter(|lane| positions.contains_key(&lane.name));
        held.filter_map(|lane| Some((mark_of(&lane.name), lane.id?.mark()))).collect()
    }

    /// Asks from time to time whether the topic is still the one that is read, and acts on the answer.
    pub(super) fn watch_identity(&mut self) -> Result<(), SourceError> {
        let is_changing = self.revoking.is_some() || !self.events.is_empty();
        if self.phase == Phase::Connecting || is_changing {
            return Ok(());
        }
        if let Some(asked) = self.identity.asked.take() {
            match asked.question.answer(Duration::ZERO) {
                None => self.identity.asked = Some(asked),
                Some(answer) => self.on_identity(answer, &asked.nexts)?,
            }
        } else if self.identity.last.is_none_or(|last| last.elapsed() >= ASK_EVERY) {
            let nexts = self.partitions.iter().map(|(number, lane)| (*number, lane.next)).collect();
            self.identity.asked = self.ask().map(|question| Asked { question, nexts });
            self.identity.last = Some(Instant::now());
        }
        Ok(())
    }

    /// Makes sure that the topic is still the one that is read; false when it is not, or nobody answers.
    pub(super) fn confirm_identity(&mut self) -> Result<bool, SourceError> {
        let answer = self.ask_and_wait();
        let nexts = BTreeMap::new();
        self.on_identity(answer, &nexts)?;
        let is_same = matches!(answer, Answer::Id(id) if self.identity.id == Some(id));
        Ok(is_same || answer == Answer::Untold)
    }

    fn on_identity(
        &mut self,
        answer: Answer,
        nexts: &BTreeMap<i32, i64>,
    ) -> Result<(), SourceError> {
        match answer {
            Answer::Untold => return Ok(()),
            Answer::Silent => {
                self.identity.broker = None;
                return Ok(());
            }
            Answer::Missing => {
                self.identity.missing += 1;
                if self.identity.missing == MISSING_SAID {
                    tracing::warn!(
                        topic = self.config.topic,
                        "the topic was deleted: what was read of it is kept; waiting for one to be made under the same name"
                    );
                }
            }
            Answer::Id(id) => {
                if std::mem::take(&mut self.identity.missing) >= MISSING_SAID {
                    tracing::info!(topic = self.config.topic, %id, "there is a topic of the name again");
                }
                match self.identity.id {
                    Some(known) if known != id => return self.follow(id),
                    Some(_) => {}
                    None => return Ok(()),
                }
            }
        }
        // Had it been of another topic, this answer would have named that, or the next one will.
        for (number, next) in nexts {
            if let Some(lane) = self.partitions.get_mut(number) {
                lane.vouch(*next);
            }
        }
        Ok(())
    }

    /// The name has passed to another topic: what was read is committed, then its partitions begin anew.
    fn follow(&mut self, id: TopicId) -> Result<(), SourceError> {
        let numbers: Vec<i32> = match self.topic_partitions() {
            Ok(Some(partitions)) => partitions.into_keys().collect(),
            // Gone again, or not there yet: seen at the next question.
            Ok(None) | Err(SourceError::TopicMissing { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        tracing::debug!(%id, ?numbers, "the name of the topic has passed on");
        let (here, gone): (Vec<i32>, Vec<i32>) =
            self.partitions.keys().partition(|number| numbers.contains(number));
        self.topic = numbers;
        self.ends.clear();
        self.misplaced.clear();
        for number in &here {
            if let Some(lane) = self.partitions.get_mut(number) {
                self.identity.doubtful.insert(*number, lane.doubtful());
            }
        }
        if !gone.is_empty() {
            // The group takes them away in its own time; nothing comes of them.
            self.events.push_back(Polled::CaughtUp(self.names(&gone)));
        }
        if here.is_empty() {
            self.identity.id = Some(id);
            return Ok(());
        }
        self.events.push_back(Polled::PartitionsRevoking(self.names(&here)));
        self.revoking = Some(Revocation { partitions: here, begin_anew: true });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_named_by_the_topic_that_the_tables_hold() {
        let plain: Arc<str> = "logs/3".into();
        let [first, later] = [7, 8].map(|low| TopicId::of(1, low).unwrap());
        let name = |id, held: &[(&str, i64)]| {
            let held = held.iter().map(|(name, next)| (Arc::from(*name), *next)).collect();
            name_of(&plain, id, &held).to_string()
        };
        assert_eq!(name(Some(first), &[]), "logs/3");
        assert_eq!(name(None, &[("logs/3", 5), ("logs/3/topic", first.mark())]), "logs/3");
        // Written before ids were kept.
        assert_eq!(name(Some(later), &[("logs/3", 5)]), "logs/3");
        let held = [("logs/3", 5), ("logs/3/topic", first.mark())];
        assert_eq!(name(Some(first), &held), "logs/3");
        assert_eq!(name(Some(later), &held), format!("logs/3@{later}"));
    }
}
