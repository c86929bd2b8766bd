//! Values for placeholders, as clients send them.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Float32Array, Float64Array, Int16Array,
    Int32Array, Int64Array, IntervalMonthDayNanoArray, StringArray, Time64MicrosecondArray,
    TimestampMicrosecondArray, UInt32Array, new_null_array,
};

use arrow::datatypes::{DataType, IntervalMonthDayNano};
use bytes::{Buf as _, Bytes};
use query::postgres::{Kind, NUMERIC_PLACES, oid, with_seconds};
use schemas::column::UTC;
use uuid::Uuid;

use super::complaint::Complaint;
use crate::cast::strict;

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
    if form == Form::Text && std::str::from_utf8(bytes).is_err() {
        return Err(wrong("UTF-8"));
    }
    match &wanted {
        DataType::List(of_item) => {
            let item = Kind::of_oid(of).map_or(oid::TEXT, |kind| kind.oid);
            let items = lists::items(form, bytes);
            let items = items.and_then(|items| read(item, of_item.data_type(), form, &items));
            let list = items.and_then(|items| lists::of_items(of_item, items));
            list.ok_or_else(|| wrong("a list of its type"))
        }
        plain => read(of, plain, form, &[Some(bytes.clone())]).ok_or_else(|| match form {
            Form::Text => wrong("its type"),
            Form::Binary => wrong("a binary value of its type"),
        }),
    }
}

/// Values of one type; `None` where one cannot be read.
fn read(of: u32, wanted: &DataType, form: Form, values: &[Option<Bytes>]) -> Option<ArrayRef> {
    match form {
        Form::Text => {
            let text = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).ok();
            of_texts(of, wanted, each(values, text)?)
        }
        Form::Binary => of_binaries(of, wanted, values),
    }
}

/// What `one` makes of each value that is not null.
fn each<T>(values: &[Option<Bytes>], one: impl Fn(&Bytes) -> Option<T>) -> Option<Vec<Option<T>>> {
    let one = |value: &Option<Bytes>| match value {
        Some(value) => one(value).map(Some),
        None => Some(None),
    };
    values.iter().map(one).collect()
}

fn of_texts(of: u32, wanted: &DataType, texts: Vec<Option<String>>) -> Option<ArrayRef> {
    if of == oid::BYTEA {
        let bytes = |text: Option<String>| match text {
            Some(text) => of_digits(&text).map(Some),
            None => Some(None),
        };
        let all: Vec<Option<Vec<u8>>> = texts.into_iter().map(bytes).collect::<Option<_>>()?;
        return Some(Arc::new(BinaryArray::from_iter(all)));
    }
    if of == oid::NUMERIC && !texts.iter().flatten().all(|text| is_exact(text)) {
        return None;
    }
    let array: ArrayRef = Arc::new(StringArray::from_iter(&texts));
    strict(&array, wanted).ok().or_else(|| {
        let whole = |text: Option<String>| text.map(|text| whole_time(&text, wanted));
        let whole: ArrayRef = Arc::new(texts.into_iter().map(whole).collect::<StringArray>());
        strict(&whole, wanted).ok()
    })
}

/// A time with what PostgreSQL lets one leave out: `2026-03-02 09:30`, and `2026-03-02 +00` as pgjdbc writes a day.
fn whole_time(text: &str, wanted: &DataType) -> String {
    /// Bytes of `2026-03-02`.
    const DAY: usize = 10;
    let (day, behind) = text.split_at_checked(DAY).unwrap_or((text, ""));
    let is_day = behind.trim_start().is_empty() || behind.starts_with([' ', '+', '-', 'Z']);
    match wanted {
        DataType::Date32 => day.to_owned(),
        DataType::Timestamp(..) => with_seconds(text)
            .or_else(|| is_day.then(|| format!("{day}T00:00:00{}", behind.trim())))
            .unwrap_or_else(|| text.to_owned()),
        _ => text.to_owned(),
    }
}

/// Bytes that are written as digits.
fn of_digits(text: &str) -> Option<Vec<u8>> {
    let pairs = text.strip_prefix("\\x")?.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.map(byte).collect()
}

/// Whether a number has no more places than are kept: it would be rounded.
fn is_exact(text: &str) -> bool {
    let places = text.split_once('.').map_or("", |(_, places)| places.trim_end_matches('0'));
    places.len() <= usize::from(NUMERIC_PLACES)
}

/// Values of a size that all of their type have, as arrays of them are made.
fn fixed<const N: usize, T, A: FromIterator<Option<T>>>(
    values: &[Option<Bytes>],
    one: impl Fn([u8; N]) -> T,
) -> Option<A> {
    let values = each(values, |bytes| <[u8; N]>::try_from(bytes.as_ref()).ok().map(&one))?;
    Some(values.into_iter().collect())
}

fn of_binaries(of: u32, wanted: &DataType, values: &[Option<Bytes>]) -> Option<ArrayRef> {
    Some(match of {
        oid::BOOL => Arc::new(fixed::<1, _, BooleanArray>(values, |[byte]| byte != 0)?),
        oid::INT2 => Arc::new(fixed::<2, _, Int16Array>(values, i16::from_be_bytes)?),
        oid::INT4 => Arc::new(fixed::<4, _, Int32Array>(values, i32::from_be_bytes)?),
        oid::OID => Arc::new(fixed::<4, _, UInt32Array>(values, u32::from_be_bytes)?),
        oid::INT8 => Arc::new(fixed::<8, _, Int64Array>(values, i64::from_be_bytes)?),
        oid::FLOAT4 => Arc::new(fixed::<4, _, Float32Array>(values, f32::from_be_bytes)?),
        oid::FLOAT8 => Arc::new(fixed::<8, _, Float64Array>(values, f64::from_be_bytes)?),
        oid::TIME => Arc::new(fixed::<8, _, Time64MicrosecondArray>(values, i64::from_be_bytes)?),
        oid::DATE => {
            let days = |bytes| i32::from_be_bytes(bytes).saturating_add(EPOCH_DAYS);
            Arc::new(fixed::<4, _, Date32Array>(values, days)?)
        }
        oid::TIMESTAMP | oid::TIMESTAMPTZ => {
            let micros = |bytes| i64::from_be_bytes(bytes).saturating_add(EPOCH_MICROS);
            let times = fixed::<8, _, TimestampMicrosecondArray>(values, micros)?;
            Arc::new(if of == oid::TIMESTAMPTZ { times.with_timezone(UTC) } else { times })
        }
        oid::INTERVAL => {
            let one = |bytes: &Bytes| {
                let mut body = bytes.clone();
                let nanos = body.try_get_i64().ok()?.checked_mul(1_000)?;
                let (days, months) = (body.try_get_i32().ok()?, body.try_get_i32().ok()?);
                body.is_empty().then(|| IntervalMonthDayNano::new(months, days, nanos))
            };
            Arc::new(IntervalMonthDayNanoArray::from(each(values, one)?))
        }
        oid::BYTEA => Arc::new(values.iter().map(Option::as_deref).collect::<BinaryArray>()),
        oid::UUID => {
            let one = |bytes: &Bytes| Uuid::from_slice(bytes).ok().map(|id| id.to_string());
            Arc::new(StringArray::from(each(values, one)?))
        }
        oid::NUMERIC => {
            let texts = each(values, |bytes| numeric::text(bytes.clone()))?;
            return of_texts(of, wanted, texts);
        }
        _ => return read(oid::TEXT, &DataType::Utf8, Form::Text, values),
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
    fn times_may_be_short() {
        let time = |of, text: &'static [u8]| read(of, Form::Text, text);
        let (midnight, morning) = ("2026-03-02T00:00:00Z", "2026-03-02T09:30:00Z");
        for (text, shown) in [
            (&b"2026-03-02 +00"[..], midnight),
            (b"2026-03-02", midnight),
            (b"2026-03-02 09:30", morning),
            (b"2026-03-02T09:30Z", morning),
            (b"2026-03-02 11:30+02", morning),
        ] {
            assert_eq!(time(oid::TIMESTAMPTZ, text).as_deref(), Ok(shown));
        }
        assert_eq!(time(oid::DATE, b"2026-03-02 +00").as_deref(), Ok("2026-03-02"));
        assert!(time(oid::TIMESTAMPTZ, b"2026-03-02 9 o'clock").is_err());
    }

    #[test]
    fn lists_are_read_whole_in_both_forms() {
        let ints = Kind::of_oid(oid::INT4).unwrap().list_oid;
        let binary = b"\0\0\0\x01\0\0\0\x01\0\0\0\x17\0\0\0\x02\0\0\0\x01\0\0\0\x04\0\0\0\x07\xff\xff\xff\xff";
        for (form, bytes) in [(Form::Text, &b"{7, NULL}"[..]), (Form::Binary, &binary[..])] {
            assert_eq!(read(ints, form, bytes).as_deref(), Ok("[7, ]"));
        }
        assert_eq!(read(ints, Form::Text, b"{}").as_deref(), Ok("[]"));
        for wrong in [&b"{x}"[..], b"7", b"{{7}}"] {
            assert!(read(ints, Form::Text, wrong).is_err());
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
            (oid::NUMERIC, Form::Text, b"0.00000000001"),
        ] {
            assert!(read(of, form, bytes).is_err(), "{of}");
        }
    }
}
