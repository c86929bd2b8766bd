//! A word to the service manager: that the run is up, what it does, that it still does, and that it is stopping.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use schemas::text::thousands;
use sd_notify::NotifyState;

use super::reading::{Board, Reading};

/// How often the status is told, where no watchdog asks for more.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// Where a service manager listens, if any does.
const SOCKET: &str = "NOTIFY_SOCKET";

/// Tells the service manager, if there is one, until it is dropped.
#[derive(Debug)]
pub struct Service {
    /// Wakes the thread when it is dropped.
    _stop: Option<Sender<()>>,
}

impl Service {
    /// Says that the run is up, and goes on telling how it is. Without a service manager it does nothing.
    pub fn start(board: &Arc<Board>) -> Self {
        if std::env::var_os(SOCKET).is_none() {
            return Self { _stop: None };
        }
        let watchdog = sd_notify::watchdog_enabled();
        // Half of what it allows, as sd_watchdog_enabled(3) recommends.
        let every = watchdog.map_or(TELL_EVERY, |limit| TELL_EVERY.min(limit / 2));
        let (stop, stopped) = bounded::<()>(0);
        let board = Arc::clone(board);
        let work = move || {
            tell(&[NotifyState::Ready]);
            loop {
                let told = status(&board.read());
                let mut states = vec![NotifyState::Status(&told)];
                // A run that hangs falls silent, and is restarted.
                if watchdog.is_some() && board.hung().is_none() {
                    states.push(NotifyState::Watchdog);
                }
                tell(&states);
                if stopped.recv_timeout(every) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        };
        let started = thread::Builder::new().name("service".into()).spawn(work);
        if let Err(error) = started {
            tracing::warn!(%error, "cannot start the thread that tells the service manager");
        }
        Self { _stop: Some(stop) }
    }
}

/// Says that the run is stopping, which may take as long as a commit.
pub fn stopping() {
    if std::env::var_os(SOCKET).is_some() {
        tell(&[NotifyState::Stopping]);
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "the service manager does not listen");
    }
}

/// What `systemctl status` shows.
fn status(now: &Reading) -> String {
    let [attacks, suspicious, _] = now.incidents;
    let place = match (now.reached, now.failing) {
        (false, _) => "waiting for the brokers".to_owned(),
        (_, true) => "waiting for the tables".to_owned(),
        _ => format!("reading {} partitions", now.partitions),
    };
    format!(
        "{place}; {} records, {attacks} attacks, {suspicious} suspicious",
        thousands(now.requests + now.rejects)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_says_what_is_waited_for() {
        let mut now = Reading {
            requests: 1_234_567,
            partitions: 3,
            incidents: [2, 1, 9],
            ..Reading::default()
        };
        assert!(status(&now).starts_with("waiting for the brokers; "));
        now.reached = true;
        assert_eq!(
            status(&now),
            "reading 3 partitions; 1,234,567 records, 2 attacks, 1 suspicious"
        );
        now.failing = true;
        assert!(status(&now).starts_with("waiting for the tables; "));
    }
}
