//! The numbers of a record, and whether what stands in their places is one.

use super::record::{Record, Slot};
use super::time::number;
use super::word;

/// Up to here every whole number is one of 64 bits with a fraction, too: 2⁵³.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// The numbers of a record.
pub(super) struct Numbers {
    pub(super) status: Option<i32>,
    pub(super) request_bytes: Option<i64>,
    pub(super) response_bytes: Option<i64>,
    /// One of them is none.
    pub(super) is_unreadable: bool,
}

impl Numbers {
    #[inline]
    pub(super) fn of(record: &Record<'_>) -> Self {
        let mut is_unreadable = false;
        let mut number = |slot| {
            let text = record.get(slot)?.text;
            let number = count(text).or_else(|| if record.is_text { None } else { whole(text) });
            is_unreadable |= number.is_none() && !is_negative(text);
            number
        };
        let status = number(Slot::Status).and_then(|status| i32::try_from(status).ok());
        let status = status.filter(|status| (100..=999).contains(status));
        let (request_bytes, response_bytes) =
            (number(Slot::RequestBytes), number(Slot::ResponseBytes));
        Self { status, request_bytes, response_bytes, is_unreadable }
    }
}

/// Whether a text is a status.
#[cold]
pub(super) fn is_status(text: &str) -> bool {
    count(text).or_else(|| whole(text)).is_some_and(|status| (100..=999).contains(&status))
}

/// A number without sign.
#[inline]
pub(super) fn count(text: &str) -> Option<i64> {
    // Nearly all.
    let plain = word::number(text.as_bytes()).and_then(|number| i64::try_from(number).ok());
    plain.or_else(|| count_otherwise(text))
}

/// One behind a plus, or with very many digits.
#[cold]
fn count_otherwise(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('+').unwrap_or(text).as_bytes();
    if (1..=19).contains(&digits.len()) { number(digits) } else { None }
}

/// A whole number that is written as another, as writers of JSON do that know one kind of numbers: `200.0`, `2e2`.
#[cold]
fn whole(text: &str) -> Option<i64> {
    let is_other = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+'));
    let number: f64 = text.parse().ok().filter(|_| is_other)?;
    #[expect(clippy::cast_possible_truncation, reason = "a whole number of that range")]
    let whole = number as i64;
    (number.fract() == 0.0 && number <= WHOLE_MAX).then_some(whole)
}

/// The number that a text begins with, a blank behind it: `64500 Name of the network`.
#[cold]
pub(super) fn first_count(text: &str) -> Option<i64> {
    count(text.split(' ').next()?)
}

/// A number below zero: how some say that there is none.
#[cold]
fn is_negative(text: &str) -> bool {
    text.strip_prefix('-').is_some_and(|digits| number(digits.as_bytes()).is_some())
}

/// Whether there is a duration that is no number.
#[inline]
pub(super) fn has_unreadable_duration(record: &Record<'_>) -> bool {
    record.get(Slot::Duration).is_some_and(|duration| !is_negative(duration.text))
}

/// Whether a text is digits and nothing else.
pub(crate) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
