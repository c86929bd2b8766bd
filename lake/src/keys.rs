//! What rows are compared by: their positions, or their times.

use arrow::array::{Array as _, AsArray as _, Int64Array, RecordBatch};
use arrow::compute::{filter_record_batch, kernels::cmp, min};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use schemas::Table;
use schemas::tables::INCIDENTS;

use crate::point::RowKey;

/// Name of the column that orders the rows of a key.
pub(crate) fn key_column(table: &Table, key: RowKey<'_>) -> &'static str {
    match key {
        RowKey::Partition(_) => "topic_offset",
        RowKey::Closed if table.name == INCIDENTS.name => "revision_ts",
        RowKey::Closed => "window_end",
    }
}

/// The keys of rows: positions, or times in microseconds.
fn keys(rows: &RecordBatch, column: &str) -> Option<Int64Array> {
    let keys = rows.column_by_name(column)?;
    Some(match keys.as_primitive_opt::<TimestampMicrosecondType>() {
        Some(times) => times.reinterpret_cast::<Int64Type>(),
        None => keys.as_primitive::<Int64Type>().clone(),
    })
}

/// The least key of rows.
pub(crate) fn least(rows: &RecordBatch, column: &str) -> Option<i64> {
    min(&keys(rows, column)?)
}

/// The rows whose key is `first` or later (or null); `None` when these are all rows.
pub(crate) fn not_before(
    rows: &RecordBatch,
    column: &str,
    first: i64,
) -> Result<Option<RecordBatch>, arrow::error::ArrowError> {
    let Some(keys) = keys(rows, column) else { return Ok(None) };
    if min(&keys).is_none_or(|least| least >= first) {
        return Ok(None);
    }
    let held = cmp::lt(&keys, &Int64Array::new_scalar(first))?;
    let fresh: arrow::array::BooleanArray =
        (0..held.len()).map(|row| Some(held.is_null(row) || !held.value(row))).collect();
    filter_record_batch(rows, &fresh).map(Some)
}
