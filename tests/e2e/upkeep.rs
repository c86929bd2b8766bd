//! Tables that stay fast and are proven to be whole: `maintain` and `check`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use tests::floodmark::PATIENCE;
use tests::sample::{Log, text};
use tests::skip::{Missing, or_skip};
use tests::table::KEYS;
use tests::{Floodmark, Tables, workspace};

/// `floodmark scan` of the sample in four files, so that each table has several.
fn scanned(folder: &std::path::Path, name: &str) -> Tables {
    let tables = Tables::at(folder.join(name));
    let lines: Vec<&str> = text().split_inclusive('\n').collect();
    for part in lines.chunks(lines.len().div_ceil(4)) {
        let log = Log::new(&part.concat());
        let scan = ["scan", "--format", "cloudflare", "--alerts", "none", "--data", tables.arg()];
        Floodmark::new(scan).arg(log.path()).success();
    }
    tables
}

fn maintain(tables: &Tables) -> Floodmark {
    Floodmark::new(["maintain", "--data", tables.arg()])
}

fn check(tables: &Tables) -> Floodmark {
    Floodmark::new(["check", "--data", tables.arg()])
}

/// Data files of `requests` on the disk.
fn files(tables: &Tables) -> Vec<PathBuf> {
    let days = fs::read_dir(tables.path().join("requests")).unwrap();
    let days = days.map(|day| day.unwrap().path());
    let days = days.filter(|day| day.file_name().unwrap().to_string_lossy().starts_with("date="));
    let files = days.flat_map(|day| fs::read_dir(day).unwrap());
    files.map(|file| file.unwrap().path()).collect()
}

#[test]
fn maintained_tables_hold_the_same_rows_and_are_whole() {
    let folder = tempfile::tempdir().unwrap();
    let tables = scanned(folder.path(), "lake");
    // A minute in which one scan ended and the next began has a row of each.
    let rows = |table| {
        let dump = tables.dump(table);
        let mut rows: Vec<String> = dump.lines().map(str::to_owned).collect();
        rows.sort();
        rows
    };
    let before = KEYS.map(|(table, _)| (table, rows(table)));
    let assert_same = || {
        for (table, before) in &before {
            assert!(rows(table) == *before, "{table} differs");
        }
    };
    maintain(&tables).success().expect_stderr(&["requests: 4 files", "became 1 file"]);
    assert_same();
    check(&tables).success().expect_stderr(&["0 faults"]);
    maintain(&tables).success().expect_stderr(&["requests: 1 file"]);
    assert_same();
}

#[test]
fn rows_go_by_age_when_that_is_said_and_findings_stay() {
    let folder = tempfile::tempdir().unwrap();
    let tables = scanned(folder.path(), "lake");
    let incidents = tables.dump("incidents");
    assert!(tables.count("requests") > 0 && !incidents.is_empty());
    // The sample is of a day that is more than thirty days ago.
    maintain(&tables).args(["--keep", "30d"]).success().expect_stderr(&["rows dropped by age"]);
    assert_eq!(tables.count("requests"), 0);
    assert_eq!(tables.dump("incidents"), incidents);
    check(&tables).success();
    maintain(&tables).args(["--keep-findings", "30d"]).success();
    assert_eq!((tables.count("incidents"), tables.count("target_windows")), (0, 0));
}

#[test]
fn what_is_not_whole_is_named_on_stdout() {
    let folder = tempfile::tempdir().unwrap();
    let tables = scanned(folder.path(), "lake");
    let lost = files(&tables).remove(0);
    fs::remove_file(&lost).unwrap();
    let output = check(&tables).output().expect_status(1);
    let name = lost.file_name().unwrap().to_string_lossy().into_owned();
    assert!(output.stdout.contains(&name), "{}", output.describe());
    output.expect_stderr(&["1 faults", "not whole"]);
}

#[test]
fn a_time_below_a_day_and_a_folder_without_tables_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = Tables::at(folder.path().join("nowhere"));
    maintain(&nowhere).args(["--keep", "1h"]).output().expect_status(2).expect_stderr(&["--keep"]);
    for command in [maintain(&nowhere), check(&nowhere)] {
        command.output().expect_status(1).expect_stderr(&["there are no tables in"]);
    }
    assert!(!nowhere.path().exists(), "nothing is made");
}

/// The commands of the chapter about back-ups, as the documentation has them.
fn back_up_commands() -> String {
    let page = fs::read_to_string(workspace::root().join("docs/operations.md")).unwrap();
    let chapter = page.split("\n## Back-up and restore\n").nth(1).expect("the chapter");
    chapter
        .split("```sh\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .expect("commands")
        .to_owned()
}

#[test]
fn a_copy_of_a_folder_that_is_written_to_is_whole_and_goes_on() {
    if Command::new("rsync").arg("--version").output().is_err() {
        or_skip::<()>(Err(Missing("rsync missing: Debian package rsync".into())));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let tables = Tables::at(folder.path().join("lake"));
    let scan = ["scan", "--format", "cloudflare", "--alerts", "none", "--commit-interval", "1s"];
    let scan = Floodmark::new(scan).args(["--data", tables.arg(), "-"]);
    let mut scanning = scan.spoken_to().start();
    let lines: Vec<&str> = text().split_inclusive('\n').collect();
    let (first, rest) = lines.split_at(lines.len() / 2);
    scanning.say(&first.concat());
    let log = tables.path().join("requests/_delta_log");
    let commits = || fs::read_dir(&log).map_or(0, Iterator::count);
    scanning.until("rows are committed", PATIENCE, |_| commits() > 1);
    let copied =
        Command::new("sh").args(["-euc", &back_up_commands()]).current_dir(folder.path()).output();
    let copied = copied.unwrap();
    assert!(copied.status.success(), "{}", String::from_utf8_lossy(&copied.stderr));
    scanning.say(&rest.concat());
    scanning.output(PATIENCE).expect_status(0);

    let copy = Tables::at(folder.path().join("backup"));
    check(&copy).success().expect_stderr(&["0 faults"]);
    let rows = |tables: &Tables| tables.number("SELECT count(*) AS n FROM requests");
    assert!((1..i64::try_from(lines.len()).unwrap()).contains(&rows(&copy)));
    let log = Log::new(text());
    let scan = ["scan", "--format", "cloudflare", "--alerts", "none", "--data", copy.arg()];
    Floodmark::new(scan).arg(log.path()).success();
    assert_eq!(rows(&copy), rows(&tables));
    check(&copy).success().expect_stderr(&["0 faults"]);
}
