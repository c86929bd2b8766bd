//! The sample's incidents: the same however it is cut, dealt out, ordered or interrupted, and those expected.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use expect_test::expect_file;
use tests::sample::{Log, dealt, text, traffic};
use tests::table::assert_same;
use tests::{Floodmark, Tables};

/// What the detector writes.
const FINDINGS: [&str; 3] = ["incidents", "source_windows", "target_windows"];

/// A scan of these files into `folder/NAME`.
fn scan(folder: &Path, name: &str, files: &[PathBuf]) -> Tables {
    let tables = Tables::at(folder.join(name));
    let scan = ["scan", "--format", "cloudflare", "--alerts", "none", "--data", tables.arg()];
    Floodmark::new(scan).args(files).success();
    tables
}

#[test]
fn the_sample_has_the_expected_incidents() {
    let folder = tempfile::tempdir().unwrap();
    let log = traffic();
    let tables = scan(folder.path(), "lake", &[log.path().to_owned()]);
    let query = "SELECT kind, verdict, target_host, target_path, first_ts, detected_ts, closed_ts, requests, \
                 source_count, severity, fingerprint, technique \
                 FROM incidents WHERE state = 'close' ORDER BY detected_ts, kind, target_host, incident_id";
    expect_file!["../golden/sample.ndjson"].assert_eq(&tables.ndjson(query));
}

#[test]
fn the_shipped_sample_is_what_generate_makes() {
    assert_eq!(i64::try_from(text().lines().count()).unwrap(), traffic().lines());
    let folder = tempfile::tempdir().unwrap();
    let shipped = scan(folder.path(), "shipped", &[traffic().path().to_owned()]);
    let log = Log::new(text());
    let made = scan(folder.path(), "made", &[log.path().to_owned()]);
    assert_same(&FINDINGS, &shipped, &made);
}

#[test]
fn alerts_are_the_incidents_of_the_table() {
    let folder = tempfile::tempdir().unwrap();
    let tables = Tables::at(folder.path().join("lake"));
    let log = traffic();
    let scan = ["scan", "--alerts", "json", "--data", tables.arg()];
    let alerts = Floodmark::new(scan).arg(log.path()).success().json_lines();
    let said = |alert: &serde_json::Value| {
        format!(
            "{} {} {} {}",
            alert["incident_id"], alert["revision"], alert["state"], alert["kind"]
        )
    };
    let mut alerts: Vec<String> = alerts.iter().map(said).collect();
    let rows = tables.rows("SELECT * FROM incidents WHERE verdict <> 'benign'");
    let mut rows: Vec<String> = rows.iter().map(said).collect();
    alerts.sort();
    rows.sort();
    assert_eq!(alerts, rows);
}

#[test]
fn a_person_reads_of_each_attack_once_and_the_count_is_the_tables() {
    let folder = tempfile::tempdir().unwrap();
    let tables = Tables::at(folder.path().join("lake"));
    let log = traffic();
    let scan = ["scan", "--alerts", "text", "--data", tables.arg()];
    let output = Floodmark::new(scan).arg(log.path()).success();
    let attacks = tables.rows("SELECT incident_id FROM attacks");
    assert!(!attacks.is_empty(), "the sample has attacks");
    for attack in &attacks {
        let id = attack["incident_id"].as_str().unwrap();
        let lines: Vec<&str> = output.stdout.lines().filter(|line| line.ends_with(id)).collect();
        let blocks = lines.iter().filter(|line| line.starts_with("  id ")).count();
        let ends = lines.iter().filter(|line| line.contains(" OVER ")).count();
        assert_eq!((blocks, ends), (1, 1), "{id}\n{}", output.stdout);
    }
    let verdicts = ["attack", "suspicious", "benign"].map(|verdict| {
        let latest = "SELECT *, row_number() OVER (PARTITION BY incident_id ORDER BY revision DESC) AS n FROM incidents";
        let count = format!("SELECT 1 FROM ({latest}) WHERE n = 1 AND verdict = '{verdict}'");
        format!("{} {verdict}", tables.rows(&count).len())
    });
    let counted = format!("incidents: {};", verdicts.join(", "));
    assert!(output.stderr.contains(&counted), "no `{counted}` in\n{}", output.stderr);
}

#[test]
fn the_same_bytes_give_the_same_incidents() {
    let folder = tempfile::tempdir().unwrap();
    let log = traffic();
    let files = [log.path().to_owned()];
    let first = scan(folder.path(), "first", &files);
    let second = scan(folder.path(), "second", &files);
    assert_same(&FINDINGS, &first, &second);
}

#[test]
fn incidents_do_not_depend_on_how_the_input_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let log = traffic();
    let whole = scan(folder.path(), "whole", &[log.path().to_owned()]);
    // A pipe hands over whatever was written: the reader sees other blocks each time.
    let piped = Tables::at(folder.path().join("piped"));
    let args = ["scan", "--format", "cloudflare", "--alerts", "none", "--data", piped.arg(), "-"];
    Floodmark::new(args).stdin_in_pieces(text().as_bytes().to_vec(), 7_919).success();
    assert_same(&FINDINGS, &whole, &piped);
    // A commit every moment cuts batches where nothing else does.
    let often = Tables::at(folder.path().join("often"));
    let args = ["scan", "--format", "cloudflare", "--alerts", "none", "--data", often.arg()];
    let often_args = ["--commit-interval", "50ms"];
    Floodmark::new(args).args(often_args).arg(log.path()).success();
    assert_same(&FINDINGS, &whole, &often);
}

#[test]
fn incidents_do_not_depend_on_the_order_of_partitions() {
    let folder = tempfile::tempdir().unwrap();
    let files = dealt(folder.path(), 3);
    let orders = [[0, 1, 2], [1, 2, 0], [2, 1, 0]];
    let runs: Vec<Tables> = orders
        .iter()
        .map(|order| {
            let name = format!("{order:?}");
            scan(folder.path(), &name, &order.map(|index| files[index].clone()))
        })
        .collect();
    assert!(runs[0].count("incidents") > 0, "the sample has attacks");
    assert_same(&FINDINGS, &runs[0], &runs[1]);
    assert_same(&FINDINGS, &runs[0], &runs[2]);
}

#[test]
fn a_scan_that_was_killed_continues_to_the_same_tables() {
    let folder = tempfile::tempdir().unwrap();
    let log = traffic();
    let calm = scan(folder.path(), "calm", &[log.path().to_owned()]);
    let killed = Tables::at(folder.path().join("killed"));
    let args = ["scan", "--format", "cloudflare", "--alerts", "none", "--data", killed.arg()];
    let args = || Floodmark::new(args).args(["--commit-interval", "20ms"]).arg(log.path());
    for moment in [60, 150, 110, 300] {
        let mut running = args().start();
        running.run_for(Duration::from_millis(moment));
        running.kill();
    }
    args().success();
    assert_eq!((killed.records(), killed.positions()), (log.lines(), log.lines()));
    assert_same(&FINDINGS, &calm, &killed);
    assert_same(&["requests"], &calm, &killed);
}

#[test]
fn a_file_scanned_twice_is_in_the_tables_once_and_a_grown_one_is_read_on() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::new(text());
    let lines: Vec<&str> = text().split_inclusive('\n').collect();
    let (first, rest) = lines.split_at(lines.len() / 3);
    fs::write(log.path(), first.concat()).unwrap();
    let tables = scan(folder.path(), "lake", &[log.path().to_owned()]);
    let count = i64::try_from(first.len()).unwrap();
    assert_eq!(tables.records(), count);
    scan(folder.path(), "lake", &[log.path().to_owned()]);
    assert_eq!(tables.records(), count);
    fs::write(log.path(), first.concat() + &rest.concat()).unwrap();
    scan(folder.path(), "lake", &[log.path().to_owned()]);
    assert_eq!((tables.records(), tables.positions()), (log.lines(), log.lines()));
}

#[test]
fn compressed_files_are_read_as_the_plain_one() {
    let folder = tempfile::tempdir().unwrap();
    let plain = Log::new(&tests::sample::combined_log(2_000));
    for (program, extension) in [("gzip", "gz"), ("xz", "xz"), ("zstd", "zst")] {
        let packed = std::process::Command::new(program)
            .args(["-k", "-q", plain.path().to_str().unwrap()])
            .status();
        if !packed.is_ok_and(|status| status.success()) {
            // The other programs are everywhere; the decoder's own tests cover this one.
            continue;
        }
        let tables = Tables::at(folder.path().join(extension));
        let file = plain.path().with_extension(format!("log.{extension}"));
        let scan = ["scan", "--format", "combined", "--data", tables.arg()];
        Floodmark::new(scan).arg(file).success();
        assert_eq!(tables.count("requests"), plain.lines(), "{extension}");
    }
}
