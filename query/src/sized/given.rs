//! How large the arguments of a call are, row by row.

use arrow::array::{Array as _, ArrayRef, AsArray as _, Float64Array, OffsetSizeTrait};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Int64Type, IntervalMonthDayNanoType, IntervalUnit, TimeUnit,
    TimestampNanosecondType,
};
use datafusion::common::Result;
use datafusion::logical_expr::ColumnarValue;

/// Bytes of a value whose type does not tell.
const FIXED_BYTES: u64 = 16;

/// Nanoseconds of the shortest month, and of a day.
const MONTH_NANOS: i128 = 28 * DAY_NANOS;
const DAY_NANOS: i128 = 86_400_000_000_000;

/// The arguments of a call.
pub(super) struct Given {
    args: Vec<Arg>,
}

struct Arg {
    values: ArrayRef,
    /// One value stands for all rows.
    is_one: bool,
    /// Bytes of an element, where the values are lists.
    element: u64,
    /// The values as numbers, where they are numbers.
    numbers: Option<Float64Array>,
}

impl Given {
    /// The arguments as they are passed.
    pub(super) fn of(args: &[ColumnarValue]) -> Result<Self> {
        let args = args.iter().map(|arg| {
            let (values, is_one) = match arg {
                ColumnarValue::Array(values) => (ArrayRef::clone(values), false),
                ColumnarValue::Scalar(value) => (value.to_array()?, true),
            };
            let element = element_bytes(&values);
            let numbers = if values.data_type().is_numeric() {
                Some(cast(&values, &DataType::Float64)?.as_primitive().clone())
            } else {
                None
            };
            Ok(Arg { values, is_one, element, numbers })
        });
        Ok(Self { args: args.collect::<Result<_>>()? })
    }

    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.args.len()
    }

    fn at(&self, arg: usize, row: usize) -> Option<(&Arg, usize)> {
        let arg = self.args.get(arg)?;
        let row = if arg.is_one { 0 } else { row };
        arg.values.is_valid(row).then_some((arg, row))
    }

    /// Bytes of an argument; none where it is null or not there.
    pub(super) fn bytes(&self, arg: usize, row: usize) -> u64 {
        self.at(arg, row).map_or(0, |(arg, row)| match arg.values.data_type() {
            DataType::Utf8 => long(arg.values.as_string::<i32>().value(row).len()),
            DataType::LargeUtf8 => long(arg.values.as_string::<i64>().value(row).len()),
            DataType::Utf8View => long(arg.values.as_string_view().value(row).len()),
            DataType::Binary => long(arg.values.as_binary::<i32>().value(row).len()),
            DataType::LargeBinary => long(arg.values.as_binary::<i64>().value(row).len()),
            DataType::BinaryView => long(arg.values.as_binary_view().value(row).len()),
            other => match elements(&arg.values, row) {
                Some(elements) => elements.saturating_mul(arg.element),
                None => other.primitive_width().map_or(FIXED_BYTES, long),
            },
        })
    }

    /// Bytes of an argument in so many rows.
    pub(super) fn sum(&self, arg: usize, rows: usize) -> u64 {
        (0..rows).fold(0, |sum: u64, row| sum.saturating_add(self.bytes(arg, row)))
    }

    /// Elements of a list; none where it is null or no list.
    pub(super) fn elements(&self, arg: usize, row: usize) -> u64 {
        self.at(arg, row).and_then(|(arg, row)| elements(&arg.values, row)).unwrap_or(0)
    }

    /// Bytes of an element of a list, on average of all rows.
    pub(super) fn element(&self, arg: usize) -> u64 {
        self.args.get(arg).map_or(0, |arg| arg.element)
    }

    /// A whole number; none where it is null, negative or not there.
    pub(super) fn count(&self, arg: usize, row: usize) -> u64 {
        let found = self.at(arg, row);
        let found = found.and_then(|(arg, row)| Some(arg.numbers.as_ref()?.value(row)));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "what is negative or too large is held to the ends"
        )]
        found.map_or(0, |number| number as u64)
    }

    /// A whole number, a day or a time on one line: numbers as they are, times in nanoseconds.
    pub(super) fn place(&self, arg: usize, row: usize) -> Option<i128> {
        let (arg, row) = self.at(arg, row)?;
        let one = arg.values.slice(row, 1);
        match one.data_type() {
            DataType::Date32 => {
                Some(i128::from(one.as_primitive::<Date32Type>().value(0)) * DAY_NANOS)
            }
            DataType::Date64 | DataType::Timestamp(..) => {
                let one = cast(&one, &DataType::Timestamp(TimeUnit::Nanosecond, None)).ok()?;
                Some(one.as_primitive::<TimestampNanosecondType>().value(0).into())
            }
            DataType::Interval(_) => {
                let span = DataType::Interval(IntervalUnit::MonthDayNano);
                let one = cast(&one, &span).ok()?;
                let span = one.as_primitive::<IntervalMonthDayNanoType>().value(0);
                let days =
                    i128::from(span.months) * MONTH_NANOS + i128::from(span.days) * DAY_NANOS;
                Some(days + i128::from(span.nanoseconds))
            }
            _ => {
                let one = cast(&one, &DataType::Int64).ok()?;
                one.is_valid(0).then(|| one.as_primitive::<Int64Type>().value(0).into())
            }
        }
    }
}

/// A length as a number of bytes.
pub(super) fn long(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn elements(values: &ArrayRef, row: usize) -> Option<u64> {
    fn of<O: OffsetSizeTrait>(values: &ArrayRef, row: usize) -> u64 {
        long(values.as_list::<O>().value_length(row).as_usize())
    }
    match values.data_type() {
        DataType::List(_) => Some(of::<i32>(values, row)),
        DataType::LargeList(_) => Some(of::<i64>(values, row)),
        DataType::FixedSizeList(_, size) => u64::try_from(*size).ok(),
        _ => None,
    }
}

fn element_bytes(values: &ArrayRef) -> u64 {
    let children = match values.data_type() {
        DataType::List(_) => values.as_list::<i32>().values(),
        DataType::LargeList(_) => values.as_list::<i64>().values(),
        DataType::FixedSizeList(..) => values.as_fixed_size_list().values(),
        _ => return 0,
    };
    let bytes = children.to_data().get_slice_memory_size().map_or(0, long);
    bytes.div_ceil(long(children.len()).max(1))
}
