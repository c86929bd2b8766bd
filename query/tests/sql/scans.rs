//! Which files a query opens, and what it does where they are not as expected.

use query::{Format, OutputOptions, Session};
use schemas::tables::REQUESTS;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::fixture::{self, with};

async fn answer(session: &Session, text: &str) -> Result<String, String> {
    let mut out = Vec::new();
    let options = OutputOptions::new(Format::Csv);
    session.run(text, &options, &mut out).await.map_err(|error| error.to_string())?;
    Ok(String::from_utf8(out).expect("text"))
}

/// One request at noon of each of some days of March 2026.
async fn days(days: std::ops::RangeInclusive<u32>) -> TempDir {
    let folder = TempDir::new().expect("a folder");
    let row = |day: u32| {
        let date = format!("2026-03-{day:02}");
        let time = format!("{date}T12:00:00Z");
        with(
            fixture::request(day, 0),
            json!({"date": date, "ts": time, "host": format!("h{day}.example"), "client_ip": "192.0.2.1"}),
        )
    };
    fixture::append(folder.path(), &REQUESTS, &days.map(row).collect::<Vec<_>>()).await;
    folder
}

/// Days whose files the plan of `condition` reads.
async fn read(session: &Session, condition: &str) -> Vec<u32> {
    let text = format!("EXPLAIN SELECT path FROM requests WHERE {condition}");
    let plan = answer(session, &text).await.expect("a plan");
    (1..=31).filter(|day| plan.contains(&format!("date=2026-03-{day:02}/"))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filter_on_time_leaves_out_other_days() {
    let folder = days(1..=9).await;
    let session = fixture::open(folder.path()).await;
    for (condition, expected) in [
        ("ts >= '2026-03-08'", vec![8, 9]),
        ("ts > '2026-03-08T12:00:00Z' AND status IS NULL", vec![9]),
        ("ts < '2026-03-02T00:00:00.000001Z'", vec![1]),
        ("'2026-03-02 10:30:00' >= ts", vec![1]),
        ("ts BETWEEN '2026-03-03' AND '2026-03-04 23:59:59'", vec![3, 4]),
        ("date_trunc('day', ts) = '2026-03-05'", vec![5]),
        ("date_trunc('hour', ts) = '2026-03-05 12:00:00'", vec![5]),
        ("ts::date = '2026-03-06'", vec![6]),
        ("ts::date IN ('2026-03-06', '2026-03-08')", vec![6, 8]),
        ("date = '2026-03-07'", vec![7]),
        ("date >= '2026-03-07' AND ts < '2026-03-08'", vec![7]),
        ("ts < '2026-03-02' OR ts::date = '2026-03-09'", vec![1, 9]),
        ("ts < '2026-03-02' OR host = 'x'", vec![1]),
        ("ts <> '2026-03-02'", (1..=9).collect()),
        ("ts >= now() - INTERVAL '1 hour'", vec![]),
    ] {
        assert_eq!(read(&session, condition).await, expected, "{condition}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_left_out_is_not_missed() {
    let folder = days(1..=9).await;
    let session = fixture::open(folder.path()).await;
    for (condition, expected) in [
        ("ts >= '2026-03-08'", 2),
        ("date_trunc('week', ts) = '2026-03-02'", 7),
        ("date_trunc('month', ts) = '2026-03-01'", 9),
        ("ts::date >= '2026-03-05' AND ts::date < '2026-03-07'", 2),
        ("ts::date <> '2026-03-05'", 8),
        ("host LIKE 'h_.example' AND NOT host LIKE '%5%'", 8),
        ("date IS NOT NULL", 9),
    ] {
        let text = format!("SELECT count(*) AS n FROM requests WHERE {condition}");
        assert_eq!(
            answer(&session, &text).await.expect("rows"),
            format!("n\n{expected}\n"),
            "{condition}"
        );
    }
}

/// The zones furthest from UTC in both directions have no hour of a day in one file alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn days_of_other_zones_have_all_their_hours() {
    let folder = TempDir::new().expect("a folder");
    let row = |hour: u32| {
        let date = format!("2026-03-{:02}", 3 + hour / 24);
        let time = format!("{date}T{:02}:30:00Z", hour % 24);
        with(fixture::request(hour, 0), json!({"date": date, "ts": time}))
    };
    fixture::append(folder.path(), &REQUESTS, &(0..72).map(row).collect::<Vec<_>>()).await;
    let session = fixture::open(folder.path()).await;
    for zone in ["UTC", "Europe/Berlin", "Pacific/Kiritimati", "Etc/GMT+12", "+14:00", "-12:00"] {
        for (condition, expected) in [
            (format!("CAST(ts AT TIME ZONE '{zone}' AS DATE) = '2026-03-04'"), 24),
            (format!("date_trunc('day', ts AT TIME ZONE '{zone}') = '2026-03-04'"), 24),
            (format!("date_trunc('week', ts AT TIME ZONE '{zone}') = '2026-03-02'"), 72),
            (
                format!(
                    "ts AT TIME ZONE '{zone}' >= '2026-03-04' AND ts AT TIME ZONE '{zone}' < '2026-03-05'"
                ),
                24,
            ),
        ] {
            let text = format!("SELECT count(*) AS n FROM requests WHERE {condition}");
            assert_eq!(
                answer(&session, &text).await.expect("rows"),
                format!("n\n{expected}\n"),
                "{condition}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn searches_of_repeated_texts_answer_as_others() {
    let folder = TempDir::new().expect("a folder");
    let agents = [Some("python-requests/2"), Some("Mozilla"), None, Some("")];
    let row = |n: u32| {
        let agent = agents[n as usize % agents.len()];
        with(fixture::request(n, n / 100), json!({"user_agent": agent, "path": format!("/{n}")}))
    };
    let rows: Vec<Value> = (0..20_000).map(row).collect();
    fixture::append(folder.path(), &REQUESTS, &rows).await;
    let session = fixture::open(folder.path()).await;
    for (condition, expected) in [
        ("user_agent LIKE '%python%'", 5_000),
        ("user_agent NOT LIKE '%python%'", 10_000),
        ("NOT (user_agent LIKE '%python%')", 10_000),
        ("user_agent LIKE '%python%' OR path = '/1'", 5_001),
        ("user_agent LIKE '%python%' OR user_agent IS NULL", 10_000),
        ("coalesce(user_agent, 'python') LIKE '%python%'", 10_000),
        ("upper(user_agent) = 'MOZILLA'", 5_000),
        ("user_agent ~ '^py' AND path LIKE '%0'", 1_000),
        ("length(user_agent) = 0", 5_000),
    ] {
        let text = format!("SELECT count(*) AS n FROM requests WHERE {condition}");
        assert_eq!(
            answer(&session, &text).await.expect("rows"),
            format!("n\n{expected}\n"),
            "{condition}"
        );
    }
    let text =
        "SELECT user_agent, count(*) AS n FROM requests WHERE user_agent LIKE '%z%' GROUP BY 1";
    assert_eq!(answer(&session, text).await.expect("rows"), "user_agent,n\nMozilla,5000\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_row_needs_one_file() {
    let folder = days(1..=9).await;
    let session = fixture::open(folder.path()).await;
    let plan = answer(&session, "EXPLAIN SELECT path FROM requests LIMIT 1").await.expect("a plan");
    assert_eq!(plan.matches("date=2026-03-").count(), 1, "{plan}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_marked_as_deleted_is_not_read_as_if_it_were_there() {
    let folder = days(1..=2).await;
    let session = fixture::open(folder.path()).await;
    let table = folder.path().join(REQUESTS.name);
    let mut add = fixture::add(
        &table,
        &REQUESTS,
        &[with(
            fixture::request(9, 0),
            json!({"date": "2026-03-02", "ts": "2026-03-02T12:00:00Z"}),
        )],
    );
    add["add"]["deletionVector"] =
        json!({"storageType": "u", "pathOrInlineDv": "x", "sizeInBytes": 1, "cardinality": 1});
    let protocol = json!({"protocol": {
        "minReaderVersion": 3, "minWriterVersion": 7,
        "readerFeatures": ["deletionVectors"], "writerFeatures": ["deletionVectors"],
    }});
    fixture::commit(&table, &[protocol, add]);
    let error = answer(&session, "SELECT count(*) FROM requests").await.expect_err("refused");
    assert!(error.contains("deletion vectors"), "{error}");
    let other = "SELECT count(*) AS n FROM requests WHERE date = '2026-03-01'";
    assert_eq!(answer(&session, other).await.expect("rows"), "n\n1\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn features_that_are_not_known_are_named() {
    let folder = days(1..=1).await;
    let session = fixture::open(folder.path()).await;
    let protocol = json!({"protocol": {
        "minReaderVersion": 3, "minWriterVersion": 7,
        "readerFeatures": ["typeWidening"], "writerFeatures": ["typeWidening"],
    }});
    fixture::commit(&folder.path().join(REQUESTS.name), &[protocol]);
    let error = answer(&session, "SELECT count(*) FROM requests").await.expect_err("refused");
    assert!(error.contains("`typeWidening`"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_maintenance_replaced_are_read_in_their_place() {
    let folder = days(1..=2).await;
    let session = fixture::open(folder.path()).await;
    let count = "SELECT count(*) AS n, min(host) AS first FROM requests";
    let both = "n,first\n2,h1.example\n";
    assert_eq!(answer(&session, count).await.expect("rows"), both);
    let table = folder.path().join(REQUESTS.name);
    let log = std::fs::read_to_string(table.join("_delta_log/00000000000000000001.json"))
        .expect("a commit");
    let first: Value = serde_json::from_str(log.lines().next().expect("a line")).expect("JSON");
    let path = first["add"]["path"].as_str().expect("a path").to_owned();
    let row = with(
        fixture::request(1, 0),
        json!({"date": "2026-03-01", "ts": "2026-03-01T12:00:00Z", "host": "h1.example"}),
    );
    let add = fixture::add(&table, &REQUESTS, &[row]);
    fixture::commit(&table, &[json!({"remove": {"path": path, "dataChange": false}}), add]);
    std::fs::remove_file(table.join(&path)).expect("a file");
    assert_eq!(answer(&session, count).await.expect("rows"), both);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_gone_is_named() {
    let folder = days(1..=1).await;
    let session = fixture::open(folder.path()).await;
    std::fs::remove_dir_all(folder.path().join("requests/date=2026-03-01")).expect("a folder");
    let error = answer(&session, "SELECT host FROM requests").await.expect_err("gone");
    assert!(error.contains("is gone; where maintenance has replaced it"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_was_cleaned_up_is_read_again() {
    let folder = days(1..=1).await;
    let session = fixture::open(folder.path()).await;
    let table = folder.path().join(REQUESTS.name);
    for n in 2..=4 {
        let row = with(fixture::request(n, 0), json!({"host": "more.example"}));
        let add = fixture::add(&table, &REQUESTS, &[row]);
        fixture::commit(&table, &[add]);
    }
    fixture::checkpoint(&table).await;
    for version in 0..=3 {
        std::fs::remove_file(table.join(format!("_delta_log/{version:020}.json"))).expect("a file");
    }
    let count = "SELECT count(*) AS n FROM requests";
    assert_eq!(answer(&session, count).await.expect("rows"), "n\n4\n");
    let anew = fixture::open(folder.path()).await;
    assert_eq!(answer(&anew, count).await.expect("rows"), "n\n4\n");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grouping_by_repeated_texts_goes_by_numbers_and_answers_in_texts() {
    let folder = TempDir::new().expect("a folder");
    let agents = [Some("python-requests/2"), Some("Mozilla"), None, Some("")];
    let row = |n: u32| {
        let (agent, host) = (agents[n as usize % agents.len()], format!("h{}.example", n % 2));
        let more = json!({"user_agent": agent, "host": host, "status": n % 3});
        with(fixture::request(n, n / 100), more)
    };
    for part in 0..2 {
        let rows: Vec<Value> = (part * 10_000..(part + 1) * 10_000).map(row).collect();
        fixture::append(folder.path(), &REQUESTS, &rows).await;
    }
    let session = fixture::open(folder.path()).await;
    for (text, expected) in [
        (
            "SELECT user_agent, count(*) AS n FROM requests GROUP BY 1 ORDER BY 1 NULLS FIRST",
            "user_agent,n\n,5000\n\"\",5000\nMozilla,5000\npython-requests/2,5000\n",
        ),
        (
            "SELECT coalesce(upper(user_agent), 'none') AS a, host, edge, sum(status) AS s FROM requests \
             GROUP BY 1, 2, 3 ORDER BY 1",
            "a,host,edge,s\n\"\",h1.example,ams1,4999\nMOZILLA,h1.example,ams1,5001\n\
             PYTHON-REQUESTS/2,h0.example,ams1,4999\nnone,h0.example,ams1,5000\n",
        ),
        (
            "SELECT host, count(DISTINCT user_agent) AS n FROM requests GROUP BY 1 ORDER BY 1",
            "host,n\nh0.example,1\nh1.example,2\n",
        ),
        (
            "SELECT status, user_agent, count(*) AS n, min(host) AS h FROM requests \
             WHERE user_agent LIKE '%z%' GROUP BY 1, 2 ORDER BY 1",
            "status,user_agent,n,h\n0,Mozilla,1666,h1.example\n1,Mozilla,1667,h1.example\n2,Mozilla,1667,h1.example\n",
        ),
        (
            "SELECT DISTINCT user_agent FROM requests WHERE user_agent <> '' ORDER BY 1 LIMIT 1",
            "user_agent\nMozilla\n",
        ),
    ] {
        assert_eq!(answer(&session, text).await.expect("rows"), expected, "{text}");
    }
    let plan =
        answer(&session, "EXPLAIN SELECT user_agent, host, count(*) FROM requests GROUP BY 1, 2")
            .await
            .expect("a plan");
    assert!(plan.contains("(number_of(user_agent@0), number_of(host@0))"), "{plan}");
}
