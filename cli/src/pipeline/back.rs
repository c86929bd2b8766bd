//! The back thread: owns the lake, encodes what arrives and commits when told.

use std::collections::BTreeMap;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, anyhow};
use arrow::record_batch::RecordBatch;
use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded};
use lake::{CommitPoint, CommitSummary, Lake, LakeError, Retry, RowKey};
use schemas::tables::{INCIDENTS, REJECTS, REQUESTS, SOURCE_WINDOWS, TARGET_WINDOWS};
use schemas::{PositionedBatch, Table};
use tokio::runtime::Runtime;

/// Whole batches between front and back; a batch is a few megabytes.
const CHANNEL_BATCHES: usize = 8;

/// First pause before a failed commit is tried again; it doubles up to [`BACKOFF_MAX`].
const BACKOFF_MIN: Duration = Duration::from_millis(200);

/// Longest pause before a failed commit is tried again.
const BACKOFF_MAX: Duration = Duration::from_secs(10);

/// Rows of the detector's findings, ready for their tables.
#[derive(Debug)]
pub struct FindingRows {
    /// Rows of `incidents`.
    pub incidents: RecordBatch,
    /// Rows of `source_windows`.
    pub source_windows: RecordBatch,
    /// Rows of `target_windows`.
    pub target_windows: RecordBatch,
}

enum ToLake {
    Batch(PositionedBatch),
    Findings(FindingRows),
    Commit(CommitPoint),
}

/// The front's end of the channel to the back thread.
#[derive(Debug)]
pub struct Back {
    to_lake: Sender<ToLake>,
    committed: Receiver<CommitSummary>,
    thread: Option<JoinHandle<Result<(), LakeError>>>,
    commits_pending: usize,
}

impl Back {
    /// Starts the back thread on an open lake; `attempts` limits how often a failed commit is tried.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(
        lake: Lake,
        runtime: Runtime,
        lineage: String,
        attempts: u32,
    ) -> anyhow::Result<Self> {
        let (to_lake, orders) = bounded(CHANNEL_BATCHES);
        let (done, committed) = bounded(CHANNEL_BATCHES);
        let mut worker = Worker { lake, lineage, done, attempts };
        let thread = thread::Builder::new()
            .name("lake".into())
            .spawn(move || runtime.block_on(worker.work(&orders)))
            .context("cannot start the thread that writes tables")?;
        Ok(Self { to_lake, committed, thread: Some(thread), commits_pending: 0 })
    }

    /// Hands over a batch; waits while the tables are behind.
    ///
    /// # Errors
    /// The lake's error, when it has given up.
    pub fn batch(&mut self, batch: PositionedBatch) -> anyhow::Result<()> {
        self.send(ToLake::Batch(batch))
    }

    /// Hands over findings.
    ///
    /// # Errors
    /// The lake's error, when it has given up.
    pub fn findings(&mut self, rows: FindingRows) -> anyhow::Result<()> {
        self.send(ToLake::Findings(rows))
    }

    /// Asks for a commit of everything handed over so far; does not wait for it.
    ///
    /// # Errors
    /// The lake's error, when it has given up.
    pub fn commit(&mut self, point: CommitPoint) -> anyhow::Result<()> {
        self.commits_pending += 1;
        self.send(ToLake::Commit(point))
    }

    /// Whether a commit is under way.
    pub const fn is_committing(&self) -> bool {
        self.commits_pending > 0
    }

    /// A commit that was finished since the last call.
    ///
    /// # Errors
    /// The lake's error, when it has given up.
    pub fn try_committed(&mut self) -> anyhow::Result<Option<CommitSummary>> {
        match self.committed.try_recv() {
            Ok(summary) => {
                self.commits_pending -= 1;
                Ok(Some(summary))
            }
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(self.failure()),
        }
    }

    /// Waits until the oldest commit under way is finished; `None` when there is none.
    ///
    /// # Errors
    /// The lake's error, when it has given up.
    pub fn wait_committed(&mut self) -> anyhow::Result<Option<CommitSummary>> {
        if self.commits_pending == 0 {
            return Ok(None);
        }
        let Ok(summary) = self.committed.recv() else { return Err(self.failure()) };
        self.commits_pending -= 1;
        Ok(Some(summary))
    }

    fn send(&mut self, order: ToLake) -> anyhow::Result<()> {
        if self.to_lake.send(order).is_err() {
            return Err(self.failure());
        }
        Ok(())
    }

    fn failure(&mut self) -> anyhow::Error {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(Err(error))) => error.into(),
            Some(Ok(Ok(()))) | None => anyhow!("the thread that writes tables has ended"),
            Some(Err(_)) => {
                anyhow!("the thread that writes tables has crashed; its message is above")
            }
        }
    }
}

struct Worker {
    lake: Lake,
    lineage: String,
    done: Sender<CommitSummary>,
    attempts: u32,
}

impl Worker {
    async fn work(&mut self, orders: &Receiver<ToLake>) -> Result<(), LakeError> {
        for order in orders {
            match order {
                ToLake::Batch(batch) => self.append_batch(&batch).await?,
                ToLake::Findings(rows) => self.append_findings(&rows).await?,
                ToLake::Commit(point) => {
                    let summary = self.commit(&point).await?;
                    if self.done.send(summary).is_err() {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    async fn append_batch(&mut self, batch: &PositionedBatch) -> Result<(), LakeError> {
        let app = lake::app_id(&self.lineage, &batch.partition);
        let key = RowKey { app: &app, column: "topic_offset" };
        if batch.requests.rows() > 0 {
            self.lake.append(&REQUESTS, batch.requests.record_batch(), key).await?;
        }
        if batch.rejects.num_rows() > 0 {
            self.lake.append(&REJECTS, &batch.rejects, key).await?;
        }
        Ok(())
    }

    async fn append_findings(&mut self, rows: &FindingRows) -> Result<(), LakeError> {
        let app = lake::closed_app_id(&self.lineage);
        let tables: [(&'static Table, &RecordBatch, &str); 3] = [
            (&INCIDENTS, &rows.incidents, "revision_ts"),
            (&SOURCE_WINDOWS, &rows.source_windows, "window_end"),
            (&TARGET_WINDOWS, &rows.target_windows, "window_end"),
        ];
        for (table, rows, column) in tables {
            if rows.num_rows() > 0 {
                self.lake.append(table, rows, RowKey { app: &app, column }).await?;
            }
        }
        Ok(())
    }

    /// Commits, again and again with growing pauses while the store may recover; says so once.
    async fn commit(&mut self, point: &CommitPoint) -> Result<CommitSummary, LakeError> {
        let mut pause = BACKOFF_MIN;
        for attempt in 1.. {
            match self.lake.commit(point.clone()).await {
                Ok(summary) => {
                    if attempt > 1 {
                        tracing::info!(attempt, "tables are written again");
                    }
                    return Ok(summary);
                }
                Err(error) if error.retry() == Retry::WithBackoff && attempt < self.attempts => {
                    if attempt == 1 {
                        tracing::warn!("{error}; trying again, reading pauses meanwhile");
                    }
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(BACKOFF_MAX);
                }
                Err(error) => return Err(error),
            }
        }
        unreachable!("attempts are counted until one returns")
    }
}

/// Positions as the lake stores them.
pub fn plain(positions: &BTreeMap<std::sync::Arc<str>, i64>) -> BTreeMap<String, i64> {
    positions.iter().map(|(partition, next)| (partition.to_string(), *next)).collect()
}
