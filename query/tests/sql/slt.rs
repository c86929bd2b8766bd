//! Runs every `.slt` file beside this one, `postgres.slt` as clients of PostgreSQL write. `UPDATE_EXPECT=1` writes what came instead of comparing.
//!
//! The files are in the format of sqllogictest, as far as they need it: records are separated by an empty line;
//! `query TYPES` is followed by SQL, `----` and the rows; `statement ok` by SQL; `statement error` by SQL, `----` and
//! the message. `#` starts a comment. Types are `T` text, `I` integer, `R` floating point and `?` any other.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use arrow::array::{Array, RecordBatch};
use arrow::datatypes::DataType;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use query::{Dialect, Session, statements};

use crate::fixture;

const SEPARATOR: &str = "----";

fn column_type(data_type: &DataType) -> char {
    match data_type {
        other if other.is_integer() => 'I',
        other if other.is_floating() => 'R',
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => 'T',
        _ => '?',
    }
}

/// Rows as text: six decimals, `NULL`, `(empty)`.
fn rows(batch: &RecordBatch, out: &mut String) {
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
        if text.is_empty() {
            "(empty)".to_owned()
        } else {
            schemas::text::escape(&text).into_owned()
        }
    };
    for row in 0..batch.num_rows() {
        let cells: Vec<String> = (0..batch.num_columns()).map(|index| cell(index, row)).collect();
        writeln!(out, "{}", cells.join(" ")).expect("memory");
    }
}

/// Runs `sql`: the types of its columns, and its rows or the error.
async fn run(session: &Session, sql: &str) -> Result<(String, String), String> {
    let (mut types, mut shown) = (String::new(), String::new());
    for statement in statements::parse(sql).map_err(|error| error.to_string())? {
        let answer = session.query(&statement).await.map_err(|error| error.to_string())?;
        types = answer.schema().fields().iter().map(|f| column_type(f.data_type())).collect();
        let batches = answer.collect().await.map_err(|error| error.to_string())?;
        for batch in &batches {
            rows(batch, &mut shown);
        }
    }
    Ok((types, shown))
}

/// One record as it should be, given what the session answers.
async fn answered(session: &Session, record: &str) -> String {
    let is_comment = |line: &&str| line.starts_with('#');
    let comments: Vec<&str> = record.lines().take_while(is_comment).collect();
    let body: Vec<&str> = record.lines().skip_while(is_comment).collect();
    let Some((_, rest)) = body.split_first() else { return record.to_owned() };
    let sql: Vec<&str> = rest.iter().take_while(|line| **line != SEPARATOR).copied().collect();
    let sql = sql.join("\n");
    let (head, outcome) = match run(session, &sql).await {
        Ok((types, _)) if types.is_empty() => ("statement ok".to_owned(), None),
        Ok((types, rows)) => (format!("query {types}"), Some(rows)),
        Err(message) => ("statement error".to_owned(), Some(format!("{message}\n"))),
    };
    let mut text = comments.join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    writeln!(text, "{head}\n{sql}").expect("memory");
    if let Some(outcome) = outcome {
        write!(text, "{SEPARATOR}\n{outcome}").expect("memory");
    }
    text.trim_end().to_owned()
}

fn files() -> Vec<PathBuf> {
    // Told when the test runs: checkouts may share the folder that is built into.
    let package = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo starts the tests");
    let mut files: Vec<PathBuf> = std::fs::read_dir(Path::new(&package).join("tests/sql"))
        .expect("the folder of this file")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "slt"))
        .collect();
    files.sort();
    files
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sql_answers_as_written() {
    let (lake, session) = fixture::lake_and_session().await;
    let as_postgres = fixture::open(lake.path()).await.in_dialect(Dialect::Postgres);
    let files = files();
    assert!(!files.is_empty(), "no .slt file");
    for file in files {
        let is_postgres = file.file_stem().is_some_and(|name| name == "postgres");
        let session = if is_postgres { &as_postgres } else { &session };
        let written = std::fs::read_to_string(&file).expect("a file");
        let mut found = Vec::new();
        for record in written.trim().split("\n\n") {
            found.push(answered(session, record.trim()).await);
        }
        let found = found.join("\n\n") + "\n";
        expect_test::expect_file![file].assert_eq(&found);
    }
}
