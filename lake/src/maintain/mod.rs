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
//! - Memory is bounded by one run of rows, whatever the size of a day; the list of files is held.
//! - Compaction by other programs beside ours is the one thing not covered: a foreign OPTIMIZE that loses to ours may
//!   pass its own check and double rows. Either ours or theirs.

mod expire;
pub(crate) mod files;
mod lease;
mod ledger;
mod plan;
mod rewrite;
pub(crate) mod sweep;
pub(crate) mod watch;

use chrono::{DateTime, TimeDelta, Utc};
use deltalake::protocol::DeltaOperation;
use futures::future::LocalBoxFuture;
use object_store::ObjectStoreExt as _;
use object_store::path::Path;
use schemas::Table;
use schemas::tables::ALL;

use crate::commit::checkpoint;
use crate::error::LakeError;
use crate::location::{Folder, Location};
use crate::log;
use crate::options::LakeOptions;
use crate::tables;
use expire::expired;
use files::{Live, LiveFile, live};
use lease::Lease;
use ledger::{Change, Ledger};
use plan::{Job, Patience, plan};
use rewrite::{Rewrite, Rewritten};
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
            aim: 512 << 20,
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
    for (table, folder) in &present {
        let keeper = Keeper { location, folder, table, upkeep, now, watch, lease: &lease };
        match keeper.keep().await {
            Ok(upkept) => done.push(upkept),
            Err(Undone::Failed(error)) => {
                // The failure is what the caller must hear of.
                let _ = lease.end().await;
                return Err(error);
            }
            Err(Undone::Stopped(Stop::Lost)) => return Ok(done),
            Err(Undone::Stopped(_) | Undone::Outrun) => break,
        }
    }
    lease.end().await?;
    Ok(done)
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
    async fn keep(&self) -> Result<TableUpkeep, Undone> {
        let before = live(self.location, self.table).await?;
        let mut done = TableUpkeep {
            table: self.table.name,
            files: (before.files.len(), 0),
            bytes: (bytes_of(&before.files), 0),
            rewritten: 0,
            expired: 0,
            swept: (0, 0),
            left_alone: None,
        };
        let changed_from = before.version;
        let mut current = self.expire(before, &mut done).await?;
        if current.foreign_columns.is_empty() {
            current = self.compact(current, &mut done).await?;
        } else {
            let columns = current.foreign_columns.join("`, `");
            done.left_alone = Some(format!("it has columns of another making: `{columns}`"));
        }
        if current.version > changed_from {
            checkpoint(self.location, self.table, current.version).await?;
        }
        let swept = self.sweep().await?;
        done.swept = (swept.files, swept.bytes);
        done.files.1 = current.files.len();
        done.bytes.1 = bytes_of(&current.files);
        Ok(done)
    }

    /// Takes rows out that are too old to be kept.
    async fn expire(&self, live: Live, done: &mut TableUpkeep) -> Result<Live, Undone> {
        let findings = !matches!(self.table.name, "requests" | "rejects");
        let keep = if findings { self.upkeep.keep_findings } else { self.upkeep.keep };
        let Some(keep) = keep else { return Ok(live) };
        let old: Vec<&LiveFile> = expired(&live.files, self.now - keep).collect();
        if old.is_empty() {
            return Ok(live);
        }
        let removes = old.iter().map(|file| {
            let mut remove = file.remove.clone();
            remove.data_change = true;
            remove
        });
        let change = Change {
            adds: Vec::new(),
            removes: removes.collect(),
            operation: DeltaOperation::Delete { predicate: None },
        };
        done.expired = old.iter().filter_map(|file| file.rows).sum();
        self.commit(live.version, &change).await?;
        Ok(files::live(self.location, self.table).await?)
    }

    /// Merges and sorts until nothing is left that is worth it.
    async fn compact(&self, mut live: Live, done: &mut TableUpkeep) -> Result<Live, Undone> {
        for round in 0..ROUNDS_MAX {
            let patience =
                if self.upkeep.at_once && round == 0 { Patience::NONE } else { Patience::STEADY };
            let jobs = plan(&live.files, self.now.timestamp_millis(), self.upkeep.aim, patience);
            if jobs.is_empty() {
                break;
            }
            self.watch.planned(jobs.iter().map(|job| rows_of(&live.files, job)).sum());
            for job in &jobs {
                match self.rewrite(&live, job).await {
                    Ok(rows) => done.rewritten += rows,
                    Err(Undone::Outrun) => {}
                    Err(other) => return Err(other),
                }
            }
            live = files::live(self.location, self.table).await?;
        }
        Ok(live)
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
        let Rewritten { adds, rows, .. } = rewrite.write(&inputs, job.layout).await?;
        let written: Vec<Path> = adds.iter().map(|add| Path::from(add.path.as_str())).collect();
        let removes = inputs.iter().map(|file| file.remove.clone()).collect();
        let target_size = i64::try_from(self.upkeep.aim).unwrap_or(i64::MAX);
        let operation = DeltaOperation::Optimize { predicate: None, target_size };
        let committed = self.commit(live.version, &Change { adds, removes, operation }).await;
        if matches!(committed, Err(Undone::Outrun | Undone::Stopped(_))) {
            // Nothing names them; what stays behind is swept later.
            for path in &written {
                let _ = self.folder.delete(path).await;
            }
        }
        committed.map(|_| rows)
    }

    async fn commit(&self, planned: u64, change: &Change) -> Result<u64, Undone> {
        self.lease.renew().await?;
        let Self { location, folder, table, lease, .. } = self;
        let ledger = Ledger { location, folder, table, lease: lease.number };
        ledger.commit(planned, change).await
    }

    async fn sweep(&self) -> Result<sweep::Swept, Undone> {
        let fail = |failure| self.location.fail("delete old files", self.table.name, failure);
        let stored = sweep::stored(self.folder).await.map_err(fail)?;
        let live = live(self.location, self.table).await?;
        let unneeded = sweep::unneeded(self.folder, stored, &live, self.now, self.upkeep.grace);
        let unneeded = unneeded.await.map_err(fail)?;
        Ok(sweep::delete(self.folder, unneeded).await.map_err(fail)?)
    }
}

fn bytes_of(files: &[LiveFile]) -> u64 {
    files.iter().map(|file| file.size).sum()
}

fn rows_of(files: &[LiveFile], job: &Job) -> u64 {
    job.files.iter().filter_map(|at| files.get(*at)?.rows).sum()
}
