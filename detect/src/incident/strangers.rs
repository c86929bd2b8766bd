//! Traffic for hosts that nobody knows: a flood of invented `Host` headers is an attack on all hosts at once.

use schemas::{Incident, Kind, Verdict};

use crate::incident::lifecycle::Desk;
use crate::incident::open::Spoken;
use crate::incident::target::Target;
use crate::judge::evidence::Judgement;
use crate::judge::worth::{CROWD_RATE_MIN, NATS_PER_ODDS, convicting_odds};
use crate::record::event::flag;
use crate::store::table::Table;

/// Seconds that are looked at.
const WINDOW_S: i64 = 5;

/// Distinct hosts among the sampled records from which they are invented, and their share: a new host with visitors is
/// one, and is admitted within seconds.
const HOSTS_MIN: usize = 12;
const HOSTS_SHARE_MIN: f64 = 0.5;

impl Desk<'_> {
    /// Looks at what is asked of unknown hosts, when it is much more than usual.
    pub(super) fn strangers(&self, target: &mut Target, out: &mut Vec<Incident>) {
        let now_s = self.now_s();
        let rate = &target.suspicion.rate;
        let (total, _) = target.host.totals(now_s, WINDOW_S);
        let usual = rate.forecast.mean.max(target.host.normal.rate.level() + CROWD_RATE_MIN);
        let (nats, expected) = (rate.nats, rate.forecast.mean);
        #[expect(clippy::cast_precision_loss, reason = "seconds")]
        let seconds = WINDOW_S as f64;
        if nats < self.budget.nats || total < seconds * usual {
            return;
        }
        let now = self.window(target, WINDOW_S, |event| !event.has(flag::EXPLAINED));
        let mut hosts: Table<()> = Table::default();
        for event in &now {
            hosts.entry(event.host, || ());
        }
        #[expect(clippy::cast_precision_loss, reason = "sizes of samples")]
        let share = hosts.len() as f64 / now.len().max(1) as f64;
        if hosts.len() < HOSTS_MIN || share < HOSTS_SHARE_MIN {
            return;
        }
        let Some((_, found)) = self.firm_rule(target, now, WINDOW_S, None) else { return };
        let judgement = Judgement {
            kind: Kind::HttpFlood,
            verdict: Verdict::Attack,
            attackness: convicting_odds(nats, NATS_PER_ODDS),
        };
        let salt = WINDOW_S.unsigned_abs();
        let Some(at) = self.open_many(target, judgement, found.rule, 0.0, salt) else { return };
        target.cases.open[at].hear(Spoken {
            feature: "requests_for_unknown_hosts".to_owned(),
            expected,
            observed: total / seconds,
            score: nats,
            p_value: None,
            of_sender: false,
        });
        self.announce(target, at, out);
    }
}
