//! The functions at size: many partitions, little memory.

use std::io::Write as _;

use query::{Format, OutputOptions, Session, SessionOptions};

use crate::fixture;

async fn answer(session: &Session, text: &str) -> String {
    let mut out = Vec::new();
    session.run(text, &OutputOptions::new(Format::Csv), &mut out).await.expect("an answer");
    out.flush().expect("memory");
    String::from_utf8(out).expect("text")
}

/// A hundred thousand groups of some values, with their entropies rounded and summed.
const MANY_GROUPS: &str = "SELECT count(*) AS groups, round(sum(h), 6) AS h, round(sum(h2), 6) AS h2 FROM ( \
     SELECT v % 100000 AS g, entropy(v % 7) AS h, entropy_h2(v::varchar) AS h2 \
     FROM generate_series(1, 400000) s(v) GROUP BY 1)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_groups_agree_however_they_are_computed() {
    let lake = fixture::lake().await;
    let uri = lake.path().to_string_lossy().into_owned();
    let open = |partitions, memory_limit, batch_size| {
        let options = SessionOptions {
            target_partitions: Some(partitions),
            memory_limit,
            batch_size,
            ..SessionOptions::default()
        };
        let uri = uri.clone();
        async move { Session::open(&uri, &options).await.expect("tables") }
    };
    let calm = answer(&open(1, None, None).await, MANY_GROUPS).await;
    assert_eq!(calm.lines().nth(1).and_then(|line| line.split(',').next()), Some("100000"));
    let spread = answer(&open(4, None, Some(1_000)).await, MANY_GROUPS).await;
    assert_eq!(calm, spread);
    let spilled = answer(&open(2, Some(24 << 20), None).await, MANY_GROUPS).await;
    assert_eq!(calm, spilled);
}

/// Texts that rows are grouped by are held in memory as a whole: not where the memory is for less.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn texts_are_grouped_by_in_little_memory() {
    let lake = tempfile::tempdir().expect("a folder");
    let row = |n: u32| {
        let agent = format!("agent {} {}", n % 100, "x".repeat(100));
        fixture::with(fixture::request(n, n / 100), serde_json::json!({"user_agent": agent}))
    };
    for part in 0..2 {
        let rows: Vec<_> = (part * 10_000..(part + 1) * 10_000).map(row).collect();
        fixture::append(lake.path(), &schemas::tables::REQUESTS, &rows).await;
    }
    let text = "SELECT count(*) AS agents, sum(n) AS n FROM \
                (SELECT user_agent, count(*) AS n FROM requests GROUP BY 1)";
    let plan = format!("EXPLAIN {text}");
    for (memory_limit, by_numbers) in
        [(None, true), (Some(64 << 20), true), (Some(64 << 10), false)]
    {
        let options = SessionOptions { memory_limit, ..SessionOptions::default() };
        let uri = lake.path().to_string_lossy().into_owned();
        let session = Session::open(&uri, &options).await.expect("tables");
        let shown = answer(&session, &plan).await;
        assert_eq!(shown.contains("number_of"), by_numbers, "{memory_limit:?} {shown}");
        if by_numbers {
            assert_eq!(answer(&session, text).await, "agents,n\n100,20000\n");
        }
    }
}
