//! A small lake: a few requests of two hosts, a flood, and what is told of it.

use std::fs;
use std::path::Path;

use arrow::array::{Array as _, RecordBatch};
use arrow::json::ReaderBuilder;
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel as _;
use deltalake::operations::create::CreateBuilder;
use parquet::arrow::ArrowWriter;
use schemas::Table;
use schemas::tables::{INCIDENTS, REQUESTS};
use serde_json::{Value, json};
use tempfile::TempDir;

/// Day of everything here.
const DAY: &str = "2026-03-01";

/// What an attacker sends where a page or a file could take it for something else.
pub(crate) const HOSTILE: &str = "</td><script>alert(1)</script>\u{202e}&\"'";

/// A request of `client` for `path`, in second `second` of the day.
pub(crate) fn request(second: u32, client: &str, path: &str) -> Value {
    let time = format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60);
    json!({
        "date": DAY, "ts": format!("{DAY}T{time}Z"), "client_ip": client, "method": "GET", "host": "shop.example",
        "path": path, "status": 200, "user_agent": HOSTILE, "malformed": false, "topic": "edge",
        "topic_partition": 0, "topic_offset": second, "record_index": 0,
    })
}

/// A revision of the incident `id`.
pub(crate) fn incident(id: &str, revision: u32, state: &str) -> Value {
    let told = 610 + revision;
    json!({
        "incident_id": id, "revision": revision, "state": state, "kind": "http_flood", "verdict": "attack",
        "severity": 80, "confidence": 0.9, "target_host": "shop.example", "target_path": "/search",
        "first_ts": format!("{DAY}T00:10:00Z"), "detected_ts": format!("{DAY}T00:10:05Z"),
        "revision_ts": format!("{DAY}T{:02}:{:02}:{:02}Z", told / 3600, told / 60 % 60, told % 60), "last_ts": format!("{DAY}T00:10:30Z"),
        "requests": 900, "excess_requests": 880, "source_count": 3, "sources": ["203.0.113.0/24"],
        "fingerprint": "path = '/search'", "fingerprint_recall": 0.99, "fingerprint_recall_lower": 0.98,
        "fingerprint_precision": 1.0, "fingerprint_collateral": 0.0, "fingerprint_collateral_upper": 0.01,
        "technique": "T1498", "summary": format!("a flood {HOSTILE}"),
        "evidence": json!([{"feature": "rate", "expected": 1, "observed": 30, "score": 99.0}]).to_string(),
    })
}

/// A lake with requests and one incident.
pub(crate) async fn lake() -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    let requests: Vec<Value> = (0..1_000)
        .map(|second| match second {
            600..630 => request(second, "203.0.113.7", "/search"),
            _ => request(second, "198.51.100.1", "/"),
        })
        .collect();
    append(folder.path(), &REQUESTS, &requests).await;
    append(folder.path(), &INCIDENTS, &[incident("a1", 0, "open")]).await;
    folder
}

/// Appends `rows` of one day to `table` under `folder`, as one commit of one file.
pub(crate) async fn append(folder: &Path, table: &Table, rows: &[Value]) {
    let folder = folder.join(table.name);
    fs::create_dir_all(&folder).expect("a folder");
    let log = folder.join("_delta_log");
    if !log.exists() {
        let columns: deltalake::kernel::StructType =
            table.schema().as_ref().try_into_kernel().expect("a schema that Delta can hold");
        CreateBuilder::new()
            .with_location(folder.to_string_lossy())
            .with_columns(columns.fields().cloned())
            .with_partition_columns(table.partition_by.to_vec())
            .await
            .expect("a table");
    }
    let version = fs::read_dir(&log).expect("a log").count();
    let path = format!("part-{version}.parquet");
    let rows = of_file(table, rows);
    let file = fs::File::create_new(folder.join(&path)).expect("a new file");
    let mut writer = ArrowWriter::try_new(file, rows.schema(), None).expect("a Parquet file");
    writer.write(&rows).expect("rows");
    writer.close().expect("a Parquet file");
    let size = fs::metadata(folder.join(&path)).expect("a file").len();
    let days: Value =
        table.partition_by.iter().map(|day| ((*day).to_owned(), json!(DAY))).collect();
    let add = json!({"add": {
        "path": path, "size": size, "partitionValues": days, "modificationTime": 0, "dataChange": true,
        "stats": json!({"numRecords": rows.num_rows()}).to_string(),
    }});
    fs::write(log.join(format!("{version:020}.json")), add.to_string()).expect("a commit");
}

/// `rows` with the columns that a data file has.
fn of_file(table: &Table, rows: &[Value]) -> RecordBatch {
    let mut decoder = ReaderBuilder::new(table.schema())
        .with_batch_size(rows.len().max(1))
        .build_decoder()
        .expect("a schema that JSON can hold");
    decoder.serialize(rows).expect("rows of the table");
    let whole = decoder.flush().expect("rows of the table").expect("rows");
    let keep = |name: &str| !table.partition_by.contains(&name);
    let schema = whole.schema();
    let kept = schema.fields().iter().enumerate().filter(|(_, field)| keep(field.name()));
    let kept: Vec<usize> = kept.map(|(at, _)| at).collect();
    let batch = whole.project(&kept).expect("columns");
    assert!(batch.columns().iter().all(|column| column.len() == rows.len()));
    batch
}
