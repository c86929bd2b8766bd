//! The front thread: reads, decodes, detects and alerts; hands whole batches to the back.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use detect::{Detector, Findings};
use ingest::{Batcher, Format, MessageSink, Polled, Positions, RawMessage, Source, SourceError};
use lake::CommitPoint;
use schemas::PositionedBatch;
use schemas::incident::incident_rows;
use schemas::window::{source_window_rows, target_window_rows};

use super::alignment::Alignment;
use super::back::{Back, FindingRows, plain};
use super::checkpoint;
use super::totals::Totals;
use crate::alerts::AlertWriter;

/// Longest a decoded record waits before the detector sees it.
const FLUSH_EVERY: Duration = Duration::from_millis(200);

/// How long one poll may wait for input.
const POLL_TIMEOUT: Duration = Duration::from_millis(100);

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
#[derive(Debug, Clone)]
pub struct FrontConfig {
    /// Name of this history in the tables.
    pub lineage: String,
    /// What the detector's state belongs to within the history; see [`checkpoint`].
    pub scope: String,
    /// Longest time between commits.
    pub commit_interval: Duration,
    /// What the end of a partition means.
    pub at_end: EndPolicy,
}

/// Everything the front thread owns.
pub struct Front<'a, W: Write> {
    config: FrontConfig,
    source: Box<dyn Source + 'a>,
    batcher: Batcher,
    detector: Detector,
    findings: Findings,
    alerts: AlertWriter<W>,
    back: Back,
    alignment: Alignment,
    positions: Positions,
    failures: Vec<SourceError>,
    formats: BTreeMap<Arc<str>, Format>,
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

impl<W: Write> fmt::Debug for Front<'_, W> {
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

impl<'a, W: Write> Front<'a, W> {
    /// A front over `source`, with a detector that has seen what the tables behind `back` hold.
    pub fn new(
        config: FrontConfig,
        source: Box<dyn Source + 'a>,
        batcher: Batcher,
        detector: Detector,
        alerts: AlertWriter<W>,
        back: Back,
    ) -> Self {
        Self {
            config,
            source,
            batcher,
            detector,
            findings: Findings::default(),
            alerts,
            back,
            alignment: Alignment::default(),
            positions: Positions::new(),
            failures: Vec::new(),
            formats: BTreeMap::new(),
            totals: Totals::start(),
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
                Step::Lost => return Ok(Ended::PartitionsLost),
            }
        }
        self.finish()?;
        Ok(Ended::Done(std::mem::take(&mut self.failures)))
    }

    /// What was read and found so far.
    pub const fn totals(&self) -> &Totals {
        &self.totals
    }

    /// One round: poll, decode, detect, alert, and commit when it is time.
    fn step(&mut self) -> anyhow::Result<Step> {
        let polled = self.source.poll(POLL_TIMEOUT, &mut Decode(&mut self.batcher))?;
        let step = self.on_polled(polled)?;
        if step == Step::Lost {
            return Ok(step);
        }
        while let Some(batch) = self.batcher.take_ready() {
            self.on_batch(batch)?;
        }
        if self.last_flush.elapsed() >= FLUSH_EVERY {
            self.flush()?;
        }
        self.align()?;
        self.settle_commits()?;
        if self.commit_is_due() {
            self.commit()?;
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
                for partition in &partitions {
                    self.alignment.open(partition);
                    self.detector.open_partition(partition);
                }
            }
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
                let now = Instant::now();
                partitions.iter().for_each(|partition| self.alignment.caught_up(partition, now));
            }
            Polled::End => {
                self.at_end = true;
                return Ok(Step::End);
            }
        }
        Ok(Step::Continue)
    }

    fn partition_end(&mut self, partition: &Arc<str>) -> anyhow::Result<()> {
        match self.config.at_end {
            EndPolicy::Hold => {
                // What was read must have been seen before the partition may be passed over.
                self.flush()?;
                self.alignment.ended(partition);
            }
            EndPolicy::Close => {
                self.flush()?;
                self.alignment.close(partition);
                self.detector.close_partition(partition, &mut self.findings);
                self.emit()?;
            }
        }
        Ok(())
    }

    /// Partitions go to another instance: everything read of them is committed first.
    fn give_up(&mut self, partitions: &[Arc<str>]) -> anyhow::Result<()> {
        self.flush()?;
        self.commit_and_wait()?;
        for partition in partitions {
            self.alignment.close(partition);
            self.positions.remove(partition);
            self.detector.close_partition(partition, &mut self.findings);
        }
        self.emit()
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        self.last_flush = Instant::now();
        let mut batches = Vec::new();
        self.batcher.flush(&mut batches);
        batches.into_iter().try_for_each(|batch| self.on_batch(batch))
    }

    fn on_batch(&mut self, batch: PositionedBatch) -> anyhow::Result<()> {
        self.say_format(&batch.partition);
        self.totals.add_batch(&batch);
        self.uncommitted_records += batch.records() as u64;
        self.moved = true;
        self.positions.insert(Arc::clone(&batch.partition), batch.next_position);
        self.alignment.saw_records(&batch.partition);
        self.detector.on_batch(&batch.partition, &batch.requests, &mut self.findings);
        self.back.batch(batch)?;
        self.emit()
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

    /// Prints what the detector found, at once, and hands it to the tables.
    fn emit(&mut self) -> anyhow::Result<()> {
        let findings = std::mem::take(&mut self.findings);
        if findings.incidents.is_empty()
            && findings.source_windows.is_empty()
            && findings.target_windows.is_empty()
        {
            return Ok(());
        }
        // Findings without new records (the last panes of a file that was read whole before a crash) count as news.
        self.moved = true;
        for incident in &findings.incidents {
            self.totals.add_incident(incident);
            crate::progress::Screen::suspend(|| self.alerts.write(incident))
                .context("cannot write an alert to stdout")?;
        }
        self.back.findings(FindingRows {
            incidents: incident_rows(&findings.incidents)?,
            source_windows: source_window_rows(&findings.source_windows)?,
            target_windows: target_window_rows(&findings.target_windows)?,
        })
    }

    fn align(&mut self) -> anyhow::Result<()> {
        for (partition, paused) in self.alignment.repause(|p| self.detector.ahead_us(p)) {
            self.source.set_paused(&partition, paused)?;
        }
        for partition in self.alignment.newly_idle(Instant::now()) {
            self.detector.set_idle(&partition, &mut self.findings);
        }
        self.emit()
    }

    fn commit_is_due(&self) -> bool {
        self.moved
            && !self.back.is_committing()
            && (self.last_commit.elapsed() >= self.config.commit_interval
                || self.uncommitted_records >= COMMIT_RECORDS)
    }

    fn commit(&mut self) -> anyhow::Result<()> {
        self.flush()?;
        let mut positions = self.positions.clone();
        positions.extend(self.source.proofs(&self.positions));
        let point = CommitPoint {
            lineage: self.config.lineage.clone(),
            positions: plain(&positions),
            closed_us: self.detector.closed_us(),
            state: checkpoint::pack(&self.config.scope, &self.batcher, &self.detector)?,
        };
        self.uncommitted_records = 0;
        self.moved = false;
        self.last_commit = Instant::now();
        self.back.commit(point)
    }

    /// Tells the source about commits that were finished, for Kafka's own offsets.
    fn settle_commits(&mut self) -> anyhow::Result<()> {
        while let Some(positions) = self.back.try_committed()? {
            self.source.commit(&positions);
        }
        Ok(())
    }

    fn commit_and_wait(&mut self) -> anyhow::Result<()> {
        if self.moved {
            self.commit()?;
        }
        while let Some(positions) = self.back.wait_committed()? {
            self.source.commit(&positions);
        }
        Ok(())
    }

    fn finish(&mut self) -> anyhow::Result<()> {
        self.flush()?;
        if self.at_end && self.config.at_end == EndPolicy::Close {
            self.detector.finish(&mut self.findings);
            self.emit()?;
        }
        self.commit_and_wait()
    }
}
