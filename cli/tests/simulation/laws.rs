//! What must hold of the tables, whatever happened.

use std::collections::BTreeSet;
use std::path::Path;

use lake::Unwatched;
use query::{Format, OutputOptions, Session, SessionOptions};

/// The columns that say which record a row is of, and what it says.
const REQUESTS: &str = "SELECT topic_partition, topic_offset, record_index, ts, client_ip, host, path, query, status, \
                        response_bytes, malformed FROM requests";

/// A process that has not met a line of a known format yet, for it has just started, says so of what it cannot read;
/// later it knows more.
const REJECTS: &str = "SELECT topic_partition, topic_offset, record_index, CASE reason \
                       WHEN 'format not recognised' THEN 'no request in it' ELSE reason END AS reason FROM rejects";

const FINDINGS: [&str; 3] =
    ["SELECT * FROM incidents", "SELECT * FROM source_windows", "SELECT * FROM target_windows"];

/// Rows of the tables as text: of the requests, of the rejects, and of the three tables of findings.
#[derive(Debug, PartialEq, Eq)]
pub struct Rows {
    pub requests: String,
    pub rejects: String,
    pub findings: [String; 3],
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(future)
}

/// All rows of the tables in `folder`.
pub fn rows(folder: &Path) -> Rows {
    block_on(async {
        let session = open(folder).await;
        let mut findings = [String::new(), String::new(), String::new()];
        for (sql, rows) in FINDINGS.iter().zip(&mut findings) {
            *rows = text(&session, sql).await;
        }
        let (requests, rejects) = (text(&session, REQUESTS).await, text(&session, REJECTS).await);
        Rows { requests, rejects, findings }
    })
}

async fn open(folder: &Path) -> Session {
    let options = SessionOptions { target_partitions: Some(1), ..SessionOptions::default() };
    let uri = folder.to_str().expect("a path of text");
    Session::open(uri, &options).await.expect("tables")
}

/// The rows of a query, sorted, an object of JSON each.
async fn text(session: &Session, sql: &str) -> String {
    let mut out = Vec::new();
    let options = OutputOptions::new(Format::Ndjson);
    session.run(sql, &options, &mut out).await.expect("rows");
    let text = String::from_utf8(out).expect("text");
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

/// A revision of an incident: its id and its number.
pub type Revision = (String, i64);

/// The revisions among objects of JSON, a line each.
pub fn revisions(lines: &[u8]) -> Vec<Revision> {
    #[derive(serde::Deserialize)]
    struct Line {
        incident_id: String,
        revision: i64,
    }
    let lines = serde_json::Deserializer::from_slice(lines).into_iter::<Line>();
    lines
        .map(|line| line.expect("an alert"))
        .map(|line| (line.incident_id, line.revision))
        .collect()
}

/// The revisions that the tables in `folder` hold, if there are any tables yet.
pub fn incidents(folder: &Path) -> BTreeSet<Revision> {
    if !folder.join("incidents/_delta_log").exists() {
        return BTreeSet::new();
    }
    let rows = block_on(async {
        text(&open(folder).await, "SELECT incident_id, revision FROM incidents").await
    });
    revisions(rows.as_bytes()).into_iter().collect()
}

/// The rows found are those of an undisturbed run.
pub fn same(found: &str, expected: &str) {
    let only = |these: &str, others: &str| -> Vec<String> {
        let others: BTreeSet<&str> = others.lines().collect();
        these.lines().filter(|row| !others.contains(row)).map(str::to_owned).collect()
    };
    let (added, missing) = (only(found, expected), only(expected, found));
    assert!(found == expected, "not in an undisturbed run: {added:#?}, but: {missing:#?}");
}

/// The tables are whole: no position is missing or there twice, every file is what the log says.
pub fn check(folder: &Path) {
    let uri = folder.to_str().expect("a path of text");
    let checked = block_on(lake::check(uri, &Unwatched)).expect("tables");
    assert_eq!(checked.faults, [], "{uri}");
}
