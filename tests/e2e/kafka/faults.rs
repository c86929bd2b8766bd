//! Kafka that cannot be reached or refuses.

use std::time::Duration;

use tests::floodmark::PATIENCE;
use tests::kafka::closed_port;
use tests::sample::{Log, combined_log};
use tests::skip::or_skip;
use tests::{Floodmark, Kafka, Running, Signal, Tables};

/// Waits for the message about an unreachable broker, then for a while, and expects it once.
fn said_once(running: &mut Running, broker: &str) {
    running.until_stderr(broker, PATIENCE);
    running.run_for(Duration::from_secs(3));
    let lines: Vec<&str> = running.stderr().lines().filter(|line| line.contains(broker)).collect();
    assert_eq!(lines.len(), 1, "said once: {lines:#?}");
}

#[test]
fn an_unreachable_broker_is_said_once_and_tried_again_until_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let broker = format!("127.0.0.1:{}", closed_port());
    let tables = Tables::at(folder.path().join("lake"));
    let run = ["run", "--brokers", &broker, "--topic", "t", "--data", tables.arg()];
    let mut running = Floodmark::new(run).start();
    said_once(&mut running, &broker);
    running.signal(Signal::Int);
    let output = running.output(PATIENCE).expect_status(0);
    assert_eq!(output.stdout, "");
}

#[test]
fn ship_to_an_unreachable_broker_says_so_and_reports_what_it_could_not_send() {
    let broker = format!("127.0.0.1:{}", closed_port());
    let log = Log::new(&combined_log(10));
    let ship = ["ship", "--brokers", &broker, "--topic", "t"];
    let mut running = Floodmark::new(ship).arg(log.path()).start();
    said_once(&mut running, &broker);
    running.signal(Signal::Int);
    // Lines were not delivered: that is no success.
    running.output(PATIENCE).expect_status(1);
}

#[test]
fn a_missing_topic_is_named() {
    let Some(kafka) = or_skip(Kafka::shared()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let tables = Tables::at(folder.path().join("lake"));
    let brokers = kafka.brokers();
    let run = ["run", "--brokers", &brokers, "--topic", "no-such-topic", "--data", tables.arg()];
    Floodmark::new(run).output().expect_status(1).expect_stderr(&["no-such-topic"]);
    let log = Log::new(&combined_log(10));
    let ship = ["ship", "--brokers", &brokers, "--topic", "no-such-topic"];
    let shipped = Floodmark::new(ship).arg(log.path()).output();
    shipped.expect_status(1).expect_stderr(&["no-such-topic"]);
}

#[test]
fn a_property_that_librdkafka_does_not_know_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let tables = Tables::at(folder.path().join("lake"));
    let run = ["run", "--brokers", "127.0.0.1:1", "--topic", "t", "--data", tables.arg()];
    let output = Floodmark::new(run).args(["-X", "no.such.property=1"]).output();
    assert!(matches!(output.status.code(), Some(1 | 2)), "{}", output.describe());
    output.expect_stderr(&["no.such.property"]);
}
