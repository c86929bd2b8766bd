//! One record, and records as a batch.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BooleanArray, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray, new_null_array,
};
use schemas::RequestBatch;
use schemas::tables::REQUESTS;

/// Start of every run, µs: 2025-03-04 12:00:00 UTC.
pub const EPOCH: i64 = 1_741_089_600_000_000;

/// Text that is often the same.
pub type Text = Cow<'static, str>;

/// One record.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub ts: i64,
    pub ip: String,
    pub method: &'static str,
    pub host: Text,
    /// Empty where the log has no request line.
    pub path: String,
    pub query: Option<String>,
    /// 0 where the log has none.
    pub status: i32,
    pub agent: Text,
    pub referer: Option<String>,
    pub ja4: Option<&'static str>,
    pub bytes: i64,
    pub duration_us: Option<i64>,
    pub cache: Option<&'static str>,
    pub asn: Option<i64>,
    pub country: Option<&'static str>,
    /// Whether the scenario holds it to be part of the attack: for the test, not for the detector.
    pub hostile: bool,
}

/// Microseconds at `at_s` seconds after the start.
pub fn time(at_s: f64) -> i64 {
    EPOCH + (at_s * 1e6) as i64
}

impl Row {
    /// A page read by a browser, `at_s` seconds after the start.
    pub fn page(at_s: f64, ip: String, path: String) -> Self {
        Self {
            ts: time(at_s),
            ip,
            method: "GET",
            host: "shop.example".into(),
            path,
            query: None,
            status: 200,
            agent: "Mozilla/5.0 (X11) Firefox/131.0".into(),
            referer: None,
            ja4: Some("t13d1715h2_5b57614c22b0_5c2c66f702b0"),
            bytes: 5_000,
            duration_us: Some(20_000),
            cache: None,
            asn: None,
            country: None,
            hostile: false,
        }
    }

    /// Seconds after the start.
    pub fn at_s(&self) -> f64 {
        (self.ts - EPOCH) as f64 / 1e6
    }

    /// The columns that a combined line with the host has; of the others none.
    pub fn combine(&mut self) {
        self.ja4 = None;
        self.duration_us = None;
        self.cache = None;
        self.asn = None;
        self.country = None;
    }
}

/// Rows as lines of the combined format with the host.
pub fn combined(mut rows: Vec<Row>) -> Vec<Row> {
    rows.iter_mut().for_each(Row::combine);
    rows
}

fn texts<'a>(rows: &'a [Row], get: impl Fn(&'a Row) -> Option<&'a str>) -> ArrayRef {
    Arc::new(rows.iter().map(get).collect::<StringArray>())
}

fn longs(rows: &[Row], get: impl Fn(&Row) -> Option<i64>) -> ArrayRef {
    Arc::new(rows.iter().map(get).collect::<Int64Array>())
}

fn given(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn column(rows: &[Row], name: &str) -> Option<ArrayRef> {
    Some(match name {
        "ts" => {
            let times: TimestampMicrosecondArray = rows.iter().map(|row| Some(row.ts)).collect();
            Arc::new(times.with_timezone("UTC"))
        }
        "client_ip" => texts(rows, |row| Some(&row.ip)),
        "client_asn" => longs(rows, |row| row.asn),
        "client_country" => texts(rows, |row| row.country),
        "method" => texts(rows, |row| given(row.method)),
        "host" => texts(rows, |row| given(&row.host)),
        "path" => texts(rows, |row| given(&row.path)),
        "query" => texts(rows, |row| row.query.as_deref()),
        "status" => {
            let status = |row: &Row| (row.status != 0).then_some(row.status);
            Arc::new(rows.iter().map(status).collect::<Int32Array>())
        }
        "response_bytes" => longs(rows, |row| Some(row.bytes)),
        "duration_us" => longs(rows, |row| row.duration_us),
        "user_agent" => texts(rows, |row| given(&row.agent)),
        "referer" => texts(rows, |row| row.referer.as_deref()),
        "cache_status" => texts(rows, |row| row.cache),
        "ja4" => texts(rows, |row| row.ja4),
        "malformed" => {
            let malformed: BooleanArray =
                rows.iter().map(|row| Some(row.path.is_empty())).collect();
            Arc::new(malformed)
        }
        "record_index" => Arc::new(Int32Array::from(vec![0; rows.len()])),
        _ => return None,
    })
}

/// Rows as a batch; columns that are not told of are null.
pub fn batch(rows: &[Row]) -> RequestBatch {
    let schema = REQUESTS.row_schema();
    let columns = schema.fields().iter().map(|field| {
        let column = column(rows, field.name())
            .unwrap_or_else(|| new_null_array(field.data_type(), rows.len()));
        debug_assert_eq!(column.len(), rows.len());
        column
    });
    let columns = columns.collect();
    RequestBatch::try_new(RecordBatch::try_new(schema, columns).unwrap()).unwrap()
}

/// Rows as a batch, with the time at which each arrived.
pub fn batch_arrived(rows: &[(Row, Option<i64>)]) -> RequestBatch {
    let plain: Vec<Row> = rows.iter().map(|(row, _)| row.clone()).collect();
    batch(&plain).with_arrivals(rows.iter().map(|(_, arrival)| *arrival).collect())
}
