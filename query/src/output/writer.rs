//! One writer a format, behind one face.

use std::io::Write;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use arrow::json;
use arrow::json::writer::{JsonFormat, LineDelimited};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::csv::CsvWriter;
use super::escape::{Guard, Style};
use super::plain::{self, Nested};
use super::table::TableWriter;
use super::{Format, OutputOptions, WriteError};
use crate::compact::compact;

type Out<'a> = Box<dyn Write + Send + 'a>;

/// Rows of a Parquet row group, at most: a reader can skip or share the work by row group.
const PARQUET_ROWS: usize = 256 * 1024;

/// Writes the rows of one answer.
pub(crate) enum RowWriter<'a> {
    Table(TableWriter<'a>),
    Csv(CsvWriter<'a>),
    Json { writer: json::Writer<Box<dyn Write + Send + 'a>, Rows>, schema: SchemaRef },
    Ndjson { writer: json::Writer<Box<dyn Write + Send + 'a>, LineDelimited>, schema: SchemaRef },
    Arrow(Box<StreamWriter<Out<'a>>>),
    Parquet(Box<ArrowWriter<Out<'a>>>),
}

impl<'a> RowWriter<'a> {
    /// Writes what stands before the first row.
    pub(crate) fn start(
        schema: &SchemaRef,
        options: &OutputOptions,
        out: Out<'a>,
    ) -> Result<Self, WriteError> {
        let guarded = |out: Out<'a>, style| -> Box<dyn Write + Send + 'a> {
            if options.terminal_columns.is_some() { Box::new(Guard::new(out, style)) } else { out }
        };
        Ok(match options.format {
            Format::Table => Self::Table(TableWriter::new(schema, options, out)),
            Format::Csv => Self::Csv(CsvWriter::start(schema, guarded(out, Style::Text))?),
            Format::Json => {
                let schema = plain::schema(schema, Nested::Keep);
                let writer = json().build(guarded(out, Style::Json));
                Self::Json { writer, schema }
            }
            Format::Ndjson => {
                let schema = plain::schema(schema, Nested::Keep);
                let writer = json().build(guarded(out, Style::Json));
                Self::Ndjson { writer, schema }
            }
            Format::Arrow => Self::Arrow(Box::new(StreamWriter::try_new(out, schema)?)),
            Format::Parquet => {
                let properties = WriterProperties::builder()
                    .set_compression(Compression::ZSTD(ZstdLevel::default()))
                    .set_max_row_group_row_count(Some(PARQUET_ROWS))
                    .build();
                let writer = ArrowWriter::try_new(out, Arc::clone(schema), Some(properties))
                    .map_err(from_parquet)?;
                Self::Parquet(Box::new(writer))
            }
        })
    }

    /// Writes the rows of `batch`.
    pub(crate) fn batch(&mut self, batch: &RecordBatch) -> Result<(), WriteError> {
        match self {
            Self::Table(writer) => writer.batch(batch),
            Self::Csv(writer) => writer.batch(batch),
            Self::Json { writer, schema } => {
                Ok(writer.write(&plain::rows(batch, schema, Nested::Keep)?)?)
            }
            Self::Ndjson { writer, schema } => {
                Ok(writer.write(&plain::rows(batch, schema, Nested::Keep)?)?)
            }
            Self::Arrow(writer) => Ok(writer.write(&compact(batch)?)?),
            Self::Parquet(writer) => writer.write(batch).map_err(from_parquet),
        }
    }

    /// Writes what stands after the last row.
    pub(crate) fn finish(self) -> Result<(), WriteError> {
        match self {
            Self::Table(writer) => writer.finish(),
            Self::Csv(writer) => writer.finish(),
            Self::Json { mut writer, .. } => {
                writer.finish()?;
                Ok(writer.into_inner().flush()?)
            }
            Self::Ndjson { mut writer, .. } => {
                writer.finish()?;
                Ok(writer.into_inner().flush()?)
            }
            Self::Arrow(mut writer) => {
                writer.finish()?;
                Ok(writer.get_mut().flush()?)
            }
            Self::Parquet(writer) => {
                let mut out = writer.into_inner().map_err(from_parquet)?;
                Ok(out.flush()?)
            }
        }
    }
}

fn json() -> json::WriterBuilder {
    json::WriterBuilder::new().with_explicit_nulls(true)
}

fn from_parquet(error: parquet::errors::ParquetError) -> WriteError {
    match error {
        parquet::errors::ParquetError::External(source) => match source.downcast() {
            Ok(io) => WriteError::Io(*io),
            Err(other) => WriteError::Rows(other.to_string()),
        },
        other => WriteError::Rows(other.to_string()),
    }
}

/// A JSON array with an object a line.
#[derive(Debug, Default)]
pub(crate) struct Rows;

impl JsonFormat for Rows {
    fn start_stream<W: Write>(&self, writer: &mut W) -> Result<(), ArrowError> {
        Ok(writer.write_all(b"[")?)
    }

    fn start_row<W: Write>(&self, writer: &mut W, is_first_row: bool) -> Result<(), ArrowError> {
        let before: &[u8] = if is_first_row { b"\n" } else { b",\n" };
        Ok(writer.write_all(before)?)
    }

    fn end_stream<W: Write>(&self, writer: &mut W) -> Result<(), ArrowError> {
        Ok(writer.write_all(b"\n]\n")?)
    }
}
