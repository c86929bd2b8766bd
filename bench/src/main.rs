//! Measures each stage of Floodmark and the whole, beside baselines of the same work in the same run.
//!
//! ```text
//! input: generated logs, cached ─▶ stages: decode · detect · write · scan · run
//!                                     │ each a Group: a measured case and its baselines, run in turns
//!                                     ▼
//!                                  report (table on stdout)   record (README.md and raw.csv in a folder)
//! ```
//!
//! `calibration` and `soak` are apart: they measure no speed, but whether false alarms and confidence are what they are
//! said to be, and whether a process that goes on for long stays as it is.
//!
//! # Invariants
//! - A case and its baselines see the same bytes and take turns, so that a busy machine slows both.
//! - A case that does not read every record is an error, not a figure.
//! - Nothing is left behind but the cached input, and the topic of `run`.
//!
//! Read [`measure::in_turns`] first.

mod args;
mod calibration;
mod error;
mod input;
mod lines;
mod machine;
mod measure;
mod process;
mod programs;
mod record;
mod report;
mod soak;
mod stages;
mod strangers;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};
use error::BenchError;
use machine::Machine;

fn main() -> ExitCode {
    match bench(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when stderr is gone.
            let _ = writeln!(io::stderr(), "bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bench(args: &Args) -> Result<(), BenchError> {
    match &args.command {
        Some(Command::Calibration(options)) => return calibration::calibrate(options),
        Some(Command::Soak(options)) => return soak::soak(options),
        None => {}
    }
    let before = Machine::now();
    let mut groups = Vec::new();
    for stage in args.stages() {
        groups.extend(stages::measure(stage, args)?);
    }
    let table = report::table(&groups);
    write!(io::stdout(), "{table}").map_err(|error| BenchError::io("write to stdout", error))?;
    if let Some(folder) = &args.record {
        let place = record::write(folder, &before, &table, &groups)?;
        say(&format!("recorded in {}", place.display()));
    }
    Ok(())
}

/// Tells on stderr what is going on.
fn say(text: &str) {
    // Losing a remark is no reason to lose the figures.
    let _ = writeln!(io::stderr(), "bench: {text}");
}
