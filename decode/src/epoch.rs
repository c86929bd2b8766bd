//! Numbers since 1970, and the unit of those that do not say theirs.

use super::numbers::is_digits;
use super::record::Unit;
use super::time::{count_digits, fraction_us, number};

/// From which number of seconds on one can be a time: 2001, since when they have ten digits. One that lost its first digit,
/// a year, a day or a duration have fewer.
const EPOCH_S_MIN: i64 = 1_000_000_000;

/// No time is behind this number of seconds: 2200.
const EPOCH_S_MAX: i64 = 7_258_118_400;

const _: () = assert!(EPOCH_S_MAX < EPOCH_S_MIN * 1_000, "seconds are no milliseconds, and so on");

/// The unit of a number since the epoch that does not say: the one in which it is a time of a log. None is where it is another
/// number, such as a date, `20240501120000`.
const fn unit_of_epoch(value: i64) -> Option<Unit> {
    Some(match value {
        EPOCH_S_MIN..=EPOCH_S_MAX => Unit::Seconds,
        _ if value >= EPOCH_S_MIN * 1_000 && value <= EPOCH_S_MAX * 1_000 => Unit::Millis,
        _ if value >= EPOCH_S_MIN * 1_000_000 && value <= EPOCH_S_MAX * 1_000_000 => Unit::Micros,
        _ if value >= EPOCH_S_MIN * 1_000_000_000 && value <= EPOCH_S_MAX * 1_000_000_000 => {
            Unit::Nanos
        }
        _ => return None,
    })
}

/// The digits of a number with an exponent, `1.714564800123E9`, as Java writes large ones.
pub(super) fn written_out(bytes: &[u8]) -> Option<String> {
    let (mantissa, exponent) = std::str::from_utf8(bytes).ok()?.split_once(['e', 'E'])?;
    let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
    let (whole, fraction) = mantissa.split_once('.')?;
    let places: usize = exponent.parse().ok().filter(|places| *places <= EXPONENT_MAX)?;
    if !is_digits(whole) || !is_digits(fraction) || !is_digits(exponent) {
        return None;
    }
    let digits = format!("{whole}{fraction:0<places$}");
    let (whole, fraction) = digits.split_at_checked(whole.len() + places)?;
    Some(if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") })
}

/// Of nanoseconds since 1970.
const EXPONENT_MAX: usize = 18;

/// A number since the epoch, in its unit or, with [`Unit::Auto`], that of [`unit_of_epoch`].
#[inline]
pub(super) fn parse_epoch(bytes: &[u8], unit: Unit) -> Option<i64> {
    let whole = count_digits(bytes);
    if whole == 0 {
        return None;
    }
    let (digits, rest) = bytes.split_at(whole);
    let value = number(digits)?;
    let unit = match unit {
        Unit::DayFirst | Unit::MonthFirst => return None,
        Unit::Auto => unit_of_epoch(value)?,
        given => given,
    };
    let (fraction_millionths, rest) = fraction_us(rest)?;
    if !rest.is_empty() {
        return None;
    }
    let us = match unit {
        Unit::Auto | Unit::Seconds => {
            value.checked_mul(1_000_000)?.checked_add(fraction_millionths)?
        }
        Unit::Millis => value.checked_mul(1_000)?.checked_add(fraction_millionths / 1_000)?,
        Unit::Micros => value,
        Unit::Nanos => value / 1_000,
        Unit::DayFirst | Unit::MonthFirst => return None,
    };
    (us >= EPOCH_S_MIN * 1_000_000).then_some(us)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_a_time_in_one_unit_or_in_none() {
        for (text, expected) in [
            ("1714564800", Some(1_714_564_800_000_000)),
            ("1714564800.5", Some(1_714_564_800_500_000)),
            ("1714564800123", Some(1_714_564_800_123_000)),
            ("1714564800123456", Some(1_714_564_800_123_456)),
            ("1714564800123456789", Some(1_714_564_800_123_456)),
            // Dates without anything between their parts, and what is before the web or long after us.
            ("240501120000", None),
            ("20240501", None),
            ("20240501120000", None),
            ("20240501120000123", None),
            ("99999999999", None),
            ("9223372036854775807", None),
            // The first digit is missing.
            ("714564800.123", None),
            ("714564800123", None),
        ] {
            assert_eq!(parse_epoch(text.as_bytes(), Unit::Auto), expected, "{text}");
        }
        for (text, unit) in [("714564800.123", Unit::Seconds), ("171456480.123", Unit::Millis)] {
            assert_eq!(parse_epoch(text.as_bytes(), unit), None, "{text}");
        }
    }

    #[test]
    fn exponents_are_written_out() {
        for (text, digits) in [
            ("1.714564800123E9", Some("1714564800.123")),
            ("1.7145648E9", Some("1714564800")),
            ("1.714564800123e+12", Some("1714564800123")),
            ("1.7E3", Some("1700")),
            ("1e9", None),
            ("1.5E-3", None),
            ("1.5E99", None),
            ("1.5E", None),
            (".5E9", None),
            ("Wed May", None),
        ] {
            assert_eq!(written_out(text.as_bytes()).as_deref(), digits, "{text}");
        }
    }
}
