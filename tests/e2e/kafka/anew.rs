//! A topic that is deleted and made anew under its name.

use tests::floodmark::PATIENCE;
use tests::sample::{Log, combined_log};
use tests::skip::or_skip;
use tests::{Floodmark, Kafka, Signal, Tables};

use super::{run, ship};

/// Ships `lines` lines.
fn fill(kafka: &Kafka, topic: &str, lines: u32) {
    ship(kafka, topic).arg(Log::new(&combined_log(lines)).path()).success();
}

/// The number of rows as NDJSON; an error's text, or nothing, while there are no tables.
fn rows(tables: &Tables) -> String {
    let query = "SELECT count(*) AS n FROM requests";
    let sql = ["sql", "--data", tables.arg(), "--format", "ndjson", query];
    Floodmark::new(sql).output().stdout
}

/// Fails unless each record is there once and the tables are whole.
fn expect(tables: &Tables, records: i64) {
    assert_eq!(tables.records(), records);
    let check = Floodmark::new(["check", "--data", tables.arg()]).success();
    check.expect_stderr(&["0 faults"]);
}

#[test]
fn it_is_read_from_its_beginning_whatever_its_length() {
    let Some(kafka) = or_skip(Kafka::shared()) else { return };
    let folder = tempfile::tempdir().unwrap();
    for (stem, lines, partitions) in [("longer", 150, 2), ("as-long", 100, 2), ("shorter", 40, 3)] {
        let topic = kafka.topic(stem, 2);
        let tables = Tables::at(folder.path().join(stem));
        let read = || run(kafka, &topic, stem, &tables).arg("--exit-at-end").success();
        fill(kafka, &topic, 100);
        read();
        kafka.remake(&topic, partitions);
        fill(kafka, &topic, lines);
        read().expect_stderr(&["deleted and made anew"]);
        let lines = i64::from(lines);
        expect(&tables, 100 + lines);
        // It goes on like any other, is not told of again, and may pass away once more.
        fill(kafka, &topic, 10);
        let again = read();
        assert!(!again.stderr.contains("made anew"), "{}", again.describe());
        expect(&tables, 110 + lines);
        kafka.remake(&topic, 2);
        fill(kafka, &topic, 70);
        read().expect_stderr(&["deleted and made anew"]);
        expect(&tables, 180 + lines);
    }
}

#[test]
fn a_run_that_goes_on_follows_the_name() {
    let Some(kafka) = or_skip(Kafka::shared()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let topic = kafka.topic("followed", 2);
    let tables = Tables::at(folder.path().join("lake"));
    let mut running =
        run(kafka, &topic, "followed", &tables).args(["--commit-interval", "300ms"]).start();
    let mut wanted = 0;
    // At once longer than what was read, then shorter.
    for lines in [60, 200, 30] {
        if wanted > 0 {
            kafka.remake(&topic, 2);
        }
        fill(kafka, &topic, lines);
        wanted += i64::from(lines);
        let wanted = format!("{{\"n\":{wanted}}}\n");
        running.until("all rows", PATIENCE, |_| rows(&tables) == wanted);
    }
    kafka.delete(&topic);
    running.until_stderr("the topic was deleted", PATIENCE);
    running.signal(Signal::Term);
    let output = running.output(PATIENCE).expect_status(0);
    let told = output.stderr.matches("deleted and made anew").count();
    assert_eq!(told, 2, "{}", output.describe());
    expect(&tables, wanted);
}
