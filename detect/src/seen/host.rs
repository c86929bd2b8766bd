//! One host: what is there now, and what is ordinary there. Counts, and never judges.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::limits::{BARE_SOURCES_MAX, RECENT_SAMPLES_MAX};
use crate::math::evalue::Forecast;
use crate::math::hash::{Hasher, mix};
use crate::normal::answers::Answers;
use crate::normal::composition::{Composition, Tally};
use crate::normal::elsewhere::Elsewhere;
use crate::normal::endpoints::{Endpoints, Prior};
use crate::normal::habits::Habit;
use crate::normal::known::Known;
use crate::normal::misses::Misses;
use crate::normal::population::Population;
use crate::normal::rate::RateBaseline;
use crate::normal::reservoir::Reservoir;
use crate::normal::season::{Mark, Season};
use crate::normal::slow::Slow;
use crate::normal::visitors::Visitors;
use crate::record::attribute::Facts;
use crate::record::event::{Event, flag};
use crate::record::source::Source;
use crate::seen::draws::Draws;
use crate::seen::holders::Holders;
use crate::seen::minutes::TargetMinute;
use crate::seen::texts::Texts;
use crate::seen::tries::Tries;
use crate::seen::votes::{self, Ballot, Votes};

/// Seconds of samples kept as what is there now.
pub const RECENT_S: i64 = 60;

/// Seconds of strong evidence without an attack after which the new state is taken for ordinary.
const ADOPT_S: u32 = 2_400;

/// Time from which an answer is long, milliseconds, and one in how many ordinary records is one of a path at which people wait.
/// Choices.
const LONG_MS: u32 = 1_000;
const WAITING_SHARE: usize = 50;

/// Seconds of silence after which what was being counted is over.
const SILENCE_S: i64 = 5;

/// Counts of one second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Second {
    /// Which.
    pub at_s: i64,
    /// Requests no open incident explains.
    pub free: u32,
    /// Of these, sampled.
    pub sampled: u32,
    /// All requests.
    pub all: u32,
}

/// What is ordinary on a host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Normal {
    /// Rate of ordinary requests.
    pub rate: RateBaseline,
    /// Ordinary shares.
    pub composition: Composition,
    /// Ordinary records.
    pub sample: Reservoir,
    /// What sources ordinarily do.
    pub population: Population,
    /// Paths it serves.
    pub paths: Known,
    /// Shapes of the paths it serves: paths with their numbers and keys left out.
    pub shapes: Known,
    /// Who was here before.
    pub visitors: Visitors,
    /// Paths that are asked for in vain all day.
    pub misses: Misses,
    /// What it answers to paths that it was never asked for.
    pub answers: Answers,
    /// Whether it sends nearly all elsewhere, and what those who ask for little ask for.
    pub elsewhere: Elsewhere,
    /// Where it takes writes.
    pub endpoints: Endpoints,
    /// Excess that came to nothing.
    pub habit: Habit,
    /// What is usual at each hour of the week.
    pub season: Season,
    /// What is ordinary by the days.
    pub slow: Slow,
}

impl Normal {
    /// Forecast of a second, by the last quarter of an hour and what is usual at this hour of the week.
    pub fn forecast(&self, now_s: i64) -> Forecast {
        self.rate.forecast(self.season.envelope(now_s))
    }

    /// What the busiest minutes of an ordinary day reach, requests per second: by the days, or where this hour of the week
    /// is busier, by the weeks. `None` in the first days.
    pub fn busiest(&self, now_s: i64) -> Option<f64> {
        let level = self.slow.level()?;
        Some(self.season.usual_of_weeks(now_s).map_or(level, |usual| usual.max(level)))
    }
}

/// State of one host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// What is ordinary.
    pub normal: Normal,
    /// Running minute.
    pub minute: TargetMinute,
    /// Sampled records of the last minute.
    pub recent: VecDeque<Event>,
    /// Counts of the last minute.
    pub seconds: VecDeque<Second>,
    /// Running second.
    pub second: Second,
    /// Records of the running second that vote: their places in `recent`, and what is known of them.
    #[serde(skip)]
    ballots: Vec<(usize, Facts)>,
    /// Votes of the running pane.
    pub fast: Votes,
    /// Votes of the running minute.
    pub slow: Votes,
    /// Sources of the running minute that read pages without assets.
    pub bare: Vec<Source>,
    /// Credentials tried in vain in the last hour by sources that do nothing else.
    pub tries: Tries,
    /// The same of reads refused for want of credentials.
    pub refused: Tries,
    /// Texts of attacks of the last hour, by sources that send them seldom.
    pub texts: Texts,
    /// Sources that want most of the time its answers take.
    pub holders: Holders,
    /// Sources that draw most of the bytes of its large answers.
    pub draws: Draws,
    /// Votes that wait to be taken for ordinary.
    pending: VecDeque<(i64, Tally)>,
    /// Requests since the host was admitted.
    pub requests: u64,
    /// First second.
    pub first_s: i64,
    /// Last second ended.
    pub last_s: i64,
    /// Last second with a record.
    pub active_s: i64,
    /// Seconds in which what is there was suspect, less twice those in which it was not.
    suspect_s: u32,
    /// No record has come yet: it was only heard of.
    awaited: bool,
}

/// How far what is there now may be taken for ordinary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The host has been watched long enough to be judged.
    pub learned: bool,
    /// There is evidence against what is there now, or an incident is open.
    pub suspect: bool,
    /// An incident is open that is no benign one.
    pub attacked: bool,
}

impl Standing {
    fn mark(self, frozen: bool) -> Mark {
        match (frozen, self.attacked) {
            (false, _) => Mark::Ordinary,
            (true, false) => Mark::Suspect,
            (true, true) => Mark::Attacked,
        }
    }
}

impl Host {
    /// A host first seen in this second.
    pub fn new(now_s: i64) -> Self {
        Self { first_s: now_s, last_s: now_s - 1, active_s: now_s, ..Self::default() }
    }

    /// A host that was heard of, and of which no record has come yet.
    pub fn awaited(now_s: i64) -> Self {
        Self { awaited: true, ..Self::new(now_s) }
    }

    /// Whether no record has come yet.
    pub const fn is_awaited(&self) -> bool {
        self.awaited
    }

    /// What is ordinary, after a time in which nobody watched: it counts as not having passed. What was there is not there
    /// any more.
    pub fn resume(self, begin_s: i64) -> Self {
        let Self { normal, requests, awaited, texts, .. } = self;
        let unseen = (begin_s - 1 - self.last_s).max(0);
        Self {
            requests,
            awaited,
            first_s: self.first_s + unseen,
            last_s: self.last_s + unseen,
            active_s: self.active_s + unseen,
            normal,
            texts: texts.emptied(),
            ..Self::default()
        }
    }

    /// Takes times that a wrong clock set back to `limit_s`.
    pub fn rewind(&mut self, limit_s: i64) {
        for time in [&mut self.first_s, &mut self.last_s, &mut self.active_s] {
            *time = (*time).min(limit_s);
        }
    }

    /// Whether the host has been watched for so long, µs.
    pub const fn was_watched(&self, us: i64) -> bool {
        (self.last_s - self.first_s) * 1_000_000 >= us
    }

    /// Counts a record of the running second that an open incident explains.
    pub fn count_explained(&mut self, event: &Event) {
        self.second.all += 1;
        if event.has(flag::NAMED) {
            self.recent.push_back(*event);
        }
    }

    /// Counts a record of the running second that no attack explains, of a source that has been here for a while or has
    /// not; what the host knows of it, and what its writes are held to be.
    pub fn count(&mut self, event: &Event, stays: bool) -> (Facts, Prior) {
        self.second.all += 1;
        if !event.has(flag::EXPLAINED) {
            self.second.free += 1;
            self.requests += 1;
        }
        let now_s = event.ts.div_euclid(1_000_000);
        let (mut facts, mut prior) = (Facts::default(), Prior::None);
        let Normal { answers, paths, shapes, .. } = &mut self.normal;
        if answers.is_hit(event, || paths.contains(event.path)) {
            paths.insert(event.path);
            if event.shape != 0 {
                shapes.insert(mix(u64::from(event.shape)));
            }
        } else if self.is_unserved(event) {
            facts.asked = event.path;
            facts.probe = !self.normal.misses.add(facts.asked, event.source, now_s, stays);
            facts.guess = facts.probe && !self.has_shape(event);
            facts.sought = facts.probe && self.is_sought(event);
        } else if event.query != 0 && event.is_missing() && !event.has(flag::REFERER_OWN) {
            // The host serves the path, and not what was asked of it; what belongs to a page names that. Where many are told so it
            // is a matter of course, whether they stay or not: robots guess at paths that are not served.
            facts.asked = mix(event.path ^ mix(event.query));
            let any_query = mix(event.path);
            facts.probe = !self.normal.misses.add(any_query, event.source, now_s, true);
        }
        if event.has(flag::WRITE) {
            let usual;
            (facts.endpoint, prior, usual) = self.normal.endpoints.note_write(event);
            facts.usual_answer = usual || event.is_refused_login();
        } else if !event.has(flag::ASSET) {
            self.normal.endpoints.note_read(event);
        }
        (facts, prior)
    }

    /// Whether long answers of a path are a part of the host's ordinary traffic: streams that are held open, polls that wait.
    pub fn waits_at(&self, path: u64) -> bool {
        let ordinary = &self.normal.sample.events;
        let mut waits =
            ordinary.iter().filter(|event| event.path == path && event.duration_ms >= LONG_MS);
        waits.nth(ordinary.len() / WAITING_SHARE).is_some()
    }

    /// Takes in a record that no attack explains, if it is part of the sample: it votes when the second ends, where nothing
    /// explains it.
    pub fn sample(&mut self, event: Event, facts: Facts) {
        if !event.has(flag::NAMED) {
            return;
        }
        if event.has(flag::EXPLAINED) {
            self.recent.push_back(event);
            return;
        }
        if facts.bare && self.bare.len() < BARE_SOURCES_MAX && !self.bare.contains(&event.source) {
            self.bare.push(event.source);
        }
        self.second.sampled += 1;
        self.ballots.push((self.recent.len(), facts));
        self.recent.push_back(event);
    }

    /// Lets the records of the running second vote, one after the other: what they look up is of this host alone.
    pub fn vote(&mut self, hasher: &Hasher) {
        for (place, facts) in self.ballots.drain(..) {
            let Some(event) = self.recent.get(place) else { continue };
            let ballot = Ballot { event, place, facts };
            votes::vote([&mut self.fast, &mut self.slow], &ballot, hasher);
        }
    }

    /// Ends a minute of votes.
    pub fn end_minute(&mut self) {
        self.slow.clear();
        self.bare.clear();
    }

    /// Catches up on seconds without a record; whether what was being counted is over, and whether a minute ended.
    pub fn catch_up(&mut self, now_s: i64) -> (bool, bool) {
        if self.awaited {
            (self.awaited, self.first_s, self.last_s) = (false, now_s, now_s - 1);
        }
        let gap = now_s - 1 - self.last_s;
        if gap <= 0 {
            return (false, false);
        }
        #[expect(clippy::cast_precision_loss, reason = "seconds")]
        self.normal.rate.learn_silence(gap as f64);
        let minute_ended = (self.last_s + 1).div_euclid(RECENT_S) != now_s.div_euclid(RECENT_S);
        self.last_s = now_s - 1;
        (gap >= SILENCE_S, minute_ended)
    }

    /// Ends the running second and learns from it, unless it is suspect.
    pub fn end_second(&mut self, now_s: i64, standing: Standing) {
        if self.second.all > 0 {
            self.active_s = now_s;
        }
        self.second.at_s = now_s;
        self.suspect_s =
            if standing.suspect { self.suspect_s + 1 } else { self.suspect_s.saturating_sub(2) };
        // What stays suspect for long without an attack being found in it is the new ordinary.
        let frozen = standing.suspect && standing.learned && self.suspect_s < ADOPT_S;
        if !frozen {
            self.normal.rate.learn(f64::from(self.second.free));
        }
        let Normal { season, slow, .. } = &mut self.normal;
        // what was raised slowly waits in the shadow, too
        let mark = standing.mark(frozen || slow.held);
        season.learn(now_s, f64::from(self.second.free), mark);
        self.seconds.push_back(std::mem::take(&mut self.second));
        while self.seconds.front().is_some_and(|second| second.at_s <= now_s - RECENT_S) {
            self.seconds.pop_front();
        }
        self.forget(now_s, frozen);
        self.last_s = now_s;
    }

    fn forget(&mut self, now_s: i64, frozen: bool) {
        let cut = (now_s - RECENT_S) * 1_000_000;
        while self.recent.front().is_some_and(|event| event.ts < cut)
            || self.recent.len() > RECENT_SAMPLES_MAX
        {
            if let Some(event) = self.recent.pop_front()
                && !event.has(flag::EXPLAINED)
                && !frozen
            {
                self.normal.sample.offer(event);
                self.normal.slow.offer(&event);
            }
        }
    }

    /// Ends a pane: its votes, unless they are suspect, wait a minute before they count as ordinary.
    pub fn end_pane(&mut self, now_s: i64, suspect: bool) {
        if !suspect {
            self.pending.push_back((now_s, self.fast.tally()));
        }
        self.fast.clear();
        while self.pending.front().is_some_and(|(at, _)| *at <= now_s - RECENT_S) {
            if let Some((_, votes)) = self.pending.pop_front() {
                self.normal.composition.learn(&votes);
            }
        }
    }

    /// What waits to be taken for ordinary is not: an attack was found in it.
    pub fn discard_pending(&mut self) {
        self.pending.clear();
        self.fast.clear();
        self.slow.clear();
    }

    /// Sum over the last `seconds` of the unexplained requests, and how many of them were sampled.
    pub fn totals(&self, now_s: i64, seconds: i64) -> (f64, f64) {
        self.seconds
            .iter()
            .filter(|second| second.at_s > now_s - seconds)
            .fold((0.0, 0.0), |sum, second| {
                (sum.0 + f64::from(second.free), sum.1 + f64::from(second.sampled))
            })
    }

    /// Ordinary rate at this time, requests per second: the level of late, or where more is usual at this hour of the week,
    /// what is there now up to that. So the usual peak is no excess, and what comes while it stays away is.
    #[expect(clippy::cast_precision_loss, reason = "seconds")]
    pub fn level(&self, now_s: i64, seconds: i64) -> f64 {
        let level = self.normal.rate.level();
        match self.normal.season.usual(now_s) {
            Some(usual) if usual > level => {
                (self.totals(now_s, seconds).0 / seconds as f64).clamp(level, usual)
            }
            _ => level,
        }
    }

    /// Requests a second no incident explains, on average over the counted seconds up to `until_s`, and over how many
    /// seconds.
    pub fn rate_until(&self, until_s: i64) -> (f64, f64) {
        let before = self.seconds.iter().filter(|second| second.at_s <= until_s);
        let (seconds, requests) = before.fold((0.0_f64, 0.0), |(seconds, requests), second| {
            (seconds + 1.0, requests + f64::from(second.free))
        });
        (requests / seconds.max(1.0), seconds)
    }

    /// Bytes held at most, by what it counts.
    pub fn weight(&self) -> usize {
        let normal = &self.normal;
        let waiting: usize = self.pending.iter().map(|(_, tally)| tally.len()).sum();
        self.minute.weight()
            + 2 * (self.recent.len() + normal.sample.events.len()) * size_of::<Event>()
            + waiting * size_of::<(u8, u64, u32)>()
            + self.fast.weight()
            + self.slow.weight()
            + normal.composition.weight()
            + normal.paths.weight()
            + normal.shapes.weight()
            + normal.visitors.weight()
            + normal.misses.weight()
            + normal.endpoints.weight()
            + normal.season.weight()
            + normal.slow.weight()
            + self.tries.weight()
            + self.texts.weight()
            + self.draws.weight()
            + self.refused.weight()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(at_s: i64, source: u32) -> Event {
        Event {
            ts: at_s * 1_000_000,
            source: Source::v4(source),
            flags: flag::NAMED,
            ..Event::default()
        }
    }

    const LEARNED: Standing = Standing { learned: true, suspect: false, attacked: false };

    #[test]
    fn what_is_there_now_has_bounded_room_and_ends_with_the_newest() {
        let mut host = Host::new(1_000);
        for at_s in 1_000..1_050 {
            for source in 0..400 {
                host.sample(named(at_s, source), Facts::default());
            }
            host.end_second(at_s, LEARNED);
            assert!(host.recent.len() <= RECENT_SAMPLES_MAX);
        }
        assert_eq!(host.recent.len(), RECENT_SAMPLES_MAX);
        assert_eq!(host.recent.back(), Some(&named(1_049, 399)));
        // what had to go is part of what is ordinary, as what has grown old is
        assert!(!host.normal.sample.events.is_empty());
        let (_, sampled) = host.totals(1_049, 50);
        assert!((sampled - 20_000.0).abs() < 0.5, "{sampled}");
        assert!(host.weight() < 8 << 20, "{}", host.weight());
    }

    #[test]
    fn readers_without_assets_are_noted_anew_every_minute() {
        let mut host = Host::new(1_000);
        let bare = Facts { bare: true, ..Facts::default() };
        (0..1_000).for_each(|source| host.sample(named(1_000, source), bare));
        (0..1_000).for_each(|source| host.sample(named(1_000, source), bare));
        let first: Vec<Source> = (0..256).map(Source::v4).collect();
        assert_eq!((host.bare.len(), &host.bare), (BARE_SOURCES_MAX, &first));
        host.end_minute();
        host.sample(named(1_060, 5_000), bare);
        assert_eq!(host.bare, [Source::v4(5_000)]);
    }
}
