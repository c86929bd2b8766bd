//! Timestamps of every notation found in access logs, as microseconds since 1970, UTC.
//!
//! Written by hand, because the same second is parsed thousands of times: a [`TimeParser`] remembers the last
//! second of each notation.

use super::calendar;
use super::epoch::{parse_epoch, written_out};
use super::record::Unit;
use super::word;
use super::zone::{LocalClock, Near, Zone};

const DAY_S: i64 = 86_400;

/// Reads timestamps; remembers the last second seen.
#[derive(Debug, Clone, Default)]
pub struct TimeParser {
    iso: Cached<19>,
    clf: Cached<20>,
    local: LocalClock,
}

#[derive(Debug, Clone, Copy)]
struct Cached<const N: usize> {
    text: [u8; N],
    seconds: i64,
}

impl<const N: usize> Default for Cached<N> {
    fn default() -> Self {
        Self { text: [0; N], seconds: 0 }
    }
}

impl<const N: usize> Cached<N> {
    /// Seconds of `text`, from memory when it is the text of the last call.
    #[inline]
    fn get(&mut self, text: &[u8; N], parse: fn(&[u8; N]) -> Option<i64>) -> Option<i64> {
        if self.text != *text {
            self.seconds = parse(text)?;
            self.text = *text;
        }
        Some(self.seconds)
    }
}

impl TimeParser {
    /// A parser that takes times without an offset to be of that zone.
    pub fn new(zone: Zone) -> Self {
        Self { local: LocalClock::new(zone), ..Self::default() }
    }

    /// Whether [`TimeParser::set_near`] matters.
    #[inline]
    pub const fn is_ambiguous(&self) -> bool {
        self.local.is_ambiguous()
    }

    /// Tells what is known of the next time, in case the clock shows it twice.
    pub const fn set_near(&mut self, near: Near) {
        self.local.set_near(near);
    }

    /// Microseconds since 1970 UTC, or `None` when the text is no timestamp.
    ///
    /// Understood: RFC 3339 and ISO 8601 (`2024-05-01T12:00:00.123Z`, a blank for the `T`, `/` for `-`, any or no offset),
    /// common log format (`01/May/2024:12:00:00 +0200`, HAProxy's with milliseconds and no offset) and numbers
    /// since the epoch, whose unit is told by their size when `unit` is [`Unit::Auto`]. Square brackets around it
    /// are ignored. Without an offset the time is of the parser's zone.
    #[inline]
    pub fn parse(&mut self, text: &str, unit: Unit) -> Option<i64> {
        let bytes = text.as_bytes();
        let bytes = match bytes {
            [b'[', inner @ .., b']'] | [b'[', inner @ ..] => inner,
            _ => bytes,
        };
        let known = match (bytes.get(4), bytes.get(2)) {
            (Some(b'-' | b'/'), _) => {
                let parts = self.iso_parts(bytes);
                parts.map(|(seconds, micros, offset)| self.moment(seconds, micros, offset))
            }
            (_, Some(b'/')) => self.parse_clf(bytes),
            _ => parse_epoch(bytes, unit),
        };
        known.or_else(|| self.parse_words(bytes, unit))
    }

    #[cold]
    fn parse_words(&mut self, bytes: &[u8], unit: Unit) -> Option<i64> {
        if let Some(joined) = calendar::with_fraction_joined(bytes) {
            return self.parse(&joined, unit);
        }
        if bytes.iter().any(|byte| matches!(byte, b'e' | b'E'))
            && let Some(digits) = written_out(bytes)
        {
            return parse_epoch(digits.as_bytes(), unit);
        }
        let (seconds, micros, offset) = match unit {
            Unit::DayFirst | Unit::MonthFirst => {
                let year_first = calendar::year_first(bytes, unit == Unit::DayFirst)?;
                self.iso_parts(year_first.as_bytes())?
            }
            _ => calendar::parse(bytes)?,
        };
        Some(self.moment(seconds, micros, offset))
    }

    /// The same for formats that are in UTC by definition: `2024-05-01T12:00:00[.fraction]`.
    pub fn parse_utc(&mut self, text: &str) -> Option<i64> {
        let (seconds, micros, offset) = self.iso_parts(text.as_bytes())?;
        let east = if let Written::East(offset) = offset { offset } else { 0 };
        Some((seconds - east) * 1_000_000 + micros)
    }

    #[inline]
    fn moment(&mut self, seconds: i64, micros: i64, offset: Written) -> i64 {
        let utc = match offset {
            Written::East(offset) => seconds - offset,
            Written::Nothing => self.local.utc(seconds),
        };
        utc * 1_000_000 + micros
    }

    /// `2024-05-01T12:00:00[.fraction][offset]`: seconds on the clock, microseconds, offset.
    #[inline]
    fn iso_parts(&mut self, bytes: &[u8]) -> Option<(i64, i64, Written)> {
        let (head, rest) = bytes.split_first_chunk::<19>()?;
        let seconds = self.iso.get(head, iso_seconds)?;
        let (micros, rest) = fraction_us(rest)?;
        Some((seconds, micros, written_offset(rest)?))
    }

    /// `01/May/2024:12:00:00[.fraction][ +0200]`.
    fn parse_clf(&mut self, bytes: &[u8]) -> Option<i64> {
        let (head, rest) = bytes.split_first_chunk::<20>()?;
        let seconds = self.clf.get(head, clf_seconds)?;
        let (micros, rest) = fraction_us(rest)?;
        Some(self.moment(seconds, micros, written_offset(rest)?))
    }
}

/// Years in which a request can have been made. One of another calendar (Buddhist, Persian) is none of these.
const YEARS: std::ops::RangeInclusive<i64> = 1970..=2200;

/// Seconds of a civil date and time, proleptic Gregorian, `None` for a date that does not exist or is of no log.
///
/// Days from the civil date as in Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
pub(super) fn civil_seconds(date: (i64, i64, i64), clock: (i64, i64, i64)) -> Option<i64> {
    let (year, month, day) = date;
    let (hour, minute, second) = clock;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_in_month = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    let is_day = YEARS.contains(&year) && day >= 1 && day <= days_in_month;
    if !is_day || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    Some(days * DAY_S + hour * 3600 + minute * 60 + second)
}

/// The number written by `digits`, all of which must be digits; of none it is zero.
pub(super) fn number(digits: &[u8]) -> Option<i64> {
    if let Some(number) = word::number(digits) {
        return i64::try_from(number).ok();
    }
    digits.iter().try_fold(0i64, |sum, digit| {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 { None } else { sum.checked_mul(10)?.checked_add(i64::from(digit)) }
    })
}

fn clock(text: &[u8]) -> Option<(i64, i64, i64)> {
    match text {
        [h1, h2, b':', m1, m2, b':', s1, s2] => {
            Some((number(&[*h1, *h2])?, number(&[*m1, *m2])?, number(&[*s1, *s2])?))
        }
        _ => None,
    }
}

fn iso_seconds(text: &[u8; 19]) -> Option<i64> {
    let (date, rest) = text.split_at(10);
    let (separator, time) = rest.split_first()?;
    if !matches!(separator, b'T' | b't' | b' ' | b'\t') {
        return None;
    }
    let [y1, y2, y3, y4, b'-' | b'/', m1, m2, b'-' | b'/', d1, d2] = date else { return None };
    let date = (number(&[*y1, *y2, *y3, *y4])?, number(&[*m1, *m2])?, number(&[*d1, *d2])?);
    civil_seconds(date, clock(time)?)
}

/// Number of the month with that English three-letter name, from 1.
pub(super) fn month_number(name: &[u8]) -> Option<i64> {
    const MONTHS: &[u8; 36] = b"janfebmaraprmayjunjulaugsepoctnovdec";
    let index = MONTHS.chunks_exact(3).position(|month| month.eq_ignore_ascii_case(name))?;
    i64::try_from(index + 1).ok()
}

fn clf_seconds(text: &[u8; 20]) -> Option<i64> {
    let [d1, d2, b'/', m1, m2, m3, b'/', y1, y2, y3, y4, b':', time @ ..] = text else {
        return None;
    };
    let date =
        (number(&[*y1, *y2, *y3, *y4])?, month_number(&[*m1, *m2, *m3])?, number(&[*d1, *d2])?);
    civil_seconds(date, clock(time)?)
}

/// Microseconds of the last of so many digits of a fraction.
pub(super) const MICROS: [i64; 7] = [1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];

/// An optional fraction of a second, truncated to microseconds, and what follows it.
#[inline]
pub(super) fn fraction_us(text: &[u8]) -> Option<(i64, &[u8])> {
    let [b'.' | b',', rest @ ..] = text else { return Some((0, text)) };
    if let Some((count @ 1.., digits)) = word::leading_digits(rest) {
        return Some((i64::try_from(digits / 100).ok()?, rest.get(count..)?));
    }
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 {
        return None;
    }
    let (fraction, rest) = rest.split_at(digits);
    let kept = fraction.get(..6).unwrap_or(fraction);
    let scale = MICROS.get(kept.len())?;
    Some((number(kept)? * scale, rest))
}

/// How many digits are at the start.
#[inline]
pub(super) fn count_digits(text: &[u8]) -> usize {
    word::count_digits(text)
        .unwrap_or_else(|| text.iter().take_while(|byte| byte.is_ascii_digit()).count())
}

/// What a time says of its zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// Seconds east of UTC.
    East(i64),
    /// Nothing.
    Nothing,
}

/// Farthest from UTC that a clock is anywhere.
const ZONE_S_MAX: i64 = 14 * 3600;

/// What `Z`, `UTC`, `GMT`, `+0200` or `+02:00` says, possibly after a blank.
pub(super) fn written_offset(text: &[u8]) -> Option<Written> {
    // What nearly all lines have.
    if matches!(text, b"Z" | b" +0000" | b"+00:00") {
        return Some(Written::East(0));
    }
    let text = text.trim_ascii();
    let (sign, seconds) = match text {
        [] => return Some(Written::Nothing),
        b"Z" | b"z" | b"UTC" | b"GMT" => return Some(Written::East(0)),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] | [sign @ (b'+' | b'-'), h1, h2, m1, m2] => {
            let minutes = number(&[*m1, *m2]).filter(|minutes| *minutes < 60)?;
            (sign, number(&[*h1, *h2])? * 3600 + minutes * 60)
        }
        [sign @ (b'+' | b'-'), h1, h2] => (sign, number(&[*h1, *h2])? * 3600),
        _ => return None,
    };
    let seconds = if *sign == b'-' { -seconds } else { seconds };
    (-ZONE_S_MAX..=ZONE_S_MAX).contains(&seconds).then_some(Written::East(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<i64> {
        TimeParser::default().parse(text, Unit::Auto)
    }

    #[test]
    fn every_notation_of_one_moment_agrees() {
        let micros = Some(1_714_564_800_123_000);
        for text in [
            "2024-05-01T12:00:00.123Z",
            "2024-05-01 12:00:00.123",
            "2024-05-01T14:00:00.123+02:00",
            "2024-05-01T09:30:00.123-0230",
            "[01/May/2024:12:00:00.123]",
            "01/May/2024:14:00:00.123 +0200",
            "20240501T120000.123Z",
            "20240501T140000,123+0200",
            "20240501120000.123",
            "1714564800.123",
            "1714564800123",
            "1714564800123000",
            "1714564800123000000",
            "1.714564800123E9",
            "20240501120000123",
            "2024/05/01:12:00:00.123 +0000",
            "2024-05-01T14:00:00.123+02:00[Europe/Berlin]",
        ] {
            assert_eq!(parse(text), micros, "{text}");
        }
    }

    #[test]
    fn seconds_of_zero_may_be_left_out() {
        let noon = Some(1_714_564_800_000_000);
        for text in ["2024-05-01T12:00Z", "2024-05-01T12:00", "2024-05-01T14:00+02:00"] {
            assert_eq!(parse(text), noon, "{text}");
        }
        for text in
            ["2024-05-01T12:60Z", "2024-05-01T12:0Z", "2024-05-01 12:00", "2024-05-01T1:00Z"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_without_an_offset_is_of_the_zone_and_no_other_is() {
        let mut parser = TimeParser::new("Europe/Berlin".parse().unwrap());
        let noon = Some(1_714_564_800_000_000);
        for text in
            ["2024-05-01T14:00:00", "01/May/2024:14:00:00", "2024-05-01T12:00:00Z", "1714564800"]
        {
            assert_eq!(parser.parse(text, Unit::Auto), noon, "{text}");
        }
        assert_eq!(parser.parse_utc("2024-05-01T12:00:00"), noon);
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "-",
            "x",
            "2024-13-01T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "2024-05-01",
            "2024-05-01T12:00:00.Z",
            "2024-05-01T12:00:00Q",
            "32/May/2024:00:00:00 +0000",
            "99999999999999999999",
            "1714564800x",
            "-5",
            "1e9",
            "[",
            "[]",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_edges_of_the_calendar() {
        assert_eq!(parse("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(parse("2100-12-31T23:59:59Z"), Some(4_133_980_799_000_000));
        assert_eq!(parse("2024-02-29T00:00:00Z"), Some(1_709_164_800_000_000));
        assert_eq!(parse("0001-01-01T00:00:00Z"), None);
        assert_eq!(parse("2567-05-01T00:00:00Z"), None);
        assert_eq!(parse("2024"), None);
    }

    #[test]
    fn memory_of_the_last_second_does_not_leak_into_the_next() {
        let mut parser = TimeParser::default();
        let mut micros = |text| parser.parse(text, Unit::Auto);
        assert_eq!(micros("2024-05-01T12:00:00Z"), Some(1_714_564_800_000_000));
        assert_eq!(micros("2024-05-01T12:00:00.5+01:00"), Some(1_714_561_200_500_000));
        assert_eq!(micros("2024-05-01T12:00:99Z"), None);
        assert_eq!(micros("2024-05-01T12:00:01Z"), Some(1_714_564_801_000_000));
    }
}
