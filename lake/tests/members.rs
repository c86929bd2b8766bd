//! Goal: the members of a group have a history each; whatever becomes of a process, what it has left to be said is said once.
#![cfg(test)]

mod common;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::AsArray as _;
use bytes::Bytes;
use common::fault::{Fault, FaultStore, Plan};
use common::{T0, files, incident, memory_url, names, offsets, open_memory, positions, requests};
use lake::{
    Claim, CommitPoint, History, Lake, LakeError, LakeOptions, RowKey, Unwatched, check_in,
};
use object_store::ObjectStore;
use object_store::memory::InMemory;
use schemas::tables::{INCIDENTS, REQUESTS};

const LINEAGE: &str = "run/g/edge";
const SECOND: i64 = 1_000_000;

/// Up to when the last of a history is said.
const LAST: i64 = T0 + 13 * SECOND;

/// A member: its tables and its history.
struct Member {
    lake: Lake,
    history: Option<History>,
}

impl Member {
    async fn on(store: Arc<dyn ObjectStore>) -> Self {
        let lake = Lake::open_in(store, memory_url(), LakeOptions::default()).await.unwrap();
        Self { lake, history: None }
    }

    async fn start(store: &Arc<InMemory>) -> Self {
        Self { lake: open_memory(store).await, history: None }
    }

    async fn claim(&mut self, partitions: &[i32]) -> Claim {
        let partitions: Vec<String> = partitions.iter().map(name).collect();
        let claim = self.lake.claim(LINEAGE, &partitions).await.unwrap();
        self.history = Some(claim.history.clone());
        claim
    }

    /// Reads offsets of a partition, and finds something at a second.
    async fn read(&mut self, partition: i32, offsets: Range<i64>, second: i64) {
        let time = T0 + second * SECOND;
        let (rows, name) = (requests(partition, offsets, |_| time), name(&partition));
        self.lake.append(&REQUESTS, &rows, RowKey::Partition(&name)).await.unwrap();
        self.lake.append(&INCIDENTS, &incident(time), RowKey::Closed).await.unwrap();
    }

    async fn commit(&mut self, read: &[(i32, i64)], second: i64) -> Result<(), LakeError> {
        let point = CommitPoint {
            history: self.history.clone().unwrap(),
            positions: read.iter().map(|(partition, next)| (name(partition), *next)).collect(),
            closed_us: T0 + second * SECOND,
            state: Bytes::from(format!("state at {second}")),
        };
        self.lake.commit(point).await.map(|_| ())
    }
}

fn name(partition: &i32) -> String {
    format!("edge/{partition}")
}

/// Seconds of the findings in the tables, as often as they are there.
async fn found(store: &Arc<InMemory>) -> Vec<i64> {
    let mut found = Vec::new();
    for (_, rows) in files(store, "incidents").await {
        let ids = rows["incident_id"].as_string::<i32>();
        let second = |id: &str| (id[1..].parse::<i64>().unwrap() - T0) / SECOND;
        found.extend(ids.iter().flatten().map(second));
    }
    found.sort_unstable();
    found
}

fn state(claim: &Claim) -> Option<&[u8]> {
    claim.state.as_ref().map(|state| state.state.as_ref())
}

/// The tables are whole, and no history needs a word.
async fn assert_whole(store: &Arc<InMemory>) {
    let checked = check_in(Arc::<InMemory>::clone(store), memory_url(), &Unwatched).await.unwrap();
    assert_eq!((checked.faults, checked.notes), (vec![], vec![]));
}

#[tokio::test]
async fn members_have_a_history_each() {
    let store = Arc::new(InMemory::new());
    let (mut a, mut b) = (Member::start(&store).await, Member::start(&store).await);
    let first = a.claim(&[0, 1]).await;
    assert_eq!((&first.history, first.life), (&LINEAGE.into(), 0), "the lineage's own");
    let second = b.claim(&[2]).await;
    assert_ne!(second.history, first.history);
    assert_ne!(second.life, 0);
    // The one is hours ahead of the other, and says so first.
    a.read(0, 0..5, 9_000).await;
    a.commit(&[(0, 5), (1, 0)], 9_000).await.unwrap();
    b.read(2, 0..5, 20).await;
    b.commit(&[(2, 5)], 20).await.unwrap();
    a.read(1, 0..5, 9_001).await;
    a.commit(&[(0, 5), (1, 5)], 9_001).await.unwrap();
    assert_eq!(found(&store).await, [20, 9_000, 9_001]);
    drop((a, b));
    // Each finds the state that it left, whoever else has committed since.
    let (mut a, mut b) = (Member::start(&store).await, Member::start(&store).await);
    let again = b.claim(&[2]).await;
    assert_eq!((state(&again), &again.history), (Some(&b"state at 20"[..]), &second.history));
    let again = a.claim(&[0, 1]).await;
    assert_eq!((state(&again), &again.history), (Some(&b"state at 9001"[..]), &first.history));
    assert_eq!(again.positions, positions([("edge/0", 5), ("edge/1", 5), ("edge/2", 5)]));
    assert_eq!((again.left, again.is_new), (vec![], true));
    assert_whole(&store).await;
}

#[tokio::test]
async fn what_a_process_that_is_gone_had_still_to_say_is_said_once() {
    let store = Arc::new(InMemory::new());
    let (mut a, mut b) = (Member::start(&store).await, Member::start(&store).await);
    let (gone, stays) = (a.claim(&[0, 1]).await.history, b.claim(&[2]).await.history);
    a.read(0, 0..5, 10).await;
    a.commit(&[(0, 5), (1, 0)], 10).await.unwrap();
    b.read(2, 0..5, 11).await;
    b.commit(&[(2, 5)], 11).await.unwrap();
    drop(a);
    let mut c = Member::start(&store).await;
    assert_eq!(c.claim(&[0]).await.left, [], "it may live, and have the other partition");
    let claim = b.claim(&[1]).await;
    assert_eq!((claim.is_new, &claim.history), (false, &stays));
    assert_eq!(claim.left.len(), 1);
    assert_eq!(claim.left[0].history, gone);
    assert_eq!(claim.left[0].state.as_ref().unwrap().state, "state at 10");
    let rows = [(&INCIDENTS, incident(T0 + 12 * SECOND))];
    let left = &claim.left[0];
    assert!(b.lake.end(left, LAST, &rows).await.unwrap().is_some());
    assert!(c.lake.end(left, LAST, &rows).await.unwrap().is_none(), "it is said");
    b.read(1, 0..5, 13).await;
    b.commit(&[(1, 5), (2, 5)], 13).await.unwrap();
    assert_eq!(found(&store).await, [10, 11, 12, 13]);
    assert_whole(&store).await;
}

#[tokio::test]
async fn ending_a_history_may_be_cut_short_at_any_write() {
    for fault in [Fault::Before, Fault::After] {
        for death in 0.. {
            let store = Arc::new(InMemory::new());
            let mut a = Member::start(&store).await;
            a.claim(&[0]).await;
            a.read(0, 0..5, 10).await;
            a.commit(&[(0, 5)], 10).await.unwrap();
            drop(a);
            let faulty = FaultStore::of(Arc::<InMemory>::clone(&store));
            let mut b = Member::on(Arc::<FaultStore>::clone(&faulty)).await;
            b.claim(&[1]).await;
            let left = b.claim(&[0]).await.left;
            faulty.plan(Plan::death(fault, death));
            let rows = [(&INCIDENTS, incident(T0 + 12 * SECOND))];
            let ended = b.lake.end(&left[0], LAST, &rows).await;
            // Whoever claims next finds it to be ended, or ends it.
            let mut c = Member::start(&store).await;
            for left in c.claim(&[0]).await.left {
                c.lake.end(&left, LAST, &rows).await.unwrap();
            }
            assert_eq!(found(&store).await, [10, 12], "{fault:?} {death} {ended:?}");
            if !faulty.has_failed() {
                assert!(death > 3, "a file, a checkpoint, two commits");
                break;
            }
        }
    }
}

#[tokio::test]
async fn who_was_held_for_dead_commits_nothing_more() {
    for goes_on in [false, true] {
        let store = Arc::new(InMemory::new());
        let mut slow = Member::start(&store).await;
        slow.claim(&[0, 1]).await;
        slow.read(0, 0..5, 10).await;
        slow.commit(&[(0, 5), (1, 0)], 10).await.unwrap();
        slow.read(0, 5..9, 11).await;
        let mut heir = Member::start(&store).await;
        let claim = heir.claim(if goes_on { &[0, 1] } else { &[0] }).await;
        assert_eq!(claim.state.is_some(), goes_on);
        // It has not committed anything itself.
        let error = slow.commit(&[(0, 9), (1, 0)], 11).await.unwrap_err();
        assert!(matches!(error, LakeError::TakenOver { .. }), "{error}");
        heir.read(0, 5..8, 12).await;
        heir.commit(&[(0, 8)], 12).await.unwrap();
        assert_eq!(offsets(&store, "requests").await[&0], (0..8).collect::<Vec<_>>());
        assert_eq!(found(&store).await, [10, 12]);
    }
}

#[tokio::test]
async fn a_member_without_partitions_may_find_its_history_ended() {
    for commits_first in [false, true] {
        a_member_gives_all_up(commits_first).await;
    }
}

async fn a_member_gives_all_up(commits_first: bool) {
    let store = Arc::new(InMemory::new());
    let (mut a, mut b) = (Member::start(&store).await, Member::start(&store).await);
    let before = a.claim(&[0]).await;
    a.read(0, 0..5, 10).await;
    a.commit(&[(0, 5)], 10).await.unwrap();
    b.claim(&[1]).await;
    // It gives its partition up, and goes on detecting what it has read.
    a.lake.append(&INCIDENTS, &incident(T0 + 11 * SECOND), RowKey::Closed).await.unwrap();
    let left = b.claim(&[0]).await.left;
    if commits_first {
        a.commit(&[], 11).await.unwrap();
    }
    let rows = [(&INCIDENTS, incident(T0 + 11 * SECOND))];
    let ended = b.lake.end(&left[0], LAST, &rows).await.unwrap();
    assert_eq!(ended.is_none(), commits_first, "what it has said since must not be said again");
    let after = a.claim(&[1]).await;
    assert_eq!(after.is_new, !commits_first, "{after:?}");
    assert!(after.state.is_none() && (!after.is_new || after.life != before.life), "{after:?}");
    a.read(1, 0..5, 12).await;
    a.commit(&[(1, 5)], 12).await.unwrap();
    assert_eq!(found(&store).await, [10, 11, 12]);
}

#[tokio::test]
async fn tables_of_before_go_on_in_the_hands_of_who_reads_all() {
    for reads_all in [true, false] {
        let store = Arc::new(InMemory::new());
        // All members wrote one history.
        let mut old = Member::start(&store).await;
        old.lake.begin(LINEAGE).await.unwrap();
        old.history = Some(LINEAGE.into());
        old.read(0, 0..5, 10).await;
        old.read(1, 0..5, 10).await;
        old.commit(&[(0, 5), (1, 5)], 10).await.unwrap();
        drop(old);
        let mut new = Member::start(&store).await;
        let claim = new.claim(if reads_all { &[0, 1] } else { &[0] }).await;
        assert_eq!(claim.positions, positions([("edge/0", 5), ("edge/1", 5)]));
        assert_eq!(state(&claim), reads_all.then_some(&b"state at 10"[..]));
        assert_eq!(claim.history == LINEAGE.into(), reads_all);
        if !reads_all {
            let mut other = Member::start(&store).await;
            let claim = other.claim(&[1]).await;
            assert_eq!(state(&claim), Some(&b"state at 10"[..]), "it is of these positions");
        }
        new.read(0, 5..9, 11).await;
        new.commit(&[(0, 9)], 11).await.unwrap();
        assert_eq!(found(&store).await, [10, 10, 11]);
        assert_whole(&store).await;
    }
}

#[tokio::test]
async fn however_often_members_change_the_tables_keep_few_words_of_it() {
    let store = Arc::new(InMemory::new());
    let mut histories = BTreeSet::new();
    for round in 0..12 {
        // Two begin, and the first of them takes over from the other.
        let (mut a, mut b) = (Member::start(&store).await, Member::start(&store).await);
        for (member, partition) in [(&mut a, 0), (&mut b, 1)] {
            for left in member.claim(&[partition]).await.left {
                member.lake.end(&left, LAST, &[]).await.unwrap();
            }
            member.read(partition, round * 5..round * 5 + 5, round).await;
            member.commit(&[(partition, round * 5 + 5)], round).await.unwrap();
            histories.extend(member.history.as_ref().map(History::name));
        }
        drop(b);
        for left in a.claim(&[1]).await.left {
            a.lake.end(&left, LAST, &[]).await.unwrap();
        }
    }
    assert!(histories.len() <= 3, "{histories:?}");
    let kept = names(&store, "data/_floodmark/checkpoints").await;
    assert!(kept.len() <= 9, "{kept:?}");
    assert_whole(&store).await;
}
