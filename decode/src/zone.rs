//! The zone of times that carry no offset.

use std::str::FromStr;

use chrono::{DateTime, MappedLocalTime, Offset, TimeZone};
use chrono_tz::Tz;

use super::time::{Written, written_offset};

/// Every transition of every zone is at a whole number of these on its clock, or so nearly that it does not matter.
const STEP_S: i64 = 900;

/// Longest gap in a zone's clock: Samoa left out a day.
const GAP_STEPS_MAX: i64 = 25 * 3_600 / STEP_S;

/// How far lines may be out of order, µs.
const DISORDER_US: i64 = 300_000_000;

/// How far a record may seem to be ahead of its arrival, µs.
const SKEW_US: i64 = 60_000_000;

/// The zone in which times without an offset were written; UTC by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// So many seconds east of UTC, all year round.
    Fixed(i64),
    /// A zone of the tz database, with its summer time.
    Named(Tz),
}

impl Default for Zone {
    fn default() -> Self {
        Self::Fixed(0)
    }
}

/// Not the name of a zone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no time zone; give a name such as `Europe/Berlin`, or an offset such as `+02:00`"
)]
pub struct UnknownZone(String);

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(text: &str) -> Result<Self, UnknownZone> {
        let unknown = || UnknownZone(text.to_owned());
        if let Some(Written::East(seconds)) = written_offset(text.as_bytes()) {
            return if seconds.abs() <= 14 * 3_600 {
                Ok(Self::Fixed(seconds))
            } else {
                Err(unknown())
            };
        }
        text.parse().map(Self::Named).map_err(|_| unknown())
    }
}

/// What else is known of when a record was written, for the hour that a clock shows twice in autumn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Near {
    /// When it arrived, microseconds UTC.
    pub arrival_us: Option<i64>,
    /// Time of the record before it in its partition, microseconds UTC.
    pub before_us: Option<i64>,
}

/// Times on the clock of a zone, as UTC; remembers the offset of the last quarter of an hour.
#[derive(Debug, Clone, Default)]
pub struct LocalClock {
    zone: Zone,
    near: Near,
    step: Option<i64>,
    /// Seconds east of UTC, at the first and at the second time that the clock shows the hour.
    offsets: (i64, i64),
}

impl LocalClock {
    /// A clock of that zone.
    pub fn new(zone: Zone) -> Self {
        Self { zone, ..Self::default() }
    }

    /// Whether [`LocalClock::set_near`] matters.
    #[inline]
    pub const fn is_ambiguous(&self) -> bool {
        matches!(self.zone, Zone::Named(_))
    }

    /// Tells what is known of the next record.
    pub const fn set_near(&mut self, near: Near) {
        self.near = near;
    }

    /// Seconds since 1970 UTC at which the clock shows `local_s`, counted as if it were UTC.
    ///
    /// Of the two moments of an hour that is shown twice it is the later one, if the earlier would take time back by
    /// five minutes and the later is not after the arrival. A time that is left out in spring counts as if the clock
    /// had not been put forward.
    #[inline]
    pub fn utc(&mut self, local_s: i64) -> i64 {
        let zone = match self.zone {
            Zone::Fixed(seconds) => return local_s - seconds,
            Zone::Named(zone) => zone,
        };
        let step = local_s.div_euclid(STEP_S);
        if self.step != Some(step) {
            self.offsets = offsets(zone, step * STEP_S);
            self.step = Some(step);
        }
        let (first, second) = (local_s - self.offsets.0, local_s - self.offsets.1);
        if first == second || self.is_first(first, second) { first } else { second }
    }

    #[cold]
    fn is_first(&self, first: i64, second: i64) -> bool {
        let Near { arrival_us, before_us } = self.near;
        let is_future =
            arrival_us.is_some_and(|arrival| second * 1_000_000 > arrival.saturating_add(SKEW_US));
        let goes_back =
            before_us.is_some_and(|before| first * 1_000_000 < before.saturating_sub(DISORDER_US));
        is_future || !goes_back
    }
}

/// Seconds east of UTC at both moments at which the clock of a zone shows a time.
#[cold]
fn offsets(zone: Tz, local_s: i64) -> (i64, i64) {
    for step in 0..=GAP_STEPS_MAX {
        let Some(local) = DateTime::from_timestamp(local_s - step * STEP_S, 0) else { break };
        let seconds = |offset: <Tz as TimeZone>::Offset| i64::from(offset.fix().local_minus_utc());
        match zone.offset_from_local_datetime(&local.naive_utc()) {
            MappedLocalTime::Single(offset) => {
                let offset = seconds(offset);
                return (offset, offset);
            }
            MappedLocalTime::Ambiguous(first, second) => {
                let (first, second) = (seconds(first), seconds(second));
                return (first.max(second), first.min(second));
            }
            MappedLocalTime::None => {}
        }
    }
    (0, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2024-10-27 00:00:00 UTC; Berlin's clock goes from 3 back to 2 at 01:00 UTC.
    const AUTUMN: i64 = 1_729_987_200;

    fn berlin() -> LocalClock {
        LocalClock::new("Europe/Berlin".parse().unwrap())
    }

    #[test]
    fn zones_have_names_and_offsets() {
        assert_eq!("UTC".parse(), Ok(Zone::Fixed(0)));
        assert_eq!("+05:30".parse(), Ok(Zone::Fixed(19_800)));
        assert_eq!("-0800".parse(), Ok(Zone::Fixed(-28_800)));
        assert_eq!("Asia/Kathmandu".parse(), Ok(Zone::Named(Tz::Asia__Kathmandu)));
        for text in ["", "Berlin", "+99:00", "+02:00x", "CEST"] {
            let error = text.parse::<Zone>().unwrap_err().to_string();
            assert!(error.contains("Europe/Berlin"), "{text}: {error}");
        }
    }

    #[test]
    fn summer_time_begins_and_ends() {
        let mut clock = berlin();
        let winter = 1_704_110_400;
        let summer = 1_719_835_200;
        assert_eq!((clock.utc(winter), clock.utc(summer)), (winter - 3_600, summer - 7_200));
        // 2024-03-31: 01:59:59, then 03:00:00; 02:30 does not exist.
        let spring = 1_711_850_400;
        assert_eq!(clock.utc(spring - 1) + 1, clock.utc(spring + 3_600));
        assert_eq!(clock.utc(spring + 1_800), spring - 3_600 + 1_800);
    }

    #[test]
    fn time_does_not_go_back_in_the_hour_that_comes_twice() {
        for live in [false, true] {
            let (mut clock, mut before_us) = (berlin(), None);
            for utc in (AUTUMN - 7_200..AUTUMN + 10_800).step_by(7) {
                let offset = if utc < AUTUMN + 3_600 { 7_200 } else { 3_600 };
                let arrival_us = live.then_some((utc + 2) * 1_000_000);
                clock.set_near(Near { arrival_us, before_us });
                assert_eq!(clock.utc(utc + offset), utc);
                before_us = Some(utc * 1_000_000);
            }
        }
        let mut alone = berlin();
        assert_eq!(alone.utc(AUTUMN + 9_000), AUTUMN + 1_800, "nothing known: the earlier");
    }
}
