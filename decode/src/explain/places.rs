//! Where in the line each value stands, and what is left over.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use schemas::PositionedBatch;

use crate::json::leaves;
use crate::record::{Record, Slot};
use crate::text::place;

/// A value of the row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Name of the column.
    pub name: String,
    /// The value, as text.
    pub value: String,
    /// The bytes it was made of; none for what no text of the line says.
    pub bytes: Option<Range<usize>>,
    /// What the format calls that text.
    pub from: Option<&'static str>,
}

/// A part of the line that is in no column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leftover {
    /// Its bytes.
    pub bytes: Range<usize>,
    /// Its key, in JSON.
    pub key: Option<String>,
}

/// Columns of a row that say where it is from, not what the line says.
const POSITIONS: [&str; 5] = ["topic", "topic_partition", "topic_offset", "record_index", "format"];

/// The slots that feed a column, the surest first: see [`crate::row`].
const SOURCES: &[(&str, &[Slot])] = &[
    ("ts", &[Slot::Time, Slot::Date, Slot::Start]),
    ("edge", &[Slot::Edge]),
    ("client_ip", &[Slot::ClientIp, Slot::ForwardedFor, Slot::RealIp]),
    ("client_asn", &[Slot::Asn]),
    ("client_country", &[Slot::Country]),
    ("method", &[Slot::Method, Slot::Request]),
    ("scheme", &[Slot::Scheme, Slot::Uri, Slot::Request]),
    ("host", &[Slot::Host, Slot::Uri, Slot::Request]),
    ("path", &[Slot::Uri, Slot::Path, Slot::Request]),
    ("query", &[Slot::Uri, Slot::Request, Slot::Query]),
    ("protocol", &[Slot::Protocol, Slot::Request]),
    ("status", &[Slot::Status]),
    ("request_bytes", &[Slot::RequestBytes]),
    ("response_bytes", &[Slot::ResponseBytes]),
    ("duration_us", &[Slot::Duration, Slot::Start]),
    ("user_agent", &[Slot::UserAgent]),
    ("referer", &[Slot::Referer]),
    ("cache_status", &[Slot::CacheStatus]),
    ("ja3", &[Slot::Ja3]),
    ("ja4", &[Slot::Ja4]),
    ("request_id", &[Slot::RequestId]),
    ("aborted", &[Slot::Aborted, Slot::Status]),
];

/// The columns of the first row that have a value, with their places.
pub(super) fn columns(batch: &PositionedBatch, record: &Record<'_>, line: &str) -> Vec<Column> {
    let rows = batch.requests.record_batch();
    let schema = rows.schema();
    let names = schema.fields().iter().map(|field| field.name());
    names
        .zip(rows.columns())
        .filter(|(name, column)| !POSITIONS.contains(&name.as_str()) && column.is_valid(0))
        .map(|(name, column)| {
            let value = show(column.as_ref());
            let source = source(name, &value, record, line);
            Column {
                name: name.clone(),
                value,
                bytes: source.as_ref().map(|(bytes, _)| bytes.clone()),
                from: source.map(|(_, from)| from),
            }
        })
        .collect()
}

/// Where a value came from: the first of its sources that has the value in it, else the first that has any.
fn source(
    column: &str,
    value: &str,
    record: &Record<'_>,
    line: &str,
) -> Option<(Range<usize>, &'static str)> {
    let (_, slots) = SOURCES.iter().find(|(name, _)| *name == column)?;
    let present = || slots.iter().filter_map(|slot| Some((*slot, record.get(*slot)?.text)));
    let holds = |text: &str| text.to_ascii_lowercase().contains(&value.to_ascii_lowercase());
    let found = present().find(|(_, text)| holds(text)).or_else(|| present().next());
    let (slot, text) = found?;
    let name = Slot::NAMES.iter().find(|(_, known)| *known == slot).map(|(name, _)| *name)?;
    Some((place(line, text)?, name))
}

fn show(column: &dyn Array) -> String {
    match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().value(0).to_owned(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(0).to_string(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(0).to_string(),
        DataType::Boolean => column.as_boolean().value(0).to_string(),
        _ => column
            .as_primitive::<TimestampMicrosecondType>()
            .value_as_datetime(0)
            .map_or_else(|| "out of range".to_owned(), |time| format!("{time}Z")),
    }
}

/// The reason of the first reject.
pub(super) fn reason(batch: &PositionedBatch) -> String {
    let text = |rejects: &RecordBatch| {
        let reasons = rejects.column_by_name("reason")?.as_string_opt::<i32>()?;
        Some(reasons.value(0).to_owned())
    };
    text(&batch.rejects).unwrap_or_default()
}

/// The parts of a line whose text is no value of the record. Of JSON the other keys, of text what stands between the
/// values, but for punctuation.
pub(super) fn leftovers(record: &Record<'_>, line: &str) -> Vec<Leftover> {
    let mut used: Vec<Range<usize>> =
        Slot::NAMES.iter().filter_map(|(_, slot)| place(line, record.get(*slot)?.text)).collect();
    used.sort_by_key(|bytes| (bytes.start, bytes.end));
    if !record.is_text {
        let is_used = |bytes: &Range<usize>| {
            used.iter().any(|used| used.start <= bytes.start && bytes.end <= used.end)
        };
        let unused = leaves(line).into_iter().filter(|leaf| !is_used(&leaf.bytes));
        return unused.map(|leaf| Leftover { bytes: leaf.bytes, key: Some(leaf.path) }).collect();
    }
    let mut between = Vec::new();
    let mut from = 0;
    for bytes in used.into_iter().chain(std::iter::once(line.len()..line.len())) {
        if bytes.start > from {
            between.push(from..bytes.start);
        }
        from = from.max(bytes.end);
    }
    between.into_iter().filter_map(|bytes| trimmed(line, bytes)).collect()
}

/// A part without the punctuation at its ends; `None` when nothing is left.
fn trimmed(line: &str, bytes: Range<usize>) -> Option<Leftover> {
    let text = line.get(bytes.clone())?;
    let is_mark = |c: char| c.is_ascii_whitespace() || "\"[]-|,{}()/".contains(c);
    let start = bytes.start + (text.len() - text.trim_start_matches(is_mark).len());
    let length = text.trim_matches(is_mark).len();
    (length > 0).then_some(Leftover { bytes: start..start + length, key: None })
}
