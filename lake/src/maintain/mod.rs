//! Maintenance: few files where commits left many, old rows and files that nobody needs gone.
//!
//! ```text
//! lease ─▶ for each table:  files ─▶ expire ─▶ plan ─▶ rewrite ─▶ ledger     then a checkpoint of the log, then sweep
//!          (one process)    (log)    (dates)   (pure)  (sorted)   (commit)
//! ```
//!
//! # Invariants
//! - A row is in the table exactly once, at every version: files that are merged go out and come in with one commit,
//!   and their rows are counted before it.
//! - Beside any number of writers: an append never conflicts with maintenance, and a commit of another that takes one of
//!   the files at hand makes the plan void, never a doubled row.
//! - Transactions stay what they were: `requests` remains the authority of positions.
//! - A file is deleted only if no version younger than the grace names it and it is older than that itself.
//! - Memory is bounded by a run of rows and a file, whatever the size of a day; the list of files is held.
//! - Compaction by other programs beside ours is the one thing not covered: a foreign OPTIMIZE that loses to ours may
//!   pass its own check and double rows. Either ours or theirs.

mod expire;
pub(crate) mod files;
mod lease;
mod ledger;
mod leftovers;
mod plan;
mod rewrite;
pub(crate) mod sweep;
pub(crate) mod watch;

use chrono::{DateTime, TimeDelta, Utc};
use deltalake::kernel::Add;
use deltalake::protocol::DeltaOperation;
use futures::future::LocalBoxFuture;
use object_store::ObjectStoreExt as _;
use object_store::path::Path;
use schemas::Table;
use schemas::tables::ALL;

use crate::commit::checkpoint;
use crate::error::{Failure, LakeError};
use crate::location::{Folder, Location};
use crate::log;
use crate::options::LakeOptions;
use crate::tables;
use expire::expired;
use files::{Live, LiveFile, live};
use lease::Lease;
use ledger::{Change, Ledger};
use plan::{Job, Patience, Spans, plan};
use rewrite::Rewrite;
pub use watch::{Pace, Unwatched, Watch};

/// Rounds of plans for one table: a merge may make another worth it.
const ROUNDS_MAX: usize = 3;

/// What maintenance is to do.
#[derive(Debug, Clone)]
pub struct Upkeep {
    /// How long rows of `requests` and `rejects` are kept; for ever when `None`.
    pub keep: Option<TimeDelta>,
    /// How long incidents and windows are kept; for ever when `None`.
    pub keep_findings: Option<TimeDelta>,
    /// Size that files are merged to, bytes.
    pub aim: u64,
    /// How long a file stays that no row needs any more, for readers of an older version and writers that pause.
    pub grace: TimeDelta,
    /// Whether everything is merged that can be, however fresh: once, by the word of a person. Else what is worth it when
    /// it is done again and again.
    pub at_once: bool,
    /// How files are written.
    pub options: LakeOptions,
}

impl Default for Upkeep {
    fn default() -> Self {
        Self {
            keep: None,
            keep_findings: None,
            aim: 128 << 20,
            grace: TimeDelta::hours(1),
            at_once: false,
            options: LakeOptions::default(),
        }
    }
}

/// What was done to one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableUpkeep {
    /// Name of the table.
    pub table: &'static str,
    /// Files before and after.
    pub files: (usize, usize),
    /// Their bytes before and after.
    pub bytes: (u64, u64),
    /// Rows that were written anew.
    pub rewritten: u64,
    /// Rows that were too old to be kept.
    pub expired: u64,
    /// Files deleted that nobody needs any more, and their bytes.
    pub swept: (usize, u64),
    /// Why files were not merged, where that is so.
    pub left_alone: Option<String>,
}

/// Why maintenance ended before it was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The watch said so.
    Asked,
    /// Another process maintains.
    Busy { owner: String },
    /// Another process has taken over.
    Lost,
}

/// Why a piece of work came to nothing.
#[derive(Debug)]
pub(crate) enum Undone {
    Stopped(Stop),
    /// Somebody else changed the files at hand: the plan is void.
    Outrun,
    Failed(LakeError),
}

impl From<LakeError> for Undone {
    fn from(error: LakeError) -> Self {
        Self::Failed(error)
    }
}

/// Maintains the tables under `uri` as of `now`: rows too old to be kept are dropped, small files merged, days that are
/// over put in order of host and time, the logs checkpointed, and files deleted that nobody needs any more.
///
/// It may be stopped or killed at any point, and run beside any number of writers; what it did in whole commits stays.
///
/// # Errors
/// [`LakeError::Busy`] when another process maintains the tables, [`LakeError::NoTables`] when there are none; else as
/// [`crate::Lake::open`].
pub fn maintain<'a>(
    uri: &'a str,
    upkeep: &'a Upkeep,
    now: DateTime<Utc>,
    watch: &'a dyn Watch,
) -> LocalBoxFuture<'a, Result<Vec<TableUpkeep>, LakeError>> {
    Box::pin(async move {
        let location = Location::existing(uri, upkeep.options.sync)?;
        maintain_at(&location, upkeep, now, watch).await
    })
}

/// As [`maintain`], in a store at hand; `url` is the data location within it.
///
/// # Errors
/// As [`maintain`].
pub fn maintain_in<'a>(
    store: std::sync::Arc<dyn object_store::ObjectStore>,
    url: url::Url,
    upkeep: &'a Upkeep,
    now: DateTime<Utc>,
    watch: &'a dyn Watch,
) -> LocalBoxFuture<'a, Result<Vec<TableUpkeep>, LakeError>> {
    Box::pin(async move { maintain_at(&Location::on_store(store, url), upkeep, now, watch).await })
}

async fn maintain_at(
    location: &Location,
    upkeep: &Upkeep,
    now: DateTime<Utc>,
    watch: &dyn Watch,
) -> Result<Vec<TableUpkeep>, LakeError> {
    let mut present = Vec::new();
    let mut fence = 0;
    for table in ALL {
        if tables::check(location, table).await? {
            let folder = location.folder(table.name)?;
            let state = log::read(&folder).await;
            let state =
                state.map_err(|failure| location.fail("read the log", table.name, failure))?;
            fence = fence.max(state.txns.get(ledger::APP_ID).copied().unwrap_or_default());
            present.push((table, folder));
        }
    }
    if present.is_empty() {
        return Err(LakeError::NoTables { uri: location.uri.clone() });
    }
    let lease = match Lease::take(location, now, fence).await {
        Ok(lease) => lease,
        Err(Undone::Failed(error)) => return Err(error),
        Err(Undone::Stopped(Stop::Busy { owner })) => {
            return Err(LakeError::Busy { uri: location.uri.clone(), owner });
        }
        Err(Undone::Stopped(_) | Undone::Outrun) => return Ok(Vec::new()),
    };
    let mut done = Vec::new();
    let mut failure = None;
    for (table, folder) in &present {
        let keeper = Keeper { location, folder, table, upkeep, now, watch, lease: &lease };
        let (upkept, ended) = keeper.keep().await;
        done.extend(upkept);
        match ended {
            Ok(()) => {}
            // The other tables have nothing to do with it.
            Err(Undone::Failed(error)) => _ = failure.get_or_insert(error),
            Err(Undone::Stopped(Stop::Lost)) => return failure.map_or(Ok(done), Err),
            Err(Undone::Stopped(_) | Undone::Outrun) => break,
        }
    }
    let ended = lease.end().await;
    match failure {
        Some(error) => Err(error),
        None => ended.map(|()| done),
    }
}

struct Keeper<'a> {
    location: &'a Location,
    folder: &'a Folder,
    table: &'static Table,
    upkeep: &'a Upkeep,
    now: DateTime<Utc>,
    watch: &'a dyn Watch,
    lease: &'a Lease<'a>,
}

impl Keeper<'_> {
    /// What was done, where anything could be, and how it ended.
    async fn keep(&self) -> (Option<TableUpkeep>, Result<(), Undone>) {
        let before = match live(self.location, self.table).await {
            Ok(before) => before,
            Err(error) => return (None, Err(error.into())),
        };
        let mut done = TableUpkeep {
            table: self.table.name,
            files: (before.files.len(), before.files.len()),
            bytes: (bytes_of(&before.files), bytes_of(&before.files)),
            rewritten: 0,
            expired: 0,
            swept: (0, 0),
            left_alone: before.left_alone.clone(),
        };
        let changed_from = before.version;
        let changed =
            if before.left_alone.is_none() { self.change(before, &mut done).await } else { Ok(()) };
        // Whatever came of it, old files go.
        let swept = self.sweep(changed_from, &mut done).await;
        (Some(done), changed.and(swept))
    }

    /// Drops old rows and writes files anew.
    async fn change(&self, live: Live, done: &mut TableUpkeep) -> Result<(), Undone> {
        let live = match self.expire(&live, done).await {
            // Others have changed the files at hand: next time.
            Ok(()) | Err(Undone::Outrun) => files::live(self.location, self.table).await?,
            Err(other) => return Err(other),
        };
        self.compact(live, done).await
    }

    /// Takes rows out that are too old to be kept.
    async fn expire(&self, live: &Live, done: &mut TableUpkeep) -> Result<(), Undone> {
        let findings = !matches!(self.table.name, "requests" | "rejects");
        let keep = if findings { self.upkeep.keep_findings } else { self.upkeep.keep };
        let Some(keep) = keep else { return Ok(()) };
        let old: Vec<&LiveFile> = expired(&live.files, self.now - keep).collect();
        if old.is_empty() {
            return Ok(());
        }
        let removes = old.iter().map(|file| {
            let mut remove = file.remove.clone();
            remove.data_change = true;
            remove
        });
        let change = Change {
            adds: Vec::new(),
            removes: removes.collect(),
            files: old.iter().map(|file| file.path.clone()).collect(),
            operation: DeltaOperation::Delete { predicate: None },
        };
        self.commit(live.version, &change).await?;
        done.expired = old.iter().filter_map(|file| file.rows).sum();
        Ok(())
    }

    /// Merges and sorts until nothing is left that is worth it. A job that fails leaves the others to be done.
    async fn compact(&self, mut live: Live, done: &mut TableUpkeep) -> Result<(), Undone> {
        // Incidents are few and asked for at once; rejects hold what strangers sent, and go by the day.
        let spans = if self.table.name == "incidents" { Spans::Months } else { Spans::Days };
        let mut failure = None;
        for round in 0..ROUNDS_MAX {
            let patience =
                if self.upkeep.at_once && round == 0 { Patience::NONE } else { Patience::STEADY };
            let now_ms = self.now.timestamp_millis();
            let jobs = plan(&live.files, now_ms, self.upkeep.aim, patience, spans);
            if jobs.is_empty() || failure.is_some() {
                break;
            }
            self.watch.planned(jobs.iter().map(|job| rows_of(&live.files, job)).sum());
            for job in &jobs {
                match self.rewrite(&live, job).await {
                    Ok(rows) => done.rewritten += rows,
                    Err(Undone::Outrun) => {}
                    Err(Undone::Failed(error)) => _ = failure.get_or_insert(error),
                    Err(other) => return Err(other),
                }
            }
            live = files::live(self.location, self.table).await?;
        }
        failure.map_or(Ok(()), |error| Err(error.into()))
    }

    async fn rewrite(&self, live: &Live, job: &Job) -> Result<u64, Undone> {
        let inputs: Vec<&LiveFile> =
            job.files.iter().filter_map(|at| live.files.get(*at)).collect();
        let rewrite = Rewrite {
            location: self.location,
            folder: self.folder,
            table: self.table,
            options: &self.upkeep.options,
            aim: self.upkeep.aim,
            watch: self.watch,
            lease: self.lease,
        };
        let mut adds = Vec::new();
        let rows = match rewrite.write(&inputs, job.layout, &mut adds).await {
            Ok(rows) => rows,
            Err(undone) => {
                self.discard(&adds).await;
                return Err(undone);
            }
        };
        let change = Change {
            removes: inputs.iter().map(|file| file.remove.clone()).collect(),
            files: inputs.iter().map(|file| file.path.clone()).collect(),
            operation: DeltaOperation::Optimize {
                predicate: None,
                target_size: i64::try_from(self.upkeep.aim).unwrap_or(i64::MAX),
            },
            adds,
        };
        let committed = self.commit(live.version, &change).await;
        // After a failure nobody knows whether they are named.
        if matches!(committed, Err(Undone::Outrun | Undone::Stopped(_))) {
            self.discard(&change.adds).await;
        }
        committed.map(|_| rows)
    }

    /// Deletes files that nothing names; what stays behind is swept later.
    async fn discard(&self, adds: &[Add]) {
        for add in adds {
            let _ = self.folder.delete(&Path::from(add.path.as_str())).await;
        }
    }

    /// Whether every new file is still there: a vacuum of somebody else may take what no commit names yet.
    async fn are_there(&self, adds: &[Add]) -> Result<bool, Undone> {
        for add in adds {
            match self.folder.head(&Path::from(add.path.as_str())).await {
                Ok(_) => {}
                Err(object_store::Error::NotFound { .. }) => return Ok(false),
                Err(error) => {
                    let failed = self.location.fail("look up new files", self.table.name, error);
                    return Err(failed.into());
                }
            }
        }
        Ok(true)
    }

    async fn commit(&self, planned: u64, change: &Change) -> Result<u64, Undone> {
        self.lease.renew().await?;
        if !self.are_there(&change.adds).await? {
            return Err(Undone::Outrun);
        }
        let Self { location, folder, table, lease, .. } = self;
        let ledger = Ledger { location, folder, table, lease: lease.number };
        ledger.commit(planned, change).await
    }

    /// Checkpoints the log where it has changed, and deletes files that nobody needs.
    async fn sweep(&self, changed_from: u64, done: &mut TableUpkeep) -> Result<(), Undone> {
        let fail = |failure| self.location.fail("delete old files", self.table.name, failure);
        let stored = sweep::stored(self.folder).await.map_err(fail)?;
        let live = live(self.location, self.table).await?;
        done.files.1 = live.files.len();
        done.bytes.1 = bytes_of(&live.files);
        if live.version > changed_from
            && let Err(error) = checkpoint(self.location, self.table, live.version).await
        {
            // Another process may be cleaning up the same log.
            tracing::debug!(table = self.table.name, %error, "cannot checkpoint the log");
        }
        let grace =
            live.deleted_files_stay.map_or(self.upkeep.grace, |stay| stay.max(self.upkeep.grace));
        let unneeded = sweep::unneeded(self.folder, stored, &live, self.now, grace);
        let unneeded = unneeded.await.map_err(fail)?;
        let swept = sweep::delete(self.folder, unneeded).await.map_err(fail)?;
        let aside = self.location.local_folder(self.table.name);
        let aside = aside.map_or(Ok(sweep::Swept::default()), |folder| {
            leftovers::delete(&folder, (self.now - grace).into())
        });
        let aside = aside.map_err(|error| fail(Failure(Box::new(error))))?;
        done.swept = (swept.files + aside.files, swept.bytes + aside.bytes);
        Ok(())
    }
}

fn bytes_of(files: &[LiveFile]) -> u64 {
    files.iter().map(|file| file.size).sum()
}

fn rows_of(files: &[LiveFile], job: &Job) -> u64 {
    job.files.iter().filter_map(|at| files.get(*at)?.rows).sum()
}
