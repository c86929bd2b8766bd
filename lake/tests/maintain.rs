//! Goal: however often tables are maintained, stopped or cut short meanwhile, they hold the same rows in fewer files.
#![cfg(test)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::AsArray as _;
use arrow::datatypes::TimestampMicrosecondType;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use common::fault::{Fault, FaultStore};
use common::{T0, files, memory_url, offsets, open, positions, requests};
use futures::TryStreamExt as _;
use lake::{
    CommitPoint, Lake, LakeError, LakeOptions, Pace, RowKey, TableUpkeep, Unwatched, Upkeep, Watch,
    maintain_in,
};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use schemas::tables::REQUESTS;

const LINEAGE: &str = "run/test/edge";
const ROWS: i64 = 10;

/// Three hours from now: what was written before is settled, and a day that was over then is closed.
fn later() -> DateTime<Utc> {
    Utc::now() + TimeDelta::hours(3)
}

async fn consumer(store: &Arc<InMemory>) -> Lake {
    let store: Arc<dyn ObjectStore> = Arc::<InMemory>::clone(store);
    let mut lake = Lake::open_in(store, memory_url(), LakeOptions::default()).await.unwrap();
    lake.begin(LINEAGE).await.unwrap();
    lake
}

/// Commits so many times ten rows, at a time given by their offset.
async fn commits(lake: &mut Lake, numbers: std::ops::Range<i64>, time: impl Fn(i64) -> i64) {
    for number in numbers {
        let rows = requests(0, number * ROWS..(number + 1) * ROWS, &time);
        lake.append(&REQUESTS, &rows, RowKey::Partition("edge/0")).await.unwrap();
        let point = CommitPoint {
            history: LINEAGE.into(),
            positions: positions([("edge/0", (number + 1) * ROWS)]),
            begun: BTreeMap::new(),
            rest: Bytes::new(),
            closed_us: T0,
            state: Bytes::from_static(b"state"),
        };
        lake.commit(point).await.unwrap();
    }
}

/// A table of so many commits, all of a day that is over.
async fn filled(count: i64) -> Arc<InMemory> {
    let store = Arc::new(InMemory::new());
    commits(&mut consumer(&store).await, 0..count, |offset| T0 + offset).await;
    store
}

async fn upkeep(
    store: Arc<dyn ObjectStore>,
    upkeep: &Upkeep,
    now: DateTime<Utc>,
) -> Result<Vec<TableUpkeep>, LakeError> {
    maintain_in(store, memory_url(), upkeep, now, &Unwatched).await
}

async fn of_requests(store: &Arc<InMemory>, how: &Upkeep, now: DateTime<Utc>) -> TableUpkeep {
    let all = upkeep(Arc::<InMemory>::clone(store), how, now).await.unwrap();
    all.into_iter().find(|done| done.table == "requests").unwrap()
}

/// Data files of `requests` in the store, whether the table knows them or not.
async fn stored(store: &Arc<InMemory>) -> BTreeSet<String> {
    let below = Path::from("data/requests");
    let all: Vec<_> = store.list(Some(&below)).try_collect().await.unwrap();
    let data = all.into_iter().filter(|object| !object.location.as_ref().contains("_delta_log"));
    data.map(|object| object.location.to_string()).collect()
}

fn whole(commits: i64) -> BTreeMap<i32, Vec<i64>> {
    BTreeMap::from([(0, (0..commits * ROWS).collect())])
}

#[tokio::test]
async fn a_day_that_is_over_becomes_one_file_in_order_of_host_and_time() {
    let store = filled(20).await;
    let done = of_requests(&store, &Upkeep::default(), later()).await;
    assert_eq!((done.files, done.rewritten), ((20, 1), 200));
    let found = files(&store, "requests").await;
    let [(path, rows)] = found.as_slice() else { panic!("{} files", found.len()) };
    assert!(path.starts_with("date=2026-01-01/sorted-"), "{path}");
    let hosts = rows["host"].as_string::<i32>();
    let times = rows["ts"].as_primitive::<TimestampMicrosecondType>();
    let keys: Vec<_> =
        (0..rows.num_rows()).map(|row| (hosts.value(row), times.value(row))).collect();
    assert!(keys.is_sorted());
    assert_eq!(offsets(&store, "requests").await, whole(20));
    let again = of_requests(&store, &Upkeep::default(), later()).await;
    assert_eq!((again.files, again.rewritten), ((1, 1), 0), "what is done is left alone");
}

#[tokio::test]
async fn one_client_is_looked_for_by_a_bloom_filter() {
    let store = filled(3).await;
    of_requests(&store, &Upkeep::default(), later()).await;
    let (path, _) = files(&store, "requests").await.remove(0);
    let table = open(&store, "requests").await;
    let object = Path::from_url_path(path).unwrap();
    let bytes = table.object_store().get(&object).await.unwrap().bytes().await.unwrap();
    let file = SerializedFileReader::new(bytes).unwrap();
    let group = file.metadata().row_group(0);
    let filtered = group.columns().iter().filter(|column| column.bloom_filter_offset().is_some());
    let mut names: Vec<_> = filtered.map(|column| column.column_path().string()).collect();
    names.sort();
    assert_eq!(names, ["client_ip", "request_id"]);
    let ordered_by = group.sorting_columns().unwrap();
    let name = |index: i32| group.column(usize::try_from(index).unwrap()).column_path().string();
    let order: Vec<_> = ordered_by.iter().map(|column| name(column.column_idx)).collect();
    assert_eq!(order, ["host", "ts"]);
}

#[tokio::test]
async fn the_present_day_is_merged_in_order_of_time() {
    let store = Arc::new(InMemory::new());
    let mut lake = consumer(&store).await;
    let soon = Utc::now() + TimeDelta::minutes(6);
    let midnight = soon.date_naive().and_hms_opt(0, 0, 0).unwrap().and_utc().timestamp_micros();
    commits(&mut lake, 0..20, |offset| midnight + offset).await;
    let done = of_requests(&store, &Upkeep::default(), soon).await;
    assert_eq!(done.files, (20, 1));
    let (path, rows) = files(&store, "requests").await.remove(0);
    assert!(path.contains("/merged-"), "{path}");
    let times = rows["ts"].as_primitive::<TimestampMicrosecondType>();
    assert!(times.values().is_sorted());
    commits(&mut lake, 20..21, |offset| midnight + offset).await;
    assert_eq!(offsets(&store, "requests").await, whole(21));
}

#[tokio::test]
async fn a_writer_goes_on_beside_it() {
    let store = filled(20).await;
    let mut lake = consumer(&store).await;
    let how = Upkeep::default();
    let (done, ()) = futures::join!(of_requests(&store, &how, later()), async {
        for number in 20..60 {
            commits(&mut lake, number..number + 1, |offset| T0 + offset).await;
            tokio::task::yield_now().await;
        }
    });
    assert!(done.files.0 >= 20 && done.rewritten >= 200, "{done:?}");
    assert_eq!(offsets(&store, "requests").await, whole(60));
    let next = lake.begin(LINEAGE).await.unwrap();
    assert_eq!(next, positions([("edge/0", 60 * ROWS)]), "the positions are what they were");
    assert!(lake.restore(LINEAGE).await.unwrap().is_some());
}

#[tokio::test]
async fn old_dates_go_and_the_rest_stays() {
    const DAY_US: i64 = 86_400_000_000;
    let store = Arc::new(InMemory::new());
    let mut lake = consumer(&store).await;
    commits(&mut lake, 0..4, |offset| T0 + offset / ROWS * DAY_US).await;
    let how = Upkeep { keep: Some(TimeDelta::days(2)), ..Upkeep::default() };
    let now = DateTime::from_timestamp_micros(T0 + 4 * DAY_US + DAY_US / 2).unwrap();
    let done = of_requests(&store, &how, now).await;
    assert_eq!((done.files, done.expired), ((4, 2), 20));
    let kept: Vec<i64> = (2 * ROWS..4 * ROWS).collect();
    assert_eq!(offsets(&store, "requests").await, BTreeMap::from([(0, kept)]));
    let next = lake.begin(LINEAGE).await.unwrap();
    assert_eq!(next, positions([("edge/0", 4 * ROWS)]), "nothing is read again");
}

#[tokio::test]
async fn what_nobody_needs_is_deleted_after_the_grace() {
    let store = filled(5).await;
    let orphan = Path::from("data/requests/date=2026-01-01/part-orphan.zstd.parquet");
    let foreign = Path::from("data/requests/_symlink_format_manifest/x.parquet");
    for path in [&orphan, &foreign] {
        store.put(path, "left by a crash".into()).await.unwrap();
    }
    let before = stored(&store).await;
    let soon = of_requests(&store, &Upkeep::default(), Utc::now() + TimeDelta::minutes(59)).await;
    assert_eq!(soon.swept, (0, 0), "a writer may be about to name it");
    let merged = of_requests(&store, &Upkeep::default(), later()).await;
    assert_eq!(merged.files, (5, 1));
    // The store's time does not move with ours: what was taken out a moment ago looks old to a later sweep only.
    let present: BTreeSet<_> = stored(&store).await;
    assert!(!present.contains(orphan.as_ref()), "{present:?}");
    assert!(present.contains(foreign.as_ref()), "hidden folders belong to others");
    let far = of_requests(&store, &Upkeep::default(), later() + TimeDelta::hours(3)).await;
    assert_eq!(far.files, (1, 1));
    let left = stored(&store).await;
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(
        left.is_disjoint(&before.iter().filter(|path| path.contains("part-")).cloned().collect())
    );
    assert_eq!(offsets(&store, "requests").await, whole(5));
}

#[tokio::test]
async fn dying_at_any_write_loses_and_doubles_nothing() {
    for fault in [Fault::Before, Fault::After] {
        for deaths in 0.. {
            let store = filled(6).await;
            let faulty = FaultStore::dies(&store, fault, deaths);
            let died = upkeep(Arc::<FaultStore>::clone(&faulty), &Upkeep::default(), later())
                .await
                .is_err();
            assert_eq!(offsets(&store, "requests").await, whole(6), "{fault:?} write {deaths}");
            if !faulty.has_failed() {
                assert!(!died && deaths > 4, "only {deaths} writes");
                break;
            }
            // The lease of the dead one ends by itself.
            let done =
                of_requests(&store, &Upkeep::default(), later() + TimeDelta::minutes(6)).await;
            assert_eq!(done.files.1, 1, "{fault:?} write {deaths}");
            assert_eq!(offsets(&store, "requests").await, whole(6), "{fault:?} write {deaths}");
        }
    }
}

/// Stops at the first portion, the second, …
struct StopsAt {
    at: usize,
    asked: AtomicUsize,
}

impl Watch for StopsAt {
    fn pace(&self) -> Pace {
        if self.asked.fetch_add(1, Ordering::Relaxed) < self.at { Pace::Go } else { Pace::Stop }
    }
}

#[tokio::test]
async fn being_stopped_leaves_the_table_as_it_was() {
    let store = filled(6).await;
    let stops = StopsAt { at: 3, asked: AtomicUsize::new(0) };
    let how = Upkeep::default();
    let store_dyn: Arc<dyn ObjectStore> = Arc::<InMemory>::clone(&store);
    let done = maintain_in(store_dyn, memory_url(), &how, later(), &stops).await.unwrap();
    let told: Vec<_> = done.iter().map(|done| (done.files, done.rewritten)).collect();
    assert_eq!(told, [((6, 6), 0)], "it was stopped at the first table");
    let left = stored(&store).await;
    assert!(
        !left.iter().any(|name| name.contains("sorted-")),
        "what is half done is deleted: {left:?}"
    );
    assert_eq!(files(&store, "requests").await.len(), 6);
    let done = of_requests(&store, &how, later()).await;
    assert_eq!(done.files, (6, 1), "the lease was given back");
}

#[tokio::test]
async fn one_maintains_at_a_time() {
    struct Never;
    impl Watch for Never {
        fn pace(&self) -> Pace {
            Pace::Wait
        }
    }
    let store = filled(3).await;
    let how = Upkeep::default();
    let waits = async {
        let store: Arc<dyn ObjectStore> = Arc::<InMemory>::clone(&store);
        maintain_in(store, memory_url(), &how, later(), &Never).await
    };
    let second = async {
        let held = Path::from("data/_floodmark/maintenance");
        while store.list(Some(&held)).try_collect::<Vec<_>>().await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        upkeep(Arc::<InMemory>::clone(&store), &how, later()).await
    };
    let error = tokio::select! {
        done = waits => panic!("{done:?}"),
        refused = second => refused.unwrap_err(),
    };
    assert!(matches!(error, LakeError::Busy { .. }), "{error}");
    // The first is gone without a word; its lease ends.
    let done = of_requests(&store, &how, later() + TimeDelta::minutes(6)).await;
    assert_eq!(done.files, (3, 1));
}

#[tokio::test]
async fn a_place_without_tables_is_said() {
    let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let error = upkeep(store, &Upkeep::default(), later()).await.unwrap_err();
    expect_test::expect![
        "there are no tables in `memory:///data`; name the folder of `run` or `scan` with --data"
    ]
    .assert_eq(&error.to_string());
}

/// Takes a file out of the table just before maintenance commits what it made of it.
struct Rival {
    store: Arc<InMemory>,
    path: String,
    version: u64,
    at_it: AtomicUsize,
}

impl Watch for Rival {
    fn rewrote(&self, _rows: u64) {
        if self.at_it.fetch_add(1, Ordering::Relaxed) > 0 {
            return;
        }
        let entry = format!(
            r#"{{"remove":{{"path":"{}","dataChange":true,"deletionTimestamp":1}}}}"#,
            self.path
        );
        let path = Path::from(format!("data/requests/_delta_log/{:020}.json", self.version));
        futures::executor::block_on(self.store.put(&path, entry.into())).unwrap();
    }
}

#[tokio::test]
async fn rows_that_another_takes_out_meanwhile_do_not_come_back() {
    let store = filled(4).await;
    let (path, _) = files(&store, "requests").await.remove(0);
    let version = open(&store, "requests").await.version().unwrap() + 1;
    let rival = Rival {
        store: Arc::clone(&store),
        path: path.clone(),
        version,
        at_it: AtomicUsize::new(0),
    };
    let how = Upkeep::default();
    let of_all: Arc<dyn ObjectStore> = Arc::<InMemory>::clone(&store);
    maintain_in(of_all, memory_url(), &how, later(), &rival).await.unwrap();
    let found = files(&store, "requests").await;
    assert_eq!(found.len(), 1, "planned anew on what is left");
    assert_eq!(found[0].1.num_rows(), 30);
    assert!(
        !stored(&store)
            .await
            .iter()
            .any(|name| { name.contains("sorted-") && !name.ends_with(&found[0].0) }),
        "what came to nothing is deleted"
    );
}

#[tokio::test]
async fn a_damaged_file_holds_up_nothing_else() {
    const DAY_US: i64 = 86_400_000_000;
    let store = Arc::new(InMemory::new());
    let mut lake = consumer(&store).await;
    commits(&mut lake, 0..6, |offset| T0 + offset / 30 * DAY_US).await;
    let (path, _) = files(&store, "requests").await.remove(0);
    let damaged = Path::from(format!("data/requests/{path}"));
    let size = store.head(&damaged).await.unwrap().size;
    store.put(&damaged, vec![0; usize::try_from(size).unwrap()].into()).await.unwrap();
    let orphan = Path::from("data/requests/date=2026-01-01/part-orphan.zstd.parquet");
    store.put(&orphan, "left by a crash".into()).await.unwrap();
    let shared: Arc<dyn ObjectStore> = Arc::<InMemory>::clone(&store);
    let error = upkeep(shared, &Upkeep::default(), later()).await.unwrap_err();
    assert!(error.to_string().contains(damaged.filename().unwrap()), "{error}");
    let table = open(&store, "requests").await;
    let named: Vec<String> = table.get_file_uris().unwrap().collect();
    assert_eq!(named.iter().filter(|uri| uri.contains("sorted-")).count(), 1, "{named:?}");
    let left = stored(&store).await;
    assert!(!left.contains(orphan.as_ref()), "old files go all the same");
    assert_eq!(left.iter().filter(|name| name.contains("sorted-")).count(), 1, "{left:?}");
}
