//! Volume that raised suspicion on a host before and came to nothing: the same again is no news.

use serde::{Deserialize, Serialize};

/// Time constant with which a habit is forgotten, seconds: two days, so that what comes daily is still known.
const MEMORY_S: f64 = 172_800.0;

/// How far an excess must surpass what the host has got away with to raise suspicion again: the ratio of one
/// day's peak to another's on the same occasion is rarely above 2 (a host's own repetitions, not a universal).
const FACTOR: f64 = 2.0;

/// The greatest excess that came to nothing, slowly forgotten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Habit {
    peak: f64,
    at_s: i64,
}

impl Habit {
    #[expect(clippy::cast_precision_loss, reason = "seconds")]
    fn peak(&self, now_s: i64) -> f64 {
        self.peak * libm::exp(-((now_s - self.at_s) as f64) / MEMORY_S)
    }

    /// Takes in the peak of an excess that came to nothing, requests per second.
    pub fn learn(&mut self, peak: f64, now_s: i64) {
        *self = Self { peak: peak.max(self.peak(now_s)), at_s: now_s };
    }

    /// Whether an excess like this, requests per second, has come to nothing before.
    pub fn covers(&self, excess: f64, now_s: i64) -> bool {
        excess < FACTOR * self.peak(now_s)
    }
}
