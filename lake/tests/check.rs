//! Goal: a lake that is whole is said to be, and each way in which it is not is named.
#![cfg(test)]

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use common::{T0, files, memory_url, positions, rejects, requests};
use futures::TryStreamExt as _;
use lake::{
    Checked, CommitPoint, Lake, LakeOptions, RowKey, Unwatched, Upkeep, check_in, maintain_in,
};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use schemas::tables::{REJECTS, REQUESTS};

/// Commits the offsets of one partition, the last of them as a reject.
async fn fill(store: &Arc<InMemory>, group: &str, offsets: std::ops::Range<i64>) {
    let store: Arc<dyn ObjectStore> = Arc::<InMemory>::clone(store);
    let mut lake = Lake::open_in(store, memory_url(), LakeOptions::default()).await.unwrap();
    let lineage = format!("run/{group}/edge");
    lake.begin(lineage.as_str()).await.unwrap();
    let key = RowKey::Partition("edge/0");
    let rows = requests(0, offsets.start..offsets.end - 1, |offset| T0 + offset);
    lake.append(&REQUESTS, &rows, key).await.unwrap();
    lake.append(&REJECTS, &rejects(0, offsets.end - 1..offsets.end), key).await.unwrap();
    let point = CommitPoint {
        history: lineage.as_str().into(),
        positions: positions([("edge/0", offsets.end)]),
        begun: BTreeMap::new(),
        rest: Bytes::new(),
        closed_us: T0,
        state: Bytes::from_static(b"state"),
    };
    lake.commit(point).await.unwrap();
}

async fn checked(store: &Arc<InMemory>) -> Checked {
    check_in(Arc::<InMemory>::clone(store), memory_url(), &Unwatched).await.unwrap()
}

async fn faults(store: &Arc<InMemory>) -> Vec<String> {
    let checked = checked(store).await;
    assert_eq!(checked.fault_count, checked.faults.len());
    checked.faults.into_iter().map(|fault| format!("{}: {}", fault.table, fault.what)).collect()
}

/// Path of the one data file of `requests`.
async fn data_file(store: &Arc<InMemory>) -> Path {
    let (path, _) = files(store, "requests").await.remove(0);
    Path::from(format!("data/requests/{path}"))
}

#[tokio::test]
async fn a_whole_lake_has_no_fault_maintained_or_not() {
    let store = Arc::new(InMemory::new());
    for start in [0, 10, 20] {
        fill(&store, "g", start..start + 10).await;
    }
    let before = checked(&store).await;
    assert_eq!((before.files, before.rows, before.fault_count), (6, 30, 0), "{before:?}");
    assert_eq!(before.notes, <[String; 0]>::default());
    let now = chrono::Utc::now() + chrono::TimeDelta::hours(3);
    let how = Upkeep { at_once: true, ..Upkeep::default() };
    let shared: Arc<dyn ObjectStore> = Arc::<InMemory>::clone(&store);
    maintain_in(shared, memory_url(), &how, now, &Unwatched).await.unwrap();
    let after = checked(&store).await;
    assert_eq!((after.files, after.rows, after.fault_count), (2, 30, 0), "{after:?}");
}

#[tokio::test]
async fn a_file_that_is_gone_or_another_is_named() {
    let store = Arc::new(InMemory::new());
    fill(&store, "g", 0..10).await;
    let path = data_file(&store).await;
    let bytes = store.get(&path).await.unwrap().bytes().await.unwrap();
    store.put(&path, bytes.slice(1..).into()).await.unwrap();
    let found = faults(&store).await;
    assert!(found[0].contains("bytes, the log says"), "{found:?}");
    store.put(&path, vec![0; bytes.len()].into()).await.unwrap();
    let found = faults(&store).await;
    assert!(found[0].contains("it cannot be read"), "{found:?}");
    store.delete(&path).await.unwrap();
    let found = faults(&store).await;
    assert!(found[0].ends_with("it is gone"), "{found:?}");
}

#[tokio::test]
async fn rows_that_two_groups_wrote_are_seen() {
    let store = Arc::new(InMemory::new());
    fill(&store, "g", 0..10).await;
    fill(&store, "other", 5..12).await;
    let found = faults(&store).await;
    assert!(
        found.iter().any(|fault| fault.contains("5 positions of `edge/0` are in two rows")),
        "{found:?}"
    );
}

#[tokio::test]
async fn offsets_without_a_row_are_worth_knowing() {
    let store = Arc::new(InMemory::new());
    fill(&store, "g", 0..10).await;
    fill(&store, "g", 14..20).await;
    let checked = checked(&store).await;
    assert_eq!(checked.fault_count, 0);
    let notes = checked.notes.join("\n");
    assert!(notes.contains("4 offsets have no row, the first of them 10"), "{notes}");
}

#[tokio::test]
async fn a_state_that_cannot_be_read_is_a_fault() {
    let store = Arc::new(InMemory::new());
    fill(&store, "g", 0..10).await;
    let below = Path::from("data/_floodmark/checkpoints");
    let all: Vec<_> = store.list(Some(&below)).try_collect().await.unwrap();
    store.put(&all[0].location, "damaged".into()).await.unwrap();
    let found = faults(&store).await;
    assert!(found[0].contains("the state of the detector of `run/g/edge`"), "{found:?}");
    store.delete(&all[0].location).await.unwrap();
    let checked = checked(&store).await;
    assert_eq!(checked.fault_count, 0);
    assert!(checked.notes[0].contains("starts anew"), "{:?}", checked.notes);
}
