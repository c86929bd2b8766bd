//! Rows as messages: each value as text or in its binary form.

use std::fmt::{self, Write as _};

use arrow::array::{Array as _, ArrayRef, AsArray as _, RecordBatch};
use arrow::array::{
    BinaryArray, BooleanArray, Date32Array, Float32Array, Float64Array, Int16Array, Int32Array,
    Int64Array, IntervalMonthDayNanoArray, ListArray, StringArray, Time64MicrosecondArray,
    TimestampMicrosecondArray, UInt32Array,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    DataType, Date32Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    IntervalMonthDayNanoType, IntervalUnit, Time64MicrosecondType, TimeUnit,
    TimestampMicrosecondType, UInt32Type,
};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use bytes::{BufMut as _, BytesMut};
use chrono::{DateTime, Duration, NaiveDate};
use query::postgres::{Kind, oid};

use super::kinds::shaped;
use super::message::Form;
use super::numeric;
use super::speech::{Speech, put_count};

/// Days from the first of 1970 to that of 2000, from where dates are counted there.
pub(super) const EPOCH_DAYS: i32 = 10_957;

/// The same in microseconds.
pub(super) const EPOCH_MICROS: i64 = EPOCH_DAYS as i64 * 86_400_000_000;

/// A column that can be written.
enum Column<'a> {
    Bool(&'a BooleanArray),
    I16(&'a Int16Array),
    I32(&'a Int32Array),
    I64(&'a Int64Array),
    Oid(&'a UInt32Array),
    F32(&'a Float32Array),
    F64(&'a Float64Array),
    Text(&'a StringArray),
    Bytes(&'a BinaryArray),
    Date(&'a Date32Array),
    Time(&'a Time64MicrosecondArray),
    Stamp {
        values: &'a TimestampMicrosecondArray,
        zone: &'static str,
    },
    Interval(&'a IntervalMonthDayNanoArray),
    Numeric(ArrayFormatter<'a>),
    List {
        values: &'a ListArray,
        item: u32,
        /// Those of all lists.
        items: Box<Self>,
    },
    /// Whatever has no type of its own there.
    Other(ArrayFormatter<'a>),
}

/// Digits of bytes.
const HEX: &[u8; 16] = b"0123456789abcdef";

const SHOWN: FormatOptions<'static> = FormatOptions::new();

impl<'a> Column<'a> {
    fn new(array: &'a ArrayRef) -> Result<Self, ArrowError> {
        use DataType as D;
        Ok(match array.data_type() {
            D::Boolean => Self::Bool(array.as_boolean()),
            D::Int16 => Self::I16(array.as_primitive::<Int16Type>()),
            D::Int32 => Self::I32(array.as_primitive::<Int32Type>()),
            D::Int64 => Self::I64(array.as_primitive::<Int64Type>()),
            D::UInt32 => Self::Oid(array.as_primitive::<UInt32Type>()),
            D::Float32 => Self::F32(array.as_primitive::<Float32Type>()),
            D::Float64 => Self::F64(array.as_primitive::<Float64Type>()),
            D::Utf8 => Self::Text(array.as_string()),
            D::Binary => Self::Bytes(array.as_binary()),
            D::Date32 => Self::Date(array.as_primitive::<Date32Type>()),
            D::Time64(TimeUnit::Microsecond) => {
                Self::Time(array.as_primitive::<Time64MicrosecondType>())
            }
            D::Timestamp(TimeUnit::Microsecond, zone) => Self::Stamp {
                values: array.as_primitive::<TimestampMicrosecondType>(),
                zone: if zone.is_some() { "+00" } else { "" },
            },
            D::Interval(IntervalUnit::MonthDayNano) => {
                Self::Interval(array.as_primitive::<IntervalMonthDayNanoType>())
            }
            D::Decimal128(..) | D::Decimal256(..) => {
                Self::Numeric(ArrayFormatter::try_new(array, &SHOWN)?)
            }
            D::List(item) if Kind::of(array.data_type()).oid != oid::TEXT => {
                let values: &ListArray = array.as_list();
                let items = Box::new(Self::new(values.values())?);
                Self::List { values, item: Kind::of(item.data_type()).oid, items }
            }
            _ => Self::Other(ArrayFormatter::try_new(array, &SHOWN)?),
        })
    }

    fn put_text(&self, row: usize, out: &mut BytesMut) -> Result<(), ArrowError> {
        match self {
            Self::Bool(of) => out.put_u8(if of.value(row) { b't' } else { b'f' }),
            Self::I16(of) => put(out, of.value(row)),
            Self::I32(of) => put(out, of.value(row)),
            Self::I64(of) => put(out, of.value(row)),
            Self::Oid(of) => put(out, of.value(row)),
            Self::F32(of) => put_float(out, of.value(row), of.value(row).into()),
            Self::F64(of) => put_float(out, of.value(row), of.value(row)),
            Self::Text(of) => put_clean(out, of.value(row)),
            Self::Bytes(of) => {
                out.put_slice(b"\\x");
                let digits = |byte: &u8| [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
                out.extend(of.value(row).iter().flat_map(digits));
            }
            Self::Date(of) => put_date(out, of.value(row)),
            Self::Time(of) => put_time(out, of.value(row)),
            Self::Stamp { values, zone } => {
                let micros = values.value(row);
                match DateTime::from_timestamp_micros(micros) {
                    Some(time) => {
                        put(out, time.naive_utc());
                        out.put_slice(zone.as_bytes());
                    }
                    None => out.put_slice(if micros < 0 { b"-infinity" } else { b"infinity" }),
                }
            }
            Self::Interval(of) => {
                let value = of.value(row);
                put(out, format_args!("{} mons {} days ", value.months, value.days));
                let micros = value.nanoseconds / 1_000;
                if micros < 0 {
                    out.put_u8(b'-');
                }
                put_time(out, micros.saturating_abs());
            }
            Self::Numeric(of) | Self::Other(of) => put_clean(out, &of.value(row).try_to_string()?),
            Self::List { values, items, .. } => put_list(out, values, items, row)?,
        }
        Ok(())
    }

    fn put_binary(&self, row: usize, out: &mut BytesMut) -> Result<(), ArrowError> {
        match self {
            Self::Bool(of) => out.put_u8(of.value(row).into()),
            Self::I16(of) => out.put_i16(of.value(row)),
            Self::I32(of) => out.put_i32(of.value(row)),
            Self::I64(of) => out.put_i64(of.value(row)),
            Self::Oid(of) => out.put_u32(of.value(row)),
            Self::F32(of) => out.put_f32(of.value(row)),
            Self::F64(of) => out.put_f64(of.value(row)),
            Self::Bytes(of) => out.put_slice(of.value(row)),
            Self::Date(of) => out.put_i32(of.value(row).saturating_sub(EPOCH_DAYS)),
            Self::Time(of) => out.put_i64(of.value(row)),
            Self::Stamp { values, .. } => {
                out.put_i64(values.value(row).saturating_sub(EPOCH_MICROS));
            }
            Self::Interval(of) => {
                let value = of.value(row);
                out.put_i64(value.nanoseconds / 1_000);
                out.put_i32(value.days);
                out.put_i32(value.months);
            }
            Self::Numeric(of) => numeric::put(out, &of.value(row).try_to_string()?),
            Self::List { values, item, items } => {
                let (range, all) = (places(values, row), values.values());
                // Dimensions, whether there are nulls, the type; then the length and where it begins.
                out.put_i32(i32::from(!range.is_empty()));
                out.put_i32(i32::from(range.clone().any(|at| all.is_null(at))));
                out.put_u32(*item);
                if !range.is_empty() {
                    out.put_i32(values.value_length(row));
                    out.put_i32(1);
                }
                for at in range {
                    items.put_value(at, all.is_null(at), Form::Binary, out)?;
                }
            }
            Self::Text(_) | Self::Other(_) => self.put_text(row, out)?,
        }
        Ok(())
    }

    /// A value behind its length.
    fn put_value(
        &self,
        row: usize,
        is_null: bool,
        form: Form,
        out: &mut BytesMut,
    ) -> Result<(), ArrowError> {
        if is_null {
            out.put_i32(-1);
            return Ok(());
        }
        let at = out.len();
        out.put_i32(0);
        match form {
            Form::Text => self.put_text(row, out)?,
            Form::Binary => self.put_binary(row, out)?,
        }
        let length = i32::try_from(out.len() - at - 4).unwrap_or(i32::MAX);
        if let Some(said) = out.get_mut(at..at + 4) {
            said.copy_from_slice(&length.to_be_bytes());
        }
        Ok(())
    }
}

fn put(out: &mut BytesMut, value: impl fmt::Display) {
    // A buffer takes all.
    let _ = write!(out, "{value}");
}

/// Text without zeros, which there are none of there.
fn put_clean(out: &mut BytesMut, text: &str) {
    text.split('\0').for_each(|part| out.put_slice(part.as_bytes()));
}

fn put_float(out: &mut BytesMut, value: impl fmt::Display + fmt::LowerExp, wide: f64) {
    /// Beyond these, digits that say nothing would be written.
    const PLAIN: std::ops::Range<f64> = 1e-4..1e15;
    if wide.is_nan() {
        out.put_slice(b"NaN");
    } else if wide.is_infinite() {
        out.put_slice(if wide > 0.0 { b"Infinity" } else { b"-Infinity" });
    } else if wide == 0.0 || PLAIN.contains(&wide.abs()) {
        put(out, value);
    } else {
        put(out, format_args!("{value:e}"));
    }
}

fn put_date(out: &mut BytesMut, days: i32) {
    let epoch = NaiveDate::default();
    match epoch.checked_add_signed(Duration::days(days.into())) {
        Some(date) => put(out, date),
        None => out.put_slice(if days < 0 { b"-infinity" } else { b"infinity" }),
    }
}

fn put_time(out: &mut BytesMut, micros: i64) {
    let (seconds, rest) = (micros / 1_000_000, micros % 1_000_000);
    put(out, format_args!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60));
    if rest > 0 {
        let digits = format!(".{rest:06}");
        out.put_slice(digits.trim_end_matches('0').as_bytes());
    }
}

/// Where the items of one list are among those of all.
fn places(lists: &ListArray, row: usize) -> std::ops::Range<usize> {
    let place = |at: usize| {
        lists.value_offsets().get(at).copied().map(usize::try_from).and_then(Result::ok)
    };
    place(row).unwrap_or_default()..place(row + 1).unwrap_or_default()
}

fn put_list(
    out: &mut BytesMut,
    lists: &ListArray,
    items: &Column<'_>,
    row: usize,
) -> Result<(), ArrowError> {
    let mut one = BytesMut::new();
    out.put_u8(b'{');
    for (number, at) in places(lists, row).enumerate() {
        if number > 0 {
            out.put_u8(b',');
        }
        if lists.values().is_null(at) {
            out.put_slice(b"NULL");
            continue;
        }
        one.clear();
        items.put_text(at, &mut one)?;
        let is_special = |byte: &u8| b"{},\"\\".contains(byte) || byte.is_ascii_whitespace();
        if one.is_empty() || one.iter().any(is_special) || one.eq_ignore_ascii_case(b"null") {
            out.put_u8(b'"');
            for byte in &one {
                if b"\"\\".contains(byte) {
                    out.put_u8(b'\\');
                }
                out.put_u8(*byte);
            }
            out.put_u8(b'"');
        } else {
            out.put_slice(&one);
        }
    }
    out.put_u8(b'}');
    Ok(())
}

/// The columns of a batch, ready to be written row by row.
pub(super) struct Rows {
    columns: Vec<ArrayRef>,
    nulls: Vec<Option<NullBuffer>>,
    next: usize,
    count: usize,
}

impl Rows {
    pub(super) fn new(batch: &RecordBatch) -> Result<Self, ArrowError> {
        let columns: Vec<ArrayRef> =
            batch.columns().iter().map(shaped).collect::<Result<_, _>>()?;
        let nulls = columns.iter().map(arrow::array::Array::logical_nulls).collect();
        Ok(Self { columns, nulls, next: 0, count: batch.num_rows() })
    }

    /// Rows that are left.
    pub(super) const fn left(&self) -> usize {
        self.count - self.next
    }

    /// Says the next rows: as many as are wanted, or until there is much to send.
    ///
    /// - returns: how many.
    pub(super) fn say(
        &mut self,
        wanted: usize,
        bytes: usize,
        forms: &[Form],
        speech: &mut Speech,
    ) -> Result<usize, ArrowError> {
        let columns: Vec<Column<'_>> =
            self.columns.iter().map(Column::new).collect::<Result<_, _>>()?;
        let first = self.next;
        while self.left() > 0 && self.next - first < wanted && speech.bytes.len() < bytes {
            let (before, mut said) = (speech.bytes.len(), Ok(()));
            speech.say(b'D', |body| said = self.put_row(&columns, forms, body));
            if said.is_err() {
                // Half a row is none.
                speech.bytes.truncate(before);
            }
            said?;
            self.next += 1;
        }
        Ok(self.next - first)
    }

    fn put_row(
        &self,
        columns: &[Column<'_>],
        forms: &[Form],
        body: &mut BytesMut,
    ) -> Result<(), ArrowError> {
        put_count(body, columns.len());
        let forms = forms.iter().copied().chain(std::iter::repeat(Form::Text));
        for ((column, nulls), form) in columns.iter().zip(&self.nulls).zip(forms) {
            let is_null = nulls.as_ref().is_some_and(|nulls| nulls.is_null(self.next));
            column.put_value(self.next, is_null, form, body)?;
        }
        Ok(())
    }
}
