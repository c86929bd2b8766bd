//! Credentials tried in vain on one host by sources that do nothing else there, over the last half to full hour,
//! whoever tried: a campaign of thousands of addresses shows in the sum alone. Who tries often is looked at by himself, and makes
//! no campaign of those who mistype beside him.

use serde::{Deserialize, Serialize};

use crate::limits::TRYING_SOURCES_MAX;
use crate::record::event::Event;
use crate::record::source::Source;
use crate::store::table::Table;

/// Length of one half of what is remembered, seconds.
pub(super) const HALF_S: i64 = 1_800;

/// Tries of one source that count, of a half: more is not seldom. A choice.
const SELDOM_MAX: u32 = 5;

/// Quantile of the tries of an hour that is held to be usual, and the step with which it is followed.
const QUANTILE: f64 = 0.9;
const GAIN: f64 = 0.2;

/// What is usual after an hour of so many: a step towards the quantile.
pub(super) fn next_usual(usual: f64, hour: f64) -> f64 {
    let step = if hour > usual { QUANTILE } else { QUANTILE - 1.0 };
    usual.max(1.0) * (1.0 + GAIN * step)
}

/// The half from which on it is known what was there at the beginning: the first is not a whole one.
const KNOWN_FROM: u8 = 3;

/// Halves from which on it is known which share of the writes is tried in vain: two hours. A choice.
const SHARE_KNOWN_FROM: u8 = 4;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Half {
    begin_s: i64,
    first_ts: i64,
    count: u32,
    /// Writes to the same kinds of addresses by anybody.
    writes: u32,
    sources: Table<u32>,
}

/// Tries of the last hour.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Tries {
    old: Half,
    new: Half,
    /// Tries of an hour that are usual here, learned slowly: a campaign must not become usual while it is young.
    usual: f64,
    /// Tries of an hour at the beginning, by the first whole half that was watched, forgotten slowly; 0 where that is not asked.
    first: f64,
    /// Which half is watched since that is asked, the first being 1; 0 where it is not.
    watched: u8,
    /// Share of the tries in the writes of an hour that is usual, and halves from which it was learned, up to [`SHARE_KNOWN_FROM`].
    usual_share: f64,
    shares: u8,
    /// Majority vote on what is tried: a record that shows it, and its lead.
    example: Event,
    lead: u32,
}

/// What the last hour came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Campaign {
    /// Tries.
    pub count: u32,
    /// Tries that are usual.
    pub usual: f64,
    /// Time of the first, µs.
    pub first_ts: i64,
    /// Who tried, and how often.
    pub sources: Vec<(Source, u32)>,
    /// A record of what is tried most.
    pub example: Event,
}

impl Half {
    /// Leaves out sources for which `keeps` does not hold, with their tries.
    fn retain(&mut self, keeps: impl Fn(Source) -> bool) {
        let Self { count, writes, sources, .. } = self;
        sources.retain(|source, tries| {
            let is_kept = keeps(Source(source));
            if !is_kept {
                *count = count.saturating_sub(*tries);
                *writes = writes.saturating_sub(*tries);
            }
            is_kept
        });
    }
}

const fn same_target(a: &Event, b: &Event) -> bool {
    a.path == b.path && a.query_key == b.query_key && a.method == b.method && a.status == b.status
}

impl Tries {
    /// Counts a write to an address that takes credentials, a try or not.
    pub fn note_write(&mut self, event: &Event) {
        self.turn(event.ts.div_euclid(1_000_000));
        if self.is_seldom(event) {
            self.new.writes = self.new.writes.saturating_add(1);
        }
    }

    /// Whether an event goes where it is tried most.
    pub const fn is_tried_at(&self, event: &Event) -> bool {
        self.lead > 0
            && self.example.path == event.path
            && self.example.query_key == event.query_key
    }

    fn is_seldom(&self, event: &Event) -> bool {
        self.new.sources.get(event.source.0).is_none_or(|tries| *tries < SELDOM_MAX)
    }

    /// Share of the tries in the writes of the last hour to addresses that take credentials.
    pub fn share(&self) -> f64 {
        let writes = (self.old.writes + self.new.writes).max(1);
        f64::from(self.old.count + self.new.count) / f64::from(writes)
    }

    /// Counts a try, unless its source does not try seldom; whether it counts.
    pub fn add(&mut self, event: &Event) -> bool {
        let now_s = event.ts.div_euclid(1_000_000);
        self.turn(now_s);
        if !self.is_seldom(event) {
            return false;
        }
        if self.new.count == 0 {
            self.new.first_ts = event.ts;
        }
        self.new.count += 1;
        let known = self.new.sources.get(event.source.0).is_some();
        if known || self.new.sources.len() < TRYING_SOURCES_MAX {
            *self.new.sources.entry(event.source.0, || 0).0 += 1;
        }
        if same_target(&self.example, event) {
            self.lead += 1;
        } else if self.lead == 0 {
            (self.example, self.lead) = (*event, 1);
        } else {
            self.lead -= 1;
        }
        true
    }

    /// Begins the next half when it is time; learns from the hour that ended. The tries of a campaign were cleared
    /// and are no part of it.
    fn turn(&mut self, now_s: i64) {
        let begin_s = now_s - now_s.rem_euclid(HALF_S);
        if begin_s == self.new.begin_s {
            return;
        }
        if self.new.begin_s != 0 {
            let hour = f64::from(self.old.count + self.new.count);
            self.usual = next_usual(self.usual, hour);
            self.learn_share();
            self.first *= 1.0 + GAIN * (QUANTILE - 1.0);
            if (1..KNOWN_FROM).contains(&self.watched) {
                self.watched += 1;
                self.first = 2.0 * f64::from(self.new.count);
            }
        }
        let is_next = begin_s == self.new.begin_s + HALF_S;
        let ended = std::mem::replace(&mut self.new, Half { begin_s, ..Half::default() });
        self.old = if is_next { ended } else { Half::default() };
    }

    /// Follows the share of the tries; an hour in which nobody writes says nothing of it.
    fn learn_share(&mut self) {
        if self.old.writes + self.new.writes == 0 {
            return;
        }
        let gain = if self.shares == 0 { 1.0 } else { GAIN };
        self.usual_share += gain * (self.share() - self.usual_share);
        self.shares = SHARE_KNOWN_FROM.min(self.shares + 1);
    }

    /// Share of the tries in the writes of an hour that is usual here; `None` until that is known.
    pub fn usual_share(&self) -> Option<f64> {
        (self.shares == SHARE_KNOWN_FROM).then_some(self.usual_share)
    }

    /// Leaves out sources for which `keeps` does not hold, with their tries: neither is it usual that they try.
    pub fn retain(&mut self, keeps: impl Fn(Source) -> bool) {
        self.old.retain(&keeps);
        self.new.retain(&keeps);
    }

    /// Begins to ask what is there at the beginning, which is held to be usual; or goes on to.
    pub fn watch(&mut self, now_s: i64) {
        self.watched = self.watched.max(1);
        self.turn(now_s);
    }

    /// Whether it is not known yet what was there at the beginning, where that is asked.
    pub const fn is_young(&self) -> bool {
        self.watched > 0 && self.watched < KNOWN_FROM
    }

    /// Tries of the last hour, and how many are usual.
    pub fn count(&self) -> (u32, f64) {
        (self.old.count + self.new.count, self.usual.max(self.first))
    }

    /// Everything about the tries of the last hour.
    pub fn campaign(&self) -> Campaign {
        let mut sources = self.old.sources.clone();
        for (source, count) in self.new.sources.iter() {
            *sources.entry(*source, || 0).0 += count;
        }
        let first_ts = if self.old.count > 0 { self.old.first_ts } else { self.new.first_ts };
        let (count, usual) = self.count();
        let sources = sources.iter().map(|(source, count)| (Source(*source), *count)).collect();
        Campaign { count, usual, first_ts, sources, example: self.example }
    }

    /// What was counted belongs to an incident now.
    pub fn clear(&mut self) {
        let begin_s = self.new.begin_s;
        self.old = Half::default();
        self.new = Half { begin_s, ..Half::default() };
        self.lead = 0;
    }

    /// Bytes held at most, by what it counts.
    pub const fn weight(&self) -> usize {
        self.old.sources.weight() + self.new.sources.weight()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(at_s: i64, source: u32) -> Event {
        Event {
            ts: at_s * 1_000_000,
            source: Source::v4(source),
            path: 5,
            status: 200,
            ..Event::default()
        }
    }

    #[test]
    fn an_hour_of_tries_is_a_sum_over_sources() {
        let mut tries = Tries::default();
        for i in 0..120 {
            tries.add(&event(36_000 + i64::from(i) * 30, i % 40));
        }
        let campaign = tries.campaign();
        assert_eq!((campaign.count, campaign.sources.len()), (120, 40));
        assert_eq!((campaign.example.path, campaign.first_ts), (5, 36_000_000_000));
        tries.add(&event(36_000 + 4 * 3_600, 1));
        assert_eq!(tries.count().0, 1);
    }

    #[test]
    fn who_is_left_out_is_not_usual_either() {
        let mut tries = Tries::default();
        for half in 0..20_i64 {
            for i in 0..100 {
                let event = event(36_000 + half * HALF_S + i64::from(i), 1_000 + i);
                tries.note_write(&event);
                tries.add(&event);
            }
            tries.retain(|source| source == Source::v4(1_000));
        }
        assert_eq!((tries.campaign().sources.len(), tries.count().0), (1, 2));
        assert!(tries.count().1 < 5.0 && tries.share() > 0.9, "{tries:?}");
    }

    #[test]
    fn what_is_tried_every_hour_is_usual() {
        let mut tries = Tries::default();
        for i in 0..3_000 {
            tries.add(&event(36_000 + i64::from(i) * 60, i % 50));
        }
        let (count, usual) = tries.count();
        assert!(usual > 45.0 && count <= 60, "{usual} {count}");
    }

    #[test]
    fn what_was_there_at_the_beginning_is_usual_where_that_is_asked() {
        let mut tries = Tries::default();
        for minute in 0..100_u32 {
            let at_s = 36_600 + 60 * i64::from(minute);
            tries.watch(at_s);
            (0..4).for_each(|i| _ = tries.add(&event(at_s, 1_000 + 4 * minute + i)));
            assert_eq!(tries.is_young(), minute < 50, "{minute}");
        }
        let (count, usual) = tries.count();
        assert!((200.0..240.0).contains(&usual) && count > 160, "{usual} {count}");
    }

    #[test]
    fn who_tries_often_counts_no_more_than_a_few_who_mistype() {
        let mut tries = Tries::default();
        for i in 0..1_000 {
            let event = event(36_000 + i64::from(i), if i % 250 == 0 { 100 + i } else { 7 });
            tries.note_write(&event);
            tries.add(&event);
        }
        assert_eq!(tries.count().0, 4 + SELDOM_MAX);
        assert!((tries.share() - 1.0).abs() < 1e-9, "{}", tries.share());
        assert!(tries.is_tried_at(&event(37_000, 9)));
        assert!(!tries.is_tried_at(&Event { path: 6, ..event(37_000, 9) }));
    }

    #[test]
    fn more_sources_than_are_told_apart_are_counted_all_the_same() {
        let mut tries = Tries::default();
        let most = u32::try_from(TRYING_SOURCES_MAX).unwrap();
        for i in 0..8 * most {
            let half = i64::from(i / (4 * most));
            tries.add(&event(36_000 + half * HALF_S, i));
        }
        tries.add(&Event { path: 6, ..event(36_000 + HALF_S, 1) });
        let campaign = tries.campaign();
        assert_eq!((campaign.count, tries.count().0), (8 * most + 1, 8 * most + 1));
        assert_eq!(campaign.sources.len(), 2 * TRYING_SOURCES_MAX, "of two halves");
        assert!(tries.weight() <= 2 * TRYING_SOURCES_MAX * Table::<u32>::ENTRY_BYTES);
        assert_eq!((campaign.example.path, campaign.first_ts), (5, 36_000_000_000));
        tries.clear();
        assert_eq!((tries.weight(), tries.count().0), (0, 0));
    }
}
