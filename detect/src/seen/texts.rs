//! Texts of attacks that one host was sent over the last half to full hour, whoever sent them: a search by hundreds of
//! addresses, each of which asks a few times, shows in the sum alone. Every public host is sent some all day; how many is learned.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::limits::TEXTS_SAMPLED_MAX;
use crate::record::event::Event;
use crate::seen::tries::{Campaign, HALF_S, Tries, next_usual};

/// Seconds in which the most of an hour is taken for usual as it comes: an hour that is whole, and another to compare. A choice.
pub const LEARNING_S: i64 = 7_200;

/// Texts of attacks of the last hour.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Texts {
    tries: Tries,
    begin_s: i64,
    /// Texts of an hour that are usual here: the most of the first hours, then learned slowly.
    usual: f64,
    /// The latest of those that count.
    sample: VecDeque<Event>,
}

impl Texts {
    /// Counts a record with the text of an attack, on a host that has been watched for so many seconds, unless its source
    /// does not send them seldom.
    pub fn add(&mut self, event: &Event, watched_s: i64) {
        let now_s = event.ts.div_euclid(1_000_000);
        let begin_s = now_s - now_s.rem_euclid(HALF_S);
        if begin_s != self.begin_s {
            self.learn(watched_s);
            self.begin_s = begin_s;
        }
        if !self.tries.add(event) {
            return;
        }
        if self.sample.len() >= TEXTS_SAMPLED_MAX {
            self.sample.pop_front();
        }
        self.sample.push_back(*event);
    }

    /// Learns from the hour that ended. The texts of a campaign were cleared and are no part of it.
    fn learn(&mut self, watched_s: i64) {
        let hour = f64::from(self.tries.count().0);
        self.usual = if watched_s < LEARNING_S {
            self.usual.max(hour)
        } else {
            next_usual(self.usual, hour)
        };
    }

    /// Texts of the last hour, and how many are usual.
    pub fn count(&self) -> (u32, f64) {
        (self.tries.count().0, self.usual)
    }

    /// Everything about the texts of the last hour.
    pub fn campaign(&self) -> Campaign {
        Campaign { usual: self.usual, ..self.tries.campaign() }
    }

    /// The latest records that count, none of them older than this, µs.
    pub fn since(&self, ts: i64) -> impl Iterator<Item = &Event> {
        self.sample.iter().filter(move |event| event.ts >= ts)
    }

    /// All records of which it holds the hashes.
    pub fn events(&self) -> impl Iterator<Item = &Event> {
        self.sample.iter()
    }

    /// What was counted belongs to an incident now.
    pub fn clear(&mut self) {
        self.tries.clear();
        self.sample.clear();
    }

    /// What is usual, of a host of which nothing is there any more.
    #[must_use]
    pub fn emptied(self) -> Self {
        Self { usual: self.usual, ..Self::default() }
    }

    /// Bytes held at most, by what it counts.
    pub fn weight(&self) -> usize {
        self.tries.weight() + self.sample.capacity() * size_of::<Event>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::source::Source;

    fn event(at_s: i64, source: u32) -> Event {
        let (ts, source) = (36_000_000_000 + at_s * 1_000_000, Source::v4(source));
        Event { ts, source, path: 5, ..Event::default() }
    }

    /// What came of so many hours with so many texts each, each by another source.
    fn hours(of: &[i64]) -> Texts {
        let mut texts = Texts::default();
        let mut source = 0;
        for (hour, count) in (0..).zip(of) {
            for n in 0..*count {
                source += 1;
                let at_s = hour * 3_600 + n * 3_600 / count;
                texts.add(&event(at_s, source), at_s);
            }
        }
        texts
    }

    #[test]
    fn what_is_sent_all_day_is_usual_from_the_first_hours_on() {
        assert!(hours(&[300; 3]).count().1 > 295.0);
        let day = hours(&[300; 24]).count().1;
        assert!((250.0..450.0).contains(&day), "{day}");
    }

    #[test]
    fn one_hour_of_many_makes_them_hardly_usual() {
        let (count, usual) = hours(&[20, 20, 20, 400]).count();
        assert!(count > 300 && usual < 30.0, "{count} {usual}");
    }

    #[test]
    fn of_what_counts_the_latest_are_kept() {
        let mut texts = Texts::default();
        let most = u32::try_from(TEXTS_SAMPLED_MAX).unwrap();
        (0..3 * most).for_each(|source| texts.add(&event(0, source), 0));
        let kept: Vec<Source> = texts.events().map(|event| event.source).collect();
        assert_eq!(kept, (2 * most..3 * most).map(Source::v4).collect::<Vec<_>>());
        (0..100).for_each(|_| texts.add(&event(1, 3 * most), 0));
        assert!(texts.count().0 < 3 * most + 10, "one source");
        assert!(texts.weight() < 100_000 + 3 * TEXTS_SAMPLED_MAX * size_of::<Event>());
        texts.clear();
        assert_eq!((texts.count().0, texts.events().count()), (0, 0));
    }
}
