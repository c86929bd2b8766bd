//! One record per (host, source): decayed counts, and the tests a single source can fail.

use serde::{Deserialize, Serialize};

use crate::record::event::{Event, flag};
use crate::limits::SOURCES_MAX;
use crate::normal::population::Population;
use crate::math::evalue::{Forecast, log_e};
use crate::record::source::Source;
use crate::store::table::Table;

/// Time constants of the decayed counts, seconds.
const TAU_S: [f64; 3] = [10.0, 60.0, 600.0];

/// Seconds after which a decayed count is nothing.
const HORIZON_S: usize = 4_096;

/// `exp(−Δ/τ)` for whole seconds.
#[derive(Debug, Clone)]
pub struct Decay {
    factors: [Vec<f32>; 3],
}

impl Default for Decay {
    fn default() -> Self {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            reason = "a table of factors"
        )]
        let factors =
            TAU_S.map(|tau| (0..HORIZON_S).map(|s| libm::exp(-(s as f64) / tau) as f32).collect());
        Self { factors }
    }
}

impl Decay {
    fn by(&self, seconds: i64) -> [f32; 3] {
        let at = usize::try_from(seconds.max(0)).unwrap_or(HORIZON_S);
        [0, 1, 2].map(|which| self.factors[which].get(at).copied().unwrap_or(0.0))
    }
}

/// What a source has been doing on one host. Counts named `_10`, `_60`, `_600` are decayed with that time
/// constant in seconds: a steady rate `R` reads `10 R`, `60 R`, `600 R`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct SourceRecord {
    /// Host.
    pub host: u64,
    /// Source.
    pub source: Source,
    /// First second seen.
    pub first_s: i64,
    /// Last second seen.
    pub last_s: i64,
    /// Requests.
    pub all_10: f32,
    /// Requests other than assets.
    pub pages_10: f32,
    /// Requests other than assets.
    pub pages_60: f32,
    /// Requests other than assets.
    pub pages_600: f32,
    /// Requests for assets.
    pub assets_60: f32,
    /// Credentials handed over.
    pub auth_60: f32,
    /// Credentials handed over.
    pub auth_600: f32,
    /// Refused requests for paths the host does not serve.
    pub probes_60: f32,
    /// Refused requests for paths the host does not serve.
    pub probes_600: f32,
    /// Megabytes sent.
    pub megabytes_60: f32,
    /// Linear-counting bitmap of the paths.
    pub paths: u64,
    /// Linear-counting bitmap of the user agents.
    pub agents: u64,
    /// Linear-counting bitmap of the JA4 fingerprints.
    pub ja4s: u64,
    /// Majority vote on the path: the path and its lead.
    pub main_path: u64,
    lead: f32,
    /// Classes already reported.
    pub reported: u8,
    /// Every request so far named its operator in the user agent.
    pub declared: bool,
}

/// Why a single source stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Solo {
    /// Requests per second.
    Flood,
    /// Credentials tried.
    Credentials,
    /// Paths guessed.
    Probes,
    /// Pages read without end.
    Pages,
    /// Bytes drawn.
    Bytes,
}

impl Solo {
    const fn bit(self) -> u8 {
        1 << self as u8
    }

    /// Name in the evidence.
    pub const fn feature(self) -> &'static str {
        match self {
            Self::Flood => "source_rate",
            Self::Credentials => "source_credentials",
            Self::Probes => "source_unknown_paths",
            Self::Pages => "source_pages_without_assets",
            Self::Bytes => "source_megabytes",
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
    /// Upper envelope of an ordinary source.
    pub expected: f64,
    /// Seen.
    pub observed: f64,
    /// Evidence, nats.
    pub score: f64,
    /// Whether it reads as crawlers do.
    pub crawl: Crawl,
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

impl Crawl {
    /// Bit of `reported`, which is the reason's own where no crawler is.
    const fn bit(self, solo: Solo) -> u8 {
        match self {
            Self::No => solo.bit(),
            Self::Fast => 1 << 6,
            Self::Polite => 1 << 7,
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "decayed counts carry 24 bits")]
const fn f64_to_f32(x: f64) -> f32 {
    x as f32
}

impl SourceRecord {
    fn decay(&mut self, by: [f32; 3]) {
        let [ten, minute, long] = by;
        self.all_10 *= ten;
        self.pages_10 *= ten;
        self.lead *= minute;
        self.pages_60 *= minute;
        self.assets_60 *= minute;
        self.auth_60 *= minute;
        self.probes_60 *= minute;
        self.megabytes_60 *= minute;
        self.pages_600 *= long;
        self.auth_600 *= long;
        self.probes_600 *= long;
        if long < 0.05 {
            (self.paths, self.agents, self.ja4s, self.reported) = (0, 0, 0, 0);
        }
    }

    fn add(&mut self, event: &Event, is_probe: bool) {
        let unit = |on: bool| if on { 1.0 } else { 0.0 };
        let asset = event.has(flag::ASSET);
        let path_bit = 1_u64 << (event.path >> 58);
        let new_path = self.paths & path_bit == 0 || self.paths.count_ones() > 40;
        self.all_10 += 1.0;
        if asset {
            self.assets_60 += 1.0;
        } else {
            self.pages_10 += 1.0;
            self.pages_60 += 1.0;
            self.pages_600 += 1.0;
        }
        let auth = unit(event.has(flag::AUTH));
        self.auth_60 += auth;
        self.auth_600 += auth;
        let probe = unit(is_probe && new_path);
        self.probes_60 += probe;
        self.probes_600 += probe;
        self.megabytes_60 += f64_to_f32(f64::from(event.bytes) / 1e6);
        self.paths |= path_bit;
        self.agents |= 1 << (event.user_agent >> 58);
        if event.ja4 != 0 {
            self.ja4s |= 1 << (event.ja4 >> 58);
        }
        self.declared &= event.has(flag::DECLARED_BOT);
        if event.path == self.main_path {
            self.lead += 1.0;
        } else if self.lead < 1.0 {
            (self.main_path, self.lead) = (event.path, 1.0);
        } else {
            self.lead -= 1.0;
        }
    }

    /// Many people behind one address: many user agents, and not all from one program that changes its name. Where
    /// no fingerprint tells, people are known by the assets that their browsers load.
    fn is_shared(&self, population: &Population) -> bool {
        let browses = self.assets_60 > 0.1 * self.pages_60;
        let many_programs = match self.ja4s.count_ones() {
            0 => !population.loads_assets(),
            programs => programs >= 3,
        };
        self.agents.count_ones() >= 5 && (browses || many_programs)
    }

    fn crawl(&self) -> Crawl {
        match self.declared && self.distinct_paths() >= CRAWL_PATHS_MIN {
            false => Crawl::No,
            true if self.pages_10 <= 10.0 * CRAWL_RATE_MAX => Crawl::Polite,
            true => Crawl::Fast,
        }
    }

    /// Pages without what a browser loads with them.
    pub fn is_bare(&self) -> bool {
        self.assets_60 <= 0.05 * self.pages_60
    }

    /// Distinct paths, roughly, saturating at some hundreds.
    pub fn distinct_paths(&self) -> f64 {
        let zeros = f64::from(self.paths.count_zeros()).max(0.5);
        64.0 * libm::log(64.0 / zeros)
    }
}

/// All (host, source) records.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sources {
    records: Table<SourceRecord>,
    next_sweep_s: i64,
    /// Records dropped for room.
    pub evicted: u64,
}

/// A source is looked at for the population's quantiles once in this time, seconds.
const LOOK_EVERY_S: i64 = 30;

/// Negative-binomial size beyond the quantile: an exponential tail, four times as steep as the body's mean.
const TAIL_SIZE: f64 = 4.0;

/// Pages without assets, decayed over a minute, from which a source counts as one that only reads.
const BARE_PAGES_MIN: f32 = 15.0;

/// Pages decayed over a minute against those over ten seconds, from which a source has been reading long enough to be
/// held for a scraper: faster than that it is a flood. Ten seconds at a steady rate R give `60 R (1 − exp(−10/60))`
/// against `10 R (1 − exp(−1))`.
const READING_RATIO_MIN: f32 = 1.457;

/// Distinct paths below which nobody is a crawler: a flood asks for the same again and again.
const CRAWL_PATHS_MIN: f64 = 20.0;

/// Requests per second beyond which a crawler's name does not excuse what it does.
const CRAWL_RATE_MAX: f32 = 50.0;

/// Seconds without a request after which a record may go.
const IDLE_S: i64 = 3_600;

impl Sources {
    /// Takes an event in; returns what its source now stands out by, once per class of reason, and whether it
    /// reads page after page without assets.
    pub fn add(
        &mut self,
        key: u64,
        event: &Event,
        is_probe: bool,
        population: &mut Population,
        decay: &Decay,
    ) -> (Option<Alarm>, bool) {
        let now_s = event.ts.div_euclid(1_000_000);
        let fresh = || SourceRecord {
            host: event.host,
            source: event.source,
            first_s: now_s,
            last_s: now_s,
            declared: true,
            ..SourceRecord::default()
        };
        let (record, _) = self.records.entry(key, fresh);
        let idle = now_s - record.last_s;
        if idle > 0 {
            // A busy source counts no more often than an idle one: else it would lift what is held to be ordinary.
            let due = now_s.div_euclid(LOOK_EVERY_S) != record.last_s.div_euclid(LOOK_EVERY_S);
            if due && !record.is_shared(population) && record.reported == 0 {
                population.look(record);
            }
            record.decay(decay.by(idle));
            record.last_s = now_s;
        }
        record.add(event, is_probe);
        let bare = record.is_bare()
            && record.pages_60 >= BARE_PAGES_MIN
            && !record.declared
            && !record.is_shared(population);
        (judge(record, population), bare)
    }

    /// The record of a key.
    pub fn get(&self, key: u64) -> Option<&SourceRecord> {
        self.records.get(key)
    }

    /// Drops idle records once a while, and the least recent ones when there are too many.
    pub fn sweep(&mut self, now_s: i64) {
        if now_s < self.next_sweep_s && self.records.len() < SOURCES_MAX {
            return;
        }
        self.next_sweep_s = now_s + 300;
        let mut idle = IDLE_S;
        loop {
            let before = self.records.len();
            self.records.retain(|_, record| now_s - record.last_s <= idle);
            if idle < IDLE_S {
                self.evicted += (before - self.records.len()) as u64;
            }
            if self.records.len() < SOURCES_MAX / 4 * 3 || idle == 0 {
                break;
            }
            idle = if idle > 60 { idle / 6 } else { 0 };
        }
    }

    /// Bytes held.
    pub const fn state_bytes(&self) -> usize {
        self.records.state_bytes()
    }
}

fn judge(record: &mut SourceRecord, population: &Population) -> Option<Alarm> {
    let alarm = test(record, population)?;
    // What it is said to be as a crawler does not excuse what it does later.
    let bit = alarm.crawl.bit(alarm.solo);
    if record.reported & bit != 0 {
        return None;
    }
    record.reported |= bit;
    Some(alarm)
}

/// Tests in order of how much they say; the floors keep a quiet host from calling ordinary eagerness an attack.
fn test(record: &SourceRecord, population: &Population) -> Option<Alarm> {
    let alarm = |solo, expected: f32, observed: f32, size: f64| {
        let (expected, observed) = (f64::from(expected), f64::from(observed));
        let score = log_e(observed, Forecast { mean: expected, size });
        let reads = matches!(solo, Solo::Flood | Solo::Pages | Solo::Bytes);
        let crawl = if reads { record.crawl() } else { Crawl::No };
        Alarm { solo, source: record.source, expected, observed, score, crawl }
    };
    let fresh = |solo: Solo| record.reported & solo.bit() == 0;
    let shared = record.is_shared(population);
    if fresh(Solo::Credentials) && !shared {
        if record.auth_60 >= 12.0 && record.auth_60 >= 0.5 * record.pages_60 {
            return Some(alarm(Solo::Credentials, 1.5, record.auth_60, TAIL_SIZE));
        }
        if record.auth_600 >= 40.0 && record.auth_600 >= 0.5 * record.pages_600 {
            return Some(alarm(Solo::Credentials, 6.0, record.auth_600, TAIL_SIZE));
        }
    }
    if fresh(Solo::Probes) {
        if record.probes_60 >= 25.0 && record.probes_60 >= 0.4 * record.pages_60 {
            return Some(alarm(Solo::Probes, 4.0, record.probes_60, TAIL_SIZE));
        }
        if record.probes_600 >= 40.0 && record.probes_600 >= 0.4 * record.pages_600 {
            return Some(alarm(Solo::Probes, 8.0, record.probes_600, TAIL_SIZE));
        }
    }
    if fresh(Solo::Flood) && !shared && record.pages_10 >= 70.0 {
        let found =
            alarm(Solo::Flood, 1.5 * population.pages_10.max(12.0), record.pages_10, TAIL_SIZE);
        if found.score >= 10.0 {
            return Some(found);
        }
    }
    if fresh(Solo::Flood) && !shared && record.all_10 >= 200.0 {
        let found = alarm(Solo::Flood, 1.5 * population.all_10.max(40.0), record.all_10, TAIL_SIZE);
        if found.score >= 10.0 {
            return Some(found);
        }
    }
    if population.learned
        && !population.origin_fails
        && fresh(Solo::Pages)
        && !shared
        && record.pages_60 >= 40.0
        && record.pages_60 >= READING_RATIO_MIN * record.pages_10
        && record.is_bare()
    {
        let found = alarm(Solo::Pages, population.bare_60.max(8.0), record.pages_60, TAIL_SIZE);
        if found.score >= 7.0 && record.distinct_paths() >= 20.0 {
            return Some(found);
        }
    }
    if population.learned && fresh(Solo::Bytes) && !shared && record.megabytes_60 >= 500.0 {
        let found =
            alarm(Solo::Bytes, 1.5 * population.megabytes_60, record.megabytes_60, TAIL_SIZE);
        if found.score >= 10.0 {
            return Some(found);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a source stands out by that asks for a page once and, ten minutes later, for `pages` in `seconds`.
    fn reading(pages: i64, seconds: i64) -> Vec<Solo> {
        let mut population = Population { learned: true, bare_60: 8.0, ..Population::default() };
        let (mut sources, decay) = (Sources::default(), Decay::default());
        let times = (0..pages).map(|page| 600_000_000 + page * seconds * 1_000_000 / pages);
        let alarms = std::iter::once(0).chain(times).zip(1_u64..).filter_map(|(ts, page)| {
            let path = page.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let event = Event { ts, host: 1, path, ..Event::default() };
            sources.add(1, &event, false, &mut population, &decay).0
        });
        alarms.map(|alarm| alarm.solo).collect()
    }

    #[test]
    fn who_came_before_and_opens_many_pages_at_once_is_no_scraper() {
        assert_eq!(reading(65, 3), []);
        assert_eq!(reading(65, 30), [Solo::Pages]);
    }
}
