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
    let watcher = Watcher { progress: Progress::rows(quiet), stop };
    let done =
        runtime.block_on(lake::maintain(&config.data, &config.upkeep, Utc::now(), &watcher))?;
    watcher.progress.finish();
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

struct Watcher<'a> {
    progress: Progress,
    stop: &'a StopFlag,
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
    let (files, after) = done.files;
    let (bytes, bytes_after) = done.bytes;
    let mut text = if (files, bytes) == (after, bytes_after) {
        format!("{}: {files} files of {}", done.table, HumanBytes(bytes))
    } else {
        format!(
            "{}: {files} files of {} became {after} of {}",
            done.table,
            HumanBytes(bytes),
            HumanBytes(bytes_after)
        )
    };
    for (rows, what) in [(done.rewritten, "written anew"), (done.expired, "dropped by age")] {
        if rows > 0 {
            text.push_str(&format!("; {} rows {what}", thousands(rows)));
        }
    }
    if done.swept.0 > 0 {
        let (files, bytes) = done.swept;
        text.push_str(&format!("; {files} old files of {} deleted", HumanBytes(bytes)));
    }
    if let Some(reason) = &done.left_alone {
        text.push_str(&format!("; files are not merged: {reason}"));
    }
    text
}
