//! The back thread: owns the lake, encodes what arrives and commits when told.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, anyhow};
use arrow::record_batch::RecordBatch;
use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded};
use ingest::{Held, PositionLookup, Positions};
use lake::{CommitPoint, History, Lake, LakeError, MakeState, Retry, RowKey};
use schemas::tables::{INCIDENTS, REJECTS, REQUESTS, SOURCE_WINDOWS, TARGET_WINDOWS};
use schemas::{PositionedBatch, Table};

use super::counts::TableTotals;
use super::opening::Tables;

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
    Commit(CommitPoint, Kept),
    /// Take up the history anew and answer with the positions of its partitions.
    Positions(Sender<Held>),
    /// Nothing more will be asked.
    End,
}

/// The state of the detector that goes with a commit.
#[derive(Debug)]
pub enum Kept {
    /// None: what came since the last is read again, should the process die.
    Nothing,
    /// It is part of the commit.
    Within(MakeState),
    /// It is made and written beside the commits, and a later one says that it is there.
    Beside(MakeState),
}

/// The sending end of the channel to the back thread.
#[derive(Debug)]
pub struct Back {
    to_lake: Sender<ToLake>,
    totals: Arc<TableTotals>,
    thread: Option<JoinHandle<Result<(), LakeError>>>,
}

/// Where the back thread says what it has committed.
#[derive(Debug)]
pub struct Commits {
    done: Receiver<BTreeMap<String, i64>>,
    pending: usize,
}

/// Said where the back thread is gone.
const GONE: &str = "the thread that writes tables has ended";

/// The back thread has ended.
#[derive(Debug, Clone, Copy)]
pub struct Gone;

impl Commits {
    /// One more commit was asked for.
    pub const fn expect(&mut self) {
        self.pending += 1;
    }

    /// Whether a commit is under way.
    pub const fn is_pending(&self) -> bool {
        self.pending > 0
    }

    /// Positions of the oldest commit that was finished and not told yet.
    ///
    /// # Errors
    /// [`Gone`] when no commit will come any more.
    pub fn next(&mut self) -> Result<Option<Positions>, Gone> {
        match self.done.try_recv() {
            Ok(positions) => {
                self.pending -= 1;
                Ok(Some(shared(&positions)))
            }
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(Gone),
        }
    }

    /// Waits for the oldest commit under way; `None` when there is none.
    ///
    /// # Errors
    /// As [`Commits::next`].
    pub fn wait(&mut self) -> Result<Option<Positions>, Gone> {
        if self.pending == 0 {
            return Ok(None);
        }
        let positions = self.done.recv().map_err(|_| Gone)?;
        self.pending -= 1;
        Ok(Some(shared(&positions)))
    }
}

impl Back {
    /// Starts the back thread on open tables; `attempts` limits how often a failed commit is tried.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(
        tables: Tables,
        history: History,
        attempts: u32,
    ) -> anyhow::Result<(Self, Commits)> {
        let Tables { lake, runtime } = tables;
        let (to_lake, orders) = bounded(CHANNEL_BATCHES);
        let (sender, done) = bounded(CHANNEL_BATCHES);
        let totals = Arc::<TableTotals>::default();
        let mut worker =
            Worker { lake, history, done: sender, attempts, totals: Arc::clone(&totals) };
        let thread = thread::Builder::new()
            .name("lake".into())
            .spawn(move || runtime.block_on(worker.work(&orders)))
            .context("cannot start the thread that writes tables")?;
        let back = Self { to_lake, totals, thread: Some(thread) };
        Ok((back, Commits { done, pending: 0 }))
    }

    /// What the tables took in.
    pub const fn totals(&self) -> &Arc<TableTotals> {
        &self.totals
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

    /// Asks for a commit of everything handed over so far; does not wait for it. The state of the detector is not in `point`,
    /// but `kept` with it.
    ///
    /// # Errors
    /// The lake's error, when it has given up.
    pub fn commit(&mut self, point: CommitPoint, kept: Kept) -> anyhow::Result<()> {
        self.send(ToLake::Commit(point, kept))
    }

    /// Asks the tables for the positions of partitions, whenever such are assigned.
    pub fn lookup(&self) -> PositionLookup {
        let to_lake = self.to_lake.clone();
        Box::new(move |wanted| {
            let (reply, answer) = bounded(1);
            to_lake.send(ToLake::Positions(reply)).map_err(|_| GONE)?;
            let Held { mut positions, mut again } = answer.recv()?;
            positions.retain(|partition, _| wanted.contains(partition));
            again.retain(|partition, _| wanted.contains(partition));
            Ok(Held { positions, again })
        })
    }

    /// Waits until the thread has done everything it was asked to.
    ///
    /// # Errors
    /// The lake's error, when it has given up.
    pub fn finish(mut self) -> anyhow::Result<()> {
        // A source that looks up positions keeps the channel open: its end must be said.
        let _ = self.to_lake.send(ToLake::End);
        self.join()
    }

    fn send(&mut self, order: ToLake) -> anyhow::Result<()> {
        if self.to_lake.send(order).is_ok() {
            return Ok(());
        }
        self.join()?;
        Err(anyhow!(GONE))
    }

    fn join(&mut self) -> anyhow::Result<()> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(ended)) => Ok(ended?),
            None => Ok(()),
            Some(Err(_)) => {
                Err(anyhow!("the thread that writes tables has crashed; its message is above"))
            }
        }
    }
}

struct Worker {
    lake: Lake,
    history: History,
    done: Sender<BTreeMap<String, i64>>,
    attempts: u32,
    totals: Arc<TableTotals>,
}

impl Worker {
    async fn work(&mut self, orders: &Receiver<ToLake>) -> Result<(), LakeError> {
        self.lake.begin(self.history.clone()).await?;
        for order in orders {
            match order {
                ToLake::Batch(batch) => self.append_batch(&batch).await?,
                ToLake::Findings(rows) => self.append_findings(&rows).await?,
                ToLake::Commit(mut point, kept) => {
                    let beside = match kept {
                        Kept::Nothing => None,
                        Kept::Within(make) => {
                            point.state = make.make().unwrap_or_default();
                            None
                        }
                        Kept::Beside(make) => Some(make),
                    };
                    let is_committed = self.commit(&point).await?;
                    if let Some(make) = beside.filter(|_| is_committed) {
                        self.lake.keep_state(make);
                    }
                    if self.done.send(point.positions).is_err() {
                        return Ok(());
                    }
                }
                ToLake::Positions(reply) => {
                    let positions = shared(&self.lake.begin(self.history.clone()).await?);
                    // Whoever asked may be gone.
                    let _ = reply.send(Held { positions, again: shared(&self.lake.again()) });
                }
                ToLake::End => break,
            }
        }
        Ok(())
    }

    async fn append_batch(&mut self, batch: &PositionedBatch) -> Result<(), LakeError> {
        let key = RowKey::Partition(&batch.partition);
        self.append(&REQUESTS, batch.requests.record_batch(), key).await?;
        self.append(&REJECTS, &batch.rejects, key).await
    }

    async fn append_findings(&mut self, rows: &FindingRows) -> Result<(), LakeError> {
        self.append(&INCIDENTS, &rows.incidents, RowKey::Closed).await?;
        self.append(&SOURCE_WINDOWS, &rows.source_windows, RowKey::Closed).await?;
        self.append(&TARGET_WINDOWS, &rows.target_windows, RowKey::Closed).await
    }

    /// Appends, again and again while the store may recover.
    async fn append(
        &mut self,
        table: &'static Table,
        rows: &RecordBatch,
        key: RowKey<'_>,
    ) -> Result<(), LakeError> {
        let mut retries = Retries::new(self.attempts);
        loop {
            match self.lake.append(table, rows, key).await {
                Ok(()) => {
                    retries.succeeded(&self.totals);
                    return Ok(());
                }
                Err(error) => retries.failed(error, &self.totals).await?,
            }
        }
    }

    /// Commits, again and again while the store may recover; whether there was anything to commit.
    async fn commit(&mut self, point: &CommitPoint) -> Result<bool, LakeError> {
        let mut retries = Retries::new(self.attempts);
        loop {
            match self.lake.commit(point.clone()).await {
                Ok(commit) => {
                    self.totals.add(&commit);
                    retries.succeeded(&self.totals);
                    return Ok(commit.sequence > 0);
                }
                Err(error) => retries.failed(error, &self.totals).await?,
            }
        }
    }
}

/// Growing pauses between attempts, said once.
struct Retries {
    attempts_left: u32,
    pause: Duration,
    said: bool,
}

impl Retries {
    const fn new(attempts: u32) -> Self {
        Self { attempts_left: attempts, pause: BACKOFF_MIN, said: false }
    }

    fn succeeded(&self, totals: &TableTotals) {
        if self.said {
            totals.recover();
            tracing::info!("tables are written again");
        }
    }

    /// Waits for the next attempt, or gives the error back when there is none.
    async fn failed(&mut self, error: LakeError, totals: &TableTotals) -> Result<(), LakeError> {
        self.attempts_left = self.attempts_left.saturating_sub(1);
        if error.retry() != Retry::WithBackoff || self.attempts_left == 0 {
            return Err(error);
        }
        totals.fail();
        if !self.said {
            tracing::warn!("{error}; trying again, reading pauses meanwhile");
            self.said = true;
        }
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(BACKOFF_MAX);
        Ok(())
    }
}

/// Positions as the lake stores them.
pub fn plain(positions: &Positions) -> BTreeMap<String, i64> {
    positions.iter().map(|(partition, next)| (partition.to_string(), *next)).collect()
}

/// Positions as sources know them.
pub fn shared(positions: &BTreeMap<String, i64>) -> Positions {
    positions.iter().map(|(partition, next)| (partition.as_str().into(), *next)).collect()
}
