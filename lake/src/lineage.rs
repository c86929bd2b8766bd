//! What a writer knows of the history it goes on with.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use schemas::Table;
use schemas::tables::{INCIDENTS, REJECTS, REQUESTS, SOURCE_WINDOWS, TARGET_WINDOWS};

use crate::checkpoint::Checkpoint;
use crate::commit::TableHandle;
use crate::error::LakeError;
use crate::ids::{History, Ids};
use crate::location::Location;
use crate::point::{Ahead, CommitPoint, RowKey};
use crate::progress::{Held, advance, begun, front, is_behind, missed, transactions};
use crate::rows::{last_front, least};

/// Tables whose rows the detector makes.
const FINDINGS: [&Table; 3] = [&SOURCE_WINDOWS, &TARGET_WINDOWS, &INCIDENTS];

/// The history that is gone on with, as of the last look at the tables and what was committed since.
#[derive(Debug)]
pub(crate) struct Lineage {
    pub(crate) history: History,
    pub(crate) ids: Ids,
    pub(crate) held: BTreeMap<&'static str, Held>,
    /// Number of the last commit tried.
    pub(crate) sequence: i64,
    /// The checkpoint, or the place of one, of a commit that has not succeeded yet.
    pub(crate) unconfirmed: Option<Checkpoint>,
    /// The least position of each partition among the rows that wait for their commit.
    pub(crate) least: BTreeMap<String, i64>,
    /// Places in front of which rejects stand that wait for their commit.
    fronts: BTreeMap<String, i64>,
    /// Number of the checkpoint from which, and from what was read after it, the detector of this process can be had
    /// again; 0 for none.
    pub(crate) base: i64,
    /// The last commit, as a checkpoint without its state.
    done: Option<Checkpoint>,
    /// The last commit brought no checkpoint.
    pub(crate) is_unsaved: bool,
    /// Where partitions are to be read from that have not been named by a commit point yet, since the detector has not
    /// seen all that the tables hold; and where the tables stood.
    again: BTreeMap<String, (i64, i64)>,
}

impl Lineage {
    /// Takes up a history as its tables stand, with a detector that was restored from `resumed`, or as it was taken up
    /// `before`.
    pub(crate) fn take_up(
        history: History,
        tables: &BTreeMap<&'static str, TableHandle>,
        before: Option<Self>,
        resumed: Option<&Checkpoint>,
    ) -> Self {
        let ids = Ids::of(&history);
        let sequence_id = ids.sequence();
        let sequence_of = |table: &TableHandle| table.log.txns.get(&sequence_id).copied();
        let requests = tables.get(REQUESTS.name);
        let confirmed = requests.and_then(sequence_of);
        let known = |id: &String| requests.and_then(|table| table.log.txns.get(id)).copied();
        let held = tables.iter().map(|(name, table)| {
            // A table ahead of `requests` was committed just before a crash, or before an earlier one.
            let after = if sequence_of(table) > confirmed {
                table.log.txns.get(&ids.closed()).copied()
            } else {
                known(&ids.ahead(name)).filter(|after| *after != 0)
            };
            let positions = ids.positions(&table.log.txns);
            (*name, Held { positions, closed_us: after.map(|after| after.saturating_sub(1)) })
        });
        let mut held: BTreeMap<_, _> = held.collect();
        let stands = held.get(REQUESTS.name).map(|held| held.positions.clone()).unwrap_or_default();
        // Rejects of what `requests` knows are all there, and the table may not have heard of it.
        advance(&mut held.entry(REJECTS.name).or_default().positions, &stands);
        let mut again = BTreeMap::new();
        let (mut base, mut is_unsaved) = (0, false);
        let (mut least, mut fronts) = (BTreeMap::new(), BTreeMap::new());
        let mut done = None;
        if let Some(checkpoint) = resumed {
            base = checkpoint.sequence;
            is_unsaved = confirmed != Some(base);
            if is_unsaved {
                let closed_us = known(&ids.closed()).map(|after| after.saturating_sub(1));
                for table in FINDINGS {
                    let held = held.entry(table.name).or_default();
                    held.closed_us = held.closed_us.max(closed_us);
                }
                again = missed(&checkpoint.positions, &stands).unwrap_or_default();
            }
        } else if let Some(before) = before {
            (base, is_unsaved) = (before.base, before.is_unsaved);
            (done, least, fronts) = (before.done, before.least, before.fronts);
            again = before.again;
            for (name, held) in &mut held {
                let known = before.held.get(name).and_then(|before| before.closed_us);
                held.closed_us = held.closed_us.max(known);
            }
        }
        // Somebody else has read on meanwhile: what comes next is what the tables do not hold.
        again.retain(|name, (_, stood)| stands.get(name) == Some(stood));
        let in_tables = tables.values().filter_map(sequence_of).max();
        let sequence = in_tables.unwrap_or_default();
        Self {
            history,
            ids,
            held,
            sequence,
            unconfirmed: None,
            least,
            fronts,
            base,
            done,
            is_unsaved,
            again,
        }
    }

    /// Next position of every partition, as `requests` stood when this was taken up.
    pub(crate) fn positions(&self) -> BTreeMap<String, i64> {
        self.held.get(REQUESTS.name).map(|held| held.positions.clone()).unwrap_or_default()
    }

    /// Where partitions are to be read from that the detector knows less far than the tables.
    pub(crate) fn again(&self) -> BTreeMap<String, i64> {
        self.again.iter().map(|(name, (next, _))| (name.clone(), *next)).collect()
    }

    /// What the tables hold beyond the detector.
    pub(crate) fn ahead(&self) -> Ahead {
        let incidents = self.held.get(INCIDENTS.name);
        let closed_us = incidents.and_then(|held| held.closed_us);
        Ahead { partitions: self.again.clone(), closed_us }
    }

    /// Takes note of rows of a partition that wait for their commit.
    pub(crate) fn note(&mut self, partition: &str, table: &Table, rows: &RecordBatch) {
        if let Some(position) = least(rows, table, RowKey::Partition(partition)) {
            let least = self.least.entry(partition.to_owned()).or_insert(position);
            *least = position.min(*least);
        }
        if table.name == REJECTS.name
            && let Some(place) = last_front(rows, table, partition)
        {
            self.fronts.insert(partition.to_owned(), place);
        }
    }

    /// The transactions of a commit of a table other than `requests`, given those that its log has.
    pub(crate) fn transactions(
        &self,
        checkpoint: &Checkpoint,
        table: &Table,
        known: &BTreeMap<String, i64>,
    ) -> BTreeMap<String, i64> {
        let mut txns = transactions(&self.ids, checkpoint, table, known);
        if table.name == REJECTS.name {
            let mark = |(partition, place): (&String, &i64)| {
                (self.ids.partition(&front(partition)), *place)
            };
            txns.extend(self.fronts.iter().map(mark));
        }
        txns
    }

    /// The checkpoint of a commit of `point`, given the transactions of `requests` and whether rows wait for it; `None`
    /// when there is nothing to commit. One without state is none, and stands for its place.
    pub(crate) fn prepare(
        &mut self,
        point: CommitPoint,
        txns: &BTreeMap<String, i64>,
        has_rows: bool,
    ) -> Option<Checkpoint> {
        self.again.retain(|partition, _| !point.positions.contains_key(partition));
        let mut positions = self.ids.positions(txns);
        if self.history.is_scoped() {
            // Those of other scopes move on by themselves.
            positions.retain(|name, _| point.positions.contains_key(name));
        }
        let before = positions.clone();
        advance(&mut positions, &point.positions);
        for (partition, first) in point.begun {
            if point.positions.contains_key(&partition) && !before.contains_key(&partition) {
                positions.insert(begun(&partition), first);
            }
        }
        let mut state = point.state;
        // A detector that has not seen yet all that the tables hold is still that of its base.
        if point.positions.keys().any(|name| is_behind(name, &point.positions, &before)) {
            state.clear();
        }
        let is_saved = state.is_empty() || !self.is_unsaved;
        if positions == before && !has_rows && self.unconfirmed.is_none() && is_saved {
            return None;
        }
        let known = txns.get(&self.ids.sequence()).copied().unwrap_or_default();
        let sequence = self.sequence.max(known) + 1;
        Some(Checkpoint { sequence, positions, closed_us: point.closed_us, state, written: None })
    }

    /// What the commit of `requests` says of the state, where others have written to the history or not: nobody but a
    /// detector that has seen what they brought can be said to go on from before it.
    pub(crate) fn base_of(&self, checkpoint: &Checkpoint, have_others_written: bool) -> i64 {
        match (checkpoint.state.is_empty(), have_others_written) {
            (false, _) => checkpoint.sequence,
            (true, false) => self.base,
            (true, true) => 0,
        }
    }

    /// A commit stands.
    pub(crate) fn committed(&mut self, checkpoint: &Checkpoint, base: i64) {
        self.unconfirmed = None;
        self.least.clear();
        self.fronts.clear();
        self.base = base;
        self.is_unsaved = checkpoint.state.is_empty();
        self.done = Some(checkpoint.place());
    }

    /// Whether the last commit that `txns` tell of is the one whose end this process has not heard of.
    pub(crate) fn has_written(&self, txns: &BTreeMap<String, i64>) -> bool {
        let Some(tried) = &self.unconfirmed else { return false };
        let held = self.ids.positions(txns);
        txns.get(&self.ids.sequence()) == Some(&tried.sequence)
            && tried.positions.iter().all(|(partition, next)| held.get(partition) == Some(next))
    }

    /// The last commit, if it brought no checkpoint and all that the tables hold had been seen by then: a checkpoint
    /// without its state.
    pub(crate) fn unsaved(&self) -> Option<Checkpoint> {
        self.done.clone().filter(|_| self.is_unsaved)
    }

    /// The checkpoint of that number was written for a commit of this process.
    pub(crate) fn kept(&mut self, number: i64) {
        self.base = self.base.max(number);
        self.sequence = self.sequence.max(number);
    }

    /// Refuses rows that another process has committed since they were begun: it may have done so before this one had any of
    /// them, and had no reason to mind. With `ours`, an earlier attempt of this process was found to have succeeded.
    pub(crate) fn refuse_held(
        &mut self,
        requests: &TableHandle,
        location: &Location,
        ours: bool,
    ) -> Result<(), LakeError> {
        for (partition, least) in &mut self.least {
            let stands = requests.log.txns.get(&self.ids.partition(partition)).copied();
            let Some(stands) = stands.filter(|stands| *stands > *least) else { continue };
            if ours {
                *least = stands;
                continue;
            }
            return Err(LakeError::Conflict {
                uri: location.display(REQUESTS.name),
                lineage: self.history.name(),
                partition: partition.clone(),
                expected: *least,
                found: stands,
            });
        }
        Ok(())
    }
}
