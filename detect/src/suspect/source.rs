//! Tests that a single source can fail, as a table: one row for each counter and time scale.

use serde::{Deserialize, Serialize};

use crate::math::evalue::{Forecast, log_e};
use crate::normal::population::Population;
use crate::record::source::Source;
use crate::seen::attempts::Attempts;
use crate::seen::source_record::SourceRecord;

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
    /// Pages read without end.
    Pages,
    /// Bytes drawn.
    Bytes,
    /// Connections broken off or left without a request.
    Aborts,
}

impl Solo {
    /// Name in the evidence.
    pub const fn feature(self) -> &'static str {
        match self {
            Self::Flood => "source_rate",
            Self::Credentials => "source_credentials",
            Self::Probes => "source_unknown_paths",
            Self::Hostile => "source_attack_texts",
            Self::Pages => "source_pages_without_assets",
            Self::Bytes => "source_megabytes",
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

/// Distinct paths below which nobody is a crawler: a flood asks for the same again and again.
const CRAWL_PATHS_MIN: f64 = 20.0;

/// Requests per second beyond which a crawler's name does not excuse what it does.
const CRAWL_RATE_MAX: f32 = 50.0;

/// Pages without assets, decayed over a minute, from which a source counts as one that only reads.
const BARE_PAGES_MIN: f32 = 15.0;

/// Distinct paths from which it reads at all: a flood asks for the same again and again.
const BARE_PATHS_MIN: f64 = 3.5;

/// Pages decayed over a minute against those over ten seconds, from which a source has been reading long enough to be
/// held for a scraper: faster than that it is a flood. Ten seconds at a steady rate R give `60 R (1 − exp(−10/60))`
/// against `10 R (1 − exp(−1))`.
const READING_RATIO_MIN: f32 = 1.457;

/// Negative-binomial size beyond an envelope that is a quantile: an exponential tail, four times as steep as the
/// body's mean.
const TAIL_SIZE: f64 = 4.0;

/// What a test may look at besides the source.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// What the host's sources ordinarily do.
    pub population: &'a Population,
    /// Ordinary rate of the host, requests per second.
    pub level: f64,
    /// The host has been watched long enough for quantiles to mean something.
    pub learned: bool,
    /// The origin is known to fail: people ask for the same pages again and again.
    pub origin_fails: bool,
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
}

/// One test: is `counter` above what `envelope` allows?
pub struct Test {
    /// What it speaks of; each is reported once until the source has been quiet.
    pub solo: Solo,
    /// Time over which is counted, seconds.
    pub scale_s: f64,
    counter: fn(&Suspect<'_>) -> f64,
    /// Count below which it is nobody's harm, or what any source may do by chance.
    pub floor: f64,
    /// The same on a host with hardly any traffic of its own, see [`QUIET_RATE`].
    pub quiet_floor: f64,
    /// Where the floor comes from.
    pub why: &'static str,
    /// Upper envelope of what an ordinary source does.
    envelope: fn(&Circumstances<'_>) -> f64,
    /// Evidence needed, nats.
    pub nats: f64,
    /// What the counter must be a share of.
    of: fn(&Suspect<'_>) -> f64,
    share: f64,
    /// Quantiles of the host's sources must be known.
    needs_learning: bool,
    /// Many people behind one address are not judged: their counts are sums.
    skips_shared: bool,
    /// What else must hold.
    also: fn(&Suspect<'_>, &Circumstances<'_>) -> bool,
}

/// Share of writes from which a source does not read.
const WRITING_MIN: f32 = 0.5;

/// Share of pages read by programs that say what they are, up to which a source poses as a browser.
const POSING_MAX: f32 = 0.1;

/// Seconds that the sample of records reaches back; what was counted for longer is told of.
const RECENT_S: f64 = 60.0;

/// Distinct paths per page of who reads: a program that polls asks for the same again and again.
const NEW_PAGES_MIN: f64 = 0.6;

/// Pages up to which distinct paths are counted apart.
const COUNTED_MAX: f32 = 250.0;

/// Pages read by a program: hundreds, hardly an asset, and for long enough.
fn reads(suspect: &Suspect<'_>, circumstances: &Circumstances<'_>) -> bool {
    let record = suspect.record;
    !circumstances.origin_fails
        && record.is_bare()
        && record.writes_60 < WRITING_MIN * record.pages_60
        && record.pages_60 >= READING_RATIO_MIN * record.pages_10
        && record.distinct_paths() >= CRAWL_PATHS_MIN
        && (record.programs_60 < POSING_MAX * record.pages_60
            || record.distinct_paths()
                >= NEW_PAGES_MIN * f64::from(record.pages_600.min(COUNTED_MAX)))
}

/// Share of requests in vain in what a source asks for, from which it is searching.
const IN_VAIN_MIN: f32 = 0.4;

/// New paths in vain per page of the last ten minutes, from which a source is searching: below, it is a program that asks
/// for much all the time and has new names for some of it.
const NEW_IN_VAIN_MIN: f32 = 0.1;

/// Distinct paths in vain that tell a search on a host not yet known: every path is new there.
const COLD_PATHS_MIN: f32 = 100.0;

/// Paths in vain within a minute from which a program that names its operator is searching: crawlers follow dead links, and
/// slowly.
const DECLARED_PATHS_MIN: f32 = 20.0;

/// Mostly in vain, and for ever new paths.
fn searches(suspect: &Suspect<'_>, circumstances: &Circumstances<'_>) -> bool {
    let Some(attempts) = suspect.attempts else { return false };
    let [paths_60, paths_600, _, _] = attempts.paths;
    let [_, probes_600, _, probes_day] = attempts.probes;
    let in_vain = probes_600 >= IN_VAIN_MIN * suspect.record.pages_600
        || probes_day >= IN_VAIN_MIN * attempts.pages[3] && paths_60 < 1.0;
    let named = !suspect.record.declared || paths_60 >= DECLARED_PATHS_MIN;
    in_vain
        && named
        && paths_600 >= NEW_IN_VAIN_MIN * suspect.record.pages_600
        && (circumstances.learned || paths_600 >= COLD_PATHS_MIN)
}

/// Seconds from which a source has been here before what is happening now.
const REGULAR_S: i64 = 600;

/// Who was here before an outage and comes back at once is no flood.
fn is_no_return(suspect: &Suspect<'_>, circumstances: &Circumstances<'_>) -> bool {
    let record = suspect.record;
    !circumstances.origin_fails || record.last_s - record.first_s < REGULAR_S
}

/// A test that needs no share, no learning and no more, and does not judge shared addresses.
const PLAIN: Test = Test {
    solo: Solo::Flood,
    scale_s: 10.0,
    counter: |_| 0.0,
    floor: f64::INFINITY,
    quiet_floor: f64::INFINITY,
    why: "",
    envelope: |_| 0.0,
    nats: 0.0,
    of: |_| 0.0,
    share: 0.0,
    needs_learning: false,
    skips_shared: true,
    also: |_, _| true,
};

/// Share of tries in pages within minutes: a form is read for every try.
const FORM_SHARE_MIN: f64 = 0.4;

/// Credentials tried in vain. Shares: who mostly does something else is a person.
const CREDENTIALS: Test = Test { solo: Solo::Credentials, share: 0.5, ..PLAIN };

/// Paths guessed; whoever shares an address with others guesses all the same.
const PROBES: Test = Test { solo: Solo::Probes, skips_shared: false, also: searches, ..PLAIN };

/// Texts of attacks sent.
const HOSTILE: Test = Test { solo: Solo::Hostile, skips_shared: false, ..PLAIN };

/// Pages read without assets.
const PAGES: Test = Test { solo: Solo::Pages, needs_learning: true, also: reads, ..PLAIN };

/// Every test of a single source, in order of how much it says.
pub const TESTS: &[Test] = &[
    Test {
        scale_s: 60.0,
        counter: |s| s.attempts(|a| a.tries[0]),
        floor: 12.0,
        why: "people who forgot a password try five to ten times, and not within a minute",
        envelope: |c| (0.3 * c.usual_writes_600).max(1.5),
        of: |s| f64::from(s.record.pages_60),
        share: FORM_SHARE_MIN,
        ..CREDENTIALS
    },
    Test {
        scale_s: 600.0,
        counter: |s| s.attempts(|a| a.tries[1]),
        floor: 24.0,
        why: "twice the most that locks of accounts and patience allow a person in ten minutes",
        envelope: |c| c.usual_writes_600.max(6.0),
        of: |s| f64::from(s.record.pages_600),
        share: FORM_SHARE_MIN,
        ..CREDENTIALS
    },
    Test {
        scale_s: 3_600.0,
        counter: |s| s.attempts(|a| a.tries[2]),
        floor: 30.0,
        why: "a try every two minutes for an hour is a program",
        envelope: |c| c.usual_writes(6.0).max(8.0),
        of: |s| s.attempts(|a| a.pages[2]),
        ..CREDENTIALS
    },
    Test {
        scale_s: 86_400.0,
        counter: |s| s.attempts(|a| a.tries[3]),
        floor: 24.0,
        why: "more than one try an hour all day: nobody forgets a password day and night",
        envelope: |c| c.usual_writes(144.0).max(8.0),
        of: |s| s.attempts(|a| a.pages[3]),
        ..CREDENTIALS
    },
    Test {
        scale_s: 600.0,
        counter: |s| s.attempts(|a| a.hostile[1]),
        floor: PROBING_FLOOR,
        quiet_floor: QUIET_HOSTILE_FLOOR,
        why: PROBING,
        envelope: |_| 1.0,
        of: |s| f64::from(s.record.pages_600),
        share: 0.2,
        ..HOSTILE
    },
    Test {
        scale_s: 86_400.0,
        counter: |s| s.attempts(|a| a.hostile[3]),
        floor: 60.0,
        why: "twice the floor of ten minutes over a day: nobody meets as many such addresses by chance",
        envelope: |_| 3.0,
        of: |s| s.attempts(|a| a.pages[3]),
        share: 0.2,
        ..HOSTILE
    },
    Test {
        scale_s: 60.0,
        counter: |s| s.attempts(|a| a.paths[0]),
        floor: PROBING_FLOOR,
        quiet_floor: QUIET_PROBING_FLOOR,
        why: PROBING,
        envelope: |_| 4.0,
        ..PROBES
    },
    Test {
        scale_s: 600.0,
        counter: |s| s.attempts(|a| a.paths[1]),
        floor: PROBING_FLOOR,
        quiet_floor: QUIET_PROBING_FLOOR,
        why: PROBING,
        envelope: |_| 8.0,
        ..PROBES
    },
    Test {
        scale_s: 3_600.0,
        counter: |s| s.attempts(|a| a.paths[2]),
        floor: 60.0,
        why: "twice the floor of ten minutes: old links are found in vain one by one",
        envelope: |_| 16.0,
        ..PROBES
    },
    Test {
        scale_s: 86_400.0,
        counter: |s| s.attempts(|a| a.paths[3]),
        floor: 120.0,
        why: "four times the floor of ten minutes",
        envelope: |_| 32.0,
        ..PROBES
    },
    Test {
        also: is_no_return,
        counter: |s| f64::from(s.record.pages_10),
        floor: 70.0,
        why: "seven pages a second for ten seconds; people open no more than two",
        envelope: |c| 1.5 * f64::from(c.population.pages_10.max(12.0)),
        nats: 10.0,
        ..PLAIN
    },
    Test {
        also: is_no_return,
        counter: |s| f64::from(s.record.all_10),
        floor: 200.0,
        why: "twenty requests a second for ten seconds: a heavy page loads as many once",
        envelope: |c| 1.5 * f64::from(c.population.all_10.max(40.0)),
        nats: 10.0,
        ..PLAIN
    },
    Test {
        scale_s: 60.0,
        counter: |s| f64::from(s.record.pages_60),
        floor: 40.0,
        why: "a page every one and a half seconds: nobody reads as fast",
        envelope: |c| c.readers_60(),
        nats: 7.0,
        ..PAGES
    },
    Test {
        scale_s: 600.0,
        counter: |s| f64::from(s.record.pages_600),
        floor: 180.0,
        why: "a page every three seconds for ten minutes, and more",
        envelope: |c| 2.0 * c.readers_60(),
        nats: 4.0,
        also: |s, c| reads(s, c) && c.population.has_browsers(),
        ..PAGES
    },
    Test {
        solo: Solo::Aborts,
        scale_s: 60.0,
        counter: |s| f64::from(s.record.aborted_60),
        floor: 20.0,
        why: "a browser opens up to six connections ahead of need and lets them go, not twenty a minute",
        envelope: |_| 2.0,
        nats: 7.0,
        of: |s| f64::from(s.record.pages_60 + s.record.assets_60 + s.record.empty_60),
        share: ABORTED_MIN,
        ..PLAIN
    },
    Test {
        solo: Solo::Bytes,
        scale_s: 60.0,
        counter: |s| f64::from(s.record.megabytes_60),
        floor: 100.0,
        why: "13 Mbit/s for a minute: a film; what is much beyond it is told by the host's own quantile",
        envelope: |c| 1.5 * f64::from(c.population.megabytes_60),
        nats: 10.0,
        needs_learning: true,
        also: |s, _| s.record.pages_60 + s.record.assets_60 >= DRAWS_MIN,
        ..PLAIN
    },
];

/// Ordinary requests per second up to which a host is quiet: sixty in ten minutes, so that thirty are half of its traffic.
const QUIET_RATE: f64 = 0.1;

/// Requests, decayed over a minute, below which who draws much fetches one large thing: a backup, an image of a disk.
const DRAWS_MIN: f32 = 20.0;

/// Share of aborted requests from which a source does little else.
const ABORTED_MIN: f64 = 0.8;

/// Distinct paths guessed at in ten minutes, or at once, that are no matter.
const PROBING_FLOOR: f64 = 31.0;

/// The same on a host that is asked for less than that in ten minutes altogether.
const QUIET_PROBING_FLOOR: f64 = 20.0;

/// Attack texts on such a host: they say more than an unknown path.
const QUIET_HOSTILE_FLOOR: f64 = 12.0;

impl Test {
    /// The floor on a host with this ordinary rate, requests per second: it rises from the quiet one.
    fn floor_at(&self, level: f64) -> f64 {
        let share = (level / QUIET_RATE).clamp(0.0, 1.0);
        let quiet = self.quiet_floor.min(self.floor);
        quiet + share * (self.floor - quiet)
    }
}

/// Where that comes from.
const PROBING: &str =
    "every public site is asked for up to thirty unknown paths at a time by passing robots";

impl Suspect<'_> {
    fn attempts(&self, get: fn(&Attempts) -> f32) -> f64 {
        self.attempts.map_or(0.0, |attempts| f64::from(get(attempts)))
    }

    /// Whether the source reads page after page and nothing a browser loads with them.
    pub fn is_bare_reader(&self, population: &Population) -> bool {
        let record = self.record;
        record.is_bare()
            && record.pages_60 >= BARE_PAGES_MIN
            && record.distinct_paths() >= BARE_PATHS_MIN
            && !record.declared
            && !record.is_shared(population.loads_assets())
    }

    /// Requests that an alarm is about, as far as they are remembered, and since when, µs.
    pub fn so_far(&self, alarm: &Alarm, now: i64) -> (u64, i64) {
        let first_s = match (alarm.solo, self.attempts) {
            (Solo::Credentials | Solo::Probes | Solo::Hostile, Some(attempts)) => attempts.first_s,
            (Solo::Pages, _) if alarm.scale_s > RECENT_S => self.record.first_s,
            _ => return (0, now),
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count that is not negative"
        )]
        let (requests, span_us) = (alarm.observed as u64, (alarm.scale_s * 1e6) as i64);
        (requests, (first_s * 1_000_000).max(now - 2 * span_us))
    }

    fn crawl(&self, paths_min: f64) -> Crawl {
        let record = self.record;
        match record.declared && record.distinct_paths() >= paths_min {
            false => Crawl::No,
            true if record.pages_10 <= 10.0 * CRAWL_RATE_MAX => Crawl::Polite,
            true => Crawl::Fast,
        }
    }

    /// The first test that the source fails and that was not reported yet.
    pub fn alarm(&self, circumstances: &Circumstances<'_>) -> Option<Alarm> {
        let shared = self.record.is_shared(circumstances.population.loads_assets());
        TESTS.iter().find_map(|test| self.fails(test, shared, circumstances))
    }

    fn fails(&self, test: &Test, shared: bool, circumstances: &Circumstances<'_>) -> Option<Alarm> {
        let observed = (test.counter)(self);
        if observed < test.floor_at(circumstances.level)
            || test.skips_shared && shared
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
        let expected = (test.envelope)(circumstances);
        let score = log_e(observed, Forecast { mean: expected, size: TAIL_SIZE });
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
        (score >= test.nats && self.record.reported & alarm.slot() == 0).then_some(alarm)
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
            let suspect = Suspect { record, attempts: None };
            let circumstances = Circumstances {
                population: &Population { bare_60: 8.0, ..Population::default() },
                level: 1.0,
                learned: true,
                origin_fails: false,
                usual_writes_600: 0.0,
            };
            let alarm = suspect.alarm(&circumstances)?;
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

    #[test]
    fn every_test_has_a_floor_and_says_where_it_comes_from() {
        for test in TESTS {
            assert!(
                test.floor.is_finite() && test.why.len() > 19,
                "{:?} {}",
                test.solo,
                test.scale_s
            );
        }
    }
}
