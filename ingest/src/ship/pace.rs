//! Lines a second: a token bucket.

use std::time::{Duration, Instant};

/// The bucket holds what a tenth of a second brings.
const BURST: f64 = 0.1;

/// Hands out one token a line, at a rate.
#[derive(Debug)]
pub(super) struct Pace {
    per_second: f64,
    tokens: f64,
    filled: Instant,
}

impl Pace {
    pub(super) fn new(per_second: u32, now: Instant) -> Self {
        Self { per_second: f64::from(per_second.max(1)), tokens: 1.0, filled: now }
    }

    /// Takes a token; otherwise says how long to wait for the next one.
    pub(super) fn take(&mut self, now: Instant) -> Result<(), Duration> {
        if self.tokens < 1.0 {
            let grown = now.saturating_duration_since(self.filled).as_secs_f64() * self.per_second;
            let capacity = (self.per_second * BURST).max(1.0);
            self.tokens = (self.tokens + grown).min(capacity);
            self.filled = now;
        }
        if self.tokens < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - self.tokens) / self.per_second));
        }
        self.tokens -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_brings_the_rate_and_no_more() {
        let start = Instant::now();
        let mut pace = Pace::new(1_000, start);
        let mut now = start;
        let mut taken = 0;
        while now <= start + Duration::from_secs(1) {
            match pace.take(now) {
                Ok(()) => taken += 1,
                Err(wait) => now += wait,
            }
        }
        assert!((1_000..=1_002).contains(&taken), "{taken}");
    }

    #[test]
    fn a_pause_is_not_made_up_for() {
        let start = Instant::now();
        let mut pace = Pace::new(100, start);
        assert!(pace.take(start).is_ok());
        let later = start + Duration::from_mins(1);
        let burst = std::iter::from_fn(|| pace.take(later).ok()).count();
        assert_eq!(burst, 10);
    }
}
