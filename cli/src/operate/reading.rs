//! What a live run counts, gathered from its threads for whoever watches it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use decode::identity::ClientCounters;
use detect::Counters;
use schemas::Verdict;

use crate::alerts::{AlertCounts, Alerts};
use crate::pipeline::{DetectTotals, IncidentTotals, TableTotals, Totals, UpkeepTotals};

/// How long the reading thread may be busy with one round before the process is held for hung: it looks every 100 ms,
/// and waits for the tables no longer than they say that they wait.
const HUNG: Duration = Duration::from_mins(2);

/// Commit intervals that what was read may wait for its commit before a run is not ready.
const INTERVALS_MAX: u32 = 4;

/// The same, at least: a short interval says nothing about how long a store may take.
const OVERDUE_MIN: Duration = Duration::from_mins(1);

/// Numbers at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reading {
    /// Access records read.
    pub requests: u64,
    /// Lines that could not be read.
    pub rejects: u64,
    /// Requests of those who are never judged.
    pub exempt: u64,
    /// Bytes of messages read.
    pub bytes: u64,
    /// Forwarding headers that were not followed.
    pub clients: ClientCounters,
    /// How long the record read last had waited.
    pub lag: Option<Duration>,
    /// Partitions that are read.
    pub partitions: u64,
    /// How long what was read has waited for its commit.
    pub waiting: Option<Duration>,
    /// Time since the last commit.
    pub committed: Option<Duration>,
    /// Incidents held to be attacks, suspicious, benign.
    pub incidents: [u64; 3],
    /// The detector's counters since the start.
    pub detect: Counters,
    /// What became of alerts.
    pub alerts: AlertCounts,
    /// Commits of the tables.
    pub commits: u64,
    /// Attempts to write the tables that failed.
    pub failures: u64,
    /// Rows committed.
    pub rows: u64,
    /// Bytes of Parquet committed.
    pub table_bytes: u64,
    /// Whether the tables cannot be written.
    pub failing: bool,
    /// Rounds of maintenance, failures, rows rewritten, rows expired, files swept.
    pub upkeep: [u64; 5],
    /// Whether a broker answers.
    pub reached: bool,
}

/// Whom to ask besides the reading thread.
#[derive(Debug, Clone)]
pub struct Counted {
    /// The alerts.
    pub alerts: Alerts,
    /// Incidents by verdict.
    pub incidents: Arc<IncidentTotals>,
    /// The detector.
    pub detected: Arc<DetectTotals>,
    /// The tables.
    pub tables: Arc<TableTotals>,
    /// Their maintenance.
    pub upkeep: Arc<UpkeepTotals>,
}

#[derive(Debug)]
struct State {
    counted: Option<Counted>,
    front: Reading,
    /// When the reading thread was last seen at work.
    beat: Instant,
    waiting_since: Option<Instant>,
    committed_at: Option<Instant>,
}

/// Where the threads of a run leave their numbers.
#[derive(Debug)]
pub struct Board {
    state: Mutex<State>,
    commit_interval: Duration,
}

impl Board {
    /// A board for a run that commits every `commit_interval`.
    pub fn new(commit_interval: Duration) -> Self {
        let state = State {
            counted: None,
            front: Reading::default(),
            beat: Instant::now(),
            waiting_since: None,
            committed_at: None,
        };
        Self { state: Mutex::new(state), commit_interval }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A pipeline begins, the first or one that opened the tables anew.
    pub fn begin(&self, counted: Counted) {
        self.lock().counted = Some(counted);
    }

    /// The reading thread is at work, and this is what it has read; `bytes` of messages, and whether brokers answer.
    pub fn beat(&self, totals: &Totals, bytes: u64, reached: bool) {
        let mut state = self.lock();
        state.beat = Instant::now();
        state.waiting_since = totals.waiting_since;
        state.committed_at = totals.committed_at;
        state.front = Reading {
            requests: totals.requests,
            rejects: totals.rejects,
            exempt: totals.exempt,
            clients: totals.clients,
            lag: totals.lag(),
            partitions: totals.partitions as u64,
            bytes,
            reached,
            ..Reading::default()
        };
    }

    /// All numbers as they are now.
    pub fn read(&self) -> Reading {
        let state = self.lock();
        let mut reading = state.front;
        reading.waiting = state.waiting_since.map(|since| since.elapsed());
        reading.committed = state.committed_at.map(|at| at.elapsed());
        let Some(counted) = state.counted.clone() else { return reading };
        drop(state);
        let load = |total: &AtomicU64| total.load(Ordering::Relaxed);
        let verdicts = [Verdict::Attack, Verdict::Suspicious, Verdict::Benign];
        let (tables, upkeep) = (&counted.tables, &counted.upkeep);
        Reading {
            incidents: verdicts.map(|verdict| counted.incidents.count(verdict)),
            detect: counted.detected.counters(),
            alerts: counted.alerts.counts(),
            commits: load(&tables.commits),
            failures: load(&tables.failures),
            rows: load(&tables.rows),
            table_bytes: load(&tables.bytes),
            failing: tables.failing.load(Ordering::Relaxed),
            upkeep: [
                &upkeep.rounds,
                &upkeep.failures,
                &upkeep.rewritten,
                &upkeep.expired,
                &upkeep.swept,
            ]
            .map(load),
            ..reading
        }
    }

    /// Why the process is held for hung; `None` while it works, or waits for its tables and says so.
    pub fn hung(&self) -> Option<String> {
        let silent = self.lock().beat.elapsed();
        let waits = self.read().failing;
        (silent > HUNG && !waits).then(|| {
            format!("the thread that reads was last seen at work {} s ago", silent.as_secs())
        })
    }

    /// Why the run does not do what it is for at the moment; a topic without messages is no reason.
    pub fn unready(&self) -> Option<String> {
        let reading = self.read();
        let limit = (self.commit_interval * INTERVALS_MAX).max(OVERDUE_MIN);
        if let Some(hung) = self.hung() {
            return Some(hung);
        }
        if !reading.reached {
            return Some("no broker answers".to_owned());
        }
        if reading.partitions == 0 {
            return Some("no partition is assigned".to_owned());
        }
        if reading.failing {
            return Some("the tables cannot be written".to_owned());
        }
        reading.waiting.filter(|waiting| *waiting > limit).map(|waiting| {
            format!("what was read waits for its commit since {} s", waiting.as_secs())
        })
    }
}
