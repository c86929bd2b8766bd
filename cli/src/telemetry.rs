//! Logs, to stderr.

use std::io::{self, IsTerminal, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::config::UsageError;
use crate::progress::Screen;

const DEFAULT_FILTER: &str = "error,cli=info,ingest=info,lake=info,query=info,detect=info";

/// Starts logging with `filter` (a level or tracing directives).
///
/// # Errors
/// [`UsageError`] when the filter cannot be understood.
pub fn init(filter: Option<&str>) -> Result<(), UsageError> {
    let filter = filter.unwrap_or(DEFAULT_FILTER);
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        UsageError::new(format!("--log `{filter}` is not a log filter: {error}; try `info`"))
    })?;
    let color = io::stderr().is_terminal()
        && anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(ScreenWriter)
        .with_ansi(color)
        .with_target(false)
        .init();
    Ok(())
}

/// Writes log lines without tearing the progress bar.
#[derive(Debug, Clone, Copy)]
struct ScreenWriter;

impl<'a> MakeWriter<'a> for ScreenWriter {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        *self
    }
}

impl Write for ScreenWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Screen::suspend(|| io::stderr().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
