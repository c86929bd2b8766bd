//! Goal: tables that any Delta reader understands, and clear words where they cannot be written.
#![cfg(test)]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::AsArray as _;
use arrow::datatypes::TimestampMicrosecondType;
use bytes::Bytes;
use chrono::DateTime;
use common::fault::{Fault, FaultStore, Plan};
use common::{
    T0, append, files, incident, memory_url, names, offsets, open, open_memory, point, positions,
    requests, rows,
};
use lake::{CommitPoint, Lake, LakeError, LakeOptions, Retry, RowKey};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use schemas::tables::{ALL, INCIDENTS, REQUESTS};
use url::Url;

const DAY: i64 = 86_400_000_000;

/// 9999-12-31T00:00:00Z, microseconds.
const LAST: i64 = 253_402_214_400_000_000;

#[tokio::test]
async fn a_folder_on_disk_holds_tables_that_reopen() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("new/data");
    let data = data.to_str().unwrap();
    for round in 0..3 {
        let mut lake = Lake::open(data, LakeOptions::default()).await.unwrap();
        let next = lake.begin("scan").await.unwrap();
        assert_eq!(next.get("edge/0").copied().unwrap_or_default(), round * 5);
        let state = lake.restore("scan").await.unwrap().map(|checkpoint| checkpoint.state);
        assert_eq!(state, (round > 0).then(|| Bytes::from(format!("state at {}", round * 5))));
        append(&mut lake, round * 5..round * 5 + 5, |_| T0).await;
        assert!(lake.buffered_bytes() > 0);
        let summary = lake.commit(point("scan", round * 5 + 5)).await.unwrap();
        assert_eq!((summary.rows("requests"), summary.sequence), (5, round + 1));
        assert_eq!(lake.positions("scan").await.unwrap(), positions([("edge/0", round * 5 + 5)]));
    }
    let table = |name: &str| Url::from_directory_path(format!("{data}/{name}")).unwrap();
    for of in ALL {
        deltalake::open_table(table(of.name)).await.unwrap();
    }
    let requests = deltalake::open_table(table("requests")).await.unwrap();
    assert_eq!(requests.version(), Some(3));
}

#[tokio::test]
async fn nothing_new_is_no_commit() {
    let store = Arc::new(InMemory::new());
    let mut lake = open_memory(&store).await;
    lake.begin("scan").await.unwrap();
    append(&mut lake, 0..3, |_| T0).await;
    lake.commit(point("scan", 3)).await.unwrap();
    let again = lake.commit(point("scan", 3)).await.unwrap();
    assert_eq!(again, lake::CommitSummary::default());
    // Positions alone are news: records that left no row.
    let moved = lake.commit(point("scan", 4)).await.unwrap();
    assert_eq!((moved.sequence, moved.tables.len()), (2, 1));
    assert_eq!(open(&store, "requests").await.version(), Some(2));
}

#[tokio::test]
async fn rows_go_to_the_folder_of_their_day() {
    let store = Arc::new(InMemory::new());
    let mut lake = open_memory(&store).await;
    lake.begin("scan").await.unwrap();
    // Ten days in turn: more than may be written at the same time.
    append(&mut lake, 0..100, |offset| T0 + offset % 10 * DAY).await;
    append(&mut lake, 100..200, |offset| T0 + offset % 10 * DAY + 5).await;
    append(&mut lake, 200..201, |_| i64::MAX).await;
    lake.commit(point("scan", 201)).await.unwrap();
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for (path, rows) in files(&store, "requests").await {
        let day = path.split_once("/part-").unwrap().0.to_owned();
        for time in rows["ts"].as_primitive::<TimestampMicrosecondType>().values() {
            let date = DateTime::from_timestamp_micros((*time).min(LAST)).unwrap().date_naive();
            assert_eq!(day, format!("date={date}"));
        }
        *found.entry(day).or_default() += rows.num_rows();
    }
    let expected: BTreeMap<_, _> = (1..=10)
        .map(|day| (format!("date=2026-01-{day:02}"), 20))
        .chain([("date=9999-12-31".to_owned(), 1)])
        .collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_mark_goes_with_its_partition_whatever_its_value() {
    let store = Arc::new(InMemory::new());
    let mut lake = open_memory(&store).await;
    lake.begin("scan").await.unwrap();
    for (next, mark) in [(3, 900), (6, 20), (9, 500)] {
        append(&mut lake, next - 3..next, |_| T0).await;
        let positions = positions([("edge/0", next), ("edge/0/content", mark)]);
        let point = CommitPoint { positions: positions.clone(), ..point("scan", next) };
        lake.commit(point).await.unwrap();
        assert_eq!(lake.positions("scan").await.unwrap(), positions);
        assert_eq!(lake.restore("scan").await.unwrap().unwrap().positions, positions);
    }
}

/// The actions of one kind in the commit of a version of `requests`.
async fn actions(store: &Arc<InMemory>, version: u64, kind: &str) -> Vec<serde_json::Value> {
    let path = Path::from(format!("data/requests/_delta_log/{version:020}.json"));
    let entry = store.get(&path).await.unwrap().bytes().await.unwrap();
    let lines = serde_json::Deserializer::from_slice(&entry).into_iter::<serde_json::Value>();
    lines.filter_map(|line| line.unwrap().get(kind).cloned()).collect()
}

#[tokio::test]
async fn the_log_tells_positions() {
    let store = Arc::new(InMemory::new());
    let mut lake = open_memory(&store).await;
    lake.begin("run/g/edge").await.unwrap();
    append(&mut lake, 7..10, |_| T0).await;
    lake.commit(point("run/g/edge", 10)).await.unwrap();
    let txns: Vec<String> =
        actions(&store, 1, "txn").await.iter().map(ToString::to_string).collect();
    assert_eq!(
        txns,
        [
            r#"{"appId":"floodmark/run/g/edge/base","version":1}"#.to_owned(),
            format!(r#"{{"appId":"floodmark/run/g/edge/closed","version":{}}}"#, T0 + 1),
            r#"{"appId":"floodmark/run/g/edge/edge/0","version":10}"#.to_owned(),
            r#"{"appId":"floodmark/run/g/edge/sequence","version":1}"#.to_owned(),
        ]
    );
}

#[tokio::test]
async fn statistics_are_exact() {
    let store = Arc::new(InMemory::new());
    let mut lake = open_memory(&store).await;
    lake.begin("scan").await.unwrap();
    let mut stats = Vec::new();
    for (version, offsets) in [(1, 7..10), (2, 10..12)] {
        append(&mut lake, offsets.clone(), |offset| T0 + offset).await;
        lake.commit(point("scan", offsets.end)).await.unwrap();
        let add = actions(&store, version, "add").await.remove(0);
        assert_eq!(add["partitionValues"], serde_json::json!({"date": "2026-01-01"}));
        let text = add["stats"].as_str().unwrap();
        stats.push(serde_json::from_str::<serde_json::Value>(text).unwrap());
    }
    assert_eq!(stats[0]["numRecords"], 3);
    assert_eq!(stats[0]["minValues"]["ts"], "2026-01-01T00:00:00.000007Z");
    assert_eq!(stats[0]["maxValues"]["ts"], "2026-01-01T00:00:00.000009Z");
    assert_eq!(stats[0]["maxValues"]["topic_offset"], 9);
    assert_eq!(stats[0]["minValues"]["host"], "7.example.org");
    assert_eq!(stats[0]["nullCount"]["duration_us"], 3);
    assert!(stats[1]["minValues"].get("host").is_none(), "a cut text is no exact bound");
}

#[tokio::test]
async fn the_log_is_checkpointed_and_read_from_there() {
    let store = Arc::new(InMemory::new());
    let options = LakeOptions { checkpoint_interval: 4, ..LakeOptions::default() };
    let again = || async {
        let store = Arc::<InMemory>::clone(&store);
        Lake::open_in(store, memory_url(), options.clone()).await.unwrap()
    };
    let mut lake = again().await;
    lake.begin("scan").await.unwrap();
    for offset in 0..4 {
        append(&mut lake, offset..offset + 1, |_| T0).await;
        lake.commit(point("scan", offset + 1)).await.unwrap();
    }
    // It is written beside the commits; the end of the lake waits for it.
    drop(lake);
    let log = names(&store, "data/requests/_delta_log").await;
    assert!(log.iter().any(|name| name.ends_with("00000000000000000004.checkpoint.parquet")));
    // The commits before the checkpoint are no longer needed.
    for version in 0..4 {
        let path = format!("data/requests/_delta_log/{version:020}.json");
        store.delete(&Path::from(path)).await.unwrap();
    }
    let mut lake = again().await;
    assert_eq!(lake.begin("scan").await.unwrap(), positions([("edge/0", 4)]));
    append(&mut lake, 4..5, |_| T0).await;
    lake.commit(point("scan", 5)).await.unwrap();
    assert_eq!(offsets(&store, "requests").await[&0], (0..5).collect::<Vec<i64>>());
    // Three checkpoints of the detector are kept.
    assert_eq!(names(&store, "data/_floodmark/checkpoints/scan").await.len(), 3);
}

#[tokio::test]
async fn another_version_or_layout_is_refused() {
    let store = Arc::new(InMemory::new());
    drop(open_memory(&store).await);
    let path = Path::from("data/incidents/_delta_log/00000000000000000000.json");
    let log = store.get(&path).await.unwrap().bytes().await.unwrap();
    let log = String::from_utf8(log.to_vec()).unwrap();
    let message = |changed: String| {
        let store = Arc::<InMemory>::clone(&store);
        let path = path.clone();
        async move {
            store.put(&path, changed.into()).await.unwrap();
            Lake::open_in(store, memory_url(), LakeOptions::default())
                .await
                .unwrap_err()
                .to_string()
        }
    };
    let version = r#""floodmark.schemaVersion":"1""#;
    assert!(log.contains(version), "{log}");
    expect_test::expect!["table `memory:///data/incidents` has schema version 99, this program writes version 1; use the program that wrote it, or another folder with --data"]
        .assert_eq(&message(log.replace(version, r#""floodmark.schemaVersion":"99""#)).await);
    expect_test::expect!["table `memory:///data/incidents` cannot be appended to: column `severity` is missing; use another folder with --data"]
        .assert_eq(&message(log.replace("severity", "gravity")).await);
}

/// A store with an `incidents` of one commit, as a program wrote it that knew nothing of the column.
async fn store_without(column: &str) -> Arc<InMemory> {
    let store = Arc::new(InMemory::new());
    let mut lake = open_memory(&store).await;
    lake.begin("scan").await.unwrap();
    lake.append(&INCIDENTS, &incident(T0), RowKey::Closed).await.unwrap();
    append(&mut lake, 0..3, |_| T0).await;
    lake.commit(point("scan", 3)).await.unwrap();
    let path = Path::from("data/incidents/_delta_log/00000000000000000000.json");
    let log = store.get(&path).await.unwrap().bytes().await.unwrap();
    let mut actions: Vec<serde_json::Value> =
        serde_json::Deserializer::from_slice(&log).into_iter().map(Result::unwrap).collect();
    for action in actions.iter_mut().filter_map(|action| action.get_mut("metaData")) {
        let text = action["schemaString"].as_str().unwrap();
        let mut schema: serde_json::Value = serde_json::from_str(text).unwrap();
        let fields = schema["fields"].as_array_mut().unwrap();
        fields.retain(|field| field["name"] != column);
        action["schemaString"] = schema.to_string().into();
    }
    let lines: Vec<String> = actions.iter().map(ToString::to_string).collect();
    store.put(&path, lines.join("\n").into()).await.unwrap();
    store
}

async fn columns(store: &Arc<InMemory>, table: &str) -> Vec<String> {
    let table = open(store, table).await;
    let schema = table.snapshot().unwrap().schema();
    schema.fields().map(|field| field.name().clone()).collect()
}

#[tokio::test]
async fn a_table_from_before_a_column_came_is_written_on_and_has_it_then() {
    let store = store_without("campaign_id").await;
    let has = |columns: &[String]| columns.iter().any(|name| name == "campaign_id");
    assert!(!has(&columns(&store, "incidents").await));
    let shared: Arc<dyn ObjectStore> = Arc::<InMemory>::clone(&store);
    let checked = lake::check_in(shared, memory_url(), &lake::Unwatched).await.unwrap();
    assert!(checked.faults.is_empty(), "{:?}", checked.faults);
    assert!(!has(&columns(&store, "incidents").await), "a check writes nothing");
    let mut lake = open_memory(&store).await;
    assert!(has(&columns(&store, "incidents").await));
    assert_eq!(lake.begin("scan").await.unwrap(), positions([("edge/0", 3)]));
    lake.append(&INCIDENTS, &incident(T0 + 1), RowKey::Closed).await.unwrap();
    append(&mut lake, 3..5, |_| T0).await;
    lake.commit(CommitPoint { closed_us: T0 + 2, ..point("scan", 5) }).await.unwrap();
    assert_eq!(rows(&store, "incidents").await, 2);
    // Opened again there is nothing to do.
    let version = open(&store, "incidents").await.version();
    drop(open_memory(&store).await);
    assert_eq!(open(&store, "incidents").await.version(), version);
}

#[tokio::test]
async fn a_writer_goes_on_when_another_adds_a_column() {
    let store = store_without("campaign_id").await;
    let (mut one, mut two) = (open_memory(&store).await, open_memory(&store).await);
    one.begin("run/one/edge").await.unwrap();
    two.begin("run/two/edge").await.unwrap();
    for (lake, lineage) in [(&mut one, "run/one/edge"), (&mut two, "run/two/edge")] {
        lake.append(&INCIDENTS, &incident(T0), RowKey::Closed).await.unwrap();
        append(lake, 0..2, |_| T0).await;
        lake.commit(point(lineage, 2)).await.unwrap();
    }
    assert_eq!(rows(&store, "incidents").await, 3);
}

#[tokio::test]
async fn foreign_files_are_not_taken_for_a_table() {
    let store = Arc::new(InMemory::new());
    store.put(&Path::from("data/rejects/photo.jpg"), "x".into()).await.unwrap();
    let opened = Lake::open_in(store, memory_url(), LakeOptions::default()).await;
    expect_test::expect!["`memory:///data/rejects` is not a Delta table: it has no Delta log, but holds `photo.jpg`; choose an empty folder with --data, or move it away"]
        .assert_eq(&opened.unwrap_err().to_string());
}

#[tokio::test]
async fn a_place_that_cannot_be_written_is_said_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "in the way").unwrap();
    let below = file.join("data");
    let error = Lake::open(below.to_str().unwrap(), LakeOptions::default()).await.unwrap_err();
    assert!(matches!(error, LakeError::NotWritable { .. }), "{error:?}");

    let store = Arc::new(InMemory::new());
    let denied = std::io::ErrorKind::PermissionDenied;
    let store = FaultStore::planned(&store, Plan { kind: denied, ..Plan::death(Fault::Before, 0) });
    let opened = Lake::open_in(store, memory_url(), LakeOptions::default()).await;
    expect_test::expect!["cannot write to `memory:///data/_floodmark`: as planned; check owner and permissions, or choose another place with --data"]
        .assert_eq(&opened.unwrap_err().to_string());
}

#[cfg(unix)]
#[tokio::test]
async fn a_read_only_folder_is_said_at_once() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o555)).unwrap();
    if std::fs::write(data.join("probe"), "").is_ok() {
        return; // The superuser may write anywhere.
    }
    let error = Lake::open(data.to_str().unwrap(), LakeOptions::default()).await.unwrap_err();
    assert!(matches!(error, LakeError::NotWritable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_full_disk_is_named_and_loses_nothing() {
    let store = Arc::new(InMemory::new());
    drop(open_memory(&store).await);
    let full = std::io::ErrorKind::StorageFull;
    // Write 0 is the probe, write 1 the data file.
    let faulty =
        FaultStore::planned(&store, Plan { kind: full, ..Plan::stumble(Fault::Before, 1) });
    let mut lake = Lake::open_in(faulty, memory_url(), LakeOptions::default()).await.unwrap();
    lake.begin("scan").await.unwrap();
    append(&mut lake, 0..4, |_| T0).await;
    let error = lake.commit(point("scan", 4)).await.unwrap_err();
    assert!(matches!(error, LakeError::DiskFull { .. }), "{error:?}");
    assert!(error.to_string().starts_with("disk full while writing `write date=2026-01-01/part-"));
    assert_eq!(error.retry(), Retry::WithBackoff);
    assert_eq!(lake.commit(point("scan", 4)).await.unwrap().rows("requests"), 4);
}

#[tokio::test]
async fn a_damaged_checkpoint_is_not_used() {
    let store = Arc::new(InMemory::new());
    let mut lake = open_memory(&store).await;
    lake.begin("scan").await.unwrap();
    append(&mut lake, 0..4, |_| T0).await;
    lake.commit(point("scan", 4)).await.unwrap();
    let [name] = <[_; 1]>::try_from(names(&store, "data/_floodmark/checkpoints").await).unwrap();
    store.put(&Path::from(name), "half".into()).await.unwrap();
    let mut lake = open_memory(&store).await;
    assert_eq!(lake.begin("scan").await.unwrap(), positions([("edge/0", 4)]));
    assert_eq!(lake.restore("scan").await.unwrap(), None);
    append(&mut lake, 4..5, |_| T0).await;
    lake.commit(point("scan", 5)).await.unwrap();
    assert!(open_memory(&store).await.restore("scan").await.unwrap().is_some());
}

#[tokio::test]
async fn full_files_are_uploaded_before_the_commit() {
    let store = Arc::new(InMemory::new());
    let options = LakeOptions {
        target_file_bytes: 2_000,
        row_group_rows: 100,
        upload_bytes_max: 4_000,
        ..LakeOptions::default()
    };
    let store_again = Arc::<InMemory>::clone(&store);
    let mut lake = Lake::open_in(store_again, memory_url(), options).await.unwrap();
    lake.begin("scan").await.unwrap();
    for start in 0..50 {
        append(&mut lake, start * 100..start * 100 + 100, |_| T0).await;
    }
    let uploaded = names(&store, "data/requests/date=2026-01-01").await.len();
    assert!(uploaded > 10, "{uploaded} files");
    let summary = lake.commit(point("scan", 5_000)).await.unwrap();
    assert_eq!(summary.rows("requests"), 5_000);
    assert_eq!(lake.buffered_bytes(), 0);
    assert_eq!(offsets(&store, "requests").await[&0], (0..5_000).collect::<Vec<i64>>());
}

#[tokio::test]
async fn a_history_must_be_begun() {
    let store = Arc::new(InMemory::new());
    let mut lake = open_memory(&store).await;
    let rows = requests(0, 0..1, |_| T0);
    let error = lake.append(&REQUESTS, &rows, RowKey::Partition("edge/0")).await.unwrap_err();
    assert!(matches!(error, LakeError::Lineage { .. }), "{error}");
    lake.begin("scan").await.unwrap();
    let error = lake.commit(point("run/g/edge", 1)).await.unwrap_err();
    expect_test::expect!["history `run/g/edge` was not begun (begun: `scan`)"]
        .assert_eq(&error.to_string());
}
