//! Cutting batches by UTC day: the `date` partition of a row.

use arrow::array::{AsArray as _, RecordBatch, TimestampMicrosecondArray, UInt32Array};
use arrow::compute::{self, concat_batches, take_record_batch};
use arrow::datatypes::TimestampMicrosecondType;
use arrow::error::ArrowError;
use chrono::{Datelike as _, NaiveDate};

/// Microseconds of a day.
const DAY_US: i64 = 86_400_000_000;

/// 0001-01-01 and 9999-12-31, in days since 1970: readers disagree about dates beyond.
const DAYS: std::ops::RangeInclusive<i64> = -719_162..=2_932_896;

/// A UTC day, in days since 1970; times beyond the years 1 to 9999 belong to the nearest day within.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day(i32);

impl Day {
    pub(crate) fn of(time_us: i64) -> Self {
        let days = time_us.div_euclid(DAY_US).clamp(*DAYS.start(), *DAYS.end());
        Self(i32::try_from(days).unwrap_or_default())
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        /// Days from 0001-01-01 to 1970-01-01, plus one: `chrono` counts from 1.
        const UNIX_EPOCH: i32 = 719_163;
        let date = NaiveDate::from_num_days_from_ce_opt(self.0 + UNIX_EPOCH).unwrap_or_default();
        write!(f, "{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
    }
}

/// The day of all rows, when they share one.
pub(crate) fn single_day(times: &TimestampMicrosecondArray) -> Option<Day> {
    let first = Day::of(compute::min::<TimestampMicrosecondType>(times)?);
    let last = Day::of(compute::max::<TimestampMicrosecondType>(times)?);
    (first == last).then_some(first)
}

/// Rows of `batches` sorted by day (stable), cut into one batch a day; `time` is the index of the time column.
pub(crate) fn split(
    batches: &[RecordBatch],
    time: usize,
) -> Result<Vec<(Day, RecordBatch)>, ArrowError> {
    let Some(first) = batches.first() else { return Ok(Vec::new()) };
    let rows = concat_batches(first.schema_ref(), batches)?;
    let times = rows.column(time).as_primitive::<TimestampMicrosecondType>().values();
    let mut order: Vec<(Day, u32)> = times.iter().map(|time| Day::of(*time)).zip(0..).collect();
    order.sort_by_key(|(day, _)| *day);
    let indices: UInt32Array = order.iter().map(|(_, row)| *row).collect();
    let sorted = take_record_batch(&rows, &indices)?;
    let mut parts = Vec::new();
    let mut start = 0;
    for run in order.chunk_by(|(a, _), (b, _)| a == b) {
        if let Some((day, _)) = run.first() {
            parts.push((*day, sorted.slice(start, run.len())));
        }
        start += run.len();
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::{DataType, Field, Schema, TimeUnit};

    use super::*;

    fn batch(times: &[i64]) -> RecordBatch {
        let field = Field::new("ts", DataType::Timestamp(TimeUnit::Microsecond, None), false);
        let times = TimestampMicrosecondArray::from(times.to_vec());
        RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![Arc::new(times)]).unwrap()
    }

    #[test]
    fn days_have_four_digits_of_year_whatever_the_time() {
        assert_eq!(Day::of(0).to_string(), "1970-01-01");
        assert_eq!(Day::of(-1).to_string(), "1969-12-31");
        assert_eq!(Day::of(1_767_225_599_999_999).to_string(), "2025-12-31");
        assert_eq!(Day::of(i64::MAX).to_string(), "9999-12-31");
        assert_eq!(Day::of(i64::MIN).to_string(), "0001-01-01");
    }

    #[test]
    fn rows_keep_their_order_within_a_day() {
        let batches = [batch(&[DAY_US + 2, 5, DAY_US + 1]), batch(&[4, DAY_US])];
        let parts: Vec<_> = split(&batches, 0)
            .unwrap()
            .into_iter()
            .map(|(day, rows)| {
                let times = rows.column(0).as_primitive::<TimestampMicrosecondType>();
                format!("{day} {:?}", times.values().iter().map(|t| t % DAY_US).collect::<Vec<_>>())
            })
            .collect();
        assert_eq!(parts, ["1970-01-01 [5, 4]", "1970-01-02 [2, 1, 0]"]);
    }

    #[test]
    fn one_day_is_recognised() {
        let times = |times: &[i64]| single_day(&TimestampMicrosecondArray::from(times.to_vec()));
        assert_eq!(times(&[3, 1, 2]), Some(Day::of(0)));
        assert_eq!(times(&[0, DAY_US]), None);
        assert_eq!(times(&[]), None);
    }
}
