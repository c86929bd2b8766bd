//! Test of the readers: more of them read pages alone than usual, minute after minute, however few pages each.

use serde::{Deserialize, Serialize};

use crate::math::evalue::{EDetector, Forecast, tail_probability};

/// Memory of the ordinary share, minutes.
const MEMORY_MIN: f64 = 120.0;

/// Minutes after which the share is known.
const LEARNED_MIN: f64 = 20.0;

/// Upper envelope of the share: its mean and so many mean deviations.
const DEVIATIONS: f64 = 3.0;

/// Negative-binomial size of the readers alone of a minute, given how many read.
const SIZE: f64 = 10.0;

/// Share of readers alone above which they are the ordinary: feeds, APIs, sites of plain pages.
const SHARE_MAX: f64 = 0.4;

/// Accumulated evidence against the readers of one host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AloneTest {
    detector: EDetector,
    share: f64,
    deviation: f64,
    minutes: f64,
    /// Evidence, nats.
    pub nats: f64,
    /// Readers alone that the last minute allowed.
    pub expected: f64,
}

impl AloneTest {
    /// Takes in the readers of one minute: how many read alone, of how many.
    #[expect(clippy::cast_precision_loss, reason = "sources of a minute")]
    pub fn observe(&mut self, alone: usize, of: usize, alarm_nats: f64) {
        let (alone, of) = (alone as f64, of as f64);
        if of < 1.0 {
            return;
        }
        let envelope = self.share + DEVIATIONS * self.deviation + 0.02;
        self.expected = (of * envelope).max(1.0);
        if self.minutes >= LEARNED_MIN && self.share <= SHARE_MAX {
            let forecast = Forecast { mean: self.expected, size: SIZE };
            self.nats = self.detector.observe(alone, forecast);
        }
        if self.nats < alarm_nats / 2.0 {
            self.minutes += 1.0;
            let gain = 1.0 / self.minutes.min(MEMORY_MIN);
            let step = alone / of - self.share;
            self.deviation += gain * (step.abs() - self.deviation);
            self.share += gain * step;
        }
    }

    /// Forgets the evidence.
    pub fn reset(&mut self) {
        self.detector.reset();
        self.nats = 0.0;
    }
}

/// Probability of so many readers alone or more, where so many are expected.
pub fn tail(observed: f64, expected: f64) -> f64 {
    tail_probability(observed, Forecast { mean: expected, size: SIZE })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swarm_among_the_readers_adds_up_in_minutes_and_chance_does_not() {
        let mut test = AloneTest::default();
        for minute in 0..600 {
            test.observe(4 + minute % 5, 90 + minute % 20, 16.0);
            assert!(test.nats < 8.0, "{minute} {}", test.nats);
        }
        let minutes = (1..30).find(|_| {
            test.observe(60, 160, 16.0);
            test.nats >= 16.0
        });
        assert!(minutes.is_some_and(|minutes| minutes <= 10), "{minutes:?}");
    }
}
