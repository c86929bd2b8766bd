//! Answers as bytes: the output formats.
//!
//! | format | shape | on a terminal |
//! | --- | --- | --- |
//! | `table` | aligned columns, or a block a row where the terminal is too narrow | control characters escaped always |
//! | `csv` | a header line, then a line a row; null is nothing, an empty text `""`; formulas guarded; lists as JSON | control characters escaped |
//! | `json` | one array, an object a line | control characters as `\u…` |
//! | `ndjson` | an object a line | control characters as `\u…` |
//! | `arrow` | one stream of Arrow IPC | refused |
//! | `parquet` | one file, zstd | refused |
//!
//! Times are RFC 3339 in UTC. Bytes (such as `rejects.raw`) are text, with `\xNN` for what is not and `\\` for a
//! backslash. All formats but the first thousand rows of `table` stream: an answer never has to fit into memory.

mod csv;
mod encoder;
pub mod escape;
mod plain;
mod table;
mod writer;

use std::io::{self, Write};
use std::str::FromStr;

use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use futures::future::BoxFuture;
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _};

use crate::error::QueryError;
use crate::session::Answer;
pub use encoder::Encoder;
use writer::RowWriter;

/// Rows written to a terminal between two looks at whether somebody wants it to stop: a screen or two.
const TERMINAL_ROWS: usize = 128;

/// An output format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Aligned columns for people.
    Table,
    /// Comma-separated values with a header.
    Csv,
    /// One JSON array of objects.
    Json,
    /// One JSON object a line.
    Ndjson,
    /// One stream of Arrow IPC.
    Arrow,
    /// One Parquet file.
    Parquet,
}

impl Format {
    /// Every format, in the order of the help.
    pub const ALL: [Self; 6] =
        [Self::Table, Self::Csv, Self::Json, Self::Ndjson, Self::Arrow, Self::Parquet];

    /// The name used on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Arrow => "arrow",
            Self::Parquet => "parquet",
        }
    }

    /// Whether a terminal would show noise, and there is one table in it.
    pub(crate) const fn is_binary(self) -> bool {
        matches!(self, Self::Arrow | Self::Parquet)
    }
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|format| format.name() == text).ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|format| format.name()).collect();
            format!("`{text}` is no format; there are {}", names.join(", "))
        })
    }
}

/// How rows of `table` are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// Columns where they fit the terminal, else a block a row.
    #[default]
    Auto,
    /// Always columns.
    Columns,
    /// Always a block a row.
    Expanded,
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputOptions {
    /// The format.
    pub format: Format,
    /// Columns of the terminal that the answer goes to; `None` for a file or pipe.
    pub terminal_columns: Option<usize>,
    /// Layout of `table`.
    pub layout: Layout,
}

impl OutputOptions {
    /// Options for a file or a pipe.
    pub const fn new(format: Format) -> Self {
        Self { format, terminal_columns: None, layout: Layout::Auto }
    }
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Written {
    /// Rows of the answer that were written.
    pub rows: u64,
    /// Whether the reader went away before the end (a closed pipe, as with `head`).
    pub closed: bool,
}

/// Why a row could not be written.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// The writer failed.
    Io(io::Error),
    /// The rows do not fit the format.
    Rows(String),
}

impl From<io::Error> for WriteError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<ArrowError> for WriteError {
    fn from(error: ArrowError) -> Self {
        match error {
            ArrowError::IoError(_, error) => Self::Io(error),
            other => Self::Rows(other.to_string()),
        }
    }
}

impl Answer {
    /// Runs the query and collects its rows.
    ///
    /// # Errors
    /// [`QueryError::Execute`] when the query fails on the way.
    pub async fn collect(self) -> Result<Vec<RecordBatch>, QueryError> {
        let rows = self.stream.try_collect().await;
        rows.map_err(|error| QueryError::from_execution(&error))
    }

    /// Runs the query and writes its rows to `out` as they come.
    ///
    /// # Errors
    /// - [`QueryError::BinaryToTerminal`] for Arrow and Parquet to a terminal;
    /// - [`QueryError::Execute`] when the query fails on the way;
    /// - [`QueryError::Format`] and [`QueryError::Write`] when the rows cannot be written. A closed pipe is no
    ///   error: see [`Written::closed`].
    pub fn write<'a>(
        self,
        options: &'a OutputOptions,
        out: &'a mut (dyn Write + Send),
    ) -> BoxFuture<'a, Result<Written, QueryError>> {
        self.write_now(options, out).boxed()
    }

    async fn write_now(
        mut self,
        options: &OutputOptions,
        out: &mut (dyn Write + Send),
    ) -> Result<Written, QueryError> {
        if options.format.is_binary() && options.terminal_columns.is_some() {
            return Err(QueryError::BinaryToTerminal { format: options.format.name() });
        }
        if self.schema.fields().is_empty() {
            return Ok(Written::default());
        }
        let mut written = Written::default();
        let mut writer = match RowWriter::start(&self.schema, options, Box::new(out)) {
            Ok(writer) => writer,
            Err(error) => return closed(error, options.format, written),
        };
        while let Some(batch) = self.stream.next().await {
            let batch = batch.map_err(|error| QueryError::from_execution(&error))?;
            let rows_at_once =
                if options.terminal_columns.is_some() { TERMINAL_ROWS } else { usize::MAX };
            let mut from = 0;
            while from < batch.num_rows() {
                let rows = rows_at_once.min(batch.num_rows() - from);
                if let Err(error) = writer.batch(&batch.slice(from, rows)) {
                    return closed(error, options.format, written);
                }
                from += rows;
                written.rows += rows as u64;
                // Whoever waits for an interrupt beside this gets to look.
                tokio::task::yield_now().await;
            }
        }
        match writer.finish() {
            Ok(()) => Ok(written),
            Err(error) => closed(error, options.format, written),
        }
    }
}

/// Writes rows that are at hand.
pub(crate) fn write_batch(
    batch: &RecordBatch,
    options: &OutputOptions,
    out: &mut (dyn Write + Send),
) -> Result<Written, QueryError> {
    let rows = batch.num_rows() as u64;
    let done = RowWriter::start(batch.schema_ref(), options, Box::new(out))
        .and_then(|mut writer| writer.batch(batch).and_then(|()| writer.finish()));
    match done {
        Ok(()) => Ok(Written { rows, closed: false }),
        Err(error) => closed(error, options.format, Written::default()),
    }
}

fn closed(error: WriteError, format: Format, written: Written) -> Result<Written, QueryError> {
    match error {
        WriteError::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            Ok(Written { closed: true, ..written })
        }
        other => Err(told(other, format)),
    }
}

fn told(error: WriteError, format: Format) -> QueryError {
    match error {
        WriteError::Io(error) => QueryError::Write(error),
        WriteError::Rows(message) => QueryError::Format { format: format.name(), message },
    }
}
