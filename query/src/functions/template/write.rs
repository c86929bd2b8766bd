//! A time as a template says.

use std::fmt::Write as _;

use arrow::array::timezone::Tz;
use chrono::{DateTime, Datelike as _, Offset as _, Timelike as _};

use super::pattern::{Case, Field, Part, Pattern};

/// Names of months, January first.
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Names of days, Sunday first.
pub(super) const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// Letters of a name that is shortened.
pub(super) const SHORT: usize = 3;

/// Letters to which a whole name is filled up with blanks.
const NAME_WIDTH: usize = 9;

/// Appends `time`, whose zone is called `zone`.
pub(super) fn write(pattern: &Pattern, time: &DateTime<Tz>, zone: &str, out: &mut String) {
    for part in &pattern.parts {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Field { field, case, is_bare } => one(*field, *case, *is_bare, (time, zone), out),
        }
    }
}

fn one(
    field: Field,
    case: Case,
    is_bare: bool,
    (time, zone): (&DateTime<Tz>, &str),
    out: &mut String,
) {
    let mut number = |value: i64, width: usize| {
        let width = if is_bare { 0 } else { width };
        // To memory.
        let _ = write!(out, "{value:0width$}");
    };
    let (year, ordinal) = (i64::from(time.year()), i64::from(time.ordinal0()));
    let week = time.iso_week();
    let offset_minutes = time.offset().fix().local_minus_utc() / 60;
    match field {
        Field::Year(digits) => number(last_digits(year, digits), width(digits)),
        Field::WeekYear(digits) => {
            number(last_digits(week.year().into(), digits), width(digits));
        }
        Field::Month => number(time.month().into(), 2),
        Field::Week => number(ordinal / 7 + 1, 2),
        Field::IsoWeek => number(week.week().into(), 2),
        Field::WeekOfMonth => number((i64::from(time.day0())) / 7 + 1, 1),
        Field::DayOfYear => number(ordinal + 1, 3),
        Field::Day => number(time.day().into(), 2),
        Field::WeekDay => number(i64::from(time.weekday().num_days_from_sunday()) + 1, 1),
        Field::IsoWeekDay => number(time.weekday().number_from_monday().into(), 1),
        Field::Quarter => number(i64::from(time.month0()) / 3 + 1, 1),
        Field::Hour => number(time.hour().into(), 2),
        Field::HalfDayHour => number(time.hour12().1.into(), 2),
        Field::Minute => number(time.minute().into(), 2),
        Field::Second => number(time.second().into(), 2),
        Field::SecondOfDay => number(time.num_seconds_from_midnight().into(), 1),
        Field::Fraction(digits) => {
            let micros = i64::from(time.nanosecond() / 1_000).min(999_999);
            number(micros / 10_i64.pow(6 - digits), width(digits));
        }
        Field::MonthName => name(MONTHS.get(time.month0() as usize), case, is_bare, out),
        Field::DayName => name(DAYS.get(day(time)), case, is_bare, out),
        Field::MonthShort => case.write(short(MONTHS.get(time.month0() as usize)), out),
        Field::DayShort => case.write(short(DAYS.get(day(time))), out),
        Field::HalfDay { has_stops } => {
            let half = match (time.hour12().0, has_stops) {
                (false, false) => "AM",
                (false, true) => "A.M.",
                (true, false) => "PM",
                (true, true) => "P.M.",
            };
            Case::write(if case == Case::Lower { case } else { Case::Upper }, half, out);
        }
        Field::Zone => case.write(zone, out),
        Field::OffsetHours => {
            let _ = write!(out, "{:+03}", offset_minutes / 60);
        }
        Field::OffsetMinutes => number(i64::from(offset_minutes % 60).abs(), 2),
        Field::Offset => {
            let _ = write!(out, "{:+03}", offset_minutes / 60);
            if offset_minutes % 60 != 0 {
                let _ = write!(out, ":{:02}", (offset_minutes % 60).abs());
            }
        }
    }
}

fn day(time: &DateTime<Tz>) -> usize {
    time.weekday().num_days_from_sunday() as usize
}

const fn width(digits: u32) -> usize {
    digits as usize
}

/// The last digits of a year; all of it where four are asked for.
fn last_digits(year: i64, digits: u32) -> i64 {
    if digits < 4 { year.rem_euclid(10_i64.pow(digits)) } else { year }
}

fn short(name: Option<&&'static str>) -> &'static str {
    name.and_then(|name| name.get(..SHORT)).unwrap_or_default()
}

fn name(name: Option<&&'static str>, case: Case, is_bare: bool, out: &mut String) {
    let name = name.copied().unwrap_or_default();
    case.write(name, out);
    if !is_bare {
        out.extend(std::iter::repeat_n(' ', NAME_WIDTH.saturating_sub(name.len())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_postgresql_writes_them() {
        let written = |template: &str, us: i64, zone: &str| {
            let time = arrow::temporal_conversions::as_datetime_with_timezone::<
                arrow::datatypes::TimestampMicrosecondType,
            >(us, zone.parse().unwrap());
            let mut out = String::new();
            write(&Pattern::parse(template), &time.unwrap(), zone, &mut out);
            out
        };
        // Monday, 2026-03-02 09:05:07.006008 UTC, as PostgreSQL 15 writes it.
        let us = 1_772_442_307_006_008;
        for (template, expected) in [
            ("YYYY-MM-DD HH24:MI:SS.US", "2026-03-02 09:05:07.006008"),
            ("YY/FMMM/FMDD HH12:MI:SS.MS AM", "26/3/2 09:05:07.006 AM"),
            ("Day, DD Month YYYY", "Monday   , 02 March     2026"),
            ("FMDay, FMDD FMMonth YYYY", "Monday, 2 March 2026"),
            ("dy MON mon Mon", "mon MAR mar Mar"),
            ("IYYY-IW-ID D DDD Q WW W", "2026-10-1 2 061 1 09 1"),
            ("YYYY\"T\"HH24\"h\" p.m. TZ OF", "2026T09h a.m. UTC +00"),
            ("SSSS FF1", "32707 0"),
        ] {
            assert_eq!(written(template, us, "UTC"), expected, "{template}");
        }
        assert_eq!(written("HH24:MI TZH:TZM OF", us, "Asia/Kathmandu"), "14:50 +05:45 +05:45");
    }
}
