//! Swarms: very many sources, each of which reads a few pages and nothing a browser loads with them.

use schemas::{Incident, Kind, Verdict};

use crate::incident::lifecycle::Desk;
use crate::incident::open::Spoken;
use crate::incident::target::Target;
use crate::judge::evidence::Judgement;
use crate::judge::worth::convicting_odds;
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
        target.suspicion.alone.observe(alone, readers.count(), self.budget.nats);
        let (nats, expected) = (target.suspicion.alone.nats, target.suspicion.alone.expected);
        #[expect(clippy::cast_precision_loss, reason = "sources of a minute")]
        let observed = alone as f64;
        let known = target.cases.is_failing() || target.is_under_attack();
        if nats < self.budget.nats || observed - expected < ALONE_MIN || known {
            return;
        }
        let now = self.window(target, RECENT_S, |event| readers.is_alone(event.source));
        let Some((evidence, found)) = self.firm_rule(target, now, RECENT_S, None) else { return };
        let select = |event: &Event| found.rule.matches(event);
        let collateral = evidence.ordinary.weigh(select) / evidence.ordinary.total().max(1e-9);
        if collateral > COLLATERAL_MAX {
            return;
        }
        let judgement = Judgement {
            kind: Kind::Swarm,
            verdict: Verdict::Attack,
            attackness: convicting_odds(nats, NATS_PER_ODDS),
        };
        let salt = RECENT_S.unsigned_abs();
        #[expect(clippy::cast_precision_loss, reason = "a minute")]
        let usual = found.expected / RECENT_S as f64;
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
        self.announce(target, at, out);
    }
}
