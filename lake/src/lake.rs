//! The five tables together: the order of commits that makes a crash at any point harmless.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use futures::future::LocalBoxFuture;
use object_store::{ObjectStore, ObjectStoreExt as _};
use schemas::Table;
use schemas::tables::{ALL, INCIDENTS, REJECTS, REQUESTS, SOURCE_WINDOWS, TARGET_WINDOWS};
use std::sync::Arc;
use url::Url;

use crate::checkpoint::{Checkpoint, Checkpoints, HOUSEKEEPING};
use crate::commit::TableHandle;
use crate::error::LakeError;
use crate::ids::{History, Ids, histories};
use crate::lineage::Lineage;
use crate::location::Location;
use crate::log_keeper::LogKeeper;
use crate::options::LakeOptions;
use crate::point::{Ahead, CommitPoint, CommitSummary, RowKey};
use crate::progress::{leads, transactions};
use crate::rows::fresh;
use crate::state_keeper::{MakeState, StateKeeper};

/// Tables whose rows depend on the detector; committed before `requests`.
const SIDE_TABLES: [&Table; 4] = [&REJECTS, &SOURCE_WINDOWS, &TARGET_WINDOWS, &INCIDENTS];

/// Writer of the five tables under one data location.
///
/// Its futures are boxed here, once: the crates above would otherwise each compile Delta's state machines anew. They
/// stay on their thread, as Parquet's encoders do.
#[derive(Debug)]
pub struct Lake {
    location: Location,
    log_keeper: LogKeeper,
    state_keeper: StateKeeper,
    tables: BTreeMap<&'static str, TableHandle>,
    lineage: Option<Lineage>,
}

impl Lake {
    /// Opens the tables under `uri` (a folder, `file://…` or `s3://…`), creating what is missing.
    ///
    /// # Errors
    /// Any [`LakeError`] but `Conflict`: the place cannot be used, or holds tables of another making.
    pub fn open(uri: &str, options: LakeOptions) -> LocalBoxFuture<'_, Result<Self, LakeError>> {
        Box::pin(async move { Self::open_at(Location::open(uri, options.sync)?, options).await })
    }

    /// Opens the tables in a store at hand; `url` is the data location within it.
    ///
    /// # Errors
    /// As [`Lake::open`].
    pub fn open_in(
        store: Arc<dyn ObjectStore>,
        url: Url,
        options: LakeOptions,
    ) -> LocalBoxFuture<'static, Result<Self, LakeError>> {
        Box::pin(Self::open_at(Location::on_store(store, url), options))
    }

    async fn open_at(location: Location, options: LakeOptions) -> Result<Self, LakeError> {
        check_writable(&location).await?;
        let mut tables = BTreeMap::new();
        for table in ALL {
            tables.insert(table.name, TableHandle::open(&location, table, &options).await?);
        }
        let versions = tables.iter().map(|(name, table)| (*name, table.log.version)).collect();
        let log_keeper = LogKeeper::new(options.checkpoint_interval, versions);
        let state_keeper = StateKeeper::new(!options.keeps_states_beside);
        Ok(Self { location, log_keeper, state_keeper, tables, lineage: None })
    }

    /// Takes up a history, the rows of one consumer (`run/<group>/<topic>`, `scan`): reads from the log how far each
    /// table has come and returns the next position of every partition, according to `requests`.
    ///
    /// Call it once before the first [`Lake::append`], and again when partitions come back from another process.
    ///
    /// # Errors
    /// [`LakeError::Store`], or [`LakeError::Lineage`] when rows of another history wait for their commit.
    pub fn begin(
        &mut self,
        history: impl Into<History>,
    ) -> LocalBoxFuture<'_, Result<BTreeMap<String, i64>, LakeError>> {
        let history = history.into();
        Box::pin(async move { Ok(self.take_up(history, None).await?.positions()) })
    }

    /// Takes up a history with the detector of a checkpoint that [`Lake::restore`] gave, or with a new one, in place of the
    /// first [`Lake::begin`]. Where the tables have moved on since, rows of what is read again, and what the detector finds
    /// in it again, are left out when they are appended.
    ///
    /// # Errors
    /// As [`Lake::begin`].
    pub fn resume<'a>(
        &'a mut self,
        history: History,
        checkpoint: Option<&'a Checkpoint>,
    ) -> LocalBoxFuture<'a, Result<Ahead, LakeError>> {
        Box::pin(async move { Ok(self.take_up(history, checkpoint).await?.ahead()) })
    }

    async fn take_up(
        &mut self,
        history: History,
        resumed: Option<&Checkpoint>,
    ) -> Result<&Lineage, LakeError> {
        let current = self.lineage.as_ref().map(|current| &current.history);
        if let Some(begun) = current.filter(|begun| **begun != history)
            && self.tables.values().any(|table| !table.writer.is_empty())
        {
            return Err(LakeError::Lineage { wanted: history.name(), begun: begun.name() });
        }
        let sequence = Ids::of(&history).sequence();
        let before = self.lineage.as_ref().filter(|before| before.history == history);
        for table in self.tables.values_mut() {
            let known = table.log.txns.get(&sequence).copied();
            table.refresh(&self.location).await?;
            let is_moved = table.log.txns.get(&sequence).copied() != known;
            table.have_others_written = match before {
                _ if resumed.is_some() => false,
                Some(before) if is_moved => !before.has_written(&table.log.txns),
                Some(_) => table.have_others_written,
                None => false,
            };
        }
        let checkpoints = Checkpoints::of(&self.location, &history)?;
        checkpoints.prune_scopes(&history).await;
        let written = checkpoints.sequences().await?.into_iter().max().unwrap_or_default();
        let before = self.lineage.take().filter(|before| before.history == history);
        let mut lineage = Lineage::take_up(history, &self.tables, before, resumed);
        lineage.sequence = lineage.sequence.max(written);
        Ok(self.lineage.insert(lineage))
    }

    /// Positions from which partitions are to be read that the detector knows less far than the tables; those of
    /// [`Lake::begin`] go for all others. A partition that a commit point has named is begun.
    pub fn again(&self) -> BTreeMap<String, i64> {
        self.lineage.as_ref().map(Lineage::again).unwrap_or_default()
    }

    /// Next position of every partition of a lineage, as the log of `requests` has them now.
    ///
    /// # Errors
    /// [`LakeError::Store`] when the log cannot be read.
    pub fn positions<'a>(
        &'a self,
        lineage: &'a str,
    ) -> LocalBoxFuture<'a, Result<BTreeMap<String, i64>, LakeError>> {
        Box::pin(
            async move { Ok(Ids::of(&lineage.into()).positions(&self.requests_txns().await?)) },
        )
    }

    /// How far processes that died had read the partitions of a lineage of many scopes, beyond what they have committed:
    /// by that their input is known again.
    ///
    /// # Errors
    /// [`LakeError::Store`] when log or checkpoints cannot be read.
    pub fn attempts<'a>(
        &'a self,
        lineage: &'a str,
    ) -> LocalBoxFuture<'a, Result<BTreeMap<String, i64>, LakeError>> {
        Box::pin(async move {
            Checkpoints::attempts(&self.location, lineage, &self.requests_txns().await?).await
        })
    }

    /// Every history that has committed rows.
    ///
    /// # Errors
    /// [`LakeError::Store`] when the log cannot be read.
    pub fn histories(&self) -> LocalBoxFuture<'_, Result<Vec<History>, LakeError>> {
        Box::pin(async move { Ok(histories(&self.requests_txns().await?)) })
    }

    async fn requests_txns(&self) -> Result<BTreeMap<String, i64>, LakeError> {
        match self.tables.get(REQUESTS.name) {
            Some(requests) => Ok(requests.read_log(&self.location).await?.txns),
            None => Ok(BTreeMap::new()),
        }
    }

    /// The last state of the detector that was kept of a history, if it can be used: its positions must be those of
    /// `requests`, or before them and nobody else have written meanwhile. When it cannot, the reason is logged and the
    /// detector starts afresh from [`Lake::positions`].
    ///
    /// # Errors
    /// [`LakeError::Store`] when log or checkpoint cannot be read.
    pub fn restore(
        &self,
        history: impl Into<History>,
    ) -> LocalBoxFuture<'_, Result<Option<Checkpoint>, LakeError>> {
        Box::pin(self.find_state(history.into()))
    }

    async fn find_state(&self, history: History) -> Result<Option<Checkpoint>, LakeError> {
        let txns = self.requests_txns().await?;
        let ids = Ids::of(&history);
        let name = history.name();
        let Some(sequence) = ids.base_in(&txns) else { return Ok(None) };
        let found = Checkpoints::of(&self.location, &history)?.read(sequence).await?;
        let found = found.and_then(|checkpoint| {
            if checkpoint.is_of(&ids, &txns) {
                Ok(checkpoint)
            } else {
                Err("another process moved the history on".to_owned())
            }
        });
        found.map_or_else(
            |reason| {
                tracing::warn!(
                    history = name,
                    sequence,
                    reason,
                    "no state of the detector to restore"
                );
                Ok(None)
            },
            |checkpoint| Ok(Some(checkpoint)),
        )
    }

    /// Appends rows to a table; they become visible with the next [`Lake::commit`]. Rows that the table already
    /// holds, from a commit that a crash interrupted, are left out.
    ///
    /// # Errors
    /// [`LakeError::Store`] and [`LakeError::DiskFull`] when too much waits for its upload: nothing was taken, the
    /// call may be repeated with the same rows. [`LakeError::Rows`] and [`LakeError::Encode`] are bugs.
    pub fn append<'a>(
        &'a mut self,
        table: &'static Table,
        rows: &'a RecordBatch,
        key: RowKey<'a>,
    ) -> LocalBoxFuture<'a, Result<(), LakeError>> {
        Box::pin(self.take_in(table, rows, key))
    }

    async fn take_in(
        &mut self,
        table: &'static Table,
        rows: &RecordBatch,
        key: RowKey<'_>,
    ) -> Result<(), LakeError> {
        if rows.num_rows() == 0 {
            return Ok(());
        }
        schemas::batch::check(rows, table)?;
        let Some(lineage) = &mut self.lineage else {
            return Err(LakeError::Lineage { wanted: "any".into(), begun: "none".into() });
        };
        let Some(handle) = self.tables.get_mut(table.name) else { return Ok(()) };
        let fresh = match lineage.held.get(table.name) {
            None => None,
            Some(held) => fresh(rows, table, key, held)
                .map_err(|error| LakeError::Encode { table: table.name, source: error.into() })?,
        };
        let rows = fresh.as_ref().unwrap_or(rows);
        if let RowKey::Partition(partition) = key {
            lineage.note(partition, table, rows);
        }
        handle.writer.append(rows).await.map_err(|error| error.at(table, &self.location))
    }

    /// Bytes of rows held in memory, for callers that commit by size.
    pub fn buffered_bytes(&self) -> usize {
        self.tables.values().map(|table| table.writer.buffered_bytes()).sum()
    }

    /// Makes everything appended so far visible, exactly once, and remembers `point`.
    ///
    /// Order: checkpoint of the detector, if one is given, then `rejects`, windows and `incidents` where they have rows, then
    /// `requests`, always and last: its transactions say what is done. Nothing new means no commit at all.
    ///
    /// # Errors
    /// After an error whose [`LakeError::retry`] says so, the call may be repeated, with the same point or, after
    /// more rows, a later one: what an earlier attempt achieved is not done twice. [`LakeError::Conflict`]: another
    /// process reads the same input.
    pub fn commit(
        &mut self,
        point: CommitPoint,
    ) -> LocalBoxFuture<'_, Result<CommitSummary, LakeError>> {
        Box::pin(self.commit_all(point))
    }

    async fn commit_all(&mut self, point: CommitPoint) -> Result<CommitSummary, LakeError> {
        let begun = self.lineage.as_ref().map(|lineage| &lineage.history);
        if begun != Some(&point.history) {
            let begun = begun.map_or_else(|| "none".to_owned(), History::name);
            return Err(LakeError::Lineage { wanted: point.history.name(), begun });
        }
        let Some(checkpoint) = self.prepare(point) else { return Ok(CommitSummary::default()) };
        // Files first, so that the commits follow each other closely.
        for handle in self.tables.values_mut() {
            let finished = handle.writer.finish().await;
            finished.map_err(|error| error.at(handle.table, &self.location))?;
        }
        let checkpoint = self.write_checkpoint(checkpoint).await?;
        let Some(lineage) = &mut self.lineage else { return Ok(CommitSummary::default()) };
        let (mut moves, mut base, mut has_new_base) = (BTreeMap::new(), 0, false);
        if let Some(requests) = self.tables.get_mut(REQUESTS.name) {
            // By what was known when the checkpoint was made: what others of the same history have moved since is theirs.
            moves = transactions(&lineage.ids, &checkpoint, &REQUESTS, &requests.log.txns);
            moves.extend(leads(&lineage.ids, &checkpoint, &lineage.held));
            // Who has lost the input to another process leaves nothing in the tables that come first.
            let ours = requests.catch_up(&self.location, &lineage.ids, &moves).await?;
            lineage.refuse_held(requests, &self.location, ours)?;
            if let Some(number) = self.state_keeper.written(&lineage.history) {
                lineage.kept(number);
            }
            base = lineage.base_of(&checkpoint, requests.have_others_written);
            moves.insert(lineage.ids.base(), base);
            has_new_base = lineage.ids.base_in(&requests.log.txns).unwrap_or_default() != base;
        }
        let mut summary = CommitSummary { sequence: checkpoint.sequence, tables: Vec::new() };
        for table in SIDE_TABLES.into_iter().chain([&REQUESTS]) {
            let Some(handle) = self.tables.get_mut(table.name) else { continue };
            let last = table.name == REQUESTS.name;
            let own = || lineage.transactions(&checkpoint, table, &handle.log.txns);
            let txns = if last { moves.clone() } else { own() };
            let done = handle.commit(&self.location, &lineage.ids, &txns, last).await?;
            summary.tables.extend(done);
        }
        lineage.committed(&checkpoint, base);
        if has_new_base {
            let checkpoints = Checkpoints::of(&self.location, &lineage.history)?;
            checkpoints.prune(checkpoint.sequence, base).await;
        }
        let versions = self.tables.values().map(|handle| (handle.table, handle.log.version));
        self.log_keeper.see(&self.location, versions);
        Ok(summary)
    }

    /// Keeps the state that the detector had at the last commit, which brought none; it is made and written beside all
    /// else, and the commits after that go on from there. Left out while one is being written, and where others write to the
    /// history, too: nobody could go on from there.
    pub fn keep_state(&mut self, make: MakeState) {
        let Some(lineage) = &self.lineage else { return };
        let requests = self.tables.get(REQUESTS.name);
        let are_others = requests.is_none_or(|requests| requests.have_others_written);
        let Some(place) = lineage.unsaved().filter(|_| !are_others) else { return };
        if !self.state_keeper.is_at_it() {
            self.state_keeper.begin(&self.location, &lineage.history, place, make);
        }
    }

    /// The checkpoint to write for `point`, or `None` when there is nothing to commit.
    fn prepare(&mut self, mut point: CommitPoint) -> Option<Checkpoint> {
        let has_rows = self.tables.values().any(|table| !table.writer.is_empty());
        let requests = self.tables.get_mut(REQUESTS.name)?;
        if point.state.is_empty() && requests.have_others_written {
            point.state = std::mem::take(&mut point.rest);
        }
        let checkpoint = self.lineage.as_mut()?.prepare(point, &requests.log.txns, has_rows)?;
        // Its positions are those of the others, too, as far as they are known.
        requests.have_others_written &= checkpoint.state.is_empty();
        Some(checkpoint)
    }

    /// Writes the checkpoint under the next free number, unless the last attempt has written the same one.
    async fn write_checkpoint(&mut self, mut next: Checkpoint) -> Result<Checkpoint, LakeError> {
        let Some(lineage) = &mut self.lineage else { return Ok(next) };
        if let Some(written) = &lineage.unconfirmed {
            let same = Checkpoint { sequence: written.sequence, ..next.clone() };
            if same == *written {
                return Ok(same);
            }
        }
        if !next.state.is_empty() {
            let checkpoints = Checkpoints::of(&self.location, &lineage.history)?;
            while !checkpoints.write(&next).await? {
                next.sequence += 1;
            }
        }
        lineage.sequence = next.sequence;
        lineage.unconfirmed = Some(next.clone());
        Ok(next)
    }

    /// Forgets all rows that are not committed.
    pub fn discard(&mut self) {
        for table in self.tables.values_mut() {
            table.writer.clear();
        }
    }
}

/// Writes and deletes a small object, so that a wrong place is found out before hours of work.
async fn check_writable(location: &Location) -> Result<(), LakeError> {
    let folder = location.folder(HOUSEKEEPING)?;
    let path = object_store::path::Path::from(format!("probe-{}", uuid::Uuid::new_v4()));
    let written = folder.put(&path, "floodmark".into()).await;
    let written = match written {
        Ok(_) => folder.delete(&path).await,
        Err(error) => Err(error),
    };
    written.map_err(|error| match location.fail("write a probe", HOUSEKEEPING, error) {
        LakeError::Store { uri, source, .. } => LakeError::NotWritable { uri, source },
        other => other,
    })
}
