//! Test of the days: more comes, for minutes and hours, than the busiest minutes of an ordinary day bring. It sees what was
//! raised so slowly that every quicker measure has learned it.

use serde::{Deserialize, Serialize};

use crate::math::evalue::{EDetector, Forecast, tail_probability};

/// Length of a look, seconds.
pub const PANE_S: i64 = 300;

/// Times the busiest minutes of a day up to which more is one of the days: a day's peak rarely doubles.
const DAYS_FACTOR: f64 = 2.0;

/// Requests per second above them that harm nobody, on hosts that have next to none: as for any volume.
const RATE_MIN: f64 = 1.0;

/// Negative-binomial size of the requests of five minutes: they vary by a third. A choice, as for the readers.
const SIZE: f64 = 10.0;

/// Looks in a row at strong evidence that come to nothing, after which what is there is the new ordinary: six hours.
const ADOPT_LOOKS: u32 = 72;

/// Accumulated evidence that one host has been flooded slowly.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DriftTest {
    detector: EDetector,
    pane: i64,
    requests: f64,
    in_vain: u32,
    /// Evidence, nats.
    pub nats: f64,
    /// Requests per second that the last look allowed, and that it saw.
    pub expected: f64,
    /// The same, seen.
    pub observed: f64,
}

impl DriftTest {
    /// Takes in the requests of one second; `busiest` tells what the busiest minutes of an ordinary day reach, requests per
    /// second, where that is known. What the last five minutes brought, requests per second, if they have ended.
    #[expect(clippy::cast_precision_loss, reason = "seconds")]
    pub fn observe(
        &mut self,
        now_s: i64,
        requests: f64,
        busiest: impl FnOnce() -> Option<f64>,
    ) -> Option<f64> {
        let pane = now_s.div_euclid(PANE_S);
        let mut ended = None;
        if pane != self.pane {
            let seconds = PANE_S as f64;
            ended = (self.pane > 0).then_some(self.requests / seconds);
            if let Some(observed) = ended
                && let Some(busiest) = busiest()
            {
                self.expected = (DAYS_FACTOR * busiest).max(busiest + RATE_MIN);
                self.observed = observed;
                self.nats = self.detector.observe(self.requests, self.forecast());
            }
            (self.pane, self.requests) = (pane, 0.0);
        }
        self.requests += requests;
        ended
    }

    /// Forecast of five minutes, requests.
    #[expect(clippy::cast_precision_loss, reason = "seconds")]
    const fn forecast(&self) -> Forecast {
        Forecast { mean: self.expected * PANE_S as f64, size: SIZE }
    }

    /// Probability of what was observed or more, by the forecast.
    #[expect(clippy::cast_precision_loss, reason = "seconds")]
    pub fn tail(&self) -> f64 {
        tail_probability(self.observed * PANE_S as f64, self.forecast())
    }

    /// A look at what is behind it came to nothing; whether that was so for so long that it is ordinary by now.
    pub fn was_in_vain(&mut self) -> bool {
        self.in_vain += 1;
        self.in_vain >= ADOPT_LOOKS
    }

    /// It began anew: an attack was found, or what is there is ordinary.
    pub fn reset(&mut self) {
        let pane = self.pane;
        *self = Self { pane, ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lasts_above_twice_the_busiest_minutes_adds_up_and_a_busy_day_does_not() {
        let mut test = DriftTest::default();
        let run = |test: &mut DriftTest, from: i64, hours: i64, per_s: f64| {
            (from..from + hours * 3_600).for_each(|s| {
                test.observe(s, per_s, || Some(5.0));
            });
            test.nats
        };
        assert!(run(&mut test, 3_000_000, 12, 9.0) < 4.0, "{}", test.nats);
        assert!(run(&mut test, 3_100_000, 4, 16.0) > 16.0, "{}", test.nats);
        test.reset();
        assert!(test.observe(4_000_000, 1.0, || None).is_some());
        assert!(test.nats < 1e-9);
    }
}
