//! One host with the evidence against what is there now, and its incidents.

use schemas::{Incident, Kind, State, Verdict};
use serde::{Deserialize, Serialize};

use crate::config::DetectConfig;
use crate::counters::Alarms;
use crate::incident::cases::Cases;
use crate::incident::open::Open;
use crate::math::hash::Hasher;
use crate::record::event::Event;
use crate::record::names::Names;
use crate::seen::host::{Host, Standing};
use crate::suspect::Suspicion;
use crate::suspect::budget::Budget;
use crate::suspect::votes::Hot;

/// Evidence against the composition from which a pane is not taken for ordinary, when it ends in silence, nats.
const SILENT_PANE_NATS: f64 = 12.0;

/// Seconds that a crowd's rate is averaged over, at least.
const CROWD_SECONDS_MIN: f64 = 10.0;

/// One host under watch.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// What is there, and what is ordinary.
    pub host: Host,
    /// Evidence against it.
    pub suspicion: Suspicion,
    /// Its incidents.
    pub cases: Cases,
    /// Bytes it was last found to hold.
    pub held: usize,
}

impl Target {
    /// A host first seen in this second.
    pub fn new(now_s: i64) -> Self {
        Self { host: Host::new(now_s), ..Self::default() }
    }

    /// A host that was heard of, and of which no record has come yet.
    pub fn awaited(now_s: i64) -> Self {
        Self { host: Host::awaited(now_s), ..Self::default() }
    }

    /// Whether the host has been watched long enough to be judged.
    pub const fn has_learned(&self, config: &DetectConfig) -> bool {
        self.host.was_watched(config.learning_us)
    }

    /// Catches up on seconds without a record.
    pub fn catch_up(&mut self, now_s: i64) {
        let (over, minute_ended) = self.host.catch_up(now_s);
        if over {
            let suspect = self.suspicion.composition_nats() >= SILENT_PANE_NATS;
            self.host.end_pane(now_s - 1, suspect);
            self.suspicion.fast = Hot::default();
            self.suspicion.rate.reset();
        }
        if minute_ended {
            self.end_minute();
        }
    }

    /// Counts an event in the incidents that select it; whether one of them explains it that is an attack. What is merely
    /// suspicious is explained, and may turn out to be more.
    pub fn explain(&mut self, event: &mut Event) -> bool {
        let explained = self.cases.explain(event) == Verdict::Attack;
        if explained {
            self.host.count_explained(event);
        }
        explained
    }

    /// Ends the running second: tests what was seen in it, and learns. Returns how often evidence reached what an alarm
    /// needs.
    pub fn end_second(
        &mut self,
        now_s: i64,
        config: &DetectConfig,
        budget: &Budget,
        hasher: &Hasher,
    ) -> Alarms {
        self.catch_up(now_s);
        let learned = self.has_learned(config);
        self.host.vote(hasher);
        let alarms = self.suspicion.end_second(&mut self.host, now_s, learned, budget.nats, hasher);
        let suspect = self.suspicion.rate.nats >= budget.nats / 2.0 || !self.cases.open.is_empty();
        let busiest = || self.host.normal.busiest(now_s);
        let free = f64::from(self.host.second.free);
        let attacked = self.is_under_attack();
        if let Some(per_s) = self.suspicion.drift.observe(now_s, free, busiest) {
            self.cases.drift_is_due = true;
            if !attacked {
                self.host.normal.slow.learn(now_s - 1, per_s);
            }
        }
        self.host.normal.slow.held = self.suspicion.drift.nats >= budget.nats / 2.0;
        self.host.end_second(now_s, Standing { learned, suspect, attacked });
        alarms
    }

    /// Ends a pane.
    pub fn end_pane(&mut self, now_s: i64, budget: &Budget) {
        let suspect = self.suspicion.composition_nats() >= budget.nats / 2.0;
        self.host.end_pane(now_s, suspect);
        self.suspicion.fast = Hot::default();
    }

    /// Ends a minute.
    pub fn end_minute(&mut self) {
        self.host.end_minute();
        self.suspicion.slow = Hot::default();
    }

    /// An attack was found: what waits to be taken for ordinary is not, and the records that it explains are marked.
    pub fn mark_explained(&mut self) {
        self.host.discard_pending();
        self.suspicion.reset();
        self.cases.mark_explained(self.host.recent.iter_mut());
    }

    /// Ordinary rate, or, in a crowd that is known to be one, the rate it had until `seconds` ago, requests per second:
    /// in a crowd every value is more frequent, and that is no trait of an attack.
    pub fn level_in_crowd(&self, now_s: i64, seconds: i64) -> f64 {
        let until_s = now_s - seconds;
        let level = self.host.level(now_s, seconds);
        if !self.cases.is_open(Kind::FlashCrowd) {
            return level;
        }
        let (rate, seconds) = self.host.rate_until(until_s);
        if seconds < CROWD_SECONDS_MIN { level } else { level.max(rate) }
    }

    /// Gives the host up to make room for others: the last revisions of its open incidents, which end here.
    pub fn give_up(mut self, now: i64, host: Option<&str>, names: &Names) -> Vec<Incident> {
        let level = self.host.normal.rate.level();
        let close = |open: &mut Open| {
            open.closed_ts = Some(now);
            open.revise(State::Close, now, host.filter(|host| !host.is_empty()), names, level)
        };
        self.cases.open.iter_mut().map(close).collect()
    }

    /// Bytes held at most, by what it counts.
    pub fn weight(&self) -> usize {
        size_of::<Self>() + self.host.weight() + self.cases.weight()
    }

    /// Whether anything but benign incidents is open.
    pub fn is_under_attack(&self) -> bool {
        self.cases.open.iter().any(|open| open.verdict != Verdict::Benign)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::open::Opening;

    #[test]
    fn a_host_that_is_given_up_leaves_no_incident_open() {
        let mut target = Target::new(100);
        for kind in [Kind::HttpFlood, Kind::BruteForce] {
            target.cases.open.push(Open::new(Opening {
                id: kind.to_string(),
                now: 90_000_000,
                quiet_us: 60_000_000,
                ..Opening::an_attack(kind)
            }));
        }
        let last = target.give_up(100_000_000, Some("shop.example"), &Names::default());
        assert_eq!(last.len(), 2);
        for incident in last {
            assert_eq!((incident.state, incident.closed_ts), (State::Close, Some(100_000_000)));
            assert_eq!(incident.target_host.as_deref(), Some("shop.example"));
        }
    }
}
