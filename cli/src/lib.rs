//! The `floodmark` binary: arguments, configuration, the pipeline that wires the stages, and the alert writer.
//!
//! ```text
//! args ─▶ config (file < environment < command line, checked before anything starts)
//!   └▶ commands: scan · run · ship · sql · serve · top · explain-line · formats · demo · generate
//!        └▶ pipeline
//!             front thread:  source ─▶ batcher ─▶ detector ─▶ alerts (stdout)
//!                                         │            └─▶ findings ─┐
//!                                         ▼ whole batches, bounded   ▼
//!             back thread:   lake: Parquet, checkpoint, commit ─▶ positions back to the front
//! ```
//!
//! # Invariants
//! - stdout carries alerts or query results and nothing else; logs and progress go to stderr.
//! - Exit status: 0 done; 1 the command ran and failed; 2 the command line or configuration is wrong.
//! - Alerts never wait for a commit; Kafka's own offsets are committed only after the tables.
//! - Deliberately absent: formulas, log formats.
//!
//! Read [`pipeline::front`] first.

pub mod alerts;
mod args;
mod commands;
mod config;
#[cfg(test)]
mod documented;
mod engine;
mod operate;
pub mod pipeline;
mod progress;
mod signals;
mod telemetry;
mod top;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

/// Parses the command line, runs the command and turns its outcome into an exit status.
pub fn main() -> ExitCode {
    let args = args::Args::parse();
    let outcome = commands::dispatch(args);
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when stderr is gone.
            let _ = writeln!(io::stderr(), "floodmark: {}", lines(&explain(&error)));
            exit_code(&error)
        }
    }
}

/// An error and its causes, but for those that the text before them has told already.
fn explain(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |told, cause| {
        if told.is_empty() {
            cause
        } else if told.contains(&cause) {
            told
        } else {
            format!("{told}: {cause}")
        }
    })
}

/// An error's text made safe line by line: its line feeds are ours.
fn lines(text: &str) -> String {
    text.lines().map(schemas::text::escape).collect::<Vec<_>>().join("\n")
}

fn exit_code(error: &anyhow::Error) -> ExitCode {
    let is_usage = |cause: &(dyn std::error::Error + 'static)| {
        cause.is::<config::UsageError>()
            || cause.is::<decode::ConfigError>()
            || cause.is::<ingest::DatabaseError>()
    };
    if error.chain().any(is_usage) { ExitCode::from(2) } else { ExitCode::FAILURE }
}
