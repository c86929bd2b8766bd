//! Opening, refreshing, and what is said when it fails.

use std::sync::LazyLock;

use arrow::array::AsArray as _;
use query::{Format, OutputOptions, QueryError, Scratch, Session, SessionOptions, statements};
use schemas::tables::{INCIDENTS, REJECTS, REQUESTS};
use schemas::{Column, Table};
use serde_json::json;
use tempfile::TempDir;

use crate::fixture;

async fn answer(session: &Session, text: &str) -> Result<String, QueryError> {
    let mut out = Vec::new();
    session.run(text, &OutputOptions::new(Format::Csv), &mut out).await?;
    Ok(String::from_utf8(out).expect("text"))
}

async fn failure(session: &Session, text: &str) -> String {
    answer(session, text).await.expect_err("an error").to_string()
}

fn reject(offset: u32) -> serde_json::Value {
    json!({
        "ts": "2026-03-01T10:00:00Z", "topic_offset": offset, "record_index": 0,
        "reason": "not JSON", "raw": "00",
    })
}

fn incident(id: &str) -> serde_json::Value {
    json!({
        "incident_id": id, "revision": 0, "state": "open", "kind": "http_flood",
        "verdict": "attack", "severity": 80, "confidence": 1.0, "first_ts": "2026-03-01T10:00:00Z",
        "detected_ts": "2026-03-01T10:00:00Z", "revision_ts": "2026-03-01T10:00:00Z",
        "last_ts": "2026-03-01T10:00:00Z", "requests": 1, "excess_requests": 1, "source_count": 1,
        "sources": [], "summary": "flood", "evidence": "[]",
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_without_tables_says_what_to_run() {
    let folder = TempDir::new().expect("a folder");
    for uri in [folder.path().to_path_buf(), folder.path().join("missing")] {
        let uri = uri.to_string_lossy().into_owned();
        let error = Session::open(&uri, &SessionOptions::default()).await.expect_err("no tables");
        assert!(matches!(&error, QueryError::NoTables { .. }), "{error}");
        assert!(error.to_string().contains("floodmark scan --data"), "{error}");
    }
    assert!(!folder.path().join("missing").exists(), "reading makes no folder");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_query_sees_the_next_commit() {
    let folder = TempDir::new().expect("a folder");
    fixture::append(folder.path(), &REJECTS, &[reject(1)]).await;
    let session = fixture::open(folder.path()).await;
    let count = "SELECT count(*) AS n FROM rejects";
    assert_eq!(answer(&session, count).await.expect("rows"), "n\n1\n");
    answer(&session, "CREATE VIEW mine AS SELECT * FROM rejects").await.expect("a view");
    fixture::append(folder.path(), &REJECTS, &[reject(2), reject(3)]).await;
    assert_eq!(answer(&session, count).await.expect("rows"), "n\n3\n");
    assert_eq!(answer(&session, "SELECT count(*) AS n FROM mine").await.expect("rows"), "n\n3\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_is_not_there_yet_is_empty() {
    let folder = TempDir::new().expect("a folder");
    fixture::append(folder.path(), &REJECTS, &[reject(1)]).await;
    let session = fixture::open(folder.path()).await;
    assert_eq!(
        answer(&session, "SELECT count(*) AS n FROM attacks").await.expect("rows"),
        "n\n0\n"
    );
    assert_eq!(answer(&session, "SELECT host FROM requests").await.expect("rows"), "host\n");
    fixture::append(folder.path(), &INCIDENTS, &[incident("a1")]).await;
    assert_eq!(
        answer(&session, "SELECT incident_id FROM attacks").await.expect("rows"),
        "incident_id\na1\n"
    );
}

/// `incidents` as it was before there were campaigns.
static OLD_INCIDENTS: LazyLock<&'static Table> = LazyLock::new(|| {
    let is_old = |column: &&Column| !column.name.starts_with("campaign_");
    let columns: Vec<Column> = INCIDENTS.columns.iter().filter(is_old).copied().collect();
    Box::leak(Box::new(Table { columns: columns.leak(), ..INCIDENTS }))
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_from_before_a_column_came_reads_as_if_it_had_it() {
    let folder = TempDir::new().expect("a folder");
    let mut incident = incident("a1");
    fixture::append(folder.path(), &OLD_INCIDENTS, &[incident.clone()]).await;
    let session = fixture::open(folder.path()).await;
    let text = "SELECT incident_id, campaign_id, campaign_hosts FROM attacks WHERE severity > 5 ORDER BY 1";
    let old = "incident_id,campaign_id,campaign_hosts\na1,,\n";
    assert_eq!(answer(&session, text).await.expect("rows"), old);
    let none = "SELECT count(*) AS n FROM incidents WHERE campaign_id IS NOT NULL";
    assert_eq!(answer(&session, none).await.expect("rows"), "n\n0\n");
    assert_eq!(
        answer(&session, "SELECT count(*) AS n FROM campaigns").await.expect("rows"),
        "n\n0\n"
    );
    // A writer adds the columns to the table.
    incident["incident_id"] = "b2".into();
    (incident["campaign_id"], incident["campaign_hosts"]) = ("a1".into(), 2.into());
    fixture::widen(folder.path(), &INCIDENTS).await;
    fixture::append(folder.path(), &INCIDENTS, &[incident]).await;
    let both = format!("{old}b2,a1,2\n");
    assert_eq!(answer(&session, text).await.expect("rows"), both);
    let hosts = "SELECT campaign_id, incidents FROM campaigns";
    assert_eq!(answer(&session, hosts).await.expect("rows"), "campaign_id,incidents\na1,2\n");
}

/// The incident with which a campaign began may have been over before it was known to be one: then it does not name it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaign_is_a_row_with_its_first_incident() {
    let folder = TempDir::new().expect("a folder");
    let of = |id: &str, host: &str, sources: &[&str], more: serde_json::Value| {
        let mut row = incident(id);
        let fields = row.as_object_mut().expect("an object");
        fields.extend([("target_host".into(), host.into()), ("sources".into(), sources.into())]);
        fields.extend(more.as_object().expect("an object").clone());
        row
    };
    let campaign = json!({ "campaign_id": "a1", "campaign_hosts": 2 });
    let rows = [
        of("a1", "one.example", &["192.0.2.1", "192.0.2.2"], json!({ "state": "close" })),
        of("b2", "two.example", &["192.0.2.2", "192.0.2.3"], campaign.clone()),
        of(
            "c3",
            "two.example",
            &[],
            json!({ "campaign_id": "a1", "campaign_hosts": 2, "revision": 1,
            "kind": "cache_busting", "verdict": "suspicious", "severity": 90, "requests": 50 }),
        ),
        of("d4", "two.example", &["192.0.2.4"], json!({})),
        of("e5", "one.example", &[], json!({ "verdict": "benign" })),
    ];
    fixture::append(folder.path(), &INCIDENTS, &rows).await;
    let session = fixture::open(folder.path()).await;
    let text = "SELECT campaign_id, hosts, incidents, still_open, kinds, verdict, severity, requests, sources FROM campaigns";
    let row = "a1,2,3,2,\"cache_busting, http_flood\",attack,90,52,3\n";
    let came = answer(&session, text).await.expect("rows");
    assert_eq!(came.split_once('\n').map(|(_, rows)| rows), Some(row));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_layout_version_is_named() {
    let folder = TempDir::new().expect("a folder");
    fixture::append(folder.path(), &REJECTS, &[reject(1)]).await;
    let first = folder.path().join("rejects/_delta_log/00000000000000000000.json");
    let log = std::fs::read_to_string(&first).expect("the first commit");
    let other =
        log.replace("\"configuration\":{", "\"configuration\":{\"floodmark.schemaVersion\":\"99\"");
    assert_ne!(log, other);
    std::fs::write(&first, other).expect("the first commit");
    let uri = folder.path().to_string_lossy().into_owned();
    let error = Session::open(&uri, &SessionOptions::default()).await.expect_err("a version");
    assert!(error.to_string().contains("schema version 99"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_session_only_reads() {
    let (lake, _) = fixture::lake_and_session().await;
    let options = SessionOptions { scratch: Scratch::Refused, ..SessionOptions::default() };
    let uri = lake.path().to_string_lossy().into_owned();
    let session = Session::open(&uri, &options).await.expect("tables");
    for text in [
        "SET datafusion.execution.batch_size = 1",
        "PREPARE p AS SELECT 1",
        "CREATE VIEW v AS SELECT 1",
        "CREATE TABLE t AS SELECT 1",
        "CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '/etc/passwd'",
    ] {
        let error = failure(&session, text).await;
        assert!(error.contains("this session answers queries only"), "{error}");
    }
    assert!(failure(&session, "SELECT * FROM '/etc/passwd'").await.contains("not found"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_runs_when_the_text_is_no_sql() {
    let (_lake, session) = fixture::lake_and_session().await;
    let error = failure(&session, "CREATE VIEW v AS SELECT 1;\nSELEC 2;").await;
    assert!(error.contains("line 2, column 1"), "{error}");
    assert!(failure(&session, "SELECT * FROM v").await.contains("table 'v' not found"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_little_memory_is_said() {
    let lake = fixture::lake().await;
    let options = SessionOptions { memory_limit: Some(64 << 10), ..SessionOptions::default() };
    let uri = lake.path().to_string_lossy().into_owned();
    let session = Session::open(&uri, &options).await.expect("tables");
    let text = "SELECT entropy(v) FROM generate_series(1, 1000000) s(v)";
    let error = failure(&session, text).await;
    assert!(error.contains("raise the memory limit"), "{error}");
}

fn long_request(place: u32, text: &str) -> serde_json::Value {
    let path = format!("/{place:0>8}/{text}");
    let agent = format!("{text}{place}");
    fixture::with(fixture::request(place, 0), json!({"path": path, "user_agent": agent}))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_with_long_texts_are_sorted_in_little_memory() {
    const ROWS: u32 = 60_000;
    let lake = TempDir::new().expect("a folder");
    // Each row once, by a multiplier that is prime to their number, so that no order helps.
    let places = (0..ROWS).map(|row| row * 7_919 % ROWS);
    let rows: Vec<serde_json::Value> =
        places.map(|place| long_request(place, &"x".repeat(300))).collect();
    for rows in rows.chunks(ROWS as usize / 2) {
        fixture::append(lake.path(), &REQUESTS, rows).await;
    }
    let options = SessionOptions {
        memory_limit: Some(40 << 20),
        target_partitions: Some(2),
        ..SessionOptions::default()
    };
    let session = Session::open(&lake.path().to_string_lossy(), &options).await.expect("tables");
    let statement =
        statements::parse("SELECT * FROM requests ORDER BY path").expect("SQL").remove(0);
    let mut answer = session.query(&statement).await.expect("a plan");
    let mut next = 0;
    while let Some(batch) = answer.next().await {
        let batch = batch.expect("rows");
        let paths = batch.column_by_name("path").expect("a column").as_string_view();
        for path in paths {
            let path = path.expect("a path");
            assert!(path.starts_with(&format!("/{next:0>8}/")), "{path} where {next} comes");
            next += 1;
        }
    }
    assert_eq!(next, ROWS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fingerprint_selects_its_requests() {
    let (_lake, session) = fixture::lake_and_session().await;
    let by = |key: &str| {
        format!(
            "SELECT count(*) AS n, count(DISTINCT path) AS p FROM fingerprint_requests('{key}')"
        )
    };
    assert_eq!(answer(&session, &by("a1")).await.expect("rows"), "n,p\n1200,1\n");
    assert_eq!(answer(&session, &by("http_flood")).await.expect("rows"), "n,p\n1200,1\n");
    let some =
        "SELECT f.status AS s FROM fingerprint_requests('a1') f WHERE f.status = 503 LIMIT 2";
    assert_eq!(answer(&session, some).await.expect("rows"), "s\n503\n503\n");
    let plain = "SELECT count(*) AS n FROM fingerprint_requests('a1')";
    assert_eq!(answer(&session, plain).await.expect("rows"), "n\n1200\n");
    let missing = failure(&session, &by("b2")).await;
    assert!(missing.contains("no incident with id or kind `b2` has a fingerprint"), "{missing}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_reach_the_files() {
    let (_lake, session) = fixture::lake_and_session().await;
    let text = "EXPLAIN SELECT path FROM requests WHERE host = 'shop.example'";
    let plan = answer(&session, text).await.expect("a plan");
    assert!(plan.contains("predicate=host"), "{plan}");
    assert_eq!(statements::parse(text).expect("SQL").len(), 1);
    assert_eq!(REQUESTS.name, "requests");
}
