//! A small lake: two hours of a shop on 2026-03-01, with a flood from 11:30 to 11:35.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::json::ReaderBuilder;
use arrow::util::display::array_value_to_string;
use deltalake::kernel::engine::arrow_conversion::TryIntoKernel as _;
use deltalake::operations::create::CreateBuilder;
use parquet::arrow::ArrowWriter;
use query::{Session, SessionOptions};
use schemas::Table;
use schemas::tables::{INCIDENTS, REJECTS, REQUESTS, SOURCE_WINDOWS, TARGET_WINDOWS};
use serde_json::{Value, json};
use tempfile::TempDir;
use url::Url;

/// `rows` as a batch of `table`, partition columns included.
pub(crate) fn batch(table: &Table, rows: &[Value]) -> RecordBatch {
    let mut decoder = ReaderBuilder::new(table.schema())
        .with_batch_size(rows.len().max(1))
        .build_decoder()
        .expect("a schema that JSON can hold");
    decoder.serialize(rows).expect("rows of the table");
    decoder.flush().expect("rows of the table").expect("rows")
}

/// Appends `rows` to `table` under `folder`, as one commit of one file a day.
pub(crate) async fn append(folder: &Path, table: &Table, rows: &[Value]) {
    let folder = folder.join(table.name);
    std::fs::create_dir_all(&folder).expect("a folder");
    if !folder.join("_delta_log").exists() {
        create(&folder, table).await;
    }
    let by_day = |row: &Value| table.partition_by.first().map(|day| row[day].to_string());
    let mut days: BTreeMap<Option<String>, Vec<Value>> = BTreeMap::new();
    for row in rows {
        days.entry(by_day(row)).or_default().push(row.clone());
    }
    let files = days.values().map(|rows| add(&folder, table, rows));
    commit(&folder, &files.collect::<Vec<_>>());
}

/// Makes an empty table.
async fn create(folder: &Path, table: &Table) {
    let columns: deltalake::kernel::StructType =
        table.schema().as_ref().try_into_kernel().expect("a schema that Delta can hold");
    CreateBuilder::new()
        .with_location(folder.to_string_lossy())
        .with_columns(columns.fields().cloned())
        .with_partition_columns(table.partition_by.to_vec())
        .await
        .expect("a table");
}

/// Writes a Parquet file of rows of one day.
///
/// - returns: the action that adds it.
pub(crate) fn add(folder: &Path, table: &Table, rows: &[Value]) -> Value {
    let rows = batch(table, rows);
    let of_file: Vec<usize> = (0..rows.num_columns())
        .filter(|at| !table.partition_by.contains(&rows.schema().field(*at).name().as_str()))
        .collect();
    let of_file = rows.project(&of_file).expect("columns");
    let day = table.partition_by.first().map(|day| {
        let column = rows.column_by_name(day).expect("a partition column");
        array_value_to_string(column, 0).expect("a day")
    });
    let count = std::fs::read_dir(folder).expect("a folder").count();
    let within = day.as_ref().map(|day| format!("date={day}/")).unwrap_or_default();
    std::fs::create_dir_all(folder.join(&within)).expect("a folder");
    let name = std::fs::read_dir(folder.join(&within)).expect("a folder").count();
    let path = format!("{within}part-{count}-{name}.parquet");
    let file = std::fs::File::create_new(folder.join(&path)).expect("a new file");
    let mut writer = ArrowWriter::try_new(file, of_file.schema(), None).expect("a Parquet file");
    writer.write(&of_file).expect("rows");
    writer.close().expect("a Parquet file");
    let size = std::fs::metadata(folder.join(&path)).expect("a file").len();
    let values = day.map_or_else(|| json!({}), |day| json!({ "date": day }));
    json!({"add": {
        "path": path, "size": size, "partitionValues": values, "modificationTime": 0, "dataChange": true,
        "stats": json!({"numRecords": rows.num_rows()}).to_string(),
    }})
}

/// Commits actions as the next version of a table.
pub(crate) fn commit(folder: &Path, actions: &[Value]) {
    let log = folder.join("_delta_log");
    let version = std::fs::read_dir(&log)
        .expect("a log")
        .filter(|entry| {
            entry.as_ref().is_ok_and(|of| of.path().extension() == Some("json".as_ref()))
        })
        .count();
    let lines: Vec<String> = actions.iter().map(Value::to_string).collect();
    std::fs::write(log.join(format!("{version:020}.json")), lines.join("\n")).expect("a commit");
}

/// Writes a checkpoint of the table in `folder`.
pub(crate) async fn checkpoint(folder: &Path) {
    let url = Url::from_directory_path(folder).expect("an absolute folder");
    let delta = deltalake::open_table(url).await.expect("a table");
    deltalake::checkpoints::create_checkpoint(&delta, None).await.expect("a checkpoint");
}

/// Adds the columns that `table` lacks under `folder`.
pub(crate) async fn widen(folder: &Path, table: &Table) {
    let url = Url::from_directory_path(folder.join(table.name)).expect("an absolute folder");
    let delta = deltalake::open_table(url).await.expect("a table");
    let known = delta.snapshot().expect("a snapshot").schema();
    let whole: deltalake::kernel::StructType =
        table.schema().as_ref().try_into_kernel().expect("a schema that Delta can hold");
    let new = whole.fields().filter(|field| known.field(field.name()).is_none());
    let new: Vec<_> = new.cloned().collect();
    delta.add_columns().with_fields(new).await.expect("a commit");
}

/// A lake with all of the fixture's rows.
pub(crate) async fn lake() -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    let mut requests: Vec<Value> = (0..720).map(ordinary).collect();
    requests.extend((0..1_200).map(flood));
    requests.push(hostile());
    append(folder.path(), &REQUESTS, &requests).await;
    append(folder.path(), &INCIDENTS, &incidents()).await;
    append(folder.path(), &TARGET_WINDOWS, &target_windows()).await;
    append(folder.path(), &SOURCE_WINDOWS, &source_windows()).await;
    append(folder.path(), &REJECTS, &rejects()).await;
    folder
}

/// A session over `folder`.
pub(crate) async fn open(folder: &Path) -> Session {
    let options = SessionOptions { target_partitions: Some(2), ..SessionOptions::default() };
    Session::open(&folder.to_string_lossy(), &options).await.expect("tables")
}

/// A lake and a session over it.
pub(crate) async fn lake_and_session() -> (TempDir, Arc<Session>) {
    let lake = lake().await;
    let session = Arc::new(open(lake.path()).await);
    (lake, session)
}

/// `seconds` after 10:00 on the day of the fixture.
fn at(seconds: u32) -> String {
    format!("2026-03-01T{:02}:{:02}:{:02}Z", 10 + seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// A request with what every row has, `seconds` after the start.
pub(crate) fn request(offset: u32, seconds: u32) -> Value {
    json!({
        "date": "2026-03-01", "ts": at(seconds), "edge": "ams1", "method": "GET", "scheme": "https",
        "protocol": "HTTP/2.0", "malformed": false, "topic": "edge", "topic_partition": 0,
        "topic_offset": offset, "record_index": 0,
    })
}

/// A row with more fields, or others.
pub(crate) fn with(mut row: Value, more: Value) -> Value {
    let (Value::Object(row_fields), Value::Object(more)) = (&mut row, more) else { return row };
    row_fields.extend(more);
    row
}

/// One request every ten seconds, from some fifty people.
fn ordinary(i: u32) -> Value {
    let client = if i % 3 == 2 {
        format!("2001:db8:1:{}::{}", i % 8, i % 5 + 1)
    } else {
        format!("198.51.100.{}", i % 40)
    };
    let path = ["/", "/search", "/cart", "/p/1", "/p/2"][i as usize % 5];
    let query = (path == "/search").then_some("q=shoes");
    let agent = if i.is_multiple_of(2) { "Mozilla/5.0 (X11)" } else { "Mozilla/5.0 (Mac)" };
    with(
        request(i, i * 10),
        json!({
            "client_ip": client, "client_asn": 64_500, "client_country": "NL", "host": "shop.example",
            "path": path, "query": query, "status": if i % 50 == 49 { 404 } else { 200 },
            "response_bytes": 1_000 + i % 7 * 100, "duration_us": 2_000 + i % 11 * 250,
            "user_agent": agent, "cache_status": if i.is_multiple_of(4) { "miss" } else { "hit" },
            "format": if i.is_multiple_of(3) { "combined" } else { "nginx_json" },
        }),
    )
}

/// Four requests a second for five minutes from 11:30, from four sources in two networks.
fn flood(i: u32) -> Value {
    let client = match i % 4 {
        3 => format!("2001:db8:bad:1::{:x}", i % 1_000),
        source => format!("203.0.113.{}", 7 + source),
    };
    with(
        request(1_000 + i, 5_400 + i / 4),
        json!({
            "client_ip": client, "client_asn": 64_666, "client_country": "XX", "host": "shop.example",
            "path": "/search", "query": format!("q={i:05}"), "status": if i < 400 { 200 } else { 503 },
            "response_bytes": 300, "duration_us": 90_000, "user_agent": "flood/1.0",
            "cache_status": "miss",
        }),
    )
}

/// A request whose text would take over a terminal.
fn hostile() -> Value {
    with(
        request(5_000, 423),
        json!({
            "client_ip": "192.0.2.66", "host": "api.example", "path": "/\u{1b}]0;pwned\u{7}",
            "user_agent": "\u{1b}[31mred\u{202e}\u{9b}", "status": 400, "malformed": true,
        }),
    )
}

fn incident(id: &str, revision: u32, kind: &str, verdict: &str, severity: u32) -> Value {
    json!({
        "incident_id": id, "revision": revision, "state": if revision == 0 { "open" } else { "update" },
        "kind": kind, "verdict": verdict, "severity": severity, "confidence": 0.97,
        "first_ts": at(5_400), "detected_ts": at(5_404), "revision_ts": at(5_404 + revision * 60),
        "last_ts": at(5_403 + revision * 60), "requests": 16 + revision * 240,
        "excess_requests": 15 + revision * 239, "source_count": 4, "sources": [],
        "summary": format!("{kind} on shop.example"), "evidence": "[]",
    })
}

fn incidents() -> Vec<Value> {
    let shop = json!({
        "target_host": "shop.example", "target_path": "/search",
        "sources": ["203.0.113.7", "203.0.113.8", "203.0.113.9", "2001:db8:bad:1::/64"],
        "fingerprint": "path = '/search' AND user_agent = 'flood/1.0'",
        "fingerprint_recall": 1.0, "fingerprint_precision": 0.99, "fingerprint_collateral": 0.0,
        "technique": "T1499.002",
    });
    let mut rows: Vec<Value> = (0..3)
        .map(|revision| with(incident("a1", revision, "http_flood", "attack", 85), shop.clone()))
        .collect();
    rows[2] = with(
        rows[2].clone(),
        json!({
            "state": "close", "closed_ts": at(5_760), "last_ts": at(5_699), "requests": 1_200,
            "excess_requests": 1_170,
        }),
    );
    let api = json!({ "target_host": "api.example" });
    rows.push(with(incident("b2", 0, "credential_stuffing", "suspicious", 45), api.clone()));
    rows.push(with(incident("c3", 0, "flash_crowd", "benign", 10), shop));
    rows.push(with(incident("d4", 0, "scraping", "attack", 50), api.clone()));
    rows.push(with(incident("d4", 1, "scraping", "benign", 20), api));
    rows
}

fn target_windows() -> Vec<Value> {
    (88..96)
        .map(|minute: u32| {
            let flooded = (90..95).contains(&minute);
            json!({
                "date": "2026-03-01", "window_start": at(minute * 60), "window_end": at(minute * 60 + 60),
                "host": "shop.example", "requests": if flooded { 246 } else { 6 }, "late_requests": 0, "implausible_requests": 0, "corrected_requests": 0,
                "response_bytes": 9_000, "errors_4xx": 0, "errors_5xx": if flooded { 240 } else { 0 },
                "distinct_sources": 10, "distinct_paths": 5, "distinct_user_agents": 3,
                "entropy_path": if flooded { Some(0.2) } else { None },
                "baseline_requests": 9.5, "score": if flooded { 60.0 } else { 0.0 },
            })
        })
        .collect()
}

fn source_windows() -> Vec<Value> {
    ["203.0.113.7", "2001:db8:bad:1::/64"]
        .map(|source| {
            json!({
                "date": "2026-03-01", "window_start": at(5_400), "window_end": at(5_460),
                "source": source, "requests": 60, "response_bytes": 18_000, "errors_4xx": 0,
                "errors_5xx": 60, "distinct_paths": 1, "distinct_hosts": 1, "distinct_user_agents": 1,
                "entropy_path": 0.0, "entropy_query": 5.9, "baseline_requests": 4.0, "score": 80.5,
            })
        })
        .to_vec()
}

fn rejects() -> Vec<Value> {
    // `raw` is hexadecimal in JSON: ESC [ 31m, a backslash, a byte that is no UTF-8.
    [("1b5b33316d5cff", "not JSON"), ("7b7d", "no timestamp")]
        .iter()
        .zip(7..)
        .map(|((raw, reason), offset)| {
            json!({
                "ts": at(60), "topic": "edge", "topic_partition": 0, "topic_offset": offset,
                "record_index": 0, "reason": reason, "raw": raw,
            })
        })
        .collect()
}
