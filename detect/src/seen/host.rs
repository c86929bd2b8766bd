//! One host: what is ordinary there, what is there now, and its incidents.

use std::collections::VecDeque;

use schemas::{Kind, Verdict};
use serde::{Deserialize, Serialize};

use crate::normal::rate::RateBaseline;
use crate::config::DetectConfig;
use crate::record::event::{Event, flag};
use crate::math::hash::Hasher;
use crate::incident::open::Open;
use crate::limits::{BARE_SOURCES_MAX, BASELINE_SAMPLES_MAX, RECENT_SAMPLES_MAX};
use crate::normal::population::Population;
use crate::math::evalue::EDetector;
use crate::record::source::Source;
use crate::seen::sources::Alarm;
use crate::seen::votes::{Composition, Facts, Tally, Votes};
use crate::seen::minutes::TargetMinute;

/// Seconds of samples kept as what is there now.
pub const RECENT_S: i64 = 60;

/// Words of the bitmap of paths the host serves.
const KNOWN_PATH_WORDS: usize = 2_048;

/// Seconds that a crowd's rate is averaged over, at least.
const CROWD_SECONDS_MIN: f64 = 10.0;

/// Seconds of strong evidence without an attack after which the new state is taken for ordinary.
const ADOPT_S: u32 = 2_400;

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

/// Ordinary records: a reservoir that slowly forgets.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Reservoir {
    /// The sample.
    pub events: Vec<Event>,
    offered: u64,
}

impl Reservoir {
    fn offer(&mut self, event: Event) {
        self.offered += 1;
        if self.events.len() < BASELINE_SAMPLES_MAX {
            self.events.push(event);
            return;
        }
        // The sample reaches back about sixteen times its size, then replaces itself.
        let depth = self.offered.min(16 * BASELINE_SAMPLES_MAX as u64);
        let draw = crate::math::hash::mix(self.offered) % depth;
        if let Some(slot) = usize::try_from(draw).ok().and_then(|at| self.events.get_mut(at)) {
            *slot = event;
        }
    }
}

/// Volume that raised suspicion before and came to nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Custom {
    /// Its peak, requests per second.
    peak: f64,
    at_s: i64,
}

impl Custom {
    #[expect(clippy::cast_precision_loss, reason = "seconds")]
    fn peak(&self, now_s: i64) -> f64 {
        self.peak * libm::exp(-((now_s - self.at_s) as f64) / CUSTOM_MEMORY_S)
    }
}

/// Time constant with which a host's customs are forgotten, seconds.
const CUSTOM_MEMORY_S: f64 = 172_800.0;

/// How far an excess must surpass what the host has got away with to raise suspicion again.
const CUSTOM_FACTOR: f64 = 2.0;

/// State of one host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// Rate of ordinary requests.
    pub baseline: RateBaseline,
    /// Test of the rate.
    pub detector: EDetector,
    /// Evidence against the rate, nats.
    pub rate_nats: f64,
    /// Forecast of the last second.
    pub expected: f64,
    /// Running minute.
    pub minute: TargetMinute,
    /// Sampled records of the last minute.
    pub recent: VecDeque<Event>,
    /// Counts of the last minute.
    pub seconds: VecDeque<Second>,
    /// Running second.
    pub second: Second,
    /// Votes of the running pane.
    pub fast: Votes,
    /// Votes of the running minute.
    pub slow: Votes,
    /// Sources of the running minute that read pages without assets.
    pub bare: Vec<Source>,
    /// Ordinary shares.
    pub composition: Composition,
    /// Votes that wait to be taken for ordinary.
    pending: VecDeque<(i64, Tally)>,
    /// Ordinary records.
    pub ordinary: Reservoir,
    /// What sources ordinarily do.
    pub population: Population,
    known_paths: Vec<u64>,
    /// Open incidents, oldest first.
    pub open: Vec<Open>,
    /// Incidents closed a short while ago.
    pub closed: Vec<Open>,
    /// Sources that stood out in the running second.
    #[serde(skip)]
    pub alarms: Vec<Alarm>,
    custom: Custom,
    /// First second.
    pub first_s: i64,
    /// Last second ended.
    pub last_s: i64,
    /// Last second with a record.
    pub active_s: i64,
    /// Earliest next investigation, and the wait after it.
    pub next_look_s: i64,
    /// Wait after the next investigation that finds nothing.
    pub look_wait_s: i64,
    frozen_s: u32,
}

impl Target {
    /// A host first seen in this second.
    pub fn new(now_s: i64) -> Self {
        Self {
            baseline: RateBaseline::default(),
            detector: EDetector::default(),
            rate_nats: 0.0,
            expected: 0.0,
            minute: TargetMinute::default(),
            recent: VecDeque::new(),
            seconds: VecDeque::new(),
            second: Second::default(),
            fast: Votes::default(),
            slow: Votes::default(),
            bare: Vec::new(),
            composition: Composition::default(),
            pending: VecDeque::new(),
            ordinary: Reservoir::default(),
            population: Population::default(),
            known_paths: vec![0; KNOWN_PATH_WORDS],
            open: Vec::new(),
            closed: Vec::new(),
            alarms: Vec::new(),
            custom: Custom::default(),
            first_s: now_s,
            last_s: now_s - 1,
            active_s: now_s,
            next_look_s: 0,
            look_wait_s: 2,
            frozen_s: 0,
        }
    }

    /// Whether the host has been watched long enough to be judged.
    pub fn has_learned(&self, config: &DetectConfig) -> bool {
        (self.last_s - self.first_s) * 1_000_000 >= config.learning_us
    }

    const fn path_slot(path: u64) -> (usize, u64) {
        ((path >> 6) as usize % KNOWN_PATH_WORDS, 1 << (path & 63))
    }

    /// Whether the host has answered this path with success.
    pub fn serves(&self, path: u64) -> bool {
        let (word, bit) = Self::path_slot(path);
        self.known_paths[word] & bit != 0
    }

    /// Whether a request asked in vain for what the host does not serve.
    pub fn is_probe(&self, event: &Event) -> bool {
        event.is_refused_path() && !event.has(flag::ASSET) && !self.serves(event.path)
    }

    /// Counts one record of the running second; returns whether an open incident explains it.
    pub fn explain(&mut self, event: &mut Event) -> bool {
        self.second.all += 1;
        let seen = *event;
        for open in self.open.iter_mut().filter(|open| open.matches(&seen)) {
            let benign = open.verdict == Verdict::Benign;
            if !benign && event.has(flag::EXPLAINED) {
                continue;
            }
            open.count(&seen);
            if !benign {
                event.flags |= flag::EXPLAINED;
            }
        }
        if event.has(flag::EXPLAINED) {
            if event.has(flag::NAMED) {
                self.recent.push_back(*event);
            }
            return true;
        }
        self.second.free += 1;
        if matches!(event.status_class(), 2 | 3) {
            let (word, bit) = Self::path_slot(event.path);
            self.known_paths[word] |= bit;
        }
        false
    }

    /// Lets a record that nothing explains vote, if it is part of the sample.
    pub fn vote(&mut self, event: Event, facts: Facts, hasher: &Hasher) {
        if !event.has(flag::NAMED) {
            return;
        }
        if facts.bare && self.bare.len() < BARE_SOURCES_MAX && !self.bare.contains(&event.source) {
            self.bare.push(event.source);
        }
        self.second.sampled += 1;
        self.fast.vote(&event, facts, hasher, &self.composition);
        self.slow.vote(&event, facts, hasher, &self.composition);
        self.recent.push_back(event);
    }

    /// Ends a minute of votes.
    pub fn end_minute(&mut self) {
        self.slow.clear();
        self.bare.clear();
    }

    /// Catches up on seconds without a record.
    pub fn catch_up(&mut self, now_s: i64) {
        let gap = now_s - 1 - self.last_s;
        if gap <= 0 {
            return;
        }
        #[expect(clippy::cast_precision_loss, reason = "seconds")]
        self.baseline.learn_silence(gap as f64);
        if gap >= 5 {
            self.end_pane(now_s - 1, 12.0);
            self.detector.reset();
            self.rate_nats = 0.0;
        }
        if (self.last_s + 1).div_euclid(RECENT_S) != now_s.div_euclid(RECENT_S) {
            self.end_minute();
        }
        self.last_s = now_s - 1;
    }

    /// Ends the running second: tests the rate and learns.
    pub fn end_second(&mut self, now_s: i64, config: &DetectConfig) {
        self.catch_up(now_s);
        if self.second.all > 0 {
            self.active_s = now_s;
        }
        self.second.at_s = now_s;
        let free = f64::from(self.second.free);
        let forecast = self.baseline.forecast();
        self.expected = forecast.mean;
        self.population.learned = self.has_learned(config);
        self.population.origin_fails = self.open.iter().any(|open| open.kind == Kind::OriginFault);
        if self.has_learned(config) {
            self.rate_nats = self.detector.observe(free, forecast);
            self.minute.score = self.minute.score.max(self.rate_nats);
        }
        if self.is_suspect(config) {
            self.frozen_s += 1;
        } else {
            self.frozen_s = self.frozen_s.saturating_sub(2);
        }
        if !self.is_frozen(config) {
            self.baseline.learn(free);
        }
        self.seconds.push_back(std::mem::take(&mut self.second));
        while self.seconds.front().is_some_and(|second| second.at_s <= now_s - RECENT_S) {
            self.seconds.pop_front();
        }
        self.forget(now_s, config);
        self.last_s = now_s;
    }

    fn is_suspect(&self, config: &DetectConfig) -> bool {
        self.rate_nats >= config.alarm_nats / 2.0 || !self.open.is_empty()
    }

    /// Whether what is seen now must not be taken for ordinary.
    fn is_frozen(&self, config: &DetectConfig) -> bool {
        self.is_suspect(config) && self.frozen_s < ADOPT_S && self.has_learned(config)
    }

    fn forget(&mut self, now_s: i64, config: &DetectConfig) {
        let cut = (now_s - RECENT_S) * 1_000_000;
        let frozen = self.is_frozen(config);
        while self.recent.front().is_some_and(|event| event.ts < cut)
            || self.recent.len() > RECENT_SAMPLES_MAX
        {
            if let Some(event) = self.recent.pop_front()
                && !event.has(flag::EXPLAINED)
                && !frozen
            {
                self.ordinary.offer(event);
            }
        }
    }

    /// Ends a pane: its votes wait a minute before they count as ordinary.
    pub fn end_pane(&mut self, now_s: i64, half_alarm: f64) {
        if self.fast.strongest().max(self.slow.strongest()) < half_alarm {
            self.pending.push_back((now_s, self.fast.tally()));
        }
        self.fast.clear();
        while self.pending.front().is_some_and(|(at, _)| *at <= now_s - RECENT_S) {
            if let Some((_, votes)) = self.pending.pop_front() {
                self.composition.learn(&votes);
            }
        }
    }

    /// What waits to be taken for ordinary is not: an attack was found in it. Records it explains are marked.
    pub fn taint(&mut self) {
        self.pending.clear();
        self.fast.clear();
        self.slow.clear();
        self.detector.reset();
        self.rate_nats = 0.0;
        for event in &mut self.recent {
            let explained =
                self.open.iter().any(|open| open.verdict != Verdict::Benign && open.matches(event));
            if explained {
                event.flags |= flag::EXPLAINED;
            }
        }
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

    /// Ordinary rate, or, in a crowd that is known to be one, the rate it had up to `until_s`, requests per second:
    /// in a crowd every value is more frequent, and that is no trait of an attack.
    pub fn level_in_crowd(&self, until_s: i64) -> f64 {
        let level = self.baseline.level();
        if !self.open.iter().any(|open| open.kind == Kind::FlashCrowd) {
            return level;
        }
        let before = self.seconds.iter().filter(|second| second.at_s <= until_s);
        let (seconds, requests) = before.fold((0.0_f64, 0.0), |(seconds, requests), second| {
            (seconds + 1.0, requests + f64::from(second.free))
        });
        if seconds < CROWD_SECONDS_MIN { level } else { level.max(requests / seconds) }
    }

    /// Suspicion about volume has come to nothing: the same again is no news.
    pub fn get_used_to(&mut self, peak: f64, now_s: i64) {
        self.custom = Custom { peak: peak.max(self.custom.peak(now_s)), at_s: now_s };
    }

    /// Whether the host has had an excess like this before, requests per second, that came to nothing.
    pub fn is_used_to(&self, excess: f64, now_s: i64) -> bool {
        excess < CUSTOM_FACTOR * self.custom.peak(now_s)
    }

    /// Bytes held.
    pub fn state_bytes(&self) -> usize {
        size_of::<Self>()
            + self.minute.state_bytes()
            + (self.recent.capacity() + self.ordinary.events.capacity()) * size_of::<Event>()
            + self.fast.state_bytes()
            + self.slow.state_bytes()
            + self.composition.state_bytes()
            + self.known_paths.capacity() * 8
    }
}
