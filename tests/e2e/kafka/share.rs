//! Two instances of one consumer group share a topic.

use std::time::Duration;

use tests::floodmark::PATIENCE;
use tests::sample::{Log, combined_log, traffic};
use tests::skip::or_skip;
use tests::{Kafka, Signal, Tables};

use super::{assert_every_record_once, run, ship};

#[test]
fn an_instance_that_joins_and_leaves_loses_and_doubles_nothing() {
    let Some(kafka) = or_skip(Kafka::shared()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let topic = kafka.topic("shared", 4);
    let log = traffic();
    let rate = (log.lines() / 16).to_string();
    let shipper = ship(kafka, &topic).args(["--rate", &rate]).arg(log.path()).start();
    let tables = Tables::at(folder.path().join("shared"));
    let instance =
        || run(kafka, &topic, "shared", &tables).args(["--commit-interval", "300ms"]).start();
    let members = |wanted| move |_: &_| kafka.members("shared") == wanted;

    let mut first = instance();
    first.until("one member", PATIENCE, members(1));
    let mut second = instance();
    second.until("two members", PATIENCE, members(2));
    second.until("its part is said", PATIENCE, |process| {
        process.stderr().contains("reading 2 of 4 partitions, others of the group read the rest")
    });
    second.signal(Signal::Term);
    second.output(PATIENCE).expect_status(0);
    first.until("one member again", PATIENCE, members(1));
    // And one that dies without a word: the group finds out by its session timeout, the next start does not wait.
    let mut third = instance();
    third.until("two members again", PATIENCE, members(2));
    third.run_for(Duration::from_millis(700));
    third.kill();
    shipper.output(PATIENCE).expect_status(0);
    first.signal(Signal::Term);
    first.output(PATIENCE).expect_status(0);
    run(kafka, &topic, "shared", &tables).arg("--exit-at-end").success();

    assert_every_record_once(&tables, kafka.messages(&topic));
    assert_eq!(kafka.lag("shared", &topic), 0);
}

#[test]
fn a_member_that_stood_still_while_another_read_its_part_goes_on() {
    let Some(kafka) = or_skip(Kafka::shared()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let topic = kafka.topic("overtaken", 2);
    let log = Log::new(&combined_log(400));
    let shipper = ship(kafka, &topic).args(["--rate", "100"]).arg(log.path()).start();
    let tables = Tables::at(folder.path().join("lake"));
    let instance =
        || run(kafka, &topic, "overtaken", &tables).args(["--commit-interval", "500ms"]).start();
    let mut first = instance();
    first.until_stderr("reading partition=", PATIENCE);
    first.signal(Signal::Stop);
    let mut second = instance();
    shipper.output(PATIENCE).expect_status(0);
    second.until("all of it was read", PATIENCE, |_| kafka.lag("overtaken", &topic) == 0);
    first.signal(Signal::Cont);
    first.until_stderr("opening the tables anew", PATIENCE);
    second.signal(Signal::Term);
    second.output(PATIENCE).expect_status(0);
    ship(kafka, &topic).arg(log.path()).success();
    first.until("it reads on", PATIENCE, |_| kafka.lag("overtaken", &topic) == 0);
    first.signal(Signal::Term);
    first.output(PATIENCE).expect_status(0);
    assert_every_record_once(&tables, kafka.messages(&topic));
}

#[test]
fn a_topic_that_another_group_brought_is_refused_unless_it_is_wanted_twice() {
    let Some(kafka) = or_skip(Kafka::shared()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let topic = kafka.topic("twice", 1);
    let log = Log::new(&combined_log(50));
    ship(kafka, &topic).arg(log.path()).success();
    let tables = Tables::at(folder.path().join("lake"));
    let of = |group: &str| run(kafka, &topic, group, &tables).arg("--exit-at-end");
    of("first").success();
    let refused = of("second").output().expect_status(1);
    refused.expect_stderr(&["by the consumer group `first`", "--group first", "--again"]);
    assert_every_record_once(&tables, kafka.messages(&topic));
    of("first").success();
    assert_every_record_once(&tables, kafka.messages(&topic));
    of("second").arg("--again").success();
    assert_eq!((tables.records(), tables.positions()), (100, 50));
    // Once it has begun it may go on.
    of("second").success();
}
