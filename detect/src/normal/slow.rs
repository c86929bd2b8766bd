//! What is ordinary on a host by the days, not the minutes: who raises a flood slowly over hours or days is learned as
//! ordinary by everything that forgets within hours, and stands out against this.

use serde::{Deserialize, Serialize};

use crate::limits::SLOW_SAMPLES_MAX;
use crate::math::hash::mix;
use crate::record::event::Event;

/// Days whose busiest five minutes are remembered: a week.
const DAYS: usize = 7;

/// Days after which their median says something: the third tells which of two that differ was odd.
const DAYS_MIN: usize = 3;

/// Looks at five minutes that a day needs before its busiest count: a quarter of it; fewer may lack its peak. A choice.
const LOOKS_MIN: u32 = 72;

/// Factor by which the reference follows the days in one day at most: a tenth, a site that doubles in a week.
const STEP_MAX: f64 = 1.1;

/// Length of a span of which the sample has one record, seconds: together they reach back a week.
#[expect(clippy::cast_possible_wrap, reason = "a few hundred")]
const SPAN_S: i64 = 7 * 86_400 / SLOW_SAMPLES_MAX as i64;

/// The slow reference of one host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Slow {
    /// Busiest five minutes of the last days, requests per second, oldest first.
    days: Vec<f64>,
    day: i64,
    today: f64,
    looks: u32,
    level: f64,
    /// One record of each span, each of its records as likely as the next: whoever raises their share of the requests
    /// within days has a small share of the spans.
    pub sample: Vec<Event>,
    /// Place of the next in the sample.
    next: usize,
    /// The running span, its record so far, and how many it was drawn from.
    span: i64,
    drawn: Option<Event>,
    offered: u64,
    /// No record is taken in now: it may be of what was raised slowly. The level moves slowly at any time.
    pub held: bool,
}

impl Slow {
    /// What the busiest five minutes of an ordinary day reach, requests per second; `None` in the first days.
    pub fn level(&self) -> Option<f64> {
        (self.level > 0.0).then_some(self.level)
    }

    /// Takes in five minutes in which there was no attack, requests per second.
    pub fn learn(&mut self, now_s: i64, per_s: f64) {
        let day = now_s.div_euclid(86_400);
        if day != self.day {
            if self.looks >= LOOKS_MIN {
                self.end_day();
            }
            (self.day, self.today, self.looks) = (day, 0.0, 0);
        }
        self.today = self.today.max(per_s);
        self.looks += 1;
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
        if self.held {
            return;
        }
        let span = event.ts.div_euclid(SPAN_S * 1_000_000);
        if span != self.span {
            if let Some(drawn) = self.drawn.take() {
                self.keep(drawn);
            }
            (self.span, self.offered) = (span, 0);
        }
        self.offered += 1;
        // the first always, each later one in the place of the one before with its share of chance
        if mix(self.offered ^ event.ts.unsigned_abs()).is_multiple_of(self.offered) {
            self.drawn = Some(*event);
        }
    }

    fn keep(&mut self, event: Event) {
        match self.sample.get_mut(self.next) {
            Some(oldest) => *oldest = event,
            None => self.sample.push(event),
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
            for pane in 0..288 {
                let now_s = day * 86_400 + pane * 300;
                slow.learn(now_s, if pane == 200 { *high } else { 1.0 });
            }
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
        assert!((slow.level().unwrap() / (11.0 * 1.1 * 1.1) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_day_that_was_seen_in_part_says_nothing() {
        let mut slow = Slow::default();
        days(&mut slow, 100, &[10.0, 11.0]);
        (0..71).for_each(|pane| slow.learn(102 * 86_400 + pane * 300, 1.0));
        days(&mut slow, 103, &[12.0]);
        assert_eq!(slow.level(), None);
        days(&mut slow, 104, &[12.0]);
        assert_eq!(slow.level(), Some(11.0));
    }

    #[test]
    fn the_sample_reaches_back_a_week_and_is_fair_within_a_span() {
        let mut slow = Slow::default();
        for second in 0..14 * 86_400 {
            slow.offer(&Event { ts: second * 1_000_000, bytes: 1, ..Event::default() });
            // two thirds of the records come in bursts of the seventh second
            for burst in 0..if second % 7 == 0 { 14 } else { 0 } {
                slow.offer(&Event { ts: second * 1_000_000 + burst, ..Event::default() });
            }
        }
        assert_eq!(slow.sample.len(), SLOW_SAMPLES_MAX);
        let oldest = slow.sample.iter().map(|event| event.ts).min().unwrap();
        let reach = 14 * 86_400_000_000 - oldest;
        assert!((6 * 86_400_000_000..8 * 86_400_000_000).contains(&reach), "{reach}");
        let steady = slow.sample.iter().filter(|event| event.bytes == 1).count();
        assert!((130..215).contains(&steady), "{steady} of 512 where a third was expected");
        let held = Slow { held: true, ..slow.clone() };
        let mut after = held.clone();
        after.offer(&Event { ts: 15 * 86_400_000_000, ..Event::default() });
        assert_eq!(after, held);
    }
}
