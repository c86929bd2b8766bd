//! `floodmark maintain`: tables that stay fast, once.

use std::io::{self, Write};

use anyhow::Context;
use chrono::Utc;
use indicatif::HumanBytes;
use lake::{Pace, TableUpkeep, Watch};
use schemas::text::thousands;

use crate::config::Maintain;
use crate::progress::Progress;
use crate::signals::StopFlag;

/// Maintains the tables and says what was done.
///
/// # Errors
/// When there are no tables, another process maintains them, or the store fails.
pub fn maintain(config: &Maintain, quiet: bool, stop: &StopFlag) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime of the tables")?;
    let watcher = Watcher::new(quiet, stop);
    let done =
        runtime.block_on(lake::maintain(&config.data, &config.upkeep, Utc::now(), &watcher))?;
    watcher.finish();
    if !quiet {
        let mut err = io::stderr().lock();
        for table in &done {
            // A closed stderr is no reason to fail after the work is done.
            let _ = writeln!(err, "{}", sentence(table));
        }
        if stop.is_set() {
            let _ = writeln!(err, "stopped before the end; what is said above is done");
        }
    }
    Ok(())
}

/// Shows the rows that are done, and stops when a stop is asked for.
pub(super) struct Watcher<'a> {
    progress: Progress,
    stop: &'a StopFlag,
}

impl<'a> Watcher<'a> {
    pub(super) fn new(quiet: bool, stop: &'a StopFlag) -> Self {
        Self { progress: Progress::rows(quiet), stop }
    }

    pub(super) fn finish(&self) {
        self.progress.finish();
    }
}

impl Watch for Watcher<'_> {
    fn pace(&self) -> Pace {
        if self.stop.is_set() { Pace::Stop } else { Pace::Go }
    }

    fn planned(&self, rows: u64) {
        self.progress.lengthen(rows);
    }

    fn rewrote(&self, rows: u64) {
        self.progress.advance(rows);
    }
}

/// What was done to a table, for people.
pub fn sentence(done: &TableUpkeep) -> String {
    let files = |count: usize, bytes: u64| {
        format!("{count} {} of {}", if count == 1 { "file" } else { "files" }, HumanBytes(bytes))
    };
    let (before, after) = (files(done.files.0, done.bytes.0), files(done.files.1, done.bytes.1));
    let change = if before == after { before } else { format!("{before} became {after}") };
    let mut parts = vec![format!("{}: {change}", done.table)];
    for (rows, what) in [(done.rewritten, "written anew"), (done.expired, "dropped by age")] {
        if rows > 0 {
            parts.push(format!("{} rows {what}", thousands(rows)));
        }
    }
    if done.swept.0 > 0 {
        parts.push(format!("{} that nobody needs deleted", files(done.swept.0, done.swept.1)));
    }
    parts.extend(done.left_alone.iter().map(|why| format!("files are not merged: {why}")));
    parts.join("; ")
}
