//! Types in which columns are handed out: those that every client of Arrow reads.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use arrow::error::ArrowError;

use crate::cast::strict;

/// The columns of an answer as they are told: what is a detail of how it was computed is none of theirs.
pub(super) fn handed(schema: &Schema) -> SchemaRef {
    let told = |field: &FieldRef| Field::new(field.name(), plain(field.data_type()), true);
    Arc::new(Schema::new(schema.fields().iter().map(told).collect::<Vec<_>>()))
}

fn plain(of: &DataType) -> DataType {
    let item = |field: &FieldRef| -> FieldRef {
        Arc::new(field.as_ref().clone().with_data_type(plain(field.data_type())))
    };
    match of {
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        DataType::Dictionary(_, value) => plain(value),
        DataType::List(of) | DataType::ListView(of) => DataType::List(item(of)),
        DataType::LargeList(of) | DataType::LargeListView(of) => DataType::LargeList(item(of)),
        DataType::FixedSizeList(of, size) => DataType::FixedSizeList(item(of), *size),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(item).collect()),
        other => other.clone(),
    }
}

/// Rows with the columns that were told.
pub(super) fn as_told(batch: &RecordBatch, told: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let shaped = |(column, field): (&ArrayRef, &FieldRef)| strict(column, field.data_type());
    let columns =
        batch.columns().iter().zip(told.fields()).map(shaped).collect::<Result<_, _>>()?;
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(told), columns, &rows)
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray as _, DictionaryArray, ListArray, StringViewArray};
    use arrow::datatypes::{Int32Type, UInt16Type};

    use super::*;

    #[test]
    fn views_and_dictionaries_are_handed_out_as_texts() {
        let codes: DictionaryArray<UInt16Type> =
            vec![Some("a"), None, Some("a")].into_iter().collect();
        let views =
            StringViewArray::from_iter([Some("x"), Some("a long text, not within its view"), None]);
        let lists = ListArray::from_iter_primitive::<Int32Type, _, _>([
            Some([Some(1)]),
            None,
            Some([None]),
        ]);
        let batch = RecordBatch::try_from_iter([
            ("codes", Arc::new(codes) as ArrayRef),
            ("views", Arc::new(views)),
            ("lists", Arc::new(lists)),
        ])
        .unwrap();
        let told = handed(&batch.schema());
        let rows = as_told(&batch, &told).unwrap();
        assert!(told.fields().iter().all(|field| field.is_nullable()));
        assert_eq!(rows.column(0).data_type(), &DataType::Utf8);
        assert_eq!(rows.column(1).as_string::<i32>().value(1), "a long text, not within its view");
        assert_eq!(rows.column(2), batch.column(2));
    }
}
