//! What the core allows, refuses, cuts and stops.

use std::time::Duration;

use arrow::array::{AsArray as _, RecordBatch};
use arrow::datatypes::Int64Type;
use query::{Format, OutputOptions, Params, Session, SessionOptions};
use schemas::tables::REQUESTS;
use serde_json::json;
use serve::answers::{Answers, Cut, Fate, Fault, Limits, QueryId, Question};
use tempfile::TempDir;
use tokio::runtime::Handle;

use crate::lake;

/// A query that does not come to its end.
const ENDLESS: &str = "SELECT count(*) FROM requests a, requests b, requests c, requests d, requests e \
                       WHERE a.topic_offset + b.topic_offset + c.topic_offset + d.topic_offset + e.topic_offset = 1";

/// Endless as well, and it has rows from the start.
const POURING: &str = "SELECT a.user_agent FROM requests a, requests b, requests c";

async fn open(limits: Limits) -> (TempDir, Answers) {
    let folder = lake::lake().await;
    let uri = folder.path().to_string_lossy().into_owned();
    let answers = Answers::open(&uri, limits, Handle::current()).await.expect("tables");
    (folder, answers)
}

async fn rows(answers: &Answers, question: Question) -> Result<Vec<RecordBatch>, Fault> {
    Ok(answers.rows(question).await?.collect().await?.0)
}

async fn number(answers: &Answers, text: &str) -> i64 {
    let found = rows(answers, Question::asked(text)).await.expect("an answer");
    found[0].column(0).as_primitive::<Int64Type>().value(0)
}

async fn failure(answers: &Answers, text: &str) -> Fault {
    rows(answers, Question::asked(text)).await.expect_err("a fault")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_is_no_question_is_refused() {
    let (_lake, answers) = open(Limits::default()).await;
    for text in [
        "SET datafusion.runtime.memory_limit = '1G'",
        "RESET datafusion.execution.batch_size",
        "CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '/etc/passwd'",
        "CREATE VIEW v AS SELECT 1",
        "CREATE TABLE t AS SELECT 1",
        "COPY (SELECT 1) TO '/tmp/x.csv'",
        "INSERT INTO requests SELECT * FROM requests",
        "DELETE FROM requests",
        "DROP TABLE requests",
        "DROP VIEW attacks",
        "PREPARE p AS SELECT 1",
        "BEGIN",
        "USE other",
        "EXPLAIN ANALYZE INSERT INTO requests SELECT * FROM requests",
        "CREATE FUNCTION f() RETURNS int RETURN 1",
        "ANALYZE TABLE requests",
    ] {
        let fault = failure(&answers, text).await;
        assert_eq!(fault.code(), "read_only", "{text}: {fault}");
    }
    assert_eq!(failure(&answers, "SELECT * FROM '/etc/passwd'").await.code(), "plan");
    assert_eq!(failure(&answers, "SELECT 1; SELECT 2").await.code(), "plan");
    assert_eq!(failure(&answers, "SELEC 1").await.code(), "syntax");
    for text in ["SHOW TABLES", "SHOW datafusion.execution.batch_size", "DESCRIBE requests"] {
        assert!(rows(&answers, Question::asked(text)).await.is_ok(), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_of_one_version_and_the_next_of_the_next() {
    let (lake, answers) = open(Limits::default()).await;
    let count = "SELECT count(*) FROM requests";
    assert_eq!(number(&answers, count).await, 1_000);
    let text = "SELECT topic_offset FROM requests";
    let mut early = answers.rows(Question::asked(text)).await.expect("an answer");
    lake::append(lake.path(), &REQUESTS, &[lake::request(5_000, "192.0.2.1", "/new")]).await;
    assert_eq!(number(&answers, count).await, 1_001);
    let mut seen = 0;
    while let Some(batch) = early.next().await {
        seen += batch.num_rows();
    }
    assert_eq!(seen, 1_000);
    assert_eq!(early.end().await.expect("a summary").rows, 1_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bytes_are_those_of_the_command_line() {
    let (lake, answers) = open(Limits::default()).await;
    let text = "SELECT ts, client_ip, path, user_agent, query FROM requests ORDER BY topic_offset";
    let session = Session::open(&lake.path().to_string_lossy(), &SessionOptions::default())
        .await
        .expect("tables");
    for format in Format::ALL {
        let mut local = Vec::new();
        session.run(text, &OutputOptions::new(format), &mut local).await.expect("an answer");
        let reply = answers.bytes(Question::asked(text), format).await.expect("an answer");
        let (pieces, summary) = reply.collect().await.expect("an answer");
        assert_eq!(pieces.concat(), local, "{format}");
        assert_eq!((summary.rows, summary.bytes), (1_000, local.len() as u64), "{format}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_for_placeholders_are_never_sql() {
    let (_lake, answers) = open(Limits::default()).await;
    let text = "SELECT count(*) FROM requests WHERE path = $1 AND ts >= $2 AND status = $3";
    let ask = async |path: &str| {
        let params =
            Params::from_json(&json!([path, "2026-03-01T00:10:00Z", 200])).expect("values");
        let found = rows(&answers, Question::asked(text).with_params(params)).await.expect("rows");
        found[0].column(0).as_primitive::<Int64Type>().value(0)
    };
    assert_eq!((ask("/search").await, ask("' OR 1=1 --").await), (30, 0));
    let named = Params::from_json(&json!({"p": "/search"})).expect("values");
    let text = "SELECT count(*) FROM requests WHERE path = $p";
    assert!(rows(&answers, Question::asked(text).with_params(named)).await.is_ok());
    assert_eq!(failure(&answers, text).await.code(), "plan");
    assert!(Params::from_json(&json!("x")).is_err() && Params::from_json(&json!([[1]])).is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_cut_says_so() {
    let (_lake, answers) = open(Limits { rows: 100, bytes: 4_000, ..Limits::default() }).await;
    let text = "SELECT topic_offset FROM requests";
    let cut = async |question: Question, format| {
        let reply = answers.bytes(question, format).await.expect("an answer");
        reply.collect().await.expect("an answer").1
    };
    let by_rows = cut(Question::asked(text), Format::Csv).await;
    assert_eq!((by_rows.rows, by_rows.cut), (100, Some(Cut::Rows(100))));
    let asked = cut(Question::asked(text).with_rows_max(7), Format::Csv).await;
    assert_eq!((asked.rows, asked.cut), (7, Some(Cut::Asked(7))));
    let wide = "SELECT repeat('x', 1000) FROM requests ORDER BY topic_offset LIMIT 100";
    let wide = cut(Question::asked(wide), Format::Csv).await;
    assert_eq!(wide.cut, None, "it ended with the batch that went beyond");
    let whole = cut(Question::asked("SELECT 1"), Format::Csv).await;
    assert_eq!((whole.rows, whole.cut), (1, None));
    let values = "SELECT rpad(topic_offset::text, 300000, 'x') FROM requests LIMIT 100";
    let values = cut(Question::asked(values), Format::Csv).await;
    assert_eq!(values.cut, Some(Cut::Bytes(4_000)));
    assert!(values.rows < 100, "{values:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_that_takes_too_long_is_stopped_and_gives_its_place_back() {
    let limits = Limits { query_time: Duration::from_millis(50), queries: 1, ..Limits::default() };
    let (_lake, answers) = open(limits).await;
    for text in [ENDLESS, POURING, ENDLESS] {
        // On a busy machine the time is up before there is a plan.
        let fault = match answers.rows(Question::asked(text)).await {
            Ok(reply) => reply.end().await.expect_err("a fault"),
            Err(fault) => fault,
        };
        assert_eq!(fault.code(), "time_limit", "{text}: {fault}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_query_gives_back_its_place_and_its_memory() {
    let (_lake, answers) = open(Limits { queries: 1, waiting: 1, ..Limits::default() }).await;
    for text in [ENDLESS, POURING] {
        let question = Question::asked(text);
        let id = question.id;
        let reply = answers.rows(question).await.expect("a start");
        assert_eq!(answers.fate(id), Some(Fate::Running));
        assert!(answers.cancel(id));
        assert_eq!(reply.end().await.expect_err("a fault").code(), "cancelled");
        // There is one place, and it is given back with the memory: this waits for it.
        assert_eq!(number(&answers, "SELECT count(*) FROM requests").await, 1_000);
        assert!(!answers.cancel(id));
        assert!(matches!(answers.fate(id), Some(Fate::Failed { code: "cancelled", .. })));
    }
    assert!(!answers.cancel(QueryId::random()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_goes_away_ends_its_query() {
    let (_lake, answers) = open(Limits { queries: 1, ..Limits::default() }).await;
    for text in [ENDLESS, POURING] {
        drop(answers.rows(Question::asked(text)).await.expect("a start"));
        assert_eq!(number(&answers, "SELECT count(*) FROM requests").await, 1_000);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_who_find_no_place_are_told() {
    let wait_time = Duration::from_millis(10);
    let limits = Limits { queries: 1, waiting: 1, wait_time, connections: 1, ..Limits::default() };
    let (_lake, answers) = open(limits).await;
    let running = answers.rows(Question::asked(POURING)).await.expect("a start");
    let waiting = failure(&answers, "SELECT 1").await;
    assert_eq!(waiting.code(), "busy", "{waiting}");
    // Ours have places of their own.
    assert!(rows(&answers, Question::own("SELECT 1")).await.is_ok());
    let mut same = Question::asked("SELECT 1");
    same.id = running.id();
    assert_eq!(rows(&answers, same).await.expect_err("a fault").code(), "same_id");
    drop(running);
    let connection = answers.connect().expect("a place");
    assert!(answers.connect().is_none());
    drop(connection);
    assert!(answers.connect().is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_has_its_share_of_the_memory_and_no_more() {
    let (_lake, answers) = open(Limits { memory_bytes: 1 << 20, ..Limits::default() }).await;
    let greedy = "SELECT entropy(v) FROM generate_series(1, 1000000) s(v)";
    let fault = failure(&answers, greedy).await;
    assert_eq!(fault.code(), "execution");
    assert!(fault.to_string().contains("memory"), "{fault}");
    assert_eq!(number(&answers, "SELECT count(*) FROM requests").await, 1_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_stops_its_queries() {
    let (_lake, answers) = open(Limits::default()).await;
    let reply = answers.rows(Question::asked(ENDLESS)).await.expect("a start");
    answers.stop();
    assert_eq!(reply.end().await.expect_err("a fault").code(), "stopping");
    assert_eq!(failure(&answers, "SELECT 1").await.code(), "stopping");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_has_its_bounds() {
    let (_lake, answers) = open(Limits { statement_bytes: 1_000, ..Limits::default() }).await;
    let long = format!("SELECT 1 -- {}", "x".repeat(1_000));
    assert_eq!(failure(&answers, &long).await.code(), "statement_too_long");
}
