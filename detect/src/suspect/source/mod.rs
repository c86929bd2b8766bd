//! Whether a single source stands out: the tests of [`table`], one by one, against what its host is used to.

pub mod floors;
mod hostile;
mod reading;
mod refused;
#[cfg(test)]
mod rows;
pub mod table;
mod why;
mod young;

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::budget::Budget;
use crate::math::evalue::{Forecast, log_e, tail_probability};
use crate::normal::population::Population;
use crate::record::source::Source;
use crate::seen::attempts::Attempts;
use crate::seen::draws::Drawn;
use crate::seen::holders::Held;
use crate::seen::source_record::SourceRecord;
use reading::is_led_away;
use table::{Shared, TESTS, Test};

/// Why a single source stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Solo {
    /// Requests per second.
    Flood,
    /// Credentials tried.
    Credentials,
    /// Paths guessed.
    Probes,
    /// Texts of attacks sent.
    Hostile,
    /// Texts of attacks sent and paths guessed, together.
    Attacks,
    /// Pages read without end.
    Pages,
    /// Bytes drawn.
    Bytes,
    /// Time that its requests take.
    Time,
    /// Connections broken off or left without a request.
    Aborts,
}

impl Solo {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Flood,
        Self::Credentials,
        Self::Probes,
        Self::Hostile,
        Self::Attacks,
        Self::Pages,
        Self::Bytes,
        Self::Time,
        Self::Aborts,
    ];

    /// Whether it is told by what a source tried in vain.
    const fn is_of_attempts(self) -> bool {
        matches!(self, Self::Credentials | Self::Probes | Self::Hostile | Self::Attacks)
    }

    /// Name in the evidence.
    pub const fn feature(self) -> &'static str {
        match self {
            Self::Flood => "source_rate",
            Self::Credentials => "source_credentials",
            Self::Probes => "source_unknown_paths",
            Self::Hostile => "source_attack_texts",
            Self::Attacks => "source_attacks_and_paths",
            Self::Pages => "source_pages_without_assets",
            Self::Bytes => "source_megabytes",
            Self::Time => "source_seconds_of_answers",
            Self::Aborts => "source_aborted_requests",
        }
    }
}

/// A source that stands out, and by how much.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alarm {
    /// Why.
    pub solo: Solo,
    /// Who.
    pub source: Source,
    /// Time over which it was counted, seconds.
    pub scale_s: f64,
    /// Upper envelope of an ordinary source.
    pub expected: f64,
    /// Seen.
    pub observed: f64,
    /// Evidence, nats.
    pub score: f64,
    /// Whether it reads as crawlers do.
    pub crawl: Crawl,
    /// Whether it counts through paths of one shape.
    pub counts: bool,
}

/// Whether a source is a crawler, as far as that shows: it says who runs it and reads page after page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crawl {
    /// It is none.
    No,
    /// At a rate that operators of crawlers keep to.
    Polite,
    /// Faster than that.
    Fast,
}

/// Seconds that the sample of records reaches back; what was counted for longer is told of.
const RECENT_S: f64 = 60.0;

/// Distinct paths below which nobody is a crawler: a flood asks for the same again and again.
const CRAWL_PATHS_MIN: f64 = 20.0;

/// Requests per second beyond which a crawler's name does not excuse what it does.
const CRAWL_RATE_MAX: f32 = 50.0;

/// Pages without assets, decayed over a minute, from which a source counts as one that only reads.
const BARE_PAGES_MIN: f32 = 15.0;

/// Distinct paths from which it reads at all: a flood asks for the same again and again.
const BARE_PATHS_MIN: f64 = 3.5;

/// Distinct paths for each of its pages of ten minutes, from which it reads although it has loaded an asset: whoever waits
/// for a sale loads one page again and again, and what belongs to it once. A choice, half of what tells a single reader.
const BARE_PATHS_SHARE_MIN: f64 = 0.3;

/// Assets, decayed over an hour, below which it has loaded none: one of half an hour ago counts 0.6.
const BARE_ASSETS_MIN: f32 = 0.5;

/// Negative-binomial size beyond an envelope that is a quantile: an exponential tail, four times as steep as the
/// body's mean.
const TAIL_SIZE: f64 = 4.0;

/// Evidence that so much is above an envelope, nats.
pub fn evidence(observed: f64, expected: f64) -> f64 {
    log_e(observed, Forecast { mean: expected, size: TAIL_SIZE })
}

/// Probability of so much or more above an envelope.
pub fn tail(observed: f64, expected: f64) -> f64 {
    tail_probability(observed, Forecast { mean: expected, size: TAIL_SIZE })
}

/// What keeps most sources from failing a test, beside it: the table is long to read for every record.
struct Floor {
    counter: fn(&Suspect<'_>) -> f64,
    least: f64,
    test: &'static Test,
}

/// The floors of the tests, in their order: of those that a source can fail which tried nothing in vain, and of all.
static FLOORS: LazyLock<[Vec<Floor>; 2]> = LazyLock::new(|| {
    [false, true].map(|has_tried| {
        let tests = TESTS.iter().filter(|test| has_tried || !test.solo.is_of_attempts());
        tests.map(|test| Floor { counter: test.counter, least: test.least_floor(), test }).collect()
    })
});

/// What a test may look at besides the source.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// What the host's sources ordinarily do.
    pub population: &'a Population,
    /// Ordinary rate of the host, requests per second.
    pub level: f64,
    /// The host has been watched long enough for quantiles to mean something.
    pub learned: bool,
    /// Seconds for which it has been watched.
    pub watched_s: i64,
    /// The host sends nearly all who ask for a page elsewhere.
    pub leads_away: bool,
    /// The origin is known to fail: people ask for the same pages again and again.
    pub origin_fails: bool,
    /// Evidence needed.
    pub budget: Budget,
    /// Upper envelope of one source's writes in ten minutes to the address it writes to; 0 where it is not in
    /// ordinary use.
    pub usual_writes_600: f64,
}

/// Pages a minute that passing robots without a name read, where visitors load assets: more is held to be theirs only on
/// hosts whose visitors are programs themselves.
const ROBOTS_60_MAX: f32 = 16.0;

/// Writes of one source in ten minutes from which an address is written to by programs, all the time.
const PROGRAM_WRITES_MIN: f64 = 10.0;

impl Circumstances<'_> {
    /// Upper envelope of one source's writes in so many times ten minutes: people do not go on for hours.
    fn usual_writes(&self, times: f64) -> f64 {
        let usual = self.usual_writes_600;
        if usual < PROGRAM_WRITES_MIN { usual } else { times * usual }
    }

    /// Upper envelope of the pages that a source without assets reads, decayed over a minute.
    fn readers_60(&self) -> f64 {
        let bare = self.population.bare_60.max(8.0);
        f64::from(if self.population.has_browsers() { bare.min(ROBOTS_60_MAX) } else { bare })
    }
}

/// A source, as it was seen.
#[derive(Debug, Clone, Copy)]
pub struct Suspect<'a> {
    /// What it has been doing.
    pub record: &'a SourceRecord,
    /// What it tried in vain, if anything.
    pub attempts: Option<&'a Attempts>,
    /// What it has of the time that the host's answers take.
    pub held: Held,
    /// What it drew that it had before.
    pub drawn: Drawn,
}

impl Suspect<'_> {
    fn attempts(&self, get: fn(&Attempts) -> f32) -> f64 {
        self.attempts.map_or(0.0, |attempts| f64::from(get(attempts)))
    }

    /// Whether the source reads page after page and nothing a browser loads with them.
    pub fn is_bare_reader(&self, circumstances: &Circumstances<'_>) -> bool {
        let record = self.record;
        record.is_bare()
            && !is_led_away(self, circumstances)
            && record.pages_60 >= BARE_PAGES_MIN
            && self.reads_on()
            && !record.asks_again()
            && !record.is_declared()
            && !record.is_shared(circumstances.population.loads_assets())
    }

    /// Whether what the source asks for is new to it.
    fn reads_on(&self) -> bool {
        let SourceRecord { pages_600, assets_3600, .. } = *self.record;
        let least = if assets_3600 < BARE_ASSETS_MIN {
            BARE_PATHS_MIN
        } else {
            let share = BARE_PATHS_SHARE_MIN * f64::from(pages_600);
            share.clamp(BARE_PATHS_MIN, CRAWL_PATHS_MIN)
        };
        self.record.distinct_paths() >= least
    }

    /// Requests that an alarm is about, as far as they are remembered, and since when, µs.
    pub fn so_far(&self, alarm: &Alarm, now: i64) -> (u64, i64) {
        let (first_s, most) = match (alarm.solo, self.attempts) {
            // A request may count more than once.
            (solo, Some(attempts)) if solo.is_of_attempts() => {
                (attempts.first_s, f64::from(attempts.pages[3]))
            }
            (Solo::Pages, _) if alarm.scale_s > RECENT_S => (self.record.first_s, f64::INFINITY),
            _ => return (0, now),
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count that is not negative"
        )]
        let (requests, span_us) = (alarm.observed.min(most) as u64, (alarm.scale_s * 1e6) as i64);
        (requests, (first_s * 1_000_000).max(now - 2 * span_us))
    }

    fn crawl(&self, paths_min: f64) -> Crawl {
        let record = self.record;
        match record.is_declared() && record.distinct_paths() >= paths_min {
            false => Crawl::No,
            true if record.pages_10 <= 10.0 * CRAWL_RATE_MAX => Crawl::Polite,
            true => Crawl::Fast,
        }
    }

    /// The first test that the source fails, that was not reported yet, and whose alarm `is_excused` does not hold for a matter
    /// of course: it is asked for few, and may look at more than a test does.
    pub fn alarm(
        &self,
        circumstances: &Circumstances<'_>,
        is_excused: impl Fn(&Alarm) -> bool,
    ) -> Option<Alarm> {
        let floors = &FLOORS[usize::from(self.attempts.is_some())];
        let above = floors.iter().filter(|floor| (floor.counter)(self) >= floor.least);
        let mut alarms = above.filter_map(|floor| self.fails(floor.test, circumstances));
        alarms.find(|alarm| !is_excused(alarm))
    }

    fn fails(&self, test: &Test, circumstances: &Circumstances<'_>) -> Option<Alarm> {
        let observed = (test.counter)(self);
        let shared = self.record.is_shared(circumstances.population.loads_assets());
        let people = match test.shared {
            Shared::AsMany(each) if shared => each * f64::from(self.record.agents.count_ones()),
            _ => 1.0,
        };
        if observed < people * test.floor_at(circumstances.level)
            || test.shared == Shared::Skipped && shared
            || test.needs_learning && !circumstances.learned
            || observed < test.share * (test.of)(self)
            || !(test.also)(self, circumstances)
        {
            return None;
        }
        let crawl = match test.solo {
            Solo::Flood | Solo::Pages => self.crawl(CRAWL_PATHS_MIN),
            Solo::Bytes => self.crawl(0.0),
            _ => Crawl::No,
        };
        let expected = people * (test.envelope)(circumstances);
        let score = evidence(observed, expected);
        let alarm = Alarm {
            solo: test.solo,
            source: self.record.source,
            scale_s: test.scale_s,
            expected,
            observed,
            score,
            crawl,
            counts: self.record.counts_through(),
        };
        (score >= circumstances.budget.moved(test.nats) && self.record.reported & alarm.slot() == 0)
            .then_some(alarm)
    }
}

impl Alarm {
    /// Bit under which it is noted as reported. What a source is said to be as a crawler does not excuse what it does
    /// later.
    pub const fn slot(&self) -> u32 {
        match self.crawl {
            Crawl::No => 1 << self.solo as u32,
            Crawl::Fast => 1 << 30,
            Crawl::Polite => 1 << 31,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::DEFAULT_FALSE_ALARMS;
    use crate::record::event::Event;
    use crate::seen::source_record::Decay;
    use crate::seen::sources::Sources;

    /// What a source stands out by that asks for a page once and, ten minutes later, for `pages` in `seconds`.
    fn reading(pages: i64, seconds: i64) -> Vec<Solo> {
        let mut population = Population { bare_60: 8.0, ..Population::default() };
        let (mut sources, decay) = (Sources::default(), Decay::default());
        let times = (0..pages).map(|page| 600_000_000 + page * seconds * 1_000_000 / pages);
        let alarms = std::iter::once(0).chain(times).zip(1_u64..).filter_map(|(ts, page)| {
            let path = page.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let event = Event { ts, host: 1, path, ..Event::default() };
            let (record, _) = sources.add(1, &event, &mut population, &decay);
            let suspect =
                Suspect { record, attempts: None, held: Held::default(), drawn: Drawn::default() };
            let circumstances = Circumstances {
                population: &Population { bare_60: 8.0, ..Population::default() },
                level: 1.0,
                learned: true,
                watched_s: 86_400,
                leads_away: false,
                origin_fails: false,
                budget: Budget::of(DEFAULT_FALSE_ALARMS),
                usual_writes_600: 0.0,
            };
            let alarm = suspect.alarm(&circumstances, |_| false)?;
            record.reported |= alarm.slot();
            Some(alarm)
        });
        alarms.map(|alarm| alarm.solo).collect()
    }

    #[test]
    fn who_came_before_and_opens_many_pages_at_once_is_no_scraper() {
        assert_eq!(reading(65, 3), []);
        assert_eq!(reading(65, 30), [Solo::Pages]);
    }
}
