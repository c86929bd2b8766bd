//! `run --serve`: answers in the process that writes the tables.

use tests::floodmark::PATIENCE;
use tests::http::post;
use tests::sample::{Log, combined_log};
use tests::skip::or_skip;
use tests::{Kafka, Signal, Tables};

use super::{assert_every_record_once, run, ship};

/// The answer to a statement, as CSV.
fn ask(address: &str, statement: &str) -> String {
    let question = serde_json::json!({"q": statement, "format": "csv"});
    let (status, body) = post(address, "/api/v1/sql", &question.to_string());
    assert!(status.contains(" 200 "), "{status}: {body}");
    body
}

#[test]
fn a_run_answers_from_its_start_on_what_it_has_committed() {
    let Some(kafka) = or_skip(Kafka::shared()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let topic = kafka.topic("beside", 2);
    let tables = Tables::at(folder.path().join("lake"));
    let mut running = run(kafka, &topic, "beside", &tables)
        .args(["--commit-interval", "300ms", "--serve"])
        .env("FLOODMARK_SERVE_LISTEN", "127.0.0.1:0")
        .start();
    running.until_stderr("at http://127.0.0.1:", PATIENCE);
    let place = running.stderr().split("at http://").nth(1).and_then(|rest| rest.lines().next());
    let address = place.unwrap().to_owned();
    let count = |address: &str| ask(address, "SELECT count(*) AS n FROM requests");
    assert_eq!(count(&address), "n\n0\n");
    ship(kafka, &topic).arg(Log::new(&combined_log(50)).path()).success();
    running.until("its rows are seen", PATIENCE, |_| count(&address) == "n\n50\n");
    running.signal(Signal::Term);
    running.output(PATIENCE).expect_status(0);
    assert_every_record_once(&tables, 50);

    // What is wrong with the server is told before Kafka is asked for anything.
    let open = run(kafka, &topic, "beside", &tables).arg("--serve");
    let open = open.env("FLOODMARK_SERVE_LISTEN", "0.0.0.0:0").output();
    open.expect_status(2).expect_stderr(&["token and encryption are missing"]);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let held = run(kafka, &topic, "beside", &tables).arg("--serve");
    let held = held.env("FLOODMARK_SERVE_LISTEN", &taken).output();
    held.expect_status(1).expect_stderr(&[&taken, "cannot listen"]);
}
