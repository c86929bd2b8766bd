//! Delta checkpoints of the logs, written beside the commits: each reads the list of all files of a table.

use std::collections::BTreeMap;
use std::thread::{self, JoinHandle};

use schemas::Table;

use crate::commit::checkpoint;
use crate::location::Location;

/// Writes checkpoints of the logs on a thread of its own, one after the other; ends with what it is at.
#[derive(Debug)]
pub(crate) struct LogKeeper {
    /// Commits between two checkpoints.
    interval: u64,
    /// Version of the last checkpoint that was tried, of each table.
    tried: BTreeMap<&'static str, u64>,
    at_it: Option<JoinHandle<()>>,
}

impl LogKeeper {
    /// A keeper of logs that stand at these versions: a process of a few commits leaves it to the one that comes next to
    /// an interval's end.
    pub(crate) fn new(interval: u64, versions: BTreeMap<&'static str, u64>) -> Self {
        Self { interval: interval.max(1), tried: versions, at_it: None }
    }

    /// Sees to the logs that are due by now, unless it is at it; failures only cost speed.
    pub(crate) fn see(
        &mut self,
        location: &Location,
        versions: impl Iterator<Item = (&'static Table, u64)>,
    ) {
        if self.at_it.as_ref().is_some_and(|thread| !thread.is_finished()) {
            return;
        }
        let mut due = Vec::new();
        for (table, version) in versions {
            let tried = self.tried.entry(table.name).or_default();
            if version / self.interval * self.interval > *tried {
                *tried = version;
                due.push((table, version));
            }
        }
        if due.is_empty() {
            return;
        }
        let location = location.clone();
        let work = move || write(&location, &due);
        match thread::Builder::new().name("log-keeper".into()).spawn(work) {
            Ok(thread) => self.at_it = Some(thread),
            Err(error) => tracing::warn!(%error, "cannot start the thread that checkpoints logs"),
        }
    }
}

impl Drop for LogKeeper {
    fn drop(&mut self) {
        if let Some(thread) = self.at_it.take() {
            // Its panic was reported by the thread itself.
            let _ = thread.join();
        }
    }
}

fn write(location: &Location, due: &[(&'static Table, u64)]) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::warn!(%error, "cannot start the runtime that checkpoints logs");
            return;
        }
    };
    for (table, version) in due {
        if let Err(error) = runtime.block_on(checkpoint(location, table, *version)) {
            tracing::warn!(table = table.name, %error, "cannot checkpoint the log");
        }
    }
}
