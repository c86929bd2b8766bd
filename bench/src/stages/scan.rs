//! File → tables and alerts, with the binary.

use std::path::Path;

use sample_data::Format;

use crate::args::Args;
use crate::error::BenchError;
use crate::input::{self, LogFile};
use crate::measure::{Bench, Group, Plan, Run, in_turns, timed};
use crate::process;
use crate::programs::{DuckDb, GoAccess};

/// Formats that are scanned: the widest and the plainest.
const FORMATS: [Format; 2] = [Format::Cloudflare, Format::Combined];

/// `floodmark scan` of a generated log into new tables.
pub(super) fn measure(args: &Args) -> Result<Vec<Group>, BenchError> {
    let binary = process::floodmark()?;
    let mut groups = Vec::new();
    for format in FORMATS.into_iter().filter(|format| args.wants(format.as_str())) {
        let log = input::file(format, args.lines)?;
        let plan =
            Plan { repeat: args.repeat, warm_up: true, records: log.lines, bytes: log.bytes };
        let measured = Bench::new(format.as_str(), || scan(&binary, format, &log));
        let mut baselines = vec![Bench::new("read the file, count lines", || {
            let ((lines, _), run) = timed(|| input::count_lines(&log.path))?;
            super::check("read", log.lines, lines)?;
            Ok(run)
        })];
        match format {
            Format::Combined => baselines.extend(GoAccess::bench(&log.path, log.lines)),
            _ => baselines.extend(DuckDb::find().map(|duckdb| {
                let (path, lines) = (&log.path, log.lines);
                Bench::new("DuckDB: to Parquet, no detection", move || {
                    duckdb.to_parquet(path, lines)
                })
            })),
        }
        groups.push(in_turns("scan", plan, measured, baselines)?);
    }
    Ok(groups)
}

fn scan(binary: &Path, format: Format, log: &LogFile) -> Result<Run, BenchError> {
    let folder = tempfile::tempdir().map_err(|error| BenchError::io("make a folder", error))?;
    let mut command = process::command(binary, ["scan", "--quiet", "--alerts", "json"]);
    command.args(["--format", format.as_str(), "--data"]).arg(folder.path()).arg(&log.path);
    let (_, run) = process::timed(&mut command)?;
    super::check("scan", log.lines, rows(binary, folder.path())?)?;
    Ok(Run { written_bytes: Some(process::bytes_under(folder.path())), ..run })
}

/// Rows in the table `requests`, as the binary counts them.
///
/// # Errors
/// When it cannot.
pub(super) fn rows(binary: &Path, data: &Path) -> Result<u64, BenchError> {
    process::count(binary, data, "SELECT count(*) FROM requests")
}
