//! What is ordinary on a host by the days, not the minutes: who raises a flood slowly over hours or days is learned as
//! ordinary by everything that forgets within hours, and stands out against this.

use serde::{Deserialize, Serialize};

use crate::limits::SLOW_SAMPLES_MAX;
use crate::record::event::Event;

/// Days whose highest hours are remembered: a week.
const DAYS: usize = 7;

/// Days after which their median says something: the third tells which of two that differ was odd.
const DAYS_MIN: usize = 3;

/// Hours that must have been seen of a day before its highest counts: a quarter; fewer may lack its peak. A choice.
const HOURS_MIN: u32 = 6;

/// Factor by which the reference follows the days in one day at most: a tenth, a site that doubles in a week.
const STEP_MAX: f64 = 1.1;

/// Seconds between two records of the sample: together they reach back a week.
#[expect(clippy::cast_possible_wrap, reason = "a few hundred")]
const SAMPLE_STEP_S: i64 = 7 * 86_400 / SLOW_SAMPLES_MAX as i64;

/// The slow reference of one host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Slow {
    /// Highest hours of the last days, requests per second, oldest first.
    days: Vec<f64>,
    day: i64,
    today: f64,
    hours: u32,
    level: f64,
    /// Records a quarter of an hour and more apart, the place of the next, and the time of the last, s.
    pub sample: Vec<Event>,
    next: usize,
    sampled_s: i64,
    /// What is there now is not taken in: it may have been raised slowly.
    pub held: bool,
}

impl Slow {
    /// What the busiest minutes of an ordinary day reach, requests per second; `None` in the first days.
    pub fn level(&self) -> Option<f64> {
        (self.level > 0.0).then_some(self.level)
    }

    /// Takes in an hour that is over: how high it went, requests per second.
    pub fn learn_hour(&mut self, hour: i64, high: f64) {
        let day = hour.div_euclid(24);
        if day != self.day {
            if self.hours >= HOURS_MIN {
                self.end_day();
            }
            (self.day, self.today, self.hours) = (day, 0.0, 0);
        }
        if !self.held {
            self.today = self.today.max(high);
            self.hours += 1;
        }
    }

    fn end_day(&mut self) {
        if self.days.len() >= DAYS {
            self.days.remove(0);
        }
        self.days.push(self.today);
        if self.days.len() < DAYS_MIN {
            return;
        }
        let mut sorted = self.days.clone();
        sorted.sort_by(f64::total_cmp);
        let median = sorted[sorted.len() / 2];
        self.level = if self.level > 0.0 {
            median.clamp(self.level / STEP_MAX, self.level * STEP_MAX)
        } else {
            median
        };
    }

    /// Takes an ordinary record in, if it is time for one.
    pub fn offer(&mut self, event: &Event) {
        let now_s = event.ts.div_euclid(1_000_000);
        if self.held || now_s - self.sampled_s < SAMPLE_STEP_S {
            return;
        }
        self.sampled_s = now_s;
        match self.sample.get_mut(self.next) {
            Some(oldest) => *oldest = *event,
            None => self.sample.push(*event),
        }
        self.next = (self.next + 1) % SLOW_SAMPLES_MAX;
    }

    /// What is there now, requests per second, was found to be nobody's harm: the host has grown.
    pub fn adopt(&mut self, level: f64) {
        self.level = self.level.max(level);
        self.days.clear();
    }

    /// Bytes held at most, by what it counts.
    pub const fn weight(&self) -> usize {
        DAYS * size_of::<f64>() + 2 * self.sample.len() * size_of::<Event>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(slow: &mut Slow, from: i64, highs: &[f64]) {
        for (day, high) in (from..).zip(highs) {
            (0..24).for_each(|hour| slow.learn_hour(day * 24 + hour, high - f64::from(hour == 3)));
        }
    }

    #[test]
    fn it_is_known_after_three_days_and_follows_by_a_tenth_a_day() {
        let mut slow = Slow::default();
        days(&mut slow, 100, &[10.0, 11.0, 90.0]);
        assert_eq!(slow.level(), None);
        days(&mut slow, 103, &[10.0]);
        assert_eq!(slow.level(), Some(11.0));
        days(&mut slow, 104, &[20.0, 40.0, 80.0, 160.0]);
        assert!(slow.level().unwrap() < 11.0 * 1.1 * 1.1 * 1.1 + 1e-9, "{:?}", slow.level());
        let before = slow.level();
        slow.held = true;
        days(&mut slow, 109, &[160.0; 5]);
        assert_eq!(slow.level().map(|level| level <= before.unwrap() * 1.1), Some(true));
    }

    #[test]
    fn the_sample_reaches_back_a_week_however_much_comes() {
        let mut slow = Slow::default();
        for minute in 0..14 * 1_440 {
            slow.offer(&Event { ts: minute * 60_000_000, ..Event::default() });
        }
        assert_eq!(slow.sample.len(), SLOW_SAMPLES_MAX);
        let oldest = slow.sample.iter().map(|event| event.ts).min().unwrap();
        assert!((13 * 1_440 * 60_000_000 - oldest) < 7 * 86_400_000_000, "{oldest}");
    }
}
