//! The values of a column and how often each occurred, as the state of an aggregate function.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, ListArray, UInt64Array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{cast, filter, is_not_null};
use arrow::datatypes::{DataType, Field, FieldRef, UInt64Type};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::Accumulator;
use datafusion::logical_expr::utils::format_state_name;

use super::counts::Counts;

/// The type in which values are counted: dictionaries are unpacked.
pub(super) fn value_type(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Dictionary(_, values) => values.as_ref().clone(),
        other => other.clone(),
    }
}

/// The columns of the state of an aggregate of that name over values of that type.
pub(super) fn state_fields(aggregate: &str, input: &DataType) -> Vec<FieldRef> {
    vec![
        state_field(aggregate, "values", value_type(input)),
        state_field(aggregate, "counts", DataType::UInt64),
    ]
}

fn state_field(aggregate: &str, part: &str, element: DataType) -> FieldRef {
    let element = Arc::new(Field::new_list_field(element, true));
    Arc::new(Field::new(format_state_name(aggregate, part), DataType::List(element), true))
}

/// Rows of `values` that are not null; `None` when all are.
pub(super) fn mask_of_nulls(values: &ArrayRef) -> Result<Option<BooleanArray>> {
    if values.logical_null_count() == 0 {
        return Ok(None);
    }
    Ok(Some(is_not_null(values)?))
}

/// `values` in the type in which they are counted.
pub(super) fn unpacked(values: &ArrayRef, data_type: &DataType) -> Result<ArrayRef> {
    if values.data_type() == data_type {
        return Ok(Arc::clone(values));
    }
    Ok(cast(values, data_type)?)
}

/// One list a row from `values`, cut at `lengths`.
pub(super) fn lists(
    values: ArrayRef,
    lengths: impl IntoIterator<Item = usize>,
) -> Result<ArrayRef> {
    let element = Arc::new(Field::new_list_field(values.data_type().clone(), true));
    Ok(Arc::new(ListArray::try_new(element, OffsetBuffer::from_lengths(lengths), values, None)?))
}

/// How often each value of a column occurred. Nulls are left out.
#[derive(Debug)]
pub(super) struct Histogram {
    data_type: DataType,
    counts: Counts,
}

impl Histogram {
    /// An empty one of values of that type.
    fn try_new(data_type: DataType) -> Result<Self> {
        let counts = Counts::try_new(std::slice::from_ref(&data_type))?;
        Ok(Self { data_type, counts })
    }

    fn column(&self, values: &[ArrayRef]) -> Result<ArrayRef> {
        let Some(values) = values.first() else { return exec_err!("an argument is missing") };
        let present = match mask_of_nulls(values)? {
            None => Arc::clone(values),
            Some(mask) => filter(values, &mask)?,
        };
        unpacked(&present, &self.data_type)
    }

    /// Counts the values of the first column.
    fn add(&mut self, values: &[ArrayRef]) -> Result<()> {
        let column = self.column(values)?;
        self.counts.add(&[column], None)
    }

    /// Takes them out again.
    fn remove(&mut self, values: &[ArrayRef]) -> Result<()> {
        let column = self.column(values)?;
        self.counts.remove(&[column])
    }

    /// How often each occurred; zero where all were taken out.
    pub(super) fn counts(&self) -> &[u64] {
        self.counts.counts()
    }

    /// The values and how often each occurred, which stay in it: windows go on with what they asked.
    pub(super) fn values(&mut self) -> Result<(ArrayRef, UInt64Array)> {
        let (values, counts) = self.take()?;
        self.counts.add(&[Arc::clone(&values)], Some(&counts))?;
        Ok((values, counts))
    }

    fn take(&mut self) -> Result<(ArrayRef, UInt64Array)> {
        let (columns, counts) = self.counts.take()?;
        let Some(values) = columns.into_iter().next() else {
            return exec_err!("a histogram has one column");
        };
        Ok((values, counts.into()))
    }

    /// The same as the state of an aggregate; leaves it empty.
    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let (values, counts) = self.take()?;
        let of = |column: ArrayRef| {
            let length = column.len();
            ScalarValue::try_from_array(&lists(column, [length])?, 0)
        };
        Ok(vec![of(values)?, of(Arc::new(counts))?])
    }

    /// Adds such states.
    fn merge(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [values, counts] = states else { return exec_err!("a histogram has two columns") };
        for row in 0..values.len() {
            let values = values.as_list::<i32>().value(row);
            let counts = counts.as_list::<i32>().value(row);
            self.counts.add(&[values], Some(counts.as_primitive::<UInt64Type>()))?;
        }
        Ok(())
    }

    fn size(&self) -> usize {
        self.counts.size()
    }
}

/// What an aggregate says of a histogram.
pub(super) trait Summary: Debug + Send + Sync + 'static {
    /// The answer; null where there are no values.
    fn of(&self, histogram: &mut Histogram) -> Result<ScalarValue>;
}

/// An aggregate over the histogram of all rows, or of those in a window's frame.
#[derive(Debug)]
pub(super) struct Summarised<S> {
    histogram: Histogram,
    summary: S,
}

impl<S: Summary> Summarised<S> {
    /// Over values of that type, of none yet.
    pub(super) fn try_new(data_type: DataType, summary: S) -> Result<Self> {
        Ok(Self { histogram: Histogram::try_new(data_type)?, summary })
    }
}

impl<S: Summary> Accumulator for Summarised<S> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.histogram.add(values)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.histogram.remove(values)
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.summary.of(&mut self.histogram)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.histogram.state()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.histogram.merge(states)
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.histogram.size()
    }
}
