//! Rows by what makes them the same rows when they are produced again.

use arrow::array::{Array as _, AsArray as _, BooleanArray, Int64Array, RecordBatch};
use arrow::compute::{cast, filter_record_batch, min};
use arrow::datatypes::{DataType, Int64Type, TimestampMicrosecondType};
use arrow::error::ArrowError;
use schemas::Table;
use schemas::tables::INCIDENTS;

use crate::point::RowKey;
use crate::progress::{Held, front};

/// Name of the column that orders the rows of a key.
fn key_column(table: &Table, key: RowKey<'_>) -> &'static str {
    match key {
        RowKey::Partition(_) => "topic_offset",
        RowKey::Closed if table.name == INCIDENTS.name => "revision_ts",
        RowKey::Closed => "window_end",
    }
}

/// The keys of rows: positions, or times in microseconds.
fn keys(rows: &RecordBatch, table: &Table, key: RowKey<'_>) -> Option<Int64Array> {
    let keys = rows.column_by_name(key_column(table, key))?;
    Some(match keys.as_primitive_opt::<TimestampMicrosecondType>() {
        Some(times) => times.reinterpret_cast::<Int64Type>(),
        None => keys.as_primitive::<Int64Type>().clone(),
    })
}

/// Which rows stand in front of the place that they name: beginnings of lines that were given up there.
fn are_in_front(rows: &RecordBatch) -> Option<BooleanArray> {
    let index = cast(rows.column_by_name("record_index")?, &DataType::Int64).ok()?;
    let index = index.as_primitive::<Int64Type>();
    min(index).filter(|least| *least < 0)?;
    Some(index.iter().map(|index| Some(index.is_some_and(|index| index < 0))).collect())
}

/// The least key of rows.
pub(crate) fn least(rows: &RecordBatch, table: &Table, key: RowKey<'_>) -> Option<i64> {
    min(&keys(rows, table, key)?)
}

/// The last place in front of which one of the rows of a partition stands.
pub(crate) fn last_front(rows: &RecordBatch, table: &Table, partition: &str) -> Option<i64> {
    let are_in_front = are_in_front(rows)?;
    let keys = keys(rows, table, RowKey::Partition(partition))?;
    keys.iter()
        .zip(&are_in_front)
        .filter_map(|(place, is_in_front)| place.filter(|_| is_in_front == Some(true)))
        .max()
}

/// The rows that a table does not hold yet; `None` when these are all rows.
pub(crate) fn fresh(
    rows: &RecordBatch,
    table: &Table,
    key: RowKey<'_>,
    held: &Held,
) -> Result<Option<RecordBatch>, ArrowError> {
    let Some(first) = held.first_new(key) else { return Ok(None) };
    let Some(keys) = keys(rows, table, key) else { return Ok(None) };
    let least = min(&keys);
    let are_in_front = match key {
        RowKey::Partition(partition) if held.positions.get(&front(partition)) == Some(&first) => {
            are_in_front(rows)
        }
        _ => None,
    };
    if least.is_none_or(|least| least >= first) && are_in_front.is_none() {
        return Ok(None);
    }
    let is_fresh = |row: usize| {
        let is_in_front = are_in_front.as_ref().is_some_and(|those| those.value(row));
        keys.is_null(row) || keys.value(row) > first || (keys.value(row) == first && !is_in_front)
    };
    let are_fresh: BooleanArray = (0..keys.len()).map(|row| Some(is_fresh(row))).collect();
    filter_record_batch(rows, &are_fresh).map(Some)
}
