//! The tables in a store that speaks S3 and is not ours.

use tests::floodmark::PATIENCE;
use tests::sample::{dealt, lake};
use tests::skip::or_skip;
use tests::{Floodmark, Output, Python, Running};

/// Where the tables are in it.
const DATA: &str = "s3://bucket/edge/lake";

/// A server of S3 with one bucket; it ends with this.
struct Store {
    place: String,
    _process: Running,
}

impl Store {
    fn start(python: &Python) -> Self {
        let mut process = python.start("s3.py", &[]);
        process.until("an address", PATIENCE, |process| process.stdout().ends_with('\n'));
        Self { place: process.stdout().trim().to_owned(), _process: process }
    }

    /// `floodmark COMMAND` on its tables.
    fn floodmark(&self, command: &str) -> Floodmark {
        floodmark(&self.place, command)
    }

    fn sql(&self, query: &str) -> String {
        self.floodmark("sql").args(["--format", "ndjson", query]).success().stdout
    }
}

/// `floodmark COMMAND` on tables in the store at `place`.
fn floodmark(place: &str, command: &str) -> Floodmark {
    let known = [
        ("AWS_ENDPOINT_URL", place),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_REGION", "us-east-1"),
    ];
    let command = Floodmark::new([command, "--data", DATA]);
    known.into_iter().fold(command, |command, (name, value)| command.env(name, value))
}

#[test]
fn tables_in_s3_hold_what_tables_in_a_folder_hold() {
    let Some(python) = or_skip(Python::find()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let local = lake(folder.path());
    let store = Store::start(&python);
    let files = dealt(folder.path(), 2);
    let scan = || -> Output {
        let scan = store.floodmark("scan").args(["--format", "cloudflare", "--alerts", "none"]);
        scan.args(&files).success()
    };
    scan();
    let counted = "SELECT date, status, count(*) AS n FROM requests GROUP BY 1, 2 ORDER BY 1, 2";
    let told = "SELECT kind, target_host, first_ts, requests FROM attacks ORDER BY first_ts, kind, target_host";
    for query in [counted, told] {
        assert_eq!(store.sql(query), local.ndjson(query));
    }
    // Read once, whoever reads again.
    scan();
    assert_eq!(store.sql(counted), local.ndjson(counted));

    store.floodmark("maintain").success().expect_stderr(&["became 1 file"]);
    store.floodmark("check").success().expect_stderr(&["0 faults"]);
    for query in [counted, told] {
        assert_eq!(store.sql(query), local.ndjson(query));
    }
    let top = store.floodmark("top").arg("--once").success();
    assert!(top.stdout.contains("Open incidents"), "{}", top.stdout);
}

#[test]
fn two_writers_of_one_store_do_not_lose_each_others_rows() {
    let Some(python) = or_skip(Python::find()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let local = lake(folder.path());
    let store = Store::start(&python);
    let files = dealt(folder.path(), 4);
    let scan = |file| {
        let scan = store.floodmark("scan").args(["--format", "cloudflare", "--alerts", "none"]);
        scan.arg(file).start()
    };
    for scanning in files.iter().map(scan).collect::<Vec<_>>() {
        scanning.output(PATIENCE).expect_status(0);
    }
    let counted = "SELECT count(*) AS positions, sum(n) AS records FROM (SELECT count(*) AS n FROM requests \
                   GROUP BY topic, topic_partition, topic_offset, record_index)";
    assert_eq!(store.sql(counted), local.ndjson(counted));
    store.floodmark("check").success().expect_stderr(&["0 faults"]);
}

#[test]
fn a_store_that_cannot_be_reached_is_told() {
    let nowhere = floodmark("http://127.0.0.1:9", "sql").arg("SELECT 1");
    nowhere.output().expect_status(1).expect_stderr(&["cannot open table"]);
}
