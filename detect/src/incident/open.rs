//! One open incident: what it selects, what it has counted, when it speaks and when it ends.

use schemas::limits::INCIDENT_SOURCES_MAX;
use schemas::{Evidence, Incident, Kind, State, Verdict};
use serde::{Deserialize, Serialize};

use crate::explain::fingerprint::{Fingerprint, Quality};
use crate::explain::rule::Rule;
use crate::judge::evidence::{self as gate, Class};
use crate::limits::INCIDENT_SOURCES_COUNTED_MAX;
use crate::record::event::Event;
use crate::record::names::{Names, is_cut};
use crate::record::source::Source;
use crate::seen::votes::HotValue;
use crate::store::table::Table;

/// Seconds after the opening at which an incident is looked at again.
pub const REVIEWS_S: [i64; 6] = [5, 15, 30, 60, 120, 300];

/// An incident that is open, or was closed a short while ago.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Open {
    /// Identifier.
    pub id: String,
    /// Class.
    pub class: Class,
    /// Kind.
    pub kind: Kind,
    /// Verdict.
    pub verdict: Verdict,
    /// What it selects: any of these.
    pub rules: Vec<Rule>,
    /// Sources that were reported one by one.
    pub solo_sources: Vec<Source>,
    /// Log odds of an attack.
    pub attackness: f64,
    /// Tests that spoke.
    pub evidence: Vec<(String, f64, f64, f64)>,
    /// What of the rules is printed, measured at the last review.
    pub fingerprint: Option<Fingerprint>,
    /// Ordinary requests per second that the rules select.
    pub ordinary_rate: f64,
    /// Path that most of it asks for, when one does.
    pub main_path: u64,
    /// First request.
    pub first_ts: i64,
    /// Decision.
    pub detected_ts: i64,
    /// Last request.
    pub last_ts: i64,
    /// Closed, if it is.
    pub closed_ts: Option<i64>,
    /// Next review.
    pub next_review_ts: i64,
    /// Reviews so far.
    pub reviews: usize,
    requests: u64,
    ordinary_sum: f64,
    sources: Table<u64>,
    sources_uncounted: u64,
    second: u32,
    rate: f64,
    peak: f64,
    active_ts: i64,
    quiet_us: i64,
    revision: i32,
    pulses: u32,
}

/// What an incident begins with.
#[derive(Debug, Clone)]
pub struct Opening {
    /// Identifier.
    pub id: String,
    /// Kind.
    pub kind: Kind,
    /// Verdict.
    pub verdict: Verdict,
    /// What it selects.
    pub rules: Vec<Rule>,
    /// Log odds of an attack.
    pub attackness: f64,
    /// Decision.
    pub now: i64,
    /// Ordinary requests per second that the rules select.
    pub ordinary_rate: f64,
    /// See the configuration.
    pub quiet_us: i64,
}

/// Time constant of the matched rate, seconds.
const RATE_TAU_S: f64 = 4.0;

impl Open {
    /// Opens an incident.
    pub fn new(opening: Opening) -> Self {
        Self {
            class: gate::class_of(opening.kind),
            id: opening.id,
            kind: opening.kind,
            verdict: opening.verdict,
            rules: opening.rules,
            solo_sources: Vec::new(),
            attackness: opening.attackness,
            evidence: Vec::new(),
            fingerprint: None,
            ordinary_rate: opening.ordinary_rate,
            main_path: 0,
            first_ts: opening.now,
            detected_ts: opening.now,
            last_ts: opening.now,
            closed_ts: None,
            next_review_ts: opening.now + REVIEWS_S[0] * 1_000_000,
            reviews: 0,
            requests: 0,
            ordinary_sum: 0.0,
            sources: Table::default(),
            sources_uncounted: 0,
            second: 0,
            rate: 0.0,
            peak: 0.0,
            active_ts: opening.now,
            quiet_us: opening.quiet_us,
            revision: 0,
            pulses: 1,
        }
    }

    /// Whether its rules select the event.
    pub fn matches(&self, event: &Event) -> bool {
        self.rules.iter().any(|rule| rule.matches(event))
    }

    /// Counts an event that its rules select.
    pub fn count(&mut self, event: &Event) {
        self.requests += 1;
        self.second += 1;
        self.first_ts = self.first_ts.min(event.ts);
        self.last_ts = self.last_ts.max(event.ts);
        if self.sources.len() < INCIDENT_SOURCES_COUNTED_MAX
            || self.sources.get(event.source.0).is_some()
        {
            *self.sources.entry(event.source.0, || 0).0 += 1;
        } else {
            self.sources_uncounted += 1;
        }
    }

    /// Greatest rate of what it selects, requests per second.
    pub const fn peak(&self) -> f64 {
        self.peak
    }

    /// Distinct sources.
    #[expect(clippy::cast_precision_loss, reason = "a count for people")]
    pub const fn source_count(&self) -> f64 {
        self.sources.len() as f64
    }

    /// Ends a second; returns whether the incident is over.
    pub fn end_second(&mut self, now: i64) -> bool {
        let keep = libm::exp(-1.0 / RATE_TAU_S);
        self.rate = keep * self.rate + (1.0 - keep) * f64::from(self.second);
        self.peak = self.peak.max(self.rate);
        self.ordinary_sum += self.ordinary_rate;
        self.second = 0;
        if self.rate > (2.0 * self.ordinary_rate).max(0.05 * self.peak).max(0.02) {
            let gap = now - self.active_ts;
            if gap > 10_000_000 {
                self.pulses += 1;
                self.quiet_us = (3 * gap).clamp(self.quiet_us, 900_000_000);
            }
            self.active_ts = now;
        }
        now - self.active_ts >= self.quiet_us
    }

    /// Takes a closed incident up again.
    pub fn reopen(&mut self, now: i64) {
        self.closed_ts = None;
        self.active_ts = now;
        self.pulses += 1;
        self.reviews = 0;
        self.next_review_ts = now + REVIEWS_S[0] * 1_000_000;
    }

    /// The state its next revision announces, short of a close.
    pub const fn state(&self) -> State {
        if self.revision == 0 { State::Open } else { State::Update }
    }

    /// When it is to be looked at next, after a review.
    pub fn schedule(&mut self, now: i64) {
        self.reviews += 1;
        let wait = REVIEWS_S[self.reviews.min(REVIEWS_S.len() - 1)];
        self.next_review_ts = now + wait * 1_000_000;
    }

    /// Adds a test that spoke; the strongest of each feature is kept.
    pub fn speak(&mut self, feature: &str, expected: f64, observed: f64, score: f64) {
        match self.evidence.iter_mut().find(|(name, ..)| name == feature) {
            Some(old) if old.3 < score => *old = (feature.to_owned(), expected, observed, score),
            Some(_) => {}
            None => self.evidence.push((feature.to_owned(), expected, observed, score)),
        }
    }

    /// Adds the votes for the values that stood out.
    pub fn speak_hot(&mut self, values: &[HotValue]) {
        for hot in values {
            let feature = format!("sources_with_one({})", hot.attribute.name());
            self.speak(&feature, hot.expected, hot.observed, hot.score);
        }
    }

    /// What a feature had to say: expected, observed, nats.
    pub fn spoken(&self, feature: &str) -> Option<(f64, f64, f64)> {
        let entry = self.evidence.iter().find(|(name, ..)| name == feature)?;
        Some((entry.1, entry.2, entry.3))
    }

    /// Strongest evidence from the software or the network of the sources, nats.
    pub fn software_nats(&self) -> f64 {
        let speaks = |name: &str| {
            ["user_agent", "ja4", "source_prefix", "client_asn", "pages_without"]
                .iter()
                .any(|part| name.contains(part))
        };
        self.evidence
            .iter()
            .filter(|(name, ..)| speaks(name))
            .map(|entry| entry.3)
            .fold(0.0, f64::max)
    }

    /// The next revision.
    pub fn revise(
        &mut self,
        state: State,
        now: i64,
        host: Option<&str>,
        names: &Names,
        level: f64,
    ) -> Incident {
        let excess = (float(self.requests) - self.ordinary_sum).max(0.0);
        let rate = self.peak.max(self.rate);
        let severity = gate::severity(self.kind, self.verdict, rate, level, self.source_count());
        let path = names.get(self.main_path).filter(|path| !is_cut(path)).map(str::to_owned);
        let printed = self.fingerprint.as_ref().and_then(|f| Some((f.sql(names)?, f.quality)));
        let shown =
            |get: fn(&Quality) -> f64| printed.as_ref().map(|(_, quality)| rounded(get(quality)));
        let incident = Incident {
            incident_id: self.id.clone(),
            revision: self.revision,
            state,
            kind: self.kind,
            verdict: self.verdict,
            severity,
            confidence: gate::confidence(self.attackness),
            target_host: host.map(str::to_owned),
            target_path: path,
            first_ts: self.first_ts,
            detected_ts: self.detected_ts,
            revision_ts: now,
            last_ts: self.last_ts,
            closed_ts: self.closed_ts,
            requests: i64::try_from(self.requests).unwrap_or(i64::MAX),
            excess_requests: whole(excess),
            source_count: i64::try_from(self.sources.len()).unwrap_or(i64::MAX),
            sources: self.heaviest(names),
            fingerprint_recall: shown(|quality| quality.recall),
            fingerprint_precision: shown(|quality| quality.precision),
            fingerprint_collateral: shown(|quality| quality.collateral),
            fingerprint: printed.map(|(text, _)| text),
            technique: gate::technique(self.kind).map(str::to_owned),
            summary: self.summary(host, names, level),
            evidence: self.evidence(),
        };
        self.revision += 1;
        incident
    }

    /// The hashes whose texts it may still have to show.
    pub fn named(&self) -> impl Iterator<Item = u64> {
        let printed = self.fingerprint.iter().flat_map(|fingerprint| &fingerprint.rules);
        let rules = self.rules.iter().chain(printed).flat_map(Rule::names);
        let sources =
            self.sources.iter().map(|(source, _)| *source).filter(|s| Source(*s).is_named());
        rules.chain(sources).chain([self.main_path])
    }

    fn evidence(&self) -> Vec<Evidence> {
        let mut evidence: Vec<Evidence> = self
            .evidence
            .iter()
            .map(|(feature, expected, observed, score)| Evidence {
                feature: feature.clone(),
                expected: rounded(*expected),
                observed: rounded(*observed),
                score: rounded(*score),
            })
            .collect();
        evidence
            .sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.feature.cmp(&b.feature)));
        evidence
    }

    fn heaviest(&self, names: &Names) -> Vec<String> {
        let mut all: Vec<(u64, u64)> =
            self.sources.iter().map(|(source, count)| (*count, *source)).collect();
        all.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        all.into_iter()
            .filter_map(|(_, source)| name(Source(source), names))
            .take(INCIDENT_SOURCES_MAX)
            .collect()
    }

    fn summary(&self, host: Option<&str>, names: &Names, level: f64) -> String {
        let place = host.unwrap_or("the site");
        let rate = self.peak;
        let sources = self.sources.len();
        let noun = if sources == 1 { "source" } else { "sources" };
        let what = match self.verdict {
            Verdict::Attack => format!("{}", self.kind),
            Verdict::Suspicious => format!("possible {}", self.kind),
            Verdict::Benign => format!("{} (no attack)", self.kind),
        };
        let path = names
            .get(self.main_path)
            .map_or_else(String::new, |path| format!(", most for {}", printable(path)));
        format!(
            "{what} on {}: {} requests from {sources} {noun}, up to {rate:.1} req/s where the host's ordinary rate is {level:.1}{path}",
            printable(place),
            self.requests,
        )
    }
}

/// Text of a source.
pub fn name(source: Source, names: &Names) -> Option<String> {
    source.text().or_else(|| names.get(source.0).map(str::to_owned))
}

fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(120).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a count for people")]
const fn float(n: u64) -> f64 {
    n as f64
}

#[expect(clippy::cast_possible_truncation, reason = "saturates")]
fn whole(x: f64) -> i64 {
    libm::round(x) as i64
}

fn rounded(x: f64) -> f64 {
    libm::round(x * 10_000.0) / 10_000.0
}
