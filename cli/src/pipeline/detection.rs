//! The detection thread: keeps partitions aligned, detects, and passes everything on to the alerts and the tables.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use bytes::Bytes;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, unbounded};
use decode::learnt::Learnt;
use detect::{Counters, Detector, Findings};
use ingest::{Positions, Share};
use lake::{CommitPoint, History};
use schemas::PositionedBatch;
use schemas::incident::incident_rows;
use schemas::window::{source_window_rows, target_window_rows};

use super::alignment::Alignment;
use super::back::{Back, FindingRows, Kept, plain};
use super::checkpoint;
use super::opening::Restored;
use super::pace::Pace;
use super::past::PastSource;
use super::share;
use super::times::Times;
use super::totals::{DetectTotals, IncidentTotals};
use crate::alerts::Alerts;

/// Whole batches between the front and this thread.
const CHANNEL_ORDERS: usize = 4;

/// How often the thread looks at the clock while nothing comes, for partitions that have fallen silent.
const TICK: Duration = Duration::from_millis(100);

/// What the front wants done, in this order.
#[derive(Debug)]
pub enum Order {
    /// These partitions are read from now on.
    Open(Vec<Arc<str>>),
    /// The next records of a partition.
    Batch(Box<PositionedBatch>),
    /// The same, of records that the tables hold: the detector alone has not seen them.
    Again(Box<PositionedBatch>),
    /// A live partition has had no newer record since then.
    CaughtUp(Vec<Arc<str>>, Instant),
    /// A partition was read to the end that this run goes to; it may grow in a later one.
    Ended(Arc<str>),
    /// Which part of the input is read from now on.
    Share(Option<Share>),
    /// A partition is finished, or goes to another instance.
    Close(Arc<str>),
    /// All input has ended: decide on everything.
    Finish,
    /// Commit everything so far.
    Commit(Mark),
    /// Answer, once all before is done, whether something was found since the last commit.
    Settle(Sender<bool>),
}

/// Where the input stands, to be committed together with what was made of it.
#[derive(Debug)]
pub struct Mark {
    /// Next position of each partition, and the source's proofs.
    pub positions: Positions,
    /// Where reading of each partition was begun.
    pub begun: Positions,
    /// What the decoders have learnt, by partition.
    pub learnt: BTreeMap<String, Learnt>,
    /// Whether the detector's state must be kept with it.
    pub keep: Keep,
}

/// When the detector's state is kept with a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Not with this one: the detector has not seen yet all that the tables hold.
    Not,
    /// When it is time for it again.
    WhenDue,
    /// Now: this process, or this reader of a partition, ends.
    Now,
}

/// What the front and the detection thread both see.
#[derive(Debug, Default)]
struct Shared {
    /// Findings wait for a commit.
    news: AtomicBool,
    /// What is still in the channel is not wanted any more.
    abandoned: AtomicBool,
}

/// The front's end of the channels to the detection thread.
#[derive(Debug)]
pub struct Detection {
    orders: Sender<Order>,
    pauses: Receiver<(Arc<str>, bool)>,
    shared: Arc<Shared>,
    held: Positions,
    incidents: Arc<IncidentTotals>,
    counts: Arc<DetectTotals>,
    thread: JoinHandle<anyhow::Result<()>>,
}

impl Detection {
    /// Starts the thread, with a detector that has seen what the tables behind `back` hold.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(
        history: History,
        restored: Restored,
        mut pace: Pace,
        past: Option<PastSource>,
        alerts: Alerts,
        back: Back,
    ) -> anyhow::Result<Self> {
        let Restored { mut detector, held, told_us, kept } = restored;
        if let Some((at, bytes)) = kept {
            pace.keep(at, bytes);
        }
        let past = past.filter(|_| detector.is_blank());
        if past.is_some() {
            detector.await_past();
        }
        let (orders, incoming) = bounded(CHANNEL_ORDERS);
        let (to_pause, pauses) = unbounded();
        let shared = Arc::<Shared>::default();
        let incidents = Arc::<IncidentTotals>::default();
        let counts = Arc::<DetectTotals>::default();
        let worker = Worker {
            history,
            start: detector.counters(),
            watch: Times::start(Instant::now()),
            counts: Arc::clone(&counts),
            detector,
            told_us,
            pace,
            past,
            partitions: BTreeSet::new(),
            share: None,
            findings: Findings::default(),
            alignment: Alignment::default(),
            alerts,
            back,
            pauses: to_pause,
            shared: Arc::clone(&shared),
            incidents: Arc::clone(&incidents),
        };
        let thread = thread::Builder::new()
            .name("detect".into())
            .spawn(move || worker.work(&incoming))
            .context("cannot start the thread that detects")?;
        Ok(Self { orders, pauses, shared, held, incidents, counts, thread })
    }

    /// Where the tables stand, of partitions of which the detector is to see again what they hold.
    pub const fn held(&self) -> &Positions {
        &self.held
    }

    /// Incidents found so far.
    pub const fn incidents(&self) -> &Arc<IncidentTotals> {
        &self.incidents
    }

    /// Records so far that were not judged at the time they name.
    pub const fn counts(&self) -> &Arc<DetectTotals> {
        &self.counts
    }

    /// Hands over an order; waits while detection or the tables are behind. False when the thread has ended: ask
    /// [`Detection::failure`] why.
    #[must_use]
    pub fn send(&self, order: Order) -> bool {
        self.orders.send(order).is_ok()
    }

    /// Partitions to be held back, or let go, since the last call.
    pub fn pauses(&self) -> impl Iterator<Item = (Arc<str>, bool)> + '_ {
        self.pauses.try_iter()
    }

    /// Whether something was found that no commit covers yet.
    pub fn has_news(&self) -> bool {
        self.shared.news.load(Ordering::Acquire)
    }

    /// Waits until every order so far is carried out; then as [`Detection::has_news`]. `None` when the thread has
    /// ended.
    pub fn settle(&self) -> Option<bool> {
        let (reply, answer) = bounded(1);
        self.orders.send(Order::Settle(reply)).ok()?;
        loop {
            match answer.recv_timeout(TICK) {
                Ok(found) => return Some(found),
                // An order that the thread left behind when it failed is never answered.
                Err(RecvTimeoutError::Timeout) if !self.thread.is_finished() => {}
                Err(_) => return answer.try_recv().ok(),
            }
        }
    }

    /// Why the thread has ended, or the tables have.
    pub fn failure(self) -> anyhow::Error {
        drop(self.orders);
        match self.thread.join() {
            Ok(Err(error)) => error,
            Ok(Ok(())) => anyhow!("the thread that detects has ended"),
            Err(_) => anyhow!("the thread that detects has crashed; its message is above"),
        }
    }

    /// Drops what is not committed, and waits until nothing more will be.
    ///
    /// # Errors
    /// What the thread or the tables failed with.
    pub fn abandon(self) -> anyhow::Result<()> {
        self.shared.abandoned.store(true, Ordering::Release);
        drop(self.orders);
        self.thread.join().unwrap_or_else(|_| {
            Err(anyhow!("the thread that detects has crashed; its message is above"))
        })
    }
}

struct Worker {
    history: History,
    detector: Detector,
    /// Event time up to which the tables hold its findings, and somebody was told of them.
    told_us: Option<i64>,
    pace: Pace,
    /// Where the detector's past is, until it was learned.
    past: Option<PastSource>,
    /// Partitions that were opened.
    partitions: BTreeSet<Arc<str>>,
    share: Option<Share>,
    findings: Findings,
    alignment: Alignment,
    alerts: Alerts,
    back: Back,
    pauses: Sender<(Arc<str>, bool)>,
    shared: Arc<Shared>,
    incidents: Arc<IncidentTotals>,
    /// What the detector had counted before this run.
    start: Counters,
    watch: Times,
    counts: Arc<DetectTotals>,
}

impl Worker {
    fn work(mut self, orders: &Receiver<Order>) -> anyhow::Result<()> {
        loop {
            match orders.recv_timeout(TICK) {
                Ok(_) if self.shared.abandoned.load(Ordering::Acquire) => {}
                Ok(order) => self.carry_out(order)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    self.watch.look_at_all(|partition| self.detector.tally(partition));
                    return self.back.finish();
                }
            }
            self.watch.look(Instant::now(), |partition| self.detector.tally(partition));
            self.alerts.look()?;
            self.align(orders.is_empty())?;
        }
    }

    fn carry_out(&mut self, order: Order) -> anyhow::Result<()> {
        match order {
            Order::Open(partitions) => {
                for partition in &partitions {
                    self.alignment.open(partition);
                    self.watch.watch(partition);
                    self.detector.open_partition(partition);
                }
                self.partitions.extend(partitions);
            }
            Order::Batch(batch) => {
                self.see(&batch);
                self.back.batch(*batch)?;
            }
            Order::Again(batch) => {
                self.see(&batch);
                self.start = self.detector.counters();
            }
            Order::CaughtUp(partitions, now) => {
                for partition in &partitions {
                    self.alignment.caught_up(partition, now);
                }
            }
            Order::Share(share) => self.share = share,
            Order::Ended(partition) => self.alignment.ended(&partition),
            Order::Close(partition) => {
                self.alignment.close(&partition);
                self.watch.close(&partition, self.detector.tally(&partition));
                self.detector.close_partition(&partition, &mut self.findings);
            }
            Order::Finish => {
                self.learn_past(true)?;
                self.detector.finish(&mut self.findings);
            }
            Order::Commit(mark) => self.commit(&mark)?,
            Order::Settle(reply) => {
                // Whoever asked may be gone.
                let _ = reply.send(self.shared.news.load(Ordering::Acquire));
            }
        }
        self.learn_past(false)?;
        self.counts.set(&self.detector.counters(), &self.start);
        self.emit()
    }

    fn see(&mut self, batch: &PositionedBatch) {
        self.alignment.saw_records(&batch.partition);
        self.detector.on_batch(&batch.partition, &batch.requests, &mut self.findings);
    }

    /// Learns the past once it is known where it ends; the detector decides on nothing before. Where the input ends
    /// earlier, the records wait in the checkpoint.
    fn learn_past(&mut self, at_end: bool) -> anyhow::Result<()> {
        if let Some(begin_us) = self.detector.begin_us(at_end)
            && let Some(past) = self.past.take()
        {
            let partitions: Vec<_> = self.partitions.iter().cloned().collect();
            let past = past.load(begin_us, &partitions)?;
            self.detector.learn(past, &mut self.findings);
        }
        Ok(())
    }

    /// Prints what the detector found, at once, and hands it to the tables.
    fn emit(&mut self) -> anyhow::Result<()> {
        if self.findings.is_empty() {
            return Ok(());
        }
        let mut findings = std::mem::take(&mut self.findings);
        share::say(&mut findings.incidents, self.share);
        self.shared.news.store(true, Ordering::Release);
        for incident in &findings.incidents {
            if self.told_us.is_none_or(|told_us| incident.revision_ts > told_us) {
                self.incidents.add(incident);
                self.alerts.push(incident)?;
            }
        }
        self.back.findings(FindingRows {
            incidents: incident_rows(&findings.incidents)?,
            source_windows: source_window_rows(&findings.source_windows)?,
            target_windows: target_window_rows(&findings.target_windows)?,
        })
    }

    /// Holds partitions back or lets them go; passes over the silent ones, unless records wait in the channel.
    fn align(&mut self, is_all_seen: bool) -> anyhow::Result<()> {
        for change in self.alignment.repause(|partition| self.detector.ahead_us(partition)) {
            // A front that is gone pauses nothing.
            let _ = self.pauses.send(change);
        }
        if is_all_seen {
            // Partitions taken over may be far ahead of those that held them back, which are another's now.
            if self.alignment.is_stuck() {
                self.detector.advance(&mut self.findings);
            }
            for partition in self.alignment.newly_idle(Instant::now()) {
                self.detector.set_idle(&partition, &mut self.findings);
            }
            self.learn_past(false)?;
        }
        self.emit()
    }

    fn commit(&mut self, mark: &Mark) -> anyhow::Result<()> {
        self.shared.news.store(false, Ordering::Release);
        self.alerts.settle();
        let (rest, kept) = match mark.keep {
            Keep::Not => (Bytes::new(), Kept::Nothing),
            Keep::WhenDue | Keep::Now => {
                let lines = checkpoint::of_lines(&mark.learnt)?;
                (lines.clone(), self.kept(mark.keep, lines))
            }
        };
        let point = CommitPoint {
            history: self.history.clone(),
            positions: plain(&mark.positions),
            begun: plain(&mark.begun),
            closed_us: self.detector.closed_us(),
            state: Bytes::new(),
            rest,
        };
        self.back.commit(point, kept)
    }

    /// What is kept with a commit besides what the decoders have learnt of `lines`: the detector as it is now, to be written
    /// down elsewhere.
    fn kept(&mut self, keep: Keep, lines: Bytes) -> Kept {
        let now = Instant::now();
        let must = keep == Keep::Now;
        if !must && !self.pace.is_due(now) {
            return Kept::Nothing;
        }
        let is_beside = !must && self.pace.is_large();
        let bytes = self.pace.keep_later(now);
        let make = checkpoint::with_detector(lines, self.detector.snapshot(), bytes);
        if is_beside { Kept::Beside(make) } else { Kept::Within(make) }
    }
}
