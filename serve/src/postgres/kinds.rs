//! Types of Arrow and of PostgreSQL: in which shape a column is written, and which value is taken.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Field, Schema};
use arrow::error::ArrowError;
use query::postgres::{Kind, plain};

use crate::cast::strict;

/// `column` in the shape in which it is written.
pub(super) fn shaped(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    strict(column, &plain(column.data_type()))
}

/// `batch` with the types of `schema`, which was told before values for the placeholders were known.
pub(super) fn as_told(batch: &RecordBatch, schema: &Schema) -> Result<RecordBatch, ArrowError> {
    let as_told = |(column, field): (&ArrayRef, &Arc<Field>)| {
        let is_told = Kind::of(column.data_type()) == Kind::of(field.data_type());
        if is_told { Ok(Arc::clone(column)) } else { strict(column, field.data_type()) }
    };
    let columns: Vec<ArrayRef> =
        batch.columns().iter().zip(schema.fields()).map(as_told).collect::<Result<_, _>>()?;
    let fields: Vec<Field> = columns
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| Field::new(field.name(), column.data_type().clone(), true))
        .collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}
