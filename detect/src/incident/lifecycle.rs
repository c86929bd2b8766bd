//! The life of incidents on one host: what is due at the end of a second.

use schemas::{Class, Incident, Kind, State, Verdict};

use crate::config::DetectConfig;
use crate::explain::rule::{Atom, Rule};
use crate::incident::look::span;
use crate::incident::open::{Open, Opening, Origin, Spoken};
use crate::incident::target::Target;
use crate::judge::evidence::Judgement;
use crate::judge::worth::{is_vague, solo_judgement};
use crate::math::hash::Hasher;
use crate::record::event::flag;
use crate::record::names::Names;
use crate::seen::attempters::Attempters;
use crate::seen::host::RECENT_S;
use crate::seen::sources::Sources;
use crate::suspect::budget::Budget;
use crate::suspect::source::floors::AGAIN_MIN;
use crate::suspect::source::{Alarm, Solo, tail};

/// What the work on the incidents of a host may look at besides the host itself.
#[derive(Debug, Clone, Copy)]
pub struct Desk<'a> {
    /// Settings.
    pub config: &'a DetectConfig,
    /// Evidence needed.
    pub budget: &'a Budget,
    /// Hashes.
    pub hasher: &'a Hasher,
    /// Texts.
    pub names: &'a Names,
    /// Records of sources.
    pub sources: &'a Sources,
    /// What sources tried in vain.
    pub attempters: &'a Attempters,
    /// Hash of the host.
    pub host_key: u64,
    /// Ordinary rate of all hosts together, where those are meant that nobody knows; else `None`.
    pub of_strangers: Option<f64>,
    /// Host.
    pub host: Option<&'a str>,
    /// End of the second just closed, µs.
    pub now: i64,
}

/// Sources reading pages without assets that make a flood the work of scrapers.
const READERS_MIN: u32 = 5;

/// Time within which sources that try credentials are held to be one matter, µs, as is a search with one that asked for something
/// as lately; and sources that always are.
const TOGETHER_US: i64 = 60_000_000;
const TOGETHER_MIN: u32 = 3;

/// Sources drawing bytes at once that are no partner's job, and such that want long answers: where answers take long by their
/// nature, two of the best customers are often there at once. Choices.
const DRAWERS_MIN: u32 = 2;
const WAITERS_MIN: u32 = 3;

/// Sources that leave connections open at once that are no accident.
const ABORTERS_MIN: u32 = 5;

/// Seconds from which a source has been here before what is happening now.
pub(super) const REGULAR_S: i64 = 600;

/// Longest time without a request after which an incident of attempts hours apart is over, µs: six hours.
const PATIENCE_US_MAX: i64 = 21_600_000_000;

/// Mean times between attempts without any, after which they are over.
const PATIENCE_GAPS: f64 = 3.0;

impl Desk<'_> {
    /// The second just closed.
    pub const fn now_s(&self) -> i64 {
        self.now.div_euclid(1_000_000) - 1
    }

    fn id(&self, kind: Kind, salt: u64) -> String {
        let (a, b) = (self.host_key, self.now.unsigned_abs());
        let high = self.hasher.pair(a, b);
        let low = self.hasher.pair(high ^ salt, kind as u64 + 1);
        format!("{high:016x}{low:016x}")
    }

    /// Everything that is due on a host at the end of a second.
    pub fn end_second(&self, target: &mut Target, out: &mut Vec<Incident>) {
        self.age(target, out);
        let is_own = self.of_strangers.is_none();
        if is_own && target.cases.alarms.iter().any(|(alarm, ..)| alarm.solo == Solo::Flood) {
            // Those who come back all at once are told by what they have in common, before one of them is named.
            self.look(target, out);
        }
        for (alarm, requests, first_ts) in target.cases.take_alarms() {
            let reads = matches!(alarm.solo, Solo::Flood | Solo::Pages);
            if !reads || !self.is_return(target, &alarm) {
                self.single(target, &alarm, requests, first_ts, out);
            }
        }
        if (self.now_s() + 1) % RECENT_S == 0 {
            self.campaign(target, out);
            self.texts(target, out);
            self.swarm(target, out);
        }
        if is_own {
            self.drift(target, out);
        }
        self.review(target, out);
        if self.of_strangers.is_some() {
            self.strangers(target, out);
        } else {
            self.look(target, out);
        }
    }

    /// Whether another source that tries credentials, or searches, belongs to an incident: they began together, are at it at the same
    /// time, or are many. Else two that try one after the other are two matters.
    fn is_one_matter(&self, open: &Open) -> bool {
        self.now - open.detected_ts <= TOGETHER_US
            || open.is_busy(self.now)
            || open.singles() >= TOGETHER_MIN
    }

    /// Whether a source that floods is one of those who come back after an outage.
    fn is_return(&self, target: &Target, alarm: &Alarm) -> bool {
        let key = self.hasher.pair(self.host_key, alarm.source.0);
        let regular = |first_s: i64| self.now_s() - first_s > REGULAR_S;
        target.cases.is_open(Kind::RetryStorm)
            && (self.sources.get(key).is_some_and(|record| regular(record.first_s))
                || target.host.normal.visitors.contains(alarm.source))
    }

    /// Whether it is about one source that was not here before: its address is what it does, and all of it, while what it asks
    /// for at the moment is not what it asks for next. Behind the address of one that was here others may be.
    pub(super) fn is_about_newcomer(&self, open: &Open) -> bool {
        open.only_source().is_some_and(|source| {
            let record = self.sources.get(self.hasher.pair(self.host_key, source.0));
            let began = open.first_ts.div_euclid(1_000_000);
            record.is_some_and(|record| began - record.first_s <= REGULAR_S)
        })
    }

    /// The next revision of an open incident.
    pub fn revise(&self, target: &mut Target, at: usize, state: State) -> Incident {
        let level = target.host.normal.rate.level();
        target.cases.open[at].revise(state, self.now, self.host, self.names, level)
    }

    fn age(&self, target: &mut Target, out: &mut Vec<Incident>) {
        let level = target.host.normal.rate.level();
        let mut at = 0;
        while at < target.cases.open.len() {
            if !target.cases.open[at].end_second(self.now) {
                at += 1;
                continue;
            }
            let mut over = target.cases.open.remove(at);
            over.closed_ts = Some(self.now);
            let of_many = !over.is_of_singles() && over.class == Class::Volume;
            if of_many && over.verdict == Verdict::Suspicious {
                target.host.normal.habit.learn(over.peak(), self.now_s());
            }
            out.push(over.revise(State::Close, self.now, self.host, self.names, level));
            target.cases.keep_closed(over);
        }
        target.cases.closed.retain(|closed| {
            closed.closed_ts.is_some_and(|at| self.now - at <= self.config.reopen_us)
        });
    }

    /// A single source stands out: its incident is opened, or it joins one of its class.
    pub fn single(
        &self,
        target: &mut Target,
        alarm: &Alarm,
        requests: u64,
        first_ts: i64,
        out: &mut Vec<Incident>,
    ) {
        let judgement = solo_judgement(alarm);
        let class = judgement.kind.class();
        let has_room = target.cases.has_room(class);
        let takes_in = |open: &Open| {
            // A campaign of many that each try seldom is another matter than one that tries for hours. Where there is no
            // room for another matter, it is told with those that there are.
            let alike = match class {
                Class::Benign => open.kind == judgement.kind,
                Class::Credentials => {
                    open.is_of_singles() && (!has_room || self.is_one_matter(open))
                }
                // Nor is who goes through a list in a minute a part of what another tries for days.
                Class::Discovery => {
                    !open.is_of_singles()
                        || !has_room
                        || self.is_one_matter(open)
                        || self.now - open.last_ts <= TOGETHER_US
                        || open.sources.get(alarm.source.0).is_some()
                }
                _ => true,
            };
            alike && open.takes_in(class, self.now)
        };
        let turns_out = |open: &Open| open.turns_out(alarm.source, judgement);
        let open = &target.cases.open;
        let joined = open.iter().position(takes_in).or_else(|| open.iter().position(turns_out));
        if let Some(open) = joined.and_then(|at| target.cases.open.get_mut(at)) {
            if open.class != class && open.turns_out(alarm.source, judgement) {
                (open.kind, open.class) = (judgement.kind, class);
            }
            let reads = alarm.solo == Solo::Pages && open.singles() + 1 >= READERS_MIN;
            if reads && is_vague(open.kind) {
                (open.kind, open.class) = (judgement.kind, class);
            }
            take_in(open, alarm, requests, first_ts);
            open.add_source(alarm.source, alarm.observed);
            let several = match alarm.solo {
                Solo::Bytes => open.singles() >= DRAWERS_MIN,
                Solo::Time => open.singles() >= WAITERS_MIN,
                Solo::Aborts => open.singles() >= ABORTERS_MIN,
                _ => false,
            };
            let is_attack = judgement.verdict == Verdict::Attack || several;
            if open.verdict == Verdict::Suspicious && is_attack {
                open.verdict = Verdict::Attack;
                open.attackness = open.attackness.max(judgement.attackness);
                open.next_review_ts = self.now;
            }
            target.mark_explained();
            return;
        }
        let opening = Opening {
            id: self.id(judgement.kind, alarm.source.0),
            kind: judgement.kind,
            verdict: judgement.verdict,
            rules: vec![Rule { atoms: vec![Atom::Source(vec![alarm.source])] }],
            origin: Origin::Singles(0),
            attackness: judgement.attackness,
            now: self.now,
            ordinary_rate: 0.0,
            quiet_us: self.config.quiet_us,
        };
        if let Some(at) = self.open(target, opening) {
            take_in(&mut target.cases.open[at], alarm, requests, first_ts);
            self.announce(target, at, out);
        }
    }

    /// Opens an incident found by what many sources have in common; its place among the open ones.
    pub fn open_many(
        &self,
        target: &mut Target,
        judgement: Judgement,
        rule: Rule,
        ordinary_rate: f64,
        salt: u64,
    ) -> Option<usize> {
        let opening = Opening {
            id: self.id(judgement.kind, salt),
            kind: judgement.kind,
            verdict: judgement.verdict,
            rules: vec![rule],
            origin: Origin::Many,
            attackness: judgement.attackness,
            now: self.now,
            ordinary_rate,
            quiet_us: self.config.quiet_us,
        };
        self.open(target, opening)
    }

    /// Opens an incident, or takes up one closed a short while ago; its place among the open ones.
    fn open(&self, target: &mut Target, opening: Opening) -> Option<usize> {
        let cases = &mut target.cases;
        let class = opening.kind.class();
        if !cases.has_room(class) {
            return None;
        }
        let unexplained = || target.host.recent.iter().filter(|e| !e.has(flag::EXPLAINED));
        let known = cases.closed.iter().rposition(|old| old.is_again(&opening, unexplained()));
        if let Some(at) = known {
            let mut again = cases.closed.remove(at);
            again.reopen(self.now);
            again.count_past(unexplained(), self.now_s());
            if again.verdict == Verdict::Suspicious && opening.verdict == Verdict::Attack {
                let Opening { kind, verdict, attackness, .. } = opening;
                let attackness = attackness.max(again.attackness);
                again.promote(Judgement { kind, verdict, attackness });
            }
            cases.open.push(again);
        } else {
            let mut open = Open::new(opening);
            open.count_past(unexplained(), self.now_s());
            cases.open.push(open);
        }
        let at = cases.open.len() - 1;
        if cases.open[at].verdict != Verdict::Benign {
            target.mark_explained();
        }
        Some(at)
    }
}

/// Adds what one more source stands out by.
fn take_in(open: &mut Open, alarm: &Alarm, requests: u64, first_ts: i64) {
    open.add_single();
    open.credit(alarm.source, requests, first_ts);
    // What is drawn again and again comes as seldom as its test allows.
    let is_large = alarm.solo == Solo::Bytes && alarm.scale_s > span(RECENT_S);
    let times = if is_large { AGAIN_MIN } else { alarm.observed.max(1.0) };
    #[expect(clippy::cast_possible_truncation, reason = "some hours")]
    let patience = (PATIENCE_GAPS * 1e6 * alarm.scale_s / times) as i64;
    open.be_patient(patience.min(PATIENCE_US_MAX));
    open.hear(Spoken {
        feature: alarm.solo.feature().to_owned(),
        expected: alarm.expected,
        observed: alarm.observed,
        score: alarm.score,
        p_value: Some(tail(alarm.observed, alarm.expected)),
        of_sender: alarm.solo == Solo::Pages,
    });
}
