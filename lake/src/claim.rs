//! Members of a consumer group: each has a detector, and each detector a history of its own.
//!
//! ```text
//! floodmark/<lineage>/reader-<n>     which history reads partition n of the topic, by its number
//! floodmark/<lineage>/claim[@m<k>]   which process has history k: a number that no other has
//! ```
//!
//! A process that is given partitions *claims* them, in one commit of `requests` that holds nothing else, before it looks
//! up where they stand. From then on a commit of whoever read them before is refused: it is seen, and so is a second claim
//! of the same history, as any two commits see each other.
//!
//! A history whose last partition is claimed by others, and which has not ended, is of a process that is gone, for one that
//! lives has partitions. Its state holds records that are committed and not judged yet. So somebody takes it over, and only
//! one can: the process that claims its partitions and has no history itself goes on with it; any other *ends* it, with
//! what its detector has still to say.
//!
//! Histories are numbered from 0, and a new one takes the lowest number that is free, so that there are never more of them
//! than there were processes at a time. Number 0 is the lineage's own, without a scope: a process that reads the whole topic
//! goes on with it, as do tables from before there were others.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::RecordBatch;
use bytes::Bytes;
use futures::future::LocalBoxFuture;
use schemas::Table;
use schemas::tables::{REJECTS, REQUESTS};

use crate::checkpoint::{Checkpoint, Checkpoints};
use crate::commit::TableHandle;
use crate::error::LakeError;
use crate::ids::{ENDED, History, Ids, histories, number_of};
use crate::lake::Lake;
use crate::location::Location;
use crate::point::{CommitPoint, CommitSummary, RowKey};

/// What a process has from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What was claimed; see [`Claim::covers`].
    pub partitions: Vec<String>,
    /// The history of its detector.
    pub history: History,
    /// Whether it had another before, or none: the detector begins with `state`.
    pub is_new: bool,
    /// What the detector of a process that is gone knew, where this one goes on with it.
    pub state: Option<Checkpoint>,
    /// Tells a detector that begins anew from all that had the history before; 0 for the first of a lineage.
    pub life: i64,
    /// Next position of every partition of the lineage.
    pub positions: BTreeMap<String, i64>,
    /// Histories to be ended, of processes that are gone.
    pub left: Vec<Left>,
}

impl Claim {
    /// Whether a partition is among those that were claimed, whichever topic has their name.
    pub fn covers(&self, partition: &str) -> bool {
        let number = number_of(partition);
        number.is_some() && self.partitions.iter().any(|claimed| number_of(claimed) == number)
    }
}

/// A history that nobody goes on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Which.
    pub history: History,
    /// Number of its last commit.
    pub(crate) sequence: i64,
    /// What its detector knew at the last commit, if that can be used.
    pub state: Option<Checkpoint>,
}

/// How a process holds the history that it writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// It is the only one: histories of scans.
    Alone,
    /// It has claimed it, and what it reads.
    Claimed,
    /// It ends it for another, whose claim that was.
    Ending(Option<i64>),
}

/// What to claim, given what others have.
#[derive(Debug, Default, PartialEq, Eq)]
struct Plan {
    number: i64,
    /// It is another than the process had.
    is_new: bool,
    /// There is a state to go on with.
    continues: bool,
    /// Numbers of histories that nobody goes on with.
    left: Vec<i64>,
    news: BTreeMap<String, i64>,
}

/// The histories of members in a lineage, as `requests` has them.
struct Members<'a> {
    lineage: &'a str,
    txns: &'a BTreeMap<String, i64>,
    /// Number of the history that reads each partition.
    readers: BTreeMap<String, i64>,
}

impl<'a> Members<'a> {
    fn of(lineage: &'a str, txns: &'a BTreeMap<String, i64>) -> Self {
        Self { lineage, txns, readers: Ids::of(&lineage.into()).readers(txns) }
    }

    fn ids(&self, number: i64) -> Ids {
        Ids::of(&History::of_member(self.lineage, number))
    }

    /// Whether something was committed in it, and it goes on.
    fn is_open(&self, number: i64) -> bool {
        let ids = self.ids(number);
        let closed = self.txns.get(&ids.closed());
        self.txns.contains_key(&ids.sequence()) && closed != Some(&ENDED)
    }

    /// Histories in which something was committed.
    fn numbers(&self) -> BTreeSet<i64> {
        let all = histories(self.txns).into_iter();
        all.filter(|history| history.lineage() == self.lineage)
            .filter_map(|history| history.member())
            .collect()
    }

    /// What a process that has `current`, if any, claims with the partitions of these numbers.
    fn plan(&self, wanted: &BTreeSet<&str>, current: Option<i64>, process: i64) -> Plan {
        let others: BTreeSet<i64> = self
            .readers
            .iter()
            .filter(|(partition, _)| !wanted.contains(partition.as_str()))
            .map(|(_, reader)| *reader)
            .collect();
        let is_held = |number: &i64| self.txns.get(&self.ids(*number).claim()) == Some(&process);
        let current = current.filter(is_held);
        let mut left: Vec<i64> = self
            .numbers()
            .into_iter()
            .filter(|number| self.is_open(*number) && !others.contains(number))
            .filter(|number| Some(*number) != current)
            .collect();
        let shares = |number: &i64| {
            let read = wanted.iter().filter(|name| self.readers.get(**name) == Some(number));
            read.count()
        };
        // Of the one with most of these partitions; of two the lower.
        let next = || left.iter().copied().filter(|number| shares(number) > 0);
        let next = next().rev().max_by_key(shares).filter(|_| current.is_none());
        left.retain(|number| Some(*number) != next);
        let free = |number: &i64| !self.is_open(*number) && !others.contains(number);
        let number = current.or(next).or_else(|| (0..).find(free)).unwrap_or_default();
        let ids = self.ids(number);
        let mut news: BTreeMap<String, i64> =
            wanted.iter().map(|name| (ids.reader(name), number)).collect();
        news.insert(ids.claim(), process);
        news.retain(|app_id, version| self.txns.get(app_id) != Some(version));
        Plan { number, is_new: current.is_none(), continues: next.is_some(), left, news }
    }
}

/// Tells the detector that begins with the commit after `sequence` from those before it.
const fn life(number: i64, sequence: Option<i64>) -> i64 {
    match (number, sequence) {
        (0, None) => 0,
        (number, None) => number << 40,
        (number, Some(sequence)) => (number << 40) + sequence + 1,
    }
}

impl Lake {
    /// Claims partitions that a consumer group has given to this process, and a history for the detector that reads them:
    /// call it whenever partitions are given, before the first of their records is read. What was appended for a history
    /// that others have ended meanwhile is forgotten: they have said it.
    ///
    /// # Errors
    /// [`LakeError::Store`]; [`LakeError::TakenOver`] when the history was lost while rows waited for their commit.
    pub fn claim<'a>(
        &'a mut self,
        lineage: &'a str,
        partitions: &'a [String],
    ) -> LocalBoxFuture<'a, Result<Claim, LakeError>> {
        Box::pin(self.claim_all(lineage, partitions))
    }

    async fn claim_all(
        &mut self,
        lineage: &str,
        partitions: &[String],
    ) -> Result<Claim, LakeError> {
        let current = self.held_history().filter(|history| history.lineage() == lineage).cloned();
        let held = current.as_ref().and_then(History::member);
        let wanted: BTreeSet<&str> =
            partitions.iter().filter_map(|partition| number_of(partition)).collect();
        let process = self.process;
        let (location, requests) = self.requests()?;
        requests.refresh(&location).await?;
        // As they were before: what is claimed now is no longer told from what was not claimed ever.
        let (mut plan, mut before) = (Plan::default(), BTreeMap::new());
        let ids = Ids::of(&lineage.into());
        let news = |txns: &BTreeMap<String, i64>| {
            let next = Members::of(lineage, txns).plan(&wanted, held, process);
            // Nothing new: an earlier attempt had succeeded, and told less of what was there before it.
            if plan.news.is_empty() || !next.news.is_empty() {
                (plan, before) = (next, txns.clone());
                plan.news.clone()
            } else {
                BTreeMap::new()
            }
        };
        requests.note(&location, &ids, news).await?;
        let history = History::of_member(lineage, plan.number);
        let sequence = before.get(&Ids::of(&history).sequence()).copied();
        let mut state = None;
        if plan.is_new {
            self.let_go(&history)?;
            if plan.continues {
                state = self.state_of(&history, &before).await?;
            }
        }
        let mut left = Vec::with_capacity(plan.left.len());
        for number in plan.left {
            let history = History::of_member(lineage, number);
            let sequence = before.get(&Ids::of(&history).sequence()).copied().unwrap_or_default();
            let state = self.state_of(&history, &before).await?;
            left.push(Left { history, sequence, state });
        }
        self.complete_ended(lineage).await?;
        // Last: where anything before fails and is tried again, what is new is still new.
        let positions = self.begin(history.clone()).await?;
        self.hold(Hold::Claimed);
        let life = life(plan.number, sequence);
        let (partitions, is_new) = (partitions.to_vec(), plan.is_new);
        Ok(Claim { partitions, history, is_new, state, life, positions, left })
    }

    /// Where the tables are, and that of the requests.
    fn requests(&mut self) -> Result<(Location, &mut TableHandle), LakeError> {
        let location = self.location.clone();
        match self.tables.get_mut(REQUESTS.name) {
            Some(requests) => Ok((location, requests)),
            None => Err(LakeError::NoTables { uri: location.uri }),
        }
    }

    /// The history that is begun.
    fn held_history(&self) -> Option<&History> {
        self.lineage.as_ref().map(|lineage| &lineage.history)
    }

    const fn hold(&mut self, hold: Hold) {
        if let Some(lineage) = &mut self.lineage {
            lineage.hold = hold;
        }
    }

    /// Whether rows of the input wait for their commit.
    fn has_rows_of_input(&self) -> bool {
        let of_input = [REQUESTS.name, REJECTS.name];
        of_input.iter().any(|name| self.tables.get(name).is_some_and(|t| !t.writer.is_empty()))
    }

    fn checkpoints<'a>(&'a self, history: &History) -> Result<Checkpoints<'a>, LakeError> {
        Checkpoints::of(&self.location, history)
    }

    /// Forgets what waits for a commit in a history that others have ended, before `next` is begun.
    fn let_go(&mut self, next: &History) -> Result<(), LakeError> {
        if self.has_rows_of_input() {
            let lineage = self.held_history().map(History::name).unwrap_or_else(|| next.name());
            let (location, requests) = self.requests()?;
            let uri = location.display(requests.table.name);
            return Err(LakeError::TakenOver { uri, lineage, what: "the detector".into() });
        }
        self.discard();
        self.lineage = None;
        Ok(())
    }

    /// The detector's state of a history at its last commit, or why there is none in the log.
    async fn state_of(
        &self,
        history: &History,
        before: &BTreeMap<String, i64>,
    ) -> Result<Option<Checkpoint>, LakeError> {
        let ids = Ids::of(history);
        let Some(sequence) = before.get(&ids.sequence()).copied() else { return Ok(None) };
        let found = self.checkpoints(history)?.read(sequence).await?;
        // Before members had histories of their own they wrote one together: its state is of one of them, unless the
        // positions are those of all.
        let is_of_all = |found: &Checkpoint| {
            before.contains_key(&ids.claim()) || found.positions == ids.positions(before)
        };
        let found = found.and_then(|found| {
            let of_others = "it is of other positions than the tables".to_owned();
            if is_of_all(&found) { Ok(found) } else { Err(of_others) }
        });
        match found {
            Ok(found) => Ok(Some(found)),
            Err(reason) => {
                let history = history.name();
                tracing::warn!(history, sequence, reason, "no state of the detector to restore");
                Ok(None)
            }
        }
    }

    /// Names what processes have left unnamed that died while they ended a history.
    async fn complete_ended(&mut self, lineage: &str) -> Result<(), LakeError> {
        let (_, requests) = self.requests()?;
        let members = Members::of(lineage, &requests.log.txns);
        let is_read = |number: &i64| members.readers.values().any(|reader| reader == number);
        let numbers = members.numbers().into_iter();
        let ended = numbers.filter(|number| !members.is_open(*number) && !is_read(number));
        for number in ended.collect::<Vec<_>>() {
            let history = History::of_member(lineage, number);
            let mut other = self.sibling()?;
            if !other.checkpoints(&history)?.sequences().await?.is_empty() {
                other.begin(history.clone()).await?;
                other.checkpoints(&history)?.clear().await;
            }
        }
        Ok(())
    }

    /// Ends a history whose process is gone with the last that its detector has to say, up to an event time, µs; `None`
    /// when another process has done so, or goes on with it.
    ///
    /// # Errors
    /// [`LakeError::Store`]: it may be tried again.
    pub fn end<'a>(
        &'a self,
        left: &'a Left,
        closed_us: i64,
        findings: &'a [(&'static Table, RecordBatch)],
    ) -> LocalBoxFuture<'a, Result<Option<CommitSummary>, LakeError>> {
        Box::pin(self.end_at_once(left, closed_us, findings))
    }

    async fn end_at_once(
        &self,
        Left { history, sequence, .. }: &Left,
        closed_us: i64,
        findings: &[(&'static Table, RecordBatch)],
    ) -> Result<Option<CommitSummary>, LakeError> {
        let mut lake = self.sibling()?;
        lake.begin(history.clone()).await?;
        let (_, requests) = lake.requests()?;
        let members = Members::of(history.lineage(), &requests.log.txns);
        let Some(number) = history.member().filter(|number| members.is_open(*number)) else {
            return Ok(None);
        };
        let ids = Ids::of(history);
        let is_read = members.readers.values().any(|reader| *reader == number);
        if is_read || requests.log.txns.get(&ids.sequence()) != Some(sequence) {
            return Ok(None);
        }
        let claim = requests.log.txns.get(&ids.claim()).copied();
        lake.hold(Hold::Ending(claim));
        for (table, rows) in findings {
            lake.append(table, rows, RowKey::Closed).await?;
        }
        let point = CommitPoint {
            history: history.clone(),
            positions: BTreeMap::new(),
            closed_us,
            state: Bytes::new(),
        };
        match lake.commit(point).await {
            Ok(summary) => {
                lake.checkpoints(history)?.clear().await;
                Ok(Some(summary))
            }
            Err(LakeError::TakenOver { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// What a commit relies on: that nobody has claimed the history since, or what it reads.
pub(crate) fn guard<'a>(
    ids: &Ids,
    hold: Hold,
    process: i64,
    partitions: impl Iterator<Item = &'a String>,
) -> BTreeMap<String, i64> {
    if hold == Hold::Alone {
        return BTreeMap::new();
    }
    let mut guard = BTreeMap::from([(ids.claim(), process)]);
    if let (Hold::Claimed, Some(number)) = (hold, ids.history().member()) {
        let read = partitions.filter_map(|partition| number_of(partition));
        guard.extend(read.map(|partition| (ids.reader(partition), number)));
    }
    guard
}

/// The claim that a commit relies on and that is not as it was: see [`guard`].
pub(crate) fn broken<'a>(
    ids: &Ids,
    hold: Hold,
    guard: &'a BTreeMap<String, i64>,
    txns: &BTreeMap<String, i64>,
) -> Option<&'a str> {
    let is_broken = |app_id: &str, version: i64| match hold {
        Hold::Ending(before) => {
            let now = txns.get(app_id).copied();
            now != before && now != Some(version)
        }
        Hold::Alone | Hold::Claimed => txns.get(app_id) != Some(&version),
    };
    let broken = guard.iter().find(|(app_id, version)| is_broken(app_id, **version));
    broken.and_then(|(app_id, _)| ids.claimed(app_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINEAGE: &str = "run/g/edge";

    /// Transactions of a lineage: histories (number, last commit, whether it has ended) and who reads each partition.
    fn txns(histories: &[(i64, i64, bool)], readers: &[(&str, i64)]) -> BTreeMap<String, i64> {
        let mut txns = BTreeMap::new();
        for (number, sequence, has_ended) in histories {
            let ids = Ids::of(&History::of_member(LINEAGE, *number));
            txns.insert(ids.sequence(), *sequence);
            txns.insert(ids.closed(), if *has_ended { ENDED } else { 5 });
            txns.insert(ids.claim(), 100 + number);
        }
        let ids = Ids::of(&LINEAGE.into());
        txns.extend(readers.iter().map(|(name, reader)| (ids.reader(name), *reader)));
        txns
    }

    /// Number of the history, whether it goes on with a state, which are left, and whether anything is to be written.
    fn plan(
        txns: &BTreeMap<String, i64>,
        wanted: &[&str],
        current: Option<(i64, i64)>,
    ) -> (i64, bool, Vec<i64>, bool) {
        let process = current.map_or(7, |(_, process)| process);
        let wanted = wanted.iter().copied().collect();
        let current = current.map(|(number, _)| number);
        let Plan { number, continues, left, news, .. } =
            Members::of(LINEAGE, txns).plan(&wanted, current, process);
        (number, continues, left, !news.is_empty())
    }

    #[test]
    fn who_is_alone_goes_on_with_what_there_is() {
        assert_eq!(plan(&BTreeMap::new(), &["0", "1"], None), (0, false, vec![], true));
        let ids = Ids::of(&LINEAGE.into());
        let old = BTreeMap::from([
            (ids.sequence(), 9),
            (ids.partition("edge/0"), 5),
            (ids.partition("edge/1"), 6),
        ]);
        assert_eq!(plan(&old, &["0", "1"], None), (0, true, vec![], true));
        let part = plan(&old, &["0"], None);
        assert_eq!(part, (1, false, vec![], true), "somebody may read the other partition");
        let one = txns(&[(0, 3, false)], &[("0", 0), ("1", 0)]);
        assert_eq!(plan(&one, &["0", "1"], None), (0, true, vec![], true));
        let again = plan(&one, &["0", "1"], Some((0, 100)));
        assert_eq!(again, (0, false, vec![], false), "it has all that");
    }

    #[test]
    fn who_takes_the_last_partition_of_a_process_takes_care_of_its_history() {
        let two = txns(&[(0, 3, false), (1, 4, false)], &[("0", 0), ("1", 0), ("2", 1), ("3", 1)]);
        assert_eq!(plan(&two, &["2"], None), (2, false, vec![], true), "one is left to it");
        assert_eq!(plan(&two, &["2", "3"], None), (1, true, vec![], true));
        let has_one = plan(&two, &["2", "3"], Some((0, 100)));
        assert_eq!(
            has_one,
            (0, false, vec![1], true),
            "it goes on with its own and ends the other"
        );
        let all = plan(&two, &["0", "1", "2", "3"], None);
        assert_eq!(all, (0, true, vec![1], true), "of two the lower");
        let more = txns(&[(0, 3, false), (1, 4, false)], &[("0", 0), ("2", 1), ("3", 1)]);
        assert_eq!(plan(&more, &["0", "2", "3"], None), (1, true, vec![0], true), "more of it");
    }

    #[test]
    fn a_history_that_others_have_ended_or_taken_is_lost() {
        let mut ended = txns(&[(0, 3, true), (1, 4, false)], &[("0", 1), ("1", 1)]);
        ended.insert(Ids::of(&LINEAGE.into()).claim(), 55);
        assert_eq!(plan(&ended, &["1"], Some((0, 100))), (0, false, vec![], true));
        let mut taken = txns(&[(0, 3, false)], &[("0", 0), ("1", 0)]);
        taken.insert(Ids::of(&LINEAGE.into()).claim(), 55);
        assert_eq!(plan(&taken, &["1"], Some((0, 100))), (1, false, vec![], true));
    }

    #[test]
    fn numbers_are_used_again() {
        let ended = txns(&[(0, 3, false), (1, 4, true), (2, 5, false)], &[("0", 0), ("1", 2)]);
        assert_eq!(plan(&ended, &["3"], None), (1, false, vec![], true));
        assert_eq!(life(1, Some(4)), (1 << 40) + 5);
        assert_ne!(life(1, Some(4)), life(1, Some(5)));
        assert_eq!((life(0, None), life(0, Some(3))), (0, 4));
    }
}
