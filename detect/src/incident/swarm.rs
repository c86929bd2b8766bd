//! Swarms: very many sources, each of which reads a few pages and nothing a browser loads with them.

use schemas::{Incident, Kind, Verdict};

use crate::explain::firm::firm;
use crate::explain::sample::Sample;
use crate::incident::lifecycle::Desk;
use crate::incident::open::Spoken;
use crate::incident::target::Target;
use crate::judge::evidence::{ATTACK, Judgement};
use crate::record::event::Event;
use crate::seen::host::RECENT_S;
use crate::seen::readers::Readers;

/// Readers alone of a minute beyond the ordinary, below which nobody is harmed.
const ALONE_MIN: f64 = 20.0;

/// Log odds are the evidence over this, nats.
const NATS_PER_ODDS: f64 = 8.0;

/// Share of ordinary records that a rule for a swarm may select: more, and it says nothing of the swarm.
const COLLATERAL_MAX: f64 = 0.05;

/// Time without a request of it after which a swarm is over, µs.
const QUIET_US: i64 = 300_000_000;

impl Desk<'_> {
    /// Looks at the readers of the minute that ended.
    pub(super) fn swarm(&self, target: &mut Target, out: &mut Vec<Incident>) {
        let readers = Readers::of(target.host.recent.iter());
        let alone = readers.alone();
        target.suspicion.alone.observe(alone, readers.count(), self.config.alarm_nats);
        let (nats, expected) = (target.suspicion.alone.nats, target.suspicion.alone.expected);
        #[expect(clippy::cast_precision_loss, reason = "sources of a minute")]
        let observed = alone as f64;
        let known = target.cases.is_failing() || target.is_under_attack();
        if nats < self.config.alarm_nats || observed - expected < ALONE_MIN || known {
            return;
        }
        let now = self.window(target, RECENT_S, |event| readers.is_alone(event.source));
        let (total, sampled) = target.host.totals(self.now_s(), RECENT_S);
        let weight = (total / sampled.max(1.0)).max(1.0);
        let evidence = self.evidence(target, Sample::even(now, weight), RECENT_S);
        let Some(found) = evidence.best_rule(None).filter(|found| firm(&evidence, found)) else {
            return;
        };
        let select = |event: &Event| found.rule.matches(event);
        let collateral = evidence.ordinary.weigh(select) / evidence.ordinary.total().max(1e-9);
        if collateral > COLLATERAL_MAX {
            return;
        }
        let judgement = Judgement {
            kind: Kind::Swarm,
            verdict: Verdict::Attack,
            attackness: (nats / NATS_PER_ODDS).clamp(ATTACK, 6.0),
        };
        let usual = found.expected;
        let salt = RECENT_S.unsigned_abs();
        #[expect(clippy::cast_precision_loss, reason = "a minute")]
        let usual = usual / RECENT_S as f64;
        let Some(at) = self.open_many(target, judgement, found.rule, usual, salt) else { return };
        let open = &mut target.cases.open[at];
        open.be_patient(QUIET_US);
        open.hear(Spoken {
            feature: "sources_reading_alone".to_owned(),
            expected,
            observed,
            score: nats,
            of_sender: true,
        });
        let state = open.state();
        self.refine(target, at);
        out.push(self.revise(target, at, state));
    }
}
