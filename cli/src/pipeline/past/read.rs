//! Answers of the tables as numbers and batches.

use anyhow::Context;
use arrow::array::{Array, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit};
use futures::TryStreamExt;
use query::{Session, statements};

/// Asks a session.
pub struct Reader<'a> {
    session: &'a Session,
}

impl<'a> Reader<'a> {
    /// One that asks `session`.
    pub const fn new(session: &'a Session) -> Self {
        Self { session }
    }

    /// The answer to one query.
    pub async fn batches(&self, sql: &str) -> anyhow::Result<Vec<RecordBatch>> {
        let statements = statements::parse(sql)?;
        let statement = statements.first().context("an empty query: this is a bug")?;
        let answer = self.session.query(statement).await?;
        Ok(answer.into_stream().try_collect().await?)
    }

    /// The answer as numbers, times in microseconds; rows with a null are left out.
    pub async fn longs(&self, sql: &str) -> anyhow::Result<Vec<Vec<i64>>> {
        let mut rows = Vec::new();
        for batch in self.batches(sql).await? {
            let columns: Vec<Int64Array> = (0..batch.num_columns())
                .map(|at| long(&batch, at))
                .collect::<anyhow::Result<_>>()?;
            for row in 0..batch.num_rows() {
                if columns.iter().all(|column| column.is_valid(row)) {
                    rows.push(columns.iter().map(|column| column.value(row)).collect());
                }
            }
        }
        Ok(rows)
    }
}

/// A column as numbers: times in microseconds, dates in days.
pub fn long(batch: &RecordBatch, at: usize) -> anyhow::Result<Int64Array> {
    let column = batch.column(at);
    let column = match column.data_type() {
        DataType::Timestamp(..) => {
            cast(column, &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())))?
        }
        DataType::Date32 => cast(column, &DataType::Int32)?,
        _ => std::sync::Arc::clone(column),
    };
    Ok(cast(&column, &DataType::Int64)?.as_primitive::<Int64Type>().clone())
}

/// A text that is there.
pub fn text(column: &StringArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}
