//! Tests: what stands out of the ordinary, and by how much. They look at what was seen and change none of it.

pub mod alone;
pub mod budget;
pub mod drift;
pub mod rate;
pub mod source;
pub mod votes;

use serde::{Deserialize, Serialize};

use crate::counters::Alarms;
use crate::math::hash::Hasher;
use crate::seen::host::{Host, Second};
use alone::AloneTest;
use drift::DriftTest;
use rate::RateTest;
use votes::Hot;

/// Evidence against what is there now on one host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Suspicion {
    /// Against its rate.
    pub rate: RateTest,
    /// Against the composition of the running pane.
    pub fast: Hot,
    /// Against the composition of the running minute.
    pub slow: Hot,
    /// Against its readers.
    pub alone: AloneTest,
    /// Against its days.
    pub drift: DriftTest,
}

impl Suspicion {
    /// Takes in the second that is about to end; how often evidence reached what an alarm needs.
    pub fn end_second(
        &mut self,
        host: &mut Host,
        now_s: i64,
        learned: bool,
        nats: f64,
        hasher: &Hasher,
    ) -> Alarms {
        let mut alarms = Alarms::default();
        let forecast = host.normal.forecast(now_s);
        self.rate.forecast = forecast;
        let Second { free, .. } = host.second;
        if learned {
            let before = self.rate.nats;
            self.rate.observe(f64::from(free), forecast);
            alarms.rate += u64::from(before < nats && self.rate.nats >= nats);
            host.minute.score = host.minute.score.max(self.rate.nats);
        }
        let Host { fast, slow, recent, normal, .. } = host;
        for (hot, votes) in [(&mut self.fast, fast), (&mut self.slow, slow)] {
            let before = hot.count(nats);
            hot.look(votes, recent, &normal.composition, hasher);
            alarms.votes += hot.count(nats) - before;
        }
        alarms
    }

    /// Strongest evidence from the composition, nats.
    pub fn composition_nats(&self) -> f64 {
        self.fast.strongest().max(self.slow.strongest())
    }

    /// An attack was found, or what was being watched is over: it begins anew.
    pub fn reset(&mut self) {
        self.rate.reset();
        self.fast = Hot::default();
        self.slow = Hot::default();
        self.alone.reset();
    }
}
