//! What the dashboards of `docs/grafana` ask, of the tables, and what they name.

use std::fs;
use std::path::Path;

use tests::sample::lake;
use tests::skip::or_skip;
use tests::{Python, Served, workspace};

use crate::deploy::assert_metrics;

/// Targets that are rightly empty on the sample: it is read whole, and its attacks are over when it ends.
const EMPTY: [&str; 2] = ["Lines that could not be read A", "Attack under way A"];

#[test]
fn every_panel_gets_rows_from_the_tables() {
    let Some(python) = or_skip(Python::find()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let tables = lake(folder.path());
    let served = Served::start(&tables, &[]);
    let boards = workspace::root().join("docs/grafana");
    let seen = python.ask("grafana.py", &["tables", &served.postgres, boards.to_str().unwrap()]);
    let names: Vec<&String> = seen.as_object().unwrap().keys().collect();
    assert_eq!(names, ["attacks", "floodmark", "host", "ingest"]);
    for (board, targets) in seen.as_object().unwrap() {
        for (target, rows) in targets.as_object().unwrap() {
            let some = rows.as_u64().unwrap() > 0;
            assert!(some || EMPTY.contains(&target.as_str()), "{board}: {target}: no row");
        }
    }
    served.stop();
}

/// The texts of a folder and of those within.
fn texts(folder: &Path) -> String {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let text = |path: std::path::PathBuf| {
        if path.is_dir() { texts(&path) } else { fs::read_to_string(path).unwrap() }
    };
    paths.map(text).collect()
}

#[test]
fn every_metric_of_the_dashboards_is_there() {
    assert_metrics(&texts(&workspace::root().join("docs/grafana")));
}
