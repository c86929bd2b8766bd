//! What an ordinary second of a host looks like: level, slow variation and burstiness of its request rate.

use serde::{Deserialize, Serialize};

use crate::math::evalue::Forecast;

/// Memory of the level and the variance, seconds.
const MEMORY_S: f64 = 900.0;

/// Memory of the slow variation, minutes.
const SLOW_MEMORY_MIN: f64 = 60.0;

/// The dispersion is divided by this: seconds of web traffic are not independent.
const DEPENDENCE: f64 = 4.0;

/// Seconds of silence that are taken in one by one, at most.
const SILENCE_STEPS_MAX: f64 = 120.0;

/// Improbability of a silence from which it is none, nats: a choice, one in seven million years of seconds. Requests come in bursts
/// of about variance over mean: that none of `n` comes, which are expected in bursts of `b`, has the probability exp(−n ∕ b).
const SILENCE_NATS: f64 = 33.0;

/// Times the longest silence so far beyond which one is held against the rate at all: few visitors come in bursts that no seconds
/// tell of, and leave silences of minutes, then hours. A choice.
const SILENCE_TIMES: f64 = 10.0;

/// Times the time watched up to which a silence can be held against the rate: what a few seconds were like is no measure for an hour
/// behind them. A choice.
const WATCHED_TIMES: f64 = 10.0;

/// Robust exponential estimates of the requests per second of one host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RateBaseline {
    seconds: f64,
    level: f64,
    variance: f64,
    minute_sum: f64,
    minute_seconds: f64,
    minutes: f64,
    slow_deviation: f64,
    /// The longest run of seconds without a request.
    silence: f64,
}

impl RateBaseline {
    /// Level, requests per second.
    pub const fn level(&self) -> f64 {
        self.level
    }

    /// Takes in the requests of one ordinary second.
    pub fn learn(&mut self, count: f64) {
        self.seconds += 1.0;
        let gain = 1.0 / self.seconds.min(MEMORY_S);
        let spread = libm::sqrt(self.variance.max(self.level).max(0.25));
        let settled = self.seconds > 60.0;
        let clipped = if settled { count.min(self.level + 4.0 * spread) } else { count };
        // a page of thirty requests on a quiet host is part of its variance, a flood is not
        let burst = count.min(self.level + (20.0 * spread).max(60.0)) - self.level;
        let step = clipped - self.level;
        self.level += gain * step;
        self.variance += gain * (if settled { burst * burst } else { step * step } - self.variance);
        self.minute_sum += clipped;
        self.minute_seconds += 1.0;
        if self.minute_seconds >= 60.0 {
            self.learn_minute();
        }
    }

    fn learn_minute(&mut self) {
        let mean = self.minute_sum / self.minute_seconds;
        (self.minute_sum, self.minute_seconds) = (0.0, 0.0);
        self.minutes += 1.0;
        let deviation = (mean - self.level).abs() / (self.level + 0.02);
        let gain = 1.0 / self.minutes.min(SLOW_MEMORY_MIN);
        self.slow_deviation += gain * (deviation.min(3.0) - self.slow_deviation);
    }

    /// Takes in a run of seconds without a request; a long one all at once. One that the host's own rate makes impossible is no
    /// quiet time: nobody looked, or nobody was served, and what was usual before is usual afterwards.
    pub fn learn_silence(&mut self, seconds: f64) {
        if self.seconds <= 0.0 {
            // Nothing came since it is watched.
            self.seconds = seconds;
            return;
        }
        if seconds <= SILENCE_STEPS_MAX {
            self.silence = self.silence.max(seconds);
            let mut left = seconds;
            while left >= 1.0 {
                self.learn(0.0);
                left -= 1.0;
            }
            return;
        }
        if self.is_impossible(seconds) {
            self.doubt();
            // Where it comes again and again it is what the host is like.
            self.silence = (2.0 * self.silence).max(SILENCE_STEPS_MAX);
            return;
        }
        self.silence = self.silence.max(seconds);
        self.seconds += seconds;
        let keep = libm::exp(-seconds / self.seconds.clamp(1.0, MEMORY_S));
        self.variance = keep * (self.variance + (1.0 - keep) * self.level * self.level);
        self.level *= keep;
    }

    /// Whether a long run of seconds without a request cannot be: it is not known from before, and improbable at the rate of a
    /// time that is long enough to tell.
    fn is_impossible(&self, seconds: f64) -> bool {
        let bursts = (self.variance / self.level).max(1.0);
        seconds > SILENCE_TIMES * self.silence
            && seconds <= WATCHED_TIMES * self.seconds
            && seconds * self.level > SILENCE_NATS * bursts
    }

    /// What was learned is old: it is forgotten as quickly, and allowed for as widely, as what was learned in a minute.
    pub const fn doubt(&mut self) {
        self.seconds = self.seconds.min(60.0);
        self.minutes = self.minutes.min(1.0);
    }

    /// Forgets what is above this level, requests per second: it was no ordinary traffic.
    pub const fn take_back(&mut self, level: f64) {
        if level < self.level {
            self.variance *= level / self.level;
            self.level = level;
        }
    }

    /// Forecast of one second: an upper envelope of the level, or of what is usual at this time, requests per second, where
    /// that is more; and a dispersion that allows for bursts, whose size goes with the level.
    pub fn forecast(&self, usual: f64) -> Forecast {
        let few = 1.0 + 2.0 / libm::sqrt(self.seconds.max(1.0) / 60.0);
        let envelope = (self.level + 0.02) * (1.0 + 1.6 * self.slow_deviation) * few.min(3.0);
        let excess = (self.variance / (self.level + 0.02) - 1.0).max(0.05);
        let mean = envelope.max(usual);
        let size = (self.level + 0.02) / excess * (mean / envelope);
        Forecast { mean, size: (size / DEPENDENCE).clamp(0.02, 1_000.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_rate_is_learned_and_a_burst_does_not_carry_it_away() {
        let mut baseline = RateBaseline::default();
        for second in 0..1_200 {
            baseline.learn(if second % 2 == 0 { 90.0 } else { 110.0 });
        }
        assert!((baseline.level() - 100.0).abs() < 2.0);
        for _ in 0..10 {
            baseline.learn(100_000.0);
        }
        assert!(baseline.level() < 110.0, "{}", baseline.level());
    }

    #[test]
    fn what_is_usual_at_this_time_is_expected_and_what_is_far_above_it_is_not() {
        use crate::math::evalue::EDetector;
        let mut baseline = RateBaseline::default();
        (0..3_600).for_each(|second| baseline.learn(f64::from(second % 3)));
        let evidence = |usual: f64, count: f64| {
            let mut detector = EDetector::default();
            (0..20).for_each(|_| {
                detector.observe(count, baseline.forecast(usual));
            });
            detector.evidence()
        };
        assert!(evidence(0.0, 40.0) > 16.0);
        assert!(evidence(60.0, 40.0) < 1.0);
        assert!(evidence(60.0, 180.0) > 16.0);
        assert_eq!(baseline.forecast(0.5), baseline.forecast(0.0));
    }

    /// Visits of thirty requests, one in so many seconds.
    fn visited(every_s: u32) -> RateBaseline {
        let mut baseline = RateBaseline::default();
        for second in 0..6_000_u32 {
            baseline.learn(if second % every_s == 0 { 30.0 } else { 0.0 });
        }
        baseline
    }

    #[test]
    fn silence_is_learned_at_once() {
        let mut slow = visited(100);
        let mut fast = slow.clone();
        (0..300).for_each(|_| slow.learn(0.0));
        fast.learn_silence(300.0);
        assert!((slow.level() - fast.level()).abs() < 0.05);
        assert!(fast.level() < 0.8 * visited(100).level());
    }

    /// A host after so many visits, `every_s` seconds apart, of twenty requests in twenty seconds each.
    fn few_visits(count: u32, every_s: impl Fn(u32) -> f64) -> RateBaseline {
        let mut baseline = RateBaseline::default();
        for visit in 0..count {
            (0..20).for_each(|_| baseline.learn(1.0));
            baseline.learn_silence(every_s(visit));
        }
        baseline
    }

    #[test]
    fn where_a_busy_host_is_silent_nobody_looked() {
        for minutes in [10, 100] {
            let mut busy = RateBaseline::default();
            (0..minutes * 60).for_each(|second| busy.learn(f64::from(second % 3) * 10.0));
            let before = busy.level();
            busy.learn_silence(3_600.0);
            assert!((busy.level() - before).abs() < 1e-9);
            (0..8).for_each(|_| busy.learn_silence(3_600.0));
            assert!(busy.level() < 0.1 * before, "what comes every hour is no gap");
        }
    }

    #[test]
    fn what_comes_after_nothing_is_not_ordinary_at_once() {
        let mut nothing = RateBaseline::default();
        nothing.learn_silence(3_600.0);
        assert!(nothing.level() <= 0.0);
        (0..10).for_each(|_| nothing.learn(45.0));
        assert!(nothing.level() < 1.0, "{}", nothing.level());
    }

    #[test]
    fn where_few_come_silence_is_what_is_ordinary() {
        let seldom = few_visits(1, |_| 2_400.0);
        assert!(seldom.level() < 0.1, "{}", seldom.level());
        let nightly = |visit: u32| if visit % 20 == 19 { 28_800.0 } else { 2_400.0 };
        let small = few_visits(60, nightly);
        assert!(small.level() < 0.02, "{}", small.level());
    }
}
