//! The front thread: reads and decodes, hands whole batches on, and says when to commit.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use decode::{Batcher, Format, RawMessage};
use ingest::{MessageSink, Polled, Positions, Share, Source, SourceError, succeeds};
use schemas::PositionedBatch;

use super::back::{Commits, Gone};
use super::detection::{Detection, Keep, Mark, Order};
use super::forwarded::Forwarded;
use super::rejected::Rejected;
use super::signals::Signals;
use super::totals::Totals;

/// Longest a decoded record waits before the detector sees it.
const FLUSH_EVERY: Duration = Duration::from_millis(200);

/// How long one poll may wait for input.
const POLL_TIMEOUT: Duration = Duration::from_millis(100);

/// The same while a partition is held back: the thread that lets it go cannot wake a poll.
const POLL_TIMEOUT_PAUSED: Duration = Duration::from_millis(2);

/// Records between commits, at most; the commit interval usually comes first.
const COMMIT_RECORDS: u64 = 4_000_000;

/// What happens when a partition was read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndPolicy {
    /// It is finished (a file); at the end of the input all panes are closed.
    Close,
    /// It may grow later (Kafka): panes stay open, to be continued by the next run.
    Hold,
}

/// Settings of the front.
#[derive(Debug, Clone, Copy)]
pub struct FrontConfig {
    /// Longest time between commits.
    pub commit_interval: Duration,
    /// What the end of a partition means.
    pub at_end: EndPolicy,
}

/// Everything the front thread owns.
pub struct Front<'a> {
    config: FrontConfig,
    source: Box<dyn Source + 'a>,
    batcher: Batcher,
    /// `None` once its thread has ended.
    detection: Option<Detection>,
    commits: Commits,
    positions: Positions,
    /// Where the tables stand, of partitions of which the detector is to see again what they hold.
    held: Positions,
    /// A beginning of a line was given up since the last commit: it stands in the tables in front of a place that they do
    /// not hold, and the next state that is kept must know.
    gave_up: bool,
    paused: BTreeSet<Arc<str>>,
    /// Which part of the input is read, as detection was told.
    share: Option<Share>,
    failures: Vec<SourceError>,
    formats: BTreeMap<Arc<str>, Format>,
    signals: Signals,
    rejected: Rejected,
    forwarded: Forwarded,
    totals: Totals,
    uncommitted_records: u64,
    moved: bool,
    at_end: bool,
    last_commit: Instant,
    last_flush: Instant,
}

/// What the caller decides between two steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Read on.
    Continue,
    /// Finish what was read, commit it and end.
    Stop,
}

/// What a round came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// There may be more.
    Continue,
    /// The input has ended.
    End,
    /// Partitions were taken away without notice: what is not committed must be forgotten.
    Lost,
}

/// How a run ended.
#[derive(Debug)]
pub enum Ended {
    /// Everything read is committed; these partitions could not be read to their end.
    Done(Vec<SourceError>),
    /// The consumer group took partitions away: open the tables anew and continue from there.
    PartitionsLost,
}

impl fmt::Debug for Front<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Front").field("config", &self.config).finish_non_exhaustive()
    }
}

struct Decode<'a>(&'a mut Batcher);

impl MessageSink for Decode<'_> {
    fn message(&mut self, message: &RawMessage<'_>) {
        self.0.push(message);
    }
}

impl<'a> Front<'a> {
    /// A front over `source`; what it reads goes to `detection` and from there to the tables that report `commits`.
    pub fn new(
        config: FrontConfig,
        source: Box<dyn Source + 'a>,
        batcher: Batcher,
        detection: Detection,
        commits: Commits,
    ) -> Self {
        Self {
            config,
            source,
            batcher,
            commits,
            positions: Positions::new(),
            held: detection.held().clone(),
            gave_up: false,
            paused: BTreeSet::new(),
            share: None,
            failures: Vec::new(),
            formats: BTreeMap::new(),
            signals: Signals::default(),
            rejected: Rejected::default(),
            forwarded: Forwarded::default(),
            totals: Totals::start(
                Arc::clone(detection.incidents()),
                Arc::clone(detection.counts()),
            ),
            detection: Some(detection),
            uncommitted_records: 0,
            moved: false,
            at_end: false,
            last_commit: Instant::now(),
            last_flush: Instant::now(),
        }
    }

    /// Runs until the input ends or `next` says stop; then commits everything.
    ///
    /// # Errors
    /// When the source, the tables or stdout fail for good. What was committed stays; the next run continues
    /// from there.
    pub fn run(
        &mut self,
        mut next: impl FnMut(&Totals, &dyn Source) -> Next,
    ) -> anyhow::Result<Ended> {
        while next(&self.totals, self.source.as_ref()) == Next::Continue {
            match self.step()? {
                Step::Continue => {}
                Step::End => break,
                Step::Lost => {
                    self.abandon()?;
                    return Ok(Ended::PartitionsLost);
                }
            }
        }
        self.finish()?;
        Ok(Ended::Done(std::mem::take(&mut self.failures)))
    }

    /// What was read and found so far.
    pub const fn totals(&self) -> &Totals {
        &self.totals
    }

    /// Forgets what is not committed, after [`Step::Lost`].
    ///
    /// # Errors
    /// As [`Front::run`].
    pub fn abandon(&mut self) -> anyhow::Result<()> {
        self.detection.take().map_or(Ok(()), Detection::abandon)
    }

    /// One round: poll, decode, hand on, and commit when it is time.
    ///
    /// # Errors
    /// As [`Front::run`].
    pub fn step(&mut self) -> anyhow::Result<Step> {
        let timeout = if self.paused.is_empty() { POLL_TIMEOUT } else { POLL_TIMEOUT_PAUSED };
        let polled = self.source.poll(timeout, &mut Decode(&mut self.batcher))?;
        let step = self.on_polled(polled)?;
        if step == Step::Lost {
            return Ok(step);
        }
        let share = self.source.share();
        if share != self.share {
            self.share = share;
            self.send(Order::Share(share))?;
        }
        while let Some(batch) = self.batcher.take_ready() {
            self.on_batch(batch)?;
        }
        if self.last_flush.elapsed() >= FLUSH_EVERY {
            self.flush()?;
        }
        self.repause()?;
        self.settle_commits()?;
        if self.commit_is_due() {
            self.commit(Keep::WhenDue)?;
        }
        Ok(step)
    }

    /// Acts on what a source has brought besides messages.
    ///
    /// # Errors
    /// As [`Front::run`].
    pub fn on_polled(&mut self, polled: Polled) -> anyhow::Result<Step> {
        match polled {
            Polled::Messages(_) => {}
            Polled::Idle => self.flush()?,
            Polled::PartitionsAssigned(partitions) => {
                self.totals.partitions += partitions.len();
                self.send(Order::Open(partitions))?;
            }
            Polled::PartitionsAwaited(partitions) => {
                self.send(Order::Open(partitions.clone()))?;
                self.send(Order::CaughtUp(partitions, Instant::now()))?;
            }
            // What it still owes the detector cannot be told to the next reader.
            Polled::PartitionsRevoking(_) if self.is_behind() => return Ok(Step::Lost),
            Polled::PartitionsRevoking(partitions) => self.give_up(&partitions)?,
            Polled::PartitionsLost(_) => return Ok(Step::Lost),
            Polled::LinesSkipped { file, lines, .. } => {
                tracing::info!(file, lines, "passed over lines that the tables hold already");
            }
            Polled::PartitionEnd(partition) => self.partition_end(&partition)?,
            Polled::PartitionFailed(partition, error) => {
                tracing::error!("{error}");
                self.failures.push(error);
                self.partition_end(&partition)?;
            }
            Polled::CaughtUp(partitions) => {
                self.flush()?;
                self.send(Order::CaughtUp(partitions, Instant::now()))?;
            }
            Polled::End => {
                self.at_end = true;
                return Ok(Step::End);
            }
        }
        Ok(Step::Continue)
    }

    fn partition_end(&mut self, partition: &Arc<str>) -> anyhow::Result<()> {
        if self.config.at_end == EndPolicy::Close {
            self.batcher.close(partition);
            self.gave_up = true;
        }
        // What was read must have been seen before the partition may be passed over.
        self.flush()?;
        let partition = Arc::clone(partition);
        self.send(match self.config.at_end {
            EndPolicy::Hold => Order::Ended(partition),
            EndPolicy::Close => Order::Close(partition),
        })
    }

    /// Partitions go to another instance: everything read of them is committed first. It does not get the beginnings of
    /// lines that wait here for their ends.
    fn give_up(&mut self, partitions: &[Arc<str>]) -> anyhow::Result<()> {
        for partition in partitions {
            self.batcher.close(partition);
        }
        self.flush()?;
        self.commit_and_wait(Keep::Now)?;
        self.totals.partitions = self.totals.partitions.saturating_sub(partitions.len());
        for partition in partitions {
            self.positions.remove(partition);
            self.held.remove(partition);
            self.paused.remove(partition);
            self.batcher.discard(partition);
            self.send(Order::Close(Arc::clone(partition)))?;
        }
        Ok(())
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        self.last_flush = Instant::now();
        let mut batches = Vec::new();
        self.batcher.flush(&mut batches);
        batches.into_iter().try_for_each(|batch| self.on_batch(batch))
    }

    fn on_batch(&mut self, batch: PositionedBatch) -> anyhow::Result<()> {
        self.say_format(&batch.partition);
        self.moved = true;
        self.positions.insert(Arc::clone(&batch.partition), batch.next_position);
        let held = self.held.get(&batch.partition).copied();
        // What ends there may have a line in front of the place that the tables do not hold.
        if held.is_some_and(|held| batch.next_position < held) {
            return self.send(Order::Again(Box::new(batch)));
        }
        self.held.remove(&batch.partition);
        self.signals.see(&batch);
        self.rejected.see(&batch, &self.batcher);
        self.forwarded.see(batch.requests.rows(), self.batcher.client_counters());
        self.totals.add_batch(&batch, held);
        self.uncommitted_records += batch.records() as u64;
        self.totals.waiting_since.get_or_insert_with(Instant::now);
        self.send(Order::Batch(Box::new(batch)))
    }

    fn send(&mut self, order: Order) -> anyhow::Result<()> {
        if self.detection.as_ref().is_some_and(|detection| detection.send(order)) {
            return Ok(());
        }
        Err(self.failure())
    }

    /// Why the threads behind the front have ended.
    fn failure(&mut self) -> anyhow::Error {
        match self.detection.take() {
            Some(detection) => detection.failure(),
            None => anyhow::anyhow!("the front goes on after its end"),
        }
    }

    /// Says once which format the lines of a partition turned out to have.
    fn say_format(&mut self, partition: &Arc<str>) {
        if self.formats.contains_key(partition) {
            return;
        }
        if let Some(format) = self.batcher.chosen_format(partition) {
            self.formats.insert(Arc::clone(partition), format);
            tracing::info!(%partition, %format, "reading");
        }
    }

    /// Holds back the partitions that run ahead in event time, lets go those that others have reached.
    fn repause(&mut self) -> anyhow::Result<()> {
        for (partition, paused) in self.detection.iter().flat_map(Detection::pauses) {
            self.source.set_paused(&partition, paused)?;
            if paused {
                self.paused.insert(partition);
            } else {
                self.paused.remove(&partition);
            }
        }
        Ok(())
    }

    /// Whether something is read or found that no commit covers: the last panes of a file that was read whole before
    /// a crash are findings without new records.
    fn has_news(&self) -> bool {
        self.moved || self.detection.as_ref().is_some_and(Detection::has_news)
    }

    fn commit_is_due(&self) -> bool {
        let is_time = self.last_commit.elapsed() >= self.config.commit_interval
            || self.uncommitted_records >= COMMIT_RECORDS;
        is_time && !self.commits.is_pending() && self.has_news() && self.may_commit()
    }

    /// Whether the detector has not seen yet all that the tables hold: also of partitions that are not assigned yet, but
    /// for those of a topic that was made anew since.
    fn is_behind(&self) -> bool {
        let begun = self.source.begun();
        let is_gone = |partition: &str| begun.keys().any(|name| succeeds(name, partition));
        self.held.keys().any(|partition| !is_gone(partition))
    }

    /// Not while a state must be kept that cannot be.
    fn may_commit(&self) -> bool {
        !(self.gave_up && self.is_behind())
    }

    fn commit(&mut self, keep: Keep) -> anyhow::Result<()> {
        self.flush()?;
        let mut positions = self.positions.clone();
        positions.extend(self.source.proofs(&self.positions));
        self.totals.clients = self.batcher.client_counters();
        self.totals.formats = self.batcher.rows_by_format();
        self.uncommitted_records = 0;
        self.moved = false;
        self.last_commit = Instant::now();
        self.commits.expect();
        let keep = match keep {
            _ if self.is_behind() => Keep::Not,
            _ if std::mem::take(&mut self.gave_up) => Keep::Now,
            keep => keep,
        };
        let begun = self.source.begun();
        self.send(Order::Commit(Mark { positions, begun, learnt: self.batcher.learnt(), keep }))
    }

    /// Tells the source about commits that were finished, for Kafka's own offsets.
    fn settle_commits(&mut self) -> anyhow::Result<()> {
        loop {
            match self.commits.next() {
                Ok(Some(positions)) => self.on_committed(&positions),
                Ok(None) => return Ok(()),
                Err(Gone) => return Err(self.failure()),
            }
        }
    }

    fn on_committed(&mut self, positions: &Positions) {
        // Of what is read again the tables stand further.
        let stands = |(partition, next): (&Arc<str>, &i64)| {
            let held = self.held.get(partition).copied().unwrap_or_default();
            (Arc::clone(partition), held.max(*next))
        };
        self.source.commit(&positions.iter().map(stands).collect());
        let now = Instant::now();
        self.totals.committed_at = Some(now);
        // What came since the commit was asked for waits for the next.
        self.totals.waiting_since = self.moved.then_some(now);
    }

    /// Waits until detection has seen all that was handed on.
    ///
    /// - returns: whether it found something that no commit covers.
    ///
    /// # Errors
    /// As [`Front::run`].
    pub fn settle(&mut self) -> anyhow::Result<bool> {
        let settled = self.detection.as_ref().and_then(Detection::settle);
        settled.ok_or_else(|| self.failure())
    }

    /// Commits what was read and found, and waits for it.
    ///
    /// # Errors
    /// As [`Front::run`].
    pub fn commit_and_wait(&mut self, keep: Keep) -> anyhow::Result<()> {
        // A state that no commit has kept is kept even where nothing came since.
        let has_news = self.settle()? || self.moved || keep == Keep::Now;
        if has_news && self.may_commit() {
            self.commit(keep)?;
        }
        loop {
            match self.commits.wait() {
                Ok(Some(positions)) => self.on_committed(&positions),
                Ok(None) => return Ok(()),
                Err(Gone) => return Err(self.failure()),
            }
        }
    }

    /// Commits everything that was read; the end of a run.
    ///
    /// # Errors
    /// As [`Front::run`].
    pub fn finish(&mut self) -> anyhow::Result<()> {
        self.flush()?;
        self.signals.say_rest();
        self.rejected.say_rest();
        if self.at_end && self.config.at_end == EndPolicy::Close {
            self.send(Order::Finish)?;
        }
        self.commit_and_wait(Keep::Now)
    }
}

#[cfg(test)]
mod tests;
