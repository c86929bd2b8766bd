//! An answer as bytes, a piece at a time: for those who send it on.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::writer::RowWriter;
use super::{Format, OutputOptions, told};
use crate::error::QueryError;

/// Writes the rows of one answer in one format; the same bytes as [`crate::Answer::write`] into a file.
pub struct Encoder {
    writer: RowWriter<'static>,
    written: Shared,
    format: Format,
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder").field("format", &self.format).finish_non_exhaustive()
    }
}

impl Encoder {
    /// An encoder for rows of `schema`.
    ///
    /// # Errors
    /// [`QueryError::Format`] when the format cannot hold such columns.
    pub fn start(schema: &SchemaRef, format: Format) -> Result<Self, QueryError> {
        let written = Shared::default();
        let options = OutputOptions::new(format);
        let writer = RowWriter::start(schema, &options, Box::new(written.clone()))
            .map_err(|error| told(error, format))?;
        Ok(Self { writer, written, format })
    }

    /// Encodes the rows of `batch`.
    ///
    /// # Errors
    /// [`QueryError::Format`] when the format cannot hold one of them.
    pub fn batch(&mut self, batch: &RecordBatch) -> Result<(), QueryError> {
        self.writer.batch(batch).map_err(|error| told(error, self.format))
    }

    /// What has been encoded since the last call.
    pub fn take(&mut self) -> Vec<u8> {
        self.written.take()
    }

    /// The rest, with what stands after the last row.
    ///
    /// # Errors
    /// [`QueryError::Format`] when rows held back do not fit the format.
    pub fn finish(self) -> Result<Vec<u8>, QueryError> {
        self.writer.finish().map_err(|error| told(error, self.format))?;
        Ok(self.written.take())
    }
}

/// Bytes that the writer adds to and the encoder takes from.
#[derive(Debug, Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
