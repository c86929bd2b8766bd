//! Texts as views keep alive, and carry along, all that was read with them: a page of a file, for one row of it.

mod sorts;

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray as _, GenericByteViewArray, GenericListArray, OffsetSizeTrait,
    RecordBatch, RecordBatchOptions, StructArray,
};
use arrow::buffer::{Buffer, OffsetBuffer};
use arrow::datatypes::{BinaryViewType, ByteViewType, DataType, StringViewType};
use arrow::error::ArrowError;
use datafusion::common::utils::memory::get_record_batch_memory_size;

pub(crate) use sorts::CompactSorts;

/// Bytes of a view itself.
const VIEW_BYTES: usize = size_of::<u128>();

/// How often what the rows take may be kept alive before they are copied.
const WASTE: usize = 2;

/// Bytes that the rows of `batch` take, whatever else their columns keep alive.
pub fn bytes(batch: &RecordBatch) -> usize {
    batch.columns().iter().map(|column| bytes_of(column)).sum()
}

fn bytes_of(column: &dyn Array) -> usize {
    fn of_views<T: ByteViewType>(views: &GenericByteViewArray<T>) -> usize {
        views.total_buffer_bytes_used() + views.len() * VIEW_BYTES
    }
    fn of_lists<O: OffsetSizeTrait>(lists: &GenericListArray<O>) -> usize {
        bytes_of(&listed(lists)) + lists.len() * size_of::<O>()
    }
    match column.data_type() {
        DataType::Utf8View => of_views(column.as_string_view()),
        DataType::BinaryView => of_views(column.as_binary_view()),
        DataType::List(_) => of_lists(column.as_list::<i32>()),
        DataType::LargeList(_) => of_lists(column.as_list::<i64>()),
        DataType::Struct(_) => {
            column.as_struct().columns().iter().map(|field| bytes_of(field)).sum()
        }
        // What cannot be told for a part is told for the whole.
        _ => column.to_data().get_slice_memory_size().unwrap_or(column.get_array_memory_size()),
    }
}

/// `batch` with columns that keep nothing alive but what is in its rows.
pub(crate) fn compact(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let columns = batch.columns().iter().map(compact_column).collect::<Result<_, _>>()?;
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(batch.schema(), columns, &rows)
}

/// The same where that is worth a copy: where half of what is kept alive is for nothing.
fn compact_wasteful(batch: RecordBatch) -> Result<RecordBatch, ArrowError> {
    if get_record_batch_memory_size(&batch) > bytes(&batch) * WASTE {
        compact(&batch)
    } else {
        Ok(batch)
    }
}

fn compact_column(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    Ok(match column.data_type() {
        DataType::Utf8View => of_views::<StringViewType>(column),
        DataType::BinaryView => of_views::<BinaryViewType>(column),
        DataType::List(_) => of_lists::<i32>(column)?,
        DataType::LargeList(_) => of_lists::<i64>(column)?,
        DataType::Struct(fields) => {
            let parts = column.as_struct();
            let columns =
                parts.columns().iter().map(compact_column).collect::<Result<Vec<_>, _>>()?;
            let (fields, nulls) = (fields.clone(), parts.nulls().cloned());
            Arc::new(StructArray::try_new_with_length(fields, columns, nulls, parts.len())?)
        }
        _ => Arc::clone(column),
    })
}

fn of_views<T: ByteViewType>(column: &ArrayRef) -> ArrayRef {
    let views = column.as_byte_view::<T>();
    let kept: usize = views.data_buffers().iter().map(Buffer::len).sum();
    // Views of one text share it: then a copy would be the greater.
    if kept > views.total_buffer_bytes_used() { Arc::new(views.gc()) } else { Arc::clone(column) }
}

fn of_lists<O: OffsetSizeTrait>(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let lists = column.as_list::<O>();
    let (DataType::List(field) | DataType::LargeList(field)) = lists.data_type() else {
        return Ok(Arc::clone(column));
    };
    let values = compact_column(&listed(lists))?;
    let first = lists.value_offsets().first().copied().unwrap_or_default();
    let offsets: Vec<O> = lists.value_offsets().iter().map(|offset| *offset - first).collect();
    let offsets = OffsetBuffer::new(offsets.into());
    let nulls = lists.nulls().cloned();
    Ok(Arc::new(GenericListArray::<O>::try_new(Arc::clone(field), offsets, values, nulls)?))
}

/// The elements of all lists.
fn listed<O: OffsetSizeTrait>(lists: &GenericListArray<O>) -> ArrayRef {
    let offsets = lists.value_offsets();
    let (first, last) = (offsets.first(), offsets.last());
    let first = first.map_or(0, |offset| offset.as_usize());
    let last = last.map_or(0, |offset| offset.as_usize());
    lists.values().slice(first, last - first)
}

#[cfg(test)]
mod tests {
    use arrow::array::{BinaryViewArray, ListArray, StringViewArray};
    use arrow::datatypes::{Field, Fields, Schema};

    use super::*;

    const ROWS: usize = 1_000;

    /// A column of long texts, as lists of them, as parts of a row, and as bytes.
    fn long() -> RecordBatch {
        let text = |row: usize| format!("{row:0>100}");
        let texts: ArrayRef = Arc::new(StringViewArray::from_iter_values((0..ROWS).map(text)));
        let field = Arc::new(Field::new("item", DataType::Utf8View, true));
        let lengths = OffsetBuffer::from_lengths(vec![1; ROWS]);
        let lists = ListArray::new(Arc::clone(&field), lengths, Arc::clone(&texts), None);
        let fields = Fields::from(vec![field]);
        let parts = StructArray::new(fields, vec![Arc::clone(&texts)], None);
        let raw = BinaryViewArray::from_iter_values((0..ROWS).map(text));
        let columns: [(&str, ArrayRef); 4] = [
            ("texts", texts),
            ("lists", Arc::new(lists)),
            ("parts", Arc::new(parts)),
            ("raw", Arc::new(raw)),
        ];
        RecordBatch::try_from_iter(columns).unwrap()
    }

    #[test]
    fn few_rows_of_many_keep_only_their_own() {
        let all = long();
        let few = all.slice(500, 3);
        let compacted = compact(&few).unwrap();
        assert_eq!(compacted, few);
        let kept =
            |batch: &RecordBatch, column: usize| batch.column(column).get_array_memory_size();
        for column in 0..all.num_columns() {
            assert!(kept(&few, column) > 100 * ROWS, "{column}");
            assert!(kept(&compacted, column) < 100 * ROWS / 10, "{column}");
        }
        // Four columns of texts of 100 bytes and what says where they are.
        assert!((1_200..2_000).contains(&bytes(&few)), "{}", bytes(&few));
        assert!((400_000..500_000).contains(&bytes(&all)), "{}", bytes(&all));
    }

    #[test]
    fn what_is_compact_is_not_copied() {
        let all = compact(&long()).unwrap();
        let again = compact(&all).unwrap();
        let at = |batch: &RecordBatch| batch.column(0).as_string_view().data_buffers()[0].as_ptr();
        assert_eq!(at(&all), at(&again));
    }

    #[test]
    fn rows_without_columns_stay_rows() {
        let rows = RecordBatchOptions::new().with_row_count(Some(3));
        let none = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &rows);
        assert_eq!(compact(&none.unwrap()).unwrap().num_rows(), 3);
    }
}
