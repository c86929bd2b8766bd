//! One table and its commits: put-if-absent of the next version, and what to do when that version is taken.
//!
//! A commit is a pure append: files and `txn` actions. When another writer took the version, its entry is read:
//! if it names our own files, an earlier attempt of ours had succeeded after all; if it moves a partition that we are
//! about to move, two processes read the same input and one must stop; anything else is followed by the next version.
//!
//! This is deltalake's commit protocol for blind appends without its snapshot, which holds the statistics of every
//! file of the table in memory.

use std::collections::BTreeMap;

use chrono::Utc;
use deltalake::DeltaTable;
use deltalake::checkpoints::{cleanup_metadata, create_checkpoint};
use deltalake::kernel::transaction::CommitData;
use deltalake::kernel::{Action, Transaction};
use deltalake::protocol::{DeltaOperation, SaveMode};
use object_store::{ObjectStore as _, PutMode, PutOptions, PutPayload};
use schemas::Table;

use crate::error::LakeError;
use crate::ids::Ids;
use crate::location::{Folder, Location};
use crate::log::{self, Entry, LogState, commit_path};
use crate::options::LakeOptions;
use crate::tables;
use crate::writer::{Pending, TableWriter};

/// Versions another writer may take while one commit is tried.
const ATTEMPTS_MAX: usize = 10_000;

/// What one commit added to one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableCommit {
    /// Name of the table.
    pub table: &'static str,
    /// Version of the table after the commit.
    pub version: u64,
    /// Rows added.
    pub rows: u64,
    /// Files added.
    pub files: usize,
    /// Their size, bytes.
    pub bytes: u64,
}

/// A table, its rows in flight and what is known of its log.
#[derive(Debug)]
pub(crate) struct TableHandle {
    pub(crate) table: &'static Table,
    pub(crate) writer: TableWriter,
    pub(crate) log: LogState,
    /// Another process was seen to write to the history since this one has made the last checkpoint.
    pub(crate) have_others_written: bool,
    folder: Folder,
}

impl TableHandle {
    pub(crate) async fn open(
        location: &Location,
        table: &'static Table,
        options: &LakeOptions,
    ) -> Result<Self, LakeError> {
        tables::open_or_create(location, table, options).await?;
        let folder = location.folder(table.name)?;
        let writer = TableWriter::new(table, folder.clone(), options);
        let log = LogState::default();
        let mut handle = Self { table, writer, log, have_others_written: false, folder };
        handle.refresh(location).await?;
        Ok(handle)
    }

    /// Reads the log anew.
    pub(crate) async fn refresh(&mut self, location: &Location) -> Result<(), LakeError> {
        self.log = self.read_log(location).await?;
        Ok(())
    }

    pub(crate) async fn read_log(&self, location: &Location) -> Result<LogState, LakeError> {
        log::read(&self.folder)
            .await
            .map_err(|failure| location.fail("read the log", self.table.name, failure))
    }

    /// Commits all files in flight with those of `txns` that are news to the table.
    ///
    /// Without files nothing is committed, unless `always`; `None` says so.
    pub(crate) async fn commit(
        &mut self,
        location: &Location,
        ids: &Ids,
        txns: &BTreeMap<String, i64>,
        always: bool,
    ) -> Result<Option<TableCommit>, LakeError> {
        self.writer.finish().await.map_err(|error| error.at(self.table, location))?;
        self.writer.settle().await.map_err(|error| error.at(self.table, location))?;
        let whole = self.writer.pending();
        if whole.adds.is_empty() && !always {
            return Ok(None);
        }
        for _ in 0..ATTEMPTS_MAX {
            let news: Vec<Transaction> = txns
                .iter()
                .filter(|(app_id, version)| self.log.txns.get(*app_id) != Some(*version))
                .map(|(app_id, version)| ids.transaction(app_id, *version, Utc::now()))
                .collect();
            if self.is_behind(location, ids, txns).await? {
                continue;
            }
            let pending = self.writer.pending();
            if pending.adds.is_empty() && (news.is_empty() || !always) {
                return Ok(Some(self.summary(&whole)));
            }
            let version = self.log.version + 1;
            if self.put_entry(location, version, &pending, &news).await? {
                self.log.version = version;
                self.log.txns.extend(news.into_iter().map(|txn| (txn.app_id, txn.version)));
                self.writer.committed(pending.adds.iter().map(|add| add.path.as_str()));
                // The commit stands; what could not be looked up is looked up before the next one.
                let _ = self.writer.verify().await;
                return Ok(Some(self.summary(&whole)));
            }
            self.learn(location, ids, version, txns).await?;
        }
        Err(LakeError::Store {
            what: "commit".into(),
            uri: location.display(self.table.name),
            source: format!("other writers took {ATTEMPTS_MAX} versions in a row").into(),
        })
    }

    fn summary(&self, whole: &Pending) -> TableCommit {
        TableCommit {
            table: self.table.name,
            version: self.log.version,
            rows: whole.rows,
            files: whole.adds.len(),
            bytes: whole.bytes,
        }
    }

    /// Writes the entry of `version`; `false` when that version exists.
    async fn put_entry(
        &self,
        location: &Location,
        version: u64,
        pending: &Pending,
        news: &[Transaction],
    ) -> Result<bool, LakeError> {
        let what = || format!("commit version {version}");
        let partition_by = self.table.partition_by;
        let operation = DeltaOperation::Write {
            mode: SaveMode::Append,
            partition_by: (!partition_by.is_empty())
                .then(|| partition_by.iter().map(|name| (*name).to_owned()).collect()),
            predicate: None,
        };
        let metadata = [
            ("isBlindAppend".to_owned(), true.into()),
            (
                "clientVersion".to_owned(),
                concat!("floodmark.", env!("CARGO_PKG_VERSION")).to_owned().into(),
            ),
        ];
        let actions = pending.adds.iter().cloned().map(Action::Add).collect();
        let data = CommitData::new(actions, operation, metadata.into(), news.to_vec());
        let body = data
            .get_bytes()
            .map_err(|error| location.fail(&what(), self.table.name, error.to_string()))?;
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        let payload = PutPayload::from_bytes(body);
        match self.folder.put_opts(&commit_path(version), payload, options).await {
            Ok(_) => Ok(true),
            Err(
                object_store::Error::AlreadyExists { .. }
                | object_store::Error::Precondition { .. },
            ) => Ok(false),
            Err(error) => Err(location.fail(&what(), self.table.name, error)),
        }
    }

    /// Takes note of what others have committed meanwhile; whoever moved a partition that `txns` moves is a conflict.
    ///
    /// - returns: whether a commit was an earlier attempt of this process.
    pub(crate) async fn catch_up(
        &mut self,
        location: &Location,
        ids: &Ids,
        txns: &BTreeMap<String, i64>,
    ) -> Result<bool, LakeError> {
        self.is_behind(location, ids, txns).await?;
        let mut ours = false;
        loop {
            let next = self.log.version + 1;
            let fail = |failure| location.fail("read the log", self.table.name, failure);
            if !log::has_commit(&self.folder, next).await.map_err(fail)? {
                return Ok(ours);
            }
            ours |= self.learn(location, ids, next, txns).await?;
        }
    }

    /// Whether the log has moved on so far that its entries are cleaned up already; it is then read anew.
    async fn is_behind(
        &mut self,
        location: &Location,
        ids: &Ids,
        txns: &BTreeMap<String, i64>,
    ) -> Result<bool, LakeError> {
        let known = self.log.version;
        let is_there = log::has_commit(&self.folder, known).await;
        let fail = |failure| location.fail("read the log", self.table.name, failure);
        if !is_there.map_err(fail)? {
            self.refresh_among(location, ids, txns).await?;
        }
        Ok(self.log.version != known)
    }

    /// Reads the whole log anew, where entries that this process has not seen are cleaned up already: the version after
    /// the last one it knows is then a hole below a checkpoint, and what is written there is seen by nobody.
    async fn refresh_among(
        &mut self,
        location: &Location,
        ids: &Ids,
        txns: &BTreeMap<String, i64>,
    ) -> Result<(), LakeError> {
        let before = std::mem::take(&mut self.log);
        let after = self.read_log(location).await;
        self.log = before;
        let after = after?;
        let moved = |(app_id, found): (&String, &i64)| {
            (self.log.txns.get(app_id) != Some(found)).then(|| (app_id.clone(), *found))
        };
        let txns_moved = after.txns.iter().filter_map(moved).collect();
        let entry = Entry { txns: txns_moved, ..Entry::default() };
        self.have_others_written |= entry.txns.contains_key(&ids.sequence());
        self.refuse_conflict(location, ids, &entry, txns)?;
        self.log = after;
        Ok(())
    }

    /// Takes note of the commit that stands at `version`; whether it is of this process.
    async fn learn(
        &mut self,
        location: &Location,
        ids: &Ids,
        version: u64,
        txns: &BTreeMap<String, i64>,
    ) -> Result<bool, LakeError> {
        let entry = log::read_entry(&self.folder, version)
            .await
            .map_err(|failure| location.fail("read the log", self.table.name, failure))?;
        // Cleaned up already: the whole log tells what it did to the transactions.
        let Some(entry) = entry else {
            self.refresh_among(location, ids, txns).await?;
            return Ok(false);
        };
        let ours = self.writer.committed(entry.added.iter().map(String::as_str)) > 0
            || is_ours(&entry, ids, txns);
        if !ours {
            self.have_others_written |= entry.txns.contains_key(&ids.sequence());
            self.refuse_conflict(location, ids, &entry, txns)?;
        }
        if entry.redefined && !tables::check(location, self.table).await? {
            return Err(LakeError::NotATable {
                uri: location.display(self.table.name),
                detail: "it vanished".into(),
            });
        }
        self.log.version = version;
        self.log.txns.extend(entry.txns);
        Ok(ours)
    }

    fn refuse_conflict(
        &self,
        location: &Location,
        ids: &Ids,
        entry: &Entry,
        txns: &BTreeMap<String, i64>,
    ) -> Result<(), LakeError> {
        for (app_id, found) in &entry.txns {
            let Some(partition) = ids.partition_of(app_id) else { continue };
            let expected = self.log.txns.get(app_id).copied().unwrap_or_default();
            if txns.contains_key(app_id) && *found != expected {
                return Err(LakeError::Conflict {
                    uri: location.display(self.table.name),
                    lineage: ids.history().name(),
                    partition: partition.to_owned(),
                    expected,
                    found: *found,
                });
            }
        }
        Ok(())
    }
}

/// Writes a Delta checkpoint of the table at `version`, and drops log files that are older than the log is kept.
pub(crate) async fn checkpoint(
    location: &Location,
    table: &'static Table,
    version: u64,
) -> Result<(), LakeError> {
    let fail = |error| location.fail("checkpoint the log", table.name, error);
    let mut table = DeltaTable::new(location.log_store(table.name)?);
    table.load_version(version).await.map_err(fail)?;
    create_checkpoint(&table, None).await.map_err(fail)?;
    cleanup_metadata(&table, None).await.map_err(fail)?;
    Ok(())
}

/// An entry without files is ours when it carries exactly what we are about to write.
fn is_ours(entry: &Entry, ids: &Ids, txns: &BTreeMap<String, i64>) -> bool {
    let (sequence, base) = (ids.sequence(), ids.base());
    // The base follows from what others have written meanwhile.
    let mut moved = entry.txns.iter().filter(|(app_id, _)| **app_id != base);
    entry.added.is_empty()
        && entry.txns.get(&sequence).is_some_and(|number| txns.get(&sequence) == Some(number))
        && moved.all(|(app_id, version)| txns.get(app_id) == Some(version))
}
