//! One open incident: what it selects, what it has counted, when it speaks and when it ends.

use schemas::{Class, Kind, State, Verdict};
use serde::{Deserialize, Serialize};

use crate::explain::fingerprint::Fingerprint;
use crate::explain::rule::{Atom, Rule};
use crate::incident::scope::Majority;
use crate::incident::tell::float;
use crate::judge::evidence::Judgement;
use crate::judge::kind::is_spread;
use crate::judge::worth::is_vague;
use crate::limits::EVIDENCE_MAX;
use crate::record::event::Event;
use crate::record::source::Source;
use crate::seen::host::RECENT_S;
use crate::store::table::Table;
use crate::suspect::votes::HotValue;

/// Seconds from the opening of an incident to its first review, and from each to the next.
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
    /// Whether it began with one source that stood out, and how many such joined.
    pub origin: Origin,
    /// Log odds of an attack.
    pub attackness: f64,
    /// Tests that spoke.
    pub evidence: Vec<Spoken>,
    /// What of the rules is printed, as it was measured by most records.
    pub fingerprint: Option<Fingerprint>,
    /// Records that it was measured by; 0 where the rules have changed since.
    pub measured: usize,
    /// Ordinary requests per second that the rules select.
    pub ordinary_rate: f64,
    /// Share of it that comes with pages that are viewed, where that is most of it: it makes nothing worse.
    pub(super) viewed: f64,
    /// Path that most of it asks for, when one does.
    pub main_path: u64,
    /// What was asked of whom.
    pub asked: Asked,
    /// Autonomous system of most of it.
    pub(super) asn: Majority,
    /// Country of most of it, and whether that is any news for the host.
    pub(super) country: Majority,
    pub(super) is_foreign: bool,
    /// JA4 fingerprint of most of it.
    pub(super) ja4: Majority,
    /// Program, browsers aside, of most of it.
    pub(super) program: Majority,
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
    pub(super) requests: u64,
    pub(super) ordinary_sum: f64,
    /// Requests of each source; of very many, of those with the most.
    pub(super) sources: Table<u64>,
    /// Most sources that were counted at once.
    pub(super) sources_most: usize,
    second: u32,
    pub(super) rate: f64,
    pub(super) peak: f64,
    active_ts: i64,
    quiet_us: i64,
    pub(super) revision: i32,
}

/// What an incident is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Origin {
    /// Traffic of many sources, found by what it has in common.
    Many,
    /// Sources that stood out one by one; how many.
    Singles(u32),
}

/// Hosts that what an incident selects was asked of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Asked {
    /// None so far.
    #[default]
    Nobody,
    /// One, by its hash.
    One(u64),
    /// Several.
    Several,
}

/// A test that spoke.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spoken {
    /// What was measured.
    pub feature: String,
    /// Upper envelope of the ordinary.
    pub expected: f64,
    /// Seen.
    pub observed: f64,
    /// Evidence, nats.
    pub score: f64,
    /// Probability of as much or more in one look, by the forecast; `None` where no count was forecast.
    pub p_value: Option<f64>,
    /// It speaks of what the sources run or where they are.
    pub of_sender: bool,
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
    /// What it is made of.
    pub origin: Origin,
    /// Log odds of an attack.
    pub attackness: f64,
    /// Decision.
    pub now: i64,
    /// Ordinary requests per second that the rules select.
    pub ordinary_rate: f64,
    /// See the configuration.
    pub quiet_us: i64,
}

/// How long after its opening an incident still takes in what stands out besides, µs.
const YOUNG_US: i64 = 60_000_000;

/// Time without a request up to which an incident is busy, µs: twice the pause of who tries a password every five seconds.
const BUSY_US: i64 = 10_000_000;

/// Bytes of the name of what was measured, at most.
const FEATURE_BYTES: usize = 64;

/// Time constant of the matched rate, seconds.
const RATE_TAU_S: f64 = 4.0;

#[cfg(test)]
impl Opening {
    /// An attack of this kind by many, that begins now and selects nothing yet.
    pub(super) fn an_attack(kind: Kind) -> Self {
        Self {
            id: String::new(),
            kind,
            verdict: Verdict::Attack,
            rules: Vec::new(),
            origin: Origin::Many,
            attackness: 3.0,
            now: 0,
            ordinary_rate: 0.0,
            quiet_us: 0,
        }
    }
}

impl Open {
    /// Opens an incident.
    pub fn new(opening: Opening) -> Self {
        Self {
            class: opening.kind.class(),
            id: opening.id,
            kind: opening.kind,
            verdict: opening.verdict,
            rules: opening.rules,
            origin: opening.origin,
            attackness: opening.attackness,
            evidence: Vec::new(),
            fingerprint: None,
            measured: 0,
            ordinary_rate: opening.ordinary_rate,
            viewed: 0.0,
            main_path: 0,
            asked: Asked::default(),
            asn: Majority::default(),
            country: Majority::default(),
            is_foreign: false,
            ja4: Majority::default(),
            program: Majority::default(),
            first_ts: opening.now,
            detected_ts: opening.now,
            last_ts: opening.now,
            closed_ts: None,
            next_review_ts: opening.now + REVIEWS_S[0] * 1_000_000,
            reviews: 0,
            requests: 0,
            ordinary_sum: 0.0,
            sources: Table::default(),
            sources_most: 0,
            second: 0,
            rate: 0.0,
            peak: 0.0,
            active_ts: opening.now,
            quiet_us: opening.quiet_us,
            revision: 0,
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
        self.asn.count(u64::from(event.asn), 1);
        self.country.count(u64::from(event.country), 1);
        self.ja4.count(event.ja4, 1);
        self.program.count(u64::from(event.program), 1);
        self.asked = match self.asked {
            Asked::Nobody => Asked::One(event.host),
            Asked::One(host) if host == event.host => Asked::One(host),
            Asked::One(_) | Asked::Several => Asked::Several,
        };
        self.first_ts = self.first_ts.min(event.ts);
        self.last_ts = self.last_ts.max(event.ts);
        *self.counted(event.source) += 1;
    }

    /// Counts what its rules select of events of the seconds up to `now_s`, each in its own, as if it had been open then.
    pub fn count_past<'a>(&mut self, events: impl Iterator<Item = &'a Event>, now_s: i64) {
        let mut seconds = vec![0_u32; usize::try_from(RECENT_S).unwrap_or_default()];
        for event in events {
            if !self.matches(event) {
                continue;
            }
            self.count(event);
            let ago = usize::try_from(now_s - event.ts.div_euclid(1_000_000)).unwrap_or_default();
            if let Some(second) = seconds.get_mut(ago) {
                *second += 1;
            }
        }
        for second in seconds.into_iter().rev() {
            self.second = second;
            self.average();
        }
    }

    /// Takes the second that ends into the rate.
    fn average(&mut self) {
        let keep = libm::exp(-1.0 / RATE_TAU_S);
        self.rate = keep * self.rate + (1.0 - keep) * f64::from(self.second);
        self.peak = self.peak.max(self.rate);
        self.second = 0;
    }

    /// Greatest rate of what it selects, requests per second.
    pub const fn peak(&self) -> f64 {
        self.peak
    }

    /// Ends a second; returns whether the incident is over.
    pub fn end_second(&mut self, now: i64) -> bool {
        self.average();
        self.ordinary_sum += self.ordinary_rate;
        if self.rate > (2.0 * self.ordinary_rate).max(0.05 * self.peak).max(0.02) {
            let gap = now - self.active_ts;
            if gap > 10_000_000 {
                self.quiet_us = (3 * gap).min(900_000_000).max(self.quiet_us);
            }
            self.active_ts = now;
        }
        now - self.active_ts >= self.quiet_us
    }

    /// Whether what it selects came within the last seconds.
    pub const fn is_busy(&self, now: i64) -> bool {
        now - self.active_ts <= BUSY_US
    }

    /// Takes a closed incident up again.
    pub fn reopen(&mut self, now: i64) {
        self.closed_ts = None;
        self.active_ts = now;
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

    /// Adds a test that spoke; the strongest of each feature is kept, and of many features the strongest.
    pub fn hear(&mut self, said: Spoken) {
        let same = |old: &Spoken| old.feature == said.feature;
        let weakest = |a: &&mut Spoken, b: &&mut Spoken| a.score.total_cmp(&b.score);
        let old = match self.evidence.iter().position(same) {
            Some(at) => self.evidence.get_mut(at),
            None if self.evidence.len() < EVIDENCE_MAX => {
                self.evidence.push(said);
                return;
            }
            None => self.evidence.iter_mut().min_by(weakest),
        };
        if let Some(old) = old.filter(|old| old.score < said.score) {
            *old = said;
        }
    }

    /// Adds the votes for the values that stood out.
    pub fn hear_votes(&mut self, values: &[HotValue]) {
        for hot in values {
            self.hear(Spoken {
                feature: hot.attribute.feature(),
                expected: hot.expected,
                observed: hot.observed,
                score: hot.score,
                p_value: Some(hot.tail()),
                of_sender: hot.attribute.speaks_of_sender(),
            });
        }
    }

    /// What a feature had to say.
    pub fn spoken(&self, feature: &str) -> Option<&Spoken> {
        self.evidence.iter().find(|said| said.feature == feature)
    }

    /// Strongest evidence from the software or the network of the sources, nats.
    pub fn sender_nats(&self) -> f64 {
        self.evidence
            .iter()
            .filter(|said| said.of_sender)
            .map(|said| said.score)
            .fold(0.0, f64::max)
    }

    /// The source that it is about, if there is but one and nothing else in its rules.
    pub fn only_source(&self) -> Option<Source> {
        let [Rule { atoms }] = self.rules.as_slice() else { return None };
        let [Atom::Source(sources)] = atoms.as_slice() else { return None };
        let [source] = sources.as_slice() else { return None };
        Some(*source)
    }

    /// Whether it began with sources that stood out one by one.
    pub const fn is_of_singles(&self) -> bool {
        matches!(self.origin, Origin::Singles(_))
    }

    /// One more source stood out by itself.
    pub const fn add_single(&mut self) {
        self.origin = match self.origin {
            Origin::Many => Origin::Singles(1),
            Origin::Singles(count) => Origin::Singles(count.saturating_add(1)),
        };
    }

    /// Sources that stood out by themselves.
    pub const fn singles(&self) -> u32 {
        match self.origin {
            Origin::Many => 0,
            Origin::Singles(count) => count,
        }
    }

    /// Requests counted before the incident opened, by a test that remembers longer than the sample.
    pub fn credit(&mut self, source: Source, requests: u64, first_ts: i64) {
        self.first_ts = self.first_ts.min(first_ts);
        let counted = self.counted(source);
        let more = requests.saturating_sub(*counted);
        *counted += more;
        self.requests += more;
    }

    /// Waits at least so long without a request before it closes, µs: what comes twice an hour is not over after a
    /// minute.
    pub fn be_patient(&mut self, quiet_us: i64) {
        self.quiet_us = self.quiet_us.max(quiet_us);
    }

    /// Takes a new judgement: a verdict only hardens, a vague kind becomes a plainer one of its class, and passwords that a few
    /// guess at become those that many go through when many turn out to do so.
    pub fn rejudge(&mut self, judgement: Judgement) {
        let plainer = judgement.kind.class() == self.class || judgement.kind == Kind::Swarm;
        if plainer && !self.is_of_singles() && is_vague(self.kind) {
            (self.kind, self.class) = (judgement.kind, judgement.kind.class());
        }
        let (sources, tries) = (float(self.source_count() as u64), float(self.requests));
        if self.kind == Kind::BruteForce && is_spread(sources, tries) {
            self.kind = Kind::CredentialStuffing;
        }
        // What one source does is judged by its own tests.
        let hardens = self.verdict == Verdict::Suspicious && !self.is_of_singles();
        if judgement.verdict == Verdict::Attack && hardens {
            self.verdict = Verdict::Attack;
        }
        self.attackness = self.attackness.max(judgement.attackness);
    }

    /// Whether it is suspicious, about this source alone, and this is an attack: what raised suspicion is more than that.
    pub fn turns_out(&self, source: Source, judgement: Judgement) -> bool {
        self.verdict == Verdict::Suspicious
            && judgement.verdict == Verdict::Attack
            && self.only_source() == Some(source)
    }

    /// What raised suspicion turns out to be an attack.
    pub const fn promote(&mut self, judgement: Judgement) {
        self.verdict = judgement.verdict;
        self.kind = judgement.kind;
        self.class = judgement.kind.class();
        self.attackness = judgement.attackness;
    }

    /// Whether evidence of a class belongs to it: of the same class, or, while the incident is young, of one whose
    /// traffic shows in volume as well. Credentials are a matter of their own.
    pub fn takes_in(&self, class: Class, now: i64) -> bool {
        let shows = |class| matches!(class, Class::Volume | Class::Copying | Class::Discovery);
        self.class == class
            || now - self.detected_ts <= YOUNG_US && shows(self.class) && shows(class)
    }

    /// The hashes whose texts it may still have to show.
    pub fn named(&self) -> impl Iterator<Item = u64> {
        let printed = self.fingerprint.iter().flat_map(|fingerprint| &fingerprint.rules);
        let rules = self.rules.iter().chain(printed).flat_map(Rule::names);
        let sources =
            self.sources.iter().map(|(source, _)| *source).filter(|s| Source(*s).is_named());
        rules.chain(sources).chain([self.main_path])
    }

    /// Bytes held at most, by what it counts.
    pub fn weight(&self) -> usize {
        let printed = self.fingerprint.iter().flat_map(|fingerprint| &fingerprint.rules);
        let atoms = self.rules.iter().chain(printed).flat_map(|rule| &rule.atoms);
        let values: usize = atoms.map(|atom| size_of::<Atom>() + 16 * atom.values()).sum();
        size_of::<Self>()
            + self.sources.weight()
            + values
            + 2 * self.evidence.len() * (size_of::<Spoken>() + FEATURE_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::attribute::Attribute;
    use crate::suspect::source::Solo;

    #[test]
    fn of_many_tests_that_speak_the_strongest_are_kept() {
        let mut open = Open::new(Opening::an_attack(Kind::HttpFlood));
        let said = |feature: &str, score: f64| Spoken {
            feature: feature.to_owned(),
            expected: 1.0,
            observed: 9.0,
            score,
            p_value: None,
            of_sender: false,
        };
        let of_sources = Solo::ALL.iter().map(|solo| solo.feature().to_owned());
        let of_votes = Attribute::ALL.iter().map(|attribute| attribute.feature());
        let real: Vec<String> = of_sources.chain(of_votes).collect();
        for feature in &real {
            open.hear(said(feature, 30.0));
        }
        (0..1_000).for_each(|n| open.hear(said(&format!("made up {n}"), 20.0)));
        assert_eq!(open.evidence.len(), EVIDENCE_MAX);
        assert!(real.iter().all(|feature| open.spoken(feature).is_some()));
        open.hear(said("the strongest", 90.0));
        open.hear(said("the strongest", 80.0));
        assert!(open.spoken("the strongest").is_some_and(|said| said.score > 85.0));
        assert!(real.iter().all(|feature| open.spoken(feature).is_some()));
        assert_eq!(open.evidence.len(), EVIDENCE_MAX);
    }
}
