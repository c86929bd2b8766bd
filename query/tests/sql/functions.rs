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
