//! Killed or stopped at any moment, the tables and incidents are those of a calm run.

use std::fs;
use std::time::Duration;

use tests::floodmark::PATIENCE;
use tests::sample::{Log, text, traffic};
use tests::skip::or_skip;
use tests::table::assert_same;
use tests::{Floodmark, Kafka, Random, Signal, Tables};

use super::{assert_every_record_once, calm, run, ship};
use crate::warm::{Split, finds, split};

/// Times that the process is killed.
const KILLS: u32 = 8;

/// Tables that a restart must leave as a calm run does; `rejects` is empty in the sample.
const ALL: [&str; 4] = ["requests", "target_windows", "source_windows", "incidents"];

#[test]
fn killed_at_random_moments_while_traffic_arrives() {
    let Some(kafka) = or_skip(Kafka::shared()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut random = Random::new();
    let topic = kafka.topic("killed", 3);
    let log = traffic();
    // The shipper is held back so that the kills fall while traffic arrives.
    let rate = (log.lines() / 20).to_string();
    let shipper = ship(kafka, &topic).args(["--rate", &rate]).arg(log.path()).start();
    let tables = Tables::at(folder.path().join("killed"));
    let start = || run(kafka, &topic, "killed", &tables).args(["--commit-interval", "150ms"]);
    for kill in 0..KILLS {
        let mut running = start().start();
        if kill % 4 == 3 {
            // While it starts, joins the group or takes up the tables.
            running.run_for(random.below(Duration::from_secs(2)));
        } else {
            // While it reads and commits.
            let lag = kafka.lag("killed", &topic);
            running.until("progress", PATIENCE, |_| {
                let now = kafka.lag("killed", &topic);
                now < lag || now == 0
            });
            running.run_for(random.below(Duration::from_millis(800)));
        }
        let output = running.kill();
        assert_eq!(output.status.code(), None, "ended by itself\n{}", output.describe());
    }
    shipper.output(PATIENCE).expect_status(0);
    start().arg("--exit-at-end").success();

    assert_eq!(i64::try_from(kafka.messages(&topic)).unwrap(), log.lines(), "shipped");
    assert_every_record_once(&tables, kafka.messages(&topic));
    assert_eq!(kafka.lag("killed", &topic), 0);
    let calm = calm(kafka, &topic, folder.path());
    assert!(calm.count("incidents") > 0, "the sample has attacks");
    assert_same(&ALL, &calm, &tables);
}

#[test]
fn stopped_gracefully_each_alert_comes_once() {
    let Some(kafka) = or_skip(Kafka::shared()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let topic = kafka.topic("stopped", 2);
    let log = traffic();
    let rate = (log.lines() / 4).to_string();
    let shipper = ship(kafka, &topic).args(["--rate", &rate]).arg(log.path()).start();
    let tables = Tables::at(folder.path().join("stopped"));
    let mut alerts = Vec::new();
    for signal in [Signal::Term, Signal::Int] {
        let mut running = run(kafka, &topic, "stopped", &tables).start();
        let seen = alerts.len();
        running.until("an alert", PATIENCE, |process| !process.stdout().is_empty());
        running.signal(signal);
        let output = running.output(PATIENCE).expect_status(0);
        alerts.extend(output.json_lines());
        assert!(alerts.len() > seen, "{}", output.describe());
    }
    shipper.output(PATIENCE).expect_status(0);
    let rest = run(kafka, &topic, "stopped", &tables).arg("--exit-at-end").success();
    alerts.extend(rest.json_lines());

    let once =
        |alert: &serde_json::Value| (alert["incident_id"].to_string(), alert["revision"].as_i64());
    let mut said: Vec<_> = alerts.iter().map(once).collect();
    said.sort();
    let total = said.len();
    said.dedup();
    assert_eq!(said.len(), total, "an alert came twice");
    let rows = tables.rows("SELECT incident_id, revision FROM incidents WHERE verdict <> 'benign'");
    let mut stored: Vec<_> = rows.iter().map(once).collect();
    stored.sort();
    assert_eq!(said, stored, "alerts and rows of incidents");
    assert_every_record_once(&tables, kafka.messages(&topic));
    assert_eq!(kafka.lag("stopped", &topic), 0);
    assert_same(&ALL, &calm(kafka, &topic, folder.path()), &tables);
}

#[test]
fn run_in_instalments_open_incidents_stay_open() {
    let Some(kafka) = or_skip(Kafka::shared()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let topic = kafka.topic("instalments", 3);
    let tables = Tables::at(folder.path().join("instalments"));
    let lines: Vec<&str> = text().split_inclusive('\n').collect();
    for instalment in lines.chunks(lines.len().div_ceil(5)) {
        let log = Log::new(&instalment.concat());
        ship(kafka, &topic).arg(log.path()).success();
        run(kafka, &topic, "instalments", &tables).arg("--exit-at-end").success();
        assert_eq!(kafka.lag("instalments", &topic), 0);
    }
    assert_every_record_once(&tables, kafka.messages(&topic));
    assert_same(&ALL, &calm(kafka, &topic, folder.path()), &tables);
}

#[test]
fn however_partitions_interleave_the_incidents_are_the_same() {
    let Some(kafka) = or_skip(Kafka::shared()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let topic = kafka.topic("interleaved", 4);
    let log = traffic();
    ship(kafka, &topic).arg(log.path()).success();
    let calm = calm(kafka, &topic, folder.path());
    // Other sizes of what one fetch brings of each partition.
    for bytes in ["20000", "150000"] {
        let tables = Tables::at(folder.path().join(bytes));
        let fetch = format!("max.partition.fetch.bytes={bytes}");
        let interleaved = run(kafka, &topic, bytes, &tables).args(["-X", &fetch]);
        interleaved.arg("--exit-at-end").success();
        assert_every_record_once(&tables, kafka.messages(&topic));
        assert_same(&ALL, &calm, &tables);
    }
    // A run that finds nothing new changes nothing.
    run(kafka, &topic, "calm", &calm).arg("--exit-at-end").success();
    assert_every_record_once(&calm, kafka.messages(&topic));
}

#[test]
fn a_restart_whose_checkpoint_is_gone_is_not_blind() {
    let Some(kafka) = or_skip(Kafka::shared()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let topic = kafka.topic("forgetful", 3);
    let tables = Tables::at(folder.path().join("forgetful"));
    let Split { flood, before, after } = split();
    ship(kafka, &topic).arg(before.path()).success();
    run(kafka, &topic, "forgetful", &tables).arg("--exit-at-end").success();
    fs::remove_dir_all(tables.path().join("_floodmark").join("checkpoints")).unwrap();
    ship(kafka, &topic).arg(after.path()).success();
    let output = run(kafka, &topic, "forgetful", &tables).arg("--exit-at-end").success();
    assert!(finds(&output, &flood), "{}", output.describe());
    output.expect_stderr(&["learned what is ordinary from the history"]);
    assert_every_record_once(&tables, kafka.messages(&topic));

    // with a checkpoint there is nothing to learn
    let next = run(kafka, &topic, "forgetful", &tables).arg("--exit-at-end").success();
    assert!(!next.stderr.contains("learned what is ordinary"), "{}", next.describe());
}

#[test]
fn rows_that_are_too_old_go_while_reading_goes_on() {
    let Some(kafka) = or_skip(Kafka::shared()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let topic = kafka.topic("upkeep", 2);
    let log = traffic();
    ship(kafka, &topic).arg(log.path()).success();
    let tables = Tables::at(folder.path().join("lake"));
    // A round every twenty commits: two seconds. The log is of a day that is more than thirty days ago.
    let often = ["--commit-interval", "100ms", "--keep", "30d"];
    let mut running = run(kafka, &topic, "upkeep", &tables).args(often).start();
    running.until_stderr("rows_dropped=", PATIENCE);
    running.signal(Signal::Term);
    running.output(PATIENCE).expect_status(0);
    let rest = || run(kafka, &topic, "upkeep", &tables).arg("--exit-at-end");
    rest().success();
    Floodmark::new(["maintain", "--data", tables.arg(), "--keep", "30d"]).success();
    assert_eq!(tables.count("requests"), 0);
    assert!(tables.count("target_windows") > 0, "findings stay");
    Floodmark::new(["check", "--data", tables.arg()]).success();
    // What was dropped is not read again.
    rest().args(["--maintain", "false"]).success();
    assert_eq!(tables.count("requests"), 0);
}
