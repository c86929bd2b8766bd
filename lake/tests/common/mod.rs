//! Rows to write, a store that fails on demand ([`fault`]), and a reader of its own.
#![allow(dead_code, reason = "each test binary uses a part")]

pub mod fault;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray as _, BinaryArray, BooleanArray, Int32Array, Int64Array, RecordBatch,
    StringArray, TimestampMicrosecondArray, new_null_array,
};
use arrow::compute::concat_batches;
use arrow::datatypes::{Int32Type, Int64Type};
use bytes::Bytes;
use deltalake::DeltaTable;
use deltalake::logstore::{StorageConfig, logstore_with};
use futures::TryStreamExt as _;
use lake::{CommitPoint, Lake, LakeOptions, RowKey};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use schemas::incident::incident_rows;
use schemas::tables::{REJECTS, REQUESTS};
use schemas::{Incident, Kind, State, Verdict};
use url::Url;

/// 2026-01-01T00:00:00Z, microseconds.
pub const T0: i64 = 1_767_225_600_000_000;

/// Rows of `requests` at the offsets, with the time of each given by `time`.
pub fn requests(partition: i32, offsets: Range<i64>, time: impl Fn(i64) -> i64) -> RecordBatch {
    let rows = usize::try_from(offsets.end - offsets.start).unwrap();
    let schema = REQUESTS.row_schema();
    let columns = schema.fields().iter().map(|field| -> ArrayRef {
        match field.name().as_str() {
            "ts" => {
                let times: TimestampMicrosecondArray =
                    offsets.clone().map(&time).map(Some).collect();
                Arc::new(times.with_timezone("UTC"))
            }
            "client_ip" => Arc::new(StringArray::from_iter_values(
                offsets.clone().map(|offset| format!("10.0.0.{}", offset % 250)),
            )),
            // Every tenth is longer than statistics keep.
            "host" => Arc::new(StringArray::from_iter_values(offsets.clone().map(|offset| {
                let long = if offset % 10 == 0 { "x".repeat(80) } else { String::new() };
                format!("{offset}{long}.example.org")
            }))),
            "status" => Arc::new(Int32Array::from_iter_values(offsets.clone().map(|_| 200))),
            "malformed" => Arc::new(BooleanArray::from(vec![false; rows])),
            "topic" => Arc::new(StringArray::from(vec!["edge"; rows])),
            "topic_partition" => Arc::new(Int32Array::from(vec![partition; rows])),
            "topic_offset" => Arc::new(Int64Array::from_iter_values(offsets.clone())),
            "record_index" => Arc::new(Int32Array::from(vec![0; rows])),
            _ => new_null_array(field.data_type(), rows),
        }
    });
    RecordBatch::try_new(Arc::clone(&schema), columns.collect()).unwrap()
}

/// Rows of `rejects` at the offsets.
pub fn rejects(partition: i32, offsets: Range<i64>) -> RecordBatch {
    let rows = usize::try_from(offsets.end - offsets.start).unwrap();
    let times = TimestampMicrosecondArray::from(vec![T0; rows]).with_timezone("UTC");
    let columns: Vec<ArrayRef> = vec![
        Arc::new(times),
        Arc::new(StringArray::from(vec!["edge"; rows])),
        Arc::new(Int32Array::from(vec![partition; rows])),
        Arc::new(Int64Array::from_iter_values(offsets)),
        Arc::new(Int32Array::from(vec![0; rows])),
        Arc::new(StringArray::from(vec!["not JSON"; rows])),
        Arc::new(BinaryArray::from_vec(vec![b"\xff\0".as_slice(); rows])),
    ];
    RecordBatch::try_new(REJECTS.row_schema(), columns).unwrap()
}

/// One incident revision, decided at an event time.
pub fn incident(revision_ts: i64) -> RecordBatch {
    incident_rows(&[Incident {
        incident_id: format!("i{revision_ts}"),
        revision: 0,
        state: State::Open,
        kind: Kind::HttpFlood,
        verdict: Verdict::Attack,
        revision_ts,
        sources: vec!["10.0.0.1".into()],
        ..blank_incident()
    }])
    .unwrap()
}

fn blank_incident() -> Incident {
    const START: &str = "1970-01-01T00:00:00Z";
    serde_json::from_value(serde_json::json!({
        "incident_id": "", "revision": 0, "state": "open", "kind": "http_flood",
        "verdict": "attack", "severity": 0, "confidence": 0.0, "target_host": null,
        "target_path": null, "first_ts": START, "detected_ts": START, "revision_ts": START, "last_ts": START,
        "closed_ts": null, "requests": 0, "excess_requests": 0, "source_count": 0, "sources": [],
        "fingerprint": null, "fingerprint_recall": null, "fingerprint_precision": null,
        "fingerprint_collateral": null, "technique": null, "summary": "", "evidence": [],
    }))
    .unwrap()
}

/// Positions from pairs.
pub fn positions<const N: usize>(pairs: [(&str, i64); N]) -> BTreeMap<String, i64> {
    pairs.into_iter().map(|(partition, next)| (partition.to_owned(), next)).collect()
}

/// The data location of stores in memory.
pub fn memory_url() -> Url {
    Url::parse("memory:///data").unwrap()
}

/// Opens a table of a store at hand.
pub async fn open(store: &Arc<InMemory>, table: &str) -> DeltaTable {
    let url = memory_url().join(&format!("data/{table}/")).unwrap();
    let store: Arc<dyn ObjectStore> = Arc::<InMemory>::clone(store);
    let log = logstore_with(store, &url, StorageConfig::default()).unwrap();
    let mut table = DeltaTable::new(log);
    table.load().await.unwrap();
    table
}

/// What a table holds: each file's path and rows.
pub async fn files(store: &Arc<InMemory>, table: &str) -> Vec<(String, RecordBatch)> {
    let table = open(store, table).await;
    let root = table.table_url().to_string();
    let mut files = Vec::new();
    for uri in table.get_file_uris().unwrap() {
        let path = uri.strip_prefix(&root).unwrap().to_owned();
        let object = Path::from_url_path(path.clone()).unwrap();
        let bytes = table.object_store().get(&object).await.unwrap().bytes().await.unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().build().unwrap();
        let batches: Vec<_> = reader.collect::<Result<_, _>>().unwrap();
        let rows = concat_batches(batches[0].schema_ref(), &batches).unwrap();
        files.push((path, rows));
    }
    files
}

/// All rows of a table.
pub async fn rows(store: &Arc<InMemory>, table: &str) -> usize {
    files(store, table).await.iter().map(|(_, rows)| rows.num_rows()).sum()
}

/// The offsets in a table, sorted, by partition of the input.
pub async fn offsets(store: &Arc<InMemory>, table: &str) -> BTreeMap<i32, Vec<i64>> {
    let mut offsets: BTreeMap<i32, Vec<i64>> = BTreeMap::new();
    for (_, rows) in files(store, table).await {
        let partitions = rows["topic_partition"].as_primitive::<Int32Type>().values().iter();
        let found = rows["topic_offset"].as_primitive::<Int64Type>().values().iter();
        for (partition, offset) in partitions.zip(found) {
            offsets.entry(*partition).or_default().push(*offset);
        }
    }
    for offsets in offsets.values_mut() {
        offsets.sort_unstable();
    }
    offsets
}

/// A point of a history that has read so far of one partition.
pub fn point(lineage: &str, next: i64) -> CommitPoint {
    CommitPoint {
        history: lineage.into(),
        positions: positions([("edge/0", next)]),
        begun: BTreeMap::new(),
        rest: Bytes::new(),
        closed_us: T0,
        state: Bytes::from(format!("state at {next}")),
    }
}

/// The tables of a store in memory.
pub async fn open_memory(store: &Arc<InMemory>) -> Lake {
    let store = Arc::<InMemory>::clone(store);
    Lake::open_in(store, memory_url(), LakeOptions::default()).await.unwrap()
}

/// Appends requests of one partition.
pub async fn append(lake: &mut Lake, offsets: Range<i64>, time: impl Fn(i64) -> i64) {
    let rows = requests(0, offsets, time);
    lake.append(&REQUESTS, &rows, RowKey::Partition("edge/0")).await.unwrap();
}

/// Names of the objects below a folder, sorted as the store lists them.
pub async fn names(store: &Arc<InMemory>, prefix: &str) -> Vec<String> {
    let objects: Vec<_> = store.list(Some(&Path::from(prefix))).try_collect().await.unwrap();
    objects.into_iter().map(|object| object.location.to_string()).collect()
}
