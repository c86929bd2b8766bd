//! What was raised slowly: everything that forgets within hours has learned it as ordinary, so it is held against what
//! was ordinary by the days.

use std::collections::VecDeque;

use schemas::{Incident, Verdict};

use crate::explain::firm::firm;
use crate::explain::rule::Atom;
use crate::explain::sample::Sample;
use crate::incident::lifecycle::Desk;
use crate::incident::look::Finding;
use crate::incident::open::Spoken;
use crate::incident::target::Target;
use crate::math::hash::Hasher;
use crate::normal::composition::Composition;
use crate::normal::reservoir::Reservoir;
use crate::record::attribute::Facts;
use crate::record::column::Column;
use crate::record::event::{Event, flag};
use crate::seen::host::RECENT_S;
use crate::seen::votes::{Ballot, Votes, vote};
use crate::suspect::votes::Hot;

/// Records of the slow sample from which it says what is ordinary: about a day of it.
const SAMPLE_MIN: usize = 64;

impl Desk<'_> {
    /// Looks at what has come in the last minute where it is much more than the days bring.
    pub(super) fn drift(&self, target: &mut Target, out: &mut Vec<Incident>) {
        if !std::mem::take(&mut target.cases.drift_is_due) {
            return;
        }
        let strong = target.suspicion.drift.nats >= self.budget.nats;
        let busiest = target.host.normal.busiest(self.now_s());
        let Some(busiest) = busiest.filter(|_| strong && !target.is_under_attack()) else { return };
        match self.raised(target, busiest, out) {
            Some(Verdict::Attack) => target.suspicion.drift.reset(),
            // It could be a crowd that has come to stay, or a flood that looks like one: neither learned nor told.
            Some(Verdict::Suspicious) => {}
            Some(Verdict::Benign) | None => {
                if target.suspicion.drift.was_in_vain() {
                    target.host.normal.slow.adopt(target.suspicion.drift.observed);
                    target.suspicion.drift.reset();
                }
            }
        }
    }

    /// What was raised is held to be, if there is a rule for it. An attack is told of, and what was learned meanwhile is
    /// taken back.
    fn raised(
        &self,
        target: &mut Target,
        busiest: f64,
        out: &mut Vec<Incident>,
    ) -> Option<Verdict> {
        let slow = &target.host.normal.slow.sample;
        if slow.len() < SAMPLE_MIN {
            return None;
        }
        let now = self.window(target, RECENT_S, |event| !event.has(flag::EXPLAINED));
        let ordinary = composition(slow.iter(), self.hasher);
        let hot = hot(&now, &ordinary, self.hasher).at_least(self.budget.nats);
        let seed = hot.first().map(|hot| (hot.attribute.columns(), &hot.example));
        let (total, sampled) = target.host.totals(self.now_s(), RECENT_S);
        let sample = Sample::even(now, (total / sampled.max(1.0)).max(1.0));
        let evidence = self.evidence_against(target, sample, (slow, busiest), RECENT_S);
        let found = evidence.best_rule(seed)?;
        let gain = firm(&evidence, &found, self.budget)?;
        let mut case = self.case(target, &evidence, &found, &hot, busiest);
        // Who was raised slowly has been here for days: that they came before says nothing.
        for profile in [&mut case.seen, &mut case.all, &mut case.ordinary] {
            profile.known_sources = 0.0;
        }
        // Within a minute no value of many may stand out by itself; over the days, the rule that names them does.
        let of_senders = |atom: &Atom| matches!(atom.column(), Column::UserAgent | Column::Ja4);
        if found.rule.atoms.iter().all(of_senders) {
            case.software_nats = case.software_nats.max(gain.min(self.budget.nats));
        }
        let judgement = case.judge();
        if judgement.verdict != Verdict::Attack {
            return Some(judgement.verdict);
        }
        let drift = &target.suspicion.drift;
        let said = Spoken {
            feature: "rate_over_days".to_owned(),
            expected: drift.expected,
            observed: drift.observed,
            score: drift.nats,
            p_value: Some(drift.tail()),
            of_sender: false,
        };
        let normal = &mut target.host.normal;
        normal.sample = Reservoir::of(normal.slow.sample.clone());
        normal.composition = ordinary;
        normal.rate.take_back(busiest);
        let finding = Finding { found: &found, judgement, hot: &hot, said: &[], seconds: RECENT_S };
        if self.act(target, &finding, out)
            && let Some(open) = target.cases.open.last_mut()
        {
            open.hear(said);
        }
        Some(Verdict::Attack)
    }
}

/// Shares of the votes that records cast.
fn composition<'a>(events: impl Iterator<Item = &'a Event>, hasher: &Hasher) -> Composition {
    let mut composition = Composition::default();
    composition.learn(&votes(events, hasher).tally());
    composition
}

/// Values that drew more votes than is ordinary.
fn hot(now: &[&Event], ordinary: &Composition, hasher: &Hasher) -> Hot {
    let recent: VecDeque<Event> = now.iter().map(|event| **event).collect();
    let mut hot = Hot::default();
    hot.look(&mut votes(recent.iter(), hasher), &recent, ordinary, hasher);
    hot
}

/// Votes for what records show by themselves.
fn votes<'a>(events: impl Iterator<Item = &'a Event>, hasher: &Hasher) -> Votes {
    let mut all = [Votes::default(), Votes::default()];
    for (place, event) in events.enumerate() {
        let [one, other] = &mut all;
        let ballot = Ballot { event, place, facts: Facts::default() };
        vote([one, other], &ballot, hasher);
    }
    let [votes, _] = all;
    votes
}
