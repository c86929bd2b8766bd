//! Clocks that are off by whole quarter-hours: local times read as UTC.
//!
//! Every zone of the world is a multiple of fifteen minutes from UTC, and Kafka says when a record arrived. A
//! partition whose records are, minute after minute of arrivals, the same multiple away from their arrival is written
//! in another zone, whatever its lag.

use serde::{Deserialize, Serialize};

use crate::limits::{
    OFFSET_LAG_US_MAX, OFFSET_PERIODS, OFFSET_QUANTUM_US, OFFSET_RECORDS_MIN, SKEW_US_MAX,
    ZONE_SPREAD_QUANTA_MAX,
};

/// Length of a period of arrivals with a verdict of its own, µs.
const PERIOD_US: i64 = 60_000_000;

/// Least offset that is a zone's, quarter-hours: none is nearer to UTC than an hour.
const ZONE_QUANTA_MIN: i64 = 4;

/// The zones of the world reach from UTC-12 to UTC+14, quarter-hours.
const ZONE_QUANTA: std::ops::RangeInclusive<i64> = -48..=56;

/// Share of a period's records that must have one offset: nine in ten.
const AGREEMENT: (u32, u32) = (9, 10);

/// The steady offset of a partition's clock, learnt from arrivals.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offset {
    /// The running period.
    period: i64,
    candidate: Option<i64>,
    agreeing: u32,
    records: u32,
    /// A period has come to its end.
    is_judged: bool,
    /// What the last period came to, quarter-hours ahead of arrival.
    verdict: Option<i64>,
    /// Periods in a row that came to it.
    streak: u32,
    /// What is added to event times, µs.
    shift_us: i64,
}

impl Offset {
    /// Takes a record's time and its arrival into account.
    pub const fn see(&mut self, ts: i64, arrival: i64) {
        let period = arrival.div_euclid(PERIOD_US);
        // Arrivals of several producers are not quite in order: a minute ends once.
        let is_over = period > self.period || period < self.period.saturating_sub(1);
        if is_over && self.records >= OFFSET_RECORDS_MIN {
            self.close_period();
        }
        if self.records == 0 {
            self.period = period;
        }
        self.records = self.records.saturating_add(1);
        let ahead = ts.saturating_sub(arrival);
        let quanta = ahead.saturating_add(OFFSET_LAG_US_MAX).div_euclid(OFFSET_QUANTUM_US);
        let rest = ahead - quanta * OFFSET_QUANTUM_US;
        if rest > SKEW_US_MAX {
            return;
        }
        match self.candidate {
            None => (self.candidate, self.agreeing) = (Some(quanta), 1),
            Some(candidate) if candidate == quanta => self.agreeing += 1,
            Some(_) => {}
        }
    }

    const fn close_period(&mut self) {
        let (part, whole) = AGREEMENT;
        let agreed = self.agreeing as u64 * whole as u64 >= self.records as u64 * part as u64;
        let found = if agreed { self.candidate } else { None };
        self.streak = match (found, self.verdict) {
            (None, _) => 0,
            (Some(found), Some(before)) if found == before => self.streak.saturating_add(1),
            (Some(_), _) => 1,
        };
        self.verdict = found;
        self.is_judged = true;
        (self.candidate, self.agreeing, self.records) = (None, 0, 0);
    }

    /// The offset, quarter-hours ahead of arrival, once it has been the same for long enough.
    pub const fn settled(&self) -> Option<i64> {
        if self.streak >= OFFSET_PERIODS { self.verdict } else { None }
    }

    /// Whether the partition's clock is known to be right, or to be put right: others may be measured by it.
    pub fn is_right(&self) -> bool {
        self.settled().is_some_and(|quanta| quanta > -ZONE_QUANTA_MIN)
    }

    /// Whether a partition of which nothing is believed may turn out to be written in another zone: its last period has
    /// the offset of one, or there was none yet.
    pub fn may_settle(&self) -> bool {
        self.verdict.map_or(!self.is_judged, is_zone)
    }

    /// Follows what was learnt; by how much believed times move, µs. A clock ahead of all arrivals is wrong for
    /// certain. One that is behind may be a slow delivery, unless `others_are_right`.
    pub fn follow(&mut self, others_are_right: bool) -> i64 {
        let Some(quanta) = self.settled() else { return 0 };
        let shift = -quanta * OFFSET_QUANTUM_US;
        if shift == self.shift_us {
            return 0;
        }
        if !is_zone(quanta) {
            self.shift_us = 0;
            return 0;
        }
        if shift < 0 {
            self.shift_us = shift;
            return 0;
        }
        if !others_are_right {
            return 0;
        }
        let moved = shift - self.shift_us.max(0);
        self.shift_us = shift;
        moved
    }

    /// The time put right, if it is that of a wrong clock. `limit` is the latest time that can be.
    pub const fn shifted(&self, ts: i64, limit: i64) -> Option<i64> {
        if self.shift_us == 0 || (self.shift_us < 0 && ts <= limit) {
            return None;
        }
        let shifted = ts.saturating_add(self.shift_us);
        if shifted <= limit { Some(shifted) } else { None }
    }
}

/// Whether an offset of so many quarter-hours can be a zone's.
fn is_zone(quanta: i64) -> bool {
    ZONE_QUANTA.contains(&quanta) && quanta.abs() >= ZONE_QUANTA_MIN
}

/// The time of a record that is nearly a whole number of quarter-hours ahead of `believed`, put right.
///
/// Two producers are at most 26 hours apart (UTC-12 and UTC+14), and at most a minute late by each other.
pub const fn zone_ahead(ts: i64, believed: i64) -> Option<i64> {
    let ahead = ts.saturating_sub(believed);
    let quanta = ahead.saturating_add(OFFSET_QUANTUM_US / 2).div_euclid(OFFSET_QUANTUM_US);
    if quanta < 1 || quanta > ZONE_SPREAD_QUANTA_MAX {
        return None;
    }
    let rest = ahead - quanta * OFFSET_QUANTUM_US;
    if rest.abs() > SKEW_US_MAX { None } else { Some(ts - quanta * OFFSET_QUANTUM_US) }
}

const _: () = assert!(
    OFFSET_LAG_US_MAX + SKEW_US_MAX < OFFSET_QUANTUM_US,
    "a lag is not taken for an offset"
);

#[cfg(test)]
mod tests {
    use super::*;

    const S: i64 = 1_000_000;
    const HOUR: i64 = 3_600 * S;

    /// Ten records a minute for `minutes`, each `offset` from its arrival and up to a minute late.
    fn learnt(minutes: i64, offset: impl Fn(i64) -> i64) -> Offset {
        let mut clock = Offset::default();
        for i in 0..minutes * 10 {
            let arrival = 1_700_000_000 * S + i * 6 * S;
            clock.see(arrival + offset(i) - i * 7 % 60 * S, arrival);
        }
        clock
    }

    #[test]
    fn a_steady_offset_is_learnt_within_minutes() {
        for (hours, quanta) in [(0, 0), (2, 8), (-5, -20), (14, 56)] {
            assert_eq!(learnt(2, |_| hours * HOUR).settled(), None);
            assert_eq!(learnt(5, |_| hours * HOUR).settled(), Some(quanta), "{hours} h");
        }
        assert_eq!(learnt(60, |i| -HOUR + i * 10 * S).settled(), None, "a replay catches up");
        assert_eq!(learnt(60, |i| i % 3 * HOUR).settled(), None, "a mixture");
        assert_eq!(learnt(60, |i| i64::from(i % 20 == 0) * HOUR).settled(), Some(0), "a few");
        assert_eq!(learnt(60, |_| -450 * S).settled(), None, "a slow delivery");
    }

    #[test]
    fn a_minute_of_arrivals_that_are_not_in_order_ends_once() {
        let mut clock = Offset::default();
        for i in 0..200 {
            // about the turn of a minute
            let arrival = (i % 2) * 2 * S + 1_700_000_039 * S;
            clock.see(arrival + 2 * HOUR, arrival);
        }
        assert_eq!(clock.settled(), None);
    }

    #[test]
    fn a_clock_ahead_is_put_right_and_one_behind_only_beside_right_ones() {
        let mut ahead = learnt(5, |_| 2 * HOUR);
        assert_eq!((ahead.follow(false), ahead.shifted(2 * HOUR, S)), (0, Some(0)));
        assert_eq!(ahead.shifted(0, S), None, "another producer's right time");
        let mut behind = learnt(5, |_| -5 * HOUR);
        assert_eq!((behind.follow(false), behind.shifted(0, 6 * HOUR)), (0, None));
        assert_eq!((behind.follow(true), behind.follow(true)), (5 * HOUR, 0));
        assert_eq!(behind.shifted(0, 6 * HOUR), Some(5 * HOUR));
        assert_eq!(behind.shifted(HOUR, HOUR), None, "it would be in the future");
        assert!(!behind.is_right() && ahead.is_right());
        let mut yesterday = learnt(5, |_| -24 * HOUR);
        assert_eq!((yesterday.follow(true), yesterday.shifted(0, 99 * HOUR)), (0, None));
    }

    #[test]
    fn a_record_of_another_zone_is_recognised_by_the_quarter_hour() {
        assert_eq!(zone_ahead(5 * HOUR + 10 * S, 0), Some(10 * S));
        assert_eq!(zone_ahead(5 * HOUR + 885 * S, 0), Some(-15 * S));
        for ts in [5 * HOUR + 300 * S, 30 * S, -HOUR, 27 * HOUR, i64::MAX, i64::MIN] {
            assert_eq!(zone_ahead(ts, 0), None, "{ts}");
        }
    }

    /// Minutes of arrivals, so many records in each, `offset` from their arrival; whether that is settled.
    fn settled(minutes: i64, records: u32, offset: i64) -> Option<i64> {
        let mut clock = Offset::default();
        for minute in 0..minutes {
            for record in 0..i64::from(records) {
                let arrival = 1_700_000_040 * S + minute * PERIOD_US + record;
                clock.see(arrival + offset, arrival);
            }
        }
        clock.settled()
    }

    #[test]
    fn limits_are_where_they_are_named() {
        // the last of so many periods is known to be over by the one after it
        let periods = i64::from(OFFSET_PERIODS) + 1;
        assert_eq!(settled(periods, OFFSET_RECORDS_MIN, 2 * HOUR), Some(8));
        assert_eq!(settled(periods - 1, OFFSET_RECORDS_MIN, 2 * HOUR), None);
        // where one comes in a minute, a period lasts until there are enough
        let records = i64::from(OFFSET_PERIODS * OFFSET_RECORDS_MIN);
        assert_eq!(settled(records, 1, 2 * HOUR), None);
        assert_eq!(settled(records + 1, 1, 2 * HOUR), Some(8));
        let at = |offset| settled(periods, OFFSET_RECORDS_MIN, offset);
        assert_eq!(at(2 * HOUR - OFFSET_LAG_US_MAX), Some(8), "as late as may be");
        assert_eq!(at(2 * HOUR - OFFSET_LAG_US_MAX - 1), None);
        assert_eq!(at(2 * HOUR + SKEW_US_MAX), Some(8), "as fast as may be");
        assert_eq!(at(2 * HOUR + SKEW_US_MAX + 1), None);
        let most = ZONE_SPREAD_QUANTA_MAX * OFFSET_QUANTUM_US;
        assert_eq!(zone_ahead(most, 0), Some(0));
        assert_eq!(zone_ahead(most + OFFSET_QUANTUM_US, 0), None);
        assert_eq!(zone_ahead(OFFSET_QUANTUM_US + SKEW_US_MAX, 0), Some(SKEW_US_MAX));
        assert_eq!(zone_ahead(OFFSET_QUANTUM_US + SKEW_US_MAX + 1, 0), None);
    }
}
