//! What feeds a topic: `ship`, and shippers that are not ours.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::time::Duration;

use tests::floodmark::PATIENCE;
use tests::kafka::kcat;
use tests::sample::{Log, combined, combined_log, text, traffic};
use tests::skip::or_skip;
use tests::{Kafka, Running, Signal, Tables};

use super::{assert_every_record_once, calm, run, ship};

#[test]
fn kcat_as_the_producer() {
    let Some(kafka) = or_skip(Kafka::shared()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let topic = kafka.topic("kcat", 2);
    let log = Log::new(text());
    let file = log.path();
    let produce = ["-t", &topic, "-P", "-z", "zstd", "-l", file.to_str().unwrap()];
    let Some(output) = or_skip(kcat(kafka, &produce)) else { return };
    assert!(output.status.success(), "{output:?}");
    let tables = calm(kafka, &topic, folder.path());
    assert_eq!(i64::try_from(kafka.messages(&topic)).unwrap(), log.lines());
    assert_every_record_once(&tables, kafka.messages(&topic));
    assert_eq!(tables.count("rejects"), 0);
}

#[test]
fn a_message_of_many_lines_is_many_records() {
    let Some(kafka) = or_skip(Kafka::shared()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let topic = kafka.topic("lines", 1);
    // Three messages: a hundred lines, one line, and lines of which the middle one is no record.
    let messages = [
        combined_log(100),
        combined(100),
        format!("{}\nno record\n{}", combined(101), combined(102)),
    ];
    let files: Vec<Log> = messages.iter().map(|message| Log::new(message)).collect();
    let paths: Vec<_> = files.iter().map(Log::path).collect();
    let mut produce = vec!["-t", topic.as_str(), "-P", "-z", "zstd"];
    produce.extend(paths.iter().map(|path| path.to_str().unwrap()));
    let Some(output) = or_skip(kcat(kafka, &produce)) else { return };
    assert!(output.status.success(), "{output:?}");
    assert_eq!(kafka.messages(&topic), 3);
    let tables = calm(kafka, &topic, folder.path());
    assert_eq!((tables.count("requests"), tables.count("rejects")), (103, 1));
    assert_eq!(tables.positions(), 104);
    let indexes = "SELECT topic_offset, min(record_index) AS first, max(record_index) AS last, count(*) AS n \
                   FROM requests GROUP BY topic_offset ORDER BY topic_offset";
    let expected = "{\"topic_offset\":0,\"first\":0,\"last\":99,\"n\":100}\n\
                    {\"topic_offset\":1,\"first\":0,\"last\":0,\"n\":1}\n\
                    {\"topic_offset\":2,\"first\":0,\"last\":2,\"n\":2}\n";
    assert_eq!(tables.ndjson(indexes), expected);
    let rejects = tables.rows("SELECT topic_offset, record_index FROM rejects");
    assert_eq!(rejects, [serde_json::json!({"topic_offset": 2, "record_index": 1})]);
}

#[test]
fn one_client_is_in_one_partition_and_in_order() {
    let Some(kafka) = or_skip(Kafka::shared()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let topic = kafka.topic("keyed", 3);
    let log = traffic();
    ship(kafka, &topic).arg(log.path()).success();
    let tables = calm(kafka, &topic, folder.path());
    assert_every_record_once(&tables, u64::try_from(log.lines()).unwrap());
    let split = "SELECT count(*) AS n FROM (SELECT ip_prefix(client_ip, 24, 64) AS p FROM requests \
                 GROUP BY 1 HAVING count(DISTINCT topic_partition) > 1)";
    assert_eq!(tables.number(split), 0, "clients in several partitions");
    let used = tables.number("SELECT count(DISTINCT topic_partition) AS n FROM requests");
    assert_eq!(used, 3, "partitions used");
}

#[test]
fn follow_sends_whole_lines_as_they_come_and_outlives_rotation() {
    let Some(kafka) = or_skip(Kafka::shared()) else { return };
    let topic = kafka.topic("followed", 1);
    let log = Log::new(&combined_log(3));
    let file = log.path().to_owned();
    let append = |text: &str| {
        let mut file = OpenOptions::new().append(true).create(true).open(&file).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    };
    let mut shipper = ship(kafka, &topic).arg("--follow").arg(&file).start();
    let arrived = |n: u64| {
        let topic = &topic;
        move |_: &Running| kafka.messages(topic) == n
    };
    shipper.until("3 lines", PATIENCE, arrived(3));
    let half = combined(3);
    append(&half[..20]);
    shipper.run_for(Duration::from_millis(700));
    assert_eq!(kafka.messages(&topic), 3, "half a line is not sent");
    append(&half[20..]);
    append("\n");
    shipper.until("the rest of the line", PATIENCE, arrived(4));
    // Rotated by renaming: what was written before and after is sent.
    append(&(combined(4) + "\n"));
    fs::rename(&file, file.with_extension("log.1")).unwrap();
    append(&(combined(5) + "\n"));
    shipper.until("both files", PATIENCE, arrived(6));
    shipper.signal(Signal::Term);
    shipper.output(PATIENCE).expect_status(0);
    assert_eq!(kafka.messages(&topic), 6);
}

#[test]
fn an_empty_topic_is_no_error() {
    let Some(kafka) = or_skip(Kafka::shared()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let topic = kafka.topic("empty", 2);
    let tables = Tables::at(folder.path().join("lake"));
    let output = run(kafka, &topic, "empty", &tables).arg("--exit-at-end").success();
    assert_eq!(output.stdout, "");
    assert_eq!((tables.records(), tables.count("incidents")), (0, 0));
}
