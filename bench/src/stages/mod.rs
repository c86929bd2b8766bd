//! What each stage does in a run, and what it is compared with.

pub mod decode;
mod detect;
mod kafka;
mod scan;
mod write;

use crate::args::{Args, Stage};
use crate::error::BenchError;
use crate::input::{self, Log};
use crate::measure::{Group, Plan};

/// Lines that are decoded and written, at most: some 200 MB, beyond every cache.
const LINES_MAX: u64 = 250_000;

/// Measures the cases of a stage that are wanted.
///
/// # Errors
/// That of the first case that fails.
pub fn measure(stage: Stage, args: &Args) -> Result<Vec<Group>, BenchError> {
    match stage {
        Stage::Decode => decode::measure(args),
        Stage::Detect => detect::measure(args),
        Stage::Write => write::measure(args),
        Stage::Scan => scan::measure(args),
        Stage::Run => kafka::measure(args),
    }
}

/// The first lines of a generated log, enough to decode and to write.
fn log(args: &Args, format: sample_data::Format) -> Result<Log, BenchError> {
    input::log(format, args.lines.min(LINES_MAX), args.lines)
}

/// How often a stage inside the process reads `log`.
fn plan(args: &Args, log: &Log) -> Plan {
    Plan { repeat: args.repeat, warm_up: true, records: log.records, bytes: log.bytes.len() as u64 }
}

/// Fails unless every record came through.
///
/// # Errors
/// When the numbers differ.
pub fn check(case: &str, expected: u64, found: u64) -> Result<(), BenchError> {
    if expected == found {
        return Ok(());
    }
    Err(BenchError::Records { case: case.to_owned(), expected, found })
}
