//! A batch of requests whose schema was checked once, and its positions.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{
    Array, BooleanArray, Int32Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};

use crate::tables::{REJECTS, REQUESTS};

/// A batch does not have the columns its table asks for.
#[derive(Debug, thiserror::Error)]
#[error("batch does not fit table `{table}`: {detail}")]
pub struct SchemaMismatch {
    /// The table whose schema was expected.
    pub table: &'static str,
    /// The first difference found.
    pub detail: String,
}

/// A batch of access records in the row schema of [`REQUESTS`] (all columns but `date`).
///
/// Construction checks the schema, so that the accessors cannot fail.
#[derive(Debug, Clone)]
pub struct RequestBatch {
    batch: RecordBatch,
    exempt: Option<BooleanArray>,
    arrivals: Option<Int64Array>,
}

macro_rules! accessors {
    ($($(#[$doc:meta])* $name:ident: $array:ty = $index:literal $cast:expr;)*) => {
        $(
            $(#[$doc])*
            pub fn $name(&self) -> &$array {
                let cast: fn(&dyn Array) -> &$array = $cast;
                cast(self.batch.column($index))
            }
        )*

        #[cfg(test)]
        const ACCESSORS: &'static [(usize, &'static str)] = &[$(($index, stringify!($name))),*];
    };
}

impl RequestBatch {
    /// Checks `batch` against the row schema of [`REQUESTS`].
    ///
    /// # Errors
    /// [`SchemaMismatch`] names the first column that differs in name or type, or holds a null it must not.
    pub fn try_new(batch: RecordBatch) -> Result<Self, SchemaMismatch> {
        check(&batch, &REQUESTS)?;
        Ok(Self { batch, exempt: None, arrivals: None })
    }

    /// The same rows, of which those marked are never judged. The marks go with the batch, not into the tables.
    ///
    /// # Panics
    /// When there is not a mark for each row: a bug.
    #[must_use]
    pub fn with_exempt(self, exempt: BooleanArray) -> Self {
        assert_eq!(exempt.len(), self.rows(), "a mark for each row");
        Self { exempt: Some(exempt), ..self }
    }

    /// Whether a row comes from somebody who is never judged.
    pub fn is_exempt(&self, row: usize) -> bool {
        self.exempt.as_ref().is_some_and(|exempt| exempt.value(row))
    }

    /// The same rows with the time at which each arrived, microseconds UTC, by the clock of whoever took it in and not
    /// of whoever logged it. The times go with the batch, not into the tables.
    ///
    /// # Panics
    /// When there is not a place for each row: a bug.
    #[must_use]
    pub fn with_arrivals(self, arrivals: Int64Array) -> Self {
        assert_eq!(arrivals.len(), self.rows(), "an arrival for each row");
        Self { arrivals: Some(arrivals), ..self }
    }

    /// When a row arrived, microseconds UTC; `None` where nobody noted it.
    pub fn arrival_us(&self, row: usize) -> Option<i64> {
        let arrivals = self.arrivals.as_ref()?;
        (!arrivals.is_null(row)).then(|| arrivals.value(row))
    }

    /// A batch without rows.
    pub fn empty() -> Self {
        let batch = RecordBatch::new_empty(REQUESTS.row_schema());
        Self { batch, exempt: None, arrivals: None }
    }

    /// Rows of those who are never judged.
    pub fn exempt_rows(&self) -> usize {
        self.exempt.as_ref().map_or(0, BooleanArray::true_count)
    }

    /// The Arrow batch.
    pub const fn record_batch(&self) -> &RecordBatch {
        &self.batch
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.batch.num_rows()
    }

    accessors! {
        /// Event time, microseconds UTC.
        ts: TimestampMicrosecondArray = 0 |a| a.as_primitive::<TimestampMicrosecondType>();
        /// Edge node.
        edge: StringArray = 1 |a| a.as_string();
        /// Client address, canonical text.
        client_ip: StringArray = 2 |a| a.as_string();
        /// Autonomous system number.
        client_asn: Int64Array = 3 |a| a.as_primitive::<Int64Type>();
        /// ISO country code.
        client_country: StringArray = 4 |a| a.as_string();
        /// Request method.
        method: StringArray = 5 |a| a.as_string();
        /// `http` or `https`.
        scheme: StringArray = 6 |a| a.as_string();
        /// Host, lower case, without port.
        host: StringArray = 7 |a| a.as_string();
        /// Path without the query.
        path: StringArray = 8 |a| a.as_string();
        /// Query without `?`.
        query: StringArray = 9 |a| a.as_string();
        /// Protocol version.
        protocol: StringArray = 10 |a| a.as_string();
        /// Response status code.
        status: Int32Array = 11 |a| a.as_primitive::<Int32Type>();
        /// Bytes received.
        request_bytes: Int64Array = 12 |a| a.as_primitive::<Int64Type>();
        /// Bytes sent.
        response_bytes: Int64Array = 13 |a| a.as_primitive::<Int64Type>();
        /// Time to serve, microseconds.
        duration_us: Int64Array = 14 |a| a.as_primitive::<Int64Type>();
        /// User-Agent header.
        user_agent: StringArray = 15 |a| a.as_string();
        /// Referer header.
        referer: StringArray = 16 |a| a.as_string();
        /// Cache outcome, lower case.
        cache_status: StringArray = 17 |a| a.as_string();
        /// JA3 fingerprint.
        ja3: StringArray = 18 |a| a.as_string();
        /// JA4 fingerprint.
        ja4: StringArray = 19 |a| a.as_string();
        /// The edge's request id.
        request_id: StringArray = 20 |a| a.as_string();
        /// The request could not be understood.
        malformed: BooleanArray = 21 |a| a.as_boolean();
        /// Kafka topic or file name.
        topic: StringArray = 22 |a| a.as_string();
        /// Kafka partition.
        topic_partition: Int32Array = 23 |a| a.as_primitive::<Int32Type>();
        /// Kafka offset or line number.
        topic_offset: Int64Array = 24 |a| a.as_primitive::<Int64Type>();
        /// Index within the Kafka message.
        record_index: Int32Array = 25 |a| a.as_primitive::<Int32Type>();
        /// The request was broken off before it was answered whole.
        aborted: BooleanArray = 26 |a| a.as_boolean();
        /// Name of the log format.
        format: StringArray = 27 |a| a.as_string();
    }
}

/// Checks a batch in flight against the row schema of `table`.
///
/// # Errors
/// [`SchemaMismatch`] on the first difference.
pub fn check(batch: &RecordBatch, table: &'static crate::Table) -> Result<(), SchemaMismatch> {
    let fail = |detail| Err(SchemaMismatch { table: table.name, detail });
    let expected = table.row_schema();
    if batch.num_columns() != expected.fields().len() {
        return fail(format!(
            "{} columns instead of {}",
            batch.num_columns(),
            expected.fields().len()
        ));
    }
    for (index, (want, got)) in
        expected.fields().iter().zip(batch.schema_ref().fields()).enumerate()
    {
        if want.name() != got.name() || want.data_type() != got.data_type() {
            return fail(format!("column {index} is {got}, expected {want}"));
        }
        if !want.is_nullable() && batch.column(index).null_count() > 0 {
            return fail(format!("column `{}` holds nulls", want.name()));
        }
    }
    Ok(())
}

/// Rows of one partition of the input, in order, with the position that follows them.
#[derive(Debug, Clone)]
pub struct PositionedBatch {
    /// Stable name of the partition: `topic/3` for Kafka, `file/<hash>` for a file.
    pub partition: Arc<str>,
    /// Access records.
    pub requests: RequestBatch,
    /// Lines that could not be read, in the row schema of [`REJECTS`].
    pub rejects: RecordBatch,
    /// Position after the last row: the next Kafka offset, or the number of the next line of a file.
    pub next_position: i64,
}

impl PositionedBatch {
    /// Records read: requests and rejects.
    pub fn records(&self) -> usize {
        self.requests.rows() + self.rejects.num_rows()
    }

    /// How many of its requests, and of its rejects, are of positions before `position`.
    pub fn rows_before(&self, position: i64) -> [usize; 2] {
        [self.requests.record_batch(), &self.rejects].map(|rows| {
            let offsets = rows.column_by_name("topic_offset");
            let offsets = offsets.and_then(|offsets| offsets.as_primitive_opt::<Int64Type>());
            offsets
                .map_or(0, |offsets| offsets.iter().flatten().filter(|at| *at < position).count())
        })
    }

    /// An empty reject batch.
    pub fn no_rejects() -> RecordBatch {
        RecordBatch::new_empty(REJECTS.row_schema())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accessors_name_their_columns() {
        let names: Vec<_> = REQUESTS.row_columns().map(|column| column.name).collect();
        let accessors: Vec<_> = RequestBatch::ACCESSORS.iter().map(|(_, name)| *name).collect();
        assert_eq!(names, accessors);
        assert!(RequestBatch::ACCESSORS.iter().enumerate().all(|(i, (index, _))| i == *index));
    }

    #[test]
    fn a_foreign_batch_is_refused() {
        let error = RequestBatch::try_new(PositionedBatch::no_rejects()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "batch does not fit table `requests`: 7 columns instead of 28"
        );
    }

    #[test]
    fn an_empty_batch_answers() {
        let batch = RequestBatch::empty();
        assert_eq!((batch.rows(), batch.ts().len(), batch.record_index().len()), (0, 0, 0));
    }
}
