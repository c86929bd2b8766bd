//! What must hold for the values of a row, whatever its line was.

use std::collections::BTreeSet;
use std::net::IpAddr;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, RecordBatch, StringArray};
use arrow_schema::DataType;
use decode::text::clean;
use schemas::PositionedBatch;

use crate::laws::may_be_part;

/// Bytes that a value may be longer than its line: an address or a word may have another spelling.
const SPELLING_BYTES_MAX: usize = 48;

/// Checks the rows of a batch; `records` are the lines by their number, in order.
pub fn check(batch: &PositionedBatch, records: &[(i64, &[u8])]) {
    let rows = batch.requests.record_batch();
    for column in rows.columns().iter().chain(batch.rejects.columns()) {
        column.to_data().validate_full().expect("a column is sound: text is UTF-8, offsets rise");
    }
    sizes_are_bounded(batch, records);
    for text in texts(rows, "client_ip") {
        is_canonical_address(text);
    }
    for text in texts(rows, "client_country") {
        let is_code = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        assert!(text.len() == 2 && text.bytes().all(is_code), "country {text:?}");
    }
    for name in ["host", "scheme"] {
        for text in texts(rows, name) {
            assert!(!text.is_empty(), "{name} is empty");
            assert!(!text.bytes().any(|byte| byte.is_ascii_uppercase()), "{name} {text:?}");
        }
    }
    for status in batch.requests.status().iter().flatten() {
        assert!((100..=999).contains(&status), "status {status}");
    }
    for name in ["client_asn", "request_bytes", "response_bytes", "duration_us"] {
        let column = rows.column_by_name(name).expect("the table has the column");
        for number in column.as_primitive::<Int64Type>().iter().flatten() {
            assert!(number >= 0, "{name} {number}");
        }
    }
}

/// Panics unless `text` is an address spelt as in RFC 5952, IPv4 as IPv4.
pub fn is_canonical_address(text: &str) {
    let address: IpAddr = text.parse().expect("a client is an address");
    assert_eq!(address.to_canonical().to_string(), text, "a client has its canonical spelling");
}

/// No value is longer than its line, and all of them together are not much longer: they are cut out of it.
fn sizes_are_bounded(batch: &PositionedBatch, records: &[(i64, &[u8])]) {
    let rows = batch.requests.record_batch();
    let is_text = |name: &str, kind: &DataType| *kind == DataType::Utf8 && name != "topic";
    let columns: Vec<&StringArray> = rows
        .schema_ref()
        .fields()
        .iter()
        .zip(rows.columns())
        .filter(|(field, _)| is_text(field.name(), field.data_type()))
        .map(|(_, column)| column.as_string::<i32>())
        .collect();
    let mut scratch = String::new();
    // Where a row stands beside others it may be of lines before that one.
    let places = |rows: &RecordBatch| {
        let number = |name| rows.column_by_name(name).expect("the table has the column").clone();
        let (offsets, indexes) = (number("topic_offset"), number("record_index"));
        let indexes = indexes.as_primitive::<Int32Type>().values().to_vec();
        let offsets = offsets.as_primitive::<Int64Type>().values().to_vec();
        offsets.into_iter().zip(indexes).filter(|(_, index)| *index != 0).map(|(offset, _)| offset)
    };
    let shared: BTreeSet<i64> = places(rows).chain(places(&batch.rejects)).collect();
    for (row, number) in batch.requests.topic_offset().values().iter().enumerate() {
        if shared.contains(number) {
            continue;
        }
        let place = records.binary_search_by_key(number, |(number, _)| *number);
        let (_, line) = records[place.expect("a row has a line")];
        if may_be_part(line) {
            // The row is of that line and others before it.
            continue;
        }
        let limit = clean(line, &mut scratch).len() + SPELLING_BYTES_MAX;
        let sizes = columns.iter().map(|column| usize::try_from(column.value_length(row)));
        let sizes: Vec<usize> = sizes.collect::<Result<_, _>>().expect("lengths are positive");
        assert!(sizes.iter().all(|size| *size <= limit), "a value of {sizes:?} > {limit} bytes");
        assert!(
            sizes.iter().sum::<usize>() <= 2 * limit,
            "values of {sizes:?} > 2 * {limit} bytes"
        );
    }
}

fn texts<'a>(rows: &'a RecordBatch, name: &str) -> impl Iterator<Item = &'a str> {
    let column = rows.column_by_name(name).expect("the table has the column");
    column.as_string::<i32>().iter().flatten()
}
