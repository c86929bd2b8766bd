//! Why nothing could be measured.

use decode::ConfigError;
use lake::LakeError;
use sample_data::GenerateError;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A file or a process.
    #[error("cannot {what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The input could not be made.
    #[error(transparent)]
    Generate(#[from] GenerateError),
    /// A decoder could not be made.
    #[error(transparent)]
    Decoder(#[from] ConfigError),
    /// A log could not be read.
    #[error(transparent)]
    Source(#[from] ingest::SourceError),
    /// The tables could not be written.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// A baseline could not write batches.
    #[error(transparent)]
    Arrow(#[from] arrow::error::ArrowError),
    /// A baseline could not read a line.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// Not every record came through: the figure would be of other work.
    #[error("{case}: {found} records instead of {expected}")]
    Records {
        /// The case.
        case: String,
        /// Records in the input.
        expected: u64,
        /// Records that came out.
        found: u64,
    },
    /// A process that was measured failed.
    #[error("`{command}` ended with {status}:\n{stderr}")]
    Command {
        /// Its command line.
        command: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// What it said.
        stderr: String,
    },
}

impl BenchError {
    /// An error of the operating system while doing `what`.
    pub fn io(what: impl Into<String>, source: std::io::Error) -> Self {
        Self::Io { what: what.into(), source }
    }
}
