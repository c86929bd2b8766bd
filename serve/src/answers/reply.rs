//! An answer on its way.

use std::time::Duration;

use arrow::datatypes::SchemaRef;
use tokio::sync::{mpsc, oneshot};

use super::fault::Fault;
use super::question::QueryId;

/// What a finished query did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Rows of the answer that were handed out.
    pub rows: u64,
    /// Bytes of them: as encoded, or in memory where they are handed out as Arrow.
    pub bytes: u64,
    /// From the start of the query, behind whatever it waited for, to its last row.
    pub time: Duration,
    /// Why there are no more rows, where there would have been.
    pub cut: Option<Cut>,
}

/// Why an answer ends before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Cut {
    /// Whoever asked wanted no more rows.
    #[error("cut at {0} rows, as asked")]
    Asked(u64),
    /// The server hands out no more rows.
    #[error(
        "cut at {0} rows, the most of an answer; add LIMIT, ask for groups instead of rows, or start the server with a \
         greater --query-rows"
    )]
    Rows(u64),
    /// The server hands out no more bytes.
    #[error(
        "cut at {0} bytes, the most of an answer; ask for fewer columns or rows, or start the server with a greater \
         --query-mebibytes"
    )]
    Bytes(u64),
}

/// An answer on its way: its pieces, then how it ended.
#[derive(Debug)]
pub struct Reply<T> {
    pub(super) id: QueryId,
    pub(super) schema: SchemaRef,
    pub(super) pieces: mpsc::Receiver<T>,
    pub(super) end: oneshot::Receiver<Result<Summary, Fault>>,
}

impl<T> Reply<T> {
    /// Name of the query.
    pub const fn id(&self) -> QueryId {
        self.id
    }

    /// Columns of the answer.
    pub const fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The next piece; `None` at the end, good or bad.
    pub async fn next(&mut self) -> Option<T> {
        self.pieces.recv().await
    }

    /// How it ended, after the last piece. Pieces that nobody took keep the query waiting until its time is over.
    ///
    /// # Errors
    /// The fault that ended it early.
    pub async fn end(self) -> Result<Summary, Fault> {
        let Self { pieces, end, .. } = self;
        let ended = end.await.unwrap_or(Err(Fault::Broken));
        drop(pieces);
        ended
    }

    /// All pieces.
    ///
    /// # Errors
    /// The fault that ended it early.
    pub async fn collect(mut self) -> Result<(Vec<T>, Summary), Fault> {
        let mut pieces = Vec::new();
        while let Some(piece) = self.next().await {
            pieces.push(piece);
        }
        let summary = self.end().await?;
        Ok((pieces, summary))
    }
}
