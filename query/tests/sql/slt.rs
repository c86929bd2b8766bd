//! Runs every `.slt` file beside this one. `UPDATE_EXPECT=1` writes what came instead of comparing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::DataType;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use async_trait::async_trait;
use futures::TryStreamExt;
use query::{QueryError, Session, output::escape, statements};
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner, default_column_validator, default_normalizer, default_validator};

use crate::fixture;

/// The session as sqllogictest sees a database.
struct Lake(Arc<Session>);

#[derive(Debug, thiserror::Error)]
enum LakeError {
    #[error("{0}")]
    Query(#[from] QueryError),
    #[error("{0}")]
    Rows(String),
}

fn column_type(data_type: &DataType) -> DefaultColumnType {
    match data_type {
        other if other.is_integer() => DefaultColumnType::Integer,
        other if other.is_floating() => DefaultColumnType::FloatingPoint,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => DefaultColumnType::Text,
        _ => DefaultColumnType::Any,
    }
}

/// Rows as text: six decimals, `NULL`, `(empty)`.
fn rows(batch: &RecordBatch) -> Vec<Vec<String>> {
    let options = FormatOptions::default().with_null("NULL");
    let columns: Vec<ArrayFormatter<'_>> = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column.as_ref(), &options).expect("a shown type"))
        .collect();
    let cell = |index: usize, row: usize| {
        let text = columns[index].value(row).to_string();
        let column = batch.column(index);
        if column.data_type().is_floating() && column.is_valid(row) {
            return format!("{:.6}", text.parse::<f64>().expect("a number"));
        }
        if text.is_empty() { "(empty)".to_owned() } else { escape::text(&text).into_owned() }
    };
    (0..batch.num_rows())
        .map(|row| (0..batch.num_columns()).map(|index| cell(index, row)).collect())
        .collect()
}

#[async_trait]
impl AsyncDB for Lake {
    type Error = LakeError;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, LakeError> {
        let mut out = DBOutput::StatementComplete(0);
        for statement in statements::parse(sql)? {
            let answer = self.0.query(&statement).await?;
            let types: Vec<_> =
                answer.schema().fields().iter().map(|f| column_type(f.data_type())).collect();
            let stream = answer.into_stream();
            let batches: Vec<RecordBatch> =
                stream.try_collect().await.map_err(|error| LakeError::Rows(error.strip_backtrace()))?;
            if !types.is_empty() {
                out = DBOutput::Rows { types, rows: batches.iter().flat_map(rows).collect() };
            }
        }
        Ok(out)
    }

    async fn shutdown(&mut self) {}
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sql");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder of this file")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "slt"))
        .collect();
    files.sort();
    files
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sql_answers_as_written() {
    let (_lake, session) = fixture::lake_and_session().await;
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut failures = Vec::new();
    for file in files() {
        let session = Arc::clone(&session);
        let mut runner = Runner::new(move || {
            let session = Arc::clone(&session);
            async move { Ok(Lake(session)) }
        });
        if update {
            runner
                .update_test_file(&file, " ", default_validator, default_normalizer, default_column_validator)
                .await
                .expect("a file that can be written");
        } else if let Err(error) = runner.run_file_async(&file).await {
            failures.push(format!("{}\n{}", file.display(), error.display(false)));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
