//! When a request was, and how long it took.

use super::duration::duration_us;
use super::record::{Record, Slot};
use super::text::plain;
use super::time::TimeParser;

/// Longest time that a request is believed to take, microseconds: what is longer was counted in another unit.
const DURATION_MAX_US: i64 = 86_400_000_000;

/// Whether a request may take so long.
#[inline]
pub(super) const fn is_believed(duration_us: i64) -> bool {
    duration_us <= DURATION_MAX_US
}

/// The time in a slot, microseconds UTC.
#[expect(clippy::inline_always, reason = "a call for every line")]
#[inline(always)]
pub(super) fn time(
    record: &Record<'_>,
    slot: Slot,
    times: &mut TimeParser,
    scratch: &mut String,
) -> Option<i64> {
    let value = record.get(slot)?;
    times.parse(plain(value, scratch), value.unit)
}

/// The time of formats that log day and time of day apart: W3C's, in UTC.
pub(super) fn date_and_clock(
    record: &Record<'_>,
    times: &mut TimeParser,
    scratch: &mut String,
) -> Option<i64> {
    let (date, clock) = (record.get(Slot::Date)?, record.get(Slot::Clock)?);
    scratch.clear();
    scratch.push_str(date.text);
    scratch.push('T');
    scratch.push_str(clock.text);
    times.parse_utc(scratch)
}

/// The logged duration in microseconds; else the time between end and start, which `span` holds; else a weaker measure such
/// as time to first byte.
pub(super) fn duration(
    record: &Record<'_>,
    span: Option<(i64, i64)>,
    scratch: &mut String,
) -> Option<i64> {
    let logged = record.get(Slot::Duration);
    let span = span.and_then(|(end, start)| end.checked_sub(start)).filter(|us| *us >= 0);
    match (logged, span) {
        (Some(value), Some(span)) if value.rank > 0 => Some(span),
        (Some(value), _) => duration_us(plain(value, scratch), value.unit).or(span),
        (None, span) => span,
    }
}
