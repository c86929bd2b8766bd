//! Subqueries whose answer is short are known before the query they are in is planned.

use query::{Format, OutputOptions, Session};
use schemas::tables::REQUESTS;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixture::{self, with};

async fn answer(session: &Session, text: &str) -> String {
    let mut out = Vec::new();
    let options = OutputOptions::new(Format::Csv);
    session.run(text, &options, &mut out).await.expect(text);
    String::from_utf8(out).expect("text")
}

/// Nine days of March 2026 with 100 requests each, of addresses that come on one day only and one that comes on all.
async fn days() -> (TempDir, Session) {
    let folder = TempDir::new().expect("a folder");
    for day in 1..=9 {
        let row = |n: u32| {
            let date = format!("2026-03-{day:02}");
            let ip = if n < 10 { "192.0.2.1".to_owned() } else { format!("10.0.{day}.{n}") };
            let more = json!({"date": date, "ts": format!("{date}T12:00:{:02}Z", n % 60), "client_ip": ip,
                              "referer": if n == 50 { Value::Null } else { json!("r") }});
            with(fixture::request(day * 100 + n, 0), more)
        };
        fixture::append(folder.path(), &REQUESTS, &(0..100).map(row).collect::<Vec<_>>()).await;
    }
    let session = fixture::open(folder.path()).await;
    (folder, session)
}

/// Days whose files `query` reads.
async fn read(session: &Session, query: &str) -> Vec<u32> {
    let plan = answer(session, &format!("EXPLAIN ANALYZE {query}")).await;
    (1..=31).filter(|day| plan.contains(&format!("date=2026-03-{day:02}/"))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_time_that_is_asked_of_a_table_leaves_out_other_days() {
    let (_folder, session) = days().await;
    for (query, days, rows) in [
        (
            "SELECT path FROM requests WHERE ts >= (SELECT max(ts) FROM requests) - INTERVAL '1 hour'",
            vec![9],
            100,
        ),
        (
            "WITH last AS (SELECT max(ts) AS ts FROM requests) \
             SELECT path FROM requests WHERE date = (SELECT ts::date FROM last)",
            vec![9],
            100,
        ),
        (
            "SELECT path FROM requests WHERE date IN (SELECT date FROM requests GROUP BY 1 ORDER BY 1 LIMIT 2)",
            vec![1, 2],
            200,
        ),
        (
            "SELECT path FROM requests WHERE date NOT IN (SELECT date FROM requests ORDER BY 1 LIMIT 700)",
            vec![8, 9],
            200,
        ),
        (
            "SELECT path FROM requests WHERE date IN (SELECT date FROM requests WHERE date > \
             (SELECT min(date) FROM requests WHERE edge IS NOT NULL) + INTERVAL '6 days')",
            vec![8, 9],
            200,
        ),
        ("SELECT path FROM requests WHERE ts > (SELECT ts FROM requests WHERE false)", vec![], 0),
        (
            "SELECT path FROM requests WHERE date IN (SELECT date FROM requests WHERE false)",
            vec![],
            0,
        ),
    ] {
        assert_eq!(read(&session, query).await, days, "{query}");
        let counted = answer(&session, &format!("SELECT count(*) AS n FROM ({query}) q")).await;
        assert_eq!(counted, format!("n\n{rows}\n"), "{query}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_answer_as_others() {
    let (_folder, session) = days().await;
    for (condition, rows) in [
        (
            "client_ip IN (SELECT client_ip FROM requests GROUP BY 1 ORDER BY count(*) DESC LIMIT 1)",
            90,
        ),
        (
            "client_ip IN (SELECT client_ip FROM requests ORDER BY date DESC, request_id LIMIT 100)",
            180,
        ),
        (
            "client_ip NOT IN (SELECT client_ip FROM requests GROUP BY 1 ORDER BY count(*) DESC LIMIT 1)",
            810,
        ),
        // One that is null: nothing is known not to be it.
        ("'x' NOT IN (SELECT referer FROM requests WHERE client_ip = '10.0.3.50')", 0),
        ("referer NOT IN (SELECT referer FROM requests WHERE false)", 900),
        // Hundreds of them.
        (
            "client_ip IN (SELECT client_ip FROM requests r WHERE r.client_ip LIKE '10.%' LIMIT 1000)",
            810,
        ),
        // One for each row.
        ("ts = (SELECT max(ts) FROM requests r WHERE r.client_ip = requests.client_ip)", 811),
        (
            "EXISTS (SELECT 1 FROM requests r WHERE r.referer IS NULL AND r.client_ip = requests.client_ip)",
            9,
        ),
        ("1 = (SELECT 1) AND length(edge) >= (SELECT min(length(edge)) FROM requests)", 900),
    ] {
        let text = format!("SELECT count(*) AS n FROM requests WHERE {condition}");
        assert_eq!(answer(&session, &text).await, format!("n\n{rows}\n"), "{condition}");
    }
    let grouped = "SELECT date FROM requests GROUP BY 1 HAVING date > (SELECT max(date) FROM requests) - INTERVAL '2 days' \
                   ORDER BY 1";
    assert_eq!(answer(&session, grouped).await, "date\n2026-03-08\n2026-03-09\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_one_is_said_as_ever() {
    let (_folder, session) = days().await;
    for (condition, said) in [
        ("ts > (SELECT ts FROM requests)", "more than one row"),
        ("length(edge) > (SELECT cast(edge AS INT) FROM requests LIMIT 1)", "Cannot cast"),
        ("ts > (SELECT tss FROM requests)", "tss"),
    ] {
        let text = format!("SELECT count(*) AS n FROM requests WHERE {condition}");
        let error = session.run(&text, &OutputOptions::new(Format::Csv), &mut Vec::new()).await;
        let error = error.expect_err(condition).to_string();
        assert!(error.contains(said), "{condition}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_view_does_not_keep_what_one_said_when_it_was_made() {
    let (folder, session) = days().await;
    let view = "CREATE VIEW latest AS SELECT count(*) AS n FROM requests WHERE date = (SELECT max(date) FROM requests)";
    answer(&session, view).await;
    assert_eq!(answer(&session, "SELECT n FROM latest").await, "n\n100\n");
    let row = with(
        fixture::request(5_000, 0),
        json!({"date": "2026-03-10", "ts": "2026-03-10T00:00:00Z"}),
    );
    fixture::append(folder.path(), &REQUESTS, &[row]).await;
    assert_eq!(answer(&session, "SELECT n FROM latest").await, "n\n1\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sources_of_an_incident_are_looked_up() {
    let (_folder, session) = fixture::lake_and_session().await;
    let sources = "SELECT unnest(sources) FROM attacks WHERE incident_id = 'a1'";
    let query = format!("SELECT path FROM requests WHERE ip_source(client_ip) IN ({sources})");
    let plan = answer(&session, &format!("EXPLAIN ANALYZE {query}")).await;
    assert!(!plan.contains("Join"), "{plan}");
    let joined = format!(
        "SELECT count(*) AS n FROM requests JOIN ({sources}) a(source) ON ip_source(client_ip) = a.source"
    );
    let counted = answer(&session, &format!("SELECT count(*) AS n FROM ({query}) q")).await;
    assert_eq!(counted, answer(&session, &joined).await);
    assert_ne!(counted, "n\n0\n");
}
