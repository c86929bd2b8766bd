//! Logs of others, of which no truth is known.

use std::path::{Path, PathBuf};
use std::time::Duration;

use decode::{DecoderConfig, RawMessage};
use ingest::{FileSource, Polled, Positions, Source};

use super::watch::{Watch, Watched};
use crate::error::BenchError;

/// Reads a log to its end; a record that names no host is of the log's own.
///
/// # Errors
/// When it cannot be read.
pub fn watch(file: &Path) -> Result<Watched, BenchError> {
    let config = DecoderConfig {
        default_host: Some("the.log.itself".to_owned()),
        ..DecoderConfig::of("auto")
    };
    let mut watch = Watch::new(&config)?;
    let files: [PathBuf; 1] = [file.to_owned()];
    let mut source = FileSource::open(&files, Positions::default())?;
    loop {
        let mut take = |message: &RawMessage<'_>| watch.message(message);
        match source.poll(Duration::from_millis(100), &mut take)? {
            Polled::End => return Ok(watch.finish()),
            Polled::PartitionFailed(_, error) => return Err(error.into()),
            _ => {}
        }
    }
}
