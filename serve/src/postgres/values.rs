//! Values for placeholders, as clients send them.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Float32Array, Float64Array, Int16Array,
    Int32Array, Int64Array, IntervalMonthDayNanoArray, StringArray, Time64MicrosecondArray,
    TimestampMicrosecondArray, UInt32Array, new_null_array,
};
use arrow::compute::cast_with_options;
use arrow::datatypes::{DataType, IntervalMonthDayNano};
use bytes::{Buf as _, Bytes};
use query::postgres::{Kind, oid};
use schemas::column::UTC;
use uuid::Uuid;

use super::complaint::Complaint;
use super::kinds::STRICT;
use super::lists;
use super::message::Form;
use super::numeric;
use super::rows::{EPOCH_DAYS, EPOCH_MICROS};

/// The value of one placeholder, as an array of one.
///
/// - `place`: which, from 1.
pub(super) fn value(
    place: usize,
    of: u32,
    form: Form,
    bytes: Option<&Bytes>,
) -> Result<ArrayRef, Complaint> {
    let Some(wanted) = Kind::taken(of) else {
        let told =
            format!("${place} has the type number {of}, which is not taken here; send a text");
        return Err(Complaint::new("0A000", told));
    };
    let wrong = |what: &str| Complaint::new("22P02", format!("${place} is not written as {what}"));
    let Some(bytes) = bytes else { return Ok(new_null_array(&wanted, 1)) };
    if let DataType::List(_) = wanted {
        let item = Kind::of_oid(of).map_or(oid::TEXT, |kind| kind.oid);
        let one = |bytes: Option<&Bytes>| value(place, item, form, bytes).ok();
        return lists::value(&wanted, form, bytes, one).ok_or_else(|| wrong("a list of its type"));
    }
    let read = match form {
        Form::Text => {
            let text = std::str::from_utf8(bytes).map_err(|_| wrong("UTF-8"))?;
            return of_text(text, of, &wanted).ok_or_else(|| wrong("its type"));
        }
        Form::Binary => of_binary(of, bytes),
    };
    read.ok_or_else(|| wrong("a binary value of its type"))
}

fn of_text(text: &str, of: u32, wanted: &DataType) -> Option<ArrayRef> {
    if of == oid::BYTEA {
        let digits = text.strip_prefix("\\x")?;
        let pairs = digits.as_bytes().chunks(2);
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let bytes: Vec<u8> = pairs.map(byte).collect::<Option<_>>()?;
        return Some(Arc::new(BinaryArray::from_vec(vec![&bytes])));
    }
    let text: ArrayRef = Arc::new(StringArray::from(vec![text]));
    cast_with_options(&text, wanted, &STRICT).ok()
}

fn of_binary(of: u32, bytes: &Bytes) -> Option<ArrayRef> {
    let mut body = bytes.clone();
    let is = |length: usize| (bytes.len() == length).then_some(());
    Some(match of {
        oid::BOOL => {
            is(1)?;
            Arc::new(BooleanArray::from(vec![body.get_u8() != 0]))
        }
        oid::INT2 => {
            is(2)?;
            Arc::new(Int16Array::from(vec![body.get_i16()]))
        }
        oid::INT4 => {
            is(4)?;
            Arc::new(Int32Array::from(vec![body.get_i32()]))
        }
        oid::OID => {
            is(4)?;
            Arc::new(UInt32Array::from(vec![body.get_u32()]))
        }
        oid::INT8 => {
            is(8)?;
            Arc::new(Int64Array::from(vec![body.get_i64()]))
        }
        oid::FLOAT4 => {
            is(4)?;
            Arc::new(Float32Array::from(vec![body.get_f32()]))
        }
        oid::FLOAT8 => {
            is(8)?;
            Arc::new(Float64Array::from(vec![body.get_f64()]))
        }
        oid::DATE => {
            is(4)?;
            Arc::new(Date32Array::from(vec![body.get_i32().saturating_add(EPOCH_DAYS)]))
        }
        oid::TIME => {
            is(8)?;
            Arc::new(Time64MicrosecondArray::from(vec![body.get_i64()]))
        }
        oid::TIMESTAMP | oid::TIMESTAMPTZ => {
            is(8)?;
            let micros = body.get_i64().saturating_add(EPOCH_MICROS);
            let time = TimestampMicrosecondArray::from(vec![micros]);
            Arc::new(if of == oid::TIMESTAMPTZ { time.with_timezone(UTC) } else { time })
        }
        oid::INTERVAL => {
            is(16)?;
            let nanos = body.get_i64().checked_mul(1_000)?;
            let (days, months) = (body.get_i32(), body.get_i32());
            let value = IntervalMonthDayNano::new(months, days, nanos);
            Arc::new(IntervalMonthDayNanoArray::from(vec![value]))
        }
        oid::BYTEA => Arc::new(BinaryArray::from_vec(vec![bytes])),
        oid::UUID => {
            let id = Uuid::from_slice(bytes).ok()?;
            Arc::new(StringArray::from(vec![id.to_string()]))
        }
        oid::NUMERIC => return of_text(&numeric::text(body)?, of, &Kind::taken(of)?),
        _ => Arc::new(StringArray::from(vec![std::str::from_utf8(bytes).ok()?])),
    })
}

#[cfg(test)]
mod tests {
    use arrow::util::display::array_value_to_string;

    use super::*;

    fn read(of: u32, form: Form, bytes: &'static [u8]) -> Result<String, String> {
        let array = value(1, of, form, Some(&Bytes::from_static(bytes)));
        array.map(|array| array_value_to_string(&array, 0).unwrap()).map_err(|told| told.message)
    }

    #[test]
    fn values_are_read_in_both_forms() {
        for (of, text, binary, shown) in [
            (oid::INT4, &b"-7"[..], &b"\xff\xff\xff\xf9"[..], "-7"),
            (oid::BOOL, b"t", b"\x01", "true"),
            (oid::TEXT, b"' OR 1=1", b"' OR 1=1", "' OR 1=1"),
            (oid::DATE, b"2000-01-02", b"\0\0\0\x01", "2000-01-02"),
            (
                oid::TIMESTAMPTZ,
                b"2000-01-01 01:00:00+01",
                b"\0\0\0\0\0\0\0\0",
                "2000-01-01T00:00:00Z",
            ),
            (oid::BYTEA, b"\\x00ff", b"\0\xff", "00ff"),
            (oid::NUMERIC, b"1.5", b"\0\x02\0\0\0\0\0\x01\0\x01\x13\x88", "1.5000000000"),
        ] {
            assert_eq!(read(of, Form::Text, text).as_deref(), Ok(shown));
            assert_eq!(read(of, Form::Binary, binary).as_deref(), Ok(shown));
        }
    }

    #[test]
    fn what_is_no_value_is_refused() {
        for (of, form, bytes) in [
            (oid::INT4, Form::Binary, &b"\0"[..]),
            (oid::INT4, Form::Text, b"x"),
            (oid::TEXT, Form::Text, b"\xff"),
            (oid::TIMESTAMPTZ, Form::Text, b"yesterday"),
            (oid::BYTEA, Form::Text, b"\\x0g"),
            (600, Form::Text, b"(1,2)"),
        ] {
            assert!(read(of, form, bytes).is_err(), "{of}");
        }
    }
}
