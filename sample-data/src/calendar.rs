//! Dates in the proleptic Gregorian calendar, UTC.

use crate::text::{push_fixed, push_text};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A point in time taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Parts {
    year: u64,
    month: u64,
    day: u64,
    second_of_day: u64,
    micros: u64,
}

/// Year, month and day from days since 1970 (Hinnant, "chrono-compatible low-level date algorithms").
fn parts(us: i64) -> Parts {
    let days = us.div_euclid(86_400_000_000) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let of_day = us.rem_euclid(86_400_000_000);
    Parts {
        year: year.unsigned_abs(),
        month: month.unsigned_abs(),
        day: (day_of_year - (153 * shifted + 2) / 5 + 1).unsigned_abs(),
        second_of_day: of_day.unsigned_abs() / 1_000_000,
        micros: of_day.unsigned_abs() % 1_000_000,
    }
}

fn push_clock(line: &mut Vec<u8>, second_of_day: u64) {
    push_fixed(line, second_of_day / 3_600, 2);
    line.push(b':');
    push_fixed(line, second_of_day / 60 % 60, 2);
    line.push(b':');
    push_fixed(line, second_of_day % 60, 2);
}

/// `2026-03-02T09:00:00` and then `.` with `digits` digits (0, 3 or 6) of the second.
pub(crate) fn push_iso(line: &mut Vec<u8>, us: i64, digits: usize) {
    let parts = parts(us);
    push_fixed(line, parts.year, 4);
    line.push(b'-');
    push_fixed(line, parts.month, 2);
    line.push(b'-');
    push_fixed(line, parts.day, 2);
    line.push(b'T');
    push_clock(line, parts.second_of_day);
    match digits {
        0 => {}
        3 => {
            line.push(b'.');
            push_fixed(line, parts.micros / 1_000, 3);
        }
        _ => {
            line.push(b'.');
            push_fixed(line, parts.micros, 6);
        }
    }
}

/// `02/Mar/2026:09:00:00 +0000`
pub(crate) fn push_common(line: &mut Vec<u8>, us: i64) {
    let parts = parts(us);
    push_fixed(line, parts.day, 2);
    line.push(b'/');
    let month = usize::try_from(parts.month).unwrap_or(1).clamp(1, 12);
    push_text(line, MONTHS[month - 1]);
    line.push(b'/');
    push_fixed(line, parts.year, 4);
    line.push(b':');
    push_clock(line, parts.second_of_day);
    push_text(line, " +0000");
}

/// RFC 3339 with microseconds.
pub(crate) fn rfc3339(us: i64) -> String {
    let mut line = Vec::new();
    push_iso(&mut line, us, 6);
    line.push(b'Z');
    String::from_utf8_lossy(&line).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_named_right() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(rfc3339(crate::config::START_US), "2026-03-02T09:00:00.000000Z");
        // `date -u -d @951827696 --rfc-3339=seconds`
        assert_eq!(rfc3339(951_827_696_000_001), "2000-02-29T12:34:56.000001Z");
        assert_eq!(rfc3339(4_107_542_399_999_999), "2100-02-28T23:59:59.999999Z");
        let mut line = Vec::new();
        push_common(&mut line, 951_827_696_000_000);
        assert_eq!(line, b"29/Feb/2000:12:34:56 +0000");
    }
}
