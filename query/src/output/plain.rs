//! Rows made presentable: columns that text formats cannot show, turned into ones they can.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray, StringBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::json::WriterBuilder;
use arrow::json::writer::LineDelimited;

use super::escape;

/// Which values stay as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nested {
    /// Lists and structs stay: the format has a way to write them.
    Keep,
    /// Lists and structs become JSON text.
    AsJson,
}

/// The schema of presentable rows: bytes as text, times with their zone, dictionaries unpacked.
pub(super) fn schema(schema: &SchemaRef, nested: Nested) -> SchemaRef {
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .map(|field| Field::new(field.name(), shown_as(field.data_type(), nested), true))
        .collect();
    Arc::new(Schema::new(fields))
}

/// `batch` in the schema that [`schema`] gives.
pub(super) fn rows(
    batch: &RecordBatch,
    schema: &SchemaRef,
    nested: Nested,
) -> Result<RecordBatch, ArrowError> {
    let columns: Result<Vec<ArrayRef>, ArrowError> =
        batch.columns().iter().map(|column| present(column, nested)).collect();
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns?, &options)
}

fn shown_as(data_type: &DataType, nested: Nested) -> DataType {
    match data_type {
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => DataType::Utf8,
        DataType::Timestamp(unit, zone) => {
            let zone = zone.clone().unwrap_or_else(|| schemas::column::UTC.into());
            DataType::Timestamp(*unit, Some(zone))
        }
        DataType::Dictionary(_, values) => shown_as(values, nested),
        other if nested == Nested::AsJson && other.is_nested() => DataType::Utf8,
        other => other.clone(),
    }
}

fn present(column: &ArrayRef, nested: Nested) -> Result<ArrayRef, ArrowError> {
    match column.data_type() {
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => bytes_as_text(column),
        DataType::Timestamp(_, None) => cast(column, &shown_as(column.data_type(), nested)),
        DataType::Dictionary(_, values) => present(&cast(column, values)?, nested),
        other if nested == Nested::AsJson && other.is_nested() => nested_as_json(column),
        _ => Ok(Arc::clone(column)),
    }
}

fn bytes_as_text(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let column = cast(column, &DataType::BinaryView)?;
    let text: StringArray =
        column.as_binary_view().iter().map(|bytes| bytes.map(escape::bytes)).collect();
    Ok(Arc::new(text))
}

/// Each value as the JSON that format `json` would write.
fn nested_as_json(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    const KEY: &str = "v";
    const PREFIX: &str = "{\"v\":";
    let field = Field::new(KEY, column.data_type().clone(), true);
    let batch = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![Arc::clone(column)])?;
    let mut writer =
        WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(Vec::new());
    writer.write(&batch)?;
    writer.finish()?;
    let lines = String::from_utf8_lossy(&writer.into_inner()).into_owned();
    let mut out = StringBuilder::with_capacity(column.len(), lines.len());
    for (row, line) in lines.lines().enumerate() {
        let json = line.strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix('}'));
        out.append_option(json.filter(|_| column.is_valid(row)));
    }
    Ok(Arc::new(out.finish()))
}

/// Whether a column of this type is written to the right, as numbers are.
pub(super) fn is_right_aligned(data_type: &DataType) -> bool {
    data_type.is_numeric()
}
