//! Lines that are no access records, as rows of the `rejects` table.

use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, Int32Builder, Int64Builder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch, TimestampMicrosecondArray};
use schemas::column::UTC;
use schemas::tables::REJECTS;

use crate::RejectReason;
use crate::row::Position;

/// Builders of the columns of [`REJECTS`].
#[derive(Debug, Default)]
pub struct Rejects {
    ts: Vec<i64>,
    topic: StringBuilder,
    topic_partition: Int32Builder,
    topic_offset: Int64Builder,
    record_index: Int32Builder,
    reason: StringBuilder,
    raw: BinaryBuilder,
}

impl Rejects {
    /// Number of rows.
    pub const fn len(&self) -> usize {
        self.ts.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.ts.is_empty()
    }

    /// Appends a line.
    pub fn append(
        &mut self,
        arrival_us: i64,
        position: &Position<'_>,
        reason: RejectReason,
        raw: &[u8],
    ) {
        self.ts.push(arrival_us);
        self.topic.append_value(position.topic);
        self.topic_partition.append_option(position.kafka_partition);
        self.topic_offset.append_value(position.offset);
        self.record_index.append_value(position.record_index);
        self.reason.append_value(reason.to_string());
        self.raw.append_value(raw);
    }

    /// The rows so far as a batch in the row schema of [`REJECTS`]; starts anew.
    #[expect(
        clippy::expect_used,
        clippy::missing_panics_doc,
        reason = "the columns are those of the schema, of one length"
    )]
    pub fn finish(&mut self) -> RecordBatch {
        let ts = TimestampMicrosecondArray::from(std::mem::take(&mut self.ts)).with_timezone(UTC);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(ts),
            Arc::new(self.topic.finish()),
            Arc::new(self.topic_partition.finish()),
            Arc::new(self.topic_offset.finish()),
            Arc::new(self.record_index.finish()),
            Arc::new(self.reason.finish()),
            Arc::new(self.raw.finish()),
        ];
        RecordBatch::try_new(REJECTS.row_schema(), columns).expect("rejects fit")
    }
}
