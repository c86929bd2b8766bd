//! Investigations: what lies behind evidence that is strong enough.

use schemas::{Class, Incident, Kind, State, Verdict};

use crate::explain::firm::firm;
use crate::explain::rule::{Atom, Rule};
use crate::explain::sample::Sample;
use crate::explain::search::{Evidence, Found};
use crate::incident::burden::{burden, only};
use crate::incident::lifecycle::{Desk, REGULAR_S};
use crate::incident::open::Spoken;
use crate::incident::patience::Looked;
use crate::incident::pulses::Pulses;
use crate::incident::target::Target;
use crate::judge::benign::is_viewed;
use crate::judge::evidence::{Case, Judgement};
use crate::judge::profile::{Maker, Profile, View, overlap, renewed};
use crate::judge::worth::{CROWD_RATE_MIN, is_volume, requests_min, supported, worth};
use crate::record::attribute::Attribute;
use crate::record::column::Column;
use crate::record::event::{Event, flag};
use crate::record::source::Source;
use crate::seen::host::RECENT_S;
use crate::seen::source_record::SourceRecord;
use crate::suspect::source::{Alarm, Crawl, Solo};
use crate::suspect::votes::HotValue;

/// What a search came to: a rule, what it is held to be, the evidence for it, and the seconds it was seen in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Finding<'a> {
    pub(super) found: &'a Found,
    pub(super) judgement: Judgement,
    pub(super) hot: &'a [HotValue],
    /// What else speaks for it.
    pub(super) said: &'a [Spoken],
    pub(super) seconds: i64,
}

/// Evidence below which the rate has nothing to say, nats: twenty to one. A choice.
const RATE_SAYS_NATS: f64 = 3.0;

/// Visits from which the shares of user agents are known well enough to be compared.
const MIX_VISITS_MIN: usize = 30;

/// Sources of the last seconds without which volume is the matter of the tests of single sources.
const CROWD_SOURCES_MIN: usize = 5;

/// Share of assets in ordinary traffic below which pages without assets say nothing.
const ASSETS_SHARE_MIN: f64 = 0.15;

impl Desk<'_> {
    pub(super) fn profile<'e>(
        &self,
        target: &Target,
        events: impl Iterator<Item = &'e Event>,
    ) -> Profile {
        let now_s = self.now_s();
        Profile::of(
            events,
            self.hasher,
            |event| target.host.is_unserved(event) && !target.host.has_shape(event),
            |event| {
                let key = self.hasher.pair(self.host_key, event.source.0);
                let record = self.sources.get(key);
                let regular = record.is_some_and(|record| now_s - record.first_s > REGULAR_S);
                Maker {
                    known: regular || target.host.normal.visitors.contains(event.source),
                    browses: record
                        .is_some_and(|record| record.is_person_like() || record.is_open_page()),
                    is_slow: record.is_some_and(SourceRecord::is_slow),
                    is_unhurried: record.is_some_and(SourceRecord::is_unhurried),
                }
            },
        )
    }

    /// Looks for what lies behind evidence that is strong enough.
    pub(super) fn look(&self, target: &mut Target, out: &mut Vec<Incident>) {
        let now_s = self.now_s();
        if !target.has_learned(self.config) {
            return;
        }
        let alarm = self.budget.nats;
        let fast = told_by_strangers(target.suspicion.fast.at_least(alarm));
        let telling = fast.first().is_some_and(|hot| hot.attribute.is_software_or_network());
        if !target.cases.patience.is_due(now_s, telling) {
            return;
        }
        let bare = self.bare_evidence(target);
        let mut slow = told_by_strangers(target.suspicion.slow.at_least(alarm));
        slow.retain(|hot| hot.attribute != Attribute::Bare);
        let (last, _) = target.host.totals(now_s, 5);
        let rate = target.suspicion.rate.nats >= alarm
            && last
                > 5.0
                    * (1.1 * target.suspicion.rate.forecast.mean)
                        .max(target.host.normal.rate.level() + CROWD_RATE_MIN)
            && self.has_sources(target, CROWD_SOURCES_MIN);
        let work = self.work(target);
        if fast.is_empty() && slow.is_empty() && !rate && work.is_none() {
            self.readers(target, bare, out);
            return;
        }
        let mut looked = Looked::Nothing;
        if !fast.is_empty() || rate {
            looked = self.look_at(target, 5, &fast, out);
        }
        if looked != Looked::Opened && (!slow.is_empty() || rate) {
            looked = looked.max(self.look_at(target, RECENT_S, &slow, out));
        }
        if let Some(work) = work.filter(|_| looked != Looked::Opened) {
            looked = looked.max(self.taxed(target, work, out));
        }
        self.readers(target, bare, out);
        target.cases.patience.note(now_s, looked);
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

    /// What speaks for scrapers, if it is strong enough or an incident of them is open: expected, observed, nats.
    fn bare_evidence(&self, target: &Target) -> Option<(f64, f64, f64)> {
        let hot = target.suspicion.slow.at_least(self.budget.nats);
        let hot = hot.iter().find(|hot| hot.attribute == Attribute::Bare);
        hot.map(|hot| (hot.expected, hot.observed, hot.score)).or_else(|| {
            let open = target.cases.open.iter().find(|open| open.class == Class::Copying)?;
            open.spoken(Solo::Pages.feature())
                .map(|said| (said.expected, said.observed, said.score))
        })
    }

    /// Many sources at once read pages without assets: each of them is one of the scrapers, and so is who joins.
    fn readers(&self, target: &mut Target, bare: Option<(f64, f64, f64)>, out: &mut Vec<Incident>) {
        if target.host.bare.is_empty() || target.cases.is_failing() {
            return;
        }
        let Some((expected, observed, score)) = bare else { return };
        let assets =
            target.host.normal.sample.events.iter().filter(|event| event.has(flag::ASSET)).count();
        #[expect(clippy::cast_precision_loss, reason = "sizes of samples")]
        let share = assets as f64 / target.host.normal.sample.events.len().max(1) as f64;
        if share < ASSETS_SHARE_MIN {
            return;
        }
        for source in std::mem::take(&mut target.host.bare) {
            let alarm = Alarm {
                solo: Solo::Pages,
                source,
                scale_s: 60.0,
                expected,
                observed,
                score,
                crawl: Crawl::No,
                counts: false,
            };
            self.single(target, &alarm, 0, self.now, out);
        }
    }

    pub(super) fn window<'e>(
        &self,
        target: &'e Target,
        seconds: i64,
        keep: impl Fn(&Event) -> bool,
    ) -> Vec<&'e Event> {
        let cut = self.now - seconds * 1_000_000;
        target.host.recent.iter().filter(|event| event.ts >= cut && keep(event)).collect()
    }

    fn look_at(
        &self,
        target: &mut Target,
        seconds: i64,
        hot: &[HotValue],
        out: &mut Vec<Incident>,
    ) -> Looked {
        let now = self.window(target, seconds, |event| !event.has(flag::EXPLAINED));
        if now.is_empty() || target.host.normal.sample.events.is_empty() {
            return Looked::Nothing;
        }
        let seed = hot.first().map(|hot| (hot.attribute.columns(), &hot.example));
        let Some((evidence, found)) = self.firm_rule(target, now, seconds, seed) else {
            return Looked::Nothing;
        };
        let level = target.host.level(self.now_s(), seconds);
        let case = self.case(target, &evidence, &found, hot, level);
        let judgement = case.judge();
        let excused = match judgement.verdict {
            Verdict::Benign => None,
            _ => self.excused(target, &evidence, (&found, &case), hot),
        };
        let (found, judgement) = excused.unwrap_or((found, judgement));
        let excess = (found.selected - found.expected) / span(seconds);
        let few = found.selected - found.expected < requests_min(judgement);
        let usual = judgement.verdict == Verdict::Suspicious
            && is_volume(judgement)
            && target.host.normal.habit.covers(excess, self.now_s());
        if usual || !worth(judgement, excess, level) || !supported(judgement, hot) {
            return Looked::Short;
        }
        if few && !self.is_plenty_together(target, &found, judgement, seconds) {
            return Looked::Short;
        }
        let finding = Finding { found: &found, judgement, hot, said: &[], seconds };
        let opened = self.act(target, &finding, out);
        if opened { Looked::Opened } else { Looked::Nothing }
    }

    /// What stands out most, by itself, where a rule excuses it and what else is found with it is no attack either: values that
    /// were more frequent beside it by chance, and who comes without a link as it does.
    fn excused(
        &self,
        target: &Target,
        evidence: &Evidence<'_>,
        (found, whole): (&Found, &Case),
        hot: &[HotValue],
    ) -> Option<(Found, Judgement)> {
        let first = hot.first().filter(|hot| found.rule.matches(&hot.example))?;
        let [column] = *first.attribute.columns() else { return None };
        let judge = |select: &dyn Fn(&Event) -> bool| {
            self.part(whole, target, evidence, select, hot).judge()
        };
        let is_excused = |value: u64| {
            let select = |event: &Event| column.of(event) == value;
            let part = self.part(whole, target, evidence, &select, hot);
            let alone = part.judge();
            // Visitors view pages beside whatever it is.
            alone.verdict == Verdict::Benign && alone.kind != Kind::FlashCrowd && !is_viewed(&part)
        };
        let first = column.of(&first.example);
        if !is_excused(first) {
            return None;
        }
        // One crawler has several names, each of which stands out.
        let mut same = vec![first];
        let listed = match found.rule.atoms.as_slice() {
            [Atom::OneOf(of, values)] if *of == column => values.as_slice(),
            _ => &[],
        };
        let alike = hot.iter().filter(|hot| *hot.attribute.columns() == [column]);
        for value in alike.map(|hot| column.of(&hot.example)).chain(listed.iter().copied()) {
            if !same.contains(&value) && is_excused(value) {
                same.push(value);
            }
        }
        same.sort_unstable();
        let is_same = |event: &Event| same.binary_search(&column.of(event)).is_ok();
        let rest = |event: &Event| found.rule.matches(event) && !is_same(event);
        let is_harmless = !evidence.now.iter().any(rest) || judge(&rest).verdict != Verdict::Attack;
        let together = judge(&is_same);
        (is_harmless && together.verdict == Verdict::Benign)
            .then(|| (evidence.found(Rule { atoms: vec![Atom::OneOf(column, same)] }), together))
    }

    /// Whether an attack of which there is little now is a pulse of one that there is enough of.
    fn is_plenty_together(
        &self,
        target: &mut Target,
        found: &Found,
        judgement: Judgement,
        seconds: i64,
    ) -> bool {
        let is_pulse = seconds < RECENT_S
            && judgement.verdict == Verdict::Attack
            && judgement.kind.class() == Class::Volume;
        let excess = found.selected - found.expected;
        let pulses = &mut target.cases.pulses;
        let all = is_pulse.then(|| Pulses::note(pulses, &found.rule, excess, self.now_s()));
        all.flatten().is_some_and(|all| all >= requests_min(judgement))
    }

    /// The best rule for unexplained records of the last seconds, if it is more than chance, and what speaks for it.
    pub(super) fn firm_rule<'e>(
        &'e self,
        target: &'e Target,
        now: Vec<&'e Event>,
        seconds: i64,
        seed: Option<(&[Column], &Event)>,
    ) -> Option<(Evidence<'e>, Found)> {
        let (total, sampled) = target.host.totals(self.now_s(), seconds);
        let weight = (total / sampled.max(1.0)).max(1.0);
        let evidence = self.evidence(target, Sample::even(now, weight), seconds);
        let found = evidence.best_rule(seed)?;
        firm(&evidence, &found, self.budget)?;
        Some((evidence, found))
    }

    pub(super) fn evidence<'e>(
        &'e self,
        target: &'e Target,
        now: Sample<'e>,
        seconds: i64,
    ) -> Evidence<'e> {
        let own = || target.level_in_crowd(self.now_s(), seconds);
        let level = self.of_strangers.unwrap_or_else(own);
        self.evidence_against(target, now, (&target.host.normal.sample.events, level), seconds)
    }

    /// Records of the last seconds against some that are ordinary, and their rate, requests per second.
    #[expect(clippy::cast_precision_loss, reason = "sizes of samples")]
    pub(super) fn evidence_against<'e>(
        &'e self,
        target: &'e Target,
        now: Sample<'e>,
        (ordinary, level): (&'e [Event], f64),
        seconds: i64,
    ) -> Evidence<'e> {
        let level = level.max(0.02);
        let weight = level * span(seconds) / ordinary.len().max(1) as f64;
        Evidence {
            now,
            ordinary: Sample::even(ordinary, weight),
            names: self.names,
            sources_min: 3,
            source_requests_min: target.host.normal.population.window_envelope(span(seconds)),
        }
    }

    /// What there is to judge of a rule that was found.
    pub(super) fn case(
        &self,
        target: &Target,
        evidence: &Evidence<'_>,
        found: &Found,
        hot: &[HotValue],
        level: f64,
    ) -> Case {
        let all = self.profile(target, evidence.now.iter());
        let ordinary = self.profile(target, evidence.ordinary.iter());
        let whole = Case {
            all,
            ordinary,
            level,
            burden: burden(target, (self.now_s(), 10), evidence, level),
            rate: Some(target.host.totals(self.now_s(), 10).0 / 10.0),
            ..Case::default()
        };
        self.part(&whole, target, evidence, &|event| found.rule.matches(event), hot)
    }

    /// The same of those records of the window for which `select` holds.
    fn part(
        &self,
        whole: &Case,
        target: &Target,
        evidence: &Evidence<'_>,
        select: &dyn Fn(&Event) -> bool,
        hot: &[HotValue],
    ) -> Case {
        let seen = self.profile(target, evidence.now.iter().filter(|event| select(event)));
        let software_nats = hot
            .iter()
            .filter(|hot| hot.attribute.is_software_or_network())
            // What stands out by what others run says nothing of these.
            .filter(|hot| select(&hot.example))
            .map(|hot| hot.convicts)
            .fold(0.0, f64::max);
        Case {
            seen,
            view: View::of(evidence.now.iter().filter(|event| select(event)), self.hasher),
            software_nats,
            mix: self.mix(evidence, select),
            share: share_of(&evidence.ordinary, select),
            renewed: renewed(target.host.recent.iter().filter(|event| select(event))),
            each: each(&seen, evidence),
            only: only(evidence, select),
            ..*whole
        }
    }

    /// How alike the user agents of what is selected and of ordinary visitors are.
    pub(super) fn mix(
        &self,
        evidence: &Evidence<'_>,
        select: impl Fn(&Event) -> bool,
    ) -> Option<f64> {
        let selected = evidence.now.iter().filter(|event| select(event));
        overlap(selected, evidence.ordinary.iter(), MIX_VISITS_MIN, self.hasher)
    }

    /// Joins the open incident of the class, or opens one.
    pub(super) fn act(
        &self,
        target: &mut Target,
        matter: &Finding<'_>,
        out: &mut Vec<Incident>,
    ) -> bool {
        let Finding { found, judgement, hot, said, seconds } = *matter;
        let class = judgement.kind.class();
        let joined = target.cases.open.iter().position(|open| open.takes_in(class, self.now));
        if let Some(at) = joined {
            let open = &mut target.cases.open[at];
            if judgement.verdict != Verdict::Attack {
                return false;
            }
            open.hear_votes(hot);
            let cut = self.now - seconds * 1_000_000;
            let of_late = target.host.recent.iter().filter(|event| event.ts >= cut);
            open.add_rule(&found.rule, found.expected / span(seconds), &of_late);
            if open.verdict == Verdict::Suspicious && judgement.verdict == Verdict::Attack {
                open.promote(judgement);
                out.push(self.revise(target, at, State::Update));
            }
            target.mark_explained();
            return true;
        }
        let rate = target.suspicion.rate.clone();
        let crowded = [Kind::FlashCrowd, Kind::RetryStorm, Kind::OriginFault]
            .into_iter()
            .any(|kind| target.cases.is_open(kind));
        if crowded && class == Class::Volume && judgement.verdict != Verdict::Attack {
            return false;
        }
        let Some(at) = self.open_many(
            target,
            judgement,
            found.rule.clone(),
            found.expected / span(seconds),
            seconds.unsigned_abs(),
        ) else {
            return false;
        };
        let open = &mut target.cases.open[at];
        open.hear_votes(hot);
        open.hear(Spoken {
            feature: "fingerprint".to_owned(),
            expected: found.expected,
            observed: found.selected,
            score: found.gain,
            p_value: None,
            of_sender: false,
        });
        said.iter().cloned().for_each(|said| open.hear(said));
        if rate.nats > RATE_SAYS_NATS {
            open.hear(Spoken {
                feature: "request_rate".to_owned(),
                expected: rate.forecast.mean,
                observed: rate.observed,
                score: rate.nats,
                p_value: Some(rate.tail()),
                of_sender: false,
            });
        }
        self.announce(target, at, out);
        true
    }

    /// Tells of an incident that was opened, with the best fingerprint there is by now.
    pub(super) fn announce(&self, target: &mut Target, at: usize, out: &mut Vec<Incident>) {
        self.refine(target, at);
        let state = target.cases.open[at].state();
        out.push(self.revise(target, at, state));
    }
}

/// Requests of the mean source, in those that hardly any ordinary source reaches in the same time.
pub(super) fn each(seen: &Profile, evidence: &Evidence<'_>) -> f64 {
    seen.count / seen.sources.max(1.0) / evidence.source_requests_min.max(1.0)
}

/// Share of a sample that a predicate selects.
pub(super) fn share_of(sample: &Sample<'_>, select: impl Fn(&Event) -> bool) -> f64 {
    if sample.total() > 0.0 { sample.weigh(select) / sample.total() } else { 0.0 }
}

/// Without what the name of a program says that fetches for people: a burst of previews is one program by nature. What
/// it asks for, and how often, still tells.
fn told_by_strangers(mut hot: Vec<HotValue>) -> Vec<HotValue> {
    hot.retain(|value| !(value.attribute.speaks_of_sender() && value.example.has(flag::FETCHER)));
    hot
}

#[expect(clippy::cast_precision_loss, reason = "at most a minute")]
pub(super) const fn span(seconds: i64) -> f64 {
    seconds as f64
}
