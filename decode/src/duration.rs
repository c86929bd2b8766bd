//! Durations, in the units and notations of every format, as microseconds.

use super::numbers::is_digits;
use super::record::Unit;
use super::time::{MICROS, count_digits, fraction_us, number};
use super::word;

/// A duration in microseconds; negative and unreadable ones are `None`.
///
/// `unit` tells the unit of a bare number; a suffix (`ns`, `us`, `µs`, `ms`, `s`) overrules it. Of a list such as
/// nginx's `0.002, 0.010` the first counts.
pub fn duration_us(text: &str, unit: Unit) -> Option<i64> {
    let plain = match text.as_bytes() {
        // `0.004s`, as protobuf writes them.
        [number @ .., b's'] => plain_duration_us(number, Unit::Seconds),
        number => plain_duration_us(number, unit),
    };
    plain.or_else(|| any_duration_us(text, unit))
}

/// A number in its unit, or one of seconds with a fraction: what nearly all lines have.
#[inline]
fn plain_duration_us(text: &[u8], unit: Unit) -> Option<i64> {
    // Those of seconds have a fraction as a rule, others are whole.
    if unit != Unit::Seconds {
        if let Some(whole) = word::number(text) {
            return scaled_whole(i64::try_from(whole).ok()?, unit);
        }
    } else if let Some((digits, behind)) = word::pointed(text)
        && let Some(micros) = MICROS.get(behind)
    {
        return i64::try_from(digits).ok()?.checked_mul(*micros);
    }
    let (whole, rest) = text.split_at_checked(count_digits(text))?;
    let whole = number(whole)?;
    match (unit, rest) {
        (_, []) => scaled_whole(whole, unit),
        (Unit::Auto | Unit::Seconds, [b'.', ..]) => {
            let (micros, rest) = fraction_us(rest)?;
            if rest.is_empty() { whole.checked_mul(1_000_000)?.checked_add(micros) } else { None }
        }
        _ => None,
    }
}

/// A duration with a suffix, in a list, or with a fraction of another unit than seconds.
#[cold]
fn any_duration_us(text: &str, unit: Unit) -> Option<i64> {
    let pointed = with_point(text);
    let text = pointed.as_deref().unwrap_or(text);
    let end = text.bytes().position(|byte| matches!(byte, b',' | b' ')).unwrap_or(text.len());
    // `12.5 ms`.
    let (text, behind) = text.split_at_checked(end)?;
    let unit = unit_named(behind.trim_ascii()).unwrap_or(unit);
    let text = text.strip_prefix('+').unwrap_or(text);
    let end = text.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let (number_text, suffix) = text.split_at_checked(end)?;
    let unit = match unit_named(suffix) {
        Some(named) => named,
        None if suffix.is_empty() => unit,
        // Exponents and the like: rare, so the general parser.
        None => return scaled(text.parse().ok()?, unit),
    };
    let plain = plain_duration_us(number_text.as_bytes(), unit);
    plain.or_else(|| scaled(number_text.parse().ok()?, unit))
}

/// The unit that the text behind a number names.
fn unit_named(text: &str) -> Option<Unit> {
    Some(match text {
        "ns" => Unit::Nanos,
        "us" | "µs" => Unit::Micros,
        "ms" => Unit::Millis,
        "s" => Unit::Seconds,
        _ => return None,
    })
}

/// A number with a comma in the place of its point, as some languages write it: a list has a blank behind each comma, or points
/// in its numbers.
#[cold]
fn with_point(text: &str) -> Option<String> {
    let (whole, fraction) = text.split_once(',')?;
    let is_number = is_digits(whole) && is_digits(fraction);
    is_number.then(|| format!("{whole}.{fraction}"))
}

fn scaled_whole(value: i64, unit: Unit) -> Option<i64> {
    match unit {
        Unit::Auto | Unit::Seconds => value.checked_mul(1_000_000),
        Unit::Millis => value.checked_mul(1_000),
        Unit::Micros => Some(value),
        Unit::Nanos => Some(value / 1_000),
        Unit::DayFirst | Unit::MonthFirst => None,
    }
}

fn scaled(value: f64, unit: Unit) -> Option<i64> {
    let micros = match unit {
        Unit::Auto | Unit::Seconds => value * 1e6,
        Unit::Millis => value * 1e3,
        Unit::Micros => value,
        Unit::Nanos => value / 1e3,
        Unit::DayFirst | Unit::MonthFirst => return None,
    };
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    (0.0..9e18).contains(&micros).then(|| micros.round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, unit, expected) in [
            ("0.113", Unit::Seconds, Some(113_000)),
            ("0.000002701", Unit::Seconds, Some(2)),
            ("12", Unit::Millis, Some(12_000)),
            ("12.5", Unit::Millis, Some(12_500)),
            ("3ms", Unit::Auto, Some(3_000)),
            ("12.5 ms", Unit::Seconds, Some(12_500)),
            ("0.5 s", Unit::Millis, Some(500_000)),
            ("1500", Unit::Nanos, Some(1)),
            ("0.002, 0.010", Unit::Seconds, Some(2_000)),
            ("2.5e-05", Unit::Seconds, Some(25)),
            ("-1", Unit::Millis, None),
            ("-", Unit::Seconds, None),
            ("1.2.3", Unit::Seconds, None),
            ("99999999999999999999", Unit::Seconds, None),
        ] {
            assert_eq!(duration_us(text, unit), expected, "{text}");
        }
    }
}
