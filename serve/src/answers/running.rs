//! Queries by name: those that run, and what became of the last that did.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::fault::Fault;
use super::question::QueryId;
use super::reply::Summary;

/// Ended queries that are remembered: whoever asks does so soon.
const ENDED_MAX: usize = 256;

/// What became of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It waits or runs.
    Running,
    /// It came to its end.
    Done(Summary),
    /// It failed.
    Failed {
        /// See [`Fault::code`].
        code: &'static str,
        /// For a person.
        message: String,
    },
}

/// Why a query has to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    Cancelled,
    Stopping,
}

impl From<Stop> for Fault {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Cancelled => Self::Cancelled,
            Stop::Stopping => Self::Stopping,
        }
    }
}

#[derive(Debug, Default)]
struct Known {
    running: BTreeMap<QueryId, Option<oneshot::Sender<Stop>>>,
    ended: VecDeque<(QueryId, Fate)>,
    is_stopping: bool,
}

/// The queries of one server.
#[derive(Debug, Clone, Default)]
pub(super) struct Running(Arc<Mutex<Known>>);

impl Running {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a query.
    ///
    /// - returns: its entry, and what tells it to stop; `None` where one of this name runs.
    pub(super) fn enter(&self, id: QueryId) -> Option<(Entry, oneshot::Receiver<Stop>)> {
        let (stop, stopped) = oneshot::channel();
        let mut known = self.known();
        if known.running.contains_key(&id) {
            return None;
        }
        if known.is_stopping {
            // The receiver lives, so this arrives.
            let _ = stop.send(Stop::Stopping);
            known.running.insert(id, None);
        } else {
            known.running.insert(id, Some(stop));
        }
        drop(known);
        Some((Entry { running: self.clone(), id }, stopped))
    }

    /// Tells a query to stop.
    ///
    /// - returns: whether it runs.
    pub(super) fn cancel(&self, id: QueryId) -> bool {
        let stop = self.known().running.get_mut(&id).map(Option::take);
        let is_running = stop.is_some();
        // It may have ended this moment.
        let _ = stop.flatten().map(|stop| stop.send(Stop::Cancelled));
        is_running
    }

    /// Tells all to stop, those that come later included.
    pub(super) fn stop(&self) {
        let mut known = self.known();
        known.is_stopping = true;
        for stop in known.running.values_mut().filter_map(Option::take) {
            let _ = stop.send(Stop::Stopping);
        }
    }

    /// What became of a query; `None` for one that nobody remembers.
    pub(super) fn fate(&self, id: QueryId) -> Option<Fate> {
        let known = self.known();
        if known.running.contains_key(&id) {
            return Some(Fate::Running);
        }
        // A name may be used again: the last that had it is meant.
        known.ended.iter().rfind(|(ended, _)| *ended == id).map(|(_, fate)| fate.clone())
    }
}

/// A query in the list of those that run; off it when this is dropped.
#[derive(Debug)]
pub(super) struct Entry {
    running: Running,
    id: QueryId,
}

impl Entry {
    /// Takes note of how it ended.
    pub(super) fn ended(&self, outcome: &Result<Summary, Fault>) {
        let fate = match outcome {
            Ok(summary) => Fate::Done(summary.clone()),
            Err(fault) => Fate::Failed { code: fault.code(), message: fault.to_string() },
        };
        self.leave(fate);
    }

    fn leave(&self, fate: Fate) {
        let mut known = self.running.known();
        if known.running.remove(&self.id).is_none() {
            return;
        }
        if known.ended.len() == ENDED_MAX {
            known.ended.pop_front();
        }
        known.ended.push_back((self.id, fate));
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let broken = Fault::Broken;
        self.leave(Fate::Failed { code: broken.code(), message: broken.to_string() });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_query_is_known_while_it_runs_and_for_a_while_after() {
        let running = Running::default();
        let id = QueryId::random();
        assert_eq!(running.fate(id), None);
        let (entry, mut stopped) = running.enter(id).unwrap();
        assert!(running.enter(id).is_none());
        assert_eq!(running.fate(id), Some(Fate::Running));
        assert!(running.cancel(id) && running.cancel(id), "asking twice does no harm");
        assert_eq!(stopped.try_recv(), Ok(Stop::Cancelled));
        entry.ended(&Err(Fault::Cancelled));
        drop(entry);
        let failed = |code| Fate::Failed { code, message: "the query was cancelled".into() };
        assert_eq!(running.fate(id), Some(failed("cancelled")));
        assert!(!running.cancel(id));
        for _ in 0..ENDED_MAX {
            drop(running.enter(QueryId::random()));
        }
        assert_eq!(running.fate(id), None);
    }

    #[test]
    fn a_name_that_is_used_again_is_the_last_query_of_it() {
        let running = Running::default();
        let id = QueryId::random();
        let done = Summary { rows: 7, bytes: 1, time: Duration::ZERO, cut: None };
        for outcome in [Err(Fault::Cancelled), Ok(done.clone())] {
            let (entry, _stopped) = running.enter(id).unwrap();
            entry.ended(&outcome);
        }
        assert_eq!(running.fate(id), Some(Fate::Done(done)));
    }

    #[test]
    fn a_server_that_stops_stops_those_that_come_late_too() {
        let running = Running::default();
        let (_early, mut early) = running.enter(QueryId::random()).unwrap();
        running.stop();
        let (_late, mut late) = running.enter(QueryId::random()).unwrap();
        assert_eq!((early.try_recv(), late.try_recv()), (Ok(Stop::Stopping), Ok(Stop::Stopping)));
    }
}
