//! What is usual on a host at this hour of the week: its evening peak, its nightly backup.
//!
//! Each of the 168 hours of a week (UTC) has a slot, which remembers how high its last few visits went: the
//! eighth-highest minute of the hour, so that what lasts for less is no habit of the hour, and a job of ten minutes
//! is. What is usual is the median of these visits, so that one odd week counts for nothing either. Before the second
//! week it is the median of the same hour on the days before. A visit is remembered when its hour is over: no hour is
//! its own measure, and a log of one day knows no season.
//!
//! Minutes under suspicion are kept apart, in a shadow: it is learned when the suspicion came to nothing, and
//! forgotten when an attack was found in it.

use serde::{Deserialize, Serialize};

use crate::limits::{SEASON_HOURS, SEASON_SHADOW_HOURS_MAX, SEASON_VISITS};

const HOUR_MIN: i64 = 60;
const DAY_H: i64 = 24;
const WEEK_H: i64 = 168;

/// The minutes of an hour that count, highest first: the last of them is how high it went. On small sites a visitor or a
/// passing robot makes two or three high minutes in any hour; jobs last for ten. A choice between them.
const HIGHEST: usize = 8;

/// Hours after which a slot that was not visited again is forgotten: as many weeks as it remembers, and one more.
const FADED_H: i64 = 5 * WEEK_H;

/// Minutes before and after the full hour in which what is usual in the hour beside is usual too: jobs of the full hour
/// start a little early, and last a little longer. A choice.
const EDGE_MIN: i64 = 5;

/// Envelope of a forecast whose mean absolute error, as a logarithm, is 1: the 90th percentile of a normal law is 1.28
/// deviations from its mean, and a deviation is 1.25 mean absolute ones.
const ENVELOPE: f64 = 1.6;

/// Mean absolute error where little is known of it, as a logarithm: one day's peak is half as much again as another's,
/// with the envelope's factor. A choice, which weighs as much as a day of hours.
const ERROR_PRIOR: f64 = 0.25;
const ERROR_PRIOR_H: f64 = 24.0;

/// The error is held between these: minutes of any rate differ by a few per cent, and no error allows more than two and
/// a half times the usual, as a peak rarely doubles from one day to the next.
const ERROR_CLAMP: (f64, f64) = (0.05, 0.57);

/// Hours over which the error is averaged: a week.
const ERROR_MEMORY_H: f64 = 168.0;

/// Requests per second that are nothing, when rates are compared.
const NOTHING: f64 = 0.05;

/// What a minute is held to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Mark {
    /// Nothing speaks against it.
    #[default]
    Ordinary,
    /// It may turn out to be an attack, or nothing.
    Suspect,
    /// There is an attack.
    Attacked,
}

/// A rate as a number of steps of 1/256 octave, from 1; 0 stands for none.
fn code(per_s: f64) -> u16 {
    let steps = 256.0 * libm::log2(1.0 + per_s.max(0.0) * 60.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "held in range")]
    let steps = libm::round(steps).clamp(0.0, 65_000.0) as u16;
    steps + 1
}

fn rate(code: u16) -> f64 {
    (libm::exp2(f64::from(code.saturating_sub(1)) / 256.0) - 1.0) / 60.0
}

/// Lower median of what is known; 0 where nothing is.
fn median(codes: impl Iterator<Item = u16>) -> u16 {
    let mut known: Vec<u16> = codes.filter(|code| *code > 0).collect();
    known.sort_unstable();
    known.get(known.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

/// One hour of the week: how high its last visits went, newest first, and the hour of the newest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Slot {
    highs: [u16; SEASON_VISITS],
    hour: i64,
}

/// Minutes of one hour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Hour {
    /// Which, since 1970.
    number: i64,
    /// Requests per second of the highest minutes.
    highest: [f32; HIGHEST],
    minutes: u16,
    /// Minutes that are not known, since there was an attack.
    lost: u16,
}

impl Hour {
    fn add(&mut self, per_s: f32) {
        self.minutes += 1;
        let mut higher = per_s;
        for known in &mut self.highest {
            if higher > *known {
                std::mem::swap(known, &mut higher);
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        let minutes = self.minutes + other.minutes;
        other.highest.iter().for_each(|per_s| self.add(*per_s));
        (self.minutes, self.lost) = (minutes, self.lost + other.lost);
    }

    fn high(&self) -> f64 {
        f64::from(self.highest[HIGHEST - 1])
    }
}

/// Hours of the week of one host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Season {
    slots: Vec<Slot>,
    running: Hour,
    shadow: Vec<Hour>,
    minute: i64,
    requests: f64,
    mark: Mark,
    error: f64,
    errors: f64,
}

impl Season {
    /// Takes in the requests of one second.
    pub fn learn(&mut self, now_s: i64, requests: f64, mark: Mark) {
        let minute = now_s.div_euclid(60);
        if minute != self.minute {
            if self.minute > 0 {
                self.learn_minute(self.minute, self.requests / 60.0, self.mark);
            }
            (self.minute, self.requests, self.mark) = (minute, 0.0, Mark::Ordinary);
        }
        self.requests += requests;
        self.mark = self.mark.max(mark);
    }

    /// Takes in one minute, requests per second.
    pub fn learn_minute(&mut self, minute: i64, per_s: f64, mark: Mark) {
        let hour = minute.div_euclid(HOUR_MIN);
        if hour != self.running.number {
            self.begin(hour);
        }
        #[expect(clippy::cast_possible_truncation, reason = "a rate")]
        let per_s = per_s as f32;
        match mark {
            Mark::Ordinary => {
                self.adopt();
                self.running.add(per_s);
            }
            Mark::Suspect => self.shadow_of(hour).add(per_s),
            Mark::Attacked => {
                self.running.lost += 1;
                let gone = std::mem::take(&mut self.shadow);
                let gone = gone.iter().filter(|shadow| shadow.number == hour);
                self.running.lost += gone.map(|shadow| shadow.minutes).sum::<u16>();
            }
        }
    }

    fn shadow_of(&mut self, hour: i64) -> &mut Hour {
        if self.shadow.last().is_none_or(|shadow| shadow.number != hour) {
            if self.shadow.len() >= SEASON_SHADOW_HOURS_MAX {
                self.shadow.remove(0);
            }
            self.shadow.push(Hour { number: hour, ..Hour::default() });
        }
        let last = self.shadow.len() - 1;
        &mut self.shadow[last]
    }

    /// The suspicion came to nothing: what was seen meanwhile was ordinary.
    fn adopt(&mut self) {
        for shadow in std::mem::take(&mut self.shadow) {
            if shadow.number == self.running.number {
                self.running.merge(&shadow);
            } else {
                self.remember(&shadow);
            }
        }
    }

    /// Ends the running hour and begins another.
    fn begin(&mut self, hour: i64) {
        let over = std::mem::replace(&mut self.running, Hour { number: hour, ..Hour::default() });
        // an hour mostly under attack says nothing of what is usual
        if over.minutes == 0 || over.lost > over.minutes {
            return;
        }
        if let Some(usual) = self.at(over.number) {
            let error = libm::log((over.high() + NOTHING) / (usual + NOTHING));
            self.errors += 1.0;
            let gain = 1.0 / (self.errors + ERROR_PRIOR_H).min(ERROR_MEMORY_H);
            let known = if self.errors > 1.0 { self.error } else { ERROR_PRIOR };
            self.error = known + gain * (error.abs().min(1.0) - known);
        }
        self.remember(&over);
    }

    fn remember(&mut self, over: &Hour) {
        if self.slots.is_empty() {
            self.slots = vec![Slot::default(); SEASON_HOURS];
        }
        let Some(slot) = self.slots.get_mut(slot(over.number)) else { return };
        let high = code(over.high());
        if over.number == slot.hour {
            slot.highs[0] = slot.highs[0].max(high);
        } else if over.number > slot.hour {
            if over.number - slot.hour > FADED_H {
                slot.highs = [0; SEASON_VISITS];
            }
            slot.highs.rotate_right(1);
            slot.highs[0] = high;
            slot.hour = over.number;
        }
    }

    /// How high an hour goes as a rule, by its own visits in the weeks before; requests per second.
    fn of_weeks(&self, hour: i64) -> Option<f64> {
        let slot = self.slots.get(slot(hour)).filter(|slot| hour - slot.hour <= FADED_H)?;
        let before = usize::from(slot.hour >= hour);
        let high = median(slot.highs.iter().skip(before).copied());
        (high > 0).then(|| rate(high))
    }

    /// How high an hour goes as a rule, by the same hour of the days before; requests per second.
    fn of_days(&self, hour: i64) -> Option<f64> {
        let days = (1..WEEK_H / DAY_H).map(|day| hour - day * DAY_H);
        let high = median(days.filter_map(|hour| {
            let slot = self.slots.get(slot(hour)).filter(|slot| slot.hour == hour)?;
            slot.highs.first().copied()
        }));
        (high > 0).then(|| rate(high))
    }

    fn at(&self, hour: i64) -> Option<f64> {
        self.of_weeks(hour).or_else(|| self.of_days(hour))
    }

    fn around(now_s: i64, at: impl Fn(i64) -> Option<f64>) -> Option<f64> {
        let minute = now_s.div_euclid(60);
        let hour = minute.div_euclid(HOUR_MIN);
        let beside = match minute.rem_euclid(HOUR_MIN) {
            early if early < EDGE_MIN => at(hour - 1),
            late if late >= HOUR_MIN - EDGE_MIN => at(hour + 1),
            _ => None,
        };
        let usual = at(hour)?;
        Some(beside.map_or(usual, |beside| usual.max(beside)))
    }

    /// How much is usual in the busiest minutes of this hour of the week, requests per second; `None` where it was never
    /// seen.
    pub fn usual(&self, now_s: i64) -> Option<f64> {
        Self::around(now_s, |hour| self.at(hour))
    }

    /// The same by what is older than this week: a ramp of days has no part in it.
    pub fn usual_of_weeks(&self, now_s: i64) -> Option<f64> {
        Self::around(now_s, |hour| self.of_weeks(hour))
    }

    /// Upper envelope of what is usual at this hour of the week, requests per second; 0 where that is not known.
    pub fn envelope(&self, now_s: i64) -> f64 {
        let Some(usual) = self.usual(now_s) else { return 0.0 };
        let error = if self.errors > 0.0 { self.error } else { ERROR_PRIOR };
        usual * libm::exp(ENVELOPE * error.clamp(ERROR_CLAMP.0, ERROR_CLAMP.1))
    }

    /// Bytes held at most, by what it counts.
    pub const fn weight(&self) -> usize {
        self.slots.len() * size_of::<Slot>() + SEASON_SHADOW_HOURS_MAX * size_of::<Hour>()
    }
}

fn slot(hour: i64) -> usize {
    usize::try_from(hour.rem_euclid(WEEK_H)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Monday, 2026-01-05 00:00 UTC, in minutes.
    const MONDAY: i64 = 29_459_520;

    /// Some days of one request a second, with `peak` a second from 20 to 21 o'clock on days that have one.
    fn days(days: i64, peak: impl Fn(i64) -> f64) -> Season {
        let mut season = Season::default();
        for minute in 0..days * 1_440 {
            let (day, hour) = (minute / 1_440, minute % 1_440 / 60);
            let per_s = if hour == 20 { peak(day) } else { 1.0 };
            season.learn_minute(MONDAY + minute, per_s, Mark::Ordinary);
        }
        season
    }

    fn at(day: i64, hour: i64, minute: i64) -> i64 {
        (MONDAY + day * 1_440 + hour * 60 + minute) * 60
    }

    fn close(a: Option<f64>, b: f64) -> bool {
        a.is_some_and(|a| (a / b - 1.0).abs() < 0.02)
    }

    #[test]
    fn one_day_knows_no_season_and_the_next_does() {
        let season = days(1, |_| 40.0);
        assert_eq!(season.usual(at(0, 23, 58)), None);
        assert!(close(season.usual(at(1, 20, 30)), 40.0));
        assert!(
            close(season.usual(at(1, 19, 57)), 40.0) && close(season.usual(at(1, 21, 3)), 40.0)
        );
        assert!(close(season.usual(at(1, 19, 30)), 1.0) && close(season.usual(at(1, 21, 6)), 1.0));
        let envelope = season.envelope(at(1, 20, 30));
        assert!((50.0..80.0).contains(&envelope), "{envelope}");
    }

    #[test]
    fn a_weekly_peak_is_told_from_a_daily_one_and_one_odd_day_from_both() {
        let season = days(14, |day| {
            if day == 9 {
                900.0
            } else if day % 7 == 0 {
                40.0
            } else {
                5.0
            }
        });
        assert!(close(season.usual(at(14, 20, 30)), 40.0));
        assert!(close(season.usual(at(15, 20, 30)), 5.0));
        // the Wednesday of the odd day: the lesser of two weeks
        assert!(close(season.usual(at(16, 20, 30)), 5.0));
        // what is not visited again fades
        assert_eq!(season.usual(at(14 + 36, 20, 30)), None);
    }

    #[test]
    fn the_shadow_is_learned_when_suspicion_came_to_nothing_and_forgotten_after_an_attack() {
        for (then, usual) in [(Mark::Ordinary, 40.0), (Mark::Attacked, 1.0)] {
            let mut season = Season::default();
            for minute in 0..120 {
                let (per_s, mark) = match minute {
                    20..40 => (40.0, Mark::Suspect),
                    40 => (1.0, then),
                    _ => (1.0, Mark::Ordinary),
                };
                season.learn_minute(MONDAY + minute, per_s, mark);
            }
            assert!(close(season.usual(at(1, 0, 30)), usual), "{then:?}");
        }
    }

    #[test]
    fn a_job_of_ten_minutes_is_a_habit_and_the_bursts_of_some_visitors_are_none() {
        for (busy, usual) in [(10, 30.0), (6, 0.1)] {
            let mut season = Season::default();
            for minute in 0..120 {
                let per_s = if minute < busy { 30.0 } else { 0.1 };
                season.learn_minute(MONDAY + minute, per_s, Mark::Ordinary);
            }
            assert!(close(season.usual(at(1, 0, 30)), usual), "{busy}");
        }
    }

    #[test]
    fn suspicion_that_lasts_is_learned_of_its_last_hours_only() {
        let mut season = Season::default();
        for minute in 0..300 {
            let mark = if minute < 240 { Mark::Suspect } else { Mark::Ordinary };
            season.learn_minute(MONDAY + minute, 40.0, mark);
        }
        let known = |hour| season.usual(at(1, hour, 30)).is_some();
        assert_eq!([0, 1, 2, 3].map(known), [false, false, true, true]);
        assert_eq!(SEASON_SHADOW_HOURS_MAX, 2);
    }

    #[test]
    fn seconds_add_up_to_the_minutes() {
        let mut season = Season::default();
        let start = MONDAY * 60;
        (start..start + 7_300).for_each(|now_s| season.learn(now_s, 3.0, Mark::Ordinary));
        assert!(close(season.usual(at(1, 0, 30)), 3.0) && close(season.usual(at(1, 1, 30)), 3.0));
        assert_eq!(season.usual(at(1, 2, 30)), None);
        assert!(season.weight() < 4_096, "{}", season.weight());
    }

    #[test]
    fn codes_keep_rates_within_a_per_cent() {
        for per_s in [0.0, 0.1, 1.0, 33.3, 9_999.0] {
            assert!((rate(code(per_s)) - per_s).abs() <= 0.01 * per_s + 0.001, "{per_s}");
        }
    }

    #[test]
    fn a_year_has_the_room_of_a_week_and_the_last_visits_count() {
        let weeks = |old: i64, new: i64| {
            days(7 * (old + new), |day| if day < 7 * old { 40.0 } else { 5.0 })
        };
        let usual = |season: &Season, day| season.usual(at(day, 20, 30));
        let year = weeks(50, 1);
        assert_eq!(year.slots.len(), SEASON_HOURS);
        assert_eq!(year.weight(), weeks(1, 1).weight());
        assert!(close(usual(&year, 7 * 51), 40.0), "one odd week of four");
        let visits = i64::try_from(SEASON_VISITS).unwrap();
        assert!(close(usual(&weeks(50, visits / 2), 7 * (50 + visits / 2)), 5.0), "half of them");
        let forgotten = weeks(50, visits);
        assert!(
            forgotten.slots[slot(MONDAY / 60 + 20)].highs.iter().all(|high| *high == code(5.0))
        );
    }
}
