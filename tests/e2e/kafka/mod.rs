//! The live path on a real Apache Kafka.

mod anew;
mod beside;
mod edge;
mod faults;
mod graphed;
mod restart;
mod secure;
mod seeded;
mod share;
mod ship;
mod watched;

use std::path::Path;

use tests::{Floodmark, Kafka, Tables};

/// `floodmark ship … FILES`, which keys messages by client, so that each partition holds whole clients in order.
fn ship(kafka: &Kafka, topic: &str) -> Floodmark {
    Floodmark::new(["ship", "--brokers", &kafka.brokers(), "--topic", topic])
}

/// `floodmark run` of one consumer group into `tables`. The group finds out about a member that was killed within
/// a second and a half rather than three quarters of a minute.
fn run(kafka: &Kafka, topic: &str, group: &str, tables: &Tables) -> Floodmark {
    let args = ["run", "--brokers", &kafka.brokers(), "--topic", topic, "--group", group];
    let session = ["-X", "session.timeout.ms=1500", "-X", "heartbeat.interval.ms=300"];
    Floodmark::new(args).args(session).args(["--alerts", "json", "--data", tables.arg()])
}

/// Reads a topic to its end into new tables, undisturbed: what every other way of reading it must equal.
fn calm(kafka: &Kafka, topic: &str, folder: &Path) -> Tables {
    let tables = Tables::at(folder.join("calm"));
    run(kafka, topic, "calm", &tables).arg("--exit-at-end").success();
    tables
}

/// Passes when the tables hold each of `messages` messages of one line exactly once.
fn assert_every_record_once(tables: &Tables, messages: u64) {
    let messages = i64::try_from(messages).unwrap();
    assert_eq!((tables.records(), tables.positions()), (messages, messages), "rows, positions");
}
