//! Searches by many: texts of attacks sent within an hour by many sources, each of them seldom.

use schemas::{Class, Incident, Kind, Verdict};

use crate::explain::rule::{Atom, Rule};
use crate::explain::sample::Sample;
use crate::explain::search::Evidence;
use crate::incident::lifecycle::Desk;
use crate::incident::open::{Open, Spoken};
use crate::incident::target::Target;
use crate::judge::evidence::Judgement;
use crate::judge::kind::is_of_one_weakness;
use crate::judge::worth::{NATS_PER_ODDS, convicting_odds};
use crate::limits::RULE_SOURCES_MAX;
use crate::math::hash::mix;
use crate::record::event::{Event, flag};
use crate::record::source::Source;
use crate::seen::source_record::SourceRecord;
use crate::seen::texts::LEARNING_S;
use crate::seen::tries::Campaign;
use crate::store::table::Table;
use crate::suspect::source::{evidence, tail};

/// Least texts of an hour that are taken for usual: every public host is sent some dozens.
const USUAL_MIN: f64 = 30.0;

/// Texts of an hour as a multiple of what is usual, from which it is more than a wave of the robots that send those. A choice.
const USUAL_FACTOR: f64 = 4.0;

/// Sources, and networks of them, from which it is a search by many: fewer are looked at one by one, and there are as many
/// networks as in a burst. Choices.
const SOURCES_MIN: usize = 20;
const NETWORKS_MIN: usize = 10;

/// Evidence needed at the default rate of false alarms, nats: odds of a thousand to one, as where one source keeps up a pace: an
/// hour of it was seen. A choice.
const TEXTS_NATS: f64 = 7.0;

/// Share of the sources that load what belongs to a page, and share of what is asked for that is one and the same, from which
/// a link goes round whose text looks like an attack. Choices.
const BROWSING_MIN: f64 = 0.5;
const ONE_LINK_MIN: f64 = 0.5;

/// Share of the texts that a rule must select, and of what it selects that may be ordinary: else the sources say more. Choices.
const SELECTED_MIN: f64 = 0.5;
const ORDINARY_MAX: f64 = 0.1;

/// Time that is looked back on, seconds, and time without a request after which it is over, µs.
const HOUR_S: i64 = 3_600;
const QUIET_US: i64 = 1_800_000_000;

impl Desk<'_> {
    /// Looks at the texts of attacks of the last hour; due once a minute.
    pub(super) fn texts(&self, target: &mut Target, out: &mut Vec<Incident>) {
        let (count, usual) = target.host.texts.count();
        if f64::from(count) < USUAL_FACTOR * usual.max(USUAL_MIN)
            || !target.host.was_watched(LEARNING_S * 1_000_000)
        {
            return;
        }
        let campaign = target.host.texts.campaign();
        let said = spoken(&campaign);
        if !is_of_many(&campaign)
            || said.score < self.budget.moved(TEXTS_NATS)
            || self.is_link(target, &campaign)
        {
            return;
        }
        let since = self.now - HOUR_S * 1_000_000;
        let sample: Vec<&Event> = target.host.texts.since(since).collect();
        let seen = self.profile(target, sample.iter().copied());
        let one = is_of_one_weakness(&seen);
        let judgement = Judgement {
            kind: if one { Kind::ExploitBurst } else { Kind::VulnScan },
            verdict: Verdict::Attack,
            attackness: convicting_odds(said.score, NATS_PER_ODDS),
        };
        #[expect(clippy::cast_precision_loss, reason = "at most some hundreds")]
        let weight = f64::from(count) / sample.len().max(1) as f64;
        let level = target.host.level(self.now_s(), HOUR_S);
        // It was learned as ordinary while it was too little to be a matter.
        let is_of_it = |event: &Event| event.has(flag::HOSTILE) && event.ts >= campaign.first_ts;
        let ordinary = target.host.normal.sample.events.iter().filter(|event| !is_of_it(event));
        let ordinary: Vec<Event> = ordinary.copied().collect();
        let sample = Sample::even(sample, weight);
        let mut evidence = self.evidence_against(target, sample, (&ordinary, level), HOUR_S);
        // Who sends them comes and goes; what they are sent for stays.
        evidence.source_requests_min = f64::INFINITY;
        let (rule, per_s) = rule_of(&evidence, &campaign);
        let measured = evidence.now.len();
        let fingerprint = evidence.fingerprint(std::slice::from_ref(&rule));
        let joined = target.cases.open.iter().position(takes_in);
        let (at, is_new) = if let Some(at) = joined {
            let recent = target.host.recent.iter();
            let open = &mut target.cases.open[at];
            let is_new = open.add_rule(&rule, per_s, &recent);
            let is_promoted = open.verdict == Verdict::Suspicious;
            if is_promoted {
                open.promote(judgement);
            }
            (at, is_new || is_promoted)
        } else {
            let salt = campaign.first_ts.unsigned_abs();
            let Some(at) = self.open_many(target, judgement, rule, per_s, salt) else { return };
            let open = &mut target.cases.open[at];
            (open.fingerprint, open.measured) = (fingerprint, measured);
            open.be_patient(QUIET_US);
            (at, true)
        };
        target.host.texts.clear();
        let open = &mut target.cases.open[at];
        open.hear(said);
        for (source, texts) in &campaign.sources {
            open.credit(*source, u64::from(*texts), campaign.first_ts);
        }
        if is_new {
            target.mark_explained();
            self.announce(target, at, out);
        }
    }

    /// Whether it is one link that browsers follow, whatever its text looks like.
    #[expect(clippy::cast_precision_loss, reason = "sources and records of an hour")]
    fn is_link(&self, target: &Target, campaign: &Campaign) -> bool {
        let browses = |source: Source| {
            let key = self.hasher.pair(self.host_key, source.0);
            self.sources.get(key).is_some_and(SourceRecord::browses)
        };
        let browsing = campaign.sources.iter().filter(|(source, _)| browses(*source)).count();
        let mut asked: Table<u32> = Table::default();
        let (mut most, mut all) = (0, 0);
        for event in target.host.texts.events() {
            let times = asked.entry(mix(event.path ^ mix(event.query)), || 0).0;
            *times += 1;
            (most, all) = (most.max(*times), all + 1);
        }
        browsing as f64 >= BROWSING_MIN * campaign.sources.len() as f64
            && f64::from(most) >= ONE_LINK_MIN * f64::from(all)
    }
}

/// Whether an incident is of searches by many.
fn takes_in(open: &Open) -> bool {
    open.class == Class::Discovery && !open.is_of_singles()
}

fn is_of_many(campaign: &Campaign) -> bool {
    let mut networks: Table<()> = Table::default();
    for (source, _) in &campaign.sources {
        networks.entry(source.network().0, || ());
    }
    campaign.sources.len() >= SOURCES_MIN && networks.len() >= NETWORKS_MIN
}

fn spoken(campaign: &Campaign) -> Spoken {
    let (observed, expected) = (f64::from(campaign.count), campaign.usual.max(USUAL_MIN));
    Spoken {
        feature: "attack_texts_of_an_hour".to_owned(),
        expected,
        observed,
        score: evidence(observed, expected),
        p_value: Some(tail(observed, expected)),
        of_sender: false,
    }
}

/// What most of the texts have in common and next to nothing ordinary, with how much of that it selects, requests per second; where
/// there is no such thing, who sends them.
fn rule_of(evidence: &Evidence<'_>, campaign: &Campaign) -> (Rule, f64) {
    let count = f64::from(campaign.count);
    let best = evidence.best_rule(None).filter(|found| {
        found.selected >= SELECTED_MIN * count
            && found.expected <= ORDINARY_MAX * found.selected
            && !found.rule.is_of_answers()
    });
    if let Some(found) = best {
        #[expect(clippy::cast_precision_loss, reason = "an hour")]
        return (found.rule, found.expected / HOUR_S as f64);
    }
    let mut by_texts: Vec<(u32, Source)> =
        campaign.sources.iter().map(|(source, texts)| (*texts, *source)).collect();
    by_texts.sort_unstable_by(|a, b| b.cmp(a));
    by_texts.truncate(RULE_SOURCES_MAX);
    let mut sources: Vec<Source> = by_texts.into_iter().map(|(_, source)| source).collect();
    sources.sort_unstable();
    (Rule { atoms: vec![Atom::Source(sources)] }, 0.0)
}
