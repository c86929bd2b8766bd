//! Keeps the tables fast beside a pipeline that never ends: a thread of the lowest priority that maintains them every few
//! minutes, and waits whenever the pipeline is behind.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Context;
use chrono::Utc;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use lake::{LakeError, Pace, Upkeep, Watch};
use thread_priority::{ThreadPriority, set_current_thread_priority};

use super::counts::UpkeepTotals;

/// Commits between two rounds: the files of so many are worth a merge.
const COMMITS: u32 = 20;

/// How long records may wait in Kafka before maintenance makes way.
const LAG_MAX: Duration = Duration::from_secs(5);

/// The thread that maintains the tables; it ends with this.
#[derive(Debug)]
pub struct Keeper {
    state: Arc<State>,
    totals: Arc<UpkeepTotals>,
    /// Wakes the thread when it is dropped.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct State {
    behind: AtomicBool,
    stopping: AtomicBool,
    /// How long a round makes way, at most: a pipeline that is always behind needs its tables maintained, too.
    patience: Duration,
    /// When the running round began.
    began: Mutex<Instant>,
}

impl Watch for State {
    fn pace(&self) -> Pace {
        if self.stopping.load(Ordering::Relaxed) {
            Pace::Stop
        } else if self.behind.load(Ordering::Relaxed) && self.round() < self.patience {
            Pace::Wait
        } else {
            Pace::Go
        }
    }
}

impl State {
    /// How long the running round has taken.
    fn round(&self) -> Duration {
        self.began.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}

impl Keeper {
    /// Starts to maintain the tables under `data`, which get a commit every `commit_interval`.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(data: String, commit_interval: Duration, upkeep: Upkeep) -> anyhow::Result<Self> {
        let every = commit_interval.saturating_mul(COMMITS);
        let state = Arc::new(State {
            behind: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            patience: every,
            began: Mutex::new(Instant::now()),
        });
        let (stop, stopped) = bounded(0);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start the runtime of the maintenance")?;
        let watch = Arc::clone(&state);
        let totals = Arc::<UpkeepTotals>::default();
        let counted = Arc::clone(&totals);
        let work = move || {
            if let Err(error) = set_current_thread_priority(ThreadPriority::Min) {
                tracing::debug!(?error, "maintenance runs at the priority of everything else");
            }
            while wait(&stopped, every) {
                *watch.began.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
                let done =
                    runtime.block_on(lake::maintain(&data, &upkeep, Utc::now(), watch.as_ref()));
                said(&data, done, &counted);
            }
        };
        let thread = thread::Builder::new().name("maintain".into()).spawn(work);
        let thread = thread.context("cannot start the thread that maintains the tables")?;
        Ok(Self { state, totals, stop: Some(stop), thread: Some(thread) })
    }

    /// What was done so far.
    pub const fn totals(&self) -> &Arc<UpkeepTotals> {
        &self.totals
    }

    /// How long the record read last had waited in Kafka.
    pub fn lags(&self, lag: Option<Duration>) {
        self.state.behind.store(lag.is_some_and(|lag| lag > LAG_MAX), Ordering::Relaxed);
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.state.stopping.store(true, Ordering::Relaxed);
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // Its panic was reported by the thread itself.
            let _ = thread.join();
        }
    }
}

/// Waits until the next round; `false` when there is none.
fn wait(stopped: &Receiver<()>, every: Duration) -> bool {
    matches!(stopped.recv_timeout(every), Err(RecvTimeoutError::Timeout))
}

fn said(data: &str, done: Result<Vec<lake::TableUpkeep>, LakeError>, totals: &UpkeepTotals) {
    match done {
        Ok(tables) => {
            totals.add(&tables);
            for table in tables.iter().filter(|table| table.rewritten + table.expired > 0) {
                tracing::info!(
                    table = table.table,
                    files_before = table.files.0,
                    files = table.files.1,
                    rows_written_anew = table.rewritten,
                    rows_dropped = table.expired,
                    "maintained"
                );
            }
        }
        Err(LakeError::Busy { owner, .. }) => {
            tracing::debug!(owner, "another process maintains the tables");
        }
        Err(error) => {
            totals.failures.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(
                data,
                "cannot maintain the tables: {error}; it is tried again, reading goes on meanwhile"
            );
        }
    }
}
