//! What must hold of the tables, whatever happened.

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

/// Records in all, those of them from years ahead, and how often one was judged. Of the minutes of a host each process
/// has a row of what it read, so that they add up.
const JUDGED: &str = "SELECT (SELECT count(*) FROM requests) AS records, \
                      (SELECT count(*) FROM requests WHERE ts > '2026-03-02T00:10:00Z') AS ahead, \
                      (SELECT coalesce(sum(requests), 0) FROM target_windows) AS judged";

/// Incidents of which a revision is missing, or there twice.
const TORN: &str = "SELECT incident_id, count(*) AS rows, max(revision) + 1 AS revisions FROM incidents \
                    GROUP BY incident_id HAVING count(*) <> max(revision) + 1 OR count(DISTINCT revision) <> count(*)";

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

async fn open(folder: &Path) -> Session {
    let options = SessionOptions { target_partitions: Some(1), ..SessionOptions::default() };
    let uri = folder.to_str().expect("a path of text");
    Session::open(uri, &options).await.expect("tables")
}

/// The rows of an answer, sorted.
async fn ask(session: &Session, sql: &str, format: Format) -> String {
    let mut out = Vec::new();
    session.run(sql, &OutputOptions::new(format), &mut out).await.expect("rows");
    let text = String::from_utf8(out).expect("text");
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.join("\n")
}

/// All rows of the tables in `folder`.
pub fn rows(folder: &Path) -> Rows {
    block_on(async {
        let session = open(folder).await;
        let text = async |sql: &str| ask(&session, sql, Format::Ndjson).await;
        let mut findings = [String::new(), String::new(), String::new()];
        for (sql, rows) in FINDINGS.iter().zip(&mut findings) {
            *rows = text(sql).await;
        }
        Rows { requests: text(REQUESTS).await, rejects: text(REJECTS).await, findings }
    })
}

/// The tables are whole: no position is missing or there twice, every file is what the log says.
pub fn check(folder: &Path) {
    let uri = folder.to_str().expect("a path of text");
    let checked = block_on(lake::check(uri, &Unwatched)).expect("tables");
    assert_eq!(checked.faults, [], "{uri}");
}

/// Each record was judged by one detector, once, whoever read it and whoever died; incidents are told from their beginning,
/// each revision once. A record from years ahead is not judged where it is the first of a process.
pub fn check_findings(folder: &Path) {
    block_on(async {
        let session = open(folder).await;
        let counts = ask(&session, JUDGED, Format::Ndjson).await;
        let counts: serde_json::Value = serde_json::from_str(&counts).expect("a row");
        let count = |name: &str| counts[name].as_i64().expect("a count");
        let (records, judged) = (count("records"), count("judged"));
        assert!(records - count("ahead") <= judged && judged <= records, "{counts}");
        assert_eq!(ask(&session, TORN, Format::Ndjson).await, "");
    });
}
