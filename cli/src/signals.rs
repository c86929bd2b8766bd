//! SIGINT and SIGTERM ask for a graceful stop; a second one ends the process at once.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

/// Exit status of a process that a second SIGINT ended, as shells report it.
const INTERRUPTED: i32 = 130;

/// What those who read and write say when they are to stop.
const WHO_COMMITS: &str =
    "stopping: finishing what was read and committing it; a second signal ends at once";

/// What those who answer say.
const WHO_ANSWERS: &str =
    "stopping: answers on their way have some seconds to end; a second signal ends at once";

/// Set once a stop was asked for.
#[derive(Debug, Clone, Default)]
pub struct StopFlag(Arc<AtomicBool>, Arc<Notify>);

impl StopFlag {
    /// A flag that SIGINT and SIGTERM set, for a command that reads and commits.
    ///
    /// # Errors
    /// When the signal handlers cannot be installed.
    pub fn on_signals() -> anyhow::Result<Self> {
        Self::saying(Some(WHO_COMMITS))
    }

    /// The same for one that answers others.
    ///
    /// # Errors
    /// When the signal handlers cannot be installed.
    pub fn of_server() -> anyhow::Result<Self> {
        Self::saying(Some(WHO_ANSWERS))
    }

    /// The same for one that somebody looks at: nothing is written over what is seen.
    ///
    /// # Errors
    /// When the signal handlers cannot be installed.
    pub fn of_viewer() -> anyhow::Result<Self> {
        Self::saying(None)
    }

    fn saying(says: Option<&'static str>) -> anyhow::Result<Self> {
        let stop = Self::default();
        let flag = stop.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start the signal handler")?;
        let signals = {
            let _guard = runtime.enter();
            both().context("cannot listen for SIGINT and SIGTERM")?
        };
        std::thread::Builder::new()
            .name("signals".into())
            .spawn(move || runtime.block_on(listen(signals, &flag, says)))
            .context("cannot start the signal handler")?;
        Ok(stop)
    }

    /// Waits until a stop is asked for.
    pub async fn wait(&self) {
        let mut asked = pin!(self.1.notified());
        // From here on a notification reaches this, so nothing falls between the look and the wait.
        asked.as_mut().enable();
        if !self.is_set() {
            asked.await;
        }
    }

    /// Whether a stop was asked for.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Asks for a stop.
    pub fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
        self.1.notify_waiters();
    }
}

fn both() -> io::Result<[Signal; 2]> {
    Ok([signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?])
}

#[expect(clippy::exit, reason = "the second signal asks for an end without a drain")]
async fn listen([mut interrupt, mut terminate]: [Signal; 2], stop: &StopFlag, says: Option<&str>) {
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        if stop.is_set() {
            std::process::exit(INTERRUPTED);
        }
        if let Some(says) = says {
            tracing::info!("{says}");
        }
        stop.set();
    }
}
