//! What the log says of files, for the planner.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, UInt64Array};
use datafusion::arrow::datatypes::{DataType, Field, SchemaRef};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::stats::Precision;
use datafusion::common::{Column, ColumnStatistics, ScalarValue, Statistics};
use lake::DataFile;
use serde_json::Value;

use super::dates::{DATE, is_time};

/// Bounds of the values of files, read from the log as far as a predicate asks for them.
pub(super) struct OfFiles<'a> {
    pub(super) files: &'a [Arc<DataFile>],
    pub(super) schema: &'a SchemaRef,
}

impl OfFiles<'_> {
    fn bounds(&self, column: &Column, least: bool) -> Option<ArrayRef> {
        let data_type = self.schema.field_with_name(&column.name).ok()?.data_type();
        let bound = |file: &Arc<DataFile>| {
            if column.name == DATE {
                return date(file);
            }
            let stats = file.stats();
            let bounds = if least { &stats.min_values } else { &stats.max_values };
            bounds.get(&column.name).and_then(|bound| scalar(bound, data_type, least))
        };
        let mut any = false;
        let none = ScalarValue::try_from(data_type).ok()?;
        let bounds = self.files.iter().map(|file| {
            let found = bound(file);
            any |= found.is_some();
            found.unwrap_or_else(|| none.clone())
        });
        let bounds = ScalarValue::iter_to_array(bounds.collect::<Vec<_>>()).ok()?;
        any.then_some(bounds)
    }
}

/// The day of a file.
pub(super) fn date(file: &DataFile) -> Option<ScalarValue> {
    let text = file.date.as_deref()?;
    let date = ScalarValue::try_from_string(text.to_owned(), &DataType::Date32);
    date.ok()
}

/// A bound of the log as a value. Other programs keep thousandths of a second, or the beginning of a text: a bound above
/// may then be below.
fn scalar(bound: &Value, data_type: &DataType, least: bool) -> Option<ScalarValue> {
    match (data_type, bound) {
        (DataType::Utf8View, Value::String(text)) => {
            /// Characters to which other programs cut a text.
            const CUT: usize = 32;
            (least || text.chars().count() < CUT).then(|| ScalarValue::Utf8View(Some(text.clone())))
        }
        (DataType::Timestamp(unit, zone), Value::String(text)) if is_time(data_type) => {
            let micros = ScalarValue::try_from_string(
                text.clone(),
                &DataType::Timestamp(*unit, zone.clone()),
            );
            match micros.ok()? {
                ScalarValue::TimestampMicrosecond(Some(value), zone) => {
                    let value = if least { value } else { value.saturating_add(999) };
                    Some(ScalarValue::TimestampMicrosecond(Some(value), zone))
                }
                _ => None,
            }
        }
        (DataType::Int32, Value::Number(number)) => {
            let value = number.as_i64().and_then(|value| i32::try_from(value).ok())?;
            Some(ScalarValue::Int32(Some(value)))
        }
        (DataType::Int64, Value::Number(number)) => {
            Some(ScalarValue::Int64(Some(number.as_i64()?)))
        }
        _ => None,
    }
}

/// Statistics of all rows of `files` by the log; of single columns where there are `few`.
pub(super) fn of_all(files: &[Arc<DataFile>], schema: &SchemaRef, few: bool) -> Statistics {
    let mut all = Statistics::new_unknown(schema);
    let rows: Option<u64> = files.iter().map(|file| file.rows).sum();
    let rows = rows.and_then(|rows| usize::try_from(rows).ok());
    all.num_rows = rows.map_or(Precision::Absent, Precision::Exact);
    if let (true, Some((first, rest))) = (few, files.split_first()) {
        for (place, of) in schema.fields().iter().zip(&mut all.column_statistics) {
            *of = rest.iter().fold(of_column(first, place), |sum, file| {
                let next = of_column(file, place);
                ColumnStatistics {
                    null_count: sum.null_count.add(&next.null_count),
                    min_value: sum.min_value.min(&next.min_value),
                    max_value: sum.max_value.max(&next.max_value),
                    ..ColumnStatistics::new_unknown()
                }
            });
        }
    }
    all
}

/// Statistics of the rows of one file by the log.
pub(super) fn of_one(file: &DataFile, schema: &SchemaRef) -> Statistics {
    let rows = file.rows.and_then(|rows| usize::try_from(rows).ok());
    let mut of = Statistics::new_unknown(schema);
    of.num_rows = rows.map_or(Precision::Absent, Precision::Exact);
    of.column_statistics = schema.fields().iter().map(|field| of_column(file, field)).collect();
    of
}

/// Characters of a time with microseconds, `2026-01-01T00:00:00.000000Z`.
const MICROSECONDS: usize = 27;

/// What is exactly so: rows without a value, and the least and greatest time where the log has microseconds.
fn of_column(file: &DataFile, field: &Field) -> ColumnStatistics {
    let stats = file.stats();
    let mut of = ColumnStatistics::new_unknown();
    if field.name() == DATE {
        return of;
    }
    if let Some(nulls) = stats.null_count.get(field.name()).and_then(Value::as_u64) {
        of.null_count = usize::try_from(nulls).map_or(Precision::Absent, Precision::Exact);
    }
    let exact = |bounds: &serde_json::Map<String, Value>| {
        let bound = bounds.get(field.name())?;
        let is_exact = is_time(field.data_type()) && bound.as_str()?.len() == MICROSECONDS;
        is_exact.then(|| scalar(bound, field.data_type(), true)).flatten()
    };
    of.min_value = exact(&stats.min_values).map_or(Precision::Absent, Precision::Exact);
    of.max_value = exact(&stats.max_values).map_or(Precision::Absent, Precision::Exact);
    of
}

impl PruningStatistics for OfFiles<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column, true)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(column, false)
    }

    fn num_containers(&self) -> usize {
        self.files.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let counts = self.files.iter().map(|file| {
            if column.name == DATE {
                return file.date.is_some().then_some(0);
            }
            file.stats().null_count.get(&column.name).and_then(Value::as_u64)
        });
        Some(Arc::new(counts.collect::<UInt64Array>()))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        Some(Arc::new(self.files.iter().map(|file| file.rows).collect::<UInt64Array>()))
    }

    fn contained(
        &self,
        _column: &Column,
        _values: &std::collections::HashSet<ScalarValue>,
    ) -> Option<BooleanArray> {
        None
    }
}
