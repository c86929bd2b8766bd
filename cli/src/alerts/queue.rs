//! Alerts on their way to stdout: a bounded queue and a thread of its own, so that whoever reads stdout slowly, or not at
//! all, delays alerts and nothing else.
//!
//! ```text
//! detection ─ push ─▶ waiting revisions ─ alert thread ─▶ AlertWriter ─▶ stdout
//! ```
//! A full queue of a live run makes room by what matters least: what changed in an incident goes before its end, its end
//! before its opening. What is passed over is counted and said, and is in the tables like everything else. Where the input
//! waits (files), a full queue makes its reading wait instead.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use schemas::{Incident, State};

use super::AlertWriter;

/// Revisions that wait, at most. An attack seldom has more than twenty; each may name a thousand sources, some 20 kB.
const WAITING_MAX: usize = 1_024;

/// How long one write may take before it is said that nobody reads: a page of `less` is read for longer, a program that
/// works is faster.
const STALL: Duration = Duration::from_secs(2);

/// How long a stop waits for a reader that takes nothing.
const FLUSH_LIMIT: Duration = Duration::from_secs(5);

/// How long a commit waits for the alerts before it: they are repeated after a crash, rather than lost, where somebody
/// reads them.
const SETTLE_LIMIT: Duration = Duration::from_millis(100);

/// What happens when the queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overflow {
    /// The input waits.
    Wait,
    /// What matters least is passed over.
    PassOver,
}

/// What became of the alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AlertCounts {
    /// Revisions handed to the writer, which prints those that a reader must know of.
    pub told: u64,
    /// Revisions that wait for the reader of stdout.
    pub waiting: u64,
    /// Revisions that are in the tables only, since the reader of stdout was too slow.
    pub passed_over: u64,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Incident>,
    /// When the write under way began.
    writing: Option<Instant>,
    told: u64,
    passed_over: u64,
    /// Passed over before, when it was last said.
    said: u64,
    stalled: bool,
    failure: Option<io::Error>,
    ending: bool,
    ended: bool,
}

impl Queue {
    fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.writing.is_none()
    }

    fn is_stuck(&self) -> bool {
        self.writing.is_some_and(|since| since.elapsed() >= STALL)
    }

    /// Takes a revision into a queue that is full.
    fn squeeze(&mut self, incident: &Incident) {
        let rank = rank(incident.state);
        let same = |other: &Incident| other.incident_id == incident.incident_id;
        let older = |other: &Incident| same(other) && self::rank(other.state) <= rank;
        let is_update = |other: &Incident| other.state != State::Open;
        self.passed_over += 1;
        // A later revision says all that an earlier one did.
        if let Some(at) = self.waiting.iter().position(|other| is_update(other) && older(other)) {
            self.waiting.remove(at);
        } else {
            let least =
                self.waiting.iter().enumerate().min_by_key(|(_, other)| self::rank(other.state));
            match least.map(|(at, other)| (at, self::rank(other.state))) {
                Some((at, least)) if least < rank => _ = self.waiting.remove(at),
                _ => return,
            }
        }
        self.waiting.push_back(incident.clone());
    }
}

/// How much it matters that a revision is told.
const fn rank(state: State) -> u8 {
    match state {
        State::Update => 0,
        State::Close => 1,
        State::Open => 2,
    }
}

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
    overflow: Overflow,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `is_done`, at most `limit`; whether it came to that.
    fn wait(&self, limit: Option<Duration>, is_done: impl Fn(&Queue) -> bool) -> bool {
        let started = Instant::now();
        let mut queue = self.lock();
        while !is_done(&queue) {
            let left = limit.map(|limit| limit.saturating_sub(started.elapsed()));
            queue = match left {
                Some(Duration::ZERO) => return false,
                Some(left) => {
                    self.changed.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner),
            };
        }
        true
    }
}

/// The end of the queue at which alerts go in.
#[derive(Debug, Clone)]
pub struct Alerts(Arc<Shared>);

impl Alerts {
    /// Takes one revision on its way.
    ///
    /// # Errors
    /// What stdout failed with, if it has.
    pub fn push(&self, incident: &Incident) -> anyhow::Result<()> {
        if self.0.overflow == Overflow::Wait {
            let has_room = |queue: &Queue| queue.waiting.len() < WAITING_MAX || queue.ended;
            self.0.wait(None, has_room);
        }
        let mut queue = self.0.lock();
        if !queue.ended {
            if queue.waiting.len() < WAITING_MAX {
                queue.waiting.push_back(incident.clone());
            } else {
                queue.squeeze(incident);
            }
            self.0.changed.notify_all();
        }
        drop(queue);
        self.look()
    }

    /// Says when the reader of stdout has stopped, and when it goes on.
    ///
    /// # Errors
    /// As [`Alerts::push`].
    pub fn look(&self) -> anyhow::Result<()> {
        let mut queue = self.0.lock();
        if let Some(error) = queue.failure.take() {
            return Err(error).context("cannot write an alert to stdout");
        }
        let is_stuck = queue.is_stuck();
        if is_stuck && !queue.stalled {
            queue.stalled = true;
            let waiting = queue.waiting.len() + 1;
            drop(queue);
            tracing::warn!(
                waiting,
                "the reader of stdout has stopped: alerts wait for it; detection and tables go on"
            );
        } else if queue.stalled && queue.is_idle() {
            queue.stalled = false;
            let passed_over = queue.passed_over - queue.said;
            queue.said = queue.passed_over;
            drop(queue);
            if passed_over > 0 {
                tracing::warn!(
                    passed_over,
                    "the reader of stdout goes on; the revisions passed over are in the table `incidents` only"
                );
            } else {
                tracing::info!("the reader of stdout goes on; no alert was passed over");
            }
        }
        Ok(())
    }

    /// Gives the alerts so far a moment to be written, if anybody reads them.
    pub fn settle(&self) {
        if !self.0.lock().is_stuck() {
            self.0.wait(Some(SETTLE_LIMIT), |queue| queue.is_idle() || queue.ended);
        }
    }

    /// What became of the alerts so far.
    pub fn counts(&self) -> AlertCounts {
        let queue = self.0.lock();
        AlertCounts {
            told: queue.told,
            waiting: queue.waiting.len() as u64 + u64::from(queue.writing.is_some()),
            passed_over: queue.passed_over,
        }
    }
}

/// The queue and its thread; dropping it waits for the alerts, with a limit where the input is live.
#[derive(Debug)]
pub struct AlertQueue(Arc<Shared>);

impl AlertQueue {
    /// Starts the thread that writes alerts.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start<W: Write + Send + 'static>(
        mut writer: AlertWriter<W>,
        overflow: Overflow,
    ) -> anyhow::Result<Self> {
        let queue = Mutex::default();
        let shared = Arc::new(Shared { queue, changed: Condvar::new(), overflow });
        let mine = Arc::clone(&shared);
        let work = move || {
            let ending = Ending(Arc::clone(&mine));
            while let Some(incident) = next(&mine) {
                let written = writer.write(&incident);
                let mut queue = mine.lock();
                queue.writing = None;
                queue.told += 1;
                if let Err(error) = written {
                    queue.failure = Some(error);
                    queue.ending = true;
                    queue.waiting.clear();
                }
                drop(queue);
                mine.changed.notify_all();
            }
            drop(ending);
        };
        let thread = thread::Builder::new().name("alerts".into()).spawn(work);
        // A write that never ends must not hold up the end of the process: nobody joins the thread.
        thread.context("cannot start the thread that writes alerts")?;
        Ok(Self(shared))
    }

    /// An end to push to.
    pub fn alerts(&self) -> Alerts {
        Alerts(Arc::clone(&self.0))
    }

    /// Waits until what waits is written: where the input is live at most five seconds, then it is said what was not.
    pub fn finish(&self) {
        self.0.lock().ending = true;
        self.0.changed.notify_all();
        let limit = (self.0.overflow == Overflow::PassOver).then_some(FLUSH_LIMIT);
        if !self.0.wait(limit, |queue| queue.ended) {
            let alerts = Alerts(Arc::clone(&self.0)).counts();
            tracing::warn!(
                waiting = alerts.waiting,
                "the reader of stdout takes nothing: the alerts that wait are in the table `incidents` only"
            );
            let mut queue = self.0.lock();
            queue.passed_over += queue.waiting.len() as u64;
            queue.waiting.clear();
            queue.ended = true;
        }
    }
}

impl Drop for AlertQueue {
    fn drop(&mut self) {
        if !self.0.lock().ended {
            self.finish();
        }
    }
}

/// The end of the thread, however it comes: nobody waits for one that is gone.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        let mut queue = self.0.lock();
        queue.ended = true;
        if thread::panicking() {
            queue.writing = None;
            queue.waiting.clear();
            queue.failure = Some(io::Error::other("the thread that writes alerts has failed"));
        }
        drop(queue);
        self.0.changed.notify_all();
    }
}

/// The next revision to write, once there is one; `None` at the end.
fn next(shared: &Shared) -> Option<Incident> {
    shared.wait(None, |queue| !queue.waiting.is_empty() || queue.ending);
    let mut queue = shared.lock();
    let next = queue.waiting.pop_front()?;
    queue.writing = Some(Instant::now());
    drop(queue);
    shared.changed.notify_all();
    Some(next)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;
    use crate::alerts::AlertFormat;
    use crate::alerts::tests::incident;

    /// A stream that writes a line when it is let.
    struct Gate {
        let_go: Receiver<()>,
        lines: Sender<String>,
        line: Vec<u8>,
    }

    impl Write for Gate {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.line.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            // A gate that is gone is open.
            self.let_go.recv().ok();
            let line = std::mem::take(&mut self.line);
            self.lines.send(String::from_utf8_lossy(&line).into_owned()).ok();
            Ok(())
        }
    }

    fn gated(overflow: Overflow) -> (AlertQueue, Sender<()>, Receiver<String>) {
        let (open, let_go) = channel();
        let (lines, written) = channel();
        let gate = Gate { let_go, lines, line: Vec::new() };
        let queue = AlertQueue::start(AlertWriter::new(AlertFormat::Json, gate), overflow);
        (queue.unwrap(), open, written)
    }

    fn revision(id: usize, revision: i32, state: State) -> Incident {
        Incident { incident_id: format!("i{id}"), revision, state, ..incident() }
    }

    #[test]
    fn alerts_are_written_in_their_order_and_all_of_them() {
        let (queue, open, written) = gated(Overflow::Wait);
        drop(open);
        let alerts = queue.alerts();
        for id in 0..3 * WAITING_MAX {
            alerts.push(&revision(id, 0, State::Open)).unwrap();
        }
        queue.finish();
        let lines: Vec<String> = written.try_iter().collect();
        assert_eq!(lines.len(), 3 * WAITING_MAX);
        assert!(lines.iter().enumerate().all(|(id, line)| line.contains(&format!("\"i{id}\""))));
        let counts = AlertCounts { told: 3 * WAITING_MAX as u64, waiting: 0, passed_over: 0 };
        assert_eq!(alerts.counts(), counts);
    }

    #[test]
    fn a_reader_that_stops_costs_updates_before_openings_and_each_is_counted() {
        let (queue, open, written) = gated(Overflow::PassOver);
        let alerts = queue.alerts();
        // One is being written and fills the gate; then as many openings as there is room for, less some.
        alerts.push(&revision(0, 0, State::Open)).unwrap();
        queue.0.wait(None, |queue| queue.writing.is_some());
        for id in 1..=WAITING_MAX - 2 {
            alerts.push(&revision(id, 0, State::Open)).unwrap();
        }
        alerts.push(&revision(1, 1, State::Update)).unwrap();
        alerts.push(&revision(2, 1, State::Update)).unwrap();
        assert_eq!(alerts.counts().passed_over, 0);
        // Full: the end of the first takes the place of its update, an opening that of the other.
        alerts.push(&revision(1, 2, State::Close)).unwrap();
        alerts.push(&revision(5_000, 0, State::Open)).unwrap();
        // An update of no consequence finds no room.
        alerts.push(&revision(3, 1, State::Update)).unwrap();
        assert_eq!(alerts.counts().passed_over, 3);
        drop(open);
        queue.finish();
        let lines: Vec<String> = written.try_iter().collect();
        let opened = lines.iter().filter(|line| line.contains("\"state\":\"open\"")).count();
        assert_eq!((lines.len(), opened), (WAITING_MAX + 1, WAITING_MAX));
        assert!(lines.iter().any(|line| line.contains("\"state\":\"close\"")), "{lines:?}");
        let counts = alerts.counts();
        assert_eq!((counts.told, counts.waiting), (WAITING_MAX as u64 + 1, 0));
    }

    #[test]
    fn what_stdout_fails_with_is_told_to_whoever_pushes() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let writer = AlertWriter::new(AlertFormat::Json, Full);
        let queue = AlertQueue::start(writer, Overflow::PassOver).unwrap();
        let alerts = queue.alerts();
        // The first may still be on its way when this returns.
        let first = alerts.push(&revision(0, 0, State::Open));
        queue.0.wait(None, |queue| queue.ended);
        let error = first.and_then(|()| alerts.look()).unwrap_err();
        assert_eq!(error.to_string(), "cannot write an alert to stdout");
        queue.finish();
    }

    #[test]
    fn a_thread_that_fails_is_not_waited_for() {
        struct Broken;
        impl Write for Broken {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                panic!("no bytes today")
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let writer = AlertWriter::new(AlertFormat::Json, Broken);
        let queue = AlertQueue::start(writer, Overflow::Wait).unwrap();
        let alerts = queue.alerts();
        let first = alerts.push(&revision(0, 0, State::Open));
        queue.finish();
        assert!(first.and_then(|()| alerts.look()).is_err());
    }
}
