//! Times in words and in the orders of other writers: `Tue 26 Jan 2021 03:12:11 +0000`, `22/Mar/2024 15:11:28`,
//! `01.05.2024 12:00:00,123`, months in the languages that servers run in.
//!
//! What could be read in two ways is not read: of `05/06/2024` nobody knows the month.

use super::numbers::is_digits;
use super::time::{Written, civil_seconds, number, written_offset};

/// Longest text that is looked at.
const TEXT_BYTES_MAX: usize = 64;

/// How the months begin in English, German, French, Spanish, Italian, Portuguese, Dutch, the languages of Scandinavia,
/// Romanian, Hungarian, Polish, Turkish, Finnish and Russian, and their numbers. The longer beginning stands first where one
/// begins with another; one that is another month elsewhere (`lis`, `srp`) is left out.
const MONTHS: &[(&str, i64)] = &[
    ("jan", 1),
    ("ene", 1),
    ("gen", 1),
    ("feb", 2),
    ("fév", 2),
    ("fev", 2),
    ("marras", 11),
    ("mar", 3),
    ("mär", 3),
    ("mrt", 3),
    ("maa", 3),
    ("apr", 4),
    ("avr", 4),
    ("abr", 4),
    ("may", 5),
    ("mai", 5),
    ("mag", 5),
    ("mei", 5),
    ("juin", 6),
    ("jun", 6),
    ("giu", 6),
    ("juil", 7),
    ("jul", 7),
    ("lug", 7),
    ("aug", 8),
    ("aoû", 8),
    ("ago", 8),
    ("sep", 9),
    ("set", 9),
    ("oct", 10),
    ("okt", 10),
    ("ott", 10),
    ("out", 10),
    ("nov", 11),
    ("dec", 12),
    ("déc", 12),
    ("dez", 12),
    ("dic", 12),
    ("des", 12),
    ("maj", 5),
    ("ian", 1),
    ("iun", 6),
    ("iul", 7),
    ("noi", 11),
    ("már", 3),
    ("ápr", 4),
    ("máj", 5),
    ("jún", 6),
    ("júl", 7),
    ("szept", 9),
    ("sty", 1),
    ("lut", 2),
    ("kwi", 4),
    ("cze", 6),
    ("lip", 7),
    ("sie", 8),
    ("wrz", 9),
    ("paź", 10),
    ("gru", 12),
    ("oca", 1),
    ("şub", 2),
    ("nis", 4),
    ("haz", 6),
    ("tem", 7),
    ("ağu", 8),
    ("eyl", 9),
    ("eki", 10),
    ("kas", 11),
    ("ara", 12),
    ("tammi", 1),
    ("helmi", 2),
    ("huhti", 4),
    ("touko", 5),
    ("kesä", 6),
    ("heinä", 7),
    ("elo", 8),
    ("syys", 9),
    ("loka", 10),
    ("joulu", 12),
    ("янв", 1),
    ("фев", 2),
    ("мар", 3),
    ("апр", 4),
    ("май", 5),
    ("мая", 5),
    ("июн", 6),
    ("июл", 7),
    ("авг", 8),
    ("сен", 9),
    ("окт", 10),
    ("ноя", 11),
    ("дек", 12),
];

/// Names of zones and their hours east: RFC 2822 §4.3, and those of Europe and Japan that no other zone shares.
const ZONES: [(&str, i64); 19] = [
    ("UTC", 0),
    ("GMT", 0),
    ("Z", 0),
    ("EST", -5),
    ("EDT", -4),
    ("CST", -6),
    ("CDT", -5),
    ("MST", -7),
    ("MDT", -6),
    ("PST", -8),
    ("PDT", -7),
    ("WET", 0),
    ("WEST", 1),
    ("CET", 1),
    ("CEST", 2),
    ("EET", 2),
    ("EEST", 3),
    ("MSK", 3),
    ("JST", 9),
];

/// How the days of the week begin in English.
const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Seconds on the clock, microseconds, and what the text says of its zone.
#[cold]
pub(super) fn parse(text: &[u8]) -> Option<(i64, i64, Written)> {
    let text = std::str::from_utf8(text).ok()?.trim();
    if text.len() > TEXT_BYTES_MAX {
        return None;
    }
    if let Some(compact) = compact(text) {
        return Some(compact);
    }
    let text = without_zone_name(text);
    if let Some(minute) = of_minute(text) {
        return Some(minute);
    }
    let (date, clock) = split(text)?;
    let (time, micros, rest) = read_clock(clock)?;
    let (rest, date) = match date.trim() {
        // `12:00:00 01/May/2024`.
        "" => ("", rest),
        date => (rest, date),
    };
    let (time, rest) = twelve_hours(time, rest)?;
    // `Wed May  1 12:00:00 2024` and `Wed May  1 12:00:00 CEST 2024`.
    let (mut zone, mut year) = (Written::Nothing, None);
    for word in rest.split([' ', ',', '(', ')']).filter(|word| !word.is_empty()) {
        if word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit()) && year.is_none() {
            year = Some(number(word.as_bytes())?);
        } else if zone == Written::Nothing {
            zone = read_zone(word)?;
        } else {
            // `+0200 (CEST)`: the same in words.
            read_zone(word)?;
        }
    }
    Some((civil_seconds(read_date(date, year)?, time)?, micros, zone))
}

/// A time that begins with a date of three numbers, the year last, of two digits or four, in the order of ISO 8601.
#[cold]
pub(super) fn year_first(text: &[u8], is_day_first: bool) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?.trim_start();
    let mut parts = text.splitn(3, ['/', '-', '.']);
    let (first, second, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let (day, month) = if is_day_first { (first, second) } else { (second, first) };
    let end = rest.find(|c: char| !c.is_ascii_digit())?;
    let (year, behind) = rest.split_at_checked(end)?;
    let of =
        |text: &str, count: usize| if text.len() <= count { number(text.as_bytes()) } else { None };
    let (day, month) = (of(day.trim_start(), 2)?, of(month.trim_start(), 2)?);
    // As POSIX has it of `%y`.
    let year = match (year.len(), of(year, 4)?) {
        (2, year @ 69..) => 1900 + year,
        (2, year) => 2000 + year,
        (4, year) => year,
        _ => return None,
    };
    Some(format!("{year:04}-{month:02}-{day:02} {}", behind.get(1..)?))
}

/// Without the name of the zone that Java writes behind its offset: `2024-05-01T14:00:00+02:00[Europe/Berlin]`.
fn without_zone_name(text: &str) -> &str {
    let found = text.strip_suffix(']').and_then(|text| text.split_once('['));
    found.map_or(text, |(time, _)| time)
}

/// A time of ISO 8601 without seconds, as Java writes one where they are zero: `2024-05-01T12:00Z`.
fn of_minute(text: &str) -> Option<(i64, i64, Written)> {
    let (minute, zone) = text.split_at_checked("2024-05-01T12:00".len())?;
    let (date, clock) = minute.split_once('T').filter(|_| !zone.starts_with(':'))?;
    let (time, micros, _) = read_clock(&format!("{clock}:00"))?;
    Some((civil_seconds(read_date(date, None)?, time)?, micros, written_offset(zone.as_bytes())?))
}

/// ISO 8601, basic format: `20240501T120000.123Z`, also without the `T`, and then with milliseconds right behind.
fn compact(text: &str) -> Option<(i64, i64, Written)> {
    let digits = |range: std::ops::Range<usize>, text: &str| {
        let part = text.get(range)?;
        if part.bytes().all(|byte| byte.is_ascii_digit()) { number(part.as_bytes()) } else { None }
    };
    let (date, rest) = text.split_at_checked(8)?;
    let clock = rest.strip_prefix(['T', ' ', '-']).unwrap_or(rest);
    let (clock, rest) = clock.split_at_checked(6)?;
    let date = (digits(0..4, date)?, digits(4..6, date)?, digits(6..8, date)?);
    let time = (digits(0..2, clock)?, digits(2..4, clock)?, digits(4..6, clock)?);
    let is_glued = rest.len() == 3 && text.len() == "20240501120000123".len();
    let (micros, rest) = match rest.strip_prefix(['.', ',']).or(is_glued.then_some(rest)) {
        Some(fraction) => {
            let count = fraction.bytes().take_while(u8::is_ascii_digit).count();
            let (fraction, rest) = fraction.split_at(count);
            let kept = fraction.get(..6).unwrap_or(fraction);
            let scale = 10_i64.checked_pow(u32::try_from(6 - kept.len()).ok()?)?;
            (number(kept.as_bytes())? * scale, rest)
        }
        None => (0, rest),
    };
    Some((civil_seconds(date, time)?, micros, written_offset(rest.as_bytes())?))
}

/// The date and the time of day, which begins with two digits and a colon and has one more. The day may have a colon behind it,
/// too: `2024/05/01:12:00:00`.
fn split(text: &str) -> Option<(&str, &str)> {
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let starts = |at: usize| {
        let colon = if is_digit(at + 1) { at + 2 } else { at + 1 };
        let is_start = at == 0 || !is_digit(at - 1);
        is_start
            && is_digit(at)
            && bytes.get(colon) == Some(&b':')
            && is_digit(colon + 1)
            && is_digit(colon + 2)
            && bytes.get(colon + 3) == Some(&b':')
    };
    // Two digits behind a time of day are none of its fraction.
    let is_day = |at: usize| {
        let behind = bytes.get(at + 8) == Some(&b':') && is_digit(at + 9) && is_digit(at + 10);
        behind && !is_digit(at + 11)
    };
    let at = (0..bytes.len()).find(|at| starts(*at) && !is_day(*at))?;
    let date = text.get(..at)?;
    let date = date.strip_suffix([':', 'T', '-', '_', '/']).unwrap_or(date);
    Some((date.trim_end_matches(','), text.get(at..)?))
}

/// Hour, minute and second, microseconds, and the rest.
fn read_clock(text: &str) -> Option<((i64, i64, i64), i64, &str)> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut rest = text;
    let mut numbers = [0; 3];
    for (index, value) in numbers.iter_mut().enumerate() {
        if index > 0 {
            rest = rest.strip_prefix(':')?;
        }
        let (number_text, tail) = rest.split_at(digits(rest));
        if number_text.is_empty() || number_text.len() > 2 {
            return None;
        }
        (*value, rest) = (number(number_text.as_bytes())?, tail);
    }
    let [hour, minute, second] = numbers;
    let mut micros = 0;
    if let Some(fraction) = rest.strip_prefix(['.', ',', ':'])
        && let count @ 1.. = digits(fraction)
    {
        let (fraction, tail) = fraction.split_at(count);
        let kept = fraction.get(..6).unwrap_or(fraction);
        let scale = 10_i64.checked_pow(u32::try_from(6 - kept.len()).ok()?)?;
        (micros, rest) = (number(kept.as_bytes())? * scale, tail);
    }
    Some(((hour, minute, second), micros, rest))
}

/// `03:12:11 PM`.
fn twelve_hours(
    (hour, minute, second): (i64, i64, i64),
    rest: &str,
) -> Option<((i64, i64, i64), &str)> {
    let trimmed = rest.trim_start();
    let is_half =
        |half: &str| trimmed.get(..2).is_some_and(|start| start.eq_ignore_ascii_case(half));
    let (hour, rest) = match (is_half("am"), is_half("pm")) {
        (false, false) => return Some(((hour, minute, second), rest)),
        _ if !(1..=12).contains(&hour) => return None,
        (true, _) => (hour % 12, trimmed.get(2..)?),
        (false, true) => (hour % 12 + 12, trimmed.get(2..)?),
    };
    Some(((hour, minute, second), rest))
}

fn read_zone(word: &str) -> Option<Written> {
    if let Some((_, hours)) = ZONES.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)) {
        return Some(Written::East(hours * 3_600));
    }
    written_offset(word.as_bytes())
}

/// Year, month and day.
fn read_date(text: &str, year_behind: Option<i64>) -> Option<(i64, i64, i64)> {
    let words = text.split([' ', '/', '-', '.', ',']).filter(|word| !word.is_empty());
    let (mut numbers, mut month) = (Vec::new(), None);
    for word in words {
        if word.bytes().all(|byte| byte.is_ascii_digit()) {
            numbers.push((word.len(), number(word.as_bytes())?));
        } else if let Some(found) = month_of(word) {
            if month.replace(found).is_some() {
                return None;
            }
        } else if !is_weekday(word) {
            return None;
        }
    }
    match (month, year_behind, &*numbers) {
        (Some(month), None, [(1 | 2, day), (4, year)] | [(4, year), (1 | 2, day)]) => {
            Some((*year, month, *day))
        }
        (Some(month), Some(year), [(1 | 2, day)]) => Some((year, month, *day)),
        (None, None, [(4, year), (1 | 2, month), (1 | 2, day)]) => Some((*year, *month, *day)),
        // With dots the day comes first (DIN 5008); with others only where it can be no month.
        (None, None, [(1 | 2, first), (1 | 2, second), (4, year)]) => {
            if text.contains('.') || *first > 12 || first == second {
                Some((*year, *second, *first))
            } else if *second > 12 {
                Some((*year, *first, *second))
            } else {
                None
            }
        }
        _ => None,
    }
}

fn month_of(word: &str) -> Option<i64> {
    let lower = word.to_lowercase();
    MONTHS.iter().find(|(start, _)| lower.starts_with(start)).map(|(_, month)| *month)
}

fn is_weekday(word: &str) -> bool {
    let start = word.get(..3).unwrap_or_default();
    WEEKDAYS.iter().any(|day| day.eq_ignore_ascii_case(start))
}

/// A time whose thousandths or millionths stand behind a blank, as Apache's `%{sec}t %{usec_frac}t` writes it, with a point
/// for the blank.
#[cold]
pub(super) fn with_fraction_joined(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let is_fraction = |rest: &str| {
        let digits = rest.split(' ').next().unwrap_or_default();
        matches!(digits.len(), 3 | 6) && is_digits(digits)
    };
    let is_behind_seconds = |before: &str| {
        let ends_clock = before.as_bytes().last_chunk();
        is_digits(before)
            || ends_clock.is_some_and(|[colon, end @ ..]: &[u8; 3]| {
                *colon == b':' && end.iter().all(u8::is_ascii_digit)
            })
    };
    let mut blanks = text.match_indices(' ').map(|(at, _)| text.split_at(at));
    let (before, rest) = blanks.find_map(|(before, rest)| {
        let rest = rest.strip_prefix(' ').filter(|rest| is_fraction(rest))?;
        is_behind_seconds(before).then_some((before, rest))
    })?;
    Some(format!("{before}.{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_words() {
        let noon = 1_714_564_800;
        for (text, seconds, micros) in [
            ("Wed 01 May 2024 12:00:00 +0000", noon, 0),
            ("Wed May  1 12:00:00 2024", noon, 0),
            ("Wed May  1 14:00:00.5 CEST 2024", noon + 7_200, 500_000),
            ("Wed, 01 May 2024 12:00:00 GMT", noon, 0),
            ("01/May/2024 12:00:00", noon, 0),
            ("01/Mai/2024:12:00:00 +0000", noon, 0),
            ("01/мая/2024:12:00:00 +0000", noon, 0),
            ("01/maj/2024:12:00:00 +0000", noon, 0),
            ("Wednesday, 01-May-2024 12:00:00 GMT", noon, 0),
            ("1-may-2024 12:00:00,123", noon, 123_000),
            ("01/May/2024:12:00:00:123 +0000", noon, 123_000),
            ("01.05.2024 12:00:00", noon, 0),
            ("May 1, 2024 12:00:00 PM", noon, 0),
            ("2024.05.01 12:00:00", noon, 0),
            ("31/05/2024 12:00:00", noon + 30 * 86_400, 0),
            ("05/31/2024 12:00:00", noon + 30 * 86_400, 0),
        ] {
            let (found, fraction, _) = parse(text.as_bytes()).expect(text);
            assert_eq!((found, fraction), (seconds, micros), "{text}");
        }
    }

    #[test]
    fn what_could_be_two_times_is_none() {
        for text in [
            "05/06/2024 12:00:00",
            "May 1 12:00:00",
            "01/May/24 12:00:00",
            "01/May/2024",
            "12:00:00",
            "01/May/2024:12:00:00 - - [02/May/2024:12:00:00",
            "01/May/2024:12:00:00192.0.2.1",
            "01/Foo/2024:12:00:00",
            "32/May/2024 12:00:00",
            "13:00:00 PM 01/May/2024",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }
}
