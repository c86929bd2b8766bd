//! What the dashboards of `docs/grafana` ask of a Prometheus that watches a run.

use std::process::{Command, Stdio};

use serde_json::Value;
use tests::floodmark::PATIENCE;
use tests::http::get;
use tests::sample::{Log, combined_log};
use tests::skip::{Missing, or_skip};
use tests::{Kafka, Python, Running, Signal, Tables, workspace};

use super::watched::monitor;
use super::{run, ship};

/// Targets that are rightly empty when nothing is read and nothing waits.
const EMPTY: [&str; 3] = ["Behind A", "Commit waits A", "Floodmark is behind A"];

/// A rate needs two looks at the process.
const RATE: &str = "/api/v1/query?query=rate%28floodmark_requests_total%5B1m%5D%29";

/// A Prometheus that looks at `target` every second.
fn prometheus(target: &str, folder: &std::path::Path) -> Result<Running, Missing> {
    if Command::new("prometheus").arg("--version").output().is_err() {
        return Err(Missing("Prometheus missing: Debian package prometheus".into()));
    }
    let config = folder.join("prometheus.yml");
    let jobs = format!("[{{job_name: floodmark, static_configs: [{{targets: ['{target}']}}]}}]");
    let text = format!("global: {{scrape_interval: 1s}}\nscrape_configs: {jobs}\n");
    std::fs::write(&config, text).expect("a folder to write to");
    let mut command = Command::new("prometheus");
    command
        .arg(format!("--config.file={}", config.display()))
        .arg(format!("--storage.tsdb.path={}", folder.join("prometheus").display()))
        .args(["--web.listen-address=127.0.0.1:0", "--log.format=json"])
        .stdin(Stdio::null());
    Ok(Running::start(&mut command))
}

/// The address that a line of the log tells.
fn address(log: &str, message: &str) -> Option<String> {
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut told = lines.filter(|line| line["msg"] == message);
    told.find_map(|line| line["address"].as_str().map(str::to_owned))
}

#[test]
fn every_panel_gets_numbers_from_a_prometheus() {
    let Some(kafka) = or_skip(Kafka::shared()) else { return };
    let Some(python) = or_skip(Python::find()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let topic = kafka.topic("graphed", 2);
    let tables = Tables::at(folder.path().join("lake"));
    let mut running = run(kafka, &topic, "graphed", &tables)
        .args(["--commit-interval", "300ms", "--listen", "0"])
        .start();
    let target = monitor(&mut running);
    let Some(mut watcher) = or_skip(prometheus(&target, folder.path())) else { return };
    watcher.until_stderr("\"Listening on\"", PATIENCE);
    let place = address(watcher.stderr(), "Listening on").expect("an address");
    ship(kafka, &topic).arg(Log::new(&combined_log(50)).path()).success();
    running.until("they are read", PATIENCE, |_| {
        get(&target, "/metrics").1.contains("floodmark_requests_total 50")
    });
    watcher.until("a rate is known", PATIENCE, |_| get(&place, RATE).1.contains("\"value\""));

    let boards = workspace::root().join("docs/grafana");
    let url = format!("http://{place}");
    let seen = python.ask("grafana.py", &["metrics", &url, boards.to_str().unwrap()]);
    assert_eq!(seen["ingest"]["Partitions read A"], 1);
    for (board, targets) in seen.as_object().unwrap() {
        for (target, found) in targets.as_object().unwrap() {
            let some = found.as_u64().unwrap() > 0;
            assert!(some || EMPTY.contains(&target.as_str()), "{board}: {target}: nothing");
        }
    }
    running.signal(Signal::Term);
    running.output(PATIENCE).expect_status(0);
}
