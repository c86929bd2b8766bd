//! Goal: any number of processes write the same tables; two that read the same input are told, the others are not held up.
#![cfg(test)]

mod common;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use common::{
    T0, append, incident, memory_url, names, open_memory, point, positions, requests, rows,
};
use lake::{CommitPoint, Lake, LakeOptions, Retry, RowKey};
use object_store::ObjectStoreExt as _;
use object_store::memory::InMemory;
use object_store::path::Path;
use schemas::tables::{INCIDENTS, REQUESTS};

#[tokio::test]
async fn two_processes_append_to_the_same_tables() {
    let store = Arc::new(InMemory::new());
    let (mut one, mut two) = (open_memory(&store).await, open_memory(&store).await);
    one.begin("run/one/edge").await.unwrap();
    two.begin("run/two/edge").await.unwrap();
    for round in 0..4 {
        append(&mut one, round..round + 1, |_| T0).await;
        append(&mut two, round..round + 1, |_| T0).await;
        one.commit(point("run/one/edge", round + 1)).await.unwrap();
        two.commit(point("run/two/edge", round + 1)).await.unwrap();
    }
    for lineage in ["run/one/edge", "run/two/edge"] {
        assert_eq!(one.positions(lineage).await.unwrap(), positions([("edge/0", 4)]));
    }
    assert_eq!(rows(&store, "requests").await, 8);
}

#[tokio::test]
async fn two_processes_on_the_same_input_are_told() {
    let store = Arc::new(InMemory::new());
    let (mut one, mut two) = (open_memory(&store).await, open_memory(&store).await);
    one.begin("run/g/edge").await.unwrap();
    two.begin("run/g/edge").await.unwrap();
    append(&mut one, 0..3, |_| T0).await;
    append(&mut two, 0..5, |_| T0).await;
    two.append(&INCIDENTS, &incident(T0), RowKey::Closed).await.unwrap();
    one.commit(point("run/g/edge", 3)).await.unwrap();
    let error = two.commit(point("run/g/edge", 5)).await.unwrap_err();
    assert_eq!(error.retry(), Retry::Never);
    expect_test::expect!["another process writes `edge/0` of `run/g/edge` to `memory:///data/requests`: it stands at 3, this one expected 0; stop one of the two, or give them different groups or folders"]
        .assert_eq(&error.to_string());
    assert_eq!(rows(&store, "requests").await, 3);
    assert_eq!(rows(&store, "incidents").await, 0, "who has lost leaves nothing");
}

#[tokio::test]
async fn what_another_has_committed_before_the_first_row_here_is_told() {
    let store = Arc::new(InMemory::new());
    let (mut slow, mut two) = (open_memory(&store).await, open_memory(&store).await);
    slow.begin("run/g/edge").await.unwrap();
    // It is given the partition of one that is held for dead, and looks up where that stands …
    two.begin("run/g/edge").await.unwrap();
    append(&mut slow, 0..3, |_| T0).await;
    slow.commit(point("run/g/edge", 3)).await.unwrap();
    // … has something else to commit, and hears so of the other's last commit …
    let others = requests(1, 0..2, |_| T0);
    two.append(&REQUESTS, &others, RowKey::Partition("edge/1")).await.unwrap();
    let other = CommitPoint { positions: positions([("edge/1", 2)]), ..point("run/g/edge", 0) };
    two.commit(other).await.unwrap();
    // … and reads on where it looked.
    append(&mut two, 0..5, |_| T0).await;
    let error = two.commit(point("run/g/edge", 5)).await.unwrap_err();
    assert!(matches!(error, lake::LakeError::Conflict { found: 3, expected: 0, .. }), "{error}");
    assert_eq!(rows(&store, "requests").await, 5);
}

#[tokio::test]
async fn a_writer_that_slept_while_the_log_was_cleaned_up_writes_where_it_is_seen() {
    let store = Arc::new(InMemory::new());
    let options = LakeOptions { checkpoint_interval: 4, ..LakeOptions::default() };
    let again = || async {
        let store = Arc::<InMemory>::clone(&store);
        Lake::open_in(store, memory_url(), options.clone()).await.unwrap()
    };
    let mut slept = again().await;
    slept.begin("run/one/edge").await.unwrap();
    append(&mut slept, 0..1, |_| T0).await;
    slept.commit(point("run/one/edge", 1)).await.unwrap();
    let mut other = again().await;
    other.begin("run/two/edge").await.unwrap();
    for offset in 0..7 {
        append(&mut other, offset..offset + 1, |_| T0).await;
        other.commit(point("run/two/edge", offset + 1)).await.unwrap();
    }
    drop(other);
    // What the clean-up of the log does after some days: versions below the checkpoint go.
    let log = names(&store, "data/requests/_delta_log").await;
    let checkpoint = log.iter().filter(|name| name.ends_with(".checkpoint.parquet")).max().unwrap();
    let version: u64 = checkpoint.rsplit('/').next().unwrap()[..20].parse().unwrap();
    assert!(version > 2);
    for version in 0..version {
        let path = format!("data/requests/_delta_log/{version:020}.json");
        store.delete(&Path::from(path)).await.unwrap();
    }
    append(&mut slept, 1..3, |_| T0).await;
    slept.commit(point("run/one/edge", 3)).await.unwrap();
    assert_eq!(rows(&store, "requests").await, 10);
    assert_eq!(again().await.positions("run/one/edge").await.unwrap(), positions([("edge/0", 3)]));
}

#[tokio::test]
async fn members_of_one_group_move_their_own_partitions_alone() {
    let store = Arc::new(InMemory::new());
    let mut members = [open_memory(&store).await, open_memory(&store).await];
    for member in &mut members {
        member.begin("run/g/edge").await.unwrap();
    }
    // Each knows nothing of what the other commits until it commits itself.
    let turns = [(0, 0..4), (1, 0..3), (0, 4..6), (0, 6..9), (1, 3..5), (0, 9..10), (1, 5..6)];
    let mut expected = BTreeMap::new();
    for (member, offsets) in turns {
        let partition = format!("edge/{member}");
        let lake = &mut members[member];
        let rows = requests(i32::try_from(member).unwrap(), offsets.clone(), |_| T0);
        lake.append(&REQUESTS, &rows, RowKey::Partition(&partition)).await.unwrap();
        let moved = CommitPoint {
            positions: positions([(partition.as_str(), offsets.end)]),
            ..point("run/g/edge", offsets.end)
        };
        lake.commit(moved).await.unwrap();
        expected.insert(partition, offsets.end);
        assert_eq!(members[1 - member].positions("run/g/edge").await.unwrap(), expected);
    }
}

#[tokio::test]
async fn who_takes_partitions_up_after_others_wrote_does_not_go_on_from_before_them() {
    let store = Arc::new(InMemory::new());
    let mut members = [open_memory(&store).await, open_memory(&store).await];
    let commit = async |lake: &mut Lake, partition: i32, offsets: Range<i64>, state: &str| {
        let name = format!("edge/{partition}");
        let rows = requests(partition, offsets.clone(), |_| T0);
        lake.append(&REQUESTS, &rows, RowKey::Partition(&name)).await.unwrap();
        let moved = CommitPoint {
            positions: positions([(name.as_str(), offsets.end)]),
            state: Bytes::from(state.to_owned()),
            ..point("run/g/edge", offsets.end)
        };
        lake.commit(moved).await.unwrap();
    };
    let [one, two] = &mut members;
    one.begin("run/g/edge").await.unwrap();
    commit(one, 0, 0..4, "a state").await;
    two.begin("run/g/edge").await.unwrap();
    commit(two, 1, 0..3, "").await;
    // The first is given another partition: it reads the log, and with it what the second wrote.
    one.begin("run/g/edge").await.unwrap();
    commit(one, 0, 4..6, "").await;
    let checkpoint = one.restore("run/g/edge").await.unwrap();
    assert_eq!(checkpoint.map(|checkpoint| checkpoint.positions), None, "edge/1 is unknown to it");
}

#[tokio::test]
async fn who_takes_partitions_up_alone_goes_on_from_its_last_state() {
    let store = Arc::new(InMemory::new());
    let mut lake = open_memory(&store).await;
    for next in 1..5 {
        lake.begin("run/g/edge").await.unwrap();
        append(&mut lake, next - 1..next, |_| T0).await;
        let whole = point("run/g/edge", next);
        let state = if next == 1 { whole.state.clone() } else { Bytes::new() };
        lake.commit(CommitPoint { state, ..whole }).await.unwrap();
    }
    let checkpoint = lake.restore("run/g/edge").await.unwrap().expect("a state");
    assert_eq!(checkpoint.positions, positions([("edge/0", 1)]));
}
