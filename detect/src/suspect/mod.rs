//! Tests: what stands out of the ordinary, and by how much. They look at what was seen and change none of it.

pub mod alone;
pub mod rate;
pub mod source;
pub mod votes;

use serde::{Deserialize, Serialize};

use crate::math::hash::Hasher;
use crate::seen::host::{Host, Second};
use alone::AloneTest;
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
}

impl Suspicion {
    /// Takes in the second that is about to end.
    pub fn end_second(&mut self, host: &mut Host, learned: bool, hasher: &Hasher) {
        host.vote(hasher);
        let forecast = host.normal.rate.forecast();
        self.rate.expected = forecast.mean;
        let Second { free, .. } = host.second;
        if learned {
            self.rate.observe(f64::from(free), forecast);
            host.minute.score = host.minute.score.max(self.rate.nats);
        }
        let Host { fast, slow, recent, normal, .. } = host;
        self.fast.look(fast, recent, &normal.composition, hasher);
        self.slow.look(slow, recent, &normal.composition, hasher);
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
