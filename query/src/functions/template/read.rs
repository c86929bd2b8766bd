//! A text as the time that a template says it is.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime, TimeDelta, Weekday};

use super::pattern::{Field, Part, Pattern};
use super::write::{DAYS, MONTHS, SHORT};

/// What was read so far; what is not written is the beginning.
#[derive(Debug, Default)]
struct Read {
    year: Option<i32>,
    month: Option<u32>,
    day: Option<u32>,
    day_of_year: Option<u32>,
    week_year: Option<i32>,
    week: Option<u32>,
    /// From Monday, which is 0.
    week_day: Option<u8>,
    hour: u32,
    is_afternoon: Option<bool>,
    minute: u32,
    second: u32,
    second_of_day: Option<u32>,
    micros: u32,
    offset_minutes: i32,
}

/// The time in microseconds UTC; `None` when the text is not of the template.
pub(super) fn read(pattern: &Pattern, text: &str) -> Option<i64> {
    let (mut read, mut rest) = (Read::default(), text.trim_start());
    for (at, part) in pattern.parts.iter().enumerate() {
        match part {
            Part::Text(text) => rest = behind(text, rest),
            Part::Field { field, .. } => {
                // Where the next field follows at once, no more digits than this one has.
                let is_tight = matches!(pattern.parts.get(at + 1), Some(Part::Field { .. }));
                rest = read.field(*field, rest.trim_start(), is_tight)?;
            }
        }
    }
    read.time()
}

/// What is behind a text that stands for itself. Any separator stands for any other.
fn behind<'a>(text: &str, rest: &'a str) -> &'a str {
    let mut rest = rest;
    for wanted in text.chars() {
        let mut chars = rest.chars();
        match chars.next() {
            Some(found) if found == wanted => rest = chars.as_str(),
            Some(found) if !wanted.is_alphanumeric() && is_separator(found) => {
                rest = chars.as_str();
            }
            Some(found) if wanted.is_alphanumeric() && found.is_alphanumeric() => {
                rest = chars.as_str();
            }
            _ => {}
        }
    }
    rest
}

fn is_separator(c: char) -> bool {
    !c.is_alphanumeric() && !matches!(c, '+')
}

/// A number of `digits` at most, and what is behind it.
fn number(text: &str, digits: usize) -> Option<(u32, &str)> {
    let length = text.bytes().take(digits).take_while(u8::is_ascii_digit).count();
    let (number, behind) = text.split_at_checked(length)?;
    Some((number.parse().ok()?, behind))
}

/// The place of a name of which the text has the first letters, or all, and what is behind it.
fn named<'a>(names: &[&str], text: &'a str) -> Option<(u32, &'a str)> {
    let begins = |word: &str| text.get(..word.len()).is_some_and(|t| t.eq_ignore_ascii_case(word));
    let found = names.iter().zip(0_u32..).find_map(|(name, at)| {
        let short = name.get(..SHORT).unwrap_or(name);
        [*name, short].into_iter().find(|word| begins(word)).map(|word| (at, word.len()))
    });
    let (at, length) = found?;
    Some((at, text.get(length..)?))
}

/// A year of which the last digits are written: of two digits one from 1970 to 2069.
fn year(value: u32, digits: u32) -> Option<i32> {
    let year = i32::try_from(value).ok()?;
    Some(match year {
        0..=69 if digits < 4 => year + 2000,
        70..=99 if digits < 4 => year + 1900,
        _ => year,
    })
}

impl Read {
    /// Reads a field at the start of `text`; what is behind it.
    fn field<'a>(&mut self, field: Field, text: &'a str, is_tight: bool) -> Option<&'a str> {
        let (value, behind) = match field {
            Field::Year(4) if !is_tight => number(text, 9)?,
            Field::Year(digits) | Field::WeekYear(digits) => number(text, digits as usize)?,
            // They tell no day that PostgreSQL would find.
            Field::Week | Field::WeekOfMonth => return None,
            Field::DayOfYear => number(text, 3)?,
            Field::SecondOfDay => number(text, 5)?,
            Field::WeekDay | Field::IsoWeekDay | Field::Quarter => number(text, 1)?,
            Field::MonthName | Field::MonthShort => named(&MONTHS, text)?,
            Field::DayName | Field::DayShort => named(&DAYS, text)?,
            Field::Fraction(digits) => {
                let (value, behind) = number(text, digits as usize)?;
                let length = u32::try_from(text.len() - behind.len()).ok()?;
                (value * 10_u32.pow(6_u32.checked_sub(length)?), behind)
            }
            Field::HalfDay { .. } => {
                let (half, behind) = text.split_at_checked(1)?;
                let afternoon = u32::from(half.eq_ignore_ascii_case("p"));
                let end = behind.find(|c: char| !matches!(c, '.' | 'm' | 'M'));
                (afternoon, behind.get(end.unwrap_or(behind.len())..)?)
            }
            Field::Zone | Field::Offset | Field::OffsetHours => return self.zone(field, text),
            _ => number(text, 2)?,
        };
        match field {
            Field::Year(digits) => self.year = Some(year(value, digits)?),
            Field::WeekYear(digits) => self.week_year = Some(year(value, digits)?),
            Field::IsoWeek => self.week = Some(value),
            Field::IsoWeekDay => self.week_day = Some(u8::try_from(value.checked_sub(1)?).ok()?),
            Field::Month => self.month = Some(value),
            Field::MonthName | Field::MonthShort => self.month = Some(value + 1),
            Field::Day => self.day = Some(value),
            Field::DayOfYear => self.day_of_year = Some(value),
            Field::Hour | Field::HalfDayHour => self.hour = value,
            Field::HalfDay { .. } => self.is_afternoon = Some(value == 1),
            Field::Minute => self.minute = value,
            Field::Second => self.second = value,
            Field::SecondOfDay => self.second_of_day = Some(value),
            Field::Fraction(_) => self.micros = value,
            Field::OffsetMinutes => {
                let minutes = i32::try_from(value).ok()?;
                self.offset_minutes += minutes * if self.offset_minutes < 0 { -1 } else { 1 };
            }
            // Told by the rest.
            _ => {}
        }
        Some(behind)
    }

    /// `+02`, `-05:30`, `Z`, `UTC`.
    fn zone<'a>(&mut self, field: Field, text: &'a str) -> Option<&'a str> {
        let (sign, rest) = match text.split_at_checked(1) {
            Some(("+", rest)) => (1, rest),
            Some(("-", rest)) => (-1, rest),
            _ => {
                let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
                let (name, behind) = text.split_at_checked(end)?;
                let is_utc = ["Z", "UTC", "GMT"].iter().any(|of| name.eq_ignore_ascii_case(of));
                return is_utc.then_some(behind);
            }
        };
        let (hours, mut behind) = number(rest, 2)?;
        let mut minutes = 0;
        if field != Field::OffsetHours
            && let Some((found, rest)) = number(behind.strip_prefix(':').unwrap_or(behind), 2)
        {
            (minutes, behind) = (found, rest);
        }
        self.offset_minutes = sign * i32::try_from(hours * 60 + minutes).ok()?;
        Some(behind)
    }

    fn time(self) -> Option<i64> {
        let year = self.year.unwrap_or(1);
        let day = match (self.week_year, self.day_of_year) {
            (Some(year), _) => {
                let day = Weekday::try_from(self.week_day.unwrap_or(0)).ok()?;
                NaiveDate::from_isoywd_opt(year, self.week.unwrap_or(1), day)?
            }
            (None, Some(day)) => NaiveDate::from_yo_opt(year, day)?,
            (None, None) => {
                NaiveDate::from_ymd_opt(year, self.month.unwrap_or(1), self.day.unwrap_or(1))?
            }
        };
        let hour = match self.is_afternoon {
            Some(is_afternoon) if (1..=12).contains(&self.hour) => {
                self.hour % 12 + if is_afternoon { 12 } else { 0 }
            }
            Some(_) => return None,
            None => self.hour,
        };
        let seconds = match self.second_of_day {
            Some(seconds) => i64::from(seconds),
            None if self.minute < 60 && self.second <= 60 && hour <= 24 => {
                i64::from(hour) * 3_600 + i64::from(self.minute) * 60 + i64::from(self.second)
            }
            None => return None,
        };
        if seconds > 86_400 {
            return None;
        }
        let local = day.and_time(NaiveTime::MIN).checked_add_signed(TimeDelta::seconds(seconds))?;
        let local = local.checked_add_signed(TimeDelta::microseconds(self.micros.into()))?;
        let offset = FixedOffset::east_opt(self.offset_minutes * 60)?;
        let time: DateTime<FixedOffset> = local.and_local_timezone(offset).single()?;
        Some(time.timestamp_micros())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(template: &str, text: &str) -> Option<String> {
        let us = read(&Pattern::parse(template), text)?;
        Some(DateTime::from_timestamp_micros(us)?.format("%F %T%.6f").to_string())
    }

    #[test]
    fn texts_are_read_as_postgresql_reads_them() {
        for (template, text, expected) in [
            (
                "YYYY-MM-DD HH24:MI:SS.US",
                "2026-03-02 09:00:00.000006",
                "2026-03-02 09:00:00.000006",
            ),
            ("YYYY-MM-DD HH24:MI:SS.MS", "2026-03-02 09:00:00.5", "2026-03-02 09:00:00.500000"),
            ("YYYYMMDDHH24MISS", "20260302235959", "2026-03-02 23:59:59.000000"),
            (
                "DD/Mon/YYYY:HH24:MI:SS TZH",
                "02/Mar/2026:09:00:00 +0200",
                "2026-03-02 07:00:00.000000",
            ),
            ("FMDD Month YY HH12:MI am", "2 march 26 12:30 AM", "2026-03-02 00:30:00.000000"),
            ("YYYY-DDD", "2026-061", "2026-03-02 00:00:00.000000"),
            ("IYYY-IW", "2026-10", "2026-03-02 00:00:00.000000"),
            ("IYYY-IW-ID", "2026-10-7", "2026-03-08 00:00:00.000000"),
            (
                "YYYY-MM-DD\"T\"HH24:MI:SSOF",
                "2026-03-02T09:00:00-05:30",
                "2026-03-02 14:30:00.000000",
            ),
            ("YYYY-MM-DD", "2026/3/2", "2026-03-02 00:00:00.000000"),
        ] {
            assert_eq!(time(template, text).as_deref(), Some(expected), "{template} {text}");
        }
        for (template, text) in [
            ("YYYY-MM-DD", "yesterday"),
            ("YYYY-MM-DD", "2026-13-01"),
            ("HH24:MI", "25:00"),
            ("YYYY-MM-DD", ""),
            ("HH12 AM", "13 PM"),
            ("YYYY-WW", "2026-10"),
            ("IYYY-IW", "2026-54"),
        ] {
            assert_eq!(time(template, text), None, "{template} {text}");
        }
    }
}
