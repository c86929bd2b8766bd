//! Logs, to stderr.

use std::io::{self, IsTerminal, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
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
    if let Some(word) = filter.split(',').find(|word| !is_directive(word)) {
        let message = format!(
            "--log `{filter}`: `{word}` is no level; try `info`, one of off, error, warn, info, debug and trace, \
             or `ingest=debug`"
        );
        return Err(UsageError::new(message));
    }
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

/// Whether it is a level, or says what it is the level of: a word alone would be taken for a part of the program, and silence
/// all others.
fn is_directive(word: &str) -> bool {
    word.contains(['=', '[']) || word.trim().parse::<LevelFilter>().is_ok()
}

/// Writes log lines without tearing the progress bar. Where nobody reads stderr any more, or it cannot be written, the work
/// goes on without them: the library of logs would otherwise panic in the middle of it.
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
        _ = Screen::suspend(|| io::stderr().write_all(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        _ = io::stderr().flush();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_level_is_none() {
        assert!(
            ["debug", "INFO", "off", "ingest=trace", DEFAULT_FILTER]
                .iter()
                .all(|filter| { filter.split(',').all(is_directive) })
        );
        assert!(!is_directive("debugg") && !is_directive("nothing"));
    }
}
