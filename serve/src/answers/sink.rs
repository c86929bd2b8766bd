//! Rows to the pieces that are handed out.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use query::{Encoder, Format, QueryError};

/// Bytes in memory of the rows that become a piece: what waits for a slow reader is a few of them.
const PIECE_BYTES: usize = 1 << 20;

/// How many rows of `batch` make a piece: one at least, however long its values.
pub(super) fn rows_of_piece(batch: &RecordBatch) -> usize {
    let bytes = query::compact::bytes(batch).max(1);
    (batch.num_rows().saturating_mul(PIECE_BYTES) / bytes).clamp(1, batch.num_rows().max(1))
}

/// Makes pieces of rows.
pub(super) trait Sink: Send + 'static {
    /// What is handed out.
    type Piece: Send + 'static;
    /// A piece of the rows of `batch`, and its bytes.
    fn batch(&mut self, batch: RecordBatch) -> Result<(Self::Piece, u64), QueryError>;
    /// What comes behind the last row, if anything does.
    fn finish(self) -> Result<Option<(Self::Piece, u64)>, QueryError>;
}

/// Rows as they are.
#[derive(Debug)]
pub(super) struct Rows;

impl Sink for Rows {
    type Piece = RecordBatch;

    fn batch(&mut self, batch: RecordBatch) -> Result<(RecordBatch, u64), QueryError> {
        let bytes = query::compact::bytes(&batch) as u64;
        Ok((batch, bytes))
    }

    fn finish(self) -> Result<Option<(RecordBatch, u64)>, QueryError> {
        Ok(None)
    }
}

/// Rows in one of the formats.
#[derive(Debug)]
pub(super) struct Encoded(Encoder);

impl Encoded {
    pub(super) fn start(schema: &SchemaRef, format: Format) -> Result<Self, QueryError> {
        Encoder::start(schema, format).map(Self)
    }
}

impl Sink for Encoded {
    type Piece = Bytes;

    fn batch(&mut self, batch: RecordBatch) -> Result<(Bytes, u64), QueryError> {
        self.0.batch(&batch)?;
        Ok(counted(self.0.take()))
    }

    fn finish(self) -> Result<Option<(Bytes, u64)>, QueryError> {
        self.0.finish().map(|bytes| Some(counted(bytes)))
    }
}

fn counted(bytes: Vec<u8>) -> (Bytes, u64) {
    let count = bytes.len() as u64;
    (bytes.into(), count)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringArray, StringViewArray};

    use super::*;

    #[test]
    fn long_values_make_short_pieces() {
        let rows = |text: String| {
            let column: ArrayRef = Arc::new(StringArray::from(vec![text; 64]));
            rows_of_piece(&RecordBatch::try_from_iter([("c", column)]).unwrap())
        };
        assert_eq!(rows("x".to_owned()), 64);
        assert_eq!(rows("x".repeat(1 << 18)), 3);
        assert_eq!(rows("x".repeat(2 << 20)), 1);
    }

    #[test]
    fn rows_that_keep_others_alive_are_counted_for_themselves() {
        let texts = (0..10_000).map(|row| format!("{row:0>1000}"));
        let column: ArrayRef = Arc::new(StringViewArray::from_iter_values(texts));
        let batch = RecordBatch::try_from_iter([("c", column)]).unwrap();
        let few = batch.slice(5_000, 10);
        assert_eq!(rows_of_piece(&few), 10);
        assert_eq!(Rows.batch(few).unwrap().1, 10 * (1_000 + 16));
    }
}
