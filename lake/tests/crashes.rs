//! Goal: wherever the process dies or the store stumbles, every row is in its table exactly once.
#![cfg(test)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::AsArray as _;
use bytes::Bytes;
use common::fault::{Fault, FaultStore};
use common::{T0, files, incident, memory_url, offsets, positions, rejects, requests};
use futures::TryStreamExt as _;
use lake::{CommitPoint, History, Lake, LakeError, LakeOptions, Retry, RowKey};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use schemas::tables::{INCIDENTS, REJECTS, REQUESTS};

const LINEAGE: &str = "run/test/edge";
const BATCHES: i64 = 6;
const BATCH_ROWS: i64 = 10;
const SECOND: i64 = 1_000_000;

/// A consumer of two partitions that takes turns, with a detector whose whole state is the number of batches seen.
struct Consumer {
    lake: Lake,
    batches: i64,
    /// Its state is kept with the commit behind the first of so many batches.
    keeps: i64,
}

impl Consumer {
    async fn start(store: Arc<dyn ObjectStore>, keeps: i64) -> Result<Self, LakeError> {
        let options = LakeOptions { checkpoint_interval: 3, ..LakeOptions::default() };
        let mut lake = Lake::open_in(store, memory_url(), options).await?;
        let Some(checkpoint) = lake.restore(LINEAGE).await? else {
            assert_eq!(
                lake.begin(LINEAGE).await?,
                BTreeMap::new(),
                "what is committed has a state"
            );
            return Ok(Self { lake, batches: 0, keeps });
        };
        let ahead = lake.resume(LINEAGE.into(), Some(&checkpoint)).await?;
        let positions = lake.begin(LINEAGE).await?;
        let batches = i64::from_le_bytes(checkpoint.state.as_ref().try_into().unwrap());
        let mut seen = Self::positions(batches);
        assert_eq!(partitions(&checkpoint.positions), seen, "state is that of its positions");
        for (partition, (from, to)) in &ahead.partitions {
            assert_eq!(seen.insert(partition.clone(), *to).unwrap_or(0), *from, "{partition}");
        }
        assert_eq!(
            seen,
            partitions(&positions),
            "what is read again leads to where the tables stand"
        );
        assert!(keeps > 1 || ahead.partitions.is_empty(), "{ahead:?}");
        Ok(Self { lake, batches, keeps })
    }

    fn positions(batches: i64) -> BTreeMap<String, i64> {
        let mut next = positions([("edge/0", (batches + 1) / 2), ("edge/1", batches / 2)]);
        next.retain(|_, turns| *turns > 0);
        next.into_iter().map(|(partition, turns)| (partition, turns * BATCH_ROWS)).collect()
    }

    /// One batch: nine requests, one reject, and what the detector has to say about it.
    async fn step(&mut self) -> Result<(), LakeError> {
        let partition = i32::try_from(self.batches % 2).unwrap();
        let start = self.batches / 2 * BATCH_ROWS;
        let name = format!("edge/{partition}");
        let key = RowKey::Partition(&name);
        let time = T0 + self.batches * SECOND;
        let rows = requests(partition, start..start + BATCH_ROWS - 1, |_| time);
        let lost = rejects(partition, start + BATCH_ROWS - 1..start + BATCH_ROWS);
        self.lake.append(&REQUESTS, &rows, key).await?;
        self.lake.append(&REJECTS, &lost, key).await?;
        self.lake.append(&INCIDENTS, &incident(time), RowKey::Closed).await?;
        self.batches += 1;
        Ok(())
    }

    fn point(&self) -> CommitPoint {
        CommitPoint {
            history: LINEAGE.into(),
            positions: Self::positions(self.batches),
            begun: positions([("edge/0", 0), ("edge/1", 0)]),
            rest: Bytes::new(),
            closed_us: T0 + (self.batches - 1) * SECOND,
            state: if (self.batches - 1) % self.keeps == 0 || self.batches == BATCHES {
                Bytes::copy_from_slice(&self.batches.to_le_bytes())
            } else {
                Bytes::new()
            },
        }
    }

    /// Reads to the end, committing after every second batch.
    async fn run(store: Arc<dyn ObjectStore>) -> Result<(), LakeError> {
        Self::run_by(store, 2, 1).await
    }

    /// Reads to the end, committing after every `batches`.
    async fn run_by(
        store: Arc<dyn ObjectStore>,
        batches: i64,
        keeps: i64,
    ) -> Result<(), LakeError> {
        let mut consumer = Self::start(store, keeps).await?;
        while consumer.batches < BATCHES {
            consumer.step().await?;
            if consumer.batches % batches == 0 {
                consumer.lake.commit(consumer.point()).await?;
            }
        }
        Ok(())
    }

    /// As `run`, but repeats what may be repeated.
    async fn run_stubbornly(store: &Arc<FaultStore>) {
        let store = || -> Arc<dyn ObjectStore> { Arc::<FaultStore>::clone(store) };
        let mut consumer = match Self::start(store(), 1).await {
            Ok(consumer) => consumer,
            Err(_) => Self::start(store(), 1).await.unwrap(),
        };
        while consumer.batches < BATCHES {
            consumer.step().await.unwrap();
            if consumer.batches % 2 == 0
                && let Err(error) = consumer.lake.commit(consumer.point()).await
            {
                assert_eq!(error.retry(), Retry::WithBackoff, "{error}");
                // Sometimes the next batch comes before the repetition.
                if consumer.batches == 2 {
                    consumer.step().await.unwrap();
                }
                consumer.lake.commit(consumer.point()).await.unwrap();
            }
        }
        consumer.lake.commit(consumer.point()).await.unwrap();
    }
}

/// Positions without what goes with them.
fn partitions(positions: &BTreeMap<String, i64>) -> BTreeMap<String, i64> {
    let of_partitions = positions.iter().filter(|(name, _)| name.matches('/').count() == 1);
    of_partitions.map(|(name, next)| (name.clone(), *next)).collect()
}

/// Every position of the input is in one table, once; every finding as well.
async fn check_exactly_once(store: &Arc<InMemory>, context: &str) {
    let partitions = 0..2;
    let turns = 0..BATCHES / 2 * BATCH_ROWS;
    let is_reject = |offset: &i64| offset % BATCH_ROWS == BATCH_ROWS - 1;
    for (table, rejected) in [("requests", false), ("rejects", true)] {
        let expected: Vec<i64> =
            turns.clone().filter(|offset| is_reject(offset) == rejected).collect();
        let expected: BTreeMap<_, _> =
            partitions.clone().map(|partition| (partition, expected.clone())).collect();
        assert_eq!(offsets(store, table).await, expected, "{table}: {context}");
    }
    let mut found: Vec<String> = Vec::new();
    for (_, rows) in files(store, "incidents").await {
        let ids = rows["incident_id"].as_string::<i32>();
        found.extend(ids.iter().flatten().map(str::to_owned));
    }
    found.sort();
    let expected: Vec<_> = (0..BATCHES).map(|batch| format!("i{}", T0 + batch * SECOND)).collect();
    assert_eq!(found, expected, "incidents: {context}");
}

#[tokio::test]
async fn a_calm_run_holds_every_row_once() {
    let store = Arc::new(InMemory::new());
    Consumer::run(Arc::<InMemory>::clone(&store)).await.unwrap();
    check_exactly_once(&store, "calm").await;
}

#[tokio::test]
async fn dying_at_any_write_loses_and_doubles_nothing() {
    for fault in [Fault::Before, Fault::After] {
        let mut deaths = 0;
        loop {
            let store = Arc::new(InMemory::new());
            let faulty = FaultStore::dies(&store, fault, deaths);
            let died = Consumer::run(Arc::<FaultStore>::clone(&faulty)).await.is_err();
            if !faulty.has_failed() {
                assert!(!died);
                break;
            }
            Consumer::run(Arc::<InMemory>::clone(&store)).await.unwrap();
            check_exactly_once(&store, &format!("died {fault:?} write {deaths}")).await;
            deaths += 1;
        }
        // Probe, five tables, and per commit: files, checkpoint, entries.
        assert!(deaths > 25, "only {deaths} writes");
    }
}

#[tokio::test]
async fn dying_twice_loses_and_doubles_nothing() {
    for first in [8, 11, 14, 17, 20] {
        for second in 0..12 {
            let store = Arc::new(InMemory::new());
            for (fault, at) in [(Fault::After, first), (Fault::Before, second)] {
                let faulty = FaultStore::dies(&store, fault, at);
                let _ = Consumer::run(faulty).await;
            }
            Consumer::run(Arc::<InMemory>::clone(&store)).await.unwrap();
            check_exactly_once(&store, &format!("died at {first}, then at {second}")).await;
        }
    }
}

#[tokio::test]
async fn a_state_that_is_kept_seldom_loses_and_doubles_nothing() {
    for keeps in [3, 100] {
        let (mut deaths, mut again) = (0, 0);
        for first in (0..).step_by(2) {
            let second = first / 2 + 6;
            let store = Arc::new(InMemory::new());
            let dies = |at| FaultStore::dies(&store, Fault::After, at);
            // What the first has found the second finds again, and dies over it as well.
            let faulty = dies(first);
            let _ = Consumer::run_by(Arc::<FaultStore>::clone(&faulty), 1, keeps).await;
            if !faulty.has_failed() {
                break;
            }
            let faulty = dies(second);
            let _ = Consumer::run_by(Arc::<FaultStore>::clone(&faulty), 1, keeps).await;
            let consumer = Consumer::start(Arc::<InMemory>::clone(&store), keeps).await.unwrap();
            again += usize::from(!consumer.lake.again().is_empty());
            Consumer::run_by(Arc::<InMemory>::clone(&store), 1, keeps).await.unwrap();
            check_exactly_once(&store, &format!("{keeps}: died at {first}, then at {second}"))
                .await;
            deaths += 1;
        }
        assert!(deaths > 12 && again > 5, "{deaths} deaths, {again} with something to read again");
    }
}

#[tokio::test]
async fn a_commit_that_reaches_less_far_than_the_lost_one_does_not_hide_it() {
    for first in 10..18 {
        for second in 0..8 {
            let store = Arc::new(InMemory::new());
            for (at, batches) in [(first, 3), (second, 1)] {
                let dying = FaultStore::dies(&store, Fault::Before, at);
                let _ = Consumer::run_by(dying, batches, 1).await;
            }
            Consumer::run(Arc::<InMemory>::clone(&store)).await.unwrap();
            check_exactly_once(&store, &format!("died at {first} by threes, then at {second}"))
                .await;
        }
    }
}

#[tokio::test]
async fn a_stumbling_store_loses_and_doubles_nothing() {
    for fault in [Fault::Before, Fault::After] {
        for at in 0.. {
            let store = Arc::new(InMemory::new());
            let faulty = FaultStore::stumbles(&store, fault, at);
            Consumer::run_stubbornly(&faulty).await;
            check_exactly_once(&store, &format!("stumbled {fault:?} write {at}")).await;
            if !faulty.has_failed() {
                break;
            }
        }
    }
}

#[tokio::test]
async fn what_rejects_hold_beyond_requests_is_never_forgotten() {
    let store = Arc::new(InMemory::new());
    let open = |store: Arc<dyn ObjectStore>| async {
        let mut lake = Lake::open_in(store, memory_url(), LakeOptions::default()).await.unwrap();
        lake.begin(LINEAGE).await.unwrap();
        lake
    };
    let point = |zero, one| CommitPoint {
        history: LINEAGE.into(),
        positions: positions([("edge/0", zero), ("edge/1", one)]),
        begun: BTreeMap::new(),
        rest: Bytes::new(),
        closed_us: T0,
        state: Bytes::from_static(b"state"),
    };
    let (zero, one) = (RowKey::Partition("edge/0"), RowKey::Partition("edge/1"));
    drop(open(Arc::<InMemory>::clone(&store)).await);
    // Writes: probe, file, checkpoint, entry of `rejects`; dies at the entry of `requests`.
    let mut lake = open(FaultStore::dies(&store, Fault::Before, 4)).await;
    lake.append(&REJECTS, &rejects(0, 0..10), zero).await.unwrap();
    lake.append(&REJECTS, &rejects(1, 0..10), one).await.unwrap();
    lake.commit(point(10, 10)).await.unwrap_err();
    // The next process gets further with one partition than with the other, and dies as well.
    let mut lake = open(FaultStore::dies(&store, Fault::Before, 4)).await;
    lake.append(&REJECTS, &rejects(0, 0..12), zero).await.unwrap();
    lake.append(&REJECTS, &rejects(1, 0..5), one).await.unwrap();
    lake.commit(point(12, 5)).await.unwrap_err();
    let mut lake = open(Arc::<InMemory>::clone(&store)).await;
    lake.append(&REJECTS, &rejects(0, 0..12), zero).await.unwrap();
    lake.append(&REJECTS, &rejects(1, 0..12), one).await.unwrap();
    lake.commit(point(12, 12)).await.unwrap();
    let whole: Vec<i64> = (0..12).collect();
    assert_eq!(offsets(&store, "rejects").await, BTreeMap::from([(0, whole.clone()), (1, whole)]));
}

/// Deletes the newest data file of `requests` that no commit names.
async fn delete_uncommitted(store: &Arc<InMemory>) -> usize {
    let named: Vec<String> =
        files(store, "requests").await.into_iter().map(|(path, _)| path).collect();
    let below = Path::from("data/requests");
    let all: Vec<_> = store.list(Some(&below)).try_collect().await.unwrap();
    let lost = all.iter().map(|object| &object.location).filter(|path| {
        !path.as_ref().contains("_delta_log")
            && !named.iter().any(|name| path.as_ref().ends_with(name))
    });
    let mut count = 0;
    for path in lost {
        store.delete(path).await.unwrap();
        count += 1;
    }
    count
}

/// Files of one row: each is in the store before the commit.
fn small_files(kept_bytes_max: usize) -> LakeOptions {
    LakeOptions { target_file_bytes: 1, kept_bytes_max, ..LakeOptions::default() }
}

async fn a_file_vanishes(kept_bytes_max: usize) -> (Arc<InMemory>, Result<(), LakeError>) {
    let store = Arc::new(InMemory::new());
    let shared: Arc<dyn ObjectStore> = Arc::<InMemory>::clone(&store);
    let mut lake = Lake::open_in(shared, memory_url(), small_files(kept_bytes_max)).await.unwrap();
    lake.begin(LINEAGE).await.unwrap();
    for start in [0, 10] {
        let rows = requests(0, start..start + 10, |_| T0);
        lake.append(&REQUESTS, &rows, RowKey::Partition("edge/0")).await.unwrap();
    }
    while delete_uncommitted(&store).await == 0 {
        tokio::task::yield_now().await;
    }
    let point = CommitPoint {
        history: LINEAGE.into(),
        positions: positions([("edge/0", 20)]),
        begun: BTreeMap::new(),
        rest: Bytes::new(),
        closed_us: T0,
        state: Bytes::new(),
    };
    let committed = lake.commit(point).await.map(|_| ());
    (store, committed)
}

#[tokio::test]
async fn a_file_that_another_program_deletes_before_its_commit_is_written_again() {
    let (store, committed) = a_file_vanishes(1 << 20).await;
    committed.unwrap();
    assert_eq!(offsets(&store, "requests").await, BTreeMap::from([(0, (0..20).collect())]));
}

#[tokio::test]
async fn a_file_that_is_gone_for_good_is_never_committed() {
    let (store, committed) = a_file_vanishes(0).await;
    let error = committed.unwrap_err();
    assert!(matches!(error, LakeError::Vanished { .. }), "{error}");
    assert_eq!(error.retry(), Retry::Never);
    assert_eq!(files(&store, "requests").await.len(), 0, "readers see no file that is gone");
}

/// A scan of one file: ten rows and one incident of the same second, in one commit.
async fn scan(store: Arc<dyn ObjectStore>, scope: &str, second: i64) -> Result<(), LakeError> {
    scan_of(store, (scope, 10), second, LakeOptions::default()).await
}

/// The same of a file of so many lines, and of those that came since the last.
async fn scan_of(
    store: Arc<dyn ObjectStore>,
    (scope, lines): (&str, i64),
    second: i64,
    options: LakeOptions,
) -> Result<(), LakeError> {
    let history = History::scoped("scan", scope);
    let mut lake = Lake::open_in(store, memory_url(), options).await?;
    let partition = format!("file/{scope}");
    let read = lake.begin(history.clone()).await?.get(&partition).copied().unwrap_or_default();
    if read >= lines {
        return Ok(());
    }
    let time = T0 + second * SECOND;
    let rows = requests(0, read..lines, |_| time);
    lake.append(&REQUESTS, &rows, RowKey::Partition(&partition)).await?;
    lake.append(&INCIDENTS, &incident(time), RowKey::Closed).await?;
    let point = CommitPoint {
        history,
        positions: BTreeMap::from([(partition, lines)]),
        begun: BTreeMap::new(),
        rest: Bytes::new(),
        closed_us: time,
        state: Bytes::from_static(b"state"),
    };
    lake.commit(point).await.map(|_| ())
}

#[tokio::test]
async fn a_scan_that_died_hides_no_finding_of_another_and_doubles_none_of_its_own() {
    let ids = async |store: &Arc<InMemory>| {
        let mut found: Vec<String> = Vec::new();
        for (_, rows) in files(store, "incidents").await {
            found
                .extend(rows["incident_id"].as_string::<i32>().iter().flatten().map(str::to_owned));
        }
        found.sort();
        found
    };
    for death in 6..18 {
        let store = Arc::new(InMemory::new());
        let shared = || -> Arc<dyn ObjectStore> { Arc::<InMemory>::clone(&store) };
        let _ = scan(FaultStore::dies(&store, Fault::Before, death), "late", 9).await;
        scan(shared(), "early", 3).await.unwrap();
        scan(shared(), "late", 9).await.unwrap();
        let expected = [3, 9].map(|second| format!("i{}", T0 + second * SECOND));
        assert_eq!(ids(&store).await, expected, "died at write {death}");
        let rows: usize =
            files(&store, "requests").await.iter().map(|(_, rows)| rows.num_rows()).sum();
        assert_eq!(rows, 20, "died at write {death}");
    }
}

/// The application ids in the newest checkpoint of a table's log.
async fn checkpointed(store: &Arc<InMemory>, table: &str) -> BTreeSet<String> {
    let log = Path::from(format!("data/{table}/_delta_log"));
    let found: Vec<_> = store.list(Some(&log)).try_collect().await.unwrap();
    let paths = found.into_iter().map(|file| file.location);
    let newest = paths.filter(|path| path.as_ref().ends_with(".checkpoint.parquet")).max().unwrap();
    let bytes = store.get(&newest).await.unwrap().bytes().await.unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().build().unwrap();
    let mut ids = BTreeSet::new();
    for batch in reader {
        let batch = batch.unwrap();
        let column = batch["txn"].as_struct().column_by_name("appId").unwrap();
        ids.extend(column.as_string::<i32>().iter().flatten().map(str::to_owned));
    }
    ids
}

#[tokio::test]
async fn of_a_scan_of_long_ago_the_log_keeps_what_was_read() {
    let store = Arc::new(InMemory::new());
    let scan = async |scope: &str, lines: i64, second: i64| {
        // All that may be forgotten is, as soon as the log is checkpointed.
        let options =
            LakeOptions { checkpoint_interval: 1, scan_days: 0, ..LakeOptions::default() };
        let store = Arc::<InMemory>::clone(&store);
        scan_of(store, (scope, lines), second, options).await.unwrap();
    };
    scan("first", 10, 1).await;
    scan("second", 10, 2).await;
    for table in ["requests", "incidents"] {
        let known = checkpointed(&store, table).await;
        let words: Vec<_> = known.iter().filter(|id| id.contains('@')).collect();
        assert!(words.is_empty(), "{table}: {words:?}");
    }
    let known = checkpointed(&store, "requests").await;
    assert!(known.contains("floodmark/scan/file/first"), "{known:?}");
    // Neither again nor, of a file that has grown, from its beginning.
    scan("first", 10, 3).await;
    scan("first", 15, 4).await;
    let mut expected: Vec<i64> = (0..10).chain(0..15).collect();
    expected.sort_unstable();
    assert_eq!(offsets(&store, "requests").await[&0], expected, "each line once");
}

#[tokio::test]
async fn an_interrupted_scan_finds_its_state_after_others() {
    let store = Arc::new(InMemory::new());
    let shared = || -> Arc<dyn ObjectStore> { Arc::<InMemory>::clone(&store) };
    scan(shared(), "first", 1).await.unwrap();
    let kept = async || {
        let lake = Lake::open_in(shared(), memory_url(), LakeOptions::default()).await.unwrap();
        lake.restore(History::scoped("scan", "first")).await.unwrap().is_some()
    };
    for other in 0..7 {
        scan(shared(), &format!("other{other}"), 2 + other).await.unwrap();
        assert!(kept().await, "after {other} others");
    }
    for other in 7..9 {
        scan(shared(), &format!("other{other}"), 2 + other).await.unwrap();
    }
    assert!(!kept().await, "a few are kept");
}
