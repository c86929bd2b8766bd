//! `floodmark check`: whether the tables are whole.

use std::io::{self, Write};

use anyhow::{Context, bail};
use indicatif::HumanBytes;
use schemas::text::thousands;

use super::maintain::Watcher;
use crate::signals::StopFlag;

/// Checks the tables; what is wrong goes to stdout, a line each.
///
/// # Errors
/// When something is wrong, when there are no tables, or when it was stopped before the end.
pub fn check(data: &str, quiet: bool, stop: &StopFlag) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime of the tables")?;
    let watcher = Watcher::new(quiet, stop);
    let checked = runtime.block_on(lake::check(data, &watcher))?;
    watcher.finish();
    let mut out = io::stdout().lock();
    for fault in &checked.faults {
        writeln!(out, "{}: {}", fault.table, schemas::text::escape(&fault.what))
            .context("cannot write to stdout")?;
    }
    if !quiet {
        for note in &checked.notes {
            tracing::info!("{}", schemas::text::escape(note));
        }
        // A closed stderr is no reason to fail after the work is done.
        let _ = writeln!(
            io::stderr(),
            "check: {} files of {}, {} rows; {} faults",
            checked.files,
            HumanBytes(checked.bytes),
            thousands(checked.rows),
            thousands(checked.fault_count as u64),
        );
    }
    if checked.fault_count > 0 {
        bail!("the tables in {data} are not whole; the faults are listed on stdout");
    }
    if checked.stopped {
        bail!("stopped before the end; nothing wrong so far");
    }
    Ok(())
}
