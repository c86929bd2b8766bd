//! From evidence to incidents: what stands out on a host is searched, judged, and opened, joined or reviewed.

use schemas::{Incident, Kind, State, Verdict};

use crate::config::DetectConfig;
use crate::explain::rule::{Atom, Rule};
use crate::explain::sample::Sample;
use crate::explain::search::{Evidence, Found};
use crate::incident::open::{Open, Opening};
use crate::judge::evidence::{self as gate, Case, Class, Judgement};
use crate::judge::profile::Profile;
use crate::judge::worth::{
    CROWD_RATE_MIN, EXCESS_REQUESTS_MIN, better_rules, extend_sources, firm, harden, is_volume,
    joins, rejudge, solo_judgement, supported, worth,
};
use crate::limits::OPEN_INCIDENTS_MAX;
use crate::math::hash::Hasher;
use crate::record::event::{Event, flag};
use crate::record::names::Names;
use crate::record::source::Source;
use crate::seen::host::{RECENT_S, Target};
use crate::seen::sources::{Alarm, Crawl, Solo, Sources};
use crate::seen::votes::{Attribute, HotValue};

/// What a search came to: a rule, what it is held to be, the evidence for it, and the seconds it was seen in.
#[derive(Debug, Clone, Copy)]
struct Matter<'a> {
    found: &'a Found,
    judgement: Judgement,
    hot: &'a [HotValue],
    seconds: i64,
}

/// What an investigation may look at besides the host itself.
#[derive(Debug, Clone, Copy)]
pub struct Bench<'a> {
    /// Settings.
    pub config: &'a DetectConfig,
    /// Hashes.
    pub hasher: &'a Hasher,
    /// Texts.
    pub names: &'a Names,
    /// Records of sources.
    pub sources: &'a Sources,
    /// Hash of the host.
    pub host_key: u64,
    /// Host.
    pub host: Option<&'a str>,
    /// End of the second just closed, µs.
    pub now: i64,
}

/// Sources of the last seconds without which volume is the matter of the tests of single sources.
const CROWD_SOURCES_MIN: usize = 5;

/// Sources reading pages without assets that make a flood the work of scrapers.
const READERS_MIN: usize = 5;

/// Share of assets in ordinary traffic below which pages without assets say nothing.
const ASSETS_SHARE_MIN: f64 = 0.15;

impl Bench<'_> {
    const fn now_s(&self) -> i64 {
        self.now.div_euclid(1_000_000) - 1
    }

    fn profile<'e>(&self, target: &Target, events: impl Iterator<Item = &'e Event>) -> Profile {
        let now_s = self.now_s();
        Profile::of(
            events,
            self.hasher,
            |event| target.is_probe(event),
            |event| {
                let key = self.hasher.pair(self.host_key, event.source.0);
                self.sources.get(key).is_some_and(|record| now_s - record.first_s > 600)
            },
        )
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
        let alarms = std::mem::take(&mut target.alarms);
        for alarm in alarms {
            self.solo(target, alarm, out);
        }
        self.review(target, out);
        self.look(target, out);
    }

    fn age(&self, target: &mut Target, out: &mut Vec<Incident>) {
        let level = target.baseline.level();
        let mut at = 0;
        while at < target.open.len() {
            if !target.open[at].end_second(self.now) {
                at += 1;
                continue;
            }
            let mut over = target.open.remove(at);
            over.closed_ts = Some(self.now);
            let of_many = over.solo_sources.is_empty() && over.class == Class::Volume;
            if of_many && over.verdict == Verdict::Suspicious {
                target.get_used_to(over.peak(), self.now_s());
            }
            out.push(over.revise(State::Close, self.now, self.host, self.names, level));
            target.closed.push(over);
        }
        target.closed.retain(|closed| {
            closed.closed_ts.is_some_and(|at| self.now - at <= self.config.reopen_us)
        });
    }

    /// A single source stands out: its incident is opened, or it joins one of its class.
    fn solo(&self, target: &mut Target, alarm: Alarm, out: &mut Vec<Incident>) {
        let judgement = solo_judgement(&alarm);
        let class = gate::class_of(judgement.kind);
        let joined = target.open.iter_mut().find(|open| {
            joins(open, class, self.now) && (class != Class::Benign || open.kind == judgement.kind)
        });
        if let Some(open) = joined {
            open.solo_sources.push(alarm.source);
            let reads = alarm.solo == Solo::Pages && open.solo_sources.len() >= READERS_MIN;
            if reads && open.kind == Kind::HttpFlood {
                (open.kind, open.class) = (judgement.kind, class);
            }
            open.speak(alarm.solo.feature(), alarm.expected, alarm.observed, alarm.score);
            extend_sources(open, alarm.source);
            if open.verdict == Verdict::Suspicious && judgement.verdict == Verdict::Attack {
                open.verdict = Verdict::Attack;
                open.attackness = open.attackness.max(judgement.attackness);
                open.next_review_ts = self.now;
            }
            target.taint();
            return;
        }
        let rule = Rule { atoms: vec![Atom::Source(vec![alarm.source])] };
        if let Some(at) = self.open(target, judgement, vec![rule], 0.0, alarm.source.0) {
            let level = target.baseline.level();
            let open = &mut target.open[at];
            open.solo_sources.push(alarm.source);
            open.speak(alarm.solo.feature(), alarm.expected, alarm.observed, alarm.score);
            let state = open.state();
            self.refine(target, at);
            out.push(target.open[at].revise(state, self.now, self.host, self.names, level));
        }
    }

    /// Opens an incident, or takes up one closed a short while ago; its place among the open ones.
    fn open(
        &self,
        target: &mut Target,
        judgement: Judgement,
        rules: Vec<Rule>,
        ordinary_rate: f64,
        salt: u64,
    ) -> Option<usize> {
        if target.open.len() >= OPEN_INCIDENTS_MAX {
            return None;
        }
        let class = gate::class_of(judgement.kind);
        if let Some(at) =
            target.closed.iter().position(|closed| closed.class == class && closed.rules == rules)
        {
            let mut again = target.closed.remove(at);
            again.reopen(self.now);
            target.open.push(again);
        } else {
            let mut open = Open::new(Opening {
                id: self.id(judgement.kind, salt),
                kind: judgement.kind,
                verdict: judgement.verdict,
                rules,
                attackness: judgement.attackness,
                now: self.now,
                ordinary_rate,
                quiet_us: self.config.quiet_us,
            });
            for event in target.recent.iter().filter(|event| !event.has(flag::EXPLAINED)) {
                if open.matches(event) {
                    open.count(event);
                }
            }
            target.open.push(open);
        }
        if judgement.verdict != Verdict::Benign {
            target.taint();
        }
        Some(target.open.len() - 1)
    }

    /// Looks for what lies behind evidence that is strong enough.
    fn look(&self, target: &mut Target, out: &mut Vec<Incident>) {
        let now_s = self.now_s();
        if !target.has_learned(self.config) {
            return;
        }
        let alarm = self.config.alarm_nats;
        let fast = target.fast.hot(alarm);
        let telling = fast.first().is_some_and(|hot| hot.attribute.is_software_or_network());
        if now_s < target.next_look_s && !(telling && target.look_wait_s > 4) {
            return;
        }
        self.readers(target, out);
        let mut slow = target.slow.hot(alarm);
        slow.retain(|hot| hot.attribute != Attribute::Bare);
        let (last, _) = target.totals(now_s, 5);
        let rate = target.rate_nats >= alarm
            && last > 5.0 * (1.1 * target.expected).max(target.baseline.level() + CROWD_RATE_MIN)
            && self.has_sources(target, CROWD_SOURCES_MIN);
        if fast.is_empty() && slow.is_empty() && !rate {
            return;
        }
        let mut opened = false;
        if !fast.is_empty() || rate {
            opened = self.look_at(target, 5, &fast, out);
        }
        if !opened && (!slow.is_empty() || rate) {
            opened = self.look_at(target, RECENT_S, &slow, out);
        }
        target.look_wait_s = if opened { 2 } else { (target.look_wait_s * 2).min(30) };
        target.next_look_s = now_s + if opened { 1 } else { target.look_wait_s };
    }

    fn has_sources(&self, target: &Target, least: usize) -> bool {
        let mut seen: Vec<Source> = Vec::new();
        for event in self.window(target, 5, |event| !event.has(flag::EXPLAINED)) {
            if !seen.contains(&event.source) {
                seen.push(event.source);
            }
            if seen.len() >= least {
                return true;
            }
        }
        false
    }

    /// Many sources at once read pages without assets: each of them is one of the scrapers, and so is who joins.
    fn readers(&self, target: &mut Target, out: &mut Vec<Incident>) {
        if target.bare.is_empty() || target.population.origin_fails {
            return;
        }
        let hot = target.slow.hot(self.config.alarm_nats);
        let hot = hot.iter().find(|hot| hot.attribute == Attribute::Bare);
        let hot = hot.map(|hot| (hot.expected, hot.observed, hot.score)).or_else(|| {
            let open = target.open.iter().find(|open| open.class == Class::Copying)?;
            open.spoken(Solo::Pages.feature())
        });
        let Some((expected, observed, score)) = hot else { return };
        let assets = target.ordinary.events.iter().filter(|event| event.has(flag::ASSET)).count();
        #[expect(clippy::cast_precision_loss, reason = "sizes of samples")]
        let share = assets as f64 / target.ordinary.events.len().max(1) as f64;
        if share < ASSETS_SHARE_MIN {
            return;
        }
        for source in std::mem::take(&mut target.bare) {
            let alarm =
                Alarm { solo: Solo::Pages, source, expected, observed, score, crawl: Crawl::No };
            self.solo(target, alarm, out);
        }
    }

    fn window<'e>(
        &self,
        target: &'e Target,
        seconds: i64,
        keep: impl Fn(&Event) -> bool,
    ) -> Vec<&'e Event> {
        let cut = self.now - seconds * 1_000_000;
        target.recent.iter().filter(|event| event.ts >= cut && keep(event)).collect()
    }

    fn look_at(
        &self,
        target: &mut Target,
        seconds: i64,
        hot: &[HotValue],
        out: &mut Vec<Incident>,
    ) -> bool {
        let now = self.window(target, seconds, |event| !event.has(flag::EXPLAINED));
        let (total, sampled) = target.totals(self.now_s(), seconds);
        if now.is_empty() || target.ordinary.events.is_empty() {
            return false;
        }
        let weight = (total / sampled.max(1.0)).max(1.0);
        let evidence = self.evidence(target, Sample::even(now, weight), seconds);
        let seed = hot.first().map(|hot| (hot.attribute.columns(), &hot.example));
        let Some(found) = evidence.best_rule(seed).filter(|found| firm(&evidence, found)) else {
            return false;
        };
        let judgement = self.judge(target, &evidence, &found, hot);
        let excess = (found.selected - found.expected) / span(seconds);
        let level = target.baseline.level();
        let few = is_volume(judgement) && found.selected - found.expected < EXCESS_REQUESTS_MIN;
        let usual = judgement.verdict == Verdict::Suspicious
            && is_volume(judgement)
            && target.is_used_to(excess, self.now_s());
        if few || usual || !worth(judgement, excess, level) || !supported(judgement, hot) {
            return false;
        }
        self.act(target, &Matter { found: &found, judgement, hot, seconds }, out)
    }

    #[expect(clippy::cast_precision_loss, reason = "sizes of samples")]
    fn evidence<'e>(&'e self, target: &'e Target, now: Sample<'e>, seconds: i64) -> Evidence<'e> {
        let level = target.level_in_crowd(self.now_s() - seconds).max(0.02);
        let ordinary = &target.ordinary.events;
        let weight = level * span(seconds) / ordinary.len().max(1) as f64;
        Evidence {
            now,
            ordinary: Sample::even(ordinary, weight),
            names: self.names,
            sources_min: 3,
            source_requests_min: target.population.window_envelope(span(seconds)),
        }
    }

    fn judge(
        &self,
        target: &Target,
        evidence: &Evidence<'_>,
        found: &Found,
        hot: &[HotValue],
    ) -> Judgement {
        let seen =
            self.profile(target, evidence.now.iter().filter(|event| found.rule.matches(event)));
        let all = self.profile(target, evidence.now.iter());
        let ordinary = self.profile(target, evidence.ordinary.iter());
        let software_nats = hot
            .iter()
            .filter(|hot| hot.attribute.is_software_or_network())
            .map(|hot| hot.score)
            .fold(0.0, f64::max);
        let case = Case {
            seen,
            all,
            ordinary,
            software_nats,
            level: target.baseline.level(),
            rate: target.totals(self.now_s(), 10).0 / 10.0,
        };
        case.judge()
    }

    /// Joins the open incident of the class, or opens one.
    fn act(&self, target: &mut Target, matter: &Matter<'_>, out: &mut Vec<Incident>) -> bool {
        let Matter { found, judgement, hot, seconds } = *matter;
        let class = gate::class_of(judgement.kind);
        let level = target.baseline.level();
        let joined = target.open.iter().position(|open| joins(open, class, self.now));
        if let Some(at) = joined {
            let open = &mut target.open[at];
            if judgement.verdict != Verdict::Attack {
                return false;
            }
            open.speak_hot(hot);
            if open.rules.len() < 4 && !open.rules.contains(&found.rule) {
                open.rules.push(found.rule.clone());
                open.ordinary_rate += found.expected / span(seconds);
            }
            if open.verdict == Verdict::Suspicious && judgement.verdict == Verdict::Attack {
                harden(open, judgement);
                out.push(open.revise(State::Update, self.now, self.host, self.names, level));
            }
            target.taint();
            return true;
        }
        let rate = (target.rate_nats, target.expected, target.seconds.back().map_or(0, |s| s.free));
        let crowded = target.open.iter().any(|open| open.kind == Kind::FlashCrowd);
        if crowded && class == Class::Volume && judgement.verdict != Verdict::Attack {
            return false;
        }
        let Some(at) = self.open(
            target,
            judgement,
            vec![found.rule.clone()],
            found.expected / span(seconds),
            seconds.unsigned_abs(),
        ) else {
            return false;
        };
        let open = &mut target.open[at];
        open.speak_hot(hot);
        open.speak("fingerprint", found.expected, found.selected, found.gain);
        if rate.0 > 3.0 {
            open.speak("request_rate", rate.1, f64::from(rate.2), rate.0);
        }
        self.refine(target, at);
        let state = target.open[at].state();
        out.push(target.open[at].revise(state, self.now, self.host, self.names, level));
        true
    }

    /// Looks again at the incidents that are due.
    fn review(&self, target: &mut Target, out: &mut Vec<Incident>) {
        for at in 0..target.open.len() {
            if target.open[at].next_review_ts > self.now {
                continue;
            }
            let level = target.baseline.level();
            self.refine(target, at);
            target.open[at].schedule(self.now);
            out.push(target.open[at].revise(State::Update, self.now, self.host, self.names, level));
        }
    }

    /// Searches a better fingerprint for an open incident and judges it by all that is known now.
    fn refine(&self, target: &mut Target, at: usize) {
        let open = &target.open[at];
        let since = (self.now - open.detected_ts).div_euclid(1_000_000);
        let seconds = (since + 5).clamp(5, RECENT_S);
        let benign = open.verdict == Verdict::Benign;
        let now = self
            .window(target, seconds, |event| !event.has(flag::EXPLAINED) || open.matches(event));
        let matched = now.iter().filter(|event| open.matches(event)).count();
        if matched == 0 {
            return;
        }
        let weight = self.weight(target, now.len(), seconds);
        let mut evidence = self.evidence(target, Sample::even(now, weight), seconds);
        if !open.solo_sources.is_empty() {
            evidence.sources_min = 1;
        }
        let rules = if benign { None } else { better_rules(&evidence, open) };
        let rules = rules.unwrap_or_else(|| open.rules.clone());
        let seen = self.profile(
            target,
            evidence.now.iter().filter(|event| rules.iter().any(|rule| rule.matches(event))),
        );
        let all = self.profile(target, evidence.now.iter());
        let usual = self.profile(target, evidence.ordinary.iter());
        let ordinary = &target.ordinary.events;
        let hits =
            ordinary.iter().filter(|event| rules.iter().any(|rule| rule.matches(event))).count();
        let case = Case {
            seen,
            all,
            ordinary: usual,
            software_nats: open.software_nats(),
            level: target.baseline.level(),
            rate: f64::INFINITY,
        };
        let judgement = case.judge();
        let fingerprint = evidence.fingerprint(&rules);
        let changed = rules != open.rules;
        #[expect(clippy::cast_precision_loss, reason = "sizes of samples")]
        let share = hits as f64 / ordinary.len().max(1) as f64;
        let ordinary_rate = share * target.baseline.level();
        let open = &mut target.open[at];
        open.rules = rules;
        open.fingerprint = fingerprint;
        open.ordinary_rate = ordinary_rate;
        open.main_path = if seen.top_path >= 0.6 { seen.main_path } else { 0 };
        if !benign {
            rejudge(open, judgement);
        }
        if changed && !benign {
            target.taint();
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "sizes of samples")]
    fn weight(&self, target: &Target, sampled: usize, seconds: i64) -> f64 {
        let now_s = self.now_s();
        let all: f64 = target
            .seconds
            .iter()
            .filter(|second| second.at_s > now_s - seconds)
            .map(|second| f64::from(second.all))
            .sum();
        (all / sampled.max(1) as f64).clamp(1.0, 1e6)
    }
}

#[expect(clippy::cast_precision_loss, reason = "at most a minute")]
const fn span(seconds: i64) -> f64 {
    seconds as f64
}
