//! A start that is not blind: what the tables hold tells what is ordinary before the first line.

use tests::sample::{Log, Planted, planted, text};
use tests::{Floodmark, Output, Tables};

/// A flood of many sources that lasts shorter than it takes to learn a host, and the log until its minute and from it on.
pub struct Split {
    pub flood: Planted,
    pub before: Log,
    pub after: Log,
}

/// The sample, cut at the minute in which the flood begins.
pub fn split() -> Split {
    let flood = planted().into_iter().find(|attack| attack.host == "api.example.net").unwrap();
    let minute = flood.time.0.get(..16).unwrap().to_owned();
    let time = |line: &&str| {
        let time = line.split("\"EdgeStartTimestamp\":\"").nth(1);
        time.and_then(|time| time.get(..16)).unwrap_or_default().to_owned()
    };
    let lines = text().split_inclusive('\n');
    let (before, after): (Vec<&str>, Vec<&str>) = lines.partition(|line| time(line) < minute);
    Split { flood, before: Log::new(&before.concat()), after: Log::new(&after.concat()) }
}

/// `floodmark scan` of a log into new tables in the folder, with further arguments.
fn scan(log: &Log, folder: &std::path::Path, name: &str, args: &[&str]) -> (Tables, Output) {
    let tables = Tables::at(folder.join(name));
    let scan = ["scan", "--format", "cloudflare", "--alerts", "json", "--data", tables.arg()];
    let output = Floodmark::new(scan).args(args).arg(log.path()).success();
    assert_eq!(tables.records(), log.lines(), "the past is no part of the tables");
    (tables, output)
}

/// Whether the first alert about the flood came within a minute of its start.
pub fn finds(output: &Output, flood: &Planted) -> bool {
    let alerts = output.json_lines();
    let first = alerts.iter().find(|alert| flood.is_told_by(alert));
    first.is_some_and(|alert| {
        let detected = alert["detected_ts"].as_str().unwrap_or_default();
        detected.get(..16) == flood.time.0.get(..16)
    })
}

#[test]
fn a_flood_in_the_first_minute_of_a_scan_is_found_with_a_history_and_not_without() {
    let folder = tempfile::tempdir().unwrap();
    let Split { flood, before, after } = split();
    let (history, _) = scan(&before, folder.path(), "history", &[]);
    let (_, blind) = scan(&after, folder.path(), "blind", &[]);
    assert!(
        !blind.json_lines().iter().any(|alert| flood.is_told_by(alert)),
        "{}",
        blind.describe()
    );

    let warm = ["--warm-from", history.arg()];
    let (tables, output) = scan(&after, folder.path(), "warm", &warm);
    assert!(finds(&output, &flood), "{}", output.describe());
    let output = output.expect_stderr(&["learned what is ordinary from the history"]);
    // the same again is found
    let (again, second) = scan(&after, folder.path(), "again", &warm);
    assert_eq!(second.stdout, output.stdout);
    tests::table::assert_same(&["incidents", "target_windows"], &tables, &again);
}

#[test]
fn what_comes_after_a_log_is_not_its_past() {
    let folder = tempfile::tempdir().unwrap();
    let Split { before, after, .. } = split();
    let (history, _) = scan(&after, folder.path(), "history", &[]);
    let (_, cold) = scan(&before, folder.path(), "cold", &[]);
    let (_, warm) = scan(&before, folder.path(), "warm", &["--warm-from", history.arg()]);
    assert_eq!(warm.stdout, cold.stdout);
    warm.expect_stderr(&["no history from before the first record"]);
}

#[test]
fn a_history_that_is_not_there_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::new(&tests::sample::combined_log(100));
    let nowhere = folder.path().join("nowhere");
    Floodmark::new(["scan", "--format", "combined", "--warm-from"])
        .arg(&nowhere)
        .arg("--data")
        .arg(folder.path().join("data"))
        .arg(log.path())
        .output()
        .expect_status(1)
        .expect_stderr(&["cannot read the history", "nowhere"]);
}
